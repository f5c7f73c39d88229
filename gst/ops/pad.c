/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/ops.h"
#include "ops/take.h"

#include <string.h>

#define MAX_EXTENT (1 << 26)

typedef enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } PadMode;

typedef struct {
  PadMode mode;
  gint64 before[SEG_MAX_RANK], after[SEG_MAX_RANK]; /* negative: crop */
} Params;

static gboolean
pad_parse (SegNode *node, GError **error)
{
  static const char *const names[] = { "constant", "reflect", "edge", "wrap" };
  Params *params = node->params;
  const char *mode = seg_node_attr_string (node, "mode", "constant");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (strcmp (mode, names[i]) == 0) {
      params->mode = (PadMode) i;
      return TRUE;
    }
  }
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "mode '%s' is not supported", mode);
  return FALSE;
}

/* All begins, then all ends, of the axes or of all dimensions. */
static gboolean
read_pads (SegNode *node, guint rank, GError **error)
{
  Params *params = node->params;
  g_autofree gint64 *owned = NULL, *axes = NULL;
  const gint64 *pads;
  guint n, n_axes = 0;
  if (node->opset < 11) {
    pads = seg_node_attr_ints (node, "pads", &n);
  } else {
    if (!seg_node_const_ints (node, 1, "pads", &owned, &n, error)
        || (node->opset >= 18
            && !seg_node_const_ints (node, 3, "axes", &axes, &n_axes, error)))
      return FALSE;
    pads = owned;
  }
  guint n_padded = axes != NULL ? n_axes : rank;
  if (n != 2 * n_padded) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "pads has %u entries for %u axes", n,
        n_padded);
    return FALSE;
  }
  for (guint i = 0; i < n_padded; i++) {
    guint axis;
    if (!seg_axis_normalize (axes != NULL ? axes[i] : i, rank, &axis, error))
      return FALSE;
    params->before[axis] = pads[i];
    params->after[axis] = pads[n_padded + i];
  }
  return TRUE;
}

/* The output's extent, or -1 if there is none. */
static gint64
padded_extent (const Params *params, guint axis, gint64 extent)
{
  gint64 before = params->before[axis], after = params->after[axis];
  if (MAX (before, after) > G_MAXINT32 || MIN (before, after) < -G_MAXINT32)
    return -1;
  gint64 kept = extent + MIN (before, 0) + MIN (after, 0);
  gboolean padded = before > 0 || after > 0;
  if (kept < 0 || (kept == 0 && padded && params->mode != PAD_CONSTANT))
    return -1;
  return extent + before + after <= MAX_EXTENT ? extent + before + after : -1;
}

static gboolean
pad_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  const SegValue *value = seg_node_input (node, 2);
  if (!read_pads (node, in->rank, error))
    return FALSE;
  if (value != NULL && params->mode == PAD_CONSTANT
      && (value->constant == NULL || value->desc.dtype != in->dtype)) {
    g_set_error (error, SEG_ERROR,
        value->constant == NULL ? SEG_ERROR_RUN_TIME : SEG_ERROR_UNSUPPORTED,
        value->constant == NULL ? "constant_value is computed at run time"
                                : "constant_value has another type than the input");
    return FALSE;
  }
  *out = *in;
  for (guint i = 0; i < in->rank; i++) {
    out->dims[i] = padded_extent (params, i, in->dims[i]);
    if (out->dims[i] < 0) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "cannot pad an extent of %" G_GINT64_FORMAT " by %" G_GINT64_FORMAT
          " and %" G_GINT64_FORMAT,
          in->dims[i], params->before[i], params->after[i]);
      return FALSE;
    }
  }
  return TRUE;
}

/* Coordinate x of a padded extent `n`, of which 0 .. n-1 is there; -1: fill. */
static gint64
pad_source (PadMode mode, gint64 x, gint64 n)
{
  if (x >= 0 && x < n)
    return x;
  switch (mode) {
  case PAD_CONSTANT: return -1;
  case PAD_EDGE: return x < 0 ? 0 : n - 1;
  case PAD_WRAP: return (x % n + n) % n;
  case PAD_REFLECT: break;
  }
  gint64 period = MAX (2 * (n - 1), 1);
  x = (x % period + period) % period;
  return x < n ? x : period - x;
}

static void
pad_take (const SegNode *node, SegTake *take)
{
  const Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc,
                *out = &seg_node_output (node, 0)->desc;
  for (guint i = 0; i < in->rank; i++) {
    gint64 before = params->before[i], after = params->after[i];
    gint64 crop = MAX (-before, 0), kept = in->dims[i] - crop - MAX (-after, 0);
    if (before == 0 && after == 0)
      continue;
    take->from[i] = g_new (gint32, MAX (out->dims[i], 1));
    for (gint64 x = 0; x < out->dims[i]; x++) {
      gint64 at = pad_source (params->mode, x - MAX (before, 0), kept);
      take->from[i][x] = (gint32) (at < 0 ? -1 : at + crop);
    }
  }
}

/* Of one element, or NULL. */
static const SegTensor *
pad_value (const SegNode *node)
{
  const SegValue *value = seg_node_input (node, 2);
  if (value == NULL || value->constant == NULL || seg_desc_n_elems (&value->desc) < 1)
    return NULL;
  return value->constant;
}

static gboolean
pad_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  g_auto (SegTake) take = { 0 };
  const SegTensor *value = pad_value (node);
  g_autoptr (SegTensor) attr_value = NULL;
  pad_take (node, &take);
  if (node->opset < 11) {
    SegDesc scalar = { .dtype = out[0]->desc.dtype };
    value = attr_value = seg_tensor_new (&scalar, error);
    if (value == NULL)
      return FALSE;
    seg_tensor_set_double (attr_value, 0, seg_node_attr_float (node, "value", 0));
  }
  seg_take_eval (&take, in[0], value != NULL ? seg_tensor_data (value) : NULL, out[0]);
  return TRUE;
}

static gboolean
pad_emit (const SegNode *node, SegProgram *program, GError **error)
{
  g_auto (SegTake) take = { 0 };
  const SegTensor *value = pad_value (node);
  double fill = value != NULL ? seg_tensor_get_double (value, 0) : 0;
  if (node->opset < 11)
    fill = seg_node_attr_float (node, "value", 0);
  pad_take (node, &take);
  return seg_take_emit (
      &take, program, seg_node_input (node, 0), seg_node_output (node, 0), fill, error);
}

static gboolean
pad_align (const SegNode *node, guint axis, SegAlign *a)
{
  const Params *params = node->params;
  a->shift = -(double) params->before[axis];
  a->padded = params->before[axis] > 0 || params->after[axis] > 0;
  return TRUE;
}

/* Where it is not rows that are added. */
static guint
pad_by_row (const SegNode *node)
{
  const Params *params = node->params;
  int live = seg_value_live_axis_of (seg_node_input (node, 0));
  return live >= 0 && params->before[live] == 0 && params->after[live] == 0
             ? seg_rows_of_first (node)
             : 0;
}

const SegOp seg_op_pad = {
  .name = "Pad",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 4,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_MOVES,
  .params_size = sizeof (Params),
  .parse = pad_parse,
  .infer = pad_infer,
  .eval = pad_eval,
  .flags = SEG_OP_ANY_LIVE_AXIS,
  .emit = pad_emit,
  .by_row = pad_by_row,
  .align = pad_align,
};
