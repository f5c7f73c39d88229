/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another background behind the foreground, against plain C in double precision. */
#include "decode-run.h"

#include <math.h>

static SegVk *vk;

static const Case background = {
  .width = 61,
  .height = 37,
  .grid_width = 9,
  .grid_height = 7,
  .n_classes = 1,
  .kind = SEG_DECODE_VALUE,
  .scores = SEG_SCORES_PROBABILITY,
};

/* How much of a pixel is not foreground. Beyond the edges things go on as they end. */
static double
away (const Run *r, guint x, guint y)
{
  return 1.0
         - r->matte[MIN (y, r->c.height - 1) * r->stride + MIN (x, r->c.width - 1)]
               / 255.0;
}

static double
component (const Run *r, guint k, guint x, guint y)
{
  const SegComponent *c = &seg_format_info (r->frame.format)->components[k];
  const guint8 *bytes = seg_buffer_map (r->upload);
  return bytes[r->frame.offset[c->plane] + c->offset
               + (y >> c->vsub) * r->frame.stride[c->plane] + (x >> c->hsub) * c->step];
}

/* --- the blur ---------------------------------------------------------------------------------- */

typedef struct {
  guint width, height;
  double *v; /* four numbers a pixel: components and weight */
} Small;

static Small
shrink (const Run *r)
{
  guint size = r->backdrop.size;
  guint n = seg_format_info (r->frame.format)->n_components;
  Small s = { (r->c.width + size - 1) / size, (r->c.height + size - 1) / size, NULL };
  s.v = g_new0 (double, 4 * s.width * s.height);
  for (guint i = 0; i < s.width * s.height; i++)
    for (guint d = 0; d < size * size / 4; d++) {
      guint x = MIN (i % s.width * size + 2 * (d % (size / 2)), r->c.width - 1);
      guint y = MIN (i / s.width * size + 2 * (d / (size / 2)), r->c.height - 1);
      double weight = away (r, x, y) + 1.0 / 1024.0;
      for (guint k = 0; k < n; k++)
        s.v[4 * i + k] += weight * component (r, k, x, y);
      s.v[4 * i + 3] += weight;
    }
  return s;
}

static Small
blur (const Small *s, const SegBackdrop *b, gboolean columns)
{
  Small out = { s->width, s->height, g_new0 (double, 4 * s->width * s->height) };
  int radius = (int) b->radius;
  for (guint i = 0; i < s->width * s->height; i++)
    for (int d = -radius; d <= radius; d++) {
      int x = (int) (i % s->width) + (columns ? 0 : d),
          y = (int) (i / s->width) + (columns ? d : 0);
      x = CLAMP (x, 0, (int) s->width - 1);
      y = CLAMP (y, 0, (int) s->height - 1);
      for (guint k = 0; k < 4; k++)
        out.v[4 * i + k] += exp (-d * d / (2 * b->small_sigma * b->small_sigma))
                            * s->v[4 * ((guint) y * s->width + (guint) x) + k];
    }
  return out;
}

static Small
blurred (const Run *r)
{
  Small first = shrink (r), rows = blur (&first, &r->backdrop, FALSE),
        all = blur (&rows, &r->backdrop, TRUE);
  for (guint i = 0; i < 4 * all.width * all.height; i++)
    if (i % 4 < 3)
      all.v[i] /= all.v[i | 3];
  g_free (first.v);
  g_free (rows.v);
  return all;
}

static double
interpolate (const Small *s, double x, double y, guint k)
{
  x = CLAMP (x, 0.0, s->width - 1.0);
  y = CLAMP (y, 0.0, s->height - 1.0);
  guint x0 = (guint) x, y0 = (guint) y;
  guint x1 = MIN (x0 + 1, s->width - 1), y1 = MIN (y0 + 1, s->height - 1);
  const double *v = s->v + k;
  double a = v[4 * (y0 * s->width + x0)], b = v[4 * (y0 * s->width + x1)];
  double c = v[4 * (y1 * s->width + x0)], d = v[4 * (y1 * s->width + x1)];
  a += (b - a) * (x - x0);
  c += (d - c) * (x - x0);
  return a + (c - a) * (y - y0);
}

