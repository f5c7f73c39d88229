/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/epilogue.h"

#include <string.h>

guint32
seg_float_bits (float f)
{
  guint32 bits;
  memcpy (&bits, &f, sizeof bits);
  return bits;
}

const SegValue *
seg_epilogue_residual (const SegNode *node)
{
  int i = node->epilogue.residual;
  return i < 0 ? NULL : seg_node_input (node, i);
}

static void
set_act (guint32 *spec, SegAct act)
{
  spec[0] = act.kind;
  spec[1] = seg_float_bits (act.a);
  spec[2] = seg_float_bits (act.b);
}

void
seg_epilogue_add (SegDispatch *d, const SegNode *node, SegProgram *p, SegRef unused)
{
  const SegValue *residual = node != NULL ? seg_epilogue_residual (node) : NULL;
  guint32 *spec = &d->spec[SEG_EPILOGUE_SPEC];
  if (node != NULL) {
    set_act (&spec[0], node->epilogue.act);
    set_act (&spec[4], node->epilogue.act2);
  }
  spec[3] = residual != NULL;
  d->n_spec = SEG_MAX_SPEC;
  d->bindings[d->n_bindings++] = (SegBinding){
    .ref = residual != NULL ? seg_program_value (p, residual) : unused,
    .kind = SEG_BIND_TEXEL,
  };
}
