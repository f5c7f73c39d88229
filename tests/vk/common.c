/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"

SegVk *
test_device (const SegVkOptions *options)
{
  g_autoptr (GError) error = NULL;
  SegVkOptions with_device = { 0 };
  if (options != NULL)
    with_device = *options;
  if (with_device.device == NULL)
    with_device.device = g_getenv ("VKSEG_DEVICE");
  SegVk *vk = seg_vk_new (&with_device, &error);
  if (vk != NULL)
    return vk;
  if (g_getenv ("VKSEG_TEST_NEED_DEVICE") != NULL)
    g_assert_no_error (error);
  g_test_skip (error->message);
  return NULL;
}

SegBuffer *
test_buffer (SegVk *vk, gsize n_bytes, SegBufferUse use)
{
  g_autoptr (GError) error = NULL;
  SegBuffer *buffer = seg_buffer_new (vk, n_bytes, use, &error);
  g_assert_no_error (error);
  g_assert_nonnull (buffer);
  return buffer;
}

SegCmd *
test_cmd (SegVk *vk, gboolean timed)
{
  g_autoptr (GError) error = NULL;
  SegCmd *cmd = seg_cmd_new (vk, timed, &error);
  g_assert_no_error (error);
  seg_cmd_begin (cmd, &error);
  g_assert_no_error (error);
  return cmd;
}

void
test_run (SegCmd *cmd)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = seg_cmd_end (cmd, &error) && seg_cmd_submit (cmd, &error)
                && seg_cmd_wait (cmd, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

void
test_add (
    SegCmd *cmd, SegBuffer *a, guint from, SegBuffer *b, guint to, guint n, int addend)
{
  g_autoptr (GError) error = NULL;
  const guint32 spec = (guint32) addend, push = n;
  const SegBufferView views[] = { { a, 4 * from, 4 * n, SEG_VIEW_STORAGE_READ },
    { b, 4 * to, 4 * n, SEG_VIEW_STORAGE_WRITE } };
  const SegVkDispatch d = {
    .shader = &seg_shader_test_add,
    .spec = &spec,
    .n_spec = 1,
    .views = views,
    .n_views = 2,
    .push = &push,
    .n_push = 1,
    .groups = { (n + 63) / 64, 1, 1 },
  };
  seg_cmd_dispatch (cmd, &d, &error);
  g_assert_no_error (error);
}
