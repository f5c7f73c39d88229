/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-gemm.h"

#include "ops/epilogue.h"
#include "shaders.h"

#include <string.h>

/* K is split only where the parts are long enough to be worth the pass that adds them. */
#define SPLIT_LEAST_K    2048
#define SPLIT_LEAST_PART 512 /* of each part */
#define MOST_SPLITS      16
/* What it takes to add them, in multiply-adds of a core at rate 1 (an H100: 2 us for the pass, and 8 bytes a
 * sum and split at 3 TB/s). */
#define ADD_SUMS 1e6
#define ADD_SUM  1.3

static guint64
n_pixels (const SegDenseConv *c)
{
  return (guint64) c->batch * c->y.out * c->x.out;
}

static guint64
n_tiles (const SegDenseConv *c, const SegGemmTile *tile)
{
  return (n_pixels (c) + tile->pixels - 1) / tile->pixels
         * ((c->out_c + tile->channels - 1) / tile->channels);
}

gboolean
seg_gemm_takes (const SegDenseConv *c)
{
  guint64 k = (guint64) (c->in_c + 8) * c->y.kernel * c->x.kernel;
  return c->groups == 1 && n_pixels (c) < (1 << 28) && k < (1 << 28)
         && k * (c->out_c + 128) < (1 << 30);
}

/* Elements of a tile that lie inside the result. */
static double
use_of (const SegDenseConv *c, const SegGemmTile *tile)
{
  return (double) n_pixels (c) * c->out_c
         / ((double) n_tiles (c, tile) * tile->pixels * tile->channels);
}

static double
best_use (const SegDenseConv *c, const SegGemmTile *tiles, guint n)
{
  double most = 0;
  for (guint i = 0; i < n; i++)
    most = MAX (most, use_of (c, &tiles[i]));
  return most;
}

gboolean
seg_gemm_offers (const SegDenseConv *c, const SegGemmTile *tiles, guint n, guint variant)
{
  return variant >= 1 && variant <= n
         && use_of (c, &tiles[variant - 1]) > best_use (c, tiles, n) * 0.5;
}

/* How many workgroups share the K of one tile: where there are fewer tiles than half the cores. */
static guint32
splits_of (const SegDenseConv *c, guint64 tiles, guint32 k, const SegDeviceInfo *device)
{
  if (c->steady || tiles == 0 || tiles * 2 >= device->cores || k < SPLIT_LEAST_K)
    return 1;
  return MIN (MIN (device->cores / tiles, MOST_SPLITS), k / SPLIT_LEAST_PART);
}

/* Until the last workgroup is done, in multiply-adds of a core at rate 1, as the rates have it: tiles are
 * handed out evenly. */
static double
cost_of (const SegDenseConv *c, const SegGemmTile *tile, const SegDeviceInfo *device)
{
  guint64 tiles = n_tiles (c, tile), cores = MAX (device->cores, 1);
  guint32 k = c->in_c * c->y.kernel * c->x.kernel,
          splits = splits_of (c, tiles, k, device);
  guint64 each = (tiles * splits + cores - 1) / cores;
  double sums =
      splits > 1 ? ADD_SUMS + (double) n_pixels (c) * c->out_c * splits * ADD_SUM : 0;
  return each * ((double) k / splits + tile->besides) * tile->pixels * tile->channels
             / (each > 1 ? tile->together : tile->alone)
         + sums;
}

guint
seg_gemm_choose (
    const SegDenseConv *c, const SegGemmTile *tiles, guint n, const SegDeviceInfo *device)
{
  guint best = 0;
  if (c->variant >= 1 && c->variant <= n)
    return c->variant - 1;
  for (guint i = 1; i < n; i++)
    if (cost_of (c, &tiles[i], device) < cost_of (c, &tiles[best], device))
      best = i;
  return best;
}

SegGemmPlan
seg_gemm_plan (const SegDenseConv *c, const SegGemmTile *tile, guint unit4,
    gboolean by_chunks, const SegDeviceInfo *device)
{
  SegGemmPlan plan = { .n_pixels = n_pixels (c), .splits = 1 };
  plan.in_c4 = ((c->in_c + 3) / 4 + unit4 - 1) / unit4 * unit4;
  guint32 k4 = plan.in_c4 * c->y.kernel * c->x.kernel;
  plan.whole_taps = by_chunks && plan.in_c4 % tile->step4 == 0;
  plan.steps = (k4 + tile->step4 - 1) / tile->step4;
  plan.tiles_m = (plan.n_pixels + tile->pixels - 1) / tile->pixels;
  plan.tiles_n = (c->out_c + tile->channels - 1) / tile->channels;
  plan.splits = splits_of (c, n_tiles (c, tile), k4 * 4, device);
  plan.split_steps = (plan.steps + plan.splits - 1) / plan.splits;
  plan.splits = (plan.steps + plan.split_steps - 1) / plan.split_steps;
  return plan;
}

