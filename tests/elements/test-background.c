/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vkbackground: what is shown in the place of what is behind, in each mode, and what is changed while
 * frames flow. The network's foreground is what is green. */
#include "../frame/color-net.h"
#include "element-test.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH      160
#define HEIGHT     96
#define PATIENCE_S 60 /* for an encoder, whose plugin comes from a disk that others use */
#define CAPS       "video/x-raw,format=RGBx,width=160,height=96,framerate=30/1"

/* Green up to here, then red. */
#define BORDER 80

static char *dir, *model;

/* --- frames -------------------------------------------------------------------------------------- */

static GstBuffer *
new_frame (guint n)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, WIDTH * HEIGHT * 4, NULL);
  GstMapInfo map;
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint i = 0; i < WIDTH * HEIGHT; i++) {
    map.data[4 * i] = i % WIDTH < BORDER ? 0 : 255;
    map.data[4 * i + 1] = i % WIDTH < BORDER ? 255 : 0;
    map.data[4 * i + 2] = map.data[4 * i + 3] = 0;
  }
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = n * GST_SECOND / 30;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

static GstHarness *
open_harness (const char *properties)
{
  g_autofree char *line = g_strdup_printf ("vkbackground model=%s %s", model, properties);
  GstHarness *h = gst_harness_new_parse (line);
  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_play (h);
  return h;
}

/* Mean of a component left (in front) or right (behind), away from the border. */
static double
mean (GstBuffer *buffer, gboolean right, guint component)
{
  GstMapInfo map;
  double sum = 0.0;
  guint n = 0;
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = right ? BORDER + 20 : 0; x < (right ? WIDTH : BORDER - 20); x++, n++)
      sum += map.data[4 * (y * WIDTH + x) + component];
  gst_buffer_unmap (buffer, &map);
  return sum / n;
}

/* What is in front stays, and behind it is this colour; both as far as the network is sure, which is
 * four fifths and nineteen twentieths. */
static void
check (GstBuffer *buffer, guint red, guint green, guint blue)
{
  const guint wanted[3] = { red, green, blue };
  g_assert_cmpfloat (mean (buffer, FALSE, 1), >, 190.0);
  for (guint c = 0; c < 3; c++)
    g_assert_cmpfloat (ABS (mean (buffer, TRUE, c) - wanted[c]), <, 20.0);
}

static GstBuffer *
pass (GstHarness *h, guint n)
{
  gst_harness_push (h, new_frame (n));
  return gst_harness_pull (h);
}

/* --- what is behind ------------------------------------------------------------------------------- */

static void
test_color (void)
{
  GstHarness *h = open_harness ("background=color background-color=0xff2040c0");
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) out = pass (h, i);
    check (out, 0x20, 0x40, 0xc0);
  }
  gst_harness_teardown (h);
}

/* Mean of green just right of the border, of a blur that is wider. */
static double
green_over_border (GstBuffer *buffer)
{
  GstMapInfo map;
  double sum = 0.0;
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = BORDER + 4; x < BORDER + 16; x++)
      sum += map.data[4 * (y * WIDTH + x) + 1];
  gst_buffer_unmap (buffer, &map);
  return sum / (12 * HEIGHT);
}

/* Red blurred is red: of the green a fifth comes over the border, as the network is sure of four. A blur
 * of all would have 79 there. */
static void
test_blur (void)
{
  GstHarness *h = open_harness ("blur-sigma=20");
  g_autoptr (GstBuffer) out = pass (h, 0);
  check (out, 255, 0, 0);
  g_assert_cmpfloat (green_over_border (out), <, 40.0);
  gst_harness_teardown (h);
}

