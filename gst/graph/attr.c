/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

#include <string.h>

static const SegAttr *
find (const SegNode *node, const char *name, SegAttrType type)
{
  const SegAttr *a = node->model != NULL ? seg_model_node_attr (node->model, name) : NULL;
  return a != NULL && a->type == type ? a : NULL;
}

gint64
seg_node_attr_int (const SegNode *node, const char *name, gint64 fallback)
{
  const SegAttr *a = find (node, name, SEG_ATTR_INT);
  return a != NULL ? a->i : fallback;
}

float
seg_node_attr_float (const SegNode *node, const char *name, float fallback)
{
  const SegAttr *a = find (node, name, SEG_ATTR_FLOAT);
  return a != NULL ? a->f : fallback;
}

const char *
seg_node_attr_string (const SegNode *node, const char *name, const char *fallback)
{
  const SegAttr *a = find (node, name, SEG_ATTR_STRING);
  return a != NULL ? a->s : fallback;
}

gboolean
seg_node_has_attr (const SegNode *node, const char *name)
{
  return node->model != NULL && seg_model_node_attr (node->model, name) != NULL;
}

const gint64 *
seg_node_attr_ints (const SegNode *node, const char *name, guint *n)
{
  const SegAttr *a = find (node, name, SEG_ATTR_INTS);
  *n = a != NULL ? a->n : 0;
  return a != NULL ? a->ints : NULL;
}

gboolean
seg_node_const_ints (const SegNode *node, guint i, const char *what, gint64 **out,
    guint *n, GError **error)
{
  const SegValue *v = seg_node_input (node, i);
  *out = NULL;
  *n = 0;
  if (v == NULL)
    return TRUE;
  if (v->constant == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_RUN_TIME,
        "input '%s' (%s) is computed at run time", v->name, what);
    return FALSE;
  }
  gint64 count = seg_desc_n_elems (&v->desc);
  if (seg_dtype_is_float (v->desc.dtype) || v->desc.rank > 1 || count > G_MAXINT32) {
    g_autofree char *desc = seg_desc_to_string (&v->desc);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s must be a list of integers, is %s", what, desc);
    return FALSE;
  }
  *n = count;
  *out = g_new (gint64, count + 1);
  for (guint k = 0; k < *n; k++)
    (*out)[k] = seg_tensor_get_int (v->constant, k);
  return TRUE;
}

gboolean
seg_axis_normalize (gint64 axis, guint rank, guint *out, GError **error)
{
  gint64 a = axis < 0 ? axis + rank : axis;
  if (a < 0 || a >= rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "axis %" G_GINT64_FORMAT " is outside a tensor of rank %u", axis, rank);
    return FALSE;
  }
  *out = a;
  return TRUE;
}

gboolean
seg_broadcast (const SegDesc *a, const SegDesc *b, SegDesc *out, GError **error)
{
  SegDesc r = { .dtype = a->dtype, .rank = MAX (a->rank, b->rank) };
  for (guint i = 0; i < r.rank; i++) {
    guint from_end = r.rank - i;
    gint64 da = from_end <= a->rank ? a->dims[a->rank - from_end] : 1;
    gint64 db = from_end <= b->rank ? b->dims[b->rank - from_end] : 1;
    if (da != db && da != 1 && db != 1) {
      g_autofree char *sa = seg_desc_to_string (a);
      g_autofree char *sb = seg_desc_to_string (b);
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "%s and %s do not broadcast", sa, sb);
      return FALSE;
    }
    r.dims[i] = da == 1 ? db : da;
  }
  *out = r;
  return TRUE;
}

gboolean
seg_node_is (const SegNode *node, const char *op)
{
  return node != NULL && node->op->domain[0] == '\0' && strcmp (node->op->name, op) == 0;
}
