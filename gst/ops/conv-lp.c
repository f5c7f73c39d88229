/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-lp.h"

#include "ops/binary.h"
#include "shaders.h"

#include <string.h>

#define MOST_MERGE 8
#define TURN_BYTES (1 << 19)
/* From so many texels of a pixel on, reading them without calls is worth its longer code; where the taps of a
 * row share them, sooner. */
#define LEAST_IMAGE_C4       64
#define LEAST_IMAGE_REUSE_C4 8
/* From so many channels in on, fewer channels out a lane are worth reading texels more often. */
#define LEAST_HALVED_IN 64

typedef struct {
  guint merge;                /* groups that are taken for one, with zeros between them */
  guint in_c4;                /* texels that one merged group reads */
  guint block;                /* TM: output channels of a lane */
  guint blocks, group_blocks; /* how many: all, and of one merged group */
  guint pixels;               /* TP */
  guint turn_blocks;          /* that are summed before the next pixels are */
  gboolean reuse, border;
  gboolean image; /* texels are read from storage texel buffers */
} Plan;

/* How many groups to join so that a joined one reads whole texels and fills whole blocks;
 * 0: not worth it. */
static guint
merged_groups (guint32 in_c, guint32 out_c, guint32 groups)
{
  if (groups == 1)
    return 1;
  for (guint m = 1; m <= MIN (groups, MOST_MERGE); m++)
    if (groups % m == 0 && in_c / groups * m % 4 == 0 && out_c / groups * m % 8 == 0)
      return m;
  return 0;
}

gboolean
seg_lp_takes (guint32 in_c, guint32 out_c, guint32 groups, const SegDeviceInfo *device)
{
  return device->subgroup_shuffle && device->subgroup_size >= 8
         && merged_groups (in_c, out_c, groups) != 0;
}

/* Whether the taps of a row have texels in common, which are then read once for all. */
static gboolean
taps_share (const SegWindowAxis *x, guint pixels)
{
  gint64 span = (pixels - 1) * x->stride + (x->kernel - 1) * x->dilation + 1;
  return span * 4 <= pixels * x->kernel * 3 && span <= 24;
}

/* The more channels a lane sums, the fewer instructions go into reading texels, as long as the
 * loop fits into the instruction cache: 32 where a texel is used for one tap alone, be it the only one
 * or far from the others. 8 channels where 16 leave much of the last block empty. Measured on lavapipe
 * with 256-bit vectors. */
static guint
choose_block (guint32 out_c, gboolean grouped, gboolean alone)
{
  guint32 by_8 = (out_c + 7) / 8 * 8, by_16 = (out_c + 15) / 16 * 16;
  if (alone && (grouped ? out_c : by_16) % 32 == 0)
    return 32;
  if (grouped)
    return out_c % 16 == 0 ? 16 : 8;
  return by_16 * 6 <= by_8 * 7 ? 16 : 8;
}

/* Five pixels whose taps share texels keep sums and weights busier than four; elsewhere, and from six on, what does
 * not fit into registers takes more than that. */
static double
strain_of (const SegWindowAxis *x, guint pixels)
{
  if (pixels <= 4)
    return 1;
  return pixels == 5 && x->stride == 1 && taps_share (x, pixels) ? 0.95 : 1.05;
}

/* What a tap of four input channels costs with so many pixels a lane: in multiplications of
 * four channels, with the lanes that are left idle. */
static double
cost_of (gint64 rows, gint64 width, const SegWindowAxis *x, guint block, guint pixels)
{
  gint64 lanes = (width + pixels - 1) / pixels * rows;
  double sums = (pixels + 1.2) * block, texels = 4.5 * pixels;
  return (lanes + 7) / 8 * 8 * (sums + texels) * strain_of (x, pixels);
}

static guint
most_pixels (guint block)
{
  return block >= 32 ? 4 : block >= 16 ? 5 : 6;
}

/* Narrow tiles waste less of a row's end, wide ones spread weights over more pixels. Each width is
 * a pipeline that has to be compiled (0.1 to 0.3 s), so others than 4 must be worth it. */
static guint
choose_pixels (gint64 rows, gint64 width, const SegWindowAxis *x, guint block, guint most)
{
  guint best = 4;
  double least = cost_of (rows, width, x, block, best) * 0.94;
  for (guint pixels = 1; pixels <= most; pixels++) {
    double cost = cost_of (rows, width, x, block, pixels);
    if (cost <= least) {
      least = cost;
      best = pixels;
    }
  }
  return best;
}

