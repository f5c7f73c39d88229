/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegment with a network whose answer is known. */
#include "frame/color-net.h"

#include "elements/videoframe.h"
#include "elements/vksegment.h"
#include "frame/pipe.h"

#include <gst/check/gstharness.h>

#include <glib/gstdio.h>
#include <string.h>

static char *dir, *model;

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 },
                    gray[3] = { 0.5, 0.5, 0.5 };

static GstElement *
new_element (const char *first_property, ...)
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
new_harness (GstElement *element)
{
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  return h;
}

/* Takes the element down and checks that nobody holds it. */
static void
finish (GstHarness *h)
{
  GstElement *element = h->element;
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *) &element);
  gst_harness_teardown (h);
  g_assert_null (element);
}

static void
set_caps (GstHarness *h, const char *format, guint width, guint height, const char *rest)
{
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw,format=%s,width=%u,height=%u,framerate=30/1%s",
          format, width, height, rest);
  gst_harness_set_src_caps_str (h, caps);
}

/* Where the parts of a test picture end: red, gray, green. */
static void
parts_of (guint width, guint ends[3])
{
  ends[0] = width / 2 / 2 * 2;
  ends[1] = width * 3 / 4 / 2 * 2;
  ends[2] = width;
}

static GstBuffer *
new_picture (const GstVideoInfo *info)
{
  SegFrame frame = { .width = (guint) info->width, .height = (guint) info->height };
  guint ends[3], start = 0;
  const double *colors[3] = { red, gray, green };
  g_assert_true (seg_video_format (GST_VIDEO_INFO_FORMAT (info), &frame.format));
  seg_video_color (info, &frame.color);
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    frame.offset[p] = info->offset[p];
    frame.stride[p] = (gsize) info->stride[p];
  }
  parts_of (frame.width, ends);
  guint8 *data = g_malloc (info->size);
  memset (data, 0x55, info->size);
  for (guint i = 0; i < 3; start = ends[i++])
    color_net_paint (&frame, data, start, ends[i], colors[i]);
  return gst_buffer_new_wrapped (data, info->size);
}

static void
info_of_harness (GstPad *pad, GstVideoInfo *info)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_assert_nonnull (caps);
  g_assert_true (gst_video_info_from_caps (info, caps));
}

/* Away from the borders of the parts by what a pixel of the network covers. */
static gboolean
is_clear (guint x, guint width)
{
  guint ends[3];
  gint margin = 2 + 2 * (gint) (width / COLOR_NET_WIDTH);
  parts_of (width, ends);
  return ABS ((gint) x - (gint) ends[0]) > margin
         && ABS ((gint) x - (gint) ends[1]) > margin;
}

static guint
class_at (guint x, guint width)
{
  guint ends[3];
  parts_of (width, ends);
  return x < ends[0] ? 1 : x < ends[1] ? 0 : 2;
}

static void
check_labels (GstBuffer *buffer, const GstVideoInfo *info)
{
  GstVideoFrame f;
  g_assert_true (gst_video_frame_map (&f, (GstVideoInfo *) info, buffer, GST_MAP_READ));
  guint width = (guint) info->width, n = 0;
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&f, 0);
  for (guint y = 0; y < (guint) info->height; y++)
    for (guint x = 0; x < width; x++)
      if (is_clear (x, width)) {
        guint8 got = data[y * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&f, 0) + x];
        if (got != class_at (x, width))
          g_error ("%ux%u: class at %u,%u is %u", width, (guint) info->height, x, y, got);
        n++;
      }
  g_assert_cmpuint (n, >, 0);
  gst_video_frame_unmap (&f);
}

static GstBuffer *
process (GstHarness *h)
{
  GstVideoInfo info;
  info_of_harness (h->srcpad, &info);
  GstBuffer *out = gst_harness_push_and_pull (h, new_picture (&info));
  g_assert_nonnull (out);
  return out;
}

static void
process_labels (GstHarness *h)
{
  GstVideoInfo info;
  g_autoptr (GstBuffer) out = process (h);
  info_of_harness (h->sinkpad, &info);
  g_assert_cmpint (GST_VIDEO_INFO_FORMAT (&info), ==, GST_VIDEO_FORMAT_GRAY8);
  check_labels (out, &info);
}

