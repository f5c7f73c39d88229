/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-lp.h"
#include "ops/epilogue.h"
#include "shaders.h"

#include <string.h>

/* Winograd's F(4x4, 3x3) and F(6x6, 3x3): a quarter of the multiplications, or 64 for 324. Tiles of 6 x 6 or 8 x 8
 * input pixels are transformed, each of their 36 or 64 elements is a 1x1 convolution of its own (one grouped
 * convolution of conv_lp.comp), and the result is transformed back to 4 x 4 or 6 x 6 output pixels.
 * What lies between the steps, and the filters, are fp32 always: the transforms amplify rounding.
 * A dilation makes the pixels of a tile lie apart. */

#define MOST_TILE 8
#define LOCAL     64

/* Tiles at a time: with fewer, lanes have too few for one reading of the weights. More are a multiple of it,
 * which fills eight lanes with four tiles each. */
#define BEST_STRIP  32
#define LEAST_STRIP 8

/* Large tiles have filters almost twice as large, which come from memory for each picture: so many tiles must
 * use them. */
#define LEAST_LARGE 128

typedef struct {
  guint32 edge, tile,
      elements; /* output and input pixels of a tile, each way; tile squared */
  guint32 apart_y, apart_x;
  guint32 rows, columns; /* tiles of an image */
  guint32 n;             /* of all images */
  guint32 in_c4, out_c4; /* texels of an element */
  guint32 in_pitch4,
      out_pitch4;              /* of a tile; off powers of two, which share cache lines */
  guint32 strip, strips;       /* tiles at a time, and how many times */
  SegLive live;                /* its items are tiles */
  guint texels_in, texels_out; /* that an invocation makes of each pixel */
} Plan;

static guint32
tiles_of (const SegWindowAxis *a, guint32 edge)
{
  gint64 each = (a->out + a->dilation - 1) / a->dilation;
  return (each + edge - 1) / edge * a->dilation;
}

/* What lies between the steps: little, for the caches, but with each strip all weights are read
 * again. */
static guint64
strip_bytes (const Plan *plan)
{
  guint64 weights = (guint64) plan->elements * plan->in_c4 * plan->out_c4 * 64;
  return CLAMP (weights * 3 / 2, 8 << 20, 24 << 20);
}

static guint64
tile_bytes (const Plan *plan)
{
  return 16 * (plan->in_pitch4 + plan->out_pitch4);
}

static Plan
plan_tiles (const SegConvJob *job, guint32 edge, const SegProgram *p)
{
  Plan plan = {
    .edge = edge,
    .tile = edge + 2,
    .elements = (edge + 2) * (edge + 2),
    .apart_y = job->y.dilation,
    .apart_x = job->x.dilation,
    .rows = tiles_of (&job->y, edge),
    .columns = tiles_of (&job->x, edge),
    .in_c4 = (job->in_c + 3) / 4,
    .out_c4 = (job->out_c + 7) / 8 * 2,
  };
  plan.n = plan.rows * plan.columns * job->batch;
  plan.texels_in = plan.in_c4 % 2 ? 1 : seg_program_store_texels (p, SEG_STORAGE_F32);
  plan.texels_out = seg_program_store_texels (p, seg_program_precision (p));
  plan.in_pitch4 = plan.elements * plan.in_c4 + 4;
  plan.out_pitch4 = plan.elements * plan.out_c4 + 4;
  guint64 most = MAX (strip_bytes (&plan) / tile_bytes (&plan), BEST_STRIP);
  most = MIN (most, seg_program_temp_budget (p) / tile_bytes (&plan));
  most = MAX (most, LEAST_STRIP);
  if (most > BEST_STRIP)
    most -= most % BEST_STRIP;
  plan.strips = (plan.n + most - 1) / most;
  plan.strip = (plan.n + plan.strips - 1) / plan.strips;
  if (plan.strip > BEST_STRIP && plan.strips > 1)
    plan.strip = (plan.strip + BEST_STRIP - 1) / BEST_STRIP * BEST_STRIP;
  return plan;
}

