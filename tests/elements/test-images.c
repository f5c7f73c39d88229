/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory:VulkanImage, on the pipeline's own device, beside the same frames in host memory. With
 * VKSEG_VALIDATE the validation layer looks at GStreamer's device too, and writes what it says to a
 * file. */
#include "elements/slow-net.h"
#include "frame/color-net.h"
#include "frame/difference.h"

#include "elements/settings.h"
#include "elements/setup.h"
#include "elements/vksegment.h"
#include "lib/device.h"
#include "meta/gstvksegmeta.h"
#include "meta/gstvksegshape.h"
#include "zerocopy/gpu.h"

#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <vulkan/vulkan.h>

#include <string.h>

#define N_FRAMES         5
#define SLOW_MS          60.0 /* for a frame in `slow` */
#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

static char *dir, *messages;

/* --- pipelines ------------------------------------------------------------------------------------- */

/* Pixels, without what is between rows, of all frames; results of metas as JSON. */
typedef struct {
  GByteArray *pixels;
  GString *results;
  guint n_frames;
} Seen;

static void
see (GstElement *sink, GstBuffer *buffer, GstPad *pad, Seen *seen)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;
  GstVideoFrame f;
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  seen->n_frames++;
  if (meta != NULL) {
    g_autofree char *json =
        gst_vk_seg_meta_to_json (meta, GST_BUFFER_PTS (buffer), GST_VK_SEG_JSON_RLE);
    g_string_append_printf (seen->results, "%s\n", json);
  }
  if (gst_caps_features_contains (gst_caps_get_features (caps, 0), SEG_MEMORY_IMAGE))
    return;
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&f, &info, buffer, GST_MAP_READ));
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (&f); p++) {
    gint component = (gint) p; /* of all formats here the plane's first */
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&f, component); y++)
      g_byte_array_append (seen->pixels,
          (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&f, p)
              + y * GST_VIDEO_FRAME_PLANE_STRIDE (&f, p),
          (guint) (GST_VIDEO_FRAME_COMP_WIDTH (&f, component)
                   * GST_VIDEO_FRAME_COMP_PSTRIDE (&f, component)));
  }
  gst_video_frame_unmap (&f);
}

static void
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, 120 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    g_autofree char *debug = NULL;
    gst_message_parse_error (message, &error, &debug);
    g_error ("%s: %s", error->message, debug);
  }
  gst_message_unref (message);
}

static guint
host_copies (GstElement *pipeline)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), "seg");
  GstStructure *stats = NULL;
  guint n = 0;
  guint64 n_frames = 0;
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (
      stats, "host-copies", G_TYPE_UINT, &n, "frames", G_TYPE_UINT64, &n_frames, NULL));
  g_assert_cmpuint (n_frames, ==, N_FRAMES);
  gst_structure_free (stats);
  return n;
}

static GstElement *
parse (const char *caps, const char *rest, Seen *seen)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line =
      g_strdup_printf ("videotestsrc name=source num-buffers=%d pattern=smpte "
                       "horizontal-speed=9 ! video/x-raw,%s,framerate=30/1 ! %s ! "
                       "fakesink name=sink signal-handoffs=true sync=false",
          N_FRAMES, caps, rest);
  g_test_message ("%s", line);
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  *seen = (Seen){ g_byte_array_new (), g_string_new (NULL), 0 };
  g_signal_connect (sink, "handoff", G_CALLBACK (see), seen);
  return pipeline;
}

