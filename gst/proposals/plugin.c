/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proposals/vksegproposals.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (vksegproposals, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vksegproposals,
    "Region proposals by selective search", plugin_init, VKSEG_VERSION, "LGPL", "vkseg",
    VKSEG_URL)
