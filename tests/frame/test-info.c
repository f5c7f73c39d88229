/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a network and of pictures, without a device. */
#include "color-net.h"

#include "frame/modelinfo.h"
#include "frame/text.h"
#include "ops/table.h"

#include <string.h>

static char *dir;

/* --- model information ------------------------------------------------------------------------- */

static SegModelInfo *
load_from (GBytes *bytes, const char *info, GHashTable *settings, GError **error)
{
  g_autofree char *model_path = g_build_filename (dir, "m.onnx", NULL);
  g_autofree char *path = g_build_filename (dir, "m.modelinfo", NULL);
  g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, error);
  SegInputShape shape;
  g_assert_nonnull (model);
  if (info != NULL)
    g_assert_true (g_file_set_contents (path, info, -1, NULL));
  SegModelInfo *i = seg_model_info_load (
      model, model_path, info != NULL ? path : NULL, settings, error);
  if (i == NULL)
    return NULL;
  seg_model_info_input_shape (i, model, &shape);
  g_autoptr (SegGraph) graph =
      seg_graph_new (model, seg_op_lookup, &shape, 1, SEG_GRAPH_PLAIN, error);
  g_assert_nonnull (graph);
  if (!seg_model_info_resolve (i, graph, error))
    seg_model_info_free (&i);
  return i;
}

static GBytes *
color_net_bytes (ColorNetKind kind)
{
  char *data;
  gsize n;
  g_autofree char *path = color_net_write (dir, "bytes", kind, NULL);
  g_assert_true (g_file_get_contents (path, &data, &n, NULL));
  return g_bytes_new_take (data, n);
}

static SegModelInfo *
load (const char *info)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = color_net_bytes (COLOR_NET_PLAIN);
  SegModelInfo *i = load_from (bytes, info, NULL, &error);
  g_assert_no_error (error);
  return i;
}

static void
test_defaults (void)
{
  SegModelInfo *i = load (NULL);
  g_assert_cmpuint (i->channel_axis, ==, 1);
  g_assert_cmpuint (i->width, ==, COLOR_NET_WIDTH);
  g_assert_cmpuint (i->height, ==, COLOR_NET_HEIGHT);
  g_assert_cmpint (i->decoder, ==, SEG_DECODER_ARGMAX);
  g_assert_cmpint (i->task, ==, SEG_TASK_SEMANTIC);
  g_assert_cmpint (i->fit, ==, SEG_FIT_STRETCH);
  g_assert_cmpuint (i->n_classes, ==, 4);
  g_assert_cmpint (i->background, ==, 0);
  g_assert_cmpfloat (i->normalize.lo[1], ==, 0.0);
  g_assert_cmpfloat (i->normalize.hi[1], ==, 1.0);
  g_assert_cmpuint (i->assumptions->len, >, 3);
  seg_model_info_free (&i);
  g_assert_null (i);
}

static void
test_keys (void)
{
  SegModelInfo *i =
      load ("[vkseg]\nmean=1,2,3\nstd=2\ncolor-order=bgr\nresize=letterbox\n"
            "pad-value=10,20,30\nlabels=a\\,b,c,d , e\nbackground=none\n"
            "foreground=c,3\nthreshold=0.25\npalette=#010203,#0405067f\n"
            "[other]\nx=y\n");
  char buffer[32];
  g_assert_cmpfloat (i->normalize.lo[2], ==, -1.5);
  g_assert_cmpfloat (i->normalize.hi[0], ==, 127.0);
  g_assert_cmpfloat (i->normalize.pad[1], ==, 20.0);
  g_assert_cmpint (i->normalize.order, ==, SEG_CHANNELS_BGR);
  g_assert_cmpint (i->fit, ==, SEG_FIT_LETTERBOX);
  g_assert_cmpuint (i->labels->len, ==, 4);
  g_assert_cmpstr (seg_model_info_label (i, 0, buffer), ==, "a,b");
  g_assert_cmpstr (seg_model_info_label (i, 3, buffer), ==, "e");
  g_assert_cmpstr (seg_model_info_label (i, 7, buffer), ==, "class 7");
  g_assert_cmpint (i->background, ==, -1);
  g_assert_cmpuint (i->foreground->len, ==, 2);
  g_assert_cmpuint (g_array_index (i->foreground, guint, 0), ==, 1);
  g_assert_cmpuint (g_array_index (i->foreground, guint, 1), ==, 3);
  g_assert_cmpuint (i->palette.rgba[1][0], ==, 4);
  g_assert_cmpuint (i->palette.rgba[1][3], ==, 0x7f);
  g_assert_cmpfloat (i->threshold, ==, 0.25);
  seg_model_info_free (&i);
}

