/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/hostnet.h"

#include "frame/preprocess.h"

#include <string.h>

struct _SegHostNet {
  SegSession *session;
  SegDesc input_desc; /* as the network has it */
  SegBound input;     /* the same elements as a batch of pictures */
  SegBuffer *in_device, *in_host;
  SegHostNetKind kind;
  guint n_outputs;
  guint *indices;      /* of the outputs, in the graph */
  SegBound *outputs;   /* their buffers are owned */
  SegTensor **tensors; /* of the last run; NULL before */
};

gboolean
seg_bound_rows (SegBound *bound, const SegDesc *desc, GError **error)
{
  gint64 n = seg_desc_n_elems (desc);
  if (n <= 0 || n > G_MAXUINT32 / 8) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
        "a tensor of %" G_GINT64_FORMAT " elements", n);
    return FALSE;
  }
  *bound = (SegBound){ .desc = *desc, .layout = SEG_LAYOUT_ROWS };
  bound->storage = seg_dtype_is_float (desc->dtype) ? SEG_STORAGE_F32 : SEG_STORAGE_I32;
  bound->view.rank = desc->rank;
  bound->view.n_elems = ((guint32) n + 3) & ~3u;
  guint32 stride = 1;
  for (guint i = desc->rank; i-- > 0;) {
    bound->view.dims[i] = (guint32) desc->dims[i];
    bound->view.strides[i] = stride;
    stride *= (guint32) desc->dims[i];
  }
  bound->n_bytes = (gsize) bound->view.n_elems * 4;
  return TRUE;
}

static gboolean
allocate (SegHostNet *net, SegVk *vk, GError **error)
{
  net->in_device = seg_buffer_new (vk, net->input.n_bytes, SEG_BUFFER_DEVICE, error);
  if (net->in_device == NULL)
    return FALSE;
  net->in_host = seg_buffer_new (vk, net->input.n_bytes, SEG_BUFFER_READBACK, error);
  net->input.buffer = net->in_device;
  return net->in_host != NULL;
}

static gboolean
add_output (SegHostNet *net, SegVk *vk, guint index, GError **error)
{
  SegBound *bound = &net->outputs[net->n_outputs];
  const SegValue *v = seg_session_graph (net->session)->outputs->pdata[index];
  net->indices[net->n_outputs++] = index;
  if (net->kind == SEG_HOST_NET_TENSORS)
    return TRUE;
  if (!seg_bound_rows (bound, &v->desc, error))
    return FALSE;
  bound->buffer = seg_buffer_new (vk, bound->n_bytes, SEG_BUFFER_UPLOAD, error);
  return bound->buffer != NULL;
}

SegHostNet *
seg_host_net_new (SegSession *session, SegVk *vk, SegHostNetKind kind,
    const guint *outputs, guint n_outputs, GError **error)
{
  SegHostNet *net = g_new0 (SegHostNet, 1);
  net->session = session;
  net->kind = kind;
  net->tensors = g_new0 (SegTensor *, n_outputs);
  net->indices = g_new0 (guint, n_outputs);
  net->outputs = g_new0 (SegBound, n_outputs);
  const SegValue *in = seg_session_graph (session)->inputs->pdata[0];
  SegDesc batch = seg_image_batch (&in->desc);
  net->input_desc = in->desc;
  gboolean ok = seg_bound_rows (&net->input, &batch, error) && allocate (net, vk, error);
  for (guint i = 0; ok && i < n_outputs; i++)
    ok = add_output (net, vk, outputs[i], error);
  if (!ok)
    seg_host_net_free (&net);
  return net;
}

void
seg_host_net_free (SegHostNet **pnet)
{
  SegHostNet *net = *pnet;
  *pnet = NULL;
  if (net == NULL)
    return;
  seg_buffer_free (&net->in_device);
  seg_buffer_free (&net->in_host);
  for (guint i = 0; i < net->n_outputs; i++) {
    seg_buffer_free (&net->outputs[i].buffer);
    seg_tensor_unref (net->tensors[i]);
  }
  g_free (net->tensors);
  g_free (net->indices);
  g_free (net->outputs);
  g_free (net);
}

const SegBound *
seg_host_net_input (const SegHostNet *net)
{
  return &net->input;
}

const SegBound *
seg_host_net_outputs (const SegHostNet *net)
{
  return net->outputs;
}

SegTensor *const *
seg_host_net_tensors (const SegHostNet *net)
{
  return net->tensors;
}

gboolean
seg_host_net_record_input (SegHostNet *net, SegCmd *cmd, GError **error)
{
  return seg_cmd_copy (
      cmd, net->in_device, 0, net->in_host, 0, net->input.n_bytes, error);
}

static SegTensor *
take_input (SegHostNet *net, GError **error)
{
  SegDesc desc = net->input_desc;
  desc.dtype = SEG_DTYPE_F32;
  g_autoptr (SegTensor) tensor = seg_tensor_new (&desc, error);
  if (tensor == NULL)
    return NULL;
  memcpy (tensor->data, seg_buffer_map (net->in_host), tensor->n_bytes);
  return seg_tensor_convert (tensor, net->input_desc.dtype, error);
}

static gboolean
put_output (SegHostNet *net, guint i, SegTensor *output, GError **error)
{
  const SegBound *bound = &net->outputs[i];
  if (net->kind == SEG_HOST_NET_TENSORS) {
    seg_tensor_unref (net->tensors[i]);
    net->tensors[i] = seg_tensor_ref (output);
    return TRUE;
  }
  SegDType dtype = bound->storage == SEG_STORAGE_I32 ? SEG_DTYPE_I32 : SEG_DTYPE_F32;
  g_autoptr (SegTensor) tensor = seg_tensor_convert (output, dtype, error);
  if (tensor == NULL)
    return FALSE;
  if (!seg_desc_same_dims (&tensor->desc, &bound->desc)) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "the network's output changed its size");
    return FALSE;
  }
  memcpy (seg_buffer_map (bound->buffer), seg_tensor_data (tensor), tensor->n_bytes);
  return TRUE;
}

gboolean
seg_host_net_run (SegHostNet *net, GError **error)
{
  guint n = seg_session_graph (net->session)->outputs->len;
  g_autoptr (SegTensor) input = take_input (net, error);
  if (input == NULL)
    return FALSE;
  g_autofree SegTensor **outputs = g_new0 (SegTensor *, n);
  if (!seg_session_run (net->session, &input, outputs, error))
    return FALSE;
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < net->n_outputs; i++)
    ok = put_output (net, i, outputs[net->indices[i]], error);
  for (guint i = 0; i < n; i++)
    seg_tensor_unref (outputs[i]);
  return ok;
}
