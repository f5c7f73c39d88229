/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/result.h"

#include <string.h>

GPtrArray *
seg_result_labels (const SegPipe *pipe, const SegModelInfo *info)
{
  GPtrArray *labels = g_ptr_array_new_with_free_func (g_free);
  for (guint v = 0; v < 256; v++) {
    char buffer[32];
    int c = seg_pipe_class_of_value (pipe, v);
    g_ptr_array_add (
        labels, c < 0 ? NULL : g_strdup (seg_model_info_label (info, (guint) c, buffer)));
  }
  return labels;
}

static void
set_mapping (GstVkSegMeta *meta, const SegGeometry *g)
{
  const GstVkSegMapping mapping = { g->net_width, g->net_height, g->scale_x, g->scale_y,
    g->shift_x, g->shift_y };
  gst_vk_seg_meta_set_mapping (meta, &mapping);
}

/* --- maps ---------------------------------------------------------------------------------------- */

static gboolean
attach_map (const SegResult *result, GstVkSegMeta *meta)
{
  const guint8 *data;
  const SegFrame *map = seg_pipe_result (result->pipe, &data);
  gsize n = map->stride[0] * (map->height - 1) + map->width;
  g_autoptr (GBytes) bytes = g_bytes_new (data + map->offset[0], n);
  const GstVkSegRect all = { 0, 0, map->width, map->height };
  g_autoptr (GstVkSegMask) mask =
      gst_vk_seg_mask_new (bytes, map->width, map->height, map->stride[0], &all);
  if (mask == NULL)
    return FALSE;
  gboolean matte = meta->type == GST_VK_SEG_RESULT_MATTE;
  gst_vk_seg_meta_set_map (meta, mask, matte ? NULL : result->labels,
      matte                           ? -1
      : result->info->background >= 0 ? result->info->background
                                      : 255);
  return TRUE;
}

/* --- instances ----------------------------------------------------------------------------------- */

/* All masks of a frame, one after the other. */
static GBytes *
copy_masks (const SegInstances *list)
{
  gsize n = 0, at = 0;
  for (guint i = 0; i < list->n && list->masks != NULL; i++)
    n += (gsize) list->items[i].mask_width * list->items[i].mask_height;
  if (n == 0)
    return NULL;
  guint8 *data = g_try_malloc (n);
  if (data == NULL)
    return NULL;
  for (guint i = 0; i < list->n; i++) {
    const SegInstance *s = &list->items[i];
    for (guint y = 0; y < s->mask_height; y++, at += s->mask_width)
      memcpy (data + at, list->masks + s->mask_offset + (gsize) y * s->mask_stride,
          s->mask_width);
  }
  return g_bytes_new_take (data, n);
}

static GstVkSegMask *
make_mask (
    const SegInstance *s, GBytes *masks, gsize offset, gsize n_bytes, double threshold)
{
  if (masks == NULL || n_bytes == 0)
    return NULL;
  const GstVkSegRect rect = { s->mask_x, s->mask_y, s->mask_w, s->mask_h };
  g_autoptr (GBytes) bytes = g_bytes_new_from_bytes (masks, offset, n_bytes);
  return gst_vk_seg_mask_new_full (
      bytes, s->mask_width, s->mask_height, s->mask_width, &rect, 0, 255, threshold);
}

static void
attach_instances (const SegResult *result, const SegInstances *list, GstVkSegMeta *meta)
{
  g_autoptr (GBytes) masks = copy_masks (list);
  gsize at = 0;
  for (guint i = 0; i < list->n; i++) {
    char buffer[32];
    const SegInstance *s = &list->items[i];
    const GstVkSegRect box = { s->x, s->y, s->width, s->height };
    gsize n_bytes = (gsize) s->mask_width * s->mask_height;
    g_autoptr (GstVkSegMask) mask =
        make_mask (s, masks, at, n_bytes, result->mask_threshold);
    at += n_bytes;
    gst_vk_seg_meta_add_instance (meta, (gint) s->class_id,
        seg_model_info_label (result->info, s->class_id, buffer), s->score, &box, mask);
  }
}

/* What the map holds, not what the network is for: a sigmoid of one channel is a matte too. */
static GstVkSegResultType
type_of (const SegResult *result, const SegInstances *list)
{
  if (list != NULL)
    return result->info->task == SEG_TASK_DETECTION ? GST_VK_SEG_RESULT_DETECTION
                                                    : GST_VK_SEG_RESULT_INSTANCE;
  return seg_pipe_gives_matte (result->pipe) ? GST_VK_SEG_RESULT_MATTE
                                             : GST_VK_SEG_RESULT_SEMANTIC;
}

gboolean
seg_result_attach (const SegResult *result, GstBuffer *buffer)
{
  const SegGeometry *g = seg_pipe_geometry (result->pipe);
  const SegInstances *list = seg_pipe_instances (result->pipe);
  GstVkSegMeta *meta = gst_buffer_add_vk_seg_meta (
      buffer, type_of (result, list), g->frame_width, g->frame_height);
  if (meta == NULL)
    return FALSE;
  meta->age = result->age;
  set_mapping (meta, g);
  if (list == NULL)
    return attach_map (result, meta);
  attach_instances (result, list, meta);
  return TRUE;
}