/* Upstream's keys alone do for the normalisation. */
static void
test_ranges (void)
{
  SegModelInfo *i =
      load ("[modelinfo]\nversion=1.0\n[picture]\ndir=input\nranges=-1,1;0,2;-3,4\n");
  g_assert_cmpfloat (i->normalize.lo[0], ==, -1.0);
  g_assert_cmpfloat (i->normalize.hi[2], ==, 4.0);
  seg_model_info_free (&i);
  i = load ("[picture]\ndir=input\nranges=-1,1\n[vkseg]\nmean=0\nstd=1\n");
  g_assert_cmpfloat (i->normalize.hi[2], ==, 255.0);
  seg_model_info_free (&i);
}

/* What the caller sets wins over the file. */
static void
test_settings (void)
{
  GError *error = NULL;
  g_autoptr (GHashTable) settings = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GBytes) bytes = color_net_bytes (COLOR_NET_PLAIN);
  g_autofree char *names = g_build_filename (dir, "names.txt", NULL);
  g_file_set_contents (names, "zero\r\none\n\nthree\n", -1, NULL);
  g_hash_table_insert (settings, (gpointer) "labels-file", names);
  g_hash_table_insert (settings, (gpointer) "threshold", (gpointer) "0.5");
  SegModelInfo *i =
      load_from (bytes, "[vkseg]\nlabels=a,b,c,d\nthreshold=0.1\n", settings, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (i->labels->len, ==, 4);
  g_assert_cmpstr (i->labels->pdata[1], ==, "one");
  g_assert_cmpstr (i->labels->pdata[2], ==, "");
  g_assert_cmpfloat (i->threshold, ==, 0.5);
  seg_model_info_free (&i);
}

/* ONNX's metadata: our keys, and Ultralytics' names. */
static void
test_metadata (void)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = color_net_bytes (COLOR_NET_PLAIN);
  g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, &error);
  g_hash_table_insert (model->metadata, g_strdup ("vkseg.std"), g_strdup ("127.5"));
  g_hash_table_insert (model->metadata, g_strdup ("names"),
      g_strdup ("{0: 'person', 1: \"driver's seat\", 2: 'c', 3: 'd'}"));
  SegModelInfo *i = seg_model_info_load (model, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SegGraph) graph =
      seg_graph_new (model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, &error);
  g_assert_true (seg_model_info_resolve (i, graph, &error));
  g_assert_cmpfloat (i->normalize.hi[0], ==, 2.0);
  g_assert_cmpuint (i->labels->len, ==, 4);
  g_assert_cmpstr (i->labels->pdata[1], ==, "driver's seat");
  g_assert_cmpint (i->background, ==, -1);
  seg_model_info_free (&i);

  g_hash_table_insert (model->metadata, g_strdup ("vkseg.std"), g_strdup ("no"));
  g_assert_null (seg_model_info_load (model, NULL, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "metadata"));
  g_clear_error (&error);
}

static void
test_index (void)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = color_net_bytes (COLOR_NET_INDEX);
  SegModelInfo *i = load_from (bytes, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (i->decoder, ==, SEG_DECODER_INDEX);
  seg_model_info_free (&i);
}

/* Whatever is in the file, it is refused or understood. */
static void
test_hostile (void)
{
  static const char *const values[] = { "", ",", "\\", "\\,", "-1", "1e999", "nan",
    "0x10", "4294967296", "none", "1,2,3,4,5,6,7,8,9", "\xff\xfe", "x",
    "99999999999999999999" };
  static const char *const keys[] = { "task", "decoder", "input", "input-layout",
    "input-size", "color-order", "mean", "std", "resize", "pad-value", "output",
    "output-layout", "labels", "labels-file", "background", "foreground", "palette",
    "threshold", "mask-threshold", "iou-threshold", "max-detections", "box-format",
    "box-units", "objectness" };
  g_autoptr (GBytes) bytes = color_net_bytes (COLOR_NET_PLAIN);
  for (guint k = 0; k < G_N_ELEMENTS (keys); k++)
    for (guint v = 0; v < G_N_ELEMENTS (values); v++) {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup_printf ("[vkseg]\n%s=%s\n", keys[k], values[v]);
      SegModelInfo *i = load_from (bytes, text, NULL, &error);
      g_assert_true ((i == NULL) == (error != NULL));
      seg_model_info_free (&i);
    }
}

