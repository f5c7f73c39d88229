/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/peak.h"
#include "engine/session.h"
#include "ops/case-model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Speed of single operators: a table with the least time of a run, and for CPU devices the
 * processor time (a quartile), which is what one core does. Not a test. Arguments: fp16 and parts of the
 * labels to choose by. Benchmark with MESA_SHADER_CACHE_DISABLE=true for true first times. */

typedef struct {
  const char *label;
  SegCase bench;
  gboolean winograd; /* could be, on a CPU */
} Bench;

#define CONV(LABEL, ATTRS, INPUTS)                                                       \
  {                                                                                      \
    LABEL,                                                                               \
    {                                                                                    \
      "Conv", ATTRS, INPUTS                                                              \
    }                                                                                    \
  }
#define CONV3(LABEL, ATTRS, INPUTS)                                                      \
  {                                                                                      \
    LABEL, { "Conv", ATTRS, INPUTS }, TRUE                                               \
  }
static const Bench benches[] = {
  CONV3 ("3x3 64->64 @64", "pads=[1,1,1,1]", "f32[1,64,64,64] f32[64,64,3,3]! f32[64]!"),
  CONV3 ("3x3 256->256 @64", "pads=[1,1,1,1]",
      "f32[1,256,64,64] f32[256,256,3,3]! f32[256]!"),
  CONV3 ("3x3 512->512 @32", "pads=[1,1,1,1]",
      "f32[1,512,32,32] f32[512,512,3,3]! f32[512]!"),
  CONV3 (
      "3x3 512->512 @7", "pads=[1,1,1,1]", "f32[1,512,7,7] f32[512,512,3,3]! f32[512]!"),
  CONV3 ("3x3 128->128 @40", "pads=[1,1,1,1]",
      "f32[1,128,40,40] f32[128,128,3,3]! f32[128]!"),
  CONV3 ("3x3 128->128 @33", "pads=[1,1,1,1]",
      "f32[1,128,33,33] f32[128,128,3,3]! f32[128]!"),
  CONV (
      "3x3 16->16 @160", "pads=[1,1,1,1]", "f32[1,16,160,160] f32[16,16,3,3]! f32[16]!"),
  CONV ("3x3 s2 128->256 @64", "pads=[1,1,1,1] strides=[2,2]",
      "f32[1,128,64,64] f32[256,128,3,3]! f32[256]!"),
  CONV3 ("3x3 d2 256->256 @40", "pads=[2,2,2,2] dilations=[2,2]",
      "f32[1,256,40,40] f32[256,256,3,3]! f32[256]!"),
  CONV3 ("3x3 d4 512->512 @40", "pads=[4,4,4,4] dilations=[4,4]",
      "f32[1,512,40,40] f32[512,512,3,3]! f32[512]!"),
  CONV ("3x3 d24 512->256 @40", "pads=[24,24,24,24] dilations=[24,24]",
      "f32[1,512,40,40] f32[256,512,3,3]! f32[256]!"),
  CONV ("7x7 s2 3->64 @320", "pads=[3,3,3,3] strides=[2,2]",
      "f32[1,3,320,320] f32[64,3,7,7]! f32[64]!"),
  CONV ("3x3 s2 3->16 @320", "pads=[1,1,1,1] strides=[2,2]",
      "f32[1,3,320,320] f32[16,3,3,3]! f32[16]!"),
  CONV ("1x1 256->64 @64", NULL, "f32[1,256,64,64] f32[64,256,1,1]! f32[64]!"),
  CONV ("1x1 64->256 @64", NULL, "f32[1,64,64,64] f32[256,64,1,1]! f32[256]!"),
  CONV ("1x1 2048->512 @40", NULL, "f32[1,2048,40,40] f32[512,2048,1,1]! f32[512]!"),
  CONV ("1x1 s2 256->512 @64", "strides=[2,2]",
      "f32[1,256,64,64] f32[512,256,1,1]! f32[512]!"),
  CONV ("1x1 16->16 @128", NULL, "f32[1,16,128,128] f32[16,16,1,1]! f32[16]!"),
  CONV ("1x1 16->72 @64", NULL, "f32[1,16,64,64] f32[72,16,1,1]! f32[72]!"),
  CONV ("1x1 96->24 @32", NULL, "f32[1,96,32,32] f32[24,96,1,1]! f32[24]!"),
  CONV ("1x1 960->240 @1", NULL, "f32[1,960,1,1] f32[240,960,1,1]! f32[240]!"),
  CONV ("dw 3x3 256 @64", "pads=[1,1,1,1] group=256",
      "f32[1,256,64,64] f32[256,1,3,3]! f32[256]!"),
  CONV ("dw 3x3 480 @33", "pads=[1,1,1,1] group=480",
      "f32[1,480,33,33] f32[480,1,3,3]! f32[480]!"),
  CONV ("dw 3x3 d2 480 @33", "pads=[2,2,2,2] dilations=[2,2] group=480",
      "f32[1,480,33,33] f32[480,1,3,3]! f32[480]!"),
  CONV ("dw 3x3 s2 64 @160", "pads=[1,1,1,1] group=64 strides=[2,2]",
      "f32[1,64,160,160] f32[64,1,3,3]! f32[64]!"),
  CONV ("dw 5x5 240 @40", "pads=[2,2,2,2] group=240",
      "f32[1,240,40,40] f32[240,1,5,5]! f32[240]!"),
  CONV ("dw 5x5 d2 672 @20", "pads=[4,4,4,4] dilations=[2,2] group=672",
      "f32[1,672,20,20] f32[672,1,5,5]! f32[672]!"),
  CONV ("group 32x4 3x3 128 @56", "pads=[1,1,1,1] group=32",
      "f32[1,128,56,56] f32[128,4,3,3]! f32[128]!"),
  { "transpose k2 s2 128->64 @64", { "ConvTranspose", "strides=[2,2]",
                                       "f32[1,128,64,64] f32[128,64,2,2]! f32[64]!" } },
  { "transpose k2 s2 16->1 @128",
      { "ConvTranspose", "strides=[2,2]", "f32[1,16,128,128] f32[16,1,2,2]! f32[1]!" } },
  { "transpose k4 s2 64->64 @64", { "ConvTranspose", "strides=[2,2] pads=[1,1,1,1]",
                                      "f32[1,64,64,64] f32[64,64,4,4]! f32[64]!" } },
  { "transpose k16 s8 21->21 @40", { "ConvTranspose", "strides=[8,8] pads=[4,4,4,4]",
                                       "f32[1,21,40,40] f32[21,21,16,16]!" } },
  { "gemm 1000x1024x1024",
      { "Gemm", "transB=1", "f32[1000,1024] f32[1024,1024]! f32[1024]!" } },
  { "gemm 1x2048x1000",
      { "Gemm", "transB=1", "f32[1,2048] f32[1000,2048]! f32[1000]!" } },
  { "matmul 8 x 1024x64x256", { "MatMul", NULL, "f32[8,1024,64] f32[8,64,256]" } },
  { "matmul 8 x 1024x256x64", { "MatMul", NULL, "f32[8,1024,256] f32[8,256,64]" } },
  { "maxpool 3x3 s2 64 @160",
      { "MaxPool", "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
          "f32[1,64,160,160]" } },
  { "average 960 @10 -> 1", { "GlobalAveragePool", NULL, "f32[1,960,10,10]" } },
  { "sigmoid 64 @80", { "Sigmoid", NULL, "f32[1,64,80,80]" } },
  { "add 64 @80", { "Add", NULL, "f32[1,64,80,80] f32[1,64,80,80]" } },
  { "mul 64 @80 by channels", { "Mul", NULL, "f32[1,64,80,80] f32[1,64,1,1]" } },
  { "softmax 21 @65", { "Softmax", "axis=1", "f32[1,21,65,65]" } },
  { "transposition 0231 64 @80", { "Transpose", "perm=[0,2,3,1]", "f32[1,64,80,80]" } },
  { "slice 64 of 128 @40", { "Slice", NULL, "f32[1,128,40,40] i64{32} i64{96} i64{1}" } },
  { "resize 21 @33 -> 257",
      { "Resize", "mode='linear'", "f32[1,21,33,33] - - i64{1,21,257,257}" } },
  { "resize 128 @20 -> 40",
      { "Resize", "mode='nearest'", "f32[1,128,20,20] - f32{1,1,2,2}" } },
};

