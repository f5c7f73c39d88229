/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call fails while a frame is on its way: nothing of it is on the device when the error comes, and the next
 * frame goes as if nothing had been. VKSEG_TEST_LAYER_DIR is the folder of the fault layer. */
#include "color-net.h"
#include "region-net.h"

#include "frame/net.h"
#include "frame/pipe-priv.h"
#include "frame/regions.h"
#include "vk/common.h"
#include "vk/fault-layer.h"
#include "vk/fault-open.h"

#include <vulkan/vulkan.h>

#define WIDTH  161
#define HEIGHT 90

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };
static TestFault *fault;
static char *dir;

static void
set_fault (int countdown, const char *name)
{
  *fault = (TestFault){ countdown, VK_ERROR_OUT_OF_HOST_MEMORY, name, NULL };
}

static SegNet *
open_net (const char *path, gboolean regions)
{
  GError *error = NULL;
  SegNetOptions options = { .model = path,
    .device = g_getenv ("VKSEG_DEVICE"),
    .precision = SEG_PRECISION_FP32,
    .regions = regions };
  SegNet *net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  return net;
}

/* --- pipes ----------------------------------------------------------------------------------------- */

static SegPipe *
open_pipe (SegNet *net, gboolean tile, guint n_parts)
{
  const SegPipeConfig config = { .output = SEG_OUTPUT_LABELS,
    .format = SEG_FORMAT_NV12,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .separate_memory = TRUE,
    .tile = tile };
  GError *error = NULL;
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  g_assert_true (n_parts > 0 ? seg_pipe_take_turns (pipe, n_parts, &error)
                             : seg_pipe_record (pipe, &error));
  return pipe;
}

static void
paint_pipe (SegPipe *pipe, const double rgb[3])
{
  guint8 *upload;
  const SegFrame *frame = seg_pipe_input (pipe, &upload);
  color_net_paint (frame, upload, 0, WIDTH, rgb);
}

