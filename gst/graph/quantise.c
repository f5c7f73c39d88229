/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/quantise.h"

#include <math.h>
#include <string.h>

/* Networks that are quantised by pairs: tensors go through DequantizeLinear, an operator on numbers,
 * and QuantizeLinear. Where that is one operator on bytes, it becomes that, with the integers that
 * it was made from; the others are left as they are, which is slower and no less right. Runs while
 * the producers of folded constants are still there: quantised weights are found behind them. */

typedef struct {
  SegGraph *graph;
  SegOpLookup lookup;
  guint index; /* of the node at hand */
} Pass;

/* A tensor of bytes or of int32 (a bias), and what its integers mean. */
typedef struct {
  SegValue *x, *scale, *zero; /* zero NULL: 0 */
  guint axis;                 /* G_MAXUINT: one scale for all */
} Pair;

static gboolean
is_op (const SegNode *node, const char *name)
{
  return node != NULL && strcmp (node->op->name, name) == 0
         && strcmp (node->op->domain, "vkseg") != 0;
}

static gboolean
is_plain (const SegNode *node)
{
  return !node->late && node->epilogue.act.kind == SEG_ACT_NONE
         && node->epilogue.residual < 0;
}

/* The pair of a DequantizeLinear or QuantizeLinear. */
static gboolean
pair_of (const SegNode *node, Pair *pair)
{
  *pair = (Pair){ seg_node_input (node, 0), seg_node_input (node, 1),
    seg_node_input (node, 2), G_MAXUINT };
  if (node->late || pair->scale->constant == NULL
      || (pair->zero != NULL && pair->zero->constant == NULL))
    return FALSE;
  if (seg_desc_n_elems (&pair->scale->desc) == 1)
    return pair->zero == NULL || seg_desc_n_elems (&pair->zero->desc) == 1;
  return seg_axis_normalize (
      seg_node_attr_int (node, "axis", 1), pair->x->desc.rank, &pair->axis, NULL);
}

/* What a number was made from, when it was an integer. */
static gboolean
dequantised (const SegValue *v, Pair *pair)
{
  if (v == NULL || !is_op (v->producer, "DequantizeLinear"))
    return FALSE;
  return pair_of (v->producer, pair)
         && (v->constant == NULL || pair->x->constant != NULL);
}

static gboolean
of_bytes (const Pair *pair)
{
  return (pair->x->desc.dtype == SEG_DTYPE_U8 || pair->x->desc.dtype == SEG_DTYPE_I8)
         && pair->x->size == SEG_SIZE_FIXED;
}

static gboolean
one_for_all (const SegValue *v, Pair *pair)
{
  return dequantised (v, pair) && of_bytes (pair) && pair->axis == G_MAXUINT;
}

static double
scale_of (const Pair *pair, gsize i)
{
  return seg_tensor_get_double (pair->scale->constant, pair->axis == G_MAXUINT ? 0 : i);
}

static gint64
zero_of (const Pair *pair)
{
  return pair->zero != NULL ? seg_tensor_get_int (pair->zero->constant, 0) : 0;
}

/* The same integers mean the same numbers. */
static gboolean
mean_the_same (const Pair *a, SegDType a_dtype, const Pair *b, SegDType b_dtype)
{
  return a_dtype == b_dtype && scale_of (a, 0) == scale_of (b, 0)
         && zero_of (a) == zero_of (b);
}

/* --- making nodes -------------------------------------------------------------------------- */

/* A zero point that is there, for operators that must have one. */
static SegValue *
zero_value (Pass *pass, SegValue *zero, SegDType dtype)
{
  if (zero != NULL)
    return zero;
  g_autoptr (SegTensor) t = seg_tensor_new (&(SegDesc){ .dtype = dtype }, NULL);
  return t != NULL ? seg_graph_add_constant (pass->graph, "zero", t) : NULL;
}

/* A node of these inputs, before the one at hand; NULL when it does not make `want`. */
static SegNode *
add_node (Pass *pass, const char *domain, const char *op_name, const SegNode *like,
    SegValue *const *inputs, guint n, const SegDesc *want)
{
  const SegOp *op = pass->lookup (domain, op_name);
  if (op == NULL)
    return NULL;
  SegNode *node = seg_node_new (op, like->name, like->model, like->opset);
  SegValue *out =
      seg_graph_add_value (pass->graph, seg_node_output (like, 0)->name, want);
  for (guint i = 0; i < n; i++)
    seg_node_add_input (node, inputs[i]);
  seg_node_add_output (node, out);
  g_autoptr (GError) error = NULL;
  if (seg_node_prepare (node, &error) && out->desc.dtype == want->dtype
      && seg_desc_same_dims (&out->desc, want)) {
    g_ptr_array_insert (pass->graph->nodes, pass->index++, node);
    return node;
  }
  for (guint i = 0; i < n; i++)
    seg_node_set_input (node, i, NULL);
  out->producer = NULL;
  seg_node_free (node);
  return NULL;
}

