/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-choose.h"
#include "ops/conv-transpose.h"
#include "ops/epilogue.h"
#include "shaders.h"

/* Where an input pixel makes but a few numbers, for heads that bring a mask to its size: one dispatch
 * that reads the map once, where phases would read it for each and fill blocks of eight channels with
 * zeros. */

#define CELL   8 /* numbers that an input pixel makes, at most */
#define PIXELS 4 /* TP of conv_transpose_few.comp */

static gboolean
axis_fits (const SegWindowAxis *a)
{
  return a->dilation == 1 && a->pad == 0 && a->kernel == a->stride
         && a->out == a->in * a->stride;
}

gboolean
seg_transpose_few_takes (const SegConvJob *job, const SegDeviceInfo *device)
{
  return device->type == SEG_DEVICE_CPU && device->subgroup_shuffle
         && device->subgroup_size >= 8 && axis_fits (&job->y) && axis_fits (&job->x)
         && job->groups == 1 && job->out_c <= CELL
         && job->y.stride * job->x.stride * job->out_c <= CELL
         && (guint64) job->batch * job->y.out * job->x.out < 1 << 28;
}

/* [in texel][phase y][phase x][out], filled up to CELL. */
static SegRef
pack (const SegConvJob *job, guint32 in_c4, SegProgram *p)
{
  gsize phases = job->y.stride * job->x.stride, n = (gsize) in_c4 * CELL * 4;
  g_autofree float *owned = NULL;
  const float *weights = seg_conv_floats (job->weights, &owned);
  g_autofree float *packed = g_new0 (float, n);
  for (gsize i = 0; i < job->in_c; i++)
    for (gsize o = 0; o < job->out_c; o++)
      for (gsize k = 0; k < phases; k++)
        packed[(i / 4 * CELL + k * job->out_c + o) * 4 + i % 4] =
            weights[(i * job->out_c + o) * phases + k];
  return seg_program_floats (p, packed, n, seg_program_precision (p));
}

static SegRef
cell_bias (const SegConvJob *job, SegProgram *p)
{
  float bias[CELL] = { 0 };
  for (guint i = 0; job->bias != NULL && i < CELL; i++)
    bias[i] = seg_tensor_get_double (job->bias, i % job->out_c);
  return seg_program_floats (p, bias, CELL, SEG_STORAGE_F32);
}

gboolean
seg_transpose_few_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  static const SegShader *const shaders[2][2] = {
    { &seg_shader_conv_transpose_few_f32, &seg_shader_conv_transpose_few_f16 },
    { &seg_shader_conv_transpose_few_wide_f32, &seg_shader_conv_transpose_few_wide_f16 },
  };
  SegStorage storage = seg_program_precision (p);
  guint32 local = seg_program_device (p)->subgroup_size, in_c4 = (job->in_c + 3) / 4;
  guint32 columns = (job->x.in + PIXELS - 1) / PIXELS;
  guint32 tiles = columns * job->y.in * job->batch, n = (tiles + local - 1) / local;
  SegRef bias = cell_bias (job, p);
  SegDispatch d = {
    .shader =
        shaders[seg_program_store_texels (p, storage) - 1][storage == SEG_STORAGE_F16],
    .spec = { local, PIXELS, job->y.stride, job->x.stride, job->out_c },
    .bindings = { { job->source, SEG_BIND_TEXEL },
        { pack (job, in_c4, p), SEG_BIND_TEXEL }, { bias, SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_output (job->node, 0)),
            SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { job->x.in, columns, tiles, job->in.pitch / 4, job->in.offset / 4, in_c4,
        job->out.pitch / 4, job->out.offset / 4, job->residual.pitch / 4,
        job->residual.offset / 4 },
    .n_push = 10,
    .groups = { MIN (n, 32768), (n + 32767) / 32768, 1 },
  };
  seg_epilogue_add (&d, job->node, p, bias);
  return seg_program_dispatch (p, &d, error);
}
