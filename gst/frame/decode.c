/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/decode.h"

#include "shaders.h"

#include <string.h>

/* Uniform block `Decode` of shaders/lib/decode.glsl. */
typedef struct {
  gint32 grid[4];
  gint32 view[4];
  gint32 frame[4];
  gint32 inside[4];
  float map[4];
} Block;

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

static void
fill_block (
    Block *b, const SegDecodePlan *plan, const SegGeometry *g, const SegBound *output)
{
  const SegView *v = &output->view;
  guint w, h;
  seg_decode_grid (plan, &output->desc, &w, &h);
  /* Pixel i of the grid covers [i, i + 1) / w of the network's input. */
  double grid_x = (double) w / g->net_width, grid_y = (double) h / g->net_height;
  *b = (Block){
    .grid = { (gint32) w, (gint32) h, (gint32) plan->n_classes, (gint32) (w + 3) / 4 },
    .view = { (gint32) v->offset, (gint32) v->strides[plan->width_axis],
        (gint32) v->strides[plan->height_axis],
        plan->class_axis < 0 ? 0 : (gint32) v->strides[plan->class_axis] },
    .frame = { (gint32) g->frame_width, (gint32) g->frame_height,
        (gint32) (seg_map_stride (g->frame_width) / 4), (gint32) g->frame_height },
    .inside = { (gint32) g->frame_x0, (gint32) g->frame_x1, (gint32) g->frame_y0,
        (gint32) g->frame_y1 },
    .map = { (float) (g->scale_x * grid_x), (float) (g->scale_y * grid_y),
        (float) ((0.5 * g->scale_x + g->shift_x) * grid_x - 0.5),
        (float) ((0.5 * g->scale_y + g->shift_y) * grid_y - 0.5) },
  };
}

/* A step of the recording: constants of the network and of the frame, made once. */
typedef struct {
  SegCmd *cmd;
  const SegDecodePlan *plan;
  const SegDecodeMemory *memory;
  const SegBufferView *style;
  SegBufferView decode, scores;
  const SegBound *output;
  const Block *block;
  guint32 by_four;
} Recorder;

static gboolean
dispatch (Recorder *r, const SegShader *shader, const guint32 *spec, guint n_spec,
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
  return seg_cmd_dispatch (r->cmd, &d, error);
}

static guint64
grid_groups (const Recorder *r)
{
  return (guint64) r->block->grid[3] * (guint64) r->block->grid[1];
}

static guint64
frame_groups (const Recorder *r)
{
  return (guint64) r->block->frame[2] * (guint64) r->block->frame[3];
}

static gboolean
record_reduce (Recorder *r, GError **error)
{
  guint32 number = r->plan->kind == SEG_DECODE_VALUE  ? NUMBER_VALUE
                   : r->plan->kind == SEG_DECODE_ODDS ? NUMBER_MARGIN
                                                      : NUMBER_SUM;
  guint32 spec[3] = { r->by_four, r->plan->scores, number };
  SegBufferView views[5] = { r->scores, r->decode, *r->style,
    seg_piece_view (&r->memory->labels, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&r->memory->numbers, SEG_VIEW_STORAGE_WRITE) };
  const SegShader *shader = r->output->storage == SEG_STORAGE_I32
                                ? &seg_shader_reduce_i32
                                : &seg_shader_reduce_f32;
  return dispatch (r, shader, spec, 3, views, 5, grid_groups (r), error);
}

