/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/preprocess.h"

#include "frame/strips.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

/* Constants of the same names there. */
enum { LAYOUT_PIXELS, LAYOUT_TRIPLES, LAYOUT_PLANES, LAYOUT_ELEMENTS };

gboolean
seg_image_axes (const SegDesc *desc, guint *channel_axis, GError **error)
{
  if (desc->rank == 4 && desc->dims[0] >= 1 && seg_dtype_is_float (desc->dtype)) {
    for (guint axis = 1; axis <= 3; axis += 2)
      if (desc->dims[axis] == 3 || desc->dims[axis] == 1) {
        *channel_axis = axis;
        return TRUE;
      }
  }
  g_autofree char *text = seg_desc_to_string (desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "the network's input %s is not a picture: floats of shape [N,C,H,W] or [N,H,W,C] "
      "with 1 or 3 channels are supported",
      text);
  return FALSE;
}

SegDesc
seg_image_batch (const SegDesc *desc)
{
  SegDesc batch = *desc;
  if (desc->rank != 3)
    return batch;
  batch.rank = 4;
  batch.dims[0] = 1;
  memcpy (batch.dims + 1, desc->dims, 3 * sizeof *desc->dims);
  return batch;
}

/* Bilinear sampling reaches two source pixels; beyond that it takes more samples. */
static gint32
n_taps (double source_px_per_net_px)
{
  return MAX (1, (gint32) ceil (source_px_per_net_px / 2.0 - 1e-6));
}

static void
fill_mix (SegPreprocessBlock *b, const SegNormalize *n)
{
  static const double luma[3] = { 0.299, 0.587, 0.114 };
  for (guint c = 0; c < 3; c++) {
    double range = n->hi[c] - n->lo[c];
    for (guint k = 0; k < 3; k++) {
      double w = n->order == SEG_CHANNELS_GRAY  ? luma[k]
                 : n->order == SEG_CHANNELS_BGR ? (k == 2 - c)
                                                : (k == c);
      b->mix[c][k] = (float) (w * range);
    }
    b->mix[c][3] = (float) n->lo[c];
    b->fill[c] = (float) (n->lo[c] + range * n->pad[c] / 255.0);
  }
}

static void
fill_geometry (SegPreprocessBlock *b, const SegFrameSource *source, const SegGeometry *g)
{
  const SegFormatInfo *info = seg_format_info (source->frame.format);
  double step_x = 1.0 / g->scale_x, step_y = 1.0 / g->scale_y;
  b->inside[0] = (gint32) g->net_x0;
  b->inside[1] = (gint32) g->net_x1;
  b->inside[2] = (gint32) g->net_y0;
  b->inside[3] = (gint32) g->net_y1;
  b->taps[0] = n_taps (step_x);
  b->taps[1] = n_taps (step_y);
  b->taps[2] = n_taps (step_x / (1u << info->components[1].hsub));
  b->taps[3] = n_taps (step_y / (1u << info->components[1].vsub));
  b->map[0] = (float) step_x;
  b->map[1] = (float) step_y;
  b->map[2] = (float) (-g->shift_x * step_x);
  b->map[3] = (float) (-g->shift_y * step_y);
}

/* How the input's pixels lie; four pixels (or elements) an invocation. */
static guint32
choose_layout (const SegBound *input, guint channel_axis, guint64 *n_invocations)
{
  const SegView *v = &input->view;
  guint y_axis = channel_axis == 1 ? 2 : 1;
  guint64 n_channels = (guint64) input->desc.dims[channel_axis];
  guint64 n_pixels =
      (guint64) input->desc.dims[y_axis] * (guint64) input->desc.dims[y_axis + 1];
  gboolean together = v->strides[channel_axis] == 1 && n_channels > 1;
  guint32 pixel_pitch = v->strides[3 == channel_axis ? 2 : 3];
  *n_invocations = (n_pixels + 3) / 4;
  if (v->pitch != 0 && pixel_pitch % 8 == 0)
    return LAYOUT_PIXELS;
  if (together && pixel_pitch == n_channels)
    return LAYOUT_TRIPLES;
  if (n_channels == 1 || n_pixels % 4 == 0)
    return LAYOUT_PLANES;
  *n_invocations = (n_channels * n_pixels + 3) / 4;
  return LAYOUT_ELEMENTS;
}

static gboolean
fill_destination (SegPreprocessBlock *b, const SegBound *input, guint channel_axis,
    guint lane, GError **error)
{
  const SegView *v = &input->view;
  guint32 pixel_pitch = v->strides[3 == channel_axis ? 2 : 3];
  guint64 offset = v->offset + (guint64) lane * v->strides[0];
  b->dest[0] = (gint32) (offset / 4);
  b->dest[1] = (gint32) (pixel_pitch / 4);
  b->dest[2] = (gint32) (v->strides[channel_axis] / 4);
  if (offset % 4 == 0 && input->storage != SEG_STORAGE_I32
      && input->storage != SEG_STORAGE_B8)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      lane > 0 ? "pictures of this size cannot lie side by side in a batch: set "
                 "tile-batch to 1"
               : "the network's input lies where a frame cannot be written to");
  return FALSE;
}

