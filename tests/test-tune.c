/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels that are chosen by measurement: what is found is kept and used, changes no result, and
 * files that are damaged, foreign or hostile are ignored. */
#include "engine/session.h"
#include "lib/compare.h"
#include "lib/net.h"
#include "lib/tap.h"
#include "lib/device.h"

#include <glib/gstdio.h>
#include <string.h>

#define PLENTY_MS 600000

typedef struct {
  SegTap tap;
  char *dir, *path; /* the cache folder, and the file of choices in it */
  SegVk *vk;
  SegModel *model;
  SegTensor *input, *want; /* unmeasured */
  char *kernels;           /* of that */
} Fixture;

/* --- networks ------------------------------------------------------------------------------------ */

static const char *
conv (Net *net, const char *in, guint in_c, guint out_c, guint kernel)
{
  return net_op (
      net, "Relu", net_conv (net, in, (NetConv){ in_c, out_c, kernel, 1, kernel / 2 }));
}

/* The second has room for Winograd's tiles where the first's maps were. */
static GBytes *
deep_after_large (void)
{
  Net *net = net_new (1, 8, 64, 64);
  const char *x = conv (net, "picture", 8, 128, 3);
  x = conv (net, net_pool (net, "MaxPool", x, 4, 4, 0), 128, 128, 3);
  x = net_up_conv (net, conv (net, x, 128, 24, 1), (NetConv){ 24, 16, 2, 2 });
  return net_finish (net, x);
}

static GBytes *
narrow (guint channels)
{
  Net *net = net_new (1, 96, 20, 20);
  return net_finish (net, conv (net, "picture", 96, channels, 1));
}

static SegModel *
parse (GBytes *bytes)
{
  g_autoptr (GBytes) owned = bytes;
  return seg_model_parse (owned, NULL, NULL);
}

/* --- sessions ------------------------------------------------------------------------------------ */

static SegVk *
open_device (const char *dir)
{
  SegVkOptions options = { .device = g_getenv ("VKSEG_DEVICE"), .cache_dir = dir };
  return seg_vk_new (&options, NULL);
}

static SegSession *
load (SegModel *model, SegVk *vk, guint tune_ms, SegTuneStats *stats)
{
  SegSessionOptions options = { .precision = SEG_PRECISION_FP32, .tune_ms = tune_ms };
  g_autoptr (GError) error = NULL;
  SegSession *session = seg_session_new (model, vk, &options, &error);
  if (session == NULL)
    g_error ("%s", error->message);
  SegSessionStats all;
  seg_session_stats (session, &all);
  *stats = all.tuning;
  return session;
}

static char *
kernels_of (const SegSession *session)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers);
  GString *list = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (list, "%s ", layers[i].kernel);
  return g_string_free (list, FALSE);
}

/* The network as the file has it; NULL: its result is what it was, else what differs. */
static char *
run (Fixture *f, guint tune_ms, SegTuneStats *stats, char **kernels)
{
  static const SegTolerance tolerance = { .relative = 1e-4, .to_largest = TRUE };
  g_autoptr (GError) error = NULL;
  SegSession *session = load (f->model, f->vk, tune_ms, stats);
  SegTensor *got = NULL;
  char *fault = NULL;
  *kernels = kernels_of (session);
  if (!seg_session_run (session, &f->input, &got, &error))
    fault = g_strdup (error->message);
  else if (f->want == NULL)
    f->want = seg_tensor_ref (got);
  else
    fault = seg_compare (got, f->want, &tolerance);
  seg_tensor_unref (got);
  seg_session_free (&session);
  return fault;
}

static void
check (Fixture *f, gboolean ok, const char *name, const SegTuneStats *s,
    const char *fault, const char *kernels)
{
  g_autofree char *detail =
      g_strdup_printf ("%u choices, %u known, %u measured; %s; %s", s->n_choices,
          s->n_known, s->n_measured, kernels, fault != NULL ? fault : "same result");
  seg_tap_result (&f->tap, ok && fault == NULL, name, detail);
}

