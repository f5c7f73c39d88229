/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores of a network to class maps, mattes and pictures on the device, against reference.c. */
#include "decode-run.h"

#include <math.h>
#include <string.h>

static SegVk *vk;

static double
score (const Run *r, guint k, guint x, guint y)
{
  RefScores s = { r->c.n_classes, r->c.grid_width, r->c.grid_height, r->values };
  if (!r->c.nearest && r->c.scores != SEG_SCORES_INDEX)
    return ref_score_at (&s, &r->g, k, x, y);
  double u = ((x + 0.5) * r->g.scale_x + r->g.shift_x) / r->g.net_width * s.width - 0.5;
  double v = ((y + 0.5) * r->g.scale_y + r->g.shift_y) / r->g.net_height * s.height - 0.5;
  guint gx = (guint) floor (CLAMP (u, 0.0, s.width - 1.0) + 0.5);
  guint gy = (guint) floor (CLAMP (v, 0.0, s.height - 1.0) + 0.5);
  return s.data[(k * s.height + gy) * s.width + gx];
}

static guint
best_class (const Run *r, guint x, guint y, double *margin)
{
  if (r->c.scores == SEG_SCORES_INDEX) {
    *margin = 1.0;
    return (guint) score (r, 0, x, y);
  }
  guint best = 0;
  double second = -1e9, first = score (r, 0, x, y);
  for (guint k = 1; k < r->c.n_classes; k++) {
    double v = score (r, k, x, y);
    if (v > first) {
      second = first;
      first = v;
      best = k;
    } else {
      second = MAX (second, v);
    }
  }
  *margin = first - second;
  return best;
}

/* Where two classes are as good as equal, or a position on the border of two pixels, the device
 * may decide otherwise; such pixels must be few. */
static void
check_map (const Run *r)
{
  const Case *c = &r->c;
  g_autofree char *text = decode_case_text (c);
  guint32 counts[256] = { 0 };
  guint n_unsure = 0;
  guint8 none = c->background < 0 ? 255 : (guint8) c->background;
  for (guint y = 0; y < c->height; y++)
    for (guint x = 0; x < c->width; x++) {
      guint8 got = r->map[y * r->stride + x];
      double margin;
      guint best = best_class (r, x, y, &margin);
      guint8 want =
          !ref_inside (&r->g, x, y) || (c->drop >> best & 1) ? none : (guint8) best;
      counts[got]++;
      if (got == want)
        continue;
      gboolean unsure = margin < 1e-4 || c->nearest || c->scores == SEG_SCORES_INDEX;
      n_unsure += unsure;
      if (!unsure)
        g_error ("%s: pixel %u,%u is class %u, must be %u (by %g)", text, x, y, got, want,
            margin);
    }
  if (n_unsure * 50 > c->width * c->height)
    g_error ("%s: %u pixels differ", text, n_unsure);
  for (guint k = 0; k < 256; k++)
    if (counts[k] != r->counts[k])
      g_error ("%s: class %u counted %u times, is there %u times", text, k, r->counts[k],
          counts[k]);
}

static void
check_case (const Case *c)
{
  Run *r = decode_run (vk, c, 0);
  check_map (r);
  decode_run_free (r);
}

static void
test_layouts (void)
{
  static const guint classes[] = { 2, 5, 8, 21 };
  for (Layout layout = 0; layout < N_LAYOUTS; layout++)
    for (SegStorage storage = SEG_STORAGE_F32; storage <= SEG_STORAGE_F16; storage++)
      for (guint k = 0; k < G_N_ELEMENTS (classes); k++) {
        Case c = decode_plain;
        c.layout = layout;
        c.storage = storage;
        c.n_classes = classes[k];
        check_case (&c);
      }
}

