/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole way of a frame: every kind of network and of output, with the device's memory shared
 * and apart, drawn anew and with the last answer. */
#include "color-net.h"
#include "difference.h"

#include "frame/net.h"
#include "frame/pipe.h"
#include "vk/common.h"

#include <math.h>
#include <string.h>

#define WIDTH  161
#define HEIGHT 90

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 },
                    gray[3] = { 0.5, 0.5, 0.5 };
static char *dir;

static SegNet *
open_net (ColorNetKind kind, const char *info)
{
  GError *error = NULL;
  g_autofree char *path = color_net_write (dir, "net", kind, info);
  SegNetOptions options = { .model = path, .device = g_getenv ("VKSEG_DEVICE") };
  SegNet *net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  return net;
}

static void
put_white_behind (SegPipe *pipe)
{
  GError *error = NULL;
  static guint8 row[4 * WIDTH];
  const guint8 *planes[] = { row };
  gint stride = 0;
  memset (row, 255, sizeof row);
  seg_pipe_set_backdrop (pipe, planes, &stride, &error);
  g_assert_no_error (error);
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
  };
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  if (output == SEG_OUTPUT_BACKGROUND)
    put_white_behind (pipe);
  return pipe;
}

/* Red, gray and green from left to right, with borders at these columns. */
static void
paint (SegPipe *pipe, guint first, guint second)
{
  guint8 *data;
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  color_net_paint (frame, data, 0, first, red);
  color_net_paint (frame, data, first, second, gray);
  color_net_paint (frame, data, second, WIDTH, green);
}

