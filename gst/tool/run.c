/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/tool.h"

#include "tool/npy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* DIR/NAME.npy; '/' and ':' of the output's name become '_'. */
static char *
output_path (const char *dir, const char *name)
{
  g_autofree char *safe = g_strdup (name);
  g_autofree char *file = NULL;

  g_strdelimit (safe, "/:", '_');
  file = g_strconcat (safe, ".npy", NULL);
  return g_build_filename (dir, file, NULL);
}

/* Before the network runs: the folder is there, one can write to it, and no two outputs would
 * go to the same file. */
static gboolean
check_output_dir (const SegModel *model, const char *dir, GError **error)
{
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (g_mkdir_with_parents (dir, 0777) != 0 || access (dir, W_OK | X_OK) != 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
        "--output-dir %s cannot be written: %s", dir, g_strerror (errno));
    return FALSE;
  }
  for (guint i = 0; i < model->graph.n_outputs; i++) {
    char *path = output_path (dir, model->graph.outputs[i].name);
    if (g_hash_table_contains (seen, path)) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
          "two outputs would be written to %s", path);
      g_free (path);
      return FALSE;
    }
    g_hash_table_add (seen, path);
  }
  return TRUE;
}

static gboolean
write_outputs (
    const SegModel *model, SegTensor **outputs, const char *dir, GError **error)
{
  for (guint i = 0; i < model->graph.n_outputs; i++) {
    const char *name = model->graph.outputs[i].name;
    g_autofree char *path = output_path (dir, name);
    g_autofree char *desc = seg_desc_to_string (&outputs[i]->desc);
    if (!seg_npy_write (path, outputs[i], error)) {
      g_prefix_error (error, "output '%s': ", name);
      return FALSE;
    }
    printf ("%s %s -> %s\n", name, desc, path);
  }
  return TRUE;
}

static gboolean
run_model (const SegModel *model, SegSession *session, const ToolInputs *inputs,
    const char *dir, GError **error)
{
  guint n = model->graph.n_outputs;
  g_autofree SegTensor **outputs = g_new0 (SegTensor *, MAX (n, 1));
  gboolean ok = seg_session_run (session, inputs->tensors, outputs, error)
                && write_outputs (model, outputs, dir, error);

  for (guint i = 0; i < n; i++)
    seg_tensor_unref (outputs[i]);
  return ok;
}

static gboolean
load_and_run (const ToolOptions *o, const char *dir, GError **error)
{
  g_autoptr (SegModel) model = tool_load_model (o, error);
  g_auto (ToolInputs) inputs = { 0 };
  g_autoptr (SegVk) vk = NULL;
  SegSession *session;
  gboolean ok;

  if (model == NULL || !tool_inputs_read (&inputs, model, o, TRUE, error)
      || !check_output_dir (model, dir, error)
      || (vk = tool_open_device (o, error)) == NULL)
    return FALSE;
  SegSessionOptions options = {
    .precision = o->precision,
    .shapes = inputs.shapes,
    .n_shapes = inputs.n_shapes,
    .tune_ms = (guint) o->tune_ms,
  };
  session = seg_session_new (model, vk, &options, error);
  ok = session != NULL && run_model (model, session, &inputs, dir, error);
  seg_session_free (&session);
  return ok;
}

static int
run (int argc, char **argv)
{
  g_auto (ToolOptions) options = { NULL };
  g_autofree char *dir = NULL;
  const GOptionEntry own[] = {
    { "output-dir", 'o', 0, G_OPTION_ARG_FILENAME, &dir,
        "Where NAME.npy is written for each graph output (required)", "DIR" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!tool_parse (&tool_run, &options,
          TOOL_OPTION_MODEL | TOOL_OPTION_INPUT | TOOL_OPTION_DEVICE | TOOL_OPTION_TUNE,
          own, argc, argv, &status))
    return status;
  if (dir == NULL)
    return tool_wrong_usage (&tool_run, "no --output-dir given");
  if (!load_and_run (&options, dir, &error))
    return tool_refuse (error->message);
  return TOOL_OK;
}

const ToolCommand tool_run = {
  .name = "run",
  .arguments = "MODEL",
  .summary = "Runs a network on .npy files and writes its outputs as .npy files.",
  .details =
      "Each graph output goes to DIR/NAME.npy, with '/' and ':' of its name as '_', in "
      "the type and shape that the model gives it. Every graph input must be given.",
  .run = run,
};
