/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegment with frames and networks of different sizes: tiles, results of the network's own size,
 * messages. */
#include "element-test.h"
#include "elements/settings.h"
#include "frame/color-net.h"
#include "frame/pipe.h"
#include "lib/net.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <string.h>

static char *dir;

static GstElement *
new_element (const char *model, const char *first_property, ...)
{
  va_list args;
  va_start (args, first_property);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_assert_nonnull (element);
  g_object_set (element, "model", model, "cache-dir", dir, NULL);
  if (first_property != NULL)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  return element;
}

static GstHarness *
new_harness (GstElement *element, guint width, guint height)
{
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  g_autofree char *caps = g_strdup_printf (
      "video/x-raw,format=RGB,width=%u,height=%u,framerate=30/1", width, height);
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* Red in the columns up to `border`, green from there on. */
static GstBuffer *
new_picture (guint width, guint height, guint border)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  guint8 *data = g_malloc0 (info.size);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      data[y * (guint) info.stride[0] + 3 * x + (x >= border)] = 255;
  return gst_buffer_new_wrapped (data, info.size);
}

static void
size_of (GstHarness *h, GstVideoInfo *info)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  g_assert_nonnull (caps);
  g_assert_true (gst_video_info_from_caps (info, caps));
}

/* Labels of a picture with its border at half of the result's width. */
static void
check_labels (GstHarness *h, guint width, guint height, guint want_w, guint want_h)
{
  GstVideoInfo info;
  GstVideoFrame f;
  g_autoptr (GstBuffer) out =
      gst_harness_push_and_pull (h, new_picture (width, height, width / 2));
  g_assert_nonnull (out);
  size_of (h, &info);
  g_assert_cmpint (info.width, ==, want_w);
  g_assert_cmpint (info.height, ==, want_h);
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&f, 0);
  for (guint y = 0; y < want_h; y++)
    for (guint x = 0; x < want_w; x++) {
      guint8 got = data[y * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&f, 0) + x];
      if (got != (x < width / 2 * want_w / width ? 1 : 2))
        g_error ("%ux%u gives %ux%u: at %u,%u is %u", width, height, want_w, want_h, x, y,
            got);
    }
  gst_video_frame_unmap (&f);
}

static void
test_tiling (void)
{
  g_autofree char *model =
      color_net_write (dir, "color", COLOR_NET_PLAIN, COLOR_NET_INFO);
  for (guint tile = 0; tile < 2; tile++) {
    guint width = tile ? 201 : 128, height = tile ? 77 : 96; /* 32 x 24: four times */
    GstHarness *h = new_harness (
        new_element (model, "output", SEG_OUTPUT_LABELS, "tiling",
            tile ? SEG_TILING_OVERLAP : SEG_TILING_AUTO, "tile-overlap", 6, NULL),
        width, height);
    check_labels (h, width, height, width, height);
    gst_harness_teardown (h);
  }
}

