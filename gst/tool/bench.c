/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/bench.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LAYER_RUNS 20
#define CLOCKS_MS      700 /* of work, until a GPU that was idle has its clocks */

static double
now_ms (void)
{
  return g_get_monotonic_time () / 1000.0;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Sorts times. */
static double
median (double *times, guint n)
{
  qsort (times, n, sizeof *times, compare_doubles);
  return n % 2 ? times[n / 2] : (times[n / 2 - 1] + times[n / 2]) / 2;
}

/* Floats between 0 and 1, the same ones each time; integers and booleans 0, which is a valid
 * index and a valid size nowhere else. */
static SegTensor *
random_tensor (const SegDesc *desc, GError **error)
{
  SegTensor *t = seg_tensor_new (desc, error);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gint64 n = t != NULL && seg_dtype_is_float (desc->dtype) ? seg_desc_n_elems (desc) : 0;

  for (gint64 i = 0; i < n; i++)
    seg_tensor_set_double (t, (gsize) i, g_rand_double (rand));
  return t;
}

static gboolean
fill_missing (ToolInputs *inputs, const SegSession *session, GError **error)
{
  const SegGraph *graph = seg_session_graph (session);

  for (guint i = 0; i < inputs->n; i++) {
    const SegValue *v = g_ptr_array_index (graph->inputs, i);
    if (inputs->tensors[i] == NULL
        && (inputs->tensors[i] = random_tensor (&v->desc, error)) == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
time_run (SegSession *session, const ToolInputs *inputs, double *ms, GError **error)
{
  guint n = seg_session_graph (session)->outputs->len;
  g_autofree SegTensor **outputs = g_new0 (SegTensor *, MAX (n, 1));
  double start = now_ms ();

  if (!seg_session_run (session, inputs->tensors, outputs, error))
    return FALSE;
  *ms = now_ms () - start;
  for (guint i = 0; i < n; i++)
    seg_tensor_unref (outputs[i]);
  return TRUE;
}

/* An idle GPU takes a while to reach them, and would be measured on the way. */
static gboolean
is_raising_clocks (const Bench *bench, double since_ms)
{
  return seg_vk_info (bench->vk)->type != SEG_DEVICE_CPU
         && now_ms () < since_ms + CLOCKS_MS;
}

/* At least n runs; on a GPU as many more as raise its clocks. */
static gboolean
warm_up (Bench *bench, SegSession *session, const ToolInputs *inputs, guint n,
    double *first_ms, GError **error)
{
  double ignored;
  if (!time_run (session, inputs, first_ms, error))
    return FALSE;
  double start = now_ms (); /* the first run is the host's work for the most part */
  for (guint i = 1; i < n || is_raising_clocks (bench, start); i++)
    if (!time_run (session, inputs, &ignored, error))
      return FALSE;
  return TRUE;
}

static gboolean
measure (Bench *bench, SegSession *session, const ToolInputs *inputs, guint n_warm_up,
    GError **error)
{
  g_autofree double *times = g_new0 (double, bench->n_runs);

  if (!warm_up (bench, session, inputs, n_warm_up, &bench->first_ms, error))
    return FALSE;
  for (guint i = 0; i < bench->n_runs; i++)
    if (!time_run (session, inputs, &times[i], error))
      return FALSE;
  bench->median_ms = median (times, bench->n_runs);
  bench->min_ms = times[0];
  seg_session_stats (session, &bench->stats);
  return TRUE;
}

/* Between runs the host has its part: those alone may not have raised them. */
static gboolean
raise_clocks (const Bench *bench, SegCmd *cmd, GError **error)
{
  double start = now_ms ();
  while (is_raising_clocks (bench, start))
    if (!seg_cmd_run (cmd, error))
      return FALSE;
  return TRUE;
}

static gboolean
time_on_device (SegCmd *cmd, double *times, guint n, GError **error)
{
  for (guint i = 0; i < n; i++) {
    guint64 ns;
    if (!seg_cmd_run (cmd, error))
      return FALSE;
    if (!seg_cmd_span (cmd, &ns))
      return TRUE;
    times[i] = ns / 1e6;
  }
  return TRUE;
}

/* The network without what brings its inputs and fetches its outputs: what it costs where frames are
 * on the device already, and what others call inference. */
static gboolean
measure_device (Bench *bench, SegSession *session, GError **error)
{
  guint n = seg_session_graph (session)->outputs->len;
  g_autofree guint *outputs = g_new (guint, MAX (n, 1));
  g_autofree double *times = g_new0 (double, bench->n_runs);
  if (!seg_session_is_recordable (session)) /* the host has a part in it */
    return TRUE;
  for (guint i = 0; i < n; i++)
    outputs[i] = i;
  SegCmd *cmd = seg_cmd_new (bench->vk, FALSE, error);
  gboolean ok = cmd != NULL;
  if (ok)
    seg_cmd_stamp_ends (cmd);
  ok = ok && seg_cmd_begin (cmd, error)
       && seg_session_record (session, cmd, outputs, n, error) && seg_cmd_end (cmd, error)
       && raise_clocks (bench, cmd, error)
       && time_on_device (cmd, times, bench->n_runs, error);
  seg_cmd_free (&cmd);
  bench->device_ms = median (times, bench->n_runs);
  return ok;
}

/* Timestamps need a barrier around each dispatch, so layers are timed apart from the runs. */
static gboolean
measure_layers (Bench *bench, const ToolInputs *inputs, GError **error)
{
  guint n_runs = MIN (bench->n_runs, MAX_LAYER_RUNS);
  const SegLayerTime *layers;
  guint n = seg_session_layers (bench->timed, &layers);
  g_autofree double *times = g_new0 (double, (gsize) MAX (n, 1) * n_runs);
  double ignored;

  if (!warm_up (bench, bench->timed, inputs, 1, &ignored, error))
    return FALSE;
  for (guint run = 0; run < n_runs; run++) {
    if (!time_run (bench->timed, inputs, &ignored, error))
      return FALSE;
    n = MIN (n, seg_session_layers (bench->timed, &layers));
    for (guint i = 0; i < n; i++)
      times[(gsize) i * n_runs + run] = layers[i].ms;
  }
  bench->layers = g_array_new (FALSE, FALSE, sizeof (SegLayerTime));
  g_array_append_vals (bench->layers, layers, n);
  for (guint i = 0; i < n; i++)
    g_array_index (bench->layers, SegLayerTime, i).ms =
        median (&times[(gsize) i * n_runs], n_runs);
  return TRUE;
}

static double
total_gflop (const SegSession *session)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);
  double gflop = 0;

  for (guint i = 0; i < n; i++)
    gflop += layers[i].gflop;
  return gflop;
}

static gboolean
bench_session (Bench *bench, SegModel *model, SegVk *vk, ToolInputs *inputs,
    SegSessionOptions *options, guint n_warm_up, gboolean per_layer, GError **error)
{
  double start = now_ms ();
  SegSession *session = seg_session_new (model, vk, options, error);
  gboolean ok;

  if (session == NULL)
    return FALSE;
  bench->load_ms += now_ms () - start;
  bench->gflop = total_gflop (session);
  bench->precision = seg_session_precision (session) == SEG_STORAGE_F16 ? "fp16" : "fp32";
  ok = fill_missing (inputs, session, error)
       && measure (bench, session, inputs, n_warm_up, error)
       && measure_device (bench, session, error);
  seg_session_free (&session);
  if (!ok || !per_layer)
    return ok;
  options->timed = TRUE;
  options->tune_ms =
      0; /* as in the runs, by the cache; or, where that is not kept, as without */
  bench->timed = seg_session_new (model, vk, options, error);
  return bench->timed != NULL && measure_layers (bench, inputs, error);
}

static gboolean
bench_model (Bench *bench, const ToolOptions *o, guint n_warm_up, gboolean per_layer,
    GError **error)
{
  double start = now_ms ();
  g_autoptr (SegModel) model = tool_load_model (o, error);
  g_auto (ToolInputs) inputs = { 0 };

  if (model == NULL)
    return FALSE;
  bench->load_ms = now_ms () - start;
  if (!tool_inputs_read (&inputs, model, o, FALSE, error)
      || (bench->vk = tool_open_device (o, error)) == NULL)
    return FALSE;
  bench->device = seg_vk_info (bench->vk)->name;
  SegSessionOptions options = {
    .precision = o->precision,
    .shapes = inputs.shapes,
    .n_shapes = inputs.n_shapes,
    .tune_ms = (guint) o->tune_ms,
  };
  return bench_session (
      bench, model, bench->vk, &inputs, &options, n_warm_up, per_layer, error);
}

static int
bench (const ToolOptions *o, int n_runs, int n_warm_up, gboolean per_layer)
{
  Bench b = { .path = o->model, .n_runs = (guint) n_runs };
  g_autoptr (GError) error = NULL;
  gboolean ok = bench_model (&b, o, (guint) n_warm_up, per_layer, &error);

  if (ok && o->json)
    bench_print_json (&b);
  else if (ok)
    bench_print_text (&b);
  g_clear_pointer (&b.layers, g_array_unref);
  seg_session_free (&b.timed);
  g_clear_pointer (&b.vk, seg_vk_unref);
  return ok ? TOOL_OK : tool_refuse (error->message);
}

static int
run (int argc, char **argv)
{
  g_auto (ToolOptions) options = { NULL };
  int n_runs = 20, n_warm_up = 3, status;
  gboolean per_layer = FALSE;
  const GOptionEntry own[] = {
    { "runs", 'n', 0, G_OPTION_ARG_INT, &n_runs, "Timed runs (default 20)", "N" },
    { "warm-up", 'w', 0, G_OPTION_ARG_INT, &n_warm_up,
        "Runs before them, the first of which is reported as first_ms; more on a GPU, "
        "until its clocks have risen (default 3)",
        "N" },
    { "per-layer", 'l', 0, G_OPTION_ARG_NONE, &per_layer,
        "Time each layer, in a session of its own", NULL },
    { NULL },
  };

  if (!tool_parse (&tool_bench, &options,
          TOOL_OPTION_MODEL | TOOL_OPTION_INPUT | TOOL_OPTION_SHAPE | TOOL_OPTION_DEVICE
              | TOOL_OPTION_JSON | TOOL_OPTION_TUNE,
          own, argc, argv, &status))
    return status;
  if (n_runs < 1 || n_runs > 1000000 || n_warm_up < 1 || n_warm_up > 1000000)
    return tool_wrong_usage (&tool_bench, "--runs and --warm-up are 1 to 1000000");
  return bench (&options, n_runs, n_warm_up, per_layer);
}

const ToolCommand tool_bench = {
  .name = "bench",
  .arguments = "MODEL",
  .summary =
      "Times a network: load, first run, median and minimum of N runs, each layer.",
  .details =
      "Inputs that are not given are random (integers: 0). A run is from inputs in host\n"
      "memory to outputs in host memory; device_ms is the network alone, by the "
      "device's\n"
      "clock. gflops is the rate at the median, gflop the work of one run; a\n"
      "multiply-add counts two. The first result takes load and first\n"
      "run: with cold caches, pipelines are compiled; with warm ones, they are read "
      "from\n"
      "vkseg in the user's cache folder ($XDG_CACHE_HOME).",
  .run = run,
};
