/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public result: construction from good and hostile values, copies, masks at a size. */
#include "meta/gstvksegmirror.h"
#include "meta/gstvksegshape.h"
#include "meta/make.h"

#include <gst/video/video.h>

#include <math.h>
#include <string.h>

static GstVkSegMeta *
new_meta (GstBuffer **buffer, guint width, guint height)
{
  *buffer = gst_buffer_new ();
  GstVkSegMeta *meta =
      gst_buffer_add_vk_seg_meta (*buffer, GST_VK_SEG_RESULT_INSTANCE, width, height);
  g_assert_nonnull (meta);
  return meta;
}

static GstVkSegInstance *
add (GstVkSegMeta *meta, double x, double y, double w, double h, GstVkSegMask *mask)
{
  const GstVkSegRect box = { x, y, w, h };
  return gst_vk_seg_meta_add_instance (meta, 2, "dog", 0.75, &box, mask);
}

/* Rows of text of what an instance covers. */
static void
check_mask (
    const GstVkSegInstance *instance, guint width, guint height, const char *const *want)
{
  g_autofree guint8 *pixels = g_malloc ((gsize) (width + 5) * height);
  memset (pixels, 0x7f, (gsize) (width + 5) * height);
  g_assert_true (
      gst_vk_seg_instance_get_mask_at_size (instance, width, height, pixels, width + 5));
  for (guint y = 0; y < height; y++) {
    g_autofree char *got = g_malloc0 (width + 1);
    for (guint x = 0; x < width; x++)
      got[x] = pixels[y * (width + 5) + x] == 255 ? '#' : '.';
    if (strcmp (got, want[y]) != 0)
      g_error ("%ux%u row %u: %s and not %s", width, height, y, got, want[y]);
    for (guint x = width; x < width + 5; x++)
      g_assert_cmpint (pixels[y * (width + 5) + x], ==, 0x7f);
  }
}

static void
test_mask_at_size (void)
{
  static const char *const rows[] = { "0#0", "###" };
  static const char *const same[] = { ".....", "..#..", ".###.", "....." };
  static const char *const twice[] = { "..........", "..........", "....##....",
    "....##....", "..######..", "..######..", "..........", ".........." };
  static const char *const cut[] = { ".....", "..#..", "..##.", "....." };
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_meta (&buffer, 5, 4);
  g_autoptr (GstVkSegMask) mask = make_mask (rows, 2, 1, 1);
  GstVkSegInstance *instance = add (meta, 0, 0, 5, 4, mask);
  check_mask (instance, 5, 4, same);
  check_mask (instance, 10, 8, twice);
  check_mask (add (meta, 2, 0, 5, 4, mask), 5, 4, cut);
  gst_buffer_unref (buffer);
}

/* A ramp upsampled: the edge is where the probability crosses the threshold, not where a pixel
 * of the mask ends. */
static void
test_interpolates (void)
{
  static const char *const rows[] = { "0123456789" };
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_meta (&buffer, 100, 10);
  g_autoptr (GstVkSegMask) ramp = make_mask (rows, 1, 0, 0);
  const GstVkSegRect all = { 0, 0, 100, 10 };
  for (guint low = 0; low <= 100; low += 50)
    for (double threshold = 0.1; threshold < 0.8; threshold += 0.1) {
      g_autoptr (GstVkSegMask) mask = gst_vk_seg_mask_new_full (
          ramp->bytes, 10, 1, ramp->stride, &all, (guint8) low, 200, threshold);
      guint8 pixels[1000];
      g_assert_true (gst_vk_seg_instance_get_mask_at_size (
          add (meta, 0, 0, 100, 10, mask), 100, 10, pixels, 100));
      /* Value 25 * u at u + 1/2 pixels of the mask, of 10 pixels of the frame each. */
      double value = low + threshold * (200 - low), edge = 10 * (value / 25 + 0.5);
      guint n = 0;
      for (guint x = 0; x < 100; x++)
        n += pixels[300 + x] == 255;
      if (fabs (100 - n - edge) > 1.01)
        g_error ("low %u, threshold %.1f: begins at %u, not %.2f", low, threshold,
            100 - n, edge);
    }
  gst_buffer_unref (buffer);
}

