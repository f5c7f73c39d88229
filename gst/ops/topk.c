/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TopK along an axis: values and indices, the best first; of equals the one with the lower index
 * first. A NaN is worse than any number. */
#include "ops/ops.h"
#include "ops/ranking.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

typedef struct {
  guint axis;
  gint64 k;
  gboolean smallest;
} Params;

static gboolean
topk_read_k (SegNode *node, gint64 *k, GError **error)
{
  g_autofree gint64 *list = NULL;
  guint n;
  if (node->opset < 10) {
    *k = seg_node_attr_int (node, "k", -1);
    return TRUE;
  }
  if (!seg_node_const_ints (node, 1, "K", &list, &n, error))
    return FALSE;
  *k = n == 1 ? list[0] : -1;
  return TRUE;
}

static gboolean
topk_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  gint64 axis = seg_node_attr_int (node, "axis", -1);
  if (!seg_axis_normalize (axis, in->rank, &params->axis, error)
      || !topk_read_k (node, &params->k, error))
    return FALSE;
  params->smallest = seg_node_attr_int (node, "largest", 1) == 0;
  if (params->k < 0 || params->k > in->dims[params->axis]) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "cannot take %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " elements", params->k,
        in->dims[params->axis]);
    return FALSE;
  }
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *out = seg_node_output (node, i);
    if (out == NULL)
      continue;
    out->desc = *in;
    out->desc.dims[params->axis] = params->k;
    if (i == 1)
      out->desc.dtype = SEG_DTYPE_I64;
  }
  return TRUE;
}

/* --- on the host --- */

/* One row's elements, as numbers that order them: better is less. */
typedef struct {
  double value;
  gint64 integer; /* where double is not exact */
  gint64 index;
} Entry;

static int
compare_entries (gconstpointer pa, gconstpointer pb)
{
  const Entry *a = pa, *b = pb;
  if (a->value != b->value)
    return a->value < b->value ? -1 : 1;
  if (a->integer != b->integer)
    return a->integer < b->integer ? -1 : 1;
  return a->index < b->index ? -1 : a->index > b->index;
}

static Entry
make_entry (const Params *params, const SegTensor *t, gsize at, gint64 index)
{
  Entry e = { .index = index };
  gboolean down = !params->smallest;
  if (seg_dtype_is_float (t->desc.dtype)) {
    e.value = seg_tensor_get_double (t, at);
    e.value = isnan (e.value) ? INFINITY : down ? -e.value : e.value;
    e.integer = isnan (seg_tensor_get_double (t, at)); /* after the infinite */
    return e;
  }
  e.integer = seg_tensor_get_int (t, at);
  if (t->desc.dtype == SEG_DTYPE_U64)
    e.integer ^= G_MININT64; /* the same order */
  if (down)
    e.integer = ~e.integer;
  return e;
}

/* The best k of n stay in front, in a heap whose top is the worst of them. */
static void
sink (Entry *heap, gint64 n, gint64 i)
{
  for (gint64 child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && compare_entries (&heap[child], &heap[child + 1]) < 0)
      child++;
    if (compare_entries (&heap[i], &heap[child]) >= 0)
      return;
    Entry e = heap[i];
    heap[i] = heap[child];
    heap[child] = e;
  }
}

static void
select_best (Entry *entries, gint64 n, gint64 k)
{
  for (gint64 i = k / 2; i-- > 0;)
    sink (entries, k, i);
  for (gint64 i = k; k > 0 && i < n; i++) {
    if (compare_entries (&entries[i], &entries[0]) >= 0)
      continue;
    entries[0] = entries[i];
    sink (entries, k, 0);
  }
  qsort (entries, k, sizeof *entries, compare_entries);
}

