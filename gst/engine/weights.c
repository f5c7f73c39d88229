/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/parallel.h"
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
upload_bytes (SegNetwork *net, SegBuffer *staging, const guint8 *data, gsize n_bytes,
    gsize offset, GError **error)
{
  gsize chunk = seg_buffer_bytes (staging);
  for (gsize at = 0; at < n_bytes; at += chunk) {
    gsize n = MIN (chunk, n_bytes - at);
    SegCmd *cmd = seg_cmd_new (net->vk, FALSE, error);
    if (cmd == NULL)
      return FALSE;
    memcpy (seg_buffer_map (staging), data + at, n);
    gboolean ok = seg_cmd_begin (cmd, error)
                  && seg_cmd_copy (cmd, staging, 0, net->weights, offset + at, n, error)
                  && seg_cmd_end (cmd, error) && seg_cmd_run (cmd, error);
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
    if (i == first) /* larger than the staging buffer */
      bytes = g_array_index (blobs, SegBlob, i++).n_bytes;
    g_autofree guint8 *together = g_malloc0 (bytes);
    for (guint k = first; k < i; k++)
      seg_blob_write (
          &g_array_index (blobs, SegBlob, k), together + net->blob_offsets[k] - start);
    ok = upload_bytes (net, staging, together, bytes, start, error);
  }
  seg_buffer_free (&staging);
  return ok;
}

static void
write_blob (guint i, gpointer data)
{
  const SegNetwork *net = data;
  SegBlob *b = &g_array_index (net->program->blobs, SegBlob, i);
  seg_blob_write (b, (guint8 *) seg_buffer_map (net->weights) + net->blob_offsets[i]);
  g_clear_pointer (&b->data, g_free); /* two copies of all need not be there at once */
}

/* The host's copies of the weights are done with once the device has them. */
static void
drop_host_blobs (SegProgram *p)
{
  for (guint i = 0; i < p->blobs->len; i++)
    g_clear_pointer (&g_array_index (p->blobs, SegBlob, i).data, g_free);
}

/* Where the device's memory is the host's: all processors pack what lies there, while pipelines are
 * made. */
static gpointer
write_all (gpointer data)
{
  SegNetwork *net = data;
  seg_parallel (net->program->blobs->len, write_blob, net);
  return NULL;
}

static void
start_writing (SegNetwork *net)
{
  net->writer = g_thread_try_new ("vkseg-weights", write_all, net, NULL);
  if (net->writer == NULL)
    write_all (net);
}

void
seg_network_wait (SegNetwork *net)
{
  g_mutex_lock (&net->host_lock);
  if (net->writer != NULL)
    g_thread_join (g_steal_pointer (&net->writer));
  g_mutex_unlock (&net->host_lock);
}

static gboolean
make_weights (SegNetwork *net, GError **error)
{
  const GArray *blobs = net->program->blobs;
  gsize total = 0;
  net->blob_offsets = g_new0 (gsize, blobs->len + 1);
  for (guint i = 0; i < blobs->len; i++) {
    net->blob_offsets[i] = total;
    total +=
        align_up (net, seg_program_ref_room (net->program, (SegRef){ SEG_REF_BLOB, i }));
  }
  net->weight_bytes = total;
  if (total == 0)
    return TRUE;
  gboolean cpu = seg_vk_info (net->vk)->type == SEG_DEVICE_CPU;
  net->weights = seg_buffer_new_for_images (
      net->vk, total, cpu ? SEG_BUFFER_UPLOAD : SEG_BUFFER_DEVICE, error);
  if (net->weights == NULL)
    return FALSE;
  if (cpu) {
    start_writing (net);
    return TRUE;
  }
  if (!upload_weights (net, total, error))
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
