/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that keep as many elements as the data says: NonZero, Compress, Unique. */
#include "ops/ops.h"
#include "ops/ranking.h"
#include "shaders.h"

#include <string.h>

/* --- NonZero --- */

static gboolean
nonzero_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegValue *out = seg_node_output (node, 0);
  out->desc = (SegDesc){ .dtype = SEG_DTYPE_I64,
    .rank = 2,
    .dims = { MAX (in->rank, 1), seg_desc_n_elems (in) } };
  seg_value_live_axis (out, 1);
  return TRUE;
}

static gboolean
is_nonzero (const SegTensor *t, gsize i)
{
  return seg_dtype_is_float (t->desc.dtype) ? seg_tensor_get_double (t, i) != 0
                                            : seg_tensor_get_int (t, i) != 0;
}

static gboolean
nonzero_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegDesc *d = &in[0]->desc;
  gsize n = seg_desc_n_elems (d), n_found = 0, at = 0;
  for (gsize i = 0; i < n; i++)
    n_found += is_nonzero (in[0], i);
  SegDesc desc = { SEG_DTYPE_I64, 2, { MAX (d->rank, 1), n_found } };
  out[0] = seg_tensor_new (&desc, error);
  if (out[0] == NULL)
    return FALSE;
  gint64 *found = out[0]->data;
  for (gsize i = 0; i < n && at < n_found; i++) {
    if (!is_nonzero (in[0], i))
      continue;
    gsize rest = i;
    for (guint axis = d->rank; axis-- > 0; rest /= d->dims[axis])
      found[axis * n_found + at] = rest % d->dims[axis];
    at++;
  }
  return TRUE;
}

static guint
nonzero_by_row (const SegNode *node)
{
  return seg_value_is_prefix (seg_node_input (node, 0)) ? 1 : 0;
}

#define MAX_ELEMS (1 << 26)

static gboolean
nonzero_on_device (const SegNode *node)
{
  return seg_node_device_types (node)
         && seg_desc_n_elems (&seg_node_output (node, 0)->desc) <= MAX_ELEMS;
}

