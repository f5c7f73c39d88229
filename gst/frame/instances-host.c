/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/instances-host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

gboolean
seg_box_to_frame (const SegGeometry *g, const float net[4], SegInstance *instance)
{
  float box[4];
  for (guint i = 0; i < 4; i++) {
    double scale = i % 2 ? g->scale_y : g->scale_x;
    double shift = i % 2 ? g->shift_y : g->shift_x;
    float at = net[i] * (float) (1.0 / scale) + (float) (-shift / scale);
    if (!isfinite (net[i]) || isnan (at))
      return FALSE;
    box[i] = CLAMP (at, 0.0f, (float) (i % 2 ? g->frame_height : g->frame_width));
  }
  instance->x = box[0];
  instance->y = box[1];
  instance->width = box[2] - box[0];
  instance->height = box[3] - box[1];
  return box[2] > box[0] && box[3] > box[1];
}

static int
compare_candidates (const void *pa, const void *pb)
{
  const SegCandidate *a = pa, *b = pb;
  if (a->score != b->score)
    return a->score > b->score ? -1 : 1;
  return a->number < b->number ? -1 : a->number > b->number;
}

static float
area (const float box[4])
{
  return (box[2] - box[0]) * (box[3] - box[1]);
}

/* Far outside the network's input nothing is known; and areas stay finite. */
static void
near_box (const SegGeometry *g, const float box[4], float out[4])
{
  for (guint i = 0; i < 4; i++) {
    float size = (float) (i % 2 ? g->net_height : g->net_width);
    out[i] = CLAMP (box[i], -size, 2.0f * size);
  }
}

static gboolean
overlaps (const SegGeometry *g, const SegCandidate *ca, const SegCandidate *cb, float iou)
{
  float a[4], b[4];
  near_box (g, ca->box, a);
  near_box (g, cb->box, b);
  float w = MIN (a[2], b[2]) - MAX (a[0], b[0]), h = MIN (a[3], b[3]) - MAX (a[1], b[1]);
  float both = MAX (w, 0.0f) * MAX (h, 0.0f);
  return both > iou * (area (a) + area (b) - both);
}

static gboolean
is_candidate (
    const SegCandidate *c, const SegInstanceLimits *limits, const SegGeometry *geometry)
{
  SegInstance unused;
  return c->class_id < SEG_INFO_MAX_LABELS
         && (limits->keep[c->class_id / 32] >> c->class_id % 32 & 1) != 0
         && isfinite (c->score) && c->score >= limits->threshold && c->score > 0.0f
         && seg_box_to_frame (geometry, c->box, &unused);
}

guint
seg_candidates_select (SegCandidate *candidates, guint n, const SegInstanceLimits *limits,
    const SegGeometry *geometry)
{
  guint n_left = 0, n_kept = 0;
  for (guint i = 0; i < n; i++)
    if (is_candidate (&candidates[i], limits, geometry))
      candidates[n_left++] = candidates[i];
  qsort (candidates, n_left, sizeof *candidates, compare_candidates);
  n_left = MIN (n_left, SEG_MAX_CANDIDATES);
  for (guint i = 0; i < n_left && n_kept < (guint) limits->max_instances; i++) {
    gboolean stays = TRUE;
    for (guint k = 0; k < n_kept && stays; k++)
      stays =
          candidates[k].class_id != candidates[i].class_id
          || !overlaps (geometry, &candidates[k], &candidates[i], limits->iou_threshold);
    if (stays)
      candidates[n_kept++] = candidates[i];
  }
  return n_kept;
}

/* --- R-CNN --------------------------------------------------------------------------------------- */

/* Where masks come from and go to. */
typedef struct {
  const float *from; /* all masks; NULL: none */
  guint width, height;
  gboolean whole; /* a mask is of the whole input, and not of its box */
  const SegGeometry *geometry;
  guint8 *to;
  gsize used, n_bytes;
} Masks;

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
                  *st = seg_desc_to_string (s);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "boxes %s, labels %s and scores %s%s do not belong together: decoder rcnn takes "
      "boxes [n,4], labels [n], scores [n] and masks [n,1,h,w]",
      bt, lt, st, m != NULL ? " and the masks" : "");
  return FALSE;
}

static guint8
to_byte (double p)
{
  return p > 0.0 ? (guint8) (MIN (p, 1.0) * 255.0 + 0.5) : 0;
}

static gboolean
take_room (Masks *m, SegInstance *s, gsize width, gsize height)
{
  s->mask_stride = (guint) (width + 3) & ~3u;
  if (s->mask_stride * height > m->n_bytes - m->used)
    return FALSE;
  s->mask_width = (guint) width;
  s->mask_height = (guint) height;
  s->mask_offset = m->used;
  m->used += s->mask_stride * height;
  memset (m->to + s->mask_offset, 0, s->mask_stride * height);
  return TRUE;
}

/* A mask of the box, with a border of nothing so that it fades out there (Detectron2 pastes with
 * zeros outside, torchvision pads by a pixel). */
