/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/modelinfo.h"

#include "frame/infosource.h"
#include "frame/labels.h"
#include "frame/modelinfo-rcnn.h"
#include "frame/modelinfo-regions.h"

#include <string.h>

static const char *const decoder_names[] = { "argmax", "index", "softmax", "sigmoid",
  "matte", "yolo-seg", "yolo", "rcnn", "fast-rcnn", "classify", "none", NULL };
static const char *const task_names[] = { "semantic", "instance", "matte", "detection",
  NULL };
static const char *const false_true[] = { "false", "true", NULL };

const char *
seg_decoder_name (SegDecoder decoder)
{
  return decoder_names[decoder];
}

static void G_GNUC_PRINTF (2, 3) assume (SegModelInfo *info, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_ptr_array_add (info->assumptions, g_strdup_vprintf (format, args));
  va_end (args);
}

static const SegValue *
output_at (const SegGraph *graph, guint i)
{
  return graph->outputs->pdata[i];
}

static int
output_by_name (const SegGraph *graph, const char *name)
{
  for (guint i = 0; i < graph->outputs->len; i++)
    if (strcmp (output_at (graph, i)->name, name) == 0)
      return (int) i;
  return -1;
}

static int
output_by_rank (const SegGraph *graph, guint rank)
{
  for (guint i = 0; i < graph->outputs->len; i++)
    if (output_at (graph, i)->desc.rank == rank)
      return (int) i;
  return -1;
}

static gboolean
named_outputs (SegModelInfo *info, const SegGraph *graph, char **names, GError **error)
{
  guint n = g_strv_length (names);
  if (n > SEG_INFO_MAX_OUTPUTS) {
    seg_info_refuse (info->source, "output", "more names than any decoder takes", error);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    int at = output_by_name (graph, names[i]);
    if (at < 0) {
      g_autoptr (GString) all = g_string_new ("the network has no such output; it has ");
      for (guint k = 0; k < graph->outputs->len; k++)
        g_string_append_printf (all, "%s%s", k ? ", " : "", output_at (graph, k)->name);
      seg_info_refuse (info->source, "output", all->str, error);
      return FALSE;
    }
    info->outputs[i] = (guint) at;
  }
  info->n_outputs = n;
  return TRUE;
}

/* The default outputs of the decoders that want more than one. */
static void
default_outputs (SegModelInfo *info, const SegGraph *graph)
{
  info->n_outputs = 1;
  info->outputs[0] = 0;
  if (info->decoder == SEG_DECODER_YOLO_SEG || info->decoder == SEG_DECODER_YOLO) {
    info->outputs[0] = (guint) MAX (output_by_rank (graph, 3), 0);
    info->outputs[1] = (guint) MAX (output_by_rank (graph, 4), 0);
    info->n_outputs = info->decoder == SEG_DECODER_YOLO_SEG ? 2 : 1;
  } else if (info->decoder == SEG_DECODER_RCNN) {
    seg_model_info_rcnn_outputs (info, graph);
  } else if (info->decoder == SEG_DECODER_FAST_RCNN) {
    info->outputs[1] = graph->outputs->len > 1;
    info->n_outputs = 2;
  }
}

static gboolean
has_one_channel (const SegDesc *desc)
{
  return desc->rank == 3
         || (desc->rank == 4 && (desc->dims[1] == 1 || desc->dims[3] == 1));
}

static SegDecoder
guess_decoder (const SegModelInfo *info, const SegGraph *graph)
{
  const SegDesc *first = &output_at (graph, info->outputs[0])->desc;
  if (seg_model_info_is_rcnn (graph))
    return SEG_DECODER_RCNN;
  if (output_by_rank (graph, 3) >= 0 && output_by_rank (graph, 4) >= 0)
    return SEG_DECODER_YOLO_SEG;
  if (first->rank == 2 && seg_dtype_is_float (first->dtype))
    return info->regions_input >= 0 ? SEG_DECODER_FAST_RCNN : SEG_DECODER_CLASSIFY;
  if (!seg_dtype_is_float (first->dtype))
    return SEG_DECODER_INDEX;
  return has_one_channel (first) ? SEG_DECODER_MATTE : SEG_DECODER_ARGMAX;
}

static SegTask
guess_task (const SegModelInfo *info, const SegGraph *graph)
{
  switch (info->decoder) {
  case SEG_DECODER_SOFTMAX:
  case SEG_DECODER_MATTE: return SEG_TASK_MATTE;
  case SEG_DECODER_SIGMOID:
    return has_one_channel (&output_at (graph, info->outputs[0])->desc)
               ? SEG_TASK_MATTE
               : SEG_TASK_SEMANTIC;
  case SEG_DECODER_YOLO_SEG: return SEG_TASK_INSTANCE;
  case SEG_DECODER_YOLO:
  case SEG_DECODER_FAST_RCNN:
  case SEG_DECODER_CLASSIFY: return SEG_TASK_DETECTION;
  case SEG_DECODER_RCNN:
    return seg_rcnn_places (info, graph).masks >= 0 ? SEG_TASK_INSTANCE
                                                    : SEG_TASK_DETECTION;
  default: return SEG_TASK_SEMANTIC;
  }
}

