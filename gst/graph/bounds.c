/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes that the data decides: what they are at most, so that a device can have memory for them.
 * Each such value is inferred twice, with as much of everything as there can be and with hardly
 * anything; where the two differ, the data decides. What shapes are computed from is computed for
 * these and for one and none, and counts as constant where all four agree. A size that turns out
 * larger than its bound does no harm on the host, and is an error where it goes to a device. */
#include "graph/rewrite.h"

#include <string.h>

#define MAX_CONTENTS 64 /* elements of a shape calculation */

typedef enum { NONE, ONE, FEWER, MOST } Sample; /* SEG_N_SAMPLES; FEWER is two */
#define FEW 2

/* A node's inputs as they were before they were made to look like a sample. */
typedef struct {
  SegDesc *descs;
  SegTensor **constants;
} Saved;

static SegDesc
sample_desc (const SegValue *v, Sample sample)
{
  SegDesc d = sample == MOST ? v->desc : v->fewer;
  for (guint i = 0; sample < FEWER && i < d.rank; i++)
    if (v->fewer.dims[i] != v->desc.dims[i])
      d.dims[i] = MIN (d.dims[i], (gint64) sample);
  return d;
}

static Saved
put_on (SegNode *node, Sample sample)
{
  guint n = node->inputs->len;
  Saved saved = { g_new0 (SegDesc, n + 1), g_new0 (SegTensor *, n + 1) };
  for (guint i = 0; i < n; i++) {
    SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL)
      continue;
    saved.descs[i] = v->desc;
    saved.constants[i] = v->constant;
  }
  for (guint i = 0; i < n; i++) {
    SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL || v->constant != NULL)
      continue;
    v->constant = v->contents[sample];
    if (v->size == SEG_SIZE_BOUNDED)
      v->desc = sample_desc (v, sample);
  }
  return saved;
}

static void
take_off (SegNode *node, Saved *saved)
{
  for (guint i = node->inputs->len; i-- > 0;) {
    SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL)
      continue;
    v->desc = saved->descs[i];
    v->constant = saved->constants[i];
  }
  g_free (saved->descs);
  g_free (saved->constants);
}

static void
forget_params (SegNode *node)
{
  if (node->params == NULL)
    return;
  if (node->op->clear != NULL)
    node->op->clear (node->params);
  memset (node->params, 0, node->op->params_size);
}

/* Infers the outputs for a sample. */
static gboolean
infer_sample (SegNode *node, Sample sample)
{
  Saved saved = put_on (node, sample);
  forget_params (node);
  gboolean ok = seg_node_prepare (node, NULL);
  take_off (node, &saved);
  return ok;
}

static gboolean
is_ordered (const SegDesc *fewer, const SegDesc *most)
{
  gboolean ok = fewer->rank == most->rank && fewer->dtype == most->dtype;
  for (guint i = 0; ok && i < most->rank; i++)
    ok = fewer->dims[i] <= most->dims[i];
  return ok;
}

/* --- contents ---------------------------------------------------------------------------- */

static gboolean
is_small (const SegValue *v)
{
  return v != NULL && v->size == SEG_SIZE_FIXED && !seg_dtype_is_float (v->desc.dtype)
         && v->desc.rank <= 1 && seg_desc_n_elems (&v->desc) <= MAX_CONTENTS;
}

static gboolean
has_sample (const SegNode *node)
{
  gboolean any = FALSE;
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL)
      continue;
    if (node->op->flags & SEG_OP_DESC_ONLY)
      return v->size == SEG_SIZE_BOUNDED;
    if (v->constant == NULL && v->contents[MOST] == NULL)
      return FALSE;
    any |= v->constant == NULL;
  }
  return any;
}

static SegTensor *
eval_sample (SegNode *node, Sample sample)
{
  guint n = node->inputs->len;
  g_autofree SegTensor **in = g_new0 (SegTensor *, n + 1);
  g_autofree SegTensor *described = g_new0 (SegTensor, n + 1);
  SegTensor *out[1] = { NULL };
  gboolean late = node->late;
  if (late && !infer_sample (node, sample))
    return NULL;
  Saved saved = put_on (node, sample);
  for (guint i = 0; i < n; i++) {
    SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL)
      continue;
    described[i].desc = v->desc;
    in[i] = v->constant != NULL ? v->constant : &described[i];
  }
  node->late = FALSE;
  if (!seg_node_eval (node, in, out, NULL))
    out[0] = NULL;
  node->late = late;
  take_off (node, &saved);
  return out[0];
}

