/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks that look at regions of a frame: where a region comes to lie, batches of any size, the
 * device's memory shared and apart, with host steps, maps, lists of regions. The frame has a red, a
 * green and a gray band side by side. */
#include "color-net.h"
#include "region-net.h"

#include "frame/net.h"
#include "frame/regions.h"
#include "vk/common.h"

#include <math.h>
#include <string.h>

#define WIDTH  128
#define HEIGHT 96

#define ROI_KEYS "decoder=classify\nregion-context=4\n"

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 },
                    gray[3] = { 0.5, 0.5, 0.5 };
static char *dir;

/* --- where a region comes to lie ------------------------------------------------------------------- */

static void
check_axis (double scale, double shift, double at, double net)
{
  if (fabs (at * scale + shift - net) > 1e-3)
    g_error ("%g comes to %g and not to %g", at, at * scale + shift, net);
}

static void
test_warp (void)
{
  SegGeometry g;
  SegRoi inner = { 20, 30, 40, 20 }, corner = { 100, 80, 1e9f, 30 };
  g_assert_true (seg_region_warp (&g, SEG_FIT_STRETCH, WIDTH, HEIGHT, 64, 48, 8, &inner));
  check_axis (g.scale_x, g.shift_x, 20, 8);
  check_axis (g.scale_x, g.shift_x, 60, 56);
  check_axis (g.scale_y, g.shift_y, 30, 8);
  check_axis (g.scale_y, g.shift_y, 50, 40);
  g_assert_cmpuint (g.net_x0, ==, 0);
  g_assert_cmpuint (g.net_x1, ==, 64);
  /* Clipped to 28x16 at the corner: beyond it there is nothing to see. */
  g_assert_true (
      seg_region_warp (&g, SEG_FIT_STRETCH, WIDTH, HEIGHT, 64, 48, 8, &corner));
  check_axis (g.scale_x, g.shift_x, 100, 8);
  check_axis (g.scale_x, g.shift_x, WIDTH, 56);
  g_assert_cmpuint (g.net_x1, ==, 56);
  g_assert_cmpuint (g.net_y1, ==, 40);
  /* As high as it may be, and no wider than that. */
  g_assert_true (
      seg_region_warp (&g, SEG_FIT_LETTERBOX, WIDTH, HEIGHT, 64, 48, 8, &inner));
  check_axis (g.scale_x, g.shift_x, 40, 32);
  g_assert_cmpfloat (g.scale_x, ==, g.scale_y);
  check_axis (g.scale_x, g.shift_x, 60, 56);
}

static void
test_warp_refused (void)
{
  static const SegRoi rois[] = { { WIDTH, 0, 10, 10 }, { 0, HEIGHT, 10, 10 },
    { -20, 0, 20, 10 }, { 5, 5, 0, 10 }, { 5, 5, 10, -3 }, { NAN, 0, 10, 10 },
    { 0, 0, NAN, 10 }, { 0, INFINITY, 10, 10 }, { 4e9f, 4e9f, 4e9f, 4e9f } };
  SegGeometry g;
  for (guint i = 0; i < G_N_ELEMENTS (rois); i++)
    if (seg_region_warp (&g, SEG_FIT_STRETCH, WIDTH, HEIGHT, 64, 48, 8, &rois[i]))
      g_error ("region %u is not in the frame, and was taken", i);
}

/* --- networks ---------------------------------------------------------------------------------- */

typedef struct {
  SegNet *net;
  SegRegions *regions;
  SegInstanceLimits limits;
} Fixture;

static void
open_fixture (Fixture *f, const RegionNet *kind, const char *keys, SegPrecision precision,
    gboolean separate)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = region_net_write (dir, "net", kind, keys);
  SegNetOptions options = { .model = path,
    .device = g_getenv ("VKSEG_DEVICE"),
    .precision = precision,
    .regions = TRUE };
  SegRegionsConfig config = {
    .frame = { SEG_FORMAT_RGBX, seg_color_bt709, WIDTH, HEIGHT, separate },
    .context_px = -1,
  };
  guint8 *data;
  f->net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  f->regions =
      seg_regions_new (f->net->vk, f->net->session, f->net->info, &config, &error);
  g_assert_no_error (error);
  const SegFrame *frame = seg_regions_input (f->regions, &data);
  color_net_paint (frame, data, 0, 40, red);
  color_net_paint (frame, data, 40, 80, green);
  color_net_paint (frame, data, 80, WIDTH, gray);
  memset (&f->limits, 0, sizeof f->limits);
  memset (f->limits.keep, 0xff, sizeof f->limits.keep);
  f->limits.threshold = 0.3f;
  f->limits.mask_threshold = 0.5f;
  f->limits.iou_threshold = 0.3f;
  f->limits.max_instances = 100;
}

