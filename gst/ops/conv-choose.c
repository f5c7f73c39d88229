/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-choose.h"

#include "ops/binary.h"
#include "ops/conv-cm.h"
#include "ops/conv-lp.h"
#include "ops/conv-sc.h"
#include "shaders.h"

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
  [SEG_CONV_FEW] = "few",
};

const char *
seg_conv_family_name (SegConvFamily family)
{
  return names[family];
}

/* What VKSEG_CONV names, or one of SEG_CONV_N_FAMILIES. */
static SegChoice
forced_choice (void)
{
  SegChoice choice = { SEG_CONV_N_FAMILIES, 0 };
  const char *name = g_getenv ("VKSEG_CONV");
  if (name == NULL || *name == '\0')
    return choice;
  g_autofree char *whole =
      g_strconcat (name, strchr (name, '/') != NULL ? "" : "/0", NULL);
  static gint warned; /* in this process: every convolution asks */
  if (!seg_choice_parse (whole, &choice)
      && g_atomic_int_compare_and_exchange (&warned, FALSE, TRUE))
    g_warning ("VKSEG_CONV=%s is no family of convolutions", name);
  return choice;
}

static SegConvFamily
forced (void)
{
  return forced_choice ().family;
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
  gboolean (*offers) (const SegDenseConv *conv, const SegProgram *p, guint variant);
  gboolean (*emit) (const SegDenseConv *conv, SegProgram *p, GError **error);
} Dense;

static gboolean
lp_takes (const SegDenseConv *c, const SegDeviceInfo *device)
{
  return seg_lp_takes (c->in_c, c->out_c, c->groups, device);
}

static const Dense lp = { SEG_CONV_LP, lp_takes, seg_lp_offers, seg_lp_emit };
static const Dense sc = { SEG_CONV_SC, seg_sc_takes, seg_sc_offers, seg_sc_emit };
static const Dense cm1 = { SEG_CONV_CM1, seg_cm1_takes, seg_cm1_offers, seg_cm1_emit };
static const Dense cm2 = { SEG_CONV_CM2, seg_cm2_takes, seg_cm2_offers, seg_cm2_emit };

/* Best first. */
static const Dense *const on_cpu[] = { &lp, &sc, &cm1, &cm2 };
static const Dense *const on_gpu[] = { &cm1, &cm2, &sc, &lp };

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

static const Dense *
find_dense (guint family)
{
  for (guint i = 0; i < G_N_ELEMENTS (on_cpu); i++)
    if (on_cpu[i]->family == family)
      return on_cpu[i];
  return NULL;
}

static gboolean
emit_dense (const SegDenseConv *conv, SegChoice choice, SegProgram *p, GError **error)
{
  const Dense *dense = find_dense (choice.family);
  SegDenseConv c = *conv;
  c.variant = choice.variant;
  if (dense != NULL)
    return dense->emit (&c, p, error);
  g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MEMORY,
      "the convolution is too large; use a smaller input");
  return FALSE;
}

/* --- what has been measured, or might be ----------------------------------------------------------- */

#define MOST_VARIANTS 9 /* of any family */

/* The first is what is taken where nothing has been measured. */
typedef struct {
  SegChoice list[SEG_TUNING_MAX_CHOICES];
  guint n;
} Choices;

static void
add_choice (Choices *choices, guint family, guint variant)
{
  if (choices->n < SEG_TUNING_MAX_CHOICES)
    choices->list[choices->n++] = (SegChoice){ family, variant };
}

/* The best family's variants, and on a GPU the others as they are; a CPU has but one that is fast. */
static void
add_dense (Choices *choices, const SegDenseConv *conv, const SegProgram *p)
{
  const SegDeviceInfo *device = seg_program_device (p);
  const Dense *best = choose_dense (conv, device);
  SegChoice wanted = forced_choice ();
  guint family = best != NULL ? best->family : SEG_CONV_N_FAMILIES;
  add_choice (choices, family, family == wanted.family ? wanted.variant : 0);
  for (guint i = 1; best != NULL && i <= MOST_VARIANTS; i++)
    if (best->offers (conv, p, i))
      add_choice (choices, best->family, i);
  for (guint i = 0; i < G_N_ELEMENTS (on_gpu) && device->type != SEG_DEVICE_CPU; i++)
    if (on_gpu[i] != best && on_gpu[i]->takes (conv, device))
      add_choice (choices, on_gpu[i]->family, 0);
}

static char *
axis_key (const SegWindowAxis *a)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                          ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT,
      a->in, a->out, a->kernel, a->stride, a->dilation, a->pad);
}