/* --- tests ----------------------------------------------------------------------------------------- */

static void
test_round_trip (Fixture *f)
{
  SegTuneStats s;
  g_autofree char *plain = run (f, 0, &s, &f->kernels);
  check (f,
      s.n_choices >= 2 && s.n_known + s.n_measured == 0
          && !g_file_test (f->path, G_FILE_TEST_EXISTS),
      "nothing is measured or written unasked", &s, plain, f->kernels);
  g_autofree char *none = NULL, *first = NULL, *again = NULL;
  g_autofree char *hasty = run (f, 1, &s, &none);
  check (f, s.n_measured < s.n_choices, "a budget that is too small is kept to", &s,
      hasty, none);
  g_unlink (f->path);
  g_autofree char *cold = run (f, PLENTY_MS, &s, &first);
  check (f,
      s.n_measured == s.n_choices && s.n_known == 0
          && g_file_test (f->path, G_FILE_TEST_EXISTS),
      "all is measured and written", &s, cold, first);
  g_autofree char *warm = run (f, PLENTY_MS, &s, &again);
  check (f, s.n_known == s.n_choices && s.n_measured == 0 && strcmp (first, again) == 0,
      "the next session knows it all", &s, warm, again);
}

static GKeyFile *
read_file (const Fixture *f)
{
  GKeyFile *file = g_key_file_new ();
  if (!g_key_file_load_from_file (file, f->path, G_KEY_FILE_NONE, NULL))
    g_error ("%s is not there, or damaged", f->path);
  return file;
}

/* Each choice becomes `value`, for those keys that start with `prefix`. */
static void
rewrite (const Fixture *f, const char *prefix, const char *value)
{
  g_autoptr (GKeyFile) file = read_file (f);
  g_auto (GStrv) keys = g_key_file_get_keys (file, "fastest", NULL, NULL);
  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    if (g_str_has_prefix (keys[i], prefix))
      g_key_file_set_string (file, "fastest", keys[i], value);
  g_key_file_save_to_file (file, f->path, NULL);
}

static void
test_forced (Fixture *f)
{
  SegTuneStats s;
  g_autofree char *by_tiles = NULL, *by_rows = NULL;
  gboolean cpu = seg_vk_info (f->vk)->type == SEG_DEVICE_CPU;
  rewrite (f, "conv+winograd,", "winograd/0");
  g_autofree char *fault = run (f, 0, &s, &by_tiles);
  check (f, !cpu || strstr (by_tiles, "winograd_in") != NULL,
      "the file says Winograd, and so it is", &s, fault, by_tiles);
  rewrite (f, "conv+winograd,", "lp/0");
  g_autofree char *other = run (f, 0, &s, &by_rows);
  check (f, !cpu || (strstr (by_rows, "winograd_in") == NULL && s.n_known == s.n_choices),
      "it says otherwise, and so it is", &s, other, by_rows);
}

/* On offer or not; ops/test-tiles.c has all tiles of cm1 and cm2. */
static void
test_all_choices (Fixture *f)
{
  static const char *const families[] = { "lp", "sc", "winograd", "cm1", "cm2",
    "direct" };
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    for (guint variant = 0; variant <= 8; variant += i == 0 ? 1 : 4) {
      SegTuneStats s;
      g_autofree char *kernels = NULL;
      g_autofree char *choice = g_strdup_printf ("%s/%u", families[i], variant);
      g_autofree char *name = g_strdup_printf ("%s everywhere changes no result", choice);
      rewrite (f, "", choice);
      g_autofree char *fault = run (f, 0, &s, &kernels);
      check (f, TRUE, name, &s, fault, kernels);
    }
}

static void
expect_ignored (Fixture *f, const char *name)
{
  SegTuneStats s;
  g_autofree char *kernels = NULL;
  g_autofree char *fault = run (f, 0, &s, &kernels);
  check (
      f, s.n_known == 0 && strcmp (kernels, f->kernels) == 0, name, &s, fault, kernels);
}

