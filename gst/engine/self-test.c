/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/self-test.h"

#include "base/log.h"
#include "base/tensor.h"
#include "engine/trial.h"
#include "ops/conv-choose.h"

#include <math.h>
#include <string.h>

/* A convolution of batch 1 with a square kernel, and what belongs to it. */
typedef struct {
  guint32 size, in_c, out_c, kernel, stride, dilation, pad;
} Case;

/* The first takes the largest tile there is (device.cores are set to 1), the second the smallest;
 * no side is a whole number of tiles, and channels are of fragments in the third alone. */
static const Case cases[] = {
  { 12, 20, 121, 3, 1, 1, 1 }, { 9, 13, 27, 3, 2, 2, 2 },
  { 7, 64, 60, 3, 1, 1, 1 }, /* K by chunks */
};

typedef struct {
  const Case *c;
  guint32 out_size, in_pitch, out_pitch;
  float *source, *filter, *bias; /* as SegDenseConv has them; exact in fp16 */
} Data;

/* Numbers from 1/64 to 1 in magnitude, whose products and their sums are exact in fp32, but not
 * in fp16: sums that are kept in less are found out. */
static float
number (guint32 *state)
{
  *state = *state * 1664525u + 1013904223u;
  int i = (int) (*state >> 16 & 127) - 64;
  return (i >= 0 ? i + 1 : i) / 64.0f;
}

static void
data_init (Data *d, const Case *t)
{
  guint32 state = t->size;
  gsize n_filter = (gsize) t->out_c * t->in_c * t->kernel * t->kernel;
  d->c = t;
  d->out_size =
      (t->size + 2 * t->pad - (t->kernel - 1) * t->dilation - 1) / t->stride + 1;
  d->in_pitch = (t->in_c + 7) / 8 * 8;
  d->out_pitch = (t->out_c + 7) / 8 * 8;
  d->source = g_new0 (float, t->size * t->size * d->in_pitch);
  d->filter = g_new (float, n_filter);
  d->bias = g_new0 (float, SEG_BIAS_ALIGN);
  for (guint i = 0; i < t->size * t->size; i++)
    for (guint c = 0; c < t->in_c; c++)
      d->source[i * d->in_pitch + c] = number (&state);
  for (gsize i = 0; i < n_filter; i++)
    d->filter[i] = number (&state);
  for (guint i = 0; i < t->out_c; i++)
    d->bias[i] = number (&state);
}

static void
data_clear (Data *d)
{
  g_free (d->source);
  g_free (d->filter);
  g_free (d->bias);
}

static float
expected (const Data *d, guint32 y, guint32 x, guint32 o)
{
  const Case *t = d->c;
  float sum = d->bias[o];
  for (guint v = 0; v < t->kernel; v++)
    for (guint u = 0; u < t->kernel; u++) {
      guint32 iy = y * t->stride + v * t->dilation - t->pad; /* outside: very large */
      guint32 ix = x * t->stride + u * t->dilation - t->pad;
      if (iy >= t->size || ix >= t->size)
        continue;
      const float *from = d->source + (iy * t->size + ix) * d->in_pitch;
      const float *w = d->filter + (gsize) o * t->in_c * t->kernel * t->kernel;
      for (guint c = 0; c < t->in_c; c++)
        sum += from[c] * w[(c * t->kernel + v) * t->kernel + u];
    }
  return sum;
}

/* The units of fp16 that a driver may round away. */
static gboolean
is_right (const Data *d, const guint16 *result)
{
  for (guint i = 0; i < d->out_size * d->out_size; i++)
    for (guint o = 0; o < d->out_pitch; o++) {
      float got = seg_half_to_float (result[(gsize) i * d->out_pitch + o]);
      float want =
          o < d->c->out_c ? expected (d, i / d->out_size, i % d->out_size, o) : 0;
      if (!(fabsf (got - want) <= fabsf (want) / 1024 + 1e-6f))
        return FALSE;
    }
  return TRUE;
}