/* In multiplications of four channels, from measurements on lavapipe, where a store weighs as
 * much as ten of them. */
static double
cost_of (const SegConvJob *job, const Plan *plan)
{
  static const SegWindowAxis point = { .kernel = 1, .stride = 1, .dilation = 1 };
  double out_c = plan->out_c4 * 4, texel_in = plan->edge == 4 ? 1100 : 1950;
  double texel_out = plan->edge == 4 ? 1400 : 2700;
  double transforms = plan->n * (plan->in_c4 * texel_in + plan->out_c4 * texel_out);
  return transforms
         + seg_lp_cost (1, plan->strip, (guint32) out_c, &point) * plan->strips
               * plan->in_c4 * plan->elements;
}

static Plan
make_plan (const SegConvJob *job, const SegProgram *p)
{
  Plan small = plan_tiles (job, 4, p), large = plan_tiles (job, 6, p);
  gboolean pays = large.n >= LEAST_LARGE && cost_of (job, &large) < cost_of (job, &small);
  return pays ? large : small;
}

/* Of the direct kernel's taps, how many it does not skip: those whole columns or rows of which
 * lie outside. */
static double
taps_inside (const SegWindowAxis *a)
{
  double taps = 0;
  for (gint64 k = 0; k < a->kernel; k++) {
    gint64 shift = ABS (k * a->dilation - a->pad);
    taps += MAX (a->out + 4 - shift, 0) / (a->out + 4.0);
  }
  return taps;
}

gboolean
seg_conv_winograd_takes (const SegConvJob *job, const SegProgram *p)
{
  if (job->groups != 1 || job->y.kernel != 3 || job->x.kernel != 3 || job->y.stride != 1
      || job->x.stride != 1
      || !seg_lp_takes (job->in_c, job->out_c, 1, seg_program_device (p)))
    return FALSE;
  Plan plan = make_plan (job, p);
  double in_c4 = plan.in_c4, out_c = plan.out_c4 * 4;
  double direct = seg_lp_cost (job->y.out * job->batch, job->x.out, out_c, &job->x)
                  * in_c4 * taps_inside (&job->y) * taps_inside (&job->x);
  return cost_of (job, &plan) < direct * 0.95;
}

gsize
seg_conv_winograd_temp_bytes (const SegConvJob *job, const SegProgram *p)
{
  Plan plan = make_plan (job, p);
  return plan.strip * tile_bytes (&plan);
}

#define AT_ONCE 8 /* input channels, as vectors */

typedef float Elements[MOST_TILE * MOST_TILE][AT_ONCE];

static const double rows4[][3] = { { 1. / 4, 0, 0 }, { -1. / 6, -1. / 6, -1. / 6 },
  { -1. / 6, 1. / 6, -1. / 6 }, { 1. / 24, 1. / 12, 1. / 6 },
  { 1. / 24, -1. / 12, 1. / 6 }, { 0, 0, 1 } };
static const double rows6[][3] = { { 1, 0, 0 }, { -2. / 9, -2. / 9, -2. / 9 },
  { -2. / 9, 2. / 9, -2. / 9 }, { 1. / 90, 1. / 45, 2. / 45 },
  { 1. / 90, -1. / 45, 2. / 45 }, { 32. / 45, 16. / 45, 8. / 45 },
  { 32. / 45, -16. / 45, 8. / 45 }, { 0, 0, 1 } };

/* G g G' of filters one after the other, G of tile rows. */
static void
transform_filter (const SegUnalignedFloat *g, guint n, guint tile, Elements out)
{
  const double (*rows)[3] = tile == 6 ? rows4 : rows6;
  double from[9][AT_ONCE] = { { 0 } }, half[MOST_TILE][3][AT_ONCE];
  for (guint v = 0; v < n; v++)
    for (guint k = 0; k < 9; k++)
      from[k][v] = g[9 * v + k];
  for (guint i = 0; i < tile; i++)
    for (guint x = 0; x < 3; x++)
      for (guint v = 0; v < AT_ONCE; v++)
        half[i][x][v] = rows[i][0] * from[x][v] + rows[i][1] * from[3 + x][v]
                        + rows[i][2] * from[6 + x][v];
  for (guint i = 0; i < tile; i++)
    for (guint j = 0; j < tile; j++)
      for (guint v = 0; v < AT_ONCE; v++)
        out[tile * i + j][v] = half[i][0][v] * rows[j][0] + half[i][1][v] * rows[j][1]
                               + half[i][2][v] * rows[j][2];
}

