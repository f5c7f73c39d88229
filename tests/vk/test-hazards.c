/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where barriers go, and that results are right; the validation layer's synchronisation
 * validation looks for the ones that are missing. */
#include "vk/common.h"

typedef struct {
  SegVk *vk;
  SegBuffer *buffer; /* SLOTS pieces of N ints, buffer_align apart */
  SegCmd *cmd;
  guint pitch; /* ints from one slot to the next */
  gint32 *map;
} Fixture;

enum { SLOTS = 16, N = 100 };

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->vk = test_device (NULL);
  if (f->vk == NULL)
    return;
  guint align = seg_vk_info (f->vk)->buffer_align / 4;
  f->pitch = (N + align - 1) / align * align;
  f->buffer = test_buffer (f->vk, 4 * SLOTS * f->pitch, SEG_BUFFER_READBACK);
  f->map = seg_buffer_map (f->buffer);
  for (guint i = 0; i < SLOTS * f->pitch; i++)
    f->map[i] = (gint32) i;
  f->cmd = test_cmd (f->vk, FALSE);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  seg_cmd_free (&f->cmd);
  seg_buffer_free (&f->buffer);
  seg_vk_unref (f->vk);
}

/* Slot `to` becomes slot `from` + addend. */
static void
add (Fixture *f, guint from, guint to, int addend)
{
  test_add (f->cmd, f->buffer, from * f->pitch, f->buffer, to * f->pitch, N, addend);
}

static void
copy (Fixture *f, guint from, guint to)
{
  g_autoptr (GError) error = NULL;
  seg_cmd_copy (f->cmd, f->buffer, 4 * from * f->pitch, f->buffer, 4 * to * f->pitch,
      4 * N, &error);
  g_assert_no_error (error);
}

#define ASSERT_BARRIERS(n) g_assert_cmpuint (seg_cmd_n_barriers (f->cmd), ==, n)

static void
independent (Fixture *f, gconstpointer unused)
{
  if (f->vk == NULL)
    return;
  for (guint i = 0; i < SLOTS / 2; i++) {
    add (f, 2 * i, 2 * i + 1, 5);
    ASSERT_BARRIERS (0);
  }
  test_run (f->cmd);
  for (guint i = 0; i < SLOTS / 2; i++)
    for (guint k = 0; k < N; k++)
      g_assert_cmpint (
          f->map[(2 * i + 1) * f->pitch + k], ==, (gint32) (2 * i * f->pitch + k + 5));
}

static void
chain (Fixture *f, gconstpointer unused)
{
  if (f->vk == NULL)
    return;
  for (guint i = 0; i + 1 < SLOTS; i++) {
    add (f, i, i + 1, 1);
    ASSERT_BARRIERS (i);
  }
  test_run (f->cmd);
  for (guint k = 0; k < N; k++)
    g_assert_cmpint (f->map[(SLOTS - 1) * f->pitch + k], ==, (gint32) k + SLOTS - 1);
}

/* Many readers of one result, then one reader of theirs: a barrier before each layer. */
static void
fan (Fixture *f, gconstpointer unused)
{
  if (f->vk == NULL)
    return;
  add (f, 0, 1, 1);
  for (guint i = 2; i < 8; i++)
    add (f, 1, i, 1);
  ASSERT_BARRIERS (1);
  for (guint i = 2; i < 8; i++)
    add (f, i, i + 6, 1);
  ASSERT_BARRIERS (2);
  add (f, 0, 1, 7); /* the last readers of 1 lie before the last barrier */
  ASSERT_BARRIERS (2);
  test_run (f->cmd);
  for (guint k = 0; k < N; k++) {
    g_assert_cmpint (f->map[13 * f->pitch + k], ==, (gint32) k + 3);
    g_assert_cmpint (f->map[1 * f->pitch + k], ==, (gint32) k + 7);
  }
}