static SegWindowAxis
axis_of (const Data *d)
{
  const Case *t = d->c;
  return (SegWindowAxis){ .in = t->size,
    .out = d->out_size,
    .kernel = t->kernel,
    .stride = t->stride,
    .dilation = t->dilation,
    .pad = t->pad };
}

/* One dispatch; the result is temporary 0, which comes first. */
static gboolean
emit (const Data *d, SegProgram *p, GError **error)
{
  const Case *t = d->c;
  gsize n_out = (gsize) d->out_size * d->out_size * d->out_pitch;
  SegWindowAxis axis = axis_of (d);
  SegDenseConv c = {
    .source = seg_program_floats (
        p, d->source, (gsize) t->size * t->size * d->in_pitch, SEG_STORAGE_F16),
    .dest = seg_program_temp (p, n_out, SEG_STORAGE_F16),
    .storage = SEG_STORAGE_F16,
    .in_pitch4 = d->in_pitch / 4,
    .out_pitch4 = d->out_pitch / 4,
    .batch = 1,
    .in_c = t->in_c,
    .out_c = t->out_c,
    .groups = 1,
    .out_c4 = d->out_pitch / 4,
    .y = axis,
    .x = axis,
    .out_image = d->out_size * d->out_size,
    .out_row = d->out_size,
    .out_col = 1,
    .filter = d->filter,
    .bias = seg_program_floats (p, d->bias, SEG_BIAS_ALIGN, SEG_STORAGE_F32),
    .steady = TRUE, /* no split K */
  };
  return seg_dense_emit (&c, p, error);
}

static gboolean
run (const Data *d, SegProgram *p, SegVk *vk, GError **error)
{
  if (!emit (d, p, error))
    return FALSE;
  g_autofree guint16 *result =
      g_malloc (seg_program_ref_bytes (p, (SegRef){ SEG_REF_TEMP, 0 }));
  SegTrial *trial = seg_trial_new (p, vk, FALSE, error);
  gboolean ok = trial != NULL && seg_trial_run (trial, NULL, error)
                && seg_trial_read (trial, 0, result, error);
  seg_trial_free (&trial);
  if (ok && !is_right (d, result)) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_DEVICE, "a result is wrong");
    return FALSE;
  }
  return ok;
}

static gboolean
try_one (const Case *c, const SegDeviceInfo *info, SegVk *vk, GError **error)
{
  g_autoptr (SegProgram) p = seg_program_empty (info, SEG_STORAGE_F16);
  Data d;
  data_init (&d, c);
  gboolean ok = run (&d, p, vk, error);
  data_clear (&d);
  return ok;
}

static gboolean
pass (const SegDeviceInfo *info, SegVk *vk, const char *what)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (!try_one (&cases[i], info, vk, &error)) {
      g_warning ("%s: %s is not used: %s", info->name, what, error->message);
      return FALSE;
    }
  seg_info ("%s: %s passed the self-test", info->name, what);
  return TRUE;
}

enum { BY_SUBGROUPS = 1, BY_WORKGROUPS = 2 };

/* What is right of these; workgroups' come before subgroups' where there are both. */
static guint
try_all (SegVk *vk)
{
  SegDeviceInfo info = *seg_vk_info (vk);
  guint right = 0;
  info.cores = 1;
  if (info.workgroup_matrices.invocations > 0
      && pass (&info, vk, "VK_NV_cooperative_matrix2"))
    right |= BY_WORKGROUPS;
  info.workgroup_matrices.invocations = 0;
  if (pass (&info, vk, "VK_KHR_cooperative_matrix"))
    right |= BY_SUBGROUPS;
  return right;
}

SegDeviceInfo
seg_trusted_info (SegVk *vk, SegStorage precision)
{
  SegDeviceInfo info = *seg_vk_info (vk);
  if (precision != SEG_STORAGE_F16 || !seg_conv_prefers_matrices (&info))
    return info;
  guint right = seg_vk_once (vk, try_all);
  if (!(right & BY_SUBGROUPS))
    info.n_matrix_shapes = 0;
  if (!(right & BY_WORKGROUPS))
    info.workgroup_matrices.invocations = 0;
  return info;
}
