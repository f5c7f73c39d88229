/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole way of a frame through a network of the YOLO family: every output, with the device's
 * memory shared and apart, with host steps, drawn anew and with the last answer. The network sees
 * the frame at a fifth of its size, with bars of 4 rows above and below. */
#include "color-net.h"

#include "frame/net.h"
#include "frame/pipe.h"
#include "vk/common.h"

#include <math.h>
#include <string.h>

#define WIDTH  160
#define HEIGHT 80

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };
static char *dir;

static SegNet *
open_net (ColorNetKind kind, const char *info)
{
  GError *error = NULL;
  g_autofree char *path = color_net_write (dir, "net", kind, info);
  SegNetOptions options = { .model = path, .device = g_getenv ("VKSEG_DEVICE") };
  SegNet *net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  g_assert_true (seg_pipe_check (seg_session_graph (net->session), net->info, &error));
  g_assert_no_error (error);
  return net;
}

static SegPipe *
open_pipe (SegNet *net, SegOutputKind output, gboolean separate)
{
  GError *error = NULL;
  SegPipeConfig config = {
    .output = output,
    .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .result_format = SEG_FORMAT_RGBA,
    .separate_memory = separate,
    .masks = TRUE,
  };
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  return pipe;
}

/* Red on the left of a column, green on its right. */
static void
paint (SegPipe *pipe, guint border)
{
  guint8 *data;
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  color_net_paint (frame, data, 0, border, red);
  color_net_paint (frame, data, border, WIDTH, green);
}

static void
run (SegPipe *pipe, SegPipeWork work)
{
  GError *error = NULL;
  g_assert_true (seg_pipe_submit (pipe, work, &error));
  g_assert_true (seg_pipe_wait (pipe, &error));
  g_assert_no_error (error);
}

static const guint8 *
pixel (SegPipe *pipe, guint x, guint y)
{
  const guint8 *data;
  const SegFrame *result = seg_pipe_result (pipe, &data);
  guint bytes = seg_format_info (result->format)->planes[0].bytes;
  return data + result->offset[0] + (gsize) y * result->stride[0] + (gsize) x * bytes;
}

static void
check_list (SegPipe *pipe)
{
  const SegInstances *list = seg_pipe_instances (pipe);
  g_assert_cmpuint (list->n, ==, 2); /* the third is the second again */
  const SegInstance *a = &list->items[0], *b = &list->items[1];
  g_assert_cmpuint (a->class_id, ==, 0);
  g_assert_cmpuint (b->class_id, ==, 1);
  g_assert_cmpfloat (fabs (a->score - 0.9), <, COLOR_NET_SCORE_ERROR);
  g_assert_cmpfloat (fabs (a->x - 10), <, 1e-3);
  g_assert_cmpfloat (fabs (a->width - 80), <, 1e-3);
  g_assert_cmpfloat (a->y, ==, 0); /* 3 rows are 1 less than the bar has */
  g_assert_cmpfloat (fabs (a->height - HEIGHT), <, 1e-3);
  g_assert_cmpfloat (fabs (b->x - 60), <, 1e-3);
  g_assert_nonnull (list->masks);
  /* The middle of the first one's mask is red, so its own. */
  guint x = (guint) ((50 - a->mask_x) / a->mask_w * a->mask_width);
  guint y = (guint) ((40 - a->mask_y) / a->mask_h * a->mask_height);
  g_assert_cmpuint (list->masks[a->mask_offset + (gsize) y * a->mask_stride + x], >, 250);
}

/* 0 red, 1 green, 2 nothing */
static void
check_pixel (SegPipe *pipe, SegOutputKind output, guint x, guint y, guint what)
{
  static const guint8 labels[] = { 0, 1, 255 };
  const guint8 *p = pixel (pipe, x, y);
  if (output == SEG_OUTPUT_LABELS)
    g_assert_cmpuint (*p, ==, labels[what]);
  else if (output == SEG_OUTPUT_MATTE)
    g_assert_true (what < 2 ? *p > 240 : *p == 0);
  else if (output == SEG_OUTPUT_CUTOUT)
    g_assert_true (what < 2 ? p[3] > 240 : p[3] == 0);
}