/* `made` makes what the QuantizeLinear at hand did, which becomes superfluous. */
static gboolean
take_over (SegNode *made, SegNode *quantize)
{
  if (made == NULL)
    return FALSE;
  SegValue *unused = seg_node_output (made, 0), *out = seg_node_output (quantize, 0);
  g_ptr_array_index (made->outputs, 0) = out;
  g_ptr_array_index (quantize->outputs, 0) = unused;
  out->producer = made;
  unused->producer = quantize;
  return TRUE;
}

/* --- the operators ------------------------------------------------------------------------- */

static gboolean
all_zero (const SegValue *v)
{
  for (gint64 i = 0; v != NULL && i < seg_desc_n_elems (&v->desc); i++)
    if (v->constant == NULL || seg_tensor_get_int (v->constant, i) != 0)
      return FALSE;
  return TRUE;
}

/* An int32 for each channel: the one that the bias was made from, or the nearest. */
static SegValue *
integer_bias (Pass *pass, const SegValue *bias, const Pair *x, const Pair *w, gint64 n)
{
  Pair made_from;
  if (dequantised (bias, &made_from) && made_from.x->desc.dtype == SEG_DTYPE_I32
      && made_from.x->constant != NULL && all_zero (made_from.zero))
    return made_from.x;
  const SegDesc desc = { SEG_DTYPE_I32, 1, { n } };
  if (bias->constant == NULL || seg_desc_n_elems (&bias->desc) != n)
    return NULL;
  g_autoptr (SegTensor) t = seg_tensor_new (&desc, NULL);
  for (gint64 c = 0; t != NULL && c < n; c++) {
    double unit = scale_of (x, 0) * scale_of (w, c);
    double v = rint (seg_tensor_get_double (bias->constant, c) / unit);
    if (!(fabs (v) < G_MAXINT32))
      return NULL;
    seg_tensor_set_int (t, c, (gint64) v);
  }
  return t != NULL ? seg_graph_add_constant (pass->graph, bias->name, t) : NULL;
}

/* Conv and MatMul of two pairs. */
static gboolean
quantise_product (Pass *pass, SegNode *quantize, const SegNode *node, const Pair *y)
{
  gboolean conv = is_op (node, "Conv");
  const SegDesc *out = &seg_node_output (quantize, 0)->desc;
  const SegValue *bias = seg_node_input (node, 2);
  Pair x, w;
  if (!one_for_all (seg_node_input (node, 0), &x)
      || !dequantised (seg_node_input (node, 1), &w) || !of_bytes (&w))
    return FALSE;
  guint per_channel = conv ? 0 : w.x->desc.rank - 1;
  if ((w.axis != G_MAXUINT && w.axis != per_channel) || (conv && w.x->constant == NULL))
    return FALSE;
  SegValue *inputs[9] = { x.x, x.scale, zero_value (pass, x.zero, x.x->desc.dtype), w.x,
    w.scale, zero_value (pass, w.zero, w.x->desc.dtype), y->scale,
    zero_value (pass, y->zero, out->dtype), NULL };
  if (bias != NULL) {
    inputs[8] = integer_bias (pass, bias, &x, &w, w.x->desc.dims[0]);
    if (inputs[8] == NULL)
      return FALSE;
  }
  return take_over (add_node (pass, "", conv ? "QLinearConv" : "QLinearMatMul", node,
                        inputs, bias != NULL ? 9 : 8, out),
      quantize);
}

static gboolean
quantise_binary (Pass *pass, SegNode *quantize, const SegNode *node, const Pair *y)
{
  const SegDesc *out = &seg_node_output (quantize, 0)->desc;
  Pair a, b;
  if (!one_for_all (seg_node_input (node, 0), &a)
      || !one_for_all (seg_node_input (node, 1), &b))
    return FALSE;
  SegValue *inputs[8] = { a.x, a.scale, zero_value (pass, a.zero, a.x->desc.dtype), b.x,
    b.scale, zero_value (pass, b.zero, b.x->desc.dtype), y->scale,
    zero_value (pass, y->zero, out->dtype) };
  const char *name = is_op (node, "Add") ? "QLinearAdd" : "QLinearMul";
  return take_over (
      add_node (pass, "com.microsoft", name, node, inputs, 8, out), quantize);
}

