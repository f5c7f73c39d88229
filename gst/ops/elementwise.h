/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/epilogue.h"
#include "ops/strided.h"

G_BEGIN_DECLS

/* What the operators that go element by element share. */

/* --- on the host --------------------------------------------------------------------------- */

#define SEG_WALK_OPERANDS 3

/* Goes over the elements of `out` in row-major order; at[k] is the index of the element of
 * operand k, broadcast to out, that belongs to it. */
typedef struct {
  guint rank;
  gint64 dims[SEG_MAX_RANK];
  gint64 coord[SEG_MAX_RANK];
  gint64 step[SEG_WALK_OPERANDS][SEG_MAX_RANK];
  gsize at[SEG_WALK_OPERANDS];
} SegWalk;

/* ins[] broadcast to out; at most SEG_WALK_OPERANDS. */
void seg_walk_init (SegWalk *w, const SegDesc *out, const SegDesc *const *ins, guint n);
void seg_walk_next (SegWalk *w);

/* --- on the device ------------------------------------------------------------------------- */

/* Memory and where the elements are in it. */
typedef struct {
  SegRef ref;
  SegView view;
} SegOperand;

SegOperand seg_operand (SegProgram *p, const SegValue *value);
/* A constant of any type as floats (F32), row-major. */
SegOperand seg_operand_constant (SegProgram *p, const SegTensor *t);
/* A temporary with the dims and the layout of `like`, without gaps. */
SegView seg_view_dense (const SegView *like);
SegOperand seg_operand_temp (SegProgram *p, const SegView *like, SegStorage storage);

/* Appends dispatch d, which has its shader and the specialisation constants 3..8, over all
 * elements of `out`. The inputs are broadcast and become bindings 0..n-1 (TEXEL), the output
 * binding n. With `epilogue`, a shader that includes lib/epilogue.glsl: the residual becomes
 * operand and binding n+1, and the steps of the node's epilogue are done if `last`. */
typedef enum { SEG_EPILOGUE_NONE, SEG_EPILOGUE_UNUSED, SEG_EPILOGUE_LAST } SegEpilogueUse;
gboolean seg_elementwise (SegProgram *p, const SegNode *node, SegDispatch *d,
    const SegOperand *ins, guint n_ins, const SegOperand *out, SegEpilogueUse epilogue,
    GError **error);

/* Input 0 as output 0, which has the same dims: to another layout or storage, or just elsewhere. */
gboolean seg_copy_emit (const SegNode *node, SegProgram *p, GError **error);

G_END_DECLS
