/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vkbackground
 * @title: vkbackground
 *
 * Blurs what is behind a person, or puts a colour or a picture in its place: #vksegment with
 * output=background, a matte that does not flicker, and no more latency than that; every property of
 * vksegment is here as well. What is in front does not show in the blur: there is no halo around it. Until the
 * network has seen the first frame, none is let through.
 *
 * The foreground is what the network says: a person for the default one, any salient object for
 * u2netp; for networks with classes those that their model information calls foreground and that
 * #GstVkSegment:classes names; of those that find objects all, or `classes`.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vkbackground ! videoconvert ! autovideosink
 * ]| A webcam with a blurred background.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vkbackground background=image background-image=beach.jpg ! videoconvert ! autovideosink
 * ]| A person before another place.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vkbackground background=color background-color=0xff203040 mode=async ! videoconvert ! autovideosink
 * ]| Before a colour, on a machine on which the network takes longer than a frame.
 */
#include "elements/vkbackground.h"

#include "elements/vksegment-priv.h"

typedef struct {
  GstVkSegment parent;
} GstVkBackground;

typedef struct {
  GstVkSegmentClass parent_class;
} GstVkBackgroundClass;

#define SMOOTHING 0.5

G_DEFINE_TYPE (GstVkBackground, gst_vk_background, GST_TYPE_VK_SEGMENT)
GST_ELEMENT_REGISTER_DEFINE (
    vkbackground, "vkbackground", GST_RANK_NONE, GST_TYPE_VK_BACKGROUND)

static void
gst_vk_background_init (GstVkBackground *self)
{
  self->parent.settings.output = SEG_OUTPUT_BACKGROUND;
  self->parent.settings.smoothing = SMOOTHING;
}

/* The same property with another default. */
static void
gst_vk_background_class_init (GstVkBackgroundClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  /* not inherited; the property's class is asked */
  object_class->set_property =
      G_OBJECT_CLASS (gst_vk_background_parent_class)->set_property;
  object_class->get_property =
      G_OBJECT_CLASS (gst_vk_background_parent_class)->get_property;
  seg_settings_install_output (object_class, SEG_OUTPUT_BACKGROUND);
  seg_settings_install_smoothing (object_class, SMOOTHING);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Another background, on Vulkan", "Filter/Effect/Video",
      "Blurs or replaces the background of video with an ONNX network on Vulkan",
      "vkseg");
}
