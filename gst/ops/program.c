/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/program.h"

#include "graph/rewrite.h"

#include <string.h>

/* --- views ------------------------------------------------------------------------------- */

static guint32
round_up (guint64 v, guint32 to)
{
  return (v + to - 1) / to * to;
}

static const SegValue *
root_of (const SegValue *value, guint32 *channel)
{
  *channel = 0;
  for (; value->base != NULL; value = value->base)
    *channel += value->channel;
  return value;
}

static guint32
pitch_of (const SegValue *value)
{
  return value->layout == SEG_LAYOUT_CHANNELS_LAST
             ? round_up (value->desc.dims[1], SEG_CHANNEL_ALIGN) + value->gap
             : 0;
}

/* Of the memory around it that has pixels. */
static guint32
pitch_around (const SegValue *value)
{
  while (value->base != NULL && value->base->layout == SEG_LAYOUT_CHANNELS_LAST)
    value = value->base;
  return pitch_of (value);
}

static guint64
spatial_elems (const SegDesc *desc)
{
  guint64 n = 1;
  for (guint i = 2; i < desc->rank; i++)
    n *= desc->dims[i];
  return n;
}

static void
fill_strides (SegView *v, SegLayout layout)
{
  guint32 step = layout == SEG_LAYOUT_CHANNELS_LAST ? v->pitch : 1;
  for (guint i = v->rank; i-- > 0;) {
    if (layout == SEG_LAYOUT_CHANNELS_LAST && i == 1) {
      v->strides[1] = 1;
      continue;
    }
    v->strides[i] = step;
    step *= v->dims[i];
  }
}

SegView
seg_view (const SegValue *value)
{
  SegView v = { .rank = value->desc.rank };
  root_of (value, &v.offset);
  for (guint i = 0; i < v.rank; i++)
    v.dims[i] = value->desc.dims[i];
  if (value->layout == SEG_LAYOUT_CHANNELS_LAST) {
    v.pitch = pitch_around (value);
    v.n_elems = pitch_of (value) * value->desc.dims[0] * spatial_elems (&value->desc);
  } else {
    v.n_elems = round_up (seg_desc_n_elems (&value->desc), 4);
  }
  fill_strides (&v, value->layout);
  return v;
}

gsize
seg_value_memory_elems (const SegValue *value)
{
  guint32 channel;
  const SegValue *root = root_of (value, &channel);
  if (root->layout == SEG_LAYOUT_CHANNELS_LAST)
    return (gsize) pitch_of (root) * root->desc.dims[0] * spatial_elems (&root->desc);
  return (seg_desc_n_elems (&root->desc) + 3) / 4 * 4;
}

gsize
seg_storage_bytes (SegStorage storage)
{
  static const guint8 bytes[] = {
    [SEG_STORAGE_F32] = 4,
    [SEG_STORAGE_F16] = 2,
    [SEG_STORAGE_I32] = 4,
    [SEG_STORAGE_B8] = 1,
  };
  return bytes[storage];
}

/* --- blobs --------------------------------------------------------------------------------- */

static SegRef
add_blob (SegProgram *p, gpointer data, gsize n_bytes, SegStorage storage)
{
  SegBlob blob = { .data = data, .n_bytes = n_bytes, .storage = storage };
  g_array_append_val (p->blobs, blob);
  return (SegRef){ SEG_REF_BLOB, p->blobs->len - 1 };
}

SegRef
seg_program_floats (SegProgram *p, const float *data, gsize n, SegStorage storage)
{
  gsize padded = MAX ((n + 3) / 4 * 4, 4);
  if (storage == SEG_STORAGE_F16) {
    guint16 *half = g_new0 (guint16, padded);
    for (gsize i = 0; i < n; i++)
      half[i] = seg_half_from_float (data[i]);
    return add_blob (p, half, padded * 2, storage);
  }
  float *copy = g_new0 (float, padded);
  memcpy (copy, data, n * sizeof *data);
  return add_blob (p, copy, padded * 4, SEG_STORAGE_F32);
}

SegRef
seg_program_take_floats (SegProgram *p, float *data, gsize n, SegStorage storage)
{
  if (storage == SEG_STORAGE_F32 && n > 0 && n % 4 == 0)
    return add_blob (p, data, n * sizeof *data, storage);
  SegRef ref = seg_program_floats (p, data, n, storage);
  g_free (data);
  return ref;
}

SegRef
seg_program_later (SegProgram *p, gsize n, SegStorage storage, SegFill fill,
    gconstpointer job, gsize job_bytes)
{
  SegRef ref = add_blob (p, NULL, n * seg_storage_bytes (storage), storage);
  SegBlob *blob = &g_array_index (p->blobs, SegBlob, ref.id);
  blob->fill = fill;
  blob->job = g_memdup2 (job, job_bytes);
  return ref;
}