static void
test_sizes (void)
{
  static const guint sizes[][4] = { { 1, 1, 4, 4 }, { 300, 17, 9, 7 }, { 33, 90, 1, 1 },
    { 20, 16, 64, 48 }, { 64, 48, 64, 48 }, { 517, 33, 13, 30 } };
  for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (guint nearest = 0; nearest < 2; nearest++) {
        Case c = decode_plain;
        c.fit = fit;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        c.grid_width = sizes[s][2];
        c.grid_height = sizes[s][3];
        c.nearest = nearest;
        c.background = nearest ? -1 : 0;
        check_case (&c);
      }
}

static void
test_filter (void)
{
  Case c = decode_plain;
  c.drop = 1 << 2 | 1 << 4;
  check_case (&c);
  c.background = -1;
  check_case (&c);
}

static void
test_index (void)
{
  static const SegStorage storages[] = { SEG_STORAGE_F32, SEG_STORAGE_F16,
    SEG_STORAGE_I32 };
  for (guint i = 0; i < G_N_ELEMENTS (storages); i++) {
    Case c = decode_plain;
    c.scores = SEG_SCORES_INDEX;
    c.layout = NCHW_ROWS;
    c.storage = storages[i];
    check_case (&c);
  }
}

/* A pixel is of its class only where the probability reaches the threshold. Softmax sums are
 * interpolated, so between grid pixels it is only nearly that. */
static void
test_threshold (void)
{
  for (SegScores scores = SEG_SCORES_SOFTMAX; scores <= SEG_SCORES_PROBABILITY;
       scores++) {
    Case c = decode_plain;
    c.scores = scores;
    c.threshold = 0.6;
    c.width = 64;
    c.height = 48;
    c.grid_width = 64;
    c.grid_height = 48;
    Run *r = decode_run (vk, &c, 0);
    guint n_kept = 0, n_dropped = 0;
    for (guint y = 0; y < c.height; y++)
      for (guint x = 0; x < c.width; x++) {
        double margin, sum = 0.0;
        guint best = best_class (r, x, y, &margin);
        double v = score (r, best, x, y);
        for (guint k = 0; k < c.n_classes; k++)
          sum += exp (score (r, k, x, y) - v);
        double p = scores == SEG_SCORES_SOFTMAX   ? 1.0 / sum
                   : scores == SEG_SCORES_SIGMOID ? 1.0 / (1.0 + exp (-v))
                                                  : v;
        if (fabs (p - c.threshold) < 1e-4 || margin < 1e-4 || best == 0)
          continue;
        g_assert_cmpuint (r->map[y * r->stride + x], ==, p >= c.threshold ? best : 0);
        n_kept += p >= c.threshold;
        n_dropped += p < c.threshold;
      }
    g_assert_cmpuint (n_kept, >, 20);
    g_assert_cmpuint (n_dropped, >, 20);
    decode_run_free (r);
  }
}

static double
odds_at (const Run *r, guint gx, guint gy)
{
  const Case *c = &r->c;
  double inside = 0, outside = 0;
  for (guint k = 0; k < c->n_classes; k++) {
    double e = exp (r->values[(k * c->grid_height + gy) * c->grid_width + gx]);
    gboolean foreground = (int) k != c->background && !(c->drop >> k & 1);
    *(foreground ? &inside : &outside) += e;
  }
  return CLAMP (log (inside / outside), -20.0, 20.0);
}

static double
matte_at (const Run *r, guint x, guint y)
{
  const Case *c = &r->c;
  gsize n = (gsize) c->grid_width * c->grid_height;
  g_autofree float *one = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    one[i] = c->kind == SEG_DECODE_VALUE
                 ? r->values[i]
                 : (float) odds_at (
                     r, (guint) (i % c->grid_width), (guint) (i / c->grid_width));
  RefScores s = { 1, c->grid_width, c->grid_height, one };
  double v = ref_score_at (&s, &r->g, 0, x, y);
  if (c->kind == SEG_DECODE_ODDS || c->scores == SEG_SCORES_SIGMOID)
    v = 1.0 / (1.0 + exp (-v));
  return ref_inside (&r->g, x, y) ? CLAMP (v, 0.0, 1.0) : 0.0;
}

