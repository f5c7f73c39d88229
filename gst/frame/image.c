/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/image.h"

#include <math.h>
#include <string.h>

#define PLANAR(p, h, v)                                                                  \
  {                                                                                      \
    p, 0, 1, h, v                                                                        \
  }
#define PACKED(o, step)                                                                  \
  {                                                                                      \
    0, o, step, 0, 0                                                                     \
  }
#define RGB_FORMAT(f, r, g, b, n)                                                        \
  {                                                                                      \
    SEG_FORMAT_##f, #f, SEG_COLOR_RGB, 1, 3,                                             \
        { PACKED (r, n), PACKED (g, n), PACKED (b, n) },                                 \
    {                                                                                    \
      {                                                                                  \
        n, 0, 0                                                                          \
      }                                                                                  \
    }                                                                                    \
  }

static const SegFormatInfo formats[SEG_FORMAT_COUNT] = {
  { SEG_FORMAT_NV12, "NV12", SEG_COLOR_YUV, 2, 3,
      { PLANAR (0, 0, 0), { 1, 0, 2, 1, 1 }, { 1, 1, 2, 1, 1 } },
      { { 1, 0, 0 }, { 2, 1, 1 } } },
  { SEG_FORMAT_NV21, "NV21", SEG_COLOR_YUV, 2, 3,
      { PLANAR (0, 0, 0), { 1, 1, 2, 1, 1 }, { 1, 0, 2, 1, 1 } },
      { { 1, 0, 0 }, { 2, 1, 1 } } },
  { SEG_FORMAT_I420, "I420", SEG_COLOR_YUV, 3, 3,
      { PLANAR (0, 0, 0), PLANAR (1, 1, 1), PLANAR (2, 1, 1) },
      { { 1, 0, 0 }, { 1, 1, 1 }, { 1, 1, 1 } } },
  { SEG_FORMAT_YV12, "YV12", SEG_COLOR_YUV, 3, 3,
      { PLANAR (0, 0, 0), PLANAR (2, 1, 1), PLANAR (1, 1, 1) },
      { { 1, 0, 0 }, { 1, 1, 1 }, { 1, 1, 1 } } },
  { SEG_FORMAT_YUY2, "YUY2", SEG_COLOR_YUV, 1, 3,
      { { 0, 0, 2, 0, 0 }, { 0, 1, 4, 1, 0 }, { 0, 3, 4, 1, 0 } }, { { 4, 1, 0 } } },
  { SEG_FORMAT_UYVY, "UYVY", SEG_COLOR_YUV, 1, 3,
      { { 0, 1, 2, 0, 0 }, { 0, 0, 4, 1, 0 }, { 0, 2, 4, 1, 0 } }, { { 4, 1, 0 } } },
  RGB_FORMAT (RGBA, 0, 1, 2, 4),
  RGB_FORMAT (BGRA, 2, 1, 0, 4),
  { SEG_FORMAT_RGBX, "RGBx", SEG_COLOR_RGB, 1, 3,
      { PACKED (0, 4), PACKED (1, 4), PACKED (2, 4) }, { { 4, 0, 0 } } },
  { SEG_FORMAT_BGRX, "BGRx", SEG_COLOR_RGB, 1, 3,
      { PACKED (2, 4), PACKED (1, 4), PACKED (0, 4) }, { { 4, 0, 0 } } },
  RGB_FORMAT (RGB, 0, 1, 2, 3),
  RGB_FORMAT (BGR, 2, 1, 0, 3),
  { SEG_FORMAT_GRAY8, "GRAY8", SEG_COLOR_GRAY, 1, 1, { PLANAR (0, 0, 0) },
      { { 1, 0, 0 } } },
  { SEG_FORMAT_P010, "P010_10LE", SEG_COLOR_YUV, 2, 3,
      { { 0, 1, 2, 0, 0 }, { 1, 1, 4, 1, 1 }, { 1, 3, 4, 1, 1 } },
      { { 2, 0, 0 }, { 4, 1, 1 } }, TRUE },
};

const SegFormatInfo *
seg_format_info (SegFormat format)
{
  return &formats[format];
}

const SegColor seg_color_bt601 = { 0.299, 0.114, FALSE, 0.0, 0.5 };
const SegColor seg_color_bt709 = { 0.2126, 0.0722, FALSE, 0.0, 0.5 };
const SegColor seg_color_bt2020 = { 0.2627, 0.0593, FALSE, 0.0, 0.0 };
const SegColor seg_color_jpeg = { 0.299, 0.114, TRUE, 0.5, 0.5 };

