/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/params.h"

#include <string.h>

#define PARAMS_BYTES (64 * 1024)

gboolean
seg_params_init (SegParams *params, SegVk *vk, GError **error)
{
  params->used_bytes = 0;
  params->align = MAX (16, seg_vk_info (vk)->buffer_align);
  params->buffer = seg_buffer_new (vk, PARAMS_BYTES, SEG_BUFFER_UPLOAD, error);
  return params->buffer != NULL;
}

void
seg_params_clear (SegParams *params)
{
  seg_buffer_free (&params->buffer);
}

gpointer
seg_params_add (SegParams *params, gsize n_bytes, SegViewKind kind, SegBufferView *view,
    GError **error)
{
  gsize offset = (params->used_bytes + params->align - 1) & ~(params->align - 1);
  if (offset + n_bytes > PARAMS_BYTES) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
        "parameters of the frame shaders take more "
        "than %d bytes",
        PARAMS_BYTES);
    return NULL;
  }
  params->used_bytes = offset + n_bytes;
  *view = (SegBufferView){ params->buffer, offset, n_bytes, kind };
  guint8 *data = (guint8 *) seg_buffer_map (params->buffer) + offset;
  memset (data, 0, n_bytes);
  return data;
}

/* The shader sees RGB of 4-byte pixels as bytes 0..2, whatever they are called. */
static void
matrix_for_bytes (
    const SegFormatInfo *info, const double m[3][4], gboolean packed, float out[3][4])
{
  for (guint c = 0; c < 3; c++) {
    out[c][3] = (float) m[c][3];
    for (guint k = 0; k < 3; k++)
      out[c][packed ? info->components[k].offset : k] = (float) m[c][k];
  }
}

static guint32
source_kind (const SegFrame *frame, gsize offset)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  if (info->kind == SEG_COLOR_GRAY)
    return SEG_KIND_GRAY;
  if (info->kind == SEG_COLOR_YUV)
    return SEG_KIND_YUV;
  gboolean words = info->planes[0].bytes == 4 && (frame->offset[0] + offset) % 4 == 0
                   && frame->stride[0] % 4 == 0;
  return words ? SEG_KIND_PACKED4 : SEG_KIND_RGB;
}

static void
fill_components (SegFrameBlock *block, const SegFrame *frame, const SegFormatInfo *info)
{
  for (guint c = 0; c < info->n_components; c++) {
    const SegComponent *k = &info->components[c];
    block->component[c][0] = (gint32) (frame->offset[k->plane] + k->offset);
    block->component[c][1] = (gint32) frame->stride[k->plane];
    block->component[c][2] = (gint32) k->step;
    block->component[c][3] = (gint32) (k->hsub | k->vsub << 8);
  }
}

gboolean
seg_frame_source_init (SegFrameSource *source, SegParams *params, const SegFrame *frame,
    SegBuffer *buffer, gsize offset, GError **error)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  SegFrameBlock *block =
      seg_params_add (params, sizeof *block, SEG_VIEW_UNIFORM, &source->views[0], error);
  if (block == NULL)
    return FALSE;

  source->frame = *frame;
  source->kind = source_kind (frame, offset);
  gboolean packed = source->kind == SEG_KIND_PACKED4;
  fill_components (block, frame, info);
  if (packed)
    block->component[0][0] = (gint32) frame->offset[0];
  block->size[0] = (gint32) frame->width;
  block->size[1] = (gint32) frame->height;
  const SegComponent *chroma = &info->components[1];
  block->chroma[0] = chroma->hsub ? (float) (0.25 + frame->color.chroma_x / 2) : 0.5f;
  block->chroma[1] = chroma->vsub ? (float) (0.25 + frame->color.chroma_y / 2) : 0.5f;
  double m[3][4];
  seg_color_to_rgb (&frame->color, info->kind, m);
  matrix_for_bytes (info, m, packed, block->matrix);

  gsize n_words = (frame->n_bytes + 3) & ~(gsize) 3;
  source->views[1] =
      (SegBufferView){ buffer, offset, frame->n_bytes, SEG_VIEW_TEXEL_U8X1 };
  source->views[2] = (SegBufferView){ buffer, offset, n_words, SEG_VIEW_TEXEL_U8X4 };
  return TRUE;
}

static gboolean
upload (SegVk *vk, SegBuffer *from, SegBuffer *to, gsize n_bytes, GError **error)
{
  SegCmd *cmd = seg_cmd_new (vk, FALSE, error);
  gboolean ok = cmd != NULL && seg_cmd_begin (cmd, error)
                && seg_cmd_copy (cmd, from, 0, to, 0, n_bytes, error)
                && seg_cmd_end (cmd, error) && seg_cmd_run (cmd, error);
  seg_cmd_free (&cmd);
  return ok;
}

SegBuffer *
seg_buffer_new_filled (SegVk *vk, gconstpointer data, gsize n_bytes, GError **error)
{
  SegBuffer *buffer = seg_buffer_new (vk, n_bytes, SEG_BUFFER_DEVICE, error);
  if (buffer == NULL)
    return NULL;
  SegBuffer *staging = seg_buffer_new (vk, n_bytes, SEG_BUFFER_UPLOAD, error);
  if (staging != NULL)
    memcpy (seg_buffer_map (staging), data, n_bytes);
  if (staging == NULL || !upload (vk, staging, buffer, n_bytes, error))
    seg_buffer_free (&buffer);
  seg_buffer_free (&staging);
  return buffer;
}

void
seg_groups_linear (guint64 n, guint32 groups[3])
{
  guint64 n_groups = (n + 63) / 64;
  groups[0] = (guint32) MIN (n_groups, 32768);
  groups[1] = (guint32) ((n_groups + groups[0] - 1) / MAX (groups[0], 1));
  groups[2] = 1;
}
