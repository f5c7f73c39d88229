/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gstvksegmask.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/**
 * GST_VK_SEG_META_VERSION:
 *
 * Grows when fields are added to the structures here, which happens in their padding.
 */
#define GST_VK_SEG_META_VERSION 1

/**
 * GST_VK_SEG_MAX_INSTANCES:
 *
 * Instances of a frame; more are refused.
 */
#define GST_VK_SEG_MAX_INSTANCES 16384

/**
 * GST_VK_SEG_NO_TRACK:
 *
 * No tracker has seen the instance.
 */
#define GST_VK_SEG_NO_TRACK (-1)

/**
 * GstVkSegResultType:
 * @GST_VK_SEG_RESULT_SEMANTIC: a class for each pixel: a label map
 * @GST_VK_SEG_RESULT_INSTANCE: objects with masks
 * @GST_VK_SEG_RESULT_MATTE: an alpha for each pixel
 * @GST_VK_SEG_RESULT_DETECTION: objects with boxes only
 *
 * What kind of thing a network gives.
 */
typedef enum {
  GST_VK_SEG_RESULT_SEMANTIC,
  GST_VK_SEG_RESULT_INSTANCE,
  GST_VK_SEG_RESULT_MATTE,
  GST_VK_SEG_RESULT_DETECTION,
} GstVkSegResultType;

/**
 * GstVkSegMapping:
 * @model_width: width of the network's input in pixels, 0 when nobody said
 * @model_height: height of the network's input
 * @scale_x: input = frame * scale + shift
 * @scale_y: the same for y
 * @shift_x: in pixels of the input
 * @shift_y: the same for y
 *
 * How positions in the frame become positions in the network's input.
 */
typedef struct {
  guint model_width, model_height;
  gdouble scale_x, scale_y, shift_x, shift_y;
} GstVkSegMapping;

/**
 * GstVkSegInstance:
 * @class_id: number of the class, -1 when there is none
 * @label: (nullable): name of the class; lives as long as the program
 * @score: 0 to 1
 * @box: in pixels of the frame, inside it
 * @track_id: the same in each frame of an object, or #GST_VK_SEG_NO_TRACK
 * @mask: (nullable): what of @box belongs to the object; what lies outside of @box does not,
 *   whatever the mask says
 * @region_id: the id of the #GstVideoRegionOfInterestMeta in which it was found, -1 for the frame
 * @roi_id: the id of the #GstVideoRegionOfInterestMeta that mirrors it, -1 for none
 * @frame_width: width of the frame in pixels
 * @frame_height: height of the frame
 *
 * An object in a frame.
 */
typedef struct {
  gint class_id;
  const gchar *label;
  gdouble score;
  GstVkSegRect box;
  gint64 track_id;
  GstVkSegMask *mask;
  gint region_id;
  gint roi_id;
  guint frame_width, frame_height;
  /*< private >*/
  guint analytics_id;
  gpointer _gst_reserved[GST_PADDING];
} GstVkSegInstance;

typedef struct _GstVkSegMeta GstVkSegMeta;

/**
 * GstVkSegMeta:
 * @meta: parent
 * @version: #GST_VK_SEG_META_VERSION of who made it
 * @type: what kind of result it is
 * @frame_width: width of the frame in pixels
 * @frame_height: height of the frame
 * @age: frames since the network has seen one; 0: it saw this one
 * @mapping: frame to network
 * @map: (nullable): the label map, or the matte
 * @labels: (nullable) (element-type utf8): names by value of the label map; entries may be %NULL
 * @background: value of the label map that is no class, -1 for none
 *
 * What a network says about the frame that carries it. Copied with the buffer; scaled with the
 * picture where an element scales by the book.
 */
struct _GstVkSegMeta {
  GstMeta meta;
  guint version;
  GstVkSegResultType type;
  guint frame_width, frame_height;
  guint age;
  GstVkSegMapping mapping;
  GstVkSegMask *map;
  GPtrArray *labels;
  gint background;
  /*< private >*/
  GArray *instances;
  gpointer _gst_reserved[GST_PADDING];
};