double
seg_lp_cost (gint64 rows, gint64 width, guint32 out_c, const SegWindowAxis *x)
{
  guint block = choose_block (out_c, FALSE, !taps_share (x, 4));
  guint pixels = choose_pixels (rows, width, x, block, most_pixels (block));
  return cost_of (rows, width, x, block, pixels) * ((out_c + block - 1) / block);
}

static gboolean
falls_outside (const SegWindowAxis *a)
{
  gint64 last = (a->out - 1) * a->stride - a->pad + (a->kernel - 1) * a->dilation;
  return a->pad > 0 || last >= a->in;
}

/* Pixels are read once for so many blocks; the weights of these should stay in the second cache. */
static guint
choose_turn (const SegDenseConv *c, const Plan *plan)
{
  gsize block_bytes = c->y.kernel * c->x.kernel * plan->in_c4 * plan->block * 16;
  guint n = CLAMP (TURN_BYTES / block_bytes, 1, plan->group_blocks);
  while (plan->group_blocks % n != 0)
    n--;
  return n;
}

static guint
pixels_of (const SegDenseConv *c, guint block, guint best)
{
  /* The order of a sum depends on how many pixels are summed together. */
  if (c->steady)
    return 4;
  if (c->variant >= 1 && c->variant <= most_pixels (block))
    return c->variant;
  return best;
}

static Plan
plan_blocks (const SegDenseConv *c, guint block, guint best_pixels)
{
  Plan plan = { .merge = merged_groups (c->in_c, c->out_c, c->groups), .block = block };
  guint32 joined = c->groups / plan.merge;
  plan.in_c4 = (c->in_c / joined + 3) / 4;
  plan.blocks = (c->out_c + plan.block - 1) / plan.block;
  plan.group_blocks = MAX (plan.blocks / joined, 1);
  plan.turn_blocks = choose_turn (c, &plan);
  plan.pixels = pixels_of (c, block, best_pixels);
  plan.border = falls_outside (&c->y) || falls_outside (&c->x);
  plan.reuse = taps_share (&c->x, plan.pixels);
  plan.image = plan.in_c4 >= (plan.reuse ? LEAST_IMAGE_REUSE_C4 : LEAST_IMAGE_C4);
  return plan;
}

/* On a Zen 3, which has 16 registers, 8 channels of three taps take 1.35 cycles a multiplication, 16 of them 1.73, and
 * 3x3 are 1.09 to 1.17 times as fast; with stride 2 no faster, with fewer channels in slower or sometimes so. */
static gboolean
halves_block (const SegDenseConv *c, guint block)
{
  return c->short_of_registers && block == 16 && c->groups == 1
         && c->in_c >= LEAST_HALVED_IN && c->y.kernel == 3 && c->x.kernel == 3
         && c->x.stride == 1 && taps_share (&c->x, 4);
}

static Plan
make_plan (const SegDenseConv *c)
{
  guint32 joined = c->groups / merged_groups (c->in_c, c->out_c, c->groups);
  guint block = choose_block (c->out_c / joined, joined > 1, !taps_share (&c->x, 4));
  guint most = most_pixels (block);
  if (halves_block (c, block))
    block = 8;
  return plan_blocks (
      c, block, choose_pixels (c->batch * c->y.out, c->x.out, &c->x, block, most));
}

/* Four input channels of all that a block makes: both sides are walked in the order of memory, for networks
 * have hundreds of megabytes of this. */
static void
pack_texels (const SegDenseConv *c, const Plan *plan, guint32 b, guint32 i, float *packed)
{
  gsize taps = c->y.kernel * c->x.kernel, step = (gsize) plan->in_c4 * plan->block * 4;
  guint32 group_in = c->in_c / c->groups, group_out = c->out_c / c->groups;
  guint32 end = MIN ((b + 1) * plan->block, c->out_c), stop = MIN (i + 4, group_in);
  for (guint32 o = b * plan->block; o < end; o++) {
    guint32 first =
        group_in * (o / group_out % plan->merge); /* within the merged group */
    const SegUnalignedFloat *from = c->filter + ((gsize) o * group_in + i) * taps;
    for (guint32 channel = first + i; channel < first + stop; channel++) {
      float *to = packed + b * taps * step + channel / 4 * plan->block * 4
                  + o % plan->block * 4 + channel % 4;
      for (gsize k = 0; k < taps; k++)
        to[k * step] = *from++;
    }
  }
}

typedef struct {
  SegDenseConv conv;
  Plan plan;
} Packing;

/* [block][y][x][texel][channel] texels of four input channels; the source is
 * [out][in of its group][y][x]. */
