/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes masks in every form for test-coco.py: a line "rows", the pixels as text, then a line of
 * JSON with that one instance. */
#include "meta/gstvksegshape.h"
#include "meta/make.h"

#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>

static void
write_case (GRand *rand, guint width, guint height)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstVkSegMeta *meta =
      gst_buffer_add_vk_seg_meta (buffer, GST_VK_SEG_RESULT_INSTANCE, width, height);
  g_autoptr (GstVkSegMask) mask = make_random_mask (rand, width, height);
  GstVkSegRect box = { g_rand_double_range (rand, -0.1, 0.5) * width,
    g_rand_double_range (rand, -0.1, 0.5) * height,
    g_rand_double_range (rand, 0.2, 1.2) * width,
    g_rand_double_range (rand, 0.2, 1.2) * height };
  GstVkSegInstance *instance = gst_vk_seg_meta_add_instance (
      meta, 3, "a \"quoted\"\n\\ \xc3\xa4 label", g_rand_double (rand), &box, mask);
  g_assert_nonnull (instance);
  g_autofree guint8 *pixels = g_malloc ((gsize) width * height);
  g_assert_true (
      gst_vk_seg_instance_get_mask_at_size (instance, width, height, pixels, width));
  printf ("%u %u ", width, height);
  for (guint i = 0; i < width * height; i++)
    printf ("%c", pixels[i] ? '1' : '0');
  g_autofree char *json =
      gst_vk_seg_meta_to_json (meta, 40, GST_VK_SEG_JSON_RLE | GST_VK_SEG_JSON_POLYGONS);
  printf ("\n%s\n", json);
}

int
main (int argc, char **argv)
{
  /* A decimal comma, if the system has such a locale. */
  setlocale (LC_ALL, "de_DE.UTF-8");
  gst_init (&argc, &argv);
  GRand *rand = g_rand_new_with_seed (7);
  for (guint i = 0; i < 300; i++)
    write_case (rand, (guint) g_rand_int_range (rand, 1, 90),
        (guint) g_rand_int_range (rand, 1, 90));
  g_rand_free (rand);
  return 0;
}