/* --- formats and caps ------------------------------------------------------------------------ */

static void
test_formats (void)
{
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++) {
    if (f == SEG_FORMAT_GRAY8)
      continue;
    GstHarness *h = new_harness (new_element ("output", SEG_OUTPUT_LABELS, NULL));
    set_caps (h, seg_format_info (f)->name, 161, 61, "");
    process_labels (h);
    finish (h);
  }
}

static void
test_colorimetry (void)
{
  static const char *const rest[] = { ",colorimetry=bt601", ",colorimetry=bt709",
    ",colorimetry=bt2020", ",colorimetry=1:4:0:0", ",chroma-site=mpeg2",
    ",chroma-site=jpeg" };
  GstHarness *h = new_harness (new_element ("output", SEG_OUTPUT_LABELS, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rest); i++) {
    set_caps (h, "NV12", 160, 90, rest[i]);
    process_labels (h);
  }
  finish (h);
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
        if (is_clear ((guint) x, (guint) info->width))
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
  GstHarness *h = new_harness (new_element ("draw", SEG_DRAW_MASKS, NULL));
  set_caps (h, "NV12", 320, 240, ",colorimetry=bt709");
  info_of_harness (h->srcpad, &info);
  g_autoptr (GstBuffer) in = new_picture (&info);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, gst_buffer_ref (in));
  g_assert_true (in != out);
  check_overlay_nv12 (in, out, &info);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  g_assert_cmpstr (
      gst_structure_get_string (gst_caps_get_structure (caps, 0), "colorimetry"), ==,
      "bt709");
  finish (h);
}

static void
test_matte (void)
{
  GstVideoInfo info;
  GstVideoFrame f;
  GstHarness *h =
      new_harness (new_element ("output", SEG_OUTPUT_MATTE, "classes", "red", NULL));
  set_caps (h, "RGB", 150, 50, "");
  g_autoptr (GstBuffer) out = process (h);
  info_of_harness (h->sinkpad, &info);
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (&f, 0);
  /* exp (2) against exp (0.5) + 2 exp (-1); gray: exp (0) against exp (0.5) + 2 exp (0) */
  g_assert_cmpint (ABS (row[10] - 193), <=, 1);
  g_assert_cmpint (ABS (row[94] - 55), <=, 1);
  g_assert_cmpint (row[140], <, 12);
  gst_video_frame_unmap (&f);
  finish (h);
}

static void
test_cutout (void)
{
  GstVideoInfo info;
  GstVideoFrame f;
  GstHarness *h = new_harness (new_element ("output", SEG_OUTPUT_CUTOUT, NULL));
  gst_harness_set_sink_caps_str (h, "video/x-raw,format=BGRA");
  set_caps (h, "YUY2", 150, 50, "");
  g_autoptr (GstBuffer) out = process (h);
  info_of_harness (h->sinkpad, &info);
  g_assert_cmpint (GST_VIDEO_INFO_FORMAT (&info), ==, GST_VIDEO_FORMAT_BGRA);
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  const guint8 *p = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&f, 0) + 4 * 10;
  g_assert_cmpint (p[0], <, 4);
  g_assert_cmpint (p[1], <, 4);
  g_assert_cmpint (p[2], >, 251);
  g_assert_cmpint (p[3], >, 200);
  gst_video_frame_unmap (&f);
  finish (h);
}

static void
test_caps_refused (void)
{
  GstElement *element = new_element ("output", SEG_OUTPUT_MATTE, NULL);
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
  GstHarness *h = new_harness (new_element ("output", SEG_OUTPUT_LABELS, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    set_caps (h, steps[i].format, steps[i].width, steps[i].height, "");
    process_labels (h);
    process_labels (h);
  }
  finish (h);
}

static void
test_odd_sizes (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 3, 2 }, { 97, 1 }, { 1, 200 },
    { 1919, 5 } };
  static const char *const formats[] = { "NV12", "YUY2", "RGB", "BGRx" };
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    GstHarness *h = new_harness (new_element (NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      set_caps (h, formats[f], sizes[i][0], sizes[i][1], "");
      gst_buffer_unref (process (h));
    }
    finish (h);
  }
}

