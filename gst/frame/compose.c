/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/compose.h"

#include "shaders.h"

#include <string.h>

/* Uniform block `Plane` of shaders/lib/sample.glsl. */
typedef struct {
  gint32 place[4];
  gint32 size[4];
} PlaneBlock;

/* Specialisation constants of lib/sample.glsl. */
enum { SPEC_BYTES, SPEC_HSUB, SPEC_VSUB, SPEC_PAIR, SPEC_CHANGED };

static gboolean
is_pair (const SegFrame *frame)
{
  return frame->format == SEG_FORMAT_YUY2 || frame->format == SEG_FORMAT_UYVY;
}

guint32
seg_compose_pair (const SegFrame *frame)
{
  if (seg_format_info (frame->format)->wide)
    return SEG_PAIR_WIDE;
  return !is_pair (frame) ? 0 : frame->format == SEG_FORMAT_YUY2 ? 1 : 2;
}

guint32
seg_compose_changed (const SegFrame *frame, guint plane)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  return info->kind == SEG_COLOR_RGB ? 3 : info->planes[plane].bytes;
}

void
seg_color_table_set (SegColorTable *table, guint i, const SegFrame *frame,
    const guint8 rgb[3], double strength)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  double c[3] = { rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0 };
  guint8 bytes[3];
  seg_color_from_rgb (&frame->color, info->kind, c, bytes);
  for (guint k = 0; k < info->n_components; k++) {
    const SegComponent *component = &info->components[k];
    guint at = is_pair (frame) ? k
               : info->wide    ? component->offset / 2
                               : component->offset;
    table->planes[component->plane][i][at] = bytes[k];
  }
  for (guint p = 0; p < info->n_planes; p++)
    table->planes[p][i][3] = (guint8) (strength * 255.0 + 0.5);
}

gboolean
seg_drawn_plane_init (SegDrawnPlane *plane, SegParams *params, const SegFrame *frame,
    guint index, GError **error)
{
  const SegPlaneInfo *p = &seg_format_info (frame->format)->planes[index];
  PlaneBlock *b =
      seg_params_add (params, sizeof *b, SEG_VIEW_UNIFORM, &plane->block, error);
  if (b == NULL)
    return FALSE;
  b->place[0] = b->place[2] = (gint32) (frame->offset[index] / 4);
  b->place[1] = b->place[3] = (gint32) (frame->stride[index] / 4);
  b->size[0] = (gint32) (frame->stride[index] / (4 * p->bytes));
  b->size[1] = (gint32) seg_frame_n_rows (frame, index);
  plane->n_groups = (guint64) b->size[0] * (guint64) b->size[1];
  plane->spec[SPEC_BYTES] = p->bytes;
  plane->spec[SPEC_HSUB] = p->hsub;
  plane->spec[SPEC_VSUB] = p->vsub;
  plane->spec[SPEC_PAIR] = seg_compose_pair (frame);
  plane->spec[SPEC_CHANGED] = seg_compose_changed (frame, index);
  return TRUE;
}

/* A plane of the frame, and what is drawn into it. */
typedef struct {
  SegCmd *cmd;
  const SegComposeInput *input;
  const SegFrameSource *source;
  const SegPiece *target;
  SegDrawnPlane drawn;
  SegBufferView colors;
} Plane;

static gboolean
plane_init (Plane *plane, SegParams *params, guint index, GError **error)
{
  plane->colors = plane->input->colors;
  plane->colors.offset += index * sizeof (guint8[SEG_N_COLORS][4]);
  plane->colors.n_bytes = sizeof (guint8[SEG_N_COLORS][4]);
  return seg_drawn_plane_init (
      &plane->drawn, params, &plane->source->frame, index, error);
}

static gboolean
record_classes (Plane *plane, GError **error)
{
  const SegComposeInput *input = plane->input;
  const SegPiece *mattes = input->soft ? &input->memory->matte : &input->memory->map;
  const SegPiece *ink = input->ink != NULL ? input->ink : &input->memory->map;
  SegBufferView views[9] = { input->style, input->decode, plane->drawn.block,
    plane->source->views[2], seg_piece_view (&input->memory->map, SEG_VIEW_TEXEL_U8X4),
    seg_piece_view (mattes, SEG_VIEW_TEXEL_U8X4), plane->colors,
    seg_piece_view (plane->target, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (ink, SEG_VIEW_TEXEL_U16X4) };
  guint32 spec[SEG_N_PLANE_SPECS + 3];
  memcpy (spec, plane->drawn.spec, sizeof plane->drawn.spec);
  spec[SEG_N_PLANE_SPECS] = (guint32) input->soft;
  spec[SEG_N_PLANE_SPECS + 1] = (guint32) input->contours;
  spec[SEG_N_PLANE_SPECS + 2] = input->ink != NULL;
  SegVkDispatch d = {
    .shader = &seg_shader_compose,
    .spec = spec,
    .n_spec = SEG_N_PLANE_SPECS + 3,
    .views = views,
    .n_views = 9,
    .label = "compose",
  };
  seg_groups_linear (plane->drawn.n_groups, d.groups);
  return seg_cmd_dispatch (plane->cmd, &d, error);
}

static gboolean
record_legend (Plane *plane, GError **error)
{
  const SegLegend *legend = plane->input->legend;
  const SegLegendBlock *b = legend->values;
  if (b->box[2] == 0)
    return TRUE;
  SegBufferView views[6] = { legend->block,
    seg_piece_view (&legend->rows, SEG_VIEW_STORAGE_READ_WRITE), plane->drawn.block,
    plane->colors, seg_piece_view (&legend->atlas, SEG_VIEW_TEXEL_U8X1),
    seg_piece_view (plane->target, SEG_VIEW_STORAGE_READ_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_legend_draw,
    .spec = plane->drawn.spec,
    .n_spec = SEG_N_PLANE_SPECS,
    .views = views,
    .n_views = 6,
    .label = "legend_draw",
  };
  gint32 wide = 4 << plane->drawn.spec[SPEC_HSUB];
  gint32 n = (b->box[0] + b->box[2] + wide - 1) / wide - b->box[0] / wide;
  gint32 rows = (b->limit[2] >> plane->drawn.spec[SPEC_VSUB]) + 1;
  seg_groups_linear ((guint64) n * (guint64) rows, d.groups);
  return seg_cmd_dispatch (plane->cmd, &d, error);
}

gboolean
seg_compose_legend_record (SegCmd *cmd, SegParams *params, const SegComposeInput *input,
    const SegFrameSource *source, const SegPiece *target, GError **error)
{
  if (input->legend == NULL)
    return TRUE;
  if (!seg_legend_record (
          cmd, input->legend, input->memory, &input->decode, &input->style, error))
    return FALSE;
  for (guint p = 0; p < seg_format_info (source->frame.format)->n_planes; p++) {
    Plane plane = { .cmd = cmd, .input = input, .source = source, .target = target };
    if (!plane_init (&plane, params, p, error) || !record_legend (&plane, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
seg_compose_record (SegCmd *cmd, SegParams *params, const SegComposeInput *input,
    const SegFrameSource *source, SegBuffer *target, gsize target_offset, GError **error)
{
  SegPiece piece = { target, target_offset, (source->frame.n_bytes + 3) & ~(gsize) 3 };
  for (guint p = 0; p < seg_format_info (source->frame.format)->n_planes; p++) {
    Plane plane = { .cmd = cmd, .input = input, .source = source, .target = &piece };
    if (!plane_init (&plane, params, p, error) || !record_classes (&plane, error))
      return FALSE;
  }
  return seg_compose_legend_record (cmd, params, input, source, &piece, error);
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
