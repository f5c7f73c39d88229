/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores of a network to class maps, mattes and pictures on the device, against reference.c. */
#include "reference.h"
#include "vk/common.h"

#include "base/tensor.h"

#include <math.h>
#include <string.h>

static SegVk *vk;

typedef enum { NCHW_LAST, NCHW_ROWS, NHWC_ROWS, N_LAYOUTS } Layout;

typedef struct {
  guint width, height, grid_width, grid_height, n_classes;
  SegFormat format;
  SegFit fit;
  Layout layout;
  SegStorage storage;
  SegDecodeKind kind;
  SegScores scores;
  gboolean nearest, contours, legend;
  int background;
  double threshold, alpha;
  guint32 drop; /* classes that are not kept, a bit each */
} Case;

static const Case plain = {
  .width = 45,
  .height = 38,
  .grid_width = 9,
  .grid_height = 7,
  .n_classes = 5,
  .format = SEG_FORMAT_RGBA,
  .layout = NCHW_LAST,
  .background = 0,
  .alpha = 0.5,
};

/* Everything that a case's recording needs. */
typedef struct {
  Case c;
  SegFrame frame;
  SegGeometry g;
  SegBound scores;
  SegParams params;
  SegFrameSource source;
  SegDecodePlan plan;
  SegDecodeMemory memory;
  SegLegend legend;
  SegPiece drawn;
  SegPalette palette;
  SegStyleBlock *style;
  SegColorTable *colors;
  SegBufferView style_view, colors_view, decode;
  SegBuffer *upload, *input, *work, *readback;
  float *values; /* [class][y][x] */
  const guint8 *map, *matte, *result;
  const guint32 *counts;
  gsize stride;
} Run;

static char *
case_text (const Case *c)
{
  return g_strdup_printf (
      "%ux%u %s, grid %ux%u of %u, fit %d layout %d storage %d kind %d scores %d "
      "nearest %d contours %d background %d threshold %g alpha %g drop %x",
      c->width, c->height, seg_format_info (c->format)->name, c->grid_width,
      c->grid_height, c->n_classes, c->fit, c->layout, c->storage, c->kind, c->scores,
      c->nearest, c->contours, c->background, c->threshold, c->alpha, c->drop);
}

static void
make_bound (SegBound *b, const Case *c)
{
  guint32 w = c->grid_width, h = c->grid_height, n = c->n_classes;
  gboolean nhwc = c->layout == NHWC_ROWS;
  b->desc =
      (SegDesc){ SEG_DTYPE_F32, 4, { 1, nhwc ? h : n, nhwc ? w : h, nhwc ? n : w } };
  b->storage = c->storage;
  b->view.rank = 4;
  for (guint i = 0; i < 4; i++)
    b->view.dims[i] = (guint32) b->desc.dims[i];
  if (c->layout == NCHW_LAST) {
    b->view.pitch = (n + 7) / 8 * 8;
    b->view.n_elems = w * h * b->view.pitch;
    b->view.strides[1] = 1;
    b->view.strides[2] = b->view.pitch * w;
    b->view.strides[3] = b->view.pitch;
  } else {
    b->view.n_elems = (w * h * n + 3) & ~3u;
    for (guint i = 4, stride = 1; i-- > 0; stride *= b->view.dims[i])
      b->view.strides[i] = stride;
  }
  b->n_bytes = (gsize) b->view.n_elems * (c->storage == SEG_STORAGE_F16 ? 2 : 4);
}

static double
random_score (const Case *c, GRand *rand, guint class_id, guint x, guint y)
{
  if (c->scores == SEG_SCORES_INDEX)
    return g_rand_int_range (rand, 0, (gint32) c->n_classes);
  if (c->scores == SEG_SCORES_PROBABILITY)
    return g_rand_double (rand);
  /* Regions, so that there are cells of one class and cells of several. */
  gboolean region = (x / 3 + 2 * (y / 2)) % c->n_classes == class_id;
  return g_rand_double_range (rand, -1, 1) + (region ? 3.0 : 0.0);
}