static void
kinds (Fixture *f, gconstpointer unused)
{
  if (f->vk == NULL)
    return;
  add (f, 0, 1, 1);
  add (f, 2, 0, 1); /* write after read */
  ASSERT_BARRIERS (1);
  add (f, 3, 0, 1); /* write after write */
  ASSERT_BARRIERS (2);
  copy (f, 0, 4); /* a copy after a dispatch */
  ASSERT_BARRIERS (3);
  add (f, 4, 5, 1); /* and the other way round */
  ASSERT_BARRIERS (4);
  copy (f, 6, 7); /* nobody's */
  ASSERT_BARRIERS (4);
  add (f, 8, 7, 1);
  ASSERT_BARRIERS (5);
  test_run (f->cmd);
}

/* Recording again counts anew; a submission needs no barrier against itself or others. */
static void
again (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  if (f->vk == NULL)
    return;
  add (f, 0, 1, 1);
  add (f, 1, 0, 1);
  ASSERT_BARRIERS (1);
  seg_cmd_begin (f->cmd, &error);
  g_assert_no_error (error);
  add (f, 1, 0, 1); /* slots 0 and 1 swap roles: 0 counts up by the submissions */
  add (f, 0, 1, 0);
  ASSERT_BARRIERS (1);
  gint32 first = f->map[f->pitch];
  test_run (f->cmd);
  for (guint i = 0; i < 99; i++) {
    seg_cmd_submit (f->cmd, &error);
    g_assert_no_error (error);
    seg_cmd_wait (f->cmd, &error);
    g_assert_no_error (error);
  }
  g_assert_cmpint (f->map[0], ==, first + 100);
}

/* Two recordings submitted without a wait between them run one after the other. */
static void
in_order (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  if (f->vk == NULL)
    return;
  Fixture second = *f;
  second.cmd = test_cmd (f->vk, FALSE);
  add (f, 0, 1, 1);
  add (&second, 1, 2, 1);
  gboolean ok = seg_cmd_end (f->cmd, &error) && seg_cmd_submit (f->cmd, &error)
                && seg_cmd_end (second.cmd, &error) && seg_cmd_submit (second.cmd, &error)
                && seg_cmd_wait (second.cmd, &error) && seg_cmd_wait (f->cmd, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  for (guint k = 0; k < N; k++)
    g_assert_cmpint (f->map[2 * f->pitch + k], ==, (gint32) k + 2);
  seg_cmd_free (&second.cmd);
}

/* A random program, against the host running it in order. */
static void
random_program (Fixture *f, gconstpointer unused)
{
  static gint32 host[SLOTS][N];
  if (f->vk == NULL)
    return;
  for (guint s = 0; s < SLOTS; s++)
    for (guint k = 0; k < N; k++)
      host[s][k] = f->map[s * f->pitch + k];
  for (guint i = 0; i < 400; i++) {
    guint from = (guint) g_test_rand_int_range (0, SLOTS);
    guint to = (from + (guint) g_test_rand_int_range (1, SLOTS)) % SLOTS;
    int addend = g_test_rand_int_range (0, 4);
    if (addend == 0)
      copy (f, from, to);
    else
      add (f, from, to, addend);
    for (guint k = 0; k < N; k++)
      host[to][k] = host[from][k] + addend;
  }
  g_assert_cmpuint (seg_cmd_n_dispatches (f->cmd), ==, 400);
  g_assert_cmpuint (seg_cmd_n_barriers (f->cmd), <, 399);
  test_run (f->cmd);
  for (guint s = 0; s < SLOTS; s++)
    for (guint k = 0; k < N; k++)
      g_assert_cmpint (f->map[s * f->pitch + k], ==, host[s][k]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, F) g_test_add ("/vk/hazards/" NAME, Fixture, NULL, set_up, F, tear_down)
  ADD ("independent", independent);
  ADD ("chain", chain);
  ADD ("fan", fan);
  ADD ("kinds", kinds);
  ADD ("again", again);
  ADD ("in-order", in_order);
  ADD ("random", random_program);
  return g_test_run ();
}
