/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every operator of seg_op_table on the device against its own eval on the host; see cases.h. */
#include "case-model.h"
#include "engine/session.h"
#include "lib/compare.h"
#include "lib/device.h"
#include "lib/tap.h"
#include "ops/table.h"
#include "padding.h"

#include <stdio.h>
#include <string.h>

#define N_PRECISIONS 2
#define N_LAYOUTS    2
#define MAX_OUTPUTS  16
#define MOST_KERNELS 4

static const SegCase *const families[] = { seg_cases_conv, seg_cases_elementwise,
  seg_cases_reduce, seg_cases_move, seg_cases_quant, seg_cases_detect };

typedef struct {
  SegVk *vk;
  guint32 seed;
  gboolean verbose;
  const char *const *kernels;   /* that --uses wants to see, or NULL */
  guint n_kernel[MOST_KERNELS]; /* steps with each */
  SegTap tap;
  /* of the operator at hand */
  guint n_cases, n_device, n_host, n_free;
  GString *failures;
} Run;

/* --- one case ---------------------------------------------------------------------------- */

static char *
case_to_string (const SegCase *c)
{
  return g_strdup_printf ("%s (%s) %s, opset %u", c->op, c->attrs != NULL ? c->attrs : "",
      c->inputs != NULL ? c->inputs : "", c->opset != 0 ? c->opset : 17);
}

static void
fail (Run *run, const SegCase *c, const char *where, const char *what)
{
  g_autofree char *text = case_to_string (c);

  g_string_append_printf (
      run->failures, "%s, seed %u, %s: %s\n", text, run->seed, where, what);
}

static void
clear_outputs (SegTensor **outputs)
{
  for (guint i = 0; i < MAX_OUTPUTS; i++)
    g_clear_pointer (&outputs[i], seg_tensor_unref);
}

/* fp16 inputs and results of ONNX's narrow types are no better than these under fp32 either. */
static SegTolerance
tolerance_of (const SegCase *c, SegPrecision precision, SegDType dtype)
{
  double t32 = c->tolerance32 != 0 ? c->tolerance32 : 1e-4;
  double t16 = c->tolerance16 != 0 ? c->tolerance16 : 2e-3;
  SegTolerance t = { .relative = t32, .to_largest = TRUE };

  if (precision == SEG_PRECISION_FP16 || dtype == SEG_DTYPE_F16) {
    t.relative = MAX (t32, t16);
    t.half = TRUE;
  }
  if (dtype == SEG_DTYPE_BF16)
    t.relative = MAX (t.relative, 1.0 / 128);
  return t;
}

static void
count_steps (Run *run, const SegSession *session)
{
  SegSessionStats stats;
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);

  for (guint i = 0; i < n; i++) {
    for (guint k = 0; run->kernels != NULL && run->kernels[k] != NULL; k++)
      run->n_kernel[k] += g_str_has_prefix (layers[i].kernel, run->kernels[k]);
    if (run->verbose)
      seg_tap_comment ("  %s", layers[i].kernel);
  }

  seg_session_stats (session, &stats);
  if (stats.n_host_steps > 0)
    run->n_host++;
  else if (stats.n_dispatches > 0)
    run->n_device++;
  else
    run->n_free++;
}

static gboolean
on_device (Run *run, const SegCaseModel *model, SegPrecision precision, gboolean poison,
    SegTensor **outputs, GError **error)
{
  SegSessionOptions options = {
    .precision = precision, .no_optimise = TRUE, .poison = poison
  };
  SegSession *session = seg_session_new (model->model, run->vk, &options, error);
  gboolean ok = FALSE;

  if (session != NULL) {
    ok = seg_session_run (session, (SegTensor **) model->inputs->pdata, outputs, error);
    count_steps (run, session);
  }
  g_autofree char *padding = ok ? seg_check_padding (run->vk, session, outputs) : NULL;
  if (padding != NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE, "%s", padding);
    ok = FALSE;
  }
  seg_session_free (&session);
  return ok;
}

