/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that are covered with tiles, against the whole mirrored image in one run. */
#include "frame/net.h"
#include "frame/pipe.h"
#include "frame/tiling.h"
#include "lib/net.h"
#include "vk/common.h"

#include "color-net.h"

#include <string.h>

#define INFO                                                                             \
  "[vkseg]\ndecoder=argmax\nmean=0\nstd=255\nlabels=background,a,b,c,d\nbackground=0\n"

static char *dir;
static SegVk *vk;

typedef struct {
  SegModel *model;
  SegModelInfo *info;
  SegSession *session;
} Bound;

/* A session at a size of its own. */
static Bound
bind (const char *path, guint batch, guint height, guint width, SegPrecision precision)
{
  GError *error = NULL;
  Bound b = { seg_model_load (path, &error) };
  g_assert_no_error (error);
  b.info = seg_model_info_load (b.model, path, NULL, NULL, &error);
  g_assert_no_error (error);
  const SegInputShape shape = { "picture", 4, { batch, 3, height, width } };
  SegSessionOptions options = {
    .precision = precision, .shapes = &shape, .n_shapes = 1, .steady = TRUE
  };
  b.session = seg_session_new (b.model, vk, &options, &error);
  g_assert_no_error (error);
  seg_model_info_resolve (b.info, seg_session_graph (b.session), &error);
  g_assert_no_error (error);
  return b;
}

static void
unbind (Bound *b)
{
  seg_session_free (&b->session);
  seg_model_info_free (&b->info);
  seg_model_unref (b->model);
}

static void
paint_noise (const SegFrame *frame, guint8 *data)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (frame->width);
  for (gsize i = 0; i < frame->n_bytes; i++)
    data[i] = (guint8) g_rand_int_range (rand, 0, 256);
}

static SegPipeConfig
config_of (guint width, guint height, SegOutputKind output)
{
  return (SegPipeConfig){ .output = output,
    .format = SEG_FORMAT_RGB,
    .color = seg_color_bt709,
    .width = width,
    .height = height,
    .result_format = SEG_FORMAT_RGBA };
}

/* The labels, or the matte, of a noise picture; newly allocated. The areas are checked. */
static guint8 *
run_pipe (const Bound *b, const SegPipeConfig *config, guint *n_tiles)
{
  GError *error = NULL;
  SegPipe *pipe = seg_pipe_new (vk, b->session, b->info, config, &error);
  g_assert_no_error (error);
  guint8 *upload;
  const guint8 *data;
  const SegFrame *frame = seg_pipe_input (pipe, &upload);
  paint_noise (frame, upload);
  for (guint i = 0; i < 2; i++) { /* the second finds what the first left */
    seg_pipe_submit (pipe, SEG_PIPE_INFER, &error);
    g_assert_no_error (error);
    seg_pipe_wait (pipe, &error);
    g_assert_no_error (error);
  }
  const SegFrame *result = seg_pipe_result (pipe, &data);
  guint8 *out = g_malloc0 ((gsize) result->width * result->height);
  guint32 areas[256] = { 0 };
  for (guint y = 0; y < result->height; y++)
    for (guint x = 0; x < result->width; x++) {
      guint8 v = data[y * result->stride[0] + x];
      out[y * result->width + x] = v;
      areas[v]++;
    }
  if (config->output == SEG_OUTPUT_LABELS)
    g_assert_cmpmem (areas, sizeof areas, seg_pipe_areas (pipe), sizeof areas);
  if (n_tiles != NULL)
    *n_tiles = seg_pipe_n_tiles (pipe);
  seg_pipe_free (&pipe);
  return out;
}

/* One session at a tile's size, one that takes the whole frame with its mirrored border. */
static void
compare_with_whole (const char *path, guint side, guint batch, guint width, guint height,
    guint whole_width, guint whole_height, guint want_tiles)
{
  Bound tile = bind (path, batch, side, side, SEG_PRECISION_FP32);
  Bound whole = bind (path, 1, whole_height, whole_width, SEG_PRECISION_FP32);
  for (SegOutputKind output = SEG_OUTPUT_LABELS; output <= SEG_OUTPUT_MATTE; output++) {
    SegPipeConfig config = config_of (width, height, output);
    guint n_tiles, n_classes = 0;
    config.override_fit = TRUE;
    config.fit = SEG_FIT_NATIVE;
    g_autofree guint8 *b = run_pipe (&whole, &config, NULL);
    config.tile = TRUE;
    g_autofree guint8 *a = run_pipe (&tile, &config, &n_tiles);
    for (guint i = 0; i < width * height; i++) {
      n_classes |= 1u << (a[i] & 31);
      if (a[i] != b[i])
        g_error ("%s, tiles of %u in batches of %u, frame %ux%u, output %d: at %u,%u is "
                 "%u, must be %u",
            path, side, batch, width, height, output, i % width, i / width, a[i], b[i]);
    }
    g_assert_cmpuint (n_tiles, ==, want_tiles);
    g_assert_cmpuint (n_classes & (n_classes - 1), !=, 0);
  }
  unbind (&tile);
  unbind (&whole);
}