static gboolean
find_outputs (SegModelInfo *info, const SegGraph *graph, GError **error)
{
  if (graph->outputs->len == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "the network has no output");
    return FALSE;
  }
  g_auto (GStrv) names = seg_info_list (info->source, "output");
  if (names != NULL && !named_outputs (info, graph, names, error))
    return FALSE;
  guint decoder = guess_decoder (info, graph), task;
  gboolean said;
  if (!seg_info_choice (info->source, "decoder", decoder_names, &decoder, &said, error))
    return FALSE;
  info->decoder = decoder;
  if (!said)
    assume (info, "decoder=%s", decoder_names[decoder]);
  if (names == NULL) {
    default_outputs (info, graph);
    if (graph->outputs->len > info->n_outputs)
      assume (info, "output=%s", output_at (graph, info->outputs[0])->name);
  }
  if (info->decoder == SEG_DECODER_RCNN)
    seg_model_info_add_mask_boxes (info, graph);
  task = guess_task (info, graph);
  if (!seg_info_choice (info->source, "task", task_names, &task, NULL, error))
    return FALSE;
  info->task = task;
  return TRUE;
}

gboolean
seg_model_info_is_map (const SegModelInfo *info)
{
  return info->decoder <= SEG_DECODER_MATTE;
}

/* Where the classes of a map are, and how many. */
static gboolean
find_classes (SegModelInfo *info, const SegGraph *graph, GError **error)
{
  static const char *const layouts[] = { "nchw", "nhwc", NULL };
  info->class_axis = -1;
  info->n_classes = info->labels->len;
  if (!seg_model_info_is_map (info))
    return TRUE;
  const SegValue *out = output_at (graph, info->outputs[0]);
  const SegDesc *d = &out->desc;
  gboolean one_map = info->decoder == SEG_DECODER_INDEX
                     || info->decoder == SEG_DECODER_MATTE
                     || info->decoder == SEG_DECODER_SIGMOID;
  if (d->rank != 4 && !(d->rank == 3 && one_map)) {
    g_autofree char *text = seg_desc_to_string (d);
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "output '%s' %s is no map that decoder %s "
        "can take: [N,C,H,W] or [N,H,W,C]",
        out->name, text, decoder_names[info->decoder]);
    return FALSE;
  }
  if (d->rank == 4) {
    guint layout = info->channel_axis == 3;
    gboolean said;
    if (info->labels->len > 1 && d->dims[1] != d->dims[3]) {
      if (d->dims[1] == info->labels->len || d->dims[3] == info->labels->len)
        layout = d->dims[3] == info->labels->len;
    } else if (one_map && (d->dims[1] == 1) != (d->dims[3] == 1)) {
      layout = d->dims[3] == 1;
    }
    if (!seg_info_choice (info->source, "output-layout", layouts, &layout, &said, error))
      return FALSE;
    if (!said)
      assume (info, "output-layout=%s", layouts[layout]);
    info->class_axis = layout ? 3 : 1;
  }
  if (info->decoder != SEG_DECODER_INDEX)
    info->n_classes =
        d->rank == 4 ? (guint) MIN (d->dims[info->class_axis], G_MAXINT) : 1;
  return TRUE;
}

static const char *
first_label (const SegModelInfo *info)
{
  return info->labels->len > 0 ? info->labels->pdata[0] : NULL;
}

static gboolean
find_background (SegModelInfo *info, GError **error)
{
  static const char *const names[] = { "background", "__background__", "unlabeled" };
  g_autofree char *text = seg_info_get (info->source, "background", NULL);
  info->background = -1;
  if (text == NULL) {
    const char *label = first_label (info);
    gboolean is = label == NULL && info->n_classes != 1
                  && info->decoder != SEG_DECODER_YOLO
                  && info->decoder != SEG_DECODER_YOLO_SEG;
    for (guint i = 0; label != NULL && i < G_N_ELEMENTS (names); i++)
      is = is || g_ascii_strcasecmp (label, names[i]) == 0;
    info->background = is ? 0 : -1;
    if (label == NULL && is && seg_model_info_is_map (info))
      assume (info, "background=0");
    return TRUE;
  }
  guint64 v;
  if (g_ascii_strcasecmp (text, "none") == 0)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, SEG_INFO_MAX_LABELS, &v, NULL)) {
    seg_info_refuse (
        info->source, "background", "must be the number of a class, or none", error);
    return FALSE;
  }
  info->background = (int) v;
  return TRUE;
}