/* One pixel of the result for each of the network's, in all ways to fit. */
static void
test_none (void)
{
  g_autofree char *model =
      color_net_write (dir, "color", COLOR_NET_PLAIN, COLOR_NET_INFO);
  static const struct {
    SegResize resize;
    guint width, height, want_w, want_h;
  } cases[] = {
    { SEG_RESIZE_STRETCH, 64, 72, 32, 24 },
    { SEG_RESIZE_LETTERBOX, 64, 24, 32, 12 },
    { SEG_RESIZE_CROP, 64, 48, 32, 24 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = new_harness (
        new_element (model, "output", SEG_OUTPUT_LABELS, "resize", cases[i].resize,
            "upsample", SEG_UPSAMPLE_NONE, "tiling", SEG_TILING_NONE, NULL),
        cases[i].width, cases[i].height);
    check_labels (h, cases[i].width, cases[i].height, cases[i].want_w, cases[i].want_h);
    gst_harness_teardown (h);
  }
}

static GstMessage *
first_message (GstBus *bus, GstMessageType type)
{
  return gst_bus_pop_filtered (bus, type);
}

static void
check_error (GstBus *bus, const char *what)
{
  g_autoptr (GstMessage) message = first_message (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &debug);
  g_assert_nonnull (strstr (error->message, what));
}

static void
test_refused (void)
{
  g_autofree char *model =
      color_net_write (dir, "color", COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstElement *element = new_element (model, "input-width", 64, NULL);
  gst_element_set_bus (element, bus);
  g_assert_cmpint (
      gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  check_error (bus, "input-width");
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);

  element = new_element (model, "upsample", SEG_UPSAMPLE_NONE, NULL); /* of an overlay */
  gst_element_set_bus (element, bus);
  GstHarness *h = new_harness (element, 64, 48);
  gst_harness_push (h, new_picture (64, 48, 32));
  check_error (bus, "upsample=none");
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (h);
}

/* A message for each frame that was inferred, with what is in it. */
static void
test_messages (void)
{
  g_autofree char *model =
      color_net_write (dir, "color", COLOR_NET_PLAIN, COLOR_NET_INFO);
  GstElement *element = new_element (model, "post-messages", TRUE, "interval", 2, NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  GstHarness *h = new_harness (element, 64, 48);
  for (guint i = 0; i < 4; i++) {
    GstBuffer *in = new_picture (64, 48, 48);
    GST_BUFFER_PTS (in) = i * GST_SECOND;
    gst_buffer_unref (gst_harness_push_and_pull (h, in));
  }
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) message = first_message (bus, GST_MESSAGE_ELEMENT);
    g_assert_nonnull (message);
    const GstStructure *s = gst_message_get_structure (message);
    guint64 timestamp;
    g_assert_cmpstr (gst_structure_get_name (s), ==, "vkseg-result");
    g_assert_true (gst_structure_get_uint64 (s, "timestamp", &timestamp));
    g_assert_cmpuint (timestamp, ==, 2 * i * GST_SECOND);
    const GValue *classes = gst_structure_get_value (s, "classes");
    g_assert_cmpuint (gst_value_array_get_size (classes), ==, 2);
    const GstStructure *red =
        gst_value_get_structure (gst_value_array_get_value (classes, 0));
    double area;
    g_assert_cmpstr (gst_structure_get_string (red, "label"), ==, "red");
    g_assert_true (gst_structure_get_double (red, "area", &area));
    g_assert_cmpfloat_with_epsilon (area, 0.75, 0.02);
  }
  g_assert_null (first_message (bus, GST_MESSAGE_ELEMENT));
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (h);
}

/* --- memory ------------------------------------------------------------------------------------- */

static gsize
peak_kib (void)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  const char *line = strstr (text, "VmHWM:");
  return line != NULL ? (gsize) g_ascii_strtoull (line + 6, NULL, 10) : 0;
}

static gsize
run_tiles (const char *model, guint width, guint height)
{
  GstHarness *h = new_harness (new_element (model, "output", SEG_OUTPUT_LABELS, "tiling",
                                   SEG_TILING_OVERLAP, NULL),
      width, height);
  GstBuffer *out = gst_harness_push_and_pull (h, new_picture (width, height, width / 2));
  g_assert_nonnull (out);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  return peak_kib ();
}

/* Four times the frame needs more for frames and maps, which are 3 + 3 + 1 + 1 + 1 bytes a pixel with
 * those of the harness; scores of the frame would be 4 bytes for each of 21 classes. What compiling
 * shaders leaves in the heap moves the difference by 20 MB either way, so twice those 9 bytes are
 * allowed, which is less than a quarter of what such scores would take. */
static void
test_memory (void)
{
#ifdef __SANITIZE_ADDRESS__
  /* llvmpipe takes a page for each workgroup and frees it; the sanitizer keeps a million of them. */
  g_test_skip ("the sanitizer keeps memory that was freed");
  return;
#endif
  Net *net = net_new (1, 3, 192, 192);
  const char *v = net_conv (net, "picture", (NetConv){ 3, 8, 3, 2, 1 });
  v = net_up_conv (net, net_op (net, "Relu", v), (NetConv){ 8, 21, 2, 2 });
  g_autofree char *model = net_write (net, v, dir, "memory", NULL);
  gsize hd = run_tiles (model, 1920, 1080), uhd = run_tiles (model, 3840, 2160);
  gsize more = (3840 * 2160 - 1920 * 1080) / 1024 * 18;
  g_test_message ("at most %zu KiB at 1920x1080, %zu KiB at 3840x2160", hd, uhd);
  if (hd > 0 && uhd > hd + more)
    g_error ("%zu KiB at 1920x1080, %zu KiB at 3840x2160: more than %zu KiB apart", hd,
        uhd, more);
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  g_test_add_func ("/sizes/memory", test_memory);
  g_test_add_func ("/sizes/tiling", test_tiling);
  g_test_add_func ("/sizes/none", test_none);
  g_test_add_func ("/sizes/refused", test_refused);
  g_test_add_func ("/sizes/messages", test_messages);
  status = element_test_run ();
  return status;
}
