/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/roilist.h"

#include "meta/gstvksegmirror.h"

void
seg_roi_list_init (SegRoiList *list)
{
  list->rois = g_array_new (FALSE, FALSE, sizeof (SegRoi));
  list->metas = g_ptr_array_new ();
  list->ids = g_hash_table_new (NULL, NULL);
}

void
seg_roi_list_clear (SegRoiList *list)
{
  g_clear_pointer (&list->rois, g_array_unref);
  g_clear_pointer (&list->metas, g_ptr_array_unref);
  g_clear_pointer (&list->ids, g_hash_table_unref);
}

/* --- taking ------------------------------------------------------------------------------------ */

static gboolean
passes (const GstVideoRegionOfInterestMeta *meta, const SegRoiFilter *filter,
    guint frame_width, guint frame_height)
{
  if (meta->x >= frame_width || meta->y >= frame_height)
    return FALSE;
  guint w = MIN (meta->w, frame_width - meta->x),
        h = MIN (meta->h, frame_height - meta->y);
  if (w == 0 || h == 0 || w < filter->min_size_px || h < filter->min_size_px)
    return FALSE;
  const char *type = g_quark_to_string (meta->roi_type);
  return filter->classes == NULL
         || (type != NULL
             && g_strv_contains ((const gchar *const *) filter->classes, type));
}

static gint
next_id (GstBuffer *buffer)
{
  gpointer state = NULL;
  GstMeta *meta;
  gint next = 0;
  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
         != NULL) {
    gint id = ((GstVideoRegionOfInterestMeta *) meta)->id;
    if (id >= next && id < G_MAXINT)
      next = id + 1;
  }
  return next;
}

static void
make_ids_differ (SegRoiList *list, GstBuffer *buffer)
{
  gint next = -1;
  g_hash_table_remove_all (list->ids);
  for (guint i = 0; i < list->metas->len; i++) {
    GstVideoRegionOfInterestMeta *meta = list->metas->pdata[i];
    if (meta->id >= 0 && g_hash_table_add (list->ids, GINT_TO_POINTER (meta->id)))
      continue;
    next = next < 0 ? next_id (buffer) : next;
    meta->id = next;
    next = next < G_MAXINT ? next + 1 : next;
  }
}

guint
seg_roi_list_take (SegRoiList *list, GstBuffer *buffer, const SegRoiFilter *filter,
    guint frame_width, guint frame_height)
{
  gpointer state = NULL;
  GstMeta *m;
  guint n_left_out = 0;
  gst_buffer_add_regions_from_analytics (buffer);
  g_array_set_size (list->rois, 0);
  g_ptr_array_set_size (list->metas, 0);
  while ((m = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
         != NULL) {
    GstVideoRegionOfInterestMeta *meta = (GstVideoRegionOfInterestMeta *) m;
    if (!passes (meta, filter, frame_width, frame_height))
      continue;
    if (list->rois->len >= filter->max) {
      n_left_out++;
      continue;
    }
    SegRoi roi = { (float) meta->x, (float) meta->y, (float) meta->w, (float) meta->h };
    g_array_append_val (list->rois, roi);
    g_ptr_array_add (list->metas, meta);
  }
  make_ids_differ (list, buffer);
  return n_left_out;
}

/* --- attaching --------------------------------------------------------------------------------- */

/* masks: of all results, one copy that they share. */
static GstVkSegMask *
new_mask (const SegInstance *s, GBytes *masks, double threshold)
{
  GstVkSegRect rect = { s->mask_x, s->mask_y, s->mask_w, s->mask_h };
  if (s->mask_width == 0)
    return NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_from_bytes (
      masks, s->mask_offset, (gsize) s->mask_stride * s->mask_height);
  return gst_vk_seg_mask_new_full (
      bytes, s->mask_width, s->mask_height, s->mask_stride, &rect, 0, 255, threshold);
}

/* In its own parameters, and where it comes from a GstAnalytics object, there. */
static void
tell_region (GstBuffer *buffer, GstVideoRegionOfInterestMeta *region, const char *label,
    guint class_id, double score)
{
  (void) gst_buffer_classify_region_in_analytics (buffer, region, label, score);
  gst_video_region_of_interest_meta_add_param (region,
      gst_structure_new ("classification", "label", G_TYPE_STRING, label, "class-id",
          G_TYPE_INT, (gint) class_id, "score", G_TYPE_DOUBLE, score, NULL));
}

static void
attach_result (SegRoiList *list, GstBuffer *buffer, GstVkSegMeta *meta,
    const SegModelInfo *info, const SegRegionResult *result, GBytes *masks,
    double mask_threshold)
{
  char text[32];
  const SegInstance *s = &result->instance;
  GstVideoRegionOfInterestMeta *region = list->metas->pdata[result->region];
  const char *label = g_intern_string (seg_model_info_label (info, s->class_id, text));
  GstVkSegRect box = { s->x, s->y, s->width, s->height };
  g_autoptr (GstVkSegMask) mask = new_mask (s, masks, mask_threshold);
  GstVkSegInstance *instance = gst_vk_seg_meta_add_instance (
      meta, (gint) s->class_id, label, s->score, &box, mask);
  if (instance == NULL)
    return;
  instance->region_id = region->id;
  if (info->decoder != SEG_DECODER_FAST_RCNN)
    tell_region (buffer, region, label, s->class_id, s->score);
}

gboolean
seg_roi_list_attach (SegRoiList *list, GstBuffer *buffer, const SegModelInfo *info,
    const SegRegions *regions, double mask_threshold, guint frame_width,
    guint frame_height)
{
  guint n;
  gsize n_bytes;
  const guint8 *data;
  const SegRegionResult *results = seg_regions_results (regions, &n, &data, &n_bytes);
  gboolean maps = info->decoder <= SEG_DECODER_MATTE, is_new;
  if (n == 0)
    return TRUE;
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  is_new = meta == NULL;
  if (is_new)
    meta = gst_buffer_add_vk_seg_meta (buffer,
        maps ? GST_VK_SEG_RESULT_INSTANCE : GST_VK_SEG_RESULT_DETECTION, frame_width,
        frame_height);
  if (meta == NULL)
    return FALSE;
  g_autoptr (GBytes) masks = g_bytes_new (data, n_bytes);
  for (guint i = 0; i < n; i++)
    attach_result (list, buffer, meta, info, &results[i], masks, mask_threshold);
  if (is_new && info->decoder == SEG_DECODER_FAST_RCNN)
    gst_vk_seg_meta_mirror (
        meta, buffer, GST_VK_SEG_MIRROR_ROI | GST_VK_SEG_MIRROR_ANALYTICS);
  return TRUE;
}
