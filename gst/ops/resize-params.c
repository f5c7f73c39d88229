/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/resize.h"

#include <math.h>
#include <string.h>

#define MAX_ENTRIES (1 << 24) /* of the list that an axis is resized by */

/* --- attributes --- */

static gboolean
parse_name (SegNode *node, const char *attr, const char *fallback,
    const char *const *names, int *out, GError **error)
{
  const char *name = seg_node_attr_string (node, attr, fallback);
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp (names[i], name) == 0) {
      *out = i;
      return TRUE;
    }
  }
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "%s '%s' is not supported", attr, name);
  return FALSE;
}

/* Before opset 11 there were no coordinate modes. */
static gboolean
parse_early (SegNode *node, int *mode, GError **error)
{
  static const char *const modes[] = { "nearest", "linear", NULL };
  SegResizeParams *params = node->params;
  const char *name = seg_node_attr_string (node, "mode", "nearest");
  params->kind.coords = SEG_RESIZE_ASYMMETRIC;
  params->kind.nearest = SEG_RESIZE_FLOOR;
  if (strcmp (name, "bilinear") == 0 || strcmp (name, "trilinear") == 0) {
    *mode = SEG_RESIZE_LINEAR;
    return TRUE;
  }
  return parse_name (node, "mode", "nearest", modes, mode, error);
}

static gboolean
parse_late (SegNode *node, int *mode, GError **error)
{
  static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
  static const char *const coords[] = { "half_pixel", "half_pixel_symmetric",
    "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn",
    "tf_crop_and_resize", NULL };
  static const char *const nearests[] = { "round_prefer_floor", "round_prefer_ceil",
    "floor", "ceil", NULL };
  static const char *const policies[] = { "stretch", "not_larger", "not_smaller", NULL };
  SegResizeParams *params = node->params;
  int coord, nearest, policy;
  if (!parse_name (node, "mode", modes[0], modes, mode, error)
      || !parse_name (
          node, "coordinate_transformation_mode", coords[0], coords, &coord, error)
      || !parse_name (node, "nearest_mode", nearests[0], nearests, &nearest, error)
      || !parse_name (
          node, "keep_aspect_ratio_policy", policies[0], policies, &policy, error))
    return FALSE;
  params->kind.coords = (SegResizeCoords) coord;
  params->kind.nearest = (SegResizeNearest) nearest;
  params->kind.cubic_a = seg_node_attr_float (node, "cubic_coeff_a", -0.75f);
  params->kind.exclude_outside = seg_node_attr_int (node, "exclude_outside", 0) != 0;
  params->kind.antialias = seg_node_attr_int (node, "antialias", 0) != 0;
  params->policy = (SegResizePolicy) policy;
  params->extrapolation = seg_node_attr_float (node, "extrapolation_value", 0);
  return TRUE;
}

gboolean
seg_resize_parse (SegNode *node, GError **error)
{
  SegResizeParams *params = node->params;
  int mode;
  params->early = node->op->variant == SEG_UPSAMPLE || node->opset < 11;
  if (!(params->early ? parse_early (node, &mode, error)
                      : parse_late (node, &mode, error)))
    return FALSE;
  params->kind.mode = (SegResizeMode) mode;
  return TRUE;
}

/* --- sizes --- */

/* The numbers of an input that is known at load; n is 0 when it is absent or empty. */
static gboolean
read_doubles (
    SegNode *node, guint i, const char *what, double **out, guint *n, GError **error)
{
  const SegValue *v = seg_node_input (node, i);
  *out = NULL;
  *n = 0;
  if (v == NULL || seg_desc_n_elems (&v->desc) == 0)
    return TRUE;
  if (v->constant == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_RUN_TIME,
        "input '%s' (%s) is computed at run time", v->name, what);
    return FALSE;
  }
  *n = (guint) MIN (seg_desc_n_elems (&v->desc), 4 * SEG_MAX_RANK);
  *out = g_new (double, *n + 1);
  for (guint k = 0; k < *n; k++) {
    (*out)[k] = seg_tensor_get_double (v->constant, k);
    if (!isfinite ((*out)[k])) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "%s has an entry that is no number", what);
      return FALSE;
    }
  }
  return TRUE;
}

/* What the model gives, of the axes that it resizes. */
typedef struct {
  guint n, axis[SEG_MAX_RANK];
  double *scales, *sizes, *roi; /* owned; NULL when absent */
} Given;

static void
given_clear (Given *g)
{
  g_free (g->scales);
  g_free (g->sizes);
  g_free (g->roi);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Given, given_clear)

static gboolean
read_axes (SegNode *node, guint rank, Given *g, GError **error)
{
  guint n;
  const gint64 *axes = node->opset >= 18 ? seg_node_attr_ints (node, "axes", &n) : NULL;
  g->n = axes != NULL ? n : rank;
  if (g->n > rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "axes has %u entries", n);
    return FALSE;
  }
  for (guint i = 0; i < g->n; i++)
    if (!seg_axis_normalize (axes != NULL ? axes[i] : i, rank, &g->axis[i], error))
      return FALSE;
  return TRUE;
}

