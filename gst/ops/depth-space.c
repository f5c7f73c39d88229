/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DepthToSpace and SpaceToDepth: blocks of channels become blocks of pixels and back. */
#include "ops/move.h"
#include "ops/ops.h"

#include <string.h>

enum { DEPTH_TO_SPACE, SPACE_TO_DEPTH };

typedef struct {
  gint64 block;
  gboolean crd; /* channels are ordered (C, block, block), else (block, block, C) */
} Params;

static gboolean
depth_space_parse (SegNode *node, GError **error)
{
  Params *params = node->params;
  const char *mode = seg_node_attr_string (node, "mode", "DCR");
  params->block = seg_node_attr_int (node, "blocksize", 0);
  params->crd = node->op->variant == DEPTH_TO_SPACE && strcmp (mode, "CRD") == 0;
  if (params->block < 1 || params->block > 65535) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "blocksize is %" G_GINT64_FORMAT,
        params->block);
    return FALSE;
  }
  if (!params->crd && strcmp (mode, "DCR") != 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "mode is '%s', not DCR or CRD", mode);
    return FALSE;
  }
  return TRUE;
}

static gboolean
depth_space_infer (SegNode *node, GError **error)
{
  const Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  gint64 b = params->block;
  gboolean deep = node->op->variant == DEPTH_TO_SPACE;
  gboolean fits = in->rank == 4
                  && (deep ? in->dims[1] % (b * b) == 0
                           : in->dims[2] % b == 0 && in->dims[3] % b == 0);
  if (!fits) {
    g_autofree char *text = seg_desc_to_string (in);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "input is %s, which blocks of %" G_GINT64_FORMAT " do not divide", text, b);
    return FALSE;
  }
  *out = *in;
  out->dims[1] = deep ? in->dims[1] / (b * b) : in->dims[1] * b * b;
  out->dims[2] = deep ? in->dims[2] * b : in->dims[2] / b;
  out->dims[3] = deep ? in->dims[3] * b : in->dims[3] / b;
  return TRUE;
}

/* Loops over N, C, h, block row, w, block column; the deep tensor has h x w pixels. */
static SegMove
depth_space_move (const SegNode *node)
{
  const Params *params = node->params;
  gboolean to_space = node->op->variant == DEPTH_TO_SPACE;
  const SegDesc *in = &seg_node_input (node, 0)->desc,
                *out = &seg_node_output (node, 0)->desc;
  const SegDesc *deep = to_space ? in : out, *wide = to_space ? out : in;
  gint64 b = params->block;
  gint64 c_step = params->crd ? b * b : 1, b_step = params->crd ? 1 : wide->dims[1];

  SegMove m = { 0 };
  seg_move_axis (&m, deep->dims[0], 0, 1, 0, 1);
  seg_move_axis (&m, wide->dims[1], 1, c_step, 1, 1);
  seg_move_axis (&m, deep->dims[2], 2, 1, 2, b);
  seg_move_axis (&m, b, 1, b_step * b, 2, 1);
  seg_move_axis (&m, deep->dims[3], 3, 1, 3, b);
  seg_move_axis (&m, b, 1, b_step, 3, 1);
  if (!to_space) {
    for (guint i = 0; i < m.n; i++) {
      SegMoveAxis a = m.axes[i];
      m.axes[i] = (SegMoveAxis){ a.extent, a.out_axis, a.in_axis, a.out_step, a.in_step };
    }
  }
  return m;
}

static gboolean
depth_space_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  SegMove move = depth_space_move (node);
  seg_move_eval (&move, in[0], out[0]);
  return TRUE;
}

static gboolean
depth_space_emit (const SegNode *node, SegProgram *program, GError **error)
{
  SegMove move = depth_space_move (node);
  return seg_move_emit (
      &move, program, seg_node_input (node, 0), seg_node_output (node, 0), error);
}

static gboolean
depth_space_align (const SegNode *node, guint axis, SegAlign *a)
{
  const Params *params = node->params;
  gboolean to_space = node->op->variant == DEPTH_TO_SPACE;
  double block = (double) params->block;
  if (axis < 2)
    return axis == 0;
  a->num = to_space ? 1 : params->block;
  a->den = to_space ? params->block : 1;
  a->shift = to_space ? 0.5 / block - 0.5 : (block - 1.0) / 2.0;
  return TRUE;
}

#define DEPTH_SPACE(NAME, VARIANT)                                                       \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 1, .max_inputs = 1, .max_outputs = 1,      \
    .layout = SEG_OP_ANY, .storage = SEG_OP_MOVES, .flags = SEG_OP_BYTES,                \
    .variant = VARIANT, .params_size = sizeof (Params), .parse = depth_space_parse,      \
    .infer = depth_space_infer, .eval = depth_space_eval, .emit = depth_space_emit,      \
    .align = depth_space_align                                                           \
  }

const SegOp seg_op_depth_to_space = DEPTH_SPACE ("DepthToSpace", DEPTH_TO_SPACE);
const SegOp seg_op_space_to_depth = DEPTH_SPACE ("SpaceToDepth", SPACE_TO_DEPTH);
