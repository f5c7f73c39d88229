/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegoverlay with metas made by hand, and the painter below it. */
#include "elements/metadraw.h"
#include "elements/scene.h"
#include "elements/videoframe.h"
#include "elements/vksegoverlay.h"

#include <string.h>

static const SceneObject one = { 0, GST_VK_SEG_NO_TRACK, 10, 8, 40, 30, 0.9 };

static GstHarness *
new_harness (const char *first_property, ...)
{
  va_list args;
  GstElement *element = gst_element_factory_make ("vksegoverlay", NULL);
  va_start (args, first_property);
  if (first_property != NULL)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  return h;
}

static void
info_of (GstHarness *h, GstVideoInfo *info)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->srcpad);
  g_assert_true (gst_video_info_from_caps (info, caps));
}

/* The bytes of a pixel's components, wherever they are. */
static void
pixel (GstVideoFrame *f, guint x, guint y, guint8 bytes[3])
{
  SegFormat format;
  g_assert_true (seg_video_format (GST_VIDEO_FRAME_FORMAT (f), &format));
  const SegFormatInfo *info = seg_format_info (format);
  for (guint i = 0; i < info->n_components; i++) {
    const SegComponent *c = &info->components[i];
    bytes[i] = ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (
        f, c->plane))[(gssize) (y >> c->vsub) * GST_VIDEO_FRAME_PLANE_STRIDE (f, c->plane)
                      + (x >> c->hsub) * c->step + c->offset];
  }
}

static guint
n_components (const GstVideoInfo *info)
{
  SegFormat format;
  g_assert_true (seg_video_format (GST_VIDEO_INFO_FORMAT (info), &format));
  return seg_format_info (format)->n_components;
}

/* The colour of class 0 of the palette that the tests use. */
static SegInk
ink_of_class_0 (const GstVideoInfo *info)
{
  static const guint8 rgb[3] = { 200, 40, 90 };
  SegPainter painter;
  g_assert_true (seg_painter_init (&painter, info));
  SegInk ink = seg_painter_ink (&painter, rgb);
  seg_painter_clear (&painter);
  return ink;
}

/* Opaque inside, as it was outside. */
static void
check_picture (GstBuffer *out, const GstVideoInfo *info, const SceneObject *o)
{
  GstVideoFrame f;
  guint8 got[3];
  SegInk ink = ink_of_class_0 (info);
  guint n = n_components (info);
  g_assert_true (gst_video_frame_map (&f, (GstVideoInfo *) info, out, GST_MAP_READ));
  for (guint y = 0; y < (guint) info->height; y++)
    for (guint x = 0; x < (guint) info->width; x++) {
      double u = (x + 0.5 - o->x) / o->width, v = (y + 0.5 - o->y) / o->height;
      double from_border = MIN (MIN (u, 1 - u) * o->width, MIN (v, 1 - v) * o->height);
      double from_mask = MIN (MIN (u, 1 - u) - 0.125, MIN (v, 1 - v) - 0.125);
      pixel (&f, x, y, got);
      for (guint c = 0; c < n; c++)
        if ((from_border < -2 && got[c] != 0x80)
            || (from_mask * MIN (o->width, o->height) > 3 && got[c] != ink.bytes[c]))
          g_error ("%s %dx%d: component %u at %u,%u is %u",
              gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)), info->width,
              info->height, c, x, y, got[c]);
    }
  gst_video_frame_unmap (&f);
}

static void
test_formats (void)
{
  static const guint sizes[][2] = { { 64, 48 }, { 63, 47 }, { 1, 1 }, { 3, 200 },
    { 301, 2 } };
  for (SegFormat format = 0; format < SEG_FORMAT_COUNT; format++) {
    GstHarness *h = new_harness (
        "alpha", 1.0, "draw", SEG_OVERLAY_MASKS, "palette", "#c8285a,#00ff00", NULL);
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      GstVideoInfo info;
      SceneObject o = { 0, -1, sizes[i][0] * 0.2, sizes[i][1] * 0.1, sizes[i][0] * 0.7,
        sizes[i][1] * 0.75, 0.9 };
      scene_start (h, seg_format_info (format)->name, sizes[i][0], sizes[i][1]);
      info_of (h, &info);
      g_autoptr (GstBuffer) out =
          gst_harness_push_and_pull (h, scene_frame (h, i, &o, 1));
      check_picture (out, &info, &o);
    }
    scene_finish (h);
  }
}

