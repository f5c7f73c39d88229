/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in dma-bufs beside the same frames in host memory, with a modifier that vk/fake-modifier.c adds. */
#define _GNU_SOURCE /* memfd_create */
#include "dmabuf-frames.h"
#include "frame/color-net.h"

#include "elements/settings.h"
#include "elements/videoframe.h"
#include "elements/vksegment-priv.h"
#include "lib/device.h"
#include "meta/gstvksegmeta.h"
#include "vk/fake-modifier.h"
#include "zerocopy/dmabuf.h"
#include "zerocopy/tiling.h"

#include <gst/check/gstharness.h>

#include <dirent.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N_FRAMES 4
#define PAGE     DMABUF_PAGE

static char *dir;
static SegVk *vk;
static gboolean imports; /* the device can */

/* --- elements -------------------------------------------------------------------------------------- */

#define FEATURE "(memory:DMABuf)"

static GstHarness *
open_harness (const char *feature, const char *format, const GstVideoInfo *info,
    const char *settings)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_strdup_printf (
      "vksegment cache-dir=%s model=%s/plain.onnx %s", dir, dir, settings);
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw%s,%s,width=%d,height=%d,framerate=30/1", feature,
          format, info->width, info->height);
  GstElement *element =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_NO_SINGLE_ELEMENT_BINS, &error);
  g_assert_no_error (error);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

static guint
host_copies (GstHarness *h)
{
  g_autoptr (GstStructure) stats = NULL;
  guint n = 0;
  g_object_get (h->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint (stats, "host-copies", &n));
  return n;
}

static void
append (GByteArray *pixels, const GstVideoInfo *info, GstBuffer *buffer)
{
  GstVideoFrame f;
  g_assert_true (gst_video_frame_map (&f, info, buffer, GST_MAP_READ));
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    guint n_rows;
    gsize row = dmabuf_row_bytes (info, p, &n_rows);
    for (guint y = 0; y < n_rows; y++)
      g_byte_array_append (pixels,
          (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&f, p)
              + y * (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&f, p),
          (guint) row);
  }
  gst_video_frame_unmap (&f);
}

/* What comes out for some frames, and how many of them the CPU has read. */
static GByteArray *
run (GstHarness *h, const GstVideoInfo *info, DmabufLayout layout, gboolean dmabuf,
    guint *read)
{
  GByteArray *pixels = g_byte_array_new ();
  for (guint i = 0; i < N_FRAMES; i++)
    g_assert_cmpint (
        gst_harness_push (h, dmabuf_frame (info, i, layout, dmabuf)), ==, GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  GstVideoInfo out;
  g_assert_true (gst_video_info_from_caps (&out, caps));
  for (guint i = 0; i < N_FRAMES; i++) {
    g_autoptr (GstBuffer) buffer = gst_harness_pull (h);
    append (pixels, &out, buffer);
  }
  *read = host_copies (h) - N_FRAMES;
  gst_harness_teardown (h);
  return pixels;
}

/* --- the same pixels ------------------------------------------------------------------------------- */

static void
compare (const char *feature, const char *format, const GstVideoInfo *info,
    DmabufLayout layout, const char *settings)
{
  guint read;
  g_autofree char *plain = g_strdup_printf (
      "format=%s", gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)));
  g_test_message ("%s %s %dx%d, layout %d, %s", feature, format, info->width,
      info->height, layout, settings);
  g_autoptr (GByteArray) want =
      run (open_harness ("", plain, info, settings), info, layout, FALSE, &read);
  g_assert_cmpuint (read, ==, N_FRAMES);
  g_autoptr (GByteArray) got =
      run (open_harness (feature, format, info, settings), info, layout, TRUE, &read);
  g_assert_cmpmem (got->data, got->len, want->data, want->len);
  g_assert_cmpuint (read, ==, imports && layout != UNEVEN ? 0 : N_FRAMES);
}

static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420,
  GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_BGRx,
  GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_P010_10LE };

