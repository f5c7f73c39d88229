/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs of R-CNNs to instances, on the host. */
#include "frame/rcnn.h"

#include <math.h>
#include <string.h>

static SegTensor *
tensor (SegDType dtype, guint rank, gint64 a, gint64 b, gint64 c, gint64 d)
{
  SegDesc desc = { dtype, rank, { a, b, c, d } };
  SegTensor *t = seg_tensor_new (&desc, NULL);
  g_assert_nonnull (t);
  return t;
}

typedef struct {
  SegRcnnOutputs o;
  SegRcnnScratch scratch;
  SegGeometry g;
  SegInstanceLimits limits;
  SegInstance items[8];
  guint8 masks[1 << 16];
  guint n;
} Rcnn;

/* Three objects: two that overlap, one that has nothing in the frame. */
static void
rcnn_init (Rcnn *r, guint n, guint mask_width, guint mask_height)
{
  static const float boxes[3][4] = { { 10, 12, 50, 40 }, { 12, 12, 50, 42 },
    { 70, 0, NAN, 5 } };
  memset (r, 0, sizeof *r);
  seg_geometry_init (&r->g, SEG_FIT_LETTERBOX, 192, 128, 96, 80);
  r->o.boxes = tensor (SEG_DTYPE_F32, 2, n, 4, 0, 0);
  r->o.labels = tensor (SEG_DTYPE_I64, 1, n, 0, 0, 0);
  r->o.scores = tensor (SEG_DTYPE_F32, 1, n, 0, 0, 0);
  r->o.masks = tensor (SEG_DTYPE_F32, 4, n, 1, mask_height, mask_width);
  for (guint i = 0; i < n; i++) {
    memcpy ((float *) r->o.boxes->data + 4 * i, boxes[i % 3], sizeof boxes[0]);
    seg_tensor_set_int (r->o.labels, i, 17);
    seg_tensor_set_double (r->o.scores, i, 0.9 - 0.1 * i);
    for (guint k = 0; k < mask_width * mask_height; k++)
      ((float *) r->o.masks->data)[i * mask_width * mask_height + k] =
          k % mask_width < mask_width / 2 ? 1.0f : 0.25f;
  }
  memset (r->limits.keep, 0xff, sizeof r->limits.keep);
  r->limits.threshold = 0.5f;
  r->limits.iou_threshold = 1.0f;
  r->limits.max_instances = 8;
}

static void
rcnn_run (Rcnn *r)
{
  GError *error = NULL;
  g_assert_true (seg_rcnn_decode (&r->o, &r->limits, &r->g, &r->scratch, r->items,
      r->masks, sizeof r->masks, &r->n, &error));
  g_assert_no_error (error);
}

static void
rcnn_clear (Rcnn *r)
{
  seg_tensor_unref (r->o.boxes);
  seg_tensor_unref (r->o.labels);
  seg_tensor_unref (r->o.scores);
  seg_tensor_unref (r->o.masks);
  seg_tensor_unref (r->o.mask_boxes);
  seg_rcnn_scratch_clear (&r->scratch);
}

/* The probability that an instance's mask gives for a place in the frame. */
static double
mask_at (const Rcnn *r, const SegInstance *s, double x, double y)
{
  int u = (int) ((x - s->mask_x) / s->mask_w * s->mask_width);
  int v = (int) ((y - s->mask_y) / s->mask_h * s->mask_height);
  g_assert_true (u >= 0 && v >= 0 && u < (int) s->mask_width && v < (int) s->mask_height);
  return r->masks[s->mask_offset + (gsize) v * s->mask_stride + (gsize) u] / 255.0;
}

