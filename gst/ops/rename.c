/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that leave every element where it is: Reshape, Flatten, Squeeze, Unsqueeze,
 * Identity and, for inference, Dropout. */
#include "ops/ops.h"

#include <string.h>

/* out[0] is the input already. */
static gboolean
rename_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  return TRUE;
}

/* Elements stay where they are, those that are live too. */
static guint
rename_by_row (const SegNode *node)
{
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  return seg_value_is_prefix (in) && seg_value_is_prefix (out) ? seg_rows_of_first (node)
                                                               : 0;
}

#define RENAME(NAME, IN_MIN, IN_MAX, INFER)                                              \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = IN_MIN, .max_inputs = IN_MAX,              \
    .max_outputs = 1, .layout = SEG_OP_ROWS, .storage = SEG_OP_MOVES,                    \
    .decides = SEG_OP_ALL_BUT_FIRST,                                                     \
    .flags = SEG_OP_RENAME | SEG_OP_BYTES | SEG_OP_ANY_LIVE_AXIS,                        \
    .sizes = SEG_OP_ALL_BUT_FIRST, .by_row = rename_by_row, .infer = INFER,              \
    .eval = rename_eval                                                                  \
  }

/* --- Reshape --- */

/* As many elements as there would be if no dimension were 0. */
static gint64
elems_but_for_zeros (const SegDesc *desc)
{
  SegDesc d = *desc;
  for (guint i = 0; i < d.rank; i++)
    d.dims[i] = MAX (d.dims[i], 1);
  return seg_desc_n_elems (&d);
}

/* Fills in the dimension that is -1, or checks that there is nothing to fill in. Where there are
 * no rows, what -1 is follows from the other dimensions: a detector that finds nothing reshapes
 * [0,364] to [0,-1,4]. */
static gboolean
reshape_complete (const SegDesc *in, SegDesc *out, int free_axis, GError **error)
{
  gint64 have = seg_desc_n_elems (in);
  if (free_axis >= 0)
    out->dims[free_axis] = 1;
  gint64 known = seg_desc_n_elems (out);
  if (free_axis >= 0 && have == 0 && known == 0) {
    have = elems_but_for_zeros (in);
    known = elems_but_for_zeros (out);
  }
  gboolean fits = known == have;
  if (free_axis >= 0) {
    fits = known > 0 && have >= 0 && have % known == 0;
    out->dims[free_axis] = fits ? have / known : -1;
  }
  if (!fits) {
    g_autofree char *a = seg_desc_to_string (in), *b = seg_desc_to_string (out);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "cannot reshape %s to %s", a, b);
    return FALSE;
  }
  return TRUE;
}

static gboolean
reshape_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  gboolean allow_zero = seg_node_attr_int (node, "allowzero", 0) != 0;
  g_autofree gint64 *shape = NULL;
  guint n;
  if (!seg_node_const_ints (node, 1, "shape", &shape, &n, error))
    return FALSE;
  if (n > SEG_MAX_RANK) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "reshape to %u dimensions; at most %d are supported", n, SEG_MAX_RANK);
    return FALSE;
  }

  int free_axis = -1;
  *out = (SegDesc){ .dtype = in->dtype, .rank = n };
  for (guint i = 0; i < n; i++) {
    out->dims[i] = shape[i];
    gboolean copied = shape[i] == 0 && !allow_zero;
    if (copied)
      out->dims[i] = i < in->rank ? in->dims[i] : -1;
    if (!copied && shape[i] == -1 && free_axis < 0) {
      free_axis = (int) i;
    } else if (out->dims[i] < 0) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "entry %u of shape is %" G_GINT64_FORMAT ", which does not fit the input", i,
          shape[i]);
      return FALSE;
    }
  }
  return reshape_complete (in, out, free_axis, error);
}

const SegOp seg_op_reshape = RENAME ("Reshape", 2, 2, reshape_infer);

/* --- Flatten --- */

static gboolean
flatten_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  gint64 axis = seg_node_attr_int (node, "axis", 1);
  gint64 rank = in->rank;
  if (axis < -rank || axis > rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "axis %" G_GINT64_FORMAT " is outside the input's %u dimensions", axis, in->rank);
    return FALSE;
  }
  if (axis < 0)
    axis += rank;
  *out = (SegDesc){ .dtype = in->dtype, .rank = 2, .dims = { 1, 1 } };
  for (gint64 i = 0; i < rank; i++)
    out->dims[i < axis ? 0 : 1] *= in->dims[i];
  return TRUE;
}

const SegOp seg_op_flatten = RENAME ("Flatten", 1, 1, flatten_infer);

/* --- Squeeze, Unsqueeze --- */

/* The axes: an attribute before opset 13, an input since. n is 0 when there are none. */
static gboolean
read_axes (SegNode *node, gint64 **axes, guint *n, GError **error)
{
  if (node->opset >= 13)
    return seg_node_const_ints (node, 1, "axes", axes, n, error);
  const gint64 *list = seg_node_attr_ints (node, "axes", n);
  *axes = g_memdup2 (list, *n * sizeof **axes);
  return TRUE;
}