/* Padding stays what a network must leave there: 0, which must not win either. */
static void
fill_scores (Run *r)
{
  const Case *c = &r->c;
  guint n = c->scores == SEG_SCORES_INDEX ? 1 : c->n_classes;
  guint y_axis = c->layout == NHWC_ROWS ? 1 : 2, c_axis = c->layout == NHWC_ROWS ? 3 : 1;
  g_autoptr (GRand) rand = g_rand_new_with_seed (c->width * 7 + c->n_classes);
  gpointer data = seg_buffer_map (r->input);
  memset (data, 0, r->scores.n_bytes);
  r->values = g_new (float, n * c->grid_width * c->grid_height);
  for (guint k = 0; k < n; k++)
    for (guint y = 0; y < c->grid_height; y++)
      for (guint x = 0; x < c->grid_width; x++) {
        float v = (float) random_score (c, rand, k, x, y) - (c->scores < 2 ? 2.0f : 0.0f);
        const guint32 *s = r->scores.view.strides;
        gsize at =
            (gsize) y * s[y_axis] + (gsize) x * s[y_axis + 1] + (gsize) k * s[c_axis];
        if (c->storage == SEG_STORAGE_F16) {
          ((guint16 *) data)[at] = seg_half_from_float (v);
          v = seg_half_to_float (((guint16 *) data)[at]);
        } else if (c->storage == SEG_STORAGE_I32) {
          ((gint32 *) data)[at] = (gint32) v;
        } else {
          ((float *) data)[at] = v;
        }
        r->values[(k * c->grid_height + y) * c->grid_width + x] = v;
      }
}

static void
put (SegPiece *piece, SegBuffer *buffer, gsize *used, gsize align)
{
  piece->buffer = buffer;
  piece->offset = *used = (*used + align - 1) & ~(align - 1);
  *used += (piece->n_bytes + 15) & ~15ul;
}

static void
set_style (Run *r)
{
  const Case *c = &r->c;
  gboolean classes = c->kind == SEG_DECODE_CLASSES;
  memset (r->style->keep, 0xff, sizeof r->style->keep);
  r->style->keep[0] = ~c->drop;
  r->style->threshold = (float) c->threshold;
  r->style->map_threshold = (float) (c->threshold > 0 ? c->threshold : 0.5);
  r->style->background = classes ? (c->background < 0 ? 255 : c->background) : 0;
  r->style->legend_share = 0.05f;
  for (guint i = 0; i < 256; i++)
    seg_color_table_set (r->colors, i, &r->frame, r->palette.rgba[i],
        (gint32) i == r->style->background ? 0.0 : c->alpha);
  static const guint8 white[3] = { 255, 255, 255 }, black[3] = { 0, 0, 0 };
  seg_color_table_set (r->colors, SEG_COLOR_TEXT, &r->frame, white, 1.0);
  seg_color_table_set (r->colors, SEG_COLOR_PANEL, &r->frame, black, 0.6);
}

