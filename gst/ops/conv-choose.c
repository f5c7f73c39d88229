/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-choose.h"

#include "ops/conv-cm.h"
#include "ops/conv-lp.h"
#include "ops/conv-sc.h"

#include <string.h>

static const char *const names[SEG_CONV_N_FAMILIES] = {
  [SEG_CONV_DIRECT] = "direct",
  [SEG_CONV_DEPTHWISE] = "depthwise",
  [SEG_CONV_WINOGRAD] = "winograd",
  [SEG_CONV_LP] = "lp",
  [SEG_CONV_SC] = "sc",
  [SEG_CONV_DOT] = "dot",
  [SEG_CONV_CM1] = "cm1",
  [SEG_CONV_CM2] = "cm2",
};

const char *
seg_conv_family_name (SegConvFamily family)
{
  return names[family];
}

/* What VKSEG_CONV names, or SEG_CONV_N_FAMILIES. */
static SegConvFamily
forced (void)
{
  const char *name = g_getenv ("VKSEG_CONV");
  guint i = 0;
  if (name == NULL || *name == '\0')
    return SEG_CONV_N_FAMILIES;
  while (i < SEG_CONV_N_FAMILIES && strcmp (name, names[i]) != 0)
    i++;
  if (i == SEG_CONV_N_FAMILIES)
    g_warning ("VKSEG_CONV=%s is no family of convolutions", name);
  return i;
}

gboolean
seg_conv_is_forced (SegConvFamily family)
{
  return forced () == family;
}

/* --- dense convolutions ------------------------------------------------------------------------ */

typedef struct {
  SegConvFamily family;
  gboolean (*takes) (const SegDenseConv *conv, const SegDeviceInfo *device);
  gboolean (*emit) (const SegDenseConv *conv, SegProgram *p, GError **error);
} Dense;

static gboolean
lp_takes (const SegDenseConv *c, const SegDeviceInfo *device)
{
  return seg_lp_takes (c->in_c, c->out_c, c->groups, device);
}

static const Dense lp = { SEG_CONV_LP, lp_takes, seg_lp_emit };
static const Dense sc = { SEG_CONV_SC, seg_sc_takes, seg_sc_emit };
static const Dense cm1 = { SEG_CONV_CM1, seg_cm1_takes, seg_cm1_emit };
static const Dense cm2 = { SEG_CONV_CM2, seg_cm2_takes, seg_cm2_emit };

/* Best first. */
static const Dense *const on_cpu[] = { &lp, &sc, &cm1, &cm2 };
static const Dense *const on_gpu[] = { &cm2, &cm1, &sc, &lp };

gboolean
seg_dense_takes (guint32 in_c, guint32 out_c, guint32 groups, const SegDeviceInfo *device)
{
  /* Of one group sc takes nearly everything; what is too large for it is refused by emit. */
  return groups == 1 || seg_lp_takes (in_c, out_c, groups, device);
}

gboolean
seg_conv_prefers_matrices (const SegDeviceInfo *device)
{
  SegConvFamily wanted = forced ();
  gboolean tried = wanted == SEG_CONV_N_FAMILIES
                       ? device->type != SEG_DEVICE_CPU
                       : wanted == SEG_CONV_CM1 || wanted == SEG_CONV_CM2;
  return tried && device->n_matrix_shapes > 0;
}

static const Dense *
choose_dense (const SegDenseConv *conv, const SegDeviceInfo *device)
{
  const Dense *const *list = device->type == SEG_DEVICE_CPU ? on_cpu : on_gpu;
  SegConvFamily wanted = forced ();
  const Dense *best = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (on_cpu); i++) {
    if (!list[i]->takes (conv, device))
      continue;
    if (list[i]->family == wanted)
      return list[i];
    if (best == NULL)
      best = list[i];
  }
  return best;
}

gboolean
seg_dense_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  const Dense *dense = choose_dense (conv, seg_program_device (p));
  if (dense != NULL)
    return dense->emit (conv, p, error);
  g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MEMORY,
      "the convolution is too large; use a smaller input");
  return FALSE;
}

/* --- Conv -------------------------------------------------------------------------------------- */

static gboolean
weights_known (const SegConvJob *job)
{
  gboolean bias = seg_node_input (job->node, 2) == NULL || job->bias != NULL;
  return job->weights != NULL && bias;
}

/* Winograd's transforms pay where multiplications are dear, on CPUs, unless the arena would have to
 * grow for what lies between them. */
static gboolean
prefers_winograd (const SegConvJob *job, const SegProgram *p)
{
  SegConvFamily wanted = forced ();
  if (!seg_conv_winograd_takes (job, p))
    return FALSE;
  if (wanted != SEG_CONV_N_FAMILIES)
    return wanted == SEG_CONV_WINOGRAD;
  return seg_program_device (p)->type == SEG_DEVICE_CPU
         && seg_conv_winograd_temp_bytes (job, p) <= seg_program_temp_budget (p);
}

gboolean
seg_conv_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  const SegDeviceInfo *device = seg_program_device (p);
  if (!weights_known (job) || forced () == SEG_CONV_DIRECT)
    return seg_conv_direct_emit (job, p, error);
  if (seg_conv_depthwise_takes (job))
    return seg_conv_depthwise_emit (job, p, error);
  /* What Winograd's transforms round depends on where its tiles are, and where they end. */
  if (!p->graph->steady && prefers_winograd (job, p))
    return seg_conv_winograd_emit (job, p, error);
  if (!seg_dense_takes (job->in_c, job->out_c, job->groups, device))
    return seg_conv_direct_emit (job, p, error);
  g_autofree float *filter = seg_conv_floats (job->weights);
  SegDenseConv c = seg_dense_conv (job, p);
  c.filter = filter;
  return seg_dense_emit (&c, p, error);
}
