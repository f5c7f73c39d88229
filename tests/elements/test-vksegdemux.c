/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegdemux with metas made by hand. */
#include "elements/scene.h"
#include "elements/vksegdemux.h"

#include <gst/video/video.h>

#include <string.h>

static const SceneObject two[] = { { 0, 7, 4, 4, 20, 20, 0.9 },
  { 1, 9, 32, 8, 16, 30, 0.8 } };

static GstHarness *
new_harness (void)
{
  GstElement *element = gst_element_factory_make ("vksegdemux", NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  return h;
}

static GstHarness *
add_stream (GstHarness *h, const char *name)
{
  return gst_harness_new_with_element (h->element, NULL, name);
}

static void
remove_stream (GstHarness *h)
{
  gst_harness_teardown (h);
}

/* The class of a value at the centre of each object and outside of them. */
static void
check_pixels (GstHarness *stream, GstBuffer *buffer, const SceneObject *objects,
    guint n_objects, const guint8 *inside)
{
  GstVideoInfo info;
  GstVideoFrame f;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (stream->sinkpad);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&f, &info, buffer, GST_MAP_READ));
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&f, 0);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (&f, 0);
  g_assert_cmpint (data[0], ==, 0);
  for (guint i = 0; i < n_objects; i++) {
    gint x = (gint) (objects[i].x + objects[i].width / 2);
    gint y = (gint) (objects[i].y + objects[i].height / 2);
    if (data[y * stride + x] != inside[i])
      g_error ("%dx%d object %u: %u at %d,%d and not %u", info.width, info.height, i,
          data[y * stride + x], x, y, inside[i]);
  }
  gst_video_frame_unmap (&f);
}

static gint64
track_of (GstHarness *stream)
{
  g_autoptr (GstPad) pad = gst_pad_get_peer (stream->sinkpad);
  gint64 id;
  g_object_get (pad, "track-id", &id, NULL);
  return id;
}

/* Pulls a buffer if there is one; else a gap event must have come. */
static GstBuffer *
pull (GstHarness *stream)
{
  GstBuffer *buffer = gst_harness_try_pull (stream);
  if (buffer != NULL)
    return buffer;
  GstEvent *event;
  gboolean gap = FALSE;
  while ((event = gst_harness_try_pull_event (stream)) != NULL) {
    gap = gap || GST_EVENT_TYPE (event) == GST_EVENT_GAP;
    gst_event_unref (event);
  }
  g_assert_true (gap);
  return NULL;
}

/* --- streams ------------------------------------------------------------------------------------ */

static void
test_all_streams (void)
{
  static const guint8 both[] = { 255, 255 }, first[] = { 255, 0 }, second[] = { 0, 255 };
  static const struct {
    const char *name;
    const guint8 *inside;
  } streams[] = { { "mask", both }, { "matte", both }, { "instance_%u", first },
    { "instance_%u", second }, { "instance_%u", NULL }, { "meta", NULL } };
  GstHarness *h = new_harness (), *s[G_N_ELEMENTS (streams)];
  for (guint i = 0; i < G_N_ELEMENTS (s); i++)
    s[i] = add_stream (h, streams[i].name);
  scene_start (h, "NV12", SCENE_WIDTH, SCENE_HEIGHT);
  for (guint n = 0; n < 5; n++) {
    GstBuffer *in = scene_frame (h, n, two, 2);
    GstBuffer *video = gst_harness_push_and_pull (h, gst_buffer_ref (in));
    /* Untouched, and not even copied. */
    g_assert_true (video == in);
    gst_buffer_unref (in);
    gst_buffer_unref (video);
    for (guint i = 0; i < G_N_ELEMENTS (s); i++) {
      g_autoptr (GstBuffer) out = pull (s[i]);
      g_assert_true ((out == NULL) == (i == 4));
      if (out == NULL)
        continue;
      g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n * (GST_SECOND / 25));
      g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, GST_SECOND / 25);
      if (streams[i].inside != NULL)
        check_pixels (s[i], out, two, 2, streams[i].inside);
    }
  }
  g_assert_cmpint (track_of (s[2]), ==, 7);
  g_assert_cmpint (track_of (s[3]), ==, 9);
  g_assert_cmpint (track_of (s[4]), ==, GST_VK_SEG_NO_TRACK);
  for (guint i = 0; i < G_N_ELEMENTS (s); i++)
    remove_stream (s[i]);
  scene_finish (h);
}

