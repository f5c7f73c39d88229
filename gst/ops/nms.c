/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NonMaxSuppression: greedy, per batch and class, best score first, of equals the one with the
 * lower index. Arithmetic is in float, so that decisions near the threshold are those of others. */
#include "ops/ops.h"
#include "ops/ranking.h"
#include "shaders.h"

#include <string.h>

static gboolean
is_boxes (const SegDesc *boxes, const SegDesc *scores)
{
  return boxes->rank == 3 && scores->rank == 3 && boxes->dims[2] == 4
         && boxes->dims[0] == scores->dims[0] && boxes->dims[1] == scores->dims[2]
         && seg_dtype_is_float (boxes->dtype) && seg_dtype_is_float (scores->dtype);
}

/* The most boxes of a class, where that is known at load. */
static gint64
limit_of (const SegNode *node, gint64 n_boxes)
{
  const SegValue *v = seg_node_input (node, 2);
  if (v == NULL)
    return 0;
  if (v->constant == NULL || seg_desc_n_elems (&v->desc) != 1)
    return n_boxes;
  return CLAMP (seg_tensor_get_int (v->constant, 0), 0, n_boxes);
}

static gboolean
nms_infer (SegNode *node, GError **error)
{
  const SegDesc *boxes = &seg_node_input (node, 0)->desc;
  const SegDesc *scores = &seg_node_input (node, 1)->desc;
  SegValue *out = seg_node_output (node, 0);
  if (!is_boxes (boxes, scores)) {
    g_autofree char *a = seg_desc_to_string (boxes), *b = seg_desc_to_string (scores);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "boxes %s and scores %s are not [batch,n,4] and [batch,classes,n]", a, b);
    return FALSE;
  }
  for (guint i = 2; i < node->inputs->len; i++) {
    const SegValue *v = seg_node_input (node, i);
    if (v != NULL && v->size == SEG_SIZE_FIXED && seg_desc_n_elems (&v->desc) != 1) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "input %u is not a single number", i);
      return FALSE;
    }
  }
  SegDesc rows = { SEG_DTYPE_I64, 3,
    { boxes->dims[0], scores->dims[1], limit_of (node, boxes->dims[1]) } };
  out->desc = (SegDesc){ SEG_DTYPE_I64, 2, { seg_desc_n_elems (&rows), 3 } };
  seg_value_live_axis (out, 0);
  return TRUE;
}

/* --- on the host --- */

typedef struct {
  float x1, y1, x2, y2, area;
} Box;

typedef struct {
  float score;
  gint64 index;
} Candidate;

static Box
read_box (const SegTensor *t, gsize at, gboolean center)
{
  float v[4];
  for (guint i = 0; i < 4; i++)
    v[i] = (float) seg_tensor_get_double (t, at + i);
  Box b;
  if (center) /* x, y of the centre, width, height */
    b = (Box){ v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2, 0 };
  else /* two corners, in any order, y first */
    b = (Box){ MIN (v[1], v[3]), MIN (v[0], v[2]), MAX (v[1], v[3]), MAX (v[0], v[2]),
      0 };
  b.area = (b.x2 - b.x1) * (b.y2 - b.y1);
  return b;
}

static gboolean
overlaps (const Box *a, const Box *b, float threshold)
{
  float width = MIN (a->x2, b->x2) - MAX (a->x1, b->x1);
  float height = MIN (a->y2, b->y2) - MAX (a->y1, b->y1);
  if (!(width > 0 && height > 0) || a->area <= 0 || b->area <= 0)
    return FALSE;
  float both = width * height, either = a->area + b->area - both;
  return either > 0 && both / either > threshold;
}

static int
compare_candidates (gconstpointer pa, gconstpointer pb)
{
  const Candidate *a = pa, *b = pb;
  if (a->score != b->score)
    return a->score > b->score ? -1 : 1;
  return a->index < b->index ? -1 : a->index > b->index;
}

typedef struct {
  gint64 limit;
  float iou, score;
  gboolean has_score;
  /* of a batch */
  Box *boxes;
  gint64 n_boxes;
  /* working room for n_boxes */
  Candidate *candidates;
  gint64 *kept;
} Nms;

static gint64
gather_candidates (Nms *nms, const SegTensor *scores, gsize first)
{
  gint64 n = 0;
  for (gint64 i = 0; i < nms->n_boxes; i++) {
    float score = (float) seg_tensor_get_double (scores, first + i);
    if (nms->has_score ? score > nms->score : score == score) /* no NaN */
      nms->candidates[n++] = (Candidate){ score, i };
  }
  qsort (nms->candidates, n, sizeof *nms->candidates, compare_candidates);
  return n;
}