/* Of networks at the sizes that GPUs are used for; on a CPU they take too long. */
static const Bench large[] = {
  CONV ("3x3 64->64 @568", NULL, "f32[1,64,570,570] f32[64,64,3,3]! f32[64]!"),
  CONV ("3x3 128->128 @280", NULL, "f32[1,128,282,282] f32[128,128,3,3]! f32[128]!"),
  CONV ("3x3 256->256 @200", "pads=[1,1,1,1]",
      "f32[1,256,200,200] f32[256,256,3,3]! f32[256]!"),
  CONV ("3x3 512->512 @104", NULL, "f32[1,512,104,104] f32[512,512,3,3]! f32[512]!"),
  CONV ("3x3 1024->1024 @28", NULL, "f32[1,1024,30,30] f32[1024,1024,3,3]! f32[1024]!"),
  CONV ("3x3 d4 512->512 @65", "pads=[4,4,4,4] dilations=[4,4]",
      "f32[1,512,65,65] f32[512,512,3,3]! f32[512]!"),
  CONV ("3x3 d24 2048->256 @65", "pads=[24,24,24,24] dilations=[24,24]",
      "f32[1,2048,65,65] f32[256,2048,3,3]! f32[256]!"),
  CONV ("1x1 512->2048 @65", NULL, "f32[1,512,65,65] f32[2048,512,1,1]! f32[2048]!"),
  CONV ("1x1 1024->256 @65", NULL, "f32[1,1024,65,65] f32[256,1024,1,1]! f32[256]!"),
  CONV ("1x1 64->256 @200", NULL, "f32[1,64,200,200] f32[256,64,1,1]! f32[256]!"),
  CONV ("7x7 s2 3->64 @800", "pads=[3,3,3,3] strides=[2,2]",
      "f32[1,3,800,800] f32[64,3,7,7]! f32[64]!"),
};

