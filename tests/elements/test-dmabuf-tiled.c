/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modifiers in caps, and tiled frames, which vk/fake-modifier.c makes possible, beside the same frames in host
 * memory. */
#include "dmabuf-streams.h"

#include "elements/videoframe.h"
#include "elements/vksegment-priv.h"
#include "vk/fake-modifier.h"
#include "zerocopy/tiling.h"

#include <string.h>

#define PAGE DMABUF_PAGE

#define DRM(format)                                                                      \
  "video/x-raw" DMABUF_FEATURE ",format=DMA_DRM,drm-format=" format                      \
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
  g_autoptr (GArray) modifiers = seg_vk_modifiers (dmabuf_vk, seg_tiling_format (format));
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
  for (guint i = 0; i < 2 * G_N_ELEMENTS (dmabuf_formats); i++) {
    GstVideoInfo info;
    GstVideoFormat format = dmabuf_formats[i / 2];
    if (!is_listed (format))
      continue;
    g_autofree char *caps = tiled_caps (format);
    gst_video_info_set_format (&info, format, i % 2 ? 163 : 160, i % 2 ? 61 : 90);
    dmabuf_compare (DMABUF_FEATURE, caps, &info, TILED, "");
    if (n++ == 0) {
      dmabuf_compare (DMABUF_FEATURE, caps, &info, TILED, "output=labels");
      dmabuf_compare (DMABUF_FEATURE, caps, &info, TILED, "tiling=overlap");
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
  dmabuf_run_modes (caps, &info, TILED, 1);
  GstBuffer *buffer = dmabuf_frame (&info, 0, TILED, TRUE);
  gst_buffer_get_video_meta (buffer)->offset[0] += 8 * PAGE;
  dmabuf_refuse (DMABUF_FEATURE, caps, &info, buffer, "a frame that ends after its end");
  buffer = dmabuf_frame (&info, 0, PLAIN, TRUE);
  dmabuf_refuse (DMABUF_FEATURE, caps, &info, buffer, "no meta");
  buffer = dmabuf_frame (&info, 0, TILED, FALSE);
  dmabuf_refuse (DMABUF_FEATURE, caps, &info, buffer, "host memory");
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
  GstHarness *h = dmabuf_harness (DMABUF_FEATURE, caps, &info, "");
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
  GstHarness *h = dmabuf_harness (DMABUF_FEATURE, caps, info, settings);
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
  gst_harness_set_src_caps_str (h,
      "video/x-raw" DMABUF_FEATURE ",format=DMA_DRM,drm-format=AB24"
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
    GstHarness *h = dmabuf_harness (
        DMABUF_FEATURE, caps, &info, i % 2 ? "mode=async" : "output=labels");
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
  GstHarness *h = dmabuf_harness (DMABUF_FEATURE, caps, info, "");
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
  GstHarness *h =
      dmabuf_harness (DMABUF_FEATURE, "format=DMA_DRM,drm-format=NV12", &info, "");
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

int
main (int argc, char **argv)
{
  int status = 0;
  if (!dmabuf_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/dmabuf/tiled", test_tiled);
  g_test_add_func ("/dmabuf/tiled-alone", test_tiled_alone);
  g_test_add_func ("/dmabuf/tiled-places", test_tiled_places);
  g_test_add_func ("/dmabuf/tiled-refused", test_tiled_refused);
  g_test_add_func ("/dmabuf/tiled-fails", test_tiled_fails);
  g_test_add_func ("/dmabuf/modifiers", test_modifiers);
  return dmabuf_run ();
}
