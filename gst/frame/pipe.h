/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/team.h"
#include "frame/compose.h"
#include "frame/modelinfo.h"
#include "frame/result.h"

G_BEGIN_DECLS

/* One frame's whole way, for one size, format, network and kind of output: recorded once,
 * replayed per frame. Frames in flight have a slot each: memory for a frame and for its result.
 * One thread at a time, but for what is said below of a thread that infers. */
typedef struct _SegPipe SegPipe;
#define SEG_PIPE_MAX_SLOTS 12

typedef enum {
  SEG_OUTPUT_OVERLAY, /* the frame, classes drawn over it */
  SEG_OUTPUT_LABELS, /* GRAY8: number of the class; what is none: info's background, else 255;
                       * networks that give a matte: 1 and 0; instances: 254 at most */
  SEG_OUTPUT_MATTE,  /* GRAY8: probability of the foreground */
  SEG_OUTPUT_CUTOUT, /* RGBA or BGRA: the frame with the matte as alpha */
  SEG_OUTPUT_META, /* the answer alone: the map or the matte, whichever the network gives, or the
                    * instances */
  SEG_OUTPUT_BACKGROUND, /* the frame, its background blurred or replaced */
} SegOutputKind;

typedef struct {
  SegOutputKind output;
  SegFormat format; /* of the frame */
  SegColor color;
  guint width, height;
  SegFormat result_format;  /* for SEG_OUTPUT_CUTOUT */
  gboolean nearest;         /* blocky, as the network gives it */
  gboolean timed;           /* a time for each step: slower */
  gboolean staged;          /* for each stage: see seg_pipe_stages */
  gboolean separate_memory; /* as if the device had memory of its own: tests */
  gboolean masks;           /* the host gets the masks of instances */
  gboolean override_fit;
  SegFit fit;
  gboolean tile;      /* cover the frame with tiles at its own scale; fit is not used */
  guint tile_overlap; /* pixels; see seg_tiling_plan */
  guint n_slots;      /* 0: 1 */
  /* The frame is brought to seg_pipe_slot_frame, and the result fetched from seg_pipe_slot_kept, by
   * submissions of others on the same queue: no host memory is used for it. Not with
   * SEG_OUTPUT_META, whose result is for the host. */
  gboolean input_on_device, result_on_device;
  /* An overlay may be drawn into the frame where it lies, so that each frame has to be written anew:
   * where that is cheaper. */
  gboolean in_place;
  guint batch; /* frames that the network looks at together with those of other pipes: see
                * seg_pipe_batching; 0: 1 */
  /* of seg_pipe_new's caller; with those of pipes with the same alone */
  const char *batch_name;
  /* labels and mattes have the output's own pixels, not the frame's */
  gboolean own_pixels;
  /* SEG_OUTPUT_BACKGROUND: in pixels; 0: a picture, see seg_pipe_set_backdrop */
  double blur_sigma;
  /* 0..1: how much mattes (and what is made by them) of networks that give maps stay as they were from
   * frame to frame, where they nearly do; not of tiles */
  double smoothing;
  /* mattes (and what is made by them) of networks that give maps follow the edges of the picture, where
   * the frame is larger than the map; not of tiles */
  gboolean guided;
} SegPipeConfig;

/* What comes out is the frame, in its own format. */
static inline gboolean
seg_output_is_frame (SegOutputKind output)
{
  return output == SEG_OUTPUT_OVERLAY || output == SEG_OUTPUT_BACKGROUND;
}
/* The probability of the foreground decides. */
static inline gboolean
seg_output_wants_matte (SegOutputKind output)
{
  return output == SEG_OUTPUT_MATTE || output == SEG_OUTPUT_CUTOUT
         || output == SEG_OUTPUT_BACKGROUND;
}

typedef enum {
  SEG_COLOR_BY_AUTO, /* by class, where there are classes to tell apart */
  SEG_COLOR_BY_CLASS,
  SEG_COLOR_BY_INSTANCE,
} SegColorBy;