/* The frame is twice the network's picture, and 8 rows of the input are above it. */
static void
test_rcnn_box_masks (void)
{
  Rcnn *r = g_new (Rcnn, 1);
  rcnn_init (r, 3, 28, 14);
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 2);
  g_assert_cmpfloat (fabs (r->items[0].x - 20), <, 1e-3);
  g_assert_cmpfloat (fabs (r->items[0].y - 8), <, 1e-3);
  g_assert_cmpfloat (fabs (r->items[0].width - 80), <, 1e-3);
  g_assert_cmpfloat (fabs (r->items[0].height - 56), <, 1e-3);
  g_assert_cmpuint (r->items[0].class_id, ==, 17);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 59, 10), ==, 1.0);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 61, 60), <, 0.3);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 61, 60), >, 0.2);
  rcnn_clear (r);

  rcnn_init (r, 3, 28, 14);
  r->limits.iou_threshold = 0.5f;
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 1);
  rcnn_clear (r);
  g_free (r);
}

static void
test_rcnn_whole_masks (void)
{
  Rcnn *r = g_new (Rcnn, 1);
  rcnn_init (r, 2, 96, 80);
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 2);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 95, 20), ==, 1.0);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 97, 20), <, 0.3);
  g_assert_cmpfloat (r->items[0].mask_x, <=, r->items[0].x);
  g_assert_cmpfloat (r->items[0].mask_w, <=, 84 + 8);
  /* With less room the masks are thinned out, and stay where they are. */
  GError *error = NULL;
  g_assert_true (seg_rcnn_decode (
      &r->o, &r->limits, &r->g, &r->scratch, r->items, r->masks, 800, &r->n, &error));
  g_assert_cmpuint (r->items[0].mask_width, <, 30);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 90, 20), ==, 1.0);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 99, 20), <, 0.3);
  for (guint i = 0; i < r->n; i++)
    g_assert_cmpuint (r->items[i].mask_offset
                          + (gsize) r->items[i].mask_stride * r->items[i].mask_height,
        <=, 800);
  rcnn_clear (r);
  g_free (r);
}

/* Masks that belong to whole pixels of the input, and scores beside the boxes, in a batch of one. */
static void
test_rcnn_layouts (void)
{
  static const gint64 pixels[4] = { 4, 8, 59, 47 };
  Rcnn *r = g_new (Rcnn, 1);
  rcnn_init (r, 1, 28, 14);
  r->o.mask_boxes = tensor (SEG_DTYPE_I64, 2, 1, 4, 0, 0);
  memcpy (r->o.mask_boxes->data, pixels, sizeof pixels);
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 1);
  g_assert_cmpfloat (fabs (r->items[0].x - 20), <, 1e-3);
  g_assert_cmpfloat (fabs (r->items[0].mask_x - 2 * 4), <, 1e-3);
  g_assert_cmpfloat (fabs (r->items[0].mask_y - 2 * (8 - 8)), <, 1e-3);
  g_assert_cmpfloat (fabs (r->items[0].mask_w - 2 * 56), <, 1e-3);
  g_assert_cmpfloat (fabs (r->items[0].mask_h - 2 * 40), <, 1e-3);
  g_assert_cmpuint (r->items[0].mask_width, ==, 28);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 63, 20), ==, 1.0);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 65, 20), <, 0.3);
  seg_tensor_set_int (r->o.mask_boxes, 0, G_MAXINT64); /* nowhere: still some place */
  rcnn_run (r);
  g_assert_true (isfinite (r->items[0].mask_x) && r->items[0].mask_w > 0);
  rcnn_clear (r);

  rcnn_init (r, 2, 28, 14);
  SegTensor *dets = tensor (SEG_DTYPE_F32, 3, 1, 2, 5, 0);
  for (guint i = 0; i < 2; i++) {
    for (guint k = 0; k < 4; k++)
      seg_tensor_set_double (
          dets, 5 * i + k, seg_tensor_get_double (r->o.boxes, 4 * i + k));
    seg_tensor_set_double (dets, 5 * i + 4, 0.6 + 0.2 * i);
  }
  seg_tensor_unref (r->o.boxes);
  g_clear_pointer (&r->o.scores, seg_tensor_unref);
  seg_tensor_unref (r->o.labels);
  r->o.boxes = dets;
  r->o.labels = tensor (SEG_DTYPE_I64, 2, 1, 2, 0, 0);
  seg_tensor_set_int (r->o.labels, 1, 5);
  r->o.masks->desc = (SegDesc){ SEG_DTYPE_F32, 4, { 1, 2, 14, 28 } };
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 2);
  g_assert_cmpuint (r->items[0].class_id, ==, 5);
  g_assert_cmpfloat (fabs (r->items[0].score - 0.8), <, 1e-6);
  g_assert_cmpfloat (fabs (r->items[0].x - 24), <, 1e-3);
  g_assert_cmpfloat (mask_at (r, &r->items[0], 59, 10), ==, 1.0);
  rcnn_clear (r);
  g_free (r);
}

