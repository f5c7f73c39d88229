/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/bench.h"

#include "tool/json.h"

#include <stdio.h>
#include <string.h>

static double
rate (double gflop, double ms)
{
  return ms > 0 ? gflop / ms * 1000 : 0;
}

static int
by_time (gconstpointer a, gconstpointer b)
{
  double x = ((const SegLayerTime *) a)->ms, y = ((const SegLayerTime *) b)->ms;

  return x < y ? 1 : x > y ? -1 : 0;
}

static double
total_ms (const GArray *layers)
{
  double ms = 0;

  for (guint i = 0; i < layers->len; i++)
    ms += g_array_index (layers, SegLayerTime, i).ms;
  return ms;
}

static GArray *
sorted_by_time (const GArray *layers)
{
  GArray *sorted = g_array_new (FALSE, FALSE, sizeof (SegLayerTime));

  g_array_append_vals (sorted, layers->data, layers->len);
  g_array_sort (sorted, by_time);
  return sorted;
}

/* One entry an operator: op, ms and gflop are the sums, `output.rank` how many layers. */
static GArray *
sum_by_op (const GArray *layers)
{
  GArray *sums = g_array_new (FALSE, FALSE, sizeof (SegLayerTime));

  for (guint i = 0; i < layers->len; i++) {
    const SegLayerTime *layer = &g_array_index (layers, SegLayerTime, i);
    SegLayerTime *sum = NULL;
    for (guint k = 0; k < sums->len && sum == NULL; k++)
      if (strcmp (g_array_index (sums, SegLayerTime, k).op, layer->op) == 0)
        sum = &g_array_index (sums, SegLayerTime, k);
    if (sum == NULL) {
      SegLayerTime empty = { .op = layer->op };
      g_array_append_val (sums, empty);
      sum = &g_array_index (sums, SegLayerTime, sums->len - 1);
    }
    sum->ms += layer->ms;
    sum->gflop += layer->gflop;
    sum->output.rank++;
  }
  g_array_sort (sums, by_time);
  return sums;
}

static void
print_layers (const GArray *layers)
{
  g_autoptr (GArray) sorted = sorted_by_time (layers);
  g_autoptr (GArray) sums = sum_by_op (layers);
  double total = total_ms (layers);

  printf ("\n%9s %6s %9s  %-16s %-20s %-26s %s\n", "ms", "%", "GFLOP/s", "operator",
      "kernel", "output", "node");
  for (guint i = 0; i < sorted->len; i++) {
    const SegLayerTime *l = &g_array_index (sorted, SegLayerTime, i);
    g_autofree char *desc = seg_desc_to_string (&l->output);
    printf ("%9.3f %6.1f %9.2f  %-16s %-20s %-26s %s\n", l->ms,
        total > 0 ? 100 * l->ms / total : 0, rate (l->gflop, l->ms), l->op, l->kernel,
        desc, l->node);
  }
  printf ("\n%9s %6s %9s  %6s  %s\n", "ms", "%", "GFLOP/s", "layers", "operator");
  for (guint i = 0; i < sums->len; i++) {
    const SegLayerTime *l = &g_array_index (sums, SegLayerTime, i);
    printf ("%9.3f %6.1f %9.2f  %6u  %s\n", l->ms, total > 0 ? 100 * l->ms / total : 0,
        rate (l->gflop, l->ms), l->output.rank, l->op);
  }
  printf ("%9.3f in all, a barrier after each layer\n", total);
}

static const char *
cache_name (const Bench *b)
{
  return seg_vk_cache_is_warm (b->vk) ? "warm" : "cold";
}

