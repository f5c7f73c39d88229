/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/move.h"
#include "ops/ops.h"

typedef struct {
  guint axis;
} Params;

/* The extents that the node gives: an attribute before opset 13, an input since. n is 0 when
 * it gives none. */
static gboolean
read_sizes (SegNode *node, gint64 **sizes, guint *n, GError **error)
{
  if (node->opset >= 13)
    return seg_node_const_ints (node, 1, "split", sizes, n, error);
  const gint64 *ints = seg_node_attr_ints (node, "split", n);
  *sizes = g_memdup2 (ints, *n * sizeof *ints);
  return TRUE;
}

/* Without sizes: equal parts, of which the last may be smaller since opset 18. */
static gboolean
equal_sizes (SegNode *node, gint64 extent, gint64 *sizes, guint n, GError **error)
{
  gint64 want = seg_node_attr_int (node, "num_outputs", n);
  gint64 part = (extent + n - 1) / n;
  if (want != n || (node->opset < 18 && part * n != extent)
      || (part * (n - 1) > extent && extent > 0)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "cannot split an extent of %" G_GINT64_FORMAT " into %" G_GINT64_FORMAT
        " parts for %u outputs",
        extent, want, n);
    return FALSE;
  }
  for (guint i = 0; i < n; i++)
    sizes[i] = MIN (part, extent - part * i);
  return TRUE;
}

static gboolean
split_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  guint n_outputs = node->outputs->len, n;
  g_autofree gint64 *sizes = NULL;
  if (!seg_axis_normalize (
          seg_node_attr_int (node, "axis", 0), in->rank, &params->axis, error)
      || !read_sizes (node, &sizes, &n, error))
    return FALSE;
  gint64 extent = in->dims[params->axis], sum = 0;
  if (n == 0) {
    g_free (sizes);
    sizes = g_new (gint64, n = n_outputs);
    if (!equal_sizes (node, extent, sizes, n, error))
      return FALSE;
  }
  for (guint i = 0; i < n; i++)
    sum = sizes[i] < 0 || sizes[i] > extent ? -1 : sum < 0 ? sum : sum + sizes[i];
  if (n != n_outputs || sum != extent) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "split has %u sizes for %u outputs and an extent of %" G_GINT64_FORMAT
        "; they must add up to it",
        n, n_outputs, extent);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    SegValue *out = seg_node_output (node, i);
    if (out == NULL) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "output %u has no name", i);
      return FALSE;
    }
    out->desc = *in;
    out->desc.dims[params->axis] = sizes[i];
  }
  return TRUE;
}

/* The i-th output; the outputs before it say where it starts. */
static SegMove
split_move (const SegNode *node, guint i)
{
  const Params *params = node->params;
  SegMove m = seg_move_whole (&seg_node_output (node, i)->desc);
  for (guint k = 0; k < i; k++)
    m.in_start[params->axis] += seg_node_output (node, k)->desc.dims[params->axis];
  return m;
}

static gboolean
split_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    SegMove move = split_move (node, i);
    seg_move_eval (&move, in[0], out[i]);
  }
  return TRUE;
}

static gboolean
split_emit (const SegNode *node, SegProgram *program, GError **error)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *out = seg_node_output (node, i);
    SegMove move = split_move (node, i);
    if (out->base != seg_node_input (node, 0)
        && !seg_move_emit (&move, program, seg_node_input (node, 0), out, error))
      return FALSE;
  }
  return TRUE;
}

/* Where another axis is live than the one that is split. */
static guint
split_by_row (const SegNode *node)
{
  const Params *params = node->params;
  const SegValue *in = seg_node_input (node, 0);
  return seg_value_live_axis_of (in) != (int) params->axis ? seg_rows_of_first (node) : 0;
}

static gboolean
split_permute (SegNode *node, const guint *perm)
{
  Params *params = node->params;
  params->axis = seg_axis_permuted (params->axis, perm);
  return TRUE;
}

static gboolean
split_as_channels (const SegNode *node, guint k, guint *first)
{
  const Params *params = node->params;
  *first = split_move (node, k).in_start[1];
  return params->axis == 1;
}

const SegOp seg_op_split = {
  .name = "Split",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 2,
  .max_outputs = G_MAXUINT,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_MOVES,
  .decides = SEG_OP_ALL_BUT_FIRST,
  .flags = SEG_OP_BYTES | SEG_OP_ANY_LIVE_AXIS,
  .params_size = sizeof (Params),
  .infer = split_infer,
  .eval = split_eval,
  .emit = split_emit,
  .by_row = split_by_row,
  .permute = split_permute,
  .as_channels = split_as_channels,
};
