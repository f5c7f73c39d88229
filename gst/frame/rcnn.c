/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/rcnn.h"

#include <math.h>
#include <string.h>

#define MAX_STEP 65536

/* Where masks come from and go to. */
typedef struct {
  const float *from; /* all masks; NULL: none */
  guint width, height;
  gboolean whole; /* a mask is of the whole input, and not of its box */
  const SegGeometry *geometry;
  guint step; /* pixels of a mask that become one, along each side */
  guint8 *to;
  gsize used, n_bytes;
} Masks;

/* What is taken of a mask: pixels [x0, x1) x [y0, y1) of it, and a border of nothing. One of its pixels
 * is px_x x px_y pixels of the input, its first at (at_x, at_y). */
typedef struct {
  guint x0, x1, y0, y1, border;
  double px_x, px_y, at_x, at_y;
} Window;

/* --- masks --------------------------------------------------------------------------------------- */

/* What interpolation within [lo, hi) of the frame looks at: pixels [a0, a1) of n. */
static void
clip (double lo, double hi, double scale, double shift, guint n, guint *a0, guint *a1)
{
  *a0 = (guint) CLAMP (floor (lo * scale + shift - 0.5), 0.0, n - 1.0);
  *a1 = (guint) CLAMP (floor (hi * scale + shift - 0.5) + 2.0, *a0 + 1.0, (double) n);
}

/* A mask of the box has a border, so that it fades out there (Detectron2 pastes with zeros outside,
 * torchvision pads by a pixel). */
static Window
window_of (const Masks *m, const SegCandidate *c, const SegInstance *s)
{
  const SegGeometry *g = m->geometry;
  Window w = { .x1 = m->width, .y1 = m->height, .px_x = 1.0, .px_y = 1.0 };
  if (m->whole) {
    clip (s->x, s->x + s->width, g->scale_x, g->shift_x, m->width, &w.x0, &w.x1);
    clip (s->y, s->y + s->height, g->scale_y, g->shift_y, m->height, &w.y0, &w.y1);
    return w;
  }
  w.border = 1;
  w.px_x = (c->box[2] - c->box[0]) / m->width;
  w.px_y = (c->box[3] - c->box[1]) / m->height;
  w.at_x = c->box[0];
  w.at_y = c->box[1];
  return w;
}

static guint
side (guint n, guint step, guint border)
{
  return (guint) (((guint64) n + step - 1) / step) + 2 * border;
}

static gsize
stride_of (guint width)
{
  return ((gsize) width + 3) & ~(gsize) 3;
}

static gsize
window_bytes (const Window *w, guint step)
{
  return stride_of (side (w->x1 - w->x0, step, w->border))
         * side (w->y1 - w->y0, step, w->border);
}

static guint8
to_byte (double p)
{
  return p > 0.0 ? (guint8) (MIN (p, 1.0) * 255.0 + 0.5) : 0;
}

static guint8
mean_of (const Masks *m, const float *from, const Window *w, guint x, guint y)
{
  double sum = 0.0;
  guint n = 0;
  if (m->step == 1)
    return to_byte (from[(gsize) y * m->width + x]);
  for (guint j = y; j < MIN ((guint64) y + m->step, w->y1); j++)
    for (guint i = x; i < MIN ((guint64) x + m->step, w->x1); i++, n++)
      sum += from[(gsize) j * m->width + i];
  return to_byte (n > 0 ? sum / n : 0.0);
}

static void
copy_pixels (const Masks *m, guint number, const Window *w, const SegInstance *s)
{
  const float *from = m->from + (gsize) number * m->width * m->height;
  guint columns = s->mask_width - 2 * w->border, rows = s->mask_height - 2 * w->border;
  memset (m->to + s->mask_offset, 0, (gsize) s->mask_stride * s->mask_height);
  for (guint y = 0; y < rows; y++) {
    guint8 *to = m->to + s->mask_offset + (gsize) (y + w->border) * s->mask_stride;
    for (guint x = 0; x < columns; x++)
      to[w->border + x] = mean_of (m, from, w, w->x0 + x * m->step, w->y0 + y * m->step);
  }
}

static void
add_mask (Masks *m, const SegCandidate *c, SegInstance *s)
{
  const SegGeometry *g = m->geometry;
  Window w = window_of (m, c, s);
  double step_x = w.px_x * m->step, step_y = w.px_y * m->step;
  if (window_bytes (&w, m->step) > m->n_bytes - m->used)
    return;
  s->mask_width = side (w.x1 - w.x0, m->step, w.border);
  s->mask_height = side (w.y1 - w.y0, m->step, w.border);
  s->mask_stride = (guint) stride_of (s->mask_width);
  s->mask_offset = m->used;
  m->used += window_bytes (&w, m->step);
  copy_pixels (m, c->number, &w, s);
  s->mask_x =
      (float) ((w.at_x + w.x0 * w.px_x - w.border * step_x - g->shift_x) / g->scale_x);
  s->mask_y =
      (float) ((w.at_y + w.y0 * w.px_y - w.border * step_y - g->shift_y) / g->scale_y);
  s->mask_w = (float) (s->mask_width * step_x / g->scale_x);
  s->mask_h = (float) (s->mask_height * step_y / g->scale_y);
}

/* The same for all, so that none is left without because others came first. */
static void
choose_step (Masks *m, const SegCandidate *candidates, const SegInstance *items, guint n)
{
  gsize total = G_MAXSIZE;
  for (m->step = 1; m->step <= MAX_STEP; m->step *= 2) {
    total = 0;
    for (guint i = 0; i < n; i++) {
      Window w = window_of (m, &candidates[i], &items[i]);
      total += window_bytes (&w, m->step);
    }
    if (total <= m->n_bytes)
      return;
  }
}