static void
test_hostile_masks (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (100), 100);
  const GstVkSegRect good = { 0, 0, 10, 10 };
  const struct {
    guint width, height;
    gsize stride;
    GstVkSegRect rect;
    gboolean ok;
  } cases[] = {
    { 10, 10, 10, good, TRUE },
    { 1, 100, 1, good, TRUE },
    { 100, 1, 100, good, TRUE },
    { 5, 10, 10, good, TRUE },
    { 10, 11, 10, good, FALSE },
    { 10, 10, 11, good, FALSE },
    { 0, 10, 10, good, FALSE },
    { 10, 0, 10, good, FALSE },
    { 10, 10, 9, good, FALSE },
    { 10, 2, G_MAXSIZE, good, FALSE },
    { 10, 3, G_MAXSIZE / 2, good, FALSE },
    { 65536, 65536, 65536, good, FALSE },
    { G_MAXUINT, 1, G_MAXSIZE, good, FALSE },
    { 1, G_MAXUINT, 1, good, FALSE },
    { 10, 10, 10, { NAN, 0, 10, 10 }, FALSE },
    { 10, 10, 10, { 0, INFINITY, 10, 10 }, FALSE },
    { 10, 10, 10, { 0, 0, NAN, 10 }, FALSE },
    { 10, 10, 10, { 0, 0, 0, 10 }, FALSE },
    { 10, 10, 10, { 0, 0, 10, -1 }, FALSE },
    { 10, 10, 10, { 0, 0, 1e300, 10 }, FALSE },
    { 10, 10, 10, { -1e6, -1e6, 2e6, 2e6 }, TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstVkSegMask *mask = gst_vk_seg_mask_new (
        bytes, cases[i].width, cases[i].height, cases[i].stride, &cases[i].rect);
    if ((mask != NULL) != cases[i].ok)
      g_error ("case %u: %s", i, mask != NULL ? "taken" : "refused");
    g_clear_pointer (&mask, gst_vk_seg_mask_unref);
  }
  g_assert_null (gst_vk_seg_mask_new_full (bytes, 10, 10, 10, &good, 7, 7, 0.5));
  g_assert_null (gst_vk_seg_mask_new_full (bytes, 10, 10, 10, &good, 0, 255, NAN));
  g_assert_null (gst_vk_seg_mask_new_full (bytes, 10, 10, 10, &good, 0, 255, 1.5));
}

static void
test_hostile_instances (void)
{
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_meta (&buffer, 64, 48);
  const GstVkSegRect box = { -1e5, -5, 3e5, 30 };
  g_assert_null (add (meta, NAN, 0, 5, 5, NULL));
  g_assert_null (add (meta, 0, 0, INFINITY, 5, NULL));
  g_assert_null (add (meta, 64, 0, 5, 5, NULL));
  g_assert_null (add (meta, -5, 0, 5, 5, NULL));
  g_assert_null (add (meta, 0, 60, 5, 5, NULL));
  g_assert_null (add (meta, 10, 10, -5, 5, NULL));
  g_assert_null (gst_vk_seg_meta_add_instance (meta, 0, "x", NAN, &box, NULL));
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 0);
  GstVkSegInstance *i =
      gst_vk_seg_meta_add_instance (meta, G_MININT, "\xff\xfe", 1e30, &box, NULL);
  g_assert_nonnull (i);
  g_assert_cmpint (i->class_id, ==, -1);
  g_assert_null (i->label);
  g_assert_cmpfloat (i->score, ==, 1.0);
  g_assert_cmpfloat (i->box.x, ==, 0);
  g_assert_cmpfloat (i->box.y, ==, 0);
  g_assert_cmpfloat (i->box.width, ==, 64);
  g_assert_cmpfloat (i->box.height, ==, 25);
  for (guint n = 0; n < 1000000; n++)
    add (meta, n % 60, n % 40, 3, 3, NULL);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, GST_VK_SEG_MAX_INSTANCES);
  g_assert_null (gst_vk_seg_meta_get_instance (meta, GST_VK_SEG_MAX_INSTANCES));
  guint8 pixel;
  i = gst_vk_seg_meta_get_instance (meta, 0);
  g_assert_false (gst_vk_seg_instance_get_mask_at_size (i, 0, 5, &pixel, 1));
  g_assert_false (gst_vk_seg_instance_get_mask_at_size (i, 5, 1, &pixel, 4));
  g_assert_false (
      gst_vk_seg_instance_get_mask_at_size (i, G_MAXUINT, 1, &pixel, G_MAXUINT));
  g_assert_null (gst_vk_seg_instance_get_rle_string (i, 1, 1u << 31));
  g_assert_null (gst_vk_seg_instance_get_polygons (i, 0, 0, 0));
  gst_buffer_unref (buffer);
  buffer = gst_buffer_new ();
  g_assert_null (gst_buffer_add_vk_seg_meta (buffer, GST_VK_SEG_RESULT_MATTE, 0, 5));
  g_assert_null (gst_buffer_add_vk_seg_meta (buffer, GST_VK_SEG_RESULT_MATTE, 5, 99999));
  g_assert_null (gst_buffer_get_vk_seg_meta (buffer));
  gst_buffer_unref (buffer);
}

