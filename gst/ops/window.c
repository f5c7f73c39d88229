/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/window.h"

#include <string.h>

/* Keeps every product of two of these far inside 64 bits. */
#define LARGEST ((gint64) 1 << 30)

static gboolean
read_list (SegWindow *w, const SegNode *node, const char *name, gint64 smallest,
    gint64 *first, gint64 *second, gboolean *present, GError **error)
{
  guint n;
  const gint64 *list = seg_node_attr_ints (node, name, &n);
  *present = list != NULL && n > 0;
  if (!*present)
    return TRUE;

  guint parts = second != NULL ? 2 : 1;
  guint axes = n / parts;
  if (n % parts != 0 || axes > SEG_WINDOW_AXES || (w->n != 0 && w->n != axes)) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "attribute %s has %u entries", name, n);
    return FALSE;
  }
  w->n = axes;
  for (guint i = 0; i < n; i++) {
    if (list[i] < smallest || list[i] > LARGEST) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "attribute %s has %" G_GINT64_FORMAT ", outside %" G_GINT64_FORMAT
          " to %" G_GINT64_FORMAT,
          name, list[i], smallest, LARGEST);
      return FALSE;
    }
    if (i < axes)
      first[i] = list[i];
    else
      second[i - axes] = list[i];
  }
  return TRUE;
}

static gboolean
read_auto_pad (SegWindow *w, const SegNode *node, GError **error)
{
  static const char *const names[] = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID" };
  const char *value = seg_node_attr_string (node, "auto_pad", "NOTSET");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (strcmp (value, names[i]) == 0) {
      w->auto_pad = i;
      return TRUE;
    }
  }
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "attribute auto_pad is '%s'", value);
  return FALSE;
}

gboolean
seg_window_parse (SegWindow *w, const SegNode *node, GError **error)
{
  for (guint i = 0; i < SEG_WINDOW_AXES; i++)
    w->kernel[i] = w->stride[i] = w->dilation[i] = 1;
  gboolean present;
  return read_auto_pad (w, node, error)
         && read_list (w, node, "kernel_shape", 1, w->kernel, NULL, &w->has_kernel, error)
         && read_list (w, node, "strides", 1, w->stride, NULL, &present, error)
         && read_list (w, node, "dilations", 1, w->dilation, NULL, &present, error)
         && read_list (w, node, "pads", 0, w->pad_begin, w->pad_end, &present, error);
}

gboolean
seg_window_set_kernel (SegWindow *w, guint n, const gint64 *kernel, GError **error)
{
  if (n == 0 || n > SEG_WINDOW_AXES || (w->n != 0 && w->n != n)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "the input has %u spatial axes, the attributes %u", n, w->n);
    return FALSE;
  }
  w->n = n;
  if (kernel == NULL && !w->has_kernel) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MODEL, "has no kernel_shape");
    return FALSE;
  }
  for (guint i = 0; kernel != NULL && i < n; i++) {
    if (kernel[i] < 1 || kernel[i] > LARGEST
        || (w->has_kernel && w->kernel[i] != kernel[i])) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "kernel_shape and the weights' shape do not agree");
      return FALSE;
    }
    w->kernel[i] = kernel[i];
  }
  return TRUE;
}

static gint64
extent (const SegWindow *w, guint i)
{
  return (w->kernel[i] - 1) * w->dilation[i] + 1;
}

static void
resolve_same (SegWindow *w, guint i, gint64 in, gint64 out)
{
  gint64 total = MAX ((out - 1) * w->stride[i] + extent (w, i) - in, 0);
  gint64 less = total / 2;
  w->pad_begin[i] = w->auto_pad == SEG_AUTO_PAD_SAME_UPPER ? less : total - less;
  w->pad_end[i] = total - w->pad_begin[i];
}

static gint64
slide_axis (SegWindow *w, guint i, gint64 in)
{
  gint64 stride = w->stride[i];
  if (w->auto_pad == SEG_AUTO_PAD_SAME_UPPER || w->auto_pad == SEG_AUTO_PAD_SAME_LOWER) {
    gint64 out = (in + stride - 1) / stride;
    resolve_same (w, i, in, out);
    return out;
  }
  if (w->auto_pad == SEG_AUTO_PAD_VALID)
    w->pad_begin[i] = w->pad_end[i] = 0;
  gint64 room = in + w->pad_begin[i] + w->pad_end[i] - extent (w, i);
  if (room < 0)
    return 0;
  if (!w->ceil_mode)
    return room / stride + 1;
  gint64 out = (room + stride - 1) / stride + 1;
  /* A window that would start in the padding behind the input is left out. */
  return (out - 1) * stride >= in + w->pad_begin[i] ? out - 1 : out;
}

