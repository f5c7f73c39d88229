/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/decode.h"

#include "shaders.h"

#include <math.h>

/* Constants of the same names in shaders/reduce.comp. */
enum { NUMBER_SUM, NUMBER_MARGIN, NUMBER_VALUE };

/* Counting reads four words at a time. */
#define MAP_ALIGN 16

SegBufferView
seg_piece_view (const SegPiece *piece, SegViewKind kind)
{
  return (SegBufferView){ piece->buffer, piece->offset, piece->n_bytes, kind };
}

gsize
seg_map_stride (guint width)
{
  return (width + MAP_ALIGN - 1) / MAP_ALIGN * MAP_ALIGN;
}

void
seg_decode_sizes (SegDecodeMemory *memory, guint width, guint height, guint grid_width,
    guint grid_height)
{
  gsize grid = (gsize) (grid_width + 3) / 4 * 4 * grid_height;
  memory->labels.n_bytes = memory->cells.n_bytes = grid * 2;
  memory->numbers.n_bytes = grid * 4;
  memory->map.n_bytes = memory->matte.n_bytes = seg_map_stride (width) * height;
  memory->counts.n_bytes = 256 * sizeof (guint32);
  memory->list.n_bytes = memory->map.n_bytes + 16;
}

void
seg_decode_grid (
    const SegDecodePlan *plan, const SegDesc *desc, guint *width, guint *height)
{
  *width = (guint) desc->dims[plan->width_axis];
  *height = (guint) desc->dims[plan->height_axis];
}

SegGrid
seg_decode_grid_of (const SegDecodePlan *plan, const SegBound *output, guint lane)
{
  const SegView *v = &output->view;
  SegGrid grid = {
    .offset = (gint32) (v->offset + lane * v->strides[0]),
    .step_x = (gint32) v->strides[plan->width_axis],
    .step_y = (gint32) v->strides[plan->height_axis],
    .step_class = plan->class_axis < 0 ? 0 : (gint32) v->strides[plan->class_axis],
  };
  seg_decode_grid (plan, &output->desc, &grid.width, &grid.height);
  return grid;
}

/* Position on the grid of map pixel i: i * scale + shift. */
static void
fill_map (const SegCover *c, double frame_px, double scale, double shift, double first,
    float *to_scale, float *to_shift)
{
  *to_scale = (float) (frame_px * scale / c->jump);
  *to_shift =
      (float) ((0.5 * frame_px * scale + shift - c->margin) / c->jump - 0.5 - first);
}

void
seg_decode_fill (SegDecodeBlock *b, const SegDecodePlan *plan, const SegGeometry *g,
    const SegGrid *grid, const SegMapSize *map, const SegRegion *region)
{
  SegRegion whole = { 0, 0, map->width, map->height };
  const SegRegion *r = region != NULL ? region : &whole;
  guint words = (guint) seg_map_stride (map->width) / 4;
  guint end = r->x1 == map->width ? words : r->x1 / 4;
  gboolean empty = r->x0 >= r->x1 || r->y0 >= r->y1;
  *b = (SegDecodeBlock){
    .grid = { (gint32) grid->width, (gint32) grid->height, (gint32) plan->n_classes,
        (gint32) (grid->width + 3) / 4 },
    .view = { grid->offset, grid->step_x, grid->step_y, grid->step_class },
    .frame = { (gint32) map->width, (gint32) map->height, (gint32) words,
        (gint32) map->height },
    .inside = { (gint32) ceil (g->frame_x0 / map->px_x),
        (gint32) ceil (g->frame_x1 / map->px_x), (gint32) ceil (g->frame_y0 / map->px_y),
        (gint32) ceil (g->frame_y1 / map->px_y) },
    .region = { (gint32) r->x0 / 4, (gint32) r->y0,
        empty ? 0 : (gint32) (end - r->x0 / 4), empty ? 0 : (gint32) (r->y1 - r->y0) },
  };
  fill_map (&g->cover_x, map->px_x, g->scale_x, g->shift_x, grid->first_x, &b->map[0],
      &b->map[2]);
  fill_map (&g->cover_y, map->px_y, g->scale_y, g->shift_y, grid->first_y, &b->map[1],
      &b->map[3]);
}

