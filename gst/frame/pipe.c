/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
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
  SegDesc picture = decoder->take != NULL ? seg_image_batch (&input->desc) : input->desc;
  return seg_image_axes (&picture, &axis, error)
         && (decoder->take != NULL || check_sizes (graph, info, error))
         && (decoder->check == NULL || decoder->check (graph, info, error));
}

/* How the frame lies over the network's input. */
static gboolean
place (SegPlacement *placement, SegGeometry *g, const SegGraph *graph,
    const SegModelInfo *info, const SegPipeConfig *c, GError **error)
{
  SegFit fit = c->tile ? SEG_FIT_NATIVE : c->override_fit ? c->fit : info->fit;
  if (seg_pipe_decoder (info)->entry == NULL) { /* no map */
    seg_geometry_init (g, fit, c->width, c->height, info->width, info->height);
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
  else if (c->output == SEG_OUTPUT_META && c->result_on_device)
    wrong = "results as metas are for the host";
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
  seg_info ("%s %ux%u through %s: %s, %u slots, %.1f MiB; shaders look at frames where "
            "%s, the result is %s",
      seg_format_info (pipe->config.format)->name, pipe->config.width,
      pipe->config.height, seg_decoder_name (info->decoder),
      pipe->tiles.active ? "in tiles" : "the whole frame at once", pipe->n_slots,
      (double) seg_buffer_bytes (pipe->work) / 1048576.0,
      pipe->staged ? "the device has copied them" : "the host writes them",
      pipe->config.result_on_device ? "left on the device"
      : pipe->direct                ? "drawn where the host reads it"
                                    : "copied to the host");
  return TRUE;
}

/* A network that cannot is no reason not to run it. */
static gboolean
join (SegPipe *pipe, GError **error)
{
  const SegTeamOptions options = { pipe->config.batch, pipe->config.batch_name,
    pipe->info->outputs, pipe->info->n_outputs };
  if (pipe->config.batch < 2)
    return TRUE;
  if (pipe->tiles.active || pipe->decoder->take != NULL)
    g_set_error (&pipe->batch_error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        pipe->tiles.active ? "the tiles of a frame are a batch already"
                           : "its results are looked at on the host");
  else
    pipe->member = seg_team_join (pipe->session, &options, &pipe->batch_error);
  if (pipe->member != NULL
      || !g_error_matches (pipe->batch_error, SEG_ERROR, SEG_ERROR_DEVICE))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&pipe->batch_error));
  return FALSE;
}

static void
free_cmd (gpointer cmd)
{
  seg_cmd_free ((SegCmd **) &cmd);
}

SegPipe *
seg_pipe_new (SegVk *vk, SegSession *session, const SegModelInfo *info,
    const SegPipeConfig *config, GError **error)
{
  SegPipe *pipe = g_new0 (SegPipe, 1);
  SegDeviceType type = seg_vk_info (vk)->type;
  for (guint i = 0; i < SEG_N_STAGES; i++)
    pipe->stage_ms[i] = -1.0;
  pipe->epoch = 1;
  pipe->vk = vk;
  pipe->session = session;
  pipe->info = info;
  pipe->config = *config;
  pipe->n_slots = CLAMP (config->n_slots, 1, SEG_PIPE_MAX_SLOTS);
  pipe->n_parts = 1;
  pipe->net = g_ptr_array_new_with_free_func (free_cmd);
  pipe->unified = !config->separate_memory
                  && (type == SEG_DEVICE_CPU || type == SEG_DEVICE_INTEGRATED);
  pipe->staged = !pipe->unified || config->input_on_device;
  pipe->in_place = config->in_place && config->output == SEG_OUTPUT_OVERLAY
                   && type == SEG_DEVICE_CPU && !pipe->staged
                   && !config->result_on_device;
  if (!build (pipe, error) || !join (pipe, error))
    seg_pipe_free (&pipe);
  return pipe;
}

gboolean
seg_pipe_set_backdrop (
    SegPipe *pipe, const guint8 *const *planes, const gint *strides, GError **error)
{
  return seg_backdrop_set_picture (
      &pipe->backdrop, pipe->vk, &pipe->frame, planes, strides, error);
}

static void
clear_slot (SegPipeSlot *slot)
{
  seg_cmd_free (&slot->bring);
  seg_cmd_free (&slot->look);
  seg_cmd_free (&slot->show);
  seg_buffer_free (&slot->upload);
  seg_buffer_free (&slot->readback);
}

void
seg_pipe_free (SegPipe **ppipe)
{
  SegPipe *pipe = *ppipe;
  *ppipe = NULL;
  if (pipe == NULL)
    return;
  for (guint i = 0; i < pipe->n_slots; i++) /* what is in flight comes to its end */
    seg_batch_free (&pipe->slots[i].batch);
  for (guint i = 0; i < G_N_ELEMENTS (pipe->turns); i++)
    seg_batch_free (&pipe->turns[i]);
  seg_member_leave (&pipe->member);
  g_clear_error (&pipe->batch_error);
  for (guint i = 0; i < pipe->n_slots; i++)
    clear_slot (&pipe->slots[i]);
  seg_cmd_free (&pipe->begin);
  seg_cmd_free (&pipe->forget);
  seg_cmd_free (&pipe->decode);
  seg_cmd_free (&pipe->finish);
  g_ptr_array_unref (pipe->net);
  seg_host_net_free (&pipe->host_net);
  if (pipe->decoder != NULL)
    pipe->decoder->clear (pipe);
  seg_params_clear (&pipe->params);
  seg_backdrop_clear (&pipe->backdrop);
  seg_buffer_free (&pipe->tiles.table);
  seg_buffer_free (&pipe->work);
  g_free (pipe);
}

