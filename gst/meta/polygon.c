/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/gstvksegshape.h"

#include "meta/paint.h"
#include "meta/simplify.h"

/* Borders are followed along the edges between pixels, as in Selinger, "Potrace: a polygon-based
 * tracing algorithm" (2003), 2.1, so that filling them gives the same pixels again. Which border a
 * hole belongs to is found as in Suzuki and Abe, "Topological structural analysis of digitized
 * binary images by border following" (1985): from the border that the row crossed last. */

G_DEFINE_BOXED_TYPE (
    GstVkSegPolygon, gst_vk_seg_polygon, gst_vk_seg_polygon_copy, gst_vk_seg_polygon_free)

/**
 * gst_vk_seg_polygon_copy:
 * @polygon: a polygon
 *
 * Copies a polygon with its points.
 *
 * Returns: (transfer full): another one
 */
GstVkSegPolygon *
gst_vk_seg_polygon_copy (const GstVkSegPolygon *polygon)
{
  GstVkSegPolygon *copy = g_memdup2 (polygon, sizeof *polygon);
  copy->points = g_memdup2 (polygon->points, polygon->n_points * sizeof (GstVkSegPoint));
  return copy;
}

/**
 * gst_vk_seg_polygon_free:
 * @polygon: (transfer full): a polygon
 *
 * Frees a polygon and its points.
 */
void
gst_vk_seg_polygon_free (GstVkSegPolygon *polygon)
{
  g_free (polygon->points);
  g_free (polygon);
}

/* Pixels with a border of nothing around them, and for each vertical edge, which is to the left of
 * the pixel with its index, the number of the border that runs along it, from 1. */
typedef struct {
  const guint8 *pixels;
  gint32 *border;
  gssize stride;
} Field;

/* Clockwise from up. */
static const gint dx[4] = { 0, 1, 0, -1 }, dy[4] = { -1, 0, 1, 0 };

/* The pixel ahead of a corner, to the left or right of the way. */
static gboolean
ahead (const Field *f, gint x, gint y, guint dir, gboolean right)
{
  guint side = (dir + (right ? 1 : 3)) & 3;
  gint px = x + (dx[dir] + dx[side] < 0 ? -1 : 0);
  gint py = y + (dy[dir] + dy[side] < 0 ? -1 : 0);
  return f->pixels[py * f->stride + px] != 0;
}

/* Follows a border with the object to the right, until it closes. */
static GArray *
follow (const Field *f, gint x, gint y, guint dir, gint32 number)
{
  GArray *points = g_array_new (FALSE, FALSE, sizeof (GstVkSegPoint));
  const gint start_x = x, start_y = y;
  const guint start_dir = dir;
  do {
    if (dir == 0)
      f->border[(y - 1) * f->stride + x] = number;
    else if (dir == 2)
      f->border[y * f->stride + x] = number;
    x += dx[dir];
    y += dy[dir];
    guint next = !ahead (f, x, y, dir, TRUE)   ? (dir + 1) & 3
                 : ahead (f, x, y, dir, FALSE) ? (dir + 3) & 3
                                               : dir;
    if (next != dir) {
      GstVkSegPoint p = { x, y };
      g_array_append_val (points, p);
    }
    dir = next;
  } while (x != start_x || y != start_y || dir != start_dir);
  return points;
}

static void
add_polygon (GPtrArray *polygons, GArray *points, gboolean hole, gint parent)
{
  GstVkSegPolygon *p = g_new (GstVkSegPolygon, 1);
  p->hole = hole;
  p->parent = parent;
  p->n_points = points->len;
  p->points = (GstVkSegPoint *) g_array_free (points, FALSE);
  g_ptr_array_add (polygons, p);
}

static void
scan_row (const Field *f, gint y, gint width, GPtrArray *polygons)
{
  gint outer = -1; /* the border of the object that the scan is in, or was in */
  for (gint x = 0; x <= width; x++) {
    gssize at = y * f->stride + x;
    gboolean enters = f->pixels[at] != 0;
    if (enters == (f->pixels[at - 1] != 0))
      continue;
    if (f->border[at] == 0) {
      gint32 number = (gint32) polygons->len + 1;
      GArray *points =
          enters ? follow (f, x, y + 1, 0, number) : follow (f, x, y, 2, number);
      add_polygon (polygons, points, !enters, enters ? -1 : outer);
    }
    if (enters) {
      const GstVkSegPolygon *p = polygons->pdata[f->border[at] - 1];
      outer = p->hole ? p->parent : f->border[at] - 1;
    }
  }
}

static void
finish_polygons (GPtrArray *polygons, const SegWindow *w, gdouble tolerance)
{
  for (guint i = 0; i < polygons->len; i++) {
    GstVkSegPolygon *p = polygons->pdata[i];
    if (tolerance > 0.0)
      p->n_points = seg_simplify (p->points, p->n_points, tolerance);
    for (guint k = 0; k < p->n_points; k++) {
      p->points[k].x += (gint) w->x0;
      p->points[k].y += (gint) w->y0;
    }
  }
}

/**
 * gst_vk_seg_instance_get_polygons: (skip)
 * @instance: an instance
 * @width: of the picture that the polygons are in, 1 to #GST_VK_SEG_MAX_PX
 * @height: its rows
 * @tolerance: how far a simplified border may be from the true one, in pixels; 0: the true ones,
 *   which fill exactly the pixels of gst_vk_seg_instance_get_mask_at_size()
 *
 * The borders of the mask at a size. Pixels that touch at a corner only are apart. Not for
 * introspection: bindings free an array's elements that the array frees too; gst_vk_seg_meta_to_json()
 * has polygons.
 *
 * Returns: (transfer full) (nullable) (element-type GstVkSegPolygon): the polygons, a hole after
 *   what it is a hole of; %NULL when the size is out of range
 */
GPtrArray *
gst_vk_seg_instance_get_polygons (
    const GstVkSegInstance *instance, guint width, guint height, gdouble tolerance)
{
  SegWindow w;
  if (!seg_instance_window (instance, width, height, &w))
    return NULL;
  GPtrArray *polygons =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_vk_seg_polygon_free);
  gsize n_x = w.x1 - w.x0, n_y = w.y1 - w.y0, stride = n_x + 2, n = stride * (n_y + 2);
  g_autofree guint8 *pixels = g_malloc0 (n);
  g_autofree gint32 *border = g_new0 (gint32, n);
  seg_instance_paint (instance, SEG_PAINT_BINARY, &w, pixels + stride + 1, stride);
  const Field f = { pixels + stride + 1, border + stride + 1, (gssize) stride };
  for (guint y = 0; y < n_y; y++)
    scan_row (&f, (gint) y, (gint) n_x, polygons);
  finish_polygons (polygons, &w, tolerance);
  return polygons;
}