/* --- buffers ------------------------------------------------------------------------------------ */

/* Rows longer than the caps say, planes elsewhere: as decoders give them. */
static void
test_strides (void)
{
  GstVideoInfo info, padded;
  GstVideoAlignment align;
  GstHarness *h = new_harness (new_element ("output", SEG_OUTPUT_LABELS, NULL));
  set_caps (h, "I420", 150, 70, "");
  info_of_harness (h->srcpad, &info);
  padded = info;
  gst_video_alignment_reset (&align);
  align.padding_left = 32;
  align.padding_right = 48;
  align.padding_top = 6;
  align.padding_bottom = 10;
  gst_video_info_align (&padded, &align);
  g_assert_cmpint (padded.stride[0], >, info.stride[0]);
  GstBuffer *in = new_picture (&padded);
  gst_buffer_add_video_meta_full (in, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420,
      150, 70, 3, padded.offset, padded.stride);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  info_of_harness (h->sinkpad, &info);
  check_labels (out, &info);
  finish (h);
}

static void
test_proposes_video_meta (void)
{
  GstHarness *h = new_harness (new_element (NULL, NULL));
  set_caps (h, "NV12", 160, 120, "");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->srcpad);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  g_assert_true (gst_pad_peer_query (h->srcpad, query));
  g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_query_unref (query);
  finish (h);
}

/* Time stamps and metadata about the picture go through. */
static void
test_metadata (void)
{
  GstVideoInfo info;
  GstHarness *h = new_harness (new_element (NULL, NULL));
  set_caps (h, "RGBA", 64, 48, "");
  info_of_harness (h->srcpad, &info);
  GstBuffer *in = new_picture (&info);
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
  finish (h);
}

/* --- properties ------------------------------------------------------------------------------- */

static gboolean
same_bytes (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  g_assert_true (gst_buffer_map (a, &map, GST_MAP_READ));
  gboolean same = gst_buffer_get_size (b) == map.size
                  && gst_buffer_memcmp (b, 0, map.data, map.size) == 0;
  gst_buffer_unmap (a, &map);
  return same;
}

static gboolean
is_unchanged (GstHarness *h)
{
  GstVideoInfo info;
  info_of_harness (h->srcpad, &info);
  g_autoptr (GstBuffer) in = new_picture (&info);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, gst_buffer_ref (in));
  return same_bytes (in, out);
}

static void
test_change_while_playing (void)
{
  GstElement *element = new_element ("draw", SEG_DRAW_MASKS, "palette", "coco", NULL);
  GstHarness *h = new_harness (element);
  set_caps (h, "RGBA", 160, 120, "");
  g_assert_false (is_unchanged (h));
  g_object_set (element, "alpha", 0.0, NULL);
  g_assert_true (is_unchanged (h));
  g_object_set (element, "alpha", 1.0, "classes", "blue", NULL);
  g_assert_true (is_unchanged (h));
  g_object_set (element, "classes", "blue,1", NULL);
  g_assert_false (is_unchanged (h));
  g_object_set (element, "threshold", 0.99, NULL);
  g_assert_true (is_unchanged (h));
  g_object_set (element, "threshold", -1.0, "draw", SEG_DRAW_LEGEND, NULL);
  g_assert_false (is_unchanged (h));
  g_object_set (element, "draw", 0, NULL);
  g_assert_true (is_unchanged (h));
  finish (h);
}

static double
area_of (GstElement *element, const char *label)
{
  g_autoptr (GstStructure) stats = NULL;
  g_object_get (element, "stats", &stats, NULL);
  const GValue *classes = gst_structure_get_value (stats, "classes");
  for (guint i = 0; i < gst_value_array_get_size (classes); i++) {
    const GstStructure *c = g_value_get_boxed (gst_value_array_get_value (classes, i));
    double area = 0.0;
    gst_structure_get_double (c, "area", &area);
    if (strcmp (gst_structure_get_string (c, "label"), label) == 0)
      return area;
  }
  return 0.0;
}

