/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/regionnet.h"

#include "frame/hostnet.h"

#include <string.h>

struct _SegRegionNet {
  SegVk *vk;
  SegSession *session;
  const SegModelInfo *info;
  gboolean recordable; /* the network is part of `cmd` */

  SegParams params;
  SegFrame frame;
  SegFrameSource source;
  SegBuffer *upload, *work; /* the frame; work NULL: the device reads `upload` */
  SegCmd *cmd_upload, *cmd;

  guint batch;
  SegBound input;
  SegPreprocessBlock **blocks; /* one a picture */

  SegBound regions;
  SegBuffer *regions_host;
  SegTensor *regions_tensor; /* then seg_session_run takes it */

  SegBuffer *own_input; /* unless recordable */
  SegBuffer *readback;  /* outputs, or the input for seg_session_run */
  gsize offsets[SEG_INFO_MAX_OUTPUTS];
  SegBound bounds[SEG_INFO_MAX_OUTPUTS];
  SegTensor *floats[SEG_INFO_MAX_OUTPUTS];
  SegRegionOutput outputs[SEG_INFO_MAX_OUTPUTS];
};

/* --- memory ------------------------------------------------------------------------------------ */

static gsize
padded (gsize n_bytes)
{
  return (n_bytes + 15) & ~(gsize) 15;
}

static gboolean
prepare_frame (SegRegionNet *net, const SegRegionFrame *f, GError **error)
{
  SegDeviceType type = seg_vk_info (net->vk)->type;
  gboolean unified =
      !f->separate_memory && (type == SEG_DEVICE_CPU || type == SEG_DEVICE_INTEGRATED);
  if (!seg_params_init (&net->params, net->vk, error)
      || !seg_frame_layout (&net->frame, f->format, &f->color, f->width, f->height,
          net->params.align, error))
    return FALSE;
  gsize n_bytes = padded (net->frame.n_bytes);
  net->upload = seg_buffer_new (net->vk, n_bytes, SEG_BUFFER_UPLOAD, error);
  if (net->upload == NULL)
    return FALSE;
  if (!unified
      && (net->work = seg_buffer_new (net->vk, n_bytes, SEG_BUFFER_DEVICE, error))
             == NULL)
    return FALSE;
  return seg_frame_source_init (&net->source, &net->params, &net->frame,
      unified ? net->upload : net->work, 0, error);
}

static const SegValue *
value_at (const GPtrArray *values, guint i)
{
  return values->pdata[i];
}

static gboolean
bind_input (SegRegionNet *net, GError **error)
{
  const SegValue *v =
      value_at (seg_session_graph (net->session)->inputs, net->info->input);
  if (net->recordable) {
    if (!seg_session_input (net->session, net->info->input, &net->input, error))
      return FALSE;
  } else {
    if (!seg_bound_rows (&net->input, &v->desc, error))
      return FALSE;
    net->own_input =
        seg_buffer_new (net->vk, net->input.n_bytes, SEG_BUFFER_DEVICE, error);
    if (net->own_input == NULL)
      return FALSE;
    net->input.buffer = net->own_input;
  }
  net->batch = (guint) v->desc.dims[0];
  return TRUE;
}

static gboolean
bind_regions (SegRegionNet *net, GError **error)
{
  guint i = (guint) net->info->regions_input;
  const SegValue *v = value_at (seg_session_graph (net->session)->inputs, i);
  if (!net->recordable) {
    net->regions_tensor = seg_tensor_new (&v->desc, error);
    return net->regions_tensor != NULL;
  }
  if (!seg_session_input (net->session, i, &net->regions, error))
    return FALSE;
  if (net->regions.storage != SEG_STORAGE_F32 || net->regions.layout != SEG_LAYOUT_ROWS) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "positions of regions do not fit into 16 bits: set precision to fp32");
    return FALSE;
  }
  net->regions_host =
      seg_buffer_new (net->vk, padded (net->regions.n_bytes), SEG_BUFFER_UPLOAD, error);
  return net->regions_host != NULL;
}

static gboolean
bind_outputs (SegRegionNet *net, GError **error)
{
  gsize used = 0;
  for (guint i = 0; i < net->info->n_outputs && net->recordable; i++) {
    SegBound *b = &net->bounds[i];
    if (!seg_session_output (net->session, net->info->outputs[i], b, error))
      return FALSE;
    SegDesc desc = b->desc;
    desc.dtype = SEG_DTYPE_F32;
    net->floats[i] = seg_tensor_new (&desc, error);
    if (net->floats[i] == NULL)
      return FALSE;
    net->outputs[i] = (SegRegionOutput){ desc, net->floats[i]->data };
    net->offsets[i] = used;
    used += padded (b->n_bytes);
  }
  if (!net->recordable)
    used = padded (net->input.n_bytes);
  net->readback = seg_buffer_new (net->vk, MAX (used, 16), SEG_BUFFER_READBACK, error);
  return net->readback != NULL;
}

