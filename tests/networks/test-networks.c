/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole networks on the device against what another engine computed: folders
 * NAME/{model.onnx, input_INPUT.npy, expected_OUTPUT.npy} in the directories given and in
 * VKSEG_REF_DIR. Outputs without a file are not looked at.
 *
 * With --uses some networks are run, in fp32 or with --fp16 in that, and a kernel of that name must
 * have been among theirs: for whole networks with a family of convolutions that VKSEG_CONV forces. */
#include "engine/session.h"
#include "half.h"
#include "lib/device.h"
#include "lib/tap.h"
#include "tool/npy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* fp32: errors are relative to the output's largest value, or to 1 if that is smaller, and
 * classes are compared in outputs of rank 4: the largest channel, or, where there is one,
 * whether it passes 1/2.
 * fp16: rounding grows on its way through a network, more in some than in others, so what is
 * measured first is the error of a network whose values are rounded to fp16 between nodes and
 * which is exact otherwise. The device may have MAX_FACTOR and MEAN_FACTOR times that, and
 * MAX_FACTOR times as many pixels of another class on top of 0.5 %. Where that would take too
 * long to know, 3 % of the largest value, 0.5 % in the mean. */
#define MAX_ERROR_FP32  1e-3
#define MEAN_ERROR_FP32 1e-4
#define MIN_SAME_FP32   0.999
#define MAX_ERROR_FP16  3e-2
#define MEAN_ERROR_FP16 5e-3
#define MIN_SAME_FP16   0.995
#define MAX_FACTOR      2.0
#define MEAN_FACTOR     1.5
#define MAX_HOST_GFLOP  50.0
#define MAX_MEMORY      1.15

typedef struct {
  double largest, max_error, mean_error;
  double same; /* part of the pixels with the same class; 1 without classes */
  gboolean has_classes, finite;
} Difference;

typedef struct {
  SegVk *vk;
  SegTap tap;
  const char *kernel; /* that --uses wants to see, or NULL */
  guint n_kernel;     /* steps with it, of so many networks */
  guint n_networks;
  gboolean half; /* with `kernel`: in fp16 */
} Run;

static SegTensor *
read_file (const char *dir, const char *kind, const char *name, GError **error)
{
  g_autofree char *safe = g_strdup (name);
  g_autofree char *path = NULL;
  SegTensor *t;

  g_strdelimit (safe, "/:", '_');
  path = g_strdup_printf ("%s/%s_%s.npy", dir, kind, safe);
  t = seg_npy_read (path, error);
  if (t == NULL)
    g_prefix_error (error, "%s: ", path);
  return t;
}

/* --- comparison -------------------------------------------------------------------------- */

/* Pixels lie `inner` apart in the class axis' stride: index = (pixel / inner * classes + class)
 * * inner + pixel % inner. Both NCHW and NHWC are of this form. */
static gint64
best_class (const SegTensor *t, gint64 pixel, gint64 n_classes, gint64 inner)
{
  gint64 best = 0, first = pixel / inner * n_classes * inner + pixel % inner;

  if (n_classes == 1)
    return seg_tensor_get_double (t, first) > 0.5;
  for (gint64 c = 1; c < n_classes; c++)
    if (seg_tensor_get_double (t, first + c * inner)
        > seg_tensor_get_double (t, first + best * inner))
      best = c;
  return best;
}

static void
compare_classes (const SegTensor *got, const SegTensor *want, Difference *d)
{
  const gint64 *dims = want->desc.dims;
  gboolean last = dims[3] < dims[1]; /* the class axis is shorter than a row */
  gint64 n_classes = last ? dims[3] : dims[1], inner = last ? 1 : dims[2] * dims[3];
  gint64 n_pixels = seg_desc_n_elems (&want->desc) / MAX (n_classes, 1), n_same = 0;

  if (n_pixels == 0)
    return;
  for (gint64 i = 0; i < n_pixels; i++)
    n_same +=
        best_class (got, i, n_classes, inner) == best_class (want, i, n_classes, inner);
  d->has_classes = TRUE;
  d->same = (double) n_same / n_pixels;
}

static Difference
compare (const SegTensor *got, const SegTensor *want)
{
  gint64 n = seg_desc_n_elems (&want->desc);
  Difference d = { .largest = 1, .same = 1, .finite = TRUE };

  for (gint64 i = 0; i < n; i++) {
    double a = seg_tensor_get_double (got, i), b = seg_tensor_get_double (want, i);
    d.finite &= isfinite (a) || !isfinite (b);
    d.largest = fmax (d.largest, fabs (b));
    d.max_error = fmax (d.max_error, fabs (a - b));
    d.mean_error += fabs (a - b) / n;
  }
  if (want->desc.rank == 4)
    compare_classes (got, want, &d);
  return d;
}

