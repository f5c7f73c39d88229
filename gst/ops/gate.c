/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gate: what squeeze and excitation multiplies the channels of a map by. Input 0 [1,C,h,w] becomes its means
 * [C]; those are mixed to H numbers by input 1 [H,C,1,1] and input 2 [H], which go through `act`, and
 * these to [1,M,1,1] by input 3 [M,H,1,1] and input 4 [M]. Of two maps, the other being input 5
 * [1,C,...], the means are added up. All but the maps are constants; graph/gates.c makes this node of
 * the operators that say so. */
#include "graph/gate.h"
#include "ops/epilogue.h"
#include "ops/ops.h"
#include "shaders.h"

/* Texels of a map that one workgroup adds up by itself; of more, others make sums of parts before. */
#define MOST_ALONE_ON_CPU 16384
#define MOST_ALONE        2048
#define MAX_PARTS         256
#define LOCAL             128 /* on GPUs */

static gboolean
is_map (const SegDesc *d, gint64 channels)
{
  return d->rank == 4 && d->dims[0] == 1 && d->dims[1] == channels
         && seg_dtype_is_float (d->dtype) && seg_desc_n_elems (d) > 0;
}

static gboolean
is_mixer (const SegNode *node, guint k, gint64 from)
{
  const SegValue *weights = seg_node_input (node, k);
  if (weights == NULL || weights->constant == NULL)
    return FALSE;
  const SegDesc *w = &weights->desc;
  const SegValue *bias = seg_node_input (node, k + 1);
  return w->rank == 4 && w->dims[1] == from && w->dims[0] > 0
         && seg_desc_n_elems (w) == w->dims[0] * from
         && (bias == NULL
             || (bias->constant != NULL && seg_desc_n_elems (&bias->desc) == w->dims[0]));
}

static gboolean
gate_parse (SegNode *node, GError **error)
{
  SegGateParams *params = node->params;
  gint64 kind = seg_node_attr_int (node, "act", SEG_ACT_NONE);
  if (kind < 0 || kind >= SEG_ACT_COUNT) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "there is no act %" G_GINT64_FORMAT, kind);
    return FALSE;
  }
  params->act = (SegAct){ (SegActKind) kind, seg_node_attr_float (node, "a", 0),
    seg_node_attr_float (node, "b", 0) };
  return TRUE;
}

static gboolean
gate_infer (SegNode *node, GError **error)
{
  const SegDesc *x = &seg_node_input (node, SEG_GATE_MAP)->desc;
  const SegValue *other = seg_node_input (node, SEG_GATE_OTHER);
  const SegValue *hidden = seg_node_input (node, SEG_GATE_HIDDEN);
  const SegValue *last = seg_node_input (node, SEG_GATE_OUT);
  gboolean ok = x->rank == 4 && is_map (x, x->dims[1])
                && is_mixer (node, SEG_GATE_HIDDEN, x->dims[1])
                && is_mixer (node, SEG_GATE_OUT, hidden->desc.dims[0])
                && (other == NULL || is_map (&other->desc, x->dims[1]))
                && x->dims[1] <= SEG_GATE_MAX && last->desc.dims[0] <= SEG_GATE_MAX
                && hidden->desc.dims[0] <= SEG_GATE_MAX_HIDDEN;
  if (!ok) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "is for a map [1,C,h,w] and constant weights, of at most %d channels",
        SEG_GATE_MAX);
    return FALSE;
  }
  seg_node_output (node, 0)->desc =
      (SegDesc){ x->dtype, 4, { 1, last->desc.dims[0], 1, 1 } };
  return TRUE;
}

/* --- on the host --- */

static void
add_means (const SegTensor *map, double *means)
{
  gint64 channels = map->desc.dims[1], n = map->desc.dims[2] * map->desc.dims[3];
  for (gint64 c = 0; c < channels; c++) {
    double sum = 0.0;
    for (gint64 i = 0; i < n; i++)
      sum += seg_tensor_get_double (map, (gsize) (c * n + i));
    means[c] += sum / (double) n;
  }
}

static double
mixed (const SegTensor *weights, const SegTensor *bias, const double *from, gint64 n,
    gint64 m)
{
  double sum = bias != NULL ? seg_tensor_get_double (bias, (gsize) m) : 0.0;
  for (gint64 k = 0; k < n; k++)
    sum += from[k] * seg_tensor_get_double (weights, (gsize) (m * n + k));
  return sum;
}

