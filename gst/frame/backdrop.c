/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/backdrop.h"

#include "shaders.h"

#include <math.h>
#include <string.h>

#define SMALL_BYTES 16 /* of a pixel of the small picture */
#define MAX_SIZE    64

/* --- sizes --------------------------------------------------------------------------------------- */

static guint
divide_up (guint n, guint by)
{
  return (n + by - 1) / by;
}

/* Small pixels, but at least two along a standard deviation. Their boxes and the interpolation between
 * them blur as well: variances add up, those of boxes a twelfth and of tents a sixth of a square. */
void
seg_backdrop_plan (SegBackdrop *b, double sigma, guint width, guint height)
{
  b->sigma = MIN (sigma, SEG_BACKDROP_MAX_SIGMA);
  b->small[0].n_bytes = b->small[1].n_bytes = 0;
  if (b->sigma <= 0.0)
    return;
  b->size = 2;
  while (b->size < MAX_SIZE && 4 * b->size <= b->sigma)
    b->size *= 2;
  double variance = b->sigma / b->size * b->sigma / b->size - 0.25;
  b->small_sigma = sqrt (MAX (variance, 0.0625));
  b->radius = (guint) ceil (2.5 * b->small_sigma);
  b->small[0].n_bytes = b->small[1].n_bytes =
      (gsize) SMALL_BYTES * divide_up (width, b->size) * divide_up (height, b->size);
}

/* --- the picture ----------------------------------------------------------------------------------- */

gboolean
seg_backdrop_set_picture (SegBackdrop *b, SegVk *vk, const SegFrame *frame,
    const guint8 *const *planes, const gint *strides, GError **error)
{
  gsize n_bytes = (frame->n_bytes + 15) & ~(gsize) 15;
  g_autofree guint8 *data = g_malloc0 (n_bytes);
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++)
    seg_frame_load_plane (frame, p, data, planes[p], strides[p]);
  SegBuffer *picture = seg_buffer_new_filled (vk, data, n_bytes, error);
  if (picture == NULL)
    return FALSE;
  seg_buffer_free (&b->picture);
  b->picture = picture;
  return TRUE;
}

void
seg_backdrop_clear (SegBackdrop *b)
{
  seg_buffer_free (&b->picture);
}

/* --- recording ------------------------------------------------------------------------------------- */

static guint64
n_small (const SegBackdrop *b)
{
  return b->small[0].n_bytes / SMALL_BYTES;
}

static gboolean
record_shrink (SegCmd *cmd, const SegBackdrop *b, const SegComposeInput *input,
    const SegFrameSource *source, GError **error)
{
  guint32 spec[2] = { source->kind, b->size };
  SegBufferView views[7] = { source->views[0], source->views[1], source->views[2],
    input->decode, seg_piece_view (&input->memory->matte, SEG_VIEW_TEXEL_U8X1),
    input->style, seg_piece_view (&b->small[0], SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_backdrop_shrink,
    .spec = spec,
    .n_spec = 2,
    .views = views,
    .n_views = 7,
    .label = "backdrop_shrink",
  };
  seg_groups_linear (n_small (b), d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}

static gboolean
record_blur (SegCmd *cmd, const SegBackdrop *b, const SegComposeInput *input,
    gboolean columns, GError **error)
{
  float fall = (float) (0.5 / (b->small_sigma * b->small_sigma));
  guint32 spec[4] = { b->size, b->radius, 0, (guint32) columns };
  memcpy (&spec[2], &fall, sizeof fall);
  SegBufferView views[4] = { input->decode,
    seg_piece_view (&b->small[columns], SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (&b->small[!columns], SEG_VIEW_STORAGE_WRITE), input->style };
  SegVkDispatch d = {
    .shader = &seg_shader_backdrop_blur,
    .spec = spec,
    .n_spec = 4,
    .views = views,
    .n_views = 4,
    .label = "backdrop_blur",
  };
  seg_groups_linear (n_small (b), d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}

/* Which component of the small picture is each byte of a plane's sample: those of pixels of four bytes
 * lie in it as in the pixel, others in the order of their names. */
static void
fill_order (guint32 order[3], const SegFrameSource *source, guint plane)
{
  const SegFormatInfo *info = seg_format_info (source->frame.format);
  gboolean as_it_lies = source->kind == SEG_KIND_PACKED4
                        || (seg_compose_pair (&source->frame) != 0 && !info->wide);
  for (guint k = 0; k < 3; k++)
    order[k] = k;
  for (guint k = 0; k < info->n_components && !as_it_lies; k++)
    if (info->components[k].plane == plane)
      order[info->components[k].offset / (info->wide ? 2 : 1)] = k;
}

/* Groups of four samples that are four words, if rows and the plane are made of such. */
static guint
groups_at_once (const SegFrame *frame, guint plane)
{
  guint bytes = seg_format_info (frame->format)->planes[plane].bytes;
  gboolean wide = frame->stride[plane] % 16 == 0 && frame->offset[plane] % 16 == 0;
  return wide && 4 % bytes == 0 ? 4 / bytes : 1;
}

static gboolean
record_plane (SegCmd *cmd, SegParams *params, const SegBackdrop *b,
    const SegComposeInput *input, const SegFrameSource *source, const SegPiece *target,
    guint index, GError **error)
{
  guint32 spec[SEG_N_PLANE_SPECS + 5];
  SegDrawnPlane plane;
  if (!seg_drawn_plane_init (&plane, params, &source->frame, index, error))
    return FALSE;
  memcpy (spec, plane.spec, sizeof plane.spec);
  spec[SEG_N_PLANE_SPECS] = b->sigma > 0.0 ? b->size : 0;
  fill_order (&spec[SEG_N_PLANE_SPECS + 1], source, index);
  spec[SEG_N_PLANE_SPECS + 4] = groups_at_once (&source->frame, index);
  SegBufferView picture = source->views[2];
  if (b->picture != NULL) {
    picture.buffer = b->picture;
    picture.offset = 0;
  }
  /* What a kind of background does without stands there for something of the right type. */
  const SegPiece *small = b->sigma > 0.0 ? &b->small[0] : &input->memory->matte;
  SegBufferView views[9] = { input->decode, plane.block, source->views[2],
    seg_piece_view (&input->memory->matte, SEG_VIEW_TEXEL_U8X4), picture,
    seg_piece_view (small, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (target, SEG_VIEW_STORAGE_WRITE), input->style,
    seg_piece_view (target, SEG_VIEW_STORAGE_WRITE) };
  SegVkDispatch d = {
    .shader = &seg_shader_backdrop,
    .spec = spec,
    .n_spec = SEG_N_PLANE_SPECS + 5,
    .views = views,
    .n_views = 9,
    .label = "backdrop",
  };
  seg_groups_linear (plane.n_groups / spec[SEG_N_PLANE_SPECS + 4], d.groups);
  return seg_cmd_dispatch (cmd, &d, error);
}

gboolean
seg_backdrop_record (SegCmd *cmd, SegParams *params, const SegBackdrop *b,
    const SegComposeInput *input, const SegFrameSource *source, const SegPiece *target,
    GError **error)
{
  if (b->sigma > 0.0
      && (!record_shrink (cmd, b, input, source, error)
          || !record_blur (cmd, b, input, FALSE, error)
          || !record_blur (cmd, b, input, TRUE, error)))
    return FALSE;
  for (guint p = 0; p < seg_format_info (source->frame.format)->n_planes; p++)
    if (!record_plane (cmd, params, b, input, source, target, p, error))
      return FALSE;
  return TRUE;
}
