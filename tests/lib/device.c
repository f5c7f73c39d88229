/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/device.h"

#include "lib/tap.h"

#include <stdio.h>

static gboolean
has_matrices (const SegDeviceInfo *info)
{
  const char *needed = g_getenv ("VKSEG_TEST_MATRICES");

  if (g_strcmp0 (needed, "workgroup") == 0)
    return info->workgroup_matrices.invocations > 0;
  return needed == NULL || info->n_matrix_shapes > 0;
}

SegVk *
seg_test_device (int *status)
{
  SegVkOptions options = { .device = g_getenv ("VKSEG_DEVICE") };
  g_autoptr (GError) error = NULL;
  SegVk *vk = seg_vk_new (&options, &error);

  if (vk != NULL) {
    seg_tap_comment ("device: %s", seg_vk_info (vk)->name);
    if (has_matrices (seg_vk_info (vk)))
      return vk;
    *status = seg_tap_skip_all ("the device has no such cooperative matrices");
    seg_vk_unref (vk);
    return NULL;
  }
  if (g_getenv ("VKSEG_TEST_NEED_DEVICE") != NULL
      || !g_error_matches (error, SEG_ERROR, SEG_ERROR_DEVICE)) {
    printf ("Bail out! %s\n", error->message);
    *status = 1;
  } else {
    *status = seg_tap_skip_all (error->message);
  }
  return NULL;
}
