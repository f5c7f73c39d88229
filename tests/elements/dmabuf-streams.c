/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dmabuf-streams.h"

#include "elements/vksegment.h"
#include "frame/color-net.h"
#include "lib/device.h"

#define N_FRAMES 4

SegVk *dmabuf_vk;
gboolean dmabuf_imports;
const GstVideoFormat dmabuf_formats[] = { GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420,
  GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_BGRx,
  GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_P010_10LE };

static char *dir;

GstHarness *
dmabuf_harness (const char *feature, const char *format, const GstVideoInfo *info,
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

guint
dmabuf_host_copies (GstHarness *h)
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
  *read = dmabuf_host_copies (h) - N_FRAMES;
  gst_harness_teardown (h);
  return pixels;
}

/* --- what is checked -------------------------------------------------------------------------------- */

void
dmabuf_compare (const char *feature, const char *format, const GstVideoInfo *info,
    DmabufLayout layout, const char *settings)
{
  guint read;
  g_autofree char *plain = g_strdup_printf (
      "format=%s", gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)));
  g_test_message ("%s %s %dx%d, layout %d, %s", feature, format, info->width,
      info->height, layout, settings);
  g_autoptr (GByteArray) want =
      run (dmabuf_harness ("", plain, info, settings), info, layout, FALSE, &read);
  g_assert_cmpuint (read, ==, N_FRAMES);
  g_autoptr (GByteArray) got =
      run (dmabuf_harness (feature, format, info, settings), info, layout, TRUE, &read);
  g_assert_cmpmem (got->data, got->len, want->data, want->len);
  g_assert_cmpuint (read, ==, dmabuf_imports && layout != UNEVEN ? 0 : N_FRAMES);
}

void
dmabuf_refuse (const char *feature, const char *format, const GstVideoInfo *info,
    GstBuffer *buffer, const char *what)
{
  GstHarness *h = dmabuf_harness (feature, format, info, "");
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

void
dmabuf_run_modes (
    const char *format, const GstVideoInfo *info, DmabufLayout first, guint n_layouts)
{
  static const char *const modes[] = { "mode=async", "mode=drop",
    "mode=drop output=meta" };
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    GstHarness *h = dmabuf_harness (DMABUF_FEATURE, format, info, modes[m]);
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

/* --- the program -------------------------------------------------------------------------------------- */

static void
test_silent (void)
{
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
}

gboolean
dmabuf_begin (int *argc, char ***argv, int *status)
{
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  dmabuf_vk = seg_test_device (status);
  if (dmabuf_vk == NULL)
    return FALSE;
  dmabuf_imports = seg_vk_info (dmabuf_vk)->dmabuf;
  g_printerr ("# %s %s\n", seg_vk_info (dmabuf_vk)->driver,
      dmabuf_imports ? "imports" : "does not import");
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  g_free (color_net_write (dir, "plain", COLOR_NET_PLAIN, COLOR_NET_INFO));
  g_assert_true (GST_ELEMENT_REGISTER (vksegment, NULL));
  return TRUE;
}

int
dmabuf_run (void)
{
  g_test_add_func ("/dmabuf/validation-is-silent", test_silent);
  int status = g_test_run ();
  g_clear_pointer (&dmabuf_vk, seg_vk_unref);
  color_net_remove (dir);
  g_clear_pointer (&dir, g_free);
  gst_deinit ();
  return status;
}
