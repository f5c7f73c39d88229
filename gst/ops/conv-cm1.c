/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-cm1.h"

#include "ops/conv-gemm.h"
#include "ops/epilogue.h"
#include "shaders.h"

#define UNIT4  2          /* texels that it fetches at once */
#define DEST   3          /* binding */
#define SHARED (32 << 10) /* conv_cm1.comp has the sizes */

/* A subgroup's part of a tile, pixels x channels. */
typedef struct {
  guint pixels, channels;
} Part;

#define LEAST_PART 16

/* Largest first. */
#define N_TILES 6
static const SegGemmTile tiles[N_TILES] = { { 128, 128 }, { 128, 64 }, { 64, 64 },
  { 128, 32 }, { 64, 32 }, { 32, 32 } };
static const Part parts[N_TILES] = { { 64, 64 }, { 64, 32 }, { 32, 32 }, { 32, 32 },
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

/* Where the texels that are fetched together are not all a pixel's, they would be multiplied by
 * the zeros that fill the weights up, and might not be numbers. */
static gboolean
lies_in_units (const SegDenseConv *c)
{
  return c->in_pitch4 % UNIT4 == 0 && c->in_offset4 % UNIT4 == 0;
}

gboolean
seg_cm1_takes (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  return conv->storage == SEG_STORAGE_F16 && find_shape (device) != NULL
         && device->max_shared_bytes >= SHARED && lies_in_units (conv)
         && seg_gemm_takes (conv);
}

/* On a CPU fragments are emulated, by code that is unrolled for each lane: that of large parts
 * takes minutes to compile. */
static guint
choose (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  guint first = device->type == SEG_DEVICE_CPU ? N_TILES - 2 : 0;
  return first + seg_gemm_choose (conv, tiles + first, N_TILES - first, device);
}

/* Rows of channels, as the step's B lies in shared memory. */
static guint
place (guint k, guint n, const SegGemmTile *tile, gpointer data)
{
  return k * tile->channels + n;
}

gboolean
seg_cm1_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  const SegDeviceInfo *device = seg_program_device (p);
  const SegMatrixShape *shape = find_shape (device);
  guint n = choose (conv, device);
  SegGemmTile tile = tiles[n];
  Part part = parts[n];
  tile.step4 = shape->k / 2; /* two fragments: conv_cm1.comp's BK */
  guint n_parts = tile.pixels / part.pixels * (tile.channels / part.channels);
  SegGemmPlan plan = seg_gemm_plan (conv, &tile, UNIT4, device);
  gboolean split = plan.splits > 1;
  SegDispatch d = {
    .shader = &seg_shader_conv_cm1,
    .spec = { n_parts * device->subgroup_size, tile.pixels, tile.channels, part.pixels,
        part.channels, shape->m, shape->n, shape->k, split },
    .bindings = { { conv->source, SEG_BIND_BUFFER_READ },
        { seg_gemm_pack (conv, &tile, &plan, place, NULL, p), SEG_BIND_BUFFER_READ },
        { conv->bias, SEG_BIND_TEXEL }, [DEST] = { conv->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = DEST + 1,
  };
  seg_gemm_fill (&d, DEST, conv, &tile, &plan, p);
  seg_epilogue_add (&d, split ? NULL : conv->node, p, conv->bias);
  return seg_program_dispatch (p, &d, error)
         && (!split || seg_gemm_add_sums (&d, DEST, conv, &plan, p, error));
}