gsize
seg_rcnn_masks_bytes (
    const SegGeometry *g, guint max_instances, guint mask_width, guint mask_height)
{
  gsize least = stride_of (30) * 30, of_input = (gsize) g->net_width * g->net_height;
  gboolean whole = mask_width == g->net_width && mask_height == g->net_height;
  if (mask_width > 0 && !whole)
    least = stride_of (MIN (mask_width, 254) + 2) * (MIN (mask_height, 254) + 2);
  gsize n_bytes = max_instances * least;
  if (mask_width == 0 || whole)
    n_bytes = MAX (n_bytes, 8 * of_input);
  return (n_bytes + 15) & ~(gsize) 15;
}

/* --- outputs ------------------------------------------------------------------------------------- */

static gboolean
check_shapes (const SegRcnnOutputs *o, GError **error)
{
  const SegDesc *b = &o->boxes->desc, *l = &o->labels->desc, *s = &o->scores->desc;
  const SegDesc *m = o->masks != NULL ? &o->masks->desc : NULL;
  gboolean ok = b->rank == 2 && b->dims[1] == 4 && l->rank == 1 && s->rank == 1
                && l->dims[0] == b->dims[0] && s->dims[0] == b->dims[0];
  if (ok && m != NULL)
    ok = (m->rank == 3 || (m->rank == 4 && m->dims[1] == 1)) && m->dims[0] == b->dims[0]
         && (b->dims[0] == 0 || (m->dims[m->rank - 1] > 0 && m->dims[m->rank - 2] > 0));
  if (ok)
    return TRUE;
  g_autofree char *bt = seg_desc_to_string (b), *lt = seg_desc_to_string (l),
                  *st = seg_desc_to_string (s),
                  *mt = m != NULL ? seg_desc_to_string (m) : NULL;
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "boxes %s, labels %s, scores %s%s%s do not belong together: decoder rcnn takes "
      "boxes [n,4], labels [n], scores [n] and masks [n,1,h,w]",
      bt, lt, st, mt != NULL ? " and masks " : "", mt != NULL ? mt : "");
  return FALSE;
}

/* Far outside the frame a box has no meaning, but its mask's place has to be a number. */
static void
take_box (SegCandidate *c, const float *box, const SegGeometry *g)
{
  for (guint i = 0; i < 4; i++) {
    float far = 64.0f * (float) (i % 2 ? g->net_height : g->net_width);
    c->box[i] = isfinite (box[i]) ? CLAMP (box[i], -far, far) : NAN;
  }
}

/* All rows; newly allocated. */
static SegCandidate *
take_rows (const SegTensor *boxes, const SegTensor *labels, const SegTensor *scores,
    const SegGeometry *geometry, GError **error)
{
  guint n = (guint) boxes->desc.dims[0];
  SegCandidate *candidates = g_try_new (SegCandidate, MAX (n, 1));
  if (candidates == NULL)
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "no memory for %u boxes", n);
  for (guint i = 0; candidates != NULL && i < n; i++) {
    gint64 label = seg_tensor_get_int (labels, i);
    candidates[i] = (SegCandidate){ .number = i,
      .class_id = label < 0 || label >= SEG_INFO_MAX_LABELS ? G_MAXUINT : (guint) label,
      .score = ((const float *) scores->data)[i] };
    take_box (&candidates[i], (const float *) boxes->data + 4 * (gsize) i, geometry);
  }
  return candidates;
}

static void
fill_instances (Masks *m, const SegCandidate *candidates, SegInstance *items, guint n)
{
  for (guint i = 0; i < n; i++) {
    items[i] = (SegInstance){ .class_id = candidates[i].class_id,
      .score = MIN (candidates[i].score, 1.0f) };
    seg_box_to_frame (m->geometry, candidates[i].box, &items[i]);
  }
  if (m->from == NULL)
    return;
  choose_step (m, candidates, items, n);
  for (guint i = 0; i < n; i++)
    add_mask (m, &candidates[i], &items[i]);
}

gboolean
seg_rcnn_decode (const SegRcnnOutputs *outputs, const SegInstanceLimits *limits,
    const SegGeometry *geometry, SegInstance *items, guint8 *masks, gsize masks_bytes,
    guint *n, GError **error)
{
  *n = 0;
  if (!check_shapes (outputs, error))
    return FALSE;
  g_autoptr (SegTensor) boxes = seg_tensor_convert (outputs->boxes, SEG_DTYPE_F32, error);
  g_autoptr (SegTensor) scores =
      boxes != NULL ? seg_tensor_convert (outputs->scores, SEG_DTYPE_F32, error) : NULL;
  g_autoptr (SegTensor) floats =
      scores != NULL && outputs->masks != NULL
          ? seg_tensor_convert (outputs->masks, SEG_DTYPE_F32, error)
          : NULL;
  if (scores == NULL || (floats == NULL) != (outputs->masks == NULL))
    return FALSE;
  Masks m = { .geometry = geometry, .to = masks, .n_bytes = masks_bytes };
  if (floats != NULL) {
    const SegDesc *d = &floats->desc;
    m.from = floats->data;
    m.width = (guint) d->dims[d->rank - 1];
    m.height = (guint) d->dims[d->rank - 2];
    m.whole = m.width == geometry->net_width && m.height == geometry->net_height;
  }
  g_autofree SegCandidate *candidates =
      take_rows (boxes, outputs->labels, scores, geometry, error);
  if (candidates == NULL)
    return FALSE;
  *n = seg_candidates_select (candidates, (guint) boxes->desc.dims[0], limits, geometry);
  fill_instances (&m, candidates, items, *n);
  return TRUE;
}