/* Frames that the CPU has copied. */
static guint
run (const char *caps, const char *rest, Seen *seen)
{
  GstElement *pipeline = parse (caps, rest, seen);
  play (pipeline);
  guint n = host_copies (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_assert_cmpuint (seen->n_frames, ==, N_FRAMES);
  return n;
}

static void
clear_seen (Seen *seen)
{
  g_byte_array_unref (seen->pixels);
  g_string_free (seen->results, TRUE);
}

/* Precision auto would be fp32 on GStreamer's device, which before 1.24 is opened without the features
 * of fp16, and fp16 on our own. */
static char *
segment (const char *model, const char *settings)
{
  return g_strdup_printf (
      "vksegment name=seg precision=fp32 cache-dir=%s model=%s/%s.onnx %s", dir, dir,
      model, settings);
}

/* Frames in images are as frames in host memory. */
static void
compare (const char *caps, const char *before, const char *model, const char *settings,
    const char *after, guint copies)
{
  Seen host, device;
  g_autofree char *element = segment (model, settings);
  g_autofree char *with_images = g_strconcat (before, element, after, NULL);
  run (caps, element, &host);
  g_assert_cmpuint (run (caps, with_images, &device), ==, copies);
  g_autofree char *differ =
      device.pixels->len == 0 ? NULL
                              : bytes_difference (device.pixels->data, device.pixels->len,
                                  host.pixels->data, host.pixels->len);
  if (differ != NULL)
    g_error ("%s, in images: %s", caps, differ);
  g_assert_cmpstr (host.results->str, ==, device.results->str);
  clear_seen (&host);
  clear_seen (&device);
}

/* What GStreamer has here; a test without it is skipped, with the reason. */
static gboolean
can_run (void)
{
  g_autoptr (GstElementFactory) up = gst_element_factory_find ("vulkanupload");
  g_autoptr (GstElementFactory) down = gst_element_factory_find ("vulkandownload");
  if (!seg_gpu_is_built ())
    g_test_skip ("built without gstreamer-vulkan-1.0");
  else if (up == NULL || down == NULL)
    g_test_skip ("GStreamer's plugin vulkan (vulkanupload, vulkandownload) is not here");
  return seg_gpu_is_built () && up != NULL && down != NULL;
}

/* --- tests ----------------------------------------------------------------------------------------- */

#define UP   "vulkanupload ! "
#define DOWN " ! vulkandownload"
/* GStreamer 1.22 uploads and downloads rows wrong whose length is not their stride. */
#define SIZE ",width=168,height=122"

static void
test_formats (void)
{
  static const char *const formats[] = { "NV12", "NV21", "RGBA", "BGRA", "RGBx", "BGRx",
    "GRAY8" };
  if (!can_run ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (formats) - !seg_gpu_has_gray (); i++) {
    g_autofree char *caps = g_strdup_printf ("format=%s" SIZE, formats[i]);
    compare (caps, UP, "plain", "", DOWN, 0);
  }
}

static void
test_outputs (void)
{
  static const char *const outputs[] = { "output=cutout",
    "draw=masks+contours+legend alpha=0.3", "interval=2", "tiling=overlap" };
  static const char *const gray[] = { "output=labels", "output=matte",
    "output=labels upsample=none", "output=matte upsample=guided" };
  if (!can_run ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (outputs); i++)
    compare ("format=NV12" SIZE, UP, "plain", outputs[i], DOWN, 0);
  for (guint i = 0; i < G_N_ELEMENTS (gray) && seg_gpu_has_gray (); i++)
    compare ("format=NV12" SIZE, UP, "plain", gray[i], DOWN, 0);
  compare ("format=NV12" SIZE, UP, "plain", "output=meta", "", 0);
}

static void
test_networks (void)
{
  static const char *const models[] = { "hosted", "yolo", "yolo-hosted", "softmax" };
  if (!can_run ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    compare ("format=RGBA" SIZE, UP, models[i], "", DOWN, 0);
    compare ("format=RGBA" SIZE, UP, models[i], "output=meta", "", 0);
  }
}

/* Frames come and go as neighbours want, each side by itself. */
static void
test_one_side (void)
{
  if (!can_run ())
    return;
  compare ("format=NV12" SIZE, UP, "plain", "", " ! video/x-raw", N_FRAMES);
  compare ("format=NV12" SIZE, "", "plain", "", DOWN, N_FRAMES);
  compare ("format=NV12" SIZE, UP, "plain", "output=labels", " ! video/x-raw", N_FRAMES);
  if (seg_gpu_has_gray ())
    compare ("format=NV12" SIZE, "", "plain", "output=labels", DOWN, N_FRAMES);
}

/* With other elements of vksegment in the place of upload and download, at any size. */
static void
test_odd_sizes (void)
{
  static const char *const formats[] = { "NV12", "BGRA", "GRAY8" };
  if (!can_run ())
    return;
  g_autofree char *element = segment ("plain", "");
  g_autofree char *other = g_strdup_printf (
      "vksegment cache-dir=%s model=%s/plain.onnx alpha=0 draw=masks", dir, dir);
  g_autofree char *host = g_strdup_printf ("%s ! %s ! %s", other, element, other);
  g_autofree char *device =
      g_strdup_printf ("%s ! video/x-raw(" SEG_MEMORY_IMAGE
                       ") ! %s ! video/x-raw(" SEG_MEMORY_IMAGE ") ! %s ! video/x-raw",
          other, element, other);
  for (guint i = 0; i < G_N_ELEMENTS (formats) - !seg_gpu_has_gray (); i++) {
    Seen a, b;
    g_autofree char *caps = g_strdup_printf ("format=%s,width=161,height=61", formats[i]);
    run (caps, host, &a);
    g_assert_cmpuint (run (caps, device, &b), ==, 0);
    g_assert_cmpmem (a.pixels->data, a.pixels->len, b.pixels->data, b.pixels->len);
    clear_seen (&a);
    clear_seen (&b);
  }
}

static void
test_modes (void)
{
  if (!can_run ())
    return;
  compare ("format=NV12" SIZE, UP, "plain", "mode=async", DOWN, 0);
  if (seg_gpu_has_gray ())
    compare ("format=NV12" SIZE, UP, "plain", "mode=async output=labels", DOWN, 0);
  compare ("format=NV12" SIZE, UP, "hosted", "mode=async frames-in-flight=4", DOWN, 0);
  /* What is shown depends on time. */
  Seen seen;
  static const char *const outputs[] = { "", "output=cutout", "output=meta",
    "output=labels" };
  for (guint i = 0; i < G_N_ELEMENTS (outputs) - !seg_gpu_has_gray (); i++) {
    g_autofree char *settings = g_strconcat ("mode=drop ", outputs[i], NULL);
    g_autofree char *element = segment ("plain", settings);
    g_autofree char *line = g_strconcat (UP, element, DOWN, NULL);
    GstElement *pipeline = parse ("format=NV12" SIZE, line, &seen);
    play (pipeline);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (pipeline);
    g_assert_cmpuint (seen.n_frames, ==, N_FRAMES);
    clear_seen (&seen);
  }
}

/* Every byte is n's. */
static guint8
value_of (guint n)
{
  return (guint8) (20 + n * 37 % 200);
}

/* Until the network has seen a frame, and a few more. */
static guint
push_past_first_answer (GstHarness *h, GstElement *seg)
{
  enum { MORE = 4, MOST = 1000, N_BYTES = 168 * 122 * 3 / 2 };
  guint n = 0;
  for (guint end = MOST; n < end; n++) {
    g_autoptr (GstStructure) stats = NULL;
    guint64 n_inferred = 0;
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, N_BYTES, NULL);
    gst_buffer_memset (buffer, 0, value_of (n), N_BYTES);
    GST_BUFFER_PTS (buffer) = n * GST_SECOND / 30;
    g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
    g_object_get (seg, "stats", &stats, NULL);
    g_assert_true (gst_structure_get_uint64 (stats, "inferred", &n_inferred));
    if (n_inferred > 0 && end == MOST)
      end = n + MORE;
  }
  g_assert_cmpuint (n, <, MOST);
  return n;
}

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  return GST_PAD_PROBE_OK;
}

