/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/settings.h"

#include "frame/infosource.h"
#include "frame/labels.h"
#include "frame/regions.h"

#include <string.h>

void
seg_settings_init (SegSettings *s)
{
  memset (s, 0, sizeof *s);
  s->model = g_strdup (SEG_DEFAULT_MODEL);
  s->alpha = seg_style_default.alpha;
  s->threshold = seg_style_default.threshold;
  s->mask_threshold = seg_style_default.mask_threshold;
  s->iou_threshold = seg_style_default.iou_threshold;
  s->draw = seg_style_default.draw;
  s->interval = 1;
  s->warn_after = SEG_DEFAULT_WARN_AFTER;
  s->frames_in_flight = 2;
  s->batch_size = 1;
  s->batch_timeout_ms = SEG_DEFAULT_BATCH_TIMEOUT_MS;
  s->tile_overlap = SEG_DEFAULT_TILE_OVERLAP;
  s->roi_max = SEG_REGIONS_ROWS;
  s->roi_context = -1;
  s->background_color = SEG_DEFAULT_BACKGROUND_COLOR;
}

/* --- values ------------------------------------------------------------------------------------- */

/* Where each property's value is, and what takes a change of it up. */
#define FIELD(id, member, taken_up)                                                      \
  [SEG_PROP_##id] = { TRUE, offsetof (SegSettings, member), SEG_TAKEN_UP_##taken_up }
static const struct {
  gboolean known;
  gsize at;
  SegTakenUp taken_up;
} fields[SEG_PROP_STATS] = {
  FIELD (MODEL, model, NETWORK),
  FIELD (MODEL_INFO, model_info, NETWORK),
  FIELD (LABELS, labels, NETWORK),
  FIELD (PALETTE, palette, NETWORK),
  FIELD (OUTPUT, output, PIPE),
  FIELD (ALPHA, alpha, STYLE),
  FIELD (THRESHOLD, threshold, STYLE),
  FIELD (MASK_THRESHOLD, mask_threshold, STYLE),
  FIELD (IOU_THRESHOLD, iou_threshold, STYLE),
  FIELD (MAX_DETECTIONS, max_detections, NETWORK),
  FIELD (COLOR_BY, color_by, STYLE),
  FIELD (CLASSES, classes, STYLE),
  FIELD (DRAW, draw, STYLE),
  FIELD (INTERVAL, interval, BY_FRAME),
  FIELD (MODE, mode, PIPE),
  FIELD (FRAMES_IN_FLIGHT, frames_in_flight, PIPE),
  FIELD (BATCH_SIZE, batch_size, PIPE),
  FIELD (BATCH_TIMEOUT, batch_timeout_ms, BY_FRAME),
  FIELD (MODEL_INSTANCE_ID, model_instance_id, PIPE),
  FIELD (RESIZE, resize, PIPE),
  FIELD (UPSAMPLE, upsample, PIPE),
  FIELD (TILING, tiling, PIPE),
  FIELD (TILE_OVERLAP, tile_overlap, PIPE),
  FIELD (TILE_BATCH, tile_batch, PIPE),
  FIELD (INPUT_WIDTH, input_width, NETWORK),
  FIELD (INPUT_HEIGHT, input_height, NETWORK),
  FIELD (POST_MESSAGES, post_messages, BY_FRAME),
  FIELD (WARN_AFTER, warn_after, BY_FRAME),
  FIELD (STAGE_TIMES, stage_times, PIPE),
  FIELD (PRECISION, precision, NETWORK),
  FIELD (DEVICE, device, NETWORK),
  FIELD (CACHE_DIR, cache_dir, AT_START),
  FIELD (TUNE, tune_ms, NETWORK),
  FIELD (INFERENCE_REGION, inference_region, AT_START),
  FIELD (ROI_CLASSES, roi_classes, STYLE),
  FIELD (ROI_MIN_SIZE, roi_min_size, STYLE),
  FIELD (ROI_MAX, roi_max, STYLE),
  FIELD (ROI_CONTEXT, roi_context, PIPE),
  FIELD (BACKGROUND, background, PIPE),
  FIELD (BLUR_SIGMA, blur_sigma, PIPE),
  FIELD (BACKGROUND_COLOR, background_color, PIPE),
  FIELD (BACKGROUND_IMAGE, background_image, PIPE),
  FIELD (SMOOTHING, smoothing, PIPE),
};

/* Those that are strings. */
static const guint strings[] = { SEG_PROP_MODEL, SEG_PROP_MODEL_INFO, SEG_PROP_LABELS,
  SEG_PROP_PALETTE, SEG_PROP_CLASSES, SEG_PROP_BACKGROUND_IMAGE, SEG_PROP_ROI_CLASSES,
  SEG_PROP_DEVICE, SEG_PROP_MODEL_INSTANCE_ID, SEG_PROP_CACHE_DIR };

static gpointer
field_of (const SegSettings *s, guint id)
{
  gboolean known = id < G_N_ELEMENTS (fields) && fields[id].known;
  return known ? G_STRUCT_MEMBER_P ((gpointer) s, fields[id].at) : NULL;
}

void
seg_settings_clear (SegSettings *s)
{
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_clear_pointer ((char **) field_of (s, strings[i]), g_free);
}

void
seg_settings_copy (SegSettings *to, const SegSettings *from)
{
  *to = *from;
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++) {
    char **string = field_of (to, strings[i]);
    *string = g_strdup (*string);
  }
}