#define MOST_BLOCK 32 /* output channels of conv_lp.comp's blocks */

typedef struct {
  const SegTensor *weights;
  gsize in_c, out_c, in_c4, out_c4;
  guint block, tile;
} Filters;

/* [element][block of outputs][in / 4][block][4]: conv-lp.c's order for a grouped 1x1 convolution. A
 * block's elements come together in a first cache, before each goes where it belongs. */
static void
transform_block (const Filters *f, const SegUnalignedFloat *g, gsize first, float *to)
{
  gsize texel = (gsize) f->block * 4;
  gsize element = f->out_c4 * 4 * f->in_c4 * 4;
  gsize n_elements = (gsize) f->tile * f->tile;
  Elements elements;
  float together[MOST_TILE * MOST_TILE][AT_ONCE * MOST_BLOCK];
  gsize end = MIN (first + f->block, f->out_c);
  if (first + f->block > f->out_c)
    memset (together, 0, sizeof together);
  for (gsize i = 0; i < f->in_c; i += AT_ONCE) {
    gsize bytes = MIN (AT_ONCE / 4, f->in_c4 - i / 4) * texel * sizeof (float);
    for (gsize o = first; o < end; o++) {
      transform_filter (
          g + (o * f->in_c + i) * 9, MIN (AT_ONCE, f->in_c - i), f->tile, elements);
      for (gsize e = 0; e < n_elements; e++)
        for (gsize v = 0; v < AT_ONCE; v += 4)
          memcpy (&together[e][v / 4 * texel + (o - first) * 4], &elements[e][v],
              4 * sizeof (float));
    }
    for (gsize e = 0; e < n_elements; e++)
      memcpy (
          to + e * element + first * f->in_c4 * 4 + i / 4 * texel, together[e], bytes);
  }
}

static void
transform_all (gconstpointer job, float *to, gsize n)
{
  const Filters *f = job;
  g_autofree float *floats = NULL;
  const SegUnalignedFloat *g = seg_conv_filter (f->weights, &floats);
  (void) n;
  for (gsize first = 0; first < f->out_c4 * 4; first += f->block)
    transform_block (f, g, first, to);
}

static SegRef
transform_filters (
    const SegConvJob *job, const Plan *plan, const SegDenseConv *c, SegProgram *p)
{
  const Filters f = { job->weights, job->in_c, job->out_c, plan->in_c4, plan->out_c4,
    seg_lp_block (c), plan->tile };
  g_assert (f.block <= MOST_BLOCK && plan->out_c4 * 4 % f.block == 0);
  return seg_program_later (p, (gsize) plan->elements * plan->out_c4 * plan->in_c4 * 16,
      SEG_STORAGE_F32, transform_all, &f, sizeof f);
}

static void
spread (guint64 items, guint32 groups[3])
{
  guint32 n = (items + LOCAL - 1) / LOCAL;
  groups[0] = MIN (n, 32768);
  groups[1] = (n + groups[0] - 1) / groups[0];
  groups[2] = 1;
}

