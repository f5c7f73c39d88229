/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/strips.h"

#include "shaders.h"

#include <math.h>
#include <string.h>

#define STRIP     16  /* pixels */
#define MAX_BYTES 384 /* of the frame, that a strip reads of a row */
#define MAX_ROWS  8

/* Uniform block `Strips` of shaders/preprocess_strip.comp. */
typedef struct {
  gint32 net[4];
  gint32 inside[4];
  gint32 dest[4];
  gint32 place[3][4];
  gint32 column[4];
  float map[4];
  float mix[3][4];
  float fill[4];
} StripsBlock;

/* Its specialisation constants. */
enum {
  SPEC_LIE,
  SPEC_UNIT,
  SPEC_INSIDE,
  SPEC_EDGES,
  SPEC_TAPS,
  SPEC_APART,
  SPEC_FIRST,
  SPEC_PHASE,
  N_SPEC = SPEC_TAPS + 8
};

enum { LIE_LUMA, LIE_PAIR, LIE_PLANES, LIE_RGB };

/* Where samples of components that lie alike are for a pixel, x along a row. */
typedef struct {
  guint taps_x, taps_y, n_rows, step;
  guint apart16;  /* samples from a pixel to the next, in 16ths */
  double first;   /* sample of pixel 0, from `column` on: 0 to 1 */
  gint32 column;  /* of the strip that begins with pixel 0; may be before the frame */
  guint n_bytes;  /* that a strip reaches, from its first on */
  gboolean edges; /* some are not in the frame */
} Samples;

static guint
n_reached (double pixels, guint taps)
{
  return (guint) ceil (pixels * (1.0 - 1.0 / taps) - 1e-4) + 2;
}

static guint
lie_of (const SegFrameSource *source)
{
  const SegFormatInfo *info = seg_format_info (source->frame.format);
  if (source->kind == SEG_KIND_GRAY)
    return LIE_LUMA;
  if (source->kind != SEG_KIND_YUV)
    return LIE_RGB;
  return info->components[1].plane == info->components[2].plane ? LIE_PAIR : LIE_PLANES;
}

static gboolean
has_chroma (const SegFrameSource *source)
{
  return source->kind == SEG_KIND_YUV;
}

/* FALSE: strips do not begin at the same place of a word. */
static gboolean
find_samples (Samples *s, const SegFrameSource *source, const SegPreprocessBlock *b,
    gboolean chroma)
{
  const SegFormatInfo *info = seg_format_info (source->frame.format);
  const SegComponent *c = &info->components[chroma ? 1 : 0];
  double sub = 1 << c->hsub, scale = b->map[0] / sub, all = scale * STRIP;
  double middle = c->hsub ? 0.25 + source->frame.color.chroma_x / 2 : 0.5;
  s->taps_x = (guint) b->taps[chroma ? 2 : 0];
  s->taps_y = (guint) b->taps[chroma ? 3 : 1];
  s->step = c->step;
  s->apart16 = (guint) (all + 0.5);
  if (fabs (all - s->apart16) > 1e-5 || all > MAX_BYTES)
    return FALSE;
  double first = 0.5 * scale / s->taps_x + b->map[2] / sub - middle;
  double n = ceil (source->frame.width / sub);
  double last = first + (b->inside[1] - 1.0 / s->taps_x) * scale;
  s->column = (gint32) floor (first);
  s->first = first - s->column;
  s->edges = first + b->inside[0] * scale < -1e-4 || last > n - 1 + 1e-4;
  s->n_rows = n_reached (b->map[1] / (1 << c->vsub), s->taps_y);
  guint columns = ((STRIP - 1) * s->apart16 + 16) / 16 + n_reached (scale, s->taps_x);
  s->n_bytes = (columns - 1) * s->step + 1;
  return s->n_bytes + 2 * 16 <= MAX_BYTES && s->n_rows <= MAX_ROWS;
}

/* Bytes that shaders read at once: rows and strips are multiples of them. 0: none are. */
static guint
unit_of (const SegFrameSource *source, const Samples *luma, const Samples *chroma)
{
  const SegFrame *frame = &source->frame;
  guint n_planes = seg_format_info (frame->format)->n_planes;
  gsize all = luma->apart16 * luma->step;
  if (has_chroma (source))
    all |= chroma->apart16 * chroma->step;
  for (guint p = 0; p < n_planes; p++)
    all |= frame->stride[p];
  if (all % 16 == 0 && source->views[2].n_bytes % 16 == 0)
    return 16;
  return all % 4 == 0 ? 4 : 0;
}

static gboolean
find_all (Samples s[2], const SegFrameSource *source, const SegPreprocessBlock *b)
{
  return find_samples (&s[0], source, b, FALSE)
         && (!has_chroma (source) || find_samples (&s[1], source, b, TRUE));
}

static gboolean
channels_last (const SegBound *input)
{
  return input->view.pitch != 0 && input->view.pitch % 8 == 0
         && input->view.offset % 8 == 0;
}

