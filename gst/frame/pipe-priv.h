/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/hostnet.h"
#include "frame/pipe.h"
#include "frame/tiling.h"

G_BEGIN_DECLS

/* The pipe's own files: pipe.c (the object), pipe-memory.c, pipe-record.c, and a file for each
 * kind of decoder: pipe-map.c with pipe-style.c; pipe-yolo.c and pipe-rcnn.c with pipe-instances.c. */

#define SEG_PIPE_MAX_PIECES    16
#define SEG_PIPE_MAX_DOWNLOADS 4

/* Device memory that a decoder wants; n_bytes of each piece is set, the pipe places them. */
typedef struct {
  SegPiece *pieces[SEG_PIPE_MAX_PIECES];
  guint n_pieces;
  SegPiece
      *result; /* one of them is the pipe's result as it is; NULL: what `draw` makes */
  /* Some of them that the host gets with each frame: see seg_pipe_download. */
  SegPiece *downloads[SEG_PIPE_MAX_DOWNLOADS];
  guint n_downloads;
} SegPipeMemory;

/* What is made of a network's outputs. The functions are called in this order. */
typedef struct {
  /* The network and its information are ones that it can take. NULL: any. */
  gboolean (*check) (const SegGraph *graph, const SegModelInfo *info, GError **error);
  /* pipe->frame and pipe->result are laid out, pipe->geometry is known: what it wants. */
  gboolean (*plan) (SegPipe *pipe, SegPipeMemory *memory, GError **error);
  /* Parameters, and what else outlives a recording; pieces are placed. */
  gboolean (*prepare) (SegPipe *pipe, GError **error);
  void (*set_style) (SegPipe *pipe, const SegStyle *style);
  /* Before a frame's first output and after its last; NULL: nothing. */
  gboolean (*start) (SegPipe *pipe, SegCmd *cmd, GError **error);
  gboolean (*finish) (SegPipe *pipe, SegCmd *cmd, GError **error);
  /* The outputs of a frame (info->n_outputs of them, in info's order) on the host, with the sizes that
   * they have this time, after the network and before what is recorded runs. NULL: `record` gets them on
   * the device; else it gets none. */
  gboolean (*take) (SegPipe *pipe, SegTensor *const *outputs, GError **error);
  /* From the outputs to its pieces. When the pipe is tiled it runs once a round, on what pipe->tiles
   * says. NULL `entry`: cannot be tiled. */
  gboolean (*record) (
      SegPipe *pipe, SegCmd *cmd, const SegBound *outputs, GError **error);
  /* A tile's entry in the table; see SegPipeTiles. tile NULL: there is none in this place. */
  gboolean (*entry) (SegPipe *pipe, const SegBound *outputs, guint lane,
      const SegTile *tile, guint8 *entry, GError **error);
  /* From the frame and its pieces to `drawn`, as config.output says. After `record`, and by
   * itself for frames that show the last answer. */
  gboolean (*draw) (SegPipe *pipe, SegCmd *cmd, GError **error);
  /* Class of the model that value v of a label map stands for, or -1. */
  int (*class_of_value) (const SegPipe *pipe, guint v);
  /* Pixels of each class (256), from a download. */
  const guint32 *(*areas) (const SegPipe *pipe);
  /* NULL: none. */
  const SegInstances *(*instances) (SegPipe *pipe);
  /* Also of a pipe half made. */
  void (*clear) (SegPipe *pipe);
} SegPipeDecoder;

/* A class or a probability for each pixel: pipe-map.c. */
extern const SegPipeDecoder seg_pipe_map;
/* A list of instances: pipe-yolo.c, pipe-rcnn.c. */
extern const SegPipeDecoder seg_pipe_yolo, seg_pipe_rcnn;

/* A batch of pictures, each from its own place of the frame. What a picture asks of each step is an
 * entry of uniform blocks in a table; each round copies those of its batch to `current`, where
 * the shaders read them, so that one recording serves all rounds. Tiles fill the table once. */
typedef struct {
  gboolean active;
  SegTiling tiling;
  SegBuffer *table;        /* host-visible: rounds * batch entries */
  SegPiece current, state; /* a batch of entries; the next round's number */
  gsize entry_bytes, decode_at, merge_at; /* the preprocess block is at 0 */
  gboolean mirror;
} SegPipeTiles;
SegBufferView seg_pipe_tile_view (
    const SegPipe *pipe, guint lane, gsize at, gsize n_bytes);
gboolean seg_pipe_plan_tiles (SegPipe *pipe, guint n_scores, GError **error);
gboolean seg_pipe_fill_tiles (
    SegPipe *pipe, const SegBound *input, const SegBound *outputs, GError **error);
/* The first of a round: the next entries are the current ones. */
gboolean seg_pipe_record_next (SegPipe *pipe, SegCmd *cmd, GError **error);

typedef struct {
  SegDecodePlan plan;
  SegDecodeMemory memory;
  SegStyleBlock *style;
  SegColorTable *colors;
  SegBufferView style_view, colors_view, decode_view;
  SegDecodeBlock *frame_block; /* of the whole map; at decode_view */
  SegMapSize map_size;
  SegMergeMemory merge;
  SegLegend legend;
} SegPipeMap;

struct _SegPipe {
  SegVk *vk;
  SegSession *session;
  const SegModelInfo *info;
  SegPipeConfig config;
  gboolean unified; /* the device reads and writes host memory as fast as its own */

  const SegPipeDecoder *decoder;
  SegPipeMap map;
  gpointer decoder_state; /* of decoders but seg_pipe_map */

  SegPlacement placement;
  SegGeometry geometry; /* unless tiled */
  SegPipeTiles tiles;
  SegParams params;
  SegFrame frame, result;
  SegFrameSource source;
  SegBuffer *upload, *work, *readback;
  gsize frame_offset; /* in work, unless unified */
  SegPipeMemory memory;
  SegPiece drawn;                                 /* the result as the device writes it */
  gsize download_offsets[SEG_PIPE_MAX_DOWNLOADS]; /* in readback; the result is at 0 */

  SegDrawFlags draw, recorded_draw;
  gboolean recorded;
  gsize params_mark; /* parameters of a recording come after this */
  SegCmd *cmd;       /* a frame; when tiled, a round of it, between the next two */
  SegCmd *cmd_first, *cmd_last;
  SegCmd *cmd_after;    /* what comes after a network that is not recorded: host_net */
  SegHostNet *host_net; /* then */
  SegCmd *cmd_redraw;   /* a new frame with the last one's classes */
  SegPipeWork doing;    /* in flight, or done last */
  guint rounds;         /* of tiles, then */
  gboolean has_classes; /* a frame has been inferred */
  gint64 submitted_us;
  double last_ms;
};

/* The decoder that info asks for, or NULL. */
const SegPipeDecoder *seg_pipe_decoder (const SegModelInfo *info);
/* Lays the frames out and takes the buffers. */
gboolean seg_pipe_allocate (SegPipe *pipe, GError **error);
/* Parameters that outlive a recording. */
gboolean seg_pipe_prepare (SegPipe *pipe, GError **error);
/* Records what is not recorded as `draw` wants it. */
gboolean seg_pipe_record (SegPipe *pipe, GError **error);
/* The last frame's copy of memory.downloads[i]. */
gconstpointer seg_pipe_download (const SegPipe *pipe, guint i);

/* pipe-style.c */
void seg_pipe_map_set_style (SegPipe *pipe, const SegStyle *style);
int seg_pipe_map_class_of_value (const SegPipe *pipe, guint v);

G_END_DECLS