static SegNode *
add_requantize (Pass *pass, const SegNode *like, const Pair *from, const Pair *to,
    SegDType dtype, SegAct act)
{
  SegDesc want = from->x->desc;
  want.dtype = dtype;
  SegValue *inputs[5] = { from->x, from->scale,
    zero_value (pass, from->zero, from->x->desc.dtype), to->scale,
    zero_value (pass, to->zero, dtype) };
  SegNode *node = add_node (pass, "vkseg", "Requantize", like, inputs, 5, &want);
  if (node != NULL)
    *(SegAct *) node->params = act;
  return node;
}

/* A function of one variable: a table of bytes. */
static gboolean
quantise_act (Pass *pass, SegNode *quantize, const SegNode *node, const Pair *y)
{
  SegAct act;
  Pair x;
  if (node->op->as_act == NULL || !node->op->as_act (node, &act)
      || !one_for_all (seg_node_input (node, 0), &x))
    return FALSE;
  SegDType dtype = seg_node_output (quantize, 0)->desc.dtype;
  return take_over (add_requantize (pass, node, &x, y, dtype, act), quantize);
}

static gboolean
quantise_global_pool (Pass *pass, SegNode *quantize, const SegNode *node, const Pair *y)
{
  const SegDesc *out = &seg_node_output (quantize, 0)->desc;
  Pair x;
  if (!one_for_all (seg_node_input (node, 0), &x) || x.x->desc.dtype != out->dtype)
    return FALSE;
  SegValue *inputs[5] = { x.x, x.scale, zero_value (pass, x.zero, x.x->desc.dtype),
    y->scale, zero_value (pass, y->zero, out->dtype) };
  return take_over (
      add_node (pass, "com.microsoft", "QLinearGlobalAveragePool", node, inputs, 5, out),
      quantize);
}

