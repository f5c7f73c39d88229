/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "app/register.h"

#include "elements/vkbackground.h"
#include "elements/vksegdemux.h"
#include "elements/vksegment.h"
#include "elements/vksegoverlay.h"
#include "elements/vksegtrack.h"

/* No Vulkan here: a scan of the plugins must not wake a driver. */
gboolean
gst_vk_seg_register_elements (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (vksegment, plugin)
         && GST_ELEMENT_REGISTER (vkbackground, plugin)
         && GST_ELEMENT_REGISTER (vksegdemux, plugin)
         && GST_ELEMENT_REGISTER (vksegoverlay, plugin)
         && GST_ELEMENT_REGISTER (vksegtrack, plugin);
}
