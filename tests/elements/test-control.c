/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties that a GstControlSource drives have their value of each frame's own time. */
#include "element-test.h"
#include "frame/color-net.h"

#include "elements/settings.h"

#include <gst/check/gstharness.h>
#include <gst/controller/controller.h>

#include <string.h>

#define WIDTH    64
#define HEIGHT   48
#define N_FRAMES 11
#define FRAME    (GST_SECOND / 10)

static char *dir, *model;

/* From 0 at the first frame to 1 at the last. */
static void
ramp (GstElement *element, const char *property)
{
  GstControlSource *source = gst_interpolation_control_source_new ();
  GstTimedValueControlSource *values = GST_TIMED_VALUE_CONTROL_SOURCE (source);
  g_object_set (source, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
  gst_timed_value_control_source_set (values, 0, 0.0);
  gst_timed_value_control_source_set (values, (N_FRAMES - 1) * FRAME, 1.0);
  g_assert_true (gst_object_add_control_binding (GST_OBJECT (element),
      gst_direct_control_binding_new_absolute (GST_OBJECT (element), property, source)));
  gst_object_unref (source);
}

/* All red. */
static GstBuffer *
new_frame (guint i)
{
  guint8 *data = g_malloc0 (4 * WIDTH * HEIGHT);
  for (guint p = 0; p < WIDTH * HEIGHT; p++)
    data[4 * p] = 255;
  GstBuffer *buffer = gst_buffer_new_wrapped (data, 4 * WIDTH * HEIGHT);
  GST_BUFFER_PTS (buffer) = i * FRAME;
  GST_BUFFER_DURATION (buffer) = FRAME;
  return buffer;
}

static GstHarness *
open_harness (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *line = g_strdup_vprintf (format, args);
  va_end (args);
  GstHarness *h = gst_harness_new_parse (line);
  g_assert_nonnull (h);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=" G_STRINGIFY (WIDTH) ",height=" G_STRINGIFY (
             HEIGHT) ",framerate=10/1");
  return h;
}

/* What is red becomes blue as alpha grows. */
static void
check_fade (GstHarness *h)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (h->element), "faded");
  ramp (element, "alpha");
  gst_object_unref (element);
  for (guint i = 0; i < N_FRAMES; i++) {
    GstMapInfo map;
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, new_frame (i));
    g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
    const guint8 *middle = map.data + 4 * (HEIGHT / 2 * WIDTH + WIDTH / 2);
    double want = 255.0 * i / (N_FRAMES - 1);
    g_test_message ("frame %u: %u %u %u", i, middle[0], middle[1], middle[2]);
    g_assert_cmpfloat_with_epsilon ((double) middle[0], 255.0 - want, 2.0);
    g_assert_cmpfloat_with_epsilon ((double) middle[2], want, 2.0);
    gst_buffer_unmap (out, &map);
  }
  gst_harness_teardown (h);
}

#define SEGMENT "vksegment model=%s cache-dir=%s palette=#000000,#0000ff,#00ff00,#ff0000 "
#define OVERLAY "vksegoverlay palette=#000000,#0000ff,#00ff00,#ff0000 "

static void
test_segment (void)
{
  check_fade (open_harness (SEGMENT "draw=masks name=faded", model, dir));
}

static void
test_overlay (void)
{
  check_fade (open_harness (
      SEGMENT "output=meta ! " OVERLAY "draw=masks name=faded", model, dir));
}

static void
check_value (const char *line, const char *property, double first, double last)
{
  GstHarness *h = open_harness ("%s", line);
  GstElement *element = gst_bin_get_by_name (GST_BIN (h->element), "it");
  ramp (element, property);
  for (guint i = 0; i < N_FRAMES; i++) {
    double value, want = first + (last - first) * i / (N_FRAMES - 1);
    gst_buffer_unref (gst_harness_push_and_pull (h, new_frame (i)));
    g_object_get (element, property, &value, NULL);
    g_assert_cmpfloat_with_epsilon (value, want, 1e-6);
  }
  gst_object_unref (element);
  gst_harness_teardown (h);
}

/* Of each that says that it can be controlled, the value follows. */
static void
test_all (void)
{
  g_autofree char *segment =
      g_strdup_printf ("vksegment name=it model=%s cache-dir=%s", model, dir);
  const char *const lines[] = { segment, "vksegoverlay name=it", "vksegtrack name=it" };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_auto (GStrv) words = g_strsplit (lines[i], " ", 2);
    GstElement *element = gst_element_factory_make (words[0], NULL);
    guint n, n_controllable = 0;
    g_autofree GParamSpec **all =
        g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
    for (guint p = 0; p < n; p++)
      if ((all[p]->flags & GST_PARAM_CONTROLLABLE)
          && all[p]->value_type == G_TYPE_DOUBLE) {
        g_test_message ("%s.%s", words[0], all[p]->name);
        check_value (lines[i], all[p]->name, 0.0, 1.0);
        n_controllable++;
      }
    gst_object_unref (element);
    g_assert_cmpuint (n_controllable, >, 0);
  }
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  model = color_net_write (dir, "color", COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_test_add_func ("/control/segment", test_segment);
  g_test_add_func ("/control/overlay", test_overlay);
  g_test_add_func ("/control/all", test_all);
  status = element_test_run ();
  g_free (model);
  return status;
}