static void
run (SegPipe *pipe, SegPipeWork work)
{
  GError *error = NULL;
  gboolean ok = seg_pipe_submit (pipe, work, &error) && seg_pipe_wait (pipe, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

static const guint8 *
pixel (SegPipe *pipe, guint x, guint y)
{
  const guint8 *data;
  const SegFrame *frame = seg_pipe_result (pipe, &data);
  guint bytes = seg_format_info (frame->format)->planes[0].bytes;
  return data + frame->offset[0] + y * frame->stride[0] + x * bytes;
}

/* Columns that are surely red, gray and green when the borders are at 80 and 120. */
enum { IN_RED = 30, IN_GRAY = 100, IN_GREEN = 145, ROW = 45 };

static void
check_labels (SegPipe *pipe)
{
  g_assert_cmpuint (*pixel (pipe, IN_RED, ROW), ==, 1);
  g_assert_cmpuint (*pixel (pipe, IN_GRAY, ROW), ==, 0);
  g_assert_cmpuint (*pixel (pipe, IN_GREEN, ROW), ==, 2);
  const guint32 *areas = seg_pipe_areas (pipe);
  g_assert_cmpuint (areas[0] + areas[1] + areas[2], ==, WIDTH * HEIGHT);
  g_assert_cmpuint (areas[1], >, areas[2]);
}

static void
check_picture (SegPipe *pipe, SegOutputKind output)
{
  const guint8 *in_red = pixel (pipe, IN_RED, ROW), *in_gray = pixel (pipe, IN_GRAY, ROW);
  switch (output) {
  case SEG_OUTPUT_OVERLAY: /* the palette has class 1 red */
    g_assert_cmpuint (in_red[0], ==, 255);
    g_assert_cmpuint (in_red[1], ==, 0);
    g_assert_cmpuint (in_gray[0], ==, 128);
    break;
  case SEG_OUTPUT_LABELS:
  case SEG_OUTPUT_META: check_labels (pipe); break;
  case SEG_OUTPUT_MATTE:
    g_assert_cmpuint (in_red[0], >, 200);
    g_assert_cmpuint (in_gray[0], <, 195);
    break;
  case SEG_OUTPUT_CUTOUT:
    g_assert_cmpuint (in_red[0], ==, 255);
    g_assert_cmpuint (in_red[3], >, 200);
    g_assert_cmpuint (in_gray[3], <, 195);
    break;
  case SEG_OUTPUT_BACKGROUND: /* what is behind, white, comes through where there is less */
    g_assert_cmpuint (in_red[0], ==, 255);
    g_assert_cmpuint (in_red[1], <, 55);
    g_assert_cmpuint (in_gray[1], >, 155);
    break;
  }
}

static void
test_outputs (void)
{
  static const ColorNetKind kinds[] = { COLOR_NET_PLAIN, COLOR_NET_HOSTED,
    COLOR_NET_SOFTMAX };
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (SegOutputKind output = 0; output <= SEG_OUTPUT_BACKGROUND; output++)
      for (guint separate = 0; separate < 2; separate++) {
        SegNet *net = open_net (kinds[k], COLOR_NET_INFO);
        g_assert_cmpint (
            seg_session_is_recordable (net->session), ==, kinds[k] != COLOR_NET_HOSTED);
        SegPipe *pipe = open_pipe (net, output, separate);
        paint (pipe, 80, 120);
        run (pipe, SEG_PIPE_REDRAW); /* the first is inferred all the same */
        check_picture (pipe, output);
        run (pipe, SEG_PIPE_INFER);
        check_picture (pipe, output);
        seg_pipe_free (&pipe);
        seg_net_free (&net);
      }
}

static void
test_index (void)
{
  SegNet *net = open_net (COLOR_NET_INDEX,
      "[vkseg]\ndecoder=index\nmean=0\nstd=255\nlabels=background,red,green,blue\n");
  for (SegOutputKind output = 0; output <= SEG_OUTPUT_LABELS; output++) {
    SegPipe *pipe = open_pipe (net, output, FALSE);
    paint (pipe, 80, 120);
    run (pipe, SEG_PIPE_INFER);
    if (output == SEG_OUTPUT_LABELS)
      check_labels (pipe);
    seg_pipe_free (&pipe);
  }
  seg_net_free (&net);
}

/* The matte of one class, and the map that a threshold makes of it. */
static void
test_softmax (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN,
      "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\nforeground=green\n"
      "labels=background,red,green,blue\n");
  SegPipe *pipe = open_pipe (net, SEG_OUTPUT_MATTE, FALSE);
  paint (pipe, 80, 120);
  run (pipe, SEG_PIPE_INFER);
  g_assert_cmpuint (*pixel (pipe, IN_RED, ROW), <, 20);
  g_assert_cmpuint (*pixel (pipe, IN_GREEN, ROW), >, 185);
  g_assert_cmpint (seg_pipe_class_of_value (pipe, 1), ==, 2);
  seg_pipe_free (&pipe);
  pipe = open_pipe (net, SEG_OUTPUT_LABELS, FALSE);
  paint (pipe, 80, 120);
  run (pipe, SEG_PIPE_INFER);
  g_assert_cmpuint (*pixel (pipe, IN_RED, ROW), ==, 0);
  g_assert_cmpuint (*pixel (pipe, IN_GREEN, ROW), ==, 1);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* Classes that do not exclude each other: the best one, if it is likely at all. */
static void
test_sigmoid (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN,
      "[vkseg]\ndecoder=sigmoid\nmean=0\nstd=255\nthreshold=0.8\nbackground=none\n"
      "labels=gray,red,green,blue\n");
  SegPipe *pipe = open_pipe (net, SEG_OUTPUT_LABELS, FALSE);
  paint (pipe, 80, 120);
  run (pipe, SEG_PIPE_INFER);
  g_assert_cmpuint (*pixel (pipe, IN_RED, ROW), ==, 1);
  g_assert_cmpuint (*pixel (pipe, IN_GRAY, ROW), ==, 255); /* sigmoid (0.5) = 0.62 */
  g_assert_cmpuint (*pixel (pipe, IN_GREEN, ROW), ==, 2);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

typedef struct {
  SegFrame frame;
  guint8 *pixels;
  guint32 areas[256];
} Drawn;

static void
drawn_clear (Drawn *drawn)
{
  g_clear_pointer (&drawn->pixels, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Drawn, drawn_clear)

static void
drawn_take (Drawn *drawn, SegPipe *pipe)
{
  const guint8 *data;
  drawn_clear (drawn);
  drawn->frame = *seg_pipe_result (pipe, &data);
  drawn->pixels = g_memdup2 (data, drawn->frame.n_bytes);
  memcpy (drawn->areas, seg_pipe_areas (pipe), sizeof drawn->areas);
}

static char *
drawn_difference (const Drawn *got, const Drawn *wanted)
{
  g_autofree char *pixels = frame_difference (&got->frame, got->pixels, wanted->pixels);
  for (guint v = 0; v < G_N_ELEMENTS (got->areas); v++)
    if (got->areas[v] != wanted->areas[v])
      return g_strdup_printf ("value %u has %u pixels, wanted %u; %s", v, got->areas[v],
          wanted->areas[v], pixels != NULL ? pixels : "the same is drawn");
  return g_steal_pointer (&pixels);
}

/* A pipe whose frame is of red, noise and green. */
static SegPipe *
open_noise (SegNet *net, const SegPipeConfig *config, SegDrawFlags draw)
{
  GError *error = NULL;
  guint8 *data;
  SegStyle style = seg_style_default;
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, config, &error);
  g_assert_no_error (error);
  style.draw = draw;
  style.threshold = 0.35;
  seg_pipe_set_style (pipe, &style);
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  for (gsize i = 0; i < frame->n_bytes; i++)
    data[i] = (guint8) g_rand_int_range (rand, 0, 256);
  color_net_paint (frame, data, 0, 80, red);
  color_net_paint (frame, data, 120, WIDTH, green);
  return pipe;
}

static void
draw_noise (SegNet *net, const SegPipeConfig *config, SegDrawFlags draw, Drawn *drawn)
{
  SegPipe *pipe = open_noise (net, config, draw);
  run (pipe, SEG_PIPE_INFER);
  drawn_take (drawn, pipe);
  seg_pipe_free (&pipe);
}

static const char *const noise_infos[] = {
  "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\nforeground=green\n"
  "labels=background,red,green,blue\n",
  COLOR_NET_INFO,
};

/* The same frame gives the same, run for run and pipe for pipe, whatever was in the memory. */
static void
test_again (void)
{
  static const struct {
    SegOutputKind output;
    SegDrawFlags draw;
    const char *name;
  } cases[] = { { SEG_OUTPUT_LABELS, 0, "labels" },
    { SEG_OUTPUT_OVERLAY, SEG_DRAW_MASKS, "masks" },
    { SEG_OUTPUT_OVERLAY, SEG_DRAW_CONTOURS, "contours" },
    { SEG_OUTPUT_OVERLAY, SEG_DRAW_LEGEND, "legend" } };
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    SegNet *net = open_net (COLOR_NET_PLAIN, noise_infos[i % 2]);
    SegPipeConfig config = { .output = cases[i / 2].output,
      .format = SEG_FORMAT_NV12,
      .color = seg_color_bt709,
      .width = WIDTH,
      .height = HEIGHT };
    g_auto (Drawn) first = { 0 }, drawn = { 0 };
    draw_noise (net, &config, cases[i / 2].draw, &first);
    for (guint k = 0; k < 20; k++) {
      SegPipe *pipe = open_noise (net, &config, cases[i / 2].draw);
      for (guint n = 0; n < 3; n++) {
        run (pipe, SEG_PIPE_INFER);
        drawn_take (&drawn, pipe);
        g_autofree char *differ = drawn_difference (&drawn, &first);
        if (differ == NULL)
          continue;
        g_test_message ("network %u, %s, pipe %u, run %u: %s", i % 2, cases[i / 2].name,
            k, n, differ);
        g_test_fail ();
      }
      seg_pipe_free (&pipe);
    }
    seg_net_free (&net);
  }
}

/* Drawn where the frame lies, the result is the same to the bit. */
static void
test_in_place (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (noise_infos); i++) {
    SegNet *net = open_net (COLOR_NET_PLAIN, noise_infos[i]);
    for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
      for (guint how = 0; how < 4; how++) {
        g_auto (Drawn) apart = { 0 }, in_place = { 0 };
        SegDrawFlags draw = SEG_DRAW_MASKS | SEG_DRAW_LEGEND;
        SegPipeConfig config = { .format = f,
          .color = seg_color_bt709,
          .width = WIDTH,
          .height = HEIGHT,
          .guided = how / 2 };
        draw |= how % 2 ? SEG_DRAW_CONTOURS : 0;
        draw_noise (net, &config, draw, &apart);
        config.in_place = TRUE;
        draw_noise (net, &config, draw, &in_place);
        g_autofree char *differ = drawn_difference (&in_place, &apart);
        if (differ != NULL)
          g_error (
              "%s, network %u, case %u: %s", seg_format_info (f)->name, i, how, differ);
        g_assert_true (apart.areas[0] < WIDTH * HEIGHT || f == SEG_FORMAT_GRAY8);
      }
    seg_net_free (&net);
  }
}

