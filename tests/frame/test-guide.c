/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mattes along the edges of the picture: the guided filter in plain C and double precision, and what it is for. */
#include "decode-run.h"

#include <math.h>

#define RADIUS  2
#define EPSILON 1e-4

static SegVk *vk;

/* --- the reference ----------------------------------------------------------------------------------- */

typedef struct {
  double colour[3], alpha;
} Guide;

/* alpha = dot (a, colour) + b */
typedef struct {
  double a[3], b;
} Line;

static double
component (const Run *r, const guint8 *bytes, guint k, guint x, guint y)
{
  const SegFormatInfo *info = seg_format_info (r->frame.format);
  if (k >= info->n_components)
    return 0.0;
  const SegComponent *c = &info->components[k];
  gsize row = r->frame.offset[c->plane] + (y >> c->vsub) * r->frame.stride[c->plane];
  return bytes[row + (x >> c->hsub) * c->step + c->offset] / 255.0;
}

/* A position on the device's own terms: of two pixels that are as near it may take either, and no case here
 * comes near that. */
static guint
pixel_at (double grid, float scale, float shift, guint n)
{
  double at = (grid - shift) / scale + 0.5;
  g_assert_cmpfloat (fabs (at - floor (at + 0.5)), >, 1e-4);
  return (guint) CLAMP (floor (at), 0.0, n - 1.0);
}

static Guide
guide_at (const Run *r, const guint8 *bytes, guint x, guint y)
{
  const float *map = r->block->map;
  guint n = (guint) CLAMP (ceil (0.5 / MIN (map[0], map[1])), 1.0, 4.0);
  double v = r->values[y * r->c.grid_width + x];
  Guide g = { .alpha = r->c.scores == SEG_SCORES_SIGMOID ? 1.0 / (1.0 + exp (-v)) : v };
  g.alpha = CLAMP (g.alpha, 0.0, 1.0);
  for (guint j = 0; j < n; j++)
    for (guint i = 0; i < n; i++) {
      guint px = pixel_at (x + (i + 0.5) / n - 0.5, map[0], map[2], r->c.width);
      guint py = pixel_at (y + (j + 0.5) / n - 0.5, map[1], map[3], r->c.height);
      for (guint k = 0; k < 3; k++)
        g.colour[k] += component (r, bytes, k, px, py) / (n * n);
    }
  return g;
}

/* By Cramer's rule, which double precision can afford. */
static void
solve (double m[3][3], const double v[3], double a[3])
{
  double inverse[3][3], det = 0.0;
  for (guint i = 0; i < 3; i++)
    for (guint j = 0; j < 3; j++) {
      guint p = (i + 1) % 3, q = (i + 2) % 3, s = (j + 1) % 3, t = (j + 2) % 3;
      inverse[j][i] = m[p][s] * m[q][t] - m[p][t] * m[q][s];
    }
  for (guint k = 0; k < 3; k++)
    det += m[0][k] * inverse[k][0];
  for (guint i = 0; i < 3; i++) {
    a[i] = 0.0;
    for (guint k = 0; k < 3; k++)
      a[i] += inverse[i][k] * v[k] / det;
  }
}

/* A side of the grid, and the pixels of it whose middle is in the frame. */
typedef struct {
  guint n;
  int first, last;
} Side;

static Side
side_of (guint n, guint px, float scale, float shift)
{
  Side s = { n, (int) ceil (shift - 0.5 * scale),
    (int) floor ((px - 0.5) * scale + shift) };
  s.first = CLAMP (s.first, 0, (int) n - 1);
  s.last = CLAMP (s.last, s.first, (int) n - 1);
  return s;
}

static guint
beside (guint at, int by, const Side *side)
{
  return (guint) CLAMP ((int) at + by, side->first, side->last);
}

#define FOR_WINDOW(dx, dy)                                                               \
  for (int dy = -RADIUS; dy <= RADIUS; dy++)                                             \
    for (int dx = -RADIUS; dx <= RADIUS; dx++)

