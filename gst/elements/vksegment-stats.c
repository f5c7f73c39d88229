/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/vksegment-priv.h"

#include <string.h>

/* --- counting ------------------------------------------------------------------------------------------ */

void
gst_vk_segment_count_time (GstVkSegment *self, double ms, gboolean inferred)
{
  GST_OBJECT_LOCK (self);
  self->last_ms = ms;
  self->total_ms += ms;
  self->n_timed++;
  self->n_inferred += inferred;
  GST_OBJECT_UNLOCK (self);
}

void
gst_vk_segment_count_frame (GstVkSegment *self, guint age)
{
  const guint8 *data;
  GST_OBJECT_LOCK (self);
  self->n_frames++;
  self->age = age;
  if (self->pipe != NULL) {
    const SegFrame *result = seg_pipe_result (self->pipe, &data);
    const GstVideoInfo *info = &GST_VIDEO_FILTER (self)->in_info;
    self->n_pixels = (guint64) info->width * (guint64) info->height;
    if (self->settings.upsample == SEG_UPSAMPLE_NONE)
      self->n_pixels = (guint64) result->width * result->height;
    memcpy (self->areas, seg_pipe_areas (self->pipe), sizeof self->areas);
  }
  GST_OBJECT_UNLOCK (self);
}

void
gst_vk_segment_note_dropped (GstVkSegment *self, GstBuffer *buffer)
{
  GST_OBJECT_LOCK (self);
  guint64 n_inferred = self->n_inferred, n_dropped = ++self->n_dropped;
  GST_OBJECT_UNLOCK (self);
  seg_qos_post (GST_ELEMENT (self), &GST_BASE_TRANSFORM (self)->segment, buffer,
      n_inferred, n_dropped);
}

/* --- telling ------------------------------------------------------------------------------------------- */

static void
append_class (GValue *list, const GstVkSegment *self, guint v)
{
  char buffer[32];
  int class_id = seg_pipe_class_of_value (self->pipe, v);
  if (class_id < 0 || self->areas[v] == 0)
    return;
  GValue item = G_VALUE_INIT;
  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item,
      gst_structure_new ("class", "id", G_TYPE_INT, class_id, "label", G_TYPE_STRING,
          seg_model_info_label (self->net->info, (guint) class_id, buffer), "area",
          G_TYPE_DOUBLE, (double) self->areas[v] / (double) self->n_pixels, NULL));
  gst_value_array_append_and_take_value (list, &item);
}

/* Called with the object lock. */
static void
take_classes (const GstVkSegment *self, GstStructure *s)
{
  GValue classes = G_VALUE_INIT;
  g_value_init (&classes, GST_TYPE_ARRAY);
  if (self->n_frames > 0 && self->pipe != NULL)
    for (guint v = 0; v < 256; v++)
      append_class (&classes, self, v);
  gst_structure_take_value (s, "classes", &classes);
}

void
gst_vk_segment_post_result (GstVkSegment *self, GstClockTime pts)
{
  GstStructure *s = NULL;
  GST_OBJECT_LOCK (self);
  if (self->settings.post_messages) {
    s = gst_structure_new ("vkseg-result", "timestamp", G_TYPE_UINT64, pts, NULL);
    take_classes (self, s);
  }
  GST_OBJECT_UNLOCK (self);
  if (s != NULL)
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), s));
}

GstStructure *
gst_vk_segment_make_stats (const GstVkSegment *self)
{
  GstStructure *s = gst_structure_new ("vksegment-stats", "frames", G_TYPE_UINT64,
      self->n_frames, "inferred", G_TYPE_UINT64, self->n_inferred, "dropped",
      G_TYPE_UINT64, self->n_dropped, "queued", G_TYPE_UINT,
      self->live != NULL ? seg_live_queue_length (self->live) : 0, "age", G_TYPE_UINT,
      self->age, "average-ms", G_TYPE_DOUBLE,
      self->total_ms / (double) MAX (1, self->n_timed), "last-ms", G_TYPE_DOUBLE,
      self->last_ms, NULL);
  take_classes (self, s);
  return s;
}
