/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matrix units of the device are tried out, and trusted, for fp16. */
#include "engine/self-test.h"
#include "lib/device.h"
#include "lib/tap.h"

int
main (void)
{
  SegTap tap = { 0 };
  int status = 0;
  SegVk *vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  guint n = seg_vk_info (vk)->n_matrix_shapes;
  for (guint i = 0; i < n; i++) {
    const SegMatrixShape *s = &seg_vk_info (vk)->matrix_shapes[i];
    seg_tap_comment ("%ux%ux%u", s->m, s->n, s->k);
  }
  SegDeviceInfo first = seg_trusted_info (vk, SEG_STORAGE_F16);
  seg_tap_result (
      &tap, first.n_matrix_shapes == n, "the device's matrices compute right", NULL);
  guint by_workgroups = seg_vk_info (vk)->workgroup_matrices.invocations;
  seg_tap_result (&tap, first.workgroup_matrices.invocations == by_workgroups,
      "so do those of workgroups, if there are any", NULL);
  gint64 start = g_get_monotonic_time ();
  SegDeviceInfo again = seg_trusted_info (vk, SEG_STORAGE_F16);
  gint64 took = g_get_monotonic_time () - start;
  seg_tap_comment ("asked again: %d us", (int) took);
  seg_tap_result (&tap, again.n_matrix_shapes == first.n_matrix_shapes,
      "so does a second call", NULL);
  seg_tap_result (&tap, seg_vk_validation_messages () == 0,
      "no messages from the validation layer", NULL);
  seg_vk_unref (vk);
  return seg_tap_finish (&tap);
}