/* What comes first on a stream, in order, with ids of its own and the group of the video. */
static void
test_events (void)
{
  static const GstEventType want[] = { GST_EVENT_STREAM_START,
    GST_EVENT_STREAM_COLLECTION, GST_EVENT_CAPS, GST_EVENT_SEGMENT };
  GstHarness *h = new_harness (), *s = add_stream (h, "instance_5");
  const gchar *id, *video_id;
  guint group, video_group;
  scene_start (h, "RGB", 31, 17);
  gst_harness_push (h, scene_frame (h, 3, two, 2));
  for (guint i = 0; i < G_N_ELEMENTS (want); i++) {
    g_autoptr (GstEvent) event = gst_harness_pull_event (s);
    g_assert_cmpint (GST_EVENT_TYPE (event), ==, want[i]);
  }
  g_autoptr (GstEvent) start =
      gst_pad_get_sticky_event (s->sinkpad, GST_EVENT_STREAM_START, 0);
  g_autoptr (GstEvent) video =
      gst_pad_get_sticky_event (h->sinkpad, GST_EVENT_STREAM_START, 0);
  gst_event_parse_stream_start (start, &id);
  gst_event_parse_stream_start (video, &video_id);
  g_assert_true (g_str_has_suffix (id, "instance_5"));
  g_assert_cmpstr (id, !=, video_id);
  g_assert_true (gst_event_parse_group_id (start, &group));
  if (gst_event_parse_group_id (video, &video_group))
    g_assert_cmpuint (group, ==, video_group);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (s->sinkpad);
  g_autoptr (GstCaps) same =
      gst_caps_from_string ("video/x-raw,format=GRAY8,width=31,height=17,framerate=25/"
                            "1,pixel-aspect-ratio=1/1");
  g_assert_true (gst_caps_can_intersect (caps, same));
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  g_autoptr (GstEvent) eos = gst_harness_pull_event (s);
  g_assert_cmpint (GST_EVENT_TYPE (eos), ==, GST_EVENT_EOS);
  remove_stream (s);
  scene_finish (h);
}

/* Each frame has a line, whatever is on it. */
static void
test_text (void)
{
  GstHarness *h = new_harness (), *s = add_stream (h, "meta");
  g_object_set (h->element, "json-masks", 3, NULL);
  scene_start (h, "GRAY8", SCENE_WIDTH, SCENE_HEIGHT);
  gst_harness_push (h, scene_frame (h, 0, NULL, 0));
  gst_harness_push (h, scene_frame (h, 1, two, 0));
  gst_harness_push (h, scene_frame (h, 2, two, 2));
  static const char *const want[] = { "{\"pts\":0,\"type\":null}\n",
    "\"instances\":[]}\n",
    ("\"track_id\":9,\"class_id\":1,\"label\":\"dog\",\"score\":0.8000,"
     "\"box\":[32.00,8.00,16.00,30.00],\"segmentation\":{\"size\":[48,64],\"counts\":"
     "\"") };
  for (guint i = 0; i < G_N_ELEMENTS (want); i++) {
    GstMapInfo map;
    g_autoptr (GstBuffer) out = gst_harness_pull (s);
    g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
    g_autofree char *text = g_strndup ((char *) map.data, map.size);
    if (strstr (text, want[i]) == NULL || !g_str_has_suffix (text, "\n"))
      g_error ("line %u: %s", i, text);
    gst_buffer_unmap (out, &map);
  }
  remove_stream (s);
  scene_finish (h);
}

/* --- objects and pads ----------------------------------------------------------------------------- */

static void
push_objects (GstHarness *h, guint *n, const SceneObject *objects, guint n_objects)
{
  gst_buffer_unref (
      gst_harness_push_and_pull (h, scene_frame (h, (*n)++, objects, n_objects)));
}

