/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/legend.h"

#include "frame/text.h"
#include "shaders.h"

#include <string.h>

#define MIN_ROW_PX 14
#define MAX_ROW_PX 64
#define ROWS_BYTES ((1 + 2 * 256) * sizeof (guint32))

/* Rows are as high as is read well; narrow frames get short texts, small ones nothing. */
static void
measure (SegLegendBlock *b, guint frame_width, guint frame_height)
{
  gint32 row = (gint32) CLAMP (frame_height / 26, MIN_ROW_PX, MAX_ROW_PX);
  gint32 margin = row / 3, room = (gint32) frame_height - 4 * margin;
  b->box[0] = b->box[1] = margin;
  b->box[3] = row;
  b->parts[0] = margin;
  b->parts[1] = row - MAX (2, row / 5);
  b->parts[2] = margin + b->parts[1] + margin;
  b->limit[0] = CLAMP (room / row, 0, SEG_LEGEND_MAX_ROWS);
  b->parts[3] = (gint32) frame_width * 2 / 3 - b->parts[2] - 2 * margin;
}

static void
copy_text (guint8 *atlas, gsize atlas_width, const SegText *text)
{
  for (guint y = 0; y < text->height; y++)
    memcpy (
        atlas + y * atlas_width, text->pixels + (gsize) y * text->stride, text->width);
}

/* The atlas, and its width in b; NULL when there is no room for one. */
static guint8 *
draw_atlas (SegLegendBlock *b, const char *const *texts, guint n, gsize *n_bytes)
{
  guint row = (guint) b->box[3], widest = 1, n_texts = 0;
  for (guint i = 0; i < n; i++)
    n_texts += texts[i] != NULL;
  b->limit[0] = MIN (b->limit[0], (gint32) n_texts);
  if (b->limit[0] < 1 || b->parts[3] < (gint32) row)
    return NULL;
  g_autofree SegText **drawn = g_new0 (SegText *, n);
  for (guint i = 0; i < n; i++)
    if (texts[i] != NULL) {
      drawn[i] = seg_text_new (texts[i], row, (guint) b->parts[3]);
      widest = MAX (widest, drawn[i]->width);
    }
  *n_bytes = (gsize) n * row * widest;
  guint8 *atlas = g_malloc0 (*n_bytes);
  for (guint i = 0; i < n; i++) {
    if (drawn[i] != NULL)
      copy_text (atlas + (gsize) i * row * widest, widest, drawn[i]);
    seg_text_free (drawn[i]);
  }
  b->parts[3] = (gint32) widest;
  b->box[2] = b->parts[2] + (gint32) widest + b->parts[0];
  b->limit[1] = (gint32) n;
  b->limit[2] = b->limit[0] * b->box[3] + b->parts[0];
  return atlas;
}

/* No row is shown yet, all texts are there. */
static gboolean
upload (SegLegend *legend, SegVk *vk, const guint8 *atlas, gsize n_bytes, GError **error)
{
  gsize total = legend->atlas.offset + legend->atlas.n_bytes;
  g_autofree guint8 *data = g_malloc0 (total);
  if (atlas != NULL)
    memcpy (data + legend->atlas.offset, atlas, n_bytes);
  legend->memory = seg_buffer_new_filled (vk, data, total, error);
  legend->rows.buffer = legend->atlas.buffer = legend->memory;
  return legend->memory != NULL;
}

gboolean
seg_legend_init (SegLegend *legend, SegVk *vk, SegParams *params,
    const char *const *texts, guint n, guint frame_width, guint frame_height,
    GError **error)
{
  gsize align = params->align, n_bytes = 16;
  SegLegendBlock *b =
      seg_params_add (params, sizeof *b, SEG_VIEW_UNIFORM, &legend->block, error);
  if (b == NULL)
    return FALSE;
  legend->values = b;
  measure (b, frame_width, frame_height);
  g_autofree guint8 *atlas = draw_atlas (b, texts, n, &n_bytes);
  legend->rows.n_bytes = ROWS_BYTES;
  legend->atlas.n_bytes = (n_bytes + 15) & ~(gsize) 15;
  legend->atlas.offset = (ROWS_BYTES + align - 1) & ~(align - 1);
  return upload (legend, vk, atlas, n_bytes, error);
}

void
seg_legend_clear (SegLegend *legend)
{
  seg_buffer_free (&legend->memory);
}

gboolean
seg_legend_record (SegCmd *cmd, const SegLegend *legend, const SegDecodeMemory *memory,
    const SegBufferView *decode, const SegBufferView *style, GError **error)
{
  SegBufferView views[5] = { *decode, *style, legend->block,
    seg_piece_view (&memory->counts, SEG_VIEW_STORAGE_READ),
    seg_piece_view (&legend->rows, SEG_VIEW_STORAGE_READ_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_legend,
    .views = views,
    .n_views = 5,
    .groups = { 1, 1, 1 },
    .label = "legend",
  };
  return seg_cmd_dispatch (cmd, &d, error);
}