static void
test_formats (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info;
    gst_video_info_set_format (&info, formats[i], i % 2 ? 161 : 160, i % 2 ? 61 : 120);
    g_autofree char *format =
        g_strdup_printf ("format=%s", gst_video_format_to_string (formats[i]));
    compare (FEATURE, format, &info, PLAIN, "");
    compare (FEATURE, format, &info, PADDED, "");
  }
}

/* Also as io-mode=dmabuf of v4l2src gives them: the caps say nothing of it. */
static void
test_layouts (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 162, 90);
  for (guint layout = 0; layout < N_LAYOUTS; layout++) {
    compare (FEATURE, "format=NV12", &info, (DmabufLayout) layout, "");
    compare ("", "format=NV12", &info, (DmabufLayout) layout, "");
  }
}

static void
test_outputs (void)
{
  static const char *const settings[] = { "output=labels", "output=cutout",
    "output=matte upsample=none", "interval=2", "tiling=overlap" };
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    compare (FEATURE, "format=NV12", &info, PADDED, settings[i]);
}

static void
refuse_as (const char *feature, const char *format, const GstVideoInfo *info,
    GstBuffer *buffer, const char *what)
{
  GstHarness *h = open_harness (feature, format, info, "");
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  g_test_message ("%s", what);
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  gst_bus_set_flushing (bus, TRUE); /* messages hold the element, which holds the bus */
  gst_harness_teardown (h);
}

static void
refuse (const GstVideoInfo *info, GstBuffer *buffer, const char *what)
{
  refuse_as ("", "format=NV12", info, buffer, what);
}

/* With frames in flight, and, in mode=drop, before there is an answer, when a frame is shown as it is. */
static void
run_modes (
    const char *format, const GstVideoInfo *info, DmabufLayout first, guint n_layouts)
{
  static const char *const modes[] = { "mode=async", "mode=drop",
    "mode=drop output=meta" };
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    GstHarness *h = open_harness (FEATURE, format, info, modes[m]);
    for (guint i = 0; i < 20; i++)
      g_assert_cmpint (
          gst_harness_push (
              h, dmabuf_frame (info, i, first + (DmabufLayout) (i % n_layouts), TRUE)),
          ==, GST_FLOW_OK);
    gst_harness_push_event (h, gst_event_new_eos ());
    for (guint i = 0; i < 20; i++)
      gst_buffer_unref (gst_harness_pull (h));
    gst_harness_teardown (h);
  }
}

static void
test_modes (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  run_modes ("format=NV12", &info, PLAIN, N_LAYOUTS);
}

#if GST_CHECK_VERSION(1, 24, 0)

/* As DRM calls them. */
static void
test_drm (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info;
    gst_video_info_set_format (&info, formats[i], 160, 90);
    g_autofree char *drm = gst_video_dma_drm_fourcc_to_string (
        gst_video_dma_drm_fourcc_from_format (formats[i]), 0);
    g_autofree char *format =
        g_strdup_printf ("format=DMA_DRM,drm-format=(string)\"%s\"", drm);
    compare (FEATURE, format, &info, PADDED, "");
    compare (FEATURE, format, &info, PADDED, "output=labels");
  }
}

#define DRM(format)                                                                      \
  "video/x-raw" FEATURE ",format=DMA_DRM,drm-format=" format                             \
  ",width=64,height=48,framerate=30/1"

static gboolean
accepts (GstHarness *h, const char *caps)
{
  g_autoptr (GstCaps) c = gst_caps_from_string (caps);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (h->element, "sink");
  return gst_pad_query_accept_caps (pad, c);
}

static gboolean
is_listed (GstVideoFormat of)
{
  SegFormat format;
  g_assert_true (seg_video_format (of, &format));
  g_autoptr (GArray) modifiers = seg_vk_modifiers (vk, seg_tiling_format (format));
  return modifiers->len > 0;
}

static char *
tiled_caps (GstVideoFormat format)
{
  g_autofree char *drm = gst_video_dma_drm_fourcc_to_string (
      gst_video_dma_drm_fourcc_from_format (format), FAKE_MODIFIER);
  return g_strdup_printf ("format=DMA_DRM,drm-format=(string)\"%s\"", drm);
}

