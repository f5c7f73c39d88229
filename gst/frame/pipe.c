/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

const SegPipeDecoder *
seg_pipe_decoder (const SegModelInfo *info)
{
  switch (info->decoder) {
  case SEG_DECODER_YOLO:
  case SEG_DECODER_YOLO_SEG: return &seg_pipe_yolo;
  case SEG_DECODER_RCNN: return &seg_pipe_rcnn;
  case SEG_DECODER_FAST_RCNN:
  case SEG_DECODER_CLASSIFY:
  case SEG_DECODER_NONE: return NULL;
  default: return &seg_pipe_map;
  }
}

static gboolean
check_sizes (const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  for (guint i = 0; i < info->n_outputs; i++) {
    const SegValue *v = graph->outputs->pdata[info->outputs[i]];
    if (v->size == SEG_SIZE_FIXED)
      continue;
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the data decides what size output '%s' has: decoder rcnn takes such, decoder %s "
        "does not",
        v->name, seg_decoder_name (info->decoder));
    return FALSE;
  }
  return TRUE;
}

gboolean
seg_pipe_check (const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  guint axis;
  if (graph->inputs->len != 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        info->regions_input >= 0
            ? "the network has %u inputs, one of them for regions: set inference-region "
              "to roi-list"
            : "the network has %u inputs: one picture is supported",
        graph->inputs->len);
    return FALSE;
  }
  if (info->decoder == SEG_DECODER_CLASSIFY) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network classifies whole pictures: set inference-region to roi-list, which "
        "gives it the regions of a frame");
    return FALSE;
  }
  if (seg_pipe_decoder (info) == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder %s is not supported here: argmax, index, softmax, sigmoid, matte, yolo, "
        "yolo-seg and rcnn are",
        seg_decoder_name (info->decoder));
    return FALSE;
  }
  const SegValue *input = graph->inputs->pdata[info->input];
  const SegPipeDecoder *decoder = seg_pipe_decoder (info);
  return seg_image_axes (&input->desc, &axis, error)
         && (decoder->take != NULL || check_sizes (graph, info, error))
         && (decoder->check == NULL || decoder->check (graph, info, error));
}

/* How the frame lies over the network's input. */
static gboolean
place (SegPlacement *placement, SegGeometry *g, const SegGraph *graph,
    const SegModelInfo *info, const SegPipeConfig *c, GError **error)
{
  const SegValue *input = graph->inputs->pdata[info->input];
  guint y_axis = info->channel_axis == 1 ? 2 : 1;
  SegFit fit = c->tile ? SEG_FIT_NATIVE : c->override_fit ? c->fit : info->fit;
  if (seg_pipe_decoder (info)->entry == NULL) { /* no map */
    seg_geometry_init (g, fit, c->width, c->height, (guint) input->desc.dims[y_axis + 1],
        (guint) input->desc.dims[y_axis]);
    return TRUE;
  }
  if (!seg_placement_find (placement, graph, info, error))
    return FALSE;
  seg_geometry_init_cover (g, fit, c->width, c->height, &placement->x, &placement->y);
  return TRUE;
}

static gboolean
check_config (const SegPipeConfig *c, const SegPipeDecoder *decoder, GError **error)
{
  const char *wrong = NULL;
  if (c->width == 0 || c->height == 0)
    wrong = "a frame without pixels";
  else if (c->tile && decoder->entry == NULL)
    wrong =
        "tiles are for networks that give a map: instances that tiles cut apart are not "
        "put together; set tiling=none";
  else if (c->own_pixels
           && (decoder->entry == NULL
               || (c->output != SEG_OUTPUT_LABELS && c->output != SEG_OUTPUT_MATTE)))
    wrong = "upsample=none is for labels and mattes of networks that give a map: what is "
            "drawn over a frame needs the frame's size";
  if (wrong != NULL)
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s", wrong);
  return wrong == NULL;
}