/* --- palettes ---------------------------------------------------------------------------------- */

static void
test_palettes (void)
{
  SegPalette p;
  GError *error = NULL;
  static const guint8 aeroplane[3] = { 128, 0, 0 }, person[3] = { 220, 20, 60 };
  g_assert_true (seg_palette_load (&p, "voc", NULL, 0, &error));
  g_assert_cmpmem (p.rgba[1], 3, aeroplane, 3);
  g_assert_true (seg_palette_load (&p, "VOC", NULL, -1, &error));
  g_assert_cmpmem (p.rgba[0], 3, aeroplane, 3);
  g_assert_true (seg_palette_load (&p, "coco", NULL, 0, &error));
  g_assert_cmpmem (p.rgba[1], 3, person, 3);
  g_assert_true (seg_palette_load (&p, "cityscapes", NULL, -1, &error));
  g_assert_cmpmem (p.rgba[11], 3, person, 3);
  g_assert_true (seg_palette_load (&p, "ade20k", NULL, -1, &error));
  g_assert_cmpuint (p.rgba[149][0], ==, 92);
}

static void
test_palette_files (void)
{
  static const struct {
    const char *text;
    gboolean fine;
  } files[] = {
    { "# comment\n#0a0b0c\n\n13 14 15 16\n", TRUE },
    { "#0a0b0c80\r\n13 14 15\r\n", TRUE },
    { "GIMP Palette\nName: x\nColumns: 4\n#\n 10 11 12\tInk\n13 14 15 16 bit\n", TRUE },
    { "10 11\n", FALSE },
    { "256 0 0\n", FALSE },
    { "#12345\n", FALSE },
    { "#12345g\n", FALSE },
    { "1 2 3 4 5\n", FALSE },
    { "", FALSE },
  };
  g_autofree char *path = g_build_filename (dir, "palette", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    SegPalette p;
    g_autoptr (GError) error = NULL;
    g_file_set_contents (path, files[i].text, -1, NULL);
    gboolean ok = seg_palette_load (&p, "palette", dir, 0, &error);
    if (ok != files[i].fine)
      g_error ("palette file %u: %s", i, ok ? "was taken" : error->message);
    if (ok) {
      g_assert_cmpuint (p.rgba[0][0], ==, 10);
      g_assert_cmpuint (p.rgba[1][2], ==, 15);
    }
  }
}

/* --- pictures ---------------------------------------------------------------------------------- */

static void
test_geometry (void)
{
  SegGeometry g;
  seg_geometry_init (&g, SEG_FIT_LETTERBOX, 640, 480, 320, 320);
  g_assert_cmpfloat (g.scale_x, ==, 0.5);
  g_assert_cmpfloat (g.shift_y, ==, 40.0);
  g_assert_cmpuint (g.net_y0, ==, 40);
  g_assert_cmpuint (g.net_y1, ==, 280);
  seg_geometry_init (&g, SEG_FIT_CROP, 600, 480, 320, 320);
  g_assert_cmpuint (g.frame_x0, ==, 60);
  g_assert_cmpuint (g.frame_x1, ==, 540);
  g_assert_cmpuint (g.frame_y1, ==, 480);
  /* What is seen and what is there agree, whatever the sizes. */
  for (guint w = 1; w < 400; w += 7)
    for (guint h = 1; h < 300; h += 11)
      for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++) {
        seg_geometry_init (&g, fit, w, h, 33, 24);
        g_assert_cmpuint (g.frame_x0, <, g.frame_x1);
        g_assert_cmpuint (g.frame_x1, <=, w);
        g_assert_cmpuint (g.frame_y1, <=, h);
        g_assert_cmpuint (g.net_x0, <, g.net_x1);
        g_assert_cmpuint (g.net_x1, <=, 33);
        double left = (g.frame_x0 + 0.5) * g.scale_x + g.shift_x;
        g_assert_cmpfloat (left, >, -1e-9);
        g_assert_cmpfloat (left, <, 33.0);
      }
}

