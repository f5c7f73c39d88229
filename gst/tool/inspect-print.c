/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/inspect.h"

#include "tool/json.h"

#include <stdio.h>

/* --- text -------------------------------------------------------------------------------- */

static void
print_values (const char *title, const SegModelValue *values, guint n)
{
  printf ("%s:\n", title);
  for (guint i = 0; i < n; i++) {
    g_autofree char *desc = tool_value_to_string (&values[i]);
    printf ("  %s  %s\n", values[i].name, desc);
  }
}

static void
print_bound_values (const char *title, const GPtrArray *values)
{
  printf ("%s:\n", title);
  for (guint i = 0; i < values->len; i++) {
    const SegValue *v = g_ptr_array_index (values, i);
    g_autofree char *desc = seg_desc_to_string (&v->desc);
    printf ("  %s  %s\n", v->name, desc);
  }
}

static void
print_layers (const SegSession *session)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);

  puts ("Layers:");
  for (guint i = 0; i < n; i++) {
    g_autofree char *desc = seg_desc_to_string (&layers[i].output);
    printf ("  %4u  %-18s %-28s %9.4f GFLOP  %s\n", i, layers[i].op, desc,
        layers[i].gflop, layers[i].node);
  }
}

static void
print_session (const Inspection *in, gboolean with_layers)
{
  const SegGraph *graph = seg_session_graph (in->session);
  const SegLayerTime *layers;
  SegSessionStats stats;

  seg_session_stats (in->session, &stats);
  for (guint i = 0; i < graph->assumptions->len; i++)
    printf ("Assumed: %s\n", (const char *) g_ptr_array_index (graph->assumptions, i));
  print_bound_values ("With these sizes, inputs", graph->inputs);
  print_bound_values ("and outputs", graph->outputs);
  printf ("Arithmetic: %.3f GFLOP in %u layers after fusion\n", in->gflop,
      seg_session_layers (in->session, &layers));
  if (in->vk != NULL)
    printf (
        "Memory: %.1f MiB weights + %.1f MiB activations as %s on %s\n"
        "  (at most %.1f MiB of tensors alive at a time, %.1f MiB with temporaries)\n",
        stats.weight_bytes / 1048576.0, stats.arena_bytes / 1048576.0,
        seg_session_precision (in->session) == SEG_STORAGE_F16 ? "fp16" : "fp32",
        seg_vk_info (in->vk)->name, stats.tensor_bytes / 1048576.0,
        stats.peak_bytes / 1048576.0);
  else
    puts ("Memory: not known without a Vulkan device");
  if (in->vk != NULL && stats.n_host_steps > 0)
    printf ("Host steps: %u of %u\n", stats.n_host_steps,
        stats.n_host_steps + stats.n_dispatches);
  if (with_layers)
    print_layers (in->session);
}

void
inspect_print_text (const Inspection *in, gboolean with_layers)
{
  const SegModel *m = in->model;

  printf ("Model: %s\nProducer: %s\nOpset: %u (IR version %" G_GINT64_FORMAT ")\n",
      in->path, m->producer[0] != '\0' ? m->producer : "not given", m->opset,
      m->ir_version);
  print_values ("Inputs", m->graph.inputs, m->graph.n_inputs);
  print_values ("Outputs", m->graph.outputs, m->graph.n_outputs);
  printf ("Operators: %u nodes\n", m->graph.n_nodes);
  for (guint i = 0; i < in->ops->len; i++) {
    const InspectOp *op = &g_array_index (in->ops, InspectOp, i);
    printf (
        "  %5u %s%s\n", op->count, op->name, op->supported ? "" : "  (not supported)");
  }
  printf ("Parameters: %" G_GUINT64_FORMAT " (%.1f MiB in the file)\n", in->n_params,
      in->weight_bytes / 1048576.0);
  if (in->session != NULL)
    print_session (in, with_layers);
}

/* --- JSON -------------------------------------------------------------------------------- */