gboolean
seg_pipe_result_size (const SegGraph *graph, const SegModelInfo *info,
    const SegPipeConfig *config, guint *width, guint *height, GError **error)
{
  SegPlacement placement;
  SegGeometry geometry;
  *width = config->width;
  *height = config->height;
  if (!seg_pipe_check (graph, info, error)
      || !check_config (config, seg_pipe_decoder (info), error)
      || !place (&placement, &geometry, graph, info, config, error))
    return FALSE;
  if (config->own_pixels)
    seg_placement_map_size (&geometry, width, height);
  return TRUE;
}

static gboolean
build (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  const SegGraph *graph = seg_session_graph (pipe->session);
  if (!seg_pipe_check (graph, info, error))
    return FALSE;
  pipe->decoder = seg_pipe_decoder (info);
  if (!check_config (&pipe->config, pipe->decoder, error)
      || !place (&pipe->placement, &pipe->geometry, graph, info, &pipe->config, error)
      || !seg_params_init (&pipe->params, pipe->vk, error)
      || !seg_pipe_allocate (pipe, error) || !seg_pipe_prepare (pipe, error))
    return FALSE;
  pipe->params_mark = pipe->params.used_bytes;
  return TRUE;
}

SegPipe *
seg_pipe_new (SegVk *vk, SegSession *session, const SegModelInfo *info,
    const SegPipeConfig *config, GError **error)
{
  SegPipe *pipe = g_new0 (SegPipe, 1);
  SegDeviceType type = seg_vk_info (vk)->type;
  pipe->vk = vk;
  pipe->session = session;
  pipe->info = info;
  pipe->config = *config;
  pipe->unified = !config->separate_memory
                  && (type == SEG_DEVICE_CPU || type == SEG_DEVICE_INTEGRATED);
  if (!build (pipe, error))
    seg_pipe_free (&pipe);
  return pipe;
}

void
seg_pipe_free (SegPipe **ppipe)
{
  SegPipe *pipe = *ppipe;
  *ppipe = NULL;
  if (pipe == NULL)
    return;
  seg_cmd_free (&pipe->cmd);
  seg_cmd_free (&pipe->cmd_first);
  seg_cmd_free (&pipe->cmd_after);
  seg_cmd_free (&pipe->cmd_last);
  seg_cmd_free (&pipe->cmd_redraw);
  seg_host_net_free (&pipe->host_net);
  if (pipe->decoder != NULL)
    pipe->decoder->clear (pipe);
  seg_params_clear (&pipe->params);
  seg_buffer_free (&pipe->tiles.table);
  seg_buffer_free (&pipe->upload);
  seg_buffer_free (&pipe->work);
  seg_buffer_free (&pipe->readback);
  g_free (pipe);
}

const SegFrame *
seg_pipe_input (const SegPipe *pipe, guint8 **data)
{
  *data = seg_buffer_map (pipe->upload);
  return &pipe->frame;
}

const SegFrame *
seg_pipe_result (const SegPipe *pipe, const guint8 **data)
{
  *data = seg_buffer_map (pipe->readback);
  return &pipe->result;
}

/* Rounds of tiles that compile what there is to compile and tell how long one takes. */
#define WARM_UP_ROUNDS 2

static gboolean
submit_frame (SegPipe *pipe, GError **error)
{
  if (!pipe->tiles.active)
    return seg_cmd_submit (pipe->cmd, error);
  if (!seg_cmd_submit (pipe->cmd_first, error))
    return FALSE;
  if (pipe->host_net != NULL)
    return TRUE;
  return seg_cmd_submit_times (pipe->cmd, pipe->rounds, error)
         && seg_cmd_submit (pipe->cmd_last, error);
}

gboolean
seg_pipe_submit (SegPipe *pipe, SegPipeWork work, GError **error)
{
  pipe->submitted_us = g_get_monotonic_time ();
  pipe->doing = work == SEG_PIPE_REDRAW && !pipe->has_classes ? SEG_PIPE_INFER : work;
  pipe->rounds = pipe->tiles.tiling.rounds;
  if (work == SEG_PIPE_WARM_UP)
    pipe->rounds = MIN (pipe->rounds, WARM_UP_ROUNDS);
  return seg_pipe_record (pipe, error)
         && (pipe->doing == SEG_PIPE_REDRAW ? seg_cmd_submit (pipe->cmd_redraw, error)
                                            : submit_frame (pipe, error));
}