/* What may change from frame to frame. */
typedef struct {
  double alpha;     /* 0..1: strength of masks */
  double threshold; /* 0..1, or negative: the model's */
  SegDrawFlags draw;
  double mask_threshold, iou_threshold; /* of instances; 0..1, or negative: the model's */
  SegColorBy color_by;                  /* of instances */
  /* a bit per class; by default all; those from 256 on with all others */
  guint32 keep[8];
} SegStyle;
extern const SegStyle seg_style_default;

/* Whether frames can go through this network at all: its inputs, its decoder. */
gboolean seg_pipe_check (const SegGraph *graph, const SegModelInfo *info, GError **error);

/* With config.batch, what has become of it: *info, as the pipe's network runs in batches; else FALSE,
 * and why not: each frame goes through it alone, as without. Pipes of one network and the same
 * config.batch and batch_name are together, whatever their frames and results; not of tiles, which are
 * batches themselves. */
gboolean seg_pipe_batching (const SegPipe *pipe, SegTeamInfo *info, const char **why);
/* How long a frame waits for those of others; 0 at first. From any thread. */
void seg_pipe_set_batch_timeout (SegPipe *pipe, guint ms);
/* From any thread: while it is set no frame waits. */
void seg_pipe_hurry (SegPipe *pipe, gboolean hurry);
/* Frames that went through the network together with others so far. From any thread. */
guint seg_pipe_n_batched (const SegPipe *pipe);

/* Size of the result for a frame of width x height: what config.own_pixels makes of it. */
gboolean seg_pipe_result_size (const SegGraph *graph, const SegModelInfo *info,
    const SegPipeConfig *config, guint *width, guint *height, GError **error);

/* session, info and vk must outlive the pipe. */
SegPipe *seg_pipe_new (SegVk *vk, SegSession *session, const SegModelInfo *info,
    const SegPipeConfig *config, GError **error);
/* What is behind the foreground for SEG_OUTPUT_BACKGROUND without a blur: planes of a picture of the frame's
 * format and size. Before the first frame; until then the frame itself is. Waits for the upload. */
gboolean seg_pipe_set_backdrop (
    SegPipe *pipe, const guint8 *const *planes, const gint *strides, GError **error);
void seg_pipe_free (SegPipe **pipe); /* NULL is allowed; waits for a frame in flight */

/* Not while a frame is in flight. Cheap, but when `draw` changes the next frame is recorded anew,
 * and drivers may have to compile. */
void seg_pipe_set_style (SegPipe *pipe, const SegStyle *style);
/* Does that, and whatever else has to be recorded, now. */
gboolean seg_pipe_record (SegPipe *pipe, GError **error);

/* The slot that all of these speak of; 0 at first. */
void seg_pipe_select (SegPipe *pipe, guint slot);

/* Where the frame is to be written, and how the result lies; *data is NULL for what stays on the device. */
const SegFrame *seg_pipe_input (const SegPipe *pipe, guint8 **data);
const SegFrame *seg_pipe_result (const SegPipe *pipe, const guint8 **data);

typedef enum {
  SEG_PIPE_INFER,
  SEG_PIPE_REDRAW, /* the frame is new, its classes are the last frame's; for the first: INFER */
  SEG_PIPE_WARM_UP, /* what INFER does, but of many tiles only a few: the result means nothing,
                     * and the time is what all would take */
  SEG_PIPE_SHOW,       /* REDRAW, also of nothing: to warm up */
  SEG_PIPE_INFER_ONLY, /* nothing is drawn and there is no result: for later REDRAWs */
} SegPipeWork;

/* What the device does for a frame, one after the other. */
typedef enum {
  SEG_STAGE_UPLOAD, /* the frame to the device's memory; none where the host's will do */
  SEG_STAGE_PREPROCESS, /* from the frame to the network's input */
  SEG_STAGE_NETWORK,    /* unless a part of it runs on the host */
  SEG_STAGE_DECODE,     /* from its outputs to a map or instances */
  SEG_STAGE_DRAW,       /* the result, and its way back */
  SEG_N_STAGES
} SegPipeStage;

