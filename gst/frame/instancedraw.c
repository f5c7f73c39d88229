/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/instancedraw.h"

#include "frame/text.h"
#include "shaders.h"

#include <string.h>

#define MIN_LABEL_PX 12
#define MAX_LABEL_PX 48
#define MAX_ATLAS    (32 << 20) /* bytes */
/* As in shaders/lib/draws.glsl. */
#define DRAW_BYTES        (5 * 16)
#define TILE_WIDTH        32
#define TILE_HEIGHT       8
#define TILE_HEADER_BYTES 16
#define TILE_BYTES        (2 * 4 + 3 * 32) /* in two lists, and its bits */

static guint64
count_tiles (guint width, guint height)
{
  return (seg_map_stride (width) + TILE_WIDTH - 1) / TILE_WIDTH
         * ((height + TILE_HEIGHT - 1) / TILE_HEIGHT);
}

void
seg_drawing_sizes (SegDrawingMemory *memory, guint width, guint height)
{
  gsize map = seg_map_stride (width) * height;
  memory->map.n_bytes = memory->matte.n_bytes = map;
  memory->ink.n_bytes = 2 * map;
  memory->draws.n_bytes = 16 + SEG_MAX_DRAWN * DRAW_BYTES;
  memory->colors.n_bytes = sizeof (SegColorTable);
  memory->tiles.n_bytes =
      (TILE_HEADER_BYTES + count_tiles (width, height) * TILE_BYTES + 15) & ~(gsize) 15;
}

/* --- the atlas ------------------------------------------------------------------------------------- */

/* Row 0 has what scores are made of, "0." and "1." and the digits, then comes a row for each class. */
typedef struct {
  SegText *dots[2], *digits[10];
  SegText **classes;
  guint n, height, width;
  guint dot_width, digit_width;
} Texts;

static void
texts_init (Texts *t, const char *const *texts, guint n, guint height, guint max_width)
{
  t->height = height;
  for (guint i = 0; i < 2; i++) {
    t->dots[i] = seg_text_new (i ? "1." : "0.", height, 4 * height);
    t->dot_width = MAX (t->dot_width, t->dots[i]->width);
  }
  for (guint i = 0; i < 10; i++) {
    const char digit[2] = { (char) ('0' + i), '\0' };
    t->digits[i] = seg_text_new (digit, height, 2 * height);
    t->digit_width = MAX (t->digit_width, t->digits[i]->width);
  }
  t->width = 2 * t->dot_width + 10 * t->digit_width;
  max_width = MAX (max_width, t->width);
  t->n = MIN (n, MAX_ATLAS / (height * max_width) - 1);
  t->classes = g_new0 (SegText *, t->n);
  for (guint i = 0; i < t->n; i++) {
    t->classes[i] = seg_text_new (texts[i], height, max_width);
    t->width = MAX (t->width, t->classes[i]->width);
  }
}

static void
texts_clear (Texts *t)
{
  for (guint i = 0; i < 2; i++)
    seg_text_free (t->dots[i]);
  for (guint i = 0; i < 10; i++)
    seg_text_free (t->digits[i]);
  for (guint i = 0; i < t->n; i++)
    seg_text_free (t->classes[i]);
  g_free (t->classes);
}

static void
copy_text (const Texts *t, guint8 *atlas, guint row, guint x, const SegText *text)
{
  for (guint y = 0; y < t->height; y++)
    memcpy (atlas + ((gsize) row * t->height + y) * t->width + x,
        text->pixels + (gsize) y * text->stride, text->width);
}

static void
draw_atlas (const Texts *t, guint8 *atlas, guint32 *widths)
{
  for (guint i = 0; i < 2; i++)
    copy_text (t, atlas, 0, i * t->dot_width, t->dots[i]);
  for (guint i = 0; i < 10; i++)
    copy_text (t, atlas, 0, 2 * t->dot_width + i * t->digit_width, t->digits[i]);
  for (guint i = 0; i < t->n; i++) {
    copy_text (t, atlas, i + 1, 0, t->classes[i]);
    widths[i + 1] = t->classes[i]->width;
  }
}