static void
prepare (Run *r)
{
  const Case *c = &r->c;
  GError *error = NULL;
  SegColor color = seg_color_bt709;
  gsize used = 0, align = MAX (16, seg_vk_info (vk)->buffer_align);
  gboolean nhwc = c->layout == NHWC_ROWS;
  seg_frame_layout (&r->frame, c->format, &color, c->width, c->height, align, &error);
  SegCover x = seg_cover_whole (64, c->grid_width),
           y = seg_cover_whole (48, c->grid_height);
  seg_geometry_init_cover (&r->g, c->fit, c->width, c->height, &x, &y);
  seg_palette_load (&r->palette, "ade20k", NULL, -1, &error);
  Case with_channels = *c;
  if (c->scores == SEG_SCORES_INDEX)
    with_channels.n_classes = 1;
  make_bound (&r->scores, &with_channels);
  r->plan = (SegDecodePlan){ c->kind, c->scores, nhwc ? 1 : 2, nhwc ? 2 : 3, nhwc ? 3 : 1,
    c->n_classes, c->nearest, 64, FALSE };
  r->upload = test_buffer (vk, (r->frame.n_bytes + 15) & ~15ul, SEG_BUFFER_UPLOAD);
  r->input = test_buffer (vk, r->scores.n_bytes, SEG_BUFFER_UPLOAD);
  r->scores.buffer = r->input;
  fill_scores (r);

  seg_decode_sizes (&r->memory, c->width, c->height, c->grid_width, c->grid_height);
  r->drawn.n_bytes = MAX (r->frame.n_bytes, (c->width + 3) / 4 * 16 * c->height);
  r->work = test_buffer (vk, 1 << 22, SEG_BUFFER_DEVICE);
  r->readback = test_buffer (vk, 1 << 22, SEG_BUFFER_READBACK);
  SegPiece *pieces[] = { &r->memory.labels, &r->memory.cells, &r->memory.numbers,
    &r->memory.map, &r->memory.matte, &r->memory.counts, &r->memory.list, &r->drawn };
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    put (pieces[i], r->work, &used, align);
  g_assert_cmpuint (used, <=, 1 << 22);

  SegBufferView zeros;
  seg_params_init (&r->params, vk, &error);
  r->style = seg_params_add (
      &r->params, sizeof *r->style, SEG_VIEW_UNIFORM, &r->style_view, &error);
  r->colors = seg_params_add (
      &r->params, sizeof *r->colors, SEG_VIEW_TEXEL_U8X4, &r->colors_view, &error);
  seg_params_add (&r->params, 1024, SEG_VIEW_STORAGE_READ, &zeros, &error);
  r->memory.zeros = (SegPiece){ zeros.buffer, zeros.offset, zeros.n_bytes };
  seg_frame_source_init (&r->source, &r->params, &r->frame, r->upload, 0, &error);
  g_assert_no_error (error);
  set_style (r);
  static const char *const texts[] = { "none", "one", "two", "three", "four" };
  seg_legend_init (&r->legend, vk, &r->params, texts, G_N_ELEMENTS (texts), c->width,
      c->height, &error);
  g_assert_no_error (error);
  g_autoptr (GRand) rand = g_rand_new_with_seed (c->height);
  guint8 *bytes = seg_buffer_map (r->upload);
  for (gsize i = 0; i < r->frame.n_bytes; i++)
    bytes[i] = (guint8) g_rand_int_range (rand, 0, 256);
}

/* picture: 0 none, 1 overlay, 2 cutout */
static Run *
run_case (const Case *c, int picture)
{
  GError *error = NULL;
  Run *r = g_new0 (Run, 1);
  r->c = *c;
  prepare (r);
  SegCmd *cmd = test_cmd (vk, FALSE);
  seg_decode_record (cmd, &r->params, &r->plan, &r->g, &r->scores, &r->memory,
      &r->style_view, &r->decode, &error);
  g_assert_no_error (error);
  SegComposeInput input = { &r->memory, r->decode, r->style_view, r->colors_view,
    c->kind != SEG_DECODE_CLASSES, c->contours, c->legend ? &r->legend : NULL };
  SegFrame rgba;
  seg_frame_layout (
      &rgba, SEG_FORMAT_RGBA, &r->frame.color, c->width, c->height, 16, &error);
  if (picture == 1)
    seg_compose_record (
        cmd, &r->params, &input, &r->source, r->drawn.buffer, r->drawn.offset, &error);
  else if (picture == 2)
    seg_cutout_record (cmd, &input, &r->source, &rgba, &r->drawn, &error);
  g_assert_no_error (error);
  seg_cmd_copy (cmd, r->work, 0, r->readback, 0, 1 << 22, &error);
  test_run (cmd);
  seg_cmd_free (&cmd);
  const guint8 *data = seg_buffer_map (r->readback);
  r->stride = seg_map_stride (c->width);
  r->map = data + r->memory.map.offset;
  r->matte = data + r->memory.matte.offset;
  r->result = data + r->drawn.offset;
  r->counts = (const guint32 *) (data + r->memory.counts.offset);
  return r;
}