/* What dense convolutions are done by, one after the other. */
static const char *const gpu_families[] = { "cm2", "cm1", "sc", NULL };
static const char *const cpu_families[] = { "lp", "winograd", NULL };

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static double
operator_gflop (const SegSession *session, const char *op)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);
  for (guint i = 0; i < n; i++)
    if (strcmp (layers[i].op, op) == 0)
      return layers[i].gflop;
  return 0;
}

/* A family that does not take this operator is passed over, by force too (and Winograd's is where its
 * transforms cost more than they save); and whoever runs this may have forced something else. */
static gboolean
is_as_forced (const SegSession *session, const char *family)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);
  g_autofree char *part =
      g_strdup_printf (strcmp (family, "winograd") == 0 ? "%s" : "conv_%s", family);
  for (guint i = 0; i < n; i++)
    if (g_str_has_prefix (layers[i].kernel, part))
      return TRUE;
  return FALSE;
}

#define REPEATS     4  /* in one submission */
#define GPU_REPEATS 50 /* on GPUs, whose operators take less than a submission */
#define RUNS_US     (700 * 1000)
#define GPU_RUNS_US (150 * 1000)
#define CLOCKS_US   (300 * 1000) /* of work before, until an idle GPU has its clocks */
#define MOST        100

typedef struct {
  double wall[MOST], cpu[MOST];
  guint n;
} Times;

static gboolean
repeat (SegSession *session, SegVk *vk, Times *times, GError **error)
{
  SegCmd *cmd = seg_cmd_new (vk, FALSE, error);
  gboolean ok = cmd != NULL && seg_cmd_begin (cmd, error);
  gboolean cpu = seg_vk_info (vk)->type == SEG_DEVICE_CPU;
  guint repeats = cpu ? REPEATS : GPU_REPEATS;
  for (guint i = 0; ok && i < repeats; i++)
    ok = seg_session_record (session, cmd, &(guint){ 0 }, 1, error);
  ok = ok && seg_cmd_end (cmd, error);
  gint64 begin = g_get_monotonic_time ();
  while (ok && !cpu && g_get_monotonic_time () - begin < CLOCKS_US)
    ok = seg_cmd_submit (cmd, error) && seg_cmd_wait (cmd, error);
  begin = g_get_monotonic_time ();
  while (ok && times->n < MOST
         && (times->n < 3
             || g_get_monotonic_time () - begin < (cpu ? RUNS_US : GPU_RUNS_US))) {
    gint64 start = g_get_monotonic_time ();
    double used = seg_bench_cpu_ms ();
    ok = seg_cmd_submit (cmd, error) && seg_cmd_wait (cmd, error);
    times->wall[times->n] = (g_get_monotonic_time () - start) / 1e3 / repeats;
    times->cpu[times->n++] = (seg_bench_cpu_ms () - used) / repeats;
  }
  seg_cmd_free (&cmd);
  qsort (times->wall, times->n, sizeof (double), compare);
  qsort (times->cpu, times->n, sizeof (double), compare);
  return ok;
}

/* GFLOPS by the clock and by processor time. */
typedef struct {
  double by_clock, by_cpu;
} Peak;

/* The part of the peak: on a CPU device by processor time, which others do not take away. */
static double
percent_of_peak (double gflop, const Times *times, const Peak *peak, const SegVk *vk)
{
  if (seg_vk_info (vk)->type == SEG_DEVICE_CPU)
    return gflop / times->cpu[times->n / 4] * 1e5 / peak->by_cpu;
  return gflop / times->wall[0] * 1e5 / peak->by_clock;
}

