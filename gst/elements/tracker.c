/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/tracker.h"

#include "elements/hungarian.h"
#include "elements/motion.h"
#include "elements/overlap.h"

#include <string.h>

/* What no match costs: more than any match. */
#define NO_MATCH 1.001

typedef struct {
  gint64 id; /* GST_VK_SEG_NO_TRACK before it has been seen often enough */
  gint class_id;
  guint n_hits, n_missed; /* n_missed: frames */
  gboolean lost;          /* not seen in the last result */
  SegMotion motion;
  GstVkSegRect predicted;
  GstVkSegRect seen; /* where it was last */
  GstVkSegMask *mask;
  gint match; /* object of this frame, -1 for none */
} Track;

typedef struct {
  GstVkSegInstance *instance;
  gint track; /* -1: none */
} Object;

struct _SegTracker {
  GArray *tracks; /* Track */
  gint64 next_id;
  guint n_skipped; /* frames since the network saw the one of the last result */
  guint64 n_results;
  GArray *objects;        /* Object, by falling score */
  GArray *boxes;          /* GstVkSegRect: of the last result's objects, in that order */
  GArray *rows, *columns; /* guint: tracks and objects of a matching */
  GArray *costs, *column_of; /* double, gint */
};

static void
track_clear (gpointer data)
{
  Track *track = data;
  g_clear_pointer (&track->mask, gst_vk_seg_mask_unref);
}

SegTracker *
seg_tracker_new (void)
{
  SegTracker *t = g_new0 (SegTracker, 1);
  t->next_id = 1;
  t->tracks = g_array_new (FALSE, TRUE, sizeof (Track));
  g_array_set_clear_func (t->tracks, track_clear);
  t->objects = g_array_new (FALSE, FALSE, sizeof (Object));
  t->boxes = g_array_new (FALSE, FALSE, sizeof (GstVkSegRect));
  t->rows = g_array_new (FALSE, FALSE, sizeof (guint));
  t->columns = g_array_new (FALSE, FALSE, sizeof (guint));
  t->costs = g_array_new (FALSE, FALSE, sizeof (double));
  t->column_of = g_array_new (FALSE, FALSE, sizeof (gint));
  return t;
}

void
seg_tracker_free (SegTracker **tracker)
{
  SegTracker *t = *tracker;
  if (t == NULL)
    return;
  GArray *const arrays[] = { t->tracks, t->objects, t->boxes, t->rows, t->columns,
    t->costs, t->column_of };
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    g_array_unref (arrays[i]);
  g_free (t);
  *tracker = NULL;
}

void
seg_tracker_reset (SegTracker *t)
{
  g_array_set_size (t->tracks, 0);
  t->n_results = 0;
  t->n_skipped = 0;
}

void
seg_tracker_skip (SegTracker *t, guint n_frames)
{
  t->n_skipped += MIN (n_frames, G_MAXINT32 - MIN (t->n_skipped, G_MAXINT32));
}

guint
seg_tracker_n_tracks (const SegTracker *t)
{
  return t->tracks->len;
}

static Track *
track_at (const SegTracker *t, guint i)
{
  return &g_array_index (t->tracks, Track, i);
}

static Object *
object_at (const SegTracker *t, guint i)
{
  return &g_array_index (t->objects, Object, i);
}

/* --- how alike ----------------------------------------------------------------------------------- */

static double
similarity (const Track *track, const GstVkSegInstance *o, const SegTrackerParams *params)
{
  if (params->class_aware && track->class_id != o->class_id)
    return 0.0;
  double box = seg_box_iou (&track->predicted, &o->box);
  if (box <= 0.0 || track->mask == NULL || o->mask == NULL || params->mask_weight <= 0.0)
    return box;
  const GstVkSegRect *p = &track->predicted, *s = &track->seen;
  const SegPlacedMask before = { track->mask, *s,
    p->x + p->width / 2.0 - s->x - s->width / 2.0,
    p->y + p->height / 2.0 - s->y - s->height / 2.0 };
  const SegPlacedMask now = { o->mask, o->box, 0.0, 0.0 };
  double mask = seg_mask_iou (&before, &now);
  return box + params->mask_weight * (mask - box);
}