static gint64
pull_track (GstHarness *stream)
{
  g_autoptr (GstBuffer) buffer = pull (stream);
  if (buffer == NULL)
    return -2;
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 1);
  return gst_vk_seg_meta_get_instance (meta, 0)->track_id;
}

/* An object keeps its pad while it is away, whatever the order; then another gets it. */
static void
test_keeps_pad (void)
{
  const SceneObject swapped[] = { two[1], two[0] },
                    other[] = { { 2, 11, 40, 4, 12, 12, 0.95 }, two[1] };
  GstHarness *h = new_harness ();
  GstHarness *s0 = add_stream (h, "instance_0"), *s1 = add_stream (h, "instance_1");
  guint n = 0;
  g_object_set (h->element, "hold", 3, NULL);
  scene_start (h, "NV12", SCENE_WIDTH, SCENE_HEIGHT);
  push_objects (h, &n, two, 2);
  g_assert_cmpint (pull_track (s0), ==, 7);
  g_assert_cmpint (pull_track (s1), ==, 9);
  push_objects (h, &n, swapped, 2);
  g_assert_cmpint (pull_track (s0), ==, 7);
  g_assert_cmpint (pull_track (s1), ==, 9);
  for (guint i = 0; i < 3; i++) {
    push_objects (h, &n, other, 2);
    g_assert_cmpint (pull_track (s0), ==, -2);
    g_assert_cmpint (pull_track (s1), ==, 9);
  }
  push_objects (h, &n, other, 2);
  g_assert_cmpint (pull_track (s0), ==, 11);
  g_assert_cmpint (pull_track (s1), ==, 9);
  remove_stream (s0);
  remove_stream (s1);
  scene_finish (h);
}

static void
test_without_tracks (void)
{
  SceneObject none[] = { two[0], two[1] };
  none[0].track_id = none[1].track_id = GST_VK_SEG_NO_TRACK;
  GstHarness *h = new_harness ();
  GstHarness *s0 = add_stream (h, "instance_0"), *s1 = add_stream (h, "instance_1");
  guint n = 0;
  static const guint8 first[] = { 255, 0 };
  scene_start (h, "NV12", SCENE_WIDTH, SCENE_HEIGHT);
  push_objects (h, &n, none, 2);
  gst_buffer_unref (gst_harness_pull (s1));
  push_objects (h, &n, none, 1);
  g_assert_null (pull (s1));
  gst_buffer_unref (gst_harness_pull (s0));
  g_autoptr (GstBuffer) out = gst_harness_pull (s0);
  check_pixels (s0, out, two, 2, first);
  remove_stream (s0);
  remove_stream (s1);
  scene_finish (h);
}

/* --- while playing ------------------------------------------------------------------------------ */

static void
test_renegotiation (void)
{
  static const struct {
    const char *format;
    guint width, height;
  } steps[] = { { "NV12", 64, 48 }, { "RGBA", 64, 48 }, { "I420", 101, 77 },
    { "GRAY8", 1, 1 }, { "RGB", 333, 3 }, { "NV12", 64, 48 } };
  GstHarness *h = new_harness ();
  GstHarness *mask = add_stream (h, "mask"), *s = add_stream (h, "instance_0");
  guint n = 0;
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    scene_start (h, steps[i].format, steps[i].width, steps[i].height);
    for (guint k = 0; k < 2; k++) {
      const SceneObject all = { 0, 7, 0, 0, steps[i].width, steps[i].height, 0.9 };
      static const guint8 inside[] = { 255 };
      push_objects (h, &n, &all, 1);
      g_autoptr (GstBuffer) a = gst_harness_pull (mask), b = gst_harness_pull (s);
      if (steps[i].width > 30 && steps[i].height > 30) {
        check_pixels (mask, a, &all, 1, inside);
        check_pixels (s, b, &all, 1, inside);
      }
    }
  }
  remove_stream (mask);
  remove_stream (s);
  scene_finish (h);
}