static void
check_matte (const Case *c)
{
  Run *r = decode_run (vk, c, 0);
  g_autofree char *text = decode_case_text (c);
  for (guint y = 0; y < c->height; y++)
    for (guint x = 0; x < c->width; x++) {
      double want = matte_at (r, x, y);
      guint8 got = r->matte[y * r->stride + x];
      if (!(fabs (got - want * 255.0) <= 0.52))
        g_error ("%s: matte at %u,%u is %u, must be %g", text, x, y, got, want * 255.0);
      gboolean is = r->map[y * r->stride + x] == 1;
      if (fabs (want - r->style->map_threshold) > 1e-3)
        g_assert_cmpint (is, ==, want >= r->style->map_threshold);
    }
  decode_run_free (r);
}

static void
test_matte (void)
{
  static const guint sizes[][4] = { { 45, 38, 9, 7 }, { 300, 17, 256, 9 },
    { 20, 30, 47, 31 }, { 33, 5, 1, 1 } };
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++)
      for (guint kind = 0; kind < 3; kind++) {
        Case c = decode_plain;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        c.grid_width = sizes[s][2];
        c.grid_height = sizes[s][3];
        c.fit = fit;
        c.layout = s % 2 ? NHWC_ROWS : NCHW_LAST;
        c.kind = kind == 2 ? SEG_DECODE_ODDS : SEG_DECODE_VALUE;
        c.n_classes = kind == 2 ? 4 : 1;
        c.scores = kind == 0   ? SEG_SCORES_PROBABILITY
                   : kind == 1 ? SEG_SCORES_SIGMOID
                               : SEG_SCORES_SOFTMAX;
        c.drop = kind == 2 ? 1 << 3 : 0;
        check_matte (&c);
      }
}

/* As the table has it: a multiple of 1/255. */
static double
strength_of (const Run *r, guint class_id)
{
  return r->colors->planes[0][class_id][3] / 255.0;
}

static void
check_overlay (const Case *c)
{
  Run *r = decode_run (vk, c, 1);
  g_autofree char *text = decode_case_text (c);
  gsize n = (gsize) c->width * c->height;
  g_autofree guint8 *map = g_malloc (n);
  g_autofree double *strength = g_new (double, n),
                    *want = g_new (double, r->frame.n_bytes);
  gboolean soft = c->kind != SEG_DECODE_CLASSES;
  double alpha[256];
  for (guint i = 0; i < 256; i++)
    alpha[i] = strength_of (r, i);
  for (gsize i = 0; i < n; i++) {
    gsize at = i / c->width * r->stride + i % c->width;
    map[i] = soft ? 1 : r->map[at];
    strength[i] = soft ? r->matte[at] / 255.0 : 1.0;
  }
  const guint8 *in = seg_buffer_map (r->upload);
  ref_blend (&r->frame, in, map, strength, &r->palette, alpha, want);
  for (guint p = 0; p < seg_format_info (c->format)->n_planes; p++)
    for (guint y = 0; y < seg_frame_n_rows (&r->frame, p); y++)
      for (gsize x = 0; x < seg_frame_row_bytes (&r->frame, p); x++) {
        gsize at = r->frame.offset[p] + y * r->frame.stride[p] + x;
        gboolean pair_end =
            r->frame.stride[p]
            && (c->format == SEG_FORMAT_YUY2 || c->format == SEG_FORMAT_UYVY)
            && c->width % 2 && x + 4 > seg_frame_row_bytes (&r->frame, p);
        if (pair_end)
          continue; /* luma of a pixel that is not there */
        gboolean same = want[at] == in[at] && r->result[at] == in[at];
        if (!same && !(ref_off (&r->frame, r->result, at, want[at]) <= 0.51))
          g_error ("%s: plane %u row %u byte %" G_GSIZE_FORMAT
                   " is %u, must be %g (was %u)",
              text, p, y, x, r->result[at], want[at], in[at]);
      }
  decode_run_free (r);
}

