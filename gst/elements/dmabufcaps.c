/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/dmabufcaps.h"

#include "elements/videoframe.h"
#include "zerocopy/dmabuf.h"
#include "zerocopy/drm.h"

static gboolean
is_dmabuf (const GstCapsFeatures *features)
{
  return !gst_caps_features_is_any (features)
         && gst_caps_features_contains (features, SEG_MEMORY_DMABUF);
}

static gboolean
is_host (const GstCapsFeatures *features)
{
  return gst_caps_features_is_equal (features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
}

static void
append (GstCaps *caps, GstStructure *s)
{
  if (s != NULL)
    gst_caps_append_structure_full (
        caps, s, gst_caps_features_new (SEG_MEMORY_DMABUF, NULL));
}

/* --- names of formats ------------------------------------------------------------------------------- */

/* A name for a name; FALSE: it is left out. */
typedef gboolean (*Rename) (const char *name, const char *const *tiled, GValue *renamed);

static void
set_name (GValue *value, const char *name)
{
  g_value_init (value, G_TYPE_STRING);
  g_value_set_string (value, name);
}

/* Of a DRM name that is of a format of ours. */
static gboolean
parse (const char *drm, const char **name, guint64 *modifier)
{
  GstVideoFormat format;
  SegFormat unused;
  if (!seg_drm_parse (drm, &format, modifier) || !seg_video_format (format, &unused))
    return FALSE;
  *name = gst_video_format_to_string (format);
  return TRUE;
}

static gboolean
keep_known (const char *drm, const char *const *tiled, GValue *same)
{
  const char *name;
  guint64 modifier;
  if (!parse (drm, &name, &modifier)
      || (modifier != 0 && tiled != NULL && !g_strv_contains (tiled, drm)))
    return FALSE;
  set_name (same, drm);
  return TRUE;
}

/* "AB24" to "RGBA" */
static gboolean
name_of (const char *drm, gboolean tiled, GValue *renamed)
{
  const char *name;
  guint64 modifier;
  if (!parse (drm, &name, &modifier) || (modifier != 0) != tiled)
    return FALSE;
  set_name (renamed, name);
  return TRUE;
}

static gboolean
name_of_linear (const char *drm, const char *const *tiled, GValue *renamed)
{
  return name_of (drm, FALSE, renamed);
}

static gboolean
name_of_tiled (const char *drm, const char *const *tiled, GValue *renamed)
{
  return name_of (drm, TRUE, renamed);
}

static gboolean
linear_of_name (const char *name, const char *const *tiled, GValue *drm)
{
  g_autofree char *linear = seg_drm_name (gst_video_format_from_string (name), 0);
  if (linear == NULL)
    return FALSE;
  set_name (drm, linear);
  return TRUE;
}

/* Takes the list, of which one name alone is no list. FALSE: it is empty. */
static gboolean
set_names (GstStructure *s, const char *field, GValue *list)
{
  guint n = gst_value_list_get_size (list);
  gst_structure_set_value (s, field, n == 1 ? gst_value_list_get_value (list, 0) : list);
  g_value_unset (list);
  return n > 0;
}

/* Field `from`, a name or a list, into field `to`, each by f. FALSE: nothing is left. */
static gboolean
rename_formats (
    GstStructure *s, const char *from, const char *to, Rename f, const char *const *tiled)
{
  const GValue *names = gst_structure_get_value (s, from);
  gboolean is_list = names != NULL && GST_VALUE_HOLDS_LIST (names);
  guint n = names == NULL ? 0 : is_list ? gst_value_list_get_size (names) : 1;
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < n; i++) {
    const GValue *name = is_list ? gst_value_list_get_value (names, i) : names;
    GValue renamed = G_VALUE_INIT;
    if (G_VALUE_HOLDS_STRING (name) && f (g_value_get_string (name), tiled, &renamed))
      gst_value_list_append_and_take_value (&list, &renamed);
  }
  return set_names (s, to, &list);
}

/* Any of ours, where nothing is said of it. */
static void
name_formats (GstStructure *s)
{
  g_autoptr (GstCaps) host = gst_caps_from_string (SEG_VIDEO_CAPS);
  if (!gst_structure_has_field (s, "format"))
    gst_structure_set_value (s, "format",
        gst_structure_get_value (gst_caps_get_structure (host, 0), "format"));
}

/* --- structures, from one to another; they take theirs, and NULL is: nothing is left ------------------- */

static GstStructure *
from_drm (GstStructure *s, Rename f)
{
  gboolean any = FALSE;
  if (gst_structure_has_field (s, "drm-format"))
    any = rename_formats (s, "drm-format", "format", f, NULL);
  else if (f == name_of_linear) { /* any */
    gst_structure_remove_field (s, "format");
    name_formats (s);
    any = TRUE;
  }
  gst_structure_remove_field (s, "drm-format");
  if (!any)
    gst_clear_structure (&s);
  return s;
}

static GstStructure *
to_drm (GstStructure *s)
{
  name_formats (s);
  if (rename_formats (s, "format", "drm-format", linear_of_name, NULL))
    gst_structure_set (s, "format", G_TYPE_STRING, "DMA_DRM", NULL);
  else
    gst_clear_structure (&s);
  return s;
}