static void
run_free (Run *r)
{
  seg_legend_clear (&r->legend);
  seg_params_clear (&r->params);
  seg_buffer_free (&r->upload);
  seg_buffer_free (&r->input);
  seg_buffer_free (&r->work);
  seg_buffer_free (&r->readback);
  g_free (r->values);
  g_free (r);
}

static double
score (const Run *r, guint k, guint x, guint y)
{
  RefScores s = { r->c.n_classes, r->c.grid_width, r->c.grid_height, r->values };
  if (!r->c.nearest && r->c.scores != SEG_SCORES_INDEX)
    return ref_score_at (&s, &r->g, k, x, y);
  double u = ((x + 0.5) * r->g.scale_x + r->g.shift_x) / r->g.net_width * s.width - 0.5;
  double v = ((y + 0.5) * r->g.scale_y + r->g.shift_y) / r->g.net_height * s.height - 0.5;
  guint gx = (guint) floor (CLAMP (u, 0.0, s.width - 1.0) + 0.5);
  guint gy = (guint) floor (CLAMP (v, 0.0, s.height - 1.0) + 0.5);
  return s.data[(k * s.height + gy) * s.width + gx];
}

static guint
best_class (const Run *r, guint x, guint y, double *margin)
{
  if (r->c.scores == SEG_SCORES_INDEX) {
    *margin = 1.0;
    return (guint) score (r, 0, x, y);
  }
  guint best = 0;
  double second = -1e9, first = score (r, 0, x, y);
  for (guint k = 1; k < r->c.n_classes; k++) {
    double v = score (r, k, x, y);
    if (v > first) {
      second = first;
      first = v;
      best = k;
    } else {
      second = MAX (second, v);
    }
  }
  *margin = first - second;
  return best;
}

/* Where two classes are as good as equal, or a position on the border of two pixels, the device
 * may decide otherwise; such pixels must be few. */
static void
check_map (const Run *r)
{
  const Case *c = &r->c;
  g_autofree char *text = case_text (c);
  guint32 counts[256] = { 0 };
  guint n_unsure = 0;
  guint8 none = c->background < 0 ? 255 : (guint8) c->background;
  for (guint y = 0; y < c->height; y++)
    for (guint x = 0; x < c->width; x++) {
      guint8 got = r->map[y * r->stride + x];
      double margin;
      guint best = best_class (r, x, y, &margin);
      guint8 want =
          !ref_inside (&r->g, x, y) || (c->drop >> best & 1) ? none : (guint8) best;
      counts[got]++;
      if (got == want)
        continue;
      gboolean unsure = margin < 1e-4 || c->nearest || c->scores == SEG_SCORES_INDEX;
      n_unsure += unsure;
      if (!unsure)
        g_error ("%s: pixel %u,%u is class %u, must be %u (by %g)", text, x, y, got, want,
            margin);
    }
  if (n_unsure * 50 > c->width * c->height)
    g_error ("%s: %u pixels differ", text, n_unsure);
  for (guint k = 0; k < 256; k++)
    if (counts[k] != r->counts[k])
      g_error ("%s: class %u counted %u times, is there %u times", text, k, r->counts[k],
          counts[k]);
}

static void
check_case (const Case *c)
{
  Run *r = run_case (c, 0);
  check_map (r);
  run_free (r);
}

static void
test_layouts (void)
{
  static const guint classes[] = { 2, 5, 8, 21 };
  for (Layout layout = 0; layout < N_LAYOUTS; layout++)
    for (SegStorage storage = SEG_STORAGE_F32; storage <= SEG_STORAGE_F16; storage++)
      for (guint k = 0; k < G_N_ELEMENTS (classes); k++) {
        Case c = plain;
        c.layout = layout;
        c.storage = storage;
        c.n_classes = classes[k];
        check_case (&c);
      }
}