static void
test_outputs (void)
{
  for (guint i = 0; i < 4; i++) {
    SegNet *net =
        open_net (i / 2 ? COLOR_NET_YOLO_HOSTED : COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
    for (SegOutputKind output = SEG_OUTPUT_OVERLAY; output <= SEG_OUTPUT_CUTOUT;
         output++) {
      g_test_message ("hosted %u separate %u output %d", i / 2, i % 2, output);
      SegPipe *pipe = open_pipe (net, output, i % 2);
      paint (pipe, 80);
      run (pipe, SEG_PIPE_INFER);
      check_list (pipe);
      if (output != SEG_OUTPUT_OVERLAY) {
        check_pixel (pipe, output, 5, 40, 2);
        check_pixel (pipe, output, 50, 40, 0);
        check_pixel (pipe, output, 110, 40, 1);
        check_pixel (pipe, output, 155, 40, 2);
        run (pipe, SEG_PIPE_REDRAW);
        check_pixel (pipe, output, 50, 40, 0);
      }
      seg_pipe_free (&pipe);
    }
    seg_net_free (&net);
  }
}

/* Masks are filled, and drawn over a new frame with the last answer. */
static void
test_overlay (void)
{
  SegNet *net = open_net (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
  SegPipe *pipe = open_pipe (net, SEG_OUTPUT_OVERLAY, FALSE);
  SegStyle style = seg_style_default;
  style.draw = SEG_DRAW_MASKS;
  style.alpha = 1.0;
  seg_pipe_set_style (pipe, &style);
  paint (pipe, 80);
  run (pipe, SEG_PIPE_INFER);
  guint8 *data;
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  static const double gray[3] = { 0.5, 0.5, 0.5 };
  color_net_paint (frame, data, 0, WIDTH, gray);
  run (pipe, SEG_PIPE_REDRAW);
  g_assert_cmpuint (pixel (pipe, 50, 40)[0], ==, 255);
  g_assert_cmpuint (pixel (pipe, 50, 40)[1], ==, 0);
  g_assert_cmpuint (pixel (pipe, 110, 40)[1], ==, 255);
  g_assert_cmpuint (pixel (pipe, 155, 40)[0], ==, 128);
  const guint32 *areas = seg_pipe_areas (pipe);
  g_assert_cmpuint (areas[0], >, 65 * 75);
  g_assert_cmpuint (areas[0], <=, 71 * 80);

  style.keep[0] = 2; /* no "warm" */
  seg_pipe_set_style (pipe, &style);
  paint (pipe, 80);
  run (pipe, SEG_PIPE_INFER);
  g_assert_cmpuint (seg_pipe_instances (pipe)->n, ==, 1);
  g_assert_cmpuint (seg_pipe_areas (pipe)[0], ==, 0);

  style = seg_style_default;
  style.draw = SEG_DRAW_BOXES;
  style.threshold = 0.7;
  seg_pipe_set_style (pipe, &style);
  color_net_paint (frame, data, 0, WIDTH, gray);
  run (pipe, SEG_PIPE_INFER);
  g_assert_cmpuint (seg_pipe_instances (pipe)->n, ==, 1);
  g_assert_cmpuint (pixel (pipe, 11, 40)[0], ==, 255); /* its line */
  g_assert_cmpuint (pixel (pipe, 11, 40)[1], ==, 0);
  g_assert_cmpuint (pixel (pipe, 50, 40)[1], ==, 128);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* Each flag changes the picture, and the same flags give the same one. */
static void
test_draw_flags (void)
{
  SegNet *net = open_net (COLOR_NET_YOLO,
      "[vkseg]\nmean=0\nstd=255\nlabels=warm,cold\npalette=#0000ff,#ffff00\n");
  SegPipe *pipe = open_pipe (net, SEG_OUTPUT_OVERLAY, TRUE);
  const guint8 *data;
  const SegFrame *result = seg_pipe_result (pipe, &data);
  guint8 *first[32] = { NULL };
  paint (pipe, 80);
  for (guint i = 0; i < 64; i++) {
    SegStyle style = seg_style_default;
    style.draw = (SegDrawFlags) (i * 3 % 32);
    style.alpha = 0.9;
    seg_pipe_set_style (pipe, &style);
    run (pipe, i % 2 ? SEG_PIPE_REDRAW : SEG_PIPE_INFER);
    if (first[style.draw] == NULL)
      first[style.draw] = g_memdup2 (data, result->n_bytes);
    else
      g_assert_cmpmem (first[style.draw], result->n_bytes, data, result->n_bytes);
  }
  for (guint i = 0; i < 32; i++)
    for (guint bit = 1; bit < 32; bit *= 2)
      if ((i & bit) == 0 && bit != SEG_DRAW_LEGEND)
        g_assert_true (memcmp (first[i], first[i | bit], result->n_bytes) != 0);
  for (guint i = 0; i < 32; i++)
    g_free (first[i]);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* The detections alone: boxes, which are filled where an area is asked for. */
static void
test_boxes_only (void)
{
  SegNet *net = open_net (COLOR_NET_YOLO,
      "[vkseg]\ndecoder=yolo\nmean=0\nstd=255\noutput=detections\niou-threshold=1\n");
  SegPipe *pipe = open_pipe (net, SEG_OUTPUT_LABELS, FALSE);
  paint (pipe, 80);
  run (pipe, SEG_PIPE_INFER);
  /* Coefficients are taken for classes here: the second and third box are of the one with 4. */
  const SegInstances *list = seg_pipe_instances (pipe);
  g_assert_cmpuint (list->n, ==, 3);
  g_assert_null (list->masks);
  g_assert_cmpuint (list->items[0].mask_width, ==, 0);
  g_assert_cmpfloat (list->items[0].score, ==, 1.0);
  g_assert_cmpuint (*pixel (pipe, 5, 40), ==, 255);
  g_assert_cmpuint (*pixel (pipe, 50, 40), ==, 3);
  g_assert_cmpuint (*pixel (pipe, 110, 40), ==, 4);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (SegVk) vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  if (vk != NULL) {
    g_test_add_func ("/pipe-instances/outputs", test_outputs);
    g_test_add_func ("/pipe-instances/overlay", test_overlay);
    g_test_add_func ("/pipe-instances/draw-flags", test_draw_flags);
    g_test_add_func ("/pipe-instances/boxes-only", test_boxes_only);
  }
  int status = g_test_run ();
  color_net_remove (dir);
  g_free (dir);
  return status;
}
