/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/tool.h"

#include "tool/npy.h"

#include <string.h>

char *
tool_value_to_string (const SegModelValue *v)
{
  GString *s = g_string_new (seg_dtype_name (v->dtype));

  if (!v->has_shape) {
    g_string_append (s, "[...]");
    return g_string_free (s, FALSE);
  }
  g_string_append_c (s, '[');
  for (guint i = 0; i < v->rank; i++) {
    if (i > 0)
      g_string_append_c (s, ',');
    if (v->dims[i] >= 0)
      g_string_append_printf (s, "%" G_GINT64_FORMAT, v->dims[i]);
    else
      g_string_append (s, v->dim_names[i] != NULL ? v->dim_names[i] : "?");
  }
  g_string_append_c (s, ']');
  return g_string_free (s, FALSE);
}

void
tool_inputs_clear (ToolInputs *inputs)
{
  for (guint i = 0; inputs->tensors != NULL && i < inputs->n; i++)
    g_clear_pointer (&inputs->tensors[i], seg_tensor_unref);
  g_clear_pointer (&inputs->tensors, g_free);
  g_clear_pointer (&inputs->shapes, g_free);
  inputs->n = inputs->n_shapes = 0;
}

/* The input that "NAME=..." names, and what follows '='; a name may itself have a '='. */
static int
find_input (const SegModel *model, const char *argument, const char **value)
{
  int best = -1;
  gsize best_length = 0;

  for (guint i = 0; i < model->graph.n_inputs; i++) {
    gsize n = strlen (model->graph.inputs[i].name);
    if (strncmp (argument, model->graph.inputs[i].name, n) == 0 && argument[n] == '='
        && (best < 0 || n > best_length)) {
      best = (int) i;
      best_length = n;
      *value = argument + n + 1;
    }
  }
  return best;
}

static void complain (GString *problems, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
complain (GString *problems, const char *format, ...)
{
  va_list args;

  if (problems->len > 0)
    g_string_append_c (problems, '\n');
  va_start (args, format);
  g_string_append_vprintf (problems, format, args);
  va_end (args);
}

static void
unknown_name (GString *problems, const SegModel *model, const char *argument)
{
  g_autofree char *name = g_strndup (argument, strcspn (argument, "="));
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < model->graph.n_inputs; i++)
    g_string_append_printf (
        names, "%s'%s'", i > 0 ? ", " : "", model->graph.inputs[i].name);
  complain (problems, "the model has no input '%s'; its inputs are: %s", name,
      names->len > 0 ? names->str : "none");
  g_string_free (names, TRUE);
}

static gboolean
fits (const SegModelValue *v, guint rank, const gint64 *dims)
{
  if (!v->has_shape)
    return TRUE;
  if (v->rank != rank)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    if (v->dims[i] >= 0 && v->dims[i] != dims[i])
      return FALSE;
  return TRUE;
}

static void
add_shape (ToolInputs *inputs, const SegModelValue *v, guint rank, const gint64 *dims)
{
  SegInputShape *shape = &inputs->shapes[inputs->n_shapes++];

  shape->input = v->name;
  shape->rank = rank;
  memcpy (shape->dims, dims, rank * sizeof *dims);
}

static void
read_file (
    ToolInputs *inputs, const SegModel *model, const char *argument, GString *problems)
{
  const char *path = NULL;
  int i = find_input (model, argument, &path);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegTensor) t = NULL;

  if (i < 0) {
    unknown_name (problems, model, argument);
    return;
  }
  const SegModelValue *v = &model->graph.inputs[i];
  g_autofree char *wanted = tool_value_to_string (v);
  if (inputs->tensors[i] != NULL) {
    complain (problems, "input '%s' is given twice", v->name);
  } else if ((t = seg_npy_read (path, &error)) == NULL) {
    complain (problems, "input '%s': %s: %s", v->name, path, error->message);
  } else if (t->desc.dtype != v->dtype || !fits (v, t->desc.rank, t->desc.dims)) {
    g_autofree char *given = seg_desc_to_string (&t->desc);
    complain (
        problems, "input '%s' is %s, but %s holds %s", v->name, wanted, path, given);
  } else {
    add_shape (inputs, v, t->desc.rank, t->desc.dims);
    inputs->tensors[i] = g_steal_pointer (&t);
  }
}

/* "1,3,512,512"; x is as good as a comma. */
static gboolean
parse_dims (const char *text, guint *rank, gint64 *dims)
{
  for (*rank = 0;; text++) {
    char *end;
    guint64 dim = g_ascii_strtoull (text, &end, 10);
    if (!g_ascii_isdigit (*text) || dim == 0 || dim > G_MAXINT32 || *rank == SEG_MAX_RANK)
      return FALSE;
    dims[(*rank)++] = (gint64) dim;
    if (*end == '\0')
      return TRUE;
    if (*end != ',' && *end != 'x')
      return FALSE;
    text = end;
  }
}

static void
read_shape (
    ToolInputs *inputs, const SegModel *model, const char *argument, GString *problems)
{
  const char *text = NULL;
  int i = find_input (model, argument, &text);
  gint64 dims[SEG_MAX_RANK];
  guint rank;

  if (i < 0) {
    unknown_name (problems, model, argument);
    return;
  }
  const SegModelValue *v = &model->graph.inputs[i];
  g_autofree char *wanted = tool_value_to_string (v);
  for (guint k = 0; k < inputs->n_shapes; k++)
    if (inputs->shapes[k].input == v->name) {
      complain (problems, "the shape of input '%s' is given twice", v->name);
      return;
    }
  if (!parse_dims (text, &rank, dims))
    complain (problems, "--shape %s: dimensions are whole numbers with commas between",
        argument);
  else if (!fits (v, rank, dims))
    complain (problems, "input '%s' is %s, which --shape %s does not fit", v->name,
        wanted, argument);
  else
    add_shape (inputs, v, rank, dims);
}

static void
find_missing (const ToolInputs *inputs, const SegModel *model, const ToolOptions *o,
    GString *problems)
{
  for (guint i = 0; i < inputs->n; i++) {
    const SegModelValue *v = &model->graph.inputs[i];
    g_autofree char *desc = tool_value_to_string (v);
    gboolean named = FALSE;
    for (char **argument = o->inputs; argument != NULL && *argument != NULL; argument++) {
      const char *value;
      named |= find_input (model, *argument, &value) == (int) i;
    }
    if (!named)
      complain (problems, "input '%s' (%s) is not given: --input %s=FILE.npy", v->name,
          desc, v->name);
  }
}

gboolean
tool_inputs_read (ToolInputs *inputs, const SegModel *model, const ToolOptions *o,
    gboolean need_all, GError **error)
{
  GString *problems = g_string_new (NULL);
  gboolean ok;
  guint n_arguments = (o->inputs != NULL ? g_strv_length (o->inputs) : 0)
                      + (o->shapes != NULL ? g_strv_length (o->shapes) : 0);

  inputs->n = model->graph.n_inputs;
  inputs->tensors = g_new0 (SegTensor *, MAX (inputs->n, 1));
  inputs->shapes = g_new0 (SegInputShape, MAX (n_arguments, 1));
  for (char **argument = o->inputs; argument != NULL && *argument != NULL; argument++)
    read_file (inputs, model, *argument, problems);
  for (char **argument = o->shapes; argument != NULL && *argument != NULL; argument++)
    read_shape (inputs, model, *argument, problems);
  if (need_all)
    find_missing (inputs, model, o, problems);
  ok = problems->len == 0;
  if (!ok)
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_INPUT, problems->str);
  g_string_free (problems, TRUE);
  return ok;
}