void
bench_print_text (const Bench *b)
{
  const SegTuneStats *tuning = &b->stats.tuning;

  printf ("Model: %s\nDevice: %s\nPrecision: %s\n", b->path, b->device, b->precision);
  printf ("Median: %.3f ms of %u runs (minimum %.3f ms)\n", b->median_ms, b->n_runs,
      b->min_ms);
  if (b->device_ms > 0)
    printf ("On the device: %.3f ms, %.2f GFLOP/s\n", b->device_ms,
        rate (b->gflop, b->device_ms));
  printf ("First run: %.3f ms\nLoad: %.3f ms\n", b->first_ms, b->load_ms);
  printf ("First result: after %.3f ms, %s pipeline cache\n", b->load_ms + b->first_ms,
      cache_name (b));
  printf (
      "Kernels: %u convolutions with a choice, %u measured earlier, %u now in %.0f ms\n",
      tuning->n_choices, tuning->n_known, tuning->n_measured, tuning->ms);
  printf (
      "Arithmetic: %.3f GFLOP, %.2f GFLOP/s\n", b->gflop, rate (b->gflop, b->median_ms));
  printf ("Memory: %.1f MiB weights + %.1f MiB activations\n",
      b->stats.weight_bytes / 1048576.0, b->stats.arena_bytes / 1048576.0);
  printf ("Steps: %u dispatches, %u on the host, in %u round trips\n",
      b->stats.n_dispatches, b->stats.n_host_steps, b->stats.n_round_trips);
  if (b->layers != NULL)
    print_layers (b->layers);
}

static void
add_layers (JsonBuilder *b, const GArray *layers)
{
  double total = total_ms (layers);

  json_builder_set_member_name (b, "layers");
  json_builder_begin_array (b);
  for (guint i = 0; i < layers->len; i++) {
    const SegLayerTime *l = &g_array_index (layers, SegLayerTime, i);
    json_builder_begin_object (b);
    tool_json_string (b, "node", l->node);
    tool_json_string (b, "op", l->op);
    tool_json_string (b, "kernel", l->kernel);
    tool_json_desc (b, &l->output);
    tool_json_double (b, "ms", l->ms);
    tool_json_double (b, "percent", total > 0 ? 100 * l->ms / total : 0);
    tool_json_double (b, "gflop", l->gflop);
    tool_json_double (b, "gflops", rate (l->gflop, l->ms));
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
}

void
bench_print_json (const Bench *bench)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_object (b);
  tool_json_string (b, "model", bench->path);
  tool_json_string (b, "device", bench->device);
  tool_json_string (b, "precision", bench->precision);
  tool_json_int (b, "runs", bench->n_runs);
  tool_json_double (b, "median_ms", bench->median_ms);
  tool_json_double (b, "min_ms", bench->min_ms);
  tool_json_double (b, "device_ms", bench->device_ms);
  tool_json_double (b, "first_ms", bench->first_ms);
  tool_json_double (b, "load_ms", bench->load_ms);
  tool_json_double (b, "first_result_ms", bench->load_ms + bench->first_ms);
  tool_json_string (b, "pipeline_cache", cache_name (bench));
  tool_json_int (b, "choices", bench->stats.tuning.n_choices);
  tool_json_int (b, "choices_known", bench->stats.tuning.n_known);
  tool_json_int (b, "choices_measured", bench->stats.tuning.n_measured);
  tool_json_double (b, "tune_ms", bench->stats.tuning.ms);
  tool_json_double (b, "gflop", bench->gflop);
  tool_json_double (b, "gflops", rate (bench->gflop, bench->median_ms));
  tool_json_int (b, "weight_bytes", (gint64) bench->stats.weight_bytes);
  tool_json_int (b, "arena_bytes", (gint64) bench->stats.arena_bytes);
  tool_json_int (b, "dispatches", bench->stats.n_dispatches);
  tool_json_int (b, "live_dispatches", bench->stats.n_live_dispatches);
  tool_json_int (b, "host_steps", bench->stats.n_host_steps);
  tool_json_int (b, "round_trips", bench->stats.n_round_trips);
  if (bench->layers != NULL)
    add_layers (b, bench->layers);
  json_builder_end_object (b);
  tool_json_print (b);
}