static gboolean
contents_ordered (const SegTensor *fewer, const SegTensor *most)
{
  gboolean ok = TRUE;
  for (gint64 i = 0; ok && i < seg_desc_n_elems (&most->desc); i++)
    ok = seg_tensor_get_int (fewer, i) <= seg_tensor_get_int (most, i);
  return ok;
}

static gboolean
contents_same (const SegTensor *a, const SegTensor *b)
{
  return a != NULL && a->n_bytes == b->n_bytes
         && (a->n_bytes == 0
             || memcmp (seg_tensor_data (a), seg_tensor_data (b), a->n_bytes) == 0);
}

/* What a shape calculation gives for the samples; dropped where more gives less. */
static void
sample_contents (SegNode *node)
{
  SegValue *out = seg_node_output (node, 0);
  if (node->outputs->len != 1 || !is_small (out) || out->constant != NULL
      || (node->op->flags & SEG_OP_LIVE) || !has_sample (node))
    return;
  SegTensor **c = out->contents;
  for (guint i = 0; i < SEG_N_SAMPLES; i++)
    c[i] = eval_sample (node, (Sample) i);
  gboolean ok = c[FEWER] != NULL && c[MOST] != NULL;
  if (ok && contents_same (c[NONE], c[MOST]) && contents_same (c[ONE], c[MOST])
      && contents_same (c[FEWER], c[MOST]))
    out->constant = seg_tensor_ref (c[MOST]);
  ok = ok && contents_ordered (c[FEWER], c[MOST]);
  for (guint i = 0; i < SEG_N_SAMPLES && !ok; i++)
    g_clear_pointer (&c[i], seg_tensor_unref);
}

/* --- sizes ------------------------------------------------------------------------------- */

void
seg_value_live_axis (SegValue *v, guint axis)
{
  v->size = SEG_SIZE_BOUNDED;
  v->fewer = v->desc;
  v->fewer.dims[axis] = MAX (MIN (v->desc.dims[axis] - 1, FEW), 0);
}

/* The outputs of both samples become bounds. */
static gboolean
bound_outputs (SegNode *node, const SegDesc *fewer)
{
  gboolean desc_only = (node->op->flags & SEG_OP_DESC_ONLY) != 0;
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v == NULL)
      continue;
    if (v->size == SEG_SIZE_UNKNOWN || !is_ordered (&fewer[i], &v->desc))
      return FALSE;
    v->fewer = fewer[i];
    v->size = v->desc.rank == 0 || desc_only ? SEG_SIZE_FIXED : SEG_SIZE_BOUNDED;
  }
  return TRUE;
}

static gboolean
find_bounds (SegNode *node)
{
  guint n = node->outputs->len;
  g_autofree SegDesc *fewer = g_new0 (SegDesc, n + 1);
  if (!infer_sample (node, FEWER))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v == NULL)
      continue;
    fewer[i] = v->desc;
    for (guint k = 0; v->size == SEG_SIZE_BOUNDED && k < v->desc.rank; k++)
      if (v->fewer.dims[k] != v->desc.dims[k])
        fewer[i].dims[k] = MIN (v->desc.dims[k], FEW);
  }
  return infer_sample (node, MOST) && bound_outputs (node, fewer);
}

static void
know_nothing (SegNode *node)
{
  forget_params (node);
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v == NULL)
      continue;
    v->desc = (SegDesc){ 0 };
    v->size = SEG_SIZE_UNKNOWN;
  }
}

static SegSize
worst_size (const GPtrArray *values)
{
  SegSize worst = SEG_SIZE_FIXED;
  for (guint i = 0; i < values->len; i++) {
    const SegValue *v = g_ptr_array_index (values, i);
    if (v != NULL)
      worst = MAX (worst, v->size);
  }
  return worst;
}

gboolean
seg_node_prepare_or_wait (SegNode *node, GError **error)
{
  g_autoptr (GError) wait = NULL;
  SegSize size = worst_size (node->inputs);
  if (!seg_node_check_arity (node, error))
    return FALSE;
  if (size == SEG_SIZE_FIXED) {
    if (seg_node_prepare (node, &wait)) {
      sample_contents (node);
      return TRUE;
    }
    if (!g_error_matches (wait, SEG_ERROR, SEG_ERROR_RUN_TIME)) {
      g_propagate_error (error, g_steal_pointer (&wait));
      return FALSE;
    }
  }
  node->late = TRUE;
  if (size == SEG_SIZE_UNKNOWN || !find_bounds (node)) {
    know_nothing (node);
    return TRUE;
  }
  sample_contents (node);
  node->by_row = seg_node_rows (node) != 0;
  return TRUE;
}
