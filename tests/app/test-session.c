/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstVkSegSession: networks on pictures without a pipeline. */
#include "frame/color-net.h"

#include "lib/device.h"
#include "meta/gstvksegsession.h"

#include <math.h>
#include <string.h>

#define WIDTH  160
#define HEIGHT 80

static char *dir;
static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };

static GstVkSegSession *
open_session (ColorNetKind kind, const char *info)
{
  g_autofree char *model = color_net_write (dir, "net", kind, info);
  GstVkSegSession *session = gst_vk_seg_session_new (model);
  g_object_set (session, "cache-dir", dir, NULL);
  return session;
}

/* Red on the left, green on the right; rows are `padding` bytes longer than they need be. */
static GBytes *
new_picture (GstVideoInfo *info, guint width, guint height, guint padding)
{
  g_assert_true (gst_video_info_set_format (info, GST_VIDEO_FORMAT_RGB, width, height));
  gsize stride = 3 * (gsize) width + padding;
  SegFrame frame = { .format = SEG_FORMAT_RGB,
    .color = seg_color_bt709,
    .width = width,
    .height = height,
    .stride = { stride } };
  GST_VIDEO_INFO_PLANE_STRIDE (info, 0) = (gint) stride;
  GST_VIDEO_INFO_SIZE (info) = stride * height;
  guint8 *data = g_malloc0 (stride * height);
  color_net_paint (&frame, data, 0, width / 2, red);
  color_net_paint (&frame, data, width / 2, width, green);
  return g_bytes_new_take (data, stride * height);
}

static GstBuffer *
run (GstVkSegSession *session, guint width, guint height, guint padding)
{
  GstVideoInfo info;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) pixels = new_picture (&info, width, height, padding);
  GstBuffer *result = gst_vk_seg_session_run_bytes (session, pixels, &info, &error);
  g_assert_no_error (error);
  g_assert_nonnull (result);
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (result);
  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->frame_width, ==, width);
  g_assert_cmpuint (meta->frame_height, ==, height);
  g_assert_cmpuint (gst_buffer_get_size (result), ==, 0);
  return result;
}

static guint
count_instances (GstVkSegSession *session)
{
  g_autoptr (GstBuffer) result = run (session, WIDTH, HEIGHT, 0);
  return gst_vk_seg_meta_get_n_instances (gst_buffer_get_vk_seg_meta (result));
}

/* A result outlives the session, pictures of several sizes and strides pass. */
static void
test_instances (void)
{
  static const guint sizes[][3] = { { WIDTH, HEIGHT, 0 }, { WIDTH, HEIGHT, 7 },
    { 61, 43, 2 }, { WIDTH, HEIGHT, 0 } };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const guint *s = sizes[i];
    GstVkSegSession *session = open_session (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
    gst_buffer_unref (run (session, 90, 30, 0));
    g_autoptr (GstBuffer) result = run (session, s[0], s[1], s[2]);
    g_object_unref (session);
    const GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (result);
    g_assert_cmpint (meta->type, ==, GST_VK_SEG_RESULT_INSTANCE);
    g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 2);
    const GstVkSegInstance *warm = gst_vk_seg_meta_get_instance (meta, 0);
    g_assert_cmpstr (warm->label, ==, "warm");
    g_assert_cmpfloat (fabs (warm->score - 0.9), <, COLOR_NET_SCORE_ERROR);
    g_autoptr (GBytes) mask = gst_vk_seg_instance_get_mask_bytes (warm, s[0], s[1]);
    const guint8 *pixels = g_bytes_get_data (mask, NULL);
    const guint8 *row = pixels + (s[1] / 2) * s[0];
    /* Red within the box, which begins at a sixteenth of the width. */
    g_assert_cmpuint (row[s[0] / 32], ==, 0);
    g_assert_cmpuint (row[s[0] / 4], ==, 255);
    g_assert_cmpuint (row[s[0] * 3 / 4], ==, 0);
  }
}

