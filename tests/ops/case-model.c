/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "case-model.h"

#include "lib/onnx-writer.h"
#include "notation.h"

#include <string.h>

/* Field numbers and constants of onnx.proto. */
enum {
  NODE_INPUT = 1,
  NODE_OUTPUT,
  NODE_NAME,
  NODE_OP_TYPE,
  NODE_ATTRIBUTE,
  NODE_DOMAIN = 7
};
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { ATTR_NAME = 1, ATTR_F, ATTR_I, ATTR_S, ATTR_T, ATTR_FLOATS = 7, ATTR_INTS };
enum { ATTR_TYPE = 20 };

char *
seg_case_domain (const SegCase *c, const char **name)
{
  const char *dot = strrchr (c->op, '.');

  *name = dot != NULL ? dot + 1 : c->op;
  return dot != NULL ? g_strndup (c->op, dot - c->op) : g_strdup ("");
}

static gboolean
scan_attr_list (SegScan *scan, GByteArray *attr, GError **error)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean is_float = FALSE;

  if (!seg_scan_list (scan, '[', ']', values, &is_float, error))
    return FALSE;
  for (guint i = 0; i < values->len; i++) {
    double v = g_array_index (values, double, i);
    if (is_float)
      seg_pb_float (attr, ATTR_FLOATS, (float) v);
    else
      seg_pb_int (attr, ATTR_INTS, (gint64) v);
  }
  seg_pb_int (attr, ATTR_TYPE, is_float ? SEG_ATTR_FLOATS : SEG_ATTR_INTS);
  return TRUE;
}

static gboolean
scan_attr_string (SegScan *scan, GByteArray *attr, GError **error)
{
  const char *end = strchr (scan->p + 1, '\'');

  if (end == NULL)
    return seg_scan_fail (scan, error, "a closing quote");
  g_autofree char *value = g_strndup (scan->p + 1, end - scan->p - 1);
  seg_pb_string (attr, ATTR_S, value);
  seg_pb_int (attr, ATTR_TYPE, SEG_ATTR_STRING);
  scan->p = end + 1;
  return TRUE;
}

static gboolean
scan_attr_number (SegScan *scan, GByteArray *attr, GError **error)
{
  gboolean is_float = FALSE;
  double v;

  if (!seg_scan_number (scan, &v, &is_float, error))
    return FALSE;
  if (is_float)
    seg_pb_float (attr, ATTR_F, (float) v);
  else
    seg_pb_int (attr, ATTR_I, (gint64) v);
  seg_pb_int (attr, ATTR_TYPE, is_float ? SEG_ATTR_FLOAT : SEG_ATTR_INT);
  return TRUE;
}

static gboolean
scan_attr_tensor (SegScan *scan, GByteArray *attr, GError **error)
{
  g_autoptr (SegTensor) tensor = NULL;
  gboolean is_init;

  if (!seg_scan_tensor (scan, &tensor, &is_init, error))
    return FALSE;
  seg_pb_message (attr, ATTR_T, seg_pb_tensor (NULL, tensor));
  seg_pb_int (attr, ATTR_TYPE, SEG_ATTR_TENSOR);
  return TRUE;
}

static gboolean
scan_attr_value (SegScan *scan, GByteArray *attr, GError **error)
{
  char first = *scan->p;

  if (first == '[')
    return scan_attr_list (scan, attr, error);
  if (first == '\'')
    return scan_attr_string (scan, attr, error);
  if (g_ascii_isdigit (first) || strchr ("+-.", first) != NULL
      || g_str_has_prefix (scan->p, "inf") || g_str_has_prefix (scan->p, "nan"))
    return scan_attr_number (scan, attr, error);
  return scan_attr_tensor (scan, attr, error);
}

static gboolean
scan_attrs (SegScan *scan, GByteArray *node, GError **error)
{
  for (seg_scan_spaces (scan); *scan->p != '\0'; seg_scan_spaces (scan)) {
    g_autoptr (GByteArray) attr = g_byte_array_new ();
    gsize n = strcspn (scan->p, "= ");
    g_autofree char *name = g_strndup (scan->p, n);
    scan->p += n;
    if (*scan->p != '=')
      return seg_scan_fail (scan, error, "'=' after an attribute's name");
    scan->p++;
    seg_pb_string (attr, ATTR_NAME, name);
    if (!scan_attr_value (scan, attr, error))
      return FALSE;
    if (*scan->p != ' ' && *scan->p != '\0')
      return seg_scan_fail (scan, error, "a space after an attribute");
    seg_pb_message (node, NODE_ATTRIBUTE, g_steal_pointer (&attr));
  }
  return TRUE;
}

