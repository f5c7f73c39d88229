/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"
#include "vk/private.h"

/* How long pipelines live: those of recordings as long as these, and some that nobody uses. */

enum { N = 8, MOST = SEG_PIPELINES_MOST_IDLE };

static SegCmd *
recorded (SegVk *vk, SegBuffer *buffer, int addend)
{
  SegCmd *cmd = test_cmd (vk, FALSE);
  guint align = seg_vk_info (vk)->buffer_align / 4;
  test_add (cmd, buffer, 0, buffer, (N + align - 1) / align * align, N, addend);
  return cmd;
}

/* Runs one, with a pipeline of its own, and forgets it. */
static void
pass (SegVk *vk, SegBuffer *buffer, int addend)
{
  SegCmd *cmd = recorded (vk, buffer, addend);
  test_run (cmd);
  seg_cmd_free (&cmd);
}

static void
bounded (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegBuffer *buffer = test_buffer (vk, 4096, SEG_BUFFER_READBACK);
  for (guint i = 0; i < MOST + 30; i++) {
    pass (vk, buffer, (int) i);
    g_assert_cmpuint (seg_pipelines_count (vk), ==, MIN (i + 1, MOST));
  }
  /* The latest are there, the first is not. */
  pass (vk, buffer, MOST);
  g_assert_cmpuint (seg_pipelines_count (vk), ==, MOST);
  SegCmd *cmd = recorded (vk, buffer, 0);
  g_assert_cmpuint (seg_pipelines_count (vk), ==, MOST + 1);
  seg_cmd_free (&cmd);
  g_assert_cmpuint (seg_pipelines_count (vk), ==, MOST);
  seg_buffer_free (&buffer);
}

/* However many others come and go; and twice in a recording, which another has too. */
static void
held (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegBuffer *mine = test_buffer (vk, 4096, SEG_BUFFER_READBACK);
  SegBuffer *others = test_buffer (vk, 4096, SEG_BUFFER_READBACK);
  gint32 *map = seg_buffer_map (mine);
  SegCmd *cmd = test_cmd (vk, FALSE);
  test_add (cmd, mine, 0, mine, 512, N, -7);
  test_add (cmd, mine, 512, mine, 0, N, -7);
  pass (vk, others, -7);
  for (guint i = 0; i < MOST + 10; i++) {
    SegCmd *other = recorded (vk, others, (int) i);
    seg_cmd_free (&other);
  }
  g_assert_cmpuint (seg_pipelines_count (vk), ==, MOST + 1);
  for (guint i = 0; i < N; i++)
    map[i] = (gint32) i;
  test_run (cmd);
  for (guint i = 0; i < N; i++)
    g_assert_cmpint (map[i], ==, (gint32) i - 14);
  /* Recorded again it has others. */
  g_assert_true (seg_cmd_begin (cmd, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (seg_pipelines_count (vk), ==, MOST);
  test_add (cmd, mine, 0, mine, 512, N, -8);
  test_run (cmd);
  g_assert_cmpint (map[512], ==, -14 - 8);
  seg_cmd_free (&cmd);
  seg_buffer_free (&mine);
  seg_buffer_free (&others);
}

typedef struct {
  SegVk *vk;
  guint id;
} Job;

/* More than are kept, some of them others' too. */
static gpointer
churn (gpointer data)
{
  const Job *job = data;
  SegBuffer *buffer = test_buffer (job->vk, 4096, SEG_BUFFER_READBACK);
  for (guint i = 0; i < MOST; i++) {
    SegCmd *cmd = recorded (job->vk, buffer, (int) ((7 * i + 40 * job->id) % (2 * MOST)));
    if (i % 16 == 0)
      test_run (cmd);
    seg_cmd_free (&cmd);
  }
  seg_buffer_free (&buffer);
  return NULL;
}

static void
threads (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  Job jobs[4];
  GThread *running[G_N_ELEMENTS (jobs)];
  if (vk == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++) {
    jobs[i] = (Job){ vk, i };
    running[i] = g_thread_new ("churn", churn, &jobs[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    g_thread_join (running[i]);
  g_assert_cmpuint (seg_pipelines_count (vk), ==, MOST);
}

/* What is made ahead of recording stays for it, and so does what was there. */
static void
ahead (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegBuffer *buffer = test_buffer (vk, 4096, SEG_BUFFER_READBACK);
  const guint32 spec[] = { 0, MOST };
  SegVkDispatch d[2];
  for (guint i = 0; i < MOST; i++) {
    SegCmd *cmd = recorded (vk, buffer, (int) i);
    seg_cmd_free (&cmd);
  }
  const SegBufferView views[] = { { buffer, 0, 4 * N, SEG_VIEW_STORAGE_READ },
    { buffer, 2048, 4 * N, SEG_VIEW_STORAGE_WRITE } };
  for (guint i = 0; i < 2; i++)
    d[i] = (SegVkDispatch){ .shader = &seg_shader_test_add,
      .spec = &spec[i],
      .n_spec = 1,
      .views = views,
      .n_views = 2,
      .groups = { 1, 1, 1 } };
  seg_vk_make_pipelines (vk, d, 2);
  SegCmd *cmds[MOST];
  for (guint i = 2; i <= MOST; i++)
    cmds[i - 2] = recorded (vk, buffer, (int) i);
  cmds[MOST - 1] = recorded (vk, buffer, 0);
  g_assert_cmpuint (seg_pipelines_count (vk), ==, MOST);
  for (guint i = 0; i < MOST; i++)
    seg_cmd_free (&cmds[i]);
  seg_buffer_free (&buffer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/pipelines/bounded", bounded);
  g_test_add_func ("/vk/pipelines/held", held);
  g_test_add_func ("/vk/pipelines/threads", threads);
  g_test_add_func ("/vk/pipelines/ahead", ahead);
  return g_test_run ();
}
