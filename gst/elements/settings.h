/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/net.h"
#include "frame/pipe.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Properties that elements with a network share. Values are kept under the element's object
 * lock; a copy is taken where they are used. */

typedef enum {
  SEG_RESIZE_AUTO,
  SEG_RESIZE_STRETCH,
  SEG_RESIZE_LETTERBOX,
  SEG_RESIZE_CROP
} SegResize;
typedef enum {
  SEG_UPSAMPLE_BILINEAR,
  SEG_UPSAMPLE_NEAREST,
  SEG_UPSAMPLE_NONE,
  SEG_UPSAMPLE_GUIDED
} SegUpsample;

typedef enum { SEG_MODE_SYNC, SEG_MODE_ASYNC, SEG_MODE_DROP } SegMode;

typedef enum { SEG_INFERENCE_FULL_FRAME, SEG_INFERENCE_ROI_LIST } SegInferenceRegion;

typedef enum {
  SEG_BACKGROUND_BLUR,
  SEG_BACKGROUND_COLOR,
  SEG_BACKGROUND_IMAGE
} SegBackground;

typedef struct {
  char *model, *model_info, *labels, *palette, *classes, *device, *cache_dir;
  char *roi_classes, *model_instance_id;
  SegPrecision precision;
  SegOutputKind output;
  SegResize resize;
  SegUpsample upsample;
  SegTilingMode tiling;
  guint tile_overlap, tile_batch;  /* pixels; 0: what suits the device */
  guint input_width, input_height; /* 0: the model's */
  guint tune_ms;
  gboolean post_messages;
  gboolean stage_times;
  guint warn_after; /* frames; 0: never */
  double alpha, threshold, mask_threshold, iou_threshold;
  guint max_detections; /* 0: the model's */
  SegColorBy color_by;
  SegDrawFlags draw;
  guint interval;
  SegMode mode;
  guint frames_in_flight;
  guint batch_size, batch_timeout_ms;
  SegInferenceRegion inference_region;
  guint roi_min_size, roi_max;
  int roi_context;
  SegBackground background; /* with output=background */
  double blur_sigma;        /* pixels; 0: by the frame's height */
  guint background_color;   /* 0xAARRGGBB */
  char *background_image;
  double smoothing; /* 0..1 */
} SegSettings;

#define SEG_DEFAULT_TILE_OVERLAP     32
#define SEG_DEFAULT_BATCH_TIMEOUT_MS 10
#define SEG_DEFAULT_WARN_AFTER       300
#define SEG_DEFAULT_MODEL            "selfie"
#define SEG_DEFAULT_BACKGROUND_COLOR 0xff00b140 /* a green for chroma keys */

enum {
  SEG_PROP_0,
  SEG_PROP_MODEL,
  SEG_PROP_MODEL_INFO,
  SEG_PROP_LABELS,
  SEG_PROP_PALETTE,
  SEG_PROP_OUTPUT,
  SEG_PROP_ALPHA,
  SEG_PROP_THRESHOLD,
  SEG_PROP_MASK_THRESHOLD,
  SEG_PROP_IOU_THRESHOLD,
  SEG_PROP_MAX_DETECTIONS,
  SEG_PROP_COLOR_BY,
  SEG_PROP_CLASSES,
  SEG_PROP_DRAW,
  SEG_PROP_INTERVAL,
  SEG_PROP_MODE,
  SEG_PROP_FRAMES_IN_FLIGHT,
  SEG_PROP_BATCH_SIZE,
  SEG_PROP_BATCH_TIMEOUT,
  SEG_PROP_MODEL_INSTANCE_ID,
  SEG_PROP_RESIZE,
  SEG_PROP_UPSAMPLE,
  SEG_PROP_TILING,
  SEG_PROP_TILE_OVERLAP,
  SEG_PROP_TILE_BATCH,
  SEG_PROP_INPUT_WIDTH,
  SEG_PROP_INPUT_HEIGHT,
  SEG_PROP_POST_MESSAGES,
  SEG_PROP_WARN_AFTER,
  SEG_PROP_STAGE_TIMES,
  SEG_PROP_PRECISION,
  SEG_PROP_DEVICE,
  SEG_PROP_CACHE_DIR,
  SEG_PROP_TUNE,
  SEG_PROP_INFERENCE_REGION,
  SEG_PROP_ROI_CLASSES,
  SEG_PROP_ROI_MIN_SIZE,
  SEG_PROP_ROI_MAX,
  SEG_PROP_ROI_CONTEXT,
  SEG_PROP_BACKGROUND,
  SEG_PROP_BLUR_SIGMA,
  SEG_PROP_BACKGROUND_COLOR,
  SEG_PROP_BACKGROUND_IMAGE,
  SEG_PROP_SMOOTHING,
  SEG_PROP_STATS, /* the element's own */
};

void seg_settings_install (GObjectClass *object_class);
/* Of them, for a class below with another default. */
void seg_settings_install_output (GObjectClass *object_class, SegOutputKind value);
void seg_settings_install_smoothing (GObjectClass *object_class, double value);
void seg_settings_init (SegSettings *s);
void seg_settings_clear (SegSettings *s);
void seg_settings_copy (SegSettings *to, const SegSettings *from);
/* FALSE for a property that is not among them. */
gboolean seg_settings_set (SegSettings *s, guint id, const GValue *value);
gboolean seg_settings_get (const SegSettings *s, guint id, GValue *value);

/* What a change of the property is taken up by. */
typedef enum {
  SEG_TAKEN_UP_AT_START,
  SEG_TAKEN_UP_BY_FRAME, /* the next frame asks for the value */
  SEG_TAKEN_UP_STYLE,    /* seg_pipe_set_style */
  SEG_TAKEN_UP_PIPE,     /* a new pipe */
  SEG_TAKEN_UP_NETWORK,  /* a network, and a pipe */
} SegTakenUp;
SegTakenUp seg_settings_taken_up (guint id);

/* Loads the network that the settings name; see seg_net_open. vk NULL: on the device that they name. */
SegNet *seg_settings_open (const SegSettings *s, SegVk *vk, GError **error);
/* Newly allocated; NULL: none is wanted. */
char *seg_settings_cache_dir (const SegSettings *s);
/* Fails with SEG_ERROR_INPUT when `classes` names one that the network does not have. */
gboolean seg_settings_style (
    const SegSettings *s, const SegModelInfo *info, SegStyle *style, GError **error);

/* What the settings say about frames of width x height, for seg_net_fit. */
void seg_settings_frame (
    const SegSettings *s, guint width, guint height, SegNetFrame *frame);

/* 0: nothing is blurred. */
double seg_settings_blur_sigma (const SegSettings *s, guint height);

GType seg_output_kind_get_type (void);
GType seg_precision_get_type (void);
GType seg_resize_get_type (void);
GType seg_tiling_get_type (void);

G_END_DECLS
