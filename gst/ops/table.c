/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/table.h"

#include "ops/ops.h"

#include <string.h>

const SegOp *const seg_op_table[] = {
  /* convolution, pooling, matrices */
  &seg_op_conv,
  &seg_op_conv_transpose,
  &seg_op_max_pool,
  &seg_op_average_pool,
  &seg_op_lp_pool,
  &seg_op_gemm,
  &seg_op_matmul,

  /* elementwise: one variable, two variables, comparison and logic */

  /* reductions, normalisation */

  /* moving data */
  &seg_op_concat,
  &seg_op_copy,
  &seg_op_depth_to_space,
  &seg_op_dropout,
  &seg_op_expand,
  &seg_op_flatten,
  &seg_op_gather,
  &seg_op_gather_elements,
  &seg_op_gather_nd,
  &seg_op_identity,
  &seg_op_pad,
  &seg_op_reshape,
  &seg_op_slice,
  &seg_op_space_to_depth,
  &seg_op_split,
  &seg_op_squeeze,
  &seg_op_tile,
  &seg_op_transpose,
  &seg_op_unsqueeze,

  /* resizing */
  &seg_op_resize,
  &seg_op_upsample,

  /* shapes and constants */
  &seg_op_constant,
  &seg_op_constant_of_shape,
  &seg_op_eye_like,
  &seg_op_range,
  &seg_op_shape,
  &seg_op_size,

  NULL,
};

static gboolean
same_domain (const char *a, const char *b)
{
  return strcmp (a, b) == 0 || (a[0] == '\0' && strcmp (b, "ai.onnx") == 0);
}

const SegOp *
seg_op_lookup (const char *domain, const char *op_type)
{
  for (guint i = 0; seg_op_table[i] != NULL; i++)
    if (strcmp (seg_op_table[i]->name, op_type) == 0
        && same_domain (seg_op_table[i]->domain, domain))
      return seg_op_table[i];
  return NULL;
}
