/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop in which torchvision's Mask R-CNN pastes its masks, one by one, into the picture
 * (_onnx_paste_masks_in_image of torchvision/models/detection/roi_heads.py), becomes one node that pastes all
 * at once. In round i, of a mask P[i] and a box b = (x0, y0, x1, y1) of integers, the body makes
 *
 *   R = P[i] resized to max (y1 - y0 + 1, 1) x max (x1 - x0 + 1, 1)
 *   left = max (x0, 0), right = min (x1 + 1, W), top = max (y0, 0), bottom = min (y1 + 1, H)
 *   U = R[top - y0 : bottom - y0, left - x0 : right - x0]
 *   C = (zeros (top, U's width) over U over zeros (H - bottom, U's width))[0 : H, :]
 *   M = (zeros (C's height, left) beside C beside zeros (C's height, W - right))[:, 0 : W]
 *
 * and appends M to what it has. M is R at (x0, y0) on zeros, as far as that is within H x W: also for a
 * box beyond the picture, where one pair of zeros is as large as the picture by itself, and for
 * one without a width or height, where U is empty.
 *
 * What is computed with sizes is compared as formulas (formulas.h), so that it does not matter how
 * an exporter writes them; what is done to the mask has to be the steps above. Where any of it is
 * otherwise the loop stays. */
#include "graph/formulas.h"

#include <string.h>

typedef struct {
  SegFormulas *f;
  const SegValue *masks, *boxes; /* inputs of the body */
  gint64 height, width;
  SegLinear x0, y0, left, top, right, bottom, w, h;
} Paste;

/* The input of the operator that makes v, if that is it. */
static const SegValue *
input_of (const SegValue *v, const char *op, guint i)
{
  return v != NULL && seg_node_is (v->producer, op) ? seg_node_input (v->producer, i)
                                                    : NULL;
}

/* --- the picture ------------------------------------------------------------------------------- */

/* The elements are the same, in the same order. */
static gboolean
same_elements (Paste *p, const SegValue *a, const SegValue *b)
{
  const SegList *x = seg_formulas_dims (p->f, a), *y = seg_formulas_dims (p->f, b);
  gint64 n = 1, m = 1;
  if (x == NULL || y == NULL)
    return FALSE;
  for (guint i = 0; i < x->n; i++)
    n *= seg_linear_is_constant (&x->items[i]) ? x->items[i].constant : 0;
  for (guint i = 0; i < y->n; i++)
    m *= seg_linear_is_constant (&y->items[i]) ? y->items[i].constant : 0;
  return n == m && n > 0 && n < G_MAXINT32;
}

/* v is the first, and the only one, along a first axis of another. */
static const SegValue *
only_one_of (Paste *p, const SegValue *v)
{
  const SegValue *from = input_of (v, "Gather", 0);
  const SegList *dims = seg_formulas_dims (p->f, from);
  SegLinear at;
  if (from == NULL || seg_formulas_row_of (p->f, v) != NULL || dims == NULL
      || dims->n == 0 || !seg_linear_is (&dims->items[0], 1)
      || !seg_formulas_scalar (p->f, input_of (v, "Gather", 1), &at)
      || !seg_linear_is (&at, 0) || seg_node_attr_int (v->producer, "axis", 0) != 0)
    return NULL;
  return from;
}

/* Back through what only adds or takes axes of one. */
static const SegValue *
strip (Paste *p, const SegValue *v)
{
  for (const SegValue *from = v; from != NULL;) {
    v = from;
    from = only_one_of (p, v);
    if (from == NULL && seg_node_is (v->producer, "Identity"))
      from = seg_node_input (v->producer, 0);
    if (from == NULL && seg_node_is (v->producer, "Expand")
        && same_elements (p, v, seg_node_input (v->producer, 0)))
      from = seg_node_input (v->producer, 0);
  }
  return v;
}