void
seg_color_to_rgb (const SegColor *color, SegColorKind kind, double m[3][4])
{
  memset (m, 0, 12 * sizeof (double));
  if (kind == SEG_COLOR_RGB) {
    for (guint c = 0; c < 3; c++)
      m[c][c] = 1.0 / 255.0;
    return;
  }
  double luma = color->full_range ? 1.0 / 255.0 : 1.0 / 219.0;
  double black = color->full_range ? 0.0 : 16.0;
  for (guint c = 0; c < 3; c++) {
    m[c][0] = luma;
    m[c][3] = -luma * black;
  }
  if (kind == SEG_COLOR_GRAY)
    return;

  double chroma = color->full_range ? 1.0 / 255.0 : 1.0 / 224.0;
  double kg = 1.0 - color->kr - color->kb;
  m[0][2] = 2.0 * (1.0 - color->kr) * chroma;
  m[1][1] = -2.0 * color->kb * (1.0 - color->kb) / kg * chroma;
  m[1][2] = -2.0 * color->kr * (1.0 - color->kr) / kg * chroma;
  m[2][1] = 2.0 * (1.0 - color->kb) * chroma;
  for (guint c = 0; c < 3; c++)
    m[c][3] -= 128.0 * (m[c][1] + m[c][2]);
}

static guint8
to_byte (double v)
{
  return (guint8) CLAMP (floor (v + 0.5), 0.0, 255.0);
}

void
seg_color_from_rgb (
    const SegColor *color, SegColorKind kind, const double rgb[3], guint8 bytes[3])
{
  if (kind == SEG_COLOR_RGB) {
    for (guint c = 0; c < 3; c++)
      bytes[c] = to_byte (rgb[c] * 255.0);
    return;
  }
  double y =
      color->kr * rgb[0] + (1.0 - color->kr - color->kb) * rgb[1] + color->kb * rgb[2];
  double u = (rgb[2] - y) / (2.0 * (1.0 - color->kb));
  double v = (rgb[0] - y) / (2.0 * (1.0 - color->kr));
  double chroma = color->full_range ? 255.0 : 224.0;
  bytes[0] = to_byte (color->full_range ? y * 255.0 : 16.0 + y * 219.0);
  bytes[1] = kind == SEG_COLOR_GRAY ? bytes[0] : to_byte (128.0 + u * chroma);
  bytes[2] = kind == SEG_COLOR_GRAY ? bytes[0] : to_byte (128.0 + v * chroma);
}

static guint
subsampled (guint n, guint shift)
{
  return (n + (1u << shift) - 1) >> shift;
}

gboolean
seg_frame_layout (SegFrame *frame, SegFormat format, const SegColor *color, guint width,
    guint height, gsize align, GError **error)
{
  if (width == 0 || height == 0 || width > SEG_FRAME_MAX_PX
      || height > SEG_FRAME_MAX_PX) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "a frame of %ux%u pixels: sides of 1 to %d are supported", width, height,
        SEG_FRAME_MAX_PX);
    return FALSE;
  }
  *frame =
      (SegFrame){ .format = format, .color = *color, .width = width, .height = height };
  const SegFormatInfo *info = seg_format_info (format);
  for (guint p = 0; p < info->n_planes; p++) {
    const SegPlaneInfo *plane = &info->planes[p];
    gsize groups = (subsampled (width, plane->hsub) + 3) / 4;
    frame->stride[p] = groups * 4 * plane->bytes;
    frame->offset[p] = (frame->n_bytes + align - 1) & ~(align - 1);
    frame->n_bytes = frame->offset[p] + frame->stride[p] * seg_frame_n_rows (frame, p);
  }
  return TRUE;
}

gsize
seg_frame_row_bytes (const SegFrame *frame, guint plane)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  return (gsize) subsampled (frame->width, info->planes[plane].hsub)
         * info->planes[plane].bytes;
}

guint
seg_frame_n_rows (const SegFrame *frame, guint plane)
{
  return subsampled (frame->height, seg_format_info (frame->format)->planes[plane].vsub);
}

static void
copy_rows (guint8 *to, gssize to_stride, const guint8 *from, gssize from_stride,
    gsize row_bytes, guint n_rows)
{
  if (to_stride == from_stride && to_stride > 0) {
    memcpy (to, from, (gsize) to_stride * (n_rows - 1) + row_bytes);
    return;
  }
  for (guint y = 0; y < n_rows; y++)
    memcpy (to + (gssize) y * to_stride, from + (gssize) y * from_stride, row_bytes);
}

void
seg_frame_load_plane (const SegFrame *frame, guint plane, guint8 *base,
    const guint8 *other, gssize other_stride)
{
  copy_rows (base + frame->offset[plane], (gssize) frame->stride[plane], other,
      other_stride, seg_frame_row_bytes (frame, plane), seg_frame_n_rows (frame, plane));
}

void
seg_frame_store_plane (const SegFrame *frame, guint plane, const guint8 *base,
    guint8 *other, gssize other_stride)
{
  copy_rows (other, other_stride, base + frame->offset[plane],
      (gssize) frame->stride[plane], seg_frame_row_bytes (frame, plane),
      seg_frame_n_rows (frame, plane));
}
