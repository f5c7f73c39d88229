/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels lie where the frame's pixels are, however it was fitted into the network's input; and the
 * sizes that networks are bound to. */
#include "color-net.h"

#include "frame/net.h"
#include "frame/pipe.h"
#include "lib/net.h"
#include "vk/common.h"

#include <string.h>

static char *dir;
static GRand *rand_;

/* As color-net.c: 0 gray, 1 red, 2 green, 3 blue. */
static const float colors[4 * 3 + 4] = { 0, 0, 0, 2, -1, -1, -1, 2, -1, -1, -1, 2, 0.5f,
  0, 0, 0 };
static const guint8 pixels[4][3] = { { 128, 128, 128 }, { 255, 0, 0 }, { 0, 255, 0 },
  { 0, 0, 255 } };

/* Tells colours apart, pixel by pixel, and then loses `margin` pixels on each side: by an unpadded
 * convolution whose middle is 1. */
static char *
write_net (guint batch, guint width, guint height, guint margin, const char *info)
{
  Net *net = net_new (batch, 3, height, width);
  const char *v = net_conv_with (net, "picture", (NetConv){ 3, 4, 1 }, colors);
  guint side = 2 * margin + 1;
  g_autofree float *middle = g_new0 (float, 16 * side * side + 4);
  for (guint c = 0; c < 4; c++)
    middle[(c * 4 + c) * side * side + margin * side + margin] = 1;
  if (margin > 0)
    v = net_conv_with (net, v, (NetConv){ 4, 4, side }, middle);
  g_autofree char *all = g_strconcat (COLOR_NET_INFO, info, NULL);
  return net_write (net, v, dir, "net", all);
}

static SegNet *
open_net (const char *path, guint input_width, guint input_height, GError **error)
{
  SegNetOptions options = { .model = path,
    .device = g_getenv ("VKSEG_DEVICE"),
    .input_width = input_width,
    .input_height = input_height };
  return seg_net_open (&options, error);
}

/* A frame of random pixels of the four colours through the network; whether each label is the
 * pixel's, in columns [x0, x1) and rows [y0, y1), and 0 elsewhere. */
static void
check_frame (SegNet *net, SegPipeConfig config, guint x0, guint x1, guint y0, guint y1)
{
  GError *error = NULL;
  guint8 *data;
  const guint8 *labels;
  config.output = SEG_OUTPUT_LABELS;
  config.format = SEG_FORMAT_RGB;
  config.color = seg_color_bt709;
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  g_autofree guint8 *want = g_malloc (config.width * config.height);
  for (guint i = 0; i < config.width * config.height; i++) {
    want[i] = (guint8) g_rand_int_range (rand_, 0, 4);
    memcpy (data + i / config.width * frame->stride[0] + i % config.width * 3,
        pixels[want[i]], 3);
  }
  g_assert_true (
      seg_pipe_submit (pipe, SEG_PIPE_INFER, &error) && seg_pipe_wait (pipe, &error));
  const SegFrame *result = seg_pipe_result (pipe, &labels);
  for (guint i = 0; i < config.width * config.height; i++) {
    guint x = i % config.width, y = i / config.width;
    gboolean seen = x >= x0 && x < x1 && y >= y0 && y < y1;
    guint8 got = labels[y * result->stride[0] + x];
    if (got != (seen ? want[i] : 0))
      g_error ("%ux%u into %ux%u, fit %d, tiles %u: at %u,%u is %u, must be %u",
          config.width, config.height, net->info->width, net->info->height, config.fit,
          seg_pipe_n_tiles (pipe), x, y, got, seen ? want[i] : 0);
  }
  seg_pipe_free (&pipe);
}

/* With the frame's size so chosen that nothing is scaled, each pixel's label is its own: all ways to fit,
 * odd sizes, with and without margins. */