static void
test_flush (void)
{
  GstHarness *h = new_harness (), *s = add_stream (h, "instance_0");
  GstSegment segment;
  guint n = 0;
  scene_start (h, "NV12", SCENE_WIDTH, SCENE_HEIGHT);
  push_objects (h, &n, two, 1);
  g_assert_cmpint (pull_track (s), ==, 7);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  g_assert_cmpint (track_of (s), ==, GST_VK_SEG_NO_TRACK);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 1234;
  GstEvent *sent = gst_event_new_segment (&segment);
  guint32 seqnum = gst_event_get_seqnum (sent);
  g_assert_true (gst_harness_push_event (h, sent));
  push_objects (h, &n, two + 1, 1);
  g_assert_cmpint (pull_track (s), ==, 9);
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (s->sinkpad, GST_EVENT_SEGMENT, 0);
  const GstSegment *got;
  gst_event_parse_segment (event, &got);
  g_assert_cmpuint (got->start, ==, 1234);
  g_assert_cmpuint (gst_event_get_seqnum (event), ==, seqnum);
  remove_stream (s);
  scene_finish (h);
}

static gboolean stop;

static gpointer
request_and_release (gpointer element)
{
  static const char *const names[] = { "mask", "instance_%u", "meta", "instance_3",
    "matte" };
  for (guint i = 0; !g_atomic_int_get (&stop); i++) {
    GstHarness *s =
        gst_harness_new_with_element (element, NULL, names[i % G_N_ELEMENTS (names)]);
    g_autoptr (GstBuffer) out = NULL;
    for (guint k = 0; k < 50 && out == NULL && !g_atomic_int_get (&stop); k++) {
      out = gst_harness_try_pull (s);
      g_usleep (100);
    }
    gst_harness_teardown (s);
  }
  return NULL;
}

static void
test_pads_while_playing (void)
{
  GstHarness *h = new_harness (), *s = add_stream (h, "instance_0");
  guint n = 0;
  scene_start (h, "NV12", SCENE_WIDTH, SCENE_HEIGHT);
  g_atomic_int_set (&stop, FALSE);
  GThread *thread = g_thread_new ("pads", request_and_release, h->element);
  for (guint i = 0; i < 3000; i++) {
    push_objects (h, &n, two, 2);
    g_assert_cmpint (pull_track (s), ==, 7);
  }
  g_atomic_int_set (&stop, TRUE);
  g_thread_join (thread);
  remove_stream (s);
  scene_finish (h);
}

static void
test_pad_names (void)
{
  GstElement *e = gst_object_ref_sink (gst_element_factory_make ("vksegdemux", NULL));
  GstPad *a = gst_element_request_pad_simple (e, "instance_1");
  GstPad *b = gst_element_request_pad_simple (e, "instance_%u");
  GstPad *c = gst_element_request_pad_simple (e, "instance_%u");
  GstPad *mask = gst_element_request_pad_simple (e, "mask");
  g_assert_cmpstr (GST_PAD_NAME (a), ==, "instance_1");
  g_assert_cmpstr (GST_PAD_NAME (b), ==, "instance_0");
  g_assert_cmpstr (GST_PAD_NAME (c), ==, "instance_2");
  GstPad *pads[] = { a, b, c, mask };
  for (guint i = 0; i < G_N_ELEMENTS (pads); i++) {
    gst_element_release_request_pad (e, pads[i]);
    gst_object_unref (pads[i]);
  }
  gst_object_unref (e);
}

/* A stream that nobody takes is not made, and is no reason to stop. */
static void
test_unlinked (void)
{
  GstHarness *h = new_harness ();
  GstPad *pad = gst_element_request_pad_simple (h->element, "instance_0");
  GstPad *mask = gst_element_request_pad_simple (h->element, "mask");
  guint n = 0;
  gint64 id;
  scene_start (h, "NV12", SCENE_WIDTH, SCENE_HEIGHT);
  push_objects (h, &n, two, 2);
  g_object_get (pad, "track-id", &id, NULL);
  g_assert_cmpint (id, ==, GST_VK_SEG_NO_TRACK);
  g_assert_false (gst_pad_has_current_caps (mask));
  gst_element_release_request_pad (h->element, pad);
  gst_element_release_request_pad (h->element, mask);
  gst_object_unref (pad);
  gst_object_unref (mask);
  scene_finish (h);
}

