/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Thousands of submissions and recordings do not grow memory. Without the validation layer, which
 * itself grows with every object made. */
#include "vk/common.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

/* Resident bytes of this process; 0 where there is no /proc. */
static gsize
resident_bytes (void)
{
  unsigned long total = 0, resident = 0;
  FILE *file = fopen ("/proc/self/statm", "r");
  if (file == NULL)
    return 0;
  if (fscanf (file, "%lu %lu", &total, &resident) != 2)
    resident = 0;
  fclose (file);
  return resident * (gsize) sysconf (_SC_PAGESIZE);
}

typedef struct {
  SegVk *vk;
  SegBuffer *a, *b;
  SegCmd *cmd;
  guint words; /* of buffer_align */
} State;

static void
record (State *s)
{
  for (guint i = 0; i < 8; i++)
    test_add (s->cmd, i % 2 ? s->b : s->a, 0, i % 2 ? s->a : s->b, 0, 64, 1);
}

static void
submit (State *s)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = seg_cmd_submit (s->cmd, &error) && seg_cmd_wait (s->cmd, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

static void
record_again (State *s)
{
  g_autoptr (GError) error = NULL;
  seg_cmd_begin (s->cmd, &error);
  g_assert_no_error (error);
  record (s);
  test_run (s->cmd);
}

static void
new_objects (State *s)
{
  SegBuffer *buffer = test_buffer (s->vk, 8 * s->words, SEG_BUFFER_DEVICE);
  SegCmd *cmd = test_cmd (s->vk, TRUE);
  test_add (cmd, buffer, 0, buffer, s->words, 4, 1);
  test_run (cmd);
  seg_cmd_free (&cmd);
  seg_buffer_free (&buffer);
}

/* Whether n rounds leave memory as it was. */
static gboolean
is_steady (State *s, const char *name, void (*round) (State *), guint n)
{
  gsize before = resident_bytes ();
  gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < n; i++)
    round (s);
  double us = (double) (g_get_monotonic_time () - start) / n;
  gsize after = resident_bytes ();
  g_test_message ("%s: %.1f us a round, %" G_GSIZE_FORMAT " to %" G_GSIZE_FORMAT " KiB",
      name, us, before / 1024, after / 1024);
  return after <= before + MAX (64 * n, 512 * 1024);
}

/* After n/5 rounds in which caches fill. What leaks does so each time; a page of 2 MiB, where the kernel gives
 * such, comes once. */
static void
check (State *s, const char *name, void (*round) (State *), guint n)
{
  gboolean steady = FALSE;
  for (guint i = 0; i < n / 5; i++)
    round (s);
  for (guint i = 0; i < 3 && !steady; i++)
    steady = is_steady (s, name, round, n);
  g_assert_true (steady);
}

static void
soak (void)
{
  State s = { .vk = test_device (NULL) };
  if (s.vk == NULL)
    return;
  s.words = seg_vk_info (s.vk)->buffer_align / 4;
  s.a = test_buffer (s.vk, 4096, SEG_BUFFER_DEVICE);
  s.b = test_buffer (s.vk, 4096, SEG_BUFFER_DEVICE);
  s.cmd = test_cmd (s.vk, FALSE);
  record (&s);
  test_run (s.cmd);
  check (&s, "submit", submit, 10000);
  check (&s, "record", record_again, 2000);
  check (&s, "new objects", new_objects, 2000);
  seg_cmd_free (&s.cmd);
  seg_buffer_free (&s.a);
  seg_buffer_free (&s.b);
  seg_vk_unref (s.vk);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("VKSEG_VALIDATE", "0", TRUE);
  mallopt (M_ARENA_MAX, 1); /* a thread's own would be memory that is not asked for */
  g_test_add_func ("/vk/soak", soak);
  return g_test_run ();
}
