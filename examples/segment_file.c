/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds what is in a picture with a session, without a vksegment in a pipeline; prints it, and writes
 * the mask of everything together as a PGM file.
 *
 *   cc segment_file.c -o segment_file $(pkg-config --cflags --libs gstvkseg-1.0)
 *   ./segment_file dog.jpg yolov8n-seg.onnx mask.pgm [PROPERTY=VALUE...]
 *
 * The first argument is a file or a URI of a picture (or a video: its first frame) that GStreamer
 * decodes, or a raw picture as WIDTHxHEIGHT:FORMAT:FILE, such as 640x480:RGB:frame.bin; the second a
 * model by path or name. What follows are properties of the session, as "model-info=FILE" or
 * "threshold=0.5". Exit status: 0, 1 when something failed, 2 for wrong usage. */
#include <gst/vkseg/vkseg.h>

#include <stdio.h>
#include <stdlib.h>

/* --- a picture ----------------------------------------------------------------------------------- */

/* Why the pipeline gave no frame. */
static void
take_bus_error (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message != NULL)
    gst_message_parse_error (message, error, NULL);
  else
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "no picture");
}

static GstSample *
decode (const char *name, GError **error)
{
  GstSample *sample = NULL;
  g_autofree char *uri =
      gst_uri_is_valid (name) ? g_strdup (name) : gst_filename_to_uri (name, error);
  if (uri == NULL)
    return NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "uridecodebin name=source ! videoconvert ! video/x-raw,format=RGB ! appsink "
      "name=sink",
      error);
  if (pipeline == NULL)
    return NULL;
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (source, "uri", uri, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  /* The first frame, or NULL after an error. */
  if (gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE)
      != GST_STATE_CHANGE_FAILURE)
    g_signal_emit_by_name (sink, "pull-preroll", &sample);
  if (sample == NULL) {
    take_bus_error (pipeline, error);
    g_prefix_error (error, "%s: ", name);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return sample;
}

/* "640x480:RGB:frame.bin"; FALSE when it does not begin so. Rows lie as GStreamer has them: padded to
 * four bytes. */
static gboolean
parse_raw (const char *text, GstVideoInfo *info, const char **file)
{
  unsigned width, height;
  char format[16];
  int n = 0;
  if (sscanf (text, "%5ux%5u:%15[^:]:%n", &width, &height, format, &n) != 3 || n == 0)
    return FALSE;
  *file = text + n;
  return gst_video_info_set_format (
      info, gst_video_format_from_string (format), width, height);
}

/* --- a result ------------------------------------------------------------------------------------- */

static GstBuffer *
segment (GstVkSegSession *session, const char *name, GError **error)
{
  GstVideoInfo info;
  const char *file;
  if (parse_raw (name, &info, &file)) {
    char *data;
    gsize n_bytes;
    if (!g_file_get_contents (file, &data, &n_bytes, error))
      return NULL;
    g_autoptr (GBytes) pixels = g_bytes_new_take (data, n_bytes);
    return gst_vk_seg_session_run_bytes (session, pixels, &info, error);
  }
  GstSample *sample = decode (name, error);
  if (sample == NULL)
    return NULL;
  gst_video_info_from_caps (&info, gst_sample_get_caps (sample));
  GstBuffer *result = gst_vk_seg_session_run_buffer (
      session, gst_sample_get_buffer (sample), &info, error);
  gst_sample_unref (sample);
  return result;
}

static void
print_result (const GstVkSegMeta *meta)
{
  static const char *const kinds[] = { "a label map", "instances", "a matte", "boxes" };
  const GstVkSegInstance *object;
  guint state = 0;
  g_print ("%u x %u, %s, %u objects\n", meta->frame_width, meta->frame_height,
      meta->type < G_N_ELEMENTS (kinds) ? kinds[meta->type] : "something newer",
      gst_vk_seg_meta_get_n_instances (meta));
  while ((object = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL)
    g_print ("  %-12s %.2f  at %.0f,%.0f  %.0f x %.0f\n",
        object->label != NULL ? object->label : "?", object->score, object->box.x,
        object->box.y, object->box.width, object->box.height);
}

/* White where there is something, at the picture's size. */
static gboolean
write_mask (const GstVkSegMeta *meta, const char *file, GError **error)
{
  guint width = meta->frame_width, height = meta->frame_height;
  g_autoptr (GString) pgm = g_string_new (NULL);
  g_string_append_printf (pgm, "P5\n%u %u\n255\n", width, height);
  gsize at = pgm->len;
  g_string_set_size (pgm, at + (gsize) width * height);
  if (!gst_vk_seg_meta_get_foreground_at_size (
          meta, FALSE, width, height, (guint8 *) pgm->str + at, width)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "boxes have no mask");
    return FALSE;
  }
  return g_file_set_contents (file, pgm->str, (gssize) pgm->len, error);
}

/* --- the program ---------------------------------------------------------------------------------- */

/* "name=value", as gst-launch-1.0 takes it. */
static gboolean
set_property (GstVkSegSession *session, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "=", 2);
  if (g_strv_length (parts) != 2
      || g_object_class_find_property (G_OBJECT_GET_CLASS (session), parts[0]) == NULL) {
    g_printerr ("'%s' is not PROPERTY=VALUE of a session\n", text);
    return FALSE;
  }
  gst_util_set_object_arg (G_OBJECT (session), parts[0], parts[1]);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gst_init (&argc, &argv);
  if (argc < 4) {
    g_printerr ("usage: segment_file PICTURE MODEL MASK.pgm [PROPERTY=VALUE...]\n");
    return 2;
  }
  g_autoptr (GstVkSegSession) session = gst_vk_seg_session_new (argv[2]);
  for (char **more = argv + 4; *more != NULL; more++)
    if (!set_property (session, *more))
      return EXIT_FAILURE;
  g_autoptr (GstBuffer) result = segment (session, argv[1], &error);
  const GstVkSegMeta *meta = result != NULL ? gst_buffer_get_vk_seg_meta (result) : NULL;
  if (meta != NULL)
    print_result (meta);
  if (meta == NULL || !write_mask (meta, argv[3], &error)) {
    g_printerr ("segment_file: %s\n", error->message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
