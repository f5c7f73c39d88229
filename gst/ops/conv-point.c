/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-lp.h"
#include "ops/epilogue.h"
#include "shaders.h"

static gboolean
is_point (const SegWindowAxis *a)
{
  return a->kernel == 1 && a->pad == 0 && a->in == 1 && a->out == 1;
}

/* From two pixels on it pays to spread the weights. */
gboolean
seg_point_takes (const SegDenseConv *c)
{
  return is_point (&c->y) && is_point (&c->x) && c->batch == 1 && c->groups == 1
         && c->variant == 0 && !c->steady;
}

gboolean
seg_point_emit (
    const SegDenseConv *c, guint block, SegRef weights, SegProgram *p, GError **error)
{
  static const SegShader *const shaders[2][2] = {
    { &seg_shader_conv_point_f32, &seg_shader_conv_point_f16 },
    { &seg_shader_conv_point_wide_f32, &seg_shader_conv_point_wide_f16 },
  };
  guint texels = seg_lp_store_texels (c, p);
  SegDispatch d = {
    .shader = shaders[texels - 1][c->storage == SEG_STORAGE_F16],
    .spec = { seg_program_device (p)->subgroup_size, block },
    .bindings = { { c->source, SEG_BIND_TEXEL }, { weights, SEG_BIND_TEXEL },
        { c->bias, SEG_BIND_TEXEL }, { c->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { c->in_offset4, c->out_offset4 + c->out_first * c->out_pitch4,
        c->res_offset4 + c->out_first * c->res_pitch4, (c->in_c + 3) / 4, c->out_c,
        c->out_c4 },
    .n_push = 6,
    .groups = { (c->out_c + block - 1) / block, 1, 1 },
  };
  seg_epilogue_add (&d, c->node, p, c->bias);
  return seg_program_dispatch (p, &d, error);
}