static void
check_next (SegPipe *pipe)
{
  g_autoptr (GError) error = NULL;
  const guint8 *data;
  paint_pipe (pipe, green);
  gboolean ok =
      seg_pipe_submit (pipe, SEG_PIPE_INFER, &error) && seg_pipe_wait (pipe, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  const SegFrame *map = seg_pipe_result (pipe, &data);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      g_assert_cmpuint (data[map->offset[0] + y * map->stride[0] + x], ==, 2);
}

/* A recording that takes its time and counts up to N_ADDS, which the host sees at its end. */
#define N_ADDS     32
#define N_COUNTERS (1 << 16)

typedef struct {
  SegBuffer *device, *down;
} Counter;

static SegCmd *
open_counter (Counter *c, SegVk *vk)
{
  const gsize n_bytes = 4 * N_COUNTERS;
  GError *error = NULL;
  c->device = test_buffer (vk, 2 * n_bytes, SEG_BUFFER_DEVICE);
  c->down = test_buffer (vk, n_bytes, SEG_BUFFER_READBACK);
  SegCmd *cmd = test_cmd (vk, FALSE);
  seg_cmd_fill (cmd, c->device, 0, n_bytes, 0, &error);
  for (guint i = 0; i < N_ADDS; i++) {
    test_add (cmd, c->device, 0, c->device, N_COUNTERS, N_COUNTERS, 1);
    seg_cmd_copy (cmd, c->device, n_bytes, c->device, 0, n_bytes, &error);
  }
  seg_cmd_copy (cmd, c->device, 0, c->down, 0, n_bytes, &error);
  seg_cmd_end (cmd, &error);
  g_assert_no_error (error);
  return cmd;
}

/* Of several submissions, rounds of tiles or in turns parts of the first, the second fails. In the first is
 * what is done before the first frame, which here counts. */
static void
fail_second (SegNet *net, guint n_parts)
{
  g_autoptr (GError) error = NULL;
  Counter c;
  SegPipe *pipe = open_pipe (net, TRUE, n_parts);
  g_assert_null (pipe->forget);
  pipe->forget = open_counter (&c, net->vk);
  paint_pipe (pipe, red);
  set_fault (1, "vkQueueSubmit");
  g_assert_false (seg_pipe_submit (pipe, SEG_PIPE_INFER, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_MEMORY);
  set_fault (-1, NULL);
  const gint32 *count = seg_buffer_map (c.down);
  g_assert_cmpint (count[N_COUNTERS - 1], ==, N_ADDS);
  check_next (pipe);
  seg_pipe_free (&pipe);
  seg_buffer_free (&c.device);
  seg_buffer_free (&c.down);
}

static void
test_submit (void)
{
  g_autofree char *path = color_net_write (dir, "net", COLOR_NET_PLAIN, COLOR_NET_INFO);
  SegNet *net = open_net (path, FALSE);
  for (guint n_parts = 0; n_parts < 3; n_parts++)
    fail_second (net, n_parts);
  seg_net_free (&net);
}

static void
test_wait (void)
{
  for (ColorNetKind kind = COLOR_NET_PLAIN; kind <= COLOR_NET_HOSTED; kind++) {
    g_autofree char *path = color_net_write (dir, "net", kind, COLOR_NET_INFO);
    SegNet *net = open_net (path, FALSE);
    SegPipe *pipe = open_pipe (net, FALSE, 0);
    for (int k = 0; k < 2 - (kind == COLOR_NET_PLAIN); k++) {
      g_autoptr (GError) error = NULL;
      paint_pipe (pipe, red);
      set_fault (k, "vkWaitForFences");
      g_assert_true (seg_pipe_submit (pipe, SEG_PIPE_INFER, &error));
      g_assert_false (seg_pipe_wait (pipe, &error));
      g_assert_error (error, SEG_ERROR, SEG_ERROR_MEMORY);
      set_fault (-1, NULL);
      check_next (pipe);
    }
    seg_pipe_free (&pipe);
    seg_net_free (&net);
  }
}

/* --- regions --------------------------------------------------------------------------------------- */

static const SegRoi rois[] = { { 8, 20, 24, 40 }, { 50, 10, 20, 70 } };

static gboolean
run_regions (SegRegions *regions, const double rgb[3], GError **error)
{
  SegInstanceLimits limits = {
    .threshold = 0.3f, .mask_threshold = 0.5f, .iou_threshold = 0.3f, .max_instances = 100
  };
  guint8 *data;
  memset (limits.keep, 0xff, sizeof limits.keep);
  const SegFrame *frame = seg_regions_input (regions, &data);
  color_net_paint (frame, data, 0, WIDTH, rgb);
  return seg_regions_run (regions, rois, G_N_ELEMENTS (rois), &limits, error);
}

static void
fail_regions (SegRegions *regions, int k, const char *name)
{
  g_autoptr (GError) error = NULL;
  guint n;
  gsize n_bytes;
  const guint8 *masks;
  set_fault (k, name);
  g_assert_false (run_regions (regions, red, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_MEMORY);
  g_clear_error (&error);
  set_fault (-1, NULL);
  gboolean ok = run_regions (regions, green, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  const SegRegionResult *results = seg_regions_results (regions, &n, &masks, &n_bytes);
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (rois));
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (results[i].instance.class_id, ==, 2);
}

/* The copy of the frame goes first, what is made of it second. */
static void
test_regions (void)
{
  const RegionNet kind = { REGION_NET_CLASSIFY, 2, 0, FALSE };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = region_net_write (dir, "net", &kind, "decoder=classify\n");
  const SegRegionsConfig config = {
    .frame = { SEG_FORMAT_RGBX, seg_color_bt709, WIDTH, HEIGHT, TRUE }, .context_px = 4
  };
  SegNet *net = open_net (path, TRUE);
  SegRegions *regions =
      seg_regions_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  for (int k = 0; k < 2; k++) {
    fail_regions (regions, k, "vkQueueSubmit");
    fail_regions (regions, k, "vkWaitForFences");
  }
  seg_regions_free (&regions);
  seg_net_free (&net);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fault = test_fault_begin ();
  g_autoptr (SegVk) vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  if (vk != NULL) {
    g_test_add_func ("/frame-faults/submit", test_submit);
    g_test_add_func ("/frame-faults/wait", test_wait);
    g_test_add_func ("/frame-faults/regions", test_regions);
  }
  int status = g_test_run ();
  color_net_remove (dir);
  g_free (dir);
  return status;
}
