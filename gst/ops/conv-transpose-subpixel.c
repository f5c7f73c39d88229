/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-choose.h"
#include "ops/conv-transpose.h"
#include "ops/epilogue.h"
#include "shaders.h"

/* A sub-pixel convolution (Shi et al. 2016): output position + pad = stride * cell + phase, and all
 * phases of a cell read the same inputs, cell - (taps - 1) .. cell. So the phases are channels of
 * one dense convolution over the cells, and a last pass takes them apart. */

#define LOCAL 64

/* One axis of the convolution over the cells. */
static SegWindowAxis
cell_axis (const SegWindowAxis *a)
{
  gint64 taps = (a->kernel + a->stride - 1) / a->stride;
  return (SegWindowAxis){ .in = a->in,
    .out = (a->out - 1 + a->pad) / a->stride + 1,
    .kernel = taps,
    .stride = 1,
    .dilation = 1,
    .pad = taps - 1 };
}

static gboolean
axis_fits (const SegWindowAxis *a)
{
  return a->dilation == 1 && a->pad >= 0 && a->kernel >= a->stride;
}

gboolean
seg_transpose_subpixel_takes (const SegConvJob *job, const SegDeviceInfo *device)
{
  guint64 phases = job->y.stride * job->x.stride;
  return axis_fits (&job->y) && axis_fits (&job->x) && job->groups == 1
         && phases * (job->out_c + 3) < 1 << 20
         && seg_dense_takes (job->in_c, phases * ((job->out_c + 3) / 4 * 4), 1, device);
}

/* [phase y][phase x][out, padded][in][y][x]: tap k = phase + stride * a reads the input that lies
 * a before the cell. */
static float *
cell_filter (
    const SegConvJob *job, const SegWindowAxis *y, const SegWindowAxis *x, guint32 padded)
{
  g_autofree float *owned = NULL;
  const float *weights = seg_conv_floats (job->weights, &owned);
  gsize taps = y->kernel * x->kernel, out = job->y.stride * job->x.stride * padded;
  float *filter = g_new0 (float, out * job->in_c * taps);
  for (gsize i = 0; i < job->in_c; i++) {
    for (gsize o = 0; o < job->out_c; o++) {
      const float *from = weights + (i * job->out_c + o) * job->y.kernel * job->x.kernel;
      for (gint64 v = 0; v < job->y.kernel; v++)
        for (gint64 u = 0; u < job->x.kernel; u++) {
          gsize phase =
              v % job->y.stride * job->x.stride + u % job->x.stride; /* of this tap */
          gsize tap = (y->kernel - 1 - v / job->y.stride) * x->kernel + x->kernel - 1
                      - u / job->x.stride;
          filter[((phase * padded + o) * job->in_c + i) * taps + tap] =
              from[v * job->x.kernel + u];
        }
    }
  }
  return filter;
}

static SegRef
cell_bias (const SegConvJob *job, guint32 padded, SegProgram *p)
{
  gsize n = (gsize) job->y.stride * job->x.stride * padded;
  g_autofree float *bias = g_new0 (float, n + SEG_BIAS_ALIGN);
  for (gsize i = 0; job->bias != NULL && i < n; i++)
    if (i % padded < job->out_c)
      bias[i] = seg_tensor_get_double (job->bias, i % padded);
  return seg_program_floats (p, bias, n + SEG_BIAS_ALIGN, SEG_STORAGE_F32);
}

static gboolean
emit_scatter (const SegConvJob *job, const SegDenseConv *c, guint32 c4, SegProgram *p,
    GError **error)
{
  guint32 out_c4 = (job->out_c + 7) / 8 * 2;
  guint64 items = (guint64) job->batch * job->y.out * job->x.out * out_c4;
  if (items > G_MAXINT32) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "the feature map has too many pixels");
    return FALSE;
  }
  gboolean half = c->storage == SEG_STORAGE_F16;
  guint32 n = (items + LOCAL - 1) / LOCAL, columns = MIN (n, 32768);
  SegDispatch d = {
    .shader = half ? &seg_shader_conv_subpixel_f16 : &seg_shader_conv_subpixel_f32,
    .bindings = { { c->dest, SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_output (job->node, 0)),
            SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
    .push = { c->x.out, c->y.out, job->x.out, job->y.out, job->y.stride, job->x.stride,
        job->y.pad, job->x.pad, job->out.pitch / 4, job->out.offset / 4,
        job->residual.pitch / 4, job->residual.offset / 4, job->out_c, c4, out_c4,
        items },
    .n_push = 16,
    .groups = { columns, (n + columns - 1) / columns, 1 },
    .live = seg_live_times (
        seg_program_live (p, seg_node_output (job->node, 0), items), 1, LOCAL),
  };
  seg_epilogue_add (&d, job->node, p, c->bias);
  return seg_program_dispatch (p, &d, error);
}

gboolean
seg_transpose_subpixel_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  guint32 padded = (job->out_c + 3) / 4 * 4;
  SegDenseConv c = seg_dense_conv (job, p);
  c.node = NULL; /* the epilogue comes last */
  c.y = cell_axis (&job->y);
  c.x = cell_axis (&job->x);
  c.out_c = job->y.stride * job->x.stride * padded;
  c.out_c4 = c.out_pitch4 = c.out_c / 4;
  c.out_offset4 = 0;
  c.out_row = c.x.out;
  c.out_image = c.x.out * c.y.out;
  c.live = seg_program_live (
      p, seg_node_output (job->node, 0), (guint64) job->batch * c.out_image);
  c.bias = cell_bias (job, padded, p);
  g_autofree float *filter = cell_filter (job, &c.y, &c.x, padded);
  c.filter = filter;
  c.dest = seg_program_temp (p, (gsize) job->batch * c.out_image * c.out_c, c.storage);
  return seg_dense_emit (&c, p, error) && emit_scatter (job, &c, padded / 4, p, error);
}