/* Drawn with the last answer: the frame is new, the class where it was. */
static void
test_redraw (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN, COLOR_NET_INFO);
  SegStyle style = seg_style_default;
  style.draw = SEG_DRAW_MASKS;
  for (guint separate = 0; separate < 2; separate++) {
    SegPipe *pipe = open_pipe (net, SEG_OUTPUT_OVERLAY, separate);
    seg_pipe_set_style (pipe, &style);
    paint (pipe, 80, 120);
    run (pipe, SEG_PIPE_INFER);
    paint (pipe, 0, WIDTH);
    run (pipe, SEG_PIPE_REDRAW);
    g_assert_cmpuint (pixel (pipe, IN_RED, ROW)[0], >, 185); /* red over gray */
    g_assert_cmpuint (pixel (pipe, IN_RED, ROW)[1], <, 70);
    g_assert_cmpuint (pixel (pipe, IN_GRAY, ROW)[0], ==, 128);
    run (pipe, SEG_PIPE_INFER);
    g_assert_cmpuint (pixel (pipe, IN_RED, ROW)[0], ==, 128);
    seg_pipe_free (&pipe);
  }
  seg_net_free (&net);
}

/* Changing what is drawn from frame to frame gives what it gave before. */
static void
test_draw_flags (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN, COLOR_NET_INFO);
  SegPipe *pipe = open_pipe (net, SEG_OUTPUT_OVERLAY, FALSE);
  const guint8 *data;
  const SegFrame *result = seg_pipe_result (pipe, &data);
  guint8 *first[8] = { NULL };
  paint (pipe, 80, 120);
  for (guint i = 0; i < 24; i++) {
    SegStyle style = seg_style_default;
    style.draw = (SegDrawFlags) (i * 3 % 8);
    seg_pipe_set_style (pipe, &style);
    run (pipe, i % 2 ? SEG_PIPE_REDRAW : SEG_PIPE_INFER);
    if (first[style.draw] == NULL)
      first[style.draw] = g_memdup2 (data, result->n_bytes);
    else
      g_assert_cmpmem (first[style.draw], result->n_bytes, data, result->n_bytes);
  }
  for (guint i = 1; i < 8; i++) {
    g_assert_true (memcmp (first[0], first[i], result->n_bytes) != 0);
    g_free (first[i]);
  }
  g_free (first[0]);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