static void
pack_all (gconstpointer job, float *packed, gsize n)
{
  const Packing *k = job;
  const SegDenseConv *c = &k->conv;
  guint32 group_in = c->in_c / c->groups;
  /* Nothing else writes what no channel of the filter comes to. */
  if (group_in % 4 != 0 || c->out_c % k->plan.block != 0 || k->plan.merge > 1)
    memset (packed, 0, n * sizeof *packed);
  for (guint32 b = 0; b < k->plan.blocks; b++)
    for (guint32 i = 0; i < group_in; i += 4)
      pack_texels (c, &k->plan, b, i, packed);
}

static SegRef
pack (const SegDenseConv *c, const Plan *plan, SegProgram *p)
{
  gsize taps = c->y.kernel * c->x.kernel;
  gsize n = plan->blocks * taps * plan->in_c4 * plan->block * 4;
  const Packing packing = { *c, *plan };
  if (c->stays)
    return seg_program_later (p, n, c->storage, pack_all, &packing, sizeof packing);
  float *packed = g_new (float, n);
  pack_all (&packing, packed, n);
  return seg_program_take_floats (p, packed, n, c->storage);
}

guint
seg_lp_block (const SegDenseConv *conv)
{
  return make_plan (conv).block;
}

/* Weights times the factor, in a pass of their own before. */
static gboolean
scale_weights (const SegDenseConv *c, const Plan *plan, SegProgram *p, SegRef *weights,
    GError **error)
{
  guint32 taps = c->y.kernel * c->x.kernel, texel = plan->block * 4;
  SegView packed = { .rank = 4,
    .dims = { plan->blocks * taps, plan->in_c4, plan->block, 4 },
    .strides = { plan->in_c4 * texel, texel, 4, 1 } };
  SegView channels = { .rank = 4,
    .dims = { 1, plan->in_c4, 1, 4 },
    .strides = { 0, 4, 0, 1 },
    .offset = seg_view (c->factor).offset };
  const SegOperand ins[] = { { *weights, packed },
    { seg_program_value (p, c->factor), channels } };
  SegOperand out = seg_operand_temp (p, &packed, c->storage);
  const SegBinaryStep times = { .kind = SEG_BINARY_MUL,
    .scale = 1,
    .storage = c->storage,
    .in_storage = c->storage,
    .epilogue = SEG_EPILOGUE_UNUSED };
  *weights = out.ref;
  return seg_binary_emit (p, c->node, &times, ins, &out, error);
}

/* Whether each workgroup had better multiply the weights as it reads them than a pass once for all: in cycles
 * of llvmpipe's, with what its threads take to be woken. */
static gboolean
scales_as_it_reads (const SegDenseConv *c, const Plan *plan, gint64 groups)
{
  double texels = (double) plan->blocks * plan->in_c4 * c->y.kernel * c->x.kernel;
  return 40 * texels * groups < 170e3 + 20 * texels * plan->block;
}

/* A 1x1 convolution does not care where a row ends. */
static void
flatten (SegDenseConv *c)
{
  gboolean dense = c->out_col == 1 && c->out_row == c->x.out
                   && (c->batch == 1 || c->out_image == c->x.out * c->y.out);
  gboolean pointwise = c->x.kernel * c->y.kernel == 1 && c->x.stride * c->y.stride == 1
                       && c->x.pad == 0 && c->y.pad == 0 && c->x.in == c->x.out
                       && c->y.in == c->y.out;
  if (!dense || !pointwise)
    return;
  c->x.in = c->x.out = c->batch * c->y.out * c->x.out;
  c->y.in = c->y.out = c->batch = 1;
}

/* Wide stores need whole pairs of texels everywhere: matrices may have an odd number of them. */
guint
seg_lp_store_texels (const SegDenseConv *c, const SegProgram *p)
{
  gboolean odd = (c->out_c4 | c->out_pitch4 | c->out_offset4) & 1;
  return odd ? 1 : seg_program_store_texels (p, c->storage);
}

/* What seg_lp_emit does, of a conv that it has flattened; *flat: as conv_flat.comp. */
static Plan
plan_for (const SegDenseConv *c, const SegProgram *p, gboolean *flat)
{
  SegFlatTile tile = seg_flat_tile (c, p);
  *flat = tile.block != 0;
  return *flat ? plan_blocks (c, tile.block, tile.pixels) : make_plan (c);
}

#define OFFER 1.12 /* times the least estimate: what may be the fastest all the same */

gboolean
seg_lp_offers (const SegDenseConv *conv, const SegProgram *p, guint variant)
{
  SegDenseConv c = *conv;
  gboolean flat;
  flatten (&c);
  const Plan own = plan_for (&c, p, &flat);
  gint64 rows = c.batch * c.y.out, width = c.x.out;
  return !flat && variant >= 1 && variant <= most_pixels (own.block)
         && variant != own.pixels
         && cost_of (rows, width, &c.x, own.block, variant)
                <= cost_of (rows, width, &c.x, own.block, own.pixels) * OFFER;
}

