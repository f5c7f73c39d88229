/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/formulas.h"

#include <string.h>

#define MAX_DEPTH  64 /* of operators on sizes */
#define MAX_TIMES  100
#define MAX_INPUTS 3

/* What formulas are made of: equal kinds and operands are the same atom. */
typedef enum { ELEMENT, EXTENT, MAXIMUM, MINIMUM } AtomKind;
typedef struct {
  AtomKind kind;
  const SegValue *value; /* ELEMENT, EXTENT: of what */
  guint index;           /* which element, which axis */
  SegLinear a, b;        /* MAXIMUM, MINIMUM */
} Atom;

struct _SegFormulas {
  const SegValue *counter;
  guint n_atoms, depth;
  Atom atoms[SEG_MAX_ATOMS];
  GHashTable *lists, *dims; /* SegValue -> SegList, perhaps NULL */
  GHashTable *tensors;      /* SegValue -> SegTensor, perhaps NULL */
};

SegFormulas *
seg_formulas_new (const SegValue *counter)
{
  SegFormulas *f = g_new0 (SegFormulas, 1);
  f->counter = counter;
  f->lists = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  f->dims = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  f->tensors =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) seg_tensor_unref);
  return f;
}

void
seg_formulas_free (SegFormulas *f)
{
  g_hash_table_unref (f->lists);
  g_hash_table_unref (f->dims);
  g_hash_table_unref (f->tensors);
  g_free (f);
}

/* --- arithmetic ---------------------------------------------------------------------------- */

SegLinear
seg_linear (gint64 constant)
{
  return (SegLinear){ .constant = constant };
}

static gboolean
is_small (gint64 constant)
{
  return constant >= -G_MAXINT32 && constant <= G_MAXINT32;
}

gboolean
seg_linear_add (const SegLinear *a, const SegLinear *b, int sign, SegLinear *out)
{
  SegLinear sum = *a;
  if (!is_small (a->constant) || !is_small (b->constant))
    return FALSE;
  sum.constant += sign * b->constant;
  for (guint i = 0; i < SEG_MAX_ATOMS; i++) {
    int times = a->times[i] + sign * b->times[i];
    if (ABS (times) > MAX_TIMES)
      return FALSE;
    sum.times[i] = (gint8) times;
  }
  *out = sum;
  return TRUE;
}

gboolean
seg_linear_equal (const SegLinear *a, const SegLinear *b)
{
  return a->constant == b->constant && memcmp (a->times, b->times, sizeof a->times) == 0;
}

gboolean
seg_linear_is_constant (const SegLinear *a)
{
  static const gint8 none[SEG_MAX_ATOMS];
  return memcmp (a->times, none, sizeof none) == 0;
}

gboolean
seg_linear_is (const SegLinear *a, gint64 constant)
{
  return seg_linear_is_constant (a) && a->constant == constant;
}

static gboolean
same_atom (const Atom *x, const Atom *y)
{
  return x->kind == y->kind && x->value == y->value && x->index == y->index
         && seg_linear_equal (&x->a, &y->a) && seg_linear_equal (&x->b, &y->b);
}

static gboolean
atom (SegFormulas *f, const Atom *want, SegLinear *out)
{
  guint i = 0;
  while (i < f->n_atoms && !same_atom (&f->atoms[i], want))
    i++;
  if (i == SEG_MAX_ATOMS)
    return FALSE;
  if (i == f->n_atoms)
    f->atoms[f->n_atoms++] = *want;
  *out = seg_linear (0);
  out->times[i] = 1;
  return TRUE;
}

gboolean
seg_formulas_element (SegFormulas *f, const SegValue *from, guint k, SegLinear *out)
{
  Atom a = { .kind = ELEMENT, .value = from, .index = k };
  return atom (f, &a, out);
}

gboolean
seg_formulas_extent (SegFormulas *f, const SegValue *v, guint axis, SegLinear *out)
{
  Atom a = { .kind = EXTENT, .value = v, .index = axis };
  return atom (f, &a, out);
}

gboolean
seg_formulas_extreme (
    SegFormulas *f, gboolean max, const SegLinear *a, const SegLinear *b, SegLinear *out)
{
  Atom want = { .kind = max ? MAXIMUM : MINIMUM, .a = *a, .b = *b };
  if (seg_linear_is_constant (a) && seg_linear_is_constant (b)) {
    *out = (a->constant > b->constant) == max ? *a : *b;
    return TRUE;
  }
  if (seg_linear_is_constant (a)) { /* the order says nothing: a constant goes last */
    want.a = *b;
    want.b = *a;
  }
  return atom (f, &want, out);
}

/* --- constants ------------------------------------------------------------------------------ */

static SegTensor *
tensor_of_list (const SegList *list)
{
  SegDesc desc = { SEG_DTYPE_I64, list->rank, { list->n } };
  for (guint i = 0; i < list->n; i++)
    if (!seg_linear_is_constant (&list->items[i]))
      return NULL;
  SegTensor *t = seg_tensor_new (&desc, NULL);
  for (guint i = 0; t != NULL && i < list->n; i++)
    seg_tensor_set_int (t, i, list->items[i].constant);
  return t;
}

static SegTensor *known (SegFormulas *f, const SegValue *v);