/* Groups of four pixels are interpolated between their ends. */
static double
behind_pixel (const Run *r, const Small *s, guint x, guint y, guint k)
{
  double size = r->backdrop.size, left = x / 4 * 4 + 0.5, at_y = (y + 0.5) / size - 0.5;
  double a = interpolate (s, left / size - 0.5, at_y, k);
  double b = interpolate (s, (left + 3.0) / size - 0.5, at_y, k);
  return a + (b - a) * (x % 4) / 3.0;
}

/* --- comparison ---------------------------------------------------------------------------------- */

/* The byte of component k that pixels x.., y.. share. */
static double
expected (const Run *r, const Small *s, guint k, guint x, guint y, gsize at)
{
  const SegComponent *c = &seg_format_info (r->frame.format)->components[k];
  const guint8 *bytes = seg_buffer_map (r->upload);
  guint n = 1u << (c->hsub + c->vsub);
  double sum = 0.0;
  for (guint dy = 0; dy < 1u << c->vsub; dy++)
    for (guint dx = 0; dx < 1u << c->hsub; dx++) {
      double part = away (r, x + dx, y + dy);
      double behind = r->c.sigma > 0.0
                          ? behind_pixel (r, s, x + dx, MIN (y + dy, r->c.height - 1), k)
                          : ref_value (&r->frame, r->behind, at);
      sum += ref_value (&r->frame, bytes, at) * (1.0 - part) + behind * part;
    }
  return sum / n;
}

static void
check (const Case *c)
{
  Run *r = decode_run (vk, c, 4);
  const SegFormatInfo *info = seg_format_info (r->frame.format);
  Small s = { 0, 0, NULL };
  if (c->sigma > 0.0)
    s = blurred (r);
  for (guint k = 0; k < info->n_components; k++) {
    const SegComponent *o = &info->components[k];
    for (guint y = 0; y < c->height; y += 1u << o->vsub)
      for (guint x = 0; x < c->width; x += 1u << o->hsub) {
        gsize at = r->frame.offset[o->plane] + o->offset
                   + (y >> o->vsub) * r->frame.stride[o->plane]
                   + (x >> o->hsub) * o->step;
        double must = expected (r, &s, k, x, y, at);
        if (ref_off (&r->frame, r->result, at, must) > 0.52)
          g_error ("%s, sigma %g: component %u of (%u, %u) is %u, must be %g", info->name,
              c->sigma, k, x, y, r->result[at], must);
      }
  }
  g_free (s.v);
  decode_run_free (r);
}

static void
test_formats (void)
{
  static const double sigmas[] = { 0.0, 5.0 };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    for (guint i = 0; i < G_N_ELEMENTS (sigmas); i++) {
      Case c = background;
      c.format = f;
      c.sigma = sigmas[i];
      check (&c);
    }
}

/* Frames smaller than a pixel of the small picture, blurs wider than the frame. */
static void
test_sizes (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 3, 50 }, { 200, 2 }, { 128, 96 } };
  static const double sigmas[] = { 0.5, 2.0, 20.0, 1e9 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint s = 0; s < G_N_ELEMENTS (sigmas); s++) {
      Case c = background;
      c.format = s % 2 ? SEG_FORMAT_NV12 : SEG_FORMAT_RGBA;
      c.width = sizes[i][0];
      c.height = sizes[i][1];
      c.sigma = sigmas[s];
      check (&c);
    }
}

/* The variances of the box, the Gaussian and the tent, of which a blur consists, are what was asked for. */
static void
test_width (void)
{
  for (double sigma = 2.0; sigma <= 16.0; sigma *= 2.0) {
    SegBackdrop b = { 0 };
    seg_backdrop_plan (&b, sigma, 256, 64);
    double box = (double) b.size * b.size / 12.0, tent = (double) b.size * b.size / 6.0;
    double all = b.small_sigma * b.size * b.small_sigma * b.size + box + tent;
    g_assert_cmpfloat (fabs (sqrt (all) - sigma), <, 0.02 * sigma);
    g_assert_cmpuint (b.radius, <=, 16);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  g_test_add_func ("/backdrop/width", test_width);
  if (vk != NULL) {
    g_test_add_func ("/backdrop/formats", test_formats);
    g_test_add_func ("/backdrop/sizes", test_sizes);
  }
  int ret = g_test_run ();
  seg_vk_unref (vk);
  return ret;
}
