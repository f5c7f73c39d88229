/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-int.h"

#include "ops/conv-choose.h"
#include "shaders.h"

/* Sums of bytes times weights in fp32 are exact below this. */
#define EXACT     (1 << 24)
#define MOST_BYTE 255 /* of a byte less its zero point */

typedef struct {
  guint merge;                /* groups that are taken for one, with zeros between them */
  guint in_c4;                /* texels that one merged group reads */
  guint block;                /* TM: output channels of a lane */
  guint blocks, group_blocks; /* how many: all, and of one merged group */
  guint pixels;               /* TP */
  gboolean reuse, border;
  /* sums are brought over to integers after `chunk` texels of each tap */
  gboolean totals;
  guint chunk;
} Plan;

/* The fewest groups that together read whole texels and fill whole blocks; all, if none do. */
static guint
merged_groups (const SegIntConv *c)
{
  for (guint m = 1; m < c->groups; m++)
    if (c->groups % m == 0 && c->in_c / c->groups * m % 4 == 0
        && c->out_c / c->groups * m % 8 == 0)
      return m;
  return c->groups;
}

static gboolean
falls_outside (const SegWindowAxis *a)
{
  gint64 last = (a->out - 1) * a->stride - a->pad + (a->kernel - 1) * a->dilation;
  return a->pad > 0 || last >= a->in;
}

static gsize
filter_elems (const SegIntConv *c)
{
  return (gsize) (c->in_c / c->groups) * c->y.kernel * c->x.kernel;
}

static void
plan_sums (const SegIntConv *c, Plan *plan)
{
  gsize n = filter_elems (c);
  gint64 largest_sum = 0, largest = 1;
  for (guint32 o = 0; o < c->out_c; o++) {
    gint64 sum = 0;
    for (gsize i = 0; i < n; i++) {
      gint64 w = ABS (c->filter[o * n + i]);
      sum += w;
      largest = MAX (largest, w);
    }
    largest_sum = MAX (largest_sum, sum);
  }
  plan->totals = largest_sum * MOST_BYTE >= EXACT;
  gint64 taps = plan->reuse ? c->x.kernel : 1;
  plan->chunk = MAX (EXACT / (MOST_BYTE * largest * 4 * taps), 1);
}

static Plan
make_plan (const SegIntConv *c)
{
  Plan plan = { .merge = merged_groups (c), .pixels = 4 };
  guint32 joined = c->groups / plan.merge, out_c = c->out_c / joined;
  plan.in_c4 = (c->in_c / joined + 3) / 4;
  plan.block = out_c % 16 == 0 || (joined == 1 && out_c > 40) ? 16 : 8;
  plan.blocks = (c->out_c + plan.block - 1) / plan.block;
  plan.group_blocks = MAX (plan.blocks / joined, 1);
  plan.border = falls_outside (&c->y) || falls_outside (&c->x);
  gint64 span = (plan.pixels - 1) * c->x.stride + (c->x.kernel - 1) * c->x.dilation + 1;
  plan.reuse = span * 4 <= plan.pixels * c->x.kernel * 3 && span <= 24;
  plan_sums (c, &plan);
  return plan;
}

/* [block][y][x][texel][channel] texels of four input channels, as in conv-lp.c; fp16 holds the
 * integers exactly. */
static SegRef
pack (const SegIntConv *c, const Plan *plan, SegProgram *p)
{
  gsize taps = c->y.kernel * c->x.kernel;
  gsize n = plan->blocks * taps * plan->in_c4 * plan->block * 4;
  guint32 group_in = c->in_c / c->groups, group_out = c->out_c / c->groups;
  g_autofree float *packed = g_new0 (float, n);
  for (guint32 o = 0; o < c->out_c; o++) {
    guint32 first = group_in * (o / group_out % plan->merge);
    for (guint32 i = 0; i < group_in; i++) {
      const gint16 *from = c->filter + (gsize) (o * group_in + i) * taps;
      for (gsize k = 0; k < taps; k++) {
        gsize at = (o / plan->block * taps + k) * plan->in_c4 + (first + i) / 4;
        at = at * plan->block + o % plan->block;
        packed[at * 4 + (first + i) % 4] = from[k];
      }
    }
  }
  return seg_program_floats (p, packed, n, SEG_STORAGE_F16);
}

SegRef
seg_int_conv_bias (const SegIntConv *c, guint n, SegProgram *p)
{
  g_autofree gint32 *bias = g_new0 (gint32, n);
  for (guint32 o = 0; c->bias != NULL && o < c->out_c; o++)
    bias[o] = c->bias[o];
  return seg_program_ints (p, bias, n);
}

SegRef
seg_int_conv_scale (const SegIntConv *c, guint n, SegProgram *p)
{
  g_autofree float *scale = g_new0 (float, n);
  for (guint32 o = 0; c->scale != NULL && o < c->out_c; o++)
    scale[o] = c->scale[o];
  return seg_program_floats (p, scale, n, SEG_STORAGE_F32);
}

static gboolean
check_size (gint64 items, const SegIntConv *c, GError **error)
{
  if (items <= G_MAXINT32 && c->batch * c->y.in * c->x.in <= G_MAXINT32)
    return TRUE;
  g_set_error_literal (
      error, SEG_ERROR, SEG_ERROR_MEMORY, "the feature map has too many pixels");
  return FALSE;
}