static gboolean
is_scalar (Paste *p, const SegValue *v, const SegLinear *want)
{
  SegLinear is;
  return v != NULL && seg_formulas_scalar (p->f, v, &is) && seg_linear_equal (&is, want);
}

/* v is from[start : end] along one axis, any: from, or NULL. */
static const SegValue *
cut_along_any (Paste *p, const SegValue *v, const SegLinear *start, const SegLinear *end)
{
  SegLinear along, one = seg_linear (1);
  const SegValue *from = input_of (v, "Slice", 0);
  if (from == NULL || v->producer->opset < 10
      || !is_scalar (p, seg_node_input (v->producer, 1), start)
      || !is_scalar (p, seg_node_input (v->producer, 2), end)
      || !seg_formulas_scalar (p->f, seg_node_input (v->producer, 3), &along)
      || (seg_node_input (v->producer, 4) != NULL
          && !is_scalar (p, seg_node_input (v->producer, 4), &one)))
    return NULL;
  return from;
}

/* Back through cuts that leave all: PyTorch writes x[:, :n] as a cut of each axis. */
static const SegValue *
uncut (Paste *p, const SegValue *v)
{
  SegLinear zero = seg_linear (0), all = seg_linear (G_MAXINT64);
  const SegValue *from = v;
  while ((from = cut_along_any (p, v, &zero, &all)) != NULL)
    v = from;
  return v;
}

/* v is from[start : end] along an axis: from, or NULL. */
static const SegValue *
cut_of (Paste *p, const SegValue *v, gint64 axis, const SegLinear *start,
    const SegLinear *end)
{
  SegLinear along = seg_linear (axis);
  v = uncut (p, v);
  const SegValue *from = cut_along_any (p, v, start, end);
  return from != NULL && is_scalar (p, seg_node_input (v->producer, 3), &along)
             ? uncut (p, from)
             : NULL;
}

/* Zeros of these sizes. */
static gboolean
is_zeros (Paste *p, const SegValue *v, const SegLinear *height, const SegLinear *width)
{
  const SegValue *shape = input_of (v, "ConstantOfShape", 0);
  const SegList *dims = seg_formulas_list (p->f, shape);
  if (dims == NULL || dims->rank != 1 || dims->n != 2
      || !seg_linear_equal (&dims->items[0], height)
      || !seg_linear_equal (&dims->items[1], width))
    return FALSE;
  const SegAttr *value = seg_model_node_attr (v->producer->model, "value");
  return value == NULL
         || (value->type == SEG_ATTR_TENSOR && value->t->desc.dtype == SEG_DTYPE_F32
             && seg_desc_n_elems (&value->t->desc) == 1
             && seg_tensor_get_double (value->t, 0) == 0);
}

/* Zeros, a picture, and zeros, along an axis, and of that what is within `size`. before and after:
 * how far the zeros extend. The picture, or NULL. */
static const SegValue *
framed (Paste *p, const SegValue *v, guint axis, gint64 size, const SegLinear *before,
    const SegLinear *after)
{
  SegLinear zero = seg_linear (0), end = seg_linear (size);
  const SegValue *whole = cut_of (p, v, axis, &zero, &end);
  const SegValue *middle = input_of (whole, "Concat", 1);
  const SegList *dims = seg_formulas_dims (p->f, middle);
  if (middle == NULL || whole->producer->inputs->len != 3
      || seg_node_attr_int (whole->producer, "axis", -1) != axis || dims == NULL
      || dims->n != 2)
    return NULL;
  const SegLinear *other = &dims->items[1 - axis];
  for (guint i = 0; i <= 2; i += 2) {
    const SegLinear *extent = i == 0 ? before : after;
    if (!is_zeros (p, seg_node_input (whole->producer, i), axis == 0 ? extent : other,
            axis == 0 ? other : extent))
      return NULL;
  }
  return middle;
}

static const SegValue *
uncast (const SegValue *v)
{
  const SegValue *from = input_of (v, "Cast", 0);
  return from != NULL && seg_node_attr_int (v->producer, "to", 0) == SEG_DTYPE_F32 ? from
                                                                                   : v;
}