static char *
write_unet (guint levels, guint base, const char *name)
{
  Net *net = net_new (0, 3, 0, 0);
  return net_write (
      net, net_unet (net, "picture", 3, levels, base, 5, FALSE), dir, name, INFO);
}

static void
test_unet (void)
{
  g_autofree char *path = write_unet (2, 8, "unet");
  /* 68 pixels are covered, and tiles are as far apart: 5 x 3. */
  compare_with_whole (path, 108, 1, 333, 155, 376, 196, 15);
  compare_with_whole (path, 108, 4, 333, 155, 376, 196, 15);
  /* Smaller than a tile, and than its margin. */
  compare_with_whole (path, 108, 1, 11, 7, 52, 48, 1);
}

/* Outputs coarser than the frame are interpolated, over the edges of tiles too. */
static void
test_coarse (void)
{
  Net *net = net_new (0, 3, 0, 0);
  const char *v = net_conv (net, "picture", (NetConv){ 3, 8, 3 });
  v = net_op (net, "Relu", net_conv (net, v, (NetConv){ 8, 16, 3, 2 }));
  v = net_conv (net, v, (NetConv){ 16, 16, 3, 2 });
  v = net_conv (net, v, (NetConv){ 16, 5, 1 });
  g_autofree char *path = net_write (net, v, dir, "coarse", INFO);
  /* 65 becomes 31, then 15: jump 4, margin 2.5, 60 pixels. */
  compare_with_whole (path, 65, 1, 301, 97, 309, 105, 7 * 2);
}

