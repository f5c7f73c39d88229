/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of frames in dma-bufs, with modifiers as a device may list them, what GstVideoMeta says of tiled frames,
 * and the wait for those who write them; no device. */
#define _GNU_SOURCE /* memfd_create */
#include "elements/dmabufcaps.h"
#include "elements/videoframe.h"
#include "zerocopy/dmabuf.h"
#include "zerocopy/drm.h"
#include "zerocopy/tiling.h"

#include <gst/allocators/gstdmabuf.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#if GST_CHECK_VERSION(1, 24, 0)

#define DMA    "video/x-raw(memory:DMABuf),"
#define IMAGES "video/x-raw(memory:VulkanImage),"

/* NVIDIA's blocks, and Intel's Y tiles */
#define BLOCKS "0x0300000000606010"
#define TILES  "0x0100000000000002"

static const char *const device[] = { "NV12:" BLOCKS, "AB24:" BLOCKS, NULL };
static const char *const nothing[] = { NULL };

/* Takes `got`. */
static void
is_equal (const char *what, GstCaps *got, const char *wanted)
{
  g_autoptr (GstCaps) want = gst_caps_from_string (wanted);
  g_autofree char *text = gst_caps_to_string (got);
  g_test_message ("%s: %s", what, text);
  if (!gst_caps_is_strictly_equal (got, want))
    g_error ("%s: not %s", what, wanted);
  gst_caps_unref (got);
}

static GstCaps *
caps_of (const char *text)
{
  GstCaps *caps = gst_caps_from_string (text);
  g_assert_nonnull (caps);
  return caps;
}

