/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/modelinfo.h"

#include "frame/infosource.h"
#include "frame/modelinfo-regions.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_SIDE 640

static void G_GNUC_PRINTF (2, 3) assume (SegModelInfo *info, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_ptr_array_add (info->assumptions, g_strdup_vprintf (format, args));
  va_end (args);
}

static char *
find_sidecar (const char *model_path)
{
  g_autofree char *path = g_strconcat (model_path, ".modelinfo", NULL);
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&path);
  const char *dot = strrchr (model_path, '.');
  if (dot == NULL || strchr (dot, G_DIR_SEPARATOR) != NULL)
    return NULL;
  g_autofree char *stem = g_strndup (model_path, (gsize) (dot - model_path));
  g_autofree char *other = g_strconcat (stem, ".modelinfo", NULL);
  return g_file_test (other, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&other) : NULL;
}

static gboolean
find_input (SegModelInfo *info, const SegModel *model, GError **error)
{
  g_autofree char *name = seg_info_get (info->source, "input", NULL);
  const SegModelGraph *g = &model->graph;
  if (g->n_inputs == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "the network has no input");
    return FALSE;
  }
  if (name == NULL) {
    info->input = 0;
    return TRUE;
  }
  g_autoptr (GString) all = g_string_new ("the network has no such input; it has ");
  for (guint i = 0; i < g->n_inputs; i++) {
    if (strcmp (g->inputs[i].name, name) == 0) {
      info->input = i;
      return TRUE;
    }
    g_string_append_printf (all, "%s%s", i ? ", " : "", g->inputs[i].name);
  }
  seg_info_refuse (info->source, "input", all->str, error);
  return FALSE;
}

/* Of axis 0 .. 3 of a batch of pictures. */
static gint64
dim_of (const SegModelInfo *info, const SegModelValue *v, guint axis)
{
  if (!info->unbatched)
    return v->dims[axis];
  return axis == 0 ? 1 : v->dims[axis - 1];
}

/* 3 or 1 channels, or a free axis that may become that. */
static gboolean
may_be_channels (const SegModelInfo *info, const SegModelValue *v, guint axis)
{
  return dim_of (info, v, axis) == 3 || dim_of (info, v, axis) == 1;
}

static gboolean
find_channel_axis (SegModelInfo *info, const SegModelValue *v, GError **error)
{
  static const char *const names[] = { "nchw", "nhwc", NULL };
  guint choice = 0;
  gboolean said;
  if (!seg_info_choice (info->source, "input-layout", names, &choice, &said, error))
    return FALSE;
  if (!v->has_shape || v->rank < 3 || v->rank > 4) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "input '%s' is no picture: its shape must "
        "be [1,C,H,W] or [1,H,W,C]",
        v->name);
    return FALSE;
  }
  info->unbatched = v->rank == 3;
  if (!said) {
    choice = !may_be_channels (info, v, 1) && may_be_channels (info, v, 3);
    assume (info, "input-layout=%s", names[choice]);
  }
  info->channel_axis = choice == 1 ? 3 : 1;
  gint64 n = dim_of (info, v, info->channel_axis);
  if (n > 0 && n != 1 && n != 3) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "input '%s' has %" G_GINT64_FORMAT
        " channels as %s: pictures of 1 or 3 are supported",
        v->name, n, names[choice]);
    return FALSE;
  }
  return TRUE;
}

static gboolean
find_size (SegModelInfo *info, const SegModelValue *v, GError **error)
{
  guint y_axis = info->channel_axis == 1 ? 2 : 1, w = 0, h = 0;
  gint64 fixed_w = dim_of (info, v, y_axis + 1), fixed_h = dim_of (info, v, y_axis),
         batch = dim_of (info, v, 0);
  int n = 0;
  g_autofree char *text = seg_info_get (info->source, "input-size", NULL);
  if (text != NULL
      && (sscanf (text, "%5ux%5u%n", &w, &h, &n) != 2 || text[n] != '\0' || w == 0
          || h == 0 || w > SEG_FRAME_MAX_PX || h > SEG_FRAME_MAX_PX)) {
    seg_info_refuse (info->source, "input-size", "must be WIDTHxHEIGHT in pixels", error);
    return FALSE;
  }
  if (text == NULL) {
    w = h = DEFAULT_SIDE;
    if (fixed_w <= 0 || fixed_h <= 0)
      assume (info, "input-size=%dx%d", DEFAULT_SIDE, DEFAULT_SIDE);
  }
  if (fixed_w > SEG_FRAME_MAX_PX || fixed_h > SEG_FRAME_MAX_PX) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "input '%s' is larger than %d pixels", v->name, SEG_FRAME_MAX_PX);
    return FALSE;
  }
  info->batch = batch > 0 ? (guint) MIN (batch, G_MAXINT) : 0;
  info->free_width = fixed_w <= 0;
  info->free_height = fixed_h <= 0;
  info->size_said = text != NULL || !info->free_width || !info->free_height;
  info->width = fixed_w > 0 ? (guint) fixed_w : w;
  info->height = fixed_h > 0 ? (guint) fixed_h : h;
  return TRUE;
}

