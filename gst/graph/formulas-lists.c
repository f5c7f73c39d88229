/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What operators do to formulas. */
#include "graph/formulas.h"

#include <string.h>

/* --- operators on lists ---------------------------------------------------------------------- */

/* An axis whose extent does not depend on the data. */
static gboolean
known_extent (const SegValue *v, guint axis, gint64 *extent)
{
  if (v->size == SEG_SIZE_UNKNOWN || axis >= v->desc.rank)
    return FALSE;
  *extent = v->desc.dims[axis];
  return v->size == SEG_SIZE_FIXED || v->fewer.dims[axis] == *extent;
}

static gboolean
list_of_row (SegFormulas *f, const SegValue *from, SegList *out)
{
  gint64 n;
  if (from->desc.rank != 2 || !known_extent (from, 1, &n) || n > SEG_MAX_LIST
      || from->desc.dtype != SEG_DTYPE_I64)
    return FALSE;
  *out = (SegList){ 1, (guint) n, { { 0 } } };
  for (guint k = 0; k < n; k++)
    if (!seg_formulas_element (f, from, k, &out->items[k]))
      return FALSE;
  return TRUE;
}

static gboolean
list_of_gather (SegFormulas *f, const SegNode *node, SegList *out)
{
  const SegValue *from = seg_formulas_row_of (f, seg_node_output (node, 0));
  if (from != NULL)
    return list_of_row (f, from, out);
  const SegList *data = seg_formulas_list (f, seg_node_input (node, 0));
  const SegList *at = seg_formulas_list (f, seg_node_input (node, 1));
  if (data == NULL || at == NULL || data->rank != 1
      || seg_node_attr_int (node, "axis", 0) != 0)
    return FALSE;
  *out = (SegList){ at->rank, at->n, { { 0 } } };
  for (guint i = 0; i < at->n; i++) {
    gint64 k = at->items[i].constant;
    k += k < 0 ? data->n : 0;
    if (!seg_linear_is_constant (&at->items[i]) || k < 0 || k >= data->n)
      return FALSE;
    out->items[i] = data->items[k];
  }
  return TRUE;
}

static gboolean
list_of_sum (SegFormulas *f, const SegNode *node, int sign, SegList *out)
{
  const SegList *a = seg_formulas_list (f, seg_node_input (node, 0));
  const SegList *b = seg_formulas_list (f, seg_node_input (node, 1));
  if (a == NULL || b == NULL || (a->n != b->n && a->n != 1 && b->n != 1))
    return FALSE;
  *out = (SegList){ MAX (a->rank, b->rank), MAX (a->n, b->n), { { 0 } } };
  for (guint i = 0; i < out->n; i++)
    if (!seg_linear_add (&a->items[a->n == 1 ? 0 : i], &b->items[b->n == 1 ? 0 : i], sign,
            &out->items[i]))
      return FALSE;
  return a->n > 0 && b->n > 0;
}

static gboolean
list_of_concat (SegFormulas *f, const SegNode *node, SegList *out)
{
  *out = (SegList){ 1, 0, { { 0 } } };
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegList *part = seg_formulas_list (f, seg_node_input (node, i));
    if (part == NULL || part->rank != 1 || out->n + part->n > SEG_MAX_LIST)
      return FALSE;
    memcpy (out->items + out->n, part->items, part->n * sizeof *part->items);
    out->n += part->n;
  }
  return TRUE;
}

/* The largest or smallest of a whole list. */
static gboolean
list_of_extreme (SegFormulas *f, const SegNode *node, gboolean max, SegList *out)
{
  const SegList *in = seg_formulas_list (f, seg_node_input (node, 0));
  if (in == NULL || in->rank != 1 || in->n == 0
      || seg_node_attr_int (node, "noop_with_empty_axes", 0) != 0)
    return FALSE;
  *out = (SegList){ seg_node_attr_int (node, "keepdims", 1) != 0, 1, { in->items[0] } };
  for (guint i = 1; i < in->n; i++)
    if (!seg_formulas_extreme (f, max, &out->items[0], &in->items[i], &out->items[0]))
      return FALSE;
  return TRUE;
}