static void
test_stats (void)
{
  GstElement *element = new_element (NULL, NULL);
  GstHarness *h = new_harness (element);
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  double ms = 0.0;
  set_caps (h, "RGBA", 320, 240, "");
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (process (h));
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "frames", &n));
  g_assert_cmpuint (n, ==, 3);
  g_assert_true (gst_structure_get_double (stats, "average-ms", &ms));
  g_assert_cmpfloat (ms, >, 0.0);
  g_assert_cmpfloat_with_epsilon (area_of (element, "red"), 0.5, 0.03);
  g_assert_cmpfloat_with_epsilon (area_of (element, "green"), 0.25, 0.03);
  g_assert_cmpfloat (area_of (element, "blue"), ==, 0.0);
  finish (h);
}

/* What the device took for each stage is less than the whole, and the network takes something. */
static void
test_stages (void)
{
  static const char *const names[] = { "upload-ms", "preprocess-ms", "network-ms",
    "decode-ms", "draw-ms" };
  GstElement *element = new_element ("stage-times", TRUE, NULL);
  GstHarness *h = new_harness (element);
  g_autoptr (GstStructure) stats = NULL, stages = NULL;
  double last = 0.0, sum = 0.0, ms;
  set_caps (h, "RGBA", 320, 240, "");
  for (guint i = 0; i < 2; i++)
    gst_buffer_unref (process (h));
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (stats, "stages", GST_TYPE_STRUCTURE, &stages,
      "last-ms", G_TYPE_DOUBLE, &last, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (gst_structure_get_double (stages, names[i], &ms)) {
      g_assert_cmpfloat (ms, >=, 0.0);
      sum += ms;
    } else {
      g_assert_cmpuint (i, ==, 0); /* memory that host and device share: no upload */
    }
  g_assert_true (gst_structure_get_double (stages, "network-ms", &ms));
  g_assert_cmpfloat (ms, >, 0.0);
  g_assert_cmpfloat (sum, <=, last);
  finish (h);
}

/* Nothing but gray, or something at last. */
static void
test_warn_after (void)
{
  for (guint seen = 0; seen < 2; seen++) {
    GstElement *element = new_element ("warn-after", 3, NULL);
    GstHarness *h = new_harness (element);
    GstBus *bus = gst_bus_new ();
    gst_element_set_bus (element, bus);
    set_caps (h, "GRAY8", 64, 48, "");
    for (guint i = 0; i < 5; i++) {
      if (seen && i == 1) {
        set_caps (h, "RGBA", 64, 48, "");
        gst_buffer_unref (process (h));
        set_caps (h, "GRAY8", 64, 48, "");
      }
      GstBuffer *frame = gst_buffer_new_allocate (NULL, 64 * 48, NULL);
      gst_buffer_memset (frame, 0, 128, 64 * 48);
      gst_buffer_unref (gst_harness_push_and_pull (h, frame));
    }
    guint n = 0;
    GstMessage *message;
    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)) != NULL) {
      g_autoptr (GError) warning = NULL;
      gst_message_parse_warning (message, &warning, NULL);
      g_assert_nonnull (strstr (warning->message, "in the first 3 frames"));
      gst_message_unref (message);
      n++;
    }
    g_assert_cmpuint (n, ==, seen ? 0 : 1);
    gst_element_set_bus (element, NULL);
    gst_object_unref (bus);
    finish (h);
  }
}

/* --- states and streams --------------------------------------------------------------------------- */

static void
test_flush_and_eos (void)
{
  GstHarness *h = new_harness (new_element ("output", SEG_OUTPUT_LABELS, NULL));
  GstSegment segment;
  set_caps (h, "NV12", 160, 120, "");
  process_labels (h);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  process_labels (h);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  finish (h);
}