/* Only the device knows where pixels are: they come in as images. */
static void
test_tiled (void)
{
  guint n = 0;
  for (guint i = 0; i < 2 * G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info;
    GstVideoFormat format = formats[i / 2];
    if (!is_listed (format))
      continue;
    g_autofree char *caps = tiled_caps (format);
    gst_video_info_set_format (&info, format, i % 2 ? 163 : 160, i % 2 ? 61 : 90);
    compare (FEATURE, caps, &info, TILED, "");
    if (n++ == 0) {
      compare (FEATURE, caps, &info, TILED, "output=labels");
      compare (FEATURE, caps, &info, TILED, "tiling=overlap");
    }
  }
  if (n == 0)
    g_test_skip ("the device imports no dma-bufs as images");
  else
    g_assert_cmpuint (n, >=, 4);
}

/* No CPU can help where the device cannot; and frames that nothing is drawn into yet cannot be shown. */
static void
test_tiled_alone (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, 160, 90);
  g_autofree char *caps = tiled_caps (GST_VIDEO_FORMAT_RGBA);
  if (!is_listed (GST_VIDEO_FORMAT_RGBA)) {
    g_test_skip ("the device imports no dma-bufs as images");
    return;
  }
  run_modes (caps, &info, TILED, 1);
  GstBuffer *buffer = dmabuf_frame (&info, 0, TILED, TRUE);
  gst_buffer_get_video_meta (buffer)->offset[0] += 8 * PAGE;
  refuse_as (FEATURE, caps, &info, buffer, "a frame that ends after its end");
  buffer = dmabuf_frame (&info, 0, PLAIN, TRUE);
  refuse_as (FEATURE, caps, &info, buffer, "no meta");
  buffer = dmabuf_frame (&info, 0, TILED, FALSE);
  refuse_as (FEATURE, caps, &info, buffer, "host memory");
}

static GstBuffer *
frame_at (GstMemory *memory, const GstVideoInfo *info, gsize offset, gint stride)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { offset };
  gint strides[GST_VIDEO_MAX_PLANES] = { stride };
  GstBuffer *buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, gst_memory_ref (memory));
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), (guint) info->width, (guint) info->height, 1, offsets,
      strides);
  return buffer;
}

/* Frames at as many places of one memory as a decoder may have, and not at any number of them. */
static void
test_tiled_places (void)
{
  enum { N = 64 };
  GstVideoInfo info;
  gsize offset[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES];
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, 160, 90);
  g_autofree char *caps = tiled_caps (GST_VIDEO_FORMAT_RGBA);
  if (!is_listed (GST_VIDEO_FORMAT_RGBA)) {
    g_test_skip ("the device imports no dma-bufs as images");
    return;
  }
  g_autoptr (GByteArray) bytes = dmabuf_draw (&info, 0, TILED, offset, stride);
  g_byte_array_set_size (bytes, bytes->len + N * PAGE);
  GstMemory *memory = dmabuf_memory (bytes->data, bytes->len, 0);
  GstHarness *h = open_harness (FEATURE, caps, &info, "");
  for (guint i = 0; i < N + 2; i++) {
    GstBuffer *buffer = frame_at (memory, &info, offset[0] + i % N * PAGE, stride[0]);
    g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
    gst_buffer_unref (gst_harness_pull (h));
  }
  g_assert_cmpint (
      gst_harness_push (h, frame_at (memory, &info, offset[0] + N * PAGE, stride[0])), ==,
      GST_FLOW_ERROR);
  gst_harness_teardown (h);
  gst_memory_unref (memory);
}

/* With a pitch that the driver refuses. */
static GstBuffer *
refused_frame (const GstVideoInfo *info, guint n)
{
  GstBuffer *buffer = dmabuf_frame (info, n, TILED, TRUE);
  gst_buffer_get_video_meta (buffer)->stride[0] += 64;
  return buffer;
}