/* Frames of a live source that leave before there is an answer, as images, each with its own picture: all
 * are read after the last has been pushed. Nothing is drawn, so that those with an answer are no other. */
static void
check_own_pictures (const char *mode)
{
  g_autofree char *line = g_strdup_printf (
      "vksegment name=seg mode=%s draw=0 cache-dir=%s model=%s/slow.onnx "
      "! queue name=queue max-size-buffers=0 max-size-bytes=0 "
      "max-size-time=0 ! vulkandownload",
      mode, dir, dir);
  GstHarness *h = gst_harness_new_parse (line);
  g_autoptr (GstElement) seg = gst_bin_get_by_name (GST_BIN (h->element), "seg");
  g_autoptr (GstElement) queue = gst_bin_get_by_name (GST_BIN (h->element), "queue");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (queue, "src");
  gst_harness_set_live (h, TRUE);
  gst_harness_set_src_caps_str (h, "video/x-raw,format=NV12" SIZE ",framerate=30/1");
  gulong held = gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, hold, NULL, NULL);
  guint n = push_past_first_answer (h, seg);
  g_test_message ("mode=%s: %u frames", mode, n);
  gst_pad_remove_probe (pad, held);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  for (guint i = 0; i < n; i++) {
    g_autoptr (GstBuffer) out = gst_harness_pull (h);
    GstMapInfo map;
    g_assert_nonnull (out);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, i * GST_SECOND / 30);
    g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
    for (gsize b = 0; b < map.size; b++)
      if (map.data[b] != value_of (i))
        g_error ("mode=%s: byte %" G_GSIZE_FORMAT " of frame %u is %u and not %u", mode,
            b, i, map.data[b], value_of (i));
    gst_buffer_unmap (out, &map);
  }
  gst_harness_teardown (h);
}

