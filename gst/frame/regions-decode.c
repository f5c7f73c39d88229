/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/regions-priv.h"

#include <math.h>
#include <string.h>

/* Masks of a frame take this much at most; what comes after has none. */
#define MAX_MASK_BYTES (64 * 1024 * 1024)

static float
sigmoid (float v)
{
  return 1.0f / (1.0f + expf (-v));
}

void
seg_region_scores (SegScoring scoring, const float *from, guint n, float *to)
{
  float top = -INFINITY, sum = 0.0f;
  for (guint i = 0; i < n; i++)
    top = from[i] > top ? from[i] : top;
  for (guint i = 0; i < n; i++) {
    to[i] = scoring == SEG_SCORING_SOFTMAX   ? expf (from[i] - top)
            : scoring == SEG_SCORING_SIGMOID ? sigmoid (from[i])
                                             : from[i];
    sum += to[i];
  }
  for (guint i = 0; i < n && scoring == SEG_SCORING_SOFTMAX; i++)
    to[i] /= sum;
}

static gboolean
passes (const SegModelInfo *info, const SegInstanceLimits *limits, guint class_id,
    float score)
{
  return class_id < SEG_INFO_MAX_LABELS && (int) class_id != info->background
         && (limits->keep[class_id / 32] >> class_id % 32 & 1) != 0 && isfinite (score)
         && score >= limits->threshold;
}

/* An object that fills its region. */
static SegRegionResult *
add_result (SegRegions *r, guint region, const SegRoi *roi, guint class_id, float score)
{
  SegRegionResult result = { .region = region };
  SegRoi box = *roi;
  seg_roi_clip (&box, r->frame_width, r->frame_height);
  result.instance = (SegInstance){ .class_id = class_id,
    .score = CLAMP (score, 0.0f, 1.0f),
    .x = box.x,
    .y = box.y,
    .width = box.width,
    .height = box.height };
  g_array_append_val (r->results, result);
  return &g_array_index (r->results, SegRegionResult, r->results->len - 1);
}

static void
decode_class (
    SegRegions *r, guint lane, const SegRoi *roi, const SegInstanceLimits *limits)
{
  const SegModelInfo *info = r->info;
  const SegRegionOutput *scores = seg_region_net_output (r->net, 0);
  guint best = 0;
  seg_region_scores (info->scoring, scores->data + (gsize) lane * info->n_classes,
      info->n_classes, r->probabilities);
  for (guint c = 0; c < info->n_classes; c++)
    if (r->probabilities[c] > r->probabilities[best] || isnan (r->probabilities[best]))
      best = c;
  if (passes (info, limits, best, r->probabilities[best]))
    add_result (r, r->lanes[lane], roi, best, r->probabilities[best]);
}

/* --- maps -------------------------------------------------------------------------------------- */

/* The scores of a picture's pixels. */
typedef struct {
  const float *data;
  guint width, height, n_classes;
  gsize step_x, step_y, step_class;
} Map;

static gboolean
open_map (const SegRegions *r, guint lane, Map *map)
{
  const SegRegionOutput *output = seg_region_net_output (r->net, 0);
  const SegDesc *d = &output->desc;
  int class_axis = r->info->class_axis;
  guint y_axis = d->rank == 4 ? (class_axis == 3 ? 1 : 2) : 1;
  gsize steps[4] = { 0 }, step = 1;
  if (d->rank < 3 || d->rank > 4 || lane >= d->dims[0] || seg_desc_n_elems (d) <= 0)
    return FALSE;
  for (guint i = d->rank; i-- > 0; step *= (gsize) d->dims[i])
    steps[i] = step;
  *map = (Map){ output->data + lane * steps[0], (guint) d->dims[y_axis + 1],
    (guint) d->dims[y_axis], class_axis < 0 ? 1 : (guint) d->dims[class_axis],
    steps[y_axis + 1], steps[y_axis], class_axis < 0 ? 0 : steps[class_axis] };
  return TRUE;
}

static gboolean
is_foreground (const SegModelInfo *info, guint c, guint n)
{
  if (info->foreground->len == 0)
    return info->background >= 0 ? (int) c != info->background : c + 1 == n;
  for (guint i = 0; i < info->foreground->len; i++)
    if (g_array_index (info->foreground, guint, i) == c)
      return TRUE;
  return FALSE;
}

/* One probability a pixel: alpha, one sigmoid, or the foreground's part of a softmax. */
static float
alpha_at (const SegRegions *r, const Map *m, gsize at)
{
  const SegModelInfo *info = r->info;
  float top = -INFINITY, sum = 0.0f, part = 0.0f;
  if (info->decoder != SEG_DECODER_SOFTMAX)
    return info->decoder == SEG_DECODER_SIGMOID ? sigmoid (m->data[at]) : m->data[at];
  for (guint c = 0; c < m->n_classes; c++)
    top = MAX (top, m->data[at + c * m->step_class]);
  for (guint c = 0; c < m->n_classes; c++) {
    float v = m->data[at + c * m->step_class];
    float e = r->ends_in_softmax ? v : expf (v - top);
    sum += e;
    part += is_foreground (info, c, m->n_classes) ? e : 0.0f;
  }
  return part / sum;
}

