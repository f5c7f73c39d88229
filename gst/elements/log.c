/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/log.h"

#include "base/log.h"

#include <gst/gst.h>

static struct {
  const char *room, *name, *what;
  GstDebugCategory *category;
} rooms[] = {
  { "base", "vkseg-base", "vkseg: what elements share", NULL },
  { "onnx", "vkseg-onnx", "vkseg: model files", NULL },
  { "graph", "vkseg-graph", "vkseg: networks, shapes, fusion", NULL },
  { "ops", "vkseg-ops", "vkseg: operators", NULL },
  { "vk", "vkseg-vk", "vkseg: Vulkan devices, memory, pipelines", NULL },
  { "engine", "vkseg-engine", "vkseg: precision, kernels, tuning", NULL },
  { "frame", "vkseg-frame", "vkseg: frames to tensors and back", NULL },
};

static void
sink (const char *room, SegLogLevel level, const char *file, const char *function,
    int line, const char *message)
{
  for (guint i = 0; i < G_N_ELEMENTS (rooms); i++)
    if (g_str_equal (rooms[i].room, room))
      gst_debug_log (rooms[i].category,
          level == SEG_LOG_INFO ? GST_LEVEL_INFO : GST_LEVEL_DEBUG, file, function, line,
          NULL, "%s", message);
}

void
seg_log_to_gst (void)
{
  static gsize once = 0;
  if (!g_once_init_enter (&once))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (rooms); i++)
    rooms[i].category = _gst_debug_category_new (rooms[i].name, 0, rooms[i].what);
  seg_log_set_sink (sink);
  g_once_init_leave (&once, 1);
}