void
seg_blob_write (const SegBlob *b, gpointer to)
{
  gsize n = b->n_bytes / seg_storage_bytes (b->storage);
  if (b->data != NULL) {
    memcpy (to, b->data, b->n_bytes);
  } else if (b->storage == SEG_STORAGE_F32) {
    b->fill (b->job, to, n);
  } else {
    g_autofree float *floats = g_new (float, n);
    guint16 *half = to;
    b->fill (b->job, floats, n);
    for (gsize i = 0; i < n; i++)
      half[i] = seg_half_from_float (floats[i]);
  }
}

SegRef
seg_program_ints (SegProgram *p, const gint32 *data, gsize n)
{
  gsize padded = MAX ((n + 3) / 4 * 4, 4);
  gint32 *copy = g_new0 (gint32, padded);
  memcpy (copy, data, n * sizeof *data);
  return add_blob (p, copy, padded * 4, SEG_STORAGE_I32);
}

SegRef
seg_program_bytes (SegProgram *p, const guint8 *data, gsize n)
{
  gsize padded = MAX ((n + 3) / 4 * 4, 4);
  guint8 *copy = g_new0 (guint8, padded);
  memcpy (copy, data, n);
  return add_blob (p, copy, padded, SEG_STORAGE_B8);
}

/* Where element i (row-major) of a constant lies in its layout. */
static gsize
laid_out_index (const SegView *v, gsize i)
{
  gsize at = 0;
  for (guint axis = v->rank; axis-- > 0;) {
    at += i % v->dims[axis] * v->strides[axis];
    i /= v->dims[axis];
  }
  return at;
}

static SegRef
add_constant (SegProgram *p, const SegValue *value)
{
  SegView v = seg_view (value);
  const SegTensor *t = value->constant;
  gsize n = seg_desc_n_elems (&t->desc);
  SegStorage storage = seg_program_storage (p, value);
  if (storage == SEG_STORAGE_B8) {
    g_autofree guint8 *bytes = g_new0 (guint8, v.n_elems + 1);
    for (gsize i = 0; i < n; i++)
      bytes[laid_out_index (&v, i)] = seg_tensor_get_int (t, i);
    return seg_program_bytes (p, bytes, v.n_elems);
  }
  if (storage == SEG_STORAGE_I32) {
    g_autofree gint32 *ints = g_new0 (gint32, v.n_elems + 1);
    for (gsize i = 0; i < n; i++)
      ints[laid_out_index (&v, i)] =
          CLAMP (seg_tensor_get_int (t, i), G_MININT32, G_MAXINT32);
    return seg_program_ints (p, ints, v.n_elems);
  }
  g_autofree float *floats = g_new0 (float, v.n_elems + 1);
  for (gsize i = 0; i < n; i++)
    floats[laid_out_index (&v, i)] = seg_tensor_get_double (t, i);
  return seg_program_floats (p, floats, v.n_elems, seg_program_storage (p, value));
}

SegRef
seg_program_value (SegProgram *p, const SegValue *value)
{
  if (value->constant == NULL)
    return (SegRef){ SEG_REF_VALUE, value->id };
  guint known = GPOINTER_TO_UINT (g_hash_table_lookup (p->constants, value));
  if (known == 0) {
    known = add_constant (p, value).id + 1;
    g_hash_table_insert (p->constants, (gpointer) value, GUINT_TO_POINTER (known));
  }
  return (SegRef){ SEG_REF_BLOB, known - 1 };
}

/* --- what emit asks and adds ----------------------------------------------------------------- */

const SegDeviceInfo *
seg_program_device (const SegProgram *p)
{
  return &p->device;
}

SegStorage
seg_program_precision (const SegProgram *p)
{
  return p->precision;
}

SegStorage
seg_program_storage (const SegProgram *p, const SegValue *value)
{
  if (seg_dtype_is_float (value->desc.dtype))
    return value->wide ? SEG_STORAGE_F32 : p->precision;
  return seg_dtype_bytes (value->desc.dtype) == 1 && value->desc.dtype != SEG_DTYPE_BOOL
             ? SEG_STORAGE_B8
             : SEG_STORAGE_I32;
}

guint
seg_program_store_texels (const SegProgram *p, SegStorage storage)
{
  gboolean can = storage == SEG_STORAGE_F16 || p->device.int64;
  return p->device.type == SEG_DEVICE_CPU && can ? 2 : 1;
}

