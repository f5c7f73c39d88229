/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegtrack with objects that move as the test says, and the assignment below it. */
#include "elements/hungarian.h"
#include "elements/overlap.h"
#include "elements/scene.h"
#include "elements/vksegtrack.h"
#include "meta/gstvksegmirror.h"

#include <gst/video/video.h>

static GstHarness *
new_harness (const char *first_property, ...)
{
  va_list args;
  GstElement *element = gst_element_factory_make ("vksegtrack", NULL);
  va_start (args, first_property);
  if (first_property != NULL)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  scene_start (h, "GRAY8", 640, 360);
  return h;
}

/* Pushes a frame; the ids of its objects, 0 where there is none. */
static void
track (GstHarness *h, guint n, const SceneObject *objects, guint n_objects, gint64 *ids)
{
  GstBuffer *in = scene_frame (h, n, objects, n_objects);
  if (n_objects > 0)
    gst_vk_seg_meta_mirror (gst_buffer_get_vk_seg_meta (in), in, GST_VK_SEG_MIRROR_ROI);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_true (out == in);
  for (guint i = 0; i < n_objects; i++) {
    const GstVkSegInstance *o =
        gst_vk_seg_meta_get_instance (gst_buffer_get_vk_seg_meta (out), i);
    ids[i] = o->track_id == GST_VK_SEG_NO_TRACK ? 0 : o->track_id;
    GstVideoRegionOfInterestMeta *roi =
        gst_buffer_get_video_region_of_interest_meta_id (out, o->roi_id);
    gint64 mirrored;
    g_assert_true (gst_structure_get_int64 (
        gst_video_region_of_interest_meta_get_param (roi, GST_VK_SEG_ROI_PARAMS),
        "track-id", &mirrored));
    g_assert_cmpint (mirrored, ==, o->track_id);
  }
}

static SceneObject
person (double x, double y, double score)
{
  return (SceneObject){ 0, GST_VK_SEG_NO_TRACK, x, y, 40, 100, score };
}

/* Two people walk through each other; the one behind is not seen, or hardly, while they meet. */
static void
cross (GstHarness *h, double hidden_score, guint n_frames, double step)
{
  gint64 a = 0, b = 0;
  for (guint n = 0; n < n_frames; n++) {
    double xa = 100 + step * n, xb = 100 + step * (n_frames - 1.0 - n);
    gboolean near = ABS (xa - xb) < 32;
    SceneObject objects[] = { person (xa, 100, 0.9),
      person (xb, 110, near ? hidden_score : 0.85) };
    gint64 ids[2];
    /* In any order. */
    if (n % 3 == 1) {
      SceneObject first = objects[0];
      objects[0] = objects[1];
      objects[1] = first;
    }
    guint n_seen = near && hidden_score <= 0.0 ? 1 : 2;
    if (n_seen == 1)
      objects[0] = person (xa, 100, 0.9);
    track (h, n, objects, n_seen, ids);
    guint ia = n % 3 == 1 && n_seen == 2, ib = !ia;
    if (n == 0) {
      a = ids[ia];
      b = ids[ib];
      g_assert_cmpint (a, >, 0);
      g_assert_cmpint (b, >, 0);
      g_assert_cmpint (a, !=, b);
    }
    if (ids[ia] != a || (n_seen == 2 && ids[ib] != b))
      g_error ("frame %u of %u, hidden %.2f: %d and %d, not %d and %d", n, n_frames,
          hidden_score, (int) ids[ia], n_seen == 2 ? (int) ids[ib] : -1, (int) a,
          (int) b);
  }
}

static void
test_crossing (void)
{
  static const double hidden[] = { 0.8, 0.3, 0.0 };
  for (guint i = 0; i < G_N_ELEMENTS (hidden); i++)
    for (guint mask = 0; mask < 2; mask++) {
      GstHarness *h = new_harness ("mask-weight", (double) mask, NULL);
      cross (h, hidden[i], 80, 4.0);
      scene_finish (h);
    }
}

