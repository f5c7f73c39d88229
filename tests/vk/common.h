/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

G_BEGIN_DECLS

/* GLib's test functions abort on a g_critical, and so on any message of the validation layer. */

extern const SegShader seg_shader_test_add, seg_shader_test_fetch, seg_shader_test_views;

/* A device for a test (VKSEG_DEVICE chooses one); options may be NULL. Where there is none, NULL
 * and the test is skipped, or fails when VKSEG_TEST_NEED_DEVICE is set. */
SegVk *test_device (const SegVkOptions *options);
/* Fails the test when it cannot be had. */
SegBuffer *test_buffer (SegVk *vk, gsize n_bytes, SegBufferUse use);
SegCmd *test_cmd (SegVk *vk, gboolean timed); /* and begins it */
void test_run (SegCmd *cmd);                  /* ends, submits and waits */

/* Records b[i] = a[i] + addend for n ints from element `from` of a to element `to` of b, which
 * are multiples of buffer_align in bytes. */
void test_add (
    SegCmd *cmd, SegBuffer *a, guint from, SegBuffer *b, guint to, guint n, int addend);

G_END_DECLS
