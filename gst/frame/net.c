/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/net.h"

#include "frame/placement.h"
#include "frame/regions.h"
#include "ops/table.h"

#include <string.h>

/* input-width and input-height, as far as the network leaves them open. */
static gboolean
choose_side (
    guint wanted, gboolean is_free, guint *side, const char *name, GError **error)
{
  if (wanted == 0 || wanted == *side)
    return TRUE;
  if (!is_free) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "input-%s=%u: the network's input is fixed at %u pixels", name, wanted, *side);
    return FALSE;
  }
  *side = wanted;
  return TRUE;
}

static gboolean
load_model (SegNet *net, const SegNetOptions *o, GError **error)
{
  net->path = seg_model_find (o->model, error);
  if (net->path == NULL || (net->model = seg_model_get (net->path, error)) == NULL)
    return FALSE;
  net->info =
      seg_model_info_load (net->model, net->path, o->model_info, o->settings, error);
  SegModelInfo *info = net->info;
  if (info == NULL
      || !choose_side (o->input_width, info->free_width, &info->width, "width", error)
      || !choose_side (
          o->input_height, info->free_height, &info->height, "height", error))
    return FALSE;
  info->size_said = info->size_said || o->input_width > 0 || o->input_height > 0;
  return TRUE;
}

static gboolean
find_device (SegNet *net, const SegNetOptions *o, GError **error)
{
  SegVkOptions vk = { .device = o->device, .cache_dir = o->cache_dir };
  /* 16 bits do not tell the pixels of a large picture apart. */
  net->precision = net->info->regions_input >= 0 ? SEG_PRECISION_FP32 : o->precision;
  net->tune_ms = o->tune_ms;
  net->given_vk = o->vk != NULL;
  net->vk = net->given_vk ? seg_vk_ref (o->vk) : seg_vk_get (&vk, error);
  return net->vk != NULL;
}

/* The first graph of a network tells what its outputs are. */
static gboolean
resolve (SegNet *net, const SegGraph *graph, gboolean first, GError **error)
{
  return !first || seg_model_info_resolve (net->info, graph, error);
}

/* For an input of this size: how many shapes. */
static guint
shapes_for (const SegNet *net, SegInputShape shapes[2])
{
  seg_model_info_input_shape (net->info, net->model, &shapes[0]);
  if (net->info->regions_input < 0)
    return 1;
  seg_model_info_regions_shape (net->info, net->model, SEG_REGIONS_ROWS, &shapes[1]);
  return 2;
}

gboolean
seg_net_bind (
    SegNet *net, guint width, guint height, guint batch, gboolean steady, GError **error)
{
  gboolean first = net->session == NULL && net->probe == NULL;
  SegInputShape shapes[2];
  net->info->width = width;
  net->info->height = height;
  guint n_shapes = shapes_for (net, shapes);
  if (!net->info->unbatched)
    shapes[0].dims[0] = batch;
  if (net->session != NULL && net->steady == steady
      && memcmp (net->shape.dims, shapes[0].dims, sizeof shapes[0].dims) == 0)
    return TRUE;
  SegSessionOptions options = {
    .precision = net->precision,
    .shapes = shapes,
    .n_shapes = n_shapes,
    .steady = steady,
    .tune_ms = net->tune_ms,
    .shared = TRUE,
    .unpasted = TRUE,
  };
  seg_session_free (&net->session);
  net->session = seg_session_new (net->model, net->vk, &options, error);
  if (net->session == NULL) {
    if (net->info->free_width || net->info->free_height)
      g_prefix_error (error, "with an input of %ux%u: ", width, height);
    return FALSE;
  }
  net->shape = shapes[0];
  net->steady = steady;
  return resolve (net, seg_session_graph (net->session), first, error);
}

static gboolean
is_of_any_size (const SegModelInfo *info)
{
  return info->free_width && info->free_height && !info->size_said;
}

/* Networks that cut fixed borders off take only some sizes. */
#define MAX_PROBES 40

static SegGraph *
probe_size (SegNet *net, GError **error)
{
  g_autoptr (GError) last = NULL;
  SegModelInfo *info = net->info;
  for (guint i = 0; i < MAX_PROBES; i++) {
    SegInputShape shapes[2];
    guint n_shapes = shapes_for (net, shapes);
    g_clear_error (&last);
    SegGraph *graph = seg_graph_new (net->model, seg_op_lookup, shapes, n_shapes,
        SEG_GRAPH_OPTIMISE | SEG_GRAPH_UNPASTED, &last);
    if (graph != NULL)
      return graph;
    if (!g_error_matches (last, SEG_ERROR, SEG_ERROR_MODEL))
      break;
    info->width++;
    info->height++;
  }
  g_propagate_error (error, g_steal_pointer (&last));
  return NULL;
}

/* A size that the network divides without a remainder. */
static gboolean
probe (SegNet *net, GError **error)
{
  gboolean first = TRUE;
  for (guint i = 0; i < 8; i++, first = FALSE) {
    SegPlacement p;
    seg_graph_free (net->probe);
    net->probe = probe_size (net, error);
    if (net->probe == NULL || !resolve (net, net->probe, first, error))
      return FALSE;
    if (!seg_model_info_is_map (net->info))
      return TRUE;
    if (!seg_placement_find (&p, net->probe, net->info, error))
      return FALSE;
    if (p.missing_x == 0 && p.missing_y == 0)
      return TRUE;
    net->info->width += p.missing_x;
    net->info->height += p.missing_y;
  }
  return TRUE;
}

/* Pictures that go through at once. */
static guint
first_batch (const SegNet *net, const SegNetOptions *o)
{
  const SegModelInfo *info = net->info;
  guint any = o->regions && info->regions_input < 0 ? SEG_REGIONS_BATCH : 1;
  return info->batch > 0 ? info->batch : any;
}

SegNet *
seg_net_open (const SegNetOptions *options, GError **error)
{
  SegNet *net = g_new0 (SegNet, 1);
  gboolean ok = load_model (net, options, error) && find_device (net, options, error);
  if (ok && is_of_any_size (net->info))
    ok = probe (net, error);
  /* Networks that find boxes are trained for one size, whatever their files allow. */
  if (ok && (net->probe == NULL || !seg_model_info_is_map (net->info)))
    ok = seg_net_bind (net, net->info->width, net->info->height,
        first_batch (net, options), FALSE, error);
  if (!ok)
    seg_net_free (&net);
  return net;
}

SegNet *
seg_net_new (const SegNetOptions *options, GError **error)
{
  SegNet *net = seg_net_open (options, error);
  if (net != NULL && net->session == NULL
      && !seg_net_bind (net, net->info->width, net->info->height,
          first_batch (net, options), FALSE, error))
    seg_net_free (&net);
  return net;
}

const SegGraph *
seg_net_graph (const SegNet *net)
{
  return net->session != NULL ? seg_session_graph (net->session) : net->probe;
}

void
seg_net_free (SegNet **pnet)
{
  SegNet *net = *pnet;
  *pnet = NULL;
  if (net == NULL)
    return;
  seg_session_free (&net->session);
  seg_graph_free (net->probe);
  seg_model_info_free (&net->info);
  seg_model_put (&net->model);
  if (net->given_vk)
    seg_vk_unref (net->vk);
  else
    seg_vk_put (&net->vk);
  g_free (net->path);
  g_free (net);
}