/* The atlas and the widths of its rows; also where there is no text there is some memory. */
static gboolean
upload (SegDrawing *drawing, SegVk *vk, const Texts *t, gsize align, GError **error)
{
  guint rows = t->height > 0 ? t->n + 1 : 0;
  drawing->atlas.n_bytes = ((gsize) rows * t->height * t->width + 16) & ~(gsize) 15;
  drawing->widths.offset = (drawing->atlas.n_bytes + align - 1) & ~(align - 1);
  drawing->widths.n_bytes = (rows + 4) / 4 * 16;
  gsize total = drawing->widths.offset + drawing->widths.n_bytes;
  g_autofree guint8 *data = g_malloc0 (total);
  if (rows > 0)
    draw_atlas (t, data, (guint32 *) (gpointer) (data + drawing->widths.offset));
  drawing->memory = seg_buffer_new_filled (vk, data, total, error);
  drawing->atlas.buffer = drawing->widths.buffer = drawing->memory;
  return drawing->memory != NULL;
}

static void
fill_block (SegDrawingBlock *b, const SegFrame *frame, const Texts *t)
{
  b->frame[0] = (gint32) frame->width;
  b->frame[1] = (gint32) frame->height;
  b->frame[2] = (gint32) (seg_map_stride (frame->width) / 4);
  b->frame[3] = (gint32) MAX (2, (frame->height + 180) / 360);
  b->text[0] = (gint32) t->height;
  b->text[1] = (gint32) MAX (2, t->height / 4);
  b->text[2] = (gint32) t->dot_width;
  b->text[3] = (gint32) t->digit_width;
  b->atlas[0] = (gint32) t->width;
  b->atlas[1] = t->height > 0 ? (gint32) t->n + 1 : 0;
  b->atlas[2] = (gint32) t->n;
  b->atlas[3] = (gint32) seg_format_info (frame->format)->n_planes;
}

gboolean
seg_drawing_init (SegDrawing *drawing, SegVk *vk, SegParams *params,
    const SegFrame *frame, const char *const *texts, guint n, GError **error)
{
  Texts t = { .width = 1 };
  drawing->n_groups = seg_vk_info (vk)->type == SEG_DEVICE_CPU ? 64 : 1024;
  drawing->values = seg_params_add (
      params, sizeof *drawing->values, SEG_VIEW_UNIFORM, &drawing->block, error);
  if (drawing->values == NULL)
    return FALSE;
  drawing->colors = seg_params_add (
      params, sizeof *drawing->colors, SEG_VIEW_STORAGE_READ, &drawing->palette, error);
  if (drawing->colors == NULL)
    return FALSE;
  guint height = CLAMP (frame->height / 32, MIN_LABEL_PX, MAX_LABEL_PX);
  if (texts != NULL && frame->height >= 4 * height && frame->width >= 4 * height)
    texts_init (&t, texts, n, height, MIN (frame->width / 2, 16 * height));
  fill_block (drawing->values, frame, &t);
  gboolean ok = upload (drawing, vk, &t, params->align, error);
  texts_clear (&t);
  return ok;
}

void
seg_drawing_clear (SegDrawing *drawing)
{
  seg_buffer_free (&drawing->memory);
}

void
seg_drawing_set_colors (SegDrawing *drawing, const SegFrame *frame,
    const SegPalette *palette, double strength, gboolean by_instance)
{
  static const guint8 white[3] = { 255, 255, 255 }, black[3] = { 0, 0, 0 };
  SegDrawingBlock *b = drawing->values;
  memset (b->dark, 0, sizeof b->dark);
  for (guint i = 0; i < SEG_PALETTE_SIZE; i++) {
    const guint8 *c = palette->rgba[i];
    seg_color_table_set (drawing->colors, i, frame, c, strength * c[3] / 255.0);
    if (299 * c[0] + 587 * c[1] + 114 * c[2] > 140 * 1000)
      b->dark[i / 32] |= 1u << i % 32;
  }
  seg_color_table_set (drawing->colors, SEG_COLOR_TEXT, frame, white, 1.0);
  seg_color_table_set (drawing->colors, SEG_COLOR_DARK, frame, black, 1.0);
  b->choice[1] = by_instance;
}

/* --- dispatches -------------------------------------------------------------------------------------- */