SegRef
seg_program_temp (SegProgram *p, gsize n_elems, SegStorage storage)
{
  SegTemp temp = { (n_elems + 3) / 4 * 4, storage, p->steps->len, p->steps->len };
  g_array_append_val (p->temps, temp);
  return (SegRef){ SEG_REF_TEMP, p->temps->len - 1 };
}

/* --- rows that the data decides -------------------------------------------------------------- */

int
seg_program_find_count (const SegProgram *p, const SegValue *value)
{
  guint i;
  return g_ptr_array_find (p->counts, value, &i) ? (int) i : -1;
}

SegRef
seg_program_count (SegProgram *p, const SegValue *value)
{
  int known = seg_program_find_count (p, value);
  if (known < 0) {
    known = (int) p->counts->len;
    g_ptr_array_add (p->counts, (gpointer) value);
  }
  return (SegRef){ SEG_REF_COUNT, (guint) known };
}

SegRows
seg_program_fixed_rows (SegProgram *p, guint32 n)
{
  const gint32 count = (gint32) n;
  return (SegRows){ seg_program_ints (p, &count, 1), 1, 1, n };
}

static guint32
common_divisor (guint32 a, guint32 b)
{
  while (b != 0) {
    guint32 rest = a % b;
    a = b;
    b = rest;
  }
  return MAX (a, 1);
}

SegRows
seg_program_rows (SegProgram *p, const SegValue *value)
{
  int axis = seg_value_live_axis_of (value);
  if (axis < 0)
    return seg_program_fixed_rows (p, value->desc.rank > 0 ? value->desc.dims[0] : 1);
  const SegValue *counted = seg_value_counted (value);
  int its_axis = seg_value_live_axis_of (counted);
  guint32 most = value->desc.dims[axis];
  guint32 its_most = its_axis < 0 ? most : counted->desc.dims[its_axis];
  guint32 divisor = common_divisor (most, its_most);
  return (SegRows){ seg_program_count (p, counted), most / divisor, its_most / divisor,
    most };
}

gsize
seg_program_ref_bytes (const SegProgram *p, SegRef ref)
{
  const SegTemp *temp;
  switch (ref.kind) {
  case SEG_REF_BLOB: return g_array_index (p->blobs, SegBlob, ref.id).n_bytes;
  case SEG_REF_TEMP:
    temp = &g_array_index (p->temps, SegTemp, ref.id);
    return temp->n_elems * seg_storage_bytes (temp->storage);
  case SEG_REF_VALUE: {
    const SegValue *v = g_ptr_array_index (p->graph->values, ref.id);
    return seg_value_memory_elems (v) * seg_storage_bytes (seg_program_storage (p, v));
  }
  case SEG_REF_COUNT: return SEG_COUNT_BYTES;
  default: return 0;
  }
}

gsize
seg_program_ref_room (const SegProgram *p, SegRef ref)
{
  return seg_texel_room (seg_program_ref_bytes (p, ref));
}

SegStorage
seg_program_ref_storage (const SegProgram *p, SegRef ref)
{
  switch (ref.kind) {
  case SEG_REF_BLOB: return g_array_index (p->blobs, SegBlob, ref.id).storage;
  case SEG_REF_TEMP: return g_array_index (p->temps, SegTemp, ref.id).storage;
  case SEG_REF_COUNT: return SEG_STORAGE_I32;
  default: return seg_program_storage (p, g_ptr_array_index (p->graph->values, ref.id));
  }
}

static gboolean
check_binding (const SegProgram *p, const SegBinding *b, GError **error)
{
  gsize bytes = seg_program_ref_bytes (p, b->ref);
  gboolean texel =
      b->kind == SEG_BIND_TEXEL || b->kind == SEG_BIND_IMAGE || b->kind == SEG_BIND_BITS;
  gsize texel_bytes = 4 * seg_storage_bytes (seg_program_ref_storage (p, b->ref));
  guint64 limit =
      texel ? p->device.max_texels * texel_bytes : p->device.max_storage_bytes;
  limit =
      MIN (limit, G_MAXINT32 / 4 * texel_bytes); /* shaders index elements with an int */
  if (bytes <= limit)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
      "a tensor takes %" G_GSIZE_FORMAT " MiB, %s reaches %" G_GUINT64_FORMAT
      " MiB in one piece; use a smaller input, tiles or fp16",
      bytes >> 20, p->device.name, limit >> 20);
  return FALSE;
}

