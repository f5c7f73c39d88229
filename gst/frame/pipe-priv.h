/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/backdrop.h"
#include "frame/guide.h"
#include "frame/hostnet.h"
#include "frame/pipe.h"
#include "frame/tiling.h"

G_BEGIN_DECLS

/* The pipe's own files: pipe.c (the object), pipe-memory.c, pipe-record.c, pipe-run.c, and a file for
 * each kind of decoder: pipe-map.c with pipe-style.c; pipe-yolo.c and pipe-rcnn.c with pipe-instances.c. */

#define SEG_PIPE_MAX_PIECES    20
#define SEG_PIPE_MAX_DOWNLOADS 4
#define SEG_PIPE_MAX_PARTS     64

/* Device memory that a decoder wants; n_bytes of each piece is set, the pipe places them. */
typedef struct {
  SegPiece *pieces[SEG_PIPE_MAX_PIECES];
  guint n_pieces;
  /* one of them is the pipe's result as it is; NULL: what `draw` makes */
  SegPiece *result;
  /* Some of them that the host gets with each frame: see seg_pipe_download. */
  SegPiece *downloads[SEG_PIPE_MAX_DOWNLOADS];
  guint n_downloads;
} SegPipeMemory;
void seg_pipe_add_piece (SegPipeMemory *memory, SegPiece *piece);

/* What is made of a network's outputs. The functions are called in this order. */
typedef struct {
  /* The network and its information are ones that it can take. NULL: any. */
  gboolean (*check) (const SegGraph *graph, const SegModelInfo *info, GError **error);
  /* pipe->frame and pipe->result are laid out, pipe->geometry is known: what it wants. */
  gboolean (*plan) (SegPipe *pipe, SegPipeMemory *memory, GError **error);
  /* Parameters, and what else outlives a recording; pieces are placed. */
  gboolean (*prepare) (SegPipe *pipe, GError **error);
  void (*set_style) (SegPipe *pipe, const SegStyle *style);
  /* Parameters of a recording, before it. NULL: none. */
  gboolean (*start) (SegPipe *pipe, GError **error);
  /* After a frame's last output; NULL: nothing. */
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
  SegDecodeJob job;            /* unless tiled */
  gboolean late; /* the matte is made from the frame, or while it is drawn */
  SegMapSize map_size;
  SegGuide guide; /* for plan.guided */
  SegMergeMemory merge;
  SegLegend legend;
} SegPipeMap;

/* What a frame in flight has to itself. All slots share the network, what is decoded from it, and the
 * parameters: submissions come one after the other on the device. */
typedef struct {
  SegBuffer *upload, *readback;
  gsize frame_offset; /* in work, unless unified */
  SegFrameSource source;
  SegPiece drawn; /* the result as the device writes it */
  SegPiece kept;  /* config.result_on_device: the slot's own, which may be the same */
  SegCmd *bring;  /* the frame to the device; NULL when it is there */
  gboolean there; /* it has been brought otherwise: see seg_pipe_slot_is_there */
  SegCmd *look;   /* the network's input from the frame; when tiled, of a round */
  SegCmd *show;   /* the result, and what else the host gets */
  SegBatch *batch;
  SegPipeWork doing;              /* in flight, or done last */
  guint rounds;                   /* of tiles, then */
  gint epoch;                     /* the pipe's, then */
  gboolean together;              /* then: in a batch with frames of other pipes */
  gint64 submitted_us, waited_us; /* waited: for frames of other pipes, before that */
  double last_ms;
} SegPipeSlot;

struct _SegPipe {
  SegVk *vk;
  SegSession *session;
  const SegModelInfo *info;
  SegPipeConfig config;
  gboolean unified;  /* the device reads and writes host memory as fast as its own */
  gboolean staged;   /* frames have their place in `work` */
  gboolean direct;   /* the result is made in readback memory */
  gboolean in_place; /* or, also directly, in that of the frame */

  const SegPipeDecoder *decoder;
  SegPipeMap map;
  gpointer decoder_state; /* of decoders but seg_pipe_map */

  SegPlacement placement;
  SegGeometry geometry; /* unless tiled */
  SegPipeTiles tiles;
  SegParams params;
  SegFrame frame, result;
  SegBackdrop backdrop; /* for SEG_OUTPUT_BACKGROUND */
  SegBuffer *work;
  SegPipeMemory memory;
  gsize download_offsets[SEG_PIPE_MAX_DOWNLOADS]; /* in readback; the result is at 0 */
  SegPipeSlot slots[SEG_PIPE_MAX_SLOTS];
  guint n_slots, selected;

  /* Of the slot whose recordings are being made. */
  SegFrameSource source;
  SegPiece drawn;

  SegDrawFlags draw, shown_draw; /* shown_draw: as slots' `show` is recorded */
  gboolean recorded, shown;
  gsize params_mark; /* parameters of recordings come after this, */
  gsize shown_mark;  /* those of slots' `show` after this */
  SegCmd *begin;     /* tiles only: before a frame's first round */
  SegCmd *forget;    /* smoothed mattes only: before a frame that has nothing before it */
  /* SegCmd: the network, in parts; none when it runs partly on the host */
  GPtrArray *net;
  guint n_parts;        /* of it */
  SegHostNet *host_net; /* then */
  SegCmd *decode;       /* from the network's outputs; when tiled, of a round */
  SegCmd *finish;       /* tiles only: after the last round */
  SegBatch *turns[2];   /* see pipe-run.c */
  SegMember *member; /* of those who share a batch, or NULL: then batch_error says why */
  GError *batch_error;
  gint batch_timeout_ms, n_batched; /* atomic */
  /* atomic: counts what is forgotten, from 1; and when the last frame came that has been inferred, or
   * will be before what is submitted now */
  gint epoch, answered;
  double stage_ms[SEG_N_STAGES]; /* see seg_pipe_stages */
};

/* The decoder that info asks for, or NULL. */
const SegPipeDecoder *seg_pipe_decoder (const SegModelInfo *info);
/* Lays the frames out and takes the buffers. */
gboolean seg_pipe_allocate (SegPipe *pipe, GError **error);
/* Parameters that outlive a recording. */
gboolean seg_pipe_prepare (SegPipe *pipe, GError **error);
/* The selected slot's copy of memory.downloads[i]. */
gconstpointer seg_pipe_download (const SegPipe *pipe, guint i);

/* pipe-style.c */
void seg_pipe_map_set_style (SegPipe *pipe, const SegStyle *style);
int seg_pipe_map_class_of_value (const SegPipe *pipe, guint v);

G_END_DECLS
