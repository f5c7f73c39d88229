/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/settings.h"

#include "elements/livequeue.h"
#include "frame/backdrop.h"
#include "frame/instances.h"
#include "frame/regions.h"

/* Regions of a frame at most: each costs a run of the network. */
#define SEG_ROI_MAX 4096

#define ENUM_TYPE(function, name, ...)                                                   \
  static GType function (void)                                                           \
  {                                                                                      \
    static gsize type = 0;                                                               \
    static const GEnumValue values[] = { __VA_ARGS__, { 0, NULL, NULL } };               \
    if (g_once_init_enter (&type))                                                       \
      g_once_init_leave (&type, g_enum_register_static (name, values));                  \
    return type;                                                                         \
  }

ENUM_TYPE (output_kind_type, "GstVkSegOutput",
    { SEG_OUTPUT_OVERLAY, "The frame with the classes drawn over it", "overlay" },
    { SEG_OUTPUT_LABELS, "GRAY8: number of the class of each pixel", "labels" },
    { SEG_OUTPUT_MATTE, "GRAY8: probability of the foreground, 0 to 255", "matte" },
    { SEG_OUTPUT_CUTOUT, "RGBA or BGRA: the frame with the matte as its alpha",
        "cutout" },
    { SEG_OUTPUT_META,
        "The frame as it is, with a GstVkSegMeta: instances with masks, or the label map "
        "or matte",
        "meta" },
    { SEG_OUTPUT_BACKGROUND,
        "The frame with its background blurred, or another in its place: see background",
        "background" })
ENUM_TYPE (resize_type, "GstVkSegResize",
    { SEG_RESIZE_AUTO, "As the model information says", "auto" },
    { SEG_RESIZE_STRETCH, "To the network's size, whatever its aspect", "stretch" },
    { SEG_RESIZE_LETTERBOX, "Keep the aspect, bars beside the frame", "letterbox" },
    { SEG_RESIZE_CROP, "Keep the aspect, only the middle of the frame", "crop" })
ENUM_TYPE (upsample_type, "GstVkSegUpsample",
    { SEG_UPSAMPLE_BILINEAR, "Interpolate scores, then decide: smooth edges",
        "bilinear" },
    { SEG_UPSAMPLE_NEAREST, "The network's own pixels: blocky edges", "nearest" },
    { SEG_UPSAMPLE_NONE,
        "labels and mattes come out in the network's own size, one pixel each", "none" },
    { SEG_UPSAMPLE_GUIDED,
        "Mattes of networks that give maps, and what is made of them, follow the edges "
        "of the picture, hair and clothes (guided filter, anew for each frame that is "
        "shown); instances, argmax maps, tiles and frames smaller than the map: as "
        "bilinear",
        "guided" })
ENUM_TYPE (tiling_type, "GstVkSegTiling",
    { SEG_TILING_AUTO, "Where resizing would lose what the frame shows", "auto" },
    { SEG_TILING_NONE, "A frame is resized", "none" },
    { SEG_TILING_OVERLAP, "A frame is covered with tiles at its own scale", "overlap" })
ENUM_TYPE (color_by_type, "GstVkSegColorBy",
    { SEG_COLOR_BY_AUTO, "By class, where there are several", "auto" },
    { SEG_COLOR_BY_CLASS, "A colour for each class", "class" },
    { SEG_COLOR_BY_INSTANCE, "A colour for each instance, best score first", "instance" })
ENUM_TYPE (precision_type, "GstVkSegPrecision",
    { SEG_PRECISION_AUTO, "fp16 where the device gains by it", "auto" },
    { SEG_PRECISION_FP32, "32-bit floating point", "fp32" },
    { SEG_PRECISION_FP16, "Stored as 16-bit, added up as 32-bit floating point", "fp16" })
ENUM_TYPE (inference_region_type, "GstVkSegInferenceRegion",
    { SEG_INFERENCE_FULL_FRAME, "The network sees the frame", "full-frame" },
    { SEG_INFERENCE_ROI_LIST,
        "The network sees the regions of interest that others attached; results are "
        "metas, pixels stay as they are",
        "roi-list" })

