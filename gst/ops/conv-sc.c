/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-sc.h"

#include "ops/conv-gemm.h"
#include "ops/epilogue.h"
#include "shaders.h"

#define STEP4 4 /* texels of a step: conv_sc.comp's BK4 */
#define DEST  3 /* binding */

/* Pixels x channels of an invocation. */
typedef struct {
  guint pixels, channels;
} Part;

/* Largest first; conv_sc.comp says what each costs. */
static const SegGemmTile tiles[] = { { 128, 64, STEP4, 0.8, 1.0, 64 },
  { 64, 64, STEP4, 0.6, 0.9, 64 }, { 32, 32, STEP4, 0.3, 0.6, 64 } };
static const Part parts[] = { { 8, 8 }, { 8, 4 }, { 4, 4 } };

gboolean
seg_sc_takes (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  return seg_gemm_takes (conv) && device->max_shared_bytes >= 16 << 10;
}

/* Rows of the tile's B in shared memory are texels of K, in the order in which neighbouring
 * invocations read them: invocation i has the channels i * part .. i * part + part - 1, and the
 * first channel of all comes before the second of any. */
static guint
place (guint k, guint n, const SegGemmTile *tile, gpointer data)
{
  const Part *part = data;
  guint row = n % part->channels * (tile->channels / part->channels) + n / part->channels;
  return row * STEP4 * 4 + k;
}

/* Chips with few lanes and registers get the smallest tile always. */
static guint
choose (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  if (device->type == SEG_DEVICE_INTEGRATED && conv->variant == 0)
    return G_N_ELEMENTS (tiles) - 1;
  return seg_gemm_choose (conv, tiles, G_N_ELEMENTS (tiles), device);
}

gboolean
seg_sc_offers (const SegDenseConv *conv, const SegProgram *p, guint variant)
{
  return variant != choose (conv, seg_program_device (p)) + 1
         && seg_gemm_offers (conv, tiles, G_N_ELEMENTS (tiles), variant);
}

gboolean
seg_sc_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  guint n = choose (conv, seg_program_device (p));
  const SegGemmTile *tile = &tiles[n];
  Part part = parts[n];
  SegGemmPlan plan = seg_gemm_plan (conv, tile, 1, FALSE, seg_program_device (p));
  gboolean half = conv->storage == SEG_STORAGE_F16, split = plan.splits > 1;
  SegDispatch d = {
    .shader = !half   ? &seg_shader_conv_sc_f32
              : split ? &seg_shader_conv_sc_f16_f32
                      : &seg_shader_conv_sc_f16,
    .spec = { tile->pixels / part.pixels * (tile->channels / part.channels), tile->pixels,
        tile->channels, part.pixels, part.channels, split },
    .bindings = { { conv->source, SEG_BIND_BUFFER_READ },
        { seg_gemm_pack (conv, tile, &plan, place, &part, p), SEG_BIND_BUFFER_READ },
        { conv->bias, SEG_BIND_TEXEL }, [DEST] = { conv->dest, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = DEST + 1,
  };
  seg_gemm_fill (&d, DEST, conv, tile, &plan, p);
  seg_epilogue_add (&d, split ? NULL : conv->node, p, conv->bias);
  return seg_program_dispatch (p, &d, error)
         && (!split || seg_gemm_add_sums (&d, DEST, conv, &plan, p, error));
}
