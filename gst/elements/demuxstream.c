/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/demuxstream.h"

#include <string.h>

static gboolean
has_content (const SegDemuxPad *pad, const GstVkSegMeta *meta)
{
  if (meta == NULL)
    return FALSE;
  if (pad->kind == SEG_STREAM_INSTANCE)
    return pad->instance != NULL;
  return meta->map != NULL || meta->type == GST_VK_SEG_RESULT_INSTANCE
         || meta->type == GST_VK_SEG_RESULT_DETECTION;
}

static gboolean
paint (const SegDemuxPad *pad, const GstVkSegMeta *meta, GstVideoFrame *frame)
{
  guint8 *pixels = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  gsize stride = (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  guint width = (guint) GST_VIDEO_FRAME_WIDTH (frame);
  guint height = (guint) GST_VIDEO_FRAME_HEIGHT (frame);
  if (pad->kind == SEG_STREAM_INSTANCE)
    return gst_vk_seg_instance_get_mask_at_size (
        pad->instance, width, height, pixels, stride);
  if (pad->kind == SEG_STREAM_MASK && meta->type == GST_VK_SEG_RESULT_SEMANTIC)
    return gst_vk_seg_meta_get_map_at_size (meta, width, height, pixels, stride);
  return gst_vk_seg_meta_get_foreground_at_size (
      meta, pad->kind == SEG_STREAM_MATTE, width, height, pixels, stride);
}

/* What the mask is of, for who gets it. */
static void
describe (const GstVkSegInstance *instance, const GstVkSegMeta *meta, GstBuffer *buffer)
{
  GstVkSegMeta *own = gst_buffer_add_vk_seg_meta (
      buffer, meta->type, meta->frame_width, meta->frame_height);
  if (own == NULL)
    return;
  own->age = meta->age;
  own->mapping = meta->mapping;
  GstVkSegInstance *copy = gst_vk_seg_meta_add_instance (own, instance->class_id,
      instance->label, instance->score, &instance->box, instance->mask);
  if (copy != NULL)
    copy->track_id = instance->track_id;
}

static GstFlowReturn
make_picture (
    SegDemuxPad *pad, const GstVkSegMeta *meta, GstBuffer *video, GstBuffer **buffer)
{
  GstVideoFrame frame;
  GstFlowReturn flow = seg_demux_pad_new_frame (pad, video, buffer);
  if (flow != GST_FLOW_OK)
    return flow;
  gboolean ok = gst_video_frame_map (&frame, &pad->info, *buffer, GST_MAP_WRITE);
  if (ok) {
    ok = paint (pad, meta, &frame);
    gst_video_frame_unmap (&frame);
  }
  if (!ok) {
    gst_clear_buffer (buffer);
    return GST_FLOW_ERROR;
  }
  if (pad->kind == SEG_STREAM_INSTANCE)
    describe (pad->instance, meta, *buffer);
  return GST_FLOW_OK;
}

static GstBuffer *
make_text (const GstVkSegMeta *meta, GstBuffer *video, GstVkSegJsonFlags json)
{
  g_autofree char *line = gst_vk_seg_meta_to_json (meta, GST_BUFFER_PTS (video), json);
  char *text = g_strconcat (line, "\n", NULL);
  GstBuffer *buffer = gst_buffer_new_wrapped (text, strlen (text));
  gst_buffer_copy_into (buffer, video, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  return buffer;
}

GstFlowReturn
seg_stream_make (SegDemuxPad *pad, const GstVkSegMeta *meta, GstBuffer *video,
    GstVkSegJsonFlags json, GstBuffer **buffer)
{
  GstFlowReturn flow = GST_FLOW_OK;
  *buffer = NULL;
  if (pad->kind == SEG_STREAM_META)
    *buffer = make_text (meta, video, json);
  else if (has_content (pad, meta))
    flow = make_picture (pad, meta, video, buffer);
  if (*buffer != NULL && GST_BUFFER_IS_DISCONT (video))
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_DISCONT);
  return flow;
}

void
seg_stream_gap (SegDemuxPad *pad, GstBuffer *video, const SegStreamState *state)
{
  GstClockTime duration = GST_BUFFER_DURATION (video);
  if (!GST_BUFFER_PTS_IS_VALID (video))
    return;
  if (!GST_CLOCK_TIME_IS_VALID (duration) && state->info.fps_n > 0)
    duration =
        gst_util_uint64_scale_int (GST_SECOND, state->info.fps_d, state->info.fps_n);
  GstEvent *event = gst_event_new_gap (GST_BUFFER_PTS (video), duration);
  if (state->has_segment)
    gst_event_set_seqnum (event, state->seqnum);
  gst_pad_push_event (GST_PAD (pad), event);
}

void
seg_stream_info_from_caps (GstVideoInfo *info, const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  gst_video_info_init (info);
  gst_structure_get_int (s, "width", &info->width);
  gst_structure_get_int (s, "height", &info->height);
  gst_structure_get_fraction (s, "framerate", &info->fps_n, &info->fps_d);
  gst_structure_get_fraction (s, "pixel-aspect-ratio", &info->par_n, &info->par_d);
}

void
seg_streams_take_video (GstStream **video, GstEvent *stream_start)
{
  const gchar *id;
  g_clear_pointer (video, gst_object_unref);
  gst_event_parse_stream (stream_start, video);
  gst_event_parse_stream_start (stream_start, &id);
  if (*video == NULL)
    *video = gst_stream_new (id, NULL, GST_STREAM_TYPE_VIDEO, GST_STREAM_FLAG_NONE);
}

static GstStream *
new_stream (GstElement *element, SegDemuxPad *pad)
{
  g_autofree char *id =
      gst_pad_create_stream_id (GST_PAD (pad), element, GST_PAD_NAME (pad));
  return gst_stream_new (id, NULL,
      pad->kind == SEG_STREAM_META ? GST_STREAM_TYPE_UNKNOWN : GST_STREAM_TYPE_VIDEO,
      pad->kind == SEG_STREAM_META ? GST_STREAM_FLAG_NONE : GST_STREAM_FLAG_SPARSE);
}

void
seg_streams_collect (
    GstElement *element, GstStream *video, GPtrArray *pads, SegStreamState *state)
{
  g_clear_pointer (&state->collection, gst_object_unref);
  state->collection =
      gst_stream_collection_new (video != NULL ? gst_stream_get_stream_id (video) : NULL);
  if (video != NULL)
    gst_stream_collection_add_stream (state->collection, gst_object_ref (video));
  for (guint i = 0; i < pads->len; i++) {
    SegDemuxPad *pad = pads->pdata[i];
    if (pad->stream == NULL)
      pad->stream = new_stream (element, pad);
    pad->needs_collection = TRUE;
    gst_stream_collection_add_stream (state->collection, gst_object_ref (pad->stream));
  }
}
