/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"

enum { THREADS = 4, ROUNDS = 40, N = 100 };

typedef struct {
  SegVk *vk;
  guint id;
} Job;

/* Records and submits over and over; pipelines of ids and rounds meet in the table, some new,
 * some made by another thread at the same moment. */
static gpointer
work (gpointer data)
{
  const Job *job = data;
  guint align = seg_vk_info (job->vk)->buffer_align / 4;
  guint pitch = (N + align - 1) / align * align;
  SegBuffer *buffer = test_buffer (job->vk, 8 * pitch, SEG_BUFFER_READBACK);
  gint32 *map = seg_buffer_map (buffer);
  for (guint round = 0; round < ROUNDS; round++) {
    SegCmd *cmd = test_cmd (job->vk, FALSE);
    int addend = (int) (round / 4 * 100 + job->id / 2);
    for (guint k = 0; k < N; k++)
      map[k] = (gint32) (k + round);
    test_add (cmd, buffer, 0, buffer, pitch, N, addend);
    test_add (cmd, buffer, pitch, buffer, 0, N, addend);
    test_run (cmd);
    for (guint k = 0; k < N; k++)
      g_assert_cmpint (map[k], ==, (gint32) (k + round) + 2 * addend);
    seg_cmd_free (&cmd);
  }
  seg_buffer_free (&buffer);
  seg_vk_unref (job->vk);
  return NULL;
}

static void
run_on (SegVk *const *vks, guint n_vks)
{
  Job jobs[THREADS];
  GThread *threads[THREADS];
  for (guint i = 0; i < THREADS; i++) {
    jobs[i] = (Job){ seg_vk_ref (vks[i % n_vks]), i };
    threads[i] = g_thread_new ("work", work, &jobs[i]);
  }
  for (guint i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
}

static void
one_device (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk != NULL)
    run_on (&vk, 1);
}

static void
two_devices (void)
{
  g_autoptr (SegVk) x = test_device (NULL);
  g_autoptr (SegVk) y = x == NULL ? NULL : test_device (NULL);
  if (x != NULL)
    run_on ((SegVk *[]){ x, y }, 2);
}

static gpointer
make_and_drop (gpointer data)
{
  for (guint i = 0; i < 3; i++) {
    SegVk *vk = test_device (NULL);
    g_assert_nonnull (vk);
    seg_vk_unref (vk);
  }
  return NULL;
}

static void
many_devices (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  GThread *threads[THREADS];
  if (vk == NULL)
    return;
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("make", make_and_drop, NULL);
  for (guint i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/threads/one-device", one_device);
  g_test_add_func ("/vk/threads/two-devices", two_devices);
  g_test_add_func ("/vk/threads/many-devices", many_devices);
  return g_test_run ();
}
