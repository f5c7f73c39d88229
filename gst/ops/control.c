/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* If and Loop: graphs in attributes, run on the host. A condition that is known at load never
 * gets here: the branch becomes part of the graph around it. */
#include "ops/ops.h"

#include <string.h>

static gboolean
check_body (const SegNode *node, const char *name, gint64 n_formal, gint64 n_outputs,
    GError **error)
{
  const SegBody *body = seg_node_body (node, name);
  if (body == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "has no graph '%s'", name);
    return FALSE;
  }
  if (body->n_formal == n_formal && body->graph->outputs->len == n_outputs)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "%s has %u inputs and %u outputs; %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
      " are wanted",
      name, body->n_formal, body->graph->outputs->len, n_formal, n_outputs);
  return FALSE;
}

static const SegValue *
body_output (const SegBody *body, guint i)
{
  return g_ptr_array_index (body->graph->outputs, i);
}

static gboolean
read_flag (const SegTensor *t, gboolean *flag, GError **error)
{
  if (seg_desc_n_elems (&t->desc) != 1) {
    g_autofree char *text = seg_desc_to_string (&t->desc);
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "the condition is %s, not one bool", text);
    return FALSE;
  }
  *flag = seg_tensor_get_int (t, 0) != 0;
  return TRUE;
}

static void
unref_all (SegTensor **tensors, guint n)
{
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&tensors[i], seg_tensor_unref);
}

/* --- If --- */

static const SegDesc *
fewer_of (const SegValue *v)
{
  return v->size == SEG_SIZE_FIXED ? &v->desc : &v->fewer;
}

/* What is known of a value that is one of two. */
static void
join (const SegValue *a, const SegValue *b, SegValue *out)
{
  out->desc = out->fewer = a->desc;
  out->size = SEG_SIZE_UNKNOWN;
  if (a->size == SEG_SIZE_UNKNOWN || b->size == SEG_SIZE_UNKNOWN
      || a->desc.dtype != b->desc.dtype || a->desc.rank != b->desc.rank)
    return;
  out->size = MAX (a->size, b->size);
  for (guint i = 0; i < a->desc.rank; i++) {
    gint64 ai = a->desc.dims[i], bi = b->desc.dims[i];
    gint64 fewer = MAX (fewer_of (a)->dims[i], fewer_of (b)->dims[i]);
    out->desc.dims[i] = MAX (ai, bi);
    out->fewer.dims[i] = ai == bi ? fewer : MIN (fewer, MIN (ai, bi));
    if (ai != bi)
      out->size = SEG_SIZE_BOUNDED;
  }
}

static gboolean
if_infer (SegNode *node, GError **error)
{
  if (!check_body (node, "then_branch", 0, node->outputs->len, error)
      || !check_body (node, "else_branch", 0, node->outputs->len, error))
    return FALSE;
  for (guint i = 0; i < node->outputs->len; i++)
    if (seg_node_output (node, i) != NULL)
      join (body_output (seg_node_body (node, "then_branch"), i),
          body_output (seg_node_body (node, "else_branch"), i),
          seg_node_output (node, i));
  return TRUE;
}

static gboolean
if_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gboolean yes;
  return read_flag (in[0], &yes, error)
         && seg_body_eval (node,
             seg_node_body (node, yes ? "then_branch" : "else_branch"), in, NULL, out,
             error);
}

const SegOp seg_op_if = {
  .name = "If",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = G_MAXUINT,
  .decides = SEG_OP_ALL, /* for all that is known here of what the bodies do */
  .flags = SEG_OP_LIVE | SEG_OP_BODIES,
  .infer = if_infer,
  .eval = if_eval,
};

/* --- Loop --- */

static guint
n_carried (const SegNode *node)
{
  return node->inputs->len - node->n_captured - 2;
}

static gboolean
loop_infer (SegNode *node, GError **error)
{
  guint carried = n_carried (node);
  if (node->outputs->len < carried) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "has fewer outputs than variables");
    return FALSE;
  }
  if (!check_body (node, "body", carried + 2, (gint64) node->outputs->len + 1, error))
    return FALSE;
  for (guint i = 0; i < node->outputs->len; i++)
    if (seg_node_output (node, i) != NULL)
      seg_node_output (node, i)->size = SEG_SIZE_UNKNOWN;
  return TRUE;
}

/* One run of a loop. */
typedef struct {
  const SegNode *node;
  const SegBody *body;
  SegTensor *const *in;
  guint n_carried, n_outputs;
  SegTensor **formal; /* number of the round, condition, variables */
  SegTensor **made;   /* condition, variables, scan outputs */
  GPtrArray **scans;  /* per scan output what the rounds made */
} LoopRun;

static gboolean
loop_round (LoopRun *run, gint64 round, GError **error)
{
  SegTensor *number = seg_tensor_new (&(SegDesc){ .dtype = SEG_DTYPE_I64 }, error);
  if (number == NULL)
    return FALSE;
  *(gint64 *) number->data = round;
  seg_tensor_unref (run->formal[0]);
  run->formal[0] = number;
  if (!seg_body_eval (run->node, run->body, run->in, run->formal, run->made, error))
    return FALSE;
  for (guint i = 0; i <= run->n_carried; i++) {
    seg_tensor_unref (run->formal[1 + i]);
    run->formal[1 + i] = g_steal_pointer (&run->made[i]);
  }
  for (guint i = run->n_carried; i < run->n_outputs; i++)
    g_ptr_array_add (run->scans[i - run->n_carried], g_steal_pointer (&run->made[1 + i]));
  return TRUE;
}