/* From bytes to R'G'B' and back, for every matrix. */
static void
test_colors (void)
{
  const SegColor *colors[] = { &seg_color_bt601, &seg_color_bt709, &seg_color_bt2020,
    &seg_color_jpeg };
  static const double rgb[][3] = { { 0, 0, 0 }, { 1, 1, 1 }, { 1, 0, 0 }, { 0, 1, 0 },
    { 0, 0, 1 }, { 0.2, 0.6, 0.4 } };
  for (guint i = 0; i < G_N_ELEMENTS (colors); i++)
    for (guint k = 0; k < G_N_ELEMENTS (rgb); k++)
      for (SegColorKind kind = SEG_COLOR_RGB; kind <= SEG_COLOR_YUV; kind++) {
        guint8 b[3];
        double m[3][4];
        seg_color_from_rgb (colors[i], kind, rgb[k], b);
        seg_color_to_rgb (colors[i], kind, m);
        for (guint c = 0; c < 3; c++)
          g_assert_cmpfloat_with_epsilon (
              m[c][0] * b[0] + m[c][1] * b[1] + m[c][2] * b[2] + m[c][3], rgb[k][c],
              0.01);
      }
  guint8 white[3];
  seg_color_from_rgb (&seg_color_bt709, SEG_COLOR_YUV, rgb[1], white);
  g_assert_cmpuint (white[0], ==, 235);
  g_assert_cmpuint (white[1], ==, 128);
}

static void
test_layout (void)
{
  SegFrame f;
  GError *error = NULL;
  g_assert_true (
      seg_frame_layout (&f, SEG_FORMAT_NV12, &seg_color_bt709, 5, 3, 64, &error));
  g_assert_cmpuint (f.stride[0], ==, 8);
  g_assert_cmpuint (f.offset[1], ==, 64);
  g_assert_cmpuint (seg_frame_row_bytes (&f, 1), ==, 6);
  g_assert_cmpuint (seg_frame_n_rows (&f, 1), ==, 2);
  g_assert_true (
      seg_frame_layout (&f, SEG_FORMAT_YUY2, &seg_color_bt709, 5, 3, 64, &error));
  g_assert_cmpuint (seg_frame_row_bytes (&f, 0), ==, 12);
}

/* --- text ----------------------------------------------------------------------------------------- */

static guint
ink (const SegText *t)
{
  guint n = 0;
  for (guint y = 0; y < t->height; y++)
    for (guint x = 0; x < t->width; x++)
      n += t->pixels[y * t->stride + x] > 100;
  return n;
}

static void
test_text (void)
{
  static const char *const texts[] = { "person", "traffic light", "Ärger ✓", "", " " };
  for (guint builtin = 0; builtin < 2; builtin++)
    for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
      for (guint height = 8; height < 70; height += 15) {
        SegText *t = builtin ? seg_text_new_builtin (texts[i], height, 100)
                             : seg_text_new (texts[i], height, 100);
        g_assert_cmpuint (t->height, ==, height);
        g_assert_cmpuint (t->width, <=, 100);
        g_assert_cmpuint (t->width, >=, 1);
        if (i < 3)
          g_assert_cmpuint (ink (t), >, 10);
        seg_text_free (t);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  g_test_add_func ("/info/defaults", test_defaults);
  g_test_add_func ("/info/keys", test_keys);
  g_test_add_func ("/info/ranges", test_ranges);
  g_test_add_func ("/info/settings", test_settings);
  g_test_add_func ("/info/metadata", test_metadata);
  g_test_add_func ("/info/index", test_index);
  g_test_add_func ("/info/hostile", test_hostile);
  g_test_add_func ("/info/palettes", test_palettes);
  g_test_add_func ("/info/palette-files", test_palette_files);
  g_test_add_func ("/info/geometry", test_geometry);
  g_test_add_func ("/info/colors", test_colors);
  g_test_add_func ("/info/layout", test_layout);
  g_test_add_func ("/info/text", test_text);
  int status = g_test_run ();
  color_net_remove (dir);
  g_free (dir);
  return status;
}