/* Upstream's key: "lo,hi;lo,hi;lo,hi", one pair for all channels or one each. */
static gboolean
ranges_of (
    const SegInfoSource *source, const char *tensor, SegNormalize *n, GError **error)
{
  g_autofree char *text =
      source->file != NULL ? g_key_file_get_value (source->file, tensor, "ranges", NULL)
                           : NULL;
  if (text == NULL)
    return FALSE;
  g_auto (GStrv) pairs = g_strsplit (text, ";", 4);
  guint n_pairs = g_strv_length (pairs);
  gboolean fine = n_pairs == 1 || n_pairs >= 3;
  for (guint c = 0; c < 3 && fine; c++) {
    const char *pair = pairs[n_pairs == 1 ? 0 : c];
    char *end = NULL, *last = NULL;
    n->lo[c] = g_ascii_strtod (pair, &end);
    fine = end != pair && *end == ',';
    if (fine)
      n->hi[c] = g_ascii_strtod (end + 1, &last);
    fine = fine && last != end + 1 && *g_strchug (last) == '\0';
  }
  if (!fine)
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "%s: [%s] ranges=%s: must be LOW,HIGH;LOW,HIGH;LOW,HIGH", source->path, tensor,
        text);
  return fine;
}

static gboolean
find_normalization (SegModelInfo *info, const SegModelValue *v, GError **error)
{
  static const char *const orders[] = { "rgb", "bgr", "gray", NULL };
  SegNormalize *n = &info->normalize;
  guint channels = dim_of (info, v, info->channel_axis) == 1 ? 1 : 3;
  guint order = channels == 1 ? SEG_CHANNELS_GRAY : SEG_CHANNELS_RGB;
  gboolean has_order, has_mean, has_std;
  double mean[3] = { 0, 0, 0 }, std[3] = { 255, 255, 255 };
  n->pad[0] = n->pad[1] = n->pad[2] = 114.0;
  if (!seg_info_choice (info->source, "color-order", orders, &order, &has_order, error)
      || !seg_info_numbers (
          info->source, "mean", channels, -1e6, 1e6, mean, &has_mean, error)
      || !seg_info_numbers (
          info->source, "std", channels, 1e-6, 1e6, std, &has_std, error)
      || !seg_info_numbers (
          info->source, "pad-value", channels, 0, 255, n->pad, NULL, error))
    return FALSE;
  n->order = order;
  if ((channels == 1) != (order == SEG_CHANNELS_GRAY)) {
    seg_info_refuse (info->source, "color-order",
        "gray is for networks whose input has one channel, rgb and bgr for three", error);
    return FALSE;
  }
  g_autoptr (GError) refused = NULL;
  if (!has_mean && !has_std && ranges_of (info->source, v->name, n, &refused))
    return TRUE;
  if (refused != NULL) {
    g_propagate_error (error, g_steal_pointer (&refused));
    return FALSE;
  }
  if (!has_order)
    assume (info, "color-order=%s", orders[order]);
  if (!has_mean)
    assume (info, "mean=0");
  if (!has_std)
    assume (info, "std=255");
  for (guint c = 0; c < 3; c++) {
    n->lo[c] = (0.0 - mean[c]) / std[c];
    n->hi[c] = (255.0 - mean[c]) / std[c];
  }
  return TRUE;
}

SegModelInfo *
seg_model_info_load (const SegModel *model, const char *model_path, const char *sidecar,
    GHashTable *settings, GError **error)
{
  g_autofree char *found =
      sidecar == NULL && model_path != NULL ? find_sidecar (model_path) : NULL;
  const char *path = sidecar != NULL ? sidecar : found;
  SegInfoSource *source = seg_info_source_new (settings, path, model->metadata, error);
  if (source == NULL)
    return NULL;
  SegModelInfo *info = g_new0 (SegModelInfo, 1);
  info->source = source;
  info->labels = g_ptr_array_new_with_free_func (g_free);
  info->foreground = g_array_new (FALSE, FALSE, sizeof (guint));
  info->assumptions = g_ptr_array_new_with_free_func (g_free);
  if (!find_input (info, model, error)
      || !find_channel_axis (info, &model->graph.inputs[info->input], error)
      || !find_size (info, &model->graph.inputs[info->input], error)
      || !find_normalization (info, &model->graph.inputs[info->input], error)
      || !seg_model_info_find_regions (info, model, error))
    seg_model_info_free (&info);
  return info;
}

void
seg_model_info_input_shape (
    const SegModelInfo *info, const SegModel *model, SegInputShape *shape)
{
  const SegModelValue *v = &model->graph.inputs[info->input];
  guint y_axis = info->channel_axis == 1 ? 2 : 1;
  gint64 dims[4] = { MAX (dim_of (info, v, 0), 1) };
  dims[info->channel_axis] = dim_of (info, v, info->channel_axis) == 1 ? 1 : 3;
  dims[y_axis] = info->height;
  dims[y_axis + 1] = info->width;
  *shape = (SegInputShape){ .input = v->name, .rank = info->unbatched ? 3 : 4 };
  memcpy (shape->dims, dims + info->unbatched, shape->rank * sizeof *dims);
}

void
seg_model_info_free (SegModelInfo **pinfo)
{
  SegModelInfo *info = *pinfo;
  *pinfo = NULL;
  if (info == NULL)
    return;
  seg_info_source_free (info->source);
  g_ptr_array_unref (info->labels);
  g_ptr_array_unref (info->assumptions);
  g_array_unref (info->foreground);
  g_free (info);
}

const char *
seg_model_info_label (const SegModelInfo *info, guint class_id, char buffer[32])
{
  if (class_id < info->labels->len)
    return info->labels->pdata[class_id];
  g_snprintf (buffer, 32, "class %u", class_id);
  return buffer;
}