static const SegShader *
choose_shader (const SegDenseConv *c, const Plan *plan, const SegProgram *p)
{
  static const SegShader *const shaders[2][2][2] = {
    { { &seg_shader_conv_lp_f32, &seg_shader_conv_lp_f16 },
        { &seg_shader_conv_lp_wide_f32, &seg_shader_conv_lp_wide_f16 } },
    { { &seg_shader_conv_lp_image_f32, &seg_shader_conv_lp_image_f16 },
        { &seg_shader_conv_lp_image_wide_f32, &seg_shader_conv_lp_image_wide_f16 } },
  };
  guint wide = seg_lp_store_texels (c, p) - 1, half = c->storage == SEG_STORAGE_F16;
  return shaders[plan->image][wide][half];
}

/* Tiles are of the pixels of a row. */
static SegLive
live_tiles (const SegDenseConv *c, guint pixels, guint32 per_group)
{
  SegLive live = c->live;
  live.axis = 1;
  live.per_group = per_group;
  if (c->batch == 1 && c->y.out == 1) /* flat */
    live.per_group *= pixels;
  else if (live.items == c->y.out * c->x.out)
    live.items = (guint32) (c->y.out * ((c->x.out + pixels - 1) / pixels));
  else
    live.rows.ref.kind = SEG_REF_NONE;
  return live;
}

gboolean
seg_lp_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  SegDenseConv c = *conv;
  flatten (&c);
  gboolean flat;
  Plan plan = plan_for (&c, p, &flat);
  const SegDeviceInfo *device = seg_program_device (p);
  gint64 tiles = c.batch * c.y.out * ((c.x.out + plan.pixels - 1) / plan.pixels);
  guint32 local = device->subgroup_size;
  gint64 groups = (tiles + local - 1) / local, folds = (groups + 32767) / 32768;
  if (tiles > G_MAXINT32 || c.batch * c.y.in * c.x.in > G_MAXINT32) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "the feature map has too many pixels");
    return FALSE;
  }

  SegRef weights = c.weights.kind != SEG_REF_NONE ? c.weights : pack (&c, &plan, p);
  gboolean point = seg_point_takes (&c) && plan.blocks <= device->max_groups[0];
  gboolean scaled = c.factor != NULL && !point && scales_as_it_reads (&c, &plan, groups);
  if (c.factor != NULL && !scaled && !scale_weights (&c, &plan, p, &weights, error))
    return FALSE;
  if (point)
    return seg_point_emit (&c, plan.block, weights, p, error);
  if (flat) {
    const SegFlatPlan how = { plan.block, plan.pixels, plan.turn_blocks, scaled };
    return seg_flat_emit (&c, &how, weights, p, error);
  }
  SegBindKind read = plan.image ? SEG_BIND_IMAGE : SEG_BIND_TEXEL;
  SegDispatch d = {
    .shader = choose_shader (&c, &plan, p),
    .spec = { local, plan.block, plan.pixels, plan.reuse, plan.border,
        plan.reuse ? c.x.kernel : 1, plan.reuse ? c.x.stride : 1,
        plan.reuse ? c.x.dilation : 1, scaled },
    .bindings = { { c.source, read }, { weights, read }, { c.bias, SEG_BIND_TEXEL },
        { c.dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { c.x.in, c.y.in, c.x.out, c.y.out, c.in_pitch4, c.in_offset4, c.out_pitch4,
        c.out_offset4 + c.out_first * c.out_pitch4, c.res_pitch4,
        c.res_offset4 + c.out_first * c.res_pitch4, c.out_image, c.out_row, c.out_col,
        plan.in_c4, plan.group_blocks, c.out_c, c.out_c4, c.y.kernel, c.x.kernel,
        c.y.stride, c.x.stride, c.y.dilation, c.x.dilation, c.y.pad, c.x.pad, tiles,
        folds, scaled ? seg_view (c.factor).offset / 4 : 0 },
    .n_push = 28,
    .groups = { plan.turn_blocks, MIN (groups, 32768),
        plan.blocks / plan.turn_blocks * folds },
    .live = live_tiles (&c, plan.pixels, (guint32) (local * folds)),
  };
  seg_epilogue_add (&d, c.node, p, c.bias);
  d.bindings[d.n_bindings++] =
      (SegBinding){ scaled ? seg_program_value (p, c.factor) : c.bias, SEG_BIND_TEXEL };
  return seg_program_dispatch (p, &d, error);
}
