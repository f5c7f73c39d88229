/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A trained network on real pictures, from a file to pixels, streams and text: test-end-to-end SHARED
 * MODELINFO. SHARED has models/yolov8n_seg_320/model.onnx, media/dog.jpg (768 x 576: a dog, a bicycle, a
 * truck) and media/vtest.avi (795 frames of people who walk by); without it all is skipped. Of the
 * video VKSEG_TEST_FRAMES frames are looked at, 795 for all of it. */
#include "coco-rle.h"

#include "elements/vksegdemux.h"
#include "elements/vksegment.h"
#include "elements/vksegtrack.h"
#include "lib/device.h"
#include "meta/gstvksegmeta.h"

#include <json-glib/json-glib.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  768
#define HEIGHT 576

static const char *shared, *info;

/* --- pipelines ----------------------------------------------------------------------------------- */

static GstElement *
make_pipeline (const char *format, ...)
{
  GError *error = NULL;
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  GstElement *pipeline = gst_parse_launch (text, &error);
  g_assert_no_error (error);
  return pipeline;
}

static void
on_buffer (GstPipeline *pipeline, const char *sink, GCallback callback, gpointer data)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), sink);
  g_object_set (element, "signal-handoffs", TRUE, "sync", FALSE, "async", FALSE, NULL);
  g_signal_connect (element, "handoff", callback, data);
  gst_object_unref (element);
}

static void
run (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    g_autofree char *debug = NULL;
    gst_message_parse_error (message, &error, &debug);
    g_error ("%s (%s)", error->message, debug);
  }
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static gboolean
has (const char *element)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (element);
  if (factory == NULL)
    g_test_skip (element);
  return factory != NULL;
}

/* --- a picture ------------------------------------------------------------------------------------- */

typedef struct {
  const char *label;
  double box[4];      /* x, y, width, height: where somebody sees it, within 15 pixels */
  guint inside[3][2]; /* pixels that are the object, and not another's */
} Object;

static const Object objects[] = {
  { "bicycle", { 130, 145, 440, 275 }, { { 500, 330 }, { 400, 220 }, { 450, 390 } } },
  { "truck", { 469, 78, 225, 100 }, { { 560, 130 }, { 620, 130 }, { 500, 110 } } },
  { "dog", { 132, 210, 220, 335 }, { { 250, 400 }, { 215, 500 }, { 290, 300 } } },
};
static const guint nothing[][2] = { { 700, 400 }, { 40, 500 }, { 100, 150 }, { 400, 500 },
  { 600, 250 } };

typedef struct {
  guint8 *rgb; /* HEIGHT rows of 3 * WIDTH */
  guint n;
} Picture;

static void
take_picture (GstElement *sink, GstBuffer *buffer, GstPad *pad, Picture *picture)
{
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 3 * WIDTH * HEIGHT);
  gst_buffer_extract (buffer, 0, picture->rgb, 3 * WIDTH * HEIGHT);
  picture->n++;
}

static void
picture_of (const char *filter, Picture *picture)
{
  picture->rgb = g_malloc (3 * WIDTH * HEIGHT);
  picture->n = 0;
  GstElement *pipeline =
      make_pipeline ("filesrc location=%s/media/dog.jpg ! jpegdec ! videoconvert ! "
                     "video/x-raw,format=RGB ! %s ! fakesink name=sink",
          shared, filter);
  on_buffer (GST_PIPELINE (pipeline), "sink", G_CALLBACK (take_picture), picture);
  run (pipeline);
  g_assert_cmpuint (picture->n, ==, 1);
}

static const guint8 *
pixel (const Picture *picture, const guint at[2])
{
  return picture->rgb + 3 * ((gsize) at[1] * WIDTH + at[0]);
}

/* Each object in a colour of its own, everything else as it was. */
static void
test_overlay (void)
{
  Picture plain, drawn;
  g_autofree char *filter =
      g_strdup_printf ("vksegment model=%s/models/yolov8n_seg_320/model.onnx "
                       "model-info=%s threshold=0.5 draw=masks alpha=1",
          shared, info);
  if (!has ("jpegdec"))
    return;
  picture_of ("identity", &plain);
  picture_of (filter, &drawn);
  for (guint i = 0; i < G_N_ELEMENTS (objects); i++)
    for (guint k = 0; k < 3; k++) {
      const guint8 *c = pixel (&drawn, objects[i].inside[k]);
      g_test_message ("%s %u: %u %u %u", objects[i].label, k, c[0], c[1], c[2]);
      g_assert_cmpmem (c, 3, pixel (&drawn, objects[i].inside[0]), 3);
      g_assert_true (memcmp (c, pixel (&drawn, objects[(i + 1) % 3].inside[0]), 3) != 0);
    }
  for (guint k = 0; k < G_N_ELEMENTS (nothing); k++)
    g_assert_cmpmem (pixel (&drawn, nothing[k]), 3, pixel (&plain, nothing[k]), 3);
  g_free (plain.rgb);
  g_free (drawn.rgb);
}

