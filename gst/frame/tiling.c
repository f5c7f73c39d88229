/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/tiling.h"

#include "shaders.h"

#include <math.h>

/* As many entries of a few hundred bytes are kept; a frame that asks for more wants another network. */
#define MAX_TILES 65536

static guint
gcd (guint a, guint b)
{
  return b == 0 ? a : gcd (b, a % b);
}

/* Tiles keep their place among the network's strides. Label maps are written four pixels at a time,
 * whether they have the frame's pixels or the output's. */
static guint
choose_unit (guint period, double jump)
{
  guint unit = period / gcd (period, 4) * 4;
  guint grid4 = (guint) round (4 * jump);
  if (grid4 > 0 && fabs (grid4 - 4 * jump) < 1e-9)
    unit = unit / gcd (unit, grid4) * grid4;
  return unit;
}

static gboolean
plan_side (SegTileSide *s, const SegCover *c, guint period, gboolean padded, guint frame,
    guint overlap, gboolean nearest, GError **error)
{
  gboolean on_pixels = fabs (c->jump - 1.0) < 1e-9 && c->margin == floor (c->margin);
  s->grid = (guint) MIN (c->grid, floor ((c->net - c->margin) / c->jump + 1e-9));
  s->interpolates = !nearest && !on_pixels;
  s->halo = s->interpolates ? 1 + (guint) ceil (4 / c->jump) : 0;
  s->overlap = padded ? (guint) ceil (overlap / c->jump) : 0;
  double covered = s->grid * c->jump;
  if (frame <= covered) {
    *s = (SegTileSide){ .n = 1,
      .step = frame,
      .grid_step = s->grid,
      .grid = s->grid,
      .interpolates = s->interpolates };
    return TRUE;
  }
  guint most = (guint) MAX (floor (covered - s->overlap * c->jump), 0);
  guint unit = choose_unit (period, c->jump);
  s->step = most / unit * unit;
  s->grid_step = (guint) round (s->step / c->jump);
  if (s->step == 0 || s->grid_step < s->overlap + s->halo) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "tiles of %u pixels are too small for an overlap of %u in steps of %u", c->net,
        overlap, unit);
    return FALSE;
  }
  s->n = 1 + (guint) ceil ((frame - covered) / s->step);
  return TRUE;
}

gboolean
seg_tiling_plan (SegTiling *t, const SegPlacement *p, guint frame_width,
    guint frame_height, guint overlap, gboolean nearest, guint n_scores, guint batch,
    GError **error)
{
  *t = (SegTiling){ .batch = batch, .n_channels4 = (n_scores + 3) / 4 };
  if (!p->aligned) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the outputs of tiles would not fit together: a pixel of this network's output "
        "is not a whole number of pixels of its input; set tiling=none");
    return FALSE;
  }
  if (!plan_side (
          &t->x, &p->x, p->period_x, p->padded, frame_width, overlap, nearest, error)
      || !plan_side (
          &t->y, &p->y, p->period_y, p->padded, frame_height, overlap, nearest, error))
    return FALSE;
  guint64 n = (guint64) t->x.n * t->y.n;
  if (n > MAX_TILES) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "a frame of %ux%u takes %" G_GUINT64_FORMAT
        " tiles of this network: set tiling=none, or a larger input-width and "
        "input-height where the network allows it",
        frame_width, frame_height, n);
    return FALSE;
  }
  t->n = (guint) n;
  t->rounds = (t->n + batch - 1) / batch;
  t->merges = t->x.overlap + t->x.halo + t->y.overlap + t->y.halo > 0 && t->n > 1;
  return TRUE;
}

/* Where tile i's part of the map begins: a little before its output does, so that what lies between
 * two outputs is interpolated by the second, which knows both. */
static guint
part_start (const SegTileSide *s, const SegCover *c, guint i)
{
  double before = s->interpolates ? c->jump / 2 : 0.0;
  return i == 0 ? 0 : (guint) floor (((double) i * s->step - before) / 4) * 4;
}

static void
part_of (const SegTileSide *s, const SegCover *c, guint i, double map_px, guint map,
    guint *start, guint *end)
{
  gboolean last = i + 1 >= s->n;
  if (map_px == 1.0) {
    *start = MIN (part_start (s, c, i), map);
    *end = last ? map : MIN (part_start (s, c, i + 1), map);
  } else { /* the map has the output's own pixels */
    *start = MIN (i * s->grid_step, map);
    *end = last ? map : MIN ((i + 1) * s->grid_step, map);
  }
}