/* --- recording --------------------------------------------------------------------------------- */

static gboolean
record_pictures (SegRegionNet *net, GError **error)
{
  SegGeometry whole;
  seg_geometry_init (&whole, SEG_FIT_STRETCH, net->frame.width, net->frame.height,
      net->info->width, net->info->height);
  net->blocks = g_new0 (SegPreprocessBlock *, net->batch);
  for (guint lane = 0; lane < net->batch; lane++) {
    SegBufferView view;
    net->blocks[lane] = seg_params_add (
        &net->params, sizeof *net->blocks[lane], SEG_VIEW_UNIFORM, &view, error);
    if (net->blocks[lane] == NULL || !seg_region_net_place (net, lane, &whole, error)
        || !seg_preprocess_record_block (
            net->cmd, &net->source, &view, NULL, FALSE, &net->input, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
record_network (SegRegionNet *net, GError **error)
{
  const SegModelInfo *info = net->info;
  if (net->regions_host != NULL
      && !seg_cmd_copy (net->cmd, net->regions_host, 0, net->regions.buffer,
          net->regions.offset, net->regions.n_bytes, error))
    return FALSE;
  if (!seg_session_record (net->session, net->cmd, info->outputs, info->n_outputs, error))
    return FALSE;
  for (guint i = 0; i < info->n_outputs; i++)
    if (!seg_cmd_copy (net->cmd, net->bounds[i].buffer, net->bounds[i].offset,
            net->readback, net->offsets[i], net->bounds[i].n_bytes, error))
      return FALSE;
  return TRUE;
}

static gboolean
record_upload (SegRegionNet *net, GError **error)
{
  if (net->work == NULL)
    return TRUE;
  net->cmd_upload = seg_cmd_new (net->vk, FALSE, error);
  return net->cmd_upload != NULL && seg_cmd_begin (net->cmd_upload, error)
         && seg_cmd_copy (
             net->cmd_upload, net->upload, 0, net->work, 0, net->frame.n_bytes, error)
         && seg_cmd_end (net->cmd_upload, error);
}

static gboolean
record (SegRegionNet *net, GError **error)
{
  net->cmd = seg_cmd_new (net->vk, FALSE, error);
  if (net->cmd == NULL || !record_upload (net, error) || !seg_cmd_begin (net->cmd, error)
      || !record_pictures (net, error))
    return FALSE;
  gboolean ok = net->recordable
                    ? record_network (net, error)
                    : seg_cmd_copy (net->cmd, net->input.buffer, net->input.offset,
                        net->readback, 0, net->input.n_bytes, error);
  return ok && seg_cmd_end (net->cmd, error);
}

SegRegionNet *
seg_region_net_new (SegVk *vk, SegSession *session, const SegModelInfo *info,
    const SegRegionFrame *frame, GError **error)
{
  SegRegionNet *net = g_new0 (SegRegionNet, 1);
  net->vk = vk;
  net->session = session;
  net->info = info;
  net->recordable = seg_session_is_recordable (session);
  if (!prepare_frame (net, frame, error) || !bind_input (net, error)
      || (info->regions_input >= 0 && !bind_regions (net, error))
      || !bind_outputs (net, error) || !record (net, error))
    seg_region_net_free (&net);
  return net;
}

void
seg_region_net_free (SegRegionNet **pnet)
{
  SegRegionNet *net = *pnet;
  *pnet = NULL;
  if (net == NULL)
    return;
  seg_cmd_free (&net->cmd_upload);
  seg_cmd_free (&net->cmd);
  seg_params_clear (&net->params);
  seg_buffer_free (&net->upload);
  seg_buffer_free (&net->work);
  seg_buffer_free (&net->regions_host);
  seg_buffer_free (&net->own_input);
  seg_buffer_free (&net->readback);
  seg_tensor_unref (net->regions_tensor);
  for (guint i = 0; i < SEG_INFO_MAX_OUTPUTS; i++)
    seg_tensor_unref (net->floats[i]);
  g_free (net->blocks);
  g_free (net);
}

/* --- running ----------------------------------------------------------------------------------- */

const SegFrame *
seg_region_net_input (const SegRegionNet *net, guint8 **data)
{
  *data = seg_buffer_map (net->upload);
  return &net->frame;
}

guint
seg_region_net_batch (const SegRegionNet *net)
{
  return net->batch;
}

gboolean
seg_region_net_place (
    SegRegionNet *net, guint lane, const SegGeometry *geometry, GError **error)
{
  return seg_preprocess_fill (net->blocks[lane], &net->source, geometry,
      &net->info->normalize, &net->input, lane, error);
}

float *
seg_region_net_regions (SegRegionNet *net, guint *n_rows, guint *n_columns)
{
  if (net->info->regions_input < 0)
    return NULL;
  const SegDesc *desc = net->recordable ? &net->regions.desc : &net->regions_tensor->desc;
  *n_rows = (guint) desc->dims[0];
  *n_columns = (guint) desc->dims[1];
  return net->recordable ? seg_buffer_map (net->regions_host) : net->regions_tensor->data;
}

static float
element (const SegBound *b, const guint8 *data, gsize at)
{
  switch (b->storage) {
  case SEG_STORAGE_F16: return seg_half_to_float (((const guint16 *) data)[at]);
  case SEG_STORAGE_I32: return (float) ((const gint32 *) data)[at];
  case SEG_STORAGE_B8:
    return b->desc.dtype == SEG_DTYPE_I8 ? ((const gint8 *) data)[at] : data[at];
  default: return ((const float *) data)[at];
  }
}

/* From where it lies on the device to rows. */
static void
unpack (const SegBound *b, const guint8 *data, float *to)
{
  const SegView *v = &b->view;
  guint last = b->desc.rank > 0 ? b->desc.rank - 1 : 0;
  gsize n_rows = 1, n = b->desc.rank > 0 ? (gsize) b->desc.dims[last] : 1;
  for (guint i = 0; i < last; i++)
    n_rows *= (gsize) b->desc.dims[i];
  for (gsize row = 0; row < n_rows; row++) {
    gsize at = v->offset, left = row;
    for (guint i = last; i-- > 0; left /= (gsize) b->desc.dims[i])
      at += left % (gsize) b->desc.dims[i] * v->strides[i];
    for (gsize x = 0; x < n; x++)
      *to++ = element (b, data, at + x * (b->desc.rank > 0 ? v->strides[last] : 0));
  }
}

static SegTensor *
take_picture (SegRegionNet *net, GError **error)
{
  SegDesc desc = net->input.desc;
  desc.dtype = SEG_DTYPE_F32;
  g_autoptr (SegTensor) tensor = seg_tensor_new (&desc, error);
  if (tensor == NULL)
    return NULL;
  memcpy (tensor->data, seg_buffer_map (net->readback), tensor->n_bytes);
  return seg_tensor_convert (tensor, net->input.desc.dtype, error);
}

static gboolean
run_on_host (SegRegionNet *net, GError **error)
{
  const SegGraph *graph = seg_session_graph (net->session);
  g_autofree SegTensor **outputs = g_new0 (SegTensor *, graph->outputs->len);
  g_autofree SegTensor **inputs = g_new0 (SegTensor *, graph->inputs->len);
  g_autoptr (SegTensor) picture = take_picture (net, error);
  if (picture == NULL)
    return FALSE;
  inputs[net->info->input] = picture;
  if (net->regions_tensor != NULL)
    inputs[net->info->regions_input] = net->regions_tensor;
  if (!seg_session_run (net->session, inputs, outputs, error))
    return FALSE;
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < net->info->n_outputs; i++) {
    g_clear_pointer (&net->floats[i], seg_tensor_unref);
    net->floats[i] =
        seg_tensor_convert (outputs[net->info->outputs[i]], SEG_DTYPE_F32, error);
    ok = net->floats[i] != NULL;
    if (ok)
      net->outputs[i] = (SegRegionOutput){ net->floats[i]->desc, net->floats[i]->data };
  }
  for (guint i = 0; i < graph->outputs->len; i++)
    seg_tensor_unref (outputs[i]);
  return ok;
}

gboolean
seg_region_net_run (SegRegionNet *net, gboolean new_frame, GError **error)
{
  SegCmd *upload = new_frame ? net->cmd_upload : NULL;
  if (upload != NULL && !seg_cmd_submit (upload, error))
    return FALSE;
  gboolean ok = seg_cmd_run (net->cmd, error);
  /* Also after a failure: the next frame is written where it reads. */
  if (upload != NULL && !seg_cmd_wait (upload, ok ? error : NULL)) {
    seg_cmd_settle (upload);
    ok = FALSE;
  }
  if (!ok)
    return FALSE;
  if (!net->recordable)
    return run_on_host (net, error);
  const guint8 *data = seg_buffer_map (net->readback);
  for (guint i = 0; i < net->info->n_outputs; i++)
    unpack (&net->bounds[i], data + net->offsets[i], net->floats[i]->data);
  return TRUE;
}

const SegRegionOutput *
seg_region_net_output (const SegRegionNet *net, guint i)
{
  return &net->outputs[i];
}
