/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/instancedraw.h"

#include "frame/text.h"
#include "shaders.h"

#include <string.h>

#define MIN_LABEL_PX 12
#define MAX_LABEL_PX 48
#define MAX_ATLAS    (32 << 20) /* bytes */
#define DRAW_BYTES   (6 * 16)   /* DRAW_WORDS of shaders/lib/draws.glsl */

void
seg_drawing_sizes (SegDrawingMemory *memory, guint width, guint height)
{
  gsize map = seg_map_stride (width) * height;
  memory->map.n_bytes = memory->matte.n_bytes = map;
  memory->ink.n_bytes = 2 * map;
  memory->draws.n_bytes = 16 + SEG_MAX_DRAWN * DRAW_BYTES;
  memory->colors.n_bytes = sizeof (SegColorTable);
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

gboolean
seg_drawing_record (SegCmd *cmd, const SegDrawing *drawing,
    const SegDrawingMemory *memory, const SegPiece *records, const SegPiece *masks,
    const SegDrawingParts *parts, GError **error)
{
  const SegDrawingBlock *b = drawing->values;
  gboolean labels = parts->labels && b->atlas[1] > 0;
  guint32 spec[6] = { (guint32) parts->classes, (guint32) parts->masks,
    (guint32) parts->boxes, (guint32) labels, (guint32) parts->filled,
    (guint32) parts->nearest };
  SegBufferView style[6] = { drawing->block,
    seg_piece_view (records, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&drawing->widths, SEG_VIEW_STORAGE_READ), drawing->palette,
    seg_piece_view (&memory->draws, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&memory->colors, SEG_VIEW_STORAGE_WRITE) };
  SegBufferView map[7] = { drawing->block,
    seg_piece_view (&memory->draws, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (masks, SEG_VIEW_TEXEL_U8X1),
    seg_piece_view (&drawing->atlas, SEG_VIEW_TEXEL_U8X1),
    seg_piece_view (&memory->map, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&memory->matte, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&memory->ink, SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d[2] = { { .shader = &seg_shader_instance_style,
                             .views = style,
                             .n_views = 6,
                             .groups = { 1, 1, 1 },
                             .label = "instance_style" },
    { .shader = &seg_shader_instance_map,
        .spec = spec,
        .n_spec = 6,
        .views = map,
        .n_views = 7,
        .label = "instance_map" } };
  seg_groups_linear ((guint64) b->frame[2] * (guint64) b->frame[1], d[1].groups);
  return seg_cmd_dispatch (cmd, &d[0], error) && seg_cmd_dispatch (cmd, &d[1], error);
}