/* Names that are not ours, or not the device's, are left out; all that is no dma-buf stays. */
static void
test_known (void)
{
  static const struct {
    const char *caps, *known, *without_device, *unknown_device;
  } cases[] = {
    { DMA "format=DMA_DRM,drm-format=NV12", DMA "format=DMA_DRM,drm-format=NV12",
        DMA "format=DMA_DRM,drm-format=NV12", DMA "format=DMA_DRM,drm-format=NV12" },
    { DMA "format=DMA_DRM,drm-format=NV12:" BLOCKS,
        DMA "format=DMA_DRM,drm-format=NV12:" BLOCKS, "EMPTY",
        DMA "format=DMA_DRM,drm-format=NV12:" BLOCKS },
    { DMA "format=DMA_DRM,drm-format=NV12:" TILES, "EMPTY", "EMPTY",
        DMA "format=DMA_DRM,drm-format=NV12:" TILES },
    { DMA "format=DMA_DRM,drm-format=P016:" BLOCKS, "EMPTY", "EMPTY", "EMPTY" },
    { DMA "format=DMA_DRM,drm-format=nonsense", "EMPTY", "EMPTY", "EMPTY" },
    { DMA "format=DMA_DRM,drm-format={NV12:" TILES ",NV12:" BLOCKS ",AB24,nonsense:1}",
        DMA "format=DMA_DRM,drm-format={NV12:" BLOCKS ",AB24}",
        DMA "format=DMA_DRM,drm-format=AB24",
        DMA "format=DMA_DRM,drm-format={NV12:" TILES ",NV12:" BLOCKS ",AB24}" },
    { DMA "format=DMA_DRM,width=64", DMA "format=DMA_DRM,width=64",
        DMA "format=DMA_DRM,width=64", DMA "format=DMA_DRM,width=64" },
    { DMA "format=RGBA;video/x-raw,format=NV12",
        DMA "format=RGBA;video/x-raw,format=NV12",
        DMA "format=RGBA;video/x-raw,format=NV12",
        DMA "format=RGBA;video/x-raw,format=NV12" },
    { "ANY", "ANY", "ANY", "ANY" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *caps = cases[i].caps;
    is_equal (caps, seg_caps_known_dmabuf (caps_of (caps), device), cases[i].known);
    is_equal (
        caps, seg_caps_known_dmabuf (caps_of (caps), nothing), cases[i].without_device);
    is_equal (
        caps, seg_caps_known_dmabuf (caps_of (caps), NULL), cases[i].unknown_device);
  }
}

static void
test_leave (void)
{
  static const struct {
    const char *caps, *linear, *tiled;
  } cases[] = {
    { DMA "format=DMA_DRM,drm-format=AB24,width=64", "video/x-raw,format=RGBA,width=64",
        "EMPTY" },
    { DMA "format=DMA_DRM,drm-format=AB24:" BLOCKS ",width=64", "EMPTY",
        "video/x-raw,format=RGBA,width=64" },
    { DMA "format=DMA_DRM,drm-format={AB24:" BLOCKS ",NV12,NV12:" BLOCKS "}",
        "video/x-raw,format=NV12", "video/x-raw,format={RGBA,NV12}" },
    { DMA "format=NV12;" IMAGES "format=NV12;video/x-raw,format=RGBA",
        "video/x-raw,format=NV12;" IMAGES "format=NV12;video/x-raw,format=RGBA",
        "EMPTY" },
    { DMA "format=DMA_DRM", "video/x-raw,format=" SEG_VIDEO_FORMATS, "EMPTY" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *caps = cases[i].caps;
    is_equal (caps, seg_caps_leave_dmabuf (caps_of (caps)), cases[i].linear);
    is_equal (caps, seg_caps_leave_tiled (caps_of (caps)), cases[i].tiled);
  }
}

/* Only to host memory; of the formats that are wanted, those that the device has. */
static void
test_enter (void)
{
  static const struct {
    const char *caps, *tiled;
  } cases[] = {
    { "video/x-raw,format=NV12,width=64",
        DMA "format=DMA_DRM,drm-format=NV12:" BLOCKS ",width=64" },
    { "video/x-raw,format={BGRA,RGBA,NV12}",
        DMA "format=DMA_DRM,drm-format={NV12:" BLOCKS ",AB24:" BLOCKS "}" },
    { "video/x-raw,format=YUY2", "EMPTY" },
    { "video/x-raw,width=64",
        DMA "format=DMA_DRM,drm-format={NV12:" BLOCKS ",AB24:" BLOCKS "},width=64" },
    { IMAGES "format=NV12", "EMPTY" },
    { DMA "format=NV12", "EMPTY" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *caps = cases[i].caps;
    is_equal (caps, seg_caps_enter_tiled (caps_of (caps), device), cases[i].tiled);
    is_equal (caps, seg_caps_enter_tiled (caps_of (caps), nothing), "EMPTY");
  }
  is_equal ("not known yet",
      seg_caps_enter_tiled (caps_of ("video/x-raw,format=NV12"), NULL),
      DMA "format=DMA_DRM");
  is_equal ("before", seg_caps_enter_dmabuf (caps_of ("video/x-raw,format=RGBA"), TRUE),
      DMA "format=DMA_DRM,drm-format=AB24;" DMA "format=RGBA;video/x-raw,format=RGBA");
  is_equal ("after", seg_caps_enter_dmabuf (caps_of ("video/x-raw,format=RGBA"), FALSE),
      "video/x-raw,format=RGBA;" DMA "format=DMA_DRM,drm-format=AB24;" DMA "format=RGBA");
}

/* What comes in tiled is as if it came in host memory. */
static void
test_info (void)
{
#define REST ",width=161,height=720,framerate=30/1,colorimetry=bt2020"
  g_autoptr (GstCaps) drm = caps_of (DMA "format=DMA_DRM,drm-format=NV12:" BLOCKS REST);
  g_autoptr (GstCaps) host = caps_of ("video/x-raw,format=NV12" REST);
  g_autoptr (GstCaps) unknown = caps_of (DMA "format=DMA_DRM,drm-format=none" REST);
  GstVideoInfo a, b;
  g_assert_true (seg_video_info (&a, drm));
  g_assert_true (seg_video_info (&b, host));
  g_assert_true (gst_video_info_is_equal (&a, &b));
  g_assert_false (seg_video_info (&a, unknown));
  g_assert_cmphex (seg_drm_modifier (drm), ==, 0x0300000000606010);
  g_assert_cmphex (seg_drm_modifier (host), ==, 0);
  g_assert_cmphex (seg_drm_modifier (unknown), ==, 0);
}

#endif

/* --- metas -------------------------------------------------------------------------------------------- */

#define PAGE 4096

static GstMemory *
new_memory (GstAllocator *allocator)
{
  int fd = memfd_create ("vkseg-test", MFD_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, 4 * PAGE), ==, 0);
  return gst_dmabuf_allocator_alloc (allocator, fd, 4 * PAGE);
}

typedef enum { ONE, DUPLICATE, PART, TWO } Memories;

/* Two planes of 64x48, the second one from byte 9000 on; or 9000 bytes into the other memory. */
static GstBuffer *
new_frame (GstAllocator *allocator, Memories memories)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *memory = new_memory (allocator);
  gsize offset[4] = { 0, 9000 };
  gint stride[4] = { 128, 128 };
  if (memories == PART) {
    gst_buffer_append_memory (buffer, gst_memory_share (memory, PAGE, 2 * PAGE + 1000));
    gst_memory_unref (memory);
  } else
    gst_buffer_append_memory (buffer, memory);
  if (memories == DUPLICATE || memories == TWO) {
    GstMemory *other = memories == TWO
                           ? new_memory (allocator)
                           : gst_dmabuf_allocator_alloc (allocator,
                               dup (gst_dmabuf_memory_get_fd (memory)), 4 * PAGE);
    gst_buffer_append_memory (buffer, other);
    offset[1] += 4 * PAGE;
  }
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_NV12, 64, 48, 2, offset, stride);
  return buffer;
}

