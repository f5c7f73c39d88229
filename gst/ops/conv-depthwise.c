/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv.h"
#include "ops/epilogue.h"
#include "shaders.h"

#define LOCAL 64
/* More taps than this are not unrolled in both directions: the code would grow too long. */
#define MOST_UNROLLED 25
/* Texels of a tile, each a sum. */
#define MOST_SUMS 18

/* Most tiles of a strip. */
#define MOST_TURNS 16
/* Workgroups of strips, for each processor: with fewer some wait for the others' end. */
#define LEAST_GROUPS 8

typedef struct {
  guint w, h;                /* pixels of a tile */
  guint turns;               /* tiles of a strip, one below the other */
  gint64 apart_y, apart_x;   /* pixels of a tile, one from the next */
  gint64 strips_y, strips_x; /* in an image */
} Tiling;

gboolean
seg_conv_depthwise_takes (const SegConvJob *job)
{
  return job->groups == job->in_c && job->in_c == job->out_c && job->groups > 1
         && job->x.kernel <= 16
         && (job->x.kernel - 1) * job->x.dilation / job->x.stride <= 16;
}

static gint64
span_of (const SegWindowAxis *a, guint size)
{
  return (size - 1) * a->stride
         + (a->kernel - 1) * a->dilation / seg_window_tile_apart (a) + 1;
}

/* Rows of the input that a strip keeps from a tile for the next. */
static gint64
kept_rows (const SegConvJob *job, const Tiling *t)
{
  return t->turns == 1 ? 0 : MAX (span_of (&job->y, t->h) - t->h * job->y.stride, 0);
}

/* Of a strip, in the instructions that llvmpipe takes: for a texel that is read, one that is kept, a tap, a pixel's
 * store, a strip. */
static gint64
cost_of (const SegConvJob *job, const Tiling *t, guint texels)
{
  enum { FETCH = 60, KEEP = 13, TAP = 10, STORE = 350, STRIP = 300 };
  gint64 taps = job->y.kernel * job->x.kernel, columns = span_of (&job->x, t->w);
  gint64 pixels = t->w * t->h, kept = kept_rows (job, t);
  gboolean alone = t->h * t->turns == 1;
  gint64 rows = (alone ? job->y.kernel : span_of (&job->y, t->h)) - kept;
  gint64 start = FETCH * (taps + kept * columns);
  gint64 turn = columns * (FETCH * rows + KEEP * kept) + TAP * taps * pixels;
  return STRIP + texels * start + t->turns * (texels * turn + STORE * pixels);
}

/* Texels of a pixel, whole pairs. */
static guint32
pixel_texels (const SegConvJob *job)
{
  return (job->out_c + 7) / 8 * 2;
}

static guint64
items_of (const SegConvJob *job, const Tiling *t, guint texels)
{
  return (guint64) job->batch * t->strips_y * t->strips_x * pixel_texels (job) / texels;
}

/* Fills in what follows; FALSE: it does not fit. */
static gboolean
complete (const SegConvJob *job, Tiling *t)
{
  guint high = t->h * t->turns;
  if (!seg_window_tile_fits (&job->y, high) || !seg_window_tile_fits (&job->x, t->w))
    return FALSE;
  t->apart_y = seg_window_tile_apart (&job->y);
  t->apart_x = seg_window_tile_apart (&job->x);
  t->strips_y = seg_window_tiles (&job->y, high);
  t->strips_x = seg_window_tiles (&job->x, t->w);
  return TRUE;
}

/* Strips are for CPUs: a GPU wants many invocations, and finds in its caches what others have read. Of
 * tiles of a row, whose loop is short; where the window's rows lie apart, tiles have none in common. */
static guint
most_turns (const SegConvJob *job, guint w, guint h, const SegDeviceInfo *device)
{
  gboolean cpu = device->type == SEG_DEVICE_CPU;
  gboolean dense = job->y.dilation == seg_window_tile_apart (&job->y);
  gboolean small = job->y.kernel * job->x.kernel <= MOST_UNROLLED;
  return cpu && dense && small && h == 1 && w <= 4 ? MOST_TURNS : 1;
}