/* --- streams --------------------------------------------------------------------------------------- */

/* Everything that says what mask a track has at a time must say the same. */
typedef struct {
  GMutex lock;
  GHashTable *masks;     /* "pts track" -> checksum */
  GHashTable *lives;     /* track -> frames in which it is there */
  guint n_video, n_text; /* frames, lines */
  guint n_masks, n_json; /* masks on the frames, and in the lines */
  guint n_instance,
      n_gaps; /* on the instance streams, which have one or the other a frame */
  GstClockTime next, ends[3]; /* of the video, of those streams: where they are */
} Streams;

static char *
key_of (GstClockTime pts, gint64 track)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT, pts, track);
}

/* The first that speaks of a mask says what it is. */
static void
tell_mask (Streams *s, GstClockTime pts, gint64 track, const guint8 *pixels)
{
  char *key = key_of (pts, track);
  char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA1, pixels, WIDTH * HEIGHT);
  g_mutex_lock (&s->lock);
  const char *known = g_hash_table_lookup (s->masks, key);
  if (known != NULL) {
    if (strcmp (known, sum) != 0)
      g_error ("the mask of %s differs", key);
    g_free (key);
    g_free (sum);
  } else {
    g_hash_table_insert (s->masks, key, sum);
  }
  g_mutex_unlock (&s->lock);
}

static void
take_video (GstElement *sink, GstBuffer *buffer, GstPad *pad, Streams *s)
{
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  g_autofree guint8 *pixels = g_malloc (WIDTH * HEIGHT);
  g_assert_nonnull (meta);
  g_assert_true (GST_BUFFER_DURATION_IS_VALID (buffer));
  if (s->n_video++ > 0)
    g_assert_cmpuint (pts, ==, s->next);
  s->next = pts + GST_BUFFER_DURATION (buffer);
  for (guint i = 0; i < gst_vk_seg_meta_get_n_instances (meta); i++) {
    const GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, i);
    gint64 track = instance->track_id;
    if (track == GST_VK_SEG_NO_TRACK)
      track = -2 - (gint64) i; /* text alone speaks of it */
    else
      g_hash_table_insert (s->lives, GINT_TO_POINTER ((gint) track),
          GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (
                                s->lives, GINT_TO_POINTER ((gint) track)))
                            + 1));
    g_assert_true (
        gst_vk_seg_instance_get_mask_at_size (instance, WIDTH, HEIGHT, pixels, WIDTH));
    tell_mask (s, pts, track, pixels);
    s->n_masks++;
  }
}

static void
take_line (Streams *s, JsonObject *line)
{
  g_autofree guint8 *pixels = g_malloc (WIDTH * HEIGHT);
  JsonArray *list = json_object_get_array_member (line, "instances");
  for (guint i = 0; i < json_array_get_length (list); i++, s->n_json++) {
    JsonObject *o = json_array_get_object_element (list, i);
    JsonObject *rle = json_object_get_object_member (o, "segmentation");
    gint64 track = json_object_get_null_member (o, "track_id")
                       ? -2 - (gint64) i
                       : json_object_get_int_member (o, "track_id");
    g_assert_true (coco_rle_decode (
        json_object_get_string_member (rle, "counts"), WIDTH, HEIGHT, pixels));
    tell_mask (s, (GstClockTime) json_object_get_int_member (line, "pts"), track, pixels);
  }
}

static void
take_text (GstElement *sink, GstBuffer *buffer, GstPad *pad, Streams *s)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  GstMapInfo map;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  json_parser_load_from_data (parser, (const char *) map.data, (gssize) map.size, &error);
  g_assert_no_error (error);
  JsonObject *line = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpuint (
      json_object_get_int_member (line, "pts"), ==, (gint64) GST_BUFFER_PTS (buffer));
  take_line (s, line);
  s->n_text++;
  gst_buffer_unmap (buffer, &map);
}

/* A stream goes on where it was. */
static void
go_on (Streams *s, guint stream, GstClockTime pts, GstClockTime duration)
{
  g_mutex_lock (&s->lock);
  if (GST_CLOCK_TIME_IS_VALID (s->ends[stream]))
    g_assert_cmpuint (pts, ==, s->ends[stream]);
  s->ends[stream] = pts + duration;
  g_mutex_unlock (&s->lock);
}