/* What there is to choose from follows from it and the device. */
static char *
key_of (const char *kind, const SegDenseConv *c)
{
  g_autofree char *y = axis_key (&c->y), *x = axis_key (&c->x);
  return g_strdup_printf ("%s,%s,%u,%u,%u,%u,%s,%s", kind,
      c->storage == SEG_STORAGE_F16 ? "fp16" : "fp32", c->batch, c->in_c, c->out_c,
      c->groups, y, x);
}

static gboolean
is_among (const Choices *choices, SegChoice choice)
{
  for (guint i = 0; i < choices->n; i++)
    if (choices->list[i].family == choice.family
        && choices->list[i].variant == choice.variant)
      return TRUE;
  return FALSE;
}

/* A table may come from a file, and say anything: only what is on offer is done. */
static SegChoice
choose_measured (
    const char *kind, const SegDenseConv *c, const Choices *choices, SegProgram *p)
{
  if (p->tuning == NULL || choices->n < 2 || p->graph->steady
      || forced () != SEG_CONV_N_FAMILIES)
    return choices->list[0];
  g_autofree char *key = key_of (kind, c);
  SegTuningEntry *entry = seg_tuning_entry (p->tuning, key);
  if (!entry->wanted) {
    entry->wanted = TRUE;
    entry->n_node = p->n_node;
    entry->work = (double) c->batch * c->y.out * c->x.out * c->out_c * c->in_c / c->groups
                  * c->y.kernel * c->x.kernel;
    entry->n = choices->n;
    memcpy (entry->choices, choices->list, sizeof choices->list);
  }
  entry->known = entry->known && is_among (choices, entry->choice);
  return entry->known ? entry->choice : choices->list[0];
}

gboolean
seg_dense_emit (const SegDenseConv *conv, SegProgram *p, GError **error)
{
  Choices choices = { .n = 0 };
  add_dense (&choices, conv, p);
  return emit_dense (conv, choose_measured ("dense", conv, &choices, p), p, error);
}

char *
seg_choice_to_string (SegChoice choice)
{
  return g_strdup_printf ("%s/%u", names[choice.family], choice.variant);
}

gboolean
seg_choice_parse (const char *string, SegChoice *choice)
{
  const char *slash = strchr (string, '/');
  guint64 variant;
  if (slash == NULL
      || !g_ascii_string_to_unsigned (slash + 1, 10, 0, MOST_VARIANTS, &variant, NULL))
    return FALSE;
  for (guint i = 0; i < SEG_CONV_N_FAMILIES; i++)
    if (strlen (names[i]) == (gsize) (slash - string)
        && strncmp (names[i], string, slash - string) == 0) {
      *choice = (SegChoice){ i, variant };
      return TRUE;
    }
  return FALSE;
}

guint64
seg_conv_shaders_hash (void)
{
  static const SegShader *const shaders[] = { &seg_shader_conv_lp_f32,
    &seg_shader_conv_lp_f16, &seg_shader_conv_lp_wide_f32, &seg_shader_conv_lp_wide_f16,
    &seg_shader_conv_lp_image_f32, &seg_shader_conv_lp_image_f16,
    &seg_shader_conv_lp_image_wide_f32, &seg_shader_conv_lp_image_wide_f16,
    &seg_shader_conv_flat_wide_f32, &seg_shader_conv_flat_wide_f16,
    &seg_shader_conv_point_f32, &seg_shader_conv_point_f16,
    &seg_shader_conv_point_wide_f32, &seg_shader_conv_point_wide_f16,
    &seg_shader_conv_sc_f32, &seg_shader_conv_sc_f16, &seg_shader_conv_sc_f16_f32,
    &seg_shader_conv_sums_f32, &seg_shader_conv_sums_f16, &seg_shader_conv_cm1,
    &seg_shader_conv_cm2, &seg_shader_winograd_in_f32, &seg_shader_winograd_in_wide_f32,
    &seg_shader_winograd_out_f32, &seg_shader_winograd_out_f16,
    &seg_shader_winograd_out_wide_f32, &seg_shader_winograd_out_wide_f16 };
  guint64 hash = 0;
  for (guint i = 0; i < G_N_ELEMENTS (shaders); i++)
    hash = hash * G_GUINT64_CONSTANT (0x100000001b3) + shaders[i]->hash;
  return hash;
}

/* --- Conv -------------------------------------------------------------------------------------- */

static gboolean
weights_known (const SegConvJob *job)
{
  gboolean bias = seg_node_input (job->node, 2) == NULL || job->bias != NULL;
  return job->weights != NULL && bias;
}