/* Masks that reach far out of the frame, frames of a pixel, sizes that do not fit: nothing is
 * written outside, which the sanitizers watch. */
static void
test_random (void)
{
  GRand *rand = g_rand_new_with_seed (11);
  for (guint n = 0; n < 400; n++) {
    guint width = (guint) g_rand_int_range (rand, 1, 70),
          height = (guint) g_rand_int_range (rand, 1, 70);
    GstBuffer *buffer;
    GstVkSegMeta *meta = new_meta (&buffer, width, height);
    g_autoptr (GstVkSegMask) mask = make_random_mask (rand, width, height);
    GstVkSegInstance *i = add (meta, g_rand_double_range (rand, -9, 60),
        g_rand_double_range (rand, -9, 60), g_rand_double_range (rand, 0.001, 80),
        g_rand_double_range (rand, 0.001, 80), mask);
    if (i != NULL) {
      guint w = (guint) g_rand_int_range (rand, 1, 99),
            h = (guint) g_rand_int_range (rand, 1, 99);
      gsize n_counts, total = 0;
      g_autofree guint8 *pixels = g_malloc ((gsize) w * h);
      g_assert_true (gst_vk_seg_instance_get_mask_at_size (i, w, h, pixels, w));
      g_autofree guint32 *counts = gst_vk_seg_instance_get_rle (i, w, h, &n_counts);
      for (gsize k = 0; k < n_counts; k++)
        total += counts[k];
      g_assert_cmpuint (total, ==, w * h);
      g_autoptr (GPtrArray) polygons = gst_vk_seg_instance_get_polygons (i, w, h, 1.5);
      for (guint k = 0; k < polygons->len; k++)
        g_assert_cmpuint (((GstVkSegPolygon *) polygons->pdata[k])->n_points, >=, 3);
    }
    gst_buffer_unref (buffer);
  }
  g_rand_free (rand);
}

static void
test_polygons (void)
{
  static const char *const rows[] = { "####0#", "#00#0#", "#0##00", "####0#" };
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_meta (&buffer, 9, 7);
  g_autoptr (GstVkSegMask) mask = make_mask (rows, 4, 2, 1);
  g_autoptr (GPtrArray) polygons =
      gst_vk_seg_instance_get_polygons (add (meta, 0, 0, 9, 7, mask), 9, 7, 0);
  g_assert_cmpuint (polygons->len, ==, 4);
  const GstVkSegPolygon *outer = polygons->pdata[0], *hole = polygons->pdata[2];
  g_assert_false (outer->hole);
  g_assert_cmpuint (outer->n_points, ==, 4);
  g_assert_cmpint (outer->points[0].x, ==, 2);
  g_assert_cmpint (outer->points[0].y, ==, 1);
  /* Clockwise on a screen: along the upper edge first. */
  g_assert_cmpint (outer->points[1].x, ==, 6);
  g_assert_cmpint (outer->points[1].y, ==, 1);
  g_assert_true (hole->hole);
  g_assert_cmpint (hole->parent, ==, 0);
  g_assert_cmpuint (hole->n_points, ==, 6);
  gst_buffer_unref (buffer);
}

