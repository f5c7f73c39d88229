/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames to network inputs on the device, against reference.c. */
#include "reference.h"
#include "vk/common.h"

#include "base/tensor.h"
#include "frame/strips.h"

#include <math.h>
#include <string.h>

static SegVk *vk;

typedef enum { NCHW_LAST, NCHW_ROWS, NHWC_ROWS } Layout;

typedef struct {
  SegFormat format;
  guint width, height, net_width, net_height, n_channels;
  gboolean wide; /* rows far longer than needed, planes at odd places */
  SegFit fit;
  const SegColor *color;
  Layout layout;
  SegStorage storage;
  SegChannelOrder order;
} Case;

static char *
case_text (const Case *c)
{
  static const char *const layouts[] = { "channels-last", "NCHW", "NHWC" };
  return g_strdup_printf (
      "%s %ux%u%s -> %ux%ux%u %s fit %d storage %d order %d kr %g full %d",
      seg_format_info (c->format)->name, c->width, c->height, c->wide ? " wide" : "",
      c->net_width, c->net_height, c->n_channels, layouts[c->layout], c->fit, c->storage,
      c->order, c->color->kr, c->color->full_range);
}

static void
make_wide (SegFrame *frame)
{
  frame->n_bytes = 5;
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++) {
    frame->stride[p] = seg_frame_row_bytes (frame, p) + 37;
    frame->offset[p] = frame->n_bytes;
    frame->n_bytes += frame->stride[p] * seg_frame_n_rows (frame, p) + 3;
  }
}

static void
fill_random (guint8 *bytes, gsize n, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (gsize i = 0; i < n; i++)
    bytes[i] = (guint8) g_rand_int_range (rand, 0, 256);
}

static void
make_bound (SegBound *b, const Case *c)
{
  guint32 w = c->net_width, h = c->net_height, n = c->n_channels;
  gboolean nhwc = c->layout == NHWC_ROWS;
  memset (b, 0, sizeof *b);
  b->desc =
      (SegDesc){ SEG_DTYPE_F32, 4, { 1, nhwc ? h : n, nhwc ? w : h, nhwc ? n : w } };
  b->storage = c->storage;
  b->view.rank = 4;
  for (guint i = 0; i < 4; i++)
    b->view.dims[i] = (guint32) b->desc.dims[i];
  if (c->layout == NCHW_LAST) {
    b->layout = SEG_LAYOUT_CHANNELS_LAST;
    b->view.pitch = 8;
    b->view.n_elems = w * h * 8;
    b->view.strides[1] = 1;
    b->view.strides[2] = 8 * w;
    b->view.strides[3] = 8;
  } else {
    b->view.n_elems = (w * h * n + 3) & ~3u;
    for (guint i = 4, stride = 1; i-- > 0; stride *= b->view.dims[i])
      b->view.strides[i] = stride;
  }
  b->n_bytes = (gsize) b->view.n_elems * (c->storage == SEG_STORAGE_F16 ? 2 : 4);
}

static double
element (const SegBound *b, const void *data, gsize i)
{
  if (b->storage == SEG_STORAGE_F16)
    return seg_half_to_float (((const guint16 *) data)[i]);
  return ((const float *) data)[i];
}

/* fp32 keeps positions to about 1e-6 of the frame's side, which moves a byte by a little. */
static void
check (const Case *c, const SegFrame *frame, const guint8 *bytes, const SegGeometry *g,
    const SegNormalize *n, const SegBound *b, const void *data)
{
  guint channel_axis = c->layout == NHWC_ROWS ? 3 : 1, y_axis = channel_axis == 1 ? 2 : 1;
  double tolerance = c->storage == SEG_STORAGE_F16 ? 4e-3 : 1e-3;
  g_autofree char *text = case_text (c);
  for (guint y = 0; y < c->net_height; y++)
    for (guint x = 0; x < c->net_width; x++) {
      double want[3];
      ref_net_pixel (frame, bytes, g, n, x, y, want);
      gsize at =
          (gsize) y * b->view.strides[y_axis] + (gsize) x * b->view.strides[y_axis + 1];
      for (guint k = 0; k < c->n_channels; k++) {
        double got = element (b, data, at + k * b->view.strides[channel_axis]);
        if (!(fabs (got - want[k]) <= tolerance * (n->hi[k] - n->lo[k])))
          g_error ("%s: pixel %u,%u channel %u is %g, must be %g", text, x, y, k, got,
              want[k]);
      }
      for (guint k = c->n_channels; c->layout == NCHW_LAST && k < 8; k++)
        if (element (b, data, at + k) != 0.0)
          g_error ("%s: pixel %u,%u: padding %u is not 0", text, x, y, k);
    }
}

