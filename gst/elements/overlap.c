/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/overlap.h"

#define GRID 32

double
seg_box_iou (const GstVkSegRect *a, const GstVkSegRect *b)
{
  double w = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  double h = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);
  if (!(w > 0.0 && h > 0.0))
    return 0.0;
  return w * h / (a->width * a->height + b->width * b->height - w * h);
}

/* For each sample of a row or column of the grid, the pixel of the mask there, -1 for none. */
static void
find_pixels (double start, double size, double moved, double box, double box_size,
    double at, double extent, guint n, gint pixels[GRID])
{
  for (guint i = 0; i < GRID; i++) {
    double place = start + (i + 0.5) * size / GRID - moved;
    double pixel = (place - at) / extent * n;
    gboolean inside = place >= box && place < box + box_size && pixel >= 0.0 && pixel < n;
    pixels[i] = inside ? (gint) pixel : -1;
  }
}

static void
sample (const SegPlacedMask *p, const GstVkSegRect *area, guint8 covered[GRID * GRID])
{
  const GstVkSegMask *m = p->mask;
  gint x[GRID], y[GRID];
  double limit = m->low + m->threshold * (m->high - m->low);
  find_pixels (area->x, area->width, p->x, p->box.x, p->box.width, m->rect.x,
      m->rect.width, m->width, x);
  find_pixels (area->y, area->height, p->y, p->box.y, p->box.height, m->rect.y,
      m->rect.height, m->height, y);
  for (guint r = 0; r < GRID; r++)
    for (guint c = 0; c < GRID; c++)
      covered[r * GRID + c] = y[r] >= 0 && x[c] >= 0
                              && m->data[(gsize) y[r] * m->stride + (gsize) x[c]] > limit;
}

double
seg_mask_iou (const SegPlacedMask *a, const SegPlacedMask *b)
{
  guint8 in_a[GRID * GRID], in_b[GRID * GRID];
  guint both = 0, any = 0;
  double x = MIN (a->box.x + a->x, b->box.x + b->x),
         y = MIN (a->box.y + a->y, b->box.y + b->y);
  const GstVkSegRect area = { x, y,
    MAX (a->box.x + a->x + a->box.width, b->box.x + b->x + b->box.width) - x,
    MAX (a->box.y + a->y + a->box.height, b->box.y + b->y + b->box.height) - y };
  sample (a, &area, in_a);
  sample (b, &area, in_b);
  for (guint i = 0; i < GRID * GRID; i++) {
    both += in_a[i] & in_b[i];
    any += in_a[i] | in_b[i];
  }
  return any > 0 ? (double) both / any : 0.0;
}
