/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/palette.h"

#include <stdio.h>
#include <string.h>

/* 0xrrggbb, as the data sets' own tools colour them. */
static const guint32 cityscapes[] = {
  0x804080,
  0xf423e8,
  0x464646,
  0x66669c,
  0xbe9999,
  0x999999,
  0xfaaa1e,
  0xdcdc00,
  0x6b8e23,
  0x98fb98,
  0x4682b4,
  0xdc143c,
  0xff0000,
  0x00008e,
  0x000046,
  0x003c64,
  0x005064,
  0x0000e6,
  0x770b20,
};

static const guint32 ade20k[] = {
  0x787878,
  0xb47878,
  0x06e6e6,
  0x503232,
  0x04c803,
  0x787850,
  0x8c8c8c,
  0xcc05ff,
  0xe6e6e6,
  0x04fa07,
  0xe005ff,
  0xebff07,
  0x96053d,
  0x787846,
  0x08ff33,
  0xff0652,
  0x8fff8c,
  0xccff04,
  0xff3307,
  0xcc4603,
  0x0066c8,
  0x3de6fa,
  0xff0633,
  0x0b66ff,
  0xff0747,
  0xff09e0,
  0x0907e6,
  0xdcdcdc,
  0xff095c,
  0x7009ff,
  0x08ffd6,
  0x07ffe0,
  0xffb806,
  0x0aff47,
  0xff290a,
  0x07ffff,
  0xe0ff08,
  0x6608ff,
  0xff3d06,
  0xffc207,
  0xff7a08,
  0x00ff14,
  0xff0829,
  0xff0599,
  0x0633ff,
  0xeb0cff,
  0xa09614,
  0x00a3ff,
  0x8c8c8c,
  0xfa0a0f,
  0x14ff00,
  0x1fff00,
  0xff1f00,
  0xffe000,
  0x99ff00,
  0x0000ff,
  0xff4700,
  0x00ebff,
  0x00adff,
  0x1f00ff,
  0x0bc8c8,
  0xff5200,
  0x00fff5,
  0x003dff,
  0x00ff70,
  0x00ff85,
  0xff0000,
  0xffa300,
  0xff6600,
  0xc2ff00,
  0x008fff,
  0x33ff00,
  0x0052ff,
  0x00ff29,
  0x00ffad,
  0x0a00ff,
  0xadff00,
  0x00ff99,
  0xff5c00,
  0xff00ff,
  0xff00f5,
  0xff0066,
  0xffad00,
  0xff0014,
  0xffb8b8,
  0x001fff,
  0x00ff3d,
  0x0047ff,
  0xff00cc,
  0x00ffc2,
  0x00ff52,
  0x000aff,
  0x0070ff,
  0x3300ff,
  0x00c2ff,
  0x007aff,
  0x00ffa3,
  0xff9900,
  0x00ff0a,
  0xff7000,
  0x8fff00,
  0x5200ff,
  0xa3ff00,
  0xffeb00,
  0x08b8aa,
  0x8500ff,
  0x00ff5c,
  0xb800ff,
  0xff001f,
  0x00b8ff,
  0x00d6ff,
  0xff0070,
  0x5cff00,
  0x00e0ff,
  0x70e0ff,
  0x46b8a0,
  0xa300ff,
  0x9900ff,
  0x47ff00,
  0xff00a3,
  0xffcc00,
  0xff008f,
  0x00ffeb,
  0x85ff00,
  0xff00eb,
  0xf500ff,
  0xff007a,
  0xfff500,
  0x0abed4,
  0xd6ff00,
  0x00ccff,
  0x1400ff,
  0xffff00,
  0x0099ff,
  0x0029ff,
  0x00ffcc,
  0x2900ff,
  0x29ff00,
  0xad00ff,
  0x00f5ff,
  0x4700ff,
  0x7a00ff,
  0x00ffb8,
  0x005cff,
  0xb8ff00,
  0x0085ff,
  0xffd600,
  0x19c2c2,
  0x66ff00,
  0x5c00ff,
};

