/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gstvksegmeta
 * @title: GstVkSegMeta
 * @short_description: what a network says about a frame
 *
 * Elements attach it to the frames that a network has seen; the frame's pixels are untouched.
 * Instances and masks are read from any thread while the buffer is not written to.
 *
 * |[
 * GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
 * for (guint i = 0; meta != NULL && i < gst_vk_seg_meta_get_n_instances (meta); i++) {
 *   GstVkSegInstance *object = gst_vk_seg_meta_get_instance (meta, i);
 *   g_print ("%s %.2f\n", object->label, object->score);
 * }
 * ]|
 */
#include "meta/gstvksegmeta.h"

#include "meta/check.h"
#include "meta/paint.h"
#include "meta/transform.h"

#include <string.h>

static void
instance_clear (gpointer data)
{
  GstVkSegInstance *instance = data;
  g_clear_pointer (&instance->mask, gst_vk_seg_mask_unref);
}

static gboolean
meta_init (GstMeta *base, gpointer params, GstBuffer *buffer)
{
  GstVkSegMeta *meta = (GstVkSegMeta *) base;
  memset ((guint8 *) meta + sizeof (GstMeta), 0, sizeof *meta - sizeof (GstMeta));
  meta->version = GST_VK_SEG_META_VERSION;
  meta->mapping.scale_x = meta->mapping.scale_y = 1.0;
  meta->background = -1;
  meta->instances = g_array_new (FALSE, TRUE, sizeof (GstVkSegInstance));
  g_array_set_clear_func (meta->instances, instance_clear);
  return TRUE;
}

static void
meta_free (GstMeta *base, GstBuffer *buffer)
{
  GstVkSegMeta *meta = (GstVkSegMeta *) base;
  g_clear_pointer (&meta->map, gst_vk_seg_mask_unref);
  g_clear_pointer (&meta->labels, g_ptr_array_unref);
  g_clear_pointer (&meta->instances, g_array_unref);
}

/**
 * gst_vk_seg_meta_api_get_type:
 *
 * For gst_buffer_get_meta() and allocation queries.
 *
 * Returns: the type of #GstVkSegMeta's API
 */
GType
gst_vk_seg_meta_api_get_type (void)
{
  static GType type;
  static const gchar *tags[] = { GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
    GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, gst_meta_api_type_register ("GstVkSegMetaAPI", tags));
  return type;
}

GType
gst_vk_seg_result_type_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = { { GST_VK_SEG_RESULT_SEMANTIC,
                                           "A class for each pixel", "semantic" },
    { GST_VK_SEG_RESULT_INSTANCE, "Objects with masks", "instance" },
    { GST_VK_SEG_RESULT_MATTE, "An alpha for each pixel", "matte" },
    { GST_VK_SEG_RESULT_DETECTION, "Objects with boxes only", "detection" },
    { 0, NULL, NULL } };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVkSegResultType", values));
  return type;
}

/**
 * gst_vk_seg_meta_get_info: (skip)
 *
 * For gst_buffer_add_meta().
 *
 * Returns: how #GstVkSegMeta is registered
 */
const GstMetaInfo *
gst_vk_seg_meta_get_info (void)
{
  static const GstMetaInfo *info;
  if (g_once_init_enter (&info))
    g_once_init_leave (
        &info, gst_meta_register (GST_VK_SEG_META_API_TYPE, "GstVkSegMeta",
                   sizeof (GstVkSegMeta), meta_init, meta_free, seg_meta_transform));
  return info;
}

/**
 * gst_buffer_add_vk_seg_meta: (skip)
 * @buffer: a writable buffer
 * @type: what kind of result it is
 * @frame_width: width of the frame in pixels, 1 to #GST_VK_SEG_MAX_PX
 * @frame_height: height of the frame
 *
 * Adds an empty result.
 *
 * Returns: (transfer none) (nullable): %NULL when the frame's size is out of range
 */
GstVkSegMeta *
gst_buffer_add_vk_seg_meta (
    GstBuffer *buffer, GstVkSegResultType type, guint frame_width, guint frame_height)
{
  SegWindow window;
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  if (!seg_window_init (&window, frame_width, frame_height, frame_width, frame_height))
    return NULL;
  GstVkSegMeta *meta =
      (GstVkSegMeta *) gst_buffer_add_meta (buffer, GST_VK_SEG_META_INFO, NULL);
  if (meta == NULL)
    return NULL;
  meta->type = type;
  meta->frame_width = frame_width;
  meta->frame_height = frame_height;
  return meta;
}

/**
 * gst_vk_seg_meta_set_mapping:
 * @meta: a result
 * @mapping: how frame positions become positions in the network's input
 *
 * Says where the frame lay in the network's input.
 *
 * Returns: %FALSE, and nothing changed, when numbers are not finite or a scale is not positive
 */
gboolean
gst_vk_seg_meta_set_mapping (GstVkSegMeta *meta, const GstVkSegMapping *mapping)
{
  /* A rectangle has the same conditions. */
  const GstVkSegRect like = { mapping->shift_x, mapping->shift_y, mapping->scale_x,
    mapping->scale_y };
  if (!seg_rect_is_sane (&like))
    return FALSE;
  meta->mapping = *mapping;
  return TRUE;
}

/**
 * gst_vk_seg_meta_set_map: (skip)
 * @meta: a result
 * @map: (transfer none) (nullable): the label map, or the matte
 * @labels: (transfer none) (nullable) (element-type utf8): the name of each value of a label map,
 *   not to be changed any more; entries may be %NULL
 * @background: value of a label map that is no class, -1 for none
 *
 * Takes a map of the whole frame, in the place of the one that there was.
 */