static gint64
suppress (Nms *nms, gint64 n_candidates)
{
  gint64 n_kept = 0;
  for (gint64 i = 0; i < n_candidates && n_kept < nms->limit; i++) {
    const Box *box = &nms->boxes[nms->candidates[i].index];
    gboolean keep = TRUE;
    for (gint64 k = 0; keep && k < n_kept; k++)
      keep = !overlaps (box, &nms->boxes[nms->kept[k]], nms->iou);
    if (keep)
      nms->kept[n_kept++] = nms->candidates[i].index;
  }
  return n_kept;
}

#define MAX_ROWS (1 << 24)

static gboolean
run_all (Nms *nms, const SegTensor *boxes, const SegTensor *scores, gboolean center,
    GArray *rows, GError **error)
{
  for (gint64 b = 0; b < boxes->desc.dims[0]; b++) {
    for (gint64 i = 0; i < nms->n_boxes; i++)
      nms->boxes[i] = read_box (boxes, (b * nms->n_boxes + i) * 4, center);
    for (gint64 c = 0; c < scores->desc.dims[1]; c++) {
      gsize first = (b * scores->desc.dims[1] + c) * nms->n_boxes;
      gint64 n_kept = suppress (nms, gather_candidates (nms, scores, first));
      for (gint64 k = 0; k < n_kept; k++) {
        gint64 row[3] = { b, c, nms->kept[k] };
        g_array_append_vals (rows, row, 3);
      }
      if (rows->len > 3 * MAX_ROWS) {
        g_set_error (
            error, SEG_ERROR, SEG_ERROR_MEMORY, "more than %d boxes remain", MAX_ROWS);
        return FALSE;
      }
    }
  }
  return TRUE;
}

static double
number (const SegNode *node, SegTensor *const *in, guint i, double fallback)
{
  return i < node->inputs->len && in[i] != NULL && seg_desc_n_elems (&in[i]->desc) > 0
             ? seg_tensor_get_double (in[i], 0)
             : fallback;
}

static gboolean
nms_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gint64 n = in[0]->desc.dims[1];
  g_autofree Box *boxes = g_try_new (Box, n + 1);
  g_autofree Candidate *candidates = g_try_new (Candidate, n + 1);
  g_autofree gint64 *kept = g_try_new (gint64, n + 1);
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (boxes == NULL || candidates == NULL || kept == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "not enough memory for the boxes");
    return FALSE;
  }
  Nms nms = { .limit = (gint64) CLAMP (number (node, in, 2, 0), 0, n),
    .iou = (float) number (node, in, 3, 0),
    .has_score = node->inputs->len > 4 && in[4] != NULL,
    .score = (float) number (node, in, 4, 0),
    .boxes = boxes,
    .n_boxes = n,
    .candidates = candidates,
    .kept = kept };
  gboolean center = seg_node_attr_int (node, "center_point_box", 0) != 0;
  if (nms.limit > 0 && !run_all (&nms, in[0], in[1], center, rows, error))
    return FALSE;
  out[0] = seg_tensor_new (&(SegDesc){ SEG_DTYPE_I64, 2, { rows->len / 3, 3 } }, error);
  if (out[0] != NULL && rows->len > 0)
    memcpy (out[0]->data, rows->data, out[0]->n_bytes);
  return out[0] != NULL;
}

/* --- on the device --- */

#define MAX_CANDIDATES (1 << 22) /* of all classes together */

/* The boxes may be live, as many as there are scores. */
static guint
nms_by_row (const SegNode *node)
{
  gboolean ok = seg_value_live_axis_of (seg_node_input (node, 0)) == 1
                && seg_value_live_axis_of (seg_node_input (node, 1)) == 2;
  for (guint i = 2; i < node->inputs->len; i++)
    ok &= seg_node_input (node, i) == NULL
          || seg_node_input (node, i)->size == SEG_SIZE_FIXED;
  return ok ? 3 : 0;
}

static gboolean
nms_on_device (const SegNode *node)
{
  for (guint i = 2; i < node->inputs->len; i++)
    if (seg_node_input (node, i) != NULL && seg_node_input (node, i)->constant == NULL)
      return FALSE;
  return seg_node_device_types (node)
         && seg_desc_n_elems (&seg_node_input (node, 1)->desc) <= MAX_CANDIDATES;
}

/* As of a number input, which is a constant. */
static float
constant_number (const SegNode *node, guint i, double fallback)
{
  const SegValue *v = seg_node_input (node, i);
  return v != NULL && seg_desc_n_elems (&v->desc) > 0
             ? (float) seg_tensor_get_double (v->constant, 0)
             : (float) fallback;
}

