/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linear frames in dma-bufs beside the same frames in host memory. */
#define _GNU_SOURCE /* memfd_create */
#include "dmabuf-streams.h"

#include "elements/settings.h"
#include "meta/gstvksegmeta.h"

#include <dirent.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE DMABUF_PAGE

/* --- the same pixels ------------------------------------------------------------------------------- */

static void
test_formats (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (dmabuf_formats); i++) {
    GstVideoInfo info;
    gst_video_info_set_format (
        &info, dmabuf_formats[i], i % 2 ? 161 : 160, i % 2 ? 61 : 120);
    g_autofree char *format =
        g_strdup_printf ("format=%s", gst_video_format_to_string (dmabuf_formats[i]));
    dmabuf_compare (DMABUF_FEATURE, format, &info, PLAIN, "");
    dmabuf_compare (DMABUF_FEATURE, format, &info, PADDED, "");
  }
}

/* Also as io-mode=dmabuf of v4l2src gives them: the caps say nothing of it. */
static void
test_layouts (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 162, 90);
  for (guint layout = 0; layout < N_LAYOUTS; layout++) {
    dmabuf_compare (DMABUF_FEATURE, "format=NV12", &info, (DmabufLayout) layout, "");
    dmabuf_compare ("", "format=NV12", &info, (DmabufLayout) layout, "");
  }
}

static void
test_outputs (void)
{
  static const char *const settings[] = { "output=labels", "output=cutout",
    "output=matte upsample=none", "output=matte upsample=guided", "interval=2",
    "tiling=overlap" };
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    dmabuf_compare (DMABUF_FEATURE, "format=NV12", &info, PADDED, settings[i]);
}

#if GST_CHECK_VERSION(1, 24, 0)

/* As DRM calls them. */
static void
test_drm (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (dmabuf_formats); i++) {
    GstVideoInfo info;
    gst_video_info_set_format (&info, dmabuf_formats[i], 160, 90);
    g_autofree char *drm = gst_video_dma_drm_fourcc_to_string (
        gst_video_dma_drm_fourcc_from_format (dmabuf_formats[i]), 0);
    g_autofree char *format =
        g_strdup_printf ("format=DMA_DRM,drm-format=(string)\"%s\"", drm);
    dmabuf_compare (DMABUF_FEATURE, format, &info, PADDED, "");
    dmabuf_compare (DMABUF_FEATURE, format, &info, PADDED, "output=labels");
  }
}

#endif

static void
test_modes (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  dmabuf_run_modes ("format=NV12", &info, PLAIN, N_LAYOUTS);
}

/* Regions are looked at by the CPU, which goes by the names that are not DRM's; before GStreamer 1.24 there are
 * no others. */
static void
test_regions (void)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  GstBaseTransform *transform = GST_BASE_TRANSFORM (gst_object_ref_sink (element));
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw" DMABUF_FEATURE ",format=DMA_DRM,drm-format=AB24;"
      "video/x-raw" DMABUF_FEATURE ",format=RGBA");
  g_autoptr (GstCaps) plain =
      gst_caps_from_string ("video/x-raw" DMABUF_FEATURE ",format=RGBA");
  g_object_set (element, "output", SEG_OUTPUT_META, NULL);
  for (guint i = 0; i < 4; i++) {
    GstPadDirection direction = i % 2 ? GST_PAD_SINK : GST_PAD_SRC;
    if (i == 2)
      g_object_set (element, "inference-region", SEG_INFERENCE_ROI_LIST, NULL);
    g_autoptr (GstCaps) other = GST_BASE_TRANSFORM_GET_CLASS (transform)->transform_caps (
        transform, direction, caps, NULL);
    gboolean all = i < 2 && GST_CHECK_VERSION (1, 24, 0);
    g_assert_true (gst_caps_is_equal (other, all ? caps : plain));
  }
  gst_object_unref (element);
}

/* The frame goes on as it came. */
static void
test_meta (void)
{
  enum { N = 4 };
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, 160, 90);
  GstHarness *h = dmabuf_harness (DMABUF_FEATURE, "format=RGBA", &info, "output=meta");
  for (guint i = 0; i < N; i++) {
    GstBuffer *buffer = dmabuf_frame (&info, i, PADDED, TRUE);
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, buffer);
    g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
    g_assert_nonnull (gst_buffer_get_vk_seg_meta (out));
  }
  g_assert_cmpuint (dmabuf_host_copies (h), ==, dmabuf_imports ? 0 : N);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  g_assert_true (
      gst_caps_features_contains (gst_caps_get_features (caps, 0), "memory:DMABuf"));
  gst_harness_teardown (h);
}

/* --- what is kept ------------------------------------------------------------------------------------ */

