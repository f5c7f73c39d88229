/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/transform.h"

#include "meta/check.h"

#include <gst/video/video.h>

/* new = old * scale + shift, into a picture of another size. */
typedef struct {
  gdouble scale_x, scale_y, shift_x, shift_y;
  guint width, height;
} Move;

static GstVkSegRect
move_rect (const Move *m, const GstVkSegRect *r)
{
  return (GstVkSegRect){ r->x * m->scale_x + m->shift_x, r->y * m->scale_y + m->shift_y,
    r->width * m->scale_x, r->height * m->scale_y };
}

/* (transfer full) (nullable) */
static GstVkSegMask *
move_mask (const Move *m, GstVkSegMask *mask)
{
  if (mask == NULL)
    return NULL;
  GstVkSegRect rect = move_rect (m, &mask->rect);
  if (rect.x == mask->rect.x && rect.y == mask->rect.y && rect.width == mask->rect.width
      && rect.height == mask->rect.height)
    return gst_vk_seg_mask_ref (mask);
  return gst_vk_seg_mask_moved (mask, &rect);
}

static void
move_mapping (const Move *m, const GstVkSegMapping *from, GstVkSegMapping *to)
{
  *to = *from;
  to->scale_x = from->scale_x / m->scale_x;
  to->scale_y = from->scale_y / m->scale_y;
  to->shift_x = from->shift_x - to->scale_x * m->shift_x;
  to->shift_y = from->shift_y - to->scale_y * m->shift_y;
}

static void
move_instance (const Move *m, const GstVkSegInstance *from, GstVkSegMeta *to)
{
  GstVkSegInstance instance = *from;
  instance.box = move_rect (m, &from->box);
  instance.frame_width = m->width;
  instance.frame_height = m->height;
  if (!seg_rect_clamp (&instance.box, m->width, m->height))
    return;
  instance.mask = move_mask (m, from->mask);
  if (instance.mask != NULL || from->mask == NULL)
    g_array_append_val (to->instances, instance);
}

static GstVkSegMeta *
move_meta (const Move *m, const GstVkSegMeta *from, GstBuffer *dest)
{
  GstVkSegMeta *to = gst_buffer_add_vk_seg_meta (dest, from->type, m->width, m->height);
  if (to == NULL)
    return NULL;
  to->age = from->age;
  move_mapping (m, &from->mapping, &to->mapping);
  to->map = move_mask (m, from->map);
  to->labels = from->labels != NULL ? g_ptr_array_ref (from->labels) : NULL;
  to->background = from->background;
  for (guint i = 0; i < from->instances->len; i++)
    move_instance (m, gst_vk_seg_meta_get_instance (from, i), to);
  return to;
}

/**
 * gst_vk_seg_meta_copy_region: (skip)
 * @meta: a result
 * @dest: a writable buffer
 * @region: what of the frame @dest shows, in the frame's pixels; may reach out of it
 * @width: pixels that @region has become in @dest, 1 to #GST_VK_SEG_MAX_PX
 * @height: the same for rows
 *
 * Copies a result to a buffer whose picture was cut out of the frame, and scaled. Objects that
 * are not in it are left out, boxes are cut at its border.
 *
 * Returns: (transfer none) (nullable): the result on @dest, %NULL when a size is out of range
 */
GstVkSegMeta *
gst_vk_seg_meta_copy_region (const GstVkSegMeta *meta, GstBuffer *dest,
    const GstVkSegRect *region, guint width, guint height)
{
  if (!seg_rect_is_sane (region))
    return NULL;
  Move m = { .scale_x = width / region->width,
    .scale_y = height / region->height,
    .width = width,
    .height = height };
  m.shift_x = -region->x * m.scale_x;
  m.shift_y = -region->y * m.scale_y;
  return move_meta (&m, meta, dest);
}

static gboolean
scale_meta (const GstVkSegMeta *meta, GstBuffer *dest, const GstVideoMetaTransform *how)
{
  guint width = (guint) GST_VIDEO_INFO_WIDTH (how->out_info);
  guint height = (guint) GST_VIDEO_INFO_HEIGHT (how->out_info);
  const GstVkSegRect all = { 0, 0, GST_VIDEO_INFO_WIDTH (how->in_info),
    GST_VIDEO_INFO_HEIGHT (how->in_info) };
  return gst_vk_seg_meta_copy_region (meta, dest, &all, width, height) != NULL;
}

#ifdef GST_VIDEO_META_TRANSFORM_IS_MATRIX
/* Only what scales and moves: boxes do not turn. */
static gboolean
matrix_meta (
    const GstVkSegMeta *meta, GstBuffer *dest, const GstVideoMetaTransformMatrix *how)
{
  const gfloat (*a)[3] = how->matrix;
  Move m = { .scale_x = a[0][0],
    .scale_y = a[1][1],
    .shift_x = a[0][2] + how->out_rectangle.x - how->in_rectangle.x * a[0][0],
    .shift_y = a[1][2] + how->out_rectangle.y - how->in_rectangle.y * a[1][1],
    .width = (guint) GST_VIDEO_INFO_WIDTH (how->out_info),
    .height = (guint) GST_VIDEO_INFO_HEIGHT (how->out_info) };
  if (a[0][1] != 0 || a[1][0] != 0 || a[2][0] != 0 || a[2][1] != 0 || a[2][2] != 1
      || !(m.scale_x > 0 && m.scale_y > 0))
    return FALSE;
  return move_meta (&m, meta, dest) != NULL;
}
#endif

gboolean
seg_meta_transform (
    GstBuffer *dest, GstMeta *base, GstBuffer *buffer, GQuark type, gpointer data)
{
  const GstVkSegMeta *meta = (const GstVkSegMeta *) base;
  if (GST_META_TRANSFORM_IS_COPY (type)) {
    const Move same = {
      .scale_x = 1, .scale_y = 1, .width = meta->frame_width, .height = meta->frame_height
    };
    return move_meta (&same, meta, dest) != NULL;
  }
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE (type))
    return scale_meta (meta, dest, data);
#ifdef GST_VIDEO_META_TRANSFORM_IS_MATRIX
  if (GST_VIDEO_META_TRANSFORM_IS_MATRIX (type))
    return matrix_meta (meta, dest, data);
#endif
  return FALSE;
}