static const guint32 coco[] = {
  0xdc143c,
  0x770b20,
  0x00008e,
  0x0000e6,
  0x6a00e4,
  0x003c64,
  0x005064,
  0x000046,
  0x0000c0,
  0xfaaa1e,
  0x64aa1e,
  0xdcdc00,
  0xaf74af,
  0xfa001e,
  0xa52a2a,
  0xff4dff,
  0x00e2fc,
  0xb6b6ff,
  0x005200,
  0x78a69d,
  0x6e4c00,
  0xae39ff,
  0xc76400,
  0x480076,
  0xffb3f0,
  0x007d5c,
  0xd10097,
  0xbcd0b6,
  0x00dcb0,
  0xff63a4,
  0x5c0049,
  0x8581ff,
  0x4eb4ff,
  0x00e400,
  0xaefff3,
  0x2d59ff,
  0x868667,
  0x9194ae,
  0xffd0ba,
  0xc5e2ff,
  0xab8601,
  0x6d3f36,
  0xcf8aff,
  0x97005f,
  0x09503d,
  0x546933,
  0x4a4169,
  0xa6c466,
  0xd0c3d2,
  0xff6d41,
  0x008f95,
  0xb300c2,
  0xd1636a,
  0x057900,
  0xe3ffcd,
  0x93bad0,
  0x994501,
  0x035fa1,
  0xa3ff00,
  0x7700aa,
  0x00b6c7,
  0x00a578,
  0xb78258,
  0x5f2000,
  0x827287,
  0x6e8185,
  0xa64a76,
  0xdb8eb9,
  0x4fd272,
  0xb25a3e,
  0x41460f,
  0x7fa773,
  0x3b696a,
  0x8e6c2d,
  0xc4ac00,
  0x5f3650,
  0x804cff,
  0xc93901,
  0xf6007a,
  0xbfa2d0,
};

/* Stands out against most rooms and most skins. */
static const guint32 person[] = { 0x00c8a0 };

static const struct {
  const char *name;
  const guint32 *colors;
  guint n;
  gboolean objects; /* no colour for a background */
} tables[] = {
  { "cityscapes", cityscapes, G_N_ELEMENTS (cityscapes), FALSE },
  { "ade20k", ade20k, G_N_ELEMENTS (ade20k), FALSE },
  { "coco", coco, G_N_ELEMENTS (coco), TRUE },
  { "person", person, G_N_ELEMENTS (person), TRUE },
};

/* The PASCAL VOC colour map: the class number's bits, dealt out to R, G and B from the top. */
static guint32
voc_color (guint i)
{
  guint32 rgb[3] = { 0, 0, 0 };
  for (guint bit = 0; bit < 8; bit++, i >>= 3)
    for (guint c = 0; c < 3; c++)
      rgb[c] |= (i >> c & 1) << (7 - bit);
  return rgb[0] << 16 | rgb[1] << 8 | rgb[2];
}

static void
set_color (SegPalette *palette, guint i, guint32 rgb, guint8 opacity)
{
  palette->rgba[i][0] = (guint8) (rgb >> 16);
  palette->rgba[i][1] = (guint8) (rgb >> 8);
  palette->rgba[i][2] = (guint8) rgb;
  palette->rgba[i][3] = opacity;
}

static gboolean
load_table (SegPalette *palette, const char *name, int background)
{
  for (guint t = 0; t < G_N_ELEMENTS (tables); t++)
    if (g_ascii_strcasecmp (name, tables[t].name) == 0) {
      guint first = tables[t].objects && background == 0 ? 1 : 0;
      for (guint i = 0; i < tables[t].n; i++)
        set_color (palette, first + i, tables[t].colors[i], 255);
      return TRUE;
    }
  return g_ascii_strcasecmp (name, "voc") == 0;
}