static guint
count_maps (void)
{
  g_autofree char *text = NULL;
  guint n = 0;
  g_assert_true (g_file_get_contents ("/proc/self/maps", &text, NULL, NULL));
  for (const char *at = text; (at = strstr (at, "memfd:vkseg-test")) != NULL; at++)
    n++;
  return n;
}

static guint
count_fds (void)
{
  guint n = 0;
  DIR *d = opendir ("/proc/self/fd");
  g_assert_nonnull (d);
  while (readdir (d) != NULL)
    n++;
  closedir (d);
  return n;
}

/* Of memory that goes nothing stays, whether the element goes first or last; and memory that comes again is
 * not imported again. */
static void
test_lifetimes (void)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  GstHarness *h = dmabuf_harness ("", "format=NV12", &info, "");
  GstBuffer *kept = dmabuf_frame (&info, 0, APART, TRUE);
  guint n_maps = 0, n_fds = 0;
  for (guint i = 0; i < 30; i++) {
    gst_buffer_unref (gst_harness_push_and_pull (h, gst_buffer_ref (kept)));
    gst_buffer_unref (
        gst_harness_push_and_pull (h, dmabuf_frame (&info, i, PADDED, TRUE)));
    if (i == 2) {
      n_maps = count_maps ();
      n_fds = count_fds ();
    }
  }
  g_assert_cmpuint (count_maps (), <=, n_maps);
  g_assert_cmpuint (count_fds (), <=, n_fds);
  gst_harness_teardown (h);
  gst_buffer_unref (kept);
  g_assert_cmpuint (count_maps (), ==, 0);
}

/* --- what is wrong ----------------------------------------------------------------------------------- */

static void
refuse (const GstVideoInfo *info, GstBuffer *buffer, const char *what)
{
  dmabuf_refuse ("", "format=NV12", info, buffer, what);
}

/* Metas that lie, of dma-bufs and of host memory. */
static void
test_hostile (void)
{
  static const struct {
    const char *what;
    guint plane;
    gssize add_offset;
    gint stride; /* 0: as it is */
    gint add_width;
    GstVideoFormat format; /* 0: as it is */
  } cases[] = {
    { "a plane that begins after the end", 0, 1 << 30, 0, 0, 0 },
    { "a plane that begins at the very end of numbers", 1, -1 - (1 << 20), 0, 0, 0 },
    { "a plane that ends after the end", 1, 9000, 0, 0, 0 },
    { "rows that end after the end", 0, 0, 1 << 20, 0, 0 },
    { "rows whose length overflows", 1, 0, G_MAXINT, 0, 0 },
    { "rows that go back", 0, 0, -256, 0, 0 },
    { "a narrower frame", 0, 0, 0, -64, 0 },
    { "another format", 0, 0, 0, 0, GST_VIDEO_FORMAT_I420 },
    { "a format that is none", 0, 0, 0, 0, GST_VIDEO_FORMAT_ENCODED },
  };
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    guint c = i / 2;
    GstBuffer *buffer = dmabuf_frame (&info, 0, PADDED, i % 2);
    GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
    meta->offset[cases[c].plane] += (gsize) cases[c].add_offset;
    if (cases[c].stride != 0)
      meta->stride[cases[c].plane] = cases[c].stride;
    meta->width = (guint) ((gint) meta->width + cases[c].add_width);
    if (cases[c].format != 0)
      meta->format = cases[c].format;
    refuse (&info, buffer, cases[c].what);
  }
}

/* Memory that is less than the caps say, also where the fd is less than the memory. */
static void
test_too_small (void)
{
  GstVideoInfo info;
  guint8 few[64] = { 0 };
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 160, 90);
  GstBuffer *buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, dmabuf_memory (few, sizeof few, 0));
  refuse (&info, buffer, "one page");
  int fd = memfd_create ("vkseg-test", MFD_CLOEXEC);
  dmabuf_write_fd (fd, PAGE, few, sizeof few, 0);
  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, dmabuf_memory_of_fd (fd, 6 * PAGE));
  refuse (&info, buffer, "an fd of one page that is said to be of six");
}

int
main (int argc, char **argv)
{
  int status = 0;
  if (!dmabuf_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/dmabuf/formats", test_formats);
  g_test_add_func ("/dmabuf/layouts", test_layouts);
  g_test_add_func ("/dmabuf/outputs", test_outputs);
#if GST_CHECK_VERSION(1, 24, 0)
  g_test_add_func ("/dmabuf/drm", test_drm);
#endif
  g_test_add_func ("/dmabuf/regions", test_regions);
  g_test_add_func ("/dmabuf/meta", test_meta);
  g_test_add_func ("/dmabuf/modes", test_modes);
  g_test_add_func ("/dmabuf/lifetimes", test_lifetimes);
  g_test_add_func ("/dmabuf/hostile", test_hostile);
  g_test_add_func ("/dmabuf/too-small", test_too_small);
  return dmabuf_run ();
}
