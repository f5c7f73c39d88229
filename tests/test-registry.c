/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/registry.h"

/* A thing that counts how many there are. */
typedef struct {
  int number;
  gboolean bad;
} Thing;

static gint n_made, n_alive;
static gboolean fails;

static gpointer
make (gpointer data, GError **error)
{
  g_usleep (20000); /* that others come meanwhile */
  if (fails) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "no %s", (const char *) data);
    return NULL;
  }
  Thing *thing = g_new0 (Thing, 1);
  thing->number = g_atomic_int_add (&n_made, 1);
  g_atomic_int_inc (&n_alive);
  return thing;
}

static void
destroy (gpointer thing)
{
  g_atomic_int_add (&n_alive, -1);
  g_free (thing);
}

static gboolean
is_good (gpointer thing)
{
  return !((Thing *) thing)->bad;
}

static SegRegistry registry = SEG_REGISTRY (make, destroy, is_good);

static Thing *
get (const char *name)
{
  g_autoptr (GError) error = NULL;
  Thing *thing = seg_registry_get (&registry, name, (gpointer) name, &error);
  g_assert_no_error (error);
  return thing;
}

static void
test_shared (void)
{
  n_made = 0;
  Thing *a = get ("a"), *b = get ("b"), *again = get ("a");
  g_assert_true (a == again && a != b);
  g_assert_cmpint (n_made, ==, 2);
  seg_registry_put (&registry, a);
  g_assert_cmpint (n_alive, ==, 2);
  seg_registry_put (&registry, again);
  g_assert_cmpint (n_alive, ==, 1);
  a = get ("a"); /* anew */
  g_assert_cmpint (n_made, ==, 3);
  seg_registry_put (&registry, a);
  seg_registry_put (&registry, b);
  seg_registry_put (&registry, NULL);
  g_assert_cmpint (n_alive, ==, 0);
  g_assert_null (registry.by_name);
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  fails = TRUE;
  g_assert_null (seg_registry_get (&registry, "a", (gpointer) "a", &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  fails = FALSE;
  seg_registry_put (&registry, get ("a"));
  g_assert_null (registry.by_name);
}

/* Who has one that has gone bad keeps it; who comes gets another. */
static void
test_bad (void)
{
  Thing *old = get ("a");
  old->bad = TRUE;
  Thing *young = get ("a"), *same = get ("a");
  g_assert_true (young != old && young == same);
  g_assert_cmpint (n_alive, ==, 2);
  seg_registry_put (&registry, old);
  g_assert_true (get ("a") == young);
  for (guint i = 0; i < 3; i++)
    seg_registry_put (&registry, young);
  g_assert_cmpint (n_alive, ==, 0);
}

static gpointer
get_in_thread (gpointer name)
{
  return get (name);
}

/* All at once: it is made once. */
static void
test_threads (void)
{
  GThread *threads[8];
  Thing *things[8];
  n_made = 0;
  for (guint i = 0; i < 8; i++)
    threads[i] = g_thread_new (NULL, get_in_thread, (gpointer) (i % 2 ? "a" : "b"));
  for (guint i = 0; i < 8; i++)
    things[i] = g_thread_join (threads[i]);
  g_assert_cmpint (n_made, ==, 2);
  for (guint i = 0; i < 8; i++)
    seg_registry_put (&registry, things[i]);
  g_assert_cmpint (n_alive, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/registry/shared", test_shared);
  g_test_add_func ("/registry/refused", test_refused);
  g_test_add_func ("/registry/bad", test_bad);
  g_test_add_func ("/registry/threads", test_threads);
  return g_test_run ();
}
