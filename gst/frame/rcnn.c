/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/rcnn.h"

#include <math.h>
#include <string.h>

#define MAX_STEP 65536
#define FAR      64 /* times the input: farther away is no place */

/* Where masks come from and go to. */
typedef struct {
  const SegTensor *from;  /* all masks; NULL: none */
  const SegTensor *boxes; /* their own, or NULL */
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

/* torchvision's own: the pixels that it pastes a mask to, which has its border of zeros already. */
static Window
window_of_own_box (const Masks *m, guint number)
{
  const SegGeometry *g = m->geometry;
  Window w = { .x1 = m->width, .y1 = m->height };
  double box[4];
  for (guint i = 0; i < 4; i++) {
    double far = FAR * (i % 2 ? g->net_height : g->net_width);
    double at = (double) seg_tensor_get_int (m->boxes, 4 * (gsize) number + i);
    box[i] = CLAMP (at, -far, far);
  }
  w.px_x = MAX (box[2] - box[0] + 1.0, 1.0) / m->width;
  w.px_y = MAX (box[3] - box[1] + 1.0, 1.0) / m->height;
  w.at_x = box[0];
  w.at_y = box[1];
  return w;
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
  if (m->boxes != NULL)
    return window_of_own_box (m, c->number);
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

static double
pixel_of (const Masks *m, gsize from, guint x, guint y)
{
  gsize at = from + (gsize) y * m->width + x;
  return m->from->desc.dtype == SEG_DTYPE_F32
             ? ((const float *) seg_tensor_data (m->from))[at]
             : seg_tensor_get_double (m->from, at);
}

static guint8
mean_of (const Masks *m, gsize from, const Window *w, guint x, guint y)
{
  double sum = 0.0;
  guint n = 0;
  if (m->step == 1)
    return to_byte (pixel_of (m, from, x, y));
  for (guint j = y; j < MIN ((guint64) y + m->step, w->y1); j++)
    for (guint i = x; i < MIN ((guint64) x + m->step, w->x1); i++, n++)
      sum += pixel_of (m, from, i, j);
  return to_byte (n > 0 ? sum / n : 0.0);
}

static void
copy_pixels (const Masks *m, guint number, const Window *w, const SegInstance *s)
{
  gsize from = (gsize) number * m->width * m->height;
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

/* As many elements as n rows of so many have, with perhaps a batch of one around them. */
static gboolean
has_rows (const SegTensor *t, guint rank, gint64 n, gint64 columns)
{
  return (t->desc.rank == rank || (t->desc.rank == rank + 1 && t->desc.dims[0] == 1))
         && seg_desc_n_elems (&t->desc) == n * columns;
}

static gint64
row_count (const SegTensor *boxes)
{
  return boxes->desc.rank < 2 ? -1 : boxes->desc.dims[boxes->desc.rank - 2];
}

static gboolean
shapes_fit (const SegRcnnOutputs *o)
{
  gint64 n = row_count (o->boxes);
  if (n < 0 || n > G_MAXINT32 || !has_rows (o->boxes, 2, n, o->scores != NULL ? 4 : 5)
      || !has_rows (o->labels, 1, n, 1)
      || (o->scores != NULL && !has_rows (o->scores, 1, n, 1)))
    return FALSE;
  if (o->masks == NULL)
    return TRUE;
  const SegDesc *m = &o->masks->desc;
  if (m->rank < 3 || m->rank > 4 || (n > 0 && seg_desc_n_elems (m) == 0)
      || seg_desc_n_elems (m) != n * m->dims[m->rank - 1] * m->dims[m->rank - 2])
    return FALSE;
  return o->mask_boxes == NULL || has_rows (o->mask_boxes, 2, n, 4);
}

static gboolean
check_shapes (const SegRcnnOutputs *o, GError **error)
{
  SegTensor *const all[] = { o->boxes, o->labels, o->scores, o->masks, o->mask_boxes };
  static const char *const names[] = { "boxes", "labels", "scores", "masks",
    "their boxes" };
  g_autoptr (GString) text = NULL;
  if (shapes_fit (o))
    return TRUE;
  text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    g_autofree char *t = all[i] != NULL ? seg_desc_to_string (&all[i]->desc) : NULL;
    if (t != NULL)
      g_string_append_printf (text, "%s%s %s", i > 0 ? ", " : "", names[i], t);
  }
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "%s do not belong together: decoder rcnn takes boxes [n,4], labels [n], scores [n] "
      "and masks [n,1,h,w], or boxes with scores [n,5], labels and masks",
      text->str);
  return FALSE;
}

/* Far outside the frame a box has no meaning, but its mask's place has to be a number. */
static void
take_box (SegCandidate *c, const SegTensor *boxes, gsize at, const SegGeometry *g)
{
  for (guint i = 0; i < 4; i++) {
    float far = (float) FAR * (float) (i % 2 ? g->net_height : g->net_width);
    float v = (float) seg_tensor_get_double (boxes, at + i);
    c->box[i] = isfinite (v) ? CLAMP (v, -far, far) : NAN;
  }
}

gboolean
seg_rcnn_scratch_reserve (SegRcnnScratch *scratch, guint n_boxes, GError **error)
{
  if (n_boxes <= scratch->room)
    return TRUE;
  SegCandidate *more = g_try_renew (SegCandidate, scratch->candidates, n_boxes);
  if (more == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "no memory for %u boxes", n_boxes);
    return FALSE;
  }
  scratch->candidates = more;
  scratch->room = n_boxes;
  return TRUE;
}

void
seg_rcnn_scratch_clear (SegRcnnScratch *scratch)
{
  g_clear_pointer (&scratch->candidates, g_free);
  scratch->room = 0;
}

static void
take_rows (const SegRcnnOutputs *o, const SegGeometry *geometry, SegCandidate *candidates,
    guint n)
{
  gsize columns = o->scores != NULL ? 4 : 5;
  for (guint i = 0; i < n; i++) {
    gint64 label = seg_tensor_get_int (o->labels, i);
    double score = o->scores != NULL ? seg_tensor_get_double (o->scores, i)
                                     : seg_tensor_get_double (o->boxes, i * columns + 4);
    candidates[i] = (SegCandidate){ .number = i,
      .class_id = label < 0 || label >= SEG_INFO_MAX_LABELS ? G_MAXUINT : (guint) label,
      .score = (float) score };
    take_box (&candidates[i], o->boxes, i * columns, geometry);
  }
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
    const SegGeometry *geometry, SegRcnnScratch *scratch, SegInstance *items,
    guint8 *masks, gsize masks_bytes, guint *n, GError **error)
{
  Masks m = { .geometry = geometry, .to = masks, .n_bytes = masks_bytes };
  *n = 0;
  if (!check_shapes (outputs, error))
    return FALSE;
  guint n_boxes = (guint) row_count (outputs->boxes);
  if (!seg_rcnn_scratch_reserve (scratch, n_boxes, error))
    return FALSE;
  if (outputs->masks != NULL) {
    const SegDesc *d = &outputs->masks->desc;
    m.from = outputs->masks;
    m.boxes = outputs->mask_boxes;
    m.width = (guint) d->dims[d->rank - 1];
    m.height = (guint) d->dims[d->rank - 2];
    m.whole = m.boxes == NULL && m.width == geometry->net_width
              && m.height == geometry->net_height;
  }
  take_rows (outputs, geometry, scratch->candidates, n_boxes);
  *n = seg_candidates_select (scratch->candidates, n_boxes, limits, geometry);
  fill_instances (&m, scratch->candidates, items, *n);
  return TRUE;
}
