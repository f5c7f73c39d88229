/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* What the Gather and Scatter operators have in common: `elements` (Gather's output, Scatter's
 * updates) correspond to places in `data` (Gather's input, Scatter's output), which `indices`
 * say: a base place plus one or more indices, each times a step. */

typedef enum {
  SEG_INDEXED_AXIS,     /* Gather: indices take the place of one axis */
  SEG_INDEXED_ELEMENTS, /* one index per element along one axis */
  SEG_INDEXED_ND,       /* the indices' last axis holds tuples for the first axes */
} SegIndexedKind;

typedef struct {
  SegIndexedKind kind;
  guint axis;       /* the first axis of data that is indexed */
  guint tuple;      /* how many are */
  guint rank;       /* of elements */
  guint index_rank; /* of indices */
} SegIndexed;

/* Checks indices against data; on success SEG_INDEXED_ND's fields are filled in. */
gboolean seg_indexed_init_axis (SegIndexed *x, SegIndexedKind kind, gint64 axis,
    const SegDesc *data, const SegDesc *indices, GError **error);
gboolean seg_indexed_init_nd (SegIndexed *x, gint64 batch, const SegDesc *data,
    const SegDesc *indices, GError **error);
/* What elements are for these indices and data. */
gboolean seg_indexed_elements (const SegIndexed *x, const SegDesc *data,
    const SegDesc *indices, SegDesc *elements, GError **error);

/* Per axis of elements the step through data, 0 where an index decides, and through indices,
 * made of the two tensors' own strides. */
void seg_indexed_steps (const SegIndexed *x, const guint32 *data, const guint32 *indices,
    guint32 data_steps[SEG_MAX_RANK], guint32 index_steps[SEG_MAX_RANK]);

/* On the host: the place in data (row-major) of each of elements' n, newly allocated. NULL and
 * SEG_ERROR_INPUT when an index is outside its extent. */
gsize *seg_indexed_places (const SegIndexed *x, const SegDesc *data,
    const SegTensor *indices, const SegDesc *elements, GError **error);

/* On the device: at most so many indices to a place, in specialisation constants 3 to 14 of
 * the shaders that include lib/indexed.glsl. */
#define SEG_INDEXED_TUPLE 5
void seg_indexed_fill (const SegIndexed *x, const SegView *data, const SegView *indices,
    SegDispatch *dispatch);

G_END_DECLS