static gboolean
loop_rounds (LoopRun *run, gint64 limit, GError **error)
{
  gboolean more = TRUE;
  if (run->formal[1] == NULL) {
    run->formal[1] = seg_tensor_new (&(SegDesc){ .dtype = SEG_DTYPE_BOOL }, error);
    if (run->formal[1] == NULL)
      return FALSE;
    *(guint8 *) run->formal[1]->data = 1;
  }
  for (gint64 i = 0; i < limit; i++) {
    if (!read_flag (run->formal[1], &more, error))
      return FALSE;
    if (!more)
      return TRUE;
    if (!loop_round (run, i, error)) {
      g_prefix_error (error, "round %" G_GINT64_FORMAT ": ", i);
      return FALSE;
    }
  }
  return TRUE;
}

/* The rounds' results, one behind the other along a new first axis; without rounds what the
 * file says of one, with 0 for what it leaves open. */
static SegTensor *
stack (const LoopRun *run, guint output, GError **error)
{
  const GPtrArray *parts = run->scans[output - run->n_carried];
  const SegValue *one = body_output (run->body, output + 1);
  const SegDesc *d = parts->len > 0 ? &((SegTensor *) parts->pdata[0])->desc : &one->desc;
  SegDesc desc = { d->dtype, d->rank + 1, { parts->len } };
  if (d->rank >= SEG_MAX_RANK) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "an output would have %u dimensions; at most %d are supported", desc.rank,
        SEG_MAX_RANK);
    return NULL;
  }
  memcpy (desc.dims + 1, d->dims, d->rank * sizeof *d->dims);
  if (desc.dtype == SEG_DTYPE_UNDEFINED)
    desc.dtype = SEG_DTYPE_F32;
  g_autoptr (SegTensor) t = seg_tensor_new (&desc, error);
  for (guint i = 0; t != NULL && i < parts->len; i++) {
    const SegTensor *part = parts->pdata[i];
    if (part->desc.dtype != d->dtype || !seg_desc_same_dims (&part->desc, d)) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "output %u has another shape in round %u than in round 0", output, i);
      return NULL;
    }
    if (part->n_bytes > 0)
      memcpy (
          (guint8 *) t->data + i * part->n_bytes, seg_tensor_data (part), part->n_bytes);
  }
  return g_steal_pointer (&t);
}

static gboolean
loop_finish (LoopRun *run, SegTensor **out, GError **error)
{
  for (guint i = 0; i < run->n_outputs; i++) {
    if (seg_node_output (run->node, i) == NULL)
      continue;
    out[i] =
        i < run->n_carried ? seg_tensor_ref (run->formal[2 + i]) : stack (run, i, error);
    if (out[i] == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_variables (const LoopRun *run, GError **error)
{
  for (guint i = 0; i < run->n_carried; i++) {
    if (run->in[2 + i] != NULL)
      continue;
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "variable %u has no first value", i);
    return FALSE;
  }
  return TRUE;
}

static gboolean
loop_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  guint carried = n_carried (node), n_outputs = node->outputs->len;
  guint n_scans = n_outputs - carried;
  g_autofree SegTensor **formal = g_new0 (SegTensor *, carried + 2);
  g_autofree SegTensor **made = g_new0 (SegTensor *, n_outputs + 1);
  g_autofree GPtrArray **scans = g_new0 (GPtrArray *, n_scans + 1);
  LoopRun run = { node, seg_node_body (node, "body"), in, carried, n_outputs, formal,
    made, scans };
  for (guint i = 0; i <= carried; i++)
    formal[1 + i] = in[1 + i] != NULL ? seg_tensor_ref (in[1 + i]) : NULL;
  for (guint i = 0; i < n_scans; i++)
    scans[i] = g_ptr_array_new_with_free_func ((GDestroyNotify) seg_tensor_unref);
  gint64 limit = in[0] != NULL && seg_desc_n_elems (&in[0]->desc) == 1
                     ? seg_tensor_get_int (in[0], 0)
                     : G_MAXINT64;
  gboolean ok = check_variables (&run, error) && loop_rounds (&run, limit, error)
                && loop_finish (&run, out, error);
  unref_all (formal, carried + 2);
  unref_all (made, n_outputs + 1);
  for (guint i = 0; i < n_scans; i++)
    g_ptr_array_unref (scans[i]);
  return ok;
}

const SegOp seg_op_loop = {
  .name = "Loop",
  .domain = "",
  .min_inputs = 0,
  .max_inputs = G_MAXUINT,
  .max_outputs = G_MAXUINT,
  .decides = SEG_OP_ALL, /* for all that is known here of what the bodies do */
  .flags = SEG_OP_LIVE | SEG_OP_BODIES,
  .infer = loop_infer,
  .eval = loop_eval,
};