static void
test_exact (void)
{
  for (guint margin = 0; margin <= 3; margin += 3) {
    GError *error = NULL;
    /* The output has 31 x 23 pixels. */
    g_autofree char *path = write_net (1, 31 + 2 * margin, 23 + 2 * margin, margin, "");
    SegNet *net = open_net (path, 0, 0, &error);
    g_assert_no_error (error);
    SegPipeConfig c = { .override_fit = TRUE, .width = 31, .height = 23 };
    check_frame (net, c, 0, 31, 0, 23);
    c.fit = SEG_FIT_LETTERBOX;
    c.height = 11;
    check_frame (net, c, 0, 31, 0, 11);
    c.width = 13;
    c.height = 23;
    check_frame (net, c, 0, 13, 0, 23);
    c.fit = SEG_FIT_CROP;
    c.width = 45;
    check_frame (net, c, 7, 38, 0, 23);
    c.width = 31;
    c.height = 57;
    check_frame (net, c, 0, 31, 17, 40);
    c.tile = TRUE;
    c.width = 101;
    c.height = 67;
    check_frame (net, c, 0, 101, 0, 67);
    seg_net_free (&net);
  }
}

static void
fit_overlapping (
    SegNet *net, guint width, guint height, SegTilingMode tiling, guint overlap)
{
  GError *error = NULL;
  SegNetFrame frame = { .frame_width = width,
    .frame_height = height,
    .tiling = tiling,
    .tile_overlap = overlap };
  seg_net_fit (net, &frame, &error);
  g_assert_no_error (error);
}

static void
fit (SegNet *net, guint width, guint height, SegTilingMode tiling)
{
  fit_overlapping (net, width, height, tiling, 4);
}

static SegPipeConfig
config_for (const SegNet *net, guint width, guint height)
{
  return (SegPipeConfig){ .width = width,
    .height = height,
    .override_fit = TRUE,
    .fit = net->fit,
    .tile = net->tile,
    .tile_overlap = 4 };
}

/* A network of any size runs at each frame's own. */
static void
test_own_size (void)
{
  static const guint sizes[][2] = { { 33, 19 }, { 7, 90 }, { 33, 19 } };
  for (guint margin = 0; margin <= 2; margin += 2) {
    GError *error = NULL;
    g_autofree char *path = write_net (0, 0, 0, margin, "");
    SegNet *net = open_net (path, 0, 0, &error);
    g_assert_no_error (error);
    g_assert_null (net->session);
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      guint w = sizes[i][0], h = sizes[i][1];
      fit (net, w, h, SEG_TILING_AUTO);
      g_assert_false (net->tile);
      g_assert_cmpint (net->shape.dims[2], ==, h + 2 * margin);
      g_assert_cmpint (net->shape.dims[3], ==, w + 2 * margin);
      check_frame (net, config_for (net, w, h), 0, w, 0, h);
    }
    fit (net, 700, 30, SEG_TILING_OVERLAP);
    g_assert_true (net->tile);
    g_assert_cmpint (net->shape.dims[3], ==, 512 + 2 * margin);
    check_frame (net, config_for (net, 700, 30), 0, 700, 0, 30);
    seg_net_free (&net);
  }
}

/* Rounded up to what the network divides; a U-Net of two levels takes multiples of 4. */
static void
test_period (void)
{
  for (guint padded = 0; padded < 2; padded++) {
    GError *error = NULL;
    Net *builder = net_new (1, 3, 0, 0);
    g_autofree char *path =
        net_write (builder, net_unet (builder, "picture", 3, 2, 4, 3, padded != 0), dir,
            "unet", COLOR_NET_INFO);
    SegNet *net = open_net (path, 0, 0, &error);
    g_assert_no_error (error);
    fit (net, 61, 34, SEG_TILING_AUTO);
    g_assert_cmpint (net->shape.dims[3], ==, padded ? 64 : 104);
    g_assert_cmpint (net->shape.dims[2], ==, padded ? 36 : 76);
    seg_net_free (&net);

    net = open_net (path, 108, 80, &error);
    g_assert_no_error (error);
    fit (net, 61, 34, SEG_TILING_AUTO);
    g_assert_cmpint (net->shape.dims[3], ==, 108);
    g_assert_cmpint (net->fit, ==, SEG_FIT_STRETCH);
    seg_net_free (&net);
  }
}

