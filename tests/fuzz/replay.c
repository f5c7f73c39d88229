/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls a fuzz target without libFuzzer: `fuzz-NAME [--mutations N] [--seed N] FILE|DIR...`
 * runs each file (of a DIR: all below it), cut short and with bytes changed N times. It
 * passes when it comes to its end. */
#include "fuzz.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILE_BYTES 65536

static int n_mutations = 0, seed = 1;
static guint n_runs = 0;
static gboolean verbose = FALSE;

static void
mutate (guint8 *data, gsize *n, GRand *rand)
{
  static const guint8 interesting[] = { 0, 1, 0x7f, 0x80, 0xff };
  int n_changes = g_rand_int_range (rand, 1, 5);

  if (g_rand_int_range (rand, 0, 8) == 0)
    *n = (gsize) g_rand_int_range (rand, 0, (gint32) *n + 1);
  for (int i = 0; i<n_changes && * n> 0; i++) {
    gsize at = (gsize) g_rand_int_range (rand, 0, (gint32) *n);
    if (g_rand_boolean (rand))
      data[at] = interesting[g_rand_int_range (rand, 0, G_N_ELEMENTS (interesting))];
    else
      data[at] ^= (guint8) (1 << g_rand_int_range (rand, 0, 8));
  }
}

static void
run_file (const char *path)
{
  g_autofree char *data = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) seed);
  gsize n;

  if (!g_file_get_contents (path, &data, &n, NULL) || n > MAX_FILE_BYTES)
    return;
  LLVMFuzzerTestOneInput ((const guint8 *) data, n);
  n_runs++;
  for (int i = 0; i < n_mutations; i++) {
    /* A copy of just the size, so that a read past its end is seen by sanitizers. */
    g_autofree guint8 *copy = g_memdup2 (data, n + 1);
    gsize length = n;
    mutate (copy, &length, rand);
    g_autofree guint8 *exact = length > 0 ? g_memdup2 (copy, length) : g_malloc (1);
    if (verbose) {
      printf ("%s, mutation %d\n", path, i);
      fflush (stdout);
    }
    LLVMFuzzerTestOneInput (exact, length);
    n_runs++;
  }
}

static void
run_path (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  if (dir == NULL) {
    run_file (path);
    return;
  }
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;) {
    g_autofree char *sub = g_build_filename (path, name, NULL);
    run_path (sub);
  }
}

int
main (int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "mutations", 0, 0, G_OPTION_ARG_INT, &n_mutations, "Of each file", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Other mutations", "N" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "Name each run before it starts",
        NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE|DIR...");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  for (int i = 1; i < argc; i++)
    run_path (argv[i]);
  printf ("%u inputs\n", n_runs);
  return n_runs > 0 ? 0 : 77;
}