/* Where K has channel i of a tap. */
static gsize
row_of (const SegGemmPlan *plan, gsize step, gsize taps, gsize tap, gsize i)
{
  return plan->whole_taps ? (i / step * taps + tap) * step + i % step
                          : tap * plan->in_c4 * 4 + i;
}

SegRef
seg_gemm_pack (const SegDenseConv *c, const SegGemmTile *tile, const SegGemmPlan *plan,
    SegGemmPlace place, gpointer data, SegProgram *p)
{
  gsize step = tile->step4 * 4, piece = step * tile->channels;
  gsize taps = c->y.kernel * c->x.kernel, n = piece * plan->steps * plan->tiles_n;
  g_autofree float *packed = g_new0 (float, n);
  for (gsize o = 0; o < c->out_c; o++) {
    gsize first = o / tile->channels * plan->steps;
    for (gsize i = 0; i < c->in_c; i++)
      for (gsize tap = 0; tap < taps; tap++) {
        gsize k = row_of (plan, step, taps, tap, i);
        packed[(first + k / step) * piece
               + place (k % step, o % tile->channels, tile, data)] =
            c->filter[(o * c->in_c + i) * taps + tap];
      }
  }
  return seg_program_floats (p, packed, n, c->storage);
}

void
seg_gemm_fill (SegDispatch *d, guint dest, const SegDenseConv *c, const SegGemmTile *tile,
    const SegGemmPlan *plan, SegProgram *p)
{
  guint32 sums_pixels = plan->tiles_m * tile->pixels;
  guint32 sums_c = plan->tiles_n * tile->channels;
  const guint32 push[] = { c->x.in, c->y.in, c->x.out, c->y.out, c->in_pitch4,
    c->in_offset4, c->out_pitch4, c->out_offset4 + c->out_first * c->out_pitch4,
    c->res_pitch4, c->res_offset4 + c->out_first * c->res_pitch4, c->out_image,
    c->out_row, c->out_col, plan->in_c4, c->out_c, c->out_c4, c->y.kernel, c->x.kernel,
    c->y.stride, c->x.stride, c->y.dilation, c->x.dilation, c->y.pad, c->x.pad,
    plan->n_pixels, plan->tiles_n, plan->steps, plan->split_steps, sums_pixels,
    sums_c / 4, plan->splits };
  guint32 tiles = plan->tiles_m * plan->tiles_n;
  memcpy (d->push, push, sizeof push);
  d->n_push = G_N_ELEMENTS (push);
  d->groups[0] = MIN (tiles, 32768);
  d->groups[1] = (tiles + d->groups[0] - 1) / d->groups[0];
  d->groups[2] = plan->splits;
  d->live = c->live;
  d->live.per_group = tile->pixels;
  d->live.times = plan->tiles_n;
  if (plan->splits > 1)
    d->bindings[dest].ref = seg_program_temp (
        p, (gsize) plan->splits * sums_pixels * sums_c, SEG_STORAGE_F32);
}

gboolean
seg_gemm_add_sums (const SegDispatch *d, guint dest, const SegDenseConv *c,
    const SegGemmPlan *plan, SegProgram *p, GError **error)
{
  guint64 items = (guint64) plan->n_pixels * c->out_c4;
  guint32 n = (items + 63) / 64;
  SegDispatch sums = {
    .shader = c->storage == SEG_STORAGE_F16 ? &seg_shader_conv_sums_f16
                                            : &seg_shader_conv_sums_f32,
    .bindings = { { d->bindings[dest].ref, SEG_BIND_TEXEL }, { c->bias, SEG_BIND_TEXEL },
        { c->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .n_push = d->n_push,
    .groups = { MIN (n, 32768), (n + 32767) / 32768, 1 },
    .live = seg_live_times (c->live, c->out_c4, 64),
  };
  memcpy (sums.push, d->push, sizeof sums.push);
  seg_epilogue_add (&sums, c->node, p, c->bias);
  return seg_program_dispatch (p, &sums, error);
}
