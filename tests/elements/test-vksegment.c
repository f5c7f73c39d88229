/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vksegment takes and gives: formats, outputs, caps, sizes, strides, metadata. */
#include "stripes.h"

#include "elements/settings.h"
#include "elements/videoframe.h"
#include "frame/pipe.h"

#include <string.h>

static void
test_formats (void)
{
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++) {
    if (f == SEG_FORMAT_GRAY8)
      continue;
    GstHarness *h = stripes_harness (stripes_element ("output", SEG_OUTPUT_LABELS, NULL));
    stripes_caps (h, seg_format_info (f)->name, 161, 61, "");
    stripes_process_labels (h);
    stripes_finish (h);
  }
}

static void
test_colorimetry (void)
{
  static const char *const rest[] = { ",colorimetry=bt601", ",colorimetry=bt709",
    ",colorimetry=bt2020", ",colorimetry=1:4:0:0", ",chroma-site=mpeg2",
    ",chroma-site=jpeg" };
  GstHarness *h = stripes_harness (stripes_element ("output", SEG_OUTPUT_LABELS, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rest); i++) {
    stripes_caps (h, "NV12", 160, 90, rest[i]);
    stripes_process_labels (h);
  }
  stripes_finish (h);
}

/* Outside the drawn areas a frame keeps its bits; inside, red over red stays red. */
static void
check_overlay_nv12 (GstBuffer *in, GstBuffer *out, const GstVideoInfo *info)
{
  GstVideoFrame a, b;
  g_assert_true (gst_video_frame_map (&a, (GstVideoInfo *) info, in, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&b, (GstVideoInfo *) info, out, GST_MAP_READ));
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (&a); p++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&a, p); y++)
      for (gint x = 0; x < info->width; x++)
        if (stripes_is_clear ((guint) x, (guint) info->width))
          g_assert_cmpint (((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (
                               &a, p))[y * GST_VIDEO_FRAME_PLANE_STRIDE (&a, p) + x],
              ==,
              ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (
                  &b, p))[y * GST_VIDEO_FRAME_PLANE_STRIDE (&b, p) + x]);
  gst_video_frame_unmap (&a);
  gst_video_frame_unmap (&b);
}

static void
test_overlay (void)
{
  GstVideoInfo info;
  GstHarness *h = stripes_harness (stripes_element ("draw", SEG_DRAW_MASKS, NULL));
  stripes_caps (h, "NV12", 320, 240, ",colorimetry=bt709");
  stripes_info (h->srcpad, &info);
  g_autoptr (GstBuffer) in = stripes_picture (&info);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, gst_buffer_ref (in));
  g_assert_true (in != out);
  check_overlay_nv12 (in, out, &info);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  g_assert_cmpstr (
      gst_structure_get_string (gst_caps_get_structure (caps, 0), "colorimetry"), ==,
      "bt709");
  stripes_finish (h);
}

static void
test_matte (void)
{
  GstVideoInfo info;
  GstVideoFrame f;
  GstHarness *h = stripes_harness (
      stripes_element ("output", SEG_OUTPUT_MATTE, "classes", "red", NULL));
  stripes_caps (h, "RGB", 150, 50, "");
  g_autoptr (GstBuffer) out = stripes_process (h);
  stripes_info (h->sinkpad, &info);
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (&f, 0);
  /* exp (2) against exp (0.5) + 2 exp (-1); gray: exp (0) against exp (0.5) + 2 exp (0) */
  g_assert_cmpint (ABS (row[10] - 193), <=, 1);
  g_assert_cmpint (ABS (row[94] - 55), <=, 1);
  g_assert_cmpint (row[140], <, 12);
  gst_video_frame_unmap (&f);
  stripes_finish (h);
}

static void
test_cutout (void)
{
  GstVideoInfo info;
  GstVideoFrame f;
  GstHarness *h = stripes_harness (stripes_element ("output", SEG_OUTPUT_CUTOUT, NULL));
  gst_harness_set_sink_caps_str (h, "video/x-raw,format=BGRA");
  stripes_caps (h, "YUY2", 150, 50, "");
  g_autoptr (GstBuffer) out = stripes_process (h);
  stripes_info (h->sinkpad, &info);
  g_assert_cmpint (GST_VIDEO_INFO_FORMAT (&info), ==, GST_VIDEO_FORMAT_BGRA);
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  const guint8 *p = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&f, 0) + 4 * 10;
  g_assert_cmpint (p[0], <, 4);
  g_assert_cmpint (p[1], <, 4);
  g_assert_cmpint (p[2], >, 251);
  g_assert_cmpint (p[3], >, 200);
  gst_video_frame_unmap (&f);
  stripes_finish (h);
}

