/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Expand and Tile: the same elements again and again. */
#include "ops/move.h"
#include "ops/ops.h"
#include "ops/rows.h"

/* --- Expand --- */

static gboolean
expand_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  g_autofree gint64 *shape = NULL;
  guint n;
  if (!seg_node_const_ints (node, 1, "shape", &shape, &n, error))
    return FALSE;
  if (n > SEG_MAX_RANK) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "expand to %u dimensions; at most %d are supported", n, SEG_MAX_RANK);
    return FALSE;
  }
  SegDesc target = { .dtype = in->dtype, .rank = n };
  for (guint i = 0; i < n; i++) {
    target.dims[i] = shape[i];
    if (shape[i] < 0) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "entry %u of shape is %" G_GINT64_FORMAT, i, shape[i]);
      return FALSE;
    }
  }
  if (!seg_broadcast (in, &target, out, error))
    return FALSE;
  out->dtype = in->dtype;
  return TRUE;
}

static SegMove
expand_move (const SegNode *node)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  const SegDesc *out = &seg_node_output (node, 0)->desc;
  SegMove m = seg_move_whole (out);
  guint lead = out->rank - in->rank;
  for (guint i = 0; i < m.n; i++) {
    gboolean present = i >= lead && in->dims[i - lead] != 1;
    m.axes[i].in_axis = present ? i - lead : 0;
    m.axes[i].in_step = present ? 1 : 0;
  }
  return m;
}

/* --- Tile --- */

static gboolean
tile_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  g_autofree gint64 *repeats = NULL;
  guint n;
  if (!seg_node_const_ints (node, 1, "repeats", &repeats, &n, error))
    return FALSE;
  if (n != in->rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "repeats has %u entries for an input of %u dimensions", n, in->rank);
    return FALSE;
  }
  *out = *in;
  for (guint i = 0; i < n; i++) {
    if (repeats[i] < 0 || repeats[i] > G_MAXINT32 / MAX (in->dims[i], 1)) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "entry %u of repeats is %" G_GINT64_FORMAT, i, repeats[i]);
      return FALSE;
    }
    out->dims[i] = in->dims[i] * repeats[i];
  }
  return TRUE;
}

static SegMove
tile_move (const SegNode *node)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  const SegDesc *out = &seg_node_output (node, 0)->desc;
  SegMove m = { 0 };
  for (guint i = 0; i < in->rank; i++) {
    gint64 repeats = in->dims[i] > 0 ? out->dims[i] / in->dims[i] : 0;
    seg_move_axis (&m, repeats, i, 0, i, in->dims[i]);
    seg_move_axis (&m, in->dims[i], i, 1, i, 1);
  }
  return m;
}

/* --- both --- */

enum { EXPAND, TILE };

static SegMove
repeat_move (const SegNode *node)
{
  return node->op->variant == TILE ? tile_move (node) : expand_move (node);
}

static gboolean
repeat_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  SegMove move = repeat_move (node);
  seg_move_eval (&move, in[0], out[0]);
  return TRUE;
}

static gboolean
repeat_on_device (const SegNode *node)
{
  SegMove move = repeat_move (node);
  return seg_node_device_types (node) && seg_move_fits (&move);
}

/* Something fixed, for each of as many rows as the shape says. */
static gboolean
repeat_counts (const SegNode *node)
{
  return node->op->variant == EXPAND && seg_node_input (node, 0)->size == SEG_SIZE_FIXED
         && seg_value_live_axis_of (seg_node_output (node, 0)) >= 0;
}

/* Which entry of the shape says how long the live axis is: the shape may have fewer than the output. */
static int
live_entry (const SegNode *node)
{
  const SegValue *out = seg_node_output (node, 0);
  int lead = (int) out->desc.rank - (int) seg_node_input (node, 1)->desc.dims[0];
  return seg_value_live_axis_of (out) - lead;
}

static gboolean
repeat_emit (const SegNode *node, SegProgram *program, GError **error)
{
  SegMove move = repeat_move (node);
  if (repeat_counts (node)
      && !seg_rows_emit_dim (program, seg_node_output (node, 0), seg_node_input (node, 1),
          (guint32) live_entry (node), 0, error))
    return FALSE;
  return seg_move_emit (
      &move, program, seg_node_input (node, 0), seg_node_output (node, 0), error);
}

/* Not where rows are what is repeated. */
static guint
repeat_by_row (const SegNode *node)
{
  if (repeat_counts (node))
    return live_entry (node) >= 0 && seg_node_input (node, 1)->constant == NULL ? 1 : 0;
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  int live = seg_value_live_axis_of (in);
  return live >= 0 && live == seg_value_live_axis_of (out)
                 && in->desc.rank == out->desc.rank
                 && in->desc.dims[live] == out->desc.dims[live]
             ? seg_rows_of_first (node)
             : 0;
}

#define REPEAT(NAME, VARIANT, INFER)                                                     \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 2, .max_inputs = 2, .max_outputs = 1,      \
    .layout = SEG_OP_ANY, .storage = SEG_OP_MOVES, .decides = SEG_OP_ALL_BUT_FIRST,      \
    .flags = SEG_OP_BYTES | SEG_OP_ANY_LIVE_AXIS, .sizes = SEG_OP_ALL_BUT_FIRST,         \
    .counts = repeat_counts, .variant = VARIANT, .infer = INFER, .eval = repeat_eval,    \
    .on_device = repeat_on_device, .by_row = repeat_by_row, .emit = repeat_emit          \
  }

const SegOp seg_op_expand = REPEAT ("Expand", EXPAND, expand_infer);
const SegOp seg_op_tile = REPEAT ("Tile", TILE, tile_infer);
