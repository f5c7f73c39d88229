/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-transpose.h"
#include "ops/epilogue.h"
#include "shaders.h"

#define LOCAL 64

static gint64
gcd (gint64 a, gint64 b)
{
  return b == 0 ? a : gcd (b, a % b);
}

static guint32
tap_step (const SegWindowAxis *a)
{
  return a->stride / gcd (a->stride, a->dilation);
}

gboolean
seg_transpose_gather_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  const SegValue *weights = seg_node_input (job->node, 1);
  const SegValue *bias = seg_node_input (job->node, 2);
  SegView w = seg_view (weights);
  guint64 items =
      (guint64) job->batch * job->y.out * job->x.out * ((job->out_c + 7) / 8 * 2);
  if (items > G_MAXINT32) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "the feature map has too many pixels");
    return FALSE;
  }
  SegRef weights_ref = seg_program_value (p, weights);
  SegRef bias_ref = bias != NULL ? seg_program_value (p, bias) : weights_ref;
  gboolean half = seg_program_precision (p) == SEG_STORAGE_F16;
  guint32 n = (items + LOCAL - 1) / LOCAL, columns = MIN (n, 32768);
  SegDispatch d = {
    .shader = half ? &seg_shader_conv_transpose_f16 : &seg_shader_conv_transpose_f32,
    .bindings = { { job->source, SEG_BIND_TEXEL }, { weights_ref, SEG_BIND_TEXEL },
        { bias_ref, SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_output (job->node, 0)),
            SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { job->x.in, job->y.in, job->x.out, job->y.out, job->in.pitch, job->in.offset,
        job->out.pitch / 4, job->out.offset / 4, job->residual.pitch / 4,
        job->residual.offset / 4, job->in_c / job->groups, job->out_c / job->groups,
        job->out_c, items, job->y.kernel, job->x.kernel, job->y.stride, job->x.stride,
        job->y.dilation, job->x.dilation, job->y.pad, job->x.pad, tap_step (&job->y),
        tap_step (&job->x), w.offset, w.strides[0], w.strides[1],
        w.rank == 4 ? w.strides[2] : 0, w.strides[w.rank - 1],
        bias != NULL ? seg_view (bias).offset : (guint32) -1 },
    .n_push = 30,
    .groups = { columns, (n + columns - 1) / columns, 1 },
    .live = seg_live_times (
        seg_program_live (p, seg_node_output (job->node, 0), items), 1, LOCAL),
  };
  seg_epilogue_add (&d, job->node, p, weights_ref);
  return seg_program_dispatch (p, &d, error);
}
