/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches a camera and prints what is in front of it: no window, no GTK, no SDL.
 *
 *   cc camera.c -o camera $(pkg-config --cflags --libs gstvkseg-1.0)
 *   ./camera yolov8n-seg.onnx [SOURCE]
 *
 * The first argument is a model by path or name; the second a source, as gst-launch-1.0 takes it:
 * "v4l2src device=/dev/video2", by default autovideosrc. Ends with Ctrl-C, or with the source. Exit
 * status: 0, 1 when something failed, 2 for wrong usage. */
#include <gst/vkseg/vkseg.h>

#include <stdlib.h>

/* Frames are taken out by hand here, on the application's own thread. Of those that come while it is
 * busy, the queue of the appsink keeps the newest, and mode=drop does the same for the network: so
 * neither holds up the camera. */
#define PIPELINE                                                                         \
  "%s ! videoconvert ! vksegment name=segment output=meta mode=drop ! appsink "          \
  "name=sink max-buffers=1 drop=true"

static GstElement *
make_pipeline (const char *model, const char *source, GError **error)
{
  g_autofree char *text = g_strdup_printf (PIPELINE, source);
  GstElement *pipeline = gst_parse_launch (text, error);
  if (pipeline == NULL)
    return NULL;
  g_autoptr (GstElement) segment = gst_bin_get_by_name (GST_BIN (pipeline), "segment");
  g_object_set (segment, "model", model, NULL);
  return pipeline;
}

static void
print_map (const GstVkSegMeta *meta)
{
  guint64 n = 0;
  g_autoptr (GBytes) bytes = gst_vk_seg_meta_get_foreground_bytes (
      meta, FALSE, meta->frame_width, meta->frame_height);
  const guint8 *pixels = g_bytes_get_data (bytes, NULL);
  gsize n_pixels = g_bytes_get_size (bytes);
  for (gsize i = 0; i < n_pixels; i++)
    n += pixels[i] != 0;
  g_print (" %.0f %% of the picture", 100.0 * (double) n / (double) n_pixels);
}

/* The meta and its instances belong to the buffer, and the buffer to the sample. */
static void
print_frame (GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  const GstVkSegInstance *object;
  guint state = 0;
  if (meta == NULL)
    return;
  g_print ("%.2f s:", (double) GST_BUFFER_PTS (buffer) / GST_SECOND);
  if (meta->map != NULL)
    print_map (meta);
  while ((object = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL)
    g_print (" %s %.2f", object->label != NULL ? object->label : "?", object->score);
  g_print (" (%u frames old)\n", meta->age);
}

/* FALSE when there was an error; *ended when there is no more. */
static gboolean
check_bus (GstBus *bus, gboolean *ended)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  *ended = message != NULL;
  if (message == NULL || GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return TRUE;
  gst_message_parse_error (message, &error, &debug);
  g_printerr ("%s: %s\n%s\n", GST_MESSAGE_SRC_NAME (message), error->message,
      debug != NULL ? debug : "");
  return FALSE;
}

static gboolean
run (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gboolean ok = TRUE, ended = FALSE;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!ended) {
    GstSample *sample = NULL;
    /* What gstreamer-app-1.0 calls gst_app_sink_try_pull_sample. */
    g_signal_emit_by_name (sink, "try-pull-sample", GST_SECOND / 10, &sample);
    if (sample != NULL) {
      print_frame (sample);
      gst_sample_unref (sample);
    } else {
      ok = check_bus (bus, &ended);
    }
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return ok;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gst_init (&argc, &argv);
  if (argc != 2 && argc != 3) {
    g_printerr ("usage: camera MODEL [SOURCE]\n");
    return 2;
  }
  g_autoptr (GstElement) pipeline =
      make_pipeline (argv[1], argc == 3 ? argv[2] : "autovideosrc", &error);
  if (pipeline == NULL) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  return run (pipeline) ? EXIT_SUCCESS : EXIT_FAILURE;
}
