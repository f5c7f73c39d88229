/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/rewrite.h"

G_BEGIN_DECLS

/* Which output channel an element of the weights (input 1) belongs to. */
typedef struct {
  gsize inner;          /* elements from one channel to the next */
  gsize group_channels; /* channels before they repeat (in the next input channel) */
  gsize group_elems;    /* elements of a group; the next group has the next channels */
} SegChannelOrder;

/* Makes a node with weights in input 1 and a bias of n entries (or none) in input 2 compute
 * y * scale[c] + shift[c]. FALSE when these are not constants that can be replaced. */
gboolean seg_conv_fold_affine (SegGraph *graph, SegNode *node,
    const SegChannelOrder *order, const double *scale, const double *shift, guint n);

G_END_DECLS
