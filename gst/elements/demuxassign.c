/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/demuxassign.h"

static void
find_bound (SegDemuxPad *pad, const GstVkSegMeta *meta, guint hold)
{
  pad->instance = NULL;
  if (pad->track_id == GST_VK_SEG_NO_TRACK)
    return;
  if (meta != NULL)
    pad->instance = gst_vk_seg_meta_find_track (meta, pad->track_id);
  pad->n_absent = pad->instance != NULL ? 0 : pad->n_absent + 1;
  if (pad->n_absent > hold)
    seg_demux_pad_bind (pad, GST_VK_SEG_NO_TRACK);
}

static gboolean
is_given (GPtrArray *pads, const GstVkSegInstance *instance)
{
  for (guint i = 0; i < pads->len; i++)
    if (((SegDemuxPad *) pads->pdata[i])->instance == instance)
      return TRUE;
  return FALSE;
}

static SegDemuxPad *
next_free (GPtrArray *pads, guint *at)
{
  for (; *at < pads->len; (*at)++) {
    SegDemuxPad *pad = pads->pdata[*at];
    if (pad->kind == SEG_STREAM_INSTANCE && pad->instance == NULL
        && pad->track_id == GST_VK_SEG_NO_TRACK)
      return pads->pdata[(*at)++];
  }
  return NULL;
}

void
seg_demux_assign (GPtrArray *pads, const GstVkSegMeta *meta, guint hold)
{
  guint state = 0, at = 0;
  GstVkSegInstance *instance;
  SegDemuxPad *pad;
  for (guint i = 0; i < pads->len; i++)
    find_bound (pads->pdata[i], meta, hold);
  if (meta == NULL)
    return;
  while ((pad = next_free (pads, &at)) != NULL) {
    while ((instance = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL
           && is_given (pads, instance))
      ;
    if (instance == NULL)
      return;
    pad->instance = instance;
    pad->n_absent = 0;
    seg_demux_pad_bind (pad, instance->track_id);
  }
}
