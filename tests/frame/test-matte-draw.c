/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A matte drawn in one pass is what matte, count and compose make of it one after the other, which
 * test-decode.c compares with reference.c. */
#include "decode-run.h"

#include <math.h>
#include <stdlib.h>

static SegVk *vk;

/* Numbers are added up in another order: a byte may be rounded to its neighbour, if that is seldom. */
static void
check_picture (const Run *r, const char *text)
{
  guint n_off = 0, n = 0;
  for (guint p = 0; p < seg_format_info (r->frame.format)->n_planes; p++)
    for (guint y = 0; y < seg_frame_n_rows (&r->frame, p); y++)
      for (gsize x = 0; x < seg_frame_row_bytes (&r->frame, p); x++, n++) {
        gsize at = r->frame.offset[p] + y * r->frame.stride[p] + x;
        int off = abs (r->late_result[at] - r->result[at]);
        n_off += off != 0;
        if (off > 1)
          g_error ("%s: plane %u row %u byte %" G_GSIZE_FORMAT " is %u, must be %u", text,
              p, y, x, r->late_result[at], r->result[at]);
      }
  if (n_off > n / 100)
    g_error ("%s: %u of %u bytes are others", text, n_off, n);
}

static void
check (const Case *c)
{
  Run *r = decode_run (vk, c, 3);
  g_autofree char *text = decode_case_text (c);
  guint n = c->width * c->height;
  check_picture (r, text);
  g_assert_cmpuint (r->counts[0] + r->counts[1], ==, n);
  if (fabs ((double) r->counts[1] - r->first_counts[1]) > 1.0 + n * 1e-3)
    g_error (
        "%s: %u of %u pixels, must be %u", text, r->counts[1], n, r->first_counts[1]);
  decode_run_free (r);
}

static const Case matte = {
  .width = 48,
  .height = 36,
  .grid_width = 9,
  .grid_height = 7,
  .n_classes = 1,
  .layout = NCHW_LAST,
  .kind = SEG_DECODE_VALUE,
  .scores = SEG_SCORES_PROBABILITY,
  .cut = TRUE,
  .threshold = 0.4,
  .alpha = 0.7,
};

/* Widths that make rows whole groups of 16 bytes, and others. */
static void
test_formats (void)
{
  static const guint sizes[][4] = { { 64, 36, 9, 7 }, { 45, 37, 9, 7 }, { 96, 5, 30, 2 },
    { 3, 2, 1, 1 }, { 7, 3, 2, 1 }, { 320, 18, 64, 6 } };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes) && !seg_format_info (f)->wide; s++)
      for (guint legend = 0; legend < 2; legend++) {
        Case c = matte;
        c.format = f;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        c.grid_width = sizes[s][2];
        c.grid_height = sizes[s][3];
        c.legend = legend != 0;
        c.on_cpu = s % 2 == 0;
        check (&c);
      }
}

static void
test_scores (void)
{
  for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++)
    for (guint kind = 0; kind < 3; kind++)
      for (guint nearest = 0; nearest < 2; nearest++)
        for (guint t = 0; t < 3; t++) {
          Case c = matte;
          c.format = t == 0 ? SEG_FORMAT_I420 : SEG_FORMAT_NV12;
          c.fit = fit;
          c.nearest = nearest != 0;
          c.threshold = 0.3 * t;
          c.width = 160;
          c.height = 99;
          c.layout = t == 0 ? NHWC_ROWS : NCHW_LAST;
          c.kind = kind == 2 ? SEG_DECODE_ODDS : SEG_DECODE_VALUE;
          c.n_classes = kind == 2 ? 4 : 1;
          c.scores = kind == 0   ? SEG_SCORES_PROBABILITY
                     : kind == 1 ? SEG_SCORES_SIGMOID
                                 : SEG_SCORES_SOFTMAX;
          c.drop = kind == 2 ? 1 << 3 : 0;
          check (&c);
        }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  if (vk != NULL) {
    g_test_add_func ("/matte-draw/formats", test_formats);
    g_test_add_func ("/matte-draw/scores", test_scores);
  }
  int ret = g_test_run ();
  seg_vk_unref (vk);
  return ret;
}