/* Class of a pixel, and its probability. */
static guint
class_at (const SegRegions *r, const Map *m, gsize at, float *probability)
{
  const SegModelInfo *info = r->info;
  guint best = 0;
  float sum = 0.0f, top = m->data[at];
  *probability = 1.0f;
  if (info->decoder == SEG_DECODER_INDEX)
    return top >= 0.0f && top < SEG_MAX_CLASSES ? (guint) top : G_MAXUINT;
  for (guint c = 1; c < m->n_classes; c++)
    if (m->data[at + c * m->step_class] > top)
      top = m->data[at + (best = c) * m->step_class];
  for (guint c = 0; c < m->n_classes; c++)
    sum += expf (m->data[at + c * m->step_class] - top);
  *probability = info->decoder == SEG_DECODER_SIGMOID ? sigmoid (top)
                 : r->ends_in_softmax                 ? top
                                                      : 1.0f / sum;
  return best;
}

/* Room for a mask of the whole input; NULL when there is none. */
static guint8 *
add_mask (SegRegions *r, SegInstance *s, const Map *m, const SegGeometry *g)
{
  gsize used = r->masks->len, n = (gsize) m->width * m->height;
  if (used + n > MAX_MASK_BYTES)
    return NULL;
  g_byte_array_set_size (r->masks, (guint) (used + n));
  s->mask_width = s->mask_stride = m->width;
  s->mask_height = m->height;
  s->mask_offset = used;
  s->mask_x = (float) (-g->shift_x / g->scale_x);
  s->mask_y = (float) (-g->shift_y / g->scale_y);
  s->mask_w = (float) (g->net_width / g->scale_x);
  s->mask_h = (float) (g->net_height / g->scale_y);
  memset (r->masks->data + used, 0, n);
  return r->masks->data + used;
}

static void
decode_matte (SegRegions *r, const Map *m, guint lane, const SegRoi *roi,
    const SegInstanceLimits *limits)
{
  guint class_id = r->info->n_classes > 1 ? 1 : 0;
  double sum = 0.0;
  guint n = 0, first = r->results->len;
  SegRegionResult *result = add_result (r, r->lanes[lane], roi, class_id, 1.0f);
  guint8 *mask = add_mask (r, &result->instance, m, &r->geometries[lane]);
  for (guint y = 0; y < m->height; y++)
    for (guint x = 0; x < m->width; x++) {
      float a = alpha_at (r, m, y * m->step_y + x * m->step_x);
      a = a > 0.0f ? MIN (a, 1.0f) : 0.0f;
      if (mask != NULL)
        mask[(gsize) y * m->width + x] = (guint8) (a * 255.0f + 0.5f);
      sum += a >= limits->mask_threshold ? a : 0.0f;
      n += a >= limits->mask_threshold;
    }
  result->instance.score = n > 0 ? (float) (sum / n) : 0.0f;
  if (n == 0 || result->instance.score < limits->threshold)
    g_array_set_size (r->results, first);
}

/* Each class that some pixel has: a mask. */
static void
decode_classes (SegRegions *r, const Map *m, guint lane, const SegRoi *roi,
    const SegInstanceLimits *limits)
{
  double sums[SEG_MAX_CLASSES] = { 0 };
  guint counts[SEG_MAX_CLASSES] = { 0 };
  guint8 *masks[SEG_MAX_CLASSES] = { NULL };
  gsize offsets[SEG_MAX_CLASSES] = { 0 };
  float p;
  for (guint i = 0; i < m->width * m->height; i++) {
    guint c = class_at (r, m, i / m->width * m->step_y + i % m->width * m->step_x, &p);
    if (c < SEG_MAX_CLASSES && passes (r->info, limits, c, p)) {
      sums[c] += p;
      counts[c]++;
    }
  }
  for (guint c = 0; c < SEG_MAX_CLASSES; c++) {
    if (counts[c] == 0)
      continue;
    SegRegionResult *result =
        add_result (r, r->lanes[lane], roi, c, (float) (sums[c] / counts[c]));
    masks[c] = add_mask (r, &result->instance, m, &r->geometries[lane]);
    offsets[c] = result->instance.mask_offset;
  }
  for (guint i = 0; i < m->width * m->height; i++) {
    guint c = class_at (r, m, i / m->width * m->step_y + i % m->width * m->step_x, &p);
    if (c < SEG_MAX_CLASSES && masks[c] != NULL && passes (r->info, limits, c, p))
      r->masks->data[offsets[c] + i] = 255;
  }
}

void
seg_region_decode (
    SegRegions *r, guint lane, const SegRoi *roi, const SegInstanceLimits *limits)
{
  Map map;
  const SegModelInfo *info = r->info;
  if (info->decoder == SEG_DECODER_CLASSIFY) {
    decode_class (r, lane, roi, limits);
    return;
  }
  if (!open_map (r, lane, &map))
    return;
  gboolean one = info->decoder == SEG_DECODER_MATTE
                 || info->decoder == SEG_DECODER_SOFTMAX
                 || (info->decoder == SEG_DECODER_SIGMOID && map.n_classes == 1);
  if (one)
    decode_matte (r, &map, lane, roi, limits);
  else
    decode_classes (r, &map, lane, roi, limits);
}