static gboolean
nonzero_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  guint32 n = seg_desc_n_elems (&in->desc);
  SegRanking r = { .source = in,
    .n = n,
    .rows = 1,
    .inner = 1,
    .keep = SEG_KEEP_NONZERO,
    .live = seg_program_fixed_rows (p, n) };
  if (in->size == SEG_SIZE_BOUNDED) {
    r.live = seg_program_rows (p, in);
    r.live.num *= n / r.live.most;
  }
  SegKept kept;
  if (!seg_ranking_emit_kept (p, &r, seg_program_count (p, out), &kept, error))
    return FALSE;
  SegDispatch d = {
    .shader = &seg_shader_nonzero,
    .spec = { [3] = out->desc.dims[0], 1, 1, 1, 1, 1, 1 },
    .n_spec = 10,
    .bindings = { [2] = { kept.chunks, SEG_BIND_BITS },
        { kept.totals, SEG_BIND_BITS },
        { seg_program_value (p, out), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 5,
  };
  for (guint i = 0, step = n; i < in->desc.rank; i++)
    d.spec[4 + i] = step /= in->desc.dims[i];
  return seg_ranking_emit_chunks (p, &r, &d, error);
}

const SegOp seg_op_nonzero = {
  .name = "NonZero",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = 1,
  .storage = SEG_OP_RECOMPUTES,
  .decides = SEG_OP_ALL,
  .flags = SEG_OP_LIVE | SEG_OP_ANY_LIVE_AXIS,
  .infer = nonzero_infer,
  .eval = nonzero_eval,
  .on_device = nonzero_on_device,
  .emit = nonzero_emit,
  .by_row = nonzero_by_row,
  .counts = seg_counts_rows,
};

/* --- blocks along an axis --- */

/* An axis, or all elements in a row. */
typedef struct {
  gboolean flat;
  guint axis;
} Params;

static gboolean
axis_parse (SegNode *node, GError **error)
{
  Params *params = node->params;
  params->flat = !seg_node_has_attr (node, "axis");
  return params->flat
         || seg_axis_normalize (seg_node_attr_int (node, "axis", 0),
             seg_node_input (node, 0)->desc.rank, &params->axis, error);
}

/* The tensor as [outer, n, inner elements]. */
static void
split_dims (const Params *params, const SegDesc *d, gsize *outer, gsize *n, gsize *inner)
{
  *outer = *inner = 1;
  *n = params->flat ? seg_desc_n_elems (d) : d->dims[params->axis];
  for (guint i = 0; !params->flat && i < d->rank; i++)
    if (i != params->axis)
      *(i < params->axis ? outer : inner) *= d->dims[i];
}

static SegDesc
kept_desc (const Params *params, const SegDesc *in, gint64 n)
{
  SegDesc d = { .dtype = in->dtype, .rank = 1, .dims = { n } };
  if (params->flat)
    return d;
  d = *in;
  d.dims[params->axis] = n;
  return d;
}

/* New tensor with those places along the axis. */
static SegTensor *
take_places (const Params *params, const SegTensor *in, const gint64 *places, gint64 n,
    GError **error)
{
  SegDesc desc = kept_desc (params, &in->desc, n);
  SegTensor *out = seg_tensor_new (&desc, error);
  gsize outer, extent, inner;
  if (out == NULL)
    return NULL;
  split_dims (params, &in->desc, &outer, &extent, &inner);
  gsize bytes = inner * seg_dtype_bytes (desc.dtype);
  for (gsize o = 0; o < outer && bytes > 0; o++)
    for (gint64 i = 0; i < n; i++)
      memcpy ((guint8 *) out->data + (o * n + i) * bytes,
          (const guint8 *) seg_tensor_data (in) + (o * extent + places[i]) * bytes,
          bytes);
  return out;
}

/* --- Compress --- */

static gboolean
compress_infer (SegNode *node, GError **error)
{
  const Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  const SegDesc *condition = &seg_node_input (node, 1)->desc;
  SegValue *out = seg_node_output (node, 0);
  gsize outer, n, inner;
  split_dims (params, in, &outer, &n, &inner);
  if (condition->dtype != SEG_DTYPE_BOOL || condition->rank != 1
      || condition->dims[0] > (gint64) n) {
    g_autofree char *text = seg_desc_to_string (condition);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "the condition is %s, not up to %" G_GSIZE_FORMAT " bool", text, n);
    return FALSE;
  }
  out->desc = kept_desc (params, in, condition->dims[0]);
  seg_value_live_axis (out, params->flat ? 0 : params->axis);
  return TRUE;
}

static gboolean
compress_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gint64 n = in[1]->desc.dims[0], n_kept = 0;
  g_autofree gint64 *places = g_try_new (gint64, n + 1);
  for (gint64 i = 0; places != NULL && i < n; i++)
    if (seg_tensor_get_int (in[1], i) != 0)
      places[n_kept++] = i;
  if (places == NULL)
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "not enough memory");
  else
    out[0] = take_places (node->params, in[0], places, n_kept, error);
  return out[0] != NULL;
}

const SegOp seg_op_compress = {
  .name = "Compress",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 2,
  .max_outputs = 1,
  .storage = SEG_OP_MOVES,
  .decides = 2,
  .flags = SEG_OP_LIVE,
  .params_size = sizeof (Params),
  .parse = axis_parse,
  .infer = compress_infer,
  .eval = compress_eval,
};

/* --- Unique --- */

enum { VALUES, FIRST, INVERSE, COUNTS, N_OUTPUTS };

static gboolean
unique_infer (SegNode *node, GError **error)
{
  const Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  gsize outer, n, inner;
  split_dims (params, in, &outer, &n, &inner);
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *out = seg_node_output (node, i);
    if (out == NULL)
      continue;
    out->desc = i == VALUES ? kept_desc (params, in, n)
                            : (SegDesc){ SEG_DTYPE_I64, 1, { (gint64) n } };
    if (i != INVERSE)
      seg_value_live_axis (out, i == VALUES && !params->flat ? params->axis : 0);
  }
  return TRUE;
}

typedef struct {
  const SegTensor *t;
  gsize outer, n, inner;
} Blocks;