/* Upsample-7 has its scales in an attribute. */
static gboolean
read_scales_attr (SegNode *node, double **out, guint *n)
{
  const SegAttr *attr =
      node->model != NULL ? seg_model_node_attr (node->model, "scales") : NULL;
  *n =
      attr != NULL && attr->type == SEG_ATTR_FLOATS ? MIN (attr->n, 4 * SEG_MAX_RANK) : 0;
  *out = g_new (double, *n + 1);
  for (guint i = 0; i < *n; i++)
    (*out)[i] = attr->floats[i];
  return TRUE;
}

static gboolean
read_given (SegNode *node, guint rank, Given *g, GError **error)
{
  const SegResizeParams *params = node->params;
  guint n_scales = 0, n_sizes = 0, n_roi = 0;
  gboolean ok = read_axes (node, rank, g, error);
  if (node->op->variant == SEG_UPSAMPLE && node->opset < 9)
    ok = ok && read_scales_attr (node, &g->scales, &n_scales);
  else
    ok = ok
         && read_doubles (
             node, params->early ? 1 : 2, "scales", &g->scales, &n_scales, error);
  if (!params->early)
    ok = ok && read_doubles (node, 3, "sizes", &g->sizes, &n_sizes, error);
  if (params->kind.coords == SEG_RESIZE_TF_CROP_AND_RESIZE)
    ok = ok && read_doubles (node, 1, "roi", &g->roi, &n_roi, error);
  if (!ok)
    return FALSE;
  gboolean fits = n_sizes == 0 ? n_scales == g->n : n_sizes == g->n && n_scales == 0;
  if (params->kind.coords == SEG_RESIZE_TF_CROP_AND_RESIZE && n_roi != 2 * g->n)
    fits = FALSE;
  if (!fits) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "has %u scales, %u sizes and %u roi entries for %u axes; it needs scales or "
        "sizes",
        n_scales, n_sizes, n_roi, g->n);
    return FALSE;
  }
  return TRUE;
}

/* One scale for all axes, so that the output just fits, or just covers, the sizes. */
static void
keep_aspect (const SegResizeParams *params, const SegDesc *in, Given *g)
{
  double scale = 0;
  for (guint i = 0; i < g->n; i++) {
    double s = g->sizes[i] / MAX (in->dims[g->axis[i]], 1);
    gboolean better = params->policy == SEG_RESIZE_NOT_LARGER ? s < scale : s > scale;
    if (i == 0 || better)
      scale = s;
  }
  g_free (g->scales);
  g->scales = g_new (double, g->n + 1);
  for (guint i = 0; i < g->n; i++) {
    g->scales[i] = scale;
    g->sizes[i] = floor (scale * in->dims[g->axis[i]] + 0.5);
  }
}

static gboolean
set_axis (SegResizeAxis *a, const Given *g, guint i, gint64 extent, GError **error)
{
  double size = g->sizes != NULL
                    ? g->sizes[i]
                    : floor ((double) ((float) extent * (float) g->scales[i]));
  double scale = g->scales != NULL ? g->scales[i] : size / MAX (extent, 1);
  if (!(size >= 0 && size <= G_MAXINT32) || !(scale > 0) || (extent == 0 && size > 0)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "cannot resize axis %u of %" G_GINT64_FORMAT " to %g (by %g)", g->axis[i], extent,
        size, scale);
    return FALSE;
  }
  *a = (SegResizeAxis){ .in = extent, .out = (gint64) size, .scale = scale };
  a->length = g->scales != NULL ? scale * (double) extent : size;
  if (g->roi != NULL) {
    a->roi_start = g->roi[i];
    a->roi_end = g->roi[g->n + i];
  }
  return TRUE;
}

gboolean
seg_resize_infer (SegNode *node, GError **error)
{
  SegResizeParams *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  g_auto (Given) given = { 0 };
  if (!read_given (node, in->rank, &given, error))
    return FALSE;
  if (given.sizes != NULL && params->policy != SEG_RESIZE_STRETCH)
    keep_aspect (params, in, &given);
  *out = *in;
  for (guint i = 0; i < in->rank; i++)
    params->axes[i] = (SegResizeAxis){ .in = in->dims[i],
      .out = in->dims[i],
      .scale = 1,
      .length = in->dims[i],
      .roi_end = 1 };
  for (guint i = 0; i < given.n; i++) {
    guint axis = given.axis[i];
    if (!set_axis (&params->axes[axis], &given, i, in->dims[axis], error))
      return FALSE;
    if (seg_taps_entries (&params->kind, &params->axes[axis]) > MAX_ENTRIES) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
          "resizing axis %u of %" G_GINT64_FORMAT " by %g takes too many sums", axis,
          in->dims[axis], params->axes[axis].scale);
      return FALSE;
    }
    out->dims[axis] = params->axes[axis].out;
  }
  return TRUE;
}