static void
test_hostile (Fixture *f)
{
  static const char *const values[] = { "", "lp", "lp/", "/1", "lp/10", "lp/-1", "lp/1x",
    "LP/1", "lp/99999999999999999999", "conv_lp/0", "direct/0", "depthwise/0", "dot/0",
    "\xff\xfe" };
  g_autofree char *good = NULL;
  gsize n;
  g_file_get_contents (f->path, &good, &n, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autofree char *shown = g_strescape (values[i], NULL);
    g_autofree char *name = g_strdup_printf ("'%s' is no choice", shown);
    rewrite (f, "", values[i]);
    expect_ignored (f, name);
    g_file_set_contents (f->path, good, (gssize) n, NULL);
  }
  g_file_set_contents (f->path, "", 0, NULL);
  expect_ignored (f, "an empty file is ignored");
  g_file_set_contents (f->path, "\0\1\2[[[=\n", 9, NULL);
  expect_ignored (f, "noise is ignored");
  g_file_set_contents (f->path, good, (gssize) (n / 8), NULL);
  expect_ignored (f, "a file that was cut short is ignored");
  g_autofree char *large = g_strnfill (2 << 20, '\n');
  memcpy (large, good, n);
  g_file_set_contents (f->path, large, 2 << 20, NULL);
  expect_ignored (f, "a file that is too large is ignored");
}

/* What follows `word` in the file's `by` is another's. */
static void
test_foreign (Fixture *f, const char *word, const char *name)
{
  SegTuneStats s;
  g_autofree char *kernels = NULL;
  g_autoptr (GKeyFile) file = read_file (f);
  g_autofree char *by = g_key_file_get_string (file, "made", "by", NULL);
  char *found = strstr (by, word);
  g_assert_nonnull (found);
  found[strlen (word)] ^= 1;
  g_key_file_set_string (file, "made", "by", by);
  g_key_file_save_to_file (file, f->path, NULL);
  expect_ignored (f, name);
  g_autofree char *fault = run (f, PLENTY_MS, &s, &kernels);
  check (f, s.n_measured == s.n_choices, "and is measured anew", &s, fault, kernels);
}

/* --- writers ---------------------------------------------------------------------------------------- */

static guint
n_kept (const Fixture *f)
{
  gsize n = 0;
  g_autoptr (GKeyFile) file = read_file (f);
  g_auto (GStrv) keys = g_key_file_get_keys (file, "fastest", &n, NULL);
  return keys != NULL ? n : 0;
}

/* With a device of its own, as another process has. */
static gpointer
write_one (gpointer data)
{
  const Fixture *f = data;
  SegTuneStats s;
  g_autoptr (SegVk) vk = open_device (f->dir);
  g_autoptr (SegModel) model = parse (narrow (40));
  for (guint i = 0; i < 4; i++) {
    SegSession *session = load (model, vk, PLENTY_MS, &s);
    seg_session_free (&session);
  }
  return NULL;
}

static guint
count_files (const char *dir)
{
  guint n = 0;
  GDir *list = g_dir_open (dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name (list)) != NULL;)
    n += g_str_has_prefix (name, "tuning-");
  g_dir_close (list);
  return n;
}

static void
test_writers (Fixture *f)
{
  SegTuneStats s;
  guint before = n_kept (f);
  g_autoptr (SegModel) model = parse (narrow (24));
  SegSession *session = load (model, f->vk, PLENTY_MS, &s);
  seg_session_free (&session);
  seg_tap_result (&f->tap, s.n_measured > 0 && n_kept (f) == before + s.n_measured,
      "what another network has measured stays", NULL);
  GThread *a = g_thread_new ("a", write_one, f), *b = g_thread_new ("b", write_one, f);
  g_thread_join (a);
  g_thread_join (b);
  seg_tap_result (&f->tap,
      n_kept (f) > before + s.n_measured && count_files (f->dir) == 1,
      "two write at once: one whole file", NULL);
}

