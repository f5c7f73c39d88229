/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/take.h"

#include "ops/strided.h"
#include "shaders.h"

#include <string.h>

void
seg_take_clear (SegTake *take)
{
  for (guint i = 0; i < SEG_MAX_RANK; i++)
    g_clear_pointer (&take->from[i], g_free);
}

/* --- on the host --- */

typedef struct {
  const SegTake *take;
  const SegDesc *in, *out;
  const guint8 *data;
  const void *fill; /* NULL: leave the zeros */
  guint8 *to;       /* the next element to write */
  gsize size;
} Walk;

/* `at`: row-major index in the input so far, or -1 within the fill. */
static void
walk_axis (Walk *w, guint axis, gint64 at)
{
  if (axis == w->out->rank) {
    if (at >= 0)
      memcpy (w->to, w->data + at * w->size, w->size);
    else if (w->fill != NULL)
      memcpy (w->to, w->fill, w->size);
    w->to += w->size;
    return;
  }
  const gint32 *from = w->take->from[axis];
  for (gint64 i = 0; i < w->out->dims[axis]; i++) {
    gint64 c = from != NULL ? from[i] : i;
    walk_axis (w, axis + 1, at < 0 || c < 0 ? -1 : at * w->in->dims[axis] + c);
  }
}

void
seg_take_eval (const SegTake *take, const SegTensor *in, const void *fill, SegTensor *out)
{
  Walk w = { take, &in->desc, &out->desc, seg_tensor_data (in), fill, out->data,
    seg_dtype_bytes (out->desc.dtype) };
  walk_axis (&w, 0, 0);
}

/* --- on the device --- */

/* The lists one behind the other, as offsets in the source's memory. The second operand's
 * step says where an axis has its list, from 1; 0: it has none. */
static GArray *
make_lists (
    const SegTake *take, const SegView *src, SegView *dst, SegView *in, SegView *lists)
{
  GArray *table = g_array_new (FALSE, TRUE, sizeof (gint32));
  *in = *lists = *dst;
  in->offset = src->offset;
  lists->offset = 0;
  for (guint i = 0; i < dst->rank; i++) {
    in->strides[i] = take->from[i] == NULL ? src->strides[i] : 0;
    lists->strides[i] = take->from[i] == NULL ? 0 : table->len + 1;
    for (guint k = 0; take->from[i] != NULL && k < dst->dims[i]; k++) {
      gint32 c = take->from[i][k];
      gint32 offset = c < 0 ? -1 : c * (gint32) src->strides[i];
      g_array_append_val (table, offset);
    }
  }
  return table;
}

/* Four neighbours are one texel only if no list moves them off its start. */
static gboolean
lists_keep_texels (const SegTake *take, const SegView *src, const SegView *dst)
{
  for (guint i = 0; i < dst->rank; i++)
    if (take->from[i] != NULL && dst->dims[i] != 1 && src->strides[i] % 4 != 0)
      return FALSE;
  return TRUE;
}

/* An axis of one element has no loop: its list goes into the offset. FALSE: it is fill. */
static gboolean
fold_single_axes (SegTake *take, SegView *src, const SegView *dst)
{
  for (guint i = 0; i < dst->rank; i++) {
    if (dst->dims[i] != 1 || take->from[i] == NULL)
      continue;
    if (take->from[i][0] < 0)
      return FALSE;
    src->offset += (guint32) take->from[i][0] * src->strides[i];
    take->from[i] = NULL;
  }
  return TRUE;
}

static guint32
fill_bits (double fill, SegStorage storage)
{
  float f = (float) fill;
  guint32 bits;
  if (storage == SEG_STORAGE_I32)
    return (guint32) (gint32) CLAMP (fill, G_MININT32, G_MAXINT32);
  if (storage == SEG_STORAGE_F16)
    return seg_half_from_float (f);
  memcpy (&bits, &f, sizeof bits);
  return bits;
}

gboolean
seg_take_emit (const SegTake *take, SegProgram *p, const SegValue *src,
    const SegValue *dst, double fill, GError **error)
{
  SegTake loops = *take; /* borrows the lists */
  SegView from = seg_view (src), to = seg_view (dst), ins[2];
  guint32 all_fill = !fold_single_axes (&loops, &from, &to);
  g_autoptr (GArray) table = make_lists (&loops, &from, &to, &ins[0], &ins[1]);
  SegStrided s;
  if (!seg_strided_plan (&s, &to, ins, 2, error))
    return FALSE;
  if (s.modes[0] == SEG_STRIDED_VECTOR
      && (!lists_keep_texels (&loops, &from, &to) || from.offset % 4 != 0
          || s.modes[1] != SEG_STRIDED_SPLAT))
    s.modes[0] = SEG_STRIDED_GATHER;
  if (s.modes[0] == SEG_STRIDED_SPLAT && s.modes[1] != SEG_STRIDED_SPLAT)
    s.modes[0] = SEG_STRIDED_GATHER;
  s.modes[1] = SEG_STRIDED_SPLAT;

  gint32 none = -1;
  SegRef lists = table->len > 0 ? seg_program_ints (p, (gint32 *) table->data, table->len)
                                : seg_program_ints (p, &none, 1);
  SegStorage storage = seg_program_storage (p, dst);
  SegDispatch d = {
    .shader = storage == SEG_STORAGE_F16 ? &seg_shader_take_b16 : &seg_shader_take_b32,
    .spec = { [3] = fill_bits (fill, storage), [4] = all_fill },
    .n_spec = 6,
    .bindings = { { seg_program_value (p, src), SEG_BIND_BITS },
        { lists, SEG_BIND_TEXEL },
        { seg_program_value (p, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
  };
  for (guint i = 0; i < SEG_STRIDED_AXES; i++)
    d.spec[5] |= (s.push[10 + 7 + 1 + i] != 0) << i;
  seg_strided_fill (&s, &d);
  return seg_program_dispatch (p, &d, error);
}