/* Matches the tracks in `rows` with the objects in `columns`. */
static void
match (SegTracker *t, const SegTrackerParams *params, double threshold)
{
  guint n_rows = t->rows->len, n_columns = t->columns->len;
  if (n_rows == 0 || n_columns == 0)
    return;
  g_array_set_size (t->costs, n_rows * n_columns);
  g_array_set_size (t->column_of, n_rows);
  double *costs = (double *) t->costs->data;
  for (guint r = 0; r < n_rows; r++)
    for (guint c = 0; c < n_columns; c++) {
      double s = similarity (track_at (t, g_array_index (t->rows, guint, r)),
          object_at (t, g_array_index (t->columns, guint, c))->instance, params);
      costs[r * n_columns + c] = s >= threshold && s > 0.0 ? 1.0 - s : NO_MATCH;
    }
  seg_assign (costs, n_rows, n_columns, (gint *) t->column_of->data);
  for (guint r = 0; r < n_rows; r++) {
    gint c = g_array_index (t->column_of, gint, r);
    if (c < 0 || costs[r * n_columns + (guint) c] >= NO_MATCH)
      continue;
    guint row = g_array_index (t->rows, guint, r);
    guint column = g_array_index (t->columns, guint, c);
    track_at (t, row)->match = (gint) column;
    object_at (t, column)->track = (gint) row;
  }
}

/* Those without a match, of tracks (with_lost: also those not seen last time) and of objects with
 * scores from `low` up to `high`. */
static void
choose (SegTracker *t, gboolean with_lost, double low, double high)
{
  g_array_set_size (t->rows, 0);
  g_array_set_size (t->columns, 0);
  for (guint i = 0; i < t->tracks->len; i++)
    if (track_at (t, i)->match < 0 && (with_lost || !track_at (t, i)->lost))
      g_array_append_val (t->rows, i);
  for (guint i = 0; i < t->objects->len; i++) {
    const Object *o = object_at (t, i);
    if (o->track < 0 && o->instance->score >= low && o->instance->score < high)
      g_array_append_val (t->columns, i);
  }
}

/* --- tracks --------------------------------------------------------------------------------------- */

static void
predict (SegTracker *t, guint n_frames)
{
  for (guint i = 0; i < t->tracks->len; i++) {
    Track *track = track_at (t, i);
    seg_motion_predict (&track->motion, n_frames, !track->lost);
    track->predicted = seg_motion_box (&track->motion);
    track->match = -1;
  }
}

static void
take_sight (Track *track, const GstVkSegInstance *o)
{
  track->seen = o->box;
  track->class_id = o->class_id;
  track->n_missed = 0;
  track->n_hits++;
  track->lost = FALSE;
  g_clear_pointer (&track->mask, gst_vk_seg_mask_unref);
  track->mask = o->mask != NULL ? gst_vk_seg_mask_ref (o->mask) : NULL;
}

/* From the end, as removing moves the last one to the hole. */
static void
age_tracks (SegTracker *t, const SegTrackerParams *params, guint n_frames)
{
  for (guint i = t->tracks->len; i-- > 0;) {
    Track *track = track_at (t, i);
    if (track->match >= 0) {
      const GstVkSegInstance *o = object_at (t, (guint) track->match)->instance;
      seg_motion_update (&track->motion, &o->box);
      take_sight (track, o);
      continue;
    }
    track->lost = TRUE;
    track->n_missed += n_frames;
    if (track->n_missed > params->max_age || track->id == GST_VK_SEG_NO_TRACK)
      g_array_remove_index_fast (t->tracks, i);
  }
}

