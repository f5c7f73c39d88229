/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference.h"

#include <math.h>
#include <string.h>

static double
sample (const SegFrame *frame, const guint8 *bytes, guint c, long x, long y)
{
  const SegComponent *k = &seg_format_info (frame->format)->components[c];
  long w = (frame->width + (1 << k->hsub) - 1) >> k->hsub;
  long h = (frame->height + (1 << k->vsub) - 1) >> k->vsub;
  x = CLAMP (x, 0, w - 1);
  y = CLAMP (y, 0, h - 1);
  return bytes[frame->offset[k->plane] + k->offset + (gsize) y * frame->stride[k->plane]
               + (gsize) x * k->step];
}

/* Bilinear, at a continuous position of the frame. */
static double
component_at (const SegFrame *frame, const guint8 *bytes, guint c, double x, double y)
{
  const SegComponent *k = &seg_format_info (frame->format)->components[c];
  /* The first chroma sample is at luma sample 0 + chroma_x, whose middle is at 0.5. */
  double first_x = k->hsub ? 0.5 + frame->color.chroma_x : 0.5;
  double first_y = k->vsub ? 0.5 + frame->color.chroma_y : 0.5;
  double u = (x - first_x) / (1 << k->hsub), v = (y - first_y) / (1 << k->vsub);
  double u0 = floor (u), v0 = floor (v), a = u - u0, b = v - v0;
  return (1 - a) * (1 - b) * sample (frame, bytes, c, (long) u0, (long) v0)
         + a * (1 - b) * sample (frame, bytes, c, (long) u0 + 1, (long) v0)
         + (1 - a) * b * sample (frame, bytes, c, (long) u0, (long) v0 + 1)
         + a * b * sample (frame, bytes, c, (long) u0 + 1, (long) v0 + 1);
}

static double
averaged (const SegFrame *frame, const guint8 *bytes, guint c, double x, double y,
    double step_x, double step_y)
{
  const SegComponent *k = &seg_format_info (frame->format)->components[c];
  int nx = MAX (1, (int) ceil (step_x / (2 << k->hsub) - 1e-6));
  int ny = MAX (1, (int) ceil (step_y / (2 << k->vsub) - 1e-6));
  double sum = 0.0;
  for (int j = 0; j < ny; j++)
    for (int i = 0; i < nx; i++)
      sum += component_at (frame, bytes, c, x + ((i + 0.5) / nx - 0.5) * step_x,
          y + ((j + 0.5) / ny - 0.5) * step_y);
  return sum / (nx * ny);
}

static void
yuv_to_rgb (const SegColor *color, double y, double u, double v, double rgb[3])
{
  double kr = color->kr, kb = color->kb, kg = 1.0 - kr - kb;
  double luma = color->full_range ? y / 255.0 : (y - 16.0) / 219.0;
  double scale = color->full_range ? 255.0 : 224.0;
  double pb = (u - 128.0) / scale, pr = (v - 128.0) / scale;
  rgb[0] = luma + 2.0 * (1.0 - kr) * pr;
  rgb[2] = luma + 2.0 * (1.0 - kb) * pb;
  rgb[1] = (luma - kr * rgb[0] - kb * rgb[2]) / kg;
}

void
ref_rgb_at (const SegFrame *frame, const guint8 *bytes, double x, double y, double step_x,
    double step_y, double rgb[3])
{
  SegColorKind kind = seg_format_info (frame->format)->kind;
  double v[3] = { 0, 128, 128 };
  for (guint c = 0; c < (kind == SEG_COLOR_GRAY ? 1u : 3u); c++)
    v[c] = averaged (frame, bytes, c, x, y, step_x, step_y);
  if (kind == SEG_COLOR_RGB)
    for (guint c = 0; c < 3; c++)
      rgb[c] = v[c] / 255.0;
  else
    yuv_to_rgb (&frame->color, v[0], v[1], v[2], rgb);
  for (guint c = 0; c < 3; c++)
    rgb[c] = CLAMP (rgb[c], 0.0, 1.0);
}

