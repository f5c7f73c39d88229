/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* Addressing for kernels that take any layout (shaders/lib/strided.glsl): the loop runs over
 * the output in the order of its memory, four elements an invocation, and finds each
 * operand's element by strides. Axes that all operands walk alike are merged, so that most
 * loops end with one or two axes. */

#define SEG_STRIDED_AXES     6
#define SEG_STRIDED_OPERANDS 3

/* How the four elements of an operand are fetched; a specialisation constant each. */
typedef enum {
  SEG_STRIDED_GATHER = 0, /* one by one */
  SEG_STRIDED_VECTOR = 1, /* one texel of four neighbours */
  SEG_STRIDED_SPLAT = 2,  /* one element, four times */
} SegStridedMode;

typedef struct {
  guint32 push[10 + 7 * SEG_STRIDED_OPERANDS]; /* as lib/strided.glsl reads them */
  guint n_push;
  guint32 modes[SEG_STRIDED_OPERANDS]; /* spec constants 0 .. 2: SegStridedMode; the last
                                        * one also has the number of loops, from bit 8 */
  guint32 groups[3];                   /* for local_size_x = SEG_STRIDED_LOCAL */
  guint64 n_elems;                     /* that it writes */
} SegStrided;

#define SEG_STRIDED_LOCAL 64

/* The view of an operand that is broadcast to out's dims: same rank, stride 0 where its
 * dimension is 1 and out's is not. */
SegView seg_view_broadcast (const SegView *in, const SegView *out);

/* Plans the loop over `out`, whose memory the shader writes whole (with zeros in channel
 * padding). ins[] have out's rank and, per axis, the step to take for one step of out (any
 * strides, 0 for broadcasting; dims are not looked at). FALSE with SEG_ERROR_UNSUPPORTED when
 * more than SEG_STRIDED_AXES axes remain. */
gboolean seg_strided_plan (
    SegStrided *s, const SegView *out, const SegView *ins, guint n_ins, GError **error);
/* Puts the plan's specialisation constants, push constants and groups into a dispatch. */
void seg_strided_fill (const SegStrided *s, SegDispatch *dispatch);
/* When the loop is over v's memory, all of it: of live rows only those are made. */
void seg_strided_live (
    const SegStrided *s, SegProgram *p, const SegValue *v, SegDispatch *dispatch);

G_END_DECLS