/* What belongs to nothing, in all of the maps: shaders only write the tiles where something is. */
static gboolean
record_nothing (SegCmd *cmd, const SegDrawing *drawing, const SegDrawingMemory *m,
    gboolean inked, GError **error)
{
  guint32 none = (guint32) drawing->values->choice[0] * 0x01010101u;
  return seg_cmd_fill (cmd, m->map.buffer, m->map.offset, m->map.n_bytes, none, error)
         && seg_cmd_fill (
             cmd, m->matte.buffer, m->matte.offset, m->matte.n_bytes, 0, error)
         && seg_cmd_fill (
             cmd, m->ink.buffer, m->ink.offset, inked ? m->ink.n_bytes : 0, 0, error)
         && seg_cmd_fill (
             cmd, m->tiles.buffer, m->tiles.offset, TILE_HEADER_BYTES, 0, error);
}

typedef struct {
  SegCmd *cmd;
  const SegDrawing *drawing;
  const SegDrawingMemory *memory;
  const SegPiece *records, *masks;
  const SegDrawingParts *parts;
  guint32 boxes, labels;
} Recorder;

static gboolean
dispatch (const Recorder *r, const SegShader *shader, const guint32 *spec, guint n_spec,
    const SegBufferView *views, guint n_views, guint32 n_groups, GError **error)
{
  SegVkDispatch d = {
    .shader = shader,
    .spec = spec,
    .n_spec = n_spec,
    .views = views,
    .n_views = n_views,
    .groups = { n_groups, 1, 1 },
    .label = shader->name,
  };
  return seg_cmd_dispatch (r->cmd, &d, error);
}

static gboolean
record_tiles (const Recorder *r, GError **error)
{
  const SegDrawingMemory *m = r->memory;
  const SegDrawingBlock *b = r->drawing->values;
  guint32 spec[3] = { r->boxes, r->labels, (guint32) r->parts->filled };
  SegBufferView style[6] = { r->drawing->block,
    seg_piece_view (r->records, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&r->drawing->widths, SEG_VIEW_STORAGE_READ), r->drawing->palette,
    seg_piece_view (&m->draws, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&m->colors, SEG_VIEW_STORAGE_WRITE) };
  SegBufferView tiles[3] = { r->drawing->block,
    seg_piece_view (&m->draws, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->tiles, SEG_VIEW_STORAGE_READ_WRITE) };
  SegVkDispatch d = { .shader = &seg_shader_instance_tiles,
    .spec = spec,
    .n_spec = 3,
    .views = tiles,
    .n_views = 3,
    .label = "instance_tiles" };
  seg_groups_linear (count_tiles ((guint) b->frame[0], (guint) b->frame[1]), d.groups);
  return dispatch (r, &seg_shader_instance_style, NULL, 0, style, 6, 1, error)
         && seg_cmd_dispatch (r->cmd, &d, error);
}

static gboolean
record_map (const Recorder *r, GError **error)
{
  const SegDrawingMemory *m = r->memory;
  guint32 spec[2] = { (guint32) r->parts->classes, (guint32) r->parts->nearest };
  SegBufferView views[6] = { r->drawing->block,
    seg_piece_view (&m->draws, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->tiles, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (r->masks, SEG_VIEW_TEXEL_U8X1),
    seg_piece_view (&m->map, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&m->matte, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (
      r, &seg_shader_instance_map, spec, 2, views, 6, r->drawing->n_groups, error);
}

static gboolean
record_ink (const Recorder *r, GError **error)
{
  const SegDrawingMemory *m = r->memory;
  guint32 spec[2] = { r->boxes, r->labels };
  SegBufferView views[5] = { r->drawing->block,
    seg_piece_view (&m->draws, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->tiles, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&r->drawing->atlas, SEG_VIEW_TEXEL_U8X1),
    seg_piece_view (&m->ink, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (
      r, &seg_shader_instance_ink, spec, 2, views, 5, r->drawing->n_groups, error);
}

gboolean
seg_drawing_record (SegCmd *cmd, const SegDrawing *drawing,
    const SegDrawingMemory *memory, const SegPiece *records, const SegPiece *masks,
    const SegDrawingParts *parts, GError **error)
{
  Recorder r = { cmd, drawing, memory, records, masks, parts, parts->boxes,
    parts->labels && drawing->values->atlas[1] > 0 };
  gboolean inked = parts->boxes || parts->labels;
  return record_nothing (cmd, drawing, memory, inked, error) && record_tiles (&r, error)
         && (!parts->masks || record_map (&r, error))
         && (!inked || record_ink (&r, error));
}
