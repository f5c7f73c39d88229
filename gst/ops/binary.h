/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/elementwise.h"

G_BEGIN_DECLS

/* Functions of two variables. shaders/lib/binary-kinds.glsl has the same numbers. */
typedef enum {
  SEG_BINARY_ADD = 0,
  SEG_BINARY_SUB,
  SEG_BINARY_MUL,
  SEG_BINARY_DIV,
  SEG_BINARY_POW,
  SEG_BINARY_MIN,
  SEG_BINARY_MAX,
  SEG_BINARY_MOD,  /* the divisor's sign */
  SEG_BINARY_FMOD, /* the dividend's sign */
  SEG_BINARY_PRELU,
  SEG_BINARY_AND,
  SEG_BINARY_OR,
  SEG_BINARY_XOR,
  SEG_BINARY_SHIFT_LEFT,
  SEG_BINARY_SHIFT_RIGHT,
  SEG_BINARY_EQUAL,
  SEG_BINARY_GREATER,
  SEG_BINARY_GREATER_EQUAL,
  SEG_BINARY_LESS,
  SEG_BINARY_LESS_EQUAL,
} SegBinaryKind;

double seg_binary_apply (SegBinaryKind kind, double x, double y);
/* Integers, of which uint64 is the only type where `is_u64` matters. They wrap around, and a
 * division by 0 gives 0, as in NumPy. */
gint64 seg_binary_apply_int (SegBinaryKind kind, gint64 x, gint64 y, gboolean is_u64);
gboolean seg_binary_is_comparison (SegBinaryKind kind);

/* out = kind (x, y), broadcast to out, on the host; dtypes as in ONNX. */
void seg_binary_eval (
    SegBinaryKind kind, const SegTensor *x, const SegTensor *y, SegTensor *out);

/* One dispatch: out = kind (ins[0], ins[1]) * scale (floats), `storage` being out's and
 * in_storage that of both inputs (float or I32). */
typedef struct {
  SegBinaryKind kind;
  float scale;
  SegStorage storage, in_storage;
  SegEpilogueUse epilogue; /* SEG_EPILOGUE_UNUSED or LAST */
} SegBinaryStep;
gboolean seg_binary_emit (SegProgram *p, const SegNode *node, const SegBinaryStep *step,
    const SegOperand ins[2], const SegOperand *out, GError **error);
/* by_row for operators of two inputs that go element by element. */
guint seg_binary_by_row (const SegNode *node);

G_END_DECLS
