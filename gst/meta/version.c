/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/gstvksegversion.h"

/* The build's own version, which the headers repeat. */
G_STATIC_ASSERT (GST_VK_SEG_VERSION_MAJOR == VKSEG_MAJOR
                 && GST_VK_SEG_VERSION_MINOR == VKSEG_MINOR
                 && GST_VK_SEG_VERSION_MICRO == VKSEG_MICRO);

/**
 * gst_vk_seg_version:
 * @major: (out) (optional): the first number
 * @minor: (out) (optional): the second
 * @micro: (out) (optional): the third
 *
 * The version of the library that is loaded, which may be newer than the headers.
 *
 * Since: 0.1
 */
void
gst_vk_seg_version (guint *major, guint *minor, guint *micro)
{
  if (major != NULL)
    *major = GST_VK_SEG_VERSION_MAJOR;
  if (minor != NULL)
    *minor = GST_VK_SEG_VERSION_MINOR;
  if (micro != NULL)
    *micro = GST_VK_SEG_VERSION_MICRO;
}