static void
test_sizes (void)
{
  static const guint sizes[][4] = { { 1, 1, 4, 4 }, { 300, 17, 9, 7 }, { 33, 90, 1, 1 },
    { 20, 16, 64, 48 }, { 64, 48, 64, 48 }, { 517, 33, 13, 30 } };
  for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (guint nearest = 0; nearest < 2; nearest++) {
        Case c = plain;
        c.fit = fit;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        c.grid_width = sizes[s][2];
        c.grid_height = sizes[s][3];
        c.nearest = nearest;
        c.background = nearest ? -1 : 0;
        check_case (&c);
      }
}

static void
test_filter (void)
{
  Case c = plain;
  c.drop = 1 << 2 | 1 << 4;
  check_case (&c);
  c.background = -1;
  check_case (&c);
}

static void
test_index (void)
{
  static const SegStorage storages[] = { SEG_STORAGE_F32, SEG_STORAGE_F16,
    SEG_STORAGE_I32 };
  for (guint i = 0; i < G_N_ELEMENTS (storages); i++) {
    Case c = plain;
    c.scores = SEG_SCORES_INDEX;
    c.layout = NCHW_ROWS;
    c.storage = storages[i];
    check_case (&c);
  }
}

/* A pixel is of its class only where the probability reaches the threshold. Softmax sums are
 * interpolated, so between grid pixels it is only nearly that. */
static void
test_threshold (void)
{
  for (SegScores scores = SEG_SCORES_SOFTMAX; scores <= SEG_SCORES_PROBABILITY;
       scores++) {
    Case c = plain;
    c.scores = scores;
    c.threshold = 0.6;
    c.width = 64;
    c.height = 48;
    c.grid_width = 64;
    c.grid_height = 48;
    Run *r = run_case (&c, 0);
    guint n_kept = 0, n_dropped = 0;
    for (guint y = 0; y < c.height; y++)
      for (guint x = 0; x < c.width; x++) {
        double margin, sum = 0.0;
        guint best = best_class (r, x, y, &margin);
        double v = score (r, best, x, y);
        for (guint k = 0; k < c.n_classes; k++)
          sum += exp (score (r, k, x, y) - v);
        double p = scores == SEG_SCORES_SOFTMAX   ? 1.0 / sum
                   : scores == SEG_SCORES_SIGMOID ? 1.0 / (1.0 + exp (-v))
                                                  : v;
        if (fabs (p - c.threshold) < 1e-4 || margin < 1e-4 || best == 0)
          continue;
        g_assert_cmpuint (r->map[y * r->stride + x], ==, p >= c.threshold ? best : 0);
        n_kept += p >= c.threshold;
        n_dropped += p < c.threshold;
      }
    g_assert_cmpuint (n_kept, >, 20);
    g_assert_cmpuint (n_dropped, >, 20);
    run_free (r);
  }
}

static double
odds_at (const Run *r, guint gx, guint gy)
{
  const Case *c = &r->c;
  double inside = 0, outside = 0;
  for (guint k = 0; k < c->n_classes; k++) {
    double e = exp (r->values[(k * c->grid_height + gy) * c->grid_width + gx]);
    gboolean foreground = (int) k != c->background && !(c->drop >> k & 1);
    *(foreground ? &inside : &outside) += e;
  }
  return CLAMP (log (inside / outside), -20.0, 20.0);
}