static gboolean
record_cells (Recorder *r, GError **error)
{
  SegBufferView views[3] = { r->decode,
    seg_piece_view (&r->memory->labels, SEG_VIEW_TEXEL_U16X1),
    seg_piece_view (&r->memory->cells, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (r, &seg_shader_cells, NULL, 0, views, 3, grid_groups (r), error);
}

static gboolean
record_classes (Recorder *r, gboolean nearest, GError **error)
{
  const SegPiece *from = nearest ? &r->memory->labels : &r->memory->cells;
  guint32 spec[2] = { r->plan->scores, nearest };
  SegBufferView views[5] = { r->decode, *r->style,
    seg_piece_view (from, SEG_VIEW_TEXEL_U16X1),
    seg_piece_view (&r->memory->map, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&r->memory->list, SEG_VIEW_STORAGE_READ_WRITE) };
  return dispatch (r, &seg_shader_classes, spec, 2, views, 5, frame_groups (r), error);
}

static gboolean
record_refine (Recorder *r, gboolean nearest, GError **error)
{
  guint32 spec[3] = { r->by_four, r->plan->scores, nearest };
  SegBufferView views[6] = { r->scores, r->decode, *r->style,
    seg_piece_view (&r->memory->numbers, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (&r->memory->map, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&r->memory->list, SEG_VIEW_STORAGE_READ) };
  return dispatch (r, &seg_shader_refine, spec, 3, views, 6, r->plan->n_workers, error);
}

/* Class numbers cannot be interpolated, nor looked at again as scores. */
static gboolean
record_class_map (Recorder *r, GError **error)
{
  gboolean index = r->plan->scores == SEG_SCORES_INDEX,
           nearest = r->plan->nearest || index;
  return (nearest || record_cells (r, error)) && record_classes (r, nearest, error)
         && (index || record_refine (r, nearest, error));
}

static gboolean
record_matte (Recorder *r, GError **error)
{
  /* Log odds become a probability as logits do. */
  guint32 scores =
      r->plan->kind == SEG_DECODE_ODDS ? SEG_SCORES_SIGMOID : r->plan->scores;
  guint32 spec[4] = { scores, r->plan->nearest, r->block->map[0] <= 1.0f, r->plan->cut };
  SegBufferView views[5] = { seg_piece_view (&r->memory->numbers, SEG_VIEW_TEXEL_F32X4),
    r->decode, *r->style, seg_piece_view (&r->memory->matte, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&r->memory->map, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (r, &seg_shader_matte, spec, 4, views, 5, frame_groups (r), error);
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
  return record_zeros (cmd, memory, counts, counts->n_bytes, error)
         && seg_cmd_dispatch (cmd, &d, error);
}

gboolean
seg_decode_frame_view (SegParams *params, guint frame_width, guint frame_height,
    SegBufferView *decode_view, GError **error)
{
  Block *block =
      seg_params_add (params, sizeof *block, SEG_VIEW_UNIFORM, decode_view, error);
  if (block == NULL)
    return FALSE;
  *block = (Block){
    .frame = { (gint32) frame_width, (gint32) frame_height,
        (gint32) (seg_map_stride (frame_width) / 4), (gint32) frame_height },
    .inside = { 0, (gint32) frame_width, 0, (gint32) frame_height },
  };
  return TRUE;
}

static gboolean
check_plan (const SegDecodePlan *plan, const SegBound *output, GError **error)
{
  if (plan->n_classes == 0 || plan->n_classes > SEG_MAX_CLASSES) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network has %u classes: 1 to %d are supported", plan->n_classes,
        SEG_MAX_CLASSES);
    return FALSE;
  }
  if (output->storage == SEG_STORAGE_I32 && plan->scores != SEG_SCORES_INDEX) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network's output is integers: they can be class numbers (decoder=index) "
        "only");
    return FALSE;
  }
  return TRUE;
}

gboolean
seg_decode_record (SegCmd *cmd, SegParams *params, const SegDecodePlan *plan,
    const SegGeometry *geometry, const SegBound *output, const SegDecodeMemory *memory,
    const SegBufferView *style, SegBufferView *decode_view, GError **error)
{
  Recorder r = {
    .cmd = cmd, .plan = plan, .memory = memory, .style = style, .output = output
  };
  if (!check_plan (plan, output, error))
    return FALSE;
  Block *block =
      seg_params_add (params, sizeof *block, SEG_VIEW_UNIFORM, &r.decode, error);
  if (block == NULL)
    return FALSE;
  fill_block (block, plan, geometry, output);
  *decode_view = r.decode;

  const SegView *v = &output->view;
  r.block = block;
  r.by_four = plan->class_axis >= 0 && block->view[3] == 1 && v->offset % 4 == 0
              && block->view[1] % 4 == 0 && block->view[2] % 4 == 0;
  r.scores = (SegBufferView){ output->buffer, output->offset, output->n_bytes,
    output->storage == SEG_STORAGE_I32   ? SEG_VIEW_TEXEL_I32X4
    : output->storage == SEG_STORAGE_F16 ? SEG_VIEW_TEXEL_F16X4
                                         : SEG_VIEW_TEXEL_F32X4 };
  if (!record_zeros (cmd, memory, &memory->list, 16, error) || !record_reduce (&r, error))
    return FALSE;
  if (plan->kind == SEG_DECODE_CLASSES ? !record_class_map (&r, error)
                                       : !record_matte (&r, error))
    return FALSE;
  return seg_count_record (
      cmd, memory, decode_view, geometry->frame_width, geometry->frame_height, error);
}
