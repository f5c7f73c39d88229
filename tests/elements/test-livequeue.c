/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of mode=async and drop by itself, where the worker is held between two frames. The fault layer's
 * folder is VKSEG_TEST_LAYER_DIR. */
#include "element-test.h"
#include "elements/livequeue.h"
#include "frame/color-net.h"
#include "frame/net.h"
#include "vk/fault-layer.h"
#include "vk/fault-open.h"

#include <vulkan/vulkan.h>

#define WIDTH  64
#define HEIGHT 48
#define DEPTH  1

/* The worker asks whether there is a new style for each frame that it has taken. */
typedef struct {
  SegNet *net;
  SegPipe *pipe;
  SegFrameIo io;
  SegLiveQueue *queue;
  GMutex lock;
  GCond changed;
  guint n_taken;
  guint n_free;    /* of these the worker may go on with */
  guint new_style; /* comes with this one, counted from 1; 0: with none */
} Bench;

static TestFault *fault;
static char *dir;

static gboolean
wants_style (gpointer data)
{
  Bench *b = data;
  g_mutex_lock (&b->lock);
  guint n = ++b->n_taken;
  g_cond_broadcast (&b->changed);
  while (n > b->n_free)
    g_cond_wait (&b->changed, &b->lock);
  gboolean new_style = n == b->new_style;
  g_mutex_unlock (&b->lock);
  return new_style;
}

static gboolean
take_style (gpointer data, GError **error)
{
  return TRUE;
}

static void
inferred (gpointer data, double ms)
{
}

static void
open_bench (Bench *b)
{
  static const SegLiveHooks hooks = { wants_style, take_style, inferred };
  GError *error = NULL;
  g_autofree char *path = color_net_write (dir, "net", COLOR_NET_PLAIN, COLOR_NET_INFO);
  SegNetOptions options = { .model = path, .device = g_getenv ("VKSEG_DEVICE") };
  SegPipeConfig config = { .output = SEG_OUTPUT_LABELS,
    .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .n_slots = SEG_LIVE_SLOTS (DEPTH) };
  GstVideoInfo in, out;
  *b = (Bench){ .n_free = G_MAXUINT };
  g_mutex_init (&b->lock);
  g_cond_init (&b->changed);
  b->net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  b->pipe = seg_pipe_new (b->net->vk, b->net->session, b->net->info, &config, &error);
  g_assert_no_error (error);
  g_assert_true (seg_pipe_record (b->pipe, &error));
  gst_video_info_set_format (&in, GST_VIDEO_FORMAT_RGBx, WIDTH, HEIGHT);
  gst_video_info_set_format (&out, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT);
  g_assert_true (seg_frame_io_open (&b->io, b->net->vk, &in, 0, &out, &config, &error));
  b->queue = seg_live_queue_new (b->pipe, &b->io, DEPTH, FALSE, &hooks, b);
}

static void
close_bench (Bench *b)
{
  seg_live_queue_free (&b->queue);
  seg_frame_io_close (&b->io);
  seg_pipe_free (&b->pipe);
  seg_net_free (&b->net);
  g_mutex_clear (&b->lock);
  g_cond_clear (&b->changed);
}

static void
push (Bench *b, SegPipeWork work)
{
  const SegTiledFrame not_tiled = { NULL };
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4 * WIDTH * HEIGHT, NULL);
  gst_buffer_memset (buffer, 0, 0xff, 4 * WIDTH * HEIGHT);
  seg_live_queue_push (b->queue, buffer, &not_tiled, work);
}

/* The worker has taken n frames. */
static void
wait_taken (Bench *b, guint n)
{
  g_mutex_lock (&b->lock);
  while (b->n_taken < n)
    g_cond_wait (&b->changed, &b->lock);
  g_mutex_unlock (&b->lock);
}

/* The worker has taken a frame, and is held. */
static void
push_held (Bench *b)
{
  b->n_free = 0;
  push (b, SEG_PIPE_INFER);
  wait_taken (b, 1);
}

