/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole way of a frame through an R-CNN: as many objects as there are, whichever way the frame is
 * fitted, with masks of the box and of the whole input; and what broken networks give. */
#include "color-net.h"
#include "detector-net.h"

#include "frame/net.h"
#include "frame/pipe.h"
#include "vk/common.h"

#include <math.h>
#include <string.h>

/* Five times the network's input. */
#define WIDTH  160
#define HEIGHT 120

static const double red[3] = { 1, 0, 0 }, gray[3] = { 0.25, 0.25, 0.25 };
static char *dir;

static SegNet *
open_net_of (const DetectorNet *detector, const char *info, SegPrecision precision)
{
  GError *error = NULL;
  g_autofree char *path = detector_net_write (dir, "net", detector, info);
  SegNetOptions options = {
    .model = path, .device = g_getenv ("VKSEG_DEVICE"), .precision = precision
  };
  SegNet *net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  return net;
}

static SegNet *
open_net (const DetectorNet *detector, const char *info)
{
  return open_net_of (detector, info, SEG_PRECISION_AUTO);
}

static SegPipe *
open_pipe (SegNet *net, const SegPipeConfig *more)
{
  GError *error = NULL;
  SegPipeConfig config = *more;
  config.format = SEG_FORMAT_RGBX;
  config.color = seg_color_bt709;
  config.width = MAX (config.width, WIDTH);
  config.height = MAX (config.height, HEIGHT);
  config.result_format = SEG_FORMAT_RGBA;
  config.masks = TRUE;
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  return pipe;
}

/* Objects first .. last - 1 of detector_net_columns, when the frame is stretched. */
static void
paint (SegPipe *pipe, guint first, guint last)
{
  guint8 *data;
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  guint column = frame->width / DETECTOR_NET_SLOTS;
  color_net_paint (frame, data, 0, frame->width, gray);
  if (last > first)
    color_net_paint (frame, data, first * column, last * column, red);
}

static const SegInstances *
run (SegPipe *pipe, SegPipeWork work)
{
  GError *error = NULL;
  g_assert_true (seg_pipe_submit (pipe, work, &error));
  g_assert_true (seg_pipe_wait (pipe, &error));
  g_assert_no_error (error);
  return seg_pipe_instances (pipe);
}

static const guint8 *
pixel (SegPipe *pipe, guint x, guint y)
{
  const guint8 *data;
  const SegFrame *result = seg_pipe_result (pipe, &data);
  guint bytes = seg_format_info (result->format)->planes[0].bytes;
  return data + result->offset[0] + (gsize) y * result->stride[0] + (gsize) x * bytes;
}

/* From frame to frame another number of objects, none among them. */
static void
test_counts (void)
{
  static const guint counts[][2] = { { 2, 5 }, { 0, 0 }, { 0, 8 }, { 7, 8 }, { 0, 0 },
    { 3, 4 } };
  SegNet *net = open_net (&detector_net_columns, DETECTOR_NET_INFO);
  for (guint separate = 0; separate < 2; separate++)
    for (SegOutputKind output = SEG_OUTPUT_OVERLAY; output <= SEG_OUTPUT_META; output++) {
      SegPipeConfig config = { .output = output, .separate_memory = separate };
      SegPipe *pipe = open_pipe (net, &config);
      for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
        guint first = counts[i][0], last = counts[i][1];
        g_test_message ("output %d separate %u: %u .. %u", output, separate, first, last);
        paint (pipe, first, last);
        const SegInstances *list = run (pipe, i ? SEG_PIPE_INFER : SEG_PIPE_WARM_UP);
        g_assert_cmpuint (list->n, ==, last - first);
        for (guint k = 0; k < list->n; k++) {
          const SegInstance *s = &list->items[k];
          g_assert_cmpuint (s->class_id, ==, 1);
          g_assert_cmpfloat (fabs (s->x - 20.0 * (first + k)), <, 1e-3);
          g_assert_cmpfloat (fabs (s->width - 20.0), <, 1e-3);
          g_assert_cmpfloat (fabs (s->y - 20.0), <, 1e-3);
          g_assert_cmpfloat (fabs (s->height - 80.0), <, 1e-3);
          g_assert_cmpfloat (fabs (s->score - 1.0), <, 1e-3);
          g_assert_cmpuint (s->mask_width, >=, 14);
        }
        for (guint slot = 0; output == SEG_OUTPUT_LABELS && slot < 8; slot++) {
          gboolean there = slot >= first && slot < last;
          g_assert_cmpuint (*pixel (pipe, 20 * slot + 5, 60), ==, there ? 1 : 0);
          g_assert_cmpuint (*pixel (pipe, 20 * slot + 15, 60), ==, 0);
          g_assert_cmpuint (*pixel (pipe, 20 * slot + 5, 10), ==, 0);
        }
        for (guint slot = 0; output == SEG_OUTPUT_MATTE && slot < 8; slot++)
          g_assert_true (
              (*pixel (pipe, 20 * slot + 5, 60) > 250) == (slot >= first && slot < last));
      }
      seg_pipe_free (&pipe);
    }
  seg_net_free (&net);
}

