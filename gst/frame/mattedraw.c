/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/mattedraw.h"

#include "shaders.h"

#include <math.h>

/* A block of pixels of shaders/matte_draw.comp. */
#define BLOCK_WIDTH  16
#define BLOCK_HEIGHT 4
#define MAX_COLUMNS  10

/* Blocks below each other that an invocation draws: each adds to the counts once, which all share. GPUs
 * want more invocations. */
#define BLOCKS_ON_CPU 8

/* Its uniform block `Planes`. */
typedef struct {
  gint32 place[SEG_MAX_PLANES][4];
} PlanesBlock;

/* Its specialisation constants. */
enum {
  SPEC_SCORES,
  SPEC_NEAREST,
  SPEC_COLUMNS,
  SPEC_ROWS,
  SPEC_BLOCKS,
  SPEC_PLANES,
  SPEC_BYTES,
  SPEC_PAIR,
  SPEC_CHANGED,
  SPEC_CHROMA_BYTES,
  SPEC_WIDE,
  SPEC_IN_PLACE,
  N_SPEC
};

/* Lines of the grid that n pixels lie between, `step` of them apart. */
static guint32
reach (guint n, double step)
{
  return (guint32) ceil ((n - 1) * step - 1e-5) + 2;
}

gboolean
seg_matte_draw_can (const SegDecodeBlock *block, const SegFrame *frame)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  if (info->wide)
    return FALSE;
  for (guint p = 1; p < info->n_planes; p++)
    if (info->planes[p].hsub != 1 || info->planes[p].vsub != 1)
      return FALSE;
  return reach (BLOCK_WIDTH, block->map[0]) <= MAX_COLUMNS && block->map[1] <= 1.0f;
}

/* Rows of all planes begin at, and are, whole groups of 16 bytes; so is what is read. */
static gboolean
is_wide (const SegFrame *frame, const SegBufferView *source)
{
  gboolean wide = TRUE;
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++)
    wide = wide && frame->offset[p] % 16 == 0 && frame->stride[p] % 16 == 0;
  return wide && source->n_bytes % 16 == 0;
}

static void
fill_planes (PlanesBlock *block, const SegFrame *frame)
{
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++) {
    block->place[p][0] = (gint32) (frame->offset[p] / 4);
    block->place[p][1] = block->place[p][2] = (gint32) (frame->stride[p] / 4);
    block->place[p][3] = (gint32) seg_frame_n_rows (frame, p);
  }
}

static void
fill_spec (guint32 *spec, const SegDecodeJob *job, const SegDecodeBlock *block,
    const SegFrame *frame)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  spec[SPEC_SCORES] = seg_decode_matte_scores (job->plan);
  spec[SPEC_NEAREST] = (guint32) job->plan->nearest;
  spec[SPEC_COLUMNS] = reach (BLOCK_WIDTH, block->map[0]);
  spec[SPEC_ROWS] = reach (BLOCK_HEIGHT, block->map[1]);
  spec[SPEC_BLOCKS] = job->on_cpu ? BLOCKS_ON_CPU : 1;
  spec[SPEC_PLANES] = info->n_planes;
  spec[SPEC_BYTES] = info->planes[0].bytes;
  spec[SPEC_PAIR] = seg_compose_pair (frame);
  spec[SPEC_CHANGED] = seg_compose_changed (frame, 0);
  spec[SPEC_CHROMA_BYTES] = info->planes[1].bytes;
}

static gboolean
record_draw (SegCmd *cmd, const SegComposeInput *input, const SegDecodeJob *job,
    const SegDecodeBlock *block, const SegFrameSource *source,
    const SegBufferView *planes, const SegPiece *target, GError **error)
{
  const SegFrame *frame = &source->frame;
  guint32 spec[N_SPEC];
  SegBufferView views[10] = { input->decode, input->style, *planes,
    seg_piece_view (&input->memory->numbers, SEG_VIEW_TEXEL_F32X1), source->views[2],
    input->colors, seg_piece_view (target, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (target, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&input->memory->counts, SEG_VIEW_STORAGE_READ_WRITE),
    seg_piece_view (&input->memory->numbers, SEG_VIEW_TEXEL_F32X4) };
  SegVkDispatch d = {
    .shader = &seg_shader_matte_draw,
    .spec = spec,
    .n_spec = N_SPEC,
    .views = views,
    .n_views = 10,
    .label = "matte_draw",
  };
  fill_spec (spec, job, block, frame);
  spec[SPEC_WIDE] = is_wide (frame, &source->views[2]);
  spec[SPEC_IN_PLACE] =
      target->buffer == views[4].buffer && target->offset == views[4].offset;
  if (spec[SPEC_WIDE])
    views[4].kind = SEG_VIEW_TEXEL_U32X4;
  guint rows = BLOCK_HEIGHT * spec[SPEC_BLOCKS];
  seg_groups_linear ((guint64) ((frame->width + BLOCK_WIDTH - 1) / BLOCK_WIDTH)
                         * ((frame->height + rows - 1) / rows),
      d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}

gboolean
seg_matte_draw_record (SegCmd *cmd, SegParams *params, const SegComposeInput *input,
    const SegDecodeJob *job, const SegDecodeBlock *block, const SegFrameSource *source,
    const SegPiece *target, GError **error)
{
  SegBufferView view;
  PlanesBlock *planes =
      seg_params_add (params, sizeof *planes, SEG_VIEW_UNIFORM, &view, error);
  if (planes == NULL)
    return FALSE;
  fill_planes (planes, &source->frame);
  return seg_count_clear_record (cmd, input->memory, error)
         && record_draw (cmd, input, job, block, source, &view, target, error)
         && seg_compose_legend_record (cmd, params, input, source, target, error);
}
