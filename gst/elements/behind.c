/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/behind.h"

/* For a picture to be decoded. */
#define PATIENCE (10 * GST_SECOND)

/* --- the picture ----------------------------------------------------------------------------------- */

/* What went wrong, as the element says that failed first. message: an error, or another or NULL where
 * none said so. */
static void
refuse (GstMessage *message, const char *path, GError **error)
{
  g_autoptr (GError) cause = NULL;
  if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &cause, NULL);
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
      "background-image '%s' cannot be shown: %s", path,
      cause != NULL ? cause->message : "there is no picture in it");
}

static GstElement *
make_decoder (const char *path, GError **error)
{
  GError *cause = NULL;
  GstElement *pipeline =
      gst_parse_launch ("filesrc name=file ! decodebin ! videoconvert ! "
                        "video/x-raw,format=RGBA ! fakesink name=sink sync=false",
          &cause);
  if (cause != NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "background-image '%s' cannot be shown: %s", path, cause->message);
    g_error_free (cause);
    gst_clear_object (&pipeline);
    return NULL;
  }
  g_autoptr (GstElement) file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  g_object_set (file, "location", path, NULL);
  return pipeline;
}

/* ASYNC_DONE with a picture; another, or NULL, without. An element that fails only says so: the
 * state would be waited for in vain. */
static GstMessage *
wait_for_picture (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  if (gst_element_set_state (pipeline, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
    return gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  return gst_bus_timed_pop_filtered (
      bus, PATIENCE, GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
}

/* The first picture of the file, as RGBA. */
static GstSample *
decode (const char *path, GError **error)
{
  GstSample *sample = NULL;
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR)) { /* opening others may block */
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "background-image '%s' cannot be shown: there is no such file", path);
    return NULL;
  }
  GstElement *pipeline = make_decoder (path, error);
  if (pipeline == NULL)
    return NULL;
  g_autoptr (GstMessage) message = wait_for_picture (pipeline);
  if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ASYNC_DONE) {
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_object_get (sink, "last-sample", &sample, NULL);
  }
  if (sample == NULL)
    refuse (message, path, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return sample;
}

/* --- to a frame ------------------------------------------------------------------------------------- */

/* The middle of `from` that has the shape of `to`. */
static GstStructure *
cover (const GstVideoInfo *from, const GstVideoInfo *to)
{
  gint width = from->width, height = from->height;
  gint par_n = from->par_n * to->par_d, par_d = from->par_d * to->par_n;
  /* as wide as the frame is, for all of its height; or the other way round */
  gint64 fits = gst_util_uint64_scale ((guint64) height * (guint64) to->width,
      (guint64) par_d, (guint64) par_n * (guint64) to->height);
  if (fits <= width)
    width = (gint) MAX (fits, 1);
  else
    height = (gint) MAX (1, gst_util_uint64_scale ((guint64) width * (guint64) to->height,
                                (guint64) par_n, (guint64) par_d * (guint64) to->width));
  return gst_structure_new ("cover", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT,
      (from->width - width) / 2, GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT,
      (from->height - height) / 2, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT, width,
      GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, height, NULL);
}

/* Scales and converts, and gives it to the pipe. */
static gboolean
show (SegPipe *pipe, GstVideoFrame *picture, const GstVideoInfo *frame, GError **error)
{
  GstVideoInfo info = *frame;
  GstVideoFrame out;
  gst_video_info_set_format (&info, GST_VIDEO_INFO_FORMAT (frame),
      (guint) GST_VIDEO_INFO_WIDTH (frame), (guint) GST_VIDEO_INFO_HEIGHT (frame));
  /* A converter wants both to be of one rate and one interlacing, which mean nothing here. */
  info.fps_n = picture->info.fps_n;
  info.fps_d = picture->info.fps_d;
  info.interlace_mode = picture->info.interlace_mode;
  info.colorimetry = frame->colorimetry;
  info.chroma_site = frame->chroma_site;
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  GstVideoConverter *converter =
      gst_video_converter_new (&picture->info, &info, cover (&picture->info, frame));
  if (converter == NULL
      || !gst_video_frame_map (&out, &info, buffer, GST_MAP_READWRITE)) {
    g_clear_pointer (&converter, gst_video_converter_free);
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "the background cannot be converted to %s",
        gst_video_format_to_string (info.finfo->format));
    return FALSE;
  }
  gst_video_converter_frame (converter, picture, &out);
  gst_video_converter_free (converter);
  const guint8 *planes[] = { out.data[0], out.data[1], out.data[2] };
  gboolean ok = seg_pipe_set_backdrop (pipe, planes, out.info.stride, error);
  gst_video_frame_unmap (&out);
  return ok;
}

static gboolean
show_buffer (SegPipe *pipe, GstBuffer *buffer, const GstVideoInfo *info,
    const GstVideoInfo *frame, GError **error)
{
  GstVideoFrame picture;
  if (!gst_video_frame_map (&picture, info, buffer, GST_MAP_READ)) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_INPUT, "the background cannot be read");
    return FALSE;
  }
  gboolean ok = show (pipe, &picture, frame, error);
  gst_video_frame_unmap (&picture);
  return ok;
}

static gboolean
set_image (SegPipe *pipe, const char *path, const GstVideoInfo *frame, GError **error)
{
  GstVideoInfo info;
  if (path == NULL || path[0] == '\0') {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_INPUT,
        "background=image wants a file: set background-image");
    return FALSE;
  }
  g_autoptr (GstSample) sample = decode (path, error);
  if (sample == NULL)
    return FALSE;
  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample))) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_INPUT, "background-image '%s' has no picture", path);
    return FALSE;
  }
  return show_buffer (pipe, gst_sample_get_buffer (sample), &info, frame, error);
}

/* A picture of that colour alone. */
static gboolean
set_color (SegPipe *pipe, guint argb, const GstVideoInfo *frame, GError **error)
{
  GstVideoInfo info;
  guint8 pixels[16 * 16 * 4];
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, 16, 16);
  for (guint i = 0; i < 16 * 16; i++) {
    pixels[4 * i] = (guint8) (argb >> 16);
    pixels[4 * i + 1] = (guint8) (argb >> 8);
    pixels[4 * i + 2] = (guint8) argb;
    pixels[4 * i + 3] = 255;
  }
  g_autoptr (GstBuffer) buffer = gst_buffer_new_memdup (pixels, sizeof pixels);
  return show_buffer (pipe, buffer, &info, frame, error);
}

gboolean
seg_behind_set (
    SegPipe *pipe, const SegSettings *s, const GstVideoInfo *frame, GError **error)
{
  if (s->output != SEG_OUTPUT_BACKGROUND || s->background == SEG_BACKGROUND_BLUR)
    return TRUE;
  return s->background == SEG_BACKGROUND_IMAGE
             ? set_image (pipe, s->background_image, frame, error)
             : set_color (pipe, s->background_color, frame, error);
}
