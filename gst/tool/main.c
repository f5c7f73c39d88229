/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/tool.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const ToolCommand *const commands[] = { &tool_devices, &tool_inspect, &tool_run,
  &tool_bench };

static void
print_usage (FILE *to)
{
  fputs ("Usage: vkseg COMMAND [OPTION...] [MODEL]\n\n"
         "Looks at, runs and times ONNX networks on Vulkan devices.\n\nCommands:\n",
      to);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (to, "  %-9s %-6s %s\n", commands[i]->name, commands[i]->arguments,
        commands[i]->summary);
  fputs (
      "\nMODEL is an ONNX file, or the name of one in the folders of VKSEG_MODEL_PATH,\n"
      "the user's or the system's vkseg/models.\n"
      "\n'vkseg COMMAND --help' says more. 'vkseg --version' prints the version.\n"
      "Exit status: 0; 1 for a model, input or device that is refused, or output that\n"
      "cannot be written, with the reasons on stderr, a line each; 2 for wrong usage.\n",
      to);
}

/* What a command printed may not have arrived, on a full disk for one. */
static int
finish (int status)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return status;
  int refused = tool_refuse ("the output cannot be written");
  return MAX (status, refused);
}

int
main (int argc, char **argv)
{
  const char *name = argc > 1 ? argv[1] : NULL;

  setlocale (LC_CTYPE, ""); /* file names; numbers keep their point */
  if (name == NULL) {
    print_usage (stderr);
    return TOOL_USAGE;
  }
  if (strcmp (name, "--help") == 0 || strcmp (name, "-h") == 0
      || strcmp (name, "help") == 0) {
    print_usage (stdout);
    return finish (TOOL_OK);
  }
  if (strcmp (name, "--version") == 0) {
    puts ("vkseg " VKSEG_VERSION);
    return finish (TOOL_OK);
  }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (name, commands[i]->name) == 0)
      return finish (commands[i]->run (argc - 1, argv + 1));
  fprintf (stderr, "vkseg: there is no command '%s'\n", name);
  print_usage (stderr);
  return TOOL_USAGE;
}