gboolean
seg_strips_can (
    const SegFrameSource *source, const SegPreprocessBlock *block, const SegBound *input)
{
  Samples samples[2] = { 0 };
  const SegVk *vk = seg_buffer_vk (input->buffer);
  return seg_vk_info (vk)->type == SEG_DEVICE_CPU && block->net[0] % STRIP == 0
         && block->taps[0] * block->taps[1] > 1 && channels_last (input)
         && find_all (samples, source, block)
         && unit_of (source, &samples[0], &samples[1]) != 0;
}

static gint32
floor_div (gint32 a, gint32 b)
{
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/* Where strips of a component begin; returns the byte of a unit in which they do. */
static guint32
place_plane (StripsBlock *block, const SegFrameSource *source, guint component,
    const Samples *s, guint unit)
{
  const SegFrame *frame = &source->frame;
  const SegComponent *c = &seg_format_info (frame->format)->components[component];
  gint32 *place = block->place[component];
  gint32 plane = (gint32) frame->offset[c->plane] + s->column * (gint32) s->step;
  place[0] = floor_div (plane, (gint32) unit);
  place[1] = (gint32) (s->apart16 * s->step / unit);
  place[2] = (gint32) (frame->stride[c->plane] / unit);
  place[3] = (gint32) (source->views[2].n_bytes / unit);
  /* Of words the shader wants the bytes as they lie. */
  guint offset = source->kind == SEG_KIND_PACKED4 ? component : c->offset;
  return (guint32) (plane - place[0] * (gint32) unit) + offset;
}

static void
fill_samples (guint32 spec[4], const Samples *s, guint32 phases)
{
  float first = (float) s->first;
  spec[0] = s->taps_x | s->taps_y << 8 | s->n_rows << 16 | s->step << 24;
  spec[1] = s->apart16;
  memcpy (&spec[2], &first, sizeof first);
  spec[3] = phases;
}

static void
fill_spec (guint32 spec[N_SPEC], StripsBlock *block, const SegFrameSource *source,
    const Samples s[2], guint unit)
{
  const gint32 *inside = block->inside;
  guint lie = lie_of (source);
  guint32 phases[3] = { 0 };
  spec[SPEC_LIE] = lie;
  spec[SPEC_UNIT] = unit;
  spec[SPEC_INSIDE] = inside[0] == 0 && inside[1] == block->net[0] && inside[2] == 0
                      && inside[3] == block->net[1];
  spec[SPEC_EDGES] = (guint32) s[0].edges | (guint32) s[1].edges << 1;
  for (guint c = 0; c < (lie == LIE_LUMA ? 1 : 3); c++)
    phases[c] = place_plane (block, source, c, &s[c > 0 && has_chroma (source)], unit);
  guint32 first = phases[0] | (lie == LIE_RGB ? phases[1] << 8 | phases[2] << 16 : 0);
  fill_samples (&spec[SPEC_TAPS], &s[0], first);
  if (has_chroma (source))
    fill_samples (&spec[SPEC_TAPS + 4], &s[1], phases[1] | phases[2] << 8);
}

static void
fill_block (StripsBlock *block, const SegFrameSource *source, const SegPreprocessBlock *b,
    const Samples s[2])
{
  guint width = source->frame.width;
  memcpy (block->net, b->net, sizeof b->net);
  memcpy (block->inside, b->inside, sizeof b->inside);
  memcpy (block->dest, b->dest, sizeof b->dest);
  memcpy (block->map, b->map, sizeof b->map);
  memcpy (block->mix, b->mix, sizeof b->mix);
  memcpy (block->fill, b->fill, sizeof b->fill);
  block->column[0] = s[0].column;
  block->column[1] = (gint32) width;
  block->column[2] = s[1].column;
  block->column[3] = (gint32) (width + 1) / 2;
}

static const SegShader *
choose_shader (const SegBound *input)
{
  gboolean int64 = seg_vk_info (seg_buffer_vk (input->buffer))->int64;
  return input->storage == SEG_STORAGE_F16 ? &seg_shader_preprocess_strip_wide_f16
         : int64                           ? &seg_shader_preprocess_strip_wide_f32
                                           : &seg_shader_preprocess_strip_f32;
}

gboolean
seg_strips_record (SegCmd *cmd, SegParams *params, const SegFrameSource *source,
    const SegPreprocessBlock *b, const SegBound *input, GError **error)
{
  Samples samples[2] = { 0 };
  guint32 spec[N_SPEC] = { 0 };
  SegBufferView views[5] = { source->views[0], source->views[1], source->views[2],
    [4] = { input->buffer, input->offset, input->n_bytes, SEG_VIEW_STORAGE_WRITE } };
  StripsBlock *block =
      seg_params_add (params, sizeof *block, SEG_VIEW_UNIFORM, &views[3], error);
  if (block == NULL)
    return FALSE;
  find_all (samples, source, b);
  guint unit = unit_of (source, &samples[0], &samples[1]);
  if (unit == 16)
    views[2].kind = SEG_VIEW_TEXEL_U32X4;
  fill_block (block, source, b, samples);
  fill_spec (spec, block, source, samples, unit);
  SegVkDispatch d = {
    .shader = choose_shader (input),
    .spec = spec,
    .n_spec = N_SPEC,
    .views = views,
    .n_views = 5,
    .label = "preprocess",
  };
  seg_groups_linear ((guint64) (b->net[0] / STRIP) * (guint64) b->net[1], d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}