static void
test_rle_strings (void)
{
  static const guint32 square[] = { 5, 2, 2, 2, 5 }, all[] = { 0, 6 }, none[] = { 6 },
                       mixed[] = { 100, 2000, 5, 70000, 1 };
  const struct {
    const guint32 *counts;
    gsize n;
    const char *want;
  } cases[] = { { square, 5, "52203" }, { all, 2, "06" }, { none, 1, "6" },
    { mixed, 5, "T3`n15P]R2L" }, { NULL, 0, "" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *got = gst_vk_seg_rle_to_string (cases[i].counts, cases[i].n);
    g_assert_cmpstr (got, ==, cases[i].want);
  }
}

/* --- copies ------------------------------------------------------------------------------------- */

static GstVkSegMeta *
new_pair (GstBuffer **buffer)
{
  static const char *const rows[] = { "##", "##", "##" };
  GstVkSegMeta *meta = new_meta (buffer, 40, 30);
  g_autoptr (GstVkSegMask) mask = make_mask (rows, 3, 10, 12);
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();
  g_ptr_array_add (labels, (gpointer) "sky");
  const GstVkSegMapping mapping = { 320, 320, 8, 8, 0, 40 };
  add (meta, 10, 12, 2, 3, mask)->track_id = 99;
  add (meta, 30, 0, 10, 10, NULL);
  gst_vk_seg_meta_set_map (meta, mask, labels, 0);
  meta->age = 3;
  g_assert_true (gst_vk_seg_meta_set_mapping (meta, &mapping));
  return meta;
}

static void
test_copy (void)
{
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_pair (&buffer);
  g_autoptr (GstBuffer) copy = gst_buffer_copy (buffer);
  GstVkSegMeta *other = gst_buffer_get_vk_seg_meta (copy);
  g_assert_nonnull (other);
  g_assert_true (other->map == meta->map && other->labels == meta->labels);
  gst_buffer_unref (buffer);
  g_assert_cmpuint (other->version, ==, GST_VK_SEG_META_VERSION);
  g_assert_cmpuint (other->age, ==, 3);
  g_assert_cmpint (other->background, ==, 0);
  g_assert_cmpfloat (other->mapping.shift_y, ==, 40);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (other), ==, 2);
  const GstVkSegInstance *i = gst_vk_seg_meta_find_track (other, 99);
  g_assert_nonnull (i);
  g_assert_cmpstr (i->label, ==, "dog");
  g_assert_cmpuint (i->mask->width, ==, 2);
  g_assert_null (gst_vk_seg_meta_find_track (other, 98));
}

static void
test_scale (void)
{
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_pair (&buffer);
  GstVideoInfo in, out;
  gst_video_info_set_format (&in, GST_VIDEO_FORMAT_RGB, 40, 30);
  gst_video_info_set_format (&out, GST_VIDEO_FORMAT_RGB, 120, 60);
  GstVideoMetaTransform how = { &in, &out };
  g_autoptr (GstBuffer) dest = gst_buffer_new ();
  g_assert_true (GST_VK_SEG_META_INFO->transform_func (
      dest, &meta->meta, buffer, gst_video_meta_transform_scale_get_quark (), &how));
  GstVkSegMeta *other = gst_buffer_get_vk_seg_meta (dest);
  const GstVkSegInstance *i = gst_vk_seg_meta_find_track (other, 99);
  g_assert_cmpuint (other->frame_width, ==, 120);
  g_assert_cmpuint (i->frame_height, ==, 60);
  g_assert_cmpfloat (i->box.x, ==, 30);
  g_assert_cmpfloat (i->box.height, ==, 6);
  g_assert_cmpfloat (i->mask->rect.y, ==, 24);
  g_assert_cmpfloat (i->mask->rect.width, ==, 6);
  g_assert_true (i->mask->data == gst_vk_seg_meta_get_instance (meta, 0)->mask->data);
  g_assert_cmpfloat_with_epsilon (other->mapping.scale_x, 8.0 / 3, 1e-9);
  g_assert_cmpfloat_with_epsilon (other->mapping.shift_y, 40, 1e-9);
  gst_buffer_unref (buffer);
}

