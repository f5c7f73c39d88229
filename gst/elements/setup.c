/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/setup.h"

#include "elements/behind.h"
#include "elements/livequeue.h"
#include "elements/videoframe.h"
#include "frame/regions.h"

gboolean
seg_setup_check (const SegNet *net, const SegSettings *settings, GError **error)
{
  SegStyle style;
  gboolean by_regions = settings->inference_region == SEG_INFERENCE_ROI_LIST;
  if (by_regions && settings->mode != SEG_MODE_SYNC) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "inference-region=roi-list looks at a frame's own regions: set mode to sync");
    return FALSE;
  }
  return (by_regions ? seg_regions_check (net->session, net->info, error)
                     : seg_pipe_check (seg_net_graph (net), net->info, error))
         && seg_settings_style (settings, net->info, &style, error);
}

gboolean
seg_setup_has_own_size (const SegSettings *s)
{
  return s->upsample == SEG_UPSAMPLE_NONE
         && (s->output == SEG_OUTPUT_LABELS || s->output == SEG_OUTPUT_MATTE);
}

/* Of the pipe. */
static guint
count_slots (const SegSettings *s)
{
  return s->mode == SEG_MODE_SYNC   ? 1
         : s->mode == SEG_MODE_DROP ? SEG_LIVE_SLOTS (0)
                                    : SEG_LIVE_SLOTS (s->frames_in_flight);
}

gboolean
seg_setup_fit (SegNet *net, const SegSettings *settings, guint width, guint height,
    SegPipeConfig *config, GError **error)
{
  SegNetFrame frame;
  seg_settings_frame (settings, width, height, &frame);
  if (!seg_net_fit (net, &frame, error))
    return FALSE;
  *config = (SegPipeConfig){
    .output = settings->output,
    .width = width,
    .height = height,
    .in_place = TRUE,
    .nearest = settings->upsample == SEG_UPSAMPLE_NEAREST,
    .guided = settings->upsample == SEG_UPSAMPLE_GUIDED,
    .own_pixels = settings->upsample == SEG_UPSAMPLE_NONE,
    .masks = settings->output == SEG_OUTPUT_META,
    .staged = settings->stage_times,
    .override_fit = TRUE,
    .fit = net->fit,
    .tile = net->tile,
    .tile_overlap = settings->tile_overlap,
    .n_slots = count_slots (settings),
    .batch = settings->batch_size,
    .batch_name = settings->model_instance_id,
    .blur_sigma = seg_settings_blur_sigma (settings, height),
    .smoothing = settings->smoothing,
  };
  return TRUE;
}

static gboolean
run_once (SegPipe *pipe, SegPipeWork work, GError **error)
{
  return seg_pipe_submit (pipe, work, error) && seg_pipe_wait (pipe, error);
}

/* A frame takes as long as the others that go with it. */
static double
more_in_batch (const SegPipe *pipe)
{
  SegTeamInfo info;
  const char *why;
  if (!seg_pipe_batching (pipe, &info, &why) || info.least > info.batch)
    return 0.0;
  return MAX (info.batch_ms - info.alone_ms, 0.0);
}

/* The second run tells what a frame takes. */
static gboolean
warm_up (SegPipe *pipe, SegMode mode, SegSetup *setup, GError **error)
{
  if (!run_once (pipe, SEG_PIPE_WARM_UP, error)
      || !run_once (pipe, SEG_PIPE_WARM_UP, error))
    return FALSE;
  setup->frame_ms = seg_pipe_last_ms (pipe) + more_in_batch (pipe);
  if (mode != SEG_MODE_SYNC && !run_once (pipe, SEG_PIPE_SHOW, error))
    return FALSE;
  setup->shown_ms = mode != SEG_MODE_SYNC ? seg_pipe_last_ms (pipe) : setup->frame_ms;
  return TRUE;
}

