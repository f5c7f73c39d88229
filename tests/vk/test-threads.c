/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"

enum { THREADS = 4, ROUNDS = 40, N = 100 };

/* What threads use of the table of pipelines. */
typedef enum {
  PIPELINE_ONE,  /* the same all the time */
  PIPELINES_OWN, /* each makes its own as it goes */
  PIPELINES_SHARED /* ids and rounds meet: some are new, some are made by another at this moment */
} Pipelines;

typedef struct {
  SegVk *vk;
  guint id;
  Pipelines pipelines;
} Job;

static int
addend_of (const Job *job, guint round)
{
  int by_round = (int) (round / 4 * 100);
  return job->pipelines == PIPELINE_ONE    ? 7
         : job->pipelines == PIPELINES_OWN ? by_round + (int) job->id
                                           : by_round + (int) job->id / 2;
}

static gboolean
run_cmd (SegCmd *cmd, GError **error)
{
  return seg_cmd_end (cmd, error) && seg_cmd_submit (cmd, error)
         && seg_cmd_wait (cmd, error);
}

/* NULL, or what went wrong, newly allocated. */
static char *
work_once (const Job *job, guint round, SegBuffer *buffer, guint pitch)
{
  g_autoptr (GError) error = NULL;
  gint32 *map = seg_buffer_map (buffer);
  SegCmd *cmd = seg_cmd_new (job->vk, FALSE, &error);
  int addend = addend_of (job, round), wrong = -1;
  if (cmd != NULL && seg_cmd_begin (cmd, &error)) {
    for (guint k = 0; k < N; k++)
      map[k] = (gint32) (k + round);
    test_add (cmd, buffer, 0, buffer, pitch, N, addend);
    test_add (cmd, buffer, pitch, buffer, 0, N, addend);
    run_cmd (cmd, &error);
    for (guint k = 0; k < N && error == NULL && wrong < 0; k++)
      if (map[k] != (gint32) (k + round) + 2 * addend)
        wrong = (int) k;
  }
  seg_cmd_free (&cmd);
  return error == NULL && wrong < 0
             ? NULL
             : g_strdup_printf ("thread %u, round %u, addend %d: %s%d", job->id, round,
                 addend, error != NULL ? error->message : "wrong from number ", wrong);
}

/* Records and submits over and over; what went wrong. */
static gpointer
work (gpointer data)
{
  const Job *job = data;
  guint align = seg_vk_info (job->vk)->buffer_align / 4;
  guint pitch = (N + align - 1) / align * align;
  SegBuffer *buffer = test_buffer (job->vk, 8 * pitch, SEG_BUFFER_READBACK);
  char *wrong = NULL;
  for (guint round = 0; round < ROUNDS && wrong == NULL; round++)
    wrong = work_once (job, round, buffer, pitch);
  seg_buffer_free (&buffer);
  seg_vk_unref (job->vk);
  return wrong;
}

static void
run_on (SegVk *const *vks, guint n_vks, Pipelines pipelines)
{
  Job jobs[THREADS];
  GThread *threads[THREADS];
  for (guint i = 0; i < THREADS; i++) {
    jobs[i] = (Job){ seg_vk_ref (vks[i % n_vks]), i, pipelines };
    threads[i] = g_thread_new ("work", work, &jobs[i]);
  }
  for (guint i = 0; i < THREADS; i++) {
    g_autofree char *wrong = g_thread_join (threads[i]);
    if (wrong == NULL)
      continue;
    g_test_message ("%s", wrong);
    g_test_fail ();
  }
}

static void
one_device (gconstpointer pipelines)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk != NULL)
    run_on (&vk, 1, GPOINTER_TO_UINT (pipelines));
}

static void
two_devices (void)
{
  g_autoptr (SegVk) x = test_device (NULL);
  g_autoptr (SegVk) y = x == NULL ? NULL : test_device (NULL);
  if (x != NULL)
    run_on ((SegVk *[]){ x, y }, 2, PIPELINES_SHARED);
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
  g_test_add_data_func (
      "/vk/threads/one-pipeline", GUINT_TO_POINTER (PIPELINE_ONE), one_device);
  g_test_add_data_func (
      "/vk/threads/own-pipelines", GUINT_TO_POINTER (PIPELINES_OWN), one_device);
  g_test_add_data_func (
      "/vk/threads/shared-pipelines", GUINT_TO_POINTER (PIPELINES_SHARED), one_device);
  g_test_add_func ("/vk/threads/two-devices", two_devices);
  g_test_add_func ("/vk/threads/many-devices", many_devices);
  return g_test_run ();
}
