/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/preprocess.h"

#include "shaders.h"

#include <math.h>

/* Uniform block of shaders/preprocess.comp. */
typedef struct {
  gint32 net[4];
  gint32 inside[4];
  gint32 taps[4];
  gint32 dest[4];
  float map[4];
  float mix[3][4];
  float fill[4];
} Block;

/* Constants of the same names there. */
enum { LAYOUT_PIXELS, LAYOUT_TRIPLES, LAYOUT_PLANES, LAYOUT_ELEMENTS };

gboolean
seg_image_axes (const SegDesc *desc, guint *channel_axis, GError **error)
{
  if (desc->rank == 4 && desc->dims[0] == 1 && seg_dtype_is_float (desc->dtype)) {
    for (guint axis = 1; axis <= 3; axis += 2)
      if (desc->dims[axis] == 3 || desc->dims[axis] == 1) {
        *channel_axis = axis;
        return TRUE;
      }
  }
  g_autofree char *text = seg_desc_to_string (desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "the network's input %s is not a picture: floats of shape [1,C,H,W] or [1,H,W,C] "
      "with 1 or "
      "3 channels are supported",
      text);
  return FALSE;
}

/* Bilinear sampling reaches two source pixels; beyond that it takes more samples. */
static gint32
n_taps (double source_px_per_net_px)
{
  return MAX (1, (gint32) ceil (source_px_per_net_px / 2.0 - 1e-6));
}

static void
fill_mix (Block *b, const SegNormalize *n)
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
fill_geometry (Block *b, const SegFrameSource *source, const SegGeometry *g)
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

static gboolean
choose_layout (Block *b, const SegBound *input, guint channel_axis, guint32 *layout,
    guint64 *n_invocations, GError **error)
{
  const SegView *v = &input->view;
  guint64 n_channels = (guint64) input->desc.dims[channel_axis];
  guint64 n_pixels = (guint64) b->net[0] * b->net[1];
  gboolean together = v->strides[channel_axis] == 1 && n_channels > 1;
  guint32 pixel_pitch = v->strides[3 == channel_axis ? 2 : 3];

  *n_invocations = (n_pixels + 3) / 4;
  b->dest[0] = (gint32) (v->offset / 4);
  b->dest[1] = (gint32) (pixel_pitch / 4);
  b->dest[2] = (gint32) (v->strides[channel_axis] / 4);
  if (v->pitch != 0 && pixel_pitch % 8 == 0)
    *layout = LAYOUT_PIXELS;
  else if (together && pixel_pitch == n_channels)
    *layout = LAYOUT_TRIPLES;
  else if (n_channels == 1 || n_pixels % 4 == 0)
    *layout = LAYOUT_PLANES;
  else {
    *layout = LAYOUT_ELEMENTS;
    *n_invocations = (n_channels * n_pixels + 3) / 4;
  }
  if (v->offset % 4 != 0 || input->storage == SEG_STORAGE_I32) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network's input lies where a frame cannot be written to");
    return FALSE;
  }
  return TRUE;
}

gboolean
seg_preprocess_record (SegCmd *cmd, SegParams *params, const SegFrameSource *source,
    const SegGeometry *geometry, const SegNormalize *normalize, const SegBound *input,
    GError **error)
{
  SegBufferView view;
  guint channel_axis;
  if (!seg_image_axes (&input->desc, &channel_axis, error))
    return FALSE;
  Block *b = seg_params_add (params, sizeof *b, SEG_VIEW_UNIFORM, &view, error);
  if (b == NULL)
    return FALSE;

  b->net[0] = (gint32) geometry->net_width;
  b->net[1] = (gint32) geometry->net_height;
  b->net[2] = (gint32) input->desc.dims[channel_axis];
  fill_geometry (b, source, geometry);
  fill_mix (b, normalize);
  guint32 layout;
  guint64 n_invocations;
  if (!choose_layout (b, input, channel_axis, &layout, &n_invocations, error))
    return FALSE;

  guint32 spec[2] = { source->kind, layout };
  SegBufferView views[5] = { source->views[0], source->views[1], source->views[2], view,
    { input->buffer, input->offset, input->n_bytes, SEG_VIEW_STORAGE_WRITE } };
  SegVkDispatch d = {
    .shader = input->storage == SEG_STORAGE_F16 ? &seg_shader_preprocess_f16
                                                : &seg_shader_preprocess_f32,
    .spec = spec,
    .n_spec = 2,
    .views = views,
    .n_views = 5,
    .label = "preprocess",
  };
  seg_groups_linear (n_invocations, d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}