gboolean seg_pipe_submit (SegPipe *pipe, SegPipeWork work, GError **error);
/* Then the result and the areas are there. */
gboolean seg_pipe_wait (SegPipe *pipe, GError **error);

/* A second thread may infer in slots of its own, by the three functions below, while the first
 * redraws in others what was inferred last. So that the first need not wait for a whole network,
 * seg_pipe_take_turns (before there are two threads) has it submitted in n_parts. */
gboolean seg_pipe_take_turns (SegPipe *pipe, guint n_parts, GError **error);
const SegFrame *seg_pipe_slot_input (const SegPipe *pipe, guint slot, guint8 **data);
/* The slot is not in flight. In turns: returns when the last part is submitted; otherwise, and unless
 * seg_pipe_is_hosted, several may be in flight. */
gboolean seg_pipe_slot_submit (
    SegPipe *pipe, guint slot, SegPipeWork work, GError **error);
/* In the order of submission. After a failure of either, nothing of the slot is in flight. */
gboolean seg_pipe_slot_wait (SegPipe *pipe, guint slot, GError **error);
/* For the device, laid out as seg_pipe_input and seg_pipe_result say: the frame, to be written before a
 * slot is submitted (unless input_on_device, what the host writes); and the result, to be read after
 * that, or, if the pipe is hosted, after it has been waited for. */
SegPiece seg_pipe_slot_frame (const SegPipe *pipe, guint slot);
SegPiece seg_pipe_slot_kept (const SegPipe *pipe, guint slot);
double seg_pipe_slot_ms (const SegPipe *pipe, guint slot); /* as seg_pipe_last_ms */
/* What the frame has waited before that, in seg_pipe_slot_submit, for those of other pipes. */
gint64 seg_pipe_slot_waited_us (const SegPipe *pipe, guint slot);
/* After a flush: the next frame has nothing to do with those before. From any thread. */
void seg_pipe_forget (SegPipe *pipe);
/* Parts of the network, or of its decoder, run on the host, in seg_pipe_slot_wait: one frame at a time.
 * Known after the first frame. */
gboolean seg_pipe_is_hosted (const SegPipe *pipe);

/* The same for a frame that a submission of somebody else has brought, and the host not: seg_pipe_slot_frame
 * is the host's place, this where shaders look. Then submits of the slot bring nothing, until it is said
 * otherwise. */
SegPiece seg_pipe_slot_seen (const SegPipe *pipe, guint slot);
void seg_pipe_slot_is_there (SegPipe *pipe, guint slot, gboolean there);

/* Pixels of each class (256) in the last frame, and the last frame's time on the device with the
 * transfers, in ms. */
const guint32 *seg_pipe_areas (const SegPipe *pipe);
double seg_pipe_last_ms (const SegPipe *pipe);
/* What the device took for each stage of a frame that was inferred, in ms, the last one for which that
 * is known; negative: not known, as when not config.staged. For the thread that waits for those frames. */
const double *seg_pipe_stages (const SegPipe *pipe);
/* Instances of the last frame that was inferred; NULL for networks that give none. Valid until the
 * next submit. masks is NULL unless config.masks. */
const SegInstances *seg_pipe_instances (SegPipe *pipe);
/* Whether what it gives with SEG_OUTPUT_META is a matte; else it is a map of classes. */
gboolean seg_pipe_gives_matte (const SegPipe *pipe);
/* How the network sees the frame. */
const SegGeometry *seg_pipe_geometry (const SegPipe *pipe);
/* Tiles that a frame is covered with; 1 when it is not tiled. */
guint seg_pipe_n_tiles (const SegPipe *pipe);
/* Nanoseconds of each dispatch and copy of the last frame when config.timed, in the order they are
 * recorded; newly allocated. NULL when the network runs partly on the host. */
guint64 *seg_pipe_times (SegPipe *pipe, guint *n, GError **error);
/* Class of the model that value v of a label map stands for, or -1. */
int seg_pipe_class_of_value (const SegPipe *pipe, guint v);

G_END_DECLS
