/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/* What a network computes when each value between its nodes is rounded to fp16 and everything
 * else is exact: how good fp16 can be. Runs on the host, in the order of the graph's inputs
 * and outputs; outputs[] receives new references. */
gboolean seg_half_eval (SegModel *model, const SegInputShape *shapes, guint n_shapes,
    SegTensor *const *inputs, SegTensor **outputs, GError **error);

G_END_DECLS
