/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/parallel.h"

#define MOST 10000

typedef struct {
  gint times[MOST], n_inside, most_inside;
} Seen;

static void
visit (guint i, gpointer data)
{
  Seen *seen = data;
  gint inside = g_atomic_int_add (&seen->n_inside, 1) + 1, most;
  while (inside > (most = g_atomic_int_get (&seen->most_inside))
         && !g_atomic_int_compare_and_exchange (&seen->most_inside, most, inside))
    ;
  if (i < 8)
    g_usleep (20000); /* that others come meanwhile */
  g_atomic_int_inc (&seen->times[i]);
  g_atomic_int_add (&seen->n_inside, -1);
}

static void
check (guint n)
{
  Seen *seen = g_new0 (Seen, 1);
  seg_parallel (n, visit, seen);
  for (guint i = 0; i < MOST; i++)
    g_assert_cmpint (seen->times[i], ==, i < n);
  g_assert_cmpint (seen->n_inside, ==, 0);
  if (n >= 8 && g_get_num_processors () > 1)
    g_assert_cmpint (seen->most_inside, >, 1);
  g_free (seen);
}

static void
test_each_once (void)
{
  static const guint counts[] = { 0, 1, 2, 8, 100, MOST };
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    check (counts[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/parallel/each-once", test_each_once);
  return g_test_run ();
}