/* Those of the names that are of a format that s has. */
static gboolean
set_tiled (GstStructure *s, const char *const *tiled)
{
  const GValue *formats = gst_structure_get_value (s, "format");
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; tiled[i] != NULL; i++) {
    const char *name;
    guint64 modifier;
    GValue format = G_VALUE_INIT, drm = G_VALUE_INIT;
    if (!parse (tiled[i], &name, &modifier))
      continue;
    set_name (&format, name);
    if (gst_value_intersect (NULL, formats, &format)) {
      set_name (&drm, tiled[i]);
      gst_value_list_append_and_take_value (&list, &drm);
    }
    g_value_unset (&format);
  }
  return set_names (s, "drm-format", &list);
}

static GstStructure *
to_tiled (GstStructure *s, const char *const *tiled)
{
  name_formats (s);
  if (tiled == NULL || set_tiled (s, tiled))
    gst_structure_set (s, "format", G_TYPE_STRING, "DMA_DRM", NULL);
  else
    gst_clear_structure (&s);
  return s;
}

static gboolean
is_drm (const GstStructure *s)
{
  return g_strcmp0 (gst_structure_get_string (s, "format"), "DMA_DRM") == 0;
}

/* Those of s with both names. */
static void
append_dmabuf (GstCaps *caps, const GstStructure *s)
{
  append (caps, to_drm (gst_structure_copy (s)));
  append (caps, gst_structure_copy (s));
}

/* --- caps ----------------------------------------------------------------------------------------------- */

GstCaps *
seg_caps_dmabuf (void)
{
  g_autoptr (GstCaps) host = gst_caps_from_string (SEG_VIDEO_CAPS);
  const GstStructure *s = gst_caps_get_structure (host, 0);
  GstCaps *caps = gst_caps_new_empty ();
  if (seg_drm_is_known ())
    append (caps, to_tiled (gst_structure_copy (s), NULL));
  append (caps, gst_structure_copy (s));
  return caps;
}

GstCaps *
seg_caps_known_dmabuf (GstCaps *caps, const char *const *tiled)
{
  if (gst_caps_is_any (caps))
    return caps;
  GstCaps *known = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_structure_copy (gst_caps_get_structure (caps, i));
    GstCapsFeatures *features = gst_caps_get_features (caps, i);
    if (is_dmabuf (features) && gst_structure_has_field (s, "drm-format")
        && !rename_formats (s, "drm-format", "drm-format", keep_known, tiled))
      gst_clear_structure (&s);
    if (s != NULL)
      gst_caps_append_structure_full (known, s, gst_caps_features_copy (features));
  }
  gst_caps_unref (caps);
  return known;
}

/* What is not in dma-bufs stays, unless only `tiled` is wanted. */
static GstCaps *
leave (GstCaps *caps, gboolean tiled)
{
  GstCaps *other = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_structure_copy (gst_caps_get_structure (caps, i));
    GstCapsFeatures *features = gst_caps_features_copy (gst_caps_get_features (caps, i));
    gboolean drm = is_dmabuf (features) && is_drm (s);
    if (is_dmabuf (features))
      gst_caps_features_remove (features, SEG_MEMORY_DMABUF);
    if (drm)
      s = from_drm (s, tiled ? name_of_tiled : name_of_linear);
    else if (tiled)
      gst_clear_structure (&s);
    if (s != NULL)
      gst_caps_append_structure_full (other, s, features);
    else
      gst_caps_features_free (features);
  }
  gst_caps_unref (caps);
  return other;
}

GstCaps *
seg_caps_leave_dmabuf (GstCaps *caps)
{
  return leave (caps, FALSE);
}

GstCaps *
seg_caps_leave_tiled (GstCaps *caps)
{
  return leave (caps, TRUE);
}

GstCaps *
seg_caps_enter_dmabuf (GstCaps *caps, gboolean before)
{
  GstCaps *other = gst_caps_new_empty (), *more = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *s = gst_caps_get_structure (caps, i);
    GstCapsFeatures *features = gst_caps_get_features (caps, i);
    if (!is_dmabuf (features))
      gst_caps_append_structure_full (
          other, gst_structure_copy (s), gst_caps_features_copy (features));
    if (is_host (features))
      append_dmabuf (more, s);
  }
  gst_caps_unref (caps);
  GstCaps *first = before ? more : other;
  gst_caps_append (first, before ? other : more);
  return first;
}

GstCaps *
seg_caps_enter_tiled (GstCaps *caps, const char *const *tiled)
{
  GstCaps *other = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps) && seg_drm_is_known (); i++)
    if (is_host (gst_caps_get_features (caps, i)))
      append (
          other, to_tiled (gst_structure_copy (gst_caps_get_structure (caps, i)), tiled));
  gst_caps_unref (caps);
  return other;
}

static gboolean
has_no_drm (GstCapsFeatures *features, GstStructure *s, gpointer data)
{
  return !is_dmabuf (features) || !is_drm (s);
}

GstCaps *
seg_caps_without_drm (GstCaps *caps)
{
  caps = gst_caps_make_writable (caps);
  gst_caps_filter_and_map_in_place (caps, has_no_drm, NULL);
  return caps;
}