/* What costs least. Tall tiles first, whose columns are found once. */
static Tiling
choose_tiling (const SegConvJob *job, guint texels, const SegDeviceInfo *device)
{
  Tiling best = { .w = 0 };
  gint64 least = G_MAXINT64, taps = job->y.kernel * job->x.kernel;
  guint64 enough = LOCAL * LEAST_GROUPS * g_get_num_processors ();
  for (guint h = 1; h <= (taps > MOST_UNROLLED ? 1 : 4); h++)
    for (guint w = 1; w <= MOST_SUMS / h / texels && w <= 8; w += w < 4 ? 1 : 4)
      for (guint turns = 1; turns <= most_turns (job, w, h, device); turns++) {
        Tiling t = { .w = w, .h = h, .turns = turns };
        if (!complete (job, &t) || (turns > 1 && items_of (job, &t, texels) < enough))
          continue;
        gint64 cost = t.strips_y * t.strips_x * cost_of (job, &t, texels);
        if (cost <= least) {
          least = cost;
          best = t;
        }
      }
  return best;
}

/* [tap][channel], channels padded to whole texels of the pixel. */
static SegRef
pack (const SegConvJob *job, guint32 c4, SegProgram *p)
{
  gsize taps = job->y.kernel * job->x.kernel;
  g_autofree float *owned = NULL;
  const float *filter = seg_conv_floats (job->weights, &owned);
  g_autofree float *packed = g_new0 (float, taps *c4 * 4);
  for (gsize k = 0; k < taps; k++)
    for (guint32 c = 0; c < job->out_c; c++)
      packed[k * c4 * 4 + c] = filter[c * taps + k];
  return seg_program_floats (p, packed, taps * c4 * 4, seg_program_precision (p));
}

gboolean
seg_conv_depthwise_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  static const SegShader *const shaders[2][2] = {
    { &seg_shader_conv_depthwise_f32, &seg_shader_conv_depthwise_f16 },
    { &seg_shader_conv_depthwise_wide_f32, &seg_shader_conv_depthwise_wide_f16 },
  };
  guint texels = seg_program_store_texels (p, seg_program_precision (p));
  Tiling t = choose_tiling (job, texels, seg_program_device (p));
  guint32 c4 = pixel_texels (job);
  guint64 items = items_of (job, &t, texels);
  if (items > G_MAXINT32) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "the feature map has too many pixels");
    return FALSE;
  }
  SegRef bias = seg_conv_bias (job, 8, p);
  gboolean half = seg_program_precision (p) == SEG_STORAGE_F16;
  guint32 n = (items + LOCAL - 1) / LOCAL, columns = MIN (n, 32768);
  SegDispatch d = {
    .shader = shaders[texels - 1][half],
    .spec = { t.w, t.h, job->y.kernel, job->x.kernel, job->y.stride, job->x.stride,
        job->y.dilation / t.apart_y, job->x.dilation / t.apart_x, t.turns > 1 },
    .bindings = { { job->source, SEG_BIND_TEXEL }, { pack (job, c4, p), SEG_BIND_TEXEL },
        { bias, SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_output (job->node, 0)),
            SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { job->y.in, job->y.out, job->y.pad, t.apart_y, t.strips_y, job->x.in,
        job->x.out, job->x.pad, t.apart_x, t.strips_x, job->in.pitch / 4,
        job->in.offset / 4, job->out.pitch / 4, job->out.offset / 4,
        job->residual.pitch / 4, job->residual.offset / 4, job->out_c, c4, items,
        c4 / texels, t.turns },
    .n_push = 21,
    .groups = { columns, (n + columns - 1) / columns, 1 },
    .live = seg_live_times (
        seg_program_live (p, seg_node_output (job->node, 0), items), 1, LOCAL),
  };
  seg_epilogue_add (&d, job->node, p, bias);
  return seg_program_dispatch (p, &d, error);
}
