/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/resize.h"
#include "shaders.h"

#include <string.h>

#define LOCAL 64

/* Pixels one after the other, with room for whole pairs of texels. */
static gboolean
is_map (const SegView *v)
{
  return v->rank == 4 && v->pitch != 0 && v->strides[1] == 1 && v->pitch % 8 == 0
         && v->offset % 8 == 0 && v->strides[3] == v->pitch
         && v->strides[2] == v->pitch * v->dims[3]
         && v->strides[0] == v->strides[2] * v->dims[2];
}

gboolean
seg_resize_linear_takes (const SegView *from, const SegView *to, const SegTaps *axes)
{
  return is_map (from) && is_map (to) && axes[0].identity && axes[1].identity
         && !axes[2].identity && !axes[3].identity && axes[2].n <= 2 && axes[3].n <= 2
         && !axes[2].any_outside && !axes[3].any_outside
         && (guint64) to->dims[0] * to->dims[2] * to->dims[3]
                    * ((to->dims[1] + 7) / 8 * 2)
                <= G_MAXINT32;
}

/* How an axis is shared out. */
typedef struct {
  guint size;   /* neighbours that an invocation makes */
  guint before; /* how far the first of these reach over the edge */
  guint32 n;    /* of such neighbours */
} Shares;

/* Two and two, where each two are made of the same elements: of what is enlarged by an even number, from the first
 * on or, as after doubling, from the second. */
static Shares
share_out (const SegTaps *t, gint64 out)
{
  gsize bytes = t->n * sizeof *t->index;
  for (guint before = 0; before < 2; before++) {
    gboolean same = TRUE;
    for (gint64 i = before; same && i + 1 < out; i += 2)
      same = memcmp (&t->index[i * t->n], &t->index[(i + 1) * t->n], bytes) == 0;
    if (same)
      return (Shares){ 2, before, (guint32) (out + before + 1) / 2 };
  }
  return (Shares){ 1, 0, (guint32) out };
}

gboolean
seg_resize_linear_emit (const SegNode *node, const SegView *from, const SegView *to,
    const SegTaps *axes, SegRef y_taps, SegRef x_taps, SegProgram *p, GError **error)
{
  static const SegShader *const shaders[2][2] = {
    { &seg_shader_resize_linear_f32, &seg_shader_resize_linear_f16 },
    { &seg_shader_resize_linear_wide_f32, &seg_shader_resize_linear_wide_f16 },
  };
  const SegValue *source = seg_node_input (node, 0), *dest = seg_node_output (node, 0);
  SegStorage storage = seg_program_storage (p, dest);
  guint texels = seg_program_store_texels (p, storage);
  Shares y = share_out (&axes[2], to->dims[2]), x = share_out (&axes[3], to->dims[3]);
  guint32 items4 = (to->dims[1] + 7) / 8 * 2 / texels;
  guint32 items = to->dims[0] * y.n * x.n * items4, n = (items + LOCAL - 1) / LOCAL;
  SegDispatch d = {
    .shader = shaders[texels - 1][storage == SEG_STORAGE_F16],
    .spec = { y.size, x.size },
    .n_spec = 2,
    .bindings = { { seg_program_value (p, source), SEG_BIND_TEXEL },
        { y_taps, SEG_BIND_TEXEL }, { x_taps, SEG_BIND_TEXEL },
        { seg_program_value (p, dest), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { from->strides[0] / 4, from->offset / 4, to->dims[3], to->dims[2],
        to->pitch / 4, to->offset / 4, y.before, x.before, y.n, x.n, to->dims[1], items4,
        items },
    .n_push = 13,
    .groups = { MIN (n, 32768), (n + 32767) / 32768, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}
