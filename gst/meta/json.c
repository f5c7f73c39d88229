/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/gstvksegshape.h"

/* Written by hand: numbers must not depend on the locale, and a line is made for each frame. */

static void
put_string (GString *s, const gchar *text)
{
  if (text == NULL) {
    g_string_append (s, "null");
    return;
  }
  g_string_append_c (s, '"');
  for (const guchar *c = (const guchar *) text; *c != 0; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (s, "\\%c", *c);
    else if (*c < 32 || *c == 127)
      g_string_append_printf (s, "\\u%04x", *c);
    else
      g_string_append_c (s, (gchar) *c);
  g_string_append_c (s, '"');
}

static void
put_number (GString *s, gdouble value, const gchar *format)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];
  /* What makes the values keeps infinity and NaN away; JSON has none. */
  if (value - value != 0.0)
    g_string_append (s, "null");
  else
    g_string_append (s, g_ascii_formatd (text, sizeof text, format, value));
}

static void
put_box (GString *s, const GstVkSegRect *box)
{
  const gdouble values[4] = { box->x, box->y, box->width, box->height };
  g_string_append (s, ",\"box\":[");
  for (guint i = 0; i < 4; i++) {
    if (i > 0)
      g_string_append_c (s, ',');
    put_number (s, values[i], "%.2f");
  }
  g_string_append_c (s, ']');
}

static void
put_rle (GString *s, const GstVkSegInstance *instance, guint width, guint height)
{
  g_autofree gchar *counts = gst_vk_seg_instance_get_rle_string (instance, width, height);
  g_string_append_printf (
      s, ",\"segmentation\":{\"size\":[%u,%u],\"counts\":", height, width);
  put_string (s, counts);
  g_string_append_c (s, '}');
}

static void
put_polygons (GString *s, const GstVkSegInstance *instance, guint width, guint height)
{
  g_autoptr (GPtrArray) polygons =
      gst_vk_seg_instance_get_polygons (instance, width, height, 0.0);
  g_string_append (s, ",\"polygons\":[");
  for (guint i = 0; polygons != NULL && i < polygons->len; i++) {
    const GstVkSegPolygon *p = polygons->pdata[i];
    g_string_append_printf (s, "%s{\"hole\":%s,\"parent\":%d,\"points\":[",
        i > 0 ? "," : "", p->hole ? "true" : "false", p->parent);
    for (guint k = 0; k < p->n_points; k++)
      g_string_append_printf (
          s, "%s%d,%d", k > 0 ? "," : "", p->points[k].x, p->points[k].y);
    g_string_append (s, "]}");
  }
  g_string_append_c (s, ']');
}

static void
put_instance (GString *s, const GstVkSegInstance *instance, GstVkSegJsonFlags flags)
{
  guint width = instance->frame_width, height = instance->frame_height;
  g_string_append (s, "{\"track_id\":");
  if (instance->track_id == GST_VK_SEG_NO_TRACK)
    g_string_append (s, "null");
  else
    g_string_append_printf (s, "%" G_GINT64_FORMAT, instance->track_id);
  g_string_append_printf (s, ",\"class_id\":%d,\"label\":", instance->class_id);
  put_string (s, instance->label);
  g_string_append (s, ",\"score\":");
  put_number (s, instance->score, "%.4f");
  put_box (s, &instance->box);
  if (instance->mask != NULL && (flags & GST_VK_SEG_JSON_RLE))
    put_rle (s, instance, width, height);
  if (instance->mask != NULL && (flags & GST_VK_SEG_JSON_POLYGONS))
    put_polygons (s, instance, width, height);
  g_string_append_c (s, '}');
}

/* Which classes are where in the frame: counted at the map's own resolution. */
static void
put_areas (GString *s, const GstVkSegMeta *meta)
{
  guint areas[256] = { 0 };
  const GstVkSegMask *map = meta->map;
  const gchar *comma = "";
  for (guint y = 0; y < map->height; y++)
    for (guint x = 0; x < map->width; x++)
      areas[map->data[y * map->stride + x]]++;
  g_string_append (s, ",\"classes\":[");
  for (guint v = 0; v < 256; v++) {
    if (areas[v] == 0 || (gint) v == meta->background)
      continue;
    g_string_append_printf (s, "%s{\"class_id\":%u,\"label\":", comma, v);
    put_string (
        s, meta->labels != NULL && v < meta->labels->len ? meta->labels->pdata[v] : NULL);
    g_string_append (s, ",\"area\":");
    put_number (s, areas[v] / ((gdouble) map->width * map->height), "%.5f");
    g_string_append_c (s, '}');
    comma = ",";
  }
  g_string_append_c (s, ']');
}

/**
 * gst_vk_seg_meta_to_json:
 * @meta: (nullable): a result; %NULL for a frame without one
 * @pts: when the frame is shown, or %GST_CLOCK_TIME_NONE
 * @flags: what to say of masks
 *
 * A result as a line of JSON, without the end of the line: `pts` in nanoseconds, `type`, `width`
 * and `height` of the frame, `age`; and `instances`, each with `track_id`, `class_id`, `label`,
 * `score`, `box` (x, y, width, height in pixels of the frame), and for those with a mask on request
 * `segmentation` (`size` and compressed `counts`, as COCO has them) and `polygons` (`hole`,
 * `parent`, `points` x, y, x, y ...). A label map gives `classes`, with their `area` as a part
 * of the map. Numbers are the same in any locale.
 *
 * Returns: (transfer full): UTF-8 without a line break
 */
gchar *
gst_vk_seg_meta_to_json (
    const GstVkSegMeta *meta, GstClockTime pts, GstVkSegJsonFlags flags)
{
  static const gchar *const types[] = { "semantic", "instance", "matte", "detection" };
  GString *s = g_string_new ("{\"pts\":");
  if (GST_CLOCK_TIME_IS_VALID (pts))
    g_string_append_printf (s, "%" G_GUINT64_FORMAT, pts);
  else
    g_string_append (s, "null");
  if (meta == NULL) {
    g_string_append (s, ",\"type\":null}");
    return g_string_free (s, FALSE);
  }
  g_string_append_printf (s, ",\"type\":\"%s\",\"width\":%u,\"height\":%u,\"age\":%u",
      types[MIN (meta->type, 3)], meta->frame_width, meta->frame_height, meta->age);
  if (meta->map != NULL && meta->type == GST_VK_SEG_RESULT_SEMANTIC)
    put_areas (s, meta);
  g_string_append (s, ",\"instances\":[");
  for (guint i = 0; i < meta->instances->len; i++) {
    if (i > 0)
      g_string_append_c (s, ',');
    put_instance (s, gst_vk_seg_meta_get_instance (meta, i), flags);
  }
  g_string_append (s, "]}");
  return g_string_free (s, FALSE);
}