/* Operators that make no more of something small than they are given, or as much as that says. */
static gboolean
stays_small (const SegNode *node, const SegTensor *first)
{
  static const char *const names[] = { "Equal", "Where", "Mul", "Div", "Not", "And" };
  if (seg_node_is (node, "ConstantOfShape"))
    return first->desc.rank == 1 && first->desc.dims[0] == 1
           && seg_tensor_get_int (first, 0) <= SEG_MAX_LIST;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (seg_node_is (node, names[i]))
      return TRUE;
  return FALSE;
}

/* What a node gives whose inputs are known; new. */
static SegTensor *
eval_known (SegFormulas *f, const SegNode *node)
{
  SegTensor *in[MAX_INPUTS], *out[1] = { NULL };
  if (node->inputs->len == 0 || node->inputs->len > MAX_INPUTS || node->outputs->len != 1)
    return NULL;
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    in[i] = v != NULL ? known (f, v) : NULL;
    if (in[i] == NULL || seg_desc_n_elems (&in[i]->desc) > SEG_MAX_LIST)
      return NULL;
  }
  if (!stays_small (node, in[0]))
    return NULL;
  return seg_node_eval_late (node, in, out, NULL) ? out[0] : NULL;
}

/* Contents that are the same in each round, or NULL. Owned by f. */
static SegTensor *
known (SegFormulas *f, const SegValue *v)
{
  gpointer t = NULL;
  if (v->constant != NULL)
    return v->constant;
  if (g_hash_table_lookup_extended (f->tensors, v, NULL, &t))
    return t;
  g_hash_table_insert (f->tensors, (gpointer) v, NULL);
  const SegList *list = seg_formulas_list (f, v);
  if (list != NULL) {
    t = tensor_of_list (list);
  } else if (v->producer != NULL && f->depth < MAX_DEPTH) {
    f->depth++;
    t = eval_known (f, v->producer);
    f->depth--;
    g_hash_table_remove (
        f->lists, v); /* it was looked for in vain, before this was known */
  }
  g_hash_table_insert (f->tensors, (gpointer) v, t);
  return t;
}

static gboolean
list_of_tensor (const SegTensor *t, SegList *out)
{
  gint64 n = seg_desc_n_elems (&t->desc);
  if (t->desc.rank > 1 || n > SEG_MAX_LIST || t->desc.dtype != SEG_DTYPE_I64)
    return FALSE;
  *out = (SegList){ t->desc.rank, (guint) n, { { 0 } } };
  for (guint i = 0; i < n; i++)
    out->items[i] = seg_linear (seg_tensor_get_int (t, i));
  return TRUE;
}

/* --- what is known of a value ----------------------------------------------------------------- */

const SegValue *
seg_formulas_row_of (SegFormulas *f, const SegValue *v)
{
  const SegNode *node = v->producer;
  if (!seg_node_is (node, "Gather") || seg_node_attr_int (node, "axis", 0) != 0
      || seg_node_input (node, 1) != f->counter)
    return NULL;
  const SegValue *from = seg_node_input (node, 0);
  return from->is_input && from != f->counter ? from : NULL;
}

typedef gboolean (*Find) (SegFormulas *f, const SegValue *v, SegList *out);

/* What `find` finds, once. While it looks, nothing is known: a value is not made of itself. */
static const SegList *
remember (SegFormulas *f, GHashTable *found, const SegValue *v, Find find)
{
  gpointer list = NULL;
  SegList fresh;
  if (v == NULL || g_hash_table_lookup_extended (found, v, NULL, &list))
    return list;
  g_hash_table_insert (found, (gpointer) v, NULL);
  list = find (f, v, &fresh) ? g_memdup2 (&fresh, sizeof fresh) : NULL;
  g_hash_table_insert (found, (gpointer) v, list);
  return list;
}

/* What the operator makes that v comes from, unless that is too deep. */
static gboolean
by_operator (SegFormulas *f, const SegValue *v,
    gboolean (*make) (SegFormulas *f, const SegNode *node, SegList *out), SegList *out)
{
  if (v->constant != NULL || v->producer == NULL || f->depth > MAX_DEPTH)
    return FALSE;
  f->depth++;
  gboolean ok = make (f, v->producer, out);
  f->depth--;
  return ok;
}

/* Formulas first, and what they do not cover by evaluation. */
static gboolean
find_list (SegFormulas *f, const SegValue *v, SegList *out)
{
  if (by_operator (f, v, seg_formulas_make_list, out))
    return TRUE;
  const SegTensor *t = known (f, v);
  return t != NULL && list_of_tensor (t, out);
}

const SegList *
seg_formulas_list (SegFormulas *f, const SegValue *v)
{
  return remember (f, f->lists, v, find_list);
}

gboolean
seg_formulas_scalar (SegFormulas *f, const SegValue *v, SegLinear *out)
{
  const SegList *list = seg_formulas_list (f, v);
  if (list == NULL || list->n != 1)
    return FALSE;
  *out = list->items[0];
  return TRUE;
}

static gboolean
find_dims (SegFormulas *f, const SegValue *v, SegList *out)
{
  const SegList *list = seg_formulas_list (f, v);
  if (list == NULL)
    return by_operator (f, v, seg_formulas_make_dims, out);
  *out = (SegList){ 1, list->rank, { seg_linear (list->n) } };
  return TRUE;
}

const SegList *
seg_formulas_dims (SegFormulas *f, const SegValue *v)
{
  return remember (f, f->dims, v, find_dims);
}
