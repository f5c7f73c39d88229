/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gstvksegshape
 * @title: Shapes
 * @short_description: masks as run lengths, as polygons, as JSON
 */
#include "meta/gstvksegshape.h"

#include "meta/paint.h"

typedef struct {
  GArray *counts;
  guint32 run;
  gboolean inside;
} Runs;

static void
add_run (Runs *runs, gboolean inside, guint32 n)
{
  if (n == 0)
    return;
  if (inside != runs->inside) {
    g_array_append_val (runs->counts, runs->run);
    runs->run = 0;
    runs->inside = inside;
  }
  runs->run += n;
}

static void
add_column (Runs *runs, const guint8 *pixels, gsize stride, guint n)
{
  guint start = 0;
  for (guint y = 1; y <= n; y++)
    if (y == n || pixels[y * stride] != pixels[start * stride]) {
      add_run (runs, pixels[start * stride] != 0, y - start);
      start = y;
    }
}

/**
 * gst_vk_seg_instance_get_rle:
 * @instance: an instance
 * @width: of the picture that the runs are of, 1 to #GST_VK_SEG_MAX_PX
 * @height: its rows
 * @n_counts: (out): how many there are
 *
 * The mask at a size as COCO's uncompressed run lengths: column after column, first the pixels
 * before the object (which may be 0), then those of it, and so on.
 *
 * Returns: (transfer full) (nullable) (array length=n_counts): the lengths, for g_free(); %NULL when
 *   the size is out of range
 */
guint32 *
gst_vk_seg_instance_get_rle (
    const GstVkSegInstance *instance, guint width, guint height, gsize *n_counts)
{
  SegWindow w;
  *n_counts = 0;
  if (!seg_instance_window (instance, width, height, &w))
    return NULL;
  guint n_x = w.x1 - w.x0, n_y = w.y1 - w.y0;
  g_autofree guint8 *pixels = g_malloc ((gsize) n_x * n_y + 1);
  Runs runs = { g_array_new (FALSE, FALSE, sizeof (guint32)) };
  seg_instance_paint (instance, SEG_PAINT_BINARY, &w, pixels, n_x);
  add_run (&runs, FALSE, w.x0 * height);
  for (guint x = 0; x < n_x; x++) {
    add_run (&runs, FALSE, w.y0);
    add_column (&runs, pixels + x, n_x, n_y);
    add_run (&runs, FALSE, height - w.y1);
  }
  add_run (&runs, FALSE, (width - w.x1) * height);
  g_array_append_val (runs.counts, runs.run);
  *n_counts = runs.counts->len;
  return (guint32 *) g_array_free (runs.counts, FALSE);
}

/**
 * gst_vk_seg_rle_to_string:
 * @counts: (array length=n_counts): run lengths
 * @n_counts: how many
 *
 * COCO's compressed form, as pycocotools reads it: the first three lengths as they are, the others
 * as the difference to the one before the last; each in groups of 5 bits, the lowest first, as a
 * character from '0' on with 32 added when another group follows and a sign in the last one.
 *
 * Returns: (transfer full): ASCII
 */
gchar *
gst_vk_seg_rle_to_string (const guint32 *counts, gsize n_counts)
{
  GString *s = g_string_sized_new (n_counts * 2);
  for (gsize i = 0; i < n_counts; i++) {
    gint64 rest = counts[i] - (i > 2 ? (gint64) counts[i - 2] : 0);
    gboolean more = TRUE;
    while (more) {
      gint group = (gint) (rest & 31);
      rest >>= 5;
      more = rest != (group & 16 ? -1 : 0);
      g_string_append_c (s, (gchar) ('0' + group + (more ? 32 : 0)));
    }
  }
  return g_string_free (s, FALSE);
}

/**
 * gst_vk_seg_instance_get_rle_string:
 * @instance: an instance
 * @width: of the picture that the runs are of, 1 to #GST_VK_SEG_MAX_PX
 * @height: its rows
 *
 * The mask as one line of text, as COCO files have it.
 *
 * Returns: (transfer full) (nullable): gst_vk_seg_instance_get_rle() in COCO's compressed form;
 *   %NULL when the size is out of range
 */
gchar *
gst_vk_seg_instance_get_rle_string (
    const GstVkSegInstance *instance, guint width, guint height)
{
  gsize n;
  g_autofree guint32 *counts = gst_vk_seg_instance_get_rle (instance, width, height, &n);
  return counts != NULL ? gst_vk_seg_rle_to_string (counts, n) : NULL;
}