/* Somebody who does not want more stops only when everybody does. */
static void
test_flow (void)
{
  GstHarness *h = new_harness (), *s = add_stream (h, "mask");
  scene_start (h, "NV12", SCENE_WIDTH, SCENE_HEIGHT);
  gst_harness_set_drop_buffers (s, TRUE);
  g_assert_cmpint (gst_harness_push (h, scene_frame (h, 0, two, 2)), ==, GST_FLOW_OK);
  gst_pad_set_active (s->sinkpad, FALSE);
  g_assert_cmpint (
      gst_harness_push (h, scene_frame (h, 1, two, 2)), ==, GST_FLOW_FLUSHING);
  remove_stream (s);
  g_assert_cmpint (gst_harness_push (h, scene_frame (h, 2, two, 2)), ==, GST_FLOW_OK);
  scene_finish (h);
}

static GstFlowReturn
take_none (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_NOT_LINKED;
}

static GstFlowReturn
take_no_more (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_EOS;
}

/* A pad that is requested and not linked keeps nobody working. */
static void
test_end (void)
{
  GstHarness *h = new_harness ();
  GstPad *pad = gst_element_request_pad_simple (h->element, "mask");
  scene_start (h, "GRAY8", SCENE_WIDTH, SCENE_HEIGHT);
  g_assert_cmpint (gst_harness_push (h, scene_frame (h, 0, two, 2)), ==, GST_FLOW_OK);
  gst_pad_set_chain_function (h->sinkpad, take_no_more);
  g_assert_cmpint (gst_harness_push (h, scene_frame (h, 1, two, 2)), ==, GST_FLOW_EOS);
  gst_element_release_request_pad (h->element, pad);
  gst_object_unref (pad);
  scene_finish (h);
}

static gpointer
request_over_and_over (gpointer data)
{
  GstElement *element = data;
  gint64 end = g_get_monotonic_time () + 2 * G_USEC_PER_SEC;
  while (g_get_monotonic_time () < end) {
    GstPad *pad = gst_element_request_pad_simple (element, "instance_%u");
    gst_element_release_request_pad (element, pad);
    gst_object_unref (pad);
  }
  return NULL;
}

/* Pads that come and go do not stop frames: those of one stream go nowhere, so that all are asked each time. */
static void
test_requests (void)
{
  GstHarness *h = new_harness (), *s = add_stream (h, "meta");
  scene_start (h, "GRAY8", SCENE_WIDTH, SCENE_HEIGHT);
  gst_harness_set_drop_buffers (s, TRUE);
  gst_pad_set_chain_function (h->sinkpad, take_none);
  g_autoptr (GThread) thread =
      g_thread_new ("requests", request_over_and_over, gst_object_ref (h->element));
  gint64 end = g_get_monotonic_time () + 2 * G_USEC_PER_SEC;
  for (guint n = 0; g_get_monotonic_time () < end; n++)
    g_assert_cmpint (gst_harness_push (h, scene_frame (h, n, two, 0)), ==, GST_FLOW_OK);
  g_thread_join (g_steal_pointer (&thread));
  gst_object_unref (h->element);
  remove_stream (s);
  scene_finish (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_ELEMENT_REGISTER (vksegdemux, NULL);
  g_test_add_func ("/vksegdemux/all-streams", test_all_streams);
  g_test_add_func ("/vksegdemux/events", test_events);
  g_test_add_func ("/vksegdemux/text", test_text);
  g_test_add_func ("/vksegdemux/keeps-pad", test_keeps_pad);
  g_test_add_func ("/vksegdemux/without-tracks", test_without_tracks);
  g_test_add_func ("/vksegdemux/renegotiation", test_renegotiation);
  g_test_add_func ("/vksegdemux/flush", test_flush);
  g_test_add_func ("/vksegdemux/pads-while-playing", test_pads_while_playing);
  g_test_add_func ("/vksegdemux/pad-names", test_pad_names);
  g_test_add_func ("/vksegdemux/unlinked", test_unlinked);
  g_test_add_func ("/vksegdemux/flow", test_flow);
  g_test_add_func ("/vksegdemux/end", test_end);
  g_test_add_func ("/vksegdemux/requests", test_requests);
  int status = g_test_run ();
  gst_deinit (); /* the leaks tracer looks now */
  return status;
}