void
seg_pipe_select (SegPipe *pipe, guint slot)
{
  pipe->selected = slot;
}

static const SegPipeSlot *
selected (const SegPipe *pipe)
{
  return &pipe->slots[pipe->selected];
}

const SegFrame *
seg_pipe_slot_input (const SegPipe *pipe, guint slot, guint8 **data)
{
  const SegBuffer *upload = pipe->slots[slot].upload;
  *data = upload != NULL ? seg_buffer_map (upload) : NULL;
  return &pipe->frame;
}

SegPiece
seg_pipe_slot_frame (const SegPipe *pipe, guint slot)
{
  const SegPipeSlot *s = &pipe->slots[slot];
  if (s->upload != NULL)
    return (SegPiece){ s->upload, 0, pipe->frame.n_bytes };
  return (SegPiece){ pipe->work, s->frame_offset, pipe->frame.n_bytes };
}

SegPiece
seg_pipe_slot_seen (const SegPipe *pipe, guint slot)
{
  const SegPipeSlot *s = &pipe->slots[slot];
  return (SegPiece){ pipe->staged ? pipe->work : s->upload, s->frame_offset,
    pipe->frame.n_bytes };
}

void
seg_pipe_slot_is_there (SegPipe *pipe, guint slot, gboolean there)
{
  pipe->slots[slot].there = there;
}

SegPiece
seg_pipe_slot_kept (const SegPipe *pipe, guint slot)
{
  return pipe->slots[slot].kept;
}

const SegFrame *
seg_pipe_input (const SegPipe *pipe, guint8 **data)
{
  return seg_pipe_slot_input (pipe, pipe->selected, data);
}

const SegFrame *
seg_pipe_result (const SegPipe *pipe, const guint8 **data)
{
  const SegPipeSlot *slot = selected (pipe);
  *data = pipe->config.result_on_device
              ? NULL
              : seg_buffer_map (pipe->in_place ? slot->upload : slot->readback);
  return &pipe->result;
}

gconstpointer
seg_pipe_download (const SegPipe *pipe, guint i)
{
  return (const guint8 *) seg_buffer_map (selected (pipe)->readback)
         + pipe->download_offsets[i];
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
  return selected (pipe)->last_ms;
}

double
seg_pipe_slot_ms (const SegPipe *pipe, guint slot)
{
  return pipe->slots[slot].last_ms;
}

gint64
seg_pipe_slot_waited_us (const SegPipe *pipe, guint slot)
{
  return pipe->slots[slot].waited_us;
}

const double *
seg_pipe_stages (const SegPipe *pipe)
{
  return pipe->stage_ms;
}

void
seg_pipe_forget (SegPipe *pipe)
{
  g_atomic_int_inc (&pipe->epoch);
}

gboolean
seg_pipe_is_hosted (const SegPipe *pipe)
{
  return pipe->host_net != NULL;
}

guint
seg_pipe_n_tiles (const SegPipe *pipe)
{
  return pipe->tiles.active ? pipe->tiles.tiling.n : 1;
}

gboolean
seg_pipe_batching (const SegPipe *pipe, SegTeamInfo *info, const char **why)
{
  *why = pipe->batch_error != NULL ? pipe->batch_error->message : "nobody asks for it";
  if (pipe->member != NULL)
    seg_member_info (pipe->member, info);
  return pipe->member != NULL;
}

void
seg_pipe_set_batch_timeout (SegPipe *pipe, guint ms)
{
  g_atomic_int_set (&pipe->batch_timeout_ms, (gint) ms);
}

void
seg_pipe_hurry (SegPipe *pipe, gboolean hurry)
{
  if (pipe->member != NULL)
    seg_member_hurry (pipe->member, hurry);
}

guint
seg_pipe_n_batched (const SegPipe *pipe)
{
  return (guint) g_atomic_int_get (&pipe->n_batched);
}

static gboolean
append_times (SegCmd *cmd, guint64 *ns, guint *n, GError **error)
{
  guint n_cmd = cmd == NULL ? 0 : seg_cmd_n_dispatches (cmd), at = *n;
  *n += n_cmd;
  return n_cmd == 0 || ns == NULL || seg_cmd_times (cmd, ns + at, n_cmd, error);
}

/* Those of the recordings in their order; of rounds of tiles, of the last. ns NULL: just how many. */
static gboolean
take_times (const SegPipe *pipe, guint64 *ns, guint *n, GError **error)
{
  const SegPipeSlot *slot = selected (pipe);
  *n = 0;
  if (!append_times (slot->bring, ns, n, error)
      || !append_times (pipe->begin, ns, n, error)
      || !append_times (slot->look, ns, n, error))
    return FALSE;
  for (guint i = 0; i < pipe->net->len; i++)
    if (!append_times (pipe->net->pdata[i], ns, n, error))
      return FALSE;
  return append_times (pipe->decode, ns, n, error)
         && append_times (pipe->finish, ns, n, error)
         && append_times (slot->show, ns, n, error);
}

guint64 *
seg_pipe_times (SegPipe *pipe, guint *n, GError **error)
{
  take_times (pipe, NULL, n, NULL);
  g_autofree guint64 *ns = g_new0 (guint64, *n + 1);
  if (pipe->host_net != NULL || !take_times (pipe, ns, n, error))
    return NULL;
  return g_steal_pointer (&ns);
}
