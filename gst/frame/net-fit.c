/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/net.h"

#include "frame/tiling.h"

/* Of networks that take any size: enough context, little memory. */
#define TILE_SIDE 512
/* Pictures of a batch on GPUs: as many as keep them busy. */
#define BATCH_PIXELS (1 << 20)
#define MAX_BATCH    8

typedef struct {
  SegNet *net;
  const SegNetFrame *frame;
  SegPlacement placement;
  gboolean any_size; /* the network's input may be as large as the frame */
} Fitting;

/* Tiles of the network's input cover the frame, overlapping as they should. */
static gboolean
can_tile (const Fitting *f)
{
  SegTiling tiling;
  return seg_tiling_plan (&tiling, &f->placement, f->frame->frame_width,
      f->frame->frame_height, f->frame->tile_overlap, FALSE, 1, 1, NULL);
}

static gboolean
wants_tiles (const Fitting *f, const char **why)
{
  const SegModelInfo *info = f->net->info;
  const SegNetFrame *frame = f->frame;
  const SegPlacement *p = &f->placement;
  *why = "as asked";
  if (frame->tiling != SEG_TILING_AUTO)
    return frame->tiling == SEG_TILING_OVERLAP;
  if (frame->override_fit || !seg_model_info_is_map (info))
    return FALSE;
  *why = "as the model information says";
  if (info->fit_said)
    return info->tile;
  *why = "the network takes any size";
  if (f->any_size)
    return FALSE;
  *why = "tiles of the network's input would not fit together";
  if (!can_tile (f))
    return FALSE;
  *why = "nothing is padded, and the frame is larger than the network's output";
  if (!p->padded
      && (frame->frame_width > p->x.grid * p->x.jump
          || frame->frame_height > p->y.grid * p->y.jump))
    return TRUE;
  *why = "the frame is four times the network's input";
  if (frame->frame_width >= 4 * p->x.net && frame->frame_height >= 4 * p->y.net)
    return TRUE;
  *why = "by default";
  return FALSE;
}

static gboolean
choose_batch (const Fitting *f, guint width, guint height, guint *batch, GError **error)
{
  guint fixed = f->net->info->batch, asked = f->frame->tile_batch;
  SegTiling tiling;
  *batch = MAX (fixed, 1);
  if (fixed > 0 || asked > 0) {
    if (fixed > 0 && asked > 0 && asked != fixed) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "tile-batch=%u: the network's batch is fixed at %u", asked, fixed);
      return FALSE;
    }
    *batch = MAX (fixed, asked);
    return TRUE;
  }
  if (seg_vk_info (f->net->vk)->type == SEG_DEVICE_CPU)
    return TRUE;
  if (!seg_tiling_plan (&tiling, &f->placement, f->frame->frame_width,
          f->frame->frame_height, f->frame->tile_overlap, FALSE, 1, 1, error))
    return FALSE;
  guint most = MIN (MAX_BATCH, tiling.n);
  *batch = CLAMP (BATCH_PIXELS / (width * height), 1, most);
  return TRUE;
}

static gboolean
fit_tiles (Fitting *f, GError **error)
{
  SegNet *net = f->net;
  const SegPlacement *p = &f->placement;
  guint width = p->x.net, height = p->y.net, batch;
  if (!seg_model_info_is_map (net->info)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "tiles are for networks that give a map: instances that tiles cut apart are not "
        "put together; set tiling=none");
    return FALSE;
  }
  if (f->any_size) {
    width = seg_placement_fitting (&p->x, p->period_x, p->padded, TILE_SIDE);
    height = seg_placement_fitting (&p->y, p->period_y, p->padded, TILE_SIDE);
  }
  if (!choose_batch (f, width, height, &batch, error))
    return FALSE;
  net->tile = TRUE;
  net->global = p->global;
  net->fit = SEG_FIT_NATIVE;
  /* Whoever asks for fp32 gets what one run over the whole picture would give. */
  gboolean steady = net->precision == SEG_PRECISION_FP32 && !p->padded;
  return seg_net_bind (net, width, height, batch, steady, error);
}

/* Some activation is more than a shader can see at once. */
static gboolean
is_too_large (const SegSession *session, const SegDeviceInfo *device)
{
  const SegGraph *graph = seg_session_graph (session);
  guint64 bytes = seg_session_precision (session) == SEG_STORAGE_F16 ? 2 : 4;
  guint64 most = MIN (device->max_storage_bytes / bytes, device->max_texels * 4);
  for (guint i = 0; i < graph->values->len; i++) {
    const SegValue *v = graph->values->pdata[i];
    if (v->producer != NULL && v->n_uses > 0
        && (guint64) MAX (seg_desc_n_elems (&v->desc), 0) > most)
      return TRUE;
  }
  return FALSE;
}

static gboolean
fit_own_size (Fitting *f, GError **error)
{
  SegNet *net = f->net;
  const SegPlacement *p = &f->placement;
  g_autoptr (GError) refused = NULL;
  guint width =
      seg_placement_fitting (&p->x, p->period_x, p->padded, f->frame->frame_width);
  guint height =
      seg_placement_fitting (&p->y, p->period_y, p->padded, f->frame->frame_height);
  net->fit = SEG_FIT_NATIVE;
  gboolean ok =
      seg_net_bind (net, width, height, MAX (net->info->batch, 1), FALSE, &refused);
  if (ok && is_too_large (net->session, seg_vk_info (net->vk))) {
    g_set_error (&refused, SEG_ERROR, SEG_ERROR_MEMORY,
        "with an input of %ux%u a feature map is larger than %s can address: set "
        "input-width and input-height, or tiling=overlap",
        width, height, seg_vk_info (net->vk)->name);
    ok = FALSE;
  }
  if (ok)
    return TRUE;
  if (f->frame->tiling == SEG_TILING_AUTO
      && g_error_matches (refused, SEG_ERROR, SEG_ERROR_MEMORY)) {
    net->why = "the frame is too large for the device at its own size";
    return fit_tiles (f, error);
  }
  g_propagate_error (error, g_steal_pointer (&refused));
  return FALSE;
}

gboolean
seg_net_fit (SegNet *net, const SegNetFrame *frame, GError **error)
{
  SegModelInfo *info = net->info;
  Fitting f = { net, frame };
  gboolean map = seg_model_info_is_map (info);
  f.any_size = map && info->free_width && info->free_height && !info->size_said;
  /* What has been probed tells how any size is divided. */
  const SegGraph *graph = net->probe != NULL && map ? net->probe : seg_net_graph (net);
  if (map && !seg_placement_find (&f.placement, graph, info, error))
    return FALSE;
  net->tile = net->global = FALSE;
  net->fit = frame->override_fit ? frame->fit : info->fit;
  if (wants_tiles (&f, &net->why))
    return fit_tiles (&f, error);
  if (f.any_size)
    return fit_own_size (&f, error);
  return seg_net_bind (
      net, info->width, info->height, MAX (info->batch, 1), FALSE, error);
}
