/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/strided.h"

#include <string.h>

SegView
seg_view_broadcast (const SegView *in, const SegView *out)
{
  SegView v = *out;
  v.offset = in->offset;
  for (guint i = 0; i < out->rank; i++) {
    guint lead = out->rank - in->rank;
    gboolean present = i >= lead && in->dims[i - lead] != 1;
    v.strides[i] = present ? in->strides[i - lead] : 0;
  }
  return v;
}

/* One axis of the loop: its extent and each operand's step. */
typedef struct {
  guint32 dim;
  guint32 step[SEG_STRIDED_OPERANDS];
  gboolean padded; /* channels whose padding is written too: stays the innermost */
} Axis;

static Axis
axis_of (const SegView *out, const SegView *ins, guint n_ins, guint i)
{
  Axis a = { .dim = out->dims[i] };
  for (guint k = 0; k < n_ins; k++)
    a.step[k] = ins[k].strides[i];
  return a;
}

/* The axes in the order of the output's memory; extents of 1 are left out. */
static guint
axes_in_memory_order (
    const SegView *out, const SegView *ins, guint n_ins, Axis axes[SEG_MAX_RANK + 1])
{
  guint n = 0;
  for (guint i = 0; i < out->rank; i++) {
    gboolean channel = out->pitch != 0 && i == 1;
    if (!channel && out->dims[i] != 1)
      axes[n++] = axis_of (out, ins, n_ins, i);
  }
  if (out->pitch != 0) {
    axes[n] = axis_of (out, ins, n_ins, 1);
    axes[n++].padded = TRUE;
  }
  if (n == 0)
    axes[n++] = (Axis){ .dim = 1 };
  return n;
}

static gboolean
can_merge (const Axis *outer, const Axis *inner, guint n_ins)
{
  if (inner->padded)
    return FALSE;
  for (guint k = 0; k < n_ins; k++)
    if (outer->step[k] != inner->step[k] * inner->dim)
      return FALSE;
  return TRUE;
}

static guint
merge_axes (Axis *axes, guint n, guint n_ins)
{
  guint out = 0;
  for (guint i = 1; i < n; i++) {
    if (can_merge (&axes[out], &axes[i], n_ins)) {
      axes[i].dim *= axes[out].dim;
      axes[out] = axes[i];
    } else {
      axes[++out] = axes[i];
    }
  }
  return out + 1;
}

/* Four neighbours never cross into the next row when the innermost extent is a multiple of 4
 * or there is only one row. */
static SegStridedMode
operand_mode (const Axis *axes, guint n, const SegView *in, guint k)
{
  const Axis *inner = &axes[n - 1];
  if (!inner->padded && n > 1 && inner->dim % 4 != 0)
    return SEG_STRIDED_GATHER;
  if (inner->step[k] == 0)
    return SEG_STRIDED_SPLAT;
  if (inner->step[k] != 1 || in->offset % 4 != 0)
    return SEG_STRIDED_GATHER;
  for (guint i = 0; i + 1 < n; i++)
    if (axes[i].step[k] % 4 != 0)
      return SEG_STRIDED_GATHER;
  return SEG_STRIDED_VECTOR;
}

static void
spread_groups (guint32 n_items, guint32 local, guint32 groups[3])
{
  guint32 n = (n_items + local - 1) / local;
  groups[0] = MIN (n, 32768);
  groups[1] = (n + groups[0] - 1) / groups[0];
  groups[2] = 1;
}

gboolean
seg_strided_plan (
    SegStrided *s, const SegView *out, const SegView *ins, guint n_ins, GError **error)
{
  Axis axes[SEG_MAX_RANK + 1];
  guint n = merge_axes (axes, axes_in_memory_order (out, ins, n_ins, axes), n_ins);
  if (n > SEG_STRIDED_AXES) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "needs a loop over %u axes; a device kernel has %d", n, SEG_STRIDED_AXES);
    return FALSE;
  }

  memset (s, 0, sizeof *s);
  const Axis *inner = &axes[n - 1];
  guint32 padded = inner->padded ? (inner->dim + SEG_CHANNEL_ALIGN - 1)
                                       / SEG_CHANNEL_ALIGN * SEG_CHANNEL_ALIGN
                                 : inner->dim;
  guint64 total = padded;
  guint lead = SEG_STRIDED_AXES - n;
  for (guint i = 0; i < SEG_STRIDED_AXES; i++)
    s->push[i] = i < lead ? 1 : axes[i - lead].dim;
  s->push[SEG_STRIDED_AXES - 1] = padded;
  for (guint i = 0; i + 1 < n; i++)
    total *= axes[i].dim;
  s->push[6] = inner->dim;
  s->n_elems = total;
  s->push[7] = (total + 3) / 4;
  s->push[8] = out->pitch / 4;
  s->push[9] = out->offset / 4;
  for (guint k = 0; k < n_ins; k++) {
    guint32 *operand = &s->push[10 + 7 * k];
    operand[0] = ins[k].offset;
    for (guint i = lead; i < SEG_STRIDED_AXES; i++)
      operand[1 + i] = axes[i - lead].step[k];
    s->modes[k] = operand_mode (axes, n, &ins[k], k);
  }
  for (guint k = n_ins; k < SEG_STRIDED_OPERANDS; k++)
    s->modes[k] = SEG_STRIDED_SPLAT;
  s->modes[SEG_STRIDED_OPERANDS - 1] |= n << 8;
  s->n_push = 10 + 7 * n_ins;
  spread_groups (s->push[7], SEG_STRIDED_LOCAL, s->groups);
  return TRUE;
}

void
seg_strided_fill (const SegStrided *s, SegDispatch *dispatch)
{
  memcpy (dispatch->spec, s->modes, sizeof s->modes);
  dispatch->n_spec = MAX (dispatch->n_spec, SEG_STRIDED_OPERANDS);
  memcpy (dispatch->push, s->push, s->n_push * sizeof s->push[0]);
  dispatch->n_push = s->n_push;
  memcpy (dispatch->groups, s->groups, sizeof s->groups);
}

void
seg_strided_live (
    const SegStrided *s, SegProgram *p, const SegValue *v, SegDispatch *dispatch)
{
  dispatch->live =
      seg_live_times (seg_program_live (p, v, s->n_elems), 1, 4 * SEG_STRIDED_LOCAL);
}
