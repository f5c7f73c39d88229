/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-lp.h"
#include "ops/epilogue.h"
#include "shaders.h"

#define LOCAL        8      /* lanes of llvmpipe */
#define MOST_IN      72     /* channels; conv_lp.comp is faster with more */
#define FEW          4      /* pixels of a lane */
#define MOST_BLOCKS  256    /* two digits of lib/uniform.glsl */
#define LEAST_PIXELS 8      /* more than a lane has */
#define MOST_PIXELS  262144 /* one a lane in 32768 workgroups: four digits */

static gboolean
is_flat (const SegDenseConv *c)
{
  return c->batch == 1 && c->groups == 1 && c->y.kernel * c->x.kernel == 1 && c->y.in == 1
         && c->y.out == 1 && c->x.stride == 1 && c->x.pad == 0 && c->y.pad == 0
         && c->x.in == c->x.out && c->out_col == 1;
}

static gboolean
is_taken (const SegDenseConv *c, const SegProgram *p)
{
  const SegDeviceInfo *device = seg_program_device (p);
  gboolean able = device->type == SEG_DEVICE_CPU && device->subgroup_size == LOCAL
                  && (c->storage == SEG_STORAGE_F16 || device->subgroup_int64);
  /* The order of a sum must not depend on how many pixels there are. */
  return able && is_flat (c) && !c->steady && c->weights.kind == SEG_REF_NONE
         && seg_lp_store_texels (c, p) == 2 && c->out_c4 * 4 == c->out_c
         && c->in_c <= MOST_IN && c->x.out >= LEAST_PIXELS && c->x.out <= MOST_PIXELS;
}

static guint
workgroups (const SegDenseConv *c, guint pixels)
{
  return (guint) (c->x.out + LOCAL * pixels - 1) / (LOCAL * pixels);
}

SegFlatTile
seg_flat_tile (const SegDenseConv *c, const SegProgram *p)
{
  /* The fastest first: tests/bench/README.md. */
  static const SegFlatTile tiles[] = { { 16, 6 }, { 24, FEW }, { 8, FEW } };
  for (guint i = 0; is_taken (c, p) && i < G_N_ELEMENTS (tiles); i++) {
    SegFlatTile tile = tiles[i];
    if (c->out_c % tile.block != 0 || c->out_c / tile.block > MOST_BLOCKS)
      continue;
    /* More pixels a lane are of use where they make fewer workgroups. */
    if (workgroups (c, FEW) == workgroups (c, tile.pixels))
      tile.pixels = FEW;
    return tile;
  }
  return (SegFlatTile){ 0 };
}

gboolean
seg_flat_emit (const SegDenseConv *c, const SegFlatPlan *plan, SegRef weights,
    SegProgram *p, GError **error)
{
  gboolean half = c->storage == SEG_STORAGE_F16;
  gint64 tiles = (c->x.out + plan->pixels - 1) / plan->pixels;
  SegRef factor = plan->scaled ? seg_program_value (p, c->factor) : c->bias;
  SegDispatch d = {
    .shader = half ? &seg_shader_conv_flat_wide_f16 : &seg_shader_conv_flat_wide_f32,
    .spec = { plan->block, plan->pixels, plan->scaled },
    .bindings = { { c->source, SEG_BIND_TEXEL }, { weights, SEG_BIND_TEXEL },
        { c->bias, SEG_BIND_TEXEL }, { c->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { c->in_pitch4, c->in_offset4, c->out_pitch4,
        c->out_offset4 + c->out_first * c->out_pitch4, c->res_pitch4,
        c->res_offset4 + c->out_first * c->res_pitch4, (c->in_c + 3) / 4, c->x.out,
        plan->scaled ? seg_view (c->factor).offset / 4 : 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
        10, 11, 12, 13, 14, 15 },
    .n_push = 25,
    .groups = { plan->turn_blocks, (tiles + LOCAL - 1) / LOCAL,
        c->out_c / plan->block / plan->turn_blocks },
    .live = c->live,
  };
  d.live.axis = 1;
  d.live.per_group = LOCAL * plan->pixels;
  seg_epilogue_add (&d, c->node, p, c->bias);
  d.bindings[d.n_bindings++] = (SegBinding){ factor, SEG_BIND_TEXEL };
  return seg_program_dispatch (p, &d, error);
}