static void
test_no_answer_yet (void)
{
  if (!can_run ())
    return;
  check_own_pictures ("async");
  check_own_pictures ("drop");
}

static GstPadProbeReturn
keep (GstPad *pad, GstPadProbeInfo *info, gpointer kept)
{
  gst_buffer_replace (kept, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

/* Then who asks for the frames has all of them back. */
static GstPadProbeReturn
drain (GstPad *pad, GstPadProbeInfo *info, gpointer kept)
{
  if (GST_BUFFER_OFFSET (GST_PAD_PROBE_INFO_BUFFER (info)) == N_FRAMES - 1) {
    GstQuery *query = gst_query_new_drain ();
    gst_pad_peer_query (pad, query);
    gst_query_unref (query);
    g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (*(GstBuffer **) kept), ==, 1);
  }
  return GST_PAD_PROBE_OK;
}

/* Frames of a live source, which leave as they are before there is an answer. */
static void
check_drained (const char *mode)
{
  Seen seen;
  GstBuffer *kept = NULL;
  g_autofree char *rest =
      g_strdup_printf (UP "vksegment name=seg mode=%s draw=0 cache-dir=%s "
                          "model=%s/slow.onnx" DOWN,
          mode, dir, dir);
  GstElement *pipeline = parse ("format=NV12" SIZE, rest, &seen);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) seg = gst_bin_get_by_name (GST_BIN (pipeline), "seg");
  g_autoptr (GstPad) from = gst_element_get_static_pad (source, "src");
  g_autoptr (GstPad) to = gst_element_get_static_pad (seg, "sink");
  g_object_set (source, "is-live", TRUE, NULL);
  gst_pad_add_probe (from, GST_PAD_PROBE_TYPE_BUFFER, drain, &kept, NULL);
  gst_pad_add_probe (to, GST_PAD_PROBE_TYPE_BUFFER, keep, &kept, NULL);
  play (pipeline);
  gst_clear_buffer (&kept);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  clear_seen (&seen);
}

static void
test_drain (void)
{
  if (!can_run ())
    return;
  check_drained ("async");
  check_drained ("drop");
}