static gboolean
find_foreground (SegModelInfo *info, GError **error)
{
  g_auto (GStrv) items = seg_info_list (info->source, "foreground");
  g_autoptr (GError) cause = NULL;
  if (items == NULL
      || seg_labels_to_classes (info->labels, items, info->foreground, &cause))
    return TRUE;
  seg_info_refuse (info->source, "foreground", cause->message, error);
  return FALSE;
}

static gboolean
find_palette (SegModelInfo *info, GError **error)
{
  SegInfoPlace place = SEG_INFO_SETTINGS;
  g_autofree char *text = seg_info_get (info->source, "palette", &place);
  g_autofree char *folder = seg_info_folder (info->source, place);
  const char *name = info->task == SEG_TASK_MATTE      ? "person"
                     : info->task != SEG_TASK_SEMANTIC ? "coco"
                     : info->n_classes == 19           ? "cityscapes"
                     : info->n_classes == 150          ? "ade20k"
                     : info->n_classes <= 21           ? "voc"
                                                       : "coco";
  return seg_palette_load (
      &info->palette, text != NULL ? text : name, folder, info->background, error);
}

static double
default_threshold (const SegModelInfo *info)
{
  switch (info->decoder) {
  case SEG_DECODER_SIGMOID:
  case SEG_DECODER_FAST_RCNN:
  case SEG_DECODER_RCNN: return 0.5;
  case SEG_DECODER_YOLO_SEG:
  case SEG_DECODER_YOLO: return 0.25;
  default: return 0.0;
  }
}

static gboolean
find_numbers (SegModelInfo *info, GError **error)
{
  static const char *const formats[] = { "cxcywh", "xyxy", "deltas", NULL };
  static const char *const units[] = { "pixels", "normalized", NULL };
  const SegInfoSource *s = info->source;
  gboolean yolo =
      info->decoder == SEG_DECODER_YOLO_SEG || info->decoder == SEG_DECODER_YOLO;
  guint format = info->decoder == SEG_DECODER_RCNN        ? 1
                 : info->decoder == SEG_DECODER_FAST_RCNN ? 2
                                                          : 0,
        objectness = 0;
  guint unit = yolo && info->channel_axis == 3;
  double max_detections = 100;
  info->threshold = default_threshold (info);
  info->mask_threshold = 0.5;
  info->iou_threshold = info->decoder == SEG_DECODER_RCNN        ? 1.0
                        : info->decoder == SEG_DECODER_FAST_RCNN ? 0.3
                                                                 : 0.45;
  if (!seg_info_number (s, "threshold", 0, 1, &info->threshold, NULL, error)
      || !seg_info_number (s, "mask-threshold", 0, 1, &info->mask_threshold, NULL, error)
      || !seg_info_number (s, "iou-threshold", 0, 1, &info->iou_threshold, NULL, error)
      || !seg_info_number (s, "max-detections", 1, 10000, &max_detections, NULL, error)
      || !seg_info_choice (s, "box-format", formats, &format, NULL, error)
      || !seg_info_choice (s, "box-units", units, &unit, NULL, error)
      || !seg_info_choice (s, "objectness", false_true, &objectness, NULL, error))
    return FALSE;
  info->max_detections = (guint) max_detections;
  info->boxes_xyxy = format == 1;
  info->boxes_deltas = format == 2;
  info->boxes_normalized = unit == 1;
  info->objectness = objectness == 1;
  return TRUE;
}

static gboolean
find_fit (SegModelInfo *info, GError **error)
{
  static const char *const names[] = { "stretch", "letterbox", "crop", "tile", NULL };
  gboolean boxes = (info->task == SEG_TASK_INSTANCE || info->task == SEG_TASK_DETECTION)
                   && info->decoder != SEG_DECODER_CLASSIFY,
           said;
  guint fit = boxes ? SEG_FIT_LETTERBOX : SEG_FIT_STRETCH;
  if (!seg_info_choice (info->source, "resize", names, &fit, &said, error))
    return FALSE;
  if (!said)
    assume (info, "resize=%s", names[fit]);
  info->fit_said = said;
  info->tile = fit == 3;
  info->fit = info->tile ? SEG_FIT_STRETCH : fit;
  return TRUE;
}

static gboolean
find_margin (SegModelInfo *info, GError **error)
{
  gboolean said;
  double *m = info->output_margin;
  if (!seg_info_numbers (
          info->source, "output-margin", 2, 0, SEG_FRAME_MAX_PX, m, &said, error))
    return FALSE;
  if (!said)
    m[0] = m[1] = -1.0;
  return TRUE;
}

gboolean
seg_model_info_resolve (SegModelInfo *info, const SegGraph *graph, GError **error)
{
  return find_outputs (info, graph, error)
         && seg_labels_find (info->source, info->labels, error)
         && find_classes (info, graph, error) && find_background (info, error)
         && find_foreground (info, error) && find_palette (info, error)
         && find_numbers (info, error) && find_fit (info, error)
         && find_margin (info, error)
         && seg_model_info_resolve_regions (info, graph, error);
}
