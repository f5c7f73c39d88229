/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/table.h"

#include <string.h>

/* The README names every operator of the table. */
int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  int status = 0;
  if (argc != 2 || !g_file_get_contents (argv[1], &text, NULL, &error)) {
    g_printerr ("usage: test-readme README.md%s%s\n", error != NULL ? ": " : "",
        error != NULL ? error->message : "");
    return 2;
  }
  for (guint i = 0; seg_op_table[i] != NULL; i++) {
    g_autofree char *pattern = g_strdup_printf ("\\b%s\\b", seg_op_table[i]->name);
    gboolean ours = strcmp (seg_op_table[i]->domain, "vkseg") == 0;
    if (ours || g_regex_match_simple (pattern, text, 0, 0))
      continue;
    g_printerr ("README.md does not name the operator %s\n", seg_op_table[i]->name);
    status = 1;
  }
  return status;
}