static gboolean
run_bench (const Bench *b, const char *family, SegVk *vk, const Peak *peak,
    SegPrecision precision, GError **error)
{
  gboolean half = precision == SEG_PRECISION_FP16;
  g_auto (SegCaseModel) model = { NULL };
  if (!seg_case_model_make (&b->bench, 1, half, &model, error))
    return FALSE;
  /* Poison lays the inputs out as the operator wants them. */
  SegSessionOptions options = { .precision = precision, .poison = TRUE };
  double start = seg_bench_cpu_ms ();
  SegSession *session = seg_session_new (model.model, vk, &options, error);
  SegTensor *out = NULL;
  gboolean ok =
      session != NULL
      && seg_session_run (session, (SegTensor *const *) model.inputs->pdata, &out, error);
  double first = seg_bench_cpu_ms () - start;
  seg_tensor_unref (out);
  if (ok && family != NULL && !is_as_forced (session, family)) {
    seg_session_free (&session);
    return TRUE;
  }
  Times times = { .n = 0 };
  ok = ok && repeat (session, vk, &times, error);
  double gflop = ok ? operator_gflop (session, b->bench.op) : 0;
  seg_session_free (&session);
  if (!ok)
    return FALSE;
  g_autofree char *label = g_strjoin (" ", b->label, family, NULL);
  printf ("%-30s %9.3f %8.1f %9.3f %8.1f %6.1f %8.0f\n", label, times.wall[0],
      gflop / times.wall[0] * 1e3, times.cpu[times.n / 4],
      gflop / times.cpu[times.n / 4] * 1e3, percent_of_peak (gflop, &times, peak, vk),
      first);
  fflush (stdout);
  return TRUE;
}

/* NULL: as chosen; or as whoever runs this has forced it. */
static gboolean
run_family (const Bench *b, const char *family, SegVk *vk, const Peak *peak,
    SegPrecision precision, GError **error)
{
  if (family != NULL)
    g_setenv ("VKSEG_CONV", family, TRUE);
  gboolean ok = run_bench (b, family, vk, peak, precision, error);
  if (family != NULL)
    g_unsetenv ("VKSEG_CONV");
  return ok;
}

static gboolean
is_dense (const Bench *b)
{
  return (strcmp (b->bench.op, "Conv") == 0 && strstr (b->label, "dw ") == NULL
             && strstr (b->label, "group") == NULL)
         || strcmp (b->bench.op, "ConvTranspose") == 0;
}

static gboolean
run_all_families (
    const Bench *b, SegVk *vk, const Peak *peak, SegPrecision precision, GError **error)
{
  gboolean cpu = seg_vk_info (vk)->type == SEG_DEVICE_CPU;
  const char *const *family = cpu ? cpu_families : gpu_families;
  if (g_getenv ("VKSEG_CONV") != NULL || !(cpu ? b->winograd : is_dense (b)))
    return run_family (b, NULL, vk, peak, precision, error);
  for (; *family != NULL; family++)
    if (!run_family (b, *family, vk, peak, precision, error))
      return FALSE;
  return TRUE;
}

static gboolean
is_chosen (const char *label, int argc, char **argv)
{
  gboolean any = FALSE;
  for (int i = 1; i < argc; i++) {
    if (strcmp (argv[i], "fp16") == 0)
      continue;
    if (strstr (label, argv[i]) != NULL)
      return TRUE;
    any = TRUE;
  }
  return !any;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegVk) vk =
      seg_vk_new (&(SegVkOptions){ .device = g_getenv ("VKSEG_DEVICE") }, &error);
  if (vk == NULL) {
    fprintf (stderr, "%s\n", error->message);
    return 1;
  }
  SegPrecision precision = SEG_PRECISION_FP32;
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "fp16") == 0)
      precision = SEG_PRECISION_FP16;
  Peak peak;
  if (!seg_bench_peak (vk, &peak.by_clock, &peak.by_cpu, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 1;
  }
  printf ("%s: multiply-adds in registers, %.1f GFLOPS, %.1f by processor time\n",
      seg_vk_info (vk)->name, peak.by_clock, peak.by_cpu);
  printf ("%-30s %9s %8s %9s %8s %6s %8s\n", "", "ms", "GFLOPS", "cpu ms", "GFLOPS",
      "% peak", "load cpu");
  gboolean cpu = seg_vk_info (vk)->type == SEG_DEVICE_CPU;
  guint n = G_N_ELEMENTS (benches) + (cpu ? 0 : G_N_ELEMENTS (large));
  for (guint i = 0; i < n; i++) {
    const Bench *b =
        i < G_N_ELEMENTS (benches) ? &benches[i] : &large[i - G_N_ELEMENTS (benches)];
    if (is_chosen (b->label, argc, argv)
        && !run_all_families (b, vk, &peak, precision, &error)) {
      fprintf (stderr, "%s: %s\n", b->label, error->message);
      return 1;
    }
  }
  return 0;
}
