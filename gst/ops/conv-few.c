/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv.h"
#include "ops/epilogue.h"
#include "shaders.h"

#define LOCAL       8
#define MOST_OUT    4
#define MOST_KERNEL 5

gboolean
seg_conv_few_takes (const SegConvJob *job)
{
  return job->groups == 1 && job->out_c <= MOST_OUT && job->y.stride == 1
         && job->x.stride == 1 && job->y.kernel <= MOST_KERNEL
         && job->x.kernel <= MOST_KERNEL;
}

static guint
tile_size (const SegWindowAxis *a, guint most)
{
  while (!seg_window_tile_fits (a, most))
    most /= 2;
  return most;
}

/* [y][x][in / 4][out][4] */
static SegRef
pack (const SegConvJob *job, guint32 in_c4, SegProgram *p)
{
  gsize taps = job->y.kernel * job->x.kernel, out_c = job->out_c;
  gsize n = taps * in_c4 * out_c * 4;
  g_autofree float *owned = NULL;
  const float *filter = seg_conv_floats (job->weights, &owned);
  g_autofree float *packed = g_new0 (float, n);
  for (gsize o = 0; o < out_c; o++)
    for (gsize i = 0; i < job->in_c; i++)
      for (gsize k = 0; k < taps; k++)
        packed[((k * in_c4 + i / 4) * out_c + o) * 4 + i % 4] = *filter++;
  return seg_program_floats (p, packed, n, seg_program_precision (p));
}

gboolean
seg_conv_few_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  static const SegShader *const shaders[2][2] = {
    { &seg_shader_conv_few_f32, &seg_shader_conv_few_f16 },
    { &seg_shader_conv_few_wide_f32, &seg_shader_conv_few_wide_f16 },
  };
  guint texels = seg_program_store_texels (p, seg_program_precision (p));
  gboolean half = seg_program_precision (p) == SEG_STORAGE_F16;
  guint w = tile_size (&job->x, 4);
  guint h = tile_size (&job->y, job->out_c <= 2 ? 4 : 2);
  gint64 apart_y = seg_window_tile_apart (&job->y),
         apart_x = seg_window_tile_apart (&job->x);
  gint64 tiles_y = seg_window_tiles (&job->y, h), tiles_x = seg_window_tiles (&job->x, w);
  gint64 tiles = job->batch * tiles_y * tiles_x, n = (tiles + LOCAL - 1) / LOCAL;
  guint32 in_c4 = (job->in_c + 3) / 4, columns = MIN (n, 32768);
  if (tiles > G_MAXINT32) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "the feature map has too many pixels");
    return FALSE;
  }
  const SegValue *out = seg_node_output (job->node, 0);
  SegRef bias = seg_conv_bias (job, 8, p);
  SegDispatch d = {
    .shader = shaders[texels - 1][half],
    .spec = { w, h, job->y.kernel, job->x.kernel, 1, 1, 1, 1, job->out_c },
    .bindings = { { job->source, SEG_BIND_TEXEL },
        { pack (job, in_c4, p), SEG_BIND_TEXEL }, { bias, SEG_BIND_TEXEL },
        { seg_program_value (p, out), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { job->y.in, job->y.out, job->y.pad, apart_y, tiles_y, job->x.in, job->x.out,
        job->x.pad, apart_x, tiles_x, job->in.pitch / 4, job->in.offset / 4,
        job->out.pitch / 4, job->out.offset / 4, job->residual.pitch / 4,
        job->residual.offset / 4, in_c4, tiles },
    .n_push = 18,
    .groups = { columns, (n + columns - 1) / columns, 1 },
    .live = seg_live_times (seg_program_live (p, out, tiles), 1, LOCAL),
  };
  seg_epilogue_add (&d, job->node, p, bias);
  return seg_program_dispatch (p, &d, error);
}