gboolean
seg_program_dispatch (SegProgram *p, const SegDispatch *dispatch, GError **error)
{
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    const SegBinding *b = &dispatch->bindings[i];
    if (!check_binding (p, b, error))
      return FALSE;
  }
  for (guint i = 0; i < 3; i++) {
    if (dispatch->groups[i] >= 1 && dispatch->groups[i] <= p->device.max_groups[i])
      continue;
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
        "needs %u workgroups in dimension %u, %s has at most %u; use a smaller input",
        dispatch->groups[i], i, p->device.name, p->device.max_groups[i]);
    return FALSE;
  }
  SegStep step = { .dispatch = *dispatch, .node = p->node };
  if (dispatch->live.rows.ref.kind == SEG_REF_COUNT && !seg_live_add (p, &step, error))
    return FALSE;
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    SegRef ref = dispatch->bindings[i].ref;
    if (ref.kind == SEG_REF_TEMP)
      g_array_index (p->temps, SegTemp, ref.id).last = p->steps->len;
  }
  g_array_append_val (p->steps, step);
  return TRUE;
}

/* --- programs -------------------------------------------------------------------------------- */

static gboolean
emit_node (SegProgram *p, const SegNode *node, GError **error)
{
  p->node = node;
  if (!seg_node_is_on_device (node)) {
    SegStep step = { .node = node, .host = TRUE };
    g_array_append_val (p->steps, step);
    return TRUE;
  }
  if ((node->op->flags & SEG_OP_RENAME) && seg_node_output (node, 0)->base != NULL)
    return TRUE;
  if (node->op->emit == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "is a constant too large to fold");
    seg_node_prefix_error (node, error);
    return FALSE;
  }
  if (node->op->emit (node, p, error))
    return TRUE;
  seg_node_prefix_error (node, error);
  return FALSE;
}

static void
clear_blob (gpointer data)
{
  SegBlob *blob = data;
  g_free (blob->data);
  g_free (blob->job);
}

static gboolean
device_stores_output (const SegValue *v)
{
  return v->constant != NULL && seg_desc_n_elems (&v->desc) > 0 && v->desc.rank <= 6
         && v->desc.dtype != SEG_DTYPE_F64;
}

SegProgram *
seg_program_empty (const SegDeviceInfo *device, SegStorage precision)
{
  SegProgram *p = g_new0 (SegProgram, 1);
  p->device = *device;
  p->precision = precision;
  p->steps = g_array_new (FALSE, TRUE, sizeof (SegStep));
  p->blobs = g_array_new (FALSE, TRUE, sizeof (SegBlob));
  g_array_set_clear_func (p->blobs, clear_blob);
  p->temps = g_array_new (FALSE, TRUE, sizeof (SegTemp));
  p->counts = g_ptr_array_new ();
  p->lives = g_array_new (FALSE, TRUE, sizeof (SegLiveGroups));
  g_array_set_clear_func (p->lives, seg_live_clear);
  p->constants = g_hash_table_new (NULL, NULL);
  return p;
}

static SegProgram *
new_for_graph (const SegGraph *graph, const SegDeviceInfo *device, SegStorage precision,
    SegTuning *tuning)
{
  SegProgram *p = seg_program_empty (device, precision);
  p->graph = graph;
  p->tuning = tuning;
  seg_program_measure (p);
  return p;
}

SegProgram *
seg_program_new_node (const SegGraph *graph, const SegDeviceInfo *device,
    SegStorage precision, SegTuning *tuning, guint n_node, GError **error)
{
  g_autoptr (SegProgram) p = new_for_graph (graph, device, precision, tuning);
  p->n_node = n_node;
  p->alone = TRUE;
  if (!emit_node (p, g_ptr_array_index (graph->nodes, n_node), error))
    return NULL;
  p->tuning = NULL;
  return g_steal_pointer (&p);
}

SegProgram *
seg_program_new (const SegGraph *graph, const SegDeviceInfo *device, SegStorage precision,
    SegTuning *tuning, GError **error)
{
  g_autoptr (SegProgram) p = new_for_graph (graph, device, precision, tuning);
  for (p->n_node = 0; p->n_node < graph->nodes->len; p->n_node++)
    if (!emit_node (p, g_ptr_array_index (graph->nodes, p->n_node), error))
      return NULL;
  for (guint i = 0; i < graph->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->outputs, i);
    if (device_stores_output (v))
      seg_program_value (p, v);
  }
  seg_live_finish (p);
  p->node = NULL;
  p->tuning = NULL;
  return g_steal_pointer (&p);
}

void
seg_program_free (SegProgram *p)
{
  if (p == NULL)
    return;
  g_array_unref (p->steps);
  g_array_unref (p->blobs);
  g_array_unref (p->temps);
  g_ptr_array_unref (p->counts);
  g_array_unref (p->lives);
  g_hash_table_unref (p->constants);
  g_free (p->alive_bytes);
  g_free (p);
}
