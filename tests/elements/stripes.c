/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stripes.h"

#include "element-test.h"

#include "elements/videoframe.h"
#include "frame/color-net.h"

#include <string.h>

char *stripes_dir, *stripes_model;

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 },
                    gray[3] = { 0.5, 0.5, 0.5 };

GstElement *
stripes_element (const char *first_property, ...)
{
  va_list args;
  va_start (args, first_property);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_assert_nonnull (element);
  g_object_set (element, "model", stripes_model, "cache-dir", stripes_dir, NULL);
  if (first_property != NULL)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  return element;
}

GstHarness *
stripes_harness (GstElement *element)
{
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  return h;
}

void
stripes_finish (GstHarness *h)
{
  GstElement *element = h->element;
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *) &element);
  gst_harness_teardown (h);
  g_assert_null (element);
}

void
stripes_caps (
    GstHarness *h, const char *format, guint width, guint height, const char *rest)
{
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw,format=%s,width=%u,height=%u,framerate=30/1%s",
          format, width, height, rest);
  gst_harness_set_src_caps_str (h, caps);
}

/* Where the stripes end: red, gray, green. */
static void
parts_of (guint width, guint ends[3])
{
  ends[0] = width / 2 / 2 * 2;
  ends[1] = width * 3 / 4 / 2 * 2;
  ends[2] = width;
}

GstBuffer *
stripes_picture (const GstVideoInfo *info)
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

void
stripes_info (GstPad *pad, GstVideoInfo *info)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_assert_nonnull (caps);
  g_assert_true (gst_video_info_from_caps (info, caps));
}

gboolean
stripes_is_clear (guint x, guint width)
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

void
stripes_check_labels (GstBuffer *buffer, const GstVideoInfo *info)
{
  GstVideoFrame f;
  g_assert_true (gst_video_frame_map (&f, (GstVideoInfo *) info, buffer, GST_MAP_READ));
  guint width = (guint) info->width, n = 0;
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&f, 0);
  for (guint y = 0; y < (guint) info->height; y++)
    for (guint x = 0; x < width; x++)
      if (stripes_is_clear (x, width)) {
        guint8 got = data[y * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&f, 0) + x];
        if (got != class_at (x, width))
          g_error ("%ux%u: class at %u,%u is %u", width, (guint) info->height, x, y, got);
        n++;
      }
  g_assert_cmpuint (n, >, 0);
  gst_video_frame_unmap (&f);
}

GstBuffer *
stripes_process (GstHarness *h)
{
  GstVideoInfo info;
  stripes_info (h->srcpad, &info);
  GstBuffer *out = gst_harness_push_and_pull (h, stripes_picture (&info));
  g_assert_nonnull (out);
  return out;
}

void
stripes_process_labels (GstHarness *h)
{
  GstVideoInfo info;
  g_autoptr (GstBuffer) out = stripes_process (h);
  stripes_info (h->sinkpad, &info);
  g_assert_cmpint (GST_VIDEO_INFO_FORMAT (&info), ==, GST_VIDEO_FORMAT_GRAY8);
  stripes_check_labels (out, &info);
}

double
stripes_area (GstElement *element, const char *label)
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

gboolean
stripes_begin (int *argc, char ***argv, int *status)
{
  stripes_dir = element_test_begin (argc, argv, status);
  if (stripes_dir == NULL)
    return FALSE;
  stripes_model = color_net_write (stripes_dir, "flat", COLOR_NET_PLAIN, COLOR_NET_INFO);
  return TRUE;
}

int
stripes_run (void)
{
  int status = element_test_run ();
  g_clear_pointer (&stripes_model, g_free);
  return status;
}