static void
test_strides (void)
{
  static const char *const formats[] = { "NV12", "I420", "YUY2", "RGB", "BGRA" };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info, padded;
    GstVideoAlignment align;
    GstHarness *h = new_harness (
        "alpha", 1.0, "draw", SEG_OVERLAY_MASKS, "palette", "#c8285a,#00ff00", NULL);
    scene_start (h, formats[i], 64, 48);
    info_of (h, &info);
    padded = info;
    gst_video_alignment_reset (&align);
    align.padding_left = align.padding_right = 32;
    align.padding_top = 4;
    g_assert_true (gst_video_info_align (&padded, &align));
    GstBuffer *in = gst_buffer_new_allocate (NULL, padded.size, NULL);
    gst_buffer_memset (in, 0, 0x80, padded.size);
    gst_buffer_add_video_meta_full (in, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&info), 64, 48, GST_VIDEO_INFO_N_PLANES (&info),
        padded.offset, padded.stride);
    scene_add_meta (in, 64, 48, &one, 1);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
    check_picture (out, &info, &one);
    scene_finish (h);
  }
}

/* Decoders have rows and columns beyond the picture, and their GstVideoMeta may count them. */
static void
test_larger_meta (void)
{
  static const char *const formats[] = { "NV12", "BGRA" };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info, coded;
    GstHarness *h = new_harness (
        "alpha", 1.0, "draw", SEG_OVERLAY_MASKS, "palette", "#c8285a,#00ff00", NULL);
    scene_start (h, formats[i], 64, 48);
    info_of (h, &info);
    gst_video_info_set_format (&coded, GST_VIDEO_INFO_FORMAT (&info), 80, 72);
    GstBuffer *in = gst_buffer_new_allocate (NULL, coded.size, NULL);
    gst_buffer_memset (in, 0, 0x80, coded.size);
    gst_buffer_add_video_meta_full (in, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&info), 80, 72, GST_VIDEO_INFO_N_PLANES (&info),
        coded.offset, coded.stride);
    scene_add_meta (in, 64, 48, &one, 1);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
    check_picture (out, &info, &one);
    scene_finish (h);
  }
}

/* How many pixels of a frame are not gray. */
static guint
n_changed (GstHarness *h, const SceneObject *objects, guint n, guint8 at[3])
{
  GstVideoInfo info;
  GstVideoFrame f;
  guint8 got[3];
  guint changed = 0;
  info_of (h, &info);
  g_autoptr (GstBuffer) out =
      gst_harness_push_and_pull (h, scene_frame (h, 0, objects, n));
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  for (guint y = 0; y < (guint) info.height; y++)
    for (guint x = 0; x < (guint) info.width; x++) {
      pixel (&f, x, y, got);
      changed += got[0] != 0x80 || got[1] != 0x80 || got[2] != 0x80;
    }
  if (at != NULL)
    pixel (&f, (guint) (objects[0].x + objects[0].width / 2),
        (guint) (objects[0].y + objects[0].height / 2), at);
  gst_video_frame_unmap (&f);
  return changed;
}

