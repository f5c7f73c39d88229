/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegproposals on a picture of three rectangles. */
#include "proposals/vksegproposals.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <string.h>

typedef struct {
  guint x, y, width, height;
  guint8 rgb[3];
} Patch;

/* In a picture of 320x240. */
static const Patch patches[] = { { 30, 40, 80, 60, { 230, 30, 30 } },
  { 180, 30, 60, 120, { 30, 60, 240 } }, { 60, 150, 100, 50, { 240, 240, 60 } } };

static GstBuffer *
new_rgb (const GstVideoInfo *info)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame f;
  g_assert_true (gst_video_frame_map (&f, (GstVideoInfo *) info, buffer, GST_MAP_WRITE));
  for (guint y = 0; y < (guint) info->height; y++)
    for (guint x = 0; x < (guint) info->width; x++) {
      guint8 *p = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&f, 0)
                  + y * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&f, 0) + 3 * x;
      guint u = x * 320 / (guint) info->width, v = y * 240 / (guint) info->height;
      memset (p, 110, 3);
      for (guint i = 0; i < G_N_ELEMENTS (patches); i++)
        if (u - patches[i].x < patches[i].width && v - patches[i].y < patches[i].height)
          memcpy (p, patches[i].rgb, 3);
    }
  gst_video_frame_unmap (&f);
  return buffer;
}

static GstBuffer *
new_picture (const GstVideoInfo *info)
{
  GstVideoInfo rgb;
  GstVideoFrame from, to;
  gst_video_info_set_format (
      &rgb, GST_VIDEO_FORMAT_RGB, (guint) info->width, (guint) info->height);
  rgb.fps_n = info->fps_n;
  rgb.fps_d = info->fps_d;
  g_autoptr (GstBuffer) picture = new_rgb (&rgb);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoConverter *c = gst_video_converter_new (&rgb, (GstVideoInfo *) info, NULL);
  g_assert_true (gst_video_frame_map (&from, &rgb, picture, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&to, (GstVideoInfo *) info, buffer, GST_MAP_WRITE));
  gst_video_converter_frame (c, &from, &to);
  gst_video_frame_unmap (&from);
  gst_video_frame_unmap (&to);
  gst_video_converter_free (c);
  return buffer;
}

static double
overlap (const GstVideoRegionOfInterestMeta *m, const Patch *p, double sx, double sy)
{
  double x0 = p->x * sx, x1 = x0 + p->width * sx, y0 = p->y * sy,
         y1 = y0 + p->height * sy;
  double w = MIN (x1, m->x + m->w) - MAX (x0, m->x),
         h = MIN (y1, m->y + m->h) - MAX (y0, m->y);
  double both = MAX (w, 0) * MAX (h, 0);
  return both / ((x1 - x0) * (y1 - y0) + (double) m->w * m->h - both);
}

/* Checks each proposal, counts them, and returns the best overlap with a patch. */
static double
check_metas (GstBuffer *buffer, const GstVideoInfo *info, const Patch *patch, guint *n)
{
  gpointer state = NULL;
  GstMeta *meta;
  double best = 0.0, last = 2.0, score = 0.0;
  *n = 0;
  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    GstVideoRegionOfInterestMeta *m = (GstVideoRegionOfInterestMeta *) meta;
    GstStructure *s = gst_video_region_of_interest_meta_get_param (m, "proposal");
    g_assert_cmpstr (g_quark_to_string (m->roi_type), ==, "proposal");
    g_assert_nonnull (s);
    g_assert_true (gst_structure_get_double (s, "score", &score));
    g_assert_cmpfloat (score, >, 0.0);
    g_assert_cmpfloat (score, <, last);
    g_assert_cmpuint (m->x + m->w, <=, (guint) info->width);
    g_assert_cmpuint (m->y + m->h, <=, (guint) info->height);
    last = score;
    best = MAX (best, overlap (m, patch, info->width / 320.0, info->height / 240.0));
    (*n)++;
  }
  return best;
}

static GstHarness *
new_harness (const char *format, guint width, guint height, GstVideoInfo *info)
{
  GstHarness *h = gst_harness_new ("vksegproposals");
  g_autofree char *text = g_strdup_printf (
      "video/x-raw,format=%s,width=%u,height=%u,framerate=30/1", format, width, height);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  g_assert_true (gst_video_info_from_caps (info, caps));
  gst_harness_set_src_caps (h, gst_caps_ref (caps));
  return h;
}

