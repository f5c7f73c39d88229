/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gstvksegmask.h"

G_BEGIN_DECLS

/**
 * GST_VK_SEG_VERSION_MAJOR:
 *
 * The first number of the headers' version.
 *
 * Since: 0.1
 */
#define GST_VK_SEG_VERSION_MAJOR 0
/**
 * GST_VK_SEG_VERSION_MINOR:
 *
 * The second number of the headers' version.
 *
 * Since: 0.1
 */
#define GST_VK_SEG_VERSION_MINOR 1
/**
 * GST_VK_SEG_VERSION_MICRO:
 *
 * The third number of the headers' version.
 *
 * Since: 0.1
 */
#define GST_VK_SEG_VERSION_MICRO 0

/**
 * GST_VK_SEG_CHECK_VERSION:
 * @major: a number
 * @minor: a number
 * @micro: a number
 *
 * Whether the headers are of this version or a newer one.
 *
 * Since: 0.1
 */
#define GST_VK_SEG_CHECK_VERSION(major, minor, micro)                                    \
  (GST_VK_SEG_VERSION_MAJOR > (major)                                                    \
      || (GST_VK_SEG_VERSION_MAJOR == (major)                                            \
          && (GST_VK_SEG_VERSION_MINOR > (minor)                                         \
              || (GST_VK_SEG_VERSION_MINOR == (minor)                                    \
                  && GST_VK_SEG_VERSION_MICRO >= (micro)))))

GST_VK_SEG_API void gst_vk_seg_version (guint *major, guint *minor, guint *micro);

G_END_DECLS
