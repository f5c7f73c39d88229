/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gstvksegmeta.h"

G_BEGIN_DECLS

/**
 * GstVkSegPoint:
 * @x: in pixels
 * @y: in pixels
 *
 * A corner between pixels: (0, 0) is the upper left corner of the picture.
 */
typedef struct {
  gint x, y;
} GstVkSegPoint;

/**
 * GstVkSegPolygon:
 * @hole: whether it is the border of a hole
 * @parent: for a hole, the number of the polygon that it is in; -1 otherwise
 * @n_points: at least 3; the last is joined to the first
 * @points: (array length=n_points): its corners
 *
 * A border of a mask, with the object to the right of each side: outer borders run clockwise
 * on a screen, those of holes counter-clockwise.
 */
typedef struct {
  gboolean hole;
  gint parent;
  guint n_points;
  GstVkSegPoint *points;
} GstVkSegPolygon;

#define GST_TYPE_VK_SEG_POLYGON (gst_vk_seg_polygon_get_type ())
GST_VK_SEG_API GType gst_vk_seg_polygon_get_type (void);
GST_VK_SEG_API GstVkSegPolygon *gst_vk_seg_polygon_copy (const GstVkSegPolygon *polygon);
GST_VK_SEG_API void gst_vk_seg_polygon_free (GstVkSegPolygon *polygon);

GST_VK_SEG_API GPtrArray *gst_vk_seg_instance_get_polygons (
    const GstVkSegInstance *instance, guint width, guint height, gdouble tolerance);

GST_VK_SEG_API guint32 *gst_vk_seg_instance_get_rle (
    const GstVkSegInstance *instance, guint width, guint height, gsize *n_counts);
GST_VK_SEG_API gchar *gst_vk_seg_instance_get_rle_string (
    const GstVkSegInstance *instance, guint width, guint height);
GST_VK_SEG_API gchar *gst_vk_seg_rle_to_string (const guint32 *counts, gsize n_counts);

/**
 * GstVkSegJsonFlags:
 * @GST_VK_SEG_JSON_RLE: masks as run lengths, as COCO has them
 * @GST_VK_SEG_JSON_POLYGONS: masks as polygons with holes
 *
 * What a line of JSON has besides boxes, classes and scores.
 */
typedef enum { /*< flags >*/
  GST_VK_SEG_JSON_RLE = 1 << 0,
  GST_VK_SEG_JSON_POLYGONS = 1 << 1,
} GstVkSegJsonFlags;

GST_VK_SEG_API gchar *gst_vk_seg_meta_to_json (
    const GstVkSegMeta *meta, GstClockTime pts, GstVkSegJsonFlags flags);

G_END_DECLS
