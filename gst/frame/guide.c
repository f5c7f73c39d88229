/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/guide.h"

#include "shaders.h"

#include <math.h>

#define LINE_BYTES  16 /* of a pixel of the grid */
#define MAX_SAMPLES 4

/* Pixels of the grid for one of the frame. */
static double
step_of (const SegCover *cover, double scale)
{
  return scale / cover->jump;
}

gboolean
seg_guide_can (const SegGeometry *g)
{
  return step_of (&g->cover_x, g->scale_x) <= 1.0
         && step_of (&g->cover_y, g->scale_y) <= 1.0;
}

void
seg_guide_plan (SegGuide *guide, guint grid_width, guint grid_height)
{
  guide->picture.n_bytes = guide->lines.n_bytes =
      (gsize) LINE_BYTES * grid_width * grid_height;
}

/* Along a side: every second pixel, of the largest frames every fourth, is enough for a mean. */
static guint32
n_samples (const SegDecodeBlock *block)
{
  double px = 1.0 / MIN (block->map[0], block->map[1]);
  return (guint32) CLAMP (ceil (px / 2.0), 1.0, MAX_SAMPLES);
}

static gboolean
dispatch (
    SegCmd *cmd, SegVkDispatch *d, guint64 n, const SegBufferView *views, GError **error)
{
  d->views = views;
  d->label = d->shader->name;
  seg_groups_linear (n, d->groups);
  return seg_cmd_dispatch (cmd, d, error);
}

static gboolean
record_picture (SegCmd *cmd, const SegGuide *guide, const SegDecodeJob *job,
    const SegDecodeBlock *block, const SegFrameSource *source, GError **error)
{
  guint32 spec[3] = { source->kind, seg_decode_matte_scores (job->plan),
    n_samples (block) };
  const SegBufferView views[7] = { source->views[0], source->views[1], source->views[2],
    job->decode, job->style, seg_piece_view (&job->memory->numbers, SEG_VIEW_TEXEL_F32X1),
    seg_piece_view (&guide->picture, SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_guide, .spec = spec, .n_spec = 3, .n_views = 7
  };
  return dispatch (cmd, &d, guide->picture.n_bytes / LINE_BYTES, views, error);
}

/* A pixel of the grid each, from those around it. */
static gboolean
record_window (SegCmd *cmd, const SegShader *shader, const SegDecodeJob *job,
    const SegPiece *from, const SegPiece *to, GError **error)
{
  const SegBufferView views[4] = { job->decode, job->style,
    seg_piece_view (from, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (to, SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d = { .shader = shader, .n_views = 4 };
  return dispatch (cmd, &d, to->n_bytes / LINE_BYTES, views, error);
}

/* Each row of a plane begins with a word. */
static gboolean
is_in_words (const SegFrame *frame, guint plane)
{
  return frame->stride[plane] % 4 == 0 && frame->offset[plane] % 4 == 0;
}

/* WORDS of shaders/guide_matte.comp. */
static guint32
components_in_words (const SegFrame *frame)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  const SegComponent *c = info->components;
  if (info->wide || c[0].step != 1 || !is_in_words (frame, 0))
    return 0;
  gboolean pairs = info->n_components == 3 && c[1].plane == c[2].plane && c[1].step == 2
                   && c[1].hsub == 1 && is_in_words (frame, c[1].plane);
  return !pairs ? 1 : c[1].offset < c[2].offset ? 2 : 3;
}

/* The mean of the lines is where the picture was. */
static gboolean
record_matte (SegCmd *cmd, const SegGuide *guide, const SegDecodeJob *job,
    const SegDecodeBlock *block, const SegFrameSource *source, GError **error)
{
  guint32 columns = (guint32) ceil (3.0 * block->map[0] - 1e-5) + 2;
  guint32 spec[5] = { source->kind, (guint32) job->plan->cut, columns,
    components_in_words (&source->frame), block->frame[0] != 4 * block->frame[2] };
  const SegBufferView views[8] = { source->views[0], source->views[1], source->views[2],
    job->decode, job->style, seg_piece_view (&guide->picture, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (&job->memory->matte, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&job->memory->map, SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_guide_matte, .spec = spec, .n_spec = 5, .n_views = 8
  };
  return dispatch (cmd, &d, job->map_groups, views, error);
}

gboolean
seg_guide_record (SegCmd *cmd, const SegGuide *guide, const SegDecodeJob *job,
    const SegDecodeBlock *block, const SegFrameSource *source, GError **error)
{
  return record_picture (cmd, guide, job, block, source, error)
         && record_window (
             cmd, &seg_shader_guide_fit, job, &guide->picture, &guide->lines, error)
         && record_window (
             cmd, &seg_shader_guide_mean, job, &guide->lines, &guide->picture, error)
         && record_matte (cmd, guide, job, block, source, error);
}