/* A part of a list, or all of it. */
static gboolean
list_of_slice (SegFormulas *f, const SegNode *node, SegList *out)
{
  const SegList *in = seg_formulas_list (f, seg_node_input (node, 0));
  SegLinear start, end, step = seg_linear (1);
  if (in == NULL || in->rank != 1 || node->inputs->len < 3
      || !seg_formulas_scalar (f, seg_node_input (node, 1), &start)
      || !seg_formulas_scalar (f, seg_node_input (node, 2), &end)
      || (seg_node_input (node, 4) != NULL
          && !seg_formulas_scalar (f, seg_node_input (node, 4), &step)))
    return FALSE;
  if (!seg_linear_is_constant (&start) || !seg_linear_is_constant (&end)
      || !seg_linear_is (&step, 1) || start.constant < 0 || end.constant < start.constant
      || end.constant > in->n)
    return FALSE;
  *out = (SegList){ 1, (guint) (end.constant - start.constant), { { 0 } } };
  memcpy (out->items, in->items + start.constant, out->n * sizeof *out->items);
  return TRUE;
}

/* The same numbers in a list or a scalar. */
static gboolean
list_of_rename (SegFormulas *f, const SegNode *node, SegList *out)
{
  const SegList *in = seg_formulas_list (f, seg_node_input (node, 0));
  if (in == NULL)
    return FALSE;
  *out = *in;
  if (seg_node_is (node, "Unsqueeze")) {
    out->rank = 1;
    return in->rank == 0;
  }
  if (seg_node_is (node, "Squeeze")) {
    out->rank = 0;
    return in->n == 1;
  }
  if (seg_node_is (node, "Reshape")) {
    SegLinear size;
    out->rank = 1;
    return seg_formulas_scalar (f, seg_node_input (node, 1), &size)
           && (seg_linear_is (&size, -1) || seg_linear_is (&size, in->n));
  }
  return seg_node_is (node, "Identity")
         || (seg_node_is (node, "Cast")
             && seg_node_attr_int (node, "to", 0) == SEG_DTYPE_I64);
}

gboolean
seg_formulas_make_list (SegFormulas *f, const SegNode *node, SegList *out)
{
  if (seg_node_is (node, "Gather"))
    return list_of_gather (f, node, out);
  if (seg_node_is (node, "Add") || seg_node_is (node, "Sub"))
    return list_of_sum (f, node, seg_node_is (node, "Add") ? 1 : -1, out);
  if (seg_node_is (node, "Concat"))
    return list_of_concat (f, node, out);
  if (seg_node_is (node, "ReduceMax") || seg_node_is (node, "ReduceMin"))
    return list_of_extreme (f, node, seg_node_is (node, "ReduceMax"), out);
  if (seg_node_is (node, "Slice"))
    return list_of_slice (f, node, out);
  if (seg_node_is (node, "Shape")) { /* of all axes */
    const SegList *dims = node->model != NULL && node->model->n_attrs == 0
                              ? seg_formulas_dims (f, seg_node_input (node, 0))
                              : NULL;
    if (dims != NULL)
      *out = *dims;
    return dims != NULL;
  }
  return list_of_rename (f, node, out);
}

/* --- sizes ------------------------------------------------------------------------------------ */

/* A row of something from around the body. */
static gboolean
dims_of_row (const SegValue *from, SegList *out)
{
  *out = (SegList){ 1, from->desc.rank - 1, { { 0 } } };
  if (from->size == SEG_SIZE_UNKNOWN || from->desc.rank == 0 || out->n > SEG_MAX_LIST)
    return FALSE;
  for (guint i = 0; i < out->n; i++)
    if (!known_extent (from, i + 1, &out->items[i].constant))
      return FALSE;
  return TRUE;
}