/* Two elements look at the same images at once. */
static void
test_tee (void)
{
  Seen seen;
  if (!can_run ())
    return;
  g_autofree char *element = segment ("plain", "");
  g_autofree char *other = g_strdup_printf (
      "vksegment precision=fp32 cache-dir=%s model=%s/plain.onnx", dir, dir);
  g_autofree char *rest = g_strdup_printf (UP
      "tee name=tee ! queue max-size-buffers=1 ! %s ! fakesink sync=false async=false  "
      "tee. ! queue max-size-buffers=1 ! %s" DOWN,
      other, element);
  GstElement *pipeline = parse ("format=NV12" SIZE, rest, &seen);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_object_set (source, "num-buffers", 100, NULL);
  play (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_assert_cmpuint (seen.n_frames, ==, 100);
  clear_seen (&seen);
}

/* A second stream that may be in the same batch, on the same device or in host memory. */
static void
test_batches (void)
{
  static const char *const before[] = { UP, "" }, *const after[] = { DOWN, "" };
  Seen alone, batched;
  if (!can_run ())
    return;
  g_autofree char *element = segment ("plain", "");
  g_autofree char *settings = g_strdup_printf (
      "cache-dir=%s model=%s/plain.onnx batch-size=2 batch-timeout=100", dir, dir);
  for (guint i = 0; i < G_N_ELEMENTS (before); i++) {
    g_autofree char *line =
        g_strdup_printf ("%s vksegment %s %s ! fakesink sync=false  "
                         "videotestsrc num-buffers=%d pattern=smpte horizontal-speed=9 ! "
                         "video/x-raw,format=NV12" SIZE ",framerate=30/1 ! " UP
                         "vksegment name=seg %s" DOWN,
            before[i], settings, after[i], N_FRAMES, settings);
    run ("format=NV12" SIZE, element, &alone);
    g_assert_cmpuint (run ("format=NV12" SIZE, line, &batched), ==, 0);
    g_assert_cmpmem (
        alone.pixels->data, alone.pixels->len, batched.pixels->data, batched.pixels->len);
    clear_seen (&alone);
    clear_seen (&batched);
  }
}

/* The same pipeline again: the device goes with the states, and nothing leaks. */
static void
test_states (void)
{
  Seen seen;
  if (!can_run ())
    return;
  g_autofree char *element = segment ("plain", "");
  g_autofree char *line = g_strconcat (UP, element, DOWN, NULL);
  GstElement *pipeline = parse ("format=NV12" SIZE, line, &seen);
  for (guint i = 1; i <= 3; i++) {
    play (pipeline);
    g_assert_cmpuint (seen.n_frames, ==, i * N_FRAMES);
    gst_element_set_state (pipeline, i == 2 ? GST_STATE_READY : GST_STATE_NULL);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  clear_seen (&seen);
}

static GstHarness *
open_harness (const char *from, const char *to)
{
  g_autofree char *model = g_build_filename (dir, "plain.onnx", NULL);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_sink_caps_str (h, to);
  gst_harness_set_src_caps_str (h, from);
  return h;
}

static gboolean
runs_model (GstElement *segment, const char *model)
{
  g_autoptr (GstStructure) stats = NULL;
  g_object_get (segment, "stats", &stats, NULL);
  const char *path = gst_structure_get_string (stats, "model");
  return path != NULL && g_str_has_suffix (path, model);
}

/* Another network while frames flow as images: no frame comes down, and the pipeline's device is kept. */
static void
test_swap (void)
{
  Seen seen;
  guint copies = 1;
  if (!can_run ())
    return;
  g_autofree char *element = segment ("plain", "");
  g_autofree char *line = g_strconcat (UP, element, DOWN, NULL);
  GstElement *pipeline = parse ("format=NV12" SIZE, line, &seen);
  g_autoptr (GstElement) seg = gst_bin_get_by_name (GST_BIN (pipeline), "seg");
  GstElement *source = NULL;
  for (GList *l = GST_BIN_CHILDREN (pipeline); l != NULL; l = l->next)
    source = l->data; /* the first that was added */
  g_object_set (source, "num-buffers", -1, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 4; i++) {
    const char *name = i % 2 == 0 ? "yolo.onnx" : "plain.onnx";
    g_autofree char *model = g_build_filename (dir, name, NULL);
    gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
    g_object_set (seg, "model", model, NULL);
    while (!runs_model (seg, name)) {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (5000);
    }
  }
  g_autoptr (GstStructure) stats = NULL;
  g_object_get (seg, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint (stats, "host-copies", &copies));
  g_assert_cmpuint (copies, ==, 0);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  clear_seen (&seen);
}

/* Alone, it makes a device, tells of it, and answers who asks. */
static void
test_contexts (void)
{
  static const char *const types[] = { "gst.vulkan.instance", "gst.vulkan.device",
    "gst.vulkan.queue" };
  if (!can_run ())
    return;
  GstHarness *h = open_harness ("video/x-raw,format=NV12,width=64,height=48",
      "video/x-raw(" SEG_MEMORY_IMAGE "),format=NV12,width=64,height=48");
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64 * 48 * 3 / 2, NULL);
  gst_buffer_memset (buffer, 0, 0x80, 64 * 48 * 3 / 2);
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (GstQuery) query = gst_query_new_context (types[i]);
    GstContext *context = NULL;
    g_assert_true (gst_pad_peer_query (h->sinkpad, query));
    gst_query_parse_context (query, &context);
    g_assert_nonnull (context);
    g_assert_true (gst_context_has_context_type (context, types[i]));
  }
  gst_harness_teardown (h);
}