/* The mask of this round, resized to the box linearly. */
static gboolean
is_resized_mask (Paste *p, const SegValue *v)
{
  const SegNode *resize = v->producer;
  if (!seg_node_is (resize, "Resize") || resize->opset < 11 || resize->inputs->len != 4
      || strcmp (seg_node_attr_string (resize, "mode", "nearest"), "linear") != 0
      || strcmp (seg_node_attr_string (
                     resize, "coordinate_transformation_mode", "half_pixel"),
             "half_pixel")
             != 0
      || seg_node_attr_int (resize, "antialias", 0) != 0
      || seg_node_has_attr (resize, "axes")
      || seg_node_has_attr (resize, "keep_aspect_ratio_policy"))
    return FALSE;
  for (guint i = 1; i < 3; i++) {
    const SegValue *empty = seg_node_input (resize, i);
    if (empty != NULL
        && (empty->constant == NULL || seg_desc_n_elems (&empty->desc) != 0))
      return FALSE;
  }
  const SegList *to = seg_formulas_list (p->f, seg_node_input (resize, 3));
  const SegValue *mask = strip (p, seg_node_input (resize, 0));
  const SegList *from = seg_formulas_dims (p->f, seg_node_input (resize, 0));
  p->masks = seg_formulas_row_of (p->f, mask);
  return p->masks != NULL && to != NULL && from != NULL && to->n == 4 && from->n == 4
         && seg_linear_is (&to->items[0], 1) && seg_linear_is (&to->items[1], 1)
         && seg_linear_is (&from->items[0], 1) && seg_linear_is (&from->items[1], 1)
         && seg_linear_equal (&to->items[2], &p->h)
         && seg_linear_equal (&to->items[3], &p->w);
}

/* a - b */
static SegLinear
minus (const SegLinear *a, const SegLinear *b)
{
  SegLinear difference = seg_linear (0);
  (void) seg_linear_add (a, b, -1, &difference); /* of a few small numbers: it fits */
  return difference;
}

static gboolean
is_pasted (Paste *p, const SegValue *v)
{
  SegLinear height = seg_linear (p->height), width = seg_linear (p->width);
  SegLinear below = minus (&height, &p->bottom), beside = minus (&width, &p->right);
  SegLinear from_x = minus (&p->left, &p->x0), to_x = minus (&p->right, &p->x0);
  SegLinear from_y = minus (&p->top, &p->y0), to_y = minus (&p->bottom, &p->y0);
  v = framed (p, v, 1, p->width, &p->left, &beside);
  v = v != NULL ? framed (p, v, 0, p->height, &p->top, &below) : NULL;
  v = v != NULL ? cut_of (p, uncast (v), 1, &from_x, &to_x) : NULL;
  v = v != NULL ? cut_of (p, v, 0, &from_y, &to_y) : NULL;
  const SegList *dims = seg_formulas_dims (p->f, v);
  return dims != NULL && dims->n == 2 && is_resized_mask (p, strip (p, v));
}

/* --- the box ------------------------------------------------------------------------------------ */

/* max (last - first + 1, 1) */
static gboolean
extent (Paste *p, const SegLinear *first, const SegLinear *last, SegLinear *out)
{
  SegLinear one = seg_linear (1), size = minus (last, first);
  return seg_linear_add (&size, &one, 1, &size)
         && seg_formulas_extreme (p->f, TRUE, &size, &one, out);
}

/* What is expected of an axis of the picture, from the box's first and last pixel along it. */
static gboolean
expect (Paste *p, guint k, gint64 size, SegLinear *first, SegLinear *low, SegLinear *high,
    SegLinear *length)
{
  SegLinear zero = seg_linear (0), one = seg_linear (1), end = seg_linear (size), last;
  SegLinear past;
  return seg_formulas_element (p->f, p->boxes, k, first)
         && seg_formulas_element (p->f, p->boxes, k + 2, &last)
         && seg_formulas_extreme (p->f, TRUE, first, &zero, low)
         && seg_linear_add (&last, &one, 1, &past)
         && seg_formulas_extreme (p->f, FALSE, &past, &end, high)
         && extent (p, first, &last, length);
}

