/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* The host side of shaders/lib/epilogue.glsl. */

/* Specialisation constants 9..15; a shader's own come before. */
#define SEG_EPILOGUE_SPEC 9

guint32 seg_float_bits (float f);

/* Sets d's specialisation constants 9..15 (and n_spec) from node's epilogue, and appends the
 * binding of the residual: input `residual` of the node as TEXEL or, when there is none,
 * `unused`, any floating-point memory, because a shader's bindings must all be valid.
 * node NULL: nothing is applied. */
void seg_epilogue_add (SegDispatch *d, const SegNode *node, SegProgram *p, SegRef unused);

/* The residual, or NULL. It has the output's shape and layout, but its own offset and pitch:
 * see seg_view. */
const SegValue *seg_epilogue_residual (const SegNode *node);

G_END_DECLS