static guint
n_reconfigures (GstHarness *h)
{
  GstEvent *event;
  guint n = 0;
  while ((event = gst_harness_try_pull_upstream_event (h)) != NULL) {
    n += GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE;
    gst_event_unref (event);
  }
  return n;
}

static guint
n_warnings (GstBus *bus)
{
  GstMessage *message;
  guint n = 0;
  for (; (message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)) != NULL; n++)
    gst_message_unref (message);
  return n;
}

/* Frames 4, 5 and 7 are. */
static gboolean
is_refused (guint n)
{
  return n == 4 || n == 5 || n == 7;
}

/* The frame is left out, its modifier not offered any more, and upstream and the application told once, though
 * a good one comes between; the next says that there is a gap. With another modifier the stream goes on. */
static void
check_refused (const GstVideoInfo *info, const char *settings)
{
  g_autofree char *caps = tiled_caps (GST_VIDEO_FORMAT_RGBA);
  g_autoptr (GstBus) bus = gst_bus_new ();
  guint n = 0;
  g_test_message ("%s", settings);
  GstHarness *h = open_harness (FEATURE, caps, info, settings);
  gst_element_set_bus (h->element, bus);
  for (; n < 4; n++)
    g_assert_cmpint (
        gst_harness_push (h, dmabuf_frame (info, n, TILED, TRUE)), ==, GST_FLOW_OK);
  n_reconfigures (h);
  g_assert_true (accepts (h, DRM ("AB24:0x7f00000000000001")));
  for (; n < 8; n++) {
    GstBuffer *frame =
        is_refused (n) ? refused_frame (info, n) : dmabuf_frame (info, n, TILED, TRUE);
    g_assert_cmpint (gst_harness_push (h, frame), ==, GST_FLOW_OK);
  }
  g_assert_cmpuint (n_reconfigures (h), ==, 1);
  g_assert_cmpuint (n_warnings (bus), ==, 1);
  g_assert_false (accepts (h, DRM ("AB24:0x7f00000000000001")));
  g_assert_cmpint (accepts (h, DRM ("AR24:0x7f00000000000001")), ==,
      is_listed (GST_VIDEO_FORMAT_BGRA));
  g_assert_true (accepts (h, DRM ("AB24")));
  gst_harness_set_src_caps_str (h, "video/x-raw" FEATURE ",format=DMA_DRM,drm-format=AB24"
                                   ",width=160,height=90,framerate=30/1");
  for (; n < 11; n++)
    g_assert_cmpint (
        gst_harness_push (h, dmabuf_frame (info, n, PADDED, TRUE)), ==, GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 8);
  for (n = 0; n < 11; n++) {
    g_autoptr (GstBuffer) out = is_refused (n) ? NULL : gst_harness_pull (h);
    g_assert_true (out == NULL || GST_BUFFER_PTS (out) == n * GST_SECOND / 30);
    if (out != NULL && n > 0)
      g_assert_cmpint (GST_BUFFER_IS_DISCONT (out), ==, is_refused (n - 1));
  }
  gst_element_set_bus (h->element, NULL);
  gst_bus_set_flushing (bus, TRUE); /* messages have references to the element */
  gst_harness_teardown (h);
}

/* A message of this type, whose text has `what` in it. */
static void
check_message (GstBus *bus, GstMessageType type, const char *what)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, type);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (message);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else {
    g_autofree char *debug = NULL;
    gst_message_parse_warning (message, NULL, &debug);
    error = g_error_new_literal (GST_STREAM_ERROR, 0, debug);
  }
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, what));
}

/* What the driver says of the memory is a refusal, and the stream goes on; whatever else it fails at is an error,
 * with its name, of the first frame that it comes to, also in a mode that has frames in flight. */
