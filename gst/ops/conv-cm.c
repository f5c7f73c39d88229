/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-cm.h"

#include "ops/conv-gemm.h"
#include "ops/epilogue.h"
#include "shaders.h"

#include <string.h>

#define UNIT4 2 /* texels that the shaders fetch at once */
#define DEST  3 /* binding */

/* --- both ------------------------------------------------------------------------------------- */

/* Where the texels that are fetched together are not all a pixel's, they would be multiplied by
 * the zeros that fill the weights up, and might not be numbers. */
static gboolean
fits (const SegDenseConv *c)
{
  return c->storage == SEG_STORAGE_F16 && c->in_pitch4 % UNIT4 == 0
         && c->in_offset4 % UNIT4 == 0 && seg_gemm_takes (c);
}

/* Rows of channels, as a step's B lies in shared memory. */
static guint
place (guint k, guint n, const SegGemmTile *tile, gpointer data)
{
  return k * tile->channels + n;
}

/* A shader, its tile and its specialisation constants 0 .. 7. */
typedef struct {
  const SegShader *shader;
  SegGemmTile tile;
  guint32 spec[8];
} Kernel;

#define SPEC_SPLIT      8 /* more of them, on both sides of the epilogue's */
#define SPEC_STEP       16
#define SPEC_WHOLE_TAPS 17
#define ONE_A_CORE      350 /* SegGemmTile.besides */
#define MORE_A_CORE     128
#define LONG_STEP                                                                        \
  64 /* of K: half the barriers of the short one, which is left for narrow inputs */
#define SHORT_STEP 32

static guint
step4_of (const SegDenseConv *c)
{
  return (c->in_c % LONG_STEP == 0 ? LONG_STEP : SHORT_STEP) / 4;
}

/* A tile's steps in shared memory, with the padding of rows. */
static guint
shared_bytes (const SegGemmTile *tile)
{
  return 2 * (tile->pixels * (LONG_STEP + 8) + LONG_STEP * (tile->channels + 8));
}

