/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/plane.h"

#include "shaders.h"

/* Bytes of a row, in whole words: what lies after the row in its last word is moved along with it. */
static gsize
row_words (const SegFrame *frame, guint p)
{
  return (seg_frame_row_bytes (frame, p) + 3) / 4;
}

/* From the plane's first byte to the end of its last row. */
static gsize
plane_bytes (const SegPlane *plane, const SegFrame *frame, guint p)
{
  return (seg_frame_n_rows (frame, p) - 1) * plane->stride + 4 * row_words (frame, p);
}

/* The part of the buffer that the shader sees: views begin where the device says they may. */
static SegBufferView
view_of (const SegVk *vk, const SegPlane *plane, const SegFrame *frame, guint p)
{
  gsize skip = plane->offset % seg_vk_info (vk)->buffer_align;
  return (SegBufferView){ plane->buffer, plane->offset - skip,
    skip + plane_bytes (plane, frame, p), SEG_VIEW_STORAGE_READ };
}

gboolean
seg_plane_check (const SegVk *vk, const SegPlane *plane, const SegFrame *frame, guint p,
    GError **error)
{
  gsize size = seg_buffer_bytes (plane->buffer), row = 4 * row_words (frame, p);
  guint n_rows = seg_frame_n_rows (frame, p);
  const char *why = NULL;
  if (plane->offset % 4 != 0 || plane->stride % 4 != 0)
    why = "offset and stride are not whole words";
  else if (plane->stride < row || plane->offset > size || row > size - plane->offset
           || (n_rows > 1 && plane->stride > (size - plane->offset - row) / (n_rows - 1)))
    why = "it ends after the buffer's last whole word";
  else if (MAX (view_of (vk, plane, frame, p).n_bytes, frame->stride[p] * n_rows)
           > seg_vk_info (vk)->max_storage_bytes)
    why = "it is larger than what a shader may see";
  if (why != NULL)
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "plane %u, from byte %" G_GSIZE_FORMAT " on with a stride of %" G_GSIZE_FORMAT
        " in a buffer of %" G_GSIZE_FORMAT ": %s",
        p, plane->offset, plane->stride, size, why);
  return why == NULL;
}

gboolean
seg_plane_record (SegCmd *cmd, const SegPlane *plane, const SegFrame *frame, guint p,
    const SegPiece *at, GError **error)
{
  const SegVk *vk = seg_buffer_vk (plane->buffer);
  guint n_rows = seg_frame_n_rows (frame, p);
  gsize n = row_words (frame, p), to = at->offset + frame->offset[p];
  if (plane->stride == frame->stride[p])
    return seg_cmd_copy (cmd, plane->buffer, plane->offset, at->buffer, to,
        plane_bytes (plane, frame, p), error);
  const SegBufferView views[] = { view_of (vk, plane, frame, p),
    { at->buffer, to, frame->stride[p] * n_rows, SEG_VIEW_STORAGE_WRITE } };
  const guint32 push[] = { (guint32) n, (guint32) (plane->offset - views[0].offset) / 4,
    (guint32) (plane->stride / 4), (guint32) (frame->stride[p] / 4) };
  const SegVkDispatch d = {
    .shader = &seg_shader_pitch,
    .views = views,
    .n_views = G_N_ELEMENTS (views),
    .push = push,
    .n_push = G_N_ELEMENTS (push),
    .groups = { ((guint32) n + 63) / 64, n_rows, 1 },
  };
  return seg_cmd_dispatch (cmd, &d, error);
}
