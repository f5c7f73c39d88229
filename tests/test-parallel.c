/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/parallel.h"

#define MOST       10000
#define PATIENCE_S 30 /* until a thread has begun */

typedef struct {
  gboolean meet; /* the first wait for another */
  gint64 end;    /* and no longer than until then */
  gint times[MOST], n_inside, most_inside;
} Seen;

static void
wait_for_another (Seen *seen)
{
  while (g_atomic_int_get (&seen->most_inside) < 2 && g_get_monotonic_time () < seen->end)
    g_usleep (1000);
}

static void
visit (guint i, gpointer data)
{
  Seen *seen = data;
  gint inside = g_atomic_int_add (&seen->n_inside, 1) + 1, most;
  while (inside > (most = g_atomic_int_get (&seen->most_inside))
         && !g_atomic_int_compare_and_exchange (&seen->most_inside, most, inside))
    ;
  if (seen->meet && i < 8)
    wait_for_another (seen);
  g_atomic_int_inc (&seen->times[i]);
  g_atomic_int_add (&seen->n_inside, -1);
}

static void
check (guint n)
{
  Seen *seen = g_new0 (Seen, 1);
  seen->meet = n >= 8 && g_get_num_processors () > 1;
  seen->end = g_get_monotonic_time () + PATIENCE_S * G_USEC_PER_SEC;
  seg_parallel (n, visit, seen);
  for (guint i = 0; i < MOST; i++)
    g_assert_cmpint (seen->times[i], ==, i < n);
  g_assert_cmpint (seen->n_inside, ==, 0);
  if (seen->meet)
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