/* --- one filter a channel -------------------------------------------------------------------- */

static gboolean
is_depthwise (const SegIntConv *c)
{
  return c->groups > 1 && c->groups == c->in_c && c->out_c == c->in_c;
}

/* [y][x][channel]. */
static SegRef
pack_depthwise (const SegIntConv *c, SegProgram *p)
{
  gsize taps = c->y.kernel * c->x.kernel, pitch = (gsize) c->out_c4 * 4;
  g_autofree float *packed = g_new0 (float, taps *pitch);
  for (guint32 o = 0; o < c->out_c; o++)
    for (gsize k = 0; k < taps; k++)
      packed[k * pitch + o] = c->filter[o * taps + k];
  return seg_program_floats (p, packed, taps * pitch, SEG_STORAGE_F16);
}

static gboolean
emit_depthwise (const SegIntConv *c, SegProgram *p, GError **error)
{
  gint64 items = (gint64) c->batch * c->y.out * c->x.out * c->out_c4;
  if (!check_size (items, c, error))
    return FALSE;
  guint32 n = (items + 63) / 64, columns = MIN (n, 32768);
  SegDispatch d = {
    .shader = c->scale != NULL ? &seg_shader_conv_int_depthwise_b8
                               : &seg_shader_conv_int_depthwise_i32,
    .bindings = { { c->source, SEG_BIND_TEXEL },
        { pack_depthwise (c, p), SEG_BIND_TEXEL },
        { seg_int_conv_bias (c, c->out_c4 * 4, p), SEG_BIND_TEXEL },
        { c->zero, SEG_BIND_TEXEL },
        { seg_int_conv_scale (c, c->out_c4 * 4, p), SEG_BIND_TEXEL },
        { c->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 6,
    .push = { c->x.in, c->y.in, c->x.out, c->y.out, c->in_pitch4, c->in_offset4,
        c->out_pitch4, c->out_offset4, c->out_c, c->out_c4, c->y.kernel, c->x.kernel,
        c->y.stride, c->x.stride, c->y.dilation, c->x.dilation, c->y.pad, c->x.pad, items,
        c->output[0], c->output[1], c->output[2], seg_quant_sign (c->dtype) },
    .n_push = 23,
    .groups = { columns, (n + columns - 1) / columns, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}

/* --- dense, grouped ----------------------------------------------------------------------------- */

/* Where they are an instruction: a CPU's Vulkan driver makes them of many. */
static gboolean
prefers_dot (const SegIntConv *c, const SegDeviceInfo *device)
{
  gboolean fast = device->integer_dot_fast && device->type != SEG_DEVICE_CPU;
  return (fast || seg_conv_is_forced (SEG_CONV_DOT)) && seg_dot_takes (c, device);
}

gboolean
seg_int_conv_emit (const SegIntConv *c, SegProgram *p, GError **error)
{
  if (is_depthwise (c) && filter_elems (c) * MOST_BYTE * MOST_BYTE < EXACT)
    return emit_depthwise (c, p, error);
  const SegDeviceInfo *device = seg_program_device (p);
  if (prefers_dot (c, device))
    return seg_dot_emit (c, p, error);
  Plan plan = make_plan (c);
  gboolean shuffle = device->subgroup_shuffle && device->subgroup_size >= 8;
  gint64 tiles =
      (gint64) c->batch * c->y.out * ((c->x.out + plan.pixels - 1) / plan.pixels);
  guint32 local = shuffle ? device->subgroup_size : 32;
  gint64 groups = (tiles + local - 1) / local;
  guint padded = plan.blocks * plan.block;
  if (!check_size (tiles, c, error))
    return FALSE;
  SegDispatch d = {
    .shader = c->scale != NULL ? &seg_shader_conv_int_b8 : &seg_shader_conv_int_i32,
    .spec = { local, plan.block, plan.pixels, plan.reuse, plan.border,
        plan.reuse ? c->x.kernel : 1, plan.reuse ? c->x.stride : 1,
        plan.reuse ? c->x.dilation : 1, plan.totals, shuffle },
    .n_spec = 10,
    .bindings = { { c->source, SEG_BIND_TEXEL }, { pack (c, &plan, p), SEG_BIND_TEXEL },
        { seg_int_conv_bias (c, padded, p), SEG_BIND_TEXEL }, { c->zero, SEG_BIND_TEXEL },
        { seg_int_conv_scale (c, padded, p), SEG_BIND_TEXEL },
        { c->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 6,
    .push = { c->x.in, c->y.in, c->x.out, c->y.out, c->in_pitch4, c->in_offset4,
        c->out_pitch4, c->out_offset4, plan.in_c4, plan.group_blocks, c->out_c, c->out_c4,
        c->y.kernel, c->x.kernel, c->y.stride, c->x.stride, c->y.dilation, c->x.dilation,
        c->y.pad, c->x.pad, tiles, plan.chunk, c->output[0], c->output[1], c->output[2],
        seg_quant_sign (c->dtype) },
    .n_push = 26,
    .groups = { MIN (groups, 32768), (groups + 32767) / 32768, plan.blocks },
  };
  return seg_program_dispatch (p, &d, error);
}
