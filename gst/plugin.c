/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/vksegdemux.h"
#include "elements/vksegment.h"
#include "elements/vksegoverlay.h"
#include "elements/vksegtrack.h"

/* No Vulkan here: a scan of the plugins must not wake a driver. */
static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (vksegment, plugin)
         && GST_ELEMENT_REGISTER (vksegdemux, plugin)
         && GST_ELEMENT_REGISTER (vksegoverlay, plugin)
         && GST_ELEMENT_REGISTER (vksegtrack, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vkseg,
    "Segmentation of video with ONNX networks on Vulkan", plugin_init, VKSEG_VERSION,
    "LGPL", "vkseg", VKSEG_URL)