static void
test_state_cycles (void)
{
  for (guint i = 0; i < 3; i++) {
    GstElement *element = new_element ("output", SEG_OUTPUT_LABELS, NULL);
    gst_object_ref_sink (element);
    for (guint k = 0; k < 2; k++) {
      g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==,
          GST_STATE_CHANGE_SUCCESS);
      g_assert_cmpint (
          gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
    }
    GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
    gst_object_unref (element);
    set_caps (h, "NV12", 64, 48, "");
    process_labels (h);
    finish (h);
  }
}

static gpointer
run_one (gpointer format)
{
  GstHarness *h = new_harness (new_element ("output", SEG_OUTPUT_LABELS, NULL));
  set_caps (h, format, 320, 240, "");
  for (guint i = 0; i < 20; i++)
    process_labels (h);
  finish (h);
  return NULL;
}

static void
test_two_at_once (void)
{
  GThread *a = g_thread_new ("a", run_one, (gpointer) "NV12");
  GThread *b = g_thread_new ("b", run_one, (gpointer) "RGBA");
  g_thread_join (a);
  g_thread_join (b);
}

/* --- time ----------------------------------------------------------------------------------- */

static guint64
n_inferred (GstElement *element)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "inferred", &n));
  return n;
}

static void
push_at (GstHarness *h, guint frame, GstBufferFlags flags)
{
  GstVideoInfo info;
  info_of_harness (h->srcpad, &info);
  GstBuffer *in = new_picture (&info);
  GST_BUFFER_PTS (in) = frame * GST_SECOND / 30;
  GST_BUFFER_DURATION (in) = GST_SECOND / 30;
  GST_BUFFER_FLAG_SET (in, flags);
  GstBuffer *out = gst_harness_push_and_pull (h, in);
  GstVideoInfo out_info;
  info_of_harness (h->sinkpad, &out_info);
  check_labels (out, &out_info);
  gst_buffer_unref (out);
}

static void
test_interval (void)
{
  GstElement *element = new_element ("output", SEG_OUTPUT_LABELS, "interval", 4, NULL);
  GstHarness *h = new_harness (element);
  set_caps (h, "RGB", 64, 48, "");
  for (guint i = 0; i < 9; i++)
    push_at (h, i, 0);
  g_assert_cmpuint (n_inferred (element), ==, 3);
  push_at (h, 9, GST_BUFFER_FLAG_DISCONT);
  g_assert_cmpuint (n_inferred (element), ==, 4);
  g_object_set (element, "interval", 1, NULL);
  push_at (h, 10, 0);
  push_at (h, 11, 0);
  g_assert_cmpuint (n_inferred (element), ==, 6);
  finish (h);
}

/* Frames that come too late are drawn, but the network does not see them. */
static guint
count_files (const char *prefix)
{
  guint n = 0;
  GDir *list = g_dir_open (dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name (list)) != NULL;)
    n += g_str_has_prefix (name, prefix);
  g_dir_close (list);
  return n;
}

/* What is measured goes to the cache folder, and only when it is asked for. */
static void
test_tune (void)
{
  for (guint tune = 0; tune <= 60000; tune += 60000) {
    GstHarness *h = new_harness (new_element ("tune", tune, NULL));
    set_caps (h, "RGBA", 64, 48, "");
    gst_buffer_unref (process (h));
    g_assert_cmpuint (count_files ("tuning-"), ==, tune > 0);
    finish (h);
  }
}

static void
test_late_frames (void)
{
  GstElement *element = new_element ("output", SEG_OUTPUT_LABELS, NULL);
  GstHarness *h = new_harness (element);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  set_caps (h, "RGB", 64, 48, "");
  push_at (h, 0, 0);
  g_assert_cmpuint (n_inferred (element), ==, 1);
  gst_harness_push_upstream_event (h, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0,
                                          3 * GST_SECOND / 30, GST_SECOND / 30));
  for (guint i = 1; i <= 4; i++)
    push_at (h, i, 0);
  g_assert_cmpuint (n_inferred (element), ==, 1);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_QOS);
  g_assert_nonnull (message);
  gst_message_unref (message);
  push_at (h, 6, 0);
  g_assert_cmpuint (n_inferred (element), ==, 2);
  /* However late, an answer does not get old. */
  gst_harness_push_upstream_event (
      h, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 100 * GST_SECOND));
  for (guint i = 7; i < 47; i++)
    push_at (h, i, 0);
  g_assert_cmpuint (n_inferred (element), >=, 4);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  finish (h);
}