static gboolean
emit (const SegDenseConv *conv, const Kernel *kernel, SegProgram *p, GError **error)
{
  SegGemmPlan plan =
      seg_gemm_plan (conv, &kernel->tile, UNIT4, TRUE, seg_program_device (p));
  gboolean split = plan.splits > 1;
  SegRef weights = seg_gemm_pack (conv, &kernel->tile, &plan, place, NULL, p);
  SegDispatch d = {
    .shader = kernel->shader,
    .bindings = { { conv->source, SEG_BIND_BUFFER_READ },
        { weights, SEG_BIND_BUFFER_READ },
        { conv->bias, SEG_BIND_TEXEL }, [DEST] = { conv->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = DEST + 1,
  };
  memcpy (d.spec, kernel->spec, sizeof kernel->spec);
  d.spec[SPEC_SPLIT] = split;
  d.spec[SPEC_STEP] = kernel->tile.step4 * 4;
  d.spec[SPEC_WHOLE_TAPS] = plan.whole_taps;
  seg_gemm_fill (&d, DEST, conv, &kernel->tile, &plan, p);
  seg_epilogue_add (&d, split ? NULL : conv->node, p, conv->bias);
  return seg_program_dispatch (p, &d, error)
         && (!split || seg_gemm_add_sums (&d, DEST, conv, &plan, p, error));
}

/* --- cm1 ---------------------------------------------------------------------------------------- */

#define LEAST_PART 16

/* A tile, and a subgroup's part of it, pixels x channels. */
typedef struct {
  SegGemmTile tile;
  guint part_pixels, part_channels;
} Shared;

/* Rates are measured on an H100: tests/bench/GPU.md. */
static const Shared cm1_tiles[] = {
  { { 160, 128, 0, 2.0, 2.0, ONE_A_CORE }, 80, 32 },
  { { 128, 128, 0, 2.0, 2.0, ONE_A_CORE }, 32, 32 },
  { { 192, 64, 0, 1.6, 1.65, ONE_A_CORE }, 48, 32 },
  { { 96, 128, 0, 1.9, 1.85, ONE_A_CORE }, 48, 32 },
  { { 128, 64, 0, 1.5, 1.5, MORE_A_CORE }, 32, 32 },
  { { 80, 64, 0, 1.05, 1.4, 200 }, 80, 16 },
  { { 64, 64, 0, 0.9, 1.25, MORE_A_CORE }, 32, 16 },
  { { 64, 32, 0, 0.5, 0.9, MORE_A_CORE }, 32, 16 },
  { { 32, 32, 0, 0.25, 0.65, MORE_A_CORE }, 16, 16 },
};
#define CM1_TILES G_N_ELEMENTS (cm1_tiles)

static guint
n_parts (const Shared *s)
{
  return s->tile.pixels / s->part_pixels * (s->tile.channels / s->part_channels);
}

/* Integrated chips have few registers: 32 floats a lane on Intel's with subgroups of 32. */
static guint
most_sums (const SegDeviceInfo *device)
{
  return device->type == SEG_DEVICE_INTEGRATED ? 16 : G_MAXUINT;
}

static gboolean
has_room (const SegDeviceInfo *device, const Shared *s)
{
  guint lanes = MAX (device->subgroup_size, 1);
  return shared_bytes (&s->tile) <= device->max_shared_bytes
         && n_parts (s) * lanes <= device->max_invocations
         && s->part_pixels * s->part_channels / lanes <= most_sums (device);
}

/* The tiles that the device has room for, and which they are. On a CPU fragments are emulated, by code
 * that is unrolled for each lane: that of large parts takes minutes to compile. */
static guint
list_cm1 (const SegDeviceInfo *device, SegGemmTile *tiles, guint *which)
{
  guint n = 0;
  for (guint i = device->type == SEG_DEVICE_CPU ? CM1_TILES - 2 : 0; i < CM1_TILES; i++)
    if (has_room (device, &cm1_tiles[i])) {
      tiles[n] = cm1_tiles[i].tile;
      which[n++] = i;
    }
  return n;
}

static gboolean
divides (guint32 side)
{
  return side == 8 || side == LEAST_PART;
}

/* The first, which does most at a time, that all parts are multiples of; or NULL. */
static const SegMatrixShape *
find_shape (const SegDeviceInfo *device)
{
  for (guint i = 0; i < device->n_matrix_shapes; i++) {
    const SegMatrixShape *s = &device->matrix_shapes[i];
    if (divides (s->m) && divides (s->n) && divides (s->k))
      return s;
  }
  return NULL;
}

gboolean
seg_cm1_takes (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  SegGemmTile tiles[CM1_TILES];
  guint which[CM1_TILES];
  return find_shape (device) != NULL && list_cm1 (device, tiles, which) > 0
         && fits (conv);
}

gboolean
seg_cm1_offers (const SegDenseConv *conv, const SegProgram *p, guint variant)
{
  const SegDeviceInfo *device = seg_program_device (p);
  SegGemmTile tiles[CM1_TILES];
  guint which[CM1_TILES], n = list_cm1 (device, tiles, which);
  return variant != seg_gemm_choose (conv, tiles, n, device) + 1
         && seg_gemm_offers (conv, tiles, n, variant);
}

gboolean
seg_cm1_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  const SegDeviceInfo *device = seg_program_device (p);
  const SegMatrixShape *shape = find_shape (device);
  SegGemmTile tiles[CM1_TILES];
  guint which[CM1_TILES], n = list_cm1 (device, tiles, which);
  const Shared *s = &cm1_tiles[which[seg_gemm_choose (conv, tiles, n, device)]];
  Kernel kernel = { &seg_shader_conv_cm1, s->tile,
    { n_parts (s) * device->subgroup_size, s->tile.pixels, s->tile.channels,
        s->part_pixels, s->part_channels, shape->m, shape->n, shape->k } };
  kernel.tile.step4 = step4_of (conv);
  return emit (conv, &kernel, p, error);
}

/* --- cm2 ---------------------------------------------------------------------------------------- */

#define CM2_TILES 6

static const SegGemmTile cm2_tiles[CM2_TILES] = { { 160, 128, 0, 2.0, 2.0, ONE_A_CORE },
  { 128, 128, 0, 2.0, 2.0, ONE_A_CORE }, { 96, 128, 0, 1.9, 1.85, ONE_A_CORE },
  { 128, 64, 0, 1.5, 1.5, MORE_A_CORE }, { 64, 64, 0, 0.9, 1.25, MORE_A_CORE },
  { 64, 32, 0, 0.5, 0.9, MORE_A_CORE } };

static guint
list_cm2 (const SegDeviceInfo *device, SegGemmTile *tiles)
{
  guint n = 0, reserved = device->workgroup_matrices.reserved_bytes;
  for (guint i = 0; i < CM2_TILES; i++)
    if (reserved + shared_bytes (&cm2_tiles[i]) <= device->max_shared_bytes)
      tiles[n++] = cm2_tiles[i];
  return n;
}

/* All sides of tiles and steps are multiples of 32. */
gboolean
seg_cm2_takes (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  const SegWorkgroupMatrices *w = &device->workgroup_matrices;
  SegGemmTile tiles[CM2_TILES];
  return w->invocations > 0 && 32 % w->unit.m == 0 && 32 % w->unit.n == 0
         && SHORT_STEP % w->unit.k == 0 && list_cm2 (device, tiles) > 0 && fits (conv);
}

gboolean
seg_cm2_offers (const SegDenseConv *conv, const SegProgram *p, guint variant)
{
  const SegDeviceInfo *device = seg_program_device (p);
  SegGemmTile tiles[CM2_TILES];
  guint n = list_cm2 (device, tiles);
  return variant != seg_gemm_choose (conv, tiles, n, device) + 1
         && seg_gemm_offers (conv, tiles, n, variant);
}

gboolean
seg_cm2_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  const SegDeviceInfo *device = seg_program_device (p);
  SegGemmTile tiles[CM2_TILES];
  guint n = list_cm2 (device, tiles);
  SegGemmTile tile = tiles[seg_gemm_choose (conv, tiles, n, device)];
  tile.step4 = step4_of (conv);
  const Kernel kernel = { &seg_shader_conv_cm2, tile,
    { device->workgroup_matrices.invocations, tile.pixels, tile.channels, 0, 0, 0, 0,
        16 } };
  return emit (conv, &kernel, p, error);
}
