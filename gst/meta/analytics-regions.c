/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/analytics.h"
#include "meta/gstvksegmirror.h"

#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#include <gst/video/video.h>

/* Rounding, where a picture was scaled since somebody wrote both. */
static gboolean
is_near (guint a, gint b)
{
  return ABS ((gint64) a - b) <= 1;
}

static gboolean
is_at (const gint r[4], guint x, guint y, guint w, guint h)
{
  return is_near (x, r[0]) && is_near (y, r[1]) && is_near (w, r[2]) && is_near (h, r[3]);
}

static gboolean
has_region (GstBuffer *buffer, GQuark type, const gint r[4])
{
  gpointer state = NULL;
  GstMeta *meta;
  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
         != NULL) {
    const GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *) meta;
    if (roi->roi_type == type && is_at (r, roi->x, roi->y, roi->w, roi->h))
      return TRUE;
  }
  return FALSE;
}

/* Of what reaches out of the picture at the left or above, the rest. */
static gboolean
clip (gint r[4])
{
  for (guint i = 0; i < 2; i++)
    if (r[i] < 0) {
      r[i + 2] = (gint) MAX ((gint64) r[i + 2] + r[i], 0);
      r[i] = 0;
    }
  return r[2] > 0 && r[3] > 0;
}

static gboolean
add_region (GstBuffer *buffer, const GstAnalyticsODMtd *od)
{
  gint r[4];
  gfloat score;
  GQuark type = gst_analytics_od_mtd_get_obj_type (od);
  if (!gst_analytics_od_mtd_get_location (od, &r[0], &r[1], &r[2], &r[3], &score)
      || !clip (r) || has_region (buffer, type, r))
    return FALSE;
  GstVideoRegionOfInterestMeta *roi = gst_buffer_add_video_region_of_interest_meta_id (
      buffer, type, (guint) r[0], (guint) r[1], (guint) r[2], (guint) r[3]);
  if (roi == NULL)
    return FALSE;
  roi->id = -1;
  gst_video_region_of_interest_meta_add_param (roi,
      gst_structure_new ("detection", "score", G_TYPE_DOUBLE, (gdouble) score, NULL));
  return TRUE;
}

/**
 * gst_buffer_add_regions_from_analytics: (skip)
 * @buffer: a writable buffer
 *
 * Gives each object that others found (GstAnalytics object detections) a
 * #GstVideoRegionOfInterestMeta of its type, with a structure `detection, score=(double)`, unless there is one
 * already: of the same type, at the same place to a pixel. Their ids are -1.
 *
 * Returns: how many there were to add; 0 where the library was built without GstAnalytics
 */
guint
gst_buffer_add_regions_from_analytics (GstBuffer *buffer)
{
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  GstAnalyticsODMtd od;
  guint n = 0;
  while (r != NULL
         && gst_analytics_relation_meta_iterate (
             r, &state, gst_analytics_od_mtd_get_mtd_type (), &od))
    n += add_region (buffer, &od);
  return n;
}

/* The object of a region: of its type, at its place. */
static gboolean
find_object (GstAnalyticsRelationMeta *r, const GstVideoRegionOfInterestMeta *roi,
    GstAnalyticsODMtd *od)
{
  gpointer state = NULL;
  gint at[4];
  gfloat score;
  while (gst_analytics_relation_meta_iterate (
      r, &state, gst_analytics_od_mtd_get_mtd_type (), od))
    if (gst_analytics_od_mtd_get_obj_type (od) == roi->roi_type
        && gst_analytics_od_mtd_get_location (od, &at[0], &at[1], &at[2], &at[3], &score)
        && clip (at) && is_at (at, roi->x, roi->y, roi->w, roi->h))
      return TRUE;
  return FALSE;
}

/**
 * gst_buffer_classify_region_in_analytics: (skip)
 * @buffer: a writable buffer
 * @region: a region of interest on it
 * @label: what is in it
 * @score: how sure that is, from 0 to 1
 *
 * Writes a GstAnalytics classification, and relates it to the object detection that is the region's, of
 * the same type and at the same place to a pixel.
 *
 * Returns: whether there is such an object; %FALSE where the library was built without GstAnalytics
 */
gboolean
gst_buffer_classify_region_in_analytics (GstBuffer *buffer,
    const GstVideoRegionOfInterestMeta *region, const gchar *label, gdouble score)
{
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsODMtd od;
  GstAnalyticsClsMtd classes;
  gfloat level = (gfloat) score;
  GQuark name = g_quark_from_string (label);
  if (r == NULL || !find_object (r, region, &od)
      || !gst_analytics_relation_meta_add_cls_mtd (r, 1, &level, &name, &classes))
    return FALSE;
  return gst_analytics_relation_meta_set_relation (
             r, GST_ANALYTICS_REL_TYPE_RELATE_TO, od.id, classes.id)
         && gst_analytics_relation_meta_set_relation (
             r, GST_ANALYTICS_REL_TYPE_RELATE_TO, classes.id, od.id);
}

#else

guint
gst_buffer_add_regions_from_analytics (GstBuffer *buffer)
{
  return 0;
}

gboolean
gst_buffer_classify_region_in_analytics (GstBuffer *buffer,
    const GstVideoRegionOfInterestMeta *region, const gchar *label, gdouble score)
{
  return FALSE;
}
#endif