/* What letterbox and crop do to the frame is undone: the border is where it was. */
static void
test_fit (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN, COLOR_NET_INFO);
  for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++) {
    GError *error = NULL;
    SegPipeConfig config = { SEG_OUTPUT_LABELS, SEG_FORMAT_RGBX, seg_color_bt709, 300, 80,
      SEG_FORMAT_RGBA, .override_fit = TRUE, .fit = fit };
    SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
    g_assert_no_error (error);
    guint8 *data;
    const SegFrame *frame = seg_pipe_input (pipe, &data);
    color_net_paint (frame, data, 0, 150, red);
    color_net_paint (frame, data, 150, 300, green);
    run (pipe, SEG_PIPE_INFER);
    for (guint y = 0; y < 80; y += 79) {
      g_assert_cmpuint (*pixel (pipe, 130, y), ==, 1);
      g_assert_cmpuint (*pixel (pipe, 170, y), ==, 2);
      g_assert_cmpuint (*pixel (pipe, 0, y), ==, fit == SEG_FIT_CROP ? 0 : 1);
      g_assert_cmpuint (*pixel (pipe, 299, y), ==, fit == SEG_FIT_CROP ? 0 : 2);
    }
    /* Crop sees 80 * 32 / 24 = 107 columns in the middle. */
    if (fit == SEG_FIT_CROP) {
      g_assert_cmpuint (*pixel (pipe, 95, 40), ==, 0);
      g_assert_cmpuint (*pixel (pipe, 98, 40), ==, 1);
      g_assert_cmpuint (*pixel (pipe, 202, 40), ==, 2);
      g_assert_cmpuint (*pixel (pipe, 205, 40), ==, 0);
    }
    seg_pipe_free (&pipe);
  }
  seg_net_free (&net);
}