static void
test_tiled_fails (void)
{
  static const struct {
    VkResult result;
    const char *name;
    gboolean refused;
  } cases[] = {
    { VK_ERROR_INVALID_EXTERNAL_HANDLE, "VK_ERROR_INVALID_EXTERNAL_HANDLE", TRUE },
    { VK_ERROR_FORMAT_NOT_SUPPORTED, "VK_ERROR_FORMAT_NOT_SUPPORTED", TRUE },
    { VK_ERROR_OUT_OF_DEVICE_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY", FALSE },
    { VK_ERROR_OUT_OF_HOST_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY", FALSE },
    { VK_ERROR_TOO_MANY_OBJECTS, "VK_ERROR_TOO_MANY_OBJECTS", FALSE },
    { VK_ERROR_UNKNOWN, "VK_ERROR_UNKNOWN", FALSE },
    { VK_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST", FALSE },
  };
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, 160, 90);
  if (!is_listed (GST_VIDEO_FORMAT_RGBA)) {
    g_test_skip ("the device imports no dma-bufs as images");
    return;
  }
  g_autofree char *caps = tiled_caps (GST_VIDEO_FORMAT_RGBA);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    gboolean refused = cases[i / 2].refused;
    const char *name = cases[i / 2].name;
    g_autoptr (GstBus) bus = gst_bus_new ();
    GstHarness *h =
        open_harness (FEATURE, caps, &info, i % 2 ? "mode=async" : "output=labels");
    gst_element_set_bus (h->element, bus);
    g_test_message ("%s, case %u", name, i);
    g_assert_cmpint (
        gst_harness_push (h, dmabuf_frame (&info, 0, TILED, TRUE)), ==, GST_FLOW_OK);
    fake_modifier_answer = cases[i / 2].result;
    g_assert_cmpint (gst_harness_push (h, dmabuf_frame (&info, 1, TILED, TRUE)), ==,
        refused ? GST_FLOW_OK : GST_FLOW_ERROR);
    fake_modifier_answer = VK_SUCCESS;
    check_message (bus, refused ? GST_MESSAGE_WARNING : GST_MESSAGE_ERROR, name);
    if (!refused)
      g_assert_cmpuint (n_warnings (bus), ==, 0);
    gst_element_set_bus (h->element, NULL);
    gst_bus_set_flushing (bus, TRUE); /* messages have references to the element */
    gst_harness_teardown (h);
  }
}

/* What does not go away ends the stream after all. */
static void
check_insistent (const GstVideoInfo *info)
{
  g_autofree char *caps = tiled_caps (GST_VIDEO_FORMAT_RGBA);
  GstHarness *h = open_harness (FEATURE, caps, info, "");
  GstFlowReturn ret = GST_FLOW_OK;
  guint n = 0;
  while (ret == GST_FLOW_OK && n < 2 * GST_VK_SEGMENT_MOST_REFUSED)
    ret = gst_harness_push (h, refused_frame (info, n++));
  g_assert_cmpint (ret, ==, GST_FLOW_ERROR);
  g_assert_cmpuint (n, ==, GST_VK_SEGMENT_MOST_REFUSED + 1);
  gst_harness_teardown (h);
}

static void
test_tiled_refused (void)
{
  static const char *const settings[] = { "output=labels", "output=meta", "mode=async",
    "mode=drop output=labels" };
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, 160, 90);
  if (!is_listed (GST_VIDEO_FORMAT_RGBA)) {
    g_test_skip ("the device imports no dma-bufs as images");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    check_refused (&info, settings[i]);
  check_insistent (&info);
}

/* Nobody but the driver that made it knows where a tiled frame's pixels are. */
static void
test_modifiers (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 64, 48);
  GstHarness *h = open_harness (FEATURE, "format=DMA_DRM,drm-format=NV12", &info, "");
  g_assert_true (accepts (h, DRM ("NV12")));
  g_assert_true (accepts (h, DRM ("AB24")));
  g_assert_false (accepts (h, DRM ("NV12:0x0100000000000002")));
  g_assert_false (accepts (h, DRM ("AB24:0x0100000000000001")));
  g_assert_cmpint (accepts (h, DRM ("AB24:0x7f00000000000001")), ==,
      is_listed (GST_VIDEO_FORMAT_RGBA));
  g_assert_false (accepts (h, DRM ("YUYV:0x7f00000000000001")));
  g_assert_true (accepts (h, DRM ("P010")));
  g_assert_false (accepts (h, DRM ("P016")));
  gst_harness_teardown (h);
}