/* Whether it goes the faster way of CPU devices. */
static gboolean
takes_strips (const SegFrameSource *source, const SegGeometry *g, const SegNormalize *n,
    const SegBound *b)
{
  SegPreprocessBlock block;
  g_assert_true (seg_preprocess_fill (&block, source, g, n, b, 0, NULL));
  return !g->mirror && seg_strips_can (source, &block, b);
}

static gboolean
run_case (const Case *c)
{
  GError *error = NULL;
  SegFrame frame;
  SegParams params = { 0 };
  SegFrameSource source;
  SegGeometry g;
  SegBound b;
  SegNormalize n = { c->order, { -2.1, -2.0, -1.8 }, { 2.2, 2.4, 2.6 },
    { 114, 30, 200 } };
  if (c->n_channels == 1)
    n.order = SEG_CHANNELS_GRAY;
  seg_frame_layout (&frame, c->format, c->color, c->width, c->height, 16, &error);
  g_assert_no_error (error);
  if (c->wide)
    make_wide (&frame);
  seg_geometry_init (&g, c->fit, c->width, c->height, c->net_width, c->net_height);
  make_bound (&b, c);
  SegBuffer *upload = test_buffer (vk, (frame.n_bytes + 15) & ~15ul, SEG_BUFFER_UPLOAD);
  SegBuffer *device = test_buffer (vk, b.n_bytes, SEG_BUFFER_DEVICE);
  SegBuffer *result = test_buffer (vk, b.n_bytes, SEG_BUFFER_READBACK);
  b.buffer = device;
  fill_random (seg_buffer_map (upload), frame.n_bytes, c->width * 31 + c->format);

  SegCmd *cmd = test_cmd (vk, FALSE);
  gboolean ok = seg_params_init (&params, vk, &error)
                && seg_frame_source_init (&source, &params, &frame, upload, 0, &error)
                && seg_preprocess_record (cmd, &params, &source, &g, &n, &b, &error)
                && seg_cmd_copy (cmd, device, 0, result, 0, b.n_bytes, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  gboolean strips = takes_strips (&source, &g, &n, &b);
  test_run (cmd);
  check (c, &frame, seg_buffer_map (upload), &g, &n, &b, seg_buffer_map (result));
  seg_cmd_free (&cmd);
  seg_params_clear (&params);
  seg_buffer_free (&upload);
  seg_buffer_free (&device);
  seg_buffer_free (&result);
  return strips;
}

static const Case plain = { SEG_FORMAT_RGBA, 48, 36, 32, 32, 3, FALSE, SEG_FIT_STRETCH,
  &seg_color_bt601, NCHW_LAST, SEG_STORAGE_F32, SEG_CHANNELS_RGB };

static void
test_formats (void)
{
  static const guint sizes[][2] = { { 48, 36 }, { 33, 27 }, { 1, 1 }, { 5, 130 },
    { 131, 97 }, { 350, 64 }, { 203, 333 } };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (guint wide = 0; wide < 2; wide++) {
        Case c = plain;
        c.format = f;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        c.wide = wide;
        run_case (&c);
      }
}

static void
test_colors (void)
{
  const SegColor siting = { 0.299, 0.114, TRUE, 0.0, 0.0 };
  const SegColor *colors[] = { &seg_color_bt601, &seg_color_bt709, &seg_color_bt2020,
    &seg_color_jpeg, &siting };
  static const SegFormat formats[] = { SEG_FORMAT_NV12, SEG_FORMAT_YUY2, SEG_FORMAT_GRAY8,
    SEG_FORMAT_RGB };
  for (guint i = 0; i < G_N_ELEMENTS (colors); i++)
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
      Case c = plain;
      c.color = colors[i];
      c.format = formats[f];
      c.width = 41;
      run_case (&c);
    }
}

static void
test_fits (void)
{
  /* frame and network: wide, tall, much larger, smaller */
  static const guint sizes[][4] = { { 64, 30, 33, 33 }, { 20, 64, 32, 24 },
    { 301, 257, 19, 24 }, { 9, 7, 40, 30 } };
  for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (guint yuv = 0; yuv < 2; yuv++) {
        Case c = plain;
        c.fit = fit;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        c.net_width = sizes[s][2];
        c.net_height = sizes[s][3];
        c.format = yuv ? SEG_FORMAT_I420 : SEG_FORMAT_BGRX;
        run_case (&c);
      }
}