static gboolean
find (GstBuffer *buffer, SegTiling *tiling, GstMemory **memory, GError **error)
{
  GstVideoInfo info;
  SegFrame frame;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 63, 47);
  g_assert_true (
      seg_frame_layout (&frame, SEG_FORMAT_NV12, &seg_color_bt601, 63, 47, 16, NULL));
  return seg_tiling_find (buffer, &info, &frame, 7, tiling, memory, error);
}

/* Offsets count from the fd's start, whichever memory they are said in; sides are even. */
static void
test_tiling (void)
{
  GstAllocator *allocator = gst_dmabuf_allocator_new ();
  for (Memories m = ONE; m <= PART; m++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstBuffer) buffer = new_frame (allocator, m);
    SegTiling t;
    GstMemory *memory;
    find (buffer, &t, &memory, &error);
    g_assert_no_error (error);
    g_assert_true (memory == gst_buffer_peek_memory (buffer, 0));
    g_assert_cmpint (t.format, ==, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM);
    g_assert_cmpuint (t.width, ==, 64);
    g_assert_cmpuint (t.height, ==, 48);
    g_assert_cmphex (t.modifier, ==, 7);
    g_assert_cmpuint (t.n_planes, ==, 2);
    guint64 from = m == PART ? PAGE : 0;
    g_assert_cmpuint (t.planes[0].offset, ==, from);
    g_assert_cmpuint (t.planes[1].offset, ==, from + 9000);
    g_assert_cmpuint (t.planes[1].pitch, ==, 128);
  }
  gst_object_unref (allocator);
}

static void
refuse (GstBuffer *buffer, const char *why)
{
  g_autoptr (GError) error = NULL;
  SegTiling t;
  GstMemory *memory;
  g_assert_false (find (buffer, &t, &memory, &error));
  g_test_message ("%s", error->message);
  g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, why));
  gst_buffer_unref (buffer);
}

static void
test_wrong (void)
{
  GstAllocator *allocator = gst_dmabuf_allocator_new ();
  GstBuffer *buffer = new_frame (allocator, ONE);
  gst_buffer_remove_meta (buffer, (GstMeta *) gst_buffer_get_video_meta (buffer));
  refuse (buffer, "without a GstVideoMeta");
  refuse (new_frame (allocator, TWO), "more than one");
  buffer = new_frame (allocator, ONE);
  gst_buffer_get_video_meta (buffer)->offset[1] = 4 * PAGE;
  refuse (buffer, "begins after");
  buffer = new_frame (allocator, ONE);
  gst_buffer_get_video_meta (buffer)->offset[1] = G_MAXSIZE;
  refuse (buffer, "begins after");
  buffer = new_frame (allocator, ONE);
  gst_buffer_get_video_meta (buffer)->stride[0] = -128;
  refuse (buffer, "pitch");
  buffer = new_frame (allocator, ONE);
  gst_buffer_get_video_meta (buffer)->width = 62;
  refuse (buffer, "as their caps");
  buffer = new_frame (allocator, ONE);
  gst_buffer_get_video_meta (buffer)->n_planes = 5;
  refuse (buffer, "as their caps");
  buffer = new_frame (allocator, ONE);
  gst_buffer_get_video_meta (buffer)->format = GST_VIDEO_FORMAT_NV21;
  refuse (buffer, "as their caps");
  gst_object_unref (allocator);
}