/* Who gives frames must have enough of them: images are kept while they are in flight. */
static void
test_allocation (void)
{
  static const char *const caps[] = { "video/x-raw,format=NV12,width=64,height=48",
    "video/x-raw(" SEG_MEMORY_IMAGE "),format=NV12,width=64,height=48" };
  guint mins[2];
  if (!can_run ())
    return;
  for (guint i = 0; i < 2; i++) {
    GstHarness *h = open_harness (caps[1], caps[i]);
    g_autoptr (GstCaps) in = gst_caps_from_string (caps[1]);
    GstQuery *query = gst_query_new_allocation (in, TRUE);
    mins[i] = 0;
    g_assert_true (gst_pad_peer_query (h->srcpad, query));
    if (gst_query_get_n_allocation_pools (query) > 0)
      gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &mins[i], NULL);
    gst_query_unref (query);
    gst_harness_teardown (h);
  }
  g_assert_cmpuint (mins[1], ==, mins[0] + SEG_FLIGHTS);
}

/* A device that the application has is the one that is used. */
static void
test_given_device (void)
{
  if (!can_run ())
    return;
  GstElement *maker = gst_element_factory_make ("vulkandownload", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (maker, bus);
  gst_element_set_state (maker, GST_STATE_PAUSED);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (maker, "sink");
  g_autoptr (GstQuery) query = gst_query_new_context ("gst.vulkan.device");
  GstContext *given = NULL, *got = NULL;
  g_assert_true (gst_pad_query (pad, query));
  gst_query_parse_context (query, &given);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_autofree char *model = g_build_filename (dir, "plain.onnx", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, NULL);
  gst_element_set_context (element, given);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_sink_caps_str (
      h, "video/x-raw(" SEG_MEMORY_IMAGE "),format=NV12,width=64,height=48");
  gst_harness_set_src_caps_str (h, "video/x-raw,format=NV12,width=64,height=48");
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64 * 48 * 3 / 2, NULL);
  gst_buffer_memset (buffer, 0, 0x80, 64 * 48 * 3 / 2);
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
  g_autoptr (GstQuery) mine = gst_query_new_context ("gst.vulkan.device");
  g_assert_true (gst_pad_peer_query (h->sinkpad, mine));
  gst_query_parse_context (mine, &got);
  g_assert_true (gst_structure_is_equal (
      gst_context_get_structure (given), gst_context_get_structure (got)));
  gst_harness_teardown (h);
  gst_element_set_state (maker, GST_STATE_NULL);
  gst_object_unref (maker);
}