static void
test_parts (void)
{
  GstHarness *h = new_harness ("line-width", 1, NULL);
  scene_start (h, "RGB", 320, 240);
  const SceneObject o = { 0, 4, 100, 80, 80, 80, 0.9 };
  g_assert_cmpuint (n_changed (h, NULL, 0, NULL), ==, 0);
  g_assert_cmpuint (n_changed (h, &o, 0, NULL), ==, 0);
  g_object_set (h->element, "draw", 0, NULL);
  g_assert_cmpuint (n_changed (h, &o, 1, NULL), ==, 0);
  g_object_set (h->element, "draw", SEG_OVERLAY_MASKS, NULL);
  guint mask = n_changed (h, &o, 1, NULL);
  g_assert_cmpuint (mask, >, 55 * 55);
  g_assert_cmpuint (mask, <, 75 * 75);
  g_object_set (h->element, "draw", SEG_OVERLAY_BOXES, NULL);
  g_assert_cmpuint (n_changed (h, &o, 1, NULL), ==, 4 * 79);
  g_object_set (h->element, "line-width", 3, NULL);
  g_assert_cmpuint (n_changed (h, &o, 1, NULL), ==, 80 * 80 - 74 * 74);
  g_object_set (h->element, "draw", SEG_OVERLAY_CONTOURS, NULL);
  guint contour = n_changed (h, &o, 1, NULL);
  g_assert_cmpuint (contour, >, 3 * 4 * 50);
  g_assert_cmpuint (contour, <, 3 * 4 * 80);
  g_object_set (h->element, "draw", SEG_OVERLAY_LABELS, "text-size", 20, NULL);
  guint label = n_changed (h, &o, 1, NULL);
  g_assert_cmpuint (label, >, 20 * 30);
  g_assert_cmpuint (label % 20, ==, 0);
  g_object_set (h->element, "draw", SEG_OVERLAY_LABELS | SEG_OVERLAY_SCORES, NULL);
  g_assert_cmpuint (n_changed (h, &o, 1, NULL), >, label + 20 * 8);
  scene_finish (h);
}

static void
test_colors (void)
{
  SceneObject o[] = { { 0, -1, 100, 80, 80, 80, 0.9 }, { 0, -1, 10, 10, 5, 5, 0.5 } };
  guint8 a[3], b[3], c[3], d[3];
  GstHarness *h = new_harness ("palette", "#ff0000,#00ff00", "alpha", 1.0, NULL);
  scene_start (h, "RGB", 320, 240);
  n_changed (h, o, 2, a);
  g_assert_cmpmem (a, 3, ((guint8[]){ 255, 0, 0 }), 3);
  o[0].track_id = 5;
  n_changed (h, o, 2, b);
  o[0].track_id = 6;
  n_changed (h, o, 2, c);
  g_assert_true (memcmp (a, b, 3) != 0 && memcmp (b, c, 3) != 0);
  g_object_set (h->element, "color-by", SEG_META_COLOR_CLASS, NULL);
  n_changed (h, o, 2, d);
  g_assert_cmpmem (a, 3, d, 3);
  g_object_set (h->element, "palette", "#0000ff,#00ff00", NULL);
  n_changed (h, o, 2, d);
  g_assert_cmpmem (d, 3, ((guint8[]){ 0, 0, 255 }), 3);
  /* A palette that is not there: a warning, and the colours stay. */
  g_object_set (h->element, "palette", "/no/such/palette", NULL);
  n_changed (h, o, 2, d);
  g_assert_cmpmem (d, 3, ((guint8[]){ 0, 0, 255 }), 3);
  scene_finish (h);
}

/* Objects at the borders, of a pixel, of the whole frame, thousands; text that does not fit. */
static void
test_extremes (void)
{
  GRand *rand = g_rand_new_with_seed (9);
  GstHarness *h = new_harness ("line-width", 64, "text-size", 256, NULL);
  for (guint n = 0; n < 60; n++) {
    guint w = (guint) g_rand_int_range (rand, 1, 200),
          height = (guint) g_rand_int_range (rand, 1, 200),
          n_objects = n == 0 ? 3000 : 20;
    g_autofree SceneObject *o = g_new (SceneObject, n_objects);
    for (guint i = 0; i < n_objects; i++)
      o[i] = (SceneObject){ g_rand_int_range (rand, 0, 3000),
        g_rand_int_range (rand, -1, 9), g_rand_double_range (rand, -20, w),
        g_rand_double_range (rand, -20, height), g_rand_double_range (rand, 0.01, 300),
        g_rand_double_range (rand, 0.01, 300), g_rand_double (rand) };
    if (n == 1)
      g_object_set (h->element, "line-width", 2, "text-size", 14, NULL);
    scene_start (h, seg_format_info (n % SEG_FORMAT_COUNT)->name, w, height);
    gst_buffer_unref (gst_harness_push_and_pull (h, scene_frame (h, n, o, n_objects)));
  }
  g_rand_free (rand);
  scene_finish (h);
}

