/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session-priv.h"

#include "graph/plan.h"
#include "graph/rewrite.h"

#include <string.h>

const SegValue *
seg_value_root (const SegValue *v)
{
  while (v->base != NULL)
    v = v->base;
  return v;
}

static gsize
align_up (const SegSession *s, gsize v)
{
  gsize align = seg_vk_info (s->vk)->buffer_align;
  return (v + align - 1) / align * align;
}

static SegPlace *
root_place (SegSession *s, const SegValue *v)
{
  return &s->places[seg_value_root (v)->id];
}

/* --- where values are ------------------------------------------------------------------------ */

static gboolean
made_on_host (const SegValue *v)
{
  return v->constant == NULL
         && (v->producer == NULL || !seg_node_is_on_device (v->producer));
}

/* A host step or the caller reads v: it must come down if the device made it. */
static void
mark_host_reader (SegSession *s, const SegValue *v)
{
  if (v == NULL || v->constant != NULL || made_on_host (v))
    return;
  s->places[v->id].download_offset = 0;
  root_place (s, v)->on_device = TRUE;
}

static void
mark_step (SegSession *s, const SegStep *step)
{
  if (step->host) {
    for (guint i = 0; i < step->node->inputs->len; i++)
      mark_host_reader (s, g_ptr_array_index (step->node->inputs, i));
    return;
  }
  for (guint i = 0; i < step->dispatch.n_bindings; i++) {
    SegRef ref = step->dispatch.bindings[i].ref;
    if (ref.kind == SEG_REF_VALUE)
      root_place (s, g_ptr_array_index (s->graph->values, ref.id))->on_device = TRUE;
  }
}

static void
mark_places (SegSession *s)
{
  for (guint i = 0; i < s->graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (s->graph->values, i);
    s->places[i] = (SegPlace){ made_on_host (v), FALSE, SEG_NOWHERE, SEG_NOWHERE,
      SEG_NOWHERE, NULL };
  }
  for (guint i = 0; i < s->program->steps->len; i++)
    mark_step (s, &g_array_index (s->program->steps, SegStep, i));
  for (guint i = 0; i < s->graph->outputs->len; i++)
    mark_host_reader (s, g_ptr_array_index (s->graph->outputs, i));
}

static void
place_transfers (SegSession *s, gsize *upload_bytes, gsize *download_bytes)
{
  *upload_bytes = *download_bytes = 0;
  for (guint i = 0; i < s->graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (s->graph->values, i);
    SegPlace *place = &s->places[i];
    gsize bytes = align_up (s, seg_texel_room (seg_session_host_bytes (v)));
    if (place->on_host && place->on_device) {
      place->upload_offset = *upload_bytes;
      *upload_bytes += bytes;
    }
    if (place->download_offset != SEG_NOWHERE) {
      place->download_offset = *download_bytes;
      *download_bytes += bytes;
    }
  }
}

/* --- the arena --------------------------------------------------------------------------------- */

static void
extend (SegPlanItem *item, guint step)
{
  item->first = MIN (item->first, step);
  item->last = MAX (item->last, step);
}

/* Items of all values (those not on the device have no bytes), then the temporaries. Step 0 is
 * what happens before the program's first, n + 1 what happens after its last. */
static void
measure_lives (SegSession *s, SegPlanItem *items)
{
  const SegProgram *p = s->program;
  guint n_values = s->graph->values->len, end = p->steps->len + 1;
  for (guint i = 0; i < n_values; i++) {
    const SegValue *v = g_ptr_array_index (s->graph->values, i);
    gsize bytes = s->places[i].on_device
                      ? seg_program_ref_room (p, (SegRef){ SEG_REF_VALUE, i })
                      : 0;
    items[i] = (SegPlanItem){ bytes, v->is_input ? 0 : end, 0, 0 };
  }
  for (guint t = 0; t < p->temps->len; t++) {
    const SegTemp *temp = &g_array_index (p->temps, SegTemp, t);
    items[n_values + t] =
        (SegPlanItem){ seg_program_ref_room (p, (SegRef){ SEG_REF_TEMP, t }),
          temp->first + 1, temp->last + 1, 0 };
  }
  for (guint i = 0; i < p->steps->len; i++) {
    const SegStep *step = &g_array_index (p->steps, SegStep, i);
    for (guint b = 0; b < step->dispatch.n_bindings; b++) {
      SegRef ref = step->dispatch.bindings[b].ref;
      if (ref.kind == SEG_REF_VALUE)
        extend (&items[seg_value_root (g_ptr_array_index (s->graph->values, ref.id))->id],
            i + 1);
    }
    for (guint k = 0; step->host && k < step->node->inputs->len; k++) {
      const SegValue *v = g_ptr_array_index (step->node->inputs, k);
      if (v != NULL)
        extend (&items[seg_value_root (v)->id], i + 1);
    }
    for (guint k = 0; step->host && k < step->node->outputs->len; k++) {
      const SegValue *v = g_ptr_array_index (step->node->outputs, k);
      if (v != NULL)
        extend (&items[v->id], i + 1);
    }
  }
  for (guint i = 0; i < s->graph->outputs->len; i++)
    extend (&items[seg_value_root (g_ptr_array_index (s->graph->outputs, i))->id], end);
}

