/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-run.h"

#include "base/tensor.h"

#include <string.h>

#define LATE_COUNTS (1 << 22) /* in readback, after all of work */

const Case decode_plain = {
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

char *
decode_case_text (const Case *c)
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
prepare (Run *r, SegVk *vk)
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
    c->n_classes, c->nearest, 64, c->cut };
  r->upload = test_buffer (vk, (r->frame.n_bytes + 15) & ~15ul, SEG_BUFFER_UPLOAD);
  r->input = test_buffer (vk, r->scores.n_bytes, SEG_BUFFER_UPLOAD);
  r->scores.buffer = r->input;
  fill_scores (r);

  seg_decode_sizes (&r->memory, c->width, c->height, c->grid_width, c->grid_height);
  r->drawn.n_bytes = MAX (r->frame.n_bytes, (c->width + 3) / 4 * 16 * c->height);
  r->late.n_bytes = r->drawn.n_bytes;
  seg_guide_plan (&r->guide, c->grid_width, c->grid_height);
  seg_backdrop_plan (&r->backdrop, c->sigma, c->width, c->height);
  r->work = test_buffer (vk, 1 << 22, SEG_BUFFER_DEVICE);
  r->readback = test_buffer (vk, LATE_COUNTS + 16, SEG_BUFFER_READBACK);
  SegPiece *pieces[] = { &r->memory.labels, &r->memory.cells, &r->memory.numbers,
    &r->memory.map, &r->memory.matte, &r->memory.counts, &r->memory.list, &r->drawn,
    &r->late, &r->backdrop.small[0], &r->backdrop.small[1], &r->guide.picture,
    &r->guide.lines };
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

/* A picture of noise behind, given as planes with strides of their own. */
static void
set_behind (Run *r, SegVk *vk)
{
  GError *error = NULL;
  const guint8 *planes[SEG_MAX_PLANES] = { NULL };
  gint strides[SEG_MAX_PLANES] = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (r->c.width);
  r->behind = g_malloc (r->frame.n_bytes);
  for (gsize i = 0; i < r->frame.n_bytes; i++)
    r->behind[i] = (guint8) g_rand_int_range (rand, 0, 256);
  for (guint p = 0; p < seg_format_info (r->frame.format)->n_planes; p++) {
    planes[p] = r->behind + r->frame.offset[p];
    strides[p] = (gint) r->frame.stride[p];
  }
  seg_backdrop_set_picture (&r->backdrop, vk, &r->frame, planes, strides, &error);
  g_assert_no_error (error);
}

static SegDecodeJob
job_of (Run *r)
{
  SegDecodeJob job = { .plan = &r->plan,
    .memory = &r->memory,
    .style = r->style_view,
    .decode = r->decode,
    .on_cpu = r->c.on_cpu };
  seg_decode_job_init (&job, r->block);
  seg_decode_job_scores (&job, &r->scores);
  return job;
}

/* What the usual way has counted is kept before it is counted again. */
static void
record_late (SegCmd *cmd, Run *r, const SegComposeInput *input, GError **error)
{
  SegDecodeJob job = job_of (r);
  const SegPiece *counts = &r->memory.counts;
  g_assert_true (seg_matte_draw_can (r->block, &r->frame));
  seg_cmd_copy (cmd, counts->buffer, counts->offset, r->readback, LATE_COUNTS, 8, error);
  if (seg_decode_record_numbers (cmd, &job, error))
    seg_matte_draw_record (
        cmd, &r->params, input, &job, r->block, &r->source, &r->late, error);
}

static void
record_guided (SegCmd *cmd, Run *r, GError **error)
{
  SegDecodeJob job = job_of (r);
  g_assert_true (seg_guide_can (&r->g));
  if (seg_decode_record_numbers (cmd, &job, error)
      && seg_guide_record (cmd, &r->guide, &job, r->block, &r->source, error))
    seg_count_record (
        cmd, &r->memory, &r->decode, r->frame.width, r->frame.height, error);
}

Run *
decode_run (SegVk *vk, const Case *c, int picture)
{
  GError *error = NULL;
  Run *r = g_new0 (Run, 1);
  r->c = *c;
  prepare (r, vk);
  SegCmd *cmd = test_cmd (vk, FALSE);
  seg_decode_record (cmd, &r->params, &r->plan, &r->g, &r->scores, &r->memory,
      &r->style_view, &r->decode, &error);
  g_assert_no_error (error);
  r->block = (const SegDecodeBlock *) ((guint8 *) seg_buffer_map (r->params.buffer)
                                       + r->decode.offset);
  SegComposeInput input = { &r->memory, r->decode, r->style_view, r->colors_view,
    c->kind != SEG_DECODE_CLASSES, c->contours, c->legend ? &r->legend : NULL };
  SegFrame rgba;
  seg_frame_layout (
      &rgba, SEG_FORMAT_RGBA, &r->frame.color, c->width, c->height, 16, &error);
  if (picture == 1 || picture == 3)
    seg_compose_record (
        cmd, &r->params, &input, &r->source, r->drawn.buffer, r->drawn.offset, &error);
  else if (picture == 2)
    seg_cutout_record (cmd, &input, &r->source, &rgba, &r->drawn, &error);
  else if (picture == 4) {
    set_behind (r, vk);
    seg_backdrop_record (
        cmd, &r->params, &r->backdrop, &input, &r->source, &r->drawn, &error);
  }
  if (picture == 3)
    record_late (cmd, r, &input, &error);
  if (picture == 5)
    record_guided (cmd, r, &error);
  g_assert_no_error (error);
  seg_cmd_copy (cmd, r->work, 0, r->readback, 0, 1 << 22, &error);
  test_run (cmd);
  seg_cmd_free (&cmd);
  const guint8 *data = seg_buffer_map (r->readback);
  r->stride = seg_map_stride (c->width);
  r->map = data + r->memory.map.offset;
  r->matte = data + r->memory.matte.offset;
  r->result = data + r->drawn.offset;
  r->late_result = data + r->late.offset;
  r->first_counts = (const guint32 *) (data + LATE_COUNTS);
  r->counts = (const guint32 *) (data + r->memory.counts.offset);
  return r;
}

void
decode_run_free (Run *r)
{
  seg_legend_clear (&r->legend);
  seg_backdrop_clear (&r->backdrop);
  seg_params_clear (&r->params);
  seg_buffer_free (&r->upload);
  seg_buffer_free (&r->input);
  seg_buffer_free (&r->work);
  seg_buffer_free (&r->readback);
  g_free (r->values);
  g_free (r->behind);
  g_free (r);
}