static void
close_fixture (Fixture *f)
{
  seg_regions_free (&f->regions);
  seg_net_free (&f->net);
}

static const SegRegionResult *
run (Fixture *f, const SegRoi *rois, guint n, guint *n_results, const guint8 **masks)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (seg_regions_run (f->regions, rois, n, &f->limits, &error));
  g_assert_no_error (error);
  gsize n_bytes;
  return seg_regions_results (f->regions, n_results, masks, &n_bytes);
}

/* Class of each; 0: gray or not there, so no result. */
static const struct {
  SegRoi roi;
  guint class_id;
} known[] = { { { 8, 20, 24, 40 }, 1 }, { { 50, 10, 20, 70 }, 2 },
  { { 90, 20, 20, 40 }, 0 }, { { 200, 0, 10, 10 }, 0 }, { { 48, 80, 24, 500 }, 2 },
  { { 10, 30, 1, 1 }, 1 }, { { 10, 30, 0, 9 }, 0 }, { { 6, 20, 28, 60 }, 1 },
  { { 52, 40, 0.25f, 0.25f }, 2 }, { { 3, 40, 33, 3 }, 1 }, { { 100, 40, 28, 56 }, 0 } };

static void
check_classes (Fixture *f, const char *what)
{
  SegRoi rois[G_N_ELEMENTS (known)];
  guint n, next = 0;
  const guint8 *masks;
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    rois[i] = known[i].roi;
  const SegRegionResult *results = run (f, rois, G_N_ELEMENTS (known), &n, &masks);
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    if (known[i].class_id == 0)
      continue;
    if (next >= n || results[next].region != i
        || results[next].instance.class_id != known[i].class_id)
      g_error ("%s: region %u: result %u of %u is of region %u, class %u", what, i, next,
          n, next < n ? results[next].region : 0,
          next < n ? results[next].instance.class_id : 0);
    /* The one that ends where the frame does sees some of the padding. */
    if (i != 4 && fabs (results[next].instance.score - REGION_NET_SURE) > 4e-3)
      g_error ("%s: region %u has score %g", what, i, results[next].instance.score);
    next++;
  }
  g_assert_cmpuint (next, ==, n);
}

static void
test_batches (void)
{
  static const gint64 batches[] = { 0, 1, 3 };
  for (guint i = 0; i < 3 * 2 * 2; i++) {
    RegionNet kind = { REGION_NET_CLASSIFY, batches[i / 4], 0, FALSE };
    SegPrecision precision = i % 2 ? SEG_PRECISION_FP16 : SEG_PRECISION_FP32;
    g_autofree char *what = g_strdup_printf (
        "batch %d, separate %u, fp16 %u", (int) kind.batch, i / 2 % 2, i % 2);
    Fixture f;
    open_fixture (&f, &kind, ROI_KEYS, precision, i / 2 % 2);
    check_classes (&f, what);
    check_classes (&f, what);
    close_fixture (&f);
  }
}