/* Buffers that are not what their caps say are an error, and nothing else. */
static void
test_not_images (void)
{
  if (!can_run ())
    return;
  GstHarness *h = open_harness (
      "video/x-raw(" SEG_MEMORY_IMAGE "),format=NV12,width=64,height=48", "video/x-raw");
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64 * 48 * 3 / 2, NULL);
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "VulkanImage"));
  gst_harness_teardown (h);
}

/* --- validation ------------------------------------------------------------------------------------ */

/* Synchronisation has had a name of its own since about 1.3.270, and layers of 2026 do not like both. */
static const char *
sync_setting (void)
{
  guint32 n = 0, version = 0;
  vkEnumerateInstanceLayerProperties (&n, NULL);
  g_autofree VkLayerProperties *all = g_new0 (VkLayerProperties, n + 1);
  vkEnumerateInstanceLayerProperties (&n, all);
  for (guint i = 0; i < n; i++)
    if (strcmp (all[i].layerName, VALIDATION_LAYER) == 0)
      version = all[i].specVersion;
  return version >= VK_MAKE_API_VERSION (0, 1, 4, 0)
             ? "validate_sync = true"
             : "enables = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT";
}

/* Layers of the loader read a file. */
static void
validate_all_devices (void)
{
  const char *validate = g_getenv ("VKSEG_VALIDATE");
  if (validate == NULL || *validate != '1')
    return;
  g_autofree char *path = g_build_filename (dir, "vk_layer_settings.txt", NULL);
  messages = g_build_filename (dir, "messages.txt", NULL);
  g_autofree char *text =
      g_strdup_printf ("khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG\n"
                       "khronos_validation.report_flags = error,warn\n"
                       "khronos_validation.log_filename = %s\n"
                       "khronos_validation.%s\n",
          messages, sync_setting ());
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_setenv ("VK_LAYER_SETTINGS_PATH", path, TRUE);
  g_setenv ("VK_INSTANCE_LAYERS", VALIDATION_LAYER, TRUE);
}

static void
test_silent (void)
{
  g_autofree char *text = NULL;
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  if (messages == NULL || !can_run ())
    return;
  /* Of 1.22 and newer layers: the file is made when the layer is. */
  g_assert_true (g_file_get_contents (messages, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "");
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*run) (void);
  } tests[] = {
    { "/images/formats", test_formats },
    { "/images/outputs", test_outputs },
    { "/images/networks", test_networks },
    { "/images/one-side", test_one_side },
    { "/images/odd-sizes", test_odd_sizes },
    { "/images/modes", test_modes },
    { "/images/no-answer-yet", test_no_answer_yet },
    { "/images/drain", test_drain },
    { "/images/tee", test_tee },
    { "/images/batches", test_batches },
    { "/images/states", test_states },
    { "/images/swap", test_swap },
    { "/images/allocation", test_allocation },
    { "/images/contexts", test_contexts },
    { "/images/given-device", test_given_device },
    { "/images/not-images", test_not_images },
    { "/images/validation-is-silent", test_silent },
  };
  static const struct {
    const char *name;
    ColorNetKind kind;
    const char *info;
  } nets[] = { { "plain", COLOR_NET_PLAIN, COLOR_NET_INFO },
    { "hosted", COLOR_NET_HOSTED, COLOR_NET_INFO },
    { "softmax", COLOR_NET_SOFTMAX, COLOR_NET_INFO },
    { "yolo", COLOR_NET_YOLO, COLOR_NET_YOLO_INFO },
    { "yolo-hosted", COLOR_NET_YOLO_HOSTED, COLOR_NET_YOLO_INFO } };
  int status = 0;
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  validate_all_devices ();
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  SegVk *vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  seg_vk_unref (vk);
  g_assert_true (GST_ELEMENT_REGISTER (vksegment, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (nets); i++)
    g_free (color_net_write (dir, nets[i].name, nets[i].kind, nets[i].info));
  g_free (slow_net_write_ms (dir, "slow", SLOW_MS));
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].path, tests[i].run);
  status = g_test_run ();
  color_net_remove (dir);
  g_free (messages);
  g_free (dir);
  return status;
}
