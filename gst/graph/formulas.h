/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/rewrite.h"

G_BEGIN_DECLS

/* What the body of a loop computes with sizes and positions, as formulas: so that a pass can prove what
 * a body does, whichever operators an exporter wrote it with. Integers are taken to be as wide as it
 * needs. */

#define SEG_MAX_ATOMS 32
#define SEG_MAX_LIST  8

/* constant + sum of times[a] * atom a. Atoms are numbers that are not known, and the larger or smaller
 * of two formulas. */
typedef struct {
  gint64 constant;
  gint8 times[SEG_MAX_ATOMS];
} SegLinear;

/* Numbers in a scalar (rank 0) or in a list. */
typedef struct {
  guint rank, n;
  SegLinear items[SEG_MAX_LIST];
} SegList;

typedef struct _SegFormulas SegFormulas; /* of one body */

/* counter: the body's input that is the number of the round. */
SegFormulas *seg_formulas_new (const SegValue *counter);
void seg_formulas_free (SegFormulas *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegFormulas, seg_formulas_free)

/* The integers in a value, or NULL: they are not known as formulas. v may be NULL. Owned by f. */
const SegList *seg_formulas_list (SegFormulas *f, const SegValue *v);
/* The one of a value that holds just one. */
gboolean seg_formulas_scalar (SegFormulas *f, const SegValue *v, SegLinear *out);
/* A value's sizes, as many as its rank; NULL: the rank is not known. */
const SegList *seg_formulas_dims (SegFormulas *f, const SegValue *v);
/* v is row `counter` of an input of the body: which. Else NULL. */
const SegValue *seg_formulas_row_of (SegFormulas *f, const SegValue *v);

SegLinear seg_linear (gint64 constant);
gboolean seg_linear_equal (const SegLinear *a, const SegLinear *b);
gboolean seg_linear_is (const SegLinear *a, gint64 constant);
gboolean seg_linear_is_constant (const SegLinear *a);
/* a + sign * b. These are FALSE when the result would not fit. */
gboolean seg_linear_add (
    const SegLinear *a, const SegLinear *b, int sign, SegLinear *out);
gboolean seg_formulas_extreme (
    SegFormulas *f, gboolean max, const SegLinear *a, const SegLinear *b, SegLinear *out);
/* Element k of row `counter` of an input of the body. */
gboolean seg_formulas_element (
    SegFormulas *f, const SegValue *from, guint k, SegLinear *out);
/* How far v extends along an axis. */
gboolean seg_formulas_extent (
    SegFormulas *f, const SegValue *v, guint axis, SegLinear *out);

/* --- between formulas.c and formulas-lists.c --------------------------------------------------- */

gboolean seg_formulas_make_list (SegFormulas *f, const SegNode *node, SegList *out);
gboolean seg_formulas_make_dims (SegFormulas *f, const SegNode *node, SegList *out);

G_END_DECLS