/* Plans those items that take room: n_values values, then temporaries. */
static gsize
plan_items (SegSession *s, SegPlanItem *items, guint n_values, guint n)
{
  g_autofree SegPlanItem *planned = g_new (SegPlanItem, n + 1);
  g_autofree guint *which = g_new (guint, n + 1);
  guint n_planned = 0, n_tensors = 0;
  for (guint i = 0; i < n; i++) {
    if (items[i].n_bytes == 0)
      continue;
    n_tensors += i < n_values;
    which[n_planned] = i;
    planned[n_planned++] = items[i];
  }
  gsize align = seg_vk_info (s->vk)->buffer_align;
  gsize total = seg_plan (planned, n_planned, align);
  s->stats.peak_bytes = seg_plan_peak (planned, n_planned, align);
  s->stats.tensor_bytes = seg_plan_peak (planned, n_tensors, align);
  for (guint i = 0; i < n_planned; i++)
    items[which[i]].offset = planned[i].offset;
  return total;
}

static gboolean
make_arena (SegSession *s, GError **error)
{
  guint n_values = s->graph->values->len, n_temps = s->program->temps->len;
  g_autofree SegPlanItem *items = g_new0 (SegPlanItem, n_values + n_temps + 1);
  measure_lives (s, items);
  gsize total = plan_items (s, items, n_values, n_values + n_temps);
  for (guint i = 0; i < n_values; i++)
    if (items[i].n_bytes > 0)
      s->places[i].arena_offset = items[i].offset;
  s->temp_offsets = g_new0 (gsize, n_temps + 1);
  for (guint t = 0; t < n_temps; t++)
    s->temp_offsets[t] = items[n_values + t].offset;
  s->stats.arena_bytes = total;
  if (total == 0)
    return TRUE;
  s->arena = seg_buffer_new_for_images (s->vk, total, SEG_BUFFER_DEVICE, error);
  if (s->arena != NULL && s->poison) {
    s->poison_bytes = seg_buffer_new (s->vk, total, SEG_BUFFER_UPLOAD, error);
    if (s->poison_bytes == NULL)
      return FALSE;
    memset (seg_buffer_map (s->poison_bytes), 0xff, total);
  }
  return s->arena != NULL;
}

/* --- all ----------------------------------------------------------------------------------------- */

gsize
seg_session_count_offset (const SegSession *s, guint i)
{
  return i * align_up (s, seg_texel_room (SEG_COUNT_BYTES));
}

/* The counts go up and down behind all else. */
static gboolean
make_counts (SegSession *s, gsize *up, gsize *down, GError **error)
{
  gsize bytes = seg_session_count_offset (s, s->program->counts->len);
  s->counts_up = *up;
  s->counts_down = *down;
  *up += bytes;
  *down += bytes;
  return bytes == 0
         || (s->counts = seg_buffer_new (s->vk, bytes, SEG_BUFFER_DEVICE, error)) != NULL;
}

gboolean
seg_session_place (SegSession *s, GError **error)
{
  gsize up = 0, down = 0;
  s->places = g_new0 (SegPlace, s->graph->values->len + 1);
  mark_places (s);
  place_transfers (s, &up, &down);
  if (!make_arena (s, error)) {
    g_prefix_error (error, "memory for activations: ");
    return FALSE;
  }
  if (!make_counts (s, &up, &down, error)) {
    g_prefix_error (error, "memory for counts of rows: ");
    return FALSE;
  }
  if (up > 0
      && (s->upload = seg_buffer_new (s->vk, up, SEG_BUFFER_UPLOAD, error)) == NULL)
    return FALSE;
  if (down > 0
      && (s->download = seg_buffer_new (s->vk, down, SEG_BUFFER_READBACK, error)) == NULL)
    return FALSE;
  return TRUE;
}

/* --- views ---------------------------------------------------------------------------------------- */

SegViewKind
seg_session_view_kind (SegBindKind kind, SegStorage storage)
{
  gboolean texel = kind == SEG_BIND_TEXEL || kind == SEG_BIND_BITS;
  if (texel && storage == SEG_STORAGE_B8)
    return SEG_VIEW_TEXEL_U8X4;
  switch (kind) {
  case SEG_BIND_TEXEL:
    return storage == SEG_STORAGE_F16   ? SEG_VIEW_TEXEL_F16X4
           : storage == SEG_STORAGE_F32 ? SEG_VIEW_TEXEL_F32X4
                                        : SEG_VIEW_TEXEL_I32X4;
  case SEG_BIND_IMAGE:
    return storage == SEG_STORAGE_F16 ? SEG_VIEW_IMAGE_F16X4 : SEG_VIEW_IMAGE_F32X4;
  case SEG_BIND_BITS:
    return storage == SEG_STORAGE_F16 ? SEG_VIEW_TEXEL_U16X4 : SEG_VIEW_TEXEL_U32X4;
  case SEG_BIND_BUFFER_READ: return SEG_VIEW_STORAGE_READ;
  case SEG_BIND_BUFFER_WRITE: return SEG_VIEW_STORAGE_WRITE;
  default: return SEG_VIEW_STORAGE_READ_WRITE;
  }
}

SegBufferView
seg_session_view (const SegSession *s, SegRef ref, SegBindKind kind)
{
  SegBufferView view = {
    .kind = seg_session_view_kind (kind, seg_program_ref_storage (s->program, ref)),
  };
  view.n_bytes =
      seg_view_room (s->vk, view.kind, seg_program_ref_bytes (s->program, ref));
  switch (ref.kind) {
  case SEG_REF_BLOB:
    view.buffer = s->network->weights;
    view.offset = s->network->blob_offsets[ref.id];
    break;
  case SEG_REF_TEMP:
    view.buffer = s->arena;
    view.offset = s->temp_offsets[ref.id];
    break;
  case SEG_REF_COUNT:
    view.buffer = s->counts;
    view.offset = seg_session_count_offset (s, ref.id);
    break;
  default:
    view.buffer = s->arena;
    view.offset =
        s->places[seg_value_root (g_ptr_array_index (s->graph->values, ref.id))->id]
            .arena_offset;
  }
  return view;
}