/* Which input has the boxes: one of integers, of four columns; the body takes one such. */
static const SegValue *
find_boxes (const SegBody *body)
{
  const SegValue *found = NULL;
  for (guint i = body->n_formal; i < body->graph->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (body->graph->inputs, i);
    if (v->size == SEG_SIZE_UNKNOWN || v->desc.dtype != SEG_DTYPE_I64 || v->desc.rank != 2
        || v->desc.dims[1] != 4)
      continue;
    if (found != NULL)
      return NULL;
    found = v;
  }
  return found;
}

/* --- the loop ----------------------------------------------------------------------------------- */

static gboolean
is_true (const SegValue *v)
{
  return v->constant != NULL && seg_desc_n_elems (&v->desc) == 1
         && seg_tensor_get_int (v->constant, 0) != 0;
}

/* The number of rounds is the number of rows of `rows`, which is a value around the loop. */
static gboolean
counts_rows (const SegValue *v, const SegValue *rows)
{
  const SegValue *at = input_of (v, "Gather", 1);
  if (v == NULL || rows->desc.rank == 0)
    return FALSE;
  if (v->constant != NULL)
    return rows->size == SEG_SIZE_FIXED && seg_desc_n_elems (&v->desc) == 1
           && seg_tensor_get_int (v->constant, 0) == rows->desc.dims[0];
  const SegValue *shape = input_of (v, "Gather", 0);
  return at != NULL && at->constant != NULL && seg_desc_n_elems (&at->desc) == 1
         && seg_tensor_get_int (at->constant, 0) == 0
         && input_of (shape, "Shape", 0) == rows
         && !seg_node_has_attr (shape->producer, "start");
}

/* One variable, which is the result: it begins with no masks, and each round adds one. */
static const SegValue *
added_in_a_round (const SegNode *loop, const SegBody *body, Paste *p)
{
  const SegValue *first = seg_node_input (loop, 2), *more = seg_node_input (loop, 1);
  const GPtrArray *outputs = body->graph->outputs, *inputs = body->graph->inputs;
  if (loop->inputs->len - loop->n_captured != 3 || loop->outputs->len != 1
      || body->n_formal != 3 || outputs->len != 2 || first == NULL
      || first->constant == NULL || first->desc.rank != 3 || first->desc.dims[0] != 0
      || first->desc.dtype != SEG_DTYPE_F32 || (more != NULL && !is_true (more))
      || !is_true (g_ptr_array_index (outputs, 0)))
    return NULL;
  p->height = first->desc.dims[1];
  p->width = first->desc.dims[2];
  const SegValue *result = g_ptr_array_index (outputs, 1);
  const SegValue *added = input_of (result, "Concat", 1);
  if (added == NULL || result->producer->inputs->len != 2
      || seg_node_attr_int (result->producer, "axis", -1) != 0
      || seg_node_input (result->producer, 0) != g_ptr_array_index (inputs, 2))
    return NULL;
  return input_of (added, "Unsqueeze", 0); /* of a picture, to one more axis: the first */
}

static const SegValue *
around (const SegNode *loop, const SegBody *body, const SegValue *input)
{
  for (guint i = body->n_formal; i < body->graph->inputs->len; i++)
    if (g_ptr_array_index (body->graph->inputs, i) == input)
      return seg_node_input (loop, body->captures[i - body->n_formal]);
  return NULL;
}