static gboolean
on_host (const SegCaseModel *model, SegTensor **outputs, GError **error)
{
  g_autoptr (SegGraph) graph =
      seg_graph_new (model->model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, error);

  return graph != NULL
         && seg_graph_eval (graph, (SegTensor **) model->inputs->pdata, outputs, error);
}

static void
compare_run (Run *run, const SegCase *c, const SegCaseModel *model,
    SegTensor *const *want, SegPrecision precision, gboolean poison)
{
  g_autofree char *where =
      g_strdup_printf ("%s, %s", precision == SEG_PRECISION_FP16 ? "fp16" : "fp32",
          poison ? "channels-last" : "rows");
  SegTensor *got[MAX_OUTPUTS] = { NULL };
  guint messages = seg_vk_validation_messages ();
  g_autoptr (GError) error = NULL;

  if (!on_device (run, model, precision, poison, got, &error)) {
    fail (run, c, where, error->message);
    clear_outputs (got);
    return;
  }
  for (guint i = 0; i < MAX (c->n_outputs, 1); i++) {
    SegTolerance tolerance = tolerance_of (c, precision, want[i]->desc.dtype);
    g_autofree char *bad = seg_compare (got[i], want[i], &tolerance);
    g_autofree char *place = g_strdup_printf ("%s, output %u", where, i);
    if (bad != NULL)
      fail (run, c, place, bad);
  }
  if (seg_vk_validation_messages () != messages)
    fail (run, c, where, "messages from the validation layer");
  clear_outputs (got);
}

static void
run_case (Run *run, const SegCase *c)
{
  g_autofree char *text = case_to_string (c);

  run->n_cases++;
  if (run->verbose)
    seg_tap_comment ("%s", text);
  for (guint p = 0; p < N_PRECISIONS; p++) {
    SegPrecision precision = p == 0 ? SEG_PRECISION_FP32 : SEG_PRECISION_FP16;
    g_auto (SegCaseModel) model = { NULL };
    SegTensor *want[MAX_OUTPUTS] = { NULL };
    g_autoptr (GError) error = NULL;
    if (!seg_case_model_make (
            c, run->seed + run->n_cases, precision == SEG_PRECISION_FP16, &model, &error)
        || !on_host (&model, want, &error))
      fail (run, c, "host", error->message);
    for (guint layout = 0; layout < N_LAYOUTS && error == NULL; layout++)
      compare_run (run, c, &model, want, precision, layout > 0);
    clear_outputs (want);
  }
}

/* --- all cases of an operator -------------------------------------------------------------- */

static gboolean
is_for (const SegCase *c, const SegOp *op)
{
  const char *name;
  g_autofree char *domain = seg_case_domain (c, &name);

  return strcmp (name, op->name) == 0 && strcmp (domain, op->domain) == 0;
}

static void
run_op (Run *run, const SegOp *op)
{
  g_autofree char *name = NULL;

  run->n_cases = run->n_device = run->n_host = run->n_free = 0;
  g_string_truncate (run->failures, 0);
  for (guint f = 0; f < G_N_ELEMENTS (families); f++)
    for (const SegCase *c = families[f]; c->op != NULL; c++)
      if (is_for (c, op))
        run_case (run, c);
  if (run->n_cases == 0 && !(op->flags & SEG_OP_BODIES)) /* those: node-tests */
    g_string_append (run->failures, "no case in tests/ops/cases-*.c\n");
  name = g_strdup_printf ("%s: %u cases; runs: %u on the device, %u with host steps, %u "
                          "without any work",
      op->name, run->n_cases, run->n_device, run->n_host, run->n_free);
  seg_tap_result (&run->tap, run->failures->len == 0, name, run->failures->str);
}

/* Names that no operator has are slips of the pen: such a case would never run. */
static void
check_names (Run *run)
{
  g_string_truncate (run->failures, 0);
  for (guint f = 0; f < G_N_ELEMENTS (families); f++)
    for (const SegCase *c = families[f]; c->op != NULL; c++) {
      const char *name;
      g_autofree char *domain = seg_case_domain (c, &name);
      if (seg_op_lookup (domain, name) == NULL)
        fail (run, c, "table", "no operator has this name");
    }
  seg_tap_result (&run->tap, run->failures->len == 0, "every case names an operator",
      run->failures->str);
}