gboolean
seg_preprocess_fill (SegPreprocessBlock *b, const SegFrameSource *source,
    const SegGeometry *geometry, const SegNormalize *normalize, const SegBound *input,
    guint lane, GError **error)
{
  guint channel_axis;
  if (!seg_image_axes (&input->desc, &channel_axis, error)
      || !fill_destination (b, input, channel_axis, lane, error))
    return FALSE;
  b->net[0] = (gint32) geometry->net_width;
  b->net[1] = (gint32) geometry->net_height;
  b->net[2] = (gint32) input->desc.dims[channel_axis];
  fill_geometry (b, source, geometry);
  fill_mix (b, normalize);
  return TRUE;
}

/* Constants of the shader: how samples of a pixel are read when the scale is known. */
enum {
  SPEC_KIND,
  SPEC_LAYOUT,
  SPEC_MIRROR,
  SPEC_REACH,
  SPEC_TAPS = 7,
  SPEC_STEP = 11,
  SPEC_SHARED = 13,
  N_SPEC
};

/* Words of four bytes that n_taps samples, source_px apart, reach in a row, however they lie; each reads
 * two samples of `step` bytes, in which there are components up to `extra` bytes further on. */
static guint32
reach_words (double reach_px, guint step, guint extra)
{
  guint n_samples = (guint) ceil (reach_px) + 2;
  guint n_bytes = (n_samples - 1) * step + 1 + extra;
  return (n_bytes + 6) / 4;
}

static double
reach_px (double source_px, guint n_taps_)
{
  return source_px * (n_taps_ - 1) / n_taps_;
}

/* Averages read each word of the source once: pays from two samples a pixel on, where rows are whole
 * words. Pixels of four bytes are words anyway. */
static gboolean
pays_to_read_words (
    const SegFrameSource *source, const SegPreprocessBlock *b, gboolean mirror)
{
  gboolean pays = b != NULL && !mirror && source->kind != SEG_KIND_PACKED4
                  && b->taps[0] * b->taps[1] > 1;
  for (guint p = 0; p < seg_format_info (source->frame.format)->n_planes; p++)
    pays = pays && source->frame.stride[p] % 4 == 0;
  return pays;
}

static void
fill_spec (guint32 *spec, const SegFrameSource *source, const SegPreprocessBlock *b)
{
  const SegFormatInfo *info = seg_format_info (source->frame.format);
  const SegComponent *luma = &info->components[0], *chroma = &info->components[1];
  gboolean rgb = source->kind == SEG_KIND_RGB, yuv = source->kind == SEG_KIND_YUV;
  gboolean shared = yuv && chroma->plane == info->components[2].plane;
  guint step = luma->step, chroma_step = yuv ? chroma->step : 1;
  for (guint i = 0; i < 4; i++)
    spec[SPEC_TAPS + i] = (guint32) b->taps[i];
  spec[SPEC_REACH] =
      reach_words (reach_px (b->map[0], (guint) b->taps[0]), step, rgb ? step - 1 : 0);
  spec[SPEC_REACH + 1] = (guint32) ceil (reach_px (b->map[1], (guint) b->taps[1])) + 2;
  spec[SPEC_REACH + 2] =
      reach_words (reach_px (b->map[0] / (1u << chroma->hsub), (guint) b->taps[2]),
          chroma_step, shared ? chroma_step - 1 : 0);
  spec[SPEC_REACH + 3] =
      (guint32) ceil (reach_px (b->map[1] / (1u << chroma->vsub), (guint) b->taps[3]))
      + 2;
  spec[SPEC_STEP] = step;
  spec[SPEC_STEP + 1] = chroma_step;
  spec[SPEC_SHARED] = shared;
}

gboolean
seg_preprocess_record_block (SegCmd *cmd, const SegFrameSource *source,
    const SegBufferView *view, const SegPreprocessBlock *scale, gboolean mirror,
    const SegBound *input, GError **error)
{
  guint channel_axis;
  guint64 n_invocations;
  if (!seg_image_axes (&input->desc, &channel_axis, error))
    return FALSE;
  guint32 layout = choose_layout (input, channel_axis, &n_invocations);
  guint32 spec[N_SPEC] = { source->kind, layout, mirror };
  if (pays_to_read_words (source, scale, mirror))
    fill_spec (spec, source, scale);
  SegBufferView views[5] = { source->views[0], source->views[1], source->views[2], *view,
    { input->buffer, input->offset, input->n_bytes, SEG_VIEW_STORAGE_WRITE } };
  SegVkDispatch d = {
    .shader = input->storage == SEG_STORAGE_F16 ? &seg_shader_preprocess_f16
                                                : &seg_shader_preprocess_f32,
    .spec = spec,
    .n_spec = N_SPEC,
    .views = views,
    .n_views = 5,
    .label = "preprocess",
  };
  seg_groups_linear (n_invocations, d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}

gboolean
seg_preprocess_record (SegCmd *cmd, SegParams *params, const SegFrameSource *source,
    const SegGeometry *geometry, const SegNormalize *normalize, const SegBound *input,
    GError **error)
{
  SegBufferView view;
  SegPreprocessBlock *b =
      seg_params_add (params, sizeof *b, SEG_VIEW_UNIFORM, &view, error);
  if (b == NULL || !seg_preprocess_fill (b, source, geometry, normalize, input, 0, error))
    return FALSE;
  if (!geometry->mirror && seg_strips_can (source, b, input))
    return seg_strips_record (cmd, params, source, b, input, error);
  return seg_preprocess_record_block (
      cmd, source, &view, b, geometry->mirror, input, error);
}
