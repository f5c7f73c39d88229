/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/scene.h"

#include <gst/video/video.h>

#include <string.h>

void
scene_start (GstHarness *h, const char *format, guint width, guint height)
{
  g_autofree char *caps = g_strdup_printf (
      "video/x-raw,format=%s,width=%u,height=%u,framerate=25/1", format, width, height);
  gst_harness_set_src_caps_str (h, caps);
}

static GstVkSegMask *
make_mask (const SceneObject *o)
{
  guint8 *pixels = g_malloc0 (10 * 8);
  for (guint y = 1; y < 7; y++)
    memset (pixels + 10 * y + 1, 255, 6);
  g_autoptr (GBytes) bytes = g_bytes_new_take (pixels, 10 * 8);
  const GstVkSegRect rect = { o->x, o->y, o->width, o->height };
  return gst_vk_seg_mask_new (bytes, 8, 8, 10, &rect);
}

GstVkSegMeta *
scene_add_meta (GstBuffer *buffer, guint width, guint height, const SceneObject *objects,
    guint n_objects)
{
  static const char *const labels[] = { "person", "dog", "car" };
  GstVkSegMeta *meta =
      gst_buffer_add_vk_seg_meta (buffer, GST_VK_SEG_RESULT_INSTANCE, width, height);
  for (guint i = 0; i < n_objects; i++) {
    const SceneObject *o = &objects[i];
    g_autoptr (GstVkSegMask) mask = make_mask (o);
    const GstVkSegRect box = { o->x, o->y, o->width, o->height };
    GstVkSegInstance *instance = gst_vk_seg_meta_add_instance (
        meta, o->class_id, labels[o->class_id % 3], o->score, &box, mask);
    if (instance != NULL)
      instance->track_id = o->track_id;
  }
  return meta;
}

GstBuffer *
scene_frame (GstHarness *h, guint n, const SceneObject *objects, guint n_objects)
{
  GstVideoInfo info;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->srcpad);
  g_assert_nonnull (caps);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 0x80, info.size);
  GST_BUFFER_PTS (buffer) = n * (GST_SECOND / 25);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  if (objects != NULL)
    scene_add_meta (buffer, (guint) info.width, (guint) info.height, objects, n_objects);
  return buffer;
}

void
scene_finish (GstHarness *h)
{
  GstElement *element = h->element;
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *) &element);
  gst_harness_teardown (h);
  g_assert_null (element);
}