/* Marks axes of a tensor of `rank` dimensions. */
static gboolean
mark_axes (
    const gint64 *axes, guint n, guint rank, gboolean set[SEG_MAX_RANK], GError **error)
{
  for (guint i = 0; i < n; i++) {
    guint axis;
    if (!seg_axis_normalize (axes[i], rank, &axis, error))
      return FALSE;
    if (set[axis]) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "axis %u is named twice", axis);
      return FALSE;
    }
    set[axis] = TRUE;
  }
  return TRUE;
}

static gboolean
squeeze_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  gboolean set[SEG_MAX_RANK] = { FALSE };
  g_autofree gint64 *axes = NULL;
  guint n;
  if (!read_axes (node, &axes, &n, error) || !mark_axes (axes, n, in->rank, set, error))
    return FALSE;
  *out = (SegDesc){ .dtype = in->dtype };
  for (guint i = 0; i < in->rank; i++) {
    if (n > 0 ? !set[i] : in->dims[i] != 1) {
      out->dims[out->rank++] = in->dims[i];
    } else if (in->dims[i] != 1) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "cannot squeeze axis %u: its extent is %" G_GINT64_FORMAT, i, in->dims[i]);
      return FALSE;
    }
  }
  return TRUE;
}

const SegOp seg_op_squeeze = RENAME ("Squeeze", 1, 2, squeeze_infer);

static gboolean
unsqueeze_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  gboolean set[SEG_MAX_RANK] = { FALSE };
  g_autofree gint64 *axes = NULL;
  guint n;
  if (!read_axes (node, &axes, &n, error))
    return FALSE;
  if (n > SEG_MAX_RANK - in->rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "unsqueeze to %u dimensions; at most %d are supported", in->rank + n,
        SEG_MAX_RANK);
    return FALSE;
  }
  if (!mark_axes (axes, n, in->rank + n, set, error))
    return FALSE;
  *out = (SegDesc){ .dtype = in->dtype, .rank = in->rank + n };
  for (guint i = 0, from = 0; i < out->rank; i++)
    out->dims[i] = set[i] ? 1 : in->dims[from++];
  return TRUE;
}

const SegOp seg_op_unsqueeze = RENAME ("Unsqueeze", 1, 2, unsqueeze_infer);

/* --- Identity --- */

static gboolean
identity_infer (SegNode *node, GError **error)
{
  seg_node_output (node, 0)->desc = seg_node_input (node, 0)->desc;
  return TRUE;
}

const SegOp seg_op_identity = RENAME ("Identity", 1, 1, identity_infer);

/* --- Dropout: the mask says that everything was kept --- */

/* Training drops at random, which a model for inference has no use for. */
static gboolean
dropout_check_inference (SegNode *node, GError **error)
{
  g_autofree gint64 *training = NULL;
  guint n;
  if (!seg_node_const_ints (node, 2, "training_mode", &training, &n, error))
    return FALSE;
  if (n == 0 || training[0] == 0)
    return TRUE;
  const SegValue *ratio = seg_node_input (node, 1);
  if (ratio != NULL && ratio->constant != NULL && seg_desc_n_elems (&ratio->desc) == 1
      && seg_tensor_get_double (ratio->constant, 0) == 0)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "training_mode is on; export the model for inference");
  return FALSE;
}

static void
fill_with_ones (SegTensor *t)
{
  for (gint64 i = 0; i < seg_desc_n_elems (&t->desc); i++)
    seg_tensor_set_int (t, i, 1);
}

/* The mask is known at load, so that the operator is a mere rename. */
static gboolean
dropout_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  if (!dropout_check_inference (node, error))
    return FALSE;
  seg_node_output (node, 0)->desc = *in;
  SegValue *mask = seg_node_output (node, 1);
  if (mask == NULL)
    return TRUE;
  mask->desc = *in;
  mask->desc.dtype = node->opset >= 10 ? SEG_DTYPE_BOOL : in->dtype;
  if (seg_node_input (node, 0)->constant != NULL)
    return TRUE; /* folds */
  g_clear_pointer (&mask->constant, seg_tensor_unref);
  mask->constant = seg_tensor_new (&mask->desc, error);
  if (mask->constant != NULL)
    fill_with_ones (mask->constant);
  return mask->constant != NULL;
}

static gboolean
dropout_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  if (out[1] != NULL)
    fill_with_ones (out[1]);
  return TRUE;
}

const SegOp seg_op_dropout = {
  .name = "Dropout",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 3,
  .max_outputs = 2,
  .layout = SEG_OP_ROWS,
  .storage = SEG_OP_MOVES,
  .flags = SEG_OP_RENAME,
  .infer = dropout_infer,
  .eval = dropout_eval,
};
