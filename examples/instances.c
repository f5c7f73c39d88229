/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints what vksegment finds in a picture or a video, from an application's own code.
 *
 *   cc instances.c -o instances $(pkg-config --cflags --libs gstvkseg-1.0)
 *   ./instances dog.jpg yolov8n-seg.onnx [PROPERTY=VALUE...]
 *
 * The first argument is a file or a URI, the second a model by path or name; what follows are
 * properties of vksegment, as "model-info=FILE" or "threshold=0.5". Results are lines of text,
 * errors come from the bus. Exit status: 0, 1 when something failed, 2 for wrong usage. */
#include <gst/vkseg/vkseg.h>

#include <stdlib.h>

/* Pixels of the frame that belong to an instance. Only the part of the frame that its box covers
 * is made, so that this costs what the object is large. */
static guint
count_pixels (const GstVkSegInstance *object, guint width, guint height)
{
  GstVideoRectangle extent;
  guint n = 0;
  if (!gst_vk_seg_instance_get_extent (object, width, height, &extent))
    return 0;
  gsize n_bytes = (gsize) extent.w * (gsize) extent.h;
  g_autofree guint8 *pixels = g_malloc (n_bytes);
  if (!gst_vk_seg_instance_get_mask_in_extent (
          object, width, height, pixels, (gsize) extent.w))
    return 0;
  for (gsize i = 0; i < n_bytes; i++)
    n += pixels[i] != 0;
  return n;
}

static void
print_instance (const GstVkSegInstance *object, const GstVkSegMeta *meta)
{
  const GstVkSegRect *box = &object->box;
  g_print ("  %-12s %.2f  at %.0f,%.0f  %.0f x %.0f  %u px\n",
      object->label != NULL ? object->label : "?", object->score, box->x, box->y,
      box->width, box->height,
      count_pixels (object, meta->frame_width, meta->frame_height));
}

/* Called on the streaming thread for each frame. The meta and its instances belong to the buffer:
 * what is kept longer is copied, by gst_vk_seg_instance_copy(). */
static void
on_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  static const char *const kinds[] = { "a label map", "instances", "a matte", "boxes" };
  const GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  const GstVkSegInstance *object;
  guint state = 0;
  if (meta == NULL) {
    g_print ("%" GST_TIME_FORMAT " no result\n", GST_TIME_ARGS (GST_BUFFER_PTS (buffer)));
    return;
  }
  g_print ("%" GST_TIME_FORMAT " %u x %u, %s, %u objects\n",
      GST_TIME_ARGS (GST_BUFFER_PTS (buffer)), meta->frame_width, meta->frame_height,
      meta->type < G_N_ELEMENTS (kinds) ? kinds[meta->type] : "something newer",
      gst_vk_seg_meta_get_n_instances (meta));
  while ((object = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL)
    print_instance (object, meta);
}

/* "name=value", as gst-launch-1.0 takes it. */
static gboolean
set_property (GstElement *element, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "=", 2);
  if (g_strv_length (parts) != 2
      || g_object_class_find_property (G_OBJECT_GET_CLASS (element), parts[0]) == NULL) {
    g_printerr (
        "'%s' is not PROPERTY=VALUE of vksegment: gst-inspect-1.0 vksegment\n", text);
    return FALSE;
  }
  gst_util_set_object_arg (G_OBJECT (element), parts[0], parts[1]);
  return TRUE;
}

static GstElement *
make_pipeline (char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = gst_uri_is_valid (argv[1])
                             ? g_strdup (argv[1])
                             : gst_filename_to_uri (argv[1], &error);
  if (uri == NULL) {
    g_printerr ("%s: %s\n", argv[1], error->message);
    return NULL;
  }
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "uridecodebin name=source ! videoconvert ! vksegment name=segment "
      "output=meta ! fakesink name=sink signal-handoffs=true sync=false",
      &error);
  if (error != NULL) { /* an element is missing, GST_PLUGIN_PATH perhaps unset */
    g_printerr ("%s\n", error->message);
    return NULL;
  }
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) segment = gst_bin_get_by_name (GST_BIN (pipeline), "segment");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (source, "uri", uri, NULL);
  g_object_set (segment, "model", argv[2], NULL);
  for (char **more = argv + 3; *more != NULL; more++)
    if (!set_property (segment, *more))
      return NULL;
  g_signal_connect (sink, "handoff", G_CALLBACK (on_frame), NULL);
  return g_steal_pointer (&pipeline);
}

/* An error has a text for users, and one for who wants to know more; vksegment says in that what
 * to do. */
static void
print_problem (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  g_printerr ("%s: %s\n", GST_MESSAGE_SRC_NAME (message), error->message);
  if (debug != NULL)
    g_printerr ("%s\n", debug);
}

/* Until the stream ends or something fails: also what fails while starting, such as a model that
 * is not there, is told on the bus. */
static gboolean
run (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessageType type = GST_MESSAGE_WARNING;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (type == GST_MESSAGE_WARNING) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    type = GST_MESSAGE_TYPE (message);
    if (type != GST_MESSAGE_EOS)
      print_problem (message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return type == GST_MESSAGE_EOS;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc < 3) {
    g_printerr ("usage: instances FILE|URI MODEL [PROPERTY=VALUE...]\n");
    return 2;
  }
  g_autoptr (GstElement) pipeline = make_pipeline (argv);
  if (pipeline == NULL)
    return EXIT_FAILURE;
  return run (pipeline) ? EXIT_SUCCESS : EXIT_FAILURE;
}