/* The probability of the foreground in gray columns: the network's, of frames of these colours. */
static void
run_mattes (SegNet *net, double smoothing, guint8 mattes[4])
{
  static const double colors[3][3] = { { 0, 1, 0 }, { 0.2, 1, 0.2 }, { 1, 0, 0 } };
  GError *error = NULL;
  SegPipeConfig config = { .output = SEG_OUTPUT_MATTE,
    .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .smoothing = smoothing };
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++) {
    guint8 *data;
    const SegFrame *frame = seg_pipe_input (pipe, &data);
    color_net_paint (frame, data, 0, WIDTH, colors[1]);
    if (i == 0) /* to warm up is no frame before the first */
      run (pipe, SEG_PIPE_WARM_UP);
    color_net_paint (frame, data, 0, WIDTH, colors[i]);
    run (pipe, SEG_PIPE_INFER);
    run (pipe, SEG_PIPE_REDRAW); /* which is no frame that counts */
    mattes[i] = *pixel (pipe, IN_GRAY, ROW);
  }
  guint8 *data;
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  color_net_paint (frame, data, 0, WIDTH, colors[0]);
  run (pipe, SEG_PIPE_INFER);
  color_net_paint (frame, data, 0, WIDTH, colors[1]);
  seg_pipe_forget (pipe);
  run (pipe, SEG_PIPE_INFER);
  mattes[3] = *pixel (pipe, IN_GRAY, ROW);
  seg_pipe_free (&pipe);
}

/* Little changes are slowed down, large ones are not. */
static void
test_smoothing (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN,
      "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\nforeground=green\n"
      "labels=background,red,green,blue\n");
  guint8 raw[4], smooth[4];
  run_mattes (net, 0.0, raw);
  run_mattes (net, 0.8, smooth);
  double by = raw[1] - raw[0], near = 1.0 - 2.0 * fabs (by) / 255.0;
  g_assert_cmpfloat (fabs (by), >, 10.0);
  g_assert_cmpfloat (near, >, 0.0);
  g_assert_cmpuint (smooth[0], ==, raw[0]);
  g_assert_cmpfloat (fabs (smooth[1] - (raw[1] - 0.8 * near * by)), <=, 2.0);
  g_assert_cmpfloat (fabs ((double) raw[2] - smooth[1]), >, 128.0);
  g_assert_cmpuint (smooth[2], ==, raw[2]);
  g_assert_cmpuint (smooth[3], ==, raw[1]);
  seg_net_free (&net);
}

/* How far the pixel is from what is well inside its colour, which alpha is to follow. */
static guint
off_at (SegPipe *pipe, guint x, guint inside)
{
  const guint8 *at = pixel (pipe, x, ROW), *wanted = pixel (pipe, inside, ROW);
  const guint8 *data;
  SegFormat format = seg_pipe_result (pipe, &data)->format;
  guint n = format == SEG_FORMAT_RGBA ? 4 : seg_format_info (format)->n_components;
  guint off = 0;
  for (guint k = 0; k < n; k++)
    off = MAX (off, (guint) abs (at[k] - wanted[k]));
  return off;
}