/* The input as torchvision's own export has it, without a batch. */
static void
test_unbatched (void)
{
  DetectorNet detector = detector_net_columns;
  detector.flat = TRUE;
  SegNet *net = open_net (&detector, DETECTOR_NET_INFO);
  g_assert_cmpuint (net->info->width, ==, DETECTOR_NET_WIDTH);
  g_assert_cmpuint (net->info->height, ==, DETECTOR_NET_HEIGHT);
  SegPipe *pipe = open_pipe (net, &(SegPipeConfig){ .output = SEG_OUTPUT_LABELS });
  for (guint n = 0; n < 4; n++) {
    paint (pipe, 2, 2 + n);
    const SegInstances *list = run (pipe, SEG_PIPE_INFER);
    g_assert_cmpuint (list->n, ==, n);
    g_assert_cmpuint (*pixel (pipe, 45, 60), ==, n > 0);
    g_assert_cmpuint (*pixel (pipe, 55, 60), ==, 0);
  }
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* More than the limit: the best are kept. */
static void
test_limit (void)
{
  DetectorNet detector = detector_net_columns;
  for (guint i = 0; i < DETECTOR_NET_SLOTS; i++)
    detector.factors[i] = 0.6f + 0.05f * (float) (i * 5 % 8);
  SegNet *net = open_net (&detector, DETECTOR_NET_INFO "max-detections=3\n");
  SegPipe *pipe = open_pipe (net, &(SegPipeConfig){ .output = SEG_OUTPUT_META });
  static const double best[] = { 0.95, 0.9, 0.85 };
  paint (pipe, 0, 8);
  const SegInstances *list = run (pipe, SEG_PIPE_INFER);
  g_assert_cmpuint (list->n, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat (fabs (list->items[i].score - best[i]), <, 1e-3);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* Where the frame's middle is in a mask, from what the host gets. */
static double
mask_at (const SegInstances *list, guint i, double x, double y)
{
  const SegInstance *s = &list->items[i];
  int u = (int) ((x - s->mask_x) / s->mask_w * s->mask_width);
  int v = (int) ((y - s->mask_y) / s->mask_h * s->mask_height);
  g_assert_true (u >= 0 && v >= 0 && u < (int) s->mask_width && v < (int) s->mask_height);
  return list->masks[s->mask_offset + (gsize) v * s->mask_stride + (gsize) u] / 255.0;
}

/* Right of the middle column of the input, below the upper third. */
static float
quarter (guint slot, guint x, guint y)
{
  return x >= 16 && y >= 8 ? 1.0f : 0.0f;
}

/* In the net's pixels one object is [8,24) x [4,20); its mask, of the box or of the whole input, ends at
 * column 16: they come to the same place of the frame, whichever way the frame is fitted. */
static void
test_fits (void)
{
  static const guint sizes[][2] = { { 160, 120 }, { 320, 120 }, { 160, 240 },
    { 161, 133 } };
  DetectorNet box = detector_net_columns, whole = detector_net_columns;
  for (guint i = 0; i < DETECTOR_NET_SLOTS; i++) {
    const float b[4] = { 8, 4, 24, 20 };
    memcpy (box.boxes[i], b, sizeof b);
    memcpy (whole.boxes[i], b, sizeof b);
    box.factors[i] = whole.factors[i] = i == 4 ? 1.0f : 0.1f;
  }
  whole.mask_width = DETECTOR_NET_WIDTH;
  whole.mask_height = DETECTOR_NET_HEIGHT;
  whole.mask = quarter;
  for (guint i = 0; i < 2 * 3 * G_N_ELEMENTS (sizes); i++) {
    const guint *size = sizes[i % 4];
    SegFit fit = (SegFit) (i / 4 % 3);
    SegNet *net = open_net (i < 12 ? &box : &whole, DETECTOR_NET_INFO);
    SegPipe *pipe = open_pipe (net, &(SegPipeConfig){ .output = SEG_OUTPUT_LABELS,
                                        .width = size[0],
                                        .height = size[1],
                                        .override_fit = TRUE,
                                        .fit = fit });
    const SegGeometry *g = seg_pipe_geometry (pipe);
    guint8 *data;
    const SegFrame *frame = seg_pipe_input (pipe, &data);
    color_net_paint (frame, data, 0, size[0], red);
    const SegInstances *list = run (pipe, SEG_PIPE_INFER);
    g_test_message ("%s mask, fit %d, %ux%u: %u", i < 12 ? "box" : "whole", fit, size[0],
        size[1], list->n);
    g_assert_cmpuint (list->n, ==, 1);
    const SegInstance *s = &list->items[0];
    double x0 = (8 - g->shift_x) / g->scale_x, x1 = (24 - g->shift_x) / g->scale_x,
           y0 = (4 - g->shift_y) / g->scale_y, y1 = (20 - g->shift_y) / g->scale_y,
           px = 1.0 / g->scale_x, middle = 0.5 * (x0 + x1);
    g_assert_cmpfloat (fabs (s->x - MAX (x0, 0)), <, 1e-3);
    g_assert_cmpfloat (fabs (s->x + s->width - MIN (x1, size[0])), <, 1e-3);
    g_assert_cmpfloat (fabs (s->y - MAX (y0, 0)), <, 1e-3);
    g_assert_cmpfloat (fabs (s->y + s->height - MIN (y1, size[1])), <, 1e-3);
    double y = MIN (y1, size[1]) - 2 * px, left = middle - 2 * px,
           right = middle + 2 * px;
    gboolean is_left = i < 12;
    g_assert_cmpfloat (mask_at (list, 0, left, y), ==, is_left);
    g_assert_cmpfloat (mask_at (list, 0, right, y), ==, !is_left);
    g_assert_cmpuint (*pixel (pipe, (guint) left, (guint) y), ==, is_left);
    g_assert_cmpuint (*pixel (pipe, (guint) right, (guint) y), ==, !is_left);
    if (!is_left) /* above the mask */
      g_assert_cmpuint (*pixel (pipe, (guint) right, (guint) MAX (y0 + px, 0)), ==, 0);
    seg_pipe_free (&pipe);
    seg_net_free (&net);
  }
}

/* Faster R-CNN: boxes, which are filled where an area is asked for. */
static void
test_boxes_only (void)
{
  DetectorNet detector = detector_net_columns;
  detector.mask_width = 0;
  SegNet *net = open_net (&detector, "[vkseg]\nmean=0\nstd=255\nbackground=0\n");
  g_assert_cmpint (net->info->decoder, ==, SEG_DECODER_RCNN); /* by the outputs' names */
  g_assert_cmpint (net->info->task, ==, SEG_TASK_DETECTION);
  SegPipe *pipe = open_pipe (net, &(SegPipeConfig){ .output = SEG_OUTPUT_LABELS });
  paint (pipe, 2, 4);
  const SegInstances *list = run (pipe, SEG_PIPE_INFER);
  g_assert_cmpuint (list->n, ==, 2);
  g_assert_null (list->masks);
  g_assert_cmpuint (*pixel (pipe, 50, 60), ==, 1);
  g_assert_cmpuint (*pixel (pipe, 30, 60), ==, 0);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* The last answer over a new frame, also after a frame without any. */
static void
test_redraw (void)
{
  SegNet *net = open_net (&detector_net_columns, DETECTOR_NET_INFO);
  SegPipe *pipe = open_pipe (net, &(SegPipeConfig){ .output = SEG_OUTPUT_OVERLAY });
  SegStyle style = seg_style_default;
  style.draw = SEG_DRAW_MASKS;
  style.alpha = 1.0;
  seg_pipe_set_style (pipe, &style);
  paint (pipe, 2, 3);
  g_assert_cmpuint (run (pipe, SEG_PIPE_INFER)->n, ==, 1);
  paint (pipe, 0, 0);
  g_assert_cmpuint (run (pipe, SEG_PIPE_REDRAW)->n, ==, 1);
  g_assert_cmpuint (pixel (pipe, 45, 60)[0], ==, 255);
  g_assert_cmpuint (pixel (pipe, 55, 60)[0], ==, 64);
  g_assert_cmpuint (seg_pipe_areas (pipe)[1], >, 700);
  g_assert_cmpuint (run (pipe, SEG_PIPE_INFER)->n, ==, 0);
  g_assert_cmpuint (pixel (pipe, 45, 60)[0], ==, 64);
  g_assert_cmpuint (seg_pipe_areas (pipe)[1], ==, 0);
  style.threshold = 1.0;
  style.keep[0] = ~2u;
  seg_pipe_set_style (pipe, &style);
  paint (pipe, 0, 8);
  g_assert_cmpuint (run (pipe, SEG_PIPE_INFER)->n, ==, 0);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* Nothing that a network says about objects leads out of the frame or out of memory. */
static float
wild (guint slot, guint x, guint y)
{
  static const float values[] = { NAN, INFINITY, -INFINITY, 3e38f, -1.0f, 0.5f };
  return values[(slot + x + y) % G_N_ELEMENTS (values)];
}

static void
check_hostile (SegPrecision precision)
{
  static const float boxes[][4] = { { NAN, 0, 8, 8 }, { 20, 20, 4, 4 },
    { -1e30f, -1e30f, 1e30f, 1e30f }, { 100, 100, 200, 200 }, { -50, -50, -10, -10 },
    { 0, 0, INFINITY, 8 }, { 4, 4, 4, 4 }, { -8, -8, 40, 40 } };
  DetectorNet detector = detector_net_columns;
  memcpy (detector.boxes, boxes, sizeof boxes);
  detector.mask = wild;
  detector.factors[7] = INFINITY;
  guint n = precision == SEG_PRECISION_FP16 ? 0 : 1; /* 1e30 is infinite there */
  for (guint i = 0; i < 3; i++, n += i == 1) {
    SegNet *net = open_net_of (&detector, DETECTOR_NET_INFO, precision);
    SegPipe *pipe = open_pipe (net, &(SegPipeConfig){ .output = SEG_OUTPUT_OVERLAY });
    paint (pipe, 0, 8);
    const SegInstances *list = run (pipe, SEG_PIPE_INFER);
    g_assert_cmpuint (list->n, ==, n);
    for (guint k = 0; k < list->n; k++) {
      const SegInstance *s = &list->items[k];
      g_assert_true (s->x >= 0 && s->x + s->width <= WIDTH);
      g_assert_true (s->y >= 0 && s->y + s->height <= HEIGHT);
      g_assert_true (isfinite (s->mask_x) && isfinite (s->mask_w) && s->mask_w > 0);
    }
    seg_pipe_free (&pipe);
    seg_net_free (&net);
    detector.factors[7] = 100.0f; /* then it is one */
    detector.labels[0] = -5;
    detector.labels[1] = G_MAXINT64;
    detector.factors[6] = NAN;
    detector.mask_width = i == 0 ? 300 : DETECTOR_NET_WIDTH;
    detector.mask_height = i == 0 ? 1 : DETECTOR_NET_HEIGHT;
  }
}

static void
test_hostile (void)
{
  check_hostile (SEG_PRECISION_FP32);
  check_hostile (SEG_PRECISION_FP16);
}

/* Rows that do not belong together stop the frame, with their sizes. */
static void
test_broken (void)
{
  DetectorNet detector = detector_net_columns;
  g_autoptr (GError) error = NULL;
  detector.more_labels = 1;
  SegNet *net = open_net (&detector, DETECTOR_NET_INFO);
  SegPipe *pipe = open_pipe (net, &(SegPipeConfig){ .output = SEG_OUTPUT_META });
  paint (pipe, 2, 5);
  g_assert_true (seg_pipe_submit (pipe, SEG_PIPE_INFER, &error));
  g_assert_false (seg_pipe_wait (pipe, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "[3,4]"));
  g_assert_nonnull (strstr (error->message, "[4]"));
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* What cannot be told from the shapes is refused when the model is loaded. */
static void
check_refused (const char *info, const char *what)
{
  GError *error = NULL;
  SegNet *net = open_net (&detector_net_columns, info);
  g_assert_false (seg_pipe_check (seg_net_graph (net), net->info, &error)
                  && seg_pipe_new (net->vk, net->session, net->info,
                         &(SegPipeConfig){ .format = SEG_FORMAT_RGBX,
                             .color = seg_color_bt709,
                             .width = WIDTH,
                             .height = HEIGHT },
                         &error)
                         != NULL);
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, what));
  g_error_free (error);
  seg_net_free (&net);
}

static void
test_refused (void)
{
  check_refused ("[vkseg]\ndecoder=rcnn\noutput=boxes\n", "boxes, labels");
  check_refused ("[vkseg]\ndecoder=rcnn\noutput=labels,boxes,scores\n", "'labels'");
  check_refused ("[vkseg]\ndecoder=yolo\noutput=masks\n", "decoder yolo does not");
  check_refused ("[vkseg]\ndecoder=matte\noutput=masks\n", "data decides");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (SegVk) vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  if (vk != NULL) {
    g_test_add_func ("/pipe-rcnn/counts", test_counts);
    g_test_add_func ("/pipe-rcnn/unbatched", test_unbatched);
    g_test_add_func ("/pipe-rcnn/limit", test_limit);
    g_test_add_func ("/pipe-rcnn/fits", test_fits);
    g_test_add_func ("/pipe-rcnn/boxes-only", test_boxes_only);
    g_test_add_func ("/pipe-rcnn/redraw", test_redraw);
    g_test_add_func ("/pipe-rcnn/hostile", test_hostile);
    g_test_add_func ("/pipe-rcnn/broken", test_broken);
    g_test_add_func ("/pipe-rcnn/refused", test_refused);
  }
  int status = g_test_run ();
  color_net_remove (dir);
  g_free (dir);
  return status;
}
