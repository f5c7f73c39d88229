/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/network.h"

#include <string.h>

#define STAGING_BYTES (16 << 20)

static gsize
align_up (const SegNetwork *net, gsize v)
{
  gsize align = seg_vk_info (net->vk)->buffer_align;
  return (v + align - 1) / align * align;
}

/* A run of bytes to bring to the device through the staging buffer. */
static gboolean
upload_bytes (SegNetwork *net, SegBuffer *staging, const SegBlob *blob, gsize offset,
    GError **error)
{
  gsize chunk = seg_buffer_bytes (staging);
  for (gsize at = 0; at < blob->n_bytes; at += chunk) {
    gsize n = MIN (chunk, blob->n_bytes - at);
    SegCmd *cmd = seg_cmd_new (net->vk, FALSE, error);
    if (cmd == NULL)
      return FALSE;
    memcpy (seg_buffer_map (staging), (const guint8 *) blob->data + at, n);
    gboolean ok = seg_cmd_begin (cmd, error)
                  && seg_cmd_copy (cmd, staging, 0, net->weights, offset + at, n, error)
                  && seg_cmd_end (cmd, error) && seg_cmd_submit (cmd, error)
                  && seg_cmd_wait (cmd, error);
    seg_cmd_free (&cmd);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

/* Small blobs travel together: a network has hundreds of them. */
static gboolean
upload_weights (SegNetwork *net, gsize total, GError **error)
{
  const GArray *blobs = net->program->blobs;
  SegBuffer *staging =
      seg_buffer_new (net->vk, MIN (total, STAGING_BYTES), SEG_BUFFER_UPLOAD, error);
  if (staging == NULL)
    return FALSE;
  gsize room = seg_buffer_bytes (staging);
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < blobs->len;) {
    gsize start = net->blob_offsets[i], bytes = 0;
    guint first = i;
    for (; i < blobs->len; i++) {
      gsize end =
          net->blob_offsets[i] - start + g_array_index (blobs, SegBlob, i).n_bytes;
      if (end > room)
        break;
      bytes = end;
    }
    if (i == first) { /* larger than the staging buffer */
      ok = upload_bytes (net, staging, &g_array_index (blobs, SegBlob, i), start, error);
      i++;
      continue;
    }
    g_autofree guint8 *together = g_malloc0 (bytes);
    for (guint k = first; k < i; k++) {
      const SegBlob *b = &g_array_index (blobs, SegBlob, k);
      memcpy (together + net->blob_offsets[k] - start, b->data, b->n_bytes);
    }
    ok = upload_bytes (net, staging, &(SegBlob){ together, bytes, 0 }, start, error);
  }
  seg_buffer_free (&staging);
  return ok;
}

/* Where the device's memory is the host's. */
static void
copy_weights (SegNetwork *net)
{
  const GArray *blobs = net->program->blobs;
  guint8 *to = seg_buffer_map (net->weights);

  for (guint i = 0; i < blobs->len; i++) {
    SegBlob *b = &g_array_index (blobs, SegBlob, i);
    memcpy (to + net->blob_offsets[i], b->data, b->n_bytes);
    g_clear_pointer (&b->data, g_free); /* two copies of all need not be there at once */
  }
}

/* The host's copies of the weights are done with once the device has them. */
static void
drop_host_blobs (SegProgram *p)
{
  for (guint i = 0; i < p->blobs->len; i++)
    g_clear_pointer (&g_array_index (p->blobs, SegBlob, i).data, g_free);
}

static gboolean
make_weights (SegNetwork *net, GError **error)
{
  const GArray *blobs = net->program->blobs;
  gsize total = 0;
  net->blob_offsets = g_new0 (gsize, blobs->len + 1);
  for (guint i = 0; i < blobs->len; i++) {
    net->blob_offsets[i] = total;
    total += align_up (net, g_array_index (blobs, SegBlob, i).n_bytes);
  }
  net->weight_bytes = total;
  if (total == 0)
    return TRUE;
  gboolean cpu = seg_vk_info (net->vk)->type == SEG_DEVICE_CPU;
  net->weights =
      seg_buffer_new (net->vk, total, cpu ? SEG_BUFFER_UPLOAD : SEG_BUFFER_DEVICE, error);
  if (net->weights == NULL)
    return FALSE;
  if (cpu)
    copy_weights (net);
  else if (!upload_weights (net, total, error))
    return FALSE;
  drop_host_blobs (net->program);
  return TRUE;
}

gboolean
seg_network_upload (SegNetwork *net, GError **error)
{
  if (make_weights (net, error))
    return TRUE;
  g_prefix_error (error, "memory for weights: ");
  return FALSE;
}