ENUM_TYPE (background_type, "GstVkSegBackground",
    { SEG_BACKGROUND_BLUR, "The frame's own, blurred, without the foreground in it",
        "blur" },
    { SEG_BACKGROUND_COLOR, "A colour: background-color", "color" },
    { SEG_BACKGROUND_IMAGE, "A picture: background-image", "image" })

ENUM_TYPE (mode_type, "GstVkSegMode",
    { SEG_MODE_SYNC,
        "A frame waits for its result; late ones are drawn with the last result",
        "sync" },
    { SEG_MODE_ASYNC,
        "Frames come out in order, one or more later, while the network looks at the "
        "next; from a live source a frame never waits for longer than frames-in-flight, "
        "then it is drawn with the last result",
        "async" },
    { SEG_MODE_DROP,
        "A frame goes out at once with the last result that there is; the network looks "
        "at the newest frame whenever it is free",
        "drop" })

static GType
draw_flags_type (void)
{
  static gsize type = 0;
  static const GFlagsValue values[] = {
    { SEG_DRAW_MASKS, "Fill the classes' areas", "masks" },
    { SEG_DRAW_CONTOURS, "Outline the classes' areas", "contours" },
    { SEG_DRAW_LEGEND, "List the classes that are in the frame (not of instances)",
        "legend" },
    { SEG_DRAW_BOXES, "Frame each instance", "boxes" },
    { SEG_DRAW_LABELS, "Name each instance, with its score", "labels" }, { 0, NULL, NULL }
  };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_flags_register_static ("GstVkSegDraw", values));
  return type;
}

GType
seg_output_kind_get_type (void)
{
  return output_kind_type ();
}

GType
seg_precision_get_type (void)
{
  return precision_type ();
}

GType
seg_resize_get_type (void)
{
  return resize_type ();
}

GType
seg_tiling_get_type (void)
{
  return tiling_type ();
}

/* --- properties ---------------------------------------------------------------------------------- */

#define AT_START (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define ANY_TIME (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_strings (GObjectClass *c)
{
  static const struct {
    guint id;
    const char *name, *nick, *blurb, *value;
    GParamFlags flags;
  } strings[] = {
    { SEG_PROP_MODEL, "model", "Model",
        "ONNX file, or name of a model in the folders of VKSEG_MODEL_PATH, the user's or "
        "the system's vkseg/models. While frames flow another, or another value of a "
        "property that asks for another network, is made ready in the background, and "
        "frames show the old one's results until then; one that cannot be used is warned "
        "about and the old one stays",
        SEG_DEFAULT_MODEL, ANY_TIME },
    { SEG_PROP_MODEL_INFO, "model-info", "Model information",
        "File that says what the model wants and gives (unset: MODEL.modelinfo, the "
        "model's metadata, or what its shapes say)",
        NULL, ANY_TIME },
    { SEG_PROP_LABELS, "labels", "Labels",
        "File with the name of a class a line, or names separated by commas (unset: the "
        "model's)",
        NULL, ANY_TIME },
    { SEG_PROP_PALETTE, "palette", "Palette",
        "Colours of the classes: voc, cityscapes, ade20k, coco, person, a file (#rrggbb "
        "or r g b a line, or a GIMP palette) or a list #rrggbb,#rrggbb (unset: the "
        "model's)",
        NULL, ANY_TIME },
    { SEG_PROP_CLASSES, "classes", "Classes",
        "Which classes to keep: labels or numbers separated by commas (unset: all); the "
        "next frame follows a change",
        NULL, ANY_TIME },
    { SEG_PROP_ROI_CLASSES, "roi-classes", "Types of regions",
        "With inference-region=roi-list: which regions of interest to look at: their "
        "types (of detections: the object's), separated by commas (unset: all); the next "
        "frame follows a change",
        NULL, ANY_TIME },
    { SEG_PROP_MODEL_INSTANCE_ID, "model-instance-id", "Model instance",
        "With batch-size: frames go together with those of elements with the same id "
        "alone (unset: of those without one). Weights are shared by all with the same "
        "model, input size, device, precision and tune, whatever their ids",
        NULL, ANY_TIME },
    { SEG_PROP_BACKGROUND_IMAGE, "background-image", "Image behind",
        "With background=image: file of a picture that GStreamer can decode; scaled to "
        "cover the frame, its middle is shown",
        NULL, ANY_TIME },
    { SEG_PROP_DEVICE, "device", "Device",
        "Vulkan device: its number, or a part of its name (unset: the best)", NULL,
        ANY_TIME },
    { SEG_PROP_CACHE_DIR, "cache-dir", "Cache folder",
        "Where compiled pipelines, and what `tune` found, are kept from run to run "
        "(unset: vkseg in the user's cache folder; empty: nowhere)",
        NULL, AT_START },
  };
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_object_class_install_property (c, strings[i].id,
        g_param_spec_string (strings[i].name, strings[i].nick, strings[i].blurb,
            strings[i].value, strings[i].flags));
}

