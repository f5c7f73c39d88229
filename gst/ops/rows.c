/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/rows.h"

#include "shaders.h"

guint32
seg_rows_items (const SegRows *rows, guint64 n)
{
  return rows->most > 0 && n % rows->most == 0 && rows->den == 1
             ? (guint32) (n / rows->most * rows->num)
             : 0;
}

typedef enum { ALWAYS, UNLESS_FALSE, UNLESS_TRUE } When;

typedef struct {
  SegRef from;
  guint32 at, num, den, first, end, most;
  const SegValue *condition;
  When when;
} Count;

static gboolean
emit_count (SegProgram *p, SegRef to, const Count *c, GError **error)
{
  SegRef condition = c->condition != NULL ? seg_program_value (p, c->condition) : c->from;
  SegDispatch d = {
    .shader = &seg_shader_rows_count,
    .spec = { c->when },
    .n_spec = 1,
    .bindings = { { c->from, SEG_BIND_TEXEL }, { condition, SEG_BIND_TEXEL },
        { to, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { c->at, c->num, c->den, c->first, c->end, c->most },
    .n_push = 6,
    .groups = { 1, 1, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}

static gboolean
emit_count_of (SegProgram *p, const SegValue *of, Count c, GError **error)
{
  c.most = of->desc.dims[seg_value_live_axis_of (of)];
  return emit_count (p, seg_program_count (p, of), &c, error);
}

gboolean
seg_rows_emit_whole (SegProgram *p, SegRows rows, SegRows *whole, GError **error)
{
  *whole = rows;
  if (rows.den == 1)
    return TRUE;
  *whole = (SegRows){ seg_program_temp (p, 4, SEG_STORAGE_I32), 1, 1, rows.most };
  const Count c = { rows.ref, 0, rows.num, rows.den, 0, rows.most, rows.most, NULL,
    ALWAYS };
  return emit_count (p, whole->ref, &c, error);
}

gboolean
seg_rows_emit_range (SegProgram *p, const SegValue *of, SegRows rows, guint32 first,
    guint32 end, GError **error)
{
  Count c = { .from = rows.ref,
    .num = rows.num,
    .den = rows.den,
    .first = first,
    .end = MIN (end, rows.most) };
  return emit_count_of (p, of, c, error);
}

gboolean
seg_rows_emit_dim (SegProgram *p, const SegValue *of, const SegValue *shape,
    guint32 element, guint32 first, GError **error)
{
  Count c = { .from = seg_program_value (p, shape),
    .at = element,
    .first = first,
    .num = 1,
    .den = 1,
    .end = G_MAXINT32 };
  return emit_count_of (p, of, c, error);
}

gboolean
seg_rows_emit_unless (SegProgram *p, const SegValue *of, SegRows rows,
    const SegValue *condition, gboolean when, GError **error)
{
  Count c = { .from = rows.ref,
    .num = rows.num,
    .den = rows.den,
    .end = rows.most,
    .condition = condition,
    .when = when ? UNLESS_TRUE : UNLESS_FALSE };
  return emit_count_of (p, of, c, error);
}

/* to[i] = from[i] for all that rows says, else `fill`. */
static gboolean
emit_fill (SegProgram *p, SegRef from, SegRows rows, SegRef to, gsize n_elems,
    guint32 fill, gboolean all, GError **error)
{
  guint32 n = (guint32) ((n_elems + 255) / 256), columns = MIN (n, 32768);
  gboolean half = seg_program_ref_storage (p, to) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_rows_fill_b16 : &seg_shader_rows_fill_b32,
    .spec = { fill, all },
    .n_spec = 2,
    .bindings = { { from, SEG_BIND_BITS }, { rows.ref, SEG_BIND_TEXEL },
        { to, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { (guint32) ((n_elems + 3) / 4), rows.num, rows.den, (guint32) n_elems },
    .n_push = 4,
    .groups = { columns, (n + columns - 1) / columns, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}

gboolean
seg_rows_emit_fill (SegProgram *p, const SegValue *v, SegRef to, gsize n_elems,
    guint32 fill, GError **error)
{
  SegRows rows = v != NULL ? seg_program_rows (p, v) : seg_program_fixed_rows (p, 0);
  SegRef from = v != NULL ? seg_program_value (p, v) : rows.ref;
  rows.num *= v != NULL ? n_elems / MAX (rows.most, 1) : 1;
  return emit_fill (p, from, rows, to, n_elems, fill, v == NULL, error);
}

gboolean
seg_rows_emit_numbers (SegProgram *p, const SegValue *v, gint32 first, GError **error)
{
  gsize n = seg_desc_n_elems (&v->desc);
  g_autofree gint32 *numbers = g_new (gint32, n + 1);
  for (gsize i = 0; i < n; i++)
    numbers[i] = first + (gint32) i;
  return emit_fill (p, seg_program_ints (p, numbers, n), seg_program_fixed_rows (p, n),
      seg_program_value (p, v), n, 0, FALSE, error);
}