static gboolean
parse_hex (SegPalette *palette, guint i, const char *text)
{
  gsize n = strspn (text, "0123456789abcdefABCDEF");
  if (text[n] != '\0' || (n != 6 && n != 8))
    return FALSE;
  guint64 v = g_ascii_strtoull (text, NULL, 16);
  set_color (palette, i, (guint32) (n == 8 ? v >> 8 : v), n == 8 ? (guint8) v : 255);
  return TRUE;
}

/* `#rrggbb`, `#rrggbbaa` or `r g b [a]`; GIMP palettes have a name after the numbers. */
static gboolean
parse_color (SegPalette *palette, guint i, const char *text, gboolean names_follow)
{
  if (text[0] == '#')
    return parse_hex (palette, i, text + 1);
  guint v[4] = { 0, 0, 0, 255 };
  int end = 0, n = 0;
  if (sscanf (text, "%3u %3u %3u%n", &v[0], &v[1], &v[2], &end) != 3)
    return FALSE;
  const char *rest = text + end;
  if (!names_follow && *rest != '\0'
      && (sscanf (rest, " %3u%n", &v[3], &n) != 1 || rest[n] != '\0'))
    return FALSE;
  if (v[0] > 255 || v[1] > 255 || v[2] > 255 || v[3] > 255)
    return FALSE;
  set_color (palette, i, v[0] << 16 | v[1] << 8 | v[2], (guint8) v[3]);
  return TRUE;
}

static gboolean
is_gimp_header (const char *line)
{
  return g_str_has_prefix (line, "Name:") || g_str_has_prefix (line, "Columns:");
}

static gboolean
load_lines (SegPalette *palette, const char *file, char **lines, GError **error)
{
  gboolean gimp = lines[0] != NULL && g_str_has_prefix (lines[0], "GIMP Palette");
  guint n = 0;
  for (guint i = gimp ? 1 : 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);
    gboolean comment =
        line[0] == '#' && (gimp || g_ascii_isspace (line[1]) || line[1] == '\0');
    if (line[0] == '\0' || comment || (gimp && is_gimp_header (line)))
      continue;
    if (n == SEG_PALETTE_SIZE)
      break;
    if (!parse_color (palette, n++, line, gimp)) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "%s, line %u: not a colour: write #rrggbb or three numbers from 0 to 255", file,
          i + 1);
      return FALSE;
    }
  }
  if (n == 0)
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s: no colour in it", file);
  return n > 0;
}

static gboolean
load_file (SegPalette *palette, const char *name, const char *dir, GError **error)
{
  g_autofree char *path = dir != NULL && !g_path_is_absolute (name)
                              ? g_build_filename (dir, name, NULL)
                              : g_strdup (name);
  g_autofree char *text = NULL;
  g_autoptr (GError) cause = NULL;
  if (!g_file_get_contents (path, &text, NULL, &cause)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
        "palette '%s' is none of voc, cityscapes, "
        "ade20k, coco, person, and no file: %s",
        name, cause->message);
    return FALSE;
  }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  return load_lines (palette, path, lines, error);
}

static gboolean
load_list (SegPalette *palette, const char *list, GError **error)
{
  g_auto (GStrv) items = g_strsplit (list, ",", SEG_PALETTE_SIZE);
  for (guint i = 0; items[i] != NULL; i++)
    if (!parse_color (palette, i, g_strstrip (items[i]), FALSE)) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "palette: '%s' is not a colour: write #rrggbb", items[i]);
      return FALSE;
    }
  return TRUE;
}

gboolean
seg_palette_load (SegPalette *palette, const char *name, const char *dir, int background,
    GError **error)
{
  for (guint i = 0; i < SEG_PALETTE_SIZE; i++)
    set_color (palette, i, voc_color (background == 0 ? i : i + 1), 255);
  if (load_table (palette, name, background))
    return TRUE;
  if (name[0] == '#')
    return load_list (palette, name, error);
  return load_file (palette, name, dir, error);
}