/* Operators that leave elements as they are do so with bytes: those whose other inputs say how. */
static gboolean
is_mover (const SegNode *node)
{
  static const char *const names[] = { "MaxPool", "Transpose", "Reshape", "Flatten",
    "Squeeze", "Unsqueeze", "Slice", "Concat", "DepthToSpace", "SpaceToDepth", "Expand",
    "Tile", "Identity" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (is_op (node, names[i]))
      return node->outputs->len == 1;
  return FALSE;
}

/* A mover's input as bytes that mean what y's do; NULL when it is none. */
static SegValue *
moved_bytes (Pass *pass, const SegNode *node, SegValue *v, const Pair *y, SegDType dtype)
{
  Pair x;
  if (!one_for_all (v, &x))
    return NULL;
  if (mean_the_same (&x, x.x->desc.dtype, y, dtype))
    return x.x;
  if (!is_op (node, "Concat"))
    return NULL; /* elsewhere the dearer of the two orders would have to be avoided */
  SegNode *made = add_requantize (pass, v->producer, &x, y, dtype, (SegAct){ 0 });
  return made != NULL ? seg_node_output (made, 0) : NULL;
}

static gboolean
quantise_mover (Pass *pass, SegNode *quantize, const SegNode *node, const Pair *y)
{
  const SegDesc *out = &seg_node_output (quantize, 0)->desc;
  guint n = node->inputs->len, n_data = is_op (node, "Concat") ? n : 1;
  g_autofree SegValue **inputs = g_new0 (SegValue *, n + 1);
  for (guint i = 0; i < n; i++) {
    SegValue *v = seg_node_input (node, i);
    inputs[i] = i < n_data ? moved_bytes (pass, node, v, y, out->dtype) : v;
    if (i < n_data && inputs[i] == NULL)
      return FALSE;
  }
  return take_over (
      add_node (pass, node->op->domain, node->op->name, node, inputs, n, out), quantize);
}

/* --- activations that the range of the bytes is enough for ---------------------------------- */

/* Whether y's bytes cannot tell v from act (v): they end where it does. */
static gboolean
is_superfluous (SegAct act, const Pair *y, SegDType dtype)
{
  double low = dtype == SEG_DTYPE_I8 ? -128 : 0, high = low + 255;
  double scale = scale_of (y, 0), zero = (double) zero_of (y);
  if (act.kind == SEG_ACT_RELU)
    return zero <= low;
  return act.kind == SEG_ACT_CLIP && rint (act.a / scale) + zero <= low
         && rint (act.b / scale) + zero >= high;
}

/* Takes such an activation from between a number and the QuantizeLinear at hand. */
static void
skip_act (SegNode *quantize, const Pair *y, SegDType dtype)
{
  SegNode *node = y->x->producer;
  SegAct act;
  if (y->x->n_uses != 1 || y->x->is_output || y->x->constant != NULL || node == NULL
      || node->op->as_act == NULL || !is_plain (node) || !node->op->as_act (node, &act)
      || !is_superfluous (act, y, dtype))
    return;
  seg_node_set_input (quantize, 0, seg_node_input (node, 0));
  for (guint i = 0; i < node->inputs->len; i++)
    seg_node_set_input (node, i, NULL);
}

/* --- the pass ------------------------------------------------------------------------------- */

static gboolean
quantise (Pass *pass, SegNode *quantize)
{
  Pair y, x;
  SegDType dtype = seg_node_output (quantize, 0)->desc.dtype;
  if (!pair_of (quantize, &y) || y.axis != G_MAXUINT
      || (dtype != SEG_DTYPE_U8 && dtype != SEG_DTYPE_I8) || y.x->size != SEG_SIZE_FIXED)
    return FALSE;
  skip_act (quantize, &y, dtype);
  SegValue *v = seg_node_input (quantize, 0);
  if (v->constant != NULL || v->producer == NULL)
    return FALSE;
  if (one_for_all (v, &x))
    return take_over (
        add_requantize (pass, quantize, &x, &y, dtype, (SegAct){ 0 }), quantize);
  const SegNode *node = v->producer;
  if (v->n_uses != 1 || v->is_output || !is_plain (node))
    return FALSE;
  if (is_op (node, "Conv") || is_op (node, "MatMul"))
    return quantise_product (pass, quantize, node, &y);
  if (is_op (node, "Add") || is_op (node, "Mul"))
    return quantise_binary (pass, quantize, node, &y);
  if (is_op (node, "GlobalAveragePool"))
    return quantise_global_pool (pass, quantize, node, &y);
  return is_mover (node) ? quantise_mover (pass, quantize, node, &y)
                         : quantise_act (pass, quantize, node, &y);
}

/* Y_scale, Y_zero, then tensor, scale and zero point of each. */
static gboolean
split_concat (Pass *pass, SegNode *node)
{
  const SegDesc *out = &seg_node_output (node, 0)->desc;
  guint n = (node->inputs->len - 2) / 3;
  g_autofree SegValue **inputs = g_new0 (SegValue *, n + 1);
  Pair y = { NULL, seg_node_input (node, 0), seg_node_input (node, 1), G_MAXUINT };
  for (guint i = 2; i < node->inputs->len; i++)
    if (i % 3 != 2
        && (seg_node_input (node, i) == NULL
            || seg_node_input (node, i)->constant == NULL))
      return FALSE;
  if (node->late || y.scale->constant == NULL || y.zero->constant == NULL)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    Pair x = { seg_node_input (node, 2 + 3 * i), seg_node_input (node, 3 + 3 * i),
      seg_node_input (node, 4 + 3 * i), G_MAXUINT };
    inputs[i] = x.x;
    if (x.x->size != SEG_SIZE_FIXED)
      return FALSE;
    if (mean_the_same (&x, x.x->desc.dtype, &y, out->dtype))
      continue;
    SegNode *made = add_requantize (pass, node, &x, &y, out->dtype, (SegAct){ 0 });
    if (made == NULL)
      return FALSE;
    inputs[i] = seg_node_output (made, 0);
  }
  return take_over (add_node (pass, "", "Concat", node, inputs, n, out), node);
}

void
seg_graph_quantise (SegGraph *graph, SegOpLookup lookup)
{
  Pass pass = { graph, lookup, 0 };
  for (; pass.index < graph->nodes->len; pass.index++) {
    SegNode *node = g_ptr_array_index (graph->nodes, pass.index);
    if (is_op (node, "QuantizeLinear"))
      (void) quantise (&pass, node);
    else if (is_op (node, "QLinearConcat"))
      (void) split_concat (&pass, node);
  }
}