/* The scores themselves, bit by bit: tiles of an image against the whole of it. */
static void
test_bits (void)
{
  g_autofree char *path = write_unet (3, 16, "unet-bits");
  enum { SIDE = 220, N = 5, MARGIN = 44, STEP = 8 * 17, WIDE = SIDE + STEP * N };
  Bound tile = bind (path, 1, SIDE, SIDE, SEG_PRECISION_FP32);
  Bound whole = bind (path, 1, SIDE, WIDE, SEG_PRECISION_FP32);
  GError *error = NULL;
  const SegDesc small = { SEG_DTYPE_F32, 4, { 1, 3, SIDE, SIDE } },
                large = { SEG_DTYPE_F32, 4, { 1, 3, SIDE, WIDE } };
  g_autoptr (SegTensor) image = seg_tensor_new (&large, NULL),
                        part = seg_tensor_new (&small, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  float *pixels = image->data;
  for (guint i = 0; i < 3 * SIDE * WIDE; i++)
    pixels[i] = (float) g_rand_double_range (rand, -1, 1);
  SegTensor *all = NULL;
  g_assert_true (seg_session_run (whole.session, &image, &all, &error));
  guint out_w = (guint) all->desc.dims[3], out_h = (guint) all->desc.dims[2];
  g_assert_cmpuint (out_w, ==, WIDE - 2 * MARGIN);
  for (guint t = 0; t <= N; t++) {
    for (guint row = 0; row < 3 * SIDE; row++)
      memcpy ((float *) part->data + row * SIDE, pixels + row * WIDE + t * STEP,
          SIDE * sizeof (float));
    SegTensor *one = NULL;
    g_assert_true (seg_session_run (tile.session, &part, &one, &error));
    guint w = (guint) one->desc.dims[3];
    for (guint row = 0; row < 5 * out_h; row++)
      if (memcmp ((float *) one->data + row * w,
              (float *) all->data + row * out_w + t * STEP, w * sizeof (float))
          != 0)
        g_error ("tile %u: class %u, row %u differs", t, row / out_h, row % out_h);
    seg_tensor_unref (one);
  }
  seg_tensor_unref (all);
  unbind (&tile);
  unbind (&whole);
}

/* --- padded networks ---------------------------------------------------------------------------- */

static gint
mirrored (gint i, gint n)
{
  i = (i % (2 * n) + 2 * n) % (2 * n);
  return i < n ? i : 2 * n - 1 - i;
}

/* What a tile at (x, y) of the noise picture gives. */
static SegTensor *
run_tile (const Bound *b, const SegFrame *frame, const guint8 *data, gint x0, gint y0,
    gint side)
{
  GError *error = NULL;
  const SegDesc desc = { SEG_DTYPE_F32, 4, { 1, 3, side, side } };
  g_autoptr (SegTensor) in = seg_tensor_new (&desc, NULL);
  SegTensor *out = NULL;
  for (gint c = 0; c < 3; c++)
    for (gint y = 0; y < side; y++)
      for (gint x = 0; x < side; x++)
        ((float *) in->data)[(c * side + y) * side + x] =
            (float)
                data[(gsize) mirrored (y0 + y, (gint) frame->height) * frame->stride[0]
                     + (gsize) mirrored (x0 + x, (gint) frame->width) * 3 + (gsize) c]
            / 255.0f;
  g_assert_true (seg_session_run (b->session, &in, &out, &error));
  return out;
}

/* Weight of pixel i of tile t of n, which are `step` apart. */
static double
weight (gint i, gint t, gint n, gint step, gint overlap)
{
  if (t > 0 && i < overlap)
    return (i + 0.5) / overlap;
  if (t + 1 < n && i >= step)
    return MAX (1.0 - (i - step + 0.5) / overlap, 0.0);
  return 1.0;
}

enum { BLEND_W = 150, BLEND_H = 101, BLEND_SIDE = 64, BLEND_OVERLAP = 12 };

/* Scores of the frame, [class][y][x], blended as they should be; newly allocated. */
static double *
blend (const Bound *b, const SegFrame *frame, const guint8 *data)
{
  gint step = (BLEND_SIDE - BLEND_OVERLAP) / 4 * 4;
  gint nx = 1 + (BLEND_W - BLEND_SIDE + step - 1) / step,
       ny = 1 + (BLEND_H - BLEND_SIDE + step - 1) / step;
  double *sum = g_new0 (double, 5 * BLEND_W * BLEND_H);
  g_autofree double *weights = g_new0 (double, BLEND_W *BLEND_H);
  for (gint t = 0; t < nx * ny; t++) {
    gint x0 = t % nx * step, y0 = t / nx * step;
    g_autoptr (SegTensor) one = run_tile (b, frame, data, x0, y0, BLEND_SIDE);
    for (gint y = 0; y < MIN (BLEND_SIDE, BLEND_H - y0); y++)
      for (gint x = 0; x < MIN (BLEND_SIDE, BLEND_W - x0); x++) {
        double w = weight (x, t % nx, nx, step, BLEND_OVERLAP)
                   * weight (y, t / nx, ny, step, BLEND_OVERLAP);
        gint at = (y0 + y) * BLEND_W + x0 + x;
        weights[at] += w;
        for (gint c = 0; c < 5; c++)
          sum[c * BLEND_W * BLEND_H + at] +=
              w * ((float *) one->data)[(c * BLEND_SIDE + y) * BLEND_SIDE + x];
      }
  }
  for (guint i = 0; i < BLEND_W * BLEND_H; i++)
    g_assert_cmpfloat_with_epsilon (weights[i], 1.0, 1e-9);
  return sum;
}

/* Labels of a frame of width x height are the best of scores [class][y][x], of which a class has
 * `plane`, a row `row`. */
static void
check_best (const double *scores, gsize plane, gsize row, const guint8 *labels,
    guint width, guint height)
{
  guint n_sure = 0;
  for (guint i = 0; i < width * height; i++) {
    const double *at = scores + i / width * row + i % width;
    guint best = 0;
    double margin = 1e9;
    for (guint c = 1; c < 5; c++)
      best = at[c * plane] > at[best * plane] ? c : best;
    for (guint c = 0; c < 5; c++)
      if (c != best)
        margin = MIN (margin, at[best * plane] - at[c * plane]);
    if (margin < 1e-4)
      continue;
    n_sure++;
    if (labels[i] != best)
      g_error ("at %u,%u of %ux%u is %u, must be %u by %g", i % width, i / width, width,
          height, labels[i], best, margin);
  }
  g_assert_cmpuint (n_sure, >, width * height * 9 / 10);
}

/* Frames smaller than a margin are mirrored several times. */
static void
test_mirror (void)
{
  static const guint sizes[][2] = { { 11, 7 }, { 1, 30 }, { 40, 3 } };
  g_autofree char *path = write_unet (2, 8, "mirror");
  Bound b = bind (path, 1, 108, 108, SEG_PRECISION_FP32);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    SegPipeConfig config = config_of (sizes[i][0], sizes[i][1], SEG_OUTPUT_LABELS);
    config.tile = TRUE;
    SegFrame frame;
    seg_frame_layout (
        &frame, config.format, &config.color, config.width, config.height, 16, NULL);
    g_autofree guint8 *labels = run_pipe (&b, &config, NULL);
    g_autofree guint8 *data = g_malloc (frame.n_bytes);
    paint_noise (&frame, data);
    g_autoptr (SegTensor) out = run_tile (&b, &frame, data, -20, -20, 108);
    g_autofree double *scores = g_new (double, 5 * 68 * 68);
    for (guint k = 0; k < 5 * 68 * 68; k++)
      scores[k] = ((float *) out->data)[k];
    check_best (scores, 68 * 68, 68, labels, config.width, config.height);
  }
  unbind (&b);
}

