/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each Vulkan call in turn fails: the error is the right one, nothing crashes and nothing leaks
 * (built with a sanitizer). VKSEG_TEST_LAYER_DIR is the folder of the fault layer. */
#include "vk/common.h"
#include "vk/fault-layer.h"
#include "vk/fault-open.h"
#include "vk/private.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static TestFault *fault;

/* All there is to do with a device once; what fails stops it. */
typedef struct {
  SegVk *vk;
  SegBuffer *device, *down;
  SegCmd *cmd;
} Scene;

static gboolean
make (Scene *s, const char *cache_dir, GError **error)
{
  const SegVkOptions options = { .device = g_getenv ("VKSEG_DEVICE"),
    .cache_dir = cache_dir };
  return (s->vk = seg_vk_new (&options, error)) != NULL
         && (s->device = seg_buffer_new (s->vk, 1024, SEG_BUFFER_DEVICE, error)) != NULL
         && (s->down = seg_buffer_new (s->vk, 1024, SEG_BUFFER_READBACK, error)) != NULL
         && (s->cmd = seg_cmd_new (s->vk, TRUE, error)) != NULL;
}

static gboolean
dispatch (Scene *s, GError **error)
{
  const SegBufferView views[] = { { s->device, 0, 256, SEG_VIEW_TEXEL_I32X4 },
    { s->device, 256, 256, SEG_VIEW_STORAGE_WRITE } };
  const guint32 addend = 5, n = 64;
  const SegVkDispatch d = { &seg_shader_test_fetch, &addend, 1, views, 2, &n, 1,
    { 1, 1, 1 }, NULL };
  return seg_cmd_dispatch (s->cmd, &d, error);
}

static gboolean
work (Scene *s, GError **error)
{
  guint64 ns[3];
  return seg_cmd_begin (s->cmd, error)
         && seg_cmd_fill (s->cmd, s->device, 0, 256, 37, error) && dispatch (s, error)
         && seg_cmd_copy (s->cmd, s->device, 256, s->down, 0, 256, error)
         && seg_cmd_end (s->cmd, error) && seg_cmd_submit (s->cmd, error)
         && seg_cmd_wait (s->cmd, error) && seg_cmd_times (s->cmd, ns, 3, error);
}

static void
drop (Scene *s)
{
  seg_cmd_free (&s->cmd);
  seg_buffer_free (&s->device);
  seg_buffer_free (&s->down);
  g_clear_pointer (&s->vk, seg_vk_unref);
}

static void
check_result (const Scene *s)
{
  const gint32 *result = seg_buffer_map (s->down);
  for (guint i = 0; i < 64; i++)
    g_assert_cmpint (result[i], ==, 42);
}

static void
set_fault (int countdown, VkResult result, const char *name)
{
  *fault = (TestFault){ countdown, result, name, NULL };
}

/* A cache that cannot be kept is no error, and memory that one type has not another may have. */
static gboolean
may_succeed (const char *name)
{
  return g_str_equal (name, "vkGetPipelineCacheData")
         || g_str_equal (name, "vkAllocateMemory");
}

/* Call k fails; FALSE when there were not as many. */
static gboolean
fail_call (int k, VkResult result, SegError code, const char *cache_dir)
{
  g_autoptr (GError) error = NULL;
  Scene s = { 0 };
  set_fault (k, result, NULL);
  gboolean ok = make (&s, cache_dir, &error) && work (&s, &error);
  const char *failed = fault->failed;
  if (ok)
    check_result (&s);
  else {
    g_test_message ("%d: %s: %s", k, failed, error->message);
    g_assert_nonnull (failed);
    g_assert_error (error, SEG_ERROR, (int) code);
    g_assert_nonnull (strstr (error->message, seg_vk_result_name (result)));
  }
  drop (&s);
  g_assert_true (!ok || fault->failed == NULL || may_succeed (fault->failed));
  return fault->failed != NULL;
}

