/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* What a picture in memory looks like: pixel format, colour, where its planes lie. Plain data,
 * knows neither GStreamer nor Vulkan. */

typedef enum {
  SEG_FORMAT_NV12,
  SEG_FORMAT_NV21,
  SEG_FORMAT_I420,
  SEG_FORMAT_YV12,
  SEG_FORMAT_YUY2,
  SEG_FORMAT_UYVY,
  SEG_FORMAT_RGBA,
  SEG_FORMAT_BGRA,
  SEG_FORMAT_RGBX,
  SEG_FORMAT_BGRX,
  SEG_FORMAT_RGB,
  SEG_FORMAT_BGR,
  SEG_FORMAT_GRAY8,
  SEG_FORMAT_P010,
  SEG_FORMAT_COUNT
} SegFormat;

typedef enum { SEG_COLOR_GRAY, SEG_COLOR_RGB, SEG_COLOR_YUV } SegColorKind;

#define SEG_MAX_PLANES 3

/* Where one component (R, G, B or Y, U, V) of a pixel is: byte
 *   offset + (y >> vsub) * stride + (x >> hsub) * step   of its plane. */
typedef struct {
  guint plane, offset, step, hsub, vsub;
} SegComponent;

/* A plane as a row of equal samples. YUY2 and UYVY have a sample of two pixels. */
typedef struct {
  guint bytes, hsub, vsub;
} SegPlaneInfo;

typedef struct {
  SegFormat format;
  const char *name; /* GStreamer's and everybody's: "NV12" */
  SegColorKind kind;
  guint n_planes, n_components; /* n_components 1 or 3: alpha is not counted */
  SegComponent components[3];
  SegPlaneInfo planes[SEG_MAX_PLANES];
  /* Samples are words of 16 bits, the upper 10 of which count: components are the upper bytes.
   * Colours that are drawn are bytes too, and end in 00: white of full range is 1020, not 1023. */
  gboolean wide;
} SegFormatInfo;

const SegFormatInfo *seg_format_info (SegFormat format);

/* How YUV (or gray) bytes relate to R'G'B'. */
typedef struct {
  double kr, kb;       /* luma coefficients; not used for RGB */
  gboolean full_range; /* 0..255 and not 16..235/240 */
  /* Where a subsampled chroma sample lies between its luma samples: 0 on the first of them,
   * 1/2 midway. MPEG-2 is x 0, y 1/2; JPEG is 1/2, 1/2. */
  double chroma_x, chroma_y;
} SegColor;

extern const SegColor seg_color_bt601, seg_color_bt709, seg_color_bt2020, seg_color_jpeg;

/* Bytes to R'G'B' in 0..1 (unclamped): rgb[c] = sum of m[c][k] * byte of component k, + m[c][3].
 * For RGB formats it only scales; for gray all three rows are alike. */
void seg_color_to_rgb (const SegColor *color, SegColorKind kind, double m[3][4]);
/* R'G'B' in 0..1 to the bytes of the components, rounded and clamped. */
void seg_color_from_rgb (
    const SegColor *color, SegColorKind kind, const double rgb[3], guint8 bytes[3]);

/* A picture in a buffer: offsets and strides in bytes. */
typedef struct {
  SegFormat format;
  SegColor color;
  guint width, height; /* pixels */
  gsize offset[SEG_MAX_PLANES];
  gsize stride[SEG_MAX_PLANES];
  gsize n_bytes; /* past the end of the last plane */
} SegFrame;

/* Sides longer than this are refused. */
#define SEG_FRAME_MAX_PX 16384

/* Lays a frame out as the shaders write it: rows are whole groups of 4 samples, planes start at
 * multiples of `align` (a power of two, at least 16). Fails with SEG_ERROR_INPUT on sizes
 * of 0 or past SEG_FRAME_MAX_PX. */
gboolean seg_frame_layout (SegFrame *frame, SegFormat format, const SegColor *color,
    guint width, guint height, gsize align, GError **error);

/* Size of a plane: bytes of a row that mean something, and rows. */
gsize seg_frame_row_bytes (const SegFrame *frame, guint plane);
guint seg_frame_n_rows (const SegFrame *frame, guint plane);

/* Copies one plane between a frame laid out in `base` and rows elsewhere, whatever the strides
 * (other_stride may be negative). */
void seg_frame_load_plane (const SegFrame *frame, guint plane, guint8 *base,
    const guint8 *other, gssize other_stride);
void seg_frame_store_plane (const SegFrame *frame, guint plane, const guint8 *base,
    guint8 *other, gssize other_stride);

G_END_DECLS
