/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PasteMasks: masks [n,1,h,w] of boxes [n,4] (x0, y0, x1, y1 in whole pixels, the last ones inside) become
 * masks [n,H,W] of the whole picture, 0 outside of their boxes. Each is resized to its box, linearly, with
 * pixel centres at 0.5, as torchvision's paste_masks_in_image does in a Loop; graph/paste.c makes
 * this node of it. Input 2 is H, W; input 3 is n, as it is this time. */
#include "base/parallel.h"
#include "ops/ops.h"
#include "ops/program.h"
#include "shaders.h"

#include <math.h>

enum { MASKS, BOXES, SIZE, COUNT };

/* What a storage buffer holds on every device (maxStorageBufferRange): 2^27 bytes of fp32. */
#define MAX_DEVICE_ELEMS (1 << 25)
#define STEPS            16

static gboolean
paste_infer (SegNode *node, GError **error)
{
  const SegDesc *masks = &seg_node_input (node, MASKS)->desc;
  const SegDesc *boxes = &seg_node_input (node, BOXES)->desc;
  g_autofree gint64 *size = NULL;
  guint n;
  if (!seg_node_const_ints (node, SIZE, "size", &size, &n, error))
    return FALSE;
  gboolean ok =
      seg_desc_n_elems (&seg_node_input (node, COUNT)->desc) == 1 && n == 2 && size[0] > 0
      && size[1] > 0 && size[0] <= G_MAXINT16 && size[1] <= G_MAXINT16 && masks->rank == 4
      && masks->dims[1] == 1 && masks->dims[2] > 0 && masks->dims[3] > 0
      && boxes->rank == 2 && boxes->dims[1] == 4 && boxes->dims[0] == masks->dims[0]
      && seg_dtype_is_float (masks->dtype) && !seg_dtype_is_float (boxes->dtype);
  if (!ok) {
    g_autofree char *m = seg_desc_to_string (masks), *b = seg_desc_to_string (boxes);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s and %s are not masks [n,1,h,w] and their boxes [n,4]", m, b);
    return FALSE;
  }
  seg_node_output (node, 0)->desc =
      (SegDesc){ masks->dtype, 3, { masks->dims[0], size[0], size[1] } };
  return TRUE;
}

/* --- on the host --- */

/* Between which two pixels of n a place along an axis lies. */
typedef struct {
  gint64 low, high;
  double part; /* of the way from one to the other */
} Between;

static Between
between (gint64 at, gint64 first, gint64 last, gint64 n)
{
  double size = (double) last - (double) first + 1;
  double x = ((double) at - (double) first + 0.5) * (double) n / size - 0.5;
  x = CLAMP (x, 0, (double) n - 1);
  gint64 low = (gint64) x;
  return (Between){ low, MIN (low + 1, n - 1), x - (double) low };
}

static double
mix (double a, double b, double part)
{
  return a + (b - a) * part;
}

typedef struct {
  const float *masks;
  gint64 h, w; /* of one */
  const SegTensor *boxes;
  SegTensor *out;
} Pasting;

static void
paste_row (const Pasting *p, const float *mask, Between v, const Between *columns,
    gsize to, gsize n)
{
  const float *above = mask + v.low * p->w, *below = mask + v.high * p->w;
  float *floats = p->out->desc.dtype == SEG_DTYPE_F32 ? p->out->data : NULL;
  for (gsize i = 0; i < n; i++) {
    Between u = columns[i];
    double top = mix (above[u.low], above[u.high], u.part);
    double bottom = mix (below[u.low], below[u.high], u.part);
    double value = mix (top, bottom, v.part);
    if (floats != NULL)
      floats[to + i] = (float) value;
    else
      seg_tensor_set_double (p->out, to + i, value);
  }
}