static void
test_maps (void)
{
  g_autoptr (GstVkSegSession) session = open_session (COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_autoptr (GstBuffer) result = run (session, WIDTH, HEIGHT, 0);
  const GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (result);
  g_assert_cmpint (meta->type, ==, GST_VK_SEG_RESULT_SEMANTIC);
  g_autoptr (GBytes) map = gst_vk_seg_meta_get_map_bytes (meta, WIDTH, HEIGHT);
  const guint8 *row = (const guint8 *) g_bytes_get_data (map, NULL) + WIDTH * HEIGHT / 2;
  g_assert_cmpuint (row[10], ==, 1);
  g_assert_cmpuint (row[150], ==, 2);
  g_assert_cmpstr (meta->labels->pdata[2], ==, "green");
}

/* As with the element: some properties with the next picture, others when it is loaded again. */
static void
test_properties (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstVkSegSession) session =
      open_session (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
  g_assert_cmpuint (count_instances (session), ==, 2);
  g_object_set (session, "threshold", 0.7, NULL);
  g_assert_cmpuint (count_instances (session), ==, 1);
  g_object_set (session, "classes", "cold", "threshold", -1.0, NULL);
  g_assert_cmpuint (count_instances (session), ==, 1);
  g_object_set (session, "classes", NULL, "max-detections", 1, NULL);
  g_assert_cmpuint (count_instances (session), ==, 2);
  g_assert_true (gst_vk_seg_session_load (session, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_instances (session), ==, 1);
  guint max = 0;
  GstVkSegPrecision precision = GST_VK_SEG_PRECISION_FP16;
  g_object_get (session, "max-detections", &max, "precision", &precision, NULL);
  g_assert_cmpuint (max, ==, 1);
  g_assert_cmpint (precision, ==, GST_VK_SEG_PRECISION_AUTO);
}

static void
test_info (void)
{
  g_autoptr (GstVkSegSession) session = open_session (COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_assert_null (gst_vk_seg_session_get_info (session));
  g_assert_null (gst_vk_seg_session_get_labels (session));
  g_object_set (session, "precision", GST_VK_SEG_PRECISION_FP32, NULL);
  gst_buffer_unref (run (session, WIDTH, HEIGHT, 0));
  GstStructure *info = gst_vk_seg_session_get_info (session);
  guint width = 0, classes = 0;
  gint precision = -1;
  gdouble ms = 0.0;
  g_assert_true (gst_structure_get (info, "width", G_TYPE_UINT, &width, "classes",
      G_TYPE_UINT, &classes, "precision", GST_TYPE_VK_SEG_PRECISION, &precision,
      "last-ms", G_TYPE_DOUBLE, &ms, NULL));
  g_assert_cmpuint (width, ==, COLOR_NET_WIDTH);
  g_assert_cmpuint (classes, ==, 4);
  g_assert_cmpint (precision, ==, GST_VK_SEG_PRECISION_FP32);
  g_assert_cmpfloat (ms, >, 0.0);
  g_assert_cmpstr (gst_structure_get_string (info, "task"), ==, "semantic");
  gst_structure_free (info);
  g_auto (GStrv) labels = gst_vk_seg_session_get_labels (session);
  g_assert_cmpuint (g_strv_length (labels), ==, 4);
  g_assert_cmpstr (labels[3], ==, "blue");
}

/* --- what goes wrong -------------------------------------------------------------------------------- */

static void
refuse (GstVkSegSession *session, const GstVideoInfo *info, gsize n_bytes, int code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) pixels = g_bytes_new_take (g_malloc0 (MAX (n_bytes, 1)), n_bytes);
  g_assert_null (gst_vk_seg_session_run_bytes (session, pixels, info, &error));
  g_assert_error (error, GST_VK_SEG_ERROR, code);
}

/* A meta whose rows end after the buffer. */
static void
refuse_meta (GstVkSegSession *session, const GstVideoInfo *info)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 1 << 20 };
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), WIDTH, HEIGHT, 1, offset, stride);
  g_assert_null (gst_vk_seg_session_run_buffer (session, buffer, info, &error));
  g_assert_error (error, GST_VK_SEG_ERROR, GST_VK_SEG_ERROR_INPUT);
}

