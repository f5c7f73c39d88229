/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-choose.h"
#include "ops/conv-transpose.h"

/* Each phase is a dispatch, and so is a pipeline where its number of taps is new. */
#define MOST_PHASES 16

/* The output positions first, first + stride, ... of one axis, as a convolution: taps
 * k = tap, tap + tap_step, ... reach them. */
typedef struct {
  SegWindowAxis axis;
  gint64 first;
  gint64 tap, tap_step, taps;
} Phase;

static gint64
gcd (gint64 a, gint64 b)
{
  return b == 0 ? a : gcd (b, a % b);
}

static gint64
modulo (gint64 a, gint64 b)
{
  gint64 m = a % b;
  return m < 0 ? m + b : m;
}

/* Tap k brings input position j + (first + pad - k * dilation) / stride to the j-th output of
 * the phase, where that divides. A larger k reads further left, so the filter is mirrored. */
static Phase
make_phase (const SegWindowAxis *a, gint64 first)
{
  gint64 divisor = gcd (a->stride, a->dilation);
  Phase phase = { .first = first, .tap_step = a->stride / divisor };
  while (phase.tap < MIN (phase.tap_step, a->kernel)
         && modulo (first + a->pad - phase.tap * a->dilation, a->stride) != 0)
    phase.tap++;
  if (phase.tap < MIN (phase.tap_step, a->kernel))
    phase.taps = (a->kernel - 1 - phase.tap) / phase.tap_step + 1;
  gint64 last = phase.tap + MAX (phase.taps - 1, 0) * phase.tap_step;
  phase.axis = (SegWindowAxis){
    .in = a->in,
    .out = (a->out - first + a->stride - 1) / a->stride,
    .kernel = MAX (phase.taps, 1),
    .stride = 1,
    .dilation = a->dilation / divisor,
    .pad = phase.taps > 0 ? -((first + a->pad - last * a->dilation) / a->stride) : 0,
  };
  return phase;
}

/* [out][in of its group][y][x] of the phase's taps; zeros where no tap reaches it. */
static float *
phase_filter (const SegConvJob *job, const float *weights, const Phase *y, const Phase *x)
{
  guint32 group_in = job->in_c / job->groups, group_out = job->out_c / job->groups;
  gsize taps = y->axis.kernel * x->axis.kernel;
  float *filter = g_new0 (float, (gsize) job->out_c *group_in *taps);
  for (guint32 o = 0; o < job->out_c; o++) {
    for (guint32 i = 0; i < group_in; i++) {
      gsize c = (gsize) o / group_out * group_in + i;
      const float *from =
          weights + (c * group_out + o % group_out) * job->y.kernel * job->x.kernel;
      float *to = filter + ((gsize) o * group_in + i) * taps;
      for (gint64 v = 0; v < y->taps; v++)
        for (gint64 u = 0; u < x->taps; u++)
          to[(y->taps - 1 - v) * x->axis.kernel + x->taps - 1 - u] =
              from[(y->tap + v * y->tap_step) * job->x.kernel + x->tap + u * x->tap_step];
    }
  }
  return filter;
}

gboolean
seg_transpose_phases_takes (const SegConvJob *job, const SegDeviceInfo *device)
{
  return job->y.stride * job->x.stride <= MOST_PHASES
         && seg_dense_takes (job->in_c, job->out_c, job->groups, device);
}

gboolean
seg_transpose_phases_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  SegDenseConv c = seg_dense_conv (job, p);
  g_autofree float *owned = NULL;
  const float *weights = seg_conv_floats (job->weights, &owned);
  c.out_row = job->x.out * job->y.stride;
  c.out_col = job->x.stride;
  for (gint64 v = 0; v < MIN (job->y.stride, job->y.out); v++) {
    for (gint64 u = 0; u < MIN (job->x.stride, job->x.out); u++) {
      Phase y = make_phase (&job->y, v), x = make_phase (&job->x, u);
      g_autofree float *filter = phase_filter (job, weights, &y, &x);
      c.y = y.axis;
      c.x = x.axis;
      c.out_first = v * job->x.out + u;
      c.filter = filter;
      c.live = seg_program_live (p, seg_node_output (job->node, 0),
          (guint64) job->batch * y.axis.out * x.axis.out);
      if (!seg_dense_emit (&c, p, error))
        return FALSE;
    }
  }
  return TRUE;
}