static void
test_label_map (void)
{
  GstVideoInfo info;
  GstVideoFrame f;
  guint8 got[3], *values = g_malloc0 (8);
  GstHarness *h = new_harness ("alpha", 1.0, "palette", "#000000,#ff0000,#0000ff", "draw",
      SEG_OVERLAY_MASKS, NULL);
  scene_start (h, "RGB", 40, 20);
  info_of (h, &info);
  GstBuffer *in = scene_frame (h, 0, NULL, 0);
  GstVkSegMeta *meta =
      gst_buffer_add_vk_seg_meta (in, GST_VK_SEG_RESULT_SEMANTIC, 40, 20);
  memcpy (values, "\0\1\2\1\0\0\2\2", 8);
  g_autoptr (GBytes) bytes = g_bytes_new_take (values, 8);
  const GstVkSegRect all = { 0, 0, 40, 20 };
  g_autoptr (GstVkSegMask) map = gst_vk_seg_mask_new (bytes, 4, 2, 4, &all);
  gst_vk_seg_meta_set_map (meta, map, NULL, 0);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  static const guint8 want[3][3] = { { 128, 128, 128 }, { 255, 0, 0 }, { 0, 0, 255 } };
  for (guint i = 0; i < 8; i++) {
    pixel (&f, i % 4 * 10 + 5, i / 4 * 10 + 5, got);
    g_assert_cmpmem (got, 3, want[values[i]], 3);
  }
  gst_video_frame_unmap (&f);
  scene_finish (h);
}

/* A matte has an outline, and nothing inside it. */
static void
test_matte_contours (void)
{
  GstVideoInfo info;
  GstVideoFrame f;
  guint8 inside[3], border[3], outside[3];
  static const guint8 values[16] = { 0, 0, 0, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0, 0,
    0 };
  GstHarness *h = new_harness ("draw", SEG_OVERLAY_CONTOURS, "line-width", 1, NULL);
  scene_start (h, "RGB", 40, 40);
  info_of (h, &info);
  GstBuffer *in = scene_frame (h, 0, NULL, 0);
  GstVkSegMeta *meta = gst_buffer_add_vk_seg_meta (in, GST_VK_SEG_RESULT_MATTE, 40, 40);
  g_autoptr (GBytes) bytes = g_bytes_new_static (values, sizeof values);
  const GstVkSegRect all = { 0, 0, 40, 40 };
  g_autoptr (GstVkSegMask) map = gst_vk_seg_mask_new (bytes, 4, 4, 4, &all);
  gst_vk_seg_meta_set_map (meta, map, NULL, -1);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_true (gst_video_frame_map (&f, &info, out, GST_MAP_READ));
  pixel (&f, 20, 20, inside);
  pixel (&f, 2, 2, outside);
  gboolean found = FALSE;
  for (guint x = 0; x < 20; x++) {
    pixel (&f, x, 20, border);
    found = found || border[0] != 0x80 || border[1] != 0x80 || border[2] != 0x80;
  }
  gst_video_frame_unmap (&f);
  g_assert_true (found);
  g_assert_cmpmem (inside, 3, "\x80\x80\x80", 3);
  g_assert_cmpmem (outside, 3, "\x80\x80\x80", 3);
  scene_finish (h);
}

/* --- the painter ---------------------------------------------------------------------------------- */

