/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/tool.h"

#include <stdio.h>
#include <string.h>

int
tool_refuse (const char *message)
{
  g_auto (GStrv) lines = g_strsplit (message, "\n", -1);

  fflush (stdout); /* in order, where both go to one place */

  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      fprintf (stderr, "vkseg: %s\n", lines[i]);
  return TOOL_REFUSED;
}

int
tool_wrong_usage (const ToolCommand *command, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  fprintf (stderr, "vkseg %s: %s\nTry 'vkseg %s --help'.\n", command->name, text,
      command->name);
  return TOOL_USAGE;
}

void
tool_options_clear (ToolOptions *o)
{
  g_clear_pointer (&o->model, g_free);
  g_clear_pointer (&o->device, g_free);
  g_clear_pointer (&o->precision_name, g_free);
  g_clear_pointer (&o->inputs, g_strfreev);
  g_clear_pointer (&o->shapes, g_strfreev);
}

static void
add_entries (GOptionContext *context, ToolOptions *o, ToolOptionFlags flags)
{
  const struct {
    ToolOptionFlags flag;
    GOptionEntry entry;
  } shared[] = {
    { TOOL_OPTION_INPUT,
        { "input", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->inputs,
            "Contents of the graph input NAME; its shape fixes free dimensions",
            "NAME=FILE.npy" } },
    { TOOL_OPTION_SHAPE,
        { "shape", 's', 0, G_OPTION_ARG_STRING_ARRAY, &o->shapes,
            "Dimensions of the graph input NAME, where the model leaves them free",
            "NAME=1,3,512,512" } },
    { TOOL_OPTION_DEVICE, { "precision", 'p', 0, G_OPTION_ARG_STRING, &o->precision_name,
                              "fp32, fp16 (stored as fp16, accumulated as fp32) or auto "
                              "(the default: fp16 where the device gains by it)",
                              "PRECISION" } },
    { TOOL_OPTION_DEVICE,
        { "device", 'd', 0, G_OPTION_ARG_STRING, &o->device,
            "Vulkan device: its number or a part of its name, as in 'vkseg devices'",
            "DEVICE" } },
    { TOOL_OPTION_JSON,
        { "json", 'j', 0, G_OPTION_ARG_NONE, &o->json, "Print JSON", NULL } },
    { TOOL_OPTION_TUNE,
        { "tune", 't', 0, G_OPTION_ARG_INT, &o->tune_ms,
            "Look for the fastest kernels, for about MS milliseconds while loading; what "
            "is found is kept for later runs (default 0: use what is kept)",
            "MS" } },
  };
  GOptionEntry entries[G_N_ELEMENTS (shared) + 1] = { 0 };
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (shared); i++)
    if (flags & shared[i].flag)
      entries[n++] = shared[i].entry;
  g_option_context_add_main_entries (context, entries, NULL);
}

static gboolean
parse_precision (ToolOptions *o)
{
  static const char *const names[] = { "auto", "fp32", "fp16" }; /* as SegPrecision */

  if (o->precision_name == NULL)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (o->precision_name, names[i]) == 0) {
      o->precision = (SegPrecision) i;
      return TRUE;
    }
  return FALSE;
}

/* The first argument without a '=', or NULL. */
static const char *
without_value (char **arguments)
{
  for (; arguments != NULL && *arguments != NULL; arguments++)
    if (strchr (*arguments, '=') == NULL)
      return *arguments;
  return NULL;
}

static gboolean
parse (const ToolCommand *command, GOptionContext *context, ToolOptions *o,
    ToolOptionFlags flags, char ***args, int *status)
{
  int n_wanted = (flags & TOOL_OPTION_MODEL) ? 1 : 0;
  g_autoptr (GError) error = NULL;

  if (!g_option_context_parse_strv (context, args, &error))
    *status = tool_wrong_usage (command, "%s", error->message);
  else if ((int) g_strv_length (*args) - 1 < n_wanted)
    *status = tool_wrong_usage (command, "no MODEL given");
  else if ((int) g_strv_length (*args) - 1 > n_wanted)
    *status =
        tool_wrong_usage (command, "one argument too many: '%s'", (*args)[n_wanted + 1]);
  else if (!parse_precision (o))
    *status = tool_wrong_usage (
        command, "--precision is fp32, fp16 or auto, not '%s'", o->precision_name);
  else if (without_value (o->inputs) != NULL)
    *status = tool_wrong_usage (
        command, "--input takes NAME=FILE.npy, not '%s'", without_value (o->inputs));
  else if (without_value (o->shapes) != NULL)
    *status = tool_wrong_usage (
        command, "--shape takes NAME=1,3,512,512, not '%s'", without_value (o->shapes));
  else
    return TRUE;
  return FALSE;
}

gboolean
tool_parse (const ToolCommand *command, ToolOptions *o, ToolOptionFlags flags,
    const GOptionEntry *own, int argc, char **argv, int *status)
{
  g_autoptr (GOptionContext) context = g_option_context_new (command->arguments);
  g_auto (GStrv) args = g_new0 (char *, argc + 1);
  g_autofree char *program = g_strdup_printf ("vkseg %s", command->name);

  g_set_prgname (program);
  for (int i = 0; i < argc; i++)
    args[i] = g_strdup (argv[i]);
  g_option_context_set_summary (context, command->summary);
  if (command->details != NULL)
    g_option_context_set_description (context, command->details);
  if (own != NULL)
    g_option_context_add_main_entries (context, own, NULL);
  add_entries (context, o, flags);
  if (!parse (command, context, o, flags, &args, status))
    return FALSE;
  if (o->tune_ms < 0 || o->tune_ms > SEG_MAX_TUNE_MS) {
    *status = tool_wrong_usage (command, "--tune is 0 to %d", SEG_MAX_TUNE_MS);
    return FALSE;
  }
  if (flags & TOOL_OPTION_MODEL)
    o->model = g_strdup (args[1]);
  return TRUE;
}

SegModel *
tool_load_model (const ToolOptions *o, GError **error)
{
  g_autofree char *path = seg_model_find (o->model, error);
  return path != NULL ? seg_model_load (path, error) : NULL;
}

SegVk *
tool_open_device (const ToolOptions *o, GError **error)
{
  SegVkOptions options = { .device = o->device };
  g_autofree char *dir = g_build_filename (g_get_user_cache_dir (), "vkseg", NULL);

  options.cache_dir = dir;
  return seg_vk_new (&options, error);
}