static void
mask_of_box (Masks *m, const SegCandidate *c, SegInstance *s)
{
  const SegGeometry *g = m->geometry;
  if (!take_room (m, s, m->width + 2, m->height + 2))
    return;
  const float *from = m->from + (gsize) c->number * m->width * m->height;
  for (guint y = 0; y < m->height; y++)
    for (guint x = 0; x < m->width; x++)
      m->to[s->mask_offset + (gsize) (y + 1) * s->mask_stride + x + 1] =
          to_byte (from[(gsize) y * m->width + x]);
  double w = (c->box[2] - c->box[0]) / g->scale_x,
         h = (c->box[3] - c->box[1]) / g->scale_y;
  s->mask_x = (float) ((c->box[0] - g->shift_x) / g->scale_x - w / m->width);
  s->mask_y = (float) ((c->box[1] - g->shift_y) / g->scale_y - h / m->height);
  s->mask_w = (float) (w * (m->width + 2) / m->width);
  s->mask_h = (float) (h * (m->height + 2) / m->height);
}

static double
mean_of (const Masks *m, const float *from, guint x, guint y, guint step)
{
  double sum = 0.0;
  guint n = 0;
  for (guint j = y; j < MIN (y + step, m->height); j++)
    for (guint i = x; i < MIN (x + step, m->width); i++, n++)
      sum += from[(gsize) j * m->width + i];
  return n > 0 ? sum / n : 0.0;
}

/* What of a mask of the whole input interpolation within the box looks at: [a0, a1) of n pixels. */
static void
window (double lo, double hi, double scale, double shift, guint n, guint *a0, guint *a1)
{
  *a0 = (guint) CLAMP (floor (lo * scale + shift - 0.5), 0.0, n - 1.0);
  *a1 = (guint) CLAMP (floor (hi * scale + shift - 0.5) + 2.0, *a0 + 1.0, (double) n);
}

static void
mask_of_input (Masks *m, const SegCandidate *c, SegInstance *s)
{
  const SegGeometry *g = m->geometry;
  const float *from = m->from + (gsize) c->number * m->width * m->height;
  guint x0, x1, y0, y1, step = 1;
  window (s->x, s->x + s->width, g->scale_x, g->shift_x, m->width, &x0, &x1);
  window (s->y, s->y + s->height, g->scale_y, g->shift_y, m->height, &y0, &y1);
  while (!take_room (m, s, (x1 - x0 + step - 1) / step, (y1 - y0 + step - 1) / step)) {
    step *= 2;
    if (step > 256)
      return;
  }
  for (guint y = 0; y < s->mask_height; y++)
    for (guint x = 0; x < s->mask_width; x++)
      m->to[s->mask_offset + (gsize) y * s->mask_stride + x] =
          to_byte (mean_of (m, from, x0 + x * step, y0 + y * step, step));
  s->mask_x = (float) ((x0 - g->shift_x) / g->scale_x);
  s->mask_y = (float) ((y0 - g->shift_y) / g->scale_y);
  s->mask_w = (float) (s->mask_width * step / g->scale_x);
  s->mask_h = (float) (s->mask_height * step / g->scale_y);
}

static void
fill_instance (Masks *m, const SegCandidate *c, SegInstance *s)
{
  memset (s, 0, sizeof *s);
  s->class_id = c->class_id;
  s->score = MIN (c->score, 1.0f);
  seg_box_to_frame (m->geometry, c->box, s);
  if (m->from != NULL && m->whole)
    mask_of_input (m, c, s);
  else if (m->from != NULL)
    mask_of_box (m, c, s);
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

static SegTensor *
as_floats (SegTensor *tensor, GError **error)
{
  return tensor != NULL ? seg_tensor_convert (tensor, SEG_DTYPE_F32, error) : NULL;
}

gboolean
seg_rcnn_decode (const SegRcnnOutputs *outputs, const SegInstanceLimits *limits,
    const SegGeometry *geometry, SegInstance *items, guint8 *masks, gsize masks_bytes,
    guint *n, GError **error)
{
  *n = 0;
  if (!check_shapes (outputs, error))
    return FALSE;
  g_autoptr (SegTensor) boxes = as_floats (outputs->boxes, error);
  g_autoptr (SegTensor) scores =
      boxes != NULL ? as_floats (outputs->scores, error) : NULL;
  g_autoptr (SegTensor) probabilities =
      scores != NULL ? as_floats (outputs->masks, error) : NULL;
  if (scores == NULL || (probabilities == NULL) != (outputs->masks == NULL))
    return FALSE;
  Masks m = { .geometry = geometry, .to = masks, .n_bytes = masks_bytes };
  if (probabilities != NULL) {
    const SegDesc *d = &probabilities->desc;
    m.from = probabilities->data;
    m.width = (guint) d->dims[d->rank - 1];
    m.height = (guint) d->dims[d->rank - 2];
    m.whole = m.width == geometry->net_width && m.height == geometry->net_height;
  }
  guint n_rows = (guint) boxes->desc.dims[0];
  g_autofree SegCandidate *candidates = g_try_new (SegCandidate, MAX (n_rows, 1));
  if (candidates == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "no memory for %u boxes", n_rows);
    return FALSE;
  }
  for (guint i = 0; i < n_rows; i++) {
    gint64 label = seg_tensor_get_int (outputs->labels, i);
    candidates[i] = (SegCandidate){ .number = i,
      .class_id = label < 0 || label >= SEG_INFO_MAX_LABELS ? G_MAXUINT : (guint) label,
      .score = ((const float *) scores->data)[i] };
    take_box (&candidates[i], (const float *) boxes->data + 4 * (gsize) i, geometry);
  }
  *n = seg_candidates_select (candidates, n_rows, limits, geometry);
  for (guint i = 0; i < *n; i++)
    fill_instance (&m, &candidates[i], &items[i]);
  return TRUE;
}