static void
install_instances (GObjectClass *c)
{
  g_object_class_install_property (c, SEG_PROP_MASK_THRESHOLD,
      g_param_spec_double ("mask-threshold", "Mask threshold",
          "Probability from which on a pixel is within the mask of an instance, from 0 "
          "to 1 (-1: as the model information says); the next frame follows a change",
          -1.0, 1.0, seg_style_default.mask_threshold,
          ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, SEG_PROP_IOU_THRESHOLD,
      g_param_spec_double ("iou-threshold", "IoU threshold",
          "Of two boxes of a class that overlap by more than this (intersection over "
          "union, from 0 to 1), the weaker is dropped (-1: as the model information "
          "says); the next frame follows a change",
          -1.0, 1.0, seg_style_default.iou_threshold, ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, SEG_PROP_MAX_DETECTIONS,
      g_param_spec_uint ("max-detections", "Maximum of detections",
          "How many instances are kept, best first (0: as the model information says)", 0,
          SEG_MAX_CANDIDATES, 0, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_COLOR_BY,
      g_param_spec_enum ("color-by", "Colour by",
          "What instances are told apart by; the next frame follows a change",
          color_by_type (), SEG_COLOR_BY_AUTO, ANY_TIME));
}

static void
install_uint (GObjectClass *c, guint id, const char *name, const char *nick,
    const char *blurb, guint most, guint value)
{
  g_object_class_install_property (
      c, id, g_param_spec_uint (name, nick, blurb, 0, most, value, ANY_TIME));
}

/* The size that the network sees, and tiles of it. */
static void
install_sizes (GObjectClass *c)
{
  g_object_class_install_property (c, SEG_PROP_TILING,
      g_param_spec_enum ("tiling", "Tiling",
          "When a frame is covered with tiles at its own scale instead of being resized. "
          "auto: as the model information says; else of frames larger than the output of "
          "an unpadded network, or four times the network's input in both directions, "
          "unless `resize` says how they are resized",
          tiling_type (), SEG_TILING_AUTO, ANY_TIME));
  install_uint (c, SEG_PROP_TILE_OVERLAP, "tile-overlap", "Tile overlap",
      "Pixels of the frame by which tiles overlap, and over which their scores are "
      "blended; outputs of unpadded networks abut and need none",
      SEG_FRAME_MAX_PX, SEG_DEFAULT_TILE_OVERLAP);
  install_uint (c, SEG_PROP_TILE_BATCH, "tile-batch", "Tile batch",
      "Tiles that a network with a free batch takes at once (0: what suits the device)",
      256, 0);
  install_uint (c, SEG_PROP_INPUT_WIDTH, "input-width", "Input width",
      "Width in pixels of what the network sees, where it takes any (0: as the model "
      "information says, else the frame's own)",
      SEG_FRAME_MAX_PX, 0);
  install_uint (c, SEG_PROP_INPUT_HEIGHT, "input-height", "Input height",
      "Height in pixels of what the network sees, where it takes any (0: as the model "
      "information says, else the frame's own)",
      SEG_FRAME_MAX_PX, 0);
}

static void
install_tune (GObjectClass *c)
{
  install_uint (c, SEG_PROP_TUNE, "tune", "Tune",
      "Milliseconds to look, when a network is loaded, for the fastest kernels of its "
      "convolutions; what is found is kept in cache-dir, and used from then on (0: not, "
      "what is kept is used all the same)",
      SEG_MAX_TUNE_MS, 0);
}

static void
install_regions (GObjectClass *c)
{
  g_object_class_install_property (c, SEG_PROP_INFERENCE_REGION,
      g_param_spec_enum ("inference-region", "Inference region",
          "What the network sees: the frame, or the regions of interest on its buffer "
          "(GstVideoRegionOfInterestMeta, from GStreamer 1.24 on also object detections "
          "of GstAnalytics), each warped to the network's input or, for networks with "
          "an input of regions, all at once",
          inference_region_type (), SEG_INFERENCE_FULL_FRAME, AT_START));
  g_object_class_install_property (c, SEG_PROP_ROI_MIN_SIZE,
      g_param_spec_uint ("roi-min-size", "Least size of regions",
          "With inference-region=roi-list: least width and height, in pixels, of the "
          "part of a region that is in the frame; the next frame follows a change",
          0, SEG_FRAME_MAX_PX, 0, ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, SEG_PROP_ROI_MAX,
      g_param_spec_uint ("roi-max", "Most regions",
          "With inference-region=roi-list: regions of a frame that are looked at, the "
          "first ones; the next frame follows a change",
          1, SEG_ROI_MAX, SEG_REGIONS_ROWS, ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, SEG_PROP_ROI_CONTEXT,
      g_param_spec_int ("roi-context", "Context of regions",
          "With inference-region=roi-list: how much of what is around a region the "
          "network sees on each side of it, in pixels of the network's input (-1: as the "
          "model information says, which is 16 unless it says so)",
          -1, 1024, -1, ANY_TIME));
}

static void
install_live (GObjectClass *c)
{
  g_object_class_install_property (c, SEG_PROP_MODE,
      g_param_spec_enum ("mode", "Mode",
          "Whether frames wait for the network. In async and drop, properties that the "
          "next frame follows are followed by the next that the network looks at",
          mode_type (), SEG_MODE_SYNC, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_FRAMES_IN_FLIGHT,
      g_param_spec_uint ("frames-in-flight", "Frames in flight",
          "With mode=async: frames that may wait for their results; each adds its "
          "duration to the latency",
          1, SEG_LIVE_MAX_DEPTH, 2, ANY_TIME));
}

static void
install_batches (GObjectClass *c)
{
  g_object_class_install_property (c, SEG_PROP_BATCH_SIZE,
      g_param_spec_uint ("batch-size", "Batch size",
          "Frames of different streams that the network looks at together, where that "
          "is sooner done than one after the other, as measured at start: those of "
          "elements of one process with the same model, input size, device, precision, "
          "tune, batch-size and model-instance-id, each in a thread of its own. A "
          "network that cannot (a batch of one is baked into it, parts run on the CPU, "
          "tiles) is warned about and runs as with 1",
          1, SEG_TEAM_MAX_BATCH, 1, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_BATCH_TIMEOUT,
      g_param_spec_uint ("batch-timeout", "Batch timeout",
          "With batch-size: how long a frame waits for those of other streams, in "
          "milliseconds; part of the latency. A stream that has not come in time is not "
          "waited for until it comes again; the next frame follows a change",
          0, 10000, SEG_DEFAULT_BATCH_TIMEOUT_MS, ANY_TIME));
}

void
seg_settings_install_output (GObjectClass *c, SegOutputKind value)
{
  g_object_class_install_property (c, SEG_PROP_OUTPUT,
      g_param_spec_enum ("output", "Output", "What comes out", output_kind_type (),
          (gint) value, ANY_TIME));
}

void
seg_settings_install_smoothing (GObjectClass *c, double value)
{
  g_object_class_install_property (c, SEG_PROP_SMOOTHING,
      g_param_spec_double ("smoothing", "Smoothing",
          "With output=matte, cutout and background, of networks that give maps (not in "
          "tiles): how much a matte stays as it was where the next is nearly the same, "
          "so that edges do not flicker, from 0 (not at all) to 1 (until something "
          "moves)",
          0.0, 1.0, value, ANY_TIME));
}

static void
install_background (GObjectClass *c)
{
  g_object_class_install_property (c, SEG_PROP_BACKGROUND,
      g_param_spec_enum ("background", "Background",
          "With output=background: what is behind the foreground (of classes: those that "
          "the model information calls foreground, and `classes`)",
          background_type (), SEG_BACKGROUND_BLUR, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_BLUR_SIGMA,
      g_param_spec_double ("blur-sigma", "Blur",
          "With background=blur: standard deviation of the Gaussian, in pixels of the "
          "frame, of which the least that is made is 1.1 (0: a fortieth of the frame's "
          "height, 2 at least)",
          0.0, SEG_BACKDROP_MAX_SIGMA, 0.0, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_BACKGROUND_COLOR,
      g_param_spec_uint ("background-color", "Colour behind",
          "With background=color: 0xAARRGGBB, of which alpha is not looked at (default: "
          "0xff00b140, a green for chroma keys)",
          0, G_MAXUINT32, SEG_DEFAULT_BACKGROUND_COLOR, ANY_TIME));
  seg_settings_install_smoothing (c, 0.0);
}

void
seg_settings_install (GObjectClass *c)
{
  install_strings (c);
  install_regions (c);
  seg_settings_install_output (c, SEG_OUTPUT_OVERLAY);
  g_object_class_install_property (c, SEG_PROP_ALPHA,
      g_param_spec_double ("alpha", "Alpha",
          "Strength of the drawn areas, from 0 (not there) to 1 (opaque); the next frame "
          "follows a change",
          0.0, 1.0, seg_style_default.alpha, ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, SEG_PROP_THRESHOLD,
      g_param_spec_double ("threshold", "Threshold",
          "Probability that a class must reach, from 0 to 1 (-1: as the model "
          "information says); the next frame follows a change",
          -1.0, 1.0, seg_style_default.threshold, ANY_TIME | GST_PARAM_CONTROLLABLE));
  install_instances (c);
  g_object_class_install_property (c, SEG_PROP_DRAW,
      g_param_spec_flags ("draw", "Draw",
          "What the overlay consists of; the next frame follows a change",
          draw_flags_type (), seg_style_default.draw, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_INTERVAL,
      g_param_spec_uint ("interval", "Interval",
          "Run the network on every n-th frame; those between are drawn with its last "
          "answer; the next frame follows a change",
          1, 1000, 1, ANY_TIME | GST_PARAM_CONTROLLABLE));
  install_background (c);
  install_live (c);
  install_batches (c);
  g_object_class_install_property (c, SEG_PROP_RESIZE,
      g_param_spec_enum ("resize", "Resize",
          "How a frame is fitted into the network's input", resize_type (),
          SEG_RESIZE_AUTO, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_UPSAMPLE,
      g_param_spec_enum ("upsample", "Upsample",
          "How the network's output is brought to the frame's size", upsample_type (),
          SEG_UPSAMPLE_BILINEAR, ANY_TIME));
  install_sizes (c);
  install_tune (c);
  g_object_class_install_property (c, SEG_PROP_POST_MESSAGES,
      g_param_spec_boolean ("post-messages", "Post messages",
          "Post an element message 'vkseg-result' for each frame that the network has "
          "seen: timestamp (guint64, ns); classes: id (int), label (string), area "
          "(double, 0 to 1 of the frame); of networks that find objects instances, best "
          "first: id, label, score (double), x, y, width, height (double, pixels of the "
          "frame), of regions region-id (int). See examples/README.md, Observing; the "
          "next frame follows a change",
          FALSE, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_STAGE_TIMES,
      g_param_spec_boolean ("stage-times", "Stage times",
          "Have the device note the time between the stages of a frame, for `stats`; "
          "costs next to nothing on a GPU, some milliseconds a frame on a CPU device",
          FALSE, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_WARN_AFTER,
      g_param_spec_uint ("warn-after", "Warn after",
          "Warn, once after start, when nothing at all has been found in so many frames: "
          "a threshold may be too high, or the colours not those that the network wants "
          "(0: never)",
          0, G_MAXINT, SEG_DEFAULT_WARN_AFTER, ANY_TIME));
  g_object_class_install_property (c, SEG_PROP_PRECISION,
      g_param_spec_enum ("precision", "Precision", "How the network's numbers are stored",
          precision_type (), SEG_PRECISION_AUTO, ANY_TIME));
}