static gboolean
dims_of_gather (SegFormulas *f, const SegNode *node, SegList *out)
{
  const SegValue *from = seg_formulas_row_of (f, seg_node_output (node, 0));
  if (from != NULL)
    return dims_of_row (from, out);
  const SegList *data = seg_formulas_dims (f, seg_node_input (node, 0));
  const SegList *at = seg_formulas_list (f, seg_node_input (node, 1));
  if (data == NULL || data->n == 0 || at == NULL || at->rank != 0
      || seg_node_attr_int (node, "axis", 0) != 0)
    return FALSE;
  *out = (SegList){ 1, data->n - 1, { { 0 } } };
  memcpy (out->items, data->items + 1, out->n * sizeof *out->items);
  return TRUE;
}

/* Extents that nothing is known of but that they are this value's: along the axes that are cut. */
static gboolean
hide_extents (SegFormulas *f, const SegValue *v, const SegList *axes, SegList *dims)
{
  for (guint i = 0; axes != NULL && i < axes->n; i++) {
    gint64 axis = axes->items[i].constant;
    if (!seg_linear_is_constant (&axes->items[i]) || axis < 0 || axis >= dims->n
        || !seg_formulas_extent (f, v, (guint) axis, &dims->items[axis]))
      return FALSE;
  }
  return axes != NULL;
}

static gboolean
dims_of_cut (SegFormulas *f, const SegNode *node, SegList *out)
{
  const SegList *in = seg_formulas_dims (f, seg_node_input (node, 0));
  SegList axis = { 1, 1, { seg_linear (seg_node_attr_int (node, "axis", 0)) } };
  if (in == NULL)
    return FALSE;
  *out = *in;
  return hide_extents (f, seg_node_output (node, 0),
      seg_node_is (node, "Slice") ? seg_formulas_list (f, seg_node_input (node, 3))
                                  : &axis,
      out);
}

/* Of known sizes. */
static gboolean
dims_of_expand (SegFormulas *f, const SegNode *node, SegList *out)
{
  const SegList *in = seg_formulas_dims (f, seg_node_input (node, 0));
  const SegList *shape = seg_formulas_list (f, seg_node_input (node, 1));
  if (in == NULL || shape == NULL || shape->rank != 1)
    return FALSE;
  *out = (SegList){ 1, MAX (in->n, shape->n), { { 0 } } };
  for (guint i = 0; i < out->n; i++) {
    guint from_end = out->n - i;
    SegLinear one = seg_linear (1);
    const SegLinear *a = from_end <= in->n ? &in->items[in->n - from_end] : &one;
    const SegLinear *b = from_end <= shape->n ? &shape->items[shape->n - from_end] : &one;
    if (!seg_linear_is_constant (a) || !seg_linear_is_constant (b))
      return FALSE;
    out->items[i] = a->constant == 1 ? *b : *a;
  }
  return TRUE;
}

gboolean
seg_formulas_make_dims (SegFormulas *f, const SegNode *node, SegList *out)
{
  const SegList *list = NULL; /* that is the sizes */
  if (seg_node_is (node, "Gather"))
    return dims_of_gather (f, node, out);
  if (seg_node_is (node, "Slice") || seg_node_is (node, "Concat"))
    return dims_of_cut (f, node, out);
  if (seg_node_is (node, "Expand"))
    return dims_of_expand (f, node, out);
  if (seg_node_is (node, "Cast") || seg_node_is (node, "Identity"))
    list = seg_formulas_dims (f, seg_node_input (node, 0));
  else if (seg_node_is (node, "ConstantOfShape"))
    list = seg_formulas_list (f, seg_node_input (node, 0));
  else if (seg_node_is (node, "Resize") && node->inputs->len > 3)
    list = seg_formulas_list (f, seg_node_input (node, 3));
  if (list == NULL || list->rank != 1)
    return FALSE;
  *out = *list;
  return TRUE;
}
