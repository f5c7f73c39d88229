/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/paint.h"

#include <math.h>
#include <string.h>

gboolean
seg_window_init (
    SegWindow *w, guint frame_width, guint frame_height, guint width, guint height)
{
  *w = (SegWindow){ .frame_width = frame_width,
    .frame_height = frame_height,
    .width = width,
    .height = height,
    .x1 = width,
    .y1 = height };
  return frame_width > 0 && frame_height > 0 && width > 0 && height > 0
         && width <= GST_VK_SEG_MAX_PX && height <= GST_VK_SEG_MAX_PX;
}

/* The first pixel whose centre is at or past a position of the frame. */
static guint
first_pixel (gdouble position, guint frame_px, guint px, guint min, guint max)
{
  return (guint) CLAMP (
      ceil (position * px / frame_px - 0.5), (gdouble) min, (gdouble) max);
}

void
seg_window_clip (SegWindow *w, const GstVkSegRect *r)
{
  guint x0 = first_pixel (r->x, w->frame_width, w->width, w->x0, w->x1);
  guint y0 = first_pixel (r->y, w->frame_height, w->height, w->y0, w->y1);
  w->x1 = first_pixel (r->x + r->width, w->frame_width, w->width, x0, w->x1);
  w->y1 = first_pixel (r->y + r->height, w->frame_height, w->height, y0, w->y1);
  w->x0 = x0;
  w->y0 = y0;
}

/* Where a pixel lies between two of the mask: `at` and at + 1 with weights 256 - part and part. */
typedef struct {
  guint at, part;
} Tap;

static Tap
tap_for (guint pixel, guint px, guint frame_px, gdouble origin, gdouble extent, guint n)
{
  gdouble u = ((pixel + 0.5) * frame_px / px - origin) / extent * n - 0.5;
  u = CLAMP (u, 0.0, n - 1.0);
  guint at = (guint) u;
  return (Tap){ at, (guint) ((u - at) * 256.0) };
}

static Tap
nearest_for (
    guint pixel, guint px, guint frame_px, gdouble origin, gdouble extent, guint n)
{
  gdouble u = ((pixel + 0.5) * frame_px / px - origin) / extent * n;
  return (Tap){ (guint) CLAMP (u, 0.0, n - 1.0), 0 };
}

static void
mix_rows (const GstVkSegMask *mask, Tap y, guint first, guint last, guint16 *mixed)
{
  const guint8 *a = mask->data + y.at * mask->stride;
  const guint8 *b = y.at + 1 < mask->height ? a + mask->stride : a;
  for (guint i = first; i <= last; i++)
    mixed[i] = (guint16) (a[i] * (256 - y.part) + b[i] * y.part);
  mixed[last + 1] = mixed[last];
}

static void
row_binary (const guint16 *mixed, const Tap *taps, guint n, guint32 limit, guint8 *out)
{
  for (guint x = 0; x < n; x++) {
    const guint16 *m = mixed + taps[x].at;
    guint32 v = m[0] * (256 - taps[x].part) + m[1] * taps[x].part;
    out[x] = v > limit ? 255 : 0;
  }
}

static void
row_probability (
    const guint16 *mixed, const Tap *taps, guint n, gfloat low, gfloat scale, guint8 *out)
{
  for (guint x = 0; x < n; x++) {
    const guint16 *m = mixed + taps[x].at;
    guint32 v = m[0] * (256 - taps[x].part) + m[1] * taps[x].part;
    gfloat p = ((gfloat) v - low) * scale + 0.5f;
    out[x] = (guint8) CLAMP (p, 0.0f, 255.0f);
  }
}

static void
row_nearest (const guint8 *row, const Tap *taps, guint n, guint8 *out)
{
  for (guint x = 0; x < n; x++)
    out[x] = row[taps[x].at];
}

void
seg_mask_paint (const GstVkSegMask *mask, SegPaint how, guint8 outside,
    const SegWindow *window, guint8 *pixels, gsize stride)
{
  SegWindow in = *window;
  gsize row_px = window->x1 - window->x0;
  const GstVkSegRect *r = &mask->rect;
  seg_window_clip (&in, r);
  guint n = in.x1 - in.x0;
  Tap *taps = g_new (Tap, n + 1);
  guint16 *mixed = g_new (guint16, (gsize) mask->width + 1);
  for (guint x = 0; x < n; x++)
    taps[x] = (how == SEG_PAINT_NEAREST ? nearest_for : tap_for) (
        in.x0 + x, in.width, in.frame_width, r->x, r->width, mask->width);
  guint32 limit =
      (guint32) ((mask->low + mask->threshold * (mask->high - mask->low)) * 65536.0);
  gfloat scale = 255.0f / 65536.0f / (gfloat) (mask->high - mask->low);
  for (guint y = window->y0; y < window->y1; y++) {
    guint8 *out = pixels + (y - window->y0) * stride;
    memset (out, how == SEG_PAINT_NEAREST ? outside : 0, row_px);
    if (n == 0 || y < in.y0 || y >= in.y1)
      continue;
    out += in.x0 - window->x0;
    Tap v = (how == SEG_PAINT_NEAREST ? nearest_for : tap_for) (
        y, in.height, in.frame_height, r->y, r->height, mask->height);
    if (how == SEG_PAINT_NEAREST) {
      row_nearest (mask->data + v.at * mask->stride, taps, n, out);
      continue;
    }
    mix_rows (mask, v, taps[0].at, MIN (taps[n - 1].at + 1, mask->width - 1), mixed);
    if (how == SEG_PAINT_BINARY)
      row_binary (mixed, taps, n, limit, out);
    else
      row_probability (mixed, taps, n, mask->low * 65536.0f, scale, out);
  }
  g_free (mixed);
  g_free (taps);
}