static void
merge_of (const SegTiling *t, const SegGrid *scores, guint n_scores, guint column,
    guint row, SegTile *tile)
{
  const SegTileSide *x = &t->x, *y = &t->y;
  gboolean last_x = column + 1 == x->n, last_y = row + 1 == y->n;
  gint32 fx = column > 0 ? -(gint32) x->halo : 0, fy = row > 0 ? -(gint32) y->halo : 0;
  gint32 width = (gint32) (last_x ? x->grid : x->grid_step) - fx;
  gint32 height = (gint32) (last_y ? y->grid : y->grid_step) - fy;
  gint32 pitch = (gint32) (x->grid + x->halo), c4 = (gint32) t->n_channels4;
  tile->merge = (SegMergeBlock){
    .size = { width, height, pitch, c4 },
    .first = { fx, fy, (gint32) (column * x->grid_step + x->halo) + fx, 0 },
    .view = { scores->offset, scores->step_x, scores->step_y, scores->step_class },
    .blend = { column > 0 ? (gint32) x->overlap : 0, row > 0 ? (gint32) y->overlap : 0,
        (gint32) n_scores, 0 },
    .keep = { fx, last_x ? fx + width : (gint32) (x->grid_step - x->halo), 0, 0 },
  };
  tile->grid =
      (SegGrid){ (guint) width, (guint) height, 0, 4 * c4, 4 * c4 * pitch, 1, fx, fy };
}

void
seg_tiling_tile (const SegTiling *t, const SegPlacement *p, guint frame_width,
    guint frame_height, const SegGrid *scores, guint n_scores, const SegMapSize *map,
    guint i, SegTile *tile)
{
  guint column = i % t->x.n, row = i / t->x.n;
  seg_geometry_init_tile (&tile->geometry, frame_width, frame_height, &p->x, &p->y,
      column * t->x.step, row * t->y.step);
  part_of (
      &t->x, &p->x, column, map->px_x, map->width, &tile->region.x0, &tile->region.x1);
  part_of (&t->y, &p->y, row, map->px_y, map->height, &tile->region.y0, &tile->region.y1);
  tile->grid = *scores;
  /* The map's positions are the frame's, the tile's scores begin at the tile. */
  if (t->merges)
    merge_of (t, scores, n_scores, column, row, tile);
}

/* --- merging ------------------------------------------------------------------------------------ */

static gsize
piece_bytes (const SegTiling *t, guint width, guint height)
{
  return (gsize) width * height * t->n_channels4 * 16;
}

static guint
strip_width (const SegTiling *t)
{
  return (t->x.n - 1) * t->x.grid_step + t->x.grid + t->x.halo;
}

void
seg_tiling_sizes (const SegTiling *t, SegMergeMemory *m)
{
  guint columns = t->x.overlap + t->x.halo, rows = t->y.overlap + t->y.halo;
  m->merged.n_bytes = piece_bytes (t, t->x.grid + t->x.halo, t->y.grid + t->y.halo);
  m->below.n_bytes = piece_bytes (t, strip_width (t), MAX (rows, 1));
  m->beside.n_bytes = piece_bytes (t, MAX (columns, 1), t->y.grid);
}

/* What shaders/merge.comp does: constants of the same names there. */
enum { MERGE, KEEP_BELOW, KEEP_BESIDE };

typedef struct {
  SegCmd *cmd;
  const SegTiling *tiling;
  const SegMergeMemory *memory;
  const SegBufferView *scores, *block;
} Recorder;

static gboolean
record_step (const Recorder *r, guint32 what, const SegPiece *beside,
    const SegPiece *below, const SegPiece *to, guint64 n_pixels, GError **error)
{
  const SegTiling *t = r->tiling;
  guint32 push[8] = { t->x.halo, t->y.halo, t->x.grid_step, t->y.grid_step, t->x.overlap,
    t->y.overlap, strip_width (t), t->y.grid };
  SegBufferView views[5] = { *r->scores, *r->block,
    seg_piece_view (beside, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (below, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (to, SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_merge,
    .spec = &what,
    .n_spec = 1,
    .views = views,
    .n_views = 5,
    .push = push,
    .n_push = 8,
    .label = "merge",
  };
  seg_groups_linear (n_pixels * t->n_channels4, d.groups);
  return seg_cmd_dispatch (r->cmd, &d, error);
}

/* What a step does not read is another piece than it writes. */
gboolean
seg_merge_record (SegCmd *cmd, const SegTiling *t, const SegMergeMemory *m,
    const SegBufferView *scores, const SegBufferView *block, GError **error)
{
  Recorder r = { cmd, t, m, scores, block };
  guint columns = t->x.overlap + t->x.halo, rows = t->y.overlap + t->y.halo;
  guint64 width = t->x.grid + t->x.halo, height = t->y.grid + t->y.halo;
  return record_step (&r, MERGE, &m->beside, &m->below, &m->merged, width * height, error)
         && record_step (
             &r, KEEP_BELOW, &m->beside, &m->beside, &m->below, width * rows, error)
         && record_step (&r, KEEP_BESIDE, &m->below, &m->below, &m->beside,
             (guint64) columns * t->y.grid, error);
}