static void
set_string (char **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

/* Enumerations and flags are as wide as an int. */
gboolean
seg_settings_set (SegSettings *s, guint id, const GValue *value)
{
  gpointer field = field_of (s, id);
  if (field == NULL)
    return FALSE;
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
  case G_TYPE_STRING: set_string (field, value); break;
  case G_TYPE_DOUBLE: *(double *) field = g_value_get_double (value); break;
  case G_TYPE_UINT: *(guint *) field = g_value_get_uint (value); break;
  case G_TYPE_INT: *(gint *) field = g_value_get_int (value); break;
  case G_TYPE_BOOLEAN: *(gboolean *) field = g_value_get_boolean (value); break;
  case G_TYPE_ENUM: *(gint *) field = g_value_get_enum (value); break;
  case G_TYPE_FLAGS: *(guint *) field = g_value_get_flags (value); break;
  default: return FALSE;
  }
  return TRUE;
}

gboolean
seg_settings_get (const SegSettings *s, guint id, GValue *value)
{
  gconstpointer field = field_of (s, id);
  if (field == NULL)
    return FALSE;
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
  case G_TYPE_STRING: g_value_set_string (value, *(char *const *) field); break;
  case G_TYPE_DOUBLE: g_value_set_double (value, *(const double *) field); break;
  case G_TYPE_UINT: g_value_set_uint (value, *(const guint *) field); break;
  case G_TYPE_INT: g_value_set_int (value, *(const gint *) field); break;
  case G_TYPE_BOOLEAN: g_value_set_boolean (value, *(const gboolean *) field); break;
  case G_TYPE_ENUM: g_value_set_enum (value, *(const gint *) field); break;
  case G_TYPE_FLAGS: g_value_set_flags (value, *(const guint *) field); break;
  default: return FALSE;
  }
  return TRUE;
}

SegTakenUp
seg_settings_taken_up (guint id)
{
  g_return_val_if_fail (id < G_N_ELEMENTS (fields), SEG_TAKEN_UP_AT_START);
  return fields[id].taken_up;
}

/* --- use ------------------------------------------------------------------------------------------- */

static GHashTable *
keys_of (const SegSettings *s)
{
  GHashTable *keys = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  if (s->labels != NULL) {
    gboolean list =
        strchr (s->labels, ',') != NULL && !g_file_test (s->labels, G_FILE_TEST_EXISTS);
    g_hash_table_insert (
        keys, (gpointer) (list ? "labels" : "labels-file"), g_strdup (s->labels));
  }
  if (s->palette != NULL)
    g_hash_table_insert (keys, (gpointer) "palette", g_strdup (s->palette));
  if (s->max_detections > 0)
    g_hash_table_insert (
        keys, (gpointer) "max-detections", g_strdup_printf ("%u", s->max_detections));
  return keys;
}

char *
seg_settings_cache_dir (const SegSettings *s)
{
  if (s->cache_dir == NULL)
    return g_build_filename (g_get_user_cache_dir (), "vkseg", NULL);
  return s->cache_dir[0] != '\0' ? g_strdup (s->cache_dir) : NULL;
}

SegNet *
seg_settings_open (const SegSettings *s, SegVk *vk, GError **error)
{
  g_autoptr (GHashTable) keys = keys_of (s);
  g_autofree char *cache = seg_settings_cache_dir (s);
  SegNetOptions options = {
    .model = s->model != NULL && s->model[0] != '\0' ? s->model : SEG_DEFAULT_MODEL,
    .model_info = s->model_info,
    .device = s->device,
    .cache_dir = cache,
    .vk = vk,
    .precision = s->precision,
    .tune_ms = s->tune_ms,
    .input_width = s->input_width,
    .input_height = s->input_height,
    .regions = s->inference_region == SEG_INFERENCE_ROI_LIST,
    .settings = keys,
  };
  return options.regions ? seg_net_new (&options, error) : seg_net_open (&options, error);
}

void
seg_settings_frame (const SegSettings *s, guint width, guint height, SegNetFrame *frame)
{
  gboolean override = s->resize != SEG_RESIZE_AUTO;
  *frame = (SegNetFrame){
    .frame_width = width,
    .frame_height = height,
    .tiling = s->tiling,
    .tile_overlap = s->tile_overlap,
    .tile_batch = s->tile_batch,
    .override_fit = override,
    .fit = override ? (SegFit) (s->resize - 1) : SEG_FIT_STRETCH,
  };
}

double
seg_settings_blur_sigma (const SegSettings *s, guint height)
{
  if (s->output != SEG_OUTPUT_BACKGROUND || s->background != SEG_BACKGROUND_BLUR)
    return 0.0;
  return s->blur_sigma > 0.0 ? s->blur_sigma : MAX (height / 40.0, 2.0);
}

gboolean
seg_settings_style (
    const SegSettings *s, const SegModelInfo *info, SegStyle *style, GError **error)
{
  *style = seg_style_default;
  style->alpha = s->alpha;
  style->threshold = s->threshold;
  style->mask_threshold = s->mask_threshold;
  style->iou_threshold = s->iou_threshold;
  style->color_by = s->color_by;
  style->draw = s->draw;
  if (s->classes == NULL || s->classes[0] == '\0')
    return TRUE;
  g_autoptr (GArray) classes = g_array_new (FALSE, FALSE, sizeof (guint));
  g_auto (GStrv) items = seg_info_split (s->classes);
  if (!seg_labels_to_classes (info->labels, items, classes, error)) {
    g_prefix_error (error, "classes: ");
    return FALSE;
  }
  memset (style->keep, 0, sizeof style->keep);
  for (guint i = 0; i < classes->len; i++) {
    guint c = g_array_index (classes, guint, i);
    if (c < 256)
      style->keep[c / 32] |= 1u << (c % 32);
  }
  return TRUE;
}
