/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A second device can be named: the CPU driver, which is there under two names, is two of them. */
#include "elements/vksegment-priv.h"
#include "frame/color-net.h"

#include "lib/device.h"

#include <gst/check/gstharness.h>

#define WIDTH  64
#define HEIGHT 48

#define DRIVERS "/usr/share/vulkan/icd.d"

static char *dir, *model;
static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };

/* Before anything asks for Vulkan. FALSE: there is no such driver. */
static gboolean
name_twice (void)
{
  g_autoptr (GDir) drivers = g_dir_open (DRIVERS, 0, NULL);
  const char *name = NULL;
  while (drivers != NULL && (name = g_dir_read_name (drivers)) != NULL)
    if (g_str_has_prefix (name, "lvp_icd"))
      break;
  if (name == NULL)
    return FALSE;
  g_autofree char *first = g_build_filename (DRIVERS, name, NULL), *text = NULL;
  g_autofree char *second = g_build_filename (dir, "second.json", NULL);
  g_autofree char *both = g_strdup_printf ("%s:%s", first, second);
  gsize n = 0;
  gboolean ok = g_file_get_contents (first, &text, &n, NULL)
                && g_file_set_contents (second, text, (gssize) n, NULL);
  g_setenv ("VK_ICD_FILENAMES", both, TRUE);
  g_setenv ("VK_DRIVER_FILES", both, TRUE);
  return ok;
}

static GstHarness *
open_harness (const char *device)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "output", SEG_OUTPUT_LABELS,
      "tiling", SEG_TILING_NONE, "device", device, "batch-size", 2, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, FALSE);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=64,height=48,framerate=30/1");
  return h;
}

/* Red up to `border`, and its labels. */
static void
run (GstHarness *h, guint border)
{
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .stride = { 4 * WIDTH } };
  GstMapInfo map;
  guint8 *data = g_malloc0 (4 * WIDTH * HEIGHT);
  color_net_paint (&frame, data, 0, border, red);
  color_net_paint (&frame, data, border, WIDTH, green);
  GstFlowReturn ret =
      gst_harness_push (h, gst_buffer_new_wrapped (data, 4 * WIDTH * HEIGHT));
  g_assert_cmpint (ret, ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_pull (h);
  g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
  for (guint x = 0; x < WIDTH; x++)
    if (ABS ((int) x - (int) border) > 4)
      g_assert_cmpuint (map.data[20 * WIDTH + x], ==, x < border ? 1 : 2);
  gst_buffer_unmap (out, &map);
}

static SegVk *
device_of (GstHarness *h)
{
  return GST_VK_SEGMENT (h->element)->net->vk;
}

/* Side by side, nothing shared; one goes, the other stays. */
static void
test_both (void)
{
  GstHarness *h[3] = { open_harness ("0"), open_harness ("1"), open_harness ("1") };
  g_assert_cmpuint (seg_vk_info (device_of (h[0]))->index, ==, 0);
  g_assert_cmpuint (seg_vk_info (device_of (h[1]))->index, ==, 1);
  g_assert_true (device_of (h[1]) == device_of (h[2]));
  for (guint n = 0; n < 5; n++)
    for (guint i = 0; i < 3; i++)
      run (h[i], 10 + 10 * i + n);
  gst_harness_teardown (h[0]);
  gst_harness_teardown (h[1]);
  run (h[2], 30);
  gst_harness_teardown (h[2]);
}

/* While frames flow. */
static void
test_change (void)
{
  GstHarness *h = open_harness ("0");
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  run (h, 20);
  g_object_set (h->element, "device", "1", NULL);
  for (guint n = 0; seg_vk_info (device_of (h))->index == 0; n++) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    run (h, 10 + n % 40);
    g_usleep (2000);
  }
  run (h, 33);
  gst_harness_teardown (h);
}

static void
test_unknown (void)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (
      element, "model", model, "cache-dir", dir, "device", "no such device", NULL);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  g_assert_cmpint (
      gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "no such device"));
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

int
main (int argc, char **argv)
{
  int status = 0;
  guint n = 0;
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  gboolean named = name_twice ();
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_autoptr (SegVk) vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  g_free (seg_vk_list (&n, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (vksegment, NULL));
  model = color_net_write (dir, "net", COLOR_NET_PLAIN, COLOR_NET_INFO);
  if (named && n >= 2) {
    g_test_add_func ("/devices/both", test_both);
    g_test_add_func ("/devices/change", test_change);
  }
  g_test_add_func ("/devices/unknown", test_unknown);
  status = g_test_run ();
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  color_net_remove (dir);
  g_free (model);
  g_free (dir);
  gst_deinit (); /* the tracer looks at what is left */
  return status;
}