/* Temporaries of all batches and classes: which boxes are kept, and how many. */
typedef struct {
  SegRef kept, counts;
  guint32 limit;
} Chosen;

#define BLOCK 64 /* candidates that a workgroup looks at together */

/* Invocations for each of them: few on a CPU, which has no more lanes for them. */
static guint32
parts_of (const SegRanking *r, const SegDeviceInfo *device)
{
  guint32 parts = r->n <= 4 * BLOCK ? 1 : device->type == SEG_DEVICE_CPU ? 4 : 16;
  while (parts > 1 && BLOCK * parts > device->max_invocations)
    parts /= 2;
  return parts;
}

static gboolean
emit_suppression (const SegNode *node, SegProgram *p, const SegRanking *r,
    const SegKept *ranked, SegRef pairs, const Chosen *chosen, GError **error)
{
  float iou = constant_number (node, 3, 0);
  SegDispatch d = {
    .shader = &seg_shader_nms,
    .spec = { seg_node_attr_int (node, "center_point_box", 0) != 0,
        BLOCK * parts_of (r, seg_program_device (p)) },
    .n_spec = 2,
    .bindings = { { seg_program_value (p, seg_node_input (node, 0)), SEG_BIND_TEXEL },
        { ranked->totals, SEG_BIND_BITS }, { pairs, SEG_BIND_BUFFER_READ },
        { seg_program_temp (p, 4 * (gsize) r->rows * r->n, SEG_STORAGE_F32),
            SEG_BIND_BUFFER_READ_WRITE },
        { chosen->kept, SEG_BIND_BUFFER_WRITE },
        { chosen->counts, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 6,
    .push = { r->n, r->rows, seg_node_input (node, 1)->desc.dims[1], chosen->limit },
    .n_push = 5,
  };
  memcpy (&d.push[4], &iou, sizeof iou);
  seg_groups_for (&d, r->rows);
  return seg_program_dispatch (p, &d, error);
}

static gboolean
emit_rows (const SegNode *node, SegProgram *p, const SegRanking *r, const Chosen *chosen,
    GError **error)
{
  const SegValue *out = seg_node_output (node, 0);
  SegRef count = seg_program_count (p, out);
  SegDispatch d = {
    .shader = &seg_shader_nms_rows,
    .bindings = { { chosen->kept, SEG_BIND_BITS }, { chosen->counts, SEG_BIND_BITS },
        { count, SEG_BIND_BITS }, { seg_program_value (p, out), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { r->rows, seg_node_input (node, 1)->desc.dims[1], chosen->limit },
    .n_push = 3,
  };
  seg_groups_for (&d, ((guint64) r->rows * chosen->limit + 63) / 64);
  return seg_ranking_emit_scan (p, chosen->counts, r->rows, 1,
             seg_program_temp (p, 1, SEG_STORAGE_I32), count, error)
         && seg_program_dispatch (p, &d, error);
}

static gboolean
nms_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *scores = seg_node_input (node, 1);
  const gint64 *dims = scores->desc.dims;
  gboolean has_score = seg_node_input (node, 4) != NULL;
  SegRanking r = { .source = scores,
    .n = dims[2],
    .rows = dims[0] * dims[1],
    .inner = 1,
    .keep = has_score ? SEG_KEEP_ABOVE : SEG_KEEP_NUMBER,
    .above = constant_number (node, 4, 0) };
  r.live = scores->size == SEG_SIZE_BOUNDED ? seg_program_rows (p, scores)
                                            : seg_program_fixed_rows (p, r.n);
  SegKept ranked;
  SegRef pairs;
  if (!seg_ranking_emit_pairs (p, &r, &ranked, &pairs, error))
    return FALSE;
  Chosen chosen = { .limit = limit_of (node, dims[2]) };
  chosen.kept = seg_program_temp (p, (gsize) r.rows * chosen.limit, SEG_STORAGE_I32);
  chosen.counts = seg_program_temp (p, r.rows, SEG_STORAGE_I32);
  return emit_suppression (node, p, &r, &ranked, pairs, &chosen, error)
         && emit_rows (node, p, &r, &chosen, error);
}

const SegOp seg_op_nms = {
  .name = "NonMaxSuppression",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 5,
  .max_outputs = 1,
  .decides = SEG_OP_ALL,
  .flags = SEG_OP_LIVE | SEG_OP_ANY_LIVE_AXIS,
  .infer = nms_infer,
  .eval = nms_eval,
  .on_device = nms_on_device,
  .emit = nms_emit,
  .by_row = nms_by_row,
  .counts = seg_counts_rows,
};