void
ref_net_pixel (const SegFrame *frame, const guint8 *bytes, const SegGeometry *g,
    const SegNormalize *n, guint x, guint y, double out[3])
{
  gboolean inside = x >= g->net_x0 && x < g->net_x1 && y >= g->net_y0 && y < g->net_y1;
  double rgb[3], channel[3];
  ref_rgb_at (frame, bytes, (x + 0.5 - g->shift_x) / g->scale_x,
      (y + 0.5 - g->shift_y) / g->scale_y, 1.0 / g->scale_x, 1.0 / g->scale_y, rgb);
  for (guint c = 0; c < 3; c++) {
    channel[c] = n->order == SEG_CHANNELS_RGB ? rgb[c]
                 : n->order == SEG_CHANNELS_BGR
                     ? rgb[2 - c]
                     : 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    if (!inside)
      channel[c] = n->pad[c] / 255.0;
    out[c] = n->lo[c] + channel[c] * (n->hi[c] - n->lo[c]);
  }
}

gboolean
ref_inside (const SegGeometry *g, guint x, guint y)
{
  double u = (x + 0.5) * g->scale_x + g->shift_x, v = (y + 0.5) * g->scale_y + g->shift_y;
  return u >= 0 && u < g->net_width && v >= 0 && v < g->net_height;
}

double
ref_score_at (const RefScores *s, const SegGeometry *g, guint c, guint x, guint y)
{
  double u = ((x + 0.5) * g->scale_x + g->shift_x) / g->net_width * s->width - 0.5;
  double v = ((y + 0.5) * g->scale_y + g->shift_y) / g->net_height * s->height - 0.5;
  u = CLAMP (u, 0.0, s->width - 1.0);
  v = CLAMP (v, 0.0, s->height - 1.0);
  guint x0 = (guint) u, y0 = (guint) v;
  guint x1 = MIN (x0 + 1, s->width - 1), y1 = MIN (y0 + 1, s->height - 1);
  const float *m = s->data + (gsize) c * s->width * s->height;
  double a = u - x0, b = v - y0;
  return (1 - b) * ((1 - a) * m[y0 * s->width + x0] + a * m[y0 * s->width + x1])
         + b * ((1 - a) * m[y1 * s->width + x0] + a * m[y1 * s->width + x1]);
}

double
ref_value (const SegFrame *frame, const guint8 *bytes, gsize at)
{
  return seg_format_info (frame->format)->wide ? bytes[at] + bytes[at - 1] / 256.0
                                               : bytes[at];
}

double
ref_off (const SegFrame *frame, const guint8 *bytes, gsize at, double want)
{
  if (!seg_format_info (frame->format)->wide)
    return fabs (bytes[at] - want);
  if (at % 2 == 0)
    return 0.0;
  double is = ref_value (frame, bytes, at);
  return is == want ? 0.0 : fabs (4.0 * is - MIN (4.0 * want, 1023.0));
}

/* A component's byte: the mean of what happens to the pixels that it covers. */
static void
blend_component (const SegFrame *frame, const guint8 *bytes, const guint8 *map,
    const double *strength, const guint8 (*colors)[3], const double *class_alpha, guint c,
    double *out)
{
  const SegComponent *k = &seg_format_info (frame->format)->components[c];
  for (guint y = 0; y < frame->height; y += 1u << k->vsub)
    for (guint x = 0; x < frame->width; x += 1u << k->hsub) {
      gsize at = frame->offset[k->plane] + k->offset
                 + (gsize) (y >> k->vsub) * frame->stride[k->plane]
                 + (gsize) (x >> k->hsub) * k->step;
      double sum = 0.0;
      for (guint j = 0; j < 1u << k->vsub; j++)
        for (guint i = 0; i < 1u << k->hsub; i++) {
          guint px = MIN (x + i, frame->width - 1), py = MIN (y + j, frame->height - 1);
          gsize p = (gsize) py * frame->width + px;
          double a = class_alpha[map[p]] * (strength != NULL ? strength[p] : 1.0);
          sum += ref_value (frame, bytes, at) * (1.0 - a) + colors[map[p]][c] * a;
        }
      out[at] = sum / (1u << (k->hsub + k->vsub));
    }
}

void
ref_blend (const SegFrame *frame, const guint8 *bytes, const guint8 *map,
    const double *strength, const SegPalette *palette, const double *class_alpha,
    double *out)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  guint8 colors[256][3];
  for (guint i = 0; i < 256; i++) {
    double rgb[3];
    for (guint c = 0; c < 3; c++)
      rgb[c] = palette->rgba[i][c] / 255.0;
    seg_color_from_rgb (&frame->color, info->kind, rgb, colors[i]);
  }
  for (gsize i = 0; i < frame->n_bytes; i++)
    out[i] = bytes[i];
  for (guint c = 0; c < info->n_components; c++)
    blend_component (
        frame, bytes, map, strength, (const guint8 (*)[3]) colors, class_alpha, c, out);
}