static void
eval_row (const Params *params, Entry *entries, const SegTensor *in, SegTensor **out,
    gsize outer, gsize inner, gsize stride)
{
  gint64 n = in->desc.dims[params->axis], k = params->k;
  gsize size = seg_dtype_bytes (in->desc.dtype);
  gsize from = outer * n * stride + inner, to = outer * k * stride + inner;
  for (gint64 i = 0; i < n; i++)
    entries[i] = make_entry (params, in, from + i * stride, i);
  select_best (entries, n, k);
  for (gint64 i = 0; i < k; i++) {
    if (out[0] != NULL)
      memcpy ((guint8 *) out[0]->data + (to + i * stride) * size,
          (const guint8 *) seg_tensor_data (in)
              + (from + entries[i].index * stride) * size,
          size);
    if (out[1] != NULL)
      ((gint64 *) out[1]->data)[to + i * stride] = entries[i].index;
  }
}

static gboolean
topk_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  const SegDesc *d = &in[0]->desc;
  gsize stride = 1, outer = 1;
  SegTensor *both[2] = { out[0], node->outputs->len > 1 ? out[1] : NULL };
  g_autofree Entry *entries = g_try_new (Entry, d->dims[params->axis] + 1);
  if (entries == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "not enough memory to sort");
    return FALSE;
  }
  for (guint i = 0; i < d->rank; i++)
    *(i < params->axis ? &outer : &stride) *= i == params->axis ? 1 : d->dims[i];
  for (gsize row = 0; params->k > 0 && row < outer * stride; row++)
    eval_row (params, entries, in[0], both, row / stride, row % stride, stride);
  return TRUE;
}

/* --- on the device --- */

#define FEW       1024 /* elements that are sorted as they are */
#define MAX_PAIRS (1 << 22)

static gboolean
topk_on_device (const SegNode *node)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  return seg_node_device_types (node) && seg_desc_n_elems (in) <= MAX_PAIRS;
}

static gboolean
emit_best (SegProgram *p, const SegRanking *r, SegRef pairs, guint32 k,
    const SegValue *out, gboolean numbers, GError **error)
{
  SegStorage storage = seg_program_storage (p, out);
  guint32 total = r->rows * k;
  SegDispatch d = {
    .shader = storage == SEG_STORAGE_I32   ? &seg_shader_topk_i32
              : storage == SEG_STORAGE_F16 ? &seg_shader_topk_f16
                                           : &seg_shader_topk_f32,
    .spec = { numbers },
    .n_spec = 1,
    .bindings = { { numbers ? pairs : seg_program_value (p, r->source), SEG_BIND_TEXEL },
        { pairs, SEG_BIND_BUFFER_READ },
        { seg_program_value (p, out), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { r->n, k, r->inner, total },
    .n_push = 4,
  };
  seg_groups_for (&d, ((guint64) total + 255) / 256);
  return seg_program_dispatch (p, &d, error);
}

static gboolean
topk_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const Params *params = node->params;
  const SegValue *in = seg_node_input (node, 0), *indices = seg_node_output (node, 1);
  const SegDesc *d = &in->desc;
  SegRanking r = { .source = in,
    .n = d->dims[params->axis],
    .inner = 1,
    .k = params->k,
    .smallest = params->smallest };
  for (guint i = params->axis + 1; i < d->rank; i++)
    r.inner *= d->dims[i];
  r.rows = seg_desc_n_elems (d) / r.n;
  r.live = seg_program_fixed_rows (p, r.n);
  r.keep = r.n <= FEW || r.k > r.n / 2 ? SEG_KEEP_ALL : SEG_KEEP_BEST;
  SegKept kept;
  SegRef pairs;
  return seg_ranking_emit_pairs (p, &r, &kept, &pairs, error)
         && emit_best (p, &r, pairs, r.k, seg_node_output (node, 0), FALSE, error)
         && (indices == NULL || emit_best (p, &r, pairs, r.k, indices, TRUE, error));
}

/* Along its own axis elements go anywhere. */
static gboolean
topk_align (const SegNode *node, guint axis, SegAlign *align)
{
  const Params *params = node->params;
  (void) align;
  return axis != params->axis;
}

const SegOp seg_op_topk = {
  .name = "TopK",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 2,
  .max_outputs = 2,
  .storage = SEG_OP_RECOMPUTES,
  .decides = SEG_OP_ALL,
  .params_size = sizeof (Params),
  .infer = topk_infer,
  .eval = topk_eval,
  .on_device = topk_on_device,
  .emit = topk_emit,
  .align = topk_align,
};