static void
describe (GString *report, const char *what, const Difference *d)
{
  g_string_append_printf (report,
      "%s: largest error %.3g, mean %.3g, of values up to %.3g", what, d->max_error,
      d->mean_error, d->largest);
  if (d->has_classes)
    g_string_append_printf (report, ", same class in %.3f %%", 100 * d->same);
  g_string_append (report, d->finite ? "\n" : ", not finite\n");
}

/* half: what exact arithmetic between fp16 values gives, or NULL if that is not known. */
static gboolean
within (const Difference *d, SegPrecision precision, const Difference *half)
{
  if (!d->finite)
    return FALSE;
  if (precision == SEG_PRECISION_FP32)
    return d->max_error <= MAX_ERROR_FP32 * d->largest
           && d->mean_error <= MEAN_ERROR_FP32 * d->largest && d->same >= MIN_SAME_FP32;
  if (half == NULL)
    return d->max_error <= MAX_ERROR_FP16 * d->largest
           && d->mean_error <= MEAN_ERROR_FP16 * d->largest && d->same >= MIN_SAME_FP16;
  return d->max_error <= MAX_FACTOR * half->max_error
         && d->mean_error <= MEAN_FACTOR * half->mean_error
         && 1 - d->same <= 1 - MIN_SAME_FP16 + MAX_FACTOR * (1 - half->same);
}

static gboolean
check_output (const char *name, const SegTensor *got, const SegTensor *half,
    const SegTensor *want, SegPrecision precision, GString *report)
{
  Difference of_half = { 0 }, d;

  if (!seg_desc_same_dims (&got->desc, &want->desc)
      || got->desc.dtype != want->desc.dtype) {
    g_autofree char *a = seg_desc_to_string (&got->desc);
    g_autofree char *b = seg_desc_to_string (&want->desc);
    g_string_append_printf (report, "%s: got %s, expected %s\n", name, a, b);
    return FALSE;
  }
  d = compare (got, want);
  describe (report, name, &d);
  if (half != NULL) {
    of_half = compare (half, want);
    describe (report, "  exact but for fp16 storage", &of_half);
  }
  return within (&d, precision, half != NULL ? &of_half : NULL);
}

/* --- running ----------------------------------------------------------------------------- */

static gboolean
check_outputs (const char *dir, const SegGraph *graph, SegTensor *const *outputs,
    SegTensor *const *half, SegPrecision precision, GString *report)
{
  gboolean ok = TRUE;
  guint n_checked = 0;

  for (guint i = 0; i < graph->outputs->len; i++) {
    const char *name = graph->model->graph.outputs[i].name;
    g_autoptr (SegTensor) want = read_file (dir, "expected", name, NULL);
    if (want == NULL)
      continue;
    n_checked++;
    ok &= check_output (name, outputs[i], half[i], want, precision, report);
  }
  if (n_checked == 0)
    g_string_append (report, "no expected_OUTPUT.npy was found\n");
  return ok && n_checked > 0;
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
run_session (SegSession *session, const char *dir, SegPrecision precision,
    const GArray *shapes, GString *report, GError **error)
{
  const SegGraph *graph = seg_session_graph (session);
  guint n = graph->outputs->len;
  g_autoptr (GPtrArray) inputs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) seg_tensor_unref);
  g_autofree SegTensor **outputs = g_new0 (SegTensor *, 2 * n + 1);
  SegTensor **half = outputs + n;
  SegSessionStats stats;
  gboolean ok;

  for (guint i = 0; i < graph->inputs->len; i++) {
    SegTensor *t = read_file (dir, "input", graph->model->graph.inputs[i].name, error);
    if (t == NULL)
      return FALSE;
    g_ptr_array_add (inputs, t);
  }
  ok = seg_session_run (session, (SegTensor **) inputs->pdata, outputs, error);
  if (ok && precision == SEG_PRECISION_FP16 && total_gflop (session) <= MAX_HOST_GFLOP)
    ok = seg_half_eval (graph->model, (const SegInputShape *) shapes->data, shapes->len,
        (SegTensor **) inputs->pdata, half, error);
  ok = ok && check_outputs (dir, graph, outputs, half, precision, report);
  seg_session_stats (session, &stats);
  double over = (double) stats.arena_bytes / MAX (stats.tensor_bytes, 1);
  g_string_append_printf (report,
      "%u dispatches, %u host steps, arena %.3f times the tensors alive at one step\n",
      stats.n_dispatches, stats.n_host_steps, over);
  ok &= over <= MAX_MEMORY;
  for (guint i = 0; i < 2 * n; i++)
    seg_tensor_unref (outputs[i]);
  return ok;
}