static void
add_values (JsonBuilder *b, const char *member, const SegModelValue *values, guint n)
{
  json_builder_set_member_name (b, member);
  json_builder_begin_array (b);
  for (guint i = 0; i < n; i++) {
    const SegModelValue *v = &values[i];
    json_builder_begin_object (b);
    tool_json_string (b, "name", v->name);
    tool_json_string (b, "dtype", seg_dtype_name (v->dtype));
    json_builder_set_member_name (b, "shape");
    if (!v->has_shape) {
      json_builder_add_null_value (b);
    } else {
      json_builder_begin_array (b);
      for (guint axis = 0; axis < v->rank; axis++) {
        g_autofree char *name =
            g_utf8_make_valid (v->dim_names[axis] != NULL ? v->dim_names[axis] : "?", -1);
        if (v->dims[axis] >= 0)
          json_builder_add_int_value (b, v->dims[axis]);
        else
          json_builder_add_string_value (b, name);
      }
      json_builder_end_array (b);
    }
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
}

static void
add_ops (JsonBuilder *b, const Inspection *in)
{
  json_builder_set_member_name (b, "operators");
  json_builder_begin_object (b);
  for (guint i = 0; i < in->ops->len; i++) {
    const InspectOp *op = &g_array_index (in->ops, InspectOp, i);
    g_autofree char *name = g_utf8_make_valid (op->name, -1);
    tool_json_int (b, name, op->count);
  }
  json_builder_end_object (b);
  json_builder_set_member_name (b, "unsupported");
  json_builder_begin_array (b);
  for (guint i = 0; i < in->unsupported->len; i++) {
    const SegModelNode *node = g_ptr_array_index (in->unsupported, i);
    json_builder_begin_object (b);
    tool_json_string (b, "node", node->name);
    tool_json_string (b, "op", node->op_type);
    tool_json_string (b, "domain", node->domain);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
}

static void
add_metadata (JsonBuilder *b, const SegModel *model)
{
  g_autoptr (GList) keys = g_hash_table_get_keys (model->metadata);

  keys = g_list_sort (keys, (GCompareFunc) g_strcmp0);
  json_builder_set_member_name (b, "metadata");
  json_builder_begin_object (b);
  for (GList *key = keys; key != NULL; key = key->next) {
    g_autofree char *name = g_utf8_make_valid (key->data, -1);
    tool_json_string (b, name, g_hash_table_lookup (model->metadata, key->data));
  }
  json_builder_end_object (b);
}

static void
add_bound_values (JsonBuilder *b, const char *member, const GPtrArray *values)
{
  json_builder_set_member_name (b, member);
  json_builder_begin_array (b);
  for (guint i = 0; i < values->len; i++) {
    const SegValue *v = g_ptr_array_index (values, i);
    json_builder_begin_object (b);
    tool_json_string (b, "name", v->name);
    tool_json_desc (b, &v->desc);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
}

static void
add_layers (JsonBuilder *b, const SegSession *session)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);

  json_builder_set_member_name (b, "layers");
  json_builder_begin_array (b);
  for (guint i = 0; i < n; i++) {
    json_builder_begin_object (b);
    tool_json_string (b, "node", layers[i].node);
    tool_json_string (b, "op", layers[i].op);
    tool_json_string (b, "kernel", layers[i].kernel);
    tool_json_desc (b, &layers[i].output);
    tool_json_double (b, "gflop", layers[i].gflop);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
}

static void
add_session (JsonBuilder *b, const Inspection *in)
{
  const SegGraph *graph = seg_session_graph (in->session);
  SegSessionStats stats;

  seg_session_stats (in->session, &stats);
  json_builder_set_member_name (b, "assumptions");
  json_builder_begin_array (b);
  for (guint i = 0; i < graph->assumptions->len; i++)
    json_builder_add_string_value (b, g_ptr_array_index (graph->assumptions, i));
  json_builder_end_array (b);
  add_bound_values (b, "sized_inputs", graph->inputs);
  add_bound_values (b, "sized_outputs", graph->outputs);
  tool_json_double (b, "gflop", in->gflop);
  if (in->vk != NULL) {
    json_builder_set_member_name (b, "memory");
    json_builder_begin_object (b);
    tool_json_string (b, "device", seg_vk_info (in->vk)->name);
    tool_json_string (b, "precision",
        seg_session_precision (in->session) == SEG_STORAGE_F16 ? "fp16" : "fp32");
    tool_json_int (b, "weight_bytes", (gint64) stats.weight_bytes);
    tool_json_int (b, "arena_bytes", (gint64) stats.arena_bytes);
    tool_json_int (b, "peak_bytes", (gint64) stats.peak_bytes);
    tool_json_int (b, "tensor_bytes", (gint64) stats.tensor_bytes);
    json_builder_end_object (b);
    tool_json_int (b, "host_steps", stats.n_host_steps);
  }
  add_layers (b, in->session);
}

void
inspect_print_json (const Inspection *in)
{
  const SegModel *m = in->model;
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_object (b);
  tool_json_string (b, "model", in->path);
  tool_json_string (b, "producer", m->producer);
  tool_json_int (b, "opset", m->opset);
  tool_json_int (b, "ir_version", m->ir_version);
  add_metadata (b, m);
  add_values (b, "inputs", m->graph.inputs, m->graph.n_inputs);
  add_values (b, "outputs", m->graph.outputs, m->graph.n_outputs);
  tool_json_int (b, "nodes", m->graph.n_nodes);
  add_ops (b, in);
  tool_json_int (b, "parameters", (gint64) in->n_params);
  tool_json_int (b, "weight_bytes", (gint64) in->weight_bytes);
  if (in->session != NULL)
    add_session (b, in);
  json_builder_end_object (b);
  tool_json_print (b);
}