static double
matte_at (const Run *r, guint x, guint y)
{
  const Case *c = &r->c;
  gsize n = (gsize) c->grid_width * c->grid_height;
  g_autofree float *one = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    one[i] = c->kind == SEG_DECODE_VALUE
                 ? r->values[i]
                 : (float) odds_at (
                     r, (guint) (i % c->grid_width), (guint) (i / c->grid_width));
  RefScores s = { 1, c->grid_width, c->grid_height, one };
  double v = ref_score_at (&s, &r->g, 0, x, y);
  if (c->kind == SEG_DECODE_ODDS || c->scores == SEG_SCORES_SIGMOID)
    v = 1.0 / (1.0 + exp (-v));
  return ref_inside (&r->g, x, y) ? CLAMP (v, 0.0, 1.0) : 0.0;
}

static void
check_matte (const Case *c)
{
  Run *r = run_case (c, 0);
  g_autofree char *text = case_text (c);
  for (guint y = 0; y < c->height; y++)
    for (guint x = 0; x < c->width; x++) {
      double want = matte_at (r, x, y);
      guint8 got = r->matte[y * r->stride + x];
      if (!(fabs (got - want * 255.0) <= 0.52))
        g_error ("%s: matte at %u,%u is %u, must be %g", text, x, y, got, want * 255.0);
      gboolean is = r->map[y * r->stride + x] == 1;
      if (fabs (want - r->style->map_threshold) > 1e-3)
        g_assert_cmpint (is, ==, want >= r->style->map_threshold);
    }
  run_free (r);
}

static void
test_matte (void)
{
  static const guint sizes[][4] = { { 45, 38, 9, 7 }, { 300, 17, 256, 9 },
    { 20, 30, 47, 31 }, { 33, 5, 1, 1 } };
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (SegFit fit = SEG_FIT_STRETCH; fit <= SEG_FIT_CROP; fit++)
      for (guint kind = 0; kind < 3; kind++) {
        Case c = plain;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        c.grid_width = sizes[s][2];
        c.grid_height = sizes[s][3];
        c.fit = fit;
        c.layout = s % 2 ? NHWC_ROWS : NCHW_LAST;
        c.kind = kind == 2 ? SEG_DECODE_ODDS : SEG_DECODE_VALUE;
        c.n_classes = kind == 2 ? 4 : 1;
        c.scores = kind == 0   ? SEG_SCORES_PROBABILITY
                   : kind == 1 ? SEG_SCORES_SIGMOID
                               : SEG_SCORES_SOFTMAX;
        c.drop = kind == 2 ? 1 << 3 : 0;
        check_matte (&c);
      }
}

/* As the table has it: a multiple of 1/255. */
static double
strength_of (const Run *r, guint class_id)
{
  return r->colors->planes[0][class_id][3] / 255.0;
}

static void
check_overlay (const Case *c)
{
  Run *r = run_case (c, 1);
  g_autofree char *text = case_text (c);
  gsize n = (gsize) c->width * c->height;
  g_autofree guint8 *map = g_malloc (n);
  g_autofree double *strength = g_new (double, n),
                    *want = g_new (double, r->frame.n_bytes);
  gboolean soft = c->kind != SEG_DECODE_CLASSES;
  double alpha[256];
  for (guint i = 0; i < 256; i++)
    alpha[i] = strength_of (r, i);
  for (gsize i = 0; i < n; i++) {
    gsize at = i / c->width * r->stride + i % c->width;
    map[i] = soft ? 1 : r->map[at];
    strength[i] = soft ? r->matte[at] / 255.0 : 1.0;
  }
  const guint8 *in = seg_buffer_map (r->upload);
  ref_blend (&r->frame, in, map, strength, &r->palette, alpha, want);
  for (guint p = 0; p < seg_format_info (c->format)->n_planes; p++)
    for (guint y = 0; y < seg_frame_n_rows (&r->frame, p); y++)
      for (gsize x = 0; x < seg_frame_row_bytes (&r->frame, p); x++) {
        gsize at = r->frame.offset[p] + y * r->frame.stride[p] + x;
        gboolean pair_end =
            r->frame.stride[p]
            && (c->format == SEG_FORMAT_YUY2 || c->format == SEG_FORMAT_UYVY)
            && c->width % 2 && x + 4 > seg_frame_row_bytes (&r->frame, p);
        if (pair_end)
          continue; /* luma of a pixel that is not there */
        gboolean same = want[at] == in[at] && r->result[at] == in[at];
        if (!same && !(fabs (r->result[at] - want[at]) <= 0.51))
          g_error ("%s: plane %u row %u byte %" G_GSIZE_FORMAT
                   " is %u, must be %g (was %u)",
              text, p, y, x, r->result[at], want[at], in[at]);
      }
  run_free (r);
}