static gboolean
check_size (const SegPipe *pipe, const GstVideoInfo *out, GError **error)
{
  const guint8 *data;
  const SegFrame *result = seg_pipe_result (pipe, &data);
  guint width = (guint) GST_VIDEO_INFO_WIDTH (out),
        height = (guint) GST_VIDEO_INFO_HEIGHT (out);
  if (result->width == width && result->height == height)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
      "upsample=none gives %ux%u pixels, which downstream does not take: it wants %ux%u",
      result->width, result->height, width, height);
  return FALSE;
}

/* What is on the device. */
static void
place_frames (const SegSetupFrames *frames, SegPipeConfig *config)
{
  config->input_on_device = frames->in_images;
  config->result_on_device = frames->out_images && config->output != SEG_OUTPUT_META;
  if (config->result_on_device)
    config->n_slots = MAX (config->n_slots, SEG_FLIGHTS);
}

SegPipe *
seg_setup_pipe (SegNet *net, const SegSettings *settings, const SegSetupFrames *frames,
    SegSetup *setup, GError **error)
{
  SegStyle style;
  SegPipeConfig *config = &setup->config;
  const GstVideoInfo *in = &frames->in, *out = &frames->out;
  if (!seg_settings_style (settings, net->info, &style, error)
      || !seg_setup_fit (net, settings, (guint) GST_VIDEO_INFO_WIDTH (in),
          (guint) GST_VIDEO_INFO_HEIGHT (in), config, error))
    return NULL;
  seg_video_format (GST_VIDEO_INFO_FORMAT (in), &config->format);
  seg_video_format (GST_VIDEO_INFO_FORMAT (out), &config->result_format);
  seg_video_color (in, &config->color);
  place_frames (frames, config);
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, config, error);
  if (pipe == NULL)
    return NULL;
  seg_pipe_set_style (pipe, &style);
  if (!check_size (pipe, out, error) || !seg_behind_set (pipe, settings, in, error)
      || !warm_up (pipe, settings->mode, setup, error))
    seg_pipe_free (&pipe);
  return pipe;
}

/* --- in a thread of its own ------------------------------------------------------------------------ */

static gboolean
goes_on (SegLoader *l)
{
  return g_atomic_int_get (&l->cancelled) == 0;
}

static gboolean
load (SegLoader *l)
{
  SegPipeConfig config;
  l->net = seg_settings_open (&l->settings, l->vk, &l->error);
  if (l->net == NULL || !seg_setup_check (l->net, &l->settings, &l->error))
    return FALSE;
  if (!goes_on (l) || l->settings.inference_region == SEG_INFERENCE_ROI_LIST)
    return TRUE;
  if (seg_setup_has_own_size (&l->settings))
    return seg_setup_fit (l->net, &l->settings,
        (guint) GST_VIDEO_INFO_WIDTH (&l->frames.in),
        (guint) GST_VIDEO_INFO_HEIGHT (&l->frames.in), &config, &l->error);
  l->pipe = seg_setup_pipe (l->net, &l->settings, &l->frames, &l->setup, &l->error);
  return l->pipe != NULL;
}

static gpointer
load_in_thread (gpointer data)
{
  SegLoader *l = data;
  if (!load (l))
    seg_net_free (&l->net);
  g_atomic_int_set (&l->done, 1);
  return NULL;
}

SegLoader *
seg_loader_start (const SegSettings *settings, const SegSetupFrames *frames, SegVk *vk)
{
  SegLoader *l = g_new0 (SegLoader, 1);
  seg_settings_copy (&l->settings, settings);
  l->frames = *frames;
  l->vk = vk != NULL ? seg_vk_ref (vk) : NULL;
  l->thread = g_thread_new ("vksegment-load", load_in_thread, l);
  return l;
}

gboolean
seg_loader_is_done (SegLoader *l)
{
  return g_atomic_int_get (&l->done) != 0;
}

void
seg_loader_free (SegLoader **pl)
{
  SegLoader *l = *pl;
  *pl = NULL;
  if (l == NULL)
    return;
  g_atomic_int_set (&l->cancelled, 1);
  g_thread_join (l->thread);
  seg_pipe_free (&l->pipe);
  seg_net_free (&l->net);
  seg_vk_unref (l->vk);
  g_clear_error (&l->error);
  seg_settings_clear (&l->settings);
  g_free (l);
}
