/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/instances.h"

#define MAX_BOXES (1 << 22)

static gboolean G_GNUC_PRINTF (3, 4)
    refuse (const SegDesc *desc, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *why = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *text = seg_desc_to_string (desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "output %s: %s", text, why);
  return FALSE;
}

static gboolean
plan_detections (SegInstancePlan *plan, const SegDesc *d, GError **error)
{
  if (d->rank != 3 || d->dims[0] != 1 || !seg_dtype_is_float (d->dtype))
    return refuse (
        d, error, "detections are floats [1,4+C+M,N] or [1,N,4+C+M] of one picture");
  plan->box_axis = d->dims[1] > d->dims[2] ? 1 : 2;
  plan->value_axis = 3 - plan->box_axis;
  if (d->dims[1] < 1 || d->dims[2] < 1 || d->dims[plan->box_axis] > MAX_BOXES)
    return refuse (d, error, "1 to %d boxes are supported", MAX_BOXES);
  plan->n_boxes = (guint) d->dims[plan->box_axis];
  return TRUE;
}

/* Which axis of the prototypes has the channels: the one that leaves as many classes as there are
 * labels; else as the network's input has it, if that leaves any. */
static guint
prototype_axis (const SegInstancePlan *plan, const SegModelInfo *info, gint64 n_values,
    const SegDesc *p)
{
  gint64 rest = n_values - 4 - plan->objectness;
  for (guint axis = 1; axis <= 3; axis += 2)
    if (info->labels->len > 0 && rest - p->dims[axis] == info->labels->len)
      return axis;
  guint like_input = info->channel_axis, other = 4 - like_input;
  return rest - p->dims[like_input] > 0 || rest - p->dims[other] < 1 ? like_input : other;
}

static gboolean
plan_prototypes (SegInstancePlan *plan, const SegModelInfo *info, const SegDesc *d,
    const SegDesc *p, GError **error)
{
  if (p->rank != 4 || p->dims[0] != 1 || !seg_dtype_is_float (p->dtype))
    return refuse (
        p, error, "prototypes are floats [1,M,H,W] or [1,H,W,M] of one picture");
  plan->channel_axis = prototype_axis (plan, info, d->dims[plan->value_axis], p);
  plan->height_axis = plan->channel_axis == 1 ? 2 : 1;
  plan->width_axis = plan->height_axis + 1;
  gint64 m = p->dims[plan->channel_axis], w = p->dims[plan->width_axis],
         h = p->dims[plan->height_axis];
  if (m < 1 || m > 1024 || w < 1 || h < 1 || w > 4096 || h > 4096)
    return refuse (p, error, "1 to 1024 prototypes of up to 4096x4096 are supported");
  plan->n_coefficients = (guint) m;
  plan->mask_width = (guint) w;
  plan->mask_height = (guint) h;
  return TRUE;
}

gboolean
seg_instance_plan_init (SegInstancePlan *plan, const SegModelInfo *info,
    const SegDesc *detections, const SegDesc *prototypes, GError **error)
{
  *plan = (SegInstancePlan){
    .xyxy = info->boxes_xyxy,
    .normalized = info->boxes_normalized,
    .objectness = info->objectness,
    .max_instances = MIN (info->max_detections, SEG_MAX_CANDIDATES),
    .n_workers = 16384,
  };
  if (!plan_detections (plan, detections, error)
      || (prototypes != NULL
          && !plan_prototypes (plan, info, detections, prototypes, error)))
    return FALSE;
  gint64 n_values = detections->dims[plan->value_axis];
  gint64 n_classes = n_values - 4 - plan->objectness - plan->n_coefficients;
  if (n_classes < 1 || n_classes > SEG_INFO_MAX_LABELS)
    return refuse (detections, error,
        "%" G_GINT64_FORMAT " values a box, less 4 for the box, %d for objectness and %u "
        "for the mask, leave %" G_GINT64_FORMAT
        " classes: 1 to %d are supported (see objectness and output in models/README.md)",
        n_values, plan->objectness, plan->n_coefficients, n_classes, SEG_INFO_MAX_LABELS);
  plan->n_classes = (guint) n_classes;
  return TRUE;
}