static void
check_found (const char *format, guint width, guint height)
{
  GstVideoInfo info;
  guint n;
  GstHarness *h = new_harness (format, width, height, &info);
  GstBuffer *in = new_picture (&info);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_nonnull (out);
  for (guint i = 0; i < G_N_ELEMENTS (patches); i++) {
    double best = check_metas (out, &info, &patches[i], &n);
    if (best < 0.8)
      g_error ("%s %ux%u: patch %u overlaps %.2f with the best of %u proposals", format,
          width, height, i, best, n);
  }
  gst_harness_teardown (h);
}

static void
test_found (void)
{
  static const char *const formats[] = { "NV12", "NV21", "I420", "YV12", "YUY2", "UYVY",
    "RGBA", "BGRA", "RGBx", "BGRx", "RGB", "BGR", "GRAY8" };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    check_found (formats[i], 320, 240);
}

static void
test_sizes (void)
{
  check_found ("NV12", 321, 243);
  check_found ("I420", 1280, 720);
  check_found ("RGB", 200, 400);
}

/* The pixels are the very same ones, and other metas stay. */
static void
test_in_place (void)
{
  GstVideoInfo info;
  GstHarness *h = new_harness ("RGB", 320, 240, &info);
  GstBuffer *in = new_picture (&info);
  GstMemory *memory = gst_buffer_peek_memory (in, 0);
  gst_buffer_add_video_region_of_interest_meta (in, "face", 1, 2, 3, 4);
  g_autoptr (GstBuffer) kept = gst_buffer_ref (in);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  g_assert_cmpuint (
      gst_buffer_get_n_meta (kept, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==, 1);
  g_assert_cmpuint (
      gst_buffer_get_n_meta (out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), >, 1);
  gst_harness_teardown (h);
}

static void
test_limits (void)
{
  GstVideoInfo info;
  guint n, all;
  GstHarness *h = new_harness ("RGB", 320, 240, &info);
  g_object_set (h->element, "min-size", 0, "max-proposals", 100000, NULL);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, new_picture (&info));
  check_metas (out, &info, &patches[0], &all);
  g_assert_cmpuint (all, >, 4);
  g_object_set (h->element, "max-proposals", 4, NULL);
  g_autoptr (GstBuffer) few = gst_harness_push_and_pull (h, new_picture (&info));
  check_metas (few, &info, &patches[0], &n);
  g_assert_cmpuint (n, ==, 4);
  g_object_set (h->element, "max-proposals", 100000, "min-size", 110, NULL);
  g_autoptr (GstBuffer) large = gst_harness_push_and_pull (h, new_picture (&info));
  check_metas (large, &info, &patches[0], &n);
  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (n, <, all);
  g_object_set (h->element, "min-size", 0, "scale", 64, "quality", 1, NULL);
  g_autoptr (GstBuffer) coarse = gst_harness_push_and_pull (h, new_picture (&info));
  g_assert_cmpfloat (check_metas (coarse, &info, &patches[0], &n), >, 0.6);
  gst_harness_teardown (h);
}

static void
test_odd (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 7, 300 }, { 300, 1 }, { 8, 8 },
    { 4000, 9 } };
  GstVideoInfo info;
  guint n;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    GstHarness *h = new_harness ("I420", sizes[i][0], sizes[i][1], &info);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, new_picture (&info));
    g_assert_nonnull (out);
    check_metas (out, &info, &patches[0], &n);
    gst_harness_teardown (h);
  }
}

/* A buffer that is too small, and one whose meta says more rows than it has. */
static void
test_short_buffer (void)
{
  for (guint with_meta = 0; with_meta < 2; with_meta++) {
    GstVideoInfo info;
    GstHarness *h = new_harness ("RGB", 320, 240, &info);
    g_autoptr (GstBus) bus = gst_bus_new ();
    gst_element_set_bus (h->element, bus);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 1000, NULL);
    gst_buffer_memset (buffer, 0, 0, 1000);
    if (with_meta)
      gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
          GST_VIDEO_FORMAT_RGB, 320, 240, 1, info.offset, info.stride);
    g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_ERROR);
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    gst_element_set_bus (h->element, NULL);
    gst_harness_teardown (h);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_assert_true (GST_ELEMENT_REGISTER (vksegproposals, NULL));
  g_test_add_func ("/vksegproposals/found", test_found);
  g_test_add_func ("/vksegproposals/sizes", test_sizes);
  g_test_add_func ("/vksegproposals/in-place", test_in_place);
  g_test_add_func ("/vksegproposals/limits", test_limits);
  g_test_add_func ("/vksegproposals/odd", test_odd);
  g_test_add_func ("/vksegproposals/short-buffer", test_short_buffer);
  return g_test_run ();
}