static void
test_latency (void)
{
  GstHarness *h = new_harness (new_element (NULL, NULL));
  gst_harness_set_upstream_latency (h, 10 * GST_MSECOND);
  set_caps (h, "RGB", 64, 48, "");
  gst_buffer_unref (process (h));
  GstClockTime latency = gst_harness_query_latency (h);
  g_assert_cmpuint (latency, >, 10 * GST_MSECOND);
  g_assert_cmpuint (latency, <, 10 * GST_SECOND);
  finish (h);
}

/* --- errors ------------------------------------------------------------------------------------------- */

/* The element must not start; its message must have `text`. */
static void
check_error (GstElement *element, GQuark domain, const char *text)
{
  GstBus *bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *hint = NULL;
  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  g_assert_cmpint (
      gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &hint);
  g_test_message ("%s (%s)", error->message, hint);
  g_assert_true (error->domain == domain);
  /* To look into the model is advice for what is wrong with a model. */
  g_assert_true (
      strstr (hint, "vkseg inspect") == NULL || strstr (text, "unicorn") == NULL);
  g_assert_nonnull (strstr (error->message, text));
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

static char *
write_file (const char *name, const char *text)
{
  char *path = g_build_filename (dir, name, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
test_missing_model (void)
{
  check_error (
      new_element ("model", "no-such-model", NULL), GST_RESOURCE_ERROR, "no-such-model");
  check_error (new_element ("model", "/no/such/file.onnx", NULL), GST_RESOURCE_ERROR,
      "/no/such/file");
}

static void
test_bad_model (void)
{
  g_autofree char *bad = write_file ("bad.onnx", "this is not a network");
  check_error (new_element ("model", bad, NULL), GST_STREAM_ERROR, "");
}

static void
test_bad_info (void)
{
  static const struct {
    const char *text, *says;
  } cases[] = {
    { "[vkseg]\ndecoder=magic\n", "argmax, index" },
    { "[vkseg]\nmean=1,2\n", "mean" },
    { "[vkseg]\nstd=0\n", "std" },
    { "[vkseg]\ninput=nobody\n", "picture" },
    { "[vkseg]\noutput=nobody\n", "scores" },
    { "[vkseg]\npalette=#12345\n", "#12345" },
    { "[vkseg]\nlabels-file=not-there.txt\n", "not-there.txt" },
    { "[vkseg]\nthreshold=2\n", "threshold" },
    { "[vkseg]\nbackground=everything\n", "background" },
    { "[vkseg]\nforeground=unicorn\n", "unicorn" },
    { "[vkseg]\ndecoder=yolo-seg\n", "yolo-seg" },
    { "[picture]\ndir=input\nranges=0,1;zero,1;0,1\n", "ranges" },
    { "no group here\n", "modelinfo" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *info = write_file ("bad.modelinfo", cases[i].text);
    GstElement *element = new_element ("model-info", info, NULL);
    check_error (element,
        g_str_has_prefix (cases[i].text, "no group") ? GST_RESOURCE_ERROR
                                                     : GST_STREAM_ERROR,
        cases[i].says);
  }
}

static void
test_bad_settings (void)
{
  check_error (new_element ("classes", "red,unicorn", NULL), GST_STREAM_ERROR, "unicorn");
  check_error (new_element ("palette", "/no/such/palette", NULL), GST_RESOURCE_ERROR,
      "/no/such/palette");
  check_error (
      new_element ("device", "no such device", NULL), GST_RESOURCE_ERROR, "device");
}

/* A wrong name while frames flow is a warning, and what was there stays. */
static void
test_wrong_class_while_playing (void)
{
  GstElement *element = new_element ("output", SEG_OUTPUT_LABELS, NULL);
  GstHarness *h = new_harness (element);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  set_caps (h, "RGB", 64, 48, "");
  process_labels (h);
  g_object_set (element, "classes", "unicorn", NULL);
  process_labels (h);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_unref (message);
  process_labels (h);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  finish (h);
}

/* By name, in a folder of VKSEG_MODEL_PATH, both ways; labels and palette from files. */
static void
test_lookup (void)
{
  g_autofree char *nested = g_build_filename (dir, "nested", NULL);
  g_autofree char *path = NULL,
                  *labels = write_file ("labels.txt", "nothing\nrouge\nvert\nbleu\n");
  g_mkdir (nested, 0700);
  path = color_net_write (nested, "nested", COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_autofree char *search = g_strconcat ("/no/such/dir:", dir, NULL);
  g_setenv ("VKSEG_MODEL_PATH", search, TRUE);
  static const char *const names[] = { "nested", "flat" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstElement *element = new_element ("model", names[i], "labels", labels, NULL);
    GstHarness *h = new_harness (element);
    set_caps (h, "RGB", 64, 48, "");
    gst_buffer_unref (process (h));
    g_assert_cmpfloat (area_of (element, "rouge"), >, 0.4);
    finish (h);
  }
  g_unsetenv ("VKSEG_MODEL_PATH");
}

/* Without any information, what the shapes say is right for this network. */
static void
test_no_info (void)
{
  g_autofree char *bare = color_net_write (dir, "bare", COLOR_NET_PLAIN, NULL);
  GstHarness *h =
      new_harness (new_element ("model", bare, "output", SEG_OUTPUT_LABELS, NULL));
  set_caps (h, "RGB", 161, 99, "");
  process_labels (h);
  finish (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_autoptr (GError) error = NULL;
  SegVkOptions options = { .device = g_getenv ("VKSEG_DEVICE") };
  SegVk *vk = seg_vk_new (&options, &error);
  if (vk == NULL && g_getenv ("VKSEG_TEST_NEED_DEVICE") == NULL) {
    g_print ("1..0 # SKIP %s\n", error->message);
    return 0;
  }
  g_assert_no_error (error);
  g_assert_true (GST_ELEMENT_REGISTER (vksegment, NULL));
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  model = color_net_write (dir, "flat", COLOR_NET_PLAIN, COLOR_NET_INFO);
  static const struct {
    const char *path;
    GTestFunc run;
  } tests[] = {
    { "/vksegment/formats", test_formats },
    { "/vksegment/colorimetry", test_colorimetry },
    { "/vksegment/overlay", test_overlay },
    { "/vksegment/matte", test_matte },
    { "/vksegment/cutout", test_cutout },
    { "/vksegment/caps-refused", test_caps_refused },
    { "/vksegment/renegotiation", test_renegotiation },
    { "/vksegment/odd-sizes", test_odd_sizes },
    { "/vksegment/strides", test_strides },
    { "/vksegment/proposes-video-meta", test_proposes_video_meta },
    { "/vksegment/metadata", test_metadata },
    { "/vksegment/change-while-playing", test_change_while_playing },
    { "/vksegment/stats", test_stats },
    { "/vksegment/stages", test_stages },
    { "/vksegment/warn-after", test_warn_after },
    { "/vksegment/flush-and-eos", test_flush_and_eos },
    { "/vksegment/state-cycles", test_state_cycles },
    { "/vksegment/two-at-once", test_two_at_once },
    { "/vksegment/interval", test_interval },
    { "/vksegment/late-frames", test_late_frames },
    { "/vksegment/latency", test_latency },
    { "/vksegment/tune", test_tune },
    { "/vksegment/missing-model", test_missing_model },
    { "/vksegment/bad-model", test_bad_model },
    { "/vksegment/bad-info", test_bad_info },
    { "/vksegment/bad-settings", test_bad_settings },
    { "/vksegment/wrong-class-while-playing", test_wrong_class_while_playing },
    { "/vksegment/lookup", test_lookup },
    { "/vksegment/no-info", test_no_info },
  };
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].path, tests[i].run);
  int status = g_test_run ();
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  seg_vk_unref (vk);
  color_net_remove (dir);
  g_free (model);
  g_free (dir);
  return status;
}