static void
test_layouts (void)
{
  for (Layout layout = NCHW_LAST; layout <= NHWC_ROWS; layout++)
    for (SegStorage storage = SEG_STORAGE_F32; storage <= SEG_STORAGE_F16; storage++)
      for (guint odd = 0; odd < 4; odd++)
        for (guint n = 1; n <= 3; n += 2) {
          Case c = plain;
          c.layout = layout;
          c.storage = storage;
          c.net_width = 16 + odd;
          c.net_height = 9;
          c.n_channels = n;
          c.order = odd % 2 ? SEG_CHANNELS_BGR : SEG_CHANNELS_RGB;
          run_case (&c);
        }
}

/* Frames of which 16 of the network's pixels are whole words, several to a pixel: at, inside and past
 * edges; in words of 4 and of 16 bytes. */
static const struct {
  guint width, height, net_width, net_height;
  const char
      *never[5]; /* formats of which they are not, or too much at once, when stretched */
} strip_sizes[] = {
  { 160, 90, 32, 32, { NULL } },
  { 144, 96, 48, 32, { NULL } },
  { 240, 136, 32, 24, { "RGBA", "BGRx", "RGB", "BGR", NULL } },
  { 1280, 16, 256, 8, { NULL } },
  { 80, 100, 64, 48, { "I420", "YV12", NULL } },
  { 96, 200, 32, 33, { NULL } },
};

static void
test_strips (void)
{
  static const SegFormat formats[] = { SEG_FORMAT_NV12, SEG_FORMAT_NV21, SEG_FORMAT_I420,
    SEG_FORMAT_YV12, SEG_FORMAT_GRAY8, SEG_FORMAT_YUY2, SEG_FORMAT_UYVY, SEG_FORMAT_RGBA,
    SEG_FORMAT_BGRX, SEG_FORMAT_RGB, SEG_FORMAT_BGR };
  static const SegColor *const colors[] = { &seg_color_bt709, &seg_color_bt2020,
    &seg_color_jpeg };
  gboolean cpu = seg_vk_info (vk)->type == SEG_DEVICE_CPU;
  guint n_taken[SEG_FIT_CROP + 1] = { 0 };
  for (guint s = 0; s < G_N_ELEMENTS (strip_sizes); s++)
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
      for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++) {
        Case c = plain;
        c.format = formats[f];
        c.fit = fit;
        c.color = colors[(s + f) % 3];
        c.width = strip_sizes[s].width;
        c.height = strip_sizes[s].height;
        c.net_width = strip_sizes[s].net_width;
        c.net_height = strip_sizes[s].net_height;
        c.storage = (f + fit) % 2 ? SEG_STORAGE_F16 : SEG_STORAGE_F32;
        c.n_channels = c.format == SEG_FORMAT_GRAY8 ? 1 : 3;
        gboolean taken = run_case (&c);
        gboolean can =
            !g_strv_contains (strip_sizes[s].never, seg_format_info (c.format)->name);
        g_autofree char *text = case_text (&c);
        if (fit == SEG_FIT_STRETCH && taken != (cpu && can))
          g_error ("%s: %staken in strips", text, taken ? "" : "not ");
        n_taken[fit] += taken;
      }
  for (SegFit fit = SEG_FIT_STRETCH; cpu && fit <= SEG_FIT_CROP; fit++)
    g_assert_cmpuint (n_taken[fit], >=, G_N_ELEMENTS (formats));
}

/* A frame of lines one pixel wide, scaled down a lot, is gray and not a moire. */
static void
test_no_aliasing (void)
{
  SegGeometry g;
  SegFrame frame;
  SegNormalize n = { SEG_CHANNELS_RGB, { 0, 0, 0 }, { 1, 1, 1 }, { 0, 0, 0 } };
  GError *error = NULL;
  seg_frame_layout (&frame, SEG_FORMAT_GRAY8, &seg_color_jpeg, 640, 480, 16, &error);
  g_autofree guint8 *bytes = g_malloc (frame.n_bytes);
  for (gsize i = 0; i < frame.n_bytes; i++)
    bytes[i] = i % 2 ? 255 : 0;
  seg_geometry_init (&g, SEG_FIT_STRETCH, 640, 480, 97, 61);
  for (guint x = 1; x < 96; x++) {
    double out[3];
    ref_net_pixel (&frame, bytes, &g, &n, x, 30, out);
    g_assert_cmpfloat (fabs (out[0] - 0.5), <, 0.17);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  if (vk != NULL) {
    g_test_add_func ("/preprocess/formats", test_formats);
    g_test_add_func ("/preprocess/colors", test_colors);
    g_test_add_func ("/preprocess/fits", test_fits);
    g_test_add_func ("/preprocess/layouts", test_layouts);
    g_test_add_func ("/preprocess/strips", test_strips);
    g_test_add_func ("/preprocess/no-aliasing", test_no_aliasing);
  }
  int status = g_test_run ();
  seg_vk_unref (vk);
  return status;
}