static void
each_call (VkResult result, SegError code)
{
  g_autofree char *dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  int k = 0;
  while (fail_call (k, result, code, dir))
    k++;
  g_assert_cmpint (k, >, 25);
  g_autofree char *path = NULL;
  guint n = 0;
  g_autofree SegDeviceInfo *infos = seg_vk_list (&n, NULL);
  for (guint i = 0; i < n; i++) {
    g_free (path);
    path = seg_cache_path (dir, &infos[i]);
    g_remove (path);
  }
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static void
no_memory (void)
{
  each_call (VK_ERROR_OUT_OF_HOST_MEMORY, SEG_ERROR_MEMORY);
}

static void
lost (void)
{
  each_call (VK_ERROR_DEVICE_LOST, SEG_ERROR_DEVICE);
}

/* After a lost device, everything says so; and a new device works. */
static void
lost_for_good (void)
{
  static const char *const names[] = { "vkQueueSubmit", "vkWaitForFences" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    Scene s = { 0 };
    g_autoptr (GError) first = NULL;
    set_fault (0, VK_ERROR_DEVICE_LOST, names[i]);
    g_assert_true (make (&s, NULL, &first));
    g_assert_false (work (&s, &first));
    g_assert_error (first, SEG_ERROR, SEG_ERROR_DEVICE);
    set_fault (-1, VK_SUCCESS, NULL);
    for (guint what = 0; what < 5; what++) {
      g_autoptr (GError) error = NULL;
      gboolean ok = what == 0
                        ? seg_buffer_new (s.vk, 64, SEG_BUFFER_DEVICE, &error) != NULL
                    : what == 1 ? seg_cmd_new (s.vk, FALSE, &error) != NULL
                    : what == 2 ? seg_cmd_begin (s.cmd, &error)
                    : what == 3 ? seg_cmd_submit (s.cmd, &error)
                                : seg_cmd_wait (s.cmd, &error);
      g_assert_false (ok);
      g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
      g_assert_nonnull (strstr (error->message, "device lost"));
    }
    drop (&s);
    g_assert_true (make (&s, NULL, NULL) && work (&s, NULL));
    check_result (&s);
    drop (&s);
  }
}

/* Of two devices one is lost. */
static void
lost_alone (void)
{
  Scene first = { 0 }, second = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (make (&first, NULL, NULL) && make (&second, NULL, NULL));
  set_fault (0, VK_ERROR_DEVICE_LOST, "vkQueueSubmit");
  g_assert_false (work (&first, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  g_assert_true (work (&second, NULL));
  check_result (&second);
  drop (&first);
  drop (&second);
}

/* A recording that counts how often it has run, and takes its time. */
#define N_RUNS     64
#define N_COUNTERS (1 << 18)

static SegCmd *
counter (Scene *s)
{
  const gsize n_bytes = 4 * N_COUNTERS;
  g_assert_nonnull (s->vk = test_device (NULL));
  s->device = test_buffer (s->vk, 2 * n_bytes, SEG_BUFFER_DEVICE);
  s->down = test_buffer (s->vk, n_bytes, SEG_BUFFER_READBACK);
  s->cmd = test_cmd (s->vk, FALSE);
  g_assert_true (seg_cmd_fill (s->cmd, s->device, 0, n_bytes, 0, NULL));
  test_run (s->cmd);
  g_assert_true (seg_cmd_begin (s->cmd, NULL));
  test_add (s->cmd, s->device, 0, s->device, N_COUNTERS, N_COUNTERS, 1);
  test_add (s->cmd, s->device, N_COUNTERS, s->device, 0, N_COUNTERS, 0);
  g_assert_true (seg_cmd_copy (s->cmd, s->device, 0, s->down, 0, n_bytes, NULL)
                 && seg_cmd_end (s->cmd, NULL));
  return s->cmd;
}

/* None is still running. */
static void
check_count (const Scene *s, gint32 n_runs)
{
  const gint32 *count = seg_buffer_map (s->down);
  g_assert_cmpint (count[0], ==, n_runs);
  g_assert_cmpint (count[N_COUNTERS - 1], ==, n_runs);
}

static void
lose (Scene *s)
{
  set_fault (0, VK_ERROR_DEVICE_LOST, "vkAllocateMemory");
  g_assert_null (seg_buffer_new (s->vk, 64, SEG_BUFFER_DEVICE, NULL));
}

/* What is on its way when a device is found lost is waited for: until then it uses what was recorded. */
static void
lost_in_flight (void)
{
  g_autoptr (GError) error = NULL;
  Scene s = { 0 };
  g_assert_true (seg_cmd_submit_times (counter (&s), N_RUNS, NULL));
  lose (&s);
  g_assert_false (seg_cmd_wait (s.cmd, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  check_count (&s, N_RUNS);
  drop (&s);
}

static void
lost_batch (void)
{
  g_autoptr (GError) error = NULL;
  Scene s = { 0 };
  SegCmd *cmd = counter (&s);
  SegBatch *batch = seg_batch_new (s.vk, NULL);
  for (guint i = 0; i < N_RUNS; i++)
    g_assert_true (seg_batch_submit (batch, &cmd, 1, FALSE, NULL));
  lose (&s);
  seg_batch_close (batch, N_RUNS);
  check_count (&s, N_RUNS);
  g_assert_false (seg_batch_wait (batch, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  seg_batch_free (&batch);
  drop (&s);
}

/* The submission that loses the device may have been taken: nothing of it is running when the error comes. */
static void
lost_by_submission (void)
{
  for (guint batched = 0; batched < 2; batched++) {
    g_autoptr (GError) error = NULL;
    SegCmd *cmds[N_RUNS];
    Scene s = { 0 };
    counter (&s);
    for (guint i = 0; i < N_RUNS; i++)
      cmds[i] = s.cmd;
    SegBatch *batch = seg_batch_new (s.vk, NULL);
    set_fault (0, VK_ERROR_DEVICE_LOST, "vkQueueSubmit");
    g_assert_false (batched ? seg_batch_submit (batch, cmds, N_RUNS, FALSE, &error)
                            : seg_cmd_submit_times (s.cmd, N_RUNS, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
    check_count (&s, N_RUNS);
    seg_batch_free (&batch);
    drop (&s);
  }
}

/* Of several submissions the second fails: nothing of them is running when the error comes. */
static void
half_submitted (void)
{
  static const VkResult results[] = { VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_DEVICE_LOST };
  for (guint i = 0; i < G_N_ELEMENTS (results); i++) {
    Scene s = { 0 };
    SegCmd *cmd = counter (&s);
    set_fault (1, results[i], "vkQueueSubmit");
    gboolean is_lost = results[i] == VK_ERROR_DEVICE_LOST;
    g_assert_false (seg_cmd_submit_times (cmd, 2 * N_RUNS, NULL));
    check_count (&s, is_lost ? 2 * N_RUNS : N_RUNS);
    set_fault (-1, VK_SUCCESS, NULL);
    g_assert_true ((seg_cmd_submit (cmd, NULL) && seg_cmd_wait (cmd, NULL)) != is_lost);
    drop (&s);
  }
}

/* Memory that one type has not, another has: UPLOAD and READBACK buffers fall back; whether there
 * is another type is the device's affair. */
static void
out_of_memory (void)
{
  Scene s = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (make (&s, NULL, NULL));
  set_fault (0, VK_ERROR_OUT_OF_DEVICE_MEMORY, "vkAllocateMemory");
  SegBuffer *buffer = seg_buffer_new (s.vk, 123456, SEG_BUFFER_READBACK, &error);
  g_assert_nonnull (fault->failed);
  set_fault (-1, VK_SUCCESS, NULL);
  if (buffer == NULL) {
    g_assert_error (error, SEG_ERROR, SEG_ERROR_MEMORY);
    g_assert_nonnull (strstr (error->message, "123456"));
  }
  seg_buffer_free (&buffer);
  drop (&s);
}

/* Pipelines that are made ahead: each once, what cannot be is left to the recording, which finds the
 * others. The dispatches, by addend and offset of their first view: */
static const struct {
  guint32 addend;
  gsize offset;
  guint n_groups;
} ahead_cases[] = { { 5, 0, 1 }, { 6, 0, 1 }, { 5, 0, 1 }, { 7, 3, 1 }, { 8, 0, 0 },
  { 5, 256, 1 } };

static void
make_ahead (Scene *s)
{
  const guint32 n = 64;
  SegBufferView views[G_N_ELEMENTS (ahead_cases)][2];
  SegVkDispatch d[G_N_ELEMENTS (ahead_cases)];
  for (guint i = 0; i < G_N_ELEMENTS (d); i++) {
    views[i][0] =
        (SegBufferView){ s->device, ahead_cases[i].offset, 256, SEG_VIEW_TEXEL_I32X4 };
    views[i][1] = (SegBufferView){ s->device, 256, 256, SEG_VIEW_STORAGE_WRITE };
    d[i] = (SegVkDispatch){ &seg_shader_test_fetch, &ahead_cases[i].addend, 1, views[i],
      2, &n, 1, { ahead_cases[i].n_groups, 1, 1 }, NULL };
  }
  seg_vk_make_pipelines (s->vk, d, G_N_ELEMENTS (d));
}

static void
ahead (void)
{
  long (*calls) (const char *) = (long (*) (const char *)) test_fault_open ("test_calls");
  for (guint failing = 0; failing < 2; failing++) {
    Scene s = { 0 };
    set_fault (-1, VK_SUCCESS, NULL);
    g_assert_true (make (&s, NULL, NULL));
    if (failing)
      set_fault (0, VK_ERROR_OUT_OF_HOST_MEMORY, "vkCreateComputePipelines");
    long before = calls ("vkCreateComputePipelines");
    make_ahead (&s);
    g_assert_cmpint (calls ("vkCreateComputePipelines") - before, ==, 2);
    make_ahead (&s);
    g_assert_cmpint (calls ("vkCreateComputePipelines") - before, ==, 2 + failing);
    g_assert_true (work (&s, NULL));
    check_result (&s);
    g_assert_cmpint (calls ("vkCreateComputePipelines") - before, ==, 2 + failing);
    drop (&s);
  }
  set_fault (-1, VK_SUCCESS, NULL);
}

/* The pipeline of a dispatch that could not be recorded is given back with the others. */
static void
given_back (void)
{
  static const char *const names[] = { "vkCreateBufferView", "vkAllocateDescriptorSets" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    Scene s = { 0 };
    g_assert_true (make (&s, NULL, NULL) && seg_cmd_begin (s.cmd, NULL));
    set_fault (0, VK_ERROR_OUT_OF_HOST_MEMORY, names[i]);
    g_assert_false (dispatch (&s, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_MEMORY);
    set_fault (-1, VK_SUCCESS, NULL);
    g_assert_cmpuint (s.cmd->pipelines->len, ==, 1);
    const SegPipeline *p = g_ptr_array_index (s.cmd->pipelines, 0);
    g_assert_cmpuint (p->users, ==, 1);
    g_assert_true (seg_cmd_begin (s.cmd, NULL));
    g_assert_cmpuint (p->users, ==, 0);
    drop (&s);
  }
}

/* A device is given up, with its objects: in a process of its own, which runs the test again. */
static gboolean
gives_up (void)
{
  if (g_test_subprocess ()) {
    g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
    return TRUE;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*hangs: its objects are left*");
  return FALSE;
}

/* It does not answer. */
static void
hung (void)
{
  g_autoptr (GError) error = NULL;
  Scene s = { 0 };
  if (!gives_up ())
    return;
  set_fault (0, VK_TIMEOUT, "vkWaitForFences");
  g_assert_true (make (&s, NULL, NULL));
  g_assert_false (work (&s, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  g_assert_nonnull (strstr (error->message, "has not answered for"));
  drop (&s);
  _exit (0); /* what was left is no leak to report */
}

/* What is freed could not be waited for by its fence: it has come to its end all the same, since what it uses is
 * freed after it; and nobody else on the device is the worse for it. */
static void
freed_in_flight (void)
{
  for (guint batched = 0; batched < 2; batched++) {
    Scene s = { 0 };
    SegCmd *cmd = counter (&s);
    SegBatch *batch = seg_batch_new (s.vk, NULL);
    for (guint i = 0; batched && i < N_RUNS; i++)
      g_assert_true (seg_batch_submit (batch, &cmd, 1, i + 1 == N_RUNS, NULL));
    g_assert_true (batched || seg_cmd_submit_times (cmd, N_RUNS, NULL));
    set_fault (0, VK_ERROR_OUT_OF_HOST_MEMORY, "vkWaitForFences");
    if (batched)
      seg_batch_free (&batch);
    else
      seg_cmd_free (&s.cmd);
    g_assert_nonnull (fault->failed);
    check_count (&s, N_RUNS);
    SegCmd *other = test_cmd (s.vk, FALSE);
    test_run (other);
    seg_cmd_free (&other);
    seg_batch_free (&batch);
    drop (&s);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fault = test_fault_begin ();
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return 77;
  g_test_add_func ("/vk/faults/no-memory", no_memory);
  g_test_add_func ("/vk/faults/lost", lost);
  g_test_add_func ("/vk/faults/lost-for-good", lost_for_good);
  g_test_add_func ("/vk/faults/lost-alone", lost_alone);
  g_test_add_func ("/vk/faults/lost-in-flight", lost_in_flight);
  g_test_add_func ("/vk/faults/lost-batch", lost_batch);
  g_test_add_func ("/vk/faults/lost-by-submission", lost_by_submission);
  g_test_add_func ("/vk/faults/half-submitted", half_submitted);
  g_test_add_func ("/vk/faults/out-of-memory", out_of_memory);
  g_test_add_func ("/vk/faults/ahead", ahead);
  g_test_add_func ("/vk/faults/given-back", given_back);
  g_test_add_func ("/vk/faults/hung", hung);
  g_test_add_func ("/vk/faults/freed-in-flight", freed_in_flight);
  return g_test_run ();
}