void
gst_vk_seg_meta_set_map (
    GstVkSegMeta *meta, GstVkSegMask *map, GPtrArray *labels, gint background)
{
  g_clear_pointer (&meta->map, gst_vk_seg_mask_unref);
  g_clear_pointer (&meta->labels, g_ptr_array_unref);
  meta->map = map != NULL ? gst_vk_seg_mask_ref (map) : NULL;
  meta->labels = labels != NULL ? g_ptr_array_ref (labels) : NULL;
  meta->background = background;
}

gboolean
seg_rect_clamp (GstVkSegRect *r, guint width, guint height)
{
  if (!seg_rect_is_sane (r))
    return FALSE;
  gdouble x1 = MIN (r->x + r->width, width), y1 = MIN (r->y + r->height, height);
  r->x = MAX (r->x, 0.0);
  r->y = MAX (r->y, 0.0);
  r->width = x1 - r->x;
  r->height = y1 - r->y;
  return r->width > 1e-6 && r->height > 1e-6;
}

/**
 * gst_vk_seg_meta_add_instance:
 * @meta: a result
 * @class_id: number of the class, -1 for none
 * @label: (nullable): name of the class, UTF-8; kept for good, so one of a limited number
 * @score: clamped to 0..1
 * @box: in pixels of the frame; clamped to the frame
 * @mask: (transfer none) (nullable): what of the box belongs to the object
 *
 * Adds an object. Pointers to other instances of @meta are not valid any more.
 *
 * Returns: (transfer none) (nullable): the instance, for the fields that are not arguments; %NULL,
 *   and nothing added, when @score is not a number, when nothing of @box is in the frame, or when
 *   there are #GST_VK_SEG_MAX_INSTANCES
 */
GstVkSegInstance *
gst_vk_seg_meta_add_instance (GstVkSegMeta *meta, gint class_id, const gchar *label,
    gdouble score, const GstVkSegRect *box, GstVkSegMask *mask)
{
  GstVkSegInstance instance = {
    .class_id = MAX (class_id, -1),
    .score = CLAMP (score, 0.0, 1.0),
    .box = *box,
    .track_id = GST_VK_SEG_NO_TRACK,
    .region_id = -1,
    .roi_id = -1,
    .frame_width = meta->frame_width,
    .frame_height = meta->frame_height,
    .analytics_id = G_MAXUINT,
  };
  if (score != score || meta->instances->len >= GST_VK_SEG_MAX_INSTANCES
      || !seg_rect_clamp (&instance.box, meta->frame_width, meta->frame_height))
    return NULL;
  if (label != NULL && g_utf8_validate (label, -1, NULL))
    instance.label = g_intern_string (label);
  instance.mask = mask != NULL ? gst_vk_seg_mask_ref (mask) : NULL;
  g_array_append_val (meta->instances, instance);
  return gst_vk_seg_meta_get_instance (meta, meta->instances->len - 1);
}

/**
 * gst_buffer_get_vk_seg_meta:
 * @buffer: a buffer
 *
 * Finds what a network says about a frame.
 *
 * Returns: (transfer none) (nullable): the first result on @buffer
 */
GstVkSegMeta *
gst_buffer_get_vk_seg_meta (GstBuffer *buffer)
{
  return (GstVkSegMeta *) gst_buffer_get_meta (buffer, GST_VK_SEG_META_API_TYPE);
}

/**
 * gst_vk_seg_meta_get_n_instances:
 * @meta: a result
 *
 * Counts the objects.
 *
 * Returns: how many objects there are
 */
guint
gst_vk_seg_meta_get_n_instances (const GstVkSegMeta *meta)
{
  return meta->instances->len;
}

/**
 * gst_vk_seg_meta_get_instance:
 * @meta: a result
 * @index: less than gst_vk_seg_meta_get_n_instances()
 *
 * An object by its number; the best score comes first in what networks give.
 *
 * Returns: (transfer none) (nullable): an object, valid until one is added or @meta goes; %NULL
 *   past the end
 */
GstVkSegInstance *
gst_vk_seg_meta_get_instance (const GstVkSegMeta *meta, guint index)
{
  return index < meta->instances->len
             ? &g_array_index (meta->instances, GstVkSegInstance, index)
             : NULL;
}

/**
 * gst_vk_seg_meta_iterate_instances:
 * @meta: a result
 * @state: (inout): 0 before the first call
 *
 * Walks through the objects.
 *
 * Returns: (transfer none) (nullable): the next object, %NULL after the last
 */
GstVkSegInstance *
gst_vk_seg_meta_iterate_instances (const GstVkSegMeta *meta, guint *state)
{
  GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, *state);
  *state += instance != NULL;
  return instance;
}

/**
 * gst_vk_seg_meta_find_track:
 * @meta: a result
 * @track_id: not #GST_VK_SEG_NO_TRACK
 *
 * Finds an object that a tracker follows.
 *
 * Returns: (transfer none) (nullable): the object with that id
 */
GstVkSegInstance *
gst_vk_seg_meta_find_track (const GstVkSegMeta *meta, gint64 track_id)
{
  guint state = 0;
  GstVkSegInstance *instance;
  while ((instance = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL)
    if (instance->track_id == track_id)
      return instance;
  return NULL;
}
