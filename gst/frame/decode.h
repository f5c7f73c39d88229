/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"
#include "frame/geometry.h"
#include "frame/params.h"

G_BEGIN_DECLS

/* From a network's output map to one class, or one probability, for each pixel of the frame.
 * Scores are brought to the frame's size first and decided on there, but scores at the
 * frame's size never exist in memory. */

/* What the numbers are; as in shaders/lib/decode.glsl. */
typedef enum {
  SEG_SCORES_SOFTMAX,     /* logits of classes that exclude each other */
  SEG_SCORES_SIGMOID,     /* logits of classes that do not */
  SEG_SCORES_PROBABILITY, /* probabilities, alpha */
  SEG_SCORES_INDEX,       /* one channel: the class itself */
} SegScores;

typedef enum {
  SEG_DECODE_CLASSES, /* the map: a class a pixel */
  SEG_DECODE_ODDS, /* the matte: probability of the foreground classes against the others */
  SEG_DECODE_VALUE, /* the matte: the first channel as it is */
} SegDecodeKind;

typedef struct {
  SegDecodeKind kind;
  SegScores scores;
  int height_axis, width_axis, class_axis; /* of the output; class_axis -1: it has none */
  guint n_classes;                         /* 255 at most */
  gboolean nearest;                        /* do not interpolate */
  guint n_workers; /* invocations that share that list: few on CPU devices */
  gboolean cut;    /* what is below the threshold is 0 in the matte too */
  /* mattes: by what they were, as much as the style says; see shaders/smooth.comp */
  gboolean smooth;
  gboolean guided; /* mattes: by the frame, see frame/guide.h */
} SegDecodePlan;

/* Uniform block `Decode` of shaders/lib/decode.glsl: a map over the frame, and the part of it
 * that a grid of scores decides. */
typedef struct {
  gint32 grid[4];
  gint32 view[4];
  gint32 frame[4];
  gint32 inside[4];
  float map[4];
  gint32 region[4];
} SegDecodeBlock;

/* Scores as they lie: a network's output, or a part of a batch. */
typedef struct {
  guint width, height;
  gint32 offset, step_x, step_y, step_class; /* in elements */
  double first_x, first_y; /* pixels of the output before the grid's first */
} SegGrid;

#define SEG_MAX_CLASSES 255

/* `Style` of lib/decode.glsl: what may change from frame to frame. */
typedef struct {
  guint32 keep[8];
  float threshold, map_threshold; /* the second: alpha from which a pixel is class 1 */
  float legend_share;
  float smoothing;   /* 0..1 */
  gint32 background; /* label of what is no class */
  gint32 unused2[3];
} SegStyleBlock;

/* Bytes of a device buffer. */
typedef struct {
  SegBuffer *buffer;
  gsize offset, n_bytes;
} SegPiece;
SegBufferView seg_piece_view (const SegPiece *piece, SegViewKind kind);

/* Where intermediate results lie. map and matte: a byte a pixel, rows of map_stride bytes. */
typedef struct {
  SegPiece labels, cells, numbers; /* grid: 16 bits, 16 bits, 32 bits a pixel */
  SegPiece before;                 /* as numbers, of the last frame; for plan.smooth */
  SegPiece map, matte;
  SegPiece counts; /* 256 words: pixels of each class */
  SegPiece list;   /* a count, then groups of four pixels that need a second look */
  SegPiece zeros;  /* as long as counts, all 0 */
} SegDecodeMemory;

gsize seg_map_stride (guint width);
/* Bytes that the pieces need; n_bytes of each is filled in, except zeros'. */
void seg_decode_sizes (SegDecodeMemory *memory, guint width, guint height,
    guint grid_width, guint grid_height);

/* Pixels [x0, x1) x [y0, y1) of the map; x0 is a multiple of 4, and so is x1 unless it is the
 * map's width. */
typedef struct {
  guint x0, y0, x1, y1;
} SegRegion;

/* The grid of picture `lane` of a batch. */
SegGrid seg_decode_grid_of (
    const SegDecodePlan *plan, const SegBound *output, guint lane);

/* The map that results: its size, and the pixels of the frame that one of its own covers. */
typedef struct {
  guint width, height;
  double px_x, px_y;
} SegMapSize;

/* region NULL: the whole map. */
void seg_decode_fill (SegDecodeBlock *block, const SegDecodePlan *plan,
    const SegGeometry *geometry, const SegGrid *grid, const SegMapSize *map,
    const SegRegion *region);

/* Scores on their way to a map, for the recording. */
typedef struct {
  const SegDecodePlan *plan;
  const SegDecodeMemory *memory;
  SegBufferView decode, style; /* uniforms: SegDecodeBlock, SegStyleBlock */
  SegBufferView scores;        /* texels */
  SegStorage storage;
  gboolean by_four; /* classes lie side by side from multiples of 4 */
  /* mattes: words of four pixels of a row that eight columns of the grid hold, 1, 2 or 4; 0: not
   * even one */
  guint upscale;
  gboolean whole; /* upscale is 4, and so is where the map begins and ends, in words */
  /* At most, of all blocks that `decode` will hold. */
  guint64 grid_groups, map_groups; /* of four pixels of a row */
  guint64 matte_groups;            /* of `upscale` times as many */
  gboolean on_cpu;
} SegDecodeJob;

/* What follows from the first block, and from where the scores are. */
void seg_decode_job_init (SegDecodeJob *job, const SegDecodeBlock *block);
void seg_decode_job_scores (SegDecodeJob *job, const SegBound *output);
gboolean seg_decode_check (const SegDecodePlan *plan, SegStorage storage, GError **error);
/* From scores to the map: once for a frame, or for each tile. Then the map is counted. */
gboolean seg_decode_record_scores (SegCmd *cmd, const SegDecodeJob *job, GError **error);

/* Of it, for mattes that are drawn without being stored (frame/mattedraw.h): up to memory's numbers, and
 * from there to the matte and the map. */
gboolean seg_decode_record_numbers (SegCmd *cmd, const SegDecodeJob *job, GError **error);
gboolean seg_decode_record_matte (SegCmd *cmd, const SegDecodeJob *job, GError **error);
/* What the numbers of a matte are. */
SegScores seg_decode_matte_scores (const SegDecodePlan *plan);

/* Size of an output's grid. */
void seg_decode_grid (
    const SegDecodePlan *plan, const SegDesc *desc, guint *width, guint *height);

/* All of it for an output of one picture. `style` is a uniform view of a SegStyleBlock; `decode_view` receives the
 * other uniform block, which those that draw need as well. */
gboolean seg_decode_record (SegCmd *cmd, SegParams *params, const SegDecodePlan *plan,
    const SegGeometry *geometry, const SegBound *output, const SegDecodeMemory *memory,
    const SegBufferView *style, SegBufferView *decode_view, GError **error);

/* The uniform block for those that draw or count maps which were made in another way. */
gboolean seg_decode_frame_view (SegParams *params, guint frame_width, guint frame_height,
    SegBufferView *decode_view, GError **error);
/* Records the counting of a map's values: memory's map, counts and zeros; and that there are none yet. */
gboolean seg_count_clear_record (
    SegCmd *cmd, const SegDecodeMemory *memory, GError **error);
gboolean seg_count_record (SegCmd *cmd, const SegDecodeMemory *memory,
    const SegBufferView *decode_view, guint frame_width, guint frame_height,
    GError **error);

G_END_DECLS