static void
test_crop (void)
{
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_pair (&buffer);
  g_autoptr (GstBuffer) dest = gst_buffer_new ();
  const GstVkSegRect region = { 11, 10, 10, 10 }, wrong = { 0, 0, NAN, 5 };
  g_assert_null (gst_vk_seg_meta_copy_region (meta, dest, &wrong, 5, 5));
  g_assert_null (gst_vk_seg_meta_copy_region (meta, dest, &region, 0, 5));
  GstVkSegMeta *other = gst_vk_seg_meta_copy_region (meta, dest, &region, 20, 20);
  g_assert_nonnull (other);
  /* One object is outside, the other loses its left half. */
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (other), ==, 1);
  const GstVkSegInstance *i = gst_vk_seg_meta_get_instance (other, 0);
  g_assert_cmpfloat (i->box.x, ==, 0);
  g_assert_cmpfloat (i->box.width, ==, 2);
  g_assert_cmpfloat (i->box.y, ==, 4);
  g_assert_cmpfloat (i->mask->rect.x, ==, -2);
  /* Frame position 11 is at 88 in the network's input. */
  g_assert_cmpfloat_with_epsilon (other->mapping.shift_x, 88, 1e-9);
  g_assert_cmpfloat_with_epsilon (other->mapping.scale_x, 4, 1e-9);
  gst_buffer_unref (buffer);
}

static void
test_map (void)
{
  static const char *const rows[] = { "12", "34" };
  GstBuffer *buffer = gst_buffer_new ();
  GstVkSegMeta *meta =
      gst_buffer_add_vk_seg_meta (buffer, GST_VK_SEG_RESULT_SEMANTIC, 4, 2);
  guint8 pixels[2][4];
  g_assert_false (gst_vk_seg_meta_get_map_at_size (meta, 4, 2, pixels[0], 4));
  g_autoptr (GstVkSegMask) map = make_mask (rows, 2, 1, 0);
  gst_vk_seg_meta_set_map (meta, map, NULL, 7);
  g_assert_true (gst_vk_seg_meta_get_map_at_size (meta, 4, 2, pixels[0], 4));
  static const guint8 want[2][4] = { { 7, 25, 50, 7 }, { 7, 75, 100, 7 } };
  g_assert_cmpmem (pixels, 8, want, 8);
  g_autofree char *json = gst_vk_seg_meta_to_json (meta, GST_CLOCK_TIME_NONE, 0);
  g_assert_nonnull (strstr (json, "{\"class_id\":25,\"label\":null,\"area\":0.25000}"));
  g_assert_true (g_str_has_prefix (json, "{\"pts\":null,\"type\":\"semantic\""));
  gst_buffer_unref (buffer);
}

/* All objects together, where they overlap the more probable. */
static void
test_foreground (void)
{
  static const char *const rows[] = { "44#", "444" }, *const other[] = { "888" };
  static const guint8 binary[2][4] = { { 0, 255, 255, 0 }, { 255, 255, 255, 0 } },
                      soft[2][4] = { { 100, 100, 255, 0 }, { 200, 200, 200, 0 } };
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_meta (&buffer, 4, 2);
  guint8 pixels[2][4];
  g_autoptr (GstVkSegMask) mask = make_mask (rows, 2, 0, 0),
                           low = make_mask (other, 1, 0, 1);
  g_assert_true (
      gst_vk_seg_meta_get_foreground_at_size (meta, FALSE, 4, 2, pixels[0], 4));
  g_assert_cmpint (pixels[1][1], ==, 0);
  add (meta, 0, 0, 3, 2, mask);
  add (meta, 0, 1, 3, 1, low);
  add (meta, 1, 0, 1, 1, NULL);
  g_assert_true (
      gst_vk_seg_meta_get_foreground_at_size (meta, FALSE, 4, 2, pixels[0], 4));
  g_assert_cmpmem (pixels, 8, binary, 8);
  g_assert_true (gst_vk_seg_instance_get_mask_in_extent (
      gst_vk_seg_meta_get_instance (meta, 1), 4, 2, pixels[0], 3));
  g_assert_cmpint (pixels[0][0], ==, 255);
  gst_vk_seg_meta_get_instance (meta, 2)->box.width = 0.2; /* no pixel's centre */
  g_assert_true (gst_vk_seg_meta_get_foreground_at_size (meta, TRUE, 4, 2, pixels[0], 4));
  g_assert_cmpmem (pixels, 8, soft, 8);
  gst_buffer_unref (buffer);
}

