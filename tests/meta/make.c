/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/make.h"

#include <string.h>

GstVkSegMask *
make_mask (const char *const *rows, guint n_rows, gdouble x, gdouble y)
{
  guint width = (guint) strlen (rows[0]);
  gsize stride = width + 3;
  guint8 *pixels = g_malloc (stride * n_rows);
  memset (pixels, 0xee, stride * n_rows);
  for (guint r = 0; r < n_rows; r++)
    for (guint c = 0; c < width; c++)
      pixels[r * stride + c] =
          rows[r][c] == '#' ? 255 : (guint8) (25 * g_ascii_digit_value (rows[r][c]));
  g_autoptr (GBytes) bytes = g_bytes_new_take (pixels, stride * n_rows);
  GstVkSegRect rect = { x, y, width, n_rows };
  GstVkSegMask *mask = gst_vk_seg_mask_new (bytes, width, n_rows, stride, &rect);
  g_assert_nonnull (mask);
  return mask;
}

static guint8
random_pixel (GRand *rand, guint x, guint y, guint width, guint height, double noise)
{
  double u = 2.0 * (x + 0.5) / width - 1.0, v = 2.0 * (y + 0.5) / height - 1.0;
  double r2 = u * u + v * v, value = r2 < 0.9 && r2 > 0.15 ? 230.0 : 20.0;
  return (guint8) CLAMP (value + noise * g_rand_double_range (rand, -255, 255), 0, 255);
}

GstVkSegMask *
make_random_mask (GRand *rand, guint frame_width, guint frame_height)
{
  guint width = (guint) g_rand_int_range (rand, 1, 60),
        height = (guint) g_rand_int_range (rand, 1, 60);
  gsize stride = width + (guint) g_rand_int_range (rand, 0, 9);
  double noise = g_rand_double (rand) < 0.5 ? 0.0 : g_rand_double (rand);
  guint8 *pixels = g_malloc0 (stride * height);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      pixels[y * stride + x] = random_pixel (rand, x, y, width, height, noise);
  g_autoptr (GBytes) bytes = g_bytes_new_take (pixels, stride * height);
  GstVkSegRect rect = { g_rand_double_range (rand, -0.2, 0.7) * frame_width,
    g_rand_double_range (rand, -0.2, 0.7) * frame_height,
    g_rand_double_range (rand, 0.1, 1.2) * frame_width,
    g_rand_double_range (rand, 0.1, 1.2) * frame_height };
  GstVkSegMask *mask = gst_vk_seg_mask_new (bytes, width, height, stride, &rect);
  g_assert_nonnull (mask);
  return mask;
}