/* Proves it; masks and boxes become values around the loop. */
static gboolean
pastes_masks (const SegNode *loop, Paste *p)
{
  const SegBody *body = seg_node_is (loop, "Loop") ? seg_node_body (loop, "body") : NULL;
  if (body == NULL)
    return FALSE;
  const SegValue *picture = added_in_a_round (loop, body, p);
  p->boxes = find_boxes (body);
  if (picture == NULL || p->boxes == NULL || p->height < 1 || p->width < 1)
    return FALSE;
  g_autoptr (SegFormulas) f =
      seg_formulas_new (g_ptr_array_index (body->graph->inputs, 0));
  p->f = f;
  if (!expect (p, 0, p->width, &p->x0, &p->left, &p->right, &p->w)
      || !expect (p, 1, p->height, &p->y0, &p->top, &p->bottom, &p->h)
      || !is_pasted (p, picture))
    return FALSE;
  p->masks = around (loop, body, p->masks);
  p->boxes = around (loop, body, p->boxes);
  return p->masks != NULL && p->boxes != NULL && p->masks->desc.dtype == SEG_DTYPE_F32
         && counts_rows (seg_node_input (loop, 0), p->masks)
         && (p->masks->size != SEG_SIZE_FIXED || p->boxes->size != SEG_SIZE_FIXED
             || p->masks->desc.dims[0] == p->boxes->desc.dims[0]);
}

/* --- the graph ------------------------------------------------------------------------------------ */

static SegValue *
size_value (SegGraph *graph, const Paste *p)
{
  const SegDesc desc = { SEG_DTYPE_I64, 1, { 2 } };
  g_autoptr (SegTensor) t = seg_tensor_new (&desc, NULL);
  if (t == NULL)
    return NULL;
  seg_tensor_set_int (t, 0, p->height);
  seg_tensor_set_int (t, 1, p->width);
  return seg_graph_add_constant (graph, "size", t);
}

/* What a node makes becomes known, where it was not. */
static void
prepare_again (SegNode *node)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL)
      v->size = SEG_SIZE_FIXED;
  }
  node->late = FALSE;
  if (!seg_node_prepare_or_wait (node, NULL)) { /* as before: to be known at run time */
    node->late = TRUE;
    for (guint i = 0; i < node->outputs->len; i++) {
      SegValue *v = g_ptr_array_index (node->outputs, i);
      if (v != NULL)
        v->size = SEG_SIZE_UNKNOWN;
    }
  }
}

static void
prepare_readers (SegGraph *graph, guint first)
{
  for (guint n = first; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    SegValue *out = seg_node_output (node, 0);
    if (node->late && out != NULL && out->size == SEG_SIZE_UNKNOWN)
      prepare_again (node);
  }
}

static void
replace (SegGraph *graph, guint index, const Paste *p, const SegOp *op)
{
  SegNode *loop = g_ptr_array_index (graph->nodes, index);
  SegValue *out = seg_node_output (loop, 0), *size = size_value (graph, p);
  if (size == NULL)
    return;
  SegNode *node = seg_node_new (op, loop->name, NULL, loop->opset);
  seg_node_add_input (node, (SegValue *) p->masks);
  seg_node_add_input (node, (SegValue *) p->boxes);
  seg_node_add_input (node, size);
  seg_node_add_input (node, seg_node_input (loop, 0));
  for (guint i = 0; i < loop->inputs->len; i++)
    seg_node_set_input (loop, i, NULL);
  g_ptr_array_index (loop->outputs, 0) = NULL;
  seg_node_add_output (node, out);
  g_ptr_array_index (graph->nodes, index) = node;
  seg_node_free (loop);
  prepare_again (node);
  prepare_readers (graph, index + 1);
}

void
seg_graph_paste_masks (SegGraph *graph, SegOpLookup lookup)
{
  const SegOp *op = lookup ("vkseg", "PasteMasks");
  for (guint n = 0; op != NULL && n < graph->nodes->len; n++) {
    Paste p = { NULL };
    if (pastes_masks (g_ptr_array_index (graph->nodes, n), &p))
      replace (graph, n, &p, op);
  }
}
