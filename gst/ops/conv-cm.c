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

static gboolean
emit (const SegDenseConv *conv, const Kernel *kernel, SegProgram *p, GError **error)
{
  SegGemmPlan plan = seg_gemm_plan (conv, &kernel->tile, UNIT4, seg_program_device (p));
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
  d.spec[G_N_ELEMENTS (kernel->spec)] = split;
  seg_gemm_fill (&d, DEST, conv, &kernel->tile, &plan, p);
  seg_epilogue_add (&d, split ? NULL : conv->node, p, conv->bias);
  return seg_program_dispatch (p, &d, error)
         && (!split || seg_gemm_add_sums (&d, DEST, conv, &plan, p, error));
}

/* --- cm1 ---------------------------------------------------------------------------------------- */

#define CM1_SHARED (32 << 10) /* conv_cm1.comp has the sizes */
#define CM1_TILES  6
#define LEAST_PART 16

/* A subgroup's part of a tile, pixels x channels. */
typedef struct {
  guint pixels, channels;
} Part;

/* Largest first. */
static const SegGemmTile cm1_tiles[CM1_TILES] = { { 128, 128 }, { 128, 64 }, { 64, 64 },
  { 128, 32 }, { 64, 32 }, { 32, 32 } };
static const Part parts[CM1_TILES] = { { 64, 64 }, { 64, 32 }, { 32, 32 }, { 32, 32 },
  { 32, 32 }, { 16, 16 } };

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
  return find_shape (device) != NULL && device->max_shared_bytes >= CM1_SHARED
         && fits (conv);
}

/* On a CPU fragments are emulated, by code that is unrolled for each lane: that of large parts
 * takes minutes to compile. */
static guint
first_tile (const SegDeviceInfo *device)
{
  return device->type == SEG_DEVICE_CPU ? CM1_TILES - 2 : 0;
}

static guint
choose (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  guint first = first_tile (device);
  return first + seg_gemm_choose (conv, cm1_tiles + first, CM1_TILES - first, device);
}

gboolean
seg_cm1_offers (const SegDenseConv *conv, const SegDeviceInfo *device, guint variant)
{
  guint first = first_tile (device);
  return first + variant != choose (conv, device) + 1
         && seg_gemm_offers (conv, cm1_tiles + first, CM1_TILES - first, variant);
}

gboolean
seg_cm1_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  const SegDeviceInfo *device = seg_program_device (p);
  const SegMatrixShape *shape = find_shape (device);
  guint n = choose (conv, device);
  Part part = parts[n];
  SegGemmTile tile = cm1_tiles[n];
  tile.step4 = shape->k / 2; /* two fragments: the shader's BK */
  guint n_parts = tile.pixels / part.pixels * (tile.channels / part.channels);
  const Kernel kernel = { &seg_shader_conv_cm1, tile,
    { n_parts * device->subgroup_size, tile.pixels, tile.channels, part.pixels,
        part.channels, shape->m, shape->n, shape->k } };
  return emit (conv, &kernel, p, error);
}

/* --- cm2 ---------------------------------------------------------------------------------------- */

#define CM2_STEP   32 /* of K: the shader's BK */
#define CM2_SHARED (19 << 10)
#define CM2_TILES  4

/* Largest first. */
static const SegGemmTile cm2_tiles[CM2_TILES] = { { 128, 128, CM2_STEP / 4 },
  { 128, 64, CM2_STEP / 4 }, { 64, 64, CM2_STEP / 4 }, { 64, 32, CM2_STEP / 4 } };

/* All sides of tiles and the step are multiples of 32. */
gboolean
seg_cm2_takes (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  const SegWorkgroupMatrices *w = &device->workgroup_matrices;
  return w->invocations > 0 && 32 % w->unit.m == 0 && 32 % w->unit.n == 0
         && CM2_STEP % w->unit.k == 0
         && device->max_shared_bytes >= w->reserved_bytes + CM2_SHARED && fits (conv);
}

gboolean
seg_cm2_offers (const SegDenseConv *conv, const SegDeviceInfo *device, guint variant)
{
  return variant != seg_gemm_choose (conv, cm2_tiles, CM2_TILES, device) + 1
         && seg_gemm_offers (conv, cm2_tiles, CM2_TILES, variant);
}

gboolean
seg_cm2_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  const SegDeviceInfo *device = seg_program_device (p);
  SegGemmTile tile = cm2_tiles[seg_gemm_choose (conv, cm2_tiles, CM2_TILES, device)];
  const Kernel kernel = { &seg_shader_conv_cm2, tile,
    { device->workgroup_matrices.invocations, tile.pixels, tile.channels, 0, 0, 0, 0,
        CM2_STEP / 2 } };
  return emit (conv, &kernel, p, error);
}
