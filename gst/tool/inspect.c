/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/inspect.h"
#include "base/names.h"

#include "ops/table.h"

#include <string.h>

static void
clear_op (gpointer op)
{
  g_free (((InspectOp *) op)->name);
}

static void
inspection_clear (Inspection *in)
{
  seg_session_free (&in->session);
  g_clear_pointer (&in->vk, seg_vk_unref);
  g_clear_pointer (&in->ops, g_array_unref);
  g_clear_pointer (&in->unsupported, g_ptr_array_unref);
  g_clear_pointer (&in->model, seg_model_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Inspection, inspection_clear)

static int
compare_ops (gconstpointer a, gconstpointer b)
{
  const InspectOp *x = a, *y = b;

  if (x->count != y->count)
    return x->count < y->count ? 1 : -1;
  return strcmp (x->name, y->name);
}

static void
count_op (Inspection *in, GHashTable *index, const SegModelNode *node)
{
  InspectOp op = { 0 };
  gpointer at;

  op.name = node->domain[0] != '\0' ? g_strconcat (node->domain, ".", node->op_type, NULL)
                                    : g_strdup (node->op_type);
  op.supported = seg_op_lookup (node->domain, node->op_type) != NULL;
  op.count = 1;
  if (!op.supported)
    g_ptr_array_add (in->unsupported, (gpointer) node);
  if (g_hash_table_lookup_extended (index, op.name, NULL, &at)) {
    g_array_index (in->ops, InspectOp, GPOINTER_TO_UINT (at)).count++;
    g_free (op.name);
  } else {
    g_hash_table_insert (index, op.name, GUINT_TO_POINTER (in->ops->len));
    g_array_append_val (in->ops, op);
  }
}

static void
count_weights (Inspection *in, const SegTensor *t)
{
  in->n_params += (guint64) seg_desc_n_elems (&t->desc);
  in->weight_bytes += t->n_bytes;
}

static void
count_model (Inspection *in)
{
  const SegModelGraph *g = &in->model->graph;
  g_autoptr (GHashTable) index = g_hash_table_new (seg_name_hash, g_str_equal);

  in->ops = g_array_new (FALSE, FALSE, sizeof (InspectOp));
  g_array_set_clear_func (in->ops, clear_op);
  in->unsupported = g_ptr_array_new ();
  for (guint i = 0; i < g->n_inits; i++)
    count_weights (in, g->inits[i].tensor);
  for (guint i = 0; i < g->n_nodes; i++) {
    const SegAttr *value = seg_model_node_attr (&g->nodes[i], "value");
    count_op (in, index, &g->nodes[i]);
    if (strcmp (g->nodes[i].op_type, "Constant") == 0 && value != NULL
        && value->t != NULL)
      count_weights (in, value->t);
  }
  g_array_sort (in->ops, compare_ops);
}

/* A session is made, but not run, to know what it would take. Without a device it is one on
 * the host: layers and arithmetic are the same, memory is not known. */
static gboolean
bind (Inspection *in, const ToolOptions *o, GError **error)
{
  g_auto (ToolInputs) inputs = { 0 };
  g_autoptr (GError) no_device = NULL;
  const SegLayerTime *layers;
  guint n;

  if (!tool_inputs_read (&inputs, in->model, o, FALSE, error))
    return FALSE;
  in->vk = tool_open_device (o, &no_device);
  if (in->vk == NULL && o->device != NULL) {
    g_propagate_error (error, g_steal_pointer (&no_device));
    return FALSE;
  }
  SegSessionOptions options = {
    .precision = o->precision, .shapes = inputs.shapes, .n_shapes = inputs.n_shapes
  };
  in->session = seg_session_new (in->model, in->vk, &options, error);
  if (in->session == NULL)
    return FALSE;
  n = seg_session_layers (in->session, &layers);
  for (guint i = 0; i < n; i++)
    in->gflop += layers[i].gflop;
  return TRUE;
}

static int
run (int argc, char **argv)
{
  g_auto (ToolOptions) options = { NULL };
  g_auto (Inspection) in = { NULL };
  gboolean with_layers = FALSE;
  const GOptionEntry own[] = {
    { "layers", 'l', 0, G_OPTION_ARG_NONE, &with_layers, "List the layers", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!tool_parse (&tool_inspect, &options,
          TOOL_OPTION_MODEL | TOOL_OPTION_INPUT | TOOL_OPTION_SHAPE | TOOL_OPTION_DEVICE
              | TOOL_OPTION_JSON,
          own, argc, argv, &status))
    return status;
  in.path = options.model;
  in.model = tool_load_model (&options, &error);
  if (in.model == NULL)
    return tool_refuse (error->message);
  count_model (&in);
  bind (&in, &options, &error);
  if (options.json)
    inspect_print_json (&in);
  else
    inspect_print_text (&in, with_layers);
  return error != NULL ? tool_refuse (error->message) : TOOL_OK;
}

const ToolCommand tool_inspect = {
  .name = "inspect",
  .arguments = "MODEL",
  .summary = "Says what a network needs: inputs, operators, weights, arithmetic, memory.",
  .details =
      "Sizes that the model leaves free are taken from --shape or --input, or else\n"
      "assumed and reported. GFLOP counts a multiply-add as two. A model with operators\n"
      "that vkseg lacks is described too, with each such node, and exit status 1.",
  .run = run,
};
