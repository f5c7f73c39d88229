/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmask.h"

G_BEGIN_DECLS

/* Finite, not empty, not so far away that arithmetic suffers. */
gboolean seg_rect_is_sane (const GstVkSegRect *rect);
/* Takes it in to the frame. FALSE: it is not sane, or nothing is left. */
gboolean seg_rect_clamp (GstVkSegRect *rect, guint width, guint height);

G_END_DECLS