#endif

/* Regions are looked at by the CPU, which goes by the names that are not DRM's; before GStreamer 1.24 there are
 * no others. */
static void
test_regions (void)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  GstBaseTransform *transform = GST_BASE_TRANSFORM (gst_object_ref_sink (element));
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw" FEATURE ",format=DMA_DRM,drm-format=AB24;"
                            "video/x-raw" FEATURE ",format=RGBA");
  g_autoptr (GstCaps) plain = gst_caps_from_string ("video/x-raw" FEATURE ",format=RGBA");
  g_object_set (element, "output", SEG_OUTPUT_META, NULL);
  for (guint i = 0; i < 4; i++) {
    GstPadDirection direction = i % 2 ? GST_PAD_SINK : GST_PAD_SRC;
    if (i == 2)
      g_object_set (element, "inference-region", SEG_INFERENCE_ROI_LIST, NULL);
    g_autoptr (GstCaps) other = GST_BASE_TRANSFORM_GET_CLASS (transform)->transform_caps (
        transform, direction, caps, NULL);
    gboolean all = i < 2 && GST_CHECK_VERSION (1, 24, 0);
    g_assert_true (gst_caps_is_equal (other, all ? caps : plain));
  }
  gst_object_unref (element);
}

/* The frame goes on as it came. */
static void
test_meta (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, 160, 90);
  GstHarness *h = open_harness (FEATURE, "format=RGBA", &info, "output=meta");
  for (guint i = 0; i < N_FRAMES; i++) {
    GstBuffer *buffer = dmabuf_frame (&info, i, PADDED, TRUE);
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, buffer);
    g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
    g_assert_nonnull (gst_buffer_get_vk_seg_meta (out));
  }
  g_assert_cmpuint (host_copies (h), ==, imports ? 0 : N_FRAMES);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  g_assert_true (
      gst_caps_features_contains (gst_caps_get_features (caps, 0), "memory:DMABuf"));
  gst_harness_teardown (h);
}

/* --- what is kept ------------------------------------------------------------------------------------ */

static guint
count_maps (void)
{
  g_autofree char *text = NULL;
  guint n = 0;
  g_assert_true (g_file_get_contents ("/proc/self/maps", &text, NULL, NULL));
  for (const char *at = text; (at = strstr (at, "memfd:vkseg-test")) != NULL; at++)
    n++;
  return n;
}

static guint
count_fds (void)
{
  guint n = 0;
  DIR *d = opendir ("/proc/self/fd");
  g_assert_nonnull (d);
  while (readdir (d) != NULL)
    n++;
  closedir (d);
  return n;
}

/* Of memory that goes nothing stays, whether the element goes first or last; and memory that comes again is
 * not imported again. */
static void
test_lifetimes (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  GstHarness *h = open_harness ("", "format=NV12", &info, "");
  GstBuffer *kept = dmabuf_frame (&info, 0, APART, TRUE);
  guint n_maps = 0, n_fds = 0;
  for (guint i = 0; i < 30; i++) {
    gst_buffer_unref (gst_harness_push_and_pull (h, gst_buffer_ref (kept)));
    gst_buffer_unref (
        gst_harness_push_and_pull (h, dmabuf_frame (&info, i, PADDED, TRUE)));
    if (i == 2) {
      n_maps = count_maps ();
      n_fds = count_fds ();
    }
  }
  g_assert_cmpuint (count_maps (), <=, n_maps);
  g_assert_cmpuint (count_fds (), <=, n_fds);
  gst_harness_teardown (h);
  gst_buffer_unref (kept);
  g_assert_cmpuint (count_maps (), ==, 0);
}

/* --- what is wrong ----------------------------------------------------------------------------------- */