static int
compare_elements (const SegTensor *t, gsize i, gsize j)
{
  if (seg_dtype_is_float (t->desc.dtype)) {
    double a = seg_tensor_get_double (t, i), b = seg_tensor_get_double (t, j);
    return a < b ? -1 : a > b;
  }
  guint64 flip = t->desc.dtype == SEG_DTYPE_U64 ? 1ull << 63 : 0;
  gint64 a = (gint64) ((guint64) seg_tensor_get_int (t, i) ^ flip);
  gint64 b = (gint64) ((guint64) seg_tensor_get_int (t, j) ^ flip);
  return a < b ? -1 : a > b;
}

static int
compare_blocks (const Blocks *b, gint64 i, gint64 j)
{
  int order = 0;
  for (gsize o = 0; o < b->outer && order == 0; o++)
    for (gsize k = 0; k < b->inner && order == 0; k++)
      order = compare_elements (
          b->t, (o * b->n + i) * b->inner + k, (o * b->n + j) * b->inner + k);
  return order;
}

/* By contents; among equals by place. */
static int
compare_places (gconstpointer pa, gconstpointer pb, gpointer data)
{
  gint64 i = *(const gint64 *) pa, j = *(const gint64 *) pb;
  int order = compare_blocks (data, i, j);
  return order != 0 ? order : i < j ? -1 : i > j;
}

static int
compare_numbers (gconstpointer pa, gconstpointer pb, gpointer data)
{
  gint64 i = *(const gint64 *) pa, j = *(const gint64 *) pb;
  return i < j ? -1 : i > j;
}

/* first[]: of each group of equals the first place; group[]: per place the first of its group.
 * Returns how many groups there are. */
static gsize
group_blocks (const Blocks *b, gboolean sorted, gint64 *first, gint64 *group)
{
  g_autofree gint64 *order = g_new (gint64, b->n + 1);
  gsize n_groups = 0;
  for (gsize i = 0; i < b->n; i++)
    order[i] = i;
  g_qsort_with_data (order, b->n, sizeof *order, compare_places, (gpointer) b);
  for (gsize i = 0; i < b->n; i++) {
    if (i == 0 || compare_blocks (b, order[i - 1], order[i]) != 0)
      first[n_groups++] = order[i];
    group[order[i]] = first[n_groups - 1];
  }
  if (!sorted)
    g_qsort_with_data (first, n_groups, sizeof *first, compare_numbers, NULL);
  return n_groups;
}

static SegTensor *
ints_tensor (gsize n, GError **error)
{
  return seg_tensor_new (&(SegDesc){ SEG_DTYPE_I64, 1, { (gint64) n } }, error);
}

static gboolean
unique_outputs (const SegNode *node, const Blocks *b, const gint64 *first, gsize n_groups,
    const gint64 *group, SegTensor **out, GError **error)
{
  g_autofree gint64 *number = g_new0 (gint64, b->n + 1); /* of a group, by its first */
  for (gsize g = 0; g < n_groups; g++)
    number[first[g]] = g;
  for (guint i = 0; i < node->outputs->len; i++) {
    if (seg_node_output (node, i) == NULL)
      continue;
    out[i] = i == VALUES ? take_places (node->params, b->t, first, n_groups, error)
                         : ints_tensor (i == INVERSE ? b->n : n_groups, error);
    if (out[i] == NULL)
      return FALSE;
    gint64 *to = out[i]->data;
    if (i == FIRST)
      memcpy (to, first, n_groups * sizeof *to);
    for (gsize p = 0; i == INVERSE && p < b->n; p++)
      to[p] = number[group[p]];
    for (gsize p = 0; i == COUNTS && p < b->n; p++)
      to[number[group[p]]]++;
  }
  return TRUE;
}

static gboolean
unique_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  Blocks b = { .t = in[0] };
  split_dims (node->params, &in[0]->desc, &b.outer, &b.n, &b.inner);
  g_autofree gint64 *first = g_new (gint64, b.n + 1);
  g_autofree gint64 *group = g_new (gint64, b.n + 1);
  gsize n_groups =
      group_blocks (&b, seg_node_attr_int (node, "sorted", 1) != 0, first, group);
  return unique_outputs (node, &b, first, n_groups, group, out, error);
}

const SegOp seg_op_unique = {
  .name = "Unique",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = N_OUTPUTS,
  .storage = SEG_OP_MOVES,
  .decides = SEG_OP_ALL,
  .flags = SEG_OP_LIVE,
  .params_size = sizeof (Params),
  .parse = axis_parse,
  .infer = unique_infer,
  .eval = unique_eval,
};
