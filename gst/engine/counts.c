/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session-priv.h"

#include "graph/rewrite.h"

static gsize
count_bytes (const SegSession *s)
{
  return seg_session_count_offset (s, s->program->counts->len);
}

gboolean
seg_session_record_count (SegSession *s, SegCmd *cmd, const SegValue *v, GError **error)
{
  int i = seg_program_find_count (s->program, v);
  gsize at = seg_session_count_offset (s, MAX (i, 0));
  return i < 0
         || seg_cmd_copy (
             cmd, s->upload, s->counts_up + at, s->counts, at, SEG_COUNT_BYTES, error);
}

void
seg_session_fill_count (SegSession *s, const SegValue *v, const SegTensor *t)
{
  int i = seg_program_find_count (s->program, v), axis = seg_value_live_axis_of (v);
  if (i < 0)
    return;
  gint32 *to = (gint32 *) ((guint8 *) seg_buffer_map (s->upload) + s->counts_up
                           + seg_session_count_offset (s, i));
  to[0] = axis < 0 ? 0 : (gint32) MIN (t->desc.dims[axis], v->desc.dims[axis]);
}

gboolean
seg_session_record_counts (SegSession *s, SegCmd *cmd, GError **error)
{
  return seg_cmd_copy (
      cmd, s->counts, 0, s->download, s->counts_down, count_bytes (s), error);
}

/* Those of the value that is counted, clamped: what a device says is not trusted. */
static gint64
counted_rows (const SegSession *s, const SegValue *v, int axis)
{
  const SegTensor *t = s->places[v->id].tensor;
  gint64 most = v->desc.dims[axis];
  if (t != NULL)
    return (guint) axis < t->desc.rank ? t->desc.dims[axis] : most;
  int i = seg_program_find_count (s->program, v);
  if (i < 0)
    return most;
  const gint32 *count =
      (const gint32 *) ((const guint8 *) seg_buffer_map (s->download) + s->counts_down
                        + seg_session_count_offset (s, i));
  return CLAMP (count[0], 0, most);
}

gint64
seg_session_live_rows (const SegSession *s, const SegValue *v)
{
  const SegValue *counted = seg_value_counted (v);
  int axis = seg_value_live_axis_of (v), its_axis = seg_value_live_axis_of (counted);
  if (axis < 0 || its_axis < 0)
    return v->desc.rank > 0 ? v->desc.dims[0] : 1;
  gint64 most = v->desc.dims[axis], its_most = counted->desc.dims[its_axis];
  return counted_rows (s, counted, its_axis) * most / MAX (its_most, 1);
}

static gint64
most_rows (const SegValue *v)
{
  int axis = seg_value_live_axis_of (v);
  return axis >= 0 ? v->desc.dims[axis] : 0;
}

gboolean
seg_session_must_check_rows (const SegNode *node)
{
  guint inputs = seg_node_rows (node);
  const SegValue *first = NULL;
  for (guint i = 0; i < node->inputs->len && i < 32; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL || v->size != SEG_SIZE_BOUNDED || (inputs >> i & 1) == 0)
      continue;
    if (first != NULL
        && (most_rows (first) != most_rows (v)
            || seg_value_counted (first) != seg_value_counted (v)))
      return TRUE;
    first = v;
  }
  return FALSE;
}

gboolean
seg_session_check_rows (const SegSession *s, const SegNode *node, GError **error)
{
  guint inputs = seg_node_rows (node);
  gint64 rows = -1;
  for (guint i = 0; i < node->inputs->len && i < 32; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL || v->size != SEG_SIZE_BOUNDED || (inputs >> i & 1) == 0)
      continue;
    gint64 n = seg_session_live_rows (s, v);
    if (rows >= 0 && n != rows) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "its inputs have %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT " rows", rows, n);
      seg_node_prefix_error (node, error);
      return FALSE;
    }
    rows = n;
  }
  return TRUE;
}
