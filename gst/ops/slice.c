/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/move.h"
#include "ops/ops.h"
#include "ops/rows.h"

typedef struct {
  gint64 start[SEG_MAX_RANK], step[SEG_MAX_RANK]; /* per input axis */
  gint64 first[SEG_MAX_RANK], end[SEG_MAX_RANK];  /* as the file gives them */
} Params;

/* What the file gives: attributes before opset 10, inputs since. Owned. */
typedef struct {
  gint64 *starts, *ends, *axes, *steps; /* axes and steps may be NULL */
  guint n;
} Ranges;

static void
ranges_clear (Ranges *r)
{
  g_free (r->starts);
  g_free (r->ends);
  g_free (r->axes);
  g_free (r->steps);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ranges, ranges_clear)

static gboolean
read_list (
    SegNode *node, guint input, const char *name, gint64 **list, guint *n, GError **error)
{
  if (node->opset >= 10)
    return seg_node_const_ints (node, input, name, list, n, error);
  const gint64 *ints = seg_node_attr_ints (node, name, n);
  *list = g_memdup2 (ints, *n * sizeof *ints);
  return TRUE;
}

static gboolean
read_ranges (SegNode *node, Ranges *r, GError **error)
{
  guint n_ends, n_axes, n_steps = 0;
  if (!read_list (node, 1, "starts", &r->starts, &r->n, error)
      || !read_list (node, 2, "ends", &r->ends, &n_ends, error)
      || !read_list (node, 3, "axes", &r->axes, &n_axes, error))
    return FALSE;
  if (node->opset >= 10 && !read_list (node, 4, "steps", &r->steps, &n_steps, error))
    return FALSE;
  if (n_ends != r->n || (n_axes != 0 && n_axes != r->n)
      || (n_steps != 0 && n_steps != r->n)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "starts, ends, axes and steps have %u, %u, %u and %u entries", r->n, n_ends,
        n_axes, n_steps);
    return FALSE;
  }
  return TRUE;
}

/* One axis of extent d: clamps start and returns how many elements there are. */
static gint64
slice_axis (gint64 d, gint64 *start, gint64 end, gint64 step)
{
  if (*start < 0)
    *start += d;
  if (end < 0)
    end += d;
  gint64 low = step > 0 ? 0 : -1, high = step > 0 ? d : d - 1;
  *start = CLAMP (*start, 0, high);
  end = CLAMP (end, low, high);
  if (step > 0)
    return end > *start ? (end - *start - 1) / step + 1 : 0;
  return *start > end ? (*start - end - 1) / -step + 1 : 0;
}

static gboolean
slice_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  g_auto (Ranges) r = { 0 };
  if (!read_ranges (node, &r, error))
    return FALSE;
  *out = *in;
  for (guint i = 0; i < in->rank; i++) {
    params->start[i] = params->first[i] = 0;
    params->step[i] = 1;
    params->end[i] = G_MAXINT64;
  }
  for (guint i = 0; i < r.n; i++) {
    guint axis;
    if (!seg_axis_normalize (r.axes != NULL ? r.axes[i] : i, in->rank, &axis, error))
      return FALSE;
    gint64 step = r.steps != NULL ? r.steps[i] : 1;
    if (step == 0 || step == G_MININT64) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "the step of axis %u is 0", axis);
      return FALSE;
    }
    params->start[axis] = params->first[axis] = r.starts[i];
    params->end[axis] = r.ends[i];
    params->step[axis] = step;
    out->dims[axis] = slice_axis (in->dims[axis], &params->start[axis], r.ends[i], step);
    if (out->dims[axis] <= 1)
      params->step[axis] = 1; /* not taken, and may be huge */
  }
  return TRUE;
}

static SegMove
slice_move (const SegNode *node)
{
  const Params *params = node->params;
  SegMove m = seg_move_whole (&seg_node_output (node, 0)->desc);
  for (guint i = 0; i < m.n; i++) {
    m.axes[i].in_step = params->step[i];
    m.in_start[i] = params->start[i];
  }
  return m;
}

static gboolean
slice_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  SegMove move = slice_move (node);
  seg_move_eval (&move, in[0], out[0]);
  return TRUE;
}

/* Whether the live axis is cut, rather than just others. */
static gboolean
slice_counts (const SegNode *node)
{
  const Params *params = node->params;
  int live = seg_value_live_axis_of (seg_node_input (node, 0));
  return live >= 0
         && (params->first[live] != 0 || params->step[live] != 1
             || params->end[live] < seg_node_input (node, 0)->desc.dims[live]);
}

/* A live axis is cut where that does not depend on its end. */
static guint
slice_by_row (const SegNode *node)
{
  const Params *params = node->params;
  int live = seg_value_live_axis_of (seg_node_input (node, 0));
  if (live < 0 || params->step[live] != 1 || params->first[live] < 0
      || params->end[live] < 0
      || seg_value_live_axis_of (seg_node_output (node, 0)) != live)
    return 0;
  return seg_rows_of_first (node);
}

static gboolean
slice_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const Params *params = node->params;
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  int live = seg_value_live_axis_of (in);
  if (slice_counts (node)
      && !seg_rows_emit_range (program, out, seg_program_rows (program, in),
          (guint32) MIN (params->first[live], G_MAXINT32),
          (guint32) MIN (params->end[live], G_MAXINT32), error))
    return FALSE;
  SegMove move = slice_move (node);
  return out->base == in || seg_move_emit (&move, program, in, out, error);
}

static gboolean
slice_align (const SegNode *node, guint axis, SegAlign *a)
{
  const Params *params = node->params;
  a->num = params->step[axis];
  a->shift = (double) params->start[axis];
  return params->step[axis] > 0;
}

static gboolean
slice_permute (SegNode *node, const guint *perm)
{
  Params *params = node->params, old = *params;
  guint rank = seg_node_output (node, 0)->desc.rank;
  for (guint i = 0; perm != NULL && i < rank; i++) {
    params->start[i] = old.start[perm[i]];
    params->step[i] = old.step[perm[i]];
  }
  return TRUE;
}

static gboolean
slice_as_channels (const SegNode *node, guint k, guint *first)
{
  const Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc out = seg_node_output (node, k)->desc;
  for (guint i = 0; i < in->rank; i++)
    if (params->step[i] != 1)
      return FALSE;
  out.dims[1] = in->dims[1];
  *first = params->start[1];
  return seg_desc_same_dims (in, &out);
}

/* Cropping by rows and then by columns is one crop. */
static gboolean
slice_join (SegNode *node, const SegNode *first)
{
  Params *params = node->params;
  const Params *before = first->params;
  const SegDesc *out = &seg_node_output (node, 0)->desc;
  for (guint i = 0; i < out->rank; i++) {
    params->start[i] = before->start[i] + params->start[i] * before->step[i];
    params->step[i] *= before->step[i];
    params->first[i] = params->start[i];
    params->end[i] = params->start[i] + (out->dims[i] - 1) * params->step[i] + 1;
  }
  return TRUE;
}

const SegOp seg_op_slice = {
  .name = "Slice",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 5,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_MOVES,
  .decides = SEG_OP_ALL_BUT_FIRST,
  .flags = SEG_OP_BYTES | SEG_OP_ANY_LIVE_AXIS,
  .params_size = sizeof (Params),
  .infer = slice_infer,
  .eval = slice_eval,
  .emit = slice_emit,
  .by_row = slice_by_row,
  .counts = slice_counts,
  .align = slice_align,
  .permute = slice_permute,
  .as_channels = slice_as_channels,
  .join = slice_join,
};
