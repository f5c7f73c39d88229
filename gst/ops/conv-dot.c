/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-int.h"

#include "shaders.h"

#define TILE 64
#define STEP 8 /* words of K */

typedef struct {
  guint32 in_c4, taps, steps, tiles_m, tiles_n;
} Plan;

static Plan
make_plan (const SegIntConv *c)
{
  Plan plan = { .in_c4 = (c->in_c + 3) / 4, .taps = c->y.kernel * c->x.kernel };
  plan.steps = (plan.in_c4 * plan.taps + STEP - 1) / STEP;
  plan.tiles_m = ((guint64) c->batch * c->y.out * c->x.out + TILE - 1) / TILE;
  plan.tiles_n = (c->out_c + TILE - 1) / TILE;
  return plan;
}

gboolean
seg_dot_takes (const SegIntConv *c, const SegDeviceInfo *device)
{
  gsize n = (gsize) c->out_c * c->in_c * c->y.kernel * c->x.kernel;
  gint64 pixels = (gint64) c->batch * c->y.out * c->x.out;
  if (!device->integer_dot || c->groups != 1 || pixels > G_MAXINT32 / 4
      || n > G_MAXINT32 / 4)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (c->filter[i] < -128 || c->filter[i] > 127)
      return FALSE;
  return TRUE;
}

/* [channel tile][word of K][channel] words of four input channels. */
static SegRef
pack (const SegIntConv *c, const Plan *plan, SegProgram *p)
{
  gsize n = (gsize) plan->tiles_n * plan->steps * STEP * TILE * 4;
  g_autofree guint8 *packed = g_malloc0 (n);
  const gint16 *from = c->filter;
  for (guint32 o = 0; o < c->out_c; o++)
    for (guint32 i = 0; i < c->in_c; i++)
      for (guint32 k = 0; k < plan->taps; k++) {
        gsize word = (gsize) (o / TILE) * plan->steps * STEP + k * plan->in_c4 + i / 4;
        packed[(word * TILE + o % TILE) * 4 + i % 4] = (guint8) *from++;
      }
  return seg_program_bytes (p, packed, n);
}

static SegRef
pack_sums (const SegIntConv *c, const Plan *plan, SegProgram *p)
{
  gsize n = (gsize) c->in_c * plan->taps;
  g_autofree gint32 *sums = g_new0 (gint32, plan->tiles_n * TILE);
  for (guint32 o = 0; o < c->out_c; o++)
    for (gsize i = 0; i < n; i++)
      sums[o] += c->filter[o * n + i];
  return seg_program_ints (p, sums, plan->tiles_n * TILE);
}

gboolean
seg_dot_emit (const SegIntConv *c, SegProgram *p, GError **error)
{
  Plan plan = make_plan (c);
  guint32 n_pixels = c->batch * c->y.out * c->x.out, columns = MIN (plan.tiles_m, 32768);
  SegDispatch d = {
    .shader = c->scale != NULL ? &seg_shader_conv_dot_b8 : &seg_shader_conv_dot_i32,
    .bindings = { { c->source, SEG_BIND_BUFFER_READ },
        { pack (c, &plan, p), SEG_BIND_BUFFER_READ },
        { seg_int_conv_bias (c, plan.tiles_n * TILE, p), SEG_BIND_TEXEL },
        { c->zero, SEG_BIND_TEXEL },
        { seg_int_conv_scale (c, plan.tiles_n * TILE, p), SEG_BIND_TEXEL },
        { c->dest, SEG_BIND_BUFFER_WRITE }, { pack_sums (c, &plan, p), SEG_BIND_TEXEL } },
    .n_bindings = 7,
    .push = { c->x.in, c->y.in, c->x.out, c->y.out, c->in_pitch4, c->in_offset4,
        c->out_pitch4, c->out_offset4, plan.in_c4, c->x.kernel, plan.taps, plan.steps,
        c->y.stride, c->x.stride, c->y.dilation, c->x.dilation, c->y.pad, c->x.pad,
        n_pixels, c->out_c, c->out_c4, c->output[0], c->output[1], c->output[2],
        seg_quant_sign (c->dtype) },
    .n_push = 25,
    .groups = { columns, (plan.tiles_m + columns - 1) / columns, plan.tiles_n },
  };
  return seg_program_dispatch (p, &d, error);
}