gboolean
seg_window_slide (SegWindow *w, const gint64 *in, gint64 *out, GError **error)
{
  for (guint i = 0; i < w->n; i++) {
    out[i] = slide_axis (w, i, in[i]);
    if (out[i] < 1) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "a window of %" G_GINT64_FORMAT " does not fit into %" G_GINT64_FORMAT
          " elements with %" G_GINT64_FORMAT "+%" G_GINT64_FORMAT " of padding",
          extent (w, i), in[i], w->pad_begin[i], w->pad_end[i]);
      return FALSE;
    }
  }
  return TRUE;
}

void
seg_window_axes (const SegWindow *w, const SegDesc *in, const SegDesc *out,
    SegWindowAxis axes[SEG_WINDOW_AXES])
{
  guint lead = SEG_WINDOW_AXES - w->n;
  for (guint i = 0; i < lead; i++)
    axes[i] =
        (SegWindowAxis){ .in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1 };
  for (guint i = 0; i < w->n; i++)
    axes[lead + i] = (SegWindowAxis){
      .in = in->dims[2 + i],
      .out = out->dims[2 + i],
      .kernel = w->kernel[i],
      .stride = w->stride[i],
      .dilation = w->dilation[i],
      .pad = w->pad_begin[i],
      .pad_end = w->pad_end[i],
    };
}

void
seg_window_align (const SegWindow *w, const SegNode *node, guint axis, SegAlign *a)
{
  if (axis < 2 || axis - 2 >= w->n)
    return;
  guint i = axis - 2;
  gint64 in = seg_node_input (node, 0)->desc.dims[axis],
         out = seg_node_output (node, 0)->desc.dims[axis];
  gint64 end = (out - 1) * w->stride[i] + extent (w, i) - w->pad_begin[i];
  a->num = w->stride[i];
  a->shift = (double) (extent (w, i) - 1) / 2.0 - (double) w->pad_begin[i];
  a->padded = w->pad_begin[i] > 0 || end > in;
  a->missing = end < in ? w->stride[i] - (in - end) : 0;
}

gboolean
seg_window_add_pads (SegWindow *w, const gint64 *begin, const gint64 *end, guint n)
{
  if (n != w->n)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (begin[i] > LARGEST || end[i] > LARGEST)
      return FALSE;
  for (guint i = 0; i < n; i++) {
    w->pad_begin[i] += begin[i];
    w->pad_end[i] += end[i];
  }
  w->auto_pad = SEG_AUTO_PAD_NOTSET; /* resolved for the padded input already */
  return TRUE;
}

gboolean
seg_window_fits_device (const SegWindow *w)
{
  if (w->n > 2)
    return FALSE;
  for (guint i = 0; i < w->n; i++)
    if (w->stride[i] > 1 << 16 || extent (w, i) > 1 << 24 || w->pad_begin[i] > 1 << 24)
      return FALSE;
  return TRUE;
}

gint64
seg_window_tile_apart (const SegWindowAxis *a)
{
  return a->stride == 1 ? a->dilation : 1;
}

gint64
seg_window_tiles (const SegWindowAxis *a, guint size)
{
  gint64 apart = seg_window_tile_apart (a);
  gint64 each = (a->out + apart - 1) / apart;
  return (each + size - 1) / size * MIN (apart, a->out);
}

gboolean
seg_window_tile_fits (const SegWindowAxis *a, guint size)
{
  return size == 1 || size <= a->out / seg_window_tile_apart (a);
}

double *
seg_window_doubles (const SegTensor *tensor)
{
  gsize n = (gsize) seg_desc_n_elems (&tensor->desc);
  double *out = g_new (double, MAX (n, 1));
  if (tensor->desc.dtype == SEG_DTYPE_F32) {
    const float *data = seg_tensor_data (tensor);
    for (gsize i = 0; i < n; i++)
      out[i] = data[i];
    return out;
  }
  for (gsize i = 0; i < n; i++)
    out[i] = seg_tensor_get_double (tensor, i);
  return out;
}