static gboolean
dispatch (SegCmd *cmd, const SegShader *shader, const guint32 *spec, guint n_spec,
    const SegBufferView *views, guint n_views, guint64 n_invocations, GError **error)
{
  SegVkDispatch d = {
    .shader = shader,
    .spec = spec,
    .n_spec = n_spec,
    .views = views,
    .n_views = n_views,
    .label = shader->name,
  };
  seg_groups_linear (n_invocations, d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}

static gboolean
record_reduce (SegCmd *cmd, const SegDecodeJob *job, GError **error)
{
  guint32 number = job->plan->kind == SEG_DECODE_VALUE  ? NUMBER_VALUE
                   : job->plan->kind == SEG_DECODE_ODDS ? NUMBER_MARGIN
                                                        : NUMBER_SUM;
  guint32 spec[3] = { (guint32) job->by_four, job->plan->scores, number };
  SegBufferView views[5] = { job->scores, job->decode, job->style,
    seg_piece_view (&job->memory->labels, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&job->memory->numbers, SEG_VIEW_STORAGE_WRITE) };
  const SegShader *shader =
      job->storage == SEG_STORAGE_I32 ? &seg_shader_reduce_i32 : &seg_shader_reduce_f32;
  return dispatch (cmd, shader, spec, 3, views, 5, job->grid_groups, error);
}

static gboolean
record_cells (SegCmd *cmd, const SegDecodeJob *job, GError **error)
{
  SegBufferView views[3] = { job->decode,
    seg_piece_view (&job->memory->labels, SEG_VIEW_TEXEL_U16X1),
    seg_piece_view (&job->memory->cells, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (cmd, &seg_shader_cells, NULL, 0, views, 3, job->grid_groups, error);
}

static gboolean
record_classes (SegCmd *cmd, const SegDecodeJob *job, gboolean nearest, GError **error)
{
  const SegPiece *from = nearest ? &job->memory->labels : &job->memory->cells;
  guint32 spec[2] = { job->plan->scores, nearest };
  SegBufferView views[5] = { job->decode, job->style,
    seg_piece_view (from, SEG_VIEW_TEXEL_U16X1),
    seg_piece_view (&job->memory->map, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&job->memory->list, SEG_VIEW_STORAGE_READ_WRITE) };
  return dispatch (cmd, &seg_shader_classes, spec, 2, views, 5, job->map_groups, error);
}

static gboolean
record_refine (SegCmd *cmd, const SegDecodeJob *job, gboolean nearest, GError **error)
{
  guint32 spec[3] = { (guint32) job->by_four, job->plan->scores, nearest };
  SegBufferView views[6] = { job->scores, job->decode, job->style,
    seg_piece_view (&job->memory->numbers, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (&job->memory->map, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&job->memory->list, SEG_VIEW_STORAGE_READ) };
  return dispatch (
      cmd, &seg_shader_refine, spec, 3, views, 6, job->plan->n_workers, error);
}

/* Class numbers cannot be interpolated, nor looked at again as scores. */
static gboolean
record_class_map (SegCmd *cmd, const SegDecodeJob *job, GError **error)
{
  gboolean index = job->plan->scores == SEG_SCORES_INDEX,
           nearest = job->plan->nearest || index;
  return (nearest || record_cells (cmd, job, error))
         && record_classes (cmd, job, nearest, error)
         && (index || record_refine (cmd, job, nearest, error));
}

/* Log odds become a probability as logits do. */
static SegScores
number_scores (const SegDecodePlan *plan)
{
  return plan->kind == SEG_DECODE_ODDS ? SEG_SCORES_SIGMOID : plan->scores;
}

SegScores
seg_decode_matte_scores (const SegDecodePlan *plan)
{
  return plan->smooth ? SEG_SCORES_PROBABILITY : number_scores (plan);
}

static gboolean
record_smooth (SegCmd *cmd, const SegDecodeJob *job, GError **error)
{
  guint32 spec[1] = { number_scores (job->plan) };
  SegBufferView views[4] = { job->decode, job->style,
    seg_piece_view (&job->memory->numbers, SEG_VIEW_STORAGE_READ_WRITE),
    seg_piece_view (&job->memory->before, SEG_VIEW_STORAGE_READ_WRITE) };
  return dispatch (cmd, &seg_shader_smooth, spec, 1, views, 4, job->grid_groups, error);
}

gboolean
seg_decode_record_matte (SegCmd *cmd, const SegDecodeJob *job, GError **error)
{
  guint32 spec[5] = { seg_decode_matte_scores (job->plan), job->plan->nearest,
    job->upscale, job->plan->cut, job->whole };
  SegBufferView views[7] = { seg_piece_view (&job->memory->numbers, SEG_VIEW_TEXEL_F32X4),
    job->decode, job->style, seg_piece_view (&job->memory->matte, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&job->memory->map, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&job->memory->matte, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&job->memory->map, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (cmd, &seg_shader_matte, spec, 5, views, 7, job->matte_groups, error);
}

static gboolean
record_zeros (SegCmd *cmd, const SegDecodeMemory *memory, const SegPiece *to,
    gsize n_bytes, GError **error)
{
  const SegPiece *zeros = &memory->zeros;
  return seg_cmd_copy (
      cmd, zeros->buffer, zeros->offset, to->buffer, to->offset, n_bytes, error);
}

gboolean
seg_count_clear_record (SegCmd *cmd, const SegDecodeMemory *memory, GError **error)
{
  return record_zeros (cmd, memory, &memory->counts, memory->counts.n_bytes, error);
}

gboolean
seg_count_record (SegCmd *cmd, const SegDecodeMemory *memory,
    const SegBufferView *decode_view, guint frame_width, guint frame_height,
    GError **error)
{
  const SegPiece *counts = &memory->counts;
  SegBufferView views[3] = { *decode_view,
    seg_piece_view (&memory->map, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (counts, SEG_VIEW_STORAGE_READ_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_count, .views = views, .n_views = 3, .label = "count"
  };
  /* 256 pixels of a row each */
  seg_groups_linear (((guint64) frame_width + 255) / 256 * frame_height, d.groups);
  return seg_count_clear_record (cmd, memory, error) && seg_cmd_dispatch (cmd, &d, error);
}

gboolean
seg_decode_frame_view (SegParams *params, guint frame_width, guint frame_height,
    SegBufferView *decode_view, GError **error)
{
  SegDecodeBlock *block =
      seg_params_add (params, sizeof *block, SEG_VIEW_UNIFORM, decode_view, error);
  if (block == NULL)
    return FALSE;
  *block = (SegDecodeBlock){
    .frame = { (gint32) frame_width, (gint32) frame_height,
        (gint32) (seg_map_stride (frame_width) / 4), (gint32) frame_height },
    .inside = { 0, (gint32) frame_width, 0, (gint32) frame_height },
  };
  return TRUE;
}

gboolean
seg_decode_record_scores (SegCmd *cmd, const SegDecodeJob *job, GError **error)
{
  if (job->plan->kind != SEG_DECODE_CLASSES)
    return seg_decode_record_numbers (cmd, job, error)
           && seg_decode_record_matte (cmd, job, error);
  return record_zeros (cmd, job->memory, &job->memory->list, 16, error)
         && record_reduce (cmd, job, error) && record_class_map (cmd, job, error);
}

gboolean
seg_decode_record_numbers (SegCmd *cmd, const SegDecodeJob *job, GError **error)
{
  return record_reduce (cmd, job, error)
         && (!job->plan->smooth || record_smooth (cmd, job, error));
}

gboolean
seg_decode_check (const SegDecodePlan *plan, SegStorage storage, GError **error)
{
  if (plan->n_classes == 0 || plan->n_classes > SEG_MAX_CLASSES) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network has %u classes: 1 to %d are supported", plan->n_classes,
        SEG_MAX_CLASSES);
    return FALSE;
  }
  if (storage == SEG_STORAGE_I32 && plan->scores != SEG_SCORES_INDEX) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network's output is integers: they can be class numbers (decoder=index) "
        "only");
    return FALSE;
  }
  if (storage == SEG_STORAGE_B8) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network's output is bytes: end it with a DequantizeLinear");
    return FALSE;
  }
  return TRUE;
}

/* The first pixel is in one of the first four columns that are read, and interpolates with the next. */
static guint
words_at_once (double step)
{
  guint n = 4;
  while (n > 0 && (4 * n - 1) * step > 3.0 + 1e-5)
    n /= 2;
  return n;
}

void
seg_decode_job_init (SegDecodeJob *job, const SegDecodeBlock *block)
{
  const gint32 *v = block->view;
  job->by_four = job->plan->class_axis >= 0 && v[3] == 1 && v[0] % 4 == 0 && v[1] % 4 == 0
                 && v[2] % 4 == 0;
  job->upscale = words_at_once (block->map[0]);
  job->whole =
      job->upscale == 4 && block->region[0] % 4 == 0 && block->region[2] % 4 == 0;
  job->grid_groups = (guint64) block->grid[3] * (guint64) block->grid[1];
  job->map_groups = (guint64) block->region[2] * (guint64) block->region[3];
  guint n = MAX (1, job->upscale);
  job->matte_groups =
      ((guint64) block->region[2] + n - 1) / n * (guint64) block->region[3];
}

void
seg_decode_job_scores (SegDecodeJob *job, const SegBound *output)
{
  job->storage = output->storage;
  job->scores = (SegBufferView){ output->buffer, output->offset, output->n_bytes,
    output->storage == SEG_STORAGE_I32   ? SEG_VIEW_TEXEL_I32X4
    : output->storage == SEG_STORAGE_F16 ? SEG_VIEW_TEXEL_F16X4
                                         : SEG_VIEW_TEXEL_F32X4 };
}

gboolean
seg_decode_record (SegCmd *cmd, SegParams *params, const SegDecodePlan *plan,
    const SegGeometry *geometry, const SegBound *output, const SegDecodeMemory *memory,
    const SegBufferView *style, SegBufferView *decode_view, GError **error)
{
  SegDecodeJob job = { .plan = plan, .memory = memory, .style = *style };
  if (!seg_decode_check (plan, output->storage, error))
    return FALSE;
  SegDecodeBlock *block =
      seg_params_add (params, sizeof *block, SEG_VIEW_UNIFORM, decode_view, error);
  if (block == NULL)
    return FALSE;
  SegGrid grid = seg_decode_grid_of (plan, output, 0);
  SegMapSize map = { geometry->frame_width, geometry->frame_height, 1.0, 1.0 };
  seg_decode_fill (block, plan, geometry, &grid, &map, NULL);
  job.decode = *decode_view;
  seg_decode_job_init (&job, block);
  seg_decode_job_scores (&job, output);
  return seg_decode_record_scores (cmd, &job, error)
         && seg_count_record (cmd, memory, decode_view, geometry->frame_width,
             geometry->frame_height, error);
}
