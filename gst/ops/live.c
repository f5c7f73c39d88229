/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dispatches whose groups are for live rows alone. How many there are is in the device's memory: a small
 * dispatch makes of it what vkCmdDispatchIndirect reads, for all of a count at once. */
#include "graph/rewrite.h"
#include "ops/program.h"
#include "shaders.h"

#include <string.h>

#define ENTRY 12 /* integers; as in rows_groups.comp */
#define LOCAL 64

/* The node that is being emitted has written it. */
static gboolean
is_written (const SegProgram *p, const SegValue *counted)
{
  int id = seg_program_find_count (p, counted);
  for (guint i = p->steps->len; id >= 0 && i-- > 0;) {
    const SegStep *step = &g_array_index (p->steps, SegStep, i);
    if (step->node != p->node)
      return FALSE;
    for (guint k = 0; k < step->dispatch.n_bindings; k++) {
      const SegBinding *b = &step->dispatch.bindings[k];
      if (b->ref.kind == SEG_REF_COUNT && b->ref.id == (guint) id
          && b->kind == SEG_BIND_BUFFER_WRITE)
        return TRUE;
    }
  }
  return FALSE;
}

SegLive
seg_program_live (SegProgram *p, const SegValue *v, guint64 n_items)
{
  const SegLive all = { .items = 0 };
  if (p->graph == NULL || p->alone || v == NULL || !seg_value_is_prefix (v))
    return all;
  /* Of a map with channels last, channels are no first part of the memory. */
  if (v->layout == SEG_LAYOUT_CHANNELS_LAST && seg_value_live_axis_of (v) != 0)
    return all;
  const SegValue *counted = seg_value_counted (v);
  if (seg_value_live_axis_of (counted) < 0
      || (counted->producer == p->node && !is_written (p, counted)))
    return all;
  SegRows rows = seg_program_rows (p, v);
  if (n_items > G_MAXINT32 || rows.most == 0 || n_items % rows.most != 0)
    return all;
  return (SegLive){ .rows = rows, .items = (guint32) (n_items / rows.most) };
}

SegLive
seg_live_times (SegLive live, guint32 n_each, guint32 per_group)
{
  if ((guint64) live.items * n_each * live.rows.most > G_MAXINT32)
    return (SegLive){ .items = 0 };
  live.items *= n_each;
  live.first *= n_each;
  live.per_group = per_group;
  return live;
}

/* --- groups of all that have the same count ------------------------------------------------------ */

static SegLiveGroups *
find (SegProgram *p, SegRef count)
{
  for (guint i = 0; i < p->lives->len; i++) {
    SegLiveGroups *groups = &g_array_index (p->lives, SegLiveGroups, i);
    if (groups->count.id == count.id)
      return groups;
  }
  return NULL;
}

/* What is in the table and how much room the groups take is known at the end. */
static SegLiveGroups *
add (SegProgram *p, SegRef count, GError **error)
{
  static const gint32 nothing[4];
  SegLiveGroups groups = {
    .count = count,
    .table = seg_program_ints (p, nothing, 4),
    .groups = seg_program_temp (p, 4, SEG_STORAGE_I32),
    .step = p->steps->len,
    .entries = g_array_new (FALSE, TRUE, sizeof (gint32)),
  };
  const SegDispatch d = {
    .shader = &seg_shader_rows_groups,
    .bindings = { { count, SEG_BIND_TEXEL }, { groups.table, SEG_BIND_TEXEL },
        { groups.groups, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .n_push = 1,
    .groups = { 1, 1, 1 },
  };
  g_array_append_val (p->lives, groups);
  if (!seg_program_dispatch (p, &d, error))
    return NULL;
  g_array_index (p->steps, SegStep, groups.step).makes_groups = TRUE;
  return &g_array_index (p->lives, SegLiveGroups, p->lives->len - 1);
}

gboolean
seg_live_add (SegProgram *p, SegStep *step, GError **error)
{
  const SegLive *live = &step->dispatch.live;
  const guint32 *all = step->dispatch.groups;
  SegLiveGroups *groups = find (p, live->rows.ref);
  if (groups == NULL && (groups = add (p, live->rows.ref, error)) == NULL)
    return FALSE;
  const guint32 entry[ENTRY] = { live->rows.num, live->rows.den, live->rows.most,
    live->items, live->first, MAX (live->per_group, 1), MAX (live->times, 1), live->axis,
    all[0], all[1], all[2] };
  step->groups = groups->groups;
  step->nth_groups = groups->entries->len / ENTRY;
  g_array_append_vals (groups->entries, entry, ENTRY);
  g_array_index (p->temps, SegTemp, groups->groups.id).last = p->steps->len;
  return TRUE;
}

void
seg_live_finish (SegProgram *p)
{
  for (guint i = 0; i < p->lives->len; i++) {
    const SegLiveGroups *groups = &g_array_index (p->lives, SegLiveGroups, i);
    SegBlob *table = &g_array_index (p->blobs, SegBlob, groups->table.id);
    SegDispatch *d = &g_array_index (p->steps, SegStep, groups->step).dispatch;
    guint n = groups->entries->len / ENTRY;
    g_free (table->data);
    table->n_bytes = groups->entries->len * sizeof (gint32);
    table->data = g_memdup2 (groups->entries->data, table->n_bytes);
    g_array_index (p->temps, SegTemp, groups->groups.id).n_elems = 4 * n;
    d->push[0] = n;
    d->groups[0] = (n + LOCAL - 1) / LOCAL;
  }
}

void
seg_live_clear (gpointer groups)
{
  g_array_unref (((SegLiveGroups *) groups)->entries);
}