static void
test_hosted (void)
{
  RegionNet kind = { REGION_NET_CLASSIFY, 2, 0, TRUE };
  Fixture f;
  guint n;
  const guint8 *masks;
  SegRoi rois[3] = { known[0].roi, known[1].roi, known[7].roi };
  open_fixture (&f, &kind, ROI_KEYS, SEG_PRECISION_FP32, TRUE);
  g_assert_false (seg_session_is_recordable (f.net->session));
  const SegRegionResult *results = run (&f, rois, 3, &n, &masks);
  g_assert_cmpuint (n, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (results[i].instance.class_id, ==, i == 1 ? 2 : 1);
  close_fixture (&f);
}

/* At the frame's edge a part of the input shows padding: black here. */
static void
test_padding (void)
{
  RegionNet kind = { REGION_NET_CLASSIFY, 0, 0, FALSE };
  SegRoi roi = { 0, 20, 28, 40 };
  Fixture f;
  guint n;
  const guint8 *masks;
  open_fixture (&f, &kind, "decoder=classify\nregion-context=12\npad-value=0\n",
      SEG_PRECISION_FP32, FALSE);
  const SegRegionResult *results = run (&f, &roi, 1, &n, &masks);
  double part = 52.0 / 64, e = exp (2 * part);
  double p = e / (e + exp (0.5) + 2 * exp (-part));
  g_assert_cmpuint (n, ==, 1);
  if (fabs (results[0].instance.score - p) > 2e-3)
    g_error ("%g of the input show the frame, but the score is %g and not %g", part,
        results[0].instance.score, p);
  close_fixture (&f);
}

static void
test_filters (void)
{
  RegionNet kind = { REGION_NET_CLASSIFY, 0, 0, FALSE };
  SegRoi rois[2] = { known[0].roi, known[1].roi };
  Fixture f;
  guint n;
  const guint8 *masks;
  open_fixture (&f, &kind, ROI_KEYS, SEG_PRECISION_FP32, FALSE);
  run (&f, rois, 0, &n, &masks);
  g_assert_cmpuint (n, ==, 0);
  f.limits.keep[0] = 1u << 2;
  const SegRegionResult *results = run (&f, rois, 2, &n, &masks);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (results[0].region, ==, 1);
  f.limits.threshold = 0.9f;
  run (&f, rois, 2, &n, &masks);
  g_assert_cmpuint (n, ==, 0);
  close_fixture (&f);
}

/* --- maps -------------------------------------------------------------------------------------- */

static guint8
mask_at (const SegRegionResult *r, const guint8 *masks, double x, double y)
{
  const SegInstance *s = &r->instance;
  int i = (int) floor ((x - s->mask_x) / s->mask_w * s->mask_width);
  int j = (int) floor ((y - s->mask_y) / s->mask_h * s->mask_height);
  g_assert_true (i >= 0 && i < (int) s->mask_width && j >= 0 && j < (int) s->mask_height);
  return masks[s->mask_offset + (gsize) j * s->mask_stride + (guint) i];
}

static void
check_map (RegionNet kind, const char *keys)
{
  SegRoi rois[3] = { { 90, 10, 20, 20 }, { 20, 10, 40, 60 }, { 45, 50, 30, 40 } };
  Fixture f;
  guint n;
  const guint8 *masks;
  open_fixture (&f, &kind, keys, SEG_PRECISION_FP32, FALSE);
  const SegRegionResult *results = run (&f, rois, 3, &n, &masks);
  g_assert_cmpuint (n, ==, 3); /* none of the gray region */
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (results[i].region, ==, i < 2 ? 1 : 2);
  g_assert_cmpuint (results[0].instance.class_id, ==, 1);
  g_assert_cmpuint (results[1].instance.class_id, ==, 2);
  g_assert_cmpuint (results[2].instance.class_id, ==, 2);
  g_assert_cmpfloat (results[0].instance.x, ==, 20);
  g_assert_cmpfloat (results[0].instance.height, ==, 60);
  for (guint x = 21; x < 60; x++) {
    if (x >= 38 && x < 42)
      continue;
    g_assert_cmpuint (mask_at (&results[0], masks, x, 40), ==, x < 40 ? 255 : 0);
    g_assert_cmpuint (mask_at (&results[1], masks, x, 15), ==, x < 40 ? 0 : 255);
  }
  close_fixture (&f);
}

/* A map may have an axis for classes, and come alone or with others. */
static void
test_map (void)
{
  for (gint64 batch = 0; batch < 4; batch++) {
    check_map ((RegionNet){ REGION_NET_MAP, batch, 0, FALSE },
        "decoder=argmax\nregion-context=4\n");
    check_map ((RegionNet){ REGION_NET_INDEX, batch, 0, FALSE },
        "decoder=index\nregion-context=4\n");
  }
}

static void
test_matte (void)
{
  RegionNet kind = { REGION_NET_MAP, 3, 0, FALSE };
  SegRoi rois[2] = { { 10, 10, 20, 20 }, { 100, 10, 20, 20 } };
  Fixture f;
  guint n;
  const guint8 *masks;
  open_fixture (&f, &kind, "decoder=softmax\nregion-context=0\nforeground=red,green\n",
      SEG_PRECISION_FP32, FALSE);
  const SegRegionResult *results = run (&f, rois, 2, &n, &masks);
  double p = REGION_NET_SURE + REGION_NET_SURE * exp (-3.0);
  g_assert_cmpuint (n, ==, 1); /* the gray one is no foreground */
  g_assert_cmpuint (results[0].region, ==, 0);
  g_assert_cmpuint (
      ABS (mask_at (&results[0], masks, 20, 20) - (int) (p * 255 + 0.5)), <=, 1);
  g_assert_cmpfloat (fabs (results[0].instance.score - p), <, 3e-3);
  close_fixture (&f);
}

/* --- lists of regions ---------------------------------------------------------------------------- */

typedef struct {
  guint region, class_id;
  float x, y, width, height;
} Object;

static void
check_objects (const SegRegionResult *results, const guint *pn, const Object *wanted,
    guint n_wanted, const char *what)
{
  guint n = *pn;
  g_assert_cmpuint (n, ==, n_wanted);
  for (guint i = 0; i < n; i++) {
    const Object *w = NULL;
    const SegInstance *s = &results[i].instance;
    for (guint k = 0; k < n_wanted; k++)
      if (wanted[k].region == results[i].region)
        w = &wanted[k];
    if (w == NULL || w->class_id != s->class_id || fabsf (w->x - s->x) > 0.05f
        || fabsf (w->y - s->y) > 0.05f || fabsf (w->width - s->width) > 0.05f
        || fabsf (w->height - s->height) > 0.05f
        || fabs (s->score - REGION_NET_SURE) > 3e-3)
      g_error ("%s: region %u: class %u, %g at %g,%g %gx%g", what, results[i].region,
          s->class_id, s->score, s->x, s->y, s->width, s->height);
  }
}

static void
check_fast (RegionNet kind, const char *keys, const char *what)
{
  /* Gray, red, the same again, green, outside, red to past the frame's lower edge. */
  static const SegRoi rois[] = { { 90, 10, 20, 20 }, { 8, 10, 16, 20 }, { 8, 11, 16, 20 },
    { 50, 40, 20, 30 }, { 500, 10, 10, 10 }, { 8, 60, 20, 80 } };
  static const Object wanted[] = { { 1, 1, 8, 10, 16, 20 }, { 3, 2, 42, 40, 40, 30 },
    { 5, 1, 8, 60, 20, 36 } };
  Fixture f;
  guint n;
  const guint8 *masks;
  open_fixture (&f, &kind, keys, SEG_PRECISION_FP16, FALSE);
  for (guint i = 0; i < 2; i++)
    check_objects (run (&f, rois, G_N_ELEMENTS (rois), &n, &masks), &n, wanted,
        G_N_ELEMENTS (wanted), what);
  run (&f, rois + 4, 1, &n, &masks);
  g_assert_cmpuint (n, ==, 0);
  run (&f, NULL, 0, &n, &masks);
  g_assert_cmpuint (n, ==, 0);
  close_fixture (&f);
}

static void
test_fast (void)
{
  check_fast ((RegionNet){ REGION_NET_FAST, 1, REGION_NET_ROWS, FALSE }, "", "16 rows");
  check_fast ((RegionNet){ REGION_NET_FAST, 1, 0, FALSE },
      "decoder=fast-rcnn\nresize=stretch\nregions-input=regions\n", "free rows");
  check_fast ((RegionNet){ REGION_NET_FAST, 1, REGION_NET_ROWS, TRUE }, "", "hosted");
}

static void
test_roi_pool (void)
{
  check_fast (
      (RegionNet){ REGION_NET_ROI_POOL, 1, REGION_NET_ROWS, FALSE }, "", "MaxRoiPool");
}

/* More than the list has room for: the first ones count. */
static void
test_fast_many (void)
{
  RegionNet kind = { REGION_NET_FAST, 1, REGION_NET_ROWS, FALSE };
  SegRoi rois[2 * REGION_NET_ROWS];
  Fixture f;
  guint n;
  const guint8 *masks;
  for (guint i = 0; i < G_N_ELEMENTS (rois); i++)
    rois[i] = (SegRoi){ (float) (2 + 6 * (i % 6)), (float) (2 + 8 * (i / 6)), 4, 6 };
  open_fixture (&f, &kind, "", SEG_PRECISION_FP32, FALSE);
  g_assert_cmpuint (seg_regions_max (f.regions), ==, REGION_NET_ROWS);
  const SegRegionResult *results = run (&f, rois, G_N_ELEMENTS (rois), &n, &masks);
  g_assert_cmpuint (n, ==, REGION_NET_ROWS);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (results[i].region, <, REGION_NET_ROWS);
  f.limits.max_instances = 5;
  run (&f, rois, G_N_ELEMENTS (rois), &n, &masks);
  g_assert_cmpuint (n, ==, 5);
  close_fixture (&f);
}

/* --- what is refused ----------------------------------------------------------------------------- */

static void
check_refused (RegionNet kind, const char *keys, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = region_net_write (dir, "net", &kind, keys);
  SegNetOptions options = {
    .model = path, .device = g_getenv ("VKSEG_DEVICE"), .regions = TRUE
  };
  SegRegionsConfig config = {
    .frame = { SEG_FORMAT_RGBX, seg_color_bt709, WIDTH, HEIGHT, FALSE }, .context_px = -1
  };
  SegNet *net = seg_net_new (&options, &error);
  SegRegions *regions =
      net == NULL ? NULL
                  : seg_regions_new (net->vk, net->session, net->info, &config, &error);
  g_assert_null (regions);
  g_assert_nonnull (error);
  if (strstr (error->message, why) == NULL)
    g_error (
        "'%s' is refused with '%s', which does not say '%s'", keys, error->message, why);
  seg_net_free (&net);
}

static void
test_refused (void)
{
  RegionNet classify = { REGION_NET_CLASSIFY, 1, 0, FALSE },
            map = { REGION_NET_MAP, 1, 0, FALSE },
            all = { REGION_NET_LARGEST, 3, 0, FALSE },
            fast = { REGION_NET_FAST, 1, REGION_NET_ROWS, FALSE };
  check_refused (classify, "", "roi-context");
  check_refused (classify, "decoder=fast-rcnn\n", "regions-input");
  check_refused (classify, "regions-input=picture\n", "no such second input");
  check_refused (classify, "scores=maximum\n", "softmax");
  check_refused (map, "decoder=classify\nregion-context=0\n", "scores [N,C]");
  check_refused (all, "decoder=argmax\nregion-context=0\n", "first axis");
  check_refused (map, "decoder=none\n", "classify");
  check_refused (fast, "decoder=classify\n", "fast-rcnn");
  check_refused (fast, "regions-input=areas\n", "no such second input");
  check_refused (fast, "box-format=cxcywh\n", "deltas");
  check_refused (fast, "output=scores\n", "boxes [K,4]");
  check_refused (fast, "box-weights=0,1,1,1\n", "box-weights");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (SegVk) vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  g_test_add_func ("/regions/warp", test_warp);
  g_test_add_func ("/regions/warp-refused", test_warp_refused);
  if (vk != NULL) {
    g_test_add_func ("/regions/batches", test_batches);
    g_test_add_func ("/regions/hosted", test_hosted);
    g_test_add_func ("/regions/padding", test_padding);
    g_test_add_func ("/regions/filters", test_filters);
    g_test_add_func ("/regions/map", test_map);
    g_test_add_func ("/regions/matte", test_matte);
    g_test_add_func ("/regions/fast", test_fast);
    g_test_add_func ("/regions/fast-many", test_fast_many);
    g_test_add_func ("/regions/roi-pool", test_roi_pool);
    g_test_add_func ("/regions/refused", test_refused);
  }
  int status = g_test_run ();
  color_net_remove (dir);
  g_free (dir);
  return status;
}