/* A file of blue pictures at 25 a second; NULL: GStreamer here cannot. */
static char *
write_pictures (const char *encoder, const char *muxer)
{
  g_autoptr (GstElementFactory) first = gst_element_factory_find (encoder),
                                second = gst_element_factory_find (muxer);
  g_autofree char *path = g_strdup_printf ("%s/%s.file", dir, encoder);
  if (first == NULL || second == NULL)
    return NULL;
  g_autofree char *line = g_strdup_printf ("videotestsrc num-buffers=3 pattern=blue ! "
                                           "video/x-raw,format=RGB,width=50,height=90,"
                                           "framerate=25/1 ! videoconvert ! %s ! %s ! "
                                           "filesink location=%s",
      encoder, muxer, path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, PATIENCE_S * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return g_steal_pointer (&path);
}

static void
check_image (const char *encoder, const char *muxer)
{
  g_autofree char *path = write_pictures (encoder, muxer);
  if (path == NULL) {
    g_test_skip ("an encoder is not here");
    return;
  }
  g_autofree char *properties =
      g_strdup_printf ("background=image background-image=%s", path);
  GstHarness *h = open_harness (properties);
  g_autoptr (GstBuffer) out = pass (h, 0);
  check (out, 0, 0, 255);
  gst_harness_teardown (h);
}

/* The first picture of a file of several, too. */
static void
test_image (void)
{
  check_image ("pngenc", "identity");
  check_image ("jpegenc", "avimux");
}

/* --- modes ------------------------------------------------------------------------------------------- */

static GstHarness *
open_live (const char *mode)
{
  g_autofree char *line = g_strdup_printf ("vkbackground model=%s background=color "
                                           "background-color=0xff0000ff mode=%s",
      model, mode);
  GstHarness *h = gst_harness_new_parse (line);
  gst_harness_set_live (h, TRUE);
  gst_harness_use_systemclock (h);
  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_play (h);
  return h;
}

/* Not even the first frame of a live source shows what is behind: without a result none leaves. What
 * makes frames leave early does not wait for one, either. */
static void
test_never_shown (void)
{
  static const char *const modes[] = { "sync", "async", "drop" };
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    GstHarness *h = open_live (modes[m]);
    guint n_out = 0;
    for (guint i = 0; n_out < 5; i++) {
      g_assert_cmpuint (i, <, 1000);
      gst_harness_push (h, new_frame (i));
      if (i < 20)
        gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
      g_usleep (5000);
      GstBuffer *out;
      while ((out = gst_harness_try_pull (h)) != NULL) {
        check (out, 0, 0, 255);
        gst_buffer_unref (out);
        n_out++;
      }
    }
    gst_harness_teardown (h);
  }
}

static void
test_changes (void)
{
  GstHarness *h = open_harness ("");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "vkbackground");
  g_autoptr (GstBuffer) first = pass (h, 0);
  check (first, 255, 0, 0);
  g_object_set (element, "background-color", 0xff0000ffu, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "background", "color");
  for (guint i = 1;; i++) {
    g_autoptr (GstBuffer) out = pass (h, i);
    if (mean (out, TRUE, 2) > 128.0) {
      check (out, 0, 0, 255);
      break;
    }
    check (out, 255, 0, 0);
    g_assert_cmpuint (i, <, 2000);
    g_usleep (5000);
  }
  gst_harness_teardown (h);
}

/* --- refused ------------------------------------------------------------------------------------------ */

static void
expect_error (const char *properties, const char *part)
{
  GstElement *element = gst_element_factory_make ("vkbackground", NULL);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  g_object_set (element, "model", model, NULL);
  g_auto (GStrv) pairs = g_strsplit (properties, " ", -1);
  for (guint i = 0; pairs[i] != NULL; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);
    gst_util_set_object_arg (G_OBJECT (element), pair[0], pair[1]);
  }
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_play (h);
  g_assert_cmpint (gst_harness_push (h, new_frame (0)), !=, GST_FLOW_OK);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (message);
  g_autofree char *hint = NULL;
  gst_message_parse_error (message, &error, &hint);
  g_assert_nonnull (strstr (hint, "gst-inspect-1.0 vkbackground"));
  if (strstr (error->message, part) == NULL)
    g_error ("%s: '%s' does not say '%s'", properties, error->message, part);
  gst_harness_teardown (h);
  gst_object_unref (bus);
}

static void
test_refused (void)
{
  g_autofree char *text = g_build_filename (dir, "text.png", NULL);
  g_autofree char *properties =
      g_strdup_printf ("background=image background-image=%s", text);
  g_file_set_contents (text, "no picture", -1, NULL);
  expect_error ("background=image", "set background-image");
  expect_error ("background=image background-image=/nowhere.png", "/nowhere.png");
  expect_error (properties, text);
  /* the words of the element that failed first, not "Internal data stream error" */
  expect_error (properties, "type of stream");
}

int
main (int argc, char **argv)
{
  int status;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  model = color_net_write (dir, "green", COLOR_NET_PLAIN,
      "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\nforeground=green\n"
      "labels=background,red,green,blue\n");
  g_test_add_func ("/background/color", test_color);
  g_test_add_func ("/background/blur", test_blur);
  g_test_add_func ("/background/image", test_image);
  g_test_add_func ("/background/never-shown", test_never_shown);
  g_test_add_func ("/background/changes", test_changes);
  g_test_add_func ("/background/refused", test_refused);
  status = element_test_run ();
  g_free (model);
  return status;
}