#define GST_VK_SEG_META_API_TYPE    (gst_vk_seg_meta_api_get_type ())
#define GST_VK_SEG_META_INFO        (gst_vk_seg_meta_get_info ())
#define GST_TYPE_VK_SEG_INSTANCE    (gst_vk_seg_instance_get_type ())
#define GST_TYPE_VK_SEG_RESULT_TYPE (gst_vk_seg_result_type_get_type ())

GST_VK_SEG_API GType gst_vk_seg_meta_api_get_type (void);
GST_VK_SEG_API const GstMetaInfo *gst_vk_seg_meta_get_info (void);
GST_VK_SEG_API GType gst_vk_seg_instance_get_type (void);
GST_VK_SEG_API GType gst_vk_seg_result_type_get_type (void);

/* Making one. */
GST_VK_SEG_API GstVkSegMeta *gst_buffer_add_vk_seg_meta (
    GstBuffer *buffer, GstVkSegResultType type, guint frame_width, guint frame_height);
GST_VK_SEG_API gboolean gst_vk_seg_meta_set_mapping (
    GstVkSegMeta *meta, const GstVkSegMapping *mapping);
GST_VK_SEG_API void gst_vk_seg_meta_set_map (
    GstVkSegMeta *meta, GstVkSegMask *map, GPtrArray *labels, gint background);
GST_VK_SEG_API GstVkSegInstance *gst_vk_seg_meta_add_instance (GstVkSegMeta *meta,
    gint class_id, const gchar *label, gdouble score, const GstVkSegRect *box,
    GstVkSegMask *mask);
GST_VK_SEG_API GstVkSegMeta *gst_vk_seg_meta_copy_region (const GstVkSegMeta *meta,
    GstBuffer *dest, const GstVkSegRect *region, guint width, guint height);

/* Reading one. */
GST_VK_SEG_API GstVkSegMeta *gst_buffer_get_vk_seg_meta (GstBuffer *buffer);
GST_VK_SEG_API guint gst_vk_seg_meta_get_n_instances (const GstVkSegMeta *meta);
GST_VK_SEG_API GstVkSegInstance *gst_vk_seg_meta_get_instance (
    const GstVkSegMeta *meta, guint index);
GST_VK_SEG_API GstVkSegInstance *gst_vk_seg_meta_iterate_instances (
    const GstVkSegMeta *meta, guint *state);
GST_VK_SEG_API GstVkSegInstance *gst_vk_seg_meta_find_track (
    const GstVkSegMeta *meta, gint64 track_id);
GST_VK_SEG_API gboolean gst_vk_seg_meta_get_map_at_size (
    const GstVkSegMeta *meta, guint width, guint height, guint8 *pixels, gsize stride);

GST_VK_SEG_API gboolean gst_vk_seg_meta_get_foreground_at_size (const GstVkSegMeta *meta,
    gboolean soft, guint width, guint height, guint8 *pixels, gsize stride);

GST_VK_SEG_API GstVkSegInstance *gst_vk_seg_instance_copy (
    const GstVkSegInstance *instance);
GST_VK_SEG_API void gst_vk_seg_instance_free (GstVkSegInstance *instance);
GST_VK_SEG_API gboolean gst_vk_seg_instance_get_mask_at_size (
    const GstVkSegInstance *instance, guint width, guint height, guint8 *pixels,
    gsize stride);
GST_VK_SEG_API gboolean gst_vk_seg_instance_get_extent (const GstVkSegInstance *instance,
    guint width, guint height, GstVideoRectangle *extent);
GST_VK_SEG_API gboolean gst_vk_seg_instance_get_mask_in_extent (
    const GstVkSegInstance *instance, guint width, guint height, guint8 *pixels,
    gsize stride);

/* The same in memory of their own. */
GST_VK_SEG_API GBytes *gst_vk_seg_instance_get_mask_bytes (
    const GstVkSegInstance *instance, guint width, guint height);
GST_VK_SEG_API GBytes *gst_vk_seg_meta_get_map_bytes (
    const GstVkSegMeta *meta, guint width, guint height);
GST_VK_SEG_API GBytes *gst_vk_seg_meta_get_foreground_bytes (
    const GstVkSegMeta *meta, gboolean soft, guint width, guint height);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVkSegInstance, gst_vk_seg_instance_free)

G_END_DECLS