static Line
fit_line (const Guide *guide, guint x, guint y, const Side side[2])
{
  const double n = (2 * RADIUS + 1) * (2 * RADIUS + 1);
  double mean[4] = { 0 }, with[3] = { 0 }, m[3][3] = { { 0 } };
  FOR_WINDOW (dx, dy)
  {
    const Guide *g =
        &guide[beside (y, dy, &side[1]) * side[0].n + beside (x, dx, &side[0])];
    mean[3] += g->alpha / n;
    for (guint i = 0; i < 3; i++)
      mean[i] += g->colour[i] / n;
  }
  FOR_WINDOW (dx, dy)
  {
    const Guide *g =
        &guide[beside (y, dy, &side[1]) * side[0].n + beside (x, dx, &side[0])];
    for (guint i = 0; i < 3; i++) {
      double off = g->colour[i] - mean[i];
      with[i] += off * (g->alpha - mean[3]) / n;
      for (guint j = 0; j < 3; j++)
        m[i][j] += off * (g->colour[j] - mean[j]) / n;
    }
  }
  for (guint i = 0; i < 3; i++)
    m[i][i] += EPSILON;
  Line line;
  solve (m, with, line.a);
  line.b = mean[3] - line.a[0] * mean[0] - line.a[1] * mean[1] - line.a[2] * mean[2];
  return line;
}

static Line
mean_line (const Line *lines, guint x, guint y, const Side side[2])
{
  const double n = (2 * RADIUS + 1) * (2 * RADIUS + 1);
  Line mean = { { 0 }, 0 };
  FOR_WINDOW (dx, dy)
  {
    const Line *l =
        &lines[beside (y, dy, &side[1]) * side[0].n + beside (x, dx, &side[0])];
    mean.b += l->b / n;
    for (guint i = 0; i < 3; i++)
      mean.a[i] += l->a[i] / n;
  }
  return mean;
}

static void
add_line (Line *sum, const Line *l, double share)
{
  sum->b += share * l->b;
  for (guint i = 0; i < 3; i++)
    sum->a[i] += share * l->a[i];
}

static double
alpha_at (const Run *r, const guint8 *bytes, const Line *lines, guint x, guint y)
{
  guint w = r->c.grid_width, h = r->c.grid_height;
  const float *map = r->block->map;
  double u = CLAMP (x * (double) map[0] + map[2], 0.0, w - 1.0);
  double v = CLAMP (y * (double) map[1] + map[3], 0.0, h - 1.0);
  guint x0 = (guint) u, y0 = (guint) v;
  Line line = { { 0 }, 0 };
  for (guint j = 0; j < 2; j++)
    for (guint i = 0; i < 2; i++)
      add_line (&line, &lines[MIN (y0 + j, h - 1) * w + MIN (x0 + i, w - 1)],
          (i ? u - x0 : 1 - u + x0) * (j ? v - y0 : 1 - v + y0));
  double alpha = line.b;
  for (guint k = 0; k < 3; k++)
    alpha += line.a[k] * component (r, bytes, k, x, y);
  return CLAMP (alpha, 0.0, 1.0);
}

/* The mean lines of the grid, newly allocated. */
static Line *
reference_lines (const Run *r, const guint8 *bytes)
{
  guint w = r->c.grid_width, h = r->c.grid_height;
  const float *map = r->block->map;
  const Side side[2] = { side_of (w, r->c.width, map[0], map[2]),
    side_of (h, r->c.height, map[1], map[3]) };
  g_autofree Guide *guide = g_new (Guide, w * h);
  g_autofree Line *lines = g_new (Line, w * h);
  Line *means = g_new (Line, w * h);
  for (guint i = 0; i < w * h; i++)
    guide[i] = guide_at (r, bytes, i % w, i / w);
  for (guint i = 0; i < w * h; i++)
    lines[i] = fit_line (guide, i % w, i / w, side);
  for (guint i = 0; i < w * h; i++)
    means[i] = mean_line (lines, i % w, i / w, side);
  return means;
}

/* --- the device beside it ---------------------------------------------------------------------------- */