/* The host's part of a network, between the first half of a round, which is submitted, and the
 * second. */
static gboolean
wait_halves (SegPipe *pipe, GError **error)
{
  return seg_cmd_wait (pipe->cmd, error) && seg_host_net_run (pipe->host_net, error)
         && (pipe->decoder->take == NULL
             || pipe->decoder->take (pipe, seg_host_net_tensors (pipe->host_net), error))
         && seg_cmd_submit (pipe->cmd_after, error)
         && seg_cmd_wait (pipe->cmd_after, error);
}

static gboolean
wait_tiles (SegPipe *pipe, GError **error)
{
  if (!seg_cmd_wait (pipe->cmd_first, error))
    return FALSE;
  if (pipe->host_net == NULL)
    return seg_cmd_wait (pipe->cmd, error) && seg_cmd_wait (pipe->cmd_last, error);
  for (guint i = 0; i < pipe->rounds; i++)
    if (!seg_cmd_submit (pipe->cmd, error) || !wait_halves (pipe, error))
      return FALSE;
  return seg_cmd_submit (pipe->cmd_last, error) && seg_cmd_wait (pipe->cmd_last, error);
}

static gboolean
wait_frame (SegPipe *pipe, GError **error)
{
  if (pipe->doing == SEG_PIPE_REDRAW)
    return seg_cmd_wait (pipe->cmd_redraw, error);
  if (pipe->tiles.active)
    return wait_tiles (pipe, error);
  return pipe->host_net != NULL ? wait_halves (pipe, error)
                                : seg_cmd_wait (pipe->cmd, error);
}

gboolean
seg_pipe_wait (SegPipe *pipe, GError **error)
{
  if (!wait_frame (pipe, error))
    return FALSE;
  pipe->has_classes = pipe->doing != SEG_PIPE_WARM_UP;
  pipe->last_ms = (double) (g_get_monotonic_time () - pipe->submitted_us) / 1e3;
  if (pipe->rounds > 0)
    pipe->last_ms *= (double) pipe->tiles.tiling.rounds / pipe->rounds;
  return TRUE;
}

gconstpointer
seg_pipe_download (const SegPipe *pipe, guint i)
{
  return (const guint8 *) seg_buffer_map (pipe->readback) + pipe->download_offsets[i];
}

void
seg_pipe_set_style (SegPipe *pipe, const SegStyle *style)
{
  pipe->decoder->set_style (pipe, style);
}

const guint32 *
seg_pipe_areas (const SegPipe *pipe)
{
  return pipe->decoder->areas (pipe);
}

int
seg_pipe_class_of_value (const SegPipe *pipe, guint v)
{
  return pipe->decoder->class_of_value (pipe, v);
}

const SegInstances *
seg_pipe_instances (SegPipe *pipe)
{
  return pipe->decoder->instances != NULL ? pipe->decoder->instances (pipe) : NULL;
}

gboolean
seg_pipe_gives_matte (const SegPipe *pipe)
{
  return pipe->decoder == &seg_pipe_map && pipe->map.plan.kind != SEG_DECODE_CLASSES;
}

const SegGeometry *
seg_pipe_geometry (const SegPipe *pipe)
{
  return &pipe->geometry;
}

double
seg_pipe_last_ms (const SegPipe *pipe)
{
  return pipe->last_ms;
}

guint
seg_pipe_n_tiles (const SegPipe *pipe)
{
  return pipe->tiles.active ? pipe->tiles.tiling.n : 1;
}

guint64 *
seg_pipe_times (SegPipe *pipe, guint *n, GError **error)
{
  *n = seg_cmd_n_dispatches (pipe->cmd);
  g_autofree guint64 *ns = g_new0 (guint64, *n);
  if (pipe->host_net != NULL || !seg_cmd_times (pipe->cmd, ns, *n, error))
    return NULL;
  return g_steal_pointer (&ns);
}