/* Unless the arena would have to grow for what lies between its transforms. */
static gboolean
can_be_winograd (const SegConvJob *job, const SegProgram *p)
{
  SegConvFamily wanted = forced ();
  /* What the transforms round depends on where its tiles are, and where they end. */
  if (p->graph->steady || !seg_conv_winograd_takes (job, p))
    return FALSE;
  if (wanted != SEG_CONV_N_FAMILIES)
    return wanted == SEG_CONV_WINOGRAD;
  return seg_conv_winograd_temp_bytes (job, p) <= seg_program_temp_budget (p);
}

/* The transforms pay where multiplications are dear, on CPUs. */
static SegChoice
choose (const SegConvJob *job, SegProgram *p)
{
  const SegDeviceInfo *device = seg_program_device (p);
  SegDenseConv c = seg_dense_maps (job, p);
  Choices choices = { .n = 0 };
  gboolean winograd = can_be_winograd (job, p);
  gboolean first = device->type == SEG_DEVICE_CPU || forced () == SEG_CONV_WINOGRAD;
  if (winograd && first)
    add_choice (&choices, SEG_CONV_WINOGRAD, 0);
  add_dense (&choices, &c, p);
  if (winograd && !first)
    add_choice (&choices, SEG_CONV_WINOGRAD, 0);
  return choose_measured (winograd ? "conv+winograd" : "conv", &c, &choices, p);
}

static gboolean
emit_chosen (const SegConvJob *job, SegChoice choice, SegProgram *p, GError **error)
{
  if (choice.family == SEG_CONV_WINOGRAD)
    return seg_conv_winograd_emit (job, p, error);
  const SegNode *node = job->node;
  g_autofree float *owned = NULL;
  SegDenseConv c = seg_dense_conv (job, p);
  c.filter = seg_conv_filter (job->weights, &owned);
  c.stays = owned == NULL;
  if (node->factor >= 0 && choice.family == SEG_CONV_LP)
    c.factor = seg_node_input (node, node->factor);
  return emit_dense (&c, choice, p, error);
}

/* The map times its factor, as a map of its own. */
static gboolean
emit_product (SegConvJob *job, SegProgram *p, GError **error)
{
  const SegValue *factor = seg_node_input (job->node, job->node->factor);
  SegStorage storage = seg_program_precision (p);
  const SegOperand ins[] = { { job->source, job->in }, seg_operand (p, factor) };
  SegOperand out = seg_operand_temp (p, &job->in, storage);
  const SegBinaryStep times = { .kind = SEG_BINARY_MUL,
    .scale = 1,
    .storage = storage,
    .in_storage = storage,
    .epilogue = SEG_EPILOGUE_UNUSED };
  job->source = out.ref;
  job->in = out.view;
  return seg_binary_emit (p, job->node, &times, ins, &out, error);
}

/* Lanes of a GPU are better used for pixels of one channel each. */
static gboolean
is_few (const SegConvJob *job, const SegDeviceInfo *device)
{
  SegConvFamily wanted = forced ();
  gboolean tried = wanted == SEG_CONV_N_FAMILIES ? device->type == SEG_DEVICE_CPU
                                                 : wanted == SEG_CONV_FEW;
  return tried && job->node->factor < 0 && seg_conv_few_takes (job);
}

gboolean
seg_conv_emit (const SegConvJob *job, SegProgram *p, GError **error)
{
  const SegDeviceInfo *device = seg_program_device (p);
  gboolean direct = !weights_known (job) || forced () == SEG_CONV_DIRECT;
  gboolean depthwise = !direct && seg_conv_depthwise_takes (job);
  gboolean few = !direct && !depthwise && is_few (job, device);
  gboolean dense = !direct && !depthwise && !few
                   && seg_dense_takes (job->in_c, job->out_c, job->groups, device);
  SegChoice choice = dense ? choose (job, p) : (SegChoice){ SEG_CONV_DIRECT, 0 };
  SegConvJob multiplied = *job;
  /* Elsewhere the factor goes into the weights. */
  if (job->node->factor >= 0 && choice.family != SEG_CONV_LP) {
    if (!emit_product (&multiplied, p, error))
      return FALSE;
  }
  if (few)
    return seg_conv_few_emit (&multiplied, p, error);
  if (dense)
    return emit_chosen (&multiplied, choice, p, error);
  return depthwise ? seg_conv_depthwise_emit (&multiplied, p, error)
                   : seg_conv_direct_emit (&multiplied, p, error);
}