static void
test_overlay (void)
{
  static const guint sizes[][2] = { { 48, 36 }, { 45, 37 }, { 1, 1 }, { 7, 3 } };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (guint soft = 0; soft < 2; soft++) {
        Case c = plain;
        c.format = f;
        c.width = sizes[s][0];
        c.height = sizes[s][1];
        if (soft) {
          c.kind = SEG_DECODE_VALUE;
          c.scores = SEG_SCORES_PROBABILITY;
          c.n_classes = 1;
        }
        check_overlay (&c);
        c.alpha = 0.0;
        check_overlay (&c);
        c.alpha = 1.0;
        check_overlay (&c);
      }
}

/* Pixels whose right or lower neighbour is of another class. */
static gboolean
is_border (const Run *r, guint x, guint y, guint8 *class_id)
{
  const guint8 *m = r->map + y * r->stride + x;
  guint8 right = x + 1 < r->c.width ? m[1] : m[0];
  guint8 below = y + 1 < r->c.height ? m[r->stride] : m[0];
  guint8 other = below != *m ? below : right;
  *class_id = *m == r->style->background ? other : *m;
  return other != *m;
}

/* Contours are one pixel wide, in full colour, where the map changes; the rest is as without. */
static void
check_contours (const Case *c)
{
  Run *r = run_case (c, 1);
  g_autofree char *text = case_text (c);
  gsize n = (gsize) c->width * c->height;
  g_autofree guint8 *map = g_malloc (n);
  g_autofree double *strength = g_new (double, n),
                    *want = g_new (double, r->frame.n_bytes);
  double ones[256];
  guint n_border = 0;
  for (guint i = 0; i < 256; i++)
    ones[i] = 1.0;
  for (guint i = 0; i < n; i++) {
    guint x = i % c->width, y = i / c->width;
    gboolean border = is_border (r, x, y, &map[i]);
    if (!border)
      map[i] = r->map[y * r->stride + x];
    strength[i] = border ? 1.0 : strength_of (r, map[i]);
    n_border += border;
  }
  ref_blend (
      &r->frame, seg_buffer_map (r->upload), map, strength, &r->palette, ones, want);
  for (guint p = 0; p < seg_format_info (c->format)->n_planes; p++)
    for (guint y = 0; y < seg_frame_n_rows (&r->frame, p); y++)
      for (gsize x = 0; x < seg_frame_row_bytes (&r->frame, p); x++) {
        gsize at = r->frame.offset[p] + y * r->frame.stride[p] + x;
        if (!(fabs (r->result[at] - want[at]) <= 0.51))
          g_error ("%s: plane %u row %u byte %" G_GSIZE_FORMAT " is %u, must be %g", text,
              p, y, x, r->result[at], want[at]);
      }
  g_assert_cmpuint (n_border, >, 50);
  run_free (r);
}

static void
test_contours (void)
{
  static const SegFormat formats[] = { SEG_FORMAT_BGRX, SEG_FORMAT_NV12,
    SEG_FORMAT_YUY2 };
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
    for (guint width = 46; width <= 48; width += 2) {
      Case c = plain;
      c.format = formats[f];
      c.width = width;
      c.contours = TRUE;
      check_contours (&c);
    }
}

static const guint8 *
pixel_at (const Run *r, guint x, guint y)
{
  return r->result + y * r->frame.stride[0] + 4 * x;
}

/* The swatches are those of the classes that cover 5 % of the frame, in order; text is there; what
 * is outside the box is as without a legend. */
