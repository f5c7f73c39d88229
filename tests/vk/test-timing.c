/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"

/* Past one query pool, with commands that do nothing among them. */
enum { COMMANDS = 600 };

static void
times (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  if (!seg_vk_info (vk)->timestamps) {
    g_assert_null (seg_cmd_new (vk, TRUE, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
    return;
  }
  const guint small = 64;
  /* On a GPU starting a dispatch takes some microseconds: what is large takes many. */
  const SegDeviceInfo *info = seg_vk_info (vk);
  const guint large = info->type == SEG_DEVICE_CPU
                          ? 1 << 17
                          : MIN (1u << 24, 64 * MIN (info->max_groups[0], 1u << 18));
  SegBuffer *a = test_buffer (vk, 4 * large, SEG_BUFFER_DEVICE);
  SegBuffer *b = test_buffer (vk, 4 * large, SEG_BUFFER_DEVICE);
  SegCmd *cmd = test_cmd (vk, TRUE);
  for (guint i = 0; i < COMMANDS; i++)
    if (i % 3 == 2)
      g_assert_true (seg_cmd_copy (cmd, a, 0, b, 0, 0, &error));
    else
      test_add (cmd, a, 0, b, 0, i % 3 == 0 ? large : small, 1);
  g_assert_cmpuint (seg_cmd_n_dispatches (cmd), ==, COMMANDS);

  guint64 ns[COMMANDS], sum = 0, least[3] = { G_MAXUINT64, G_MAXUINT64, G_MAXUINT64 };
  g_assert_false (seg_cmd_times (cmd, ns, COMMANDS, NULL)); /* still recording */
  seg_cmd_end (cmd, &error);
  g_assert_no_error (error);
  g_assert_false (seg_cmd_times (cmd, ns, COMMANDS, NULL)); /* never run */
  gint64 start = g_get_monotonic_time ();
  seg_cmd_submit (cmd, &error);
  g_assert_no_error (error);
  seg_cmd_wait (cmd, &error);
  g_assert_no_error (error);
  gint64 wall_ns = (g_get_monotonic_time () - start) * 1000;
  g_assert_false (seg_cmd_times (cmd, ns, COMMANDS - 1, NULL));
  seg_cmd_times (cmd, ns, COMMANDS, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < COMMANDS; i++) {
    sum += ns[i];
    least[i % 3] = MIN (least[i % 3], ns[i]);
  }
  g_test_message ("%.3f of %.3f ms; least: large %.1f us, small %.1f, none %.1f",
      (double) sum / 1e6, (double) wall_ns / 1e6, (double) least[0] / 1e3,
      (double) least[1] / 1e3, (double) least[2] / 1e3);
  /* The least, since others may use the machine. */
  g_assert_cmpuint (least[0], >, 4 * least[1]);
  g_assert_cmpuint (least[1], >, 0);
  g_assert_cmpuint (sum, <=, (guint64) wall_ns);
  seg_cmd_free (&cmd);
  seg_buffer_free (&a);
  seg_buffer_free (&b);
}

static void
not_timed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegCmd *cmd = test_cmd (vk, FALSE);
  test_run (cmd);
  g_assert_false (seg_cmd_times (cmd, NULL, 0, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  seg_cmd_free (&cmd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/timing/times", times);
  g_test_add_func ("/vk/timing/not-timed", not_timed);
  return g_test_run ();
}
