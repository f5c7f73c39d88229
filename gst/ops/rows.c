/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/rows.h"

#include "shaders.h"

typedef enum { ALWAYS, UNLESS_FALSE, UNLESS_TRUE } When;

typedef struct {
  SegRef from;
  guint32 at, num, den, first, end;
  const SegValue *condition;
  When when;
} Count;

static gboolean
emit_count (SegProgram *p, const SegValue *of, const Count *c, GError **error)
{
  guint32 most = of->desc.dims[seg_value_live_axis_of (of)];
  SegRef condition = c->condition != NULL ? seg_program_value (p, c->condition) : c->from;
  SegDispatch d = {
    .shader = &seg_shader_rows_count,
    .spec = { c->when },
    .n_spec = 1,
    .bindings = { { c->from, SEG_BIND_TEXEL }, { condition, SEG_BIND_TEXEL },
        { seg_program_count (p, of), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { c->at, c->num, c->den, c->first, c->end, most },
    .n_push = 6,
    .groups = { 1, 1, 1 },
  };
  return seg_program_dispatch (p, &d, error);
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
  return emit_count (p, of, &c, error);
}

gboolean
seg_rows_emit_dim (SegProgram *p, const SegValue *of, const SegValue *shape,
    guint32 element, GError **error)
{
  Count c = { .from = seg_program_value (p, shape),
    .at = element,
    .num = 1,
    .den = 1,
    .end = G_MAXINT32 };
  return emit_count (p, of, &c, error);
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
  return emit_count (p, of, &c, error);
}

gboolean
seg_rows_emit_fill (SegProgram *p, const SegValue *v, SegRef to, gsize n_elems,
    guint32 fill, GError **error)
{
  SegRows rows = v != NULL ? seg_program_rows (p, v) : seg_program_fixed_rows (p, 0);
  gsize of_row = v != NULL ? n_elems / MAX (rows.most, 1) : 1;
  guint32 n = (guint32) ((n_elems + 255) / 256), columns = MIN (n, 32768);
  gboolean half = seg_program_ref_storage (p, to) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_rows_fill_b16 : &seg_shader_rows_fill_b32,
    .spec = { fill, v == NULL },
    .n_spec = 2,
    .bindings = { { v != NULL ? seg_program_value (p, v) : rows.ref, SEG_BIND_BITS },
        { rows.ref, SEG_BIND_TEXEL }, { to, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { (guint32) ((n_elems + 3) / 4), rows.num * (guint32) of_row, rows.den,
        (guint32) n_elems },
    .n_push = 4,
    .groups = { columns, (n + columns - 1) / columns, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}