static void
test_unwritable (Fixture *f)
{
  SegTuneStats s;
  g_autofree char *below =
      g_build_filename (f->path, "below", NULL); /* a file is no folder */
  g_autoptr (SegVk) vk = open_device (below);
  g_autoptr (SegModel) model = parse (narrow (56));
  SegSession *session = load (model, vk, PLENTY_MS, &s);
  seg_tap_result (&f->tap, s.n_measured > 0, "a folder that cannot be is no error", NULL);
  seg_session_free (&session);
}

static void
test_steady (Fixture *f)
{
  SegSessionOptions options = { .steady = TRUE, .tune_ms = PLENTY_MS };
  SegSession *session = seg_session_new (f->model, f->vk, &options, NULL);
  SegSessionStats s;
  seg_session_stats (session, &s);
  seg_tap_result (
      &f->tap, s.tuning.n_choices == 0, "steady networks have no choice", NULL);
  seg_session_free (&session);
}

/* A GPU has more to choose from: tiles, and other families. */
static void
test_as_gpu (Fixture *f, SegStorage precision)
{
  SegTuneStats s;
  g_autoptr (SegModel) model = parse (narrow (72));
  SegSession *session = load (model, f->vk, 0, &s);
  SegDeviceInfo gpu = *seg_vk_info (f->vk);
  gpu.type = SEG_DEVICE_DISCRETE;
  g_autoptr (SegProgram) p = seg_tuned_program (
      seg_session_graph (session), &gpu, precision, f->vk, PLENTY_MS, &s, NULL);
  seg_tap_result (&f->tap, p != NULL && s.n_choices == 1 && s.n_measured == 1,
      precision == SEG_STORAGE_F16 ? "as on a GPU, fp16" : "as on a GPU, fp32", NULL);
  seg_session_free (&session);
}

/* --- setting up ---------------------------------------------------------------------------------- */

static SegTensor *
picture (void)
{
  const SegDesc desc = { .dtype = SEG_DTYPE_F32, .rank = 4, .dims = { 1, 8, 64, 64 } };
  SegTensor *t = seg_tensor_new (&desc, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  for (gsize i = 0; i < 8 * 64 * 64; i++)
    seg_tensor_set_double (t, i, g_rand_double_range (rand, -1, 1));
  return t;
}

static void
remove_folder (const char *dir)
{
  GDir *list = g_dir_open (dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name (list)) != NULL;) {
    g_autofree char *path = g_build_filename (dir, name, NULL);
    g_unlink (path);
  }
  g_dir_close (list);
  g_rmdir (dir);
}

int
main (void)
{
  int status;
  SegVk *any = seg_test_device (&status);
  if (any == NULL)
    return status;
  seg_vk_unref (any);
  Fixture f = { .dir = g_dir_make_tmp ("vkseg-tune-XXXXXX", NULL), .input = picture () };
  f.vk = open_device (f.dir);
  f.path = seg_vk_cache_file (f.vk, "tuning", "ini");
  f.model = parse (deep_after_large ());
  test_round_trip (&f);
  test_forced (&f);
  test_all_choices (&f);
  test_hostile (&f);
  test_foreign (&f, "shaders ", "what another build has measured is ignored");
  test_foreign (&f, "registers ", "and on another processor");
  test_writers (&f);
  test_unwritable (&f);
  test_steady (&f);
  test_as_gpu (&f, SEG_STORAGE_F32);
  test_as_gpu (&f, SEG_STORAGE_F16);
  seg_tap_result (&f.tap, seg_vk_validation_messages () == 0,
      "no messages from the validation layer", NULL);
  seg_tensor_unref (f.input);
  seg_tensor_unref (f.want);
  seg_model_unref (f.model);
  seg_vk_unref (f.vk);
  remove_folder (f.dir);
  g_free (f.kernels);
  g_free (f.path);
  g_free (f.dir);
  return seg_tap_finish (&f.tap);
}