/* A pixel; at a threshold it may be on either side. */
static void
check_pixel (const Run *r, double alpha, guint x, guint y)
{
  g_autofree char *text = decode_case_text (&r->c);
  guint matte = r->matte[y * r->stride + x], label = r->map[y * r->stride + x];
  gboolean inside = ref_inside (&r->g, x, y);
  double cut = r->c.cut && alpha < r->c.threshold ? 0.0 : alpha;
  gboolean may_be_cut = inside && r->c.cut && fabs (alpha - r->style->threshold) < 2e-3;
  gboolean unsure =
      may_be_cut || (inside && fabs (alpha - r->style->map_threshold) < 2e-3);
  if (!may_be_cut && fabs (matte - (inside ? 255.0 * cut : 0.0)) > 1.0)
    g_error ("%s: %u,%u is %u, must be %g", text, x, y, matte, 255.0 * cut);
  if (!unsure && label != (inside && cut >= r->style->map_threshold))
    g_error ("%s: %u,%u is class %u at %g", text, x, y, label, alpha);
}

static void
check (const Case *c)
{
  Run *r = decode_run (vk, c, 5);
  const guint8 *bytes = seg_buffer_map (r->upload);
  g_autofree Line *lines = reference_lines (r, bytes);
  guint32 counts[2] = { 0 };
  for (guint y = 0; y < c->height; y++)
    for (guint x = 0; x < c->width; x++) {
      check_pixel (r, alpha_at (r, bytes, lines, x, y), x, y);
      counts[r->map[y * r->stride + x] != 0]++;
    }
  for (guint y = 0; y < c->height; y++)
    for (guint x = c->width; x < r->stride; x++) { /* which outlines and chroma look at */
      g_assert_cmpuint (
          r->matte[y * r->stride + x], ==, r->matte[y * r->stride + c->width - 1]);
      g_assert_cmpuint (
          r->map[y * r->stride + x], ==, r->map[y * r->stride + c->width - 1]);
    }
  g_assert_cmpuint (counts[0], ==, r->counts[0]);
  g_assert_cmpuint (counts[1], ==, r->counts[1]);
  decode_run_free (r);
}

static const Case guided = {
  .width = 47,
  .height = 37,
  .grid_width = 9,
  .grid_height = 7,
  .n_classes = 1,
  .layout = NCHW_LAST,
  .kind = SEG_DECODE_VALUE,
  .scores = SEG_SCORES_PROBABILITY,
};

static void
test_formats (void)
{
  static const guint sizes[][4] = { { 47, 37, 9, 7 }, { 161, 99, 13, 31 }, { 3, 2, 1, 1 },
    { 7, 3, 2, 1 }, { 331, 19, 64, 6 }, { 33, 21, 31, 20 } };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
      Case c = guided;
      c.format = f;
      c.width = sizes[s][0];
      c.height = sizes[s][1];
      c.grid_width = sizes[s][2];
      c.grid_height = sizes[s][3];
      check (&c);
    }
}

static void
test_scores (void)
{
  for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++)
    for (guint sigmoid = 0; sigmoid < 2; sigmoid++)
      for (guint cut = 0; cut < 2; cut++) {
        Case c = guided;
        c.format = SEG_FORMAT_NV12;
        c.fit = fit;
        c.width = 161;
        c.height = 97;
        c.grid_width = 14;
        c.grid_height = 11;
        c.layout = sigmoid ? NHWC_ROWS : NCHW_ROWS;
        c.storage = sigmoid ? SEG_STORAGE_F16 : SEG_STORAGE_F32;
        c.scores = sigmoid ? SEG_SCORES_SIGMOID : SEG_SCORES_PROBABILITY;
        c.cut = cut != 0;
        c.threshold = cut ? 0.4 : 0.0;
        check (&c);
      }
}

/* --- where it can be ---------------------------------------------------------------------------------- */

static void
test_can (void)
{
  static const struct {
    guint width, height;
    gboolean can;
  } cases[] = { { 64, 48, TRUE }, { 63, 48, FALSE }, { 64, 47, FALSE },
    { 1280, 720, TRUE } };
  SegCover x = seg_cover_whole (128, 64), y = seg_cover_whole (96, 48);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    SegGeometry g;
    seg_geometry_init_cover (
        &g, SEG_FIT_STRETCH, cases[i].width, cases[i].height, &x, &y);
    g_assert_cmpint (seg_guide_can (&g), ==, cases[i].can);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  if (vk != NULL) {
    g_test_add_func ("/guide/formats", test_formats);
    g_test_add_func ("/guide/scores", test_scores);
    g_test_add_func ("/guide/can", test_can);
  }
  int ret = g_test_run ();
  seg_vk_unref (vk);
  return ret;
}