static gboolean
gate_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegGateParams *params = node->params;
  gint64 channels = in[SEG_GATE_MAP]->desc.dims[1];
  gint64 n_hidden = in[SEG_GATE_HIDDEN]->desc.dims[0], made = out[0]->desc.dims[1];
  g_autofree double *means = g_new0 (double, channels);
  g_autofree double *hidden = g_new0 (double, n_hidden);
  add_means (in[SEG_GATE_MAP], means);
  if (seg_node_input (node, SEG_GATE_OTHER) != NULL)
    add_means (in[SEG_GATE_OTHER], means);
  for (gint64 m = 0; m < n_hidden; m++)
    hidden[m] = seg_act_apply (params->act,
        mixed (in[SEG_GATE_HIDDEN], in[SEG_GATE_HIDDEN + 1], means, channels, m));
  for (gint64 m = 0; m < made; m++)
    seg_tensor_set_double (out[0], (gsize) m,
        mixed (in[SEG_GATE_OUT], in[SEG_GATE_OUT + 1], hidden, n_hidden, m));
  return TRUE;
}

/* --- on the device --- */

/* A map as the shader adds it up. */
typedef struct {
  SegRef ref;
  guint32 n, pitch4, offset4; /* pixels, or sums of some of them */
} Pixels;

static gboolean
on_cpu (const SegProgram *p)
{
  return seg_program_device (p)->type == SEG_DEVICE_CPU;
}