static void
take_instance (GstElement *sink, GstBuffer *buffer, GstPad *pad, Streams *s)
{
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  GstVideoInfo video;
  GstVideoFrame frame;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autofree guint8 *pixels = g_malloc (WIDTH * HEIGHT);
  guint stream = (guint) (GST_OBJECT_NAME (sink)[1] - '0');
  go_on (s, stream, GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer));
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 1);
  g_assert_true (gst_video_info_from_caps (&video, caps));
  g_assert_true (gst_video_frame_map (&frame, &video, buffer, GST_MAP_READ));
  for (guint y = 0; y < HEIGHT; y++)
    memcpy (pixels + (gsize) y * WIDTH,
        (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
            + (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
        WIDTH);
  gst_video_frame_unmap (&frame);
  gint64 track = gst_vk_seg_meta_get_instance (meta, 0)->track_id;
  if (track != GST_VK_SEG_NO_TRACK)
    tell_mask (s, GST_BUFFER_PTS (buffer), track, pixels);
  g_atomic_int_inc (&s->n_instance);
}

static GstPadProbeReturn
take_gap (GstPad *pad, GstPadProbeInfo *probe, gpointer data)
{
  Streams *s = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (probe);
  GstClockTime pts, duration;
  if (GST_EVENT_TYPE (event) != GST_EVENT_GAP)
    return GST_PAD_PROBE_OK;
  gst_event_parse_gap (event, &pts, &duration);
  go_on (s, (guint) (GST_OBJECT_NAME (GST_OBJECT_PARENT (pad))[1] - '0'), pts, duration);
  g_atomic_int_inc (&s->n_gaps);
  return GST_PAD_PROBE_OK;
}

static void
streams_init (Streams *s)
{
  memset (s, 0, sizeof *s);
  g_mutex_init (&s->lock);
  s->masks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  s->lives = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < 3; i++)
    s->ends[i] = GST_CLOCK_TIME_NONE;
}

static void
streams_clear (Streams *s)
{
  g_mutex_clear (&s->lock);
  g_hash_table_unref (s->masks);
  g_hash_table_unref (s->lives);
}

/* Source, network and tracker to three instance streams and text, all of them looked at. */
static void
run_streams (Streams *s, const char *source, const char *filter)
{
  GstElement *pipeline = make_pipeline (
      "%s ! videoconvert ! vksegment model=%s/models/yolov8n_seg_320/model.onnx "
      "model-info=%s output=meta %s ! vksegdemux name=d "
      "d.src ! queue ! fakesink name=video d.meta ! queue ! fakesink name=text "
      "d.instance_0 ! queue ! fakesink name=i0 d.instance_1 ! queue ! fakesink name=i1 "
      "d.instance_2 ! queue ! fakesink name=i2",
      source, shared, info, filter);
  on_buffer (GST_PIPELINE (pipeline), "video", G_CALLBACK (take_video), s);
  on_buffer (GST_PIPELINE (pipeline), "text", G_CALLBACK (take_text), s);
  for (guint i = 0; i < 3; i++) {
    const char name[3] = { 'i', (char) ('0' + i), '\0' };
    on_buffer (GST_PIPELINE (pipeline), name, G_CALLBACK (take_instance), s);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
    g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, take_gap, s, NULL);
  }
  run (pipeline);
}

/* --- the picture's objects ------------------------------------------------------------------------- */

static void
check_object (const GstVkSegInstance *instance, const Object *object)
{
  g_autofree guint8 *pixels = g_malloc (WIDTH * HEIGHT);
  const GstVkSegRect *b = &instance->box;
  const double got[4] = { b->x, b->y, b->x + b->width, b->y + b->height };
  const double want[4] = { object->box[0], object->box[1],
    object->box[0] + object->box[2], object->box[1] + object->box[3] };
  g_assert_cmpstr (instance->label, ==, object->label);
  for (guint k = 0; k < 4; k++)
    g_assert_cmpfloat (fabs (got[k] - want[k]), <, 15);
  g_assert_true (
      gst_vk_seg_instance_get_mask_at_size (instance, WIDTH, HEIGHT, pixels, WIDTH));
  for (guint o = 0; o < G_N_ELEMENTS (objects); o++)
    for (guint k = 0; k < 3; k++) {
      const guint *at = objects[o].inside[k];
      gboolean is = pixels[(gsize) at[1] * WIDTH + at[0]] != 0;
      if (is != (object == &objects[o]))
        g_error ("%s: %u,%u %d", object->label, at[0], at[1], is);
    }
  for (guint k = 0; k < G_N_ELEMENTS (nothing); k++)
    g_assert_cmpuint (pixels[(gsize) nothing[k][1] * WIDTH + nothing[k][0]], ==, 0);
}

