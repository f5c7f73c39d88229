/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/modelinfo.h"

G_BEGIN_DECLS

/* What model information says about networks that look at regions. Internal to modelinfo*.c. */

/* First half: the input that takes regions, if there is one. */
gboolean seg_model_info_find_regions (
    SegModelInfo *info, const SegModel *model, GError **error);
/* Second half: what their outputs mean; errors name outputs that do not fit. */
gboolean seg_model_info_resolve_regions (
    SegModelInfo *info, const SegGraph *graph, GError **error);

G_END_DECLS