/* Out of sight for some frames, it is the same one where it must be by now. */
static void
test_occlusion (void)
{
  for (guint gap = 1; gap <= 40; gap += 3) {
    GstHarness *h = new_harness (NULL, NULL);
    gint64 before = 0, after;
    guint n;
    for (n = 0; n < 20; n++) {
      const SceneObject o = person (10 + 5.0 * n, 50, 0.9);
      track (h, n, &o, 1, &before);
    }
    for (; n < 20 + gap; n++)
      track (h, n, &(SceneObject){ 0 }, 0, NULL);
    const SceneObject o = person (10 + 5.0 * n, 50, 0.9);
    track (h, n, &o, 1, &after);
    track (h, n + 1, &(SceneObject){ 0, -1, 15 + 5.0 * n, 50, 40, 100, 0.9 }, 1, &after);
    if ((after == before) != (gap <= 30))
      g_error ("after %u frames: %d and %d", gap, (int) before, (int) after);
    scene_finish (h);
  }
}

static void
test_min_hits (void)
{
  GstHarness *h = new_harness ("min-hits", 3, NULL);
  const SceneObject objects[] = { person (10, 10, 0.9), person (300, 10, 0.9) };
  gint64 ids[2];
  for (guint n = 0; n < 5; n++)
    track (h, n, objects, 1, ids);
  g_assert_cmpint (ids[0], ==, 1);
  static const gint64 want[] = { 0, 0, 2, 2 };
  for (guint n = 0; n < 4; n++) {
    track (h, 5 + n, objects, 2, ids);
    g_assert_cmpint (ids[0], ==, 1);
    g_assert_cmpint (ids[1], ==, want[n]);
  }
  scene_finish (h);
}

static void
test_classes (void)
{
  for (guint aware = 0; aware < 2; aware++) {
    GstHarness *h = new_harness ("class-aware", aware, "min-hits", 1, NULL);
    SceneObject o = person (10, 10, 0.9);
    gint64 before, after;
    track (h, 0, &o, 1, &before);
    o.class_id = 1;
    track (h, 1, &o, 1, &after);
    g_assert_true ((before == after) == !aware);
    scene_finish (h);
  }
}

/* Weak objects are kept when they were known, but are nobody when they were not. */
static void
test_scores (void)
{
  GstHarness *h = new_harness ("min-hits", 1, NULL);
  SceneObject o[] = { person (10, 10, 0.9), person (300, 10, 0.3) };
  gint64 ids[2];
  track (h, 0, o, 2, ids);
  g_assert_cmpint (ids[0], ==, 1);
  g_assert_cmpint (ids[1], ==, 0);
  o[0].score = 0.2;
  track (h, 1, o, 2, ids);
  g_assert_cmpint (ids[0], ==, 1);
  o[0].score = 0.05;
  track (h, 2, o, 2, ids);
  g_assert_cmpint (ids[0], ==, 0);
  scene_finish (h);
}

static void
push_flagged (GstHarness *h, guint n, GstBufferFlags flags, gint64 *id)
{
  const SceneObject o = person (10, 10, 0.9);
  GstBuffer *in = scene_frame (h, n, &o, 1);
  GST_BUFFER_FLAG_SET (in, flags);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  *id = gst_vk_seg_meta_get_instance (gst_buffer_get_vk_seg_meta (out), 0)->track_id;
}

static void
test_resets (void)
{
  GstHarness *h = new_harness (NULL, NULL);
  GstSegment segment;
  gint64 id;
  push_flagged (h, 0, 0, &id);
  push_flagged (h, 1, 0, &id);
  g_assert_cmpint (id, ==, 1);
  /* Some frames were dropped; a jump; back. */
  push_flagged (h, 6, GST_BUFFER_FLAG_DISCONT, &id);
  g_assert_cmpint (id, ==, 1);
  push_flagged (h, 60, GST_BUFFER_FLAG_DISCONT, &id);
  g_assert_cmpint (id, ==, 2);
  push_flagged (h, 59, GST_BUFFER_FLAG_DISCONT, &id);
  g_assert_cmpint (id, ==, 3);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  push_flagged (h, 61, 0, &id);
  g_assert_cmpint (id, ==, 4);
  scene_start (h, "RGB", 320, 360);
  push_flagged (h, 62, 0, &id);
  g_assert_cmpint (id, ==, 5);
  scene_finish (h);
}

