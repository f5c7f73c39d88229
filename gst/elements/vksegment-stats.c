/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/vksegment-priv.h"

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
gst_vk_segment_post_result (GstVkSegment *self, const GstBuffer *buffer)
{
  GstStructure *s = NULL;
  GST_OBJECT_LOCK (self);
  if (self->settings.post_messages) {
    s = gst_structure_new (
        "vkseg-result", "timestamp", G_TYPE_UINT64, GST_BUFFER_PTS (buffer), NULL);
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
      self->n_frames, "inferred", G_TYPE_UINT64, self->n_inferred, "average-ms",
      G_TYPE_DOUBLE, self->n_frames ? self->total_ms / (double) self->n_frames : 0.0,
      "last-ms", G_TYPE_DOUBLE, self->last_ms, NULL);
  take_classes (self, s);
  return s;
}