/* Metas that lie, of dma-bufs and of host memory. */
static void
test_hostile (void)
{
  static const struct {
    const char *what;
    guint plane;
    gssize add_offset;
    gint stride; /* 0: as it is */
    gint add_width;
    GstVideoFormat format; /* 0: as it is */
  } cases[] = {
    { "a plane that begins after the end", 0, 1 << 30, 0, 0, 0 },
    { "a plane that begins at the very end of numbers", 1, -1 - (1 << 20), 0, 0, 0 },
    { "a plane that ends after the end", 1, 9000, 0, 0, 0 },
    { "rows that end after the end", 0, 0, 1 << 20, 0, 0 },
    { "rows whose length overflows", 1, 0, G_MAXINT, 0, 0 },
    { "rows that go back", 0, 0, -256, 0, 0 },
    { "a narrower frame", 0, 0, 0, -64, 0 },
    { "another format", 0, 0, 0, 0, GST_VIDEO_FORMAT_I420 },
    { "a format that is none", 0, 0, 0, 0, GST_VIDEO_FORMAT_ENCODED },
  };
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    guint c = i / 2;
    GstBuffer *buffer = dmabuf_frame (&info, 0, PADDED, i % 2);
    GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
    meta->offset[cases[c].plane] += (gsize) cases[c].add_offset;
    if (cases[c].stride != 0)
      meta->stride[cases[c].plane] = cases[c].stride;
    meta->width = (guint) ((gint) meta->width + cases[c].add_width);
    if (cases[c].format != 0)
      meta->format = cases[c].format;
    refuse (&info, buffer, cases[c].what);
  }
}

/* Memory that is less than the caps say, also where the fd is less than the memory. */
static void
test_too_small (void)
{
  GstVideoInfo info;
  guint8 few[64] = { 0 };
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  GstBuffer *buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, dmabuf_memory (few, sizeof few, 0));
  refuse (&info, buffer, "one page");
  int fd = memfd_create ("vkseg-test", MFD_CLOEXEC);
  dmabuf_write_fd (fd, PAGE, few, sizeof few, 0);
  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, dmabuf_memory_of_fd (fd, 6 * PAGE));
  refuse (&info, buffer, "an fd of one page that is said to be of six");
}

static void
test_silent (void)
{
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
}

int
main (int argc, char **argv)
{
  int status = 0;
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  imports = seg_vk_info (vk)->dmabuf;
  g_printerr (
      "# %s %s\n", seg_vk_info (vk)->driver, imports ? "imports" : "does not import");
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  g_free (color_net_write (dir, "plain", COLOR_NET_PLAIN, COLOR_NET_INFO));
  g_assert_true (GST_ELEMENT_REGISTER (vksegment, NULL));
  g_test_add_func ("/dmabuf/formats", test_formats);
  g_test_add_func ("/dmabuf/layouts", test_layouts);
  g_test_add_func ("/dmabuf/outputs", test_outputs);
#if GST_CHECK_VERSION(1, 24, 0)
  g_test_add_func ("/dmabuf/drm", test_drm);
  g_test_add_func ("/dmabuf/tiled", test_tiled);
  g_test_add_func ("/dmabuf/tiled-alone", test_tiled_alone);
  g_test_add_func ("/dmabuf/tiled-places", test_tiled_places);
  g_test_add_func ("/dmabuf/tiled-refused", test_tiled_refused);
  g_test_add_func ("/dmabuf/tiled-fails", test_tiled_fails);
  g_test_add_func ("/dmabuf/modifiers", test_modifiers);
#endif
  g_test_add_func ("/dmabuf/regions", test_regions);
  g_test_add_func ("/dmabuf/meta", test_meta);
  g_test_add_func ("/dmabuf/modes", test_modes);
  g_test_add_func ("/dmabuf/lifetimes", test_lifetimes);
  g_test_add_func ("/dmabuf/hostile", test_hostile);
  g_test_add_func ("/dmabuf/too-small", test_too_small);
  g_test_add_func ("/dmabuf/validation-is-silent", test_silent);
  status = g_test_run ();
  g_clear_pointer (&vk, seg_vk_unref);
  color_net_remove (dir);
  g_free (dir);
  gst_deinit ();
  return status;
}