static void
test_caps_refused (void)
{
  GstElement *element = stripes_element ("output", SEG_OUTPUT_MATTE, NULL);
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");
  g_autoptr (GstCaps) from = gst_pad_query_caps (src, NULL);
  g_autoptr (GstCaps) rgb = gst_caps_from_string ("video/x-raw,format=RGB");
  g_autoptr (GstCaps) gray8 = gst_caps_from_string ("video/x-raw,format=GRAY8,width=5");
  g_assert_false (gst_caps_can_intersect (from, rgb));
  g_assert_true (gst_caps_can_intersect (from, gray8));
  g_autoptr (GstCaps) to = gst_pad_query_caps (sink, NULL);
  g_assert_true (gst_caps_can_intersect (to, rgb));
  gst_object_unref (element);
}

static void
test_renegotiation (void)
{
  static const struct {
    const char *format;
    guint width, height;
  } steps[] = { { "NV12", 160, 120 }, { "RGBA", 160, 120 }, { "RGBA", 301, 77 },
    { "I420", 64, 64 }, { "RGB", 1001, 41 }, { "NV12", 160, 120 } };
  GstHarness *h = stripes_harness (stripes_element ("output", SEG_OUTPUT_LABELS, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    stripes_caps (h, steps[i].format, steps[i].width, steps[i].height, "");
    stripes_process_labels (h);
    stripes_process_labels (h);
  }
  stripes_finish (h);
}

static void
test_odd_sizes (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 3, 2 }, { 97, 1 }, { 1, 200 },
    { 1919, 5 } };
  static const char *const formats[] = { "NV12", "YUY2", "RGB", "BGRx" };
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    GstHarness *h = stripes_harness (stripes_element (NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      stripes_caps (h, formats[f], sizes[i][0], sizes[i][1], "");
      gst_buffer_unref (stripes_process (h));
    }
    stripes_finish (h);
  }
}

/* --- buffers ------------------------------------------------------------------------------------ */

/* Rows longer than the caps say, planes elsewhere: as decoders give them. */
static void
test_strides (void)
{
  GstVideoInfo info, padded;
  GstVideoAlignment align;
  GstHarness *h = stripes_harness (stripes_element ("output", SEG_OUTPUT_LABELS, NULL));
  stripes_caps (h, "I420", 150, 70, "");
  stripes_info (h->srcpad, &info);
  padded = info;
  gst_video_alignment_reset (&align);
  align.padding_left = 32;
  align.padding_right = 48;
  align.padding_top = 6;
  align.padding_bottom = 10;
  gst_video_info_align (&padded, &align);
  g_assert_cmpint (padded.stride[0], >, info.stride[0]);
  GstBuffer *in = stripes_picture (&padded);
  gst_buffer_add_video_meta_full (in, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420,
      150, 70, 3, padded.offset, padded.stride);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  stripes_info (h->sinkpad, &info);
  stripes_check_labels (out, &info);
  stripes_finish (h);
}

static void
test_proposes_video_meta (void)
{
  GstHarness *h = stripes_harness (stripes_element (NULL, NULL));
  stripes_caps (h, "NV12", 160, 120, "");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->srcpad);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  g_assert_true (gst_pad_peer_query (h->srcpad, query));
  g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_query_unref (query);
  stripes_finish (h);
}

/* Time stamps and metadata about the picture go through. */
static void
test_metadata (void)
{
  GstVideoInfo info;
  GstHarness *h = stripes_harness (stripes_element (NULL, NULL));
  stripes_caps (h, "RGBA", 64, 48, "");
  stripes_info (h->srcpad, &info);
  GstBuffer *in = stripes_picture (&info);
  GST_BUFFER_PTS (in) = 5 * GST_SECOND;
  GST_BUFFER_DURATION (in) = GST_SECOND / 30;
  gst_buffer_add_video_region_of_interest_meta (in, "face", 1, 2, 3, 4);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 5 * GST_SECOND);
  g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, GST_SECOND / 30);
  GstVideoRegionOfInterestMeta *roi =
      (GstVideoRegionOfInterestMeta *) gst_buffer_get_meta (
          out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  g_assert_nonnull (roi);
  g_assert_cmpuint (roi->w, ==, 3);
  stripes_finish (h);
}

int
main (int argc, char **argv)
{
  int status = 0;
  if (!stripes_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vksegment/formats", test_formats);
  g_test_add_func ("/vksegment/colorimetry", test_colorimetry);
  g_test_add_func ("/vksegment/overlay", test_overlay);
  g_test_add_func ("/vksegment/matte", test_matte);
  g_test_add_func ("/vksegment/cutout", test_cutout);
  g_test_add_func ("/vksegment/caps-refused", test_caps_refused);
  g_test_add_func ("/vksegment/renegotiation", test_renegotiation);
  g_test_add_func ("/vksegment/odd-sizes", test_odd_sizes);
  g_test_add_func ("/vksegment/strides", test_strides);
  g_test_add_func ("/vksegment/proposes-video-meta", test_proposes_video_meta);
  g_test_add_func ("/vksegment/metadata", test_metadata);
  return stripes_run ();
}
