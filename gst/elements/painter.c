/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/painter.h"

#include "elements/videoframe.h"

#include <string.h>

gboolean
seg_painter_init (SegPainter *p, const GstVideoInfo *info)
{
  SegFormat format;
  *p = (SegPainter){ NULL };
  if (!seg_video_format (GST_VIDEO_INFO_FORMAT (info), &format))
    return FALSE;
  p->format = seg_format_info (format);
  seg_video_color (info, &p->color);
  p->scratch = g_byte_array_new ();
  return TRUE;
}

void
seg_painter_clear (SegPainter *p)
{
  g_clear_pointer (&p->scratch, g_byte_array_unref);
}

SegInk
seg_painter_ink (const SegPainter *p, const guint8 rgb[3])
{
  const double values[3] = { rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0 };
  SegInk ink = { { 0 } };
  seg_color_from_rgb (&p->color, p->format->kind, values, ink.bytes);
  return ink;
}

/* --- rows ---------------------------------------------------------------------------------------- */

static inline guint8
mix (guint8 a, guint8 b, guint part)
{
  guint v = a * (255 - part) + b * part + 127;
  return (guint8) ((v + (v >> 8) + 1) >> 8);
}

static void
blend_row (guint8 *px, guint step, const guint8 *cover, guint n, guint8 ink)
{
  if (step == 1)
    for (guint i = 0; i < n; i++)
      px[i] = mix (px[i], ink, cover[i]);
  else
    for (guint i = 0; i < n; i++)
      px[i * step] = mix (px[i * step], ink, cover[i]);
}

static void
blend_values_row (guint8 *px, guint step, const guint8 *cover, const guint8 *values,
    guint n, const SegInk *inks, guint component)
{
  for (guint i = 0; i < n; i++)
    px[i * step] = mix (px[i * step], inks[values[i]].bytes[component], cover[i]);
}

/* The part of a patch that is in the frame. */
typedef struct {
  guint x0, y0, x1, y1; /* of the frame */
  guint width, height;  /* the frame's */
  const guint8 *cover, *values;
  gsize stride;
} Visible;

static gboolean
clip (const SegPainter *p, const SegPatch *patch, const guint8 *cover,
    const guint8 *values, Visible *v)
{
  gint64 x1 = MIN ((gint64) patch->x + patch->width, GST_VIDEO_FRAME_WIDTH (p->frame));
  gint64 y1 = MIN ((gint64) patch->y + patch->height, GST_VIDEO_FRAME_HEIGHT (p->frame));
  gint x0 = MAX (patch->x, 0), y0 = MAX (patch->y, 0);
  if (x0 >= x1 || y0 >= y1)
    return FALSE;
  gsize skip = (gsize) (y0 - patch->y) * patch->stride + (gsize) (x0 - patch->x);
  *v = (Visible){ (guint) x0, (guint) y0, (guint) x1, (guint) y1,
    (guint) GST_VIDEO_FRAME_WIDTH (p->frame), (guint) GST_VIDEO_FRAME_HEIGHT (p->frame),
    cover + skip, values != NULL ? values + skip : NULL, patch->stride };
  return TRUE;
}

/* Sums the cover of the pixels that share a sample; where only a part of them is in the patch, the
 * others have none. Values are those of the first. */
static void
shrink_row (
    const Visible *v, const SegComponent *c, guint row, guint8 *cover, guint8 *values)
{
  guint first = v->x0 >> c->hsub, y = row << c->vsub;
  guint n_y = MIN (1u << c->vsub, v->height - y);
  guint from = MAX (y, v->y0), to = MIN (y + n_y, v->y1);
  for (guint s = first; s <= (v->x1 - 1) >> c->hsub; s++) {
    guint x = MAX (s << c->hsub, v->x0), x1 = MIN ((s + 1) << c->hsub, v->x1), sum = 0;
    guint n_x = MIN (1u << c->hsub, v->width - (s << c->hsub));
    for (guint r = from; r < to; r++)
      for (guint i = x; i < x1; i++)
        sum += v->cover[(r - v->y0) * v->stride + i - v->x0];
    cover[s - first] = (guint8) (sum / (n_x * n_y));
    if (v->values != NULL)
      values[s - first] = v->values[(from - v->y0) * v->stride + x - v->x0];
  }
}

/* Of samples of 16 bits the upper byte: the two bits below stay what they were. */
static void
blend_component (
    SegPainter *p, const Visible *v, guint component, SegInk ink, const SegInk *inks)
{
  const SegComponent *c = &p->format->components[component];
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (p->frame, c->plane);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (p->frame, c->plane);
  guint first = v->x0 >> c->hsub, n = ((v->x1 - 1) >> c->hsub) - first + 1;
  gboolean full = c->hsub == 0 && c->vsub == 0;
  g_byte_array_set_size (p->scratch, 2 * n);
  for (guint row = v->y0 >> c->vsub; row <= (v->y1 - 1) >> c->vsub; row++) {
    guint8 *px = data + (gssize) row * stride + c->offset + (gsize) first * c->step;
    const guint8 *cover = p->scratch->data, *values = p->scratch->data + n;
    if (full) {
      cover = v->cover + (row - v->y0) * v->stride;
      values = v->values != NULL ? v->values + (row - v->y0) * v->stride : NULL;
    } else {
      shrink_row (v, c, row, p->scratch->data, p->scratch->data + n);
    }
    if (v->values != NULL)
      blend_values_row (px, c->step, cover, values, n, inks, component);
    else
      blend_row (px, c->step, cover, n, ink.bytes[component]);
  }
}

/* --- patches ------------------------------------------------------------------------------------- */

void
seg_painter_blend (SegPainter *p, const SegPatch *patch, const guint8 *cover, SegInk ink)
{
  Visible v;
  if (clip (p, patch, cover, NULL, &v))
    for (guint c = 0; c < p->format->n_components; c++)
      blend_component (p, &v, c, ink, NULL);
}

void
seg_painter_blend_values (SegPainter *p, const SegPatch *patch, const guint8 *cover,
    const guint8 *values, const SegInk inks[256])
{
  Visible v;
  if (clip (p, patch, cover, values, &v))
    for (guint c = 0; c < p->format->n_components; c++)
      blend_component (p, &v, c, inks[0], inks);
}

void
seg_painter_fill (
    SegPainter *p, gint x, gint y, gint width, gint height, guint8 cover, SegInk ink)
{
  guint8 row[256];
  memset (row, cover, sizeof row);
  /* No two patches share a sample of colour: they would blend it twice. */
  guint most = sizeof row - ((guint) x & 3);
  for (guint left = (guint) MAX (width, 0); left > 0 && height > 0;) {
    guint n = MIN (left, most);
    /* One row stands for all. */
    const SegPatch patch = { x, y, n, (guint) height, 0 };
    seg_painter_blend (p, &patch, row, ink);
    x += (gint) n;
    left -= n;
    most = sizeof row;
  }
}