/* Scores where tiles overlap are the sum of both, with ramps that sum to one. */
static void
test_blend (void)
{
  Net *net = net_new (0, 3, 0, 0);
  g_autofree char *path =
      net_write (net, net_unet (net, "picture", 3, 2, 8, 5, TRUE), dir, "padded", INFO);
  Bound b = bind (path, 1, BLEND_SIDE, BLEND_SIDE, SEG_PRECISION_FP32);
  SegPipeConfig config = config_of (BLEND_W, BLEND_H, SEG_OUTPUT_LABELS);
  SegFrame frame;
  seg_frame_layout (&frame, SEG_FORMAT_RGB, &config.color, BLEND_W, BLEND_H, 16, NULL);
  for (guint batch = 1; batch <= 3; batch += 2) {
    guint n_tiles;
    Bound tiles = bind (path, batch, BLEND_SIDE, BLEND_SIDE, SEG_PRECISION_FP32);
    config.tile = TRUE;
    config.tile_overlap = BLEND_OVERLAP;
    g_autofree guint8 *labels = run_pipe (&tiles, &config, &n_tiles);
    g_autofree guint8 *data = g_malloc (frame.n_bytes);
    g_assert_cmpuint (n_tiles, ==, 3 * 2);
    /* The pipe's frame may have other strides, but is painted alike. */
    SegPipe *pipe = seg_pipe_new (vk, tiles.session, tiles.info, &config, NULL);
    const SegFrame *own = seg_pipe_input (pipe, &(guint8 *){ NULL });
    g_assert_cmpuint (own->n_bytes, ==, frame.n_bytes);
    seg_pipe_free (&pipe);
    paint_noise (&frame, data);
    g_autofree double *scores = blend (&b, &frame, data);
    check_best (scores, BLEND_W * BLEND_H, BLEND_W, labels, BLEND_W, BLEND_H);
    unbind (&tiles);
  }
  unbind (&b);
}

/* A plain picture of a network whose padding shows: where tiles meet it does not. */
static void
test_seam (void)
{
  float weights[2 * 3 * 49 + 2] = { 0 };
  for (guint i = 0; i < 3 * 49; i++)
    weights[3 * 49 + i] = 0.01f;
  Net *net = net_new (1, 3, 48, 48);
  const char *v = net_conv_with (net, "picture", (NetConv){ 3, 2, 7, 1, 3 }, weights);
  g_autofree char *path = net_write (
      net, v, dir, "seam", "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\nforeground=1\n");
  Bound b = bind (path, 1, 48, 48, SEG_PRECISION_FP32);
  SegPipeConfig config = config_of (200, 130, SEG_OUTPUT_MATTE);
  guint jumps[2];
  for (guint k = 0; k < 2; k++) {
    GError *error = NULL;
    config.tile = TRUE;
    config.tile_overlap = k == 0 ? 16 : 0;
    SegPipe *pipe = seg_pipe_new (vk, b.session, b.info, &config, &error);
    g_assert_no_error (error);
    guint8 *data;
    const guint8 *out;
    const SegFrame *frame = seg_pipe_input (pipe, &data);
    memset (data, 200, frame->n_bytes);
    g_assert_true (
        seg_pipe_submit (pipe, SEG_PIPE_INFER, &error) && seg_pipe_wait (pipe, &error));
    const SegFrame *result = seg_pipe_result (pipe, &out);
    jumps[k] = 0;
    for (guint y = 8; y < 122; y++)
      for (guint x = 8; x < 191; x++) {
        const guint8 *p = out + y * result->stride[0] + x;
        guint right = (guint) ABS (p[1] - p[0]),
              down = (guint) ABS (p[result->stride[0]] - p[0]);
        jumps[k] = MAX (jumps[k], MAX (right, down));
      }
    seg_pipe_free (&pipe);
  }
  g_test_message ("steps of %u with an overlap, %u without", jumps[0], jumps[1]);
  g_assert_cmpuint (jumps[0], <=, 3);
  g_assert_cmpuint (jumps[1], >, 3 * jumps[0]); /* the test sees seams */
  unbind (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  if (vk != NULL) {
    g_test_add_func ("/tiles/unet", test_unet);
    g_test_add_func ("/tiles/coarse", test_coarse);
    g_test_add_func ("/tiles/bits", test_bits);
    g_test_add_func ("/tiles/mirror", test_mirror);
    g_test_add_func ("/tiles/blend", test_blend);
    g_test_add_func ("/tiles/seam", test_seam);
  }
  int status = g_test_run ();
  seg_vk_unref (vk);
  color_net_remove (dir);
  g_free (dir);
  return status;
}
