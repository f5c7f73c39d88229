/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/move.h"
#include "ops/ops.h"

typedef struct {
  guint axis;
} Params;

static gboolean
concat_fits (const SegDesc *a, const SegDesc *b, guint axis)
{
  if (a->dtype != b->dtype || a->rank != b->rank)
    return FALSE;
  for (guint i = 0; i < a->rank; i++)
    if (i != axis && a->dims[i] != b->dims[i])
      return FALSE;
  return TRUE;
}

static gboolean
concat_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *first = &seg_node_input (node, 0)->desc;
  SegDesc out = *first;
  if (!seg_axis_normalize (
          seg_node_attr_int (node, "axis", 1), first->rank, &params->axis, error))
    return FALSE;
  for (guint i = 1; i < node->inputs->len; i++) {
    const SegValue *input = seg_node_input (node, i);
    if (input == NULL || !concat_fits (first, &input->desc, params->axis)) {
      g_autofree char *a = seg_desc_to_string (first);
      g_autofree char *b =
          input != NULL ? seg_desc_to_string (&input->desc) : g_strdup ("nothing");
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "cannot concatenate %s and %s along axis %u", a, b, params->axis);
      return FALSE;
    }
    out.dims[params->axis] += input->desc.dims[params->axis];
  }
  seg_node_output (node, 0)->desc = out;
  return TRUE;
}

/* The i-th input into its range of the output. */
static SegMove
concat_move (const SegNode *node, guint i)
{
  const Params *params = node->params;
  SegMove m = seg_move_whole (&seg_node_input (node, i)->desc);
  for (guint k = 0; k < i; k++)
    m.out_start[params->axis] += seg_node_input (node, k)->desc.dims[params->axis];
  return m;
}

static gboolean
concat_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    SegMove move = concat_move (node, i);
    seg_move_eval (&move, in[i], out[0]);
  }
  return TRUE;
}

static gboolean
is_in_place (const SegNode *node, guint i)
{
  const Params *params = node->params;
  const SegValue *out = seg_node_output (node, 0), *v = seg_node_input (node, i);
  guint channel = 0;
  for (; v != NULL && v != out; v = v->base)
    channel += v->channel;
  return v == out && params->axis == 1 && channel == concat_move (node, i).out_start[1];
}

/* Inputs that their producers have written in place (graph/share.c) are left alone; the last
 * one's producer has written the channel padding too. */
static gboolean
concat_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const SegValue *out = seg_node_output (node, 0);
  guint n = node->inputs->len;
  if (!is_in_place (node, n - 1) && !seg_move_clear_padding (program, out, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const SegValue *input = seg_node_input (node, i);
    SegMove move = concat_move (node, i);
    if (!is_in_place (node, i) && !seg_move_emit (&move, program, input, out, error))
      return FALSE;
  }
  return TRUE;
}

/* All have as many rows; or there is just one input, which may be live anywhere. */
static guint
concat_by_row (const SegNode *node)
{
  const Params *params = node->params;
  guint n = node->inputs->len, all = 0;
  int live = seg_value_live_axis_of (seg_node_input (node, 0));
  for (guint i = 0; i < n && n <= 32; i++) {
    if (seg_value_live_axis_of (seg_node_input (node, i)) != live)
      return 0;
    all |= 1u << i;
  }
  return live >= 0 && (n == 1 || live != (int) params->axis) ? all : 0;
}

static gboolean
concat_permute (SegNode *node, const guint *perm)
{
  Params *params = node->params;
  params->axis = seg_axis_permuted (params->axis, perm);
  return TRUE;
}

const SegOp seg_op_concat = {
  .name = "Concat",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = G_MAXUINT,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_MOVES,
  .flags = SEG_OP_BYTES | SEG_OP_ANY_LIVE_AXIS,
  .params_size = sizeof (Params),
  .infer = concat_infer,
  .eval = concat_eval,
  .emit = concat_emit,
  .by_row = concat_by_row,
  .permute = concat_permute,
};