/* The network sees every fourth frame; results between say their age, and some are missing. */
static void
test_interval (void)
{
  GstHarness *h = new_harness (NULL, NULL);
  for (guint n = 0; n < 80; n++) {
    const SceneObject o = person (10 + 3.0 * (n / 4 * 4), 10, 0.9);
    GstBuffer *in = scene_frame (h, n, n % 7 == 3 ? NULL : &o, 1);
    GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (in);
    if (meta != NULL)
      meta->age = n % 4;
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
    meta = gst_buffer_get_vk_seg_meta (out);
    if (meta != NULL && gst_vk_seg_meta_get_instance (meta, 0)->track_id != 1)
      g_error ("frame %u: %d", n, (int) gst_vk_seg_meta_get_instance (meta, 0)->track_id);
  }
  scene_finish (h);
}

/* Only every n-th frame comes here, and nobody says so: a result may be new and yet older than the last one has
 * become by the count of frames. */
static void
test_left_out (void)
{
  static const struct {
    guint interval, step;
  } cases[] = { { 2, 3 }, { 4, 3 }, { 5, 4 }, { 4, 5 }, { 3, 2 }, { 5, 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = new_harness (NULL, NULL);
    for (guint n = 0; n < 60; n += cases[i].step) {
      guint age = n % cases[i].interval;
      /* Of the second nobody is sure enough for a track. */
      const SceneObject objects[] = { person (10 + 2.0 * (n - age), 10, 0.9),
        person (500, 200, 0.15) };
      GstBuffer *in = scene_frame (h, n, objects, 2);
      gst_buffer_get_vk_seg_meta (in)->age = age;
      g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
      const GstVkSegInstance *seen =
          gst_vk_seg_meta_get_instance (gst_buffer_get_vk_seg_meta (out), 0);
      if (seen->track_id != 1)
        g_error ("interval %u, frame %u: %d", cases[i].interval, n, (int) seen->track_id);
    }
    guint tracks;
    g_object_get (h->element, "tracks", &tracks, NULL);
    g_assert_cmpuint (tracks, ==, 1);
    g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
    g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
    g_object_get (h->element, "tracks", &tracks, NULL);
    g_assert_cmpuint (tracks, ==, 0);
    scene_finish (h);
  }
}

/* More objects than can be told apart, all over each other: it ends, and soon. */
static void
test_hostile (void)
{
  GstHarness *h = new_harness ("iou-threshold", 0.0, NULL);
  GRand *rand = g_rand_new_with_seed (5);
  guint n_objects = GST_VK_SEG_MAX_INSTANCES;
  g_autofree SceneObject *objects = g_new (SceneObject, n_objects);
  guint tracks;
  for (guint n = 0; n < 6; n++) {
    for (guint i = 0; i < n_objects; i++)
      objects[i] = person (g_rand_double_range (rand, 0, 300),
          g_rand_double_range (rand, 0, 200), g_rand_double (rand));
    gst_buffer_unref (
        gst_harness_push_and_pull (h, scene_frame (h, n, objects, n_objects)));
  }
  g_object_get (h->element, "tracks", &tracks, NULL);
  g_assert_cmpuint (tracks, >, 100);
  g_assert_cmpuint (tracks, <=, 512);
  g_rand_free (rand);
  scene_finish (h);
}

/* --- below the element ---------------------------------------------------------------------------- */

static double
best_by_trying (const double *costs, guint n_rows, guint n_columns, guint row, guint used)
{
  double best = G_MAXDOUBLE;
  if (row == n_rows)
    return 0.0;
  for (guint c = 0; c < n_columns; c++)
    if (!(used >> c & 1))
      best = MIN (
          best, costs[row * n_columns + c]
                    + best_by_trying (costs, n_rows, n_columns, row + 1, used | 1u << c));
  return best;
}

static void
test_hungarian (void)
{
  GRand *rand = g_rand_new_with_seed (3);
  for (guint n = 0; n < 500; n++) {
    guint n_rows = (guint) g_rand_int_range (rand, 1, 7),
          n_columns = (guint) g_rand_int_range (rand, 1, 7);
    double costs[36], turned[36], sum = 0.0;
    gint column_of[6];
    for (guint i = 0; i < n_rows * n_columns; i++)
      costs[i] = g_rand_boolean (rand) ? g_rand_double_range (rand, -2, 2) : 1.0;
    for (guint r = 0; r < n_rows; r++)
      for (guint c = 0; c < n_columns; c++)
        turned[c * n_rows + r] = costs[r * n_columns + c];
    seg_assign (costs, n_rows, n_columns, column_of);
    guint used = 0, n_used = 0;
    for (guint r = 0; r < n_rows; r++)
      if (column_of[r] >= 0) {
        g_assert_false (used >> column_of[r] & 1);
        used |= 1u << column_of[r];
        n_used++;
        sum += costs[r * n_columns + (guint) column_of[r]];
      }
    g_assert_cmpuint (n_used, ==, MIN (n_rows, n_columns));
    double best = n_rows <= n_columns ? best_by_trying (costs, n_rows, n_columns, 0, 0)
                                      : best_by_trying (turned, n_columns, n_rows, 0, 0);
    if (ABS (sum - best) > 1e-9)
      g_error ("%u x %u: %g and not %g", n_rows, n_columns, sum, best);
  }
  g_rand_free (rand);
}

static void
test_overlap (void)
{
  const GstVkSegRect a = { 0, 0, 10, 10 }, b = { 5, 0, 10, 10 }, far = { 50, 0, 1, 1 };
  guint8 *left = g_malloc0 (100);
  for (guint i = 0; i < 100; i++)
    left[i] = i % 10 < 5 ? 255 : 0;
  g_autoptr (GBytes) bytes = g_bytes_new_take (left, 100);
  g_autoptr (GstVkSegMask) mask = gst_vk_seg_mask_new (bytes, 10, 10, 10, &a);
  const SegPlacedMask still = { mask, a, 0, 0 }, moved = { mask, a, 2.5, 0 },
                      away = { mask, a, 5, 0 };
  g_assert_cmpfloat_with_epsilon (seg_box_iou (&a, &b), 1.0 / 3, 1e-12);
  g_assert_cmpfloat (seg_box_iou (&a, &far), ==, 0);
  g_assert_cmpfloat (seg_mask_iou (&still, &still), ==, 1);
  g_assert_cmpfloat_with_epsilon (seg_mask_iou (&still, &moved), 1.0 / 3, 0.05);
  g_assert_cmpfloat (seg_mask_iou (&still, &away), ==, 0);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_ELEMENT_REGISTER (vksegtrack, NULL);
  g_test_add_func ("/vksegtrack/hungarian", test_hungarian);
  g_test_add_func ("/vksegtrack/overlap", test_overlap);
  g_test_add_func ("/vksegtrack/crossing", test_crossing);
  g_test_add_func ("/vksegtrack/occlusion", test_occlusion);
  g_test_add_func ("/vksegtrack/min-hits", test_min_hits);
  g_test_add_func ("/vksegtrack/classes", test_classes);
  g_test_add_func ("/vksegtrack/scores", test_scores);
  g_test_add_func ("/vksegtrack/resets", test_resets);
  g_test_add_func ("/vksegtrack/interval", test_interval);
  g_test_add_func ("/vksegtrack/left-out", test_left_out);
  g_test_add_func ("/vksegtrack/hostile", test_hostile);
  int status = g_test_run ();
  gst_deinit (); /* the leaks tracer looks now */
  return status;
}