static void
paste_one (guint number, gpointer data)
{
  const Pasting *p = data;
  gint64 height = p->out->desc.dims[1], width = p->out->desc.dims[2], box[4];
  for (guint k = 0; k < 4; k++)
    box[k] = seg_tensor_get_int (p->boxes, 4 * (gsize) number + k);
  gint64 x0 = MAX (box[0], 0), x1 = MIN (box[2], width - 1);
  gsize n = x1 >= x0 ? x1 - x0 + 1 : 0; /* boxes may end anywhere, at INT64_MIN too */
  g_autofree Between *columns = g_new (Between, n + 1);
  for (gsize i = 0; i < n; i++)
    columns[i] = between (x0 + (gint64) i, box[0], box[2], p->w);
  const float *mask = p->masks + number * p->h * p->w;
  for (gint64 y = MAX (box[1], 0); y <= MIN (box[3], height - 1); y++)
    paste_row (p, mask, between (y, box[1], box[3], p->h), columns,
        (number * height + y) * width + x0, n);
}

static gboolean
paste_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const gint64 *d = in[MASKS]->desc.dims;
  g_autoptr (SegTensor) masks = seg_tensor_convert (in[MASKS], SEG_DTYPE_F32, error);
  if (masks == NULL)
    return FALSE;
  Pasting pasting = { seg_tensor_data (masks), d[2], d[3], in[BOXES], out[0] };
  seg_parallel (d[0], paste_one, &pasting);
  return TRUE;
}

/* --- on the device --- */

static guint
paste_by_row (const SegNode *node)
{
  gboolean live = seg_node_input (node, MASKS)->size == SEG_SIZE_BOUNDED
                  && seg_node_input (node, BOXES)->size == SEG_SIZE_BOUNDED;
  return live ? 1 << MASKS | 1 << BOXES : 0;
}

/* Where all that there can be is too much for a device, the host makes those that there are. */
static gboolean
paste_on_device (const SegNode *node)
{
  return seg_node_device_types (node)
         && seg_desc_n_elems (&seg_node_output (node, 0)->desc) <= MAX_DEVICE_ELEMS;
}

static gboolean
paste_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *masks = seg_node_input (node, MASKS), *y = seg_node_output (node, 0);
  const gint64 *in = masks->desc.dims, *out = y->desc.dims;
  SegView from = seg_view (masks), boxes = seg_view (seg_node_input (node, BOXES));
  guint32 texels = (seg_desc_n_elems (&y->desc) + 3) / 4;
  guint32 n = (texels + 64 * STEPS - 1) / (64 * STEPS), columns = MIN (n, 32768);
  gboolean half = seg_program_storage (p, y) == SEG_STORAGE_F16;
  SegDispatch dispatch = {
    .shader = half ? &seg_shader_paste_masks_f16 : &seg_shader_paste_masks_f32,
    .spec = { out[2] % 4 == 0, STEPS },
    .n_spec = 2,
    .bindings = { { seg_program_value (p, masks), SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_input (node, BOXES)), SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_input (node, COUNT)), SEG_BIND_TEXEL },
        { seg_program_value (p, y), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { in[3], in[2], out[2], out[1], out[0], from.offset, boxes.offset,
        seg_view (y).offset / 4, texels },
    .n_push = 9,
    .groups = { columns, (n + columns - 1) / columns, 1 },
    .live = seg_live_times (
        seg_program_live (p, y, seg_desc_n_elems (&y->desc)), 1, 4 * 64 * STEPS),
  };
  return seg_program_dispatch (p, &dispatch, error);
}

const SegOp seg_op_paste_masks = {
  .name = "PasteMasks",
  .domain = "vkseg",
  .min_inputs = 4,
  .max_inputs = 4,
  .max_outputs = 1,
  .layout = SEG_OP_ROWS,
  .decides = SEG_OP_ALL_BUT_FIRST,
  .flags = SEG_OP_HEAVY,
  .infer = paste_infer,
  .eval = paste_eval,
  .on_device = paste_on_device,
  .emit = paste_emit,
  .by_row = paste_by_row,
};