static void
start_tracks (SegTracker *t, const SegTrackerParams *params)
{
  for (guint i = 0; i < t->objects->len; i++) {
    const Object *o = object_at (t, i);
    if (o->track >= 0 || o->instance->score < params->high_score
        || t->tracks->len >= 2 * SEG_TRACKER_MAX_OBJECTS)
      continue;
    Track track = { .id = GST_VK_SEG_NO_TRACK, .match = (gint) i };
    seg_motion_init (&track.motion, &o->instance->box);
    take_sight (&track, o->instance);
    g_array_append_val (t->tracks, track);
  }
}

/* As in SORT, who is there from the start need not wait. */
static void
give_ids (SegTracker *t, const SegTrackerParams *params)
{
  for (guint i = 0; i < t->tracks->len; i++) {
    Track *track = track_at (t, i);
    if (track->match < 0)
      continue;
    if (track->id == GST_VK_SEG_NO_TRACK
        && (track->n_hits >= params->min_hits || t->n_results <= params->min_hits))
      track->id = t->next_id++;
    object_at (t, (guint) track->match)->instance->track_id = track->id;
  }
}

/* --- a frame -------------------------------------------------------------------------------------- */

static gint
by_falling_score (gconstpointer a, gconstpointer b)
{
  double p = ((const Object *) a)->instance->score,
         q = ((const Object *) b)->instance->score;
  return p > q ? -1 : p < q;
}

static void
take_objects (SegTracker *t, const GstVkSegMeta *meta)
{
  guint state = 0;
  Object object = { .track = -1 };
  g_array_set_size (t->objects, 0);
  while ((object.instance = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL) {
    object.instance->track_id = GST_VK_SEG_NO_TRACK;
    g_array_append_val (t->objects, object);
  }
  g_array_sort (t->objects, by_falling_score);
  g_array_set_size (t->objects, MIN (t->objects->len, SEG_TRACKER_MAX_OBJECTS));
}

static gboolean
same_box (const GstVkSegRect *a, const GstVkSegRect *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

/* That the result is older than the frames that came since the last one is not enough: some may have
 * been dropped on the way here, and this be the first that came with it. */
static gboolean
is_repeated (const SegTracker *t, const GstVkSegMeta *meta)
{
  if (t->n_results == 0 || meta->age <= t->n_skipped || t->objects->len != t->boxes->len)
    return FALSE;
  for (guint i = 0; i < t->objects->len; i++)
    if (!same_box (
            &object_at (t, i)->instance->box, &g_array_index (t->boxes, GstVkSegRect, i)))
      return FALSE;
  return TRUE;
}

static void
keep_boxes (SegTracker *t)
{
  g_array_set_size (t->boxes, 0);
  for (guint i = 0; i < t->objects->len; i++)
    g_array_append_val (t->boxes, object_at (t, i)->instance->box);
}

/* A result that is shown again says nothing new; its objects are where they were seen. */
static void
repeat (SegTracker *t)
{
  for (guint i = 0; i < t->objects->len; i++) {
    GstVkSegInstance *o = object_at (t, i)->instance;
    for (guint k = 0; k < t->tracks->len; k++)
      if (!track_at (t, k)->lost && same_box (&track_at (t, k)->seen, &o->box))
        o->track_id = track_at (t, k)->id;
  }
}

void
seg_tracker_update (SegTracker *t, const SegTrackerParams *params, GstVkSegMeta *meta)
{
  guint n_frames = t->n_skipped + 1;
  take_objects (t, meta);
  gboolean repeated = is_repeated (t, meta);
  t->n_skipped = MIN (meta->age, G_MAXINT32);
  if (repeated) {
    repeat (t);
    return;
  }
  keep_boxes (t);
  /* Objects are where they were when the network saw them. */
  n_frames -= MIN (meta->age, n_frames - 1);
  t->n_results++;
  predict (t, n_frames);
  choose (t, TRUE, params->high_score, G_MAXDOUBLE);
  match (t, params, params->iou_threshold);
  choose (t, FALSE, params->low_score, params->high_score);
  match (t, params, params->low_iou_threshold);
  age_tracks (t, params, n_frames);
  start_tracks (t, params);
  give_ids (t, params);
}