static void
test_auto_tiles (void)
{
  static const struct {
    guint margin;
    const char *info;
    guint width, height;
    gboolean tile;
    guint overlap; /* 4 */
  } cases[] = {
    { 0, "", 31, 23, FALSE },
    { 0, "", 140, 80, FALSE }, /* not four times the input in both directions */
    { 0, "", 140, 100, TRUE },
    { 0, "", 140, 100, FALSE, 23 }, /* which would leave nothing of a tile */
    { 0, "resize=stretch\n", 140, 100, FALSE },
    { 0, "resize=tile\n", 32, 23, TRUE },
    { 2, "", 31, 23, FALSE },
    { 2, "", 32, 23, TRUE },
    { 2, "resize=letterbox\n", 32, 23, FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    guint margin = cases[i].margin;
    /* Padded, but for what the margin takes: only then four times matters. */
    g_autofree char *path = NULL;
    if (margin > 0) {
      path = write_net (1, 31 + 2 * margin, 23 + 2 * margin, margin, cases[i].info);
    } else {
      Net *net = net_new (1, 3, 23, 31);
      g_autofree char *info = g_strconcat (COLOR_NET_INFO, cases[i].info, NULL);
      path = net_write (net, net_conv (net, "picture", (NetConv){ 3, 4, 3, 1, 1 }), dir,
          "padded", info);
    }
    SegNet *net = open_net (path, 0, 0, &error);
    g_assert_no_error (error);
    fit_overlapping (net, cases[i].width, cases[i].height, SEG_TILING_AUTO,
        cases[i].overlap > 0 ? cases[i].overlap : 4);
    if (net->tile != cases[i].tile)
      g_error ("case %u: tiles %d, %s", i, net->tile, net->why);
    fit (net, cases[i].width, cases[i].height, SEG_TILING_NONE);
    g_assert_false (net->tile);
    seg_net_free (&net);
  }
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *fixed = write_net (1, 31, 23, 0, "");
  g_assert_null (open_net (fixed, 64, 0, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  g_clear_error (&error);
  g_autofree char *margin = write_net (1, 31, 23, 0, "output-margin=12\n");
  SegNet *net = open_net (margin, 0, 0, &error);
  g_assert_no_error (error);
  SegNetFrame frame = { .frame_width = 64, .frame_height = 64 };
  g_assert_false (seg_net_fit (net, &frame, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, "output-margin"));
  seg_net_free (&net);
}

/* Scores are interpolated before one of them wins: between 3 on the left and 1 on the right the border
 * is at three quarters of the way, not in the middle as between two winners. */
static void
test_scores_first (void)
{
  static const float weights[2 * 3 + 2] = { 3, 0, 0, 0, 1, 0 };
  GError *error = NULL;
  guint8 *data;
  const guint8 *labels;
  Net *builder = net_new (1, 3, 64, 64);
  const char *v = net_pool (builder, "AveragePool", "picture", 8, 8, 0);
  v = net_conv_with (builder, v, (NetConv){ 3, 2, 1 }, weights);
  g_autofree char *path =
      net_write (builder, v, dir, "coarse", "[vkseg]\ndecoder=argmax\nbackground=none\n");
  SegNet *net = open_net (path, 0, 0, &error);
  g_assert_no_error (error);
  SegPipeConfig config = { .output = SEG_OUTPUT_LABELS,
    .format = SEG_FORMAT_RGB,
    .color = seg_color_bt709,
    .width = 64,
    .height = 64 };
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  color_net_paint (frame, data, 0, 32, (const double[]){ 1, 0, 0 });
  color_net_paint (frame, data, 32, 64, (const double[]){ 0, 1, 0 });
  g_assert_true (
      seg_pipe_submit (pipe, SEG_PIPE_INFER, &error) && seg_pipe_wait (pipe, &error));
  const SegFrame *result = seg_pipe_result (pipe, &labels);
  for (guint y = 0; y < 64; y++)
    for (guint x = 0; x < 64; x++)
      if (labels[y * result->stride[0] + x] != (x >= 34))
        g_error ("at %u,%u is %u", x, y, labels[y * result->stride[0] + x]);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (SegVk) vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  rand_ = g_rand_new_with_seed (5);
  if (vk != NULL) {
    g_test_add_func ("/fit/exact", test_exact);
    g_test_add_func ("/fit/own-size", test_own_size);
    g_test_add_func ("/fit/period", test_period);
    g_test_add_func ("/fit/auto-tiles", test_auto_tiles);
    g_test_add_func ("/fit/refused", test_refused);
    g_test_add_func ("/fit/scores-first", test_scores_first);
  }
  int status = g_test_run ();
  g_rand_free (rand_);
  color_net_remove (dir);
  g_free (dir);
  return status;
}