/* Input i of node k of a chain. */
static gboolean
scan_input (SegScan *scan, guint k, guint i, GByteArray *node, GByteArray *graph,
    GPtrArray *inputs, GError **error)
{
  g_autoptr (SegTensor) tensor = NULL;
  g_autofree char *name =
      k == 0 ? g_strdup_printf ("in%u", i) : g_strdup_printf ("in%u_%u", k, i);
  gboolean is_init;

  if (*scan->p == '^' && k > 0) {
    guint back = strspn (scan->p, "^");
    if (back > k)
      return seg_scan_fail (scan, error, "a node that is there");
    g_autofree char *before = g_strdup_printf ("node%u_out0", k - back);
    scan->p += back;
    seg_pb_string (node, NODE_INPUT, before);
    return TRUE;
  }

  if (*scan->p == '-' && (scan->p[1] == ' ' || scan->p[1] == '\0')) {
    scan->p++;
    seg_pb_string (node, NODE_INPUT, "");
    return TRUE;
  }
  if (!seg_scan_tensor (scan, &tensor, &is_init, error))
    return FALSE;
  if (*scan->p != ' ' && *scan->p != '\0')
    return seg_scan_fail (scan, error, "a space after an input");
  seg_pb_string (node, NODE_INPUT, name);
  if (is_init) {
    seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (name, tensor));
  } else {
    seg_pb_message (graph, GRAPH_INPUT, seg_pb_value_info (name, &tensor->desc));
    g_ptr_array_add (inputs, g_steal_pointer (&tensor));
  }
  return TRUE;
}

/* Node k of a chain; the last one's outputs are the graph's. */
static gboolean
write_node (const SegCase *c, guint k, gboolean last, SegScan *scan, GByteArray *node,
    GByteArray *graph, GPtrArray *inputs, GError **error)
{
  const char *name;
  g_autofree char *domain = seg_case_domain (c, &name);
  guint i = 0;

  scan->text = scan->p = c->inputs != NULL ? c->inputs : "";
  for (seg_scan_spaces (scan); *scan->p != '\0'; seg_scan_spaces (scan))
    if (!scan_input (scan, k, i++, node, graph, inputs, error))
      return FALSE;
  for (i = 0; i < MAX (c->n_outputs, 1); i++) {
    g_autofree char *output =
        last ? g_strdup_printf ("out%u", i) : g_strdup_printf ("node%u_out%u", k, i);
    seg_pb_string (node, NODE_OUTPUT, output);
    if (last)
      seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info (output, NULL));
  }
  g_autofree char *node_name = k == 0 ? g_strdup ("node") : g_strdup_printf ("node%u", k);
  seg_pb_string (node, NODE_NAME, node_name);
  seg_pb_string (node, NODE_OP_TYPE, name);
  seg_pb_string (node, NODE_DOMAIN, domain);
  scan->text = scan->p = c->attrs != NULL ? c->attrs : "";
  return scan_attrs (scan, node, error);
}

gboolean
seg_case_chain_make (const SegCase *chain, guint n, guint32 seed, gboolean half,
    SegCaseModel *out, GError **error)
{
  g_autoptr (GByteArray) graph = g_byte_array_new ();
  g_autoptr (GPtrArray) inputs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) seg_tensor_unref);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (GBytes) bytes = NULL;
  SegScan scan = { .rand = rand, .half = half };
  const char *name;
  g_autofree char *domain = seg_case_domain (chain, &name);

  for (guint k = 0; k < n; k++) {
    g_autoptr (GByteArray) node = g_byte_array_new ();
    if (!write_node (&chain[k], k, k + 1 == n, &scan, node, graph, inputs, error))
      return FALSE;
    seg_pb_message (graph, GRAPH_NODE, g_steal_pointer (&node));
  }
  seg_pb_string (graph, GRAPH_NAME, name);
  bytes = seg_pb_model (
      g_steal_pointer (&graph), chain->opset != 0 ? chain->opset : 17, domain);
  if ((out->model = seg_model_parse (bytes, NULL, error)) == NULL)
    return FALSE;
  out->inputs = g_steal_pointer (&inputs);
  return TRUE;
}

gboolean
seg_case_model_make (
    const SegCase *c, guint32 seed, gboolean half, SegCaseModel *out, GError **error)
{
  return seg_case_chain_make (c, 1, seed, half, out, error);
}

void
seg_case_model_clear (SegCaseModel *model)
{
  g_clear_pointer (&model->model, seg_model_unref);
  g_clear_pointer (&model->inputs, g_ptr_array_unref);
}
