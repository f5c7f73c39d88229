/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * GstVkSegSession:
 *
 * A network that looks at pictures, without a pipeline.
 *
 * A session has the properties of the element `vksegment` that say which network it is and how it is
 * to be run: `model`, `model-info`, `labels`, `classes`, `device`, `precision`, `threshold` and so on,
 * with the same units and defaults. Those that may change while the element plays are followed by the
 * next picture; the others when the network is loaded.
 *
 * A result is a #GstBuffer without pixels that carries a #GstVkSegMeta, with the timestamps of the
 * picture. It does not belong to the session, and may be kept for as long as one likes.
 *
 * A session may be used from any thread; it does one thing at a time, so that the threads wait for
 * each other. gst_init() comes first.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GstVkSegSession) session = gst_vk_seg_session_new ("yolov8n-seg.onnx");
 * g_autoptr (GError) error = NULL;
 * g_object_set (session, "threshold", 0.5, NULL);
 * g_autoptr (GstBuffer) result = gst_vk_seg_session_run_buffer (session, picture, &info, &error);
 * if (result == NULL)
 *   g_error ("%s", error->message);
 * GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (result);
 * ]|
 *
 * Since: 0.1
 */
#include "app/session-priv.h"
#include "elements/log.h"

G_DEFINE_TYPE (GstVkSegSession, gst_vk_seg_session, G_TYPE_OBJECT)

/* The public enumerations are the properties' own. */
G_STATIC_ASSERT ((int) GST_VK_SEG_PRECISION_AUTO == (int) SEG_PRECISION_AUTO
                 && (int) GST_VK_SEG_PRECISION_FP32 == (int) SEG_PRECISION_FP32
                 && (int) GST_VK_SEG_PRECISION_FP16 == (int) SEG_PRECISION_FP16);
G_STATIC_ASSERT ((int) GST_VK_SEG_RESIZE_AUTO == (int) SEG_RESIZE_AUTO
                 && (int) GST_VK_SEG_RESIZE_STRETCH == (int) SEG_RESIZE_STRETCH
                 && (int) GST_VK_SEG_RESIZE_LETTERBOX == (int) SEG_RESIZE_LETTERBOX
                 && (int) GST_VK_SEG_RESIZE_CROP == (int) SEG_RESIZE_CROP);
G_STATIC_ASSERT ((int) GST_VK_SEG_TILING_AUTO == (int) SEG_TILING_AUTO
                 && (int) GST_VK_SEG_TILING_NONE == (int) SEG_TILING_NONE
                 && (int) GST_VK_SEG_TILING_OVERLAP == (int) SEG_TILING_OVERLAP);

GType
gst_vk_seg_precision_get_type (void)
{
  return seg_precision_get_type ();
}

GType
gst_vk_seg_resize_get_type (void)
{
  return seg_resize_get_type ();
}

GType
gst_vk_seg_tiling_get_type (void)
{
  return seg_tiling_get_type ();
}

/* --- loading ------------------------------------------------------------------------------------- */

void
seg_app_drop_pipe (GstVkSegSession *self)
{
  seg_pipe_free (&self->pipe);
  g_clear_pointer (&self->labels, g_ptr_array_unref);
}

gboolean
seg_app_load (GstVkSegSession *self, GError **error)
{
  SegStyle style;
  if (self->net != NULL)
    return TRUE;
  self->net = seg_settings_open (&self->settings, NULL, error);
  if (self->net != NULL
      && seg_pipe_check (seg_net_graph (self->net), self->net->info, error)
      && seg_settings_style (&self->settings, self->net->info, &style, error))
    return TRUE;
  seg_net_free (&self->net);
  return FALSE;
}

/**
 * gst_vk_seg_session_new:
 * @model: (nullable): path of an ONNX file, or name of a model in the folders of `VKSEG_MODEL_PATH`,
 *   the user's or the system's; %NULL for the default
 *
 * Makes a session. Nothing is loaded yet, so that its properties can be set.
 *
 * Returns: (transfer full): a session
 *
 * Since: 0.1
 */
GstVkSegSession *
gst_vk_seg_session_new (const gchar *model)
{
  return model != NULL ? g_object_new (GST_TYPE_VK_SEG_SESSION, "model", model, NULL)
                       : g_object_new (GST_TYPE_VK_SEG_SESSION, NULL);
}

/**
 * gst_vk_seg_session_load:
 * @session: a session
 * @error: where an error of the domain %GST_VK_SEG_ERROR goes
 *
 * Loads the network that the properties name, in the place of the one that there is. Takes seconds
 * for a large network. The first picture does it otherwise.
 *
 * Returns: whether the network is there; on failure the session has none
 *
 * Since: 0.1
 */
gboolean
gst_vk_seg_session_load (GstVkSegSession *session, GError **error)
{
  GError *problem = NULL;
  g_return_val_if_fail (GST_IS_VK_SEG_SESSION (session), FALSE);
  g_mutex_lock (&session->lock);
  seg_app_drop_pipe (session);
  seg_net_free (&session->net);
  gboolean ok = seg_app_load (session, &problem);
  g_mutex_unlock (&session->lock);
  if (!ok)
    seg_app_propagate (error, problem);
  return ok;
}

/* --- properties: vksegment's ----------------------------------------------------------------------- */

static void
gst_vk_seg_session_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVkSegSession *self = GST_VK_SEG_SESSION (object);
  g_mutex_lock (&self->lock);
  gboolean known = seg_settings_set (&self->settings, id, value);
  self->restyle = self->restyle || seg_settings_taken_up (id) == SEG_TAKEN_UP_STYLE;
  g_mutex_unlock (&self->lock);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_vk_seg_session_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstVkSegSession *self = GST_VK_SEG_SESSION (object);
  g_mutex_lock (&self->lock);
  gboolean known = seg_settings_get (&self->settings, id, value);
  g_mutex_unlock (&self->lock);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* --- the object ---------------------------------------------------------------------------------- */

static void
gst_vk_seg_session_finalize (GObject *object)
{
  GstVkSegSession *self = GST_VK_SEG_SESSION (object);
  seg_app_drop_pipe (self);
  seg_net_free (&self->net);
  seg_settings_clear (&self->settings);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_vk_seg_session_parent_class)->finalize (object);
}

static void
gst_vk_seg_session_init (GstVkSegSession *self)
{
  g_mutex_init (&self->lock);
  seg_settings_init (&self->settings);
  self->settings.output = SEG_OUTPUT_META;
}

static void
gst_vk_seg_session_class_init (GstVkSegSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->set_property = gst_vk_seg_session_set_property;
  object_class->get_property = gst_vk_seg_session_get_property;
  object_class->finalize = gst_vk_seg_session_finalize;
  seg_log_to_gst ();
  seg_app_install_properties (object_class);
}
