/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/elementwise.h"

#include "ops/move.h"
#include "shaders.h"

#include <string.h>

static void
broadcast_steps (const SegDesc *in, const SegDesc *out, gint64 *step)
{
  gint64 stride = 1;
  for (guint back = 1; back <= out->rank; back++) {
    gint64 dim = back <= in->rank ? in->dims[in->rank - back] : 1;
    step[out->rank - back] = dim != 1 ? stride : 0;
    stride *= dim;
  }
}

void
seg_walk_init (SegWalk *w, const SegDesc *out, const SegDesc *const *ins, guint n)
{
  memset (w, 0, sizeof *w);
  w->rank = out->rank;
  memcpy (w->dims, out->dims, sizeof w->dims);
  for (guint k = 0; k < n; k++)
    broadcast_steps (ins[k], out, w->step[k]);
}

void
seg_walk_next (SegWalk *w)
{
  for (guint i = w->rank; i-- > 0;) {
    for (guint k = 0; k < SEG_WALK_OPERANDS; k++)
      w->at[k] += w->step[k][i];
    if (++w->coord[i] < w->dims[i])
      return;
    for (guint k = 0; k < SEG_WALK_OPERANDS; k++)
      w->at[k] -= w->step[k][i] * w->dims[i];
    w->coord[i] = 0;
  }
}

SegOperand
seg_operand (SegProgram *p, const SegValue *value)
{
  return (SegOperand){ seg_program_value (p, value), seg_view (value) };
}

SegOperand
seg_operand_constant (SegProgram *p, const SegTensor *t)
{
  SegOperand o = { .view = { .rank = t->desc.rank } };
  gsize n = seg_desc_n_elems (&t->desc);
  g_autofree float *values = g_new (float, n + 1);
  for (gsize i = 0; i < n; i++)
    values[i] = seg_tensor_get_double (t, i);
  guint32 step = 1;
  for (guint i = t->desc.rank; i-- > 0; step *= t->desc.dims[i]) {
    o.view.dims[i] = t->desc.dims[i];
    o.view.strides[i] = step;
  }
  o.ref = seg_program_floats (p, values, n, SEG_STORAGE_F32);
  return o;
}

SegView
seg_view_dense (const SegView *like)
{
  SegView v = *like;
  gboolean last = like->pitch != 0;
  guint32 step = 1;
  v.offset = 0;
  if (last) {
    v.pitch = (v.dims[1] + SEG_CHANNEL_ALIGN - 1) / SEG_CHANNEL_ALIGN * SEG_CHANNEL_ALIGN;
    v.strides[1] = 1;
    step = v.pitch;
  }
  for (guint i = v.rank; i-- > 0;) {
    if (last && i == 1)
      continue;
    v.strides[i] = step;
    step *= v.dims[i];
  }
  v.n_elems = (step + 3) / 4 * 4;
  return v;
}

SegOperand
seg_operand_temp (SegProgram *p, const SegView *like, SegStorage storage)
{
  SegView view = seg_view_dense (like);
  return (SegOperand){ seg_program_temp (p, view.n_elems, storage), view };
}

static void
add_no_epilogue (SegDispatch *d, SegRef unused)
{
  memset (&d->spec[SEG_EPILOGUE_SPEC], 0,
      (SEG_MAX_SPEC - SEG_EPILOGUE_SPEC) * sizeof d->spec[0]);
  d->n_spec = SEG_MAX_SPEC;
  d->bindings[d->n_bindings++] = (SegBinding){ unused, SEG_BIND_TEXEL };
}

/* It may also be of something on the way there. */
static gboolean
is_of (const SegView *view, const SegValue *v)
{
  gboolean same = v != NULL && view->rank == v->desc.rank;
  for (guint i = 0; same && i < view->rank; i++)
    same = view->dims[i] == v->desc.dims[i];
  return same;
}

gboolean
seg_elementwise (SegProgram *p, const SegNode *node, SegDispatch *d,
    const SegOperand *ins, guint n_ins, const SegOperand *out, SegEpilogueUse epilogue,
    GError **error)
{
  SegView views[SEG_STRIDED_OPERANDS] = { 0 };
  SegStrided s;
  guint n = n_ins;
  const SegValue *residual =
      epilogue == SEG_EPILOGUE_LAST ? seg_epilogue_residual (node) : NULL;
  for (guint i = 0; i < n_ins; i++)
    views[i] = seg_view_broadcast (&ins[i].view, &out->view);
  if (residual != NULL)
    views[n++] = seg_view (residual);
  if (!seg_strided_plan (&s, &out->view, views, n, error))
    return FALSE;

  d->n_spec = MAX (d->n_spec, SEG_EPILOGUE_SPEC);
  seg_strided_fill (&s, d);
  if (is_of (&out->view, seg_node_output (node, 0)))
    seg_strided_live (&s, p, seg_node_output (node, 0), d);
  for (guint i = 0; i < n_ins; i++)
    d->bindings[i] = (SegBinding){ ins[i].ref, SEG_BIND_TEXEL };
  d->bindings[n_ins] = (SegBinding){ out->ref, SEG_BIND_BUFFER_WRITE };
  d->n_bindings = n_ins + 1;
  if (epilogue == SEG_EPILOGUE_LAST)
    seg_epilogue_add (d, node, p, ins[0].ref);
  else if (epilogue == SEG_EPILOGUE_UNUSED)
    add_no_epilogue (d, ins[0].ref);
  return seg_program_dispatch (p, d, error);
}

gboolean
seg_copy_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *from = seg_node_input (node, 0), *to = seg_node_output (node, 0);
  SegStorage storage = seg_program_storage (p, to);
  if (storage == seg_program_storage (p, from)) {
    SegMove whole = seg_move_whole (&to->desc);
    return seg_move_emit (&whole, p, from, to, error);
  }
  SegOperand in = seg_operand (p, from), out = seg_operand (p, to);
  SegDispatch d = { .shader = storage == SEG_STORAGE_F16 ? &seg_shader_copy_f16
                                                         : &seg_shader_copy_f32 };
  return seg_elementwise (p, node, &d, &in, 1, &out, SEG_EPILOGUE_NONE, error);
}