static void
test_overlay (void)
{
  static const guint sizes[][2] = { { 48, 36 }, { 45, 37 }, { 1, 1 }, { 7, 3 } };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (guint soft = 0; soft < 2; soft++) {
        Case c = decode_plain;
        c.format = f;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        if (soft) {
          c.kind = SEG_DECODE_VALUE;
          c.scores = SEG_SCORES_PROBABILITY;
          c.n_classes = 1;
        }
        check_overlay (&c);
        c.alpha = 0.0;
        check_overlay (&c);
        c.alpha = 1.0;
        check_overlay (&c);
      }
}

/* Pixels whose right or lower neighbour is of another class. */
static gboolean
is_border (const Run *r, guint x, guint y, guint8 *class_id)
{
  const guint8 *m = r->map + y * r->stride + x;
  guint8 right = x + 1 < r->c.width ? m[1] : m[0];
  guint8 below = y + 1 < r->c.height ? m[r->stride] : m[0];
  guint8 other = below != *m ? below : right;
  *class_id = *m == r->style->background ? other : *m;
  return other != *m;
}

/* Contours are one pixel wide, in full colour, where the map changes; the rest is as without. */
static void
check_contours (const Case *c)
{
  Run *r = decode_run (vk, c, 1);
  g_autofree char *text = decode_case_text (c);
  gsize n = (gsize) c->width * c->height;
  g_autofree guint8 *map = g_malloc (n);
  g_autofree double *strength = g_new (double, n),
                    *want = g_new (double, r->frame.n_bytes);
  double ones[256];
  guint n_border = 0;
  for (guint i = 0; i < 256; i++)
    ones[i] = 1.0;
  for (guint i = 0; i < n; i++) {
    guint x = i % c->width, y = i / c->width;
    gboolean border = is_border (r, x, y, &map[i]);
    if (!border)
      map[i] = r->map[y * r->stride + x];
    strength[i] = border ? 1.0 : strength_of (r, map[i]);
    n_border += border;
  }
  ref_blend (
      &r->frame, seg_buffer_map (r->upload), map, strength, &r->palette, ones, want);
  for (guint p = 0; p < seg_format_info (c->format)->n_planes; p++)
    for (guint y = 0; y < seg_frame_n_rows (&r->frame, p); y++)
      for (gsize x = 0; x < seg_frame_row_bytes (&r->frame, p); x++) {
        gsize at = r->frame.offset[p] + y * r->frame.stride[p] + x;
        if (!(ref_off (&r->frame, r->result, at, want[at]) <= 0.51))
          g_error ("%s: plane %u row %u byte %" G_GSIZE_FORMAT " is %u, must be %g", text,
              p, y, x, r->result[at], want[at]);
      }
  g_assert_cmpuint (n_border, >, 50);
  decode_run_free (r);
}

static void
test_contours (void)
{
  static const SegFormat formats[] = { SEG_FORMAT_BGRX, SEG_FORMAT_NV12, SEG_FORMAT_YUY2,
    SEG_FORMAT_P010 };
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
    for (guint width = 46; width <= 48; width += 2) {
      Case c = decode_plain;
      c.format = formats[f];
      c.width = width;
      c.contours = TRUE;
      check_contours (&c);
    }
}

static const guint8 *
pixel_at (const Run *r, guint x, guint y)
{
  return r->result + y * r->frame.stride[0] + 4 * x;
}

/* The swatches are those of the classes that cover 5 % of the frame, in order; text is there; what
 * is outside the box is as without a legend. */