static void
check_refused (Run *run, const SegCase *c)
{
  g_auto (SegCaseModel) model = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) graph = NULL;

  if (!seg_case_model_make (c, run->seed, FALSE, &model, &error)) {
    fail (run, c, "notation", error->message);
    return;
  }
  graph = seg_graph_new (model.model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, &error);
  if (graph != NULL)
    fail (run, c, "load", "was taken, should be refused");
  else if (strstr (error->message, "node") == NULL
           || strchr (error->message, '\n') != NULL)
    fail (run, c, "message should be one line that names the node", error->message);
  else if (run->verbose)
    seg_tap_comment ("%s", error->message);
}

static void
run_refused (Run *run, const char *only)
{
  g_autofree char *name = NULL;
  guint n = 0;

  g_string_truncate (run->failures, 0);
  for (const SegCase *c = seg_cases_refused; c->op != NULL; c++)
    if (seg_op_lookup ("", c->op) != NULL
        && (only == NULL || strcmp (only, c->op) == 0)) {
      check_refused (run, c);
      n++;
    }
  name = g_strdup_printf ("%u nodes that must be refused", n);
  seg_tap_result (&run->tap, run->failures->len == 0, name, run->failures->str);
}

/* Those that rest on what llvmpipe does with eight lanes are taken nowhere else. */
static gboolean
is_for_device (const Run *run, const char *kernel)
{
  const SegDeviceInfo *device = seg_vk_info (run->vk);
  return !g_str_has_prefix (kernel, "conv_flat")
         || (device->type == SEG_DEVICE_CPU && device->subgroup_size == 8);
}

static void
check_kernels (Run *run)
{
  for (guint k = 0; run->kernels != NULL && run->kernels[k] != NULL; k++) {
    g_autofree char *name =
        g_strdup_printf ("%u steps with %s", run->n_kernel[k], run->kernels[k]);
    gboolean used = run->n_kernel[k] > 0;
    if (!used && !is_for_device (run, run->kernels[k]))
      seg_tap_skip (&run->tap, name, "it is for CPU devices with eight lanes");
    else
      seg_tap_result (&run->tap, used, name, used ? NULL : "no case has used it");
  }
}

static gboolean
is_in_table (const char *name)
{
  for (guint i = 0; seg_op_table[i] != NULL; i++)
    if (strcmp (name, seg_op_table[i]->name) == 0)
      return TRUE;
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autofree char *only = NULL;
  g_auto (GStrv) kernels = NULL;
  int seed = 1, status = 0;
  Run run = { 0 };
  const GOptionEntry entries[] = {
    { "op", 0, 0, G_OPTION_ARG_STRING, &only, "Only this operator", "NAME" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Other random inputs", "N" },
    { "uses", 0, 0, G_OPTION_ARG_STRING_ARRAY, &kernels,
        "Fail unless a kernel whose name begins so was used", "KERNEL" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &run.verbose,
        "Name each case before it runs, and its kernels" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- operators against eval");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  if (only != NULL && !is_in_table (only)) {
    fprintf (stderr, "the table has no operator '%s'\n", only);
    return 2;
  }
  if (kernels != NULL && g_strv_length (kernels) > MOST_KERNELS) {
    fprintf (stderr, "--uses takes %d kernels at most\n", MOST_KERNELS);
    return 2;
  }
  run.vk = seg_test_device (&status);
  if (run.vk == NULL)
    return status;
  run.seed = (guint32) seed;
  run.kernels = (const char *const *) kernels;
  run.failures = g_string_new (NULL);
  for (guint i = 0; seg_op_table[i] != NULL; i++)
    if (only == NULL || strcmp (only, seg_op_table[i]->name) == 0)
      run_op (&run, seg_op_table[i]);
  if (only == NULL)
    check_names (&run);
  run_refused (&run, only);
  check_kernels (&run);
  g_string_free (run.failures, TRUE);
  seg_vk_unref (run.vk);
  return seg_tap_finish (&run.tap);
}