static gboolean
emit_in (const SegConvJob *job, const Plan *plan, guint32 first, guint32 n, SegRef to,
    SegProgram *p, GError **error)
{
  SegDispatch d = {
    .shader = plan->texels_in == 2 ? &seg_shader_winograd_in_wide_f32
                                   : &seg_shader_winograd_in_f32,
    .spec = { plan->edge },
    .n_spec = 1,
    .bindings = { { job->source, SEG_BIND_TEXEL }, { to, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
    .push = { first, n, plan->rows, plan->columns, plan->apart_y, plan->apart_x,
        job->x.in, job->y.in, job->in.pitch / 4, job->in.offset / 4, plan->in_c4,
        plan->in_c4 / plan->texels_in, plan->in_pitch4, job->y.pad, job->x.pad },
    .n_push = 15,
  };
  spread ((guint64) n * plan->in_c4 / plan->texels_in, d.groups);
  d.live = seg_live_times (plan->live, plan->in_c4 / plan->texels_in, LOCAL);
  return seg_program_dispatch (p, &d, error);
}

static gboolean
emit_out (const SegConvJob *job, const Plan *plan, guint32 first, guint32 n, SegRef from,
    SegRef bias, SegProgram *p, GError **error)
{
  static const SegShader *const shaders[2][2] = {
    { &seg_shader_winograd_out_f32, &seg_shader_winograd_out_f16 },
    { &seg_shader_winograd_out_wide_f32, &seg_shader_winograd_out_wide_f16 },
  };
  gboolean half = seg_program_precision (p) == SEG_STORAGE_F16;
  guint32 items = plan->out_c4 / plan->texels_out;
  SegDispatch d = {
    .shader = shaders[plan->texels_out - 1][half],
    .spec = { plan->edge },
    .bindings = { { from, SEG_BIND_TEXEL }, { bias, SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_output (job->node, 0)),
            SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { first, n, plan->rows, plan->columns, plan->apart_y, plan->apart_x,
        job->x.out, job->y.out, job->out.pitch / 4, job->out.offset / 4,
        job->residual.pitch / 4, job->residual.offset / 4, job->out_c, items,
        plan->out_pitch4, plan->out_c4 },
    .n_push = 16,
  };
  spread ((guint64) n * items, d.groups);
  d.live = seg_live_times (plan->live, items, LOCAL);
  seg_epilogue_add (&d, job->node, p, bias);
  return seg_program_dispatch (p, &d, error);
}

/* The elements of n tiles as the groups of a 1x1 convolution. */
static SegDenseConv
make_products (const Plan *plan, SegRef in, SegRef out, SegProgram *p)
{
  gsize channels = (gsize) plan->elements * plan->out_c4 * 4;
  g_autofree float *zeros = g_new0 (float, channels + SEG_BIAS_ALIGN);
  return (SegDenseConv){
    .source = in,
    .dest = out,
    .storage = SEG_STORAGE_F32,
    .in_pitch4 = plan->in_pitch4,
    .out_pitch4 = plan->out_pitch4,
    .batch = 1,
    .in_c = plan->elements * plan->in_c4 * 4,
    .out_c = channels,
    .groups = plan->elements,
    .out_c4 = plan->elements * plan->out_c4,
    .out_col = 1,
    .y = { .in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1 },
    .x = { .kernel = 1, .stride = 1, .dilation = 1 },
    .bias = seg_program_floats (p, zeros, channels + SEG_BIAS_ALIGN, SEG_STORAGE_F32),
  };
}

gboolean
seg_conv_winograd_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  Plan plan = make_plan (job, p);
  SegRef in =
      seg_program_temp (p, (gsize) plan.strip * plan.in_pitch4 * 4, SEG_STORAGE_F32);
  SegRef out =
      seg_program_temp (p, (gsize) plan.strip * plan.out_pitch4 * 4, SEG_STORAGE_F32);
  SegRef bias = seg_conv_bias (job, 8, p);
  SegDenseConv c = make_products (&plan, in, out, p);
  plan.live = seg_program_live (p, seg_node_output (job->node, 0), plan.n);
  c.weights = transform_filters (job, &plan, &c, p);
  for (guint32 first = 0; first < plan.n; first += plan.strip) {
    guint32 n = MIN (plan.strip, plan.n - first);
    c.x.in = c.x.out = c.out_row = c.out_image = n;
    plan.live.first = first;
    c.live = plan.live;
    if (!emit_in (job, &plan, first, n, in, p, error) || !seg_lp_emit (&c, p, error)
        || !emit_out (job, &plan, first, n, out, bias, p, error))
      return FALSE;
  }
  return TRUE;
}