static void
let_go (Bench *b)
{
  g_mutex_lock (&b->lock);
  b->n_free = G_MAXUINT;
  g_cond_broadcast (&b->changed);
  g_mutex_unlock (&b->lock);
}

/* The next frame leaves as it is. */
static void
drive_out (Bench *b)
{
  GError *error = NULL;
  SegLiveFrame frame;
  g_assert_true (seg_live_queue_next (b->queue, SEG_LIVE_NOW, &frame, &error));
  g_assert_no_error (error);
  g_assert_false (frame.drawn);
  seg_live_queue_release (b->queue, &frame);
}

/* The first of two frames in flight fails, or the second: those before it leave, each with its own answer. */
static void
test_fail_in_flight (void)
{
  for (guint k = 0; k < 2; k++) {
    g_autoptr (GError) error = NULL;
    SegLiveFrame frame;
    Bench b;
    open_bench (&b);
    push_held (&b);
    push (&b, SEG_PIPE_INFER);
    *fault = (TestFault){ (int) k, VK_ERROR_OUT_OF_HOST_MEMORY, "vkWaitForFences", NULL };
    let_go (&b);
    for (guint n = 1; n <= k; n++) {
      g_assert_true (seg_live_queue_next (b.queue, SEG_LIVE_WAIT, &frame, &error));
      g_assert_no_error (error);
      g_assert_true (frame.drawn);
      g_assert_cmpuint (frame.answer.number, ==, n);
      seg_live_queue_release (b.queue, &frame);
    }
    g_assert_false (seg_live_queue_next (b.queue, SEG_LIVE_WAIT, &frame, &error));
    g_assert_nonnull (error);
    *fault = (TestFault){ .countdown = -1 };
    close_bench (&b);
  }
}

/* The worker waits for the frame in flight before it takes a style for the next one, and that fails: the
 * next one has not been looked at. */
static void
test_fail_before_style (void)
{
  g_autoptr (GError) error = NULL;
  SegLiveFrame frame;
  Bench b;
  open_bench (&b);
  b.new_style = 2;
  push_held (&b);
  drive_out (&b);
  push (&b, SEG_PIPE_INFER);
  *fault = (TestFault){ 0, VK_ERROR_OUT_OF_HOST_MEMORY, "vkWaitForFences", NULL };
  let_go (&b);
  g_assert_false (seg_live_queue_next (b.queue, SEG_LIVE_WAIT, &frame, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (b.n_taken, ==, 2);
  *fault = (TestFault){ .countdown = -1 };
  close_bench (&b);
}

/* The only frame that was to give an answer leaves before the worker has time for it: nobody waits for
 * that answer, and the next frame gives one instead. */
static void
test_answer_lost (void)
{
  g_autoptr (GError) error = NULL;
  SegLiveFrame frame;
  SegLiveAnswer answer;
  Bench b;
  open_bench (&b);
  push_held (&b);
  seg_live_queue_flush (b.queue);
  push (&b, SEG_PIPE_INFER);
  drive_out (&b);
  g_assert_true (seg_live_queue_answer (b.queue, TRUE, &answer, &error));
  g_assert_cmpuint (answer.number, ==, 0);
  push (&b, SEG_PIPE_REDRAW);
  let_go (&b);
  g_assert_true (seg_live_queue_next (b.queue, SEG_LIVE_WAIT, &frame, &error));
  g_assert_true (frame.drawn);
  g_assert_cmpuint (frame.answer.number, ==, frame.number);
  seg_live_queue_release (b.queue, &frame);
  close_bench (&b);
}

int
main (int argc, char **argv)
{
  int status = 0;
  fault = test_fault_begin ();
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  g_test_add_func ("/livequeue/fail-in-flight", test_fail_in_flight);
  g_test_add_func ("/livequeue/fail-before-style", test_fail_before_style);
  g_test_add_func ("/livequeue/answer-lost", test_answer_lost);
  return element_test_run ();
}
