/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/peak.h"

#include "ops/epilogue.h"

#include <time.h>

extern const SegShader seg_shader_bench_peak;

#define GROUPS  1024
#define LOCAL   64
#define FLOPS   (32 * 3 * 4 * 2.0) /* of an invocation's round */
#define RUNS    20
#define LONG_MS 4

double
seg_bench_cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static gboolean
record (SegCmd *cmd, SegBuffer *out, guint32 rounds, GError **error)
{
  SegBufferView view = { out, 0, seg_buffer_bytes (out), SEG_VIEW_STORAGE_WRITE };
  const guint32 push[] = { rounds, seg_float_bits (0.5f), seg_float_bits (1) };
  SegVkDispatch d = {
    .shader = &seg_shader_bench_peak,
    .views = &view,
    .n_views = 1,
    .push = push,
    .n_push = G_N_ELEMENTS (push),
    .groups = { GROUPS, 1, 1 },
  };
  return seg_cmd_begin (cmd, error) && seg_cmd_dispatch (cmd, &d, error)
         && seg_cmd_end (cmd, error);
}

/* The least wall and processor time of a run. */
static gboolean
time_runs (SegCmd *cmd, guint runs, double *wall_ms, double *cpu_ms, GError **error)
{
  *wall_ms = *cpu_ms = G_MAXDOUBLE;
  for (guint i = 0; i < runs; i++) {
    gint64 start = g_get_monotonic_time ();
    double cpu = seg_bench_cpu_ms ();
    if (!seg_cmd_submit (cmd, error) || !seg_cmd_wait (cmd, error))
      return FALSE;
    *wall_ms = MIN (*wall_ms, (g_get_monotonic_time () - start) / 1e3);
    *cpu_ms = MIN (*cpu_ms, seg_bench_cpu_ms () - cpu);
  }
  return TRUE;
}

gboolean
seg_bench_peak (SegVk *vk, double *by_clock, double *by_cpu, GError **error)
{
  SegBuffer *out = seg_buffer_new (vk, GROUPS * LOCAL * 16, SEG_BUFFER_DEVICE, error);
  SegCmd *cmd = out != NULL ? seg_cmd_new (vk, FALSE, error) : NULL;
  gboolean ok = cmd != NULL;
  double wall = 0, cpu = 0;
  guint32 rounds = 8;
  while (ok && wall < LONG_MS && rounds < 1 << 24) {
    rounds *= 2;
    ok = record (cmd, out, rounds, error) && time_runs (cmd, 2, &wall, &cpu, error);
  }
  ok = ok && time_runs (cmd, RUNS, &wall, &cpu, error);
  *by_clock = ok ? GROUPS * LOCAL * FLOPS * rounds / wall / 1e6 : 0;
  *by_cpu = ok ? GROUPS * LOCAL * FLOPS * rounds / cpu / 1e6 : 0;
  seg_cmd_free (&cmd);
  seg_buffer_free (&out);
  return ok;
}
