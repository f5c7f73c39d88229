/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/builder.h"

#include <string.h>

static const SegInputShape *
find_shape (const SegInputShape *shapes, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (shapes[i].input, name) == 0)
      return &shapes[i];
  return NULL;
}

static gboolean
check_shapes (const SegModelGraph *source, const SegInputShape *shapes, guint n_shapes,
    GError **error)
{
  for (guint s = 0; s < n_shapes; s++) {
    gboolean known = FALSE;
    GString *names = g_string_new (NULL);
    for (guint i = 0; i < source->n_inputs; i++) {
      known |= strcmp (source->inputs[i].name, shapes[s].input) == 0;
      g_string_append_printf (names, "%s'%s'", i > 0 ? ", " : "", source->inputs[i].name);
    }
    g_autofree char *list = g_string_free (names, FALSE);
    if (known)
      continue;
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "the network has no input '%s'; it has %s", shapes[s].input, list);
    return FALSE;
  }
  return TRUE;
}

static gboolean
looks_like_channels (gint64 dim)
{
  return dim == 1 || dim == 3 || dim == 4;
}

/* What a free dimension of an image input most likely is. */
static gint64
guess_dim (const SegModelValue *in, guint axis)
{
  if (in->rank != 4)
    return 1;
  gboolean nhwc = looks_like_channels (in->dims[3]) && !looks_like_channels (in->dims[1]);
  if (axis == 0)
    return 1;
  if (axis == (nhwc ? 3 : 1))
    return 3;
  return 512;
}

static gboolean
choose_dims (SegBuilder *b, const SegModelValue *in, const SegInputShape *shape,
    SegDesc *desc, GError **error)
{
  if (shape != NULL && in->has_shape && shape->rank != in->rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "input '%s' has %u dimensions, not %u", in->name, in->rank, shape->rank);
    return FALSE;
  }
  if (shape == NULL && !in->has_shape) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "input '%s' has no shape in the file; give one", in->name);
    return FALSE;
  }
  desc->rank = shape != NULL ? shape->rank : in->rank;
  for (guint i = 0; i < desc->rank; i++) {
    gint64 fixed = in->has_shape ? in->dims[i] : -1;
    gint64 asked = shape != NULL ? shape->dims[i] : -1;
    if (b->any_batch && i == 0 && fixed == 1 && asked > 0)
      fixed = asked;
    if (fixed >= 0 && asked >= 0 && fixed != asked) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "dimension %u of input '%s' is fixed to %" G_GINT64_FORMAT
          ", not %" G_GINT64_FORMAT,
          i, in->name, fixed, asked);
      return FALSE;
    }
    desc->dims[i] = fixed >= 0 ? fixed : asked;
    if (desc->dims[i] < 0) {
      desc->dims[i] = guess_dim (in, i);
      g_ptr_array_add (b->graph->assumptions,
          g_strdup_printf ("dimension %u of input '%s' is free: %" G_GINT64_FORMAT
                           " was chosen",
              i, in->name, desc->dims[i]));
    }
  }
  return TRUE;
}

gboolean
seg_builder_add_inputs (
    SegBuilder *b, const SegInputShape *shapes, guint n_shapes, GError **error)
{
  if (!check_shapes (b->source, shapes, n_shapes, error))
    return FALSE;
  for (guint i = 0; i < b->source->n_inputs; i++) {
    const SegModelValue *in = &b->source->inputs[i];
    SegDesc desc = { .dtype = in->dtype };
    if (in->dtype == SEG_DTYPE_UNDEFINED) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "input '%s' has no element type", in->name);
      return FALSE;
    }
    if (!choose_dims (b, in, find_shape (shapes, n_shapes, in->name), &desc, error))
      return FALSE;
    if (seg_desc_n_elems (&desc) < 0) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_INPUT, "input '%s' is too large", in->name);
      return FALSE;
    }
    SegValue *v = seg_graph_add_value (b->graph, in->name, &desc);
    v->is_input = TRUE;
    g_ptr_array_add (b->graph->inputs, v);
    if (!g_hash_table_insert (b->values, v->name, v)) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "two inputs are called '%s'", in->name);
      return FALSE;
    }
  }
  return TRUE;
}