static void
test_legend (void)
{
  Case c = decode_plain;
  c.width = 200;
  c.height = 150;
  c.format = SEG_FORMAT_RGBX;
  c.drop = 1 << 3;
  Run *without = decode_run (vk, &c, 1);
  c.legend = TRUE;
  Run *with = decode_run (vk, &c, 1);
  const SegLegendBlock *b = (const SegLegendBlock *) ((const guint8 *) seg_buffer_map (
                                                          with->legend.block.buffer)
                                                      + with->legend.block.offset);
  guint row = (guint) b->box[3], n_rows = 0, n_text = 0;
  for (guint v = 0; v < 256; v++) {
    if (v == 0 || with->counts[v] < 0.05 * c.width * c.height)
      continue;
    guint top = (guint) (b->box[1] + b->parts[0] / 2) + n_rows++ * row;
    guint x = (guint) (b->box[0] + b->parts[0] + b->parts[1] / 2);
    g_assert_cmpmem (pixel_at (with, x, top + row / 2), 3, with->palette.rgba[v], 3);
    for (guint y = top; y < top + row; y++)
      for (gint tx = 0; tx < b->parts[3]; tx++)
        n_text += pixel_at (with, (guint) (b->box[0] + b->parts[2] + tx), y)[0] > 200;
  }
  g_assert_cmpuint (n_rows, >=, 2);
  g_assert_cmpuint (n_text, >, 10 * n_rows);
  guint bottom = (guint) (b->box[1] + 2 * b->parts[0]) + n_rows * row;
  for (guint y = 0; y < c.height; y++)
    for (guint x = 0; x < c.width; x++)
      if (y > bottom || x >= (guint) (b->box[0] + b->box[2]) || x < (guint) b->box[0])
        g_assert_cmpmem (pixel_at (with, x, y), 4, pixel_at (without, x, y), 4);
  decode_run_free (with);
  decode_run_free (without);
}

/* A legend must not be wanted to be too large for its frame. */
static void
test_legend_small (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 30, 200 }, { 400, 9 }, { 64, 40 } };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f += 3)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
      Case c = decode_plain;
      c.format = f;
      c.width = sizes[s][0];
      c.height = sizes[s][1];
      c.legend = TRUE;
      decode_run_free (decode_run (vk, &c, 1));
    }
}

static void
test_cutout (void)
{
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++) {
    Case c = decode_plain;
    c.format = f;
    c.kind = SEG_DECODE_ODDS;
    Run *r = decode_run (vk, &c, 2);
    const guint8 *in = seg_buffer_map (r->upload);
    gsize stride = (c.width + 3) / 4 * 16;
    for (guint y = 0; y < c.height; y++)
      for (guint x = 0; x < c.width; x++) {
        double rgb[3];
        ref_rgb_at (&r->frame, in, x + 0.5, y + 0.5, 1, 1, rgb);
        const guint8 *out = r->result + y * stride + 4 * x;
        for (guint k = 0; k < 3; k++)
          g_assert_cmpfloat (fabs (out[k] - rgb[k] * 255.0), <=, 0.52);
        g_assert_cmpuint (out[3], ==, r->matte[y * r->stride + x]);
      }
    decode_run_free (r);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  if (vk != NULL) {
    g_test_add_func ("/decode/layouts", test_layouts);
    g_test_add_func ("/decode/sizes", test_sizes);
    g_test_add_func ("/decode/filter", test_filter);
    g_test_add_func ("/decode/index", test_index);
    g_test_add_func ("/decode/threshold", test_threshold);
    g_test_add_func ("/decode/matte", test_matte);
    g_test_add_func ("/decode/overlay", test_overlay);
    g_test_add_func ("/decode/contours", test_contours);
    g_test_add_func ("/decode/legend", test_legend);
    g_test_add_func ("/decode/legend-small", test_legend_small);
    g_test_add_func ("/decode/cutout", test_cutout);
  }
  int status = g_test_run ();
  seg_vk_unref (vk);
  return status;
}