static void
test_legend (void)
{
  Case c = plain;
  c.width = 200;
  c.height = 150;
  c.format = SEG_FORMAT_RGBX;
  c.drop = 1 << 3;
  Run *without = run_case (&c, 1);
  c.legend = TRUE;
  Run *with = run_case (&c, 1);
  const SegLegendBlock *b = (const SegLegendBlock *) ((const guint8 *) seg_buffer_map (
                                                          with->legend.block.buffer)
                                                      + with->legend.block.offset);
  guint row = (guint) b->box[3], n_rows = 0, n_text = 0;
  for (guint v = 0; v < 256; v++) {
    if (v == 0 || with->counts[v] < 0.05 * c.width * c.height)
      continue;
    guint top = (guint) (b->box[1] + b->parts[0] / 2) + n_rows++ * row;
    guint x = (guint) (b->box[0] + b->parts[0] + b->parts[1] / 2);
    g_assert_cmpmem (pixel_at (with, x, top + row / 2), 3, with->palette.rgba[v], 3);
    for (guint y = top; y < top + row; y++)
      for (gint tx = 0; tx < b->parts[3]; tx++)
        n_text += pixel_at (with, (guint) (b->box[0] + b->parts[2] + tx), y)[0] > 200;
  }
  g_assert_cmpuint (n_rows, >=, 2);
  g_assert_cmpuint (n_text, >, 10 * n_rows);
  guint bottom = (guint) (b->box[1] + 2 * b->parts[0]) + n_rows * row;
  for (guint y = 0; y < c.height; y++)
    for (guint x = 0; x < c.width; x++)
      if (y > bottom || x >= (guint) (b->box[0] + b->box[2]) || x < (guint) b->box[0])
        g_assert_cmpmem (pixel_at (with, x, y), 4, pixel_at (without, x, y), 4);
  run_free (with);
  run_free (without);
}

/* A legend must not be wanted to be too large for its frame. */
static void
test_legend_small (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 30, 200 }, { 400, 9 }, { 64, 40 } };
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f += 3)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
      Case c = plain;
      c.format = f;
      c.width = sizes[s][0];
      c.height = sizes[s][1];
      c.legend = TRUE;
      run_free (run_case (&c, 1));
    }
}

static void
test_cutout (void)
{
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++) {
    Case c = plain;
    c.format = f;
    c.kind = SEG_DECODE_ODDS;
    Run *r = run_case (&c, 2);
    const guint8 *in = seg_buffer_map (r->upload);
    gsize stride = (c.width + 3) / 4 * 16;
    for (guint y = 0; y < c.height; y++)
      for (guint x = 0; x < c.width; x++) {
        double rgb[3];
        ref_rgb_at (&r->frame, in, x + 0.5, y + 0.5, 1, 1, rgb);
        const guint8 *out = r->result + y * stride + 4 * x;
        for (guint k = 0; k < 3; k++)
          g_assert_cmpfloat (fabs (out[k] - rgb[k] * 255.0), <=, 0.52);
        g_assert_cmpuint (out[3], ==, r->matte[y * r->stride + x]);
      }
    run_free (r);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  if (vk != NULL) {
    g_test_add_func ("/decode/layouts", test_layouts);
    g_test_add_func ("/decode/sizes", test_sizes);
    g_test_add_func ("/decode/filter", test_filter);
    g_test_add_func ("/decode/index", test_index);
    g_test_add_func ("/decode/threshold", test_threshold);
    g_test_add_func ("/decode/matte", test_matte);
    g_test_add_func ("/decode/overlay", test_overlay);
    g_test_add_func ("/decode/contours", test_contours);
    g_test_add_func ("/decode/legend", test_legend);
    g_test_add_func ("/decode/legend-small", test_legend_small);
    g_test_add_func ("/decode/cutout", test_cutout);
  }
  int status = g_test_run ();
  seg_vk_unref (vk);
  return status;
}
