/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "app/session-priv.h"

/**
 * gst_vk_seg_error_quark:
 *
 * For %GST_VK_SEG_ERROR.
 *
 * Returns: the domain of a session's errors
 *
 * Since: 0.1
 */
/* clang-format off */
G_DEFINE_QUARK (gst-vk-seg-error-quark, gst_vk_seg_error)
/* clang-format on */

static GstVkSegError
code_of (const GError *error)
{
  if (error->domain != SEG_ERROR)
    return GST_VK_SEG_ERROR_FAILED;
  switch ((SegError) error->code) {
  case SEG_ERROR_FILE: return GST_VK_SEG_ERROR_FILE;
  case SEG_ERROR_MODEL: return GST_VK_SEG_ERROR_MODEL;
  case SEG_ERROR_UNSUPPORTED:
  case SEG_ERROR_RUN_TIME: return GST_VK_SEG_ERROR_UNSUPPORTED;
  case SEG_ERROR_INPUT: return GST_VK_SEG_ERROR_INPUT;
  case SEG_ERROR_DEVICE: return GST_VK_SEG_ERROR_DEVICE;
  case SEG_ERROR_MEMORY: return GST_VK_SEG_ERROR_MEMORY;
  }
  return GST_VK_SEG_ERROR_FAILED;
}

void
seg_app_propagate (GError **to, GError *error)
{
  g_set_error_literal (to, GST_VK_SEG_ERROR, code_of (error), error->message);
  g_error_free (error);
}

GType
gst_vk_seg_error_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = { { GST_VK_SEG_ERROR_FILE, "A file cannot be read",
                                           "file" },
    { GST_VK_SEG_ERROR_MODEL, "It is no ONNX file", "model" },
    { GST_VK_SEG_ERROR_UNSUPPORTED, "The network does what vkseg cannot do",
        "unsupported" },
    { GST_VK_SEG_ERROR_INPUT, "A property or a frame does not fit", "input" },
    { GST_VK_SEG_ERROR_DEVICE, "There is no Vulkan device, or it failed", "device" },
    { GST_VK_SEG_ERROR_MEMORY, "Not enough memory", "memory" },
    { GST_VK_SEG_ERROR_FAILED, "Something else", "failed" }, { 0, NULL, NULL } };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVkSegError", values));
  return type;
}