static void
take_objects (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  guint *n = data;
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 3);
  for (; *n < 3; ++*n)
    check_object (gst_vk_seg_meta_get_instance (meta, *n), &objects[*n]);
}

/* Boxes and masks are where one sees them, in the metas, in the text and in the streams. */
static void
test_objects (void)
{
  Streams s;
  guint n = 0;
  g_autofree char *source =
      g_strdup_printf ("filesrc location=%s/media/dog.jpg ! jpegdec", shared);
  if (!has ("jpegdec"))
    return;
  GstElement *pipeline = make_pipeline (
      "%s ! videoconvert ! vksegment model=%s/models/yolov8n_seg_320/model.onnx "
      "model-info=%s output=meta threshold=0.5 ! fakesink name=sink",
      source, shared, info);
  on_buffer (GST_PIPELINE (pipeline), "sink", G_CALLBACK (take_objects), &n);
  run (pipeline);
  g_assert_cmpuint (n, ==, 3);

  streams_init (&s);
  g_autofree char *timed = g_strdup_printf (
      "%s ! videoconvert ! imagefreeze num-buffers=2 ! video/x-raw,framerate=10/1",
      source);
  run_streams (&s, timed, "threshold=0.5 ! vksegtrack min-hits=1");
  g_assert_cmpuint (s.n_video, ==, 2);
  g_assert_cmpuint (s.n_text, ==, 2);
  g_assert_cmpuint (s.n_json, ==, 6);
  g_assert_cmpuint (s.n_instance, ==, 6);
  g_assert_cmpuint (s.n_gaps, ==, 0);
  g_assert_cmpuint (g_hash_table_size (s.masks), ==, 6);
  streams_clear (&s);
}

/* --- the video ------------------------------------------------------------------------------------- */

static void
test_video (void)
{
  Streams s;
  GHashTableIter iter;
  gpointer track, life;
  const char *text = g_getenv ("VKSEG_TEST_FRAMES");
  guint n_frames = text != NULL ? (guint) CLAMP (atoi (text), 2, 795) : 8, longest = 0;
  g_autofree char *source =
      g_strdup_printf ("filesrc location=%s/media/vtest.avi ! avidemux ! "
                       "avdec_msmpeg4 ! identity eos-after=%u",
          shared, n_frames + 1);
  if (!has ("avidemux") || !has ("avdec_msmpeg4"))
    return;
  streams_init (&s);
  run_streams (&s, source, "! vksegtrack");
  g_hash_table_iter_init (&iter, s.lives);
  while (g_hash_table_iter_next (&iter, &track, &life))
    longest = MAX (longest, GPOINTER_TO_UINT (life));
  g_test_message ("%u frames, %u masks, %u tracks, the longest in %u frames; streams: %u "
                  "buffers, %u gaps",
      s.n_video, s.n_masks, g_hash_table_size (s.lives), longest, s.n_instance, s.n_gaps);
  g_assert_cmpuint (s.n_video, ==, n_frames);
  g_assert_cmpuint (s.n_text, ==, n_frames);
  g_assert_cmpuint (s.n_json, ==, s.n_masks);
  g_assert_cmpuint (g_hash_table_size (s.masks), ==, s.n_masks);
  g_assert_cmpuint (s.n_instance + s.n_gaps, ==, 3 * n_frames);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (s.ends[i], ==, s.next);
  /* People stay who they are: some of those in the beginning are there all the time. */
  g_assert_cmpuint (longest, >=, MIN (n_frames - 2, 60));
  g_assert_cmpuint (s.n_instance, >=, n_frames);
  streams_clear (&s);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  int status = 0;
  g_assert_cmpint (argc, ==, 3);
  shared = argv[1];
  info = argv[2];
  g_autofree char *model =
      g_build_filename (shared, "models", "yolov8n_seg_320", "model.onnx", NULL);
  if (!g_file_test (model, G_FILE_TEST_EXISTS)) {
    g_print ("1..0 # SKIP no %s\n", model);
    return 0;
  }
  SegVk *vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  g_assert_true (GST_ELEMENT_REGISTER (vksegment, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (vksegtrack, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (vksegdemux, NULL));
  g_test_add_func ("/end-to-end/overlay", test_overlay);
  g_test_add_func ("/end-to-end/objects", test_objects);
  g_test_add_func ("/end-to-end/video", test_video);
  status = g_test_run ();
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  seg_vk_unref (vk);
  gst_deinit (); /* what the leaks tracer has found is a warning now, and fatal */
  return status;
}