/* Sums of parts of it. */
static gboolean
sum_parts (Pixels *x, guint32 c4, SegProgram *p, GError **error)
{
  guint32 most = on_cpu (p) ? 256 : 8192, n_parts = CLAMP (most / c4, 2, MAX_PARTS);
  guint32 each = (x->n + n_parts - 1) / n_parts;
  n_parts = (x->n + each - 1) / each;
  SegRef sums = seg_program_temp (p, (gsize) 4 * c4 * n_parts, SEG_STORAGE_F32);
  SegDispatch d = {
    .shader = &seg_shader_gate_sums,
    .bindings = { { x->ref, SEG_BIND_TEXEL }, { sums, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
    .push = { x->n, x->pitch4, x->offset4, c4, n_parts, each },
    .n_push = 6,
    .groups = { (n_parts * c4 + 63) / 64, 1, 1 },
  };
  *x = (Pixels){ sums, n_parts, c4, 0 };
  return seg_program_dispatch (p, &d, error);
}

static gboolean
find_pixels (Pixels *x, const SegValue *map, guint32 c4, SegProgram *p, GError **error)
{
  SegView v = seg_view (map);
  *x = (Pixels){ seg_program_value (p, map), v.dims[2] * v.dims[3], v.pitch / 4,
    v.offset / 4 };
  gboolean alone = (guint64) x->n * c4 <= (on_cpu (p) ? MOST_ALONE_ON_CPU : MOST_ALONE);
  return alone || sum_parts (x, c4, p, error);
}

static guint32
round_up (guint32 n, guint32 to)
{
  return (n + to - 1) / to * to;
}

/* [texel of inputs][output], so that neighbouring lanes read neighbouring texels. */
static SegRef
pack (const SegTensor *w, guint32 padded, SegProgram *p)
{
  guint32 made = (guint32) w->desc.dims[0], n = (guint32) w->desc.dims[1];
  gsize n_floats = (gsize) round_up (n, 4) * padded;
  float *data = g_new0 (float, n_floats);
  for (guint32 m = 0; m < made; m++)
    for (guint32 k = 0; k < n; k++)
      data[((gsize) (k / 4) * padded + m) * 4 + k % 4] =
          (float) seg_tensor_get_double (w, (gsize) m * n + k);
  return seg_program_take_floats (p, data, n_floats, seg_program_precision (p));
}

/* One number a texel for what lanes make, then four a texel for the result. */
static SegRef
pack_biases (const SegNode *node, guint32 padded, SegProgram *p)
{
  const SegValue *hidden = seg_node_input (node, SEG_GATE_HIDDEN + 1);
  const SegValue *out = seg_node_input (node, SEG_GATE_OUT + 1);
  guint32 made = (guint32) seg_node_output (node, 0)->desc.dims[1];
  gsize n_floats = (gsize) 4 * padded + round_up (made, 8);
  float *data = g_new0 (float, n_floats);
  for (gsize m = 0; hidden != NULL && m < (gsize) seg_desc_n_elems (&hidden->desc); m++)
    data[4 * m] = (float) seg_tensor_get_double (hidden->constant, m);
  for (gsize m = 0; out != NULL && m < made; m++)
    data[4 * padded + m] = (float) seg_tensor_get_double (out->constant, m);
  return seg_program_take_floats (p, data, n_floats, SEG_STORAGE_F32);
}

/* Outputs that a lane makes at once, so that all lanes, a power of two, make whole texels. */
static guint32
per_lane (guint32 n, guint32 local)
{
  guint32 least = local < 4 ? 4 / local : 1;
  return round_up (CLAMP ((n + local - 1) / local, 1, 4), least);
}

static void
fill_spec (SegDispatch *d, const SegGateParams *params, guint32 local, guint32 c4,
    guint32 hidden, guint32 made, gboolean two)
{
  const guint32 spec[] = { local, MAX (local / c4, 1), per_lane (hidden, local),
    per_lane (made, local), params->act.kind, seg_float_bits (params->act.a),
    seg_float_bits (params->act.b), two };
  for (guint i = 0; i < G_N_ELEMENTS (spec); i++)
    d->spec[i] = spec[i];
}

static gboolean
gate_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *map = seg_node_input (node, SEG_GATE_MAP);
  const SegValue *other = seg_node_input (node, SEG_GATE_OTHER);
  const SegValue *y = seg_node_output (node, 0);
  const SegValue *w1 = seg_node_input (node, SEG_GATE_HIDDEN);
  const SegValue *w2 = seg_node_input (node, SEG_GATE_OUT);
  SegView in = seg_view (map), out = seg_view (y);
  guint32 local = on_cpu (p) ? seg_program_device (p)->subgroup_size : LOCAL;
  guint32 c4 = (in.dims[1] + 3) / 4, hidden = (guint32) w1->desc.dims[0];
  guint32 n_first = in.dims[2] * in.dims[3];
  guint32 n_other =
      other != NULL ? seg_view (other).dims[2] * seg_view (other).dims[3] : 1;
  Pixels a, b;
  if (!find_pixels (&a, map, c4, p, error))
    return FALSE;
  b = a;
  if (other != NULL && !find_pixels (&b, other, c4, p, error))
    return FALSE;
  guint32 hidden_padded = round_up (hidden, local * per_lane (hidden, local));
  guint32 made_padded = round_up (out.dims[1], local * per_lane (out.dims[1], local));
  SegRef biases = pack_biases (node, hidden_padded, p);
  SegDispatch d = {
    .shader = seg_program_storage (p, y) == SEG_STORAGE_F16 ? &seg_shader_gate_f16
                                                            : &seg_shader_gate_f32,
    .bindings = { { a.ref, SEG_BIND_TEXEL }, { b.ref, SEG_BIND_TEXEL },
        { pack (w1->constant, hidden_padded, p), SEG_BIND_TEXEL },
        { pack (w2->constant, made_padded, p), SEG_BIND_TEXEL },
        { biases, SEG_BIND_TEXEL }, { seg_program_value (p, y), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 6,
    .push = { a.n, a.pitch4, a.offset4, b.n, b.pitch4, b.offset4, c4, (hidden + 3) / 4,
        hidden_padded, made_padded, out.dims[1], out.offset / 4,
        seg_float_bits (1.0f / (float) n_first),
        seg_float_bits (1.0f / (float) n_other) },
    .n_push = 14,
    .groups = { 1, 1, 1 },
  };
  fill_spec (&d, node->params, local, c4, hidden, out.dims[1], other != NULL);
  seg_epilogue_add (&d, node, p, biases);
  return seg_program_dispatch (p, &d, error);
}

/* Every number is made of all channels and pixels. */
static gboolean
gate_align (const SegNode *node, guint axis, SegAlign *align)
{
  align->in_axis = axis;
  return axis == 0;
}

const SegOp seg_op_gate = {
  .name = "Gate",
  .domain = "vkseg",
  .min_inputs = 2,
  .max_inputs = 6,
  .max_outputs = 1,
  .layout = SEG_OP_CHANNELS_LAST,
  .flags = SEG_OP_EPILOGUE_ACT,
  .params_size = sizeof (SegGateParams),
  .parse = gate_parse,
  .infer = gate_infer,
  .eval = gate_eval,
  .emit = gate_emit,
  .align = gate_align,
};
