/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/network.h"

#include "base/registry.h"
#include "engine/self-test.h"
#include "ops/table.h"

typedef struct {
  SegModel *model;
  SegVk *vk;
  const SegSessionOptions *options;
} Request;

static SegStorage
choose_precision (const Request *r)
{
  SegPrecision asked = r->options->precision;
  if (r->vk == NULL)
    return SEG_STORAGE_F32;
  if (asked == SEG_PRECISION_AUTO)
    return seg_vk_info (r->vk)->type == SEG_DEVICE_CPU ? SEG_STORAGE_F32
                                                       : SEG_STORAGE_F16;
  return asked == SEG_PRECISION_FP16 ? SEG_STORAGE_F16 : SEG_STORAGE_F32;
}

static SegGraphFlags
graph_flags (const Request *r)
{
  const SegSessionOptions *o = r->options;
  if (r->vk == NULL)
    return SEG_GRAPH_PLAIN;
  return SEG_GRAPH_LAYOUT | (o->no_optimise ? 0 : SEG_GRAPH_OPTIMISE)
         | (choose_precision (r) == SEG_STORAGE_F16 ? SEG_GRAPH_HALF : 0)
         | (o->unpasted ? SEG_GRAPH_UNPASTED : 0)
         | (o->any_batch ? SEG_GRAPH_ANY_BATCH : 0)
         | (o->poison ? SEG_GRAPH_INPUTS_CHANNELS_LAST : 0);
}

static gboolean
has_bodies (const SegGraph *graph)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    if (((const SegNode *) g_ptr_array_index (graph->nodes, i))->bodies != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
bind_to_device (SegNetwork *n, guint tune_ms, GError **error)
{
  SegDeviceInfo device = seg_trusted_info (n->vk, n->precision);
  n->program = seg_tuned_program (
      n->graph, &device, n->precision, n->vk, tune_ms, &n->tuning, error);
  return n->program != NULL && seg_network_upload (n, error);
}

static void
free_network (gpointer data)
{
  SegNetwork *n = data;
  seg_network_wait (n);
  seg_buffer_free (&n->weights);
  g_free (n->blob_offsets);
  seg_program_free (n->program);
  seg_graph_free (n->graph);
  seg_vk_unref (n->vk);
  seg_model_unref (n->model);
  g_mutex_clear (&n->host_lock);
  g_free (n);
}

static gpointer
make_network (gpointer data, GError **error)
{
  const Request *r = data;
  const SegSessionOptions *o = r->options;
  SegNetwork *n = g_new0 (SegNetwork, 1);
  n->model = seg_model_ref (r->model);
  n->vk = r->vk != NULL ? seg_vk_ref (r->vk) : NULL;
  n->precision = choose_precision (r);
  n->options = *o;
  n->options.shapes = NULL;
  n->options.n_shapes = 0;
  g_mutex_init (&n->host_lock);
  n->graph = seg_graph_new (
      r->model, seg_op_lookup, o->shapes, o->n_shapes, graph_flags (r), error);
  if (n->graph != NULL) {
    n->graph->steady = o->steady;
    n->has_bodies = has_bodies (n->graph);
  }
  if (n->graph == NULL || (n->vk != NULL && !bind_to_device (n, o->tune_ms, error))) {
    free_network (n);
    return NULL;
  }
  return n;
}

static SegRegistry networks = SEG_REGISTRY (make_network, free_network, NULL);

/* The network keeps model and device alive, so that their addresses are names. */
static char *
name_of (const Request *r)
{
  const SegSessionOptions *o = r->options;
  GString *name = g_string_new (NULL);
  g_string_printf (name, "%p %p %d %x %d %u", (const void *) r->model,
      (const void *) r->vk, (int) choose_precision (r), (guint) graph_flags (r),
      o->steady, o->tune_ms);
  for (guint i = 0; i < o->n_shapes; i++) {
    g_string_append_printf (name, "\n%s", o->shapes[i].input);
    for (guint k = 0; k < o->shapes[i].rank; k++)
      g_string_append_printf (name, " %" G_GINT64_FORMAT, o->shapes[i].dims[k]);
  }
  return g_string_free (name, FALSE);
}

SegNetwork *
seg_network_get (
    SegModel *model, SegVk *vk, const SegSessionOptions *options, GError **error)
{
  Request request = { model, vk, options };
  if (!options->shared)
    return make_network (&request, error);
  g_autofree char *name = name_of (&request);
  return seg_registry_get (&networks, name, &request, error);
}

void
seg_network_put (SegNetwork *n)
{
  if (n == NULL)
    return;
  if (n->options.shared)
    seg_registry_put (&networks, n);
  else
    free_network (n);
}
