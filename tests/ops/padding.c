/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "padding.h"

static gboolean
read_back (SegVk *vk, const SegBound *bound, SegBuffer *to, GError **error)
{
  SegCmd *cmd = seg_cmd_new (vk, FALSE, error);
  gboolean ok =
      cmd != NULL && seg_cmd_begin (cmd, error)
      && seg_cmd_copy (cmd, bound->buffer, bound->offset, to, 0, bound->n_bytes, error)
      && seg_cmd_end (cmd, error) && seg_cmd_submit (cmd, error)
      && seg_cmd_wait (cmd, error);
  seg_cmd_free (&cmd);
  return ok;
}

/* Among the rows that there are: `live` says how many. */
static char *
find_nonzero (
    const SegBound *bound, const SegDesc *live, const guint8 *bytes, guint output)
{
  gsize size = seg_storage_bytes (bound->storage);
  guint32 n_channels = bound->view.dims[1];
  guint32 end =
      (n_channels + SEG_CHANNEL_ALIGN - 1) / SEG_CHANNEL_ALIGN * SEG_CHANNEL_ALIGN;
  gint64 n_pixels = seg_desc_n_elems (live) / n_channels;
  for (gint64 p = 0; p < n_pixels; p++)
    for (guint32 c = n_channels; c < end; c++) {
      gsize at = (bound->view.offset + p * bound->view.pitch + c) * size;
      for (gsize b = 0; b < size; b++)
        if (bytes[at + b] != 0)
          return g_strdup_printf (
              "output %u has %u channels; channel %u of pixel %" G_GINT64_FORMAT
              " is not zero",
              output, n_channels, c, p);
    }
  return NULL;
}

char *
seg_check_padding (SegVk *vk, SegSession *session, SegTensor *const *outputs)
{
  const SegGraph *graph = seg_session_graph (session);
  char *bad = NULL;
  for (guint i = 0; i < graph->outputs->len && bad == NULL; i++) {
    SegBound bound;
    g_autoptr (GError) error = NULL;
    /* What a host step made is not on the device. */
    if (!seg_session_output (session, i, &bound, NULL)
        || bound.layout != SEG_LAYOUT_CHANNELS_LAST)
      continue;
    SegBuffer *buffer = seg_buffer_new (vk, bound.n_bytes, SEG_BUFFER_READBACK, &error);
    if (buffer == NULL || !read_back (vk, &bound, buffer, &error))
      bad = g_strdup_printf ("cannot read output %u: %s", i, error->message);
    else
      bad = find_nonzero (&bound, &outputs[i]->desc, seg_buffer_map (buffer), i);
    seg_buffer_free (&buffer);
  }
  return bad;
}