static void
test_rcnn_odd (void)
{
  Rcnn *r = g_new (Rcnn, 1);
  rcnn_init (r, 0, 28, 28);
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 0);
  rcnn_clear (r);

  rcnn_init (r, 3, 28, 28);
  seg_tensor_set_int (r->o.labels, 0, -5);
  seg_tensor_set_double (r->o.scores, 1, NAN);
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 0);
  seg_tensor_unref (r->o.scores);
  r->o.scores = tensor (SEG_DTYPE_F32, 1, 2, 0, 0, 0);
  GError *error = NULL;
  g_assert_false (seg_rcnn_decode (&r->o, &r->limits, &r->g, &r->scratch, r->items,
      r->masks, sizeof r->masks, &r->n, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED);
  g_error_free (error);
  rcnn_clear (r);
  g_free (r);
}

/* As many rows as a wrong network gives: the best few are kept, masks of any size fit, each gets one. */
static void
test_rcnn_many (void)
{
  enum { ROWS = 1 << 20 };
  GError *error = NULL;
  Rcnn *r = g_new (Rcnn, 1);
  rcnn_init (r, 0, 28, 28);
  rcnn_clear (r);
  r->o.boxes = tensor (SEG_DTYPE_F32, 2, ROWS, 4, 0, 0);
  r->o.labels = tensor (SEG_DTYPE_I64, 1, ROWS, 0, 0, 0);
  r->o.scores = tensor (SEG_DTYPE_F32, 1, ROWS, 0, 0, 0);
  r->o.masks = tensor (SEG_DTYPE_F32, 4, ROWS, 1, 2, 3);
  float *boxes = r->o.boxes->data, *scores = r->o.scores->data;
  for (guint i = 0; i < ROWS; i++) {
    boxes[4 * i + 2] = boxes[4 * i + 3] = 90.0f;
    scores[i] = i % 2 ? NAN : 0.5f + 0.4f * (float) i / ROWS;
  }
  rcnn_run (r);
  g_assert_cmpuint (r->n, ==, 8);
  for (guint i = 0; i < 8; i++) {
    g_assert_cmpfloat (r->items[i].score, ==, scores[ROWS - 2 - 2 * i]);
    g_assert_cmpuint (r->items[i].mask_width, ==, 5);
  }
  rcnn_clear (r);

  /* Masks of the whole input, in hardly any room. */
  rcnn_init (r, 2, 96, 80);
  g_assert_true (seg_rcnn_decode (
      &r->o, &r->limits, &r->g, &r->scratch, r->items, r->masks, 32, &r->n, &error));
  for (guint i = 0; i < r->n; i++) {
    const SegInstance *s = &r->items[i];
    g_assert_cmpuint (s->mask_width, >, 0);
    g_assert_cmpuint (s->mask_offset + (gsize) s->mask_stride * s->mask_height, <=, 32);
  }
  rcnn_clear (r);
  g_free (r);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rcnn/box-masks", test_rcnn_box_masks);
  g_test_add_func ("/rcnn/whole-masks", test_rcnn_whole_masks);
  g_test_add_func ("/rcnn/layouts", test_rcnn_layouts);
  g_test_add_func ("/rcnn/odd", test_rcnn_odd);
  g_test_add_func ("/rcnn/many", test_rcnn_many);
  return g_test_run ();
}
