/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/geometry.h"
#include "frame/palette.h"
#include "frame/preprocess.h"
#include "graph/graph.h"

G_BEGIN_DECLS

/* What a network wants and gives, beyond its ONNX file: models/README.md has the format. Every
 * key is looked up in the caller's settings, then in the .modelinfo file, then in the ONNX
 * file's metadata; what none of them says is taken from the shapes and noted in `assumptions`. */

typedef enum {
  SEG_TASK_SEMANTIC,
  SEG_TASK_INSTANCE,
  SEG_TASK_MATTE,
  SEG_TASK_DETECTION
} SegTask;

typedef enum {
  SEG_DECODER_ARGMAX,
  SEG_DECODER_INDEX,
  SEG_DECODER_SOFTMAX,
  SEG_DECODER_SIGMOID,
  SEG_DECODER_MATTE,
  SEG_DECODER_YOLO_SEG,
  SEG_DECODER_YOLO,
  SEG_DECODER_RCNN,
  SEG_DECODER_FAST_RCNN,
  SEG_DECODER_CLASSIFY,
  SEG_DECODER_NONE,
} SegDecoder;
const char *seg_decoder_name (SegDecoder decoder); /* "yolo-seg" */

/* How scores become probabilities. */
typedef enum { SEG_SCORING_SOFTMAX, SEG_SCORING_SIGMOID, SEG_SCORING_NONE } SegScoring;

#define SEG_INFO_MAX_OUTPUTS 5
#define SEG_INFO_MAX_LABELS  4096

typedef struct {
  /* After seg_model_info_load */
  guint input;        /* index among the graph's inputs */
  gboolean unbatched; /* the input is [C,H,W] or [H,W,C] */
  /* of the input: 1 (NCHW) or 3 (NHWC); so also where it is unbatched */
  guint channel_axis;
  guint width, height; /* of the input, pixels: what is fixed, or recommended, or usual */
  guint batch;         /* 0: free */
  gboolean free_width, free_height; /* the network takes others */
  gboolean size_said; /* width and height are said or fixed, not just usual */
  SegNormalize normalize;
  int regions_input;     /* index of the input that takes a list of regions, or -1 */
  guint regions_columns; /* 4, or 5: with the number of the picture first */
  guint n_regions;       /* rows of that list, 0 where they are free */
  gboolean regions_normalized;

  /* After seg_model_info_resolve */
  SegTask task;
  SegDecoder decoder;
  SegFit fit;
  gboolean fit_said; /* somebody says so */
  gboolean tile;     /* resize=tile: then fit is stretch */
  /* x, y: pixels of the input that the output lacks on each side; negative: as the graph tells */
  double output_margin[2];
  guint n_outputs;
  /* indices among the graph's outputs, decoder's order */
  guint outputs[SEG_INFO_MAX_OUTPUTS];
  int class_axis;  /* of the first output, for maps: 1, 3, or -1 when it has none */
  guint n_classes; /* 0 where the decoder does not tell */
  int background;  /* class that is no object, or -1 */
  SegPalette palette;
  GPtrArray *labels;  /* char *; may be empty or shorter than n_classes */
  GArray *foreground; /* guint: classes that a matte keeps; empty: all but background */
  double threshold, mask_threshold, iou_threshold;
  guint max_detections;
  gboolean boxes_xyxy, boxes_normalized, objectness;
  SegScoring scoring;    /* of classify and fast-rcnn */
  gboolean boxes_deltas; /* of fast-rcnn: relative to the regions */
  double box_weights[4]; /* of dx, dy, dw, dh */
  guint region_context;  /* pixels of the input around a region that is warped into it */

  GPtrArray *assumptions; /* char *: what was taken by default, for the log */
  /*< private >*/
  struct _SegInfoSource *source;
} SegModelInfo;

/* First half: all that building the graph needs. `sidecar` NULL: MODEL.onnx.modelinfo or
 * MODEL.modelinfo beside model_path, if there is one. `settings` (char * -> char *, NULL: none)
 * holds keys of the [vkseg] group that win over everything; file names in it are relative to the
 * working folder. Errors name file, group, key and the values that are allowed. */
SegModelInfo *seg_model_info_load (const SegModel *model, const char *model_path,
    const char *sidecar, GHashTable *settings, GError **error);
/* The shape to make the graph with: fixes the input's free dimensions. */
void seg_model_info_input_shape (
    const SegModelInfo *info, const SegModel *model, SegInputShape *shape);
/* The same for the list of regions, with n rows where they are free; info has such an input. */
void seg_model_info_regions_shape (
    const SegModelInfo *info, const SegModel *model, guint n, SegInputShape *shape);
/* Second half, from the graph's outputs. */
gboolean seg_model_info_resolve (
    SegModelInfo *info, const SegGraph *graph, GError **error);
void seg_model_info_free (SegModelInfo **info); /* NULL is allowed */

/* Whether the decoder takes one map. */
gboolean seg_model_info_is_map (const SegModelInfo *info);
/* Label of a class, never NULL: "class 7" where there is none (then `buffer` holds it). */
const char *seg_model_info_label (
    const SegModelInfo *info, guint class_id, char buffer[32]);

G_END_DECLS
