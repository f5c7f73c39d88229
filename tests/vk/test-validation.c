/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That the validation layer would see mistakes: each is made in a process of its own, where its
 * message does not abort. */
#include "vk/common.h"
#include "vk/private.h"

#include <unistd.h>

static SegVk *
child_device (void)
{
  const SegVkOptions options = { .validate = TRUE };
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  g_unsetenv ("VKSEG_VALIDATE");
  SegVk *vk = test_device (&options);
  g_assert_nonnull (vk);
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  return vk;
}

static void
in_child (const char *expected)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr (expected);
}

/* A dispatch without the push constants that its shader reads. */
static void
missing_push (void)
{
  if (!g_test_subprocess ()) {
    in_child ("*CRITICAL*Vulkan validation*");
    return;
  }
  g_autoptr (SegVk) vk = child_device ();
  SegBuffer *buffer = test_buffer (vk, 8192, SEG_BUFFER_DEVICE);
  SegCmd *cmd = test_cmd (vk, FALSE);
  const SegBufferView views[] = { { buffer, 0, 4096, SEG_VIEW_STORAGE_READ },
    { buffer, 4096, 4096, SEG_VIEW_STORAGE_WRITE } };
  const SegVkDispatch d = { &seg_shader_test_add, NULL, 0, views, 2, NULL, 0, { 1, 1, 1 },
    NULL };
  g_assert_true (seg_cmd_dispatch (cmd, &d, NULL));
  g_assert_cmpuint (seg_vk_validation_messages (), >, 0);
  seg_cmd_free (&cmd);
  seg_buffer_free (&buffer);
}

/* A barrier that is missing because the tracker has been made to forget: synchronisation
 * validation is on. (Layer 1.3.239 sees reads after writes and writes after reads, but not a
 * dispatch's write after another's: those only test-barrier and test-hazards look for.) */
static void
missing_barrier (void)
{
  if (!g_test_subprocess ()) {
    in_child ("*CRITICAL*SYNC-HAZARD-*");
    return;
  }
  g_autoptr (SegVk) vk = child_device ();
  SegBuffer *buffer = test_buffer (vk, 8192, SEG_BUFFER_DEVICE);
  SegCmd *cmd = test_cmd (vk, FALSE);
  g_assert_true (seg_cmd_fill (cmd, buffer, 0, 8192, 0, NULL));
  test_add (cmd, buffer, 0, buffer, 1024, 1024, 1);
  g_assert_cmpuint (seg_cmd_n_barriers (cmd), ==, 1);
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  seg_hazards_clear (cmd->hazards);
  test_add (cmd, buffer, 1024, buffer, 0, 1024, 1);
  g_assert_cmpuint (seg_cmd_n_barriers (cmd), ==, 1);
  g_assert_cmpuint (seg_vk_validation_messages (), >, 0);
  seg_cmd_free (&cmd);
  seg_buffer_free (&buffer);
}

/* A buffer that goes while a recording that uses it runs. */
static void
freed_buffer (void)
{
  if (!g_test_subprocess ()) {
    in_child ("*CRITICAL*Vulkan validation*");
    return;
  }
  g_autoptr (SegVk) vk = child_device ();
  SegBuffer *a = test_buffer (vk, 4096, SEG_BUFFER_DEVICE);
  SegBuffer *b = test_buffer (vk, 4096, SEG_BUFFER_DEVICE);
  SegCmd *cmd = test_cmd (vk, FALSE);
  test_add (cmd, a, 0, b, 0, 1024, 1);
  g_assert_true (seg_cmd_end (cmd, NULL));
  seg_buffer_free (&a);
  seg_cmd_submit (cmd, NULL);
  g_assert_cmpuint (seg_vk_validation_messages (), >, 0);
  _exit (g_test_failed ()); /* the device runs on freed memory */
}

/* In any other test: a message aborts. */
static void
aborts (void)
{
  if (g_test_subprocess ()) {
    g_critical ("Vulkan validation: x");
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/validation/missing-push", missing_push);
  g_test_add_func ("/vk/validation/missing-barrier", missing_barrier);
  g_test_add_func ("/vk/validation/freed-buffer", freed_buffer);
  g_test_add_func ("/vk/validation/aborts", aborts);
  return g_test_run ();
}
