/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/move.h"

#include "ops/strided.h"
#include "shaders.h"

gboolean
seg_move (SegProgram *p, const SegValue *src, const SegView *in, const SegValue *dst,
    const SegView *out, GError **error)
{
  SegStrided s;
  if (!seg_strided_plan (&s, out, in, 1, error))
    return FALSE;
  gboolean half = seg_program_storage (p, dst) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_copy_b16 : &seg_shader_copy_b32,
    .bindings = { { seg_program_value (p, src), SEG_BIND_BITS },
        { seg_program_value (p, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
  };
  seg_strided_fill (&s, &d);
  return seg_program_dispatch (p, &d, error);
}