static void
run_border (SegPipe *pipe, SegPipeWork work, guint border)
{
  guint8 *data;
  const SegFrame *frame = seg_pipe_input (pipe, &data);
  color_net_paint (frame, data, 0, border, red);
  color_net_paint (frame, data, border, WIDTH, green);
  run (pipe, work);
}

/* A border in the middle of a pixel of the network's: how far both sides are from where they should be; and in
 * the next frame, where it has moved and the network has not looked. */
static void
measure_border (SegNet *net, const SegPipeConfig *config, guint off[2])
{
  enum { BORDER = 83, MOVED = 85 };
  GError *error = NULL;
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, config, &error);
  g_assert_no_error (error);
  if (config->output == SEG_OUTPUT_BACKGROUND)
    put_white_behind (pipe);
  run_border (pipe, SEG_PIPE_INFER, BORDER);
  off[0] = MAX (off_at (pipe, BORDER - 1, 20), off_at (pipe, BORDER, 150));
  const guint32 *areas = seg_pipe_areas (pipe);
  g_assert_cmpuint (areas[0] + areas[1], ==, WIDTH * HEIGHT);
  if (config->guided)
    g_assert_cmpuint (areas[0], ==, BORDER * HEIGHT);
  run_border (pipe, SEG_PIPE_REDRAW, MOVED);
  off[1] = MAX (off_at (pipe, MOVED - 1, 20), off_at (pipe, MOVED, 150));
  seg_pipe_free (&pipe);
}

static void
test_guided (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN, noise_infos[0]);
  for (SegOutputKind output = 0; output <= SEG_OUTPUT_BACKGROUND; output++)
    for (guint i = 0; i < 4; i++) {
      SegPipeConfig config = { .output = output,
        .format = SEG_FORMAT_RGBX,
        .color = seg_color_bt709,
        .width = WIDTH,
        .height = HEIGHT,
        .result_format = SEG_FORMAT_RGBA,
        .separate_memory = i % 2,
        .smoothing = i / 2 * 0.5 };
      guint plain[2], guided[2];
      measure_border (net, &config, plain);
      config.guided = TRUE;
      measure_border (net, &config, guided);
      g_test_message ("output %u, case %u: %u, moved %u, instead of %u and %u", output, i,
          guided[0], guided[1], plain[0], plain[1]);
      g_assert_true (output == SEG_OUTPUT_LABELS || 2 * guided[0] < plain[0]);
      g_assert_true (output == SEG_OUTPUT_LABELS || 2 * guided[1] < plain[1]);
    }
  seg_net_free (&net);
}

static void
test_sizes_refused (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN, COLOR_NET_INFO);
  static const guint sizes[][2] = { { 0, 5 }, { 5, 0 }, { SEG_FRAME_MAX_PX + 1, 5 } };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;
    SegPipeConfig config = { SEG_OUTPUT_OVERLAY, SEG_FORMAT_NV12, seg_color_bt709,
      sizes[i][0], sizes[i][1] };
    g_assert_null (seg_pipe_new (net->vk, net->session, net->info, &config, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  }
  seg_net_free (&net);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (SegVk) vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  if (vk != NULL) {
    g_test_add_func ("/pipe/outputs", test_outputs);
    g_test_add_func ("/pipe/index", test_index);
    g_test_add_func ("/pipe/softmax", test_softmax);
    g_test_add_func ("/pipe/sigmoid", test_sigmoid);
    g_test_add_func ("/pipe/again", test_again);
    g_test_add_func ("/pipe/in-place", test_in_place);
    g_test_add_func ("/pipe/redraw", test_redraw);
    g_test_add_func ("/pipe/draw-flags", test_draw_flags);
    g_test_add_func ("/pipe/fit", test_fit);
    g_test_add_func ("/pipe/smoothing", test_smoothing);
    g_test_add_func ("/pipe/guided", test_guided);
    g_test_add_func ("/pipe/sizes-refused", test_sizes_refused);
  }
  int status = g_test_run ();
  color_net_remove (dir);
  g_free (dir);
  return status;
}