/* Any patch anywhere, against a blend pixel by pixel. */
static void
test_painter (void)
{
  GRand *rand = g_rand_new_with_seed (2);
  for (guint n = 0; n < 300; n++) {
    GstVideoInfo info;
    GstVideoFrame f;
    SegPainter p;
    SegFormat format = n % SEG_FORMAT_COUNT;
    gint w = g_rand_int_range (rand, 1, 40), h = g_rand_int_range (rand, 1, 40);
    gst_video_info_set_format (&info,
        gst_video_format_from_string (seg_format_info (format)->name), (guint) w,
        (guint) h);
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_memset (buffer, 0, 0x40, info.size);
    const SegPatch patch = { g_rand_int_range (rand, -30, 40),
      g_rand_int_range (rand, -30, 40), (guint) g_rand_int_range (rand, 1, 50),
      (guint) g_rand_int_range (rand, 1, 50), 50 };
    guint8 cover[2500], got[3];
    for (guint i = 0; i < 2500; i++)
      cover[i] = (guint8) g_rand_int_range (rand, 0, 256);
    g_assert_true (seg_painter_init (&p, &info));
    g_assert_true (gst_video_frame_map (&f, &info, buffer, GST_MAP_READWRITE));
    p.frame = &f;
    seg_painter_blend (&p, &patch, cover, (SegInk){ { 200, 200, 200 } });
    for (gint y = 0; y < h; y++)
      for (gint x = 0; x < w; x++) {
        const SegFormatInfo *fi = seg_format_info (format);
        pixel (&f, (guint) x, (guint) y, got);
        for (guint c = 0; c < fi->n_components; c++) {
          gint hs = (gint) fi->components[c].hsub, vs = (gint) fi->components[c].vsub,
               sum = 0, n_px = 0;
          for (gint v = y >> vs << vs; v < ((y >> vs) + 1) << vs; v++)
            for (gint u = x >> hs << hs; u < ((x >> hs) + 1) << hs; u++) {
              gint i = u - patch.x, k = v - patch.y;
              n_px += u < w && v < h;
              if (u < w && v < h && i >= 0 && k >= 0 && i < (gint) patch.width
                  && k < (gint) patch.height)
                sum += cover[k * 50 + i];
            }
          double want = 0x40 + (200.0 - 0x40) * (sum / n_px) / 255.0;
          if (ABS (got[c] - want) > 0.51)
            g_error (
                "%s %dx%d, patch %ux%u at %d,%d: component %u at %d,%d is %u, not %.2f",
                fi->name, w, h, patch.width, patch.height, patch.x, patch.y, c, x, y,
                got[c], want);
        }
      }
    gst_video_frame_unmap (&f);
    seg_painter_clear (&p);
  }
  g_rand_free (rand);
}

/* However wide, it is of one colour. */
static void
test_fill (void)
{
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YUY2,
    GST_VIDEO_FORMAT_NV12 };
  for (guint i = 0; i < G_N_ELEMENTS (formats) * 4; i++) {
    GstVideoInfo info;
    GstVideoFrame f;
    SegPainter p;
    guint8 first[3], got[3];
    gint start = -2 + (gint) (i % 4) * 3;
    gst_video_info_set_format (&info, formats[i / 4], 700, 8);
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_memset (buffer, 0, 0x40, info.size);
    g_assert_true (seg_painter_init (&p, &info));
    g_assert_true (gst_video_frame_map (&f, &info, buffer, GST_MAP_READWRITE));
    p.frame = &f;
    seg_painter_fill (&p, start, 0, 650, 8, 128, (SegInk){ { 200, 200, 200 } });
    pixel (&f, 10, 4, first);
    for (guint x = 10; x < 640; x++) {
      pixel (&f, x, 4, got);
      g_assert_cmpmem (got, n_components (&info), first, n_components (&info));
    }
    gst_video_frame_unmap (&f);
    seg_painter_clear (&p);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_ELEMENT_REGISTER (vksegoverlay, NULL);
  g_test_add_func ("/vksegoverlay/painter", test_painter);
  g_test_add_func ("/vksegoverlay/fill", test_fill);
  g_test_add_func ("/vksegoverlay/larger-meta", test_larger_meta);
  g_test_add_func ("/vksegoverlay/matte-contours", test_matte_contours);
  g_test_add_func ("/vksegoverlay/formats", test_formats);
  g_test_add_func ("/vksegoverlay/strides", test_strides);
  g_test_add_func ("/vksegoverlay/parts", test_parts);
  g_test_add_func ("/vksegoverlay/colors", test_colors);
  g_test_add_func ("/vksegoverlay/extremes", test_extremes);
  g_test_add_func ("/vksegoverlay/label-map", test_label_map);
  int status = g_test_run ();
  gst_deinit (); /* the leaks tracer looks now */
  return status;
}
