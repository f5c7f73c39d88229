/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/secondary.h"

#include "elements/videoframe.h"

#include <string.h>

void
seg_secondary_init (SegSecondary *s)
{
  memset (s, 0, sizeof *s);
  seg_roi_list_init (&s->list);
}

void
seg_secondary_close (SegSecondary *s)
{
  seg_regions_free (&s->regions);
  s->warned = FALSE;
}

void
seg_secondary_clear (SegSecondary *s)
{
  seg_secondary_close (s);
  seg_roi_list_clear (&s->list);
  g_clear_pointer (&s->filter.classes, g_strfreev);
}

static gboolean
take_limits (const SegSettings *settings, const SegModelInfo *info,
    SegInstanceLimits *limits, GError **error)
{
  SegStyle style;
  memset (limits, 0, sizeof *limits);
  if (!seg_settings_style (settings, info, &style, error))
    return FALSE;
  memset (limits->keep, 0xff, sizeof limits->keep);
  memcpy (limits->keep, style.keep, MIN (sizeof style.keep, sizeof limits->keep));
  limits->threshold = (float) (style.threshold < 0.0 ? info->threshold : style.threshold);
  limits->mask_threshold =
      (float) (style.mask_threshold < 0.0 ? info->mask_threshold : style.mask_threshold);
  limits->iou_threshold =
      (float) (style.iou_threshold < 0.0 ? info->iou_threshold : style.iou_threshold);
  guint max =
      settings->max_detections > 0 ? settings->max_detections : info->max_detections;
  limits->max_instances = (gint32) max;
  return TRUE;
}

static char **
split (const char *text)
{
  if (text == NULL || text[0] == '\0')
    return NULL;
  char **items = g_strsplit (text, ",", -1);
  for (guint i = 0; items[i] != NULL; i++)
    g_strstrip (items[i]);
  return items;
}

gboolean
seg_secondary_set (SegSecondary *s, const SegSettings *settings, GError **error)
{
  SegInstanceLimits limits;
  if (!take_limits (settings, s->net->info, &limits, error))
    return FALSE;
  s->limits = limits;
  g_strfreev (s->filter.classes);
  s->filter.classes = split (settings->roi_classes);
  s->filter.min_size_px = settings->roi_min_size;
  s->filter.max = MIN (settings->roi_max, seg_regions_max (s->regions));
  return TRUE;
}

/* Drivers compile at the first run; better now than while a frame waits. */
static gboolean
warm_up (SegSecondary *s, GError **error)
{
  SegRoi whole = { 0, 0, (float) s->info.width, (float) s->info.height };
  return seg_regions_run (s->regions, &whole, 1, &s->limits, error);
}

gboolean
seg_secondary_open (SegSecondary *s, SegNet *net, const SegSettings *settings,
    const GstVideoInfo *info, GError **error)
{
  SegRegionsConfig config = {
    .frame = { .width = (guint) info->width, .height = (guint) info->height },
    .context_px = settings->roi_context,
    .override_fit = settings->resize != SEG_RESIZE_AUTO,
    .fit = settings->resize == SEG_RESIZE_AUTO ? SEG_FIT_STRETCH
                                               : (SegFit) (settings->resize - 1),
  };
  seg_secondary_close (s);
  if (settings->output != SEG_OUTPUT_OVERLAY && settings->output != SEG_OUTPUT_META) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "inference-region=roi-list gives its results as metas: set output to meta");
    return FALSE;
  }
  seg_video_format (GST_VIDEO_INFO_FORMAT (info), &config.frame.format);
  seg_video_color (info, &config.frame.color);
  s->net = net;
  s->info = *info;
  s->regions = seg_regions_new (net->vk, net->session, net->info, &config, error);
  if (s->regions != NULL && seg_secondary_set (s, settings, error) && warm_up (s, error))
    return TRUE;
  seg_secondary_close (s);
  return FALSE;
}

static void
warn_once (SegSecondary *s, GstElement *element, guint n_left_out)
{
  if (n_left_out == 0 || s->warned)
    return;
  s->warned = TRUE;
  GST_ELEMENT_WARNING (element, STREAM, FAILED,
      ("%u regions more on a frame than are looked at (%u)", n_left_out,
          s->list.rois->len),
      ("roi-max sets how many, roi-classes and roi-min-size which"));
}

gboolean
seg_secondary_run (SegSecondary *s, GstElement *element, GstVideoFrame *frame,
    guint *n_regions, GError **error)
{
  guint width = (guint) s->info.width, height = (guint) s->info.height;
  guint8 *upload;
  warn_once (
      s, element, seg_roi_list_take (&s->list, frame->buffer, &s->filter, width, height));
  *n_regions = s->list.rois->len;
  if (*n_regions == 0)
    return TRUE;
  const SegFrame *to = seg_regions_input (s->regions, &upload);
  seg_video_load (to, upload, frame);
  if (!seg_regions_run (s->regions, (const SegRoi *) (gpointer) s->list.rois->data,
          *n_regions, &s->limits, error))
    return FALSE;
  if (seg_roi_list_attach (&s->list, frame->buffer, s->net->info, s->regions,
          s->limits.mask_threshold, width, height))
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "the buffer takes no metas");
  return FALSE;
}