/* A meta that counts rows beyond the picture, which may have no memory. */
static void
test_larger_meta (void)
{
  g_autoptr (GstVkSegSession) session =
      open_session (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 0x80, info.size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB,
      WIDTH, 1000 * HEIGHT, 1, info.offset, info.stride);
  g_autoptr (GstBuffer) result =
      gst_vk_seg_session_run_buffer (session, buffer, &info, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (gst_buffer_get_vk_seg_meta (result)->frame_height, ==, HEIGHT);
}

static void
test_pictures_refused (void)
{
  g_autoptr (GstVkSegSession) session =
      open_session (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
  refuse (session, &info, 100, GST_VK_SEG_ERROR_INPUT);
  refuse (session, &info, 0, GST_VK_SEG_ERROR_INPUT);
  refuse_meta (session, &info);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_AYUV64, WIDTH, HEIGHT);
  refuse (session, &info, info.size, GST_VK_SEG_ERROR_INPUT);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, 16385, 1);
  refuse (session, &info, info.size, GST_VK_SEG_ERROR_INPUT);
  g_object_set (session, "classes", "lukewarm", NULL);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
  refuse (session, &info, info.size, GST_VK_SEG_ERROR_INPUT);
  g_object_set (session, "classes", "warm", NULL); /* and it goes on */
  g_assert_cmpuint (count_instances (session), ==, 1);
}

static void
refuse_load (const char *model, const char *property, const char *value, int code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstVkSegSession) session = gst_vk_seg_session_new (model);
  if (property != NULL)
    g_object_set (session, property, value, NULL);
  g_assert_false (gst_vk_seg_session_load (session, &error));
  g_assert_error (error, GST_VK_SEG_ERROR, code);
  g_assert_null (gst_vk_seg_session_get_info (session));
}

static void
test_models_refused (void)
{
  g_autofree char *model = color_net_write (dir, "net", COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_autofree char *text = g_build_filename (dir, "text.onnx", NULL);
  g_assert_true (g_file_set_contents (text, "no network at all", -1, NULL));
  refuse_load ("/nowhere/net.onnx", NULL, NULL, GST_VK_SEG_ERROR_FILE);
  refuse_load (text, NULL, NULL, GST_VK_SEG_ERROR_MODEL);
  refuse_load (model, "device", "no such device", GST_VK_SEG_ERROR_DEVICE);
  refuse_load (model, "classes", "lukewarm", GST_VK_SEG_ERROR_INPUT);
}

/* --- threads --------------------------------------------------------------------------------------- */

static gpointer
run_often (gpointer data)
{
  for (guint i = 0; i < 6; i++) {
    g_object_set (data, "threshold", i % 2 ? 0.7 : 0.2, NULL);
    gst_buffer_unref (run (data, i % 3 ? WIDTH : 90, HEIGHT, 0));
  }
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (GstVkSegSession) session =
      open_session (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
  GThread *threads[3];
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, run_often, session);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_object_set (session, "threshold", -1.0, NULL);
  g_assert_cmpuint (count_instances (session), ==, 2);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  int status = 0;
  SegVk *vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  g_test_add_func ("/session/instances", test_instances);
  g_test_add_func ("/session/maps", test_maps);
  g_test_add_func ("/session/properties", test_properties);
  g_test_add_func ("/session/info", test_info);
  g_test_add_func ("/session/larger-meta", test_larger_meta);
  g_test_add_func ("/session/pictures-refused", test_pictures_refused);
  g_test_add_func ("/session/models-refused", test_models_refused);
  g_test_add_func ("/session/threads", test_threads);
  status = g_test_run ();
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  seg_vk_unref (vk);
  color_net_remove (dir);
  g_free (dir);
  return status;
}
