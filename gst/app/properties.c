/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "app/session-priv.h"
#include "elements/vksegment.h"

/* What vksegment says of its properties speaks of frames and of caps; here are pictures. */

/**
 * GstVkSegSession:model:
 *
 * Path of an ONNX file, or name of a model in the folders of `VKSEG_MODEL_PATH`, the user's or
 * the system's `vkseg/models`. Followed when a network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:model-info:
 *
 * File that says what the network wants and gives; %NULL: `MODEL.modelinfo` beside it, the
 * model's metadata, or what its shapes say. Followed when a network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:labels:
 *
 * File with the name of a class a line, or names separated by commas; %NULL: the model's.
 * Followed when a network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:classes:
 *
 * Which classes to keep: labels or numbers separated by commas; %NULL: all. The next picture
 * follows.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:device:
 *
 * Vulkan device: its number, or a part of its name; %NULL: the best. Followed when a network is
 * loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:cache-dir:
 *
 * Where compiled pipelines, and what #GstVkSegSession:tune found, are kept; %NULL: `vkseg` in the
 * user's cache folder; empty: nowhere. Followed when a network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:precision:
 *
 * How the network's numbers are stored. Followed when a network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:tune:
 *
 * Milliseconds to look for the fastest kernels; what is found is kept in
 * #GstVkSegSession:cache-dir. Followed when a network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:threshold:
 *
 * Probability that a class must reach, 0 to 1; -1: as the model information says. The next
 * picture follows.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:mask-threshold:
 *
 * Probability from which on a pixel is within the mask of an instance, 0 to 1; -1: as the model
 * information says. The next picture follows.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:iou-threshold:
 *
 * Of two boxes of a class that overlap by more than this (intersection over union, 0 to 1), the
 * weaker is dropped; -1: as the model information says. The next picture follows.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:max-detections:
 *
 * How many instances are kept, best first; 0: as the model information says. Followed when a
 * network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:resize:
 *
 * How a picture is fitted into the network's input. Followed when a network is loaded, and by
 * pictures of another size.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:tiling:
 *
 * When a picture is covered with tiles. Followed when a network is loaded, and by pictures of
 * another size.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:tile-overlap:
 *
 * Pixels of the picture by which tiles overlap. Followed when a network is loaded, and by
 * pictures of another size.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:tile-batch:
 *
 * Tiles that a network with a free batch takes at once; 0: what suits the device. Followed when a
 * network is loaded, and by pictures of another size.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:input-width:
 *
 * Width in pixels of what the network sees, where it takes any; 0: as the model information says,
 * else the picture's own. Followed when a network is loaded.
 *
 * Since: 0.1
 */
/**
 * GstVkSegSession:input-height:
 *
 * Height in pixels of what the network sees, where it takes any; 0: as the model information
 * says, else the picture's own. Followed when a network is loaded.
 *
 * Since: 0.1
 */

/* A GParamSpec has one owner. */
static GParamSpec *
copy_spec (GParamSpec *spec)
{
  const char *name = spec->name, *nick = g_param_spec_get_nick (spec),
             *blurb = g_param_spec_get_blurb (spec);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  if (G_IS_PARAM_SPEC_STRING (spec))
    return g_param_spec_string (
        name, nick, blurb, G_PARAM_SPEC_STRING (spec)->default_value, flags);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    return g_param_spec_enum (name, nick, blurb, spec->value_type,
        G_PARAM_SPEC_ENUM (spec)->default_value, flags);
  if (G_IS_PARAM_SPEC_UINT (spec)) {
    const GParamSpecUInt *s = G_PARAM_SPEC_UINT (spec);
    return g_param_spec_uint (
        name, nick, blurb, s->minimum, s->maximum, s->default_value, flags);
  }
  const GParamSpecDouble *s = G_PARAM_SPEC_DOUBLE (spec);
  return g_param_spec_double (
      name, nick, blurb, s->minimum, s->maximum, s->default_value, flags);
}

void
seg_app_install_properties (GObjectClass *klass)
{
  static const char *const names[] = { "model", "model-info", "labels", "classes",
    "device", "cache-dir", "precision", "tune", "threshold", "mask-threshold",
    "iou-threshold", "max-detections", "resize", "tiling", "tile-overlap", "tile-batch",
    "input-width", "input-height" };
  GObjectClass *element = g_type_class_ref (GST_TYPE_VK_SEGMENT);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GParamSpec *spec = g_object_class_find_property (element, names[i]);
    g_object_class_install_property (klass, spec->param_id, copy_spec (spec));
  }
  /* Not unreferenced: names and texts are the element's. */
}