/* The same in memory of its own, and no memory for pictures that are too large. */
static void
test_bytes (void)
{
  static const char *const rows[] = { "#0", "##" };
  static const guint8 object[] = { 255, 0, 0, 255, 255, 0 };
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_meta (&buffer, 3, 2);
  g_autoptr (GstVkSegMask) mask = make_mask (rows, 2, 0, 0);
  GstVkSegInstance *instance = add (meta, 0, 0, 3, 2, mask);
  g_autoptr (GBytes) one = gst_vk_seg_instance_get_mask_bytes (instance, 3, 2);
  g_autoptr (GBytes) all = gst_vk_seg_meta_get_foreground_bytes (meta, FALSE, 3, 2);
  g_assert_cmpmem (
      g_bytes_get_data (one, NULL), g_bytes_get_size (one), object, sizeof object);
  g_assert_true (g_bytes_equal (one, all));
  g_assert_null (gst_vk_seg_meta_get_map_bytes (meta, 3, 2));
  gst_vk_seg_meta_set_map (meta, mask, NULL, 9);
  g_autoptr (GBytes) map = gst_vk_seg_meta_get_map_bytes (meta, 3, 2);
  static const guint8 classes[] = { 255, 0, 9, 255, 255, 9 };
  g_assert_cmpmem (
      g_bytes_get_data (map, NULL), g_bytes_get_size (map), classes, sizeof classes);
  static const guint wrong[][2] = { { 0, 2 }, { 3, 0 }, { GST_VK_SEG_MAX_PX + 1, 1 },
    { G_MAXUINT, G_MAXUINT } };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    guint w = wrong[i][0], h = wrong[i][1];
    g_assert_null (gst_vk_seg_instance_get_mask_bytes (instance, w, h));
    g_assert_null (gst_vk_seg_meta_get_map_bytes (meta, w, h));
    g_assert_null (gst_vk_seg_meta_get_foreground_bytes (meta, TRUE, w, h));
  }
  gst_buffer_unref (buffer);
}

/* --- mirrors ------------------------------------------------------------------------------------ */

static void
test_roi (void)
{
  GstBuffer *buffer;
  GstVkSegMeta *meta = new_meta (&buffer, 40, 30);
  gst_buffer_add_video_region_of_interest_meta (buffer, "other", 0, 0, 1, 1)->id = 5;
  add (meta, 10.4, 12.2, 2, 3, NULL)->region_id = 5;
  gst_vk_seg_meta_mirror (meta, buffer, GST_VK_SEG_MIRROR_ROI);
  GstVkSegInstance *i = gst_vk_seg_meta_get_instance (meta, 0);
  g_assert_cmpint (i->roi_id, ==, 6);
  GstVideoRegionOfInterestMeta *roi =
      gst_buffer_get_video_region_of_interest_meta_id (buffer, 6);
  g_assert_cmpstr (g_quark_to_string (roi->roi_type), ==, "dog");
  g_assert_cmpint (roi->parent_id, ==, 5);
  g_assert_cmpuint (roi->x, ==, 10);
  g_assert_cmpuint (roi->w, ==, 3);
  g_assert_cmpuint (roi->h, ==, 4);
  i->track_id = 77;
  gst_vk_seg_meta_mirror_tracks (meta, buffer);
  gint64 track = 0;
  g_assert_true (gst_structure_get_int64 (
      gst_video_region_of_interest_meta_get_param (roi, GST_VK_SEG_ROI_PARAMS),
      "track-id", &track));
  g_assert_cmpint (track, ==, 77);
  gst_buffer_unref (buffer);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/meta/mask-at-size", test_mask_at_size);
  g_test_add_func ("/meta/interpolates", test_interpolates);
  g_test_add_func ("/meta/hostile-masks", test_hostile_masks);
  g_test_add_func ("/meta/hostile-instances", test_hostile_instances);
  g_test_add_func ("/meta/random", test_random);
  g_test_add_func ("/meta/polygons", test_polygons);
  g_test_add_func ("/meta/rle-strings", test_rle_strings);
  g_test_add_func ("/meta/copy", test_copy);
  g_test_add_func ("/meta/scale", test_scale);
  g_test_add_func ("/meta/crop", test_crop);
  g_test_add_func ("/meta/map", test_map);
  g_test_add_func ("/meta/foreground", test_foreground);
  g_test_add_func ("/meta/bytes", test_bytes);
  g_test_add_func ("/meta/roi", test_roi);
  return g_test_run ();
}
