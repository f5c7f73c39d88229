/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "app/session-priv.h"

static void
set_strings (GstStructure *s, const char *name, const GPtrArray *strings)
{
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_ARRAY);
  for (guint i = 0; i < strings->len; i++) {
    GValue item = G_VALUE_INIT;
    g_value_init (&item, G_TYPE_STRING);
    g_value_set_string (&item, strings->pdata[i]);
    gst_value_array_append_and_take_value (&list, &item);
  }
  gst_structure_take_value (s, name, &list);
}

/* What is known once the network is bound to a device at a size. */
static void
set_bound (GstStructure *s, const SegSession *session)
{
  SegSessionStats stats;
  seg_session_stats (session, &stats);
  gst_structure_set (s, "precision", GST_TYPE_VK_SEG_PRECISION,
      seg_session_precision (session) == SEG_STORAGE_F16 ? GST_VK_SEG_PRECISION_FP16
                                                         : GST_VK_SEG_PRECISION_FP32,
      "weight-bytes", G_TYPE_UINT64, (guint64) stats.weight_bytes, "arena-bytes",
      G_TYPE_UINT64, (guint64) stats.arena_bytes, "host-steps", G_TYPE_UINT,
      stats.n_host_steps, "load-ms", G_TYPE_DOUBLE, stats.load_ms, NULL);
}

static GstStructure *
make_info (const GstVkSegSession *self)
{
  static const char *const tasks[] = { "semantic", "instance", "matte", "detection" };
  const SegNet *net = self->net;
  GstStructure *s = gst_structure_new ("vkseg-session", "model", G_TYPE_STRING, net->path,
      "device", G_TYPE_STRING, seg_vk_info (net->vk)->name, "task", G_TYPE_STRING,
      tasks[net->info->task], "decoder", G_TYPE_STRING,
      seg_decoder_name (net->info->decoder), "classes", G_TYPE_UINT, net->info->n_classes,
      "width", G_TYPE_UINT, net->info->width, "height", G_TYPE_UINT, net->info->height,
      NULL);
  set_strings (s, "assumptions", net->info->assumptions);
  if (net->session != NULL)
    set_bound (s, net->session);
  if (self->pipe != NULL)
    gst_structure_set (s, "last-ms", G_TYPE_DOUBLE, seg_pipe_last_ms (self->pipe), NULL);
  return s;
}

/**
 * gst_vk_seg_session_get_info:
 * @session: a session
 *
 * What is known about the network: `model` (path), `device` (name), `task` (semantic, instance, matte,
 * detection), `decoder`, `classes` (how many), `width` and `height` (of its input, pixels),
 * `assumptions` (what nobody said, an array of strings). As soon as the input's size is known, at the
 * latest after the first picture: `precision`, `weight-bytes` and `arena-bytes` (memory on the device),
 * `host-steps` (parts that run on the CPU), `load-ms`. After a picture: `last-ms` (time on the
 * device, with transfers).
 *
 * Returns: (transfer full) (nullable): a structure; %NULL while no network is loaded
 *
 * Since: 0.1
 */
GstStructure *
gst_vk_seg_session_get_info (GstVkSegSession *session)
{
  g_return_val_if_fail (GST_IS_VK_SEG_SESSION (session), NULL);
  g_mutex_lock (&session->lock);
  GstStructure *info = session->net != NULL ? make_info (session) : NULL;
  g_mutex_unlock (&session->lock);
  return info;
}

/**
 * gst_vk_seg_session_get_labels:
 * @session: a session
 *
 * The names of the classes.
 *
 * Returns: (transfer full) (nullable) (array zero-terminated=1): the names of the network's classes,
 *   by number; as many as are known, perhaps none. %NULL while no network is loaded
 *
 * Since: 0.1
 */
gchar **
gst_vk_seg_session_get_labels (GstVkSegSession *session)
{
  gchar **labels = NULL;
  g_return_val_if_fail (GST_IS_VK_SEG_SESSION (session), NULL);
  g_mutex_lock (&session->lock);
  if (session->net != NULL) {
    const GPtrArray *from = session->net->info->labels;
    labels = g_new0 (gchar *, from->len + 1);
    for (guint i = 0; i < from->len; i++)
      labels[i] = g_strdup (from->pdata[i]);
  }
  g_mutex_unlock (&session->lock);
  return labels;
}