/* --- writers ---------------------------------------------------------------------------------------- */

#define N_WAITED  3
#define WAIT_MS   1000
#define RING_MS   10
#define LAST_RING 30

static int first_end;
static volatile sig_atomic_t n_rings;
static gint64 written_us; /* atomic enough: read when no signals come */

static void
ring (int number)
{
  int before = errno;
  if (++n_rings == LAST_RING) {
    if (write (first_end, "", 1) != 1)
      abort ();
    written_us = g_get_monotonic_time ();
  }
  errno = before;
}

static void
ring_each (guint ms)
{
  const struct timeval each = { 0, ms * 1000 };
  const struct itimerval often = { each, each };
  g_assert_cmpint (setitimer (ITIMER_REAL, &often, NULL), ==, 0);
}

/* One plane is written meanwhile, the others never: that is told, after the whole time. FALSE: it was not this
 * time but each plane's, which begins when the one before it is written; or the machine had us wait. */
static gboolean
is_waited_once (const int fds[N_WAITED])
{
  g_autoptr (GError) error = NULL;
  n_rings = 0;
  ring_each (RING_MS);
  gint64 start = g_get_monotonic_time ();
  g_assert_false (seg_dmabufs_wait_written (fds, N_WAITED, WAIT_MS, &error));
  gint64 took = g_get_monotonic_time () - start;
  ring_each (0);
  g_test_message ("%s; %d rings, %d ms", error->message, n_rings, (int) (took / 1000));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  g_assert_cmpint (took, >=, WAIT_MS * 1000);
  return n_rings >= LAST_RING && took < written_us - start + WAIT_MS * 1000;
}

static void
close_both (const int ends[2])
{
  close (ends[0]);
  close (ends[1]);
}

/* Signals come all the time. Pipes can be read once they are written, as dma-bufs. */
static void
test_not_written (void)
{
  enum { TURNS = 5 };
  const struct sigaction action = { .sa_handler = ring };
  struct sigaction old;
  int ends[N_WAITED][2], fds[N_WAITED];
  gboolean once = FALSE;
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (sigaction (SIGALRM, &action, &old), ==, 0);
  for (guint turn = 0; turn < TURNS && !once; turn++) {
    for (guint i = 0; i < N_WAITED; i++) {
      if (turn > 0)
        close_both (ends[i]);
      g_assert_cmpint (pipe (ends[i]), ==, 0);
      fds[i] = ends[i][0];
    }
    first_end = ends[0][1];
    once = is_waited_once (fds);
  }
  sigaction (SIGALRM, &old, NULL);
  g_assert_true (once);
  for (guint i = 1; i < N_WAITED; i++)
    g_assert_cmpint (write (ends[i][1], "", 1), ==, 1);
  g_assert_true (seg_dmabufs_wait_written (fds, N_WAITED, 0, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < N_WAITED; i++)
    close_both (ends[i]);
  g_assert_false (
      seg_dmabufs_wait_written (fds, N_WAITED, 0, &error)); /* they are no fds now */
  g_assert_nonnull (strstr (error->message, g_strerror (EBADF)));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#if GST_CHECK_VERSION(1, 24, 0)
  g_test_add_func ("/dmabuf-caps/known", test_known);
  g_test_add_func ("/dmabuf-caps/leave", test_leave);
  g_test_add_func ("/dmabuf-caps/enter", test_enter);
  g_test_add_func ("/dmabuf-caps/info", test_info);
#endif
  g_test_add_func ("/dmabuf-caps/tiling", test_tiling);
  g_test_add_func ("/dmabuf-caps/wrong", test_wrong);
  g_test_add_func ("/dmabuf-caps/not-written", test_not_written);
  int status = g_test_run ();
  gst_deinit ();
  return status;
}
