/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/compose.h"

#include "shaders.h"

/* Uniform block `Plane` of shaders/compose.comp. */
typedef struct {
  gint32 place[4];
  gint32 size[4];
} PlaneBlock;

void
seg_class_color (
    SegClassColor *out, const SegFrame *frame, const guint8 rgb[3], float strength)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  double c[3] = { rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0 };
  guint8 bytes[3];
  seg_color_from_rgb (&frame->color, info->kind, c, bytes);
  *out = (SegClassColor){ .strength = strength };
  for (guint k = 0; k < info->n_components; k++) {
    const SegComponent *component = &info->components[k];
    /* Luma of the second pixel of a pair is a byte of the sample as well. */
    for (guint at = component->offset; at < info->planes[component->plane].bytes;
         at += component->step)
      out->planes[component->plane] |= (guint32) bytes[k] << (8 * at);
  }
}

static gboolean
record_plane (SegCmd *cmd, SegParams *params, const SegComposeInput *input,
    const SegFrameSource *source, const SegPiece *target, guint plane, GError **error)
{
  const SegFrame *frame = &source->frame;
  const SegFormatInfo *info = seg_format_info (frame->format);
  const SegPlaneInfo *p = &info->planes[plane];
  SegBufferView view;
  PlaneBlock *b = seg_params_add (params, sizeof *b, SEG_VIEW_UNIFORM, &view, error);
  if (b == NULL)
    return FALSE;
  b->place[0] = b->place[2] = (gint32) (frame->offset[plane] / 4);
  b->place[1] = b->place[3] = (gint32) (frame->stride[plane] / 4);
  b->size[0] = (gint32) (frame->stride[plane] / (4 * p->bytes));
  b->size[1] = (gint32) seg_frame_n_rows (frame, plane);

  guint32 pair = frame->format == SEG_FORMAT_YUY2   ? 1
                 : frame->format == SEG_FORMAT_UYVY ? 2
                                                    : 0;
  guint32 changed = info->kind == SEG_COLOR_RGB ? 3 : p->bytes;
  guint32 spec[7] = { p->bytes, p->hsub, p->vsub, plane, pair, input->soft, changed };
  const SegPiece *mattes = input->soft ? &input->memory->matte : &input->memory->map;
  const SegLegend *legend = input->legend;
  SegBufferView views[11] = { input->style, input->decode, view, source->views[2],
    seg_piece_view (&input->memory->map, SEG_VIEW_TEXEL_U8X4),
    seg_piece_view (mattes, SEG_VIEW_TEXEL_U8X4), input->colors,
    seg_piece_view (target, SEG_VIEW_STORAGE_WRITE), legend->block,
    seg_piece_view (&legend->rows, SEG_VIEW_STORAGE_READ),
    seg_piece_view (&legend->atlas, SEG_VIEW_TEXEL_U8X1) };
  SegVkDispatch d = {
    .shader = &seg_shader_compose,
    .spec = spec,
    .n_spec = 7,
    .views = views,
    .n_views = 11,
    .label = "compose",
  };
  seg_groups_linear ((guint64) b->size[0] * (guint64) b->size[1], d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}

gboolean
seg_compose_record (SegCmd *cmd, SegParams *params, const SegComposeInput *input,
    const SegFrameSource *source, SegBuffer *target, gsize target_offset, GError **error)
{
  const SegFrame *frame = &source->frame;
  SegPiece piece = { target, target_offset, (frame->n_bytes + 3) & ~(gsize) 3 };
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++)
    if (!record_plane (cmd, params, input, source, &piece, p, error))
      return FALSE;
  return TRUE;
}

gboolean
seg_cutout_record (SegCmd *cmd, const SegComposeInput *input,
    const SegFrameSource *source, const SegFrame *result, const SegPiece *target,
    GError **error)
{
  guint32 spec[2] = { source->kind, result->format == SEG_FORMAT_BGRA };
  SegBufferView views[7] = { source->views[0], source->views[1], source->views[2],
    input->decode, input->style,
    seg_piece_view (&input->memory->matte, SEG_VIEW_TEXEL_U8X4),
    seg_piece_view (target, SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_cutout,
    .spec = spec,
    .n_spec = 2,
    .views = views,
    .n_views = 7,
    .label = "cutout",
  };
  seg_groups_linear ((guint64) result->stride[0] / 16 * result->height, d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}