/* The shapes of the input files, for models that leave dimensions free. */
static GArray *
read_shapes (const SegModel *model, const char *dir)
{
  GArray *shapes = g_array_new (FALSE, TRUE, sizeof (SegInputShape));

  for (guint i = 0; i < model->graph.n_inputs; i++) {
    g_autoptr (SegTensor) t = read_file (dir, "input", model->graph.inputs[i].name, NULL);
    SegInputShape shape = { .input = model->graph.inputs[i].name };
    if (t == NULL)
      continue;
    shape.rank = t->desc.rank;
    memcpy (shape.dims, t->desc.dims, sizeof shape.dims);
    g_array_append_val (shapes, shape);
  }
  return shapes;
}

static void
count_kernels (Run *run, const SegSession *session)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);

  for (guint i = 0; i < n; i++)
    run->n_kernel += g_str_has_prefix (layers[i].kernel, run->kernel);
  run->n_networks++;
}

static void
check_kernel (Run *run)
{
  g_autofree char *title =
      g_strdup_printf ("%u steps with %s", run->n_kernel, run->kernel);

  if (run->n_networks == 0)
    seg_tap_skip (&run->tap, title, "no network was there");
  else
    seg_tap_result (&run->tap, run->n_kernel > 0, title, "no network has used it");
}

static void
run_network (Run *run, const char *dir, const char *name, SegPrecision precision)
{
  g_autofree char *path = g_build_filename (dir, "model.onnx", NULL);
  g_autofree char *title =
      g_strdup_printf ("%s, %s", name, precision == SEG_PRECISION_FP16 ? "fp16" : "fp32");
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = seg_model_load (path, &error);
  g_autoptr (GArray) shapes = model != NULL ? read_shapes (model, dir) : NULL;
  GString *report = g_string_new (NULL);
  SegSession *session = NULL;
  guint messages = seg_vk_validation_messages ();
  gboolean ok = FALSE;

  if (model != NULL) {
    SegSessionOptions options = { .precision = precision,
      .shapes = (SegInputShape *) shapes->data,
      .n_shapes = shapes->len };
    session = seg_session_new (model, run->vk, &options, &error);
  }
  if (session != NULL)
    ok = run_session (session, dir, precision, shapes, report, &error);
  if (session != NULL && run->kernel != NULL)
    count_kernels (run, session);
  if (session == NULL && g_error_matches (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED)) {
    g_strdelimit (error->message, "\n", ';');
    seg_tap_skip (&run->tap, title, error->message);
  } else {
    if (error != NULL)
      g_string_append (report, error->message);
    if (seg_vk_validation_messages () != messages)
      g_string_append (report, "\nmessages from the validation layer");
    ok = ok && seg_vk_validation_messages () == messages;
    seg_tap_result (&run->tap, ok, title, report->str);
  }
  seg_session_free (&session);
  g_string_free (report, TRUE);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Those that every family goes through: large enough to have its shapes, small enough for kernels
 * that a CPU driver is slow at. */
static gboolean
is_for_families (const char *name)
{
  static const char *const names[] = { "yolov8n_seg_320", "deeplabv3_voc_257", "selfie",
    "unet-padded_64x96", "unet_188x204", "deeplabv3plus_97x129", "fcn8s_24x40", NULL };
  return g_strv_contains (names, name);
}

static void
run_directory (Run *run, const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (dir == NULL) {
    g_autofree char *reason = g_strdup_printf ("%s is not there", path);
    seg_tap_skip (&run->tap, "networks", reason);
    return;
  }
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *sub = g_build_filename (path, name, NULL);
    g_autofree char *model = g_build_filename (sub, "model.onnx", NULL);
    if (!g_file_test (model, G_FILE_TEST_EXISTS)
        || (run->kernel != NULL && !is_for_families (name)))
      continue;
    if (run->kernel == NULL || !run->half)
      run_network (run, sub, name, SEG_PRECISION_FP32);
    if (run->kernel == NULL || run->half)
      run_network (run, sub, name, SEG_PRECISION_FP16);
  }
}

int
main (int argc, char **argv)
{
  const char *extra = g_getenv ("VKSEG_REF_DIR");
  g_autofree char *kernel = NULL;
  Run run = { 0 };
  int status = 0;
  const GOptionEntry entries[] = {
    { "uses", 0, 0, G_OPTION_ARG_STRING, &kernel,
        "Run some networks, which must use a kernel whose name begins so", "KERNEL" },
    { "fp16", 0, 0, G_OPTION_ARG_NONE, &run.half, "These in fp16" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("DIR... - whole networks");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  run.kernel = kernel;
  run.vk = seg_test_device (&status);
  if (run.vk == NULL)
    return status;
  for (int i = 1; i < argc; i++)
    run_directory (&run, argv[i]);
  if (extra != NULL)
    run_directory (&run, extra);
  else
    seg_tap_skip (&run.tap, "more networks", "VKSEG_REF_DIR is not set");
  if (run.kernel != NULL)
    check_kernel (&run);
  seg_vk_unref (run.vk);
  return seg_tap_finish (&run.tap);
}
