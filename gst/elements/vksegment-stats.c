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
  if (inferred && self->pipe != NULL)
    memcpy (self->stage_ms, seg_pipe_stages (self->pipe), sizeof self->stage_ms);
  GST_OBJECT_UNLOCK (self);
}

/* Called with the object lock. */
static gboolean
has_found (const GstVkSegment *self)
{
  for (guint v = 0; v < G_N_ELEMENTS (self->areas); v++) {
    int class_id = seg_pipe_class_of_value (self->pipe, v);
    if (self->areas[v] > 0 && class_id >= 0 && class_id != self->net->info->background)
      return TRUE;
  }
  return FALSE;
}

/* A network that is fed wrongly does not fail, it is silent. Called with the object lock; TRUE: it is
 * time to say so. */
static gboolean
is_silent (GstVkSegment *self)
{
  self->found = self->found || has_found (self);
  return !self->found && self->n_frames == self->settings.warn_after;
}

static void
warn_of_silence (GstVkSegment *self)
{
  GST_ELEMENT_WARNING (self, STREAM, DECODE,
      ("nothing has been found in the first %" G_GUINT64_FORMAT " frames",
          self->n_frames),
      ("if there is something to see: a lower threshold, or color-order, mean and std of "
       "the .modelinfo file; GST_DEBUG=vksegment:4 says what was assumed. warn-after=0 "
       "keeps this quiet"));
}

void
gst_vk_segment_count_frame (GstVkSegment *self, guint age)
{
  const guint8 *data;
  gboolean silent = FALSE;
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
    silent = is_silent (self);
  }
  GST_OBJECT_UNLOCK (self);
  if (silent)
    warn_of_silence (self);
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

/* In a region, unless that is NULL. */
static void
append_instance (GValue *list, const SegInstance *i,
    const GstVideoRegionOfInterestMeta *region, const SegModelInfo *info)
{
  char buffer[32];
  GValue item = G_VALUE_INIT;
  g_value_init (&item, GST_TYPE_STRUCTURE);
  GstStructure *s = gst_structure_new ("instance", "id", G_TYPE_INT, (gint) i->class_id,
      "label", G_TYPE_STRING, seg_model_info_label (info, i->class_id, buffer), "score",
      G_TYPE_DOUBLE, (double) i->score, "x", G_TYPE_DOUBLE, (double) i->x, "y",
      G_TYPE_DOUBLE, (double) i->y, "width", G_TYPE_DOUBLE, (double) i->width, "height",
      G_TYPE_DOUBLE, (double) i->height, NULL);
  if (region != NULL)
    gst_structure_set (s, "region-id", G_TYPE_INT, region->id, NULL);
  g_value_take_boxed (&item, s);
  gst_value_array_append_and_take_value (list, &item);
}

static void
append_found (GValue *list, const GstVkSegment *self)
{
  const SegInstances *found = seg_pipe_instances (self->pipe);
  for (guint i = 0; found != NULL && i < found->n; i++)
    append_instance (list, &found->items[i], NULL, self->net->info);
}

/* Of the regions of the last frame. */
static void
append_of_regions (GValue *list, const GstVkSegment *self)
{
  const SegSecondary *secondary = &self->secondary;
  const guint8 *masks;
  gsize n_bytes;
  guint n;
  const SegRegionResult *results =
      seg_regions_results (secondary->regions, &n, &masks, &n_bytes);
  for (guint i = 0; i < n; i++)
    append_instance (list, &results[i].instance,
        secondary->list.metas->pdata[results[i].region], self->net->info);
}

/* Of networks that give them. Called with the object lock. */
static void
take_instances (const GstVkSegment *self, GstStructure *s)
{
  GValue list = G_VALUE_INIT;
  if (self->pipe == NULL ? !self->by_regions : seg_pipe_instances (self->pipe) == NULL)
    return;
  g_value_init (&list, GST_TYPE_ARRAY);
  if (self->by_regions)
    append_of_regions (&list, self);
  else
    append_found (&list, self);
  gst_structure_take_value (s, "instances", &list);
}

void
gst_vk_segment_post_result (GstVkSegment *self, GstClockTime pts)
{
  GstStructure *s = NULL;
  GST_OBJECT_LOCK (self);
  if (self->settings.post_messages) {
    s = gst_structure_new ("vkseg-result", "timestamp", G_TYPE_UINT64, pts, NULL);
    take_classes (self, s);
    take_instances (self, s);
  }
  GST_OBJECT_UNLOCK (self);
  if (s != NULL)
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), s));
}

/* Called with the object lock. */
static void
take_stages (const GstVkSegment *self, GstStructure *s)
{
  static const char *const names[SEG_N_STAGES] = { "upload-ms", "preprocess-ms",
    "network-ms", "decode-ms", "draw-ms" };
  GstStructure *stages = gst_structure_new_empty ("stages");
  for (guint i = 0; i < SEG_N_STAGES; i++)
    if (self->stage_ms[i] >= 0.0)
      gst_structure_set (stages, names[i], G_TYPE_DOUBLE, self->stage_ms[i], NULL);
  gst_structure_set (s, "stages", GST_TYPE_STRUCTURE, stages, NULL);
  gst_structure_free (stages);
}

/* Called with the object lock. 0: never. */
static guint
batch_from (const GstVkSegment *self)
{
  SegTeamInfo info;
  const char *why;
  gboolean can = self->pipe != NULL && seg_pipe_batching (self->pipe, &info, &why);
  return can && info.least <= info.batch ? info.least : 0;
}

GstStructure *
gst_vk_segment_make_stats (const GstVkSegment *self)
{
  guint64 n_batched =
      self->n_batched + (self->pipe != NULL ? seg_pipe_n_batched (self->pipe) : 0);
  GstStructure *s = gst_structure_new ("vksegment-stats", "frames", G_TYPE_UINT64,
      self->n_frames, "inferred", G_TYPE_UINT64, self->n_inferred, "dropped",
      G_TYPE_UINT64, self->n_dropped, "queued", G_TYPE_UINT,
      self->live != NULL ? seg_live_queue_length (self->live) : 0, "age", G_TYPE_UINT,
      self->age, "average-ms", G_TYPE_DOUBLE,
      self->total_ms / (double) MAX (1, self->n_timed), "last-ms", G_TYPE_DOUBLE,
      self->last_ms, "host-copies", G_TYPE_UINT,
      (guint) g_atomic_int_get (&self->io.n_copies), "parts", G_TYPE_UINT, self->parts,
      "batched", G_TYPE_UINT64, n_batched, "batch-from", G_TYPE_UINT, batch_from (self),
      "model", G_TYPE_STRING, self->net != NULL ? self->net->path : NULL, NULL);
  take_classes (self, s);
  take_stages (self, s);
  return s;
}
