/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dispatches that operators make for devices that need not be there, and for loops that no network of the
 * other tests has. */
#include "case-model.h"
#include "ops/planes.h"
#include "ops/table.h"

#include <string.h>

/* A CPU whose subgroups have so many lanes. */
static SegDeviceInfo
cpu_of (guint32 lanes)
{
  return (SegDeviceInfo){
    .name = "made up",
    .type = SEG_DEVICE_CPU,
    .api_version = 1 << 22 | 1 << 12,
    .subgroup_size = lanes,
    .max_storage_bytes = 1 << 27,
    .max_texels = 1 << 27,
    .max_allocation_bytes = 1 << 30,
    .max_groups = { 65535, 65535, 65535 },
    .max_shared_bytes = 16384,
    .buffer_align = 256,
    .heap_bytes = 1 << 30,
  };
}

/* gate.comp reads its hidden numbers by fours, which turns of all lanes have to write, however few lanes
 * there are. */
static void
gate_of_few_lanes (void)
{
  const SegCase gate = { "vkseg.Gate", "act=1",
    "f32[1,12,9,11] f32[5,12,1,1]! f32[5]! f32[12,5,1,1]! f32[12]!" };
  for (guint32 lanes = 1; lanes <= 64; lanes *= 2) {
    g_autoptr (GError) error = NULL;
    g_auto (SegCaseModel) model = { NULL };
    g_assert_true (seg_case_model_make (&gate, 1, FALSE, &model, &error));
    g_autoptr (SegGraph) graph = seg_graph_new (model.model, seg_op_lookup, NULL, 0,
        SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT, &error);
    g_assert_no_error (error);
    SegDeviceInfo device = cpu_of (lanes);
    g_autoptr (SegProgram) p =
        seg_program_new (graph, &device, SEG_STORAGE_F32, NULL, &error);
    g_assert_no_error (error);
    const SegDispatch *d = NULL;
    for (guint i = 0; i < p->steps->len; i++) {
      const SegDispatch *some = &g_array_index (p->steps, SegStep, i).dispatch;
      d = some->n_push == 14 ? some : d;
    }
    g_assert_nonnull (d);
    guint32 turn = d->spec[0] * d->spec[2], padded = d->push[8];
    g_assert_cmpuint (d->spec[0], ==, lanes);
    g_assert_cmpuint (padded, >=, 5);
    g_assert_cmpuint (padded % turn, ==, 0);
    g_assert_cmpuint (padded % 4, ==, 0);
  }
}

/* 2 images of 8 channels and 64 pixels, of whose source the axes have these steps. */
static gboolean
are_planes (gint32 image_step, gint32 pixel_step)
{
  const SegStrided loop = { .push = { 1, 1, 1, 2, 8,
                                64, [10] = 1024, [14] = (guint32) image_step, 1,
                                (guint32) pixel_step } };
  SegPlanes planes;
  return seg_planes_plan (&planes, &loop, 1);
}

/* planes.comp goes forwards alone. */
static void
planes_backwards (void)
{
  g_assert_true (are_planes (512, 8));
  g_assert_false (are_planes (-512, 8));
  g_assert_false (are_planes (512, -8));
}

/* Of a CPU that has all that conv_lp.comp and conv_flat.comp need. */
static SegProgram *
emit_of (const SegGraph *graph, SegTuning *tuning, guint32 registers)
{
  g_autoptr (GError) error = NULL;
  SegDeviceInfo device = cpu_of (8);
  device.vector_registers = registers;
  device.subgroup_shuffle = device.subgroup_int64 = device.int64 = TRUE;
  SegProgram *p = seg_program_new (graph, &device, SEG_STORAGE_F32, tuning, &error);
  g_assert_no_error (error);
  return p;
}

static SegProgram *
emit_lp (const SegGraph *graph, SegTuning *tuning)
{
  return emit_of (graph, tuning, 32);
}

typedef struct {
  const SegGraph *graph;
  SegTuning *tuning;
  guint n_offers;
} Offers;

static void
check_offers (const char *key, SegTuningEntry *entry, gpointer data)
{
  Offers *o = data;
  g_autoptr (SegProgram) own = emit_lp (o->graph, o->tuning);
  const SegDispatch *usual = &g_array_index (own->steps, SegStep, 0).dispatch;
  for (guint i = 1; i < entry->n; i++) {
    entry->known = TRUE;
    entry->choice = entry->choices[i];
    g_autoptr (SegProgram) p = emit_lp (o->graph, o->tuning);
    const SegDispatch *d = &g_array_index (p->steps, SegStep, 0).dispatch;
    g_test_message ("%s: %u/%u", key, entry->choice.family, entry->choice.variant);
    g_assert_true (entry->known); /* it was on offer */
    g_assert_true (
        d->shader != usual->shader || memcmp (d->spec, usual->spec, sizeof d->spec) != 0);
    o->n_offers++;
  }
  entry->known = FALSE;
}

static guint
count_offers (guint channels)
{
  guint n_offers = 0;
  for (guint side = 3; side < 40; side++) {
    g_autoptr (GError) error = NULL;
    g_auto (SegCaseModel) model = { NULL };
    g_autofree char *in = g_strdup_printf (
        "f32[1,%u,%u,%u] f32[32,%u,1,1]! f32[32]!", channels, side, side, channels);
    const SegCase conv = { "Conv", NULL, in };
    g_assert_true (seg_case_model_make (&conv, 1, FALSE, &model, &error));
    g_autoptr (SegGraph) graph = seg_graph_new (model.model, seg_op_lookup, NULL, 0,
        SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT, &error);
    g_assert_no_error (error);
    g_autoptr (SegTuning) tuning = seg_tuning_new ();
    g_autoptr (SegProgram) p = emit_lp (graph, tuning);
    g_assert_nonnull (p);
    Offers offers = { graph, tuning, 0 };
    seg_tuning_foreach (tuning, check_offers, &offers);
    n_offers += offers.n_offers;
  }
  return n_offers;
}

/* What is on offer is another kernel than what would run, also where rows of pixels become one; conv_flat.comp,
 * which takes those of few channels, has a width that was measured. */
static void
offers_of_points (void)
{
  g_assert_cmpuint (count_offers (96), >, 0);
  g_assert_cmpuint (count_offers (24), ==, 0);
}

/* 3x3 of stride 1 and channels enough make smaller blocks where registers are few. */
static void
blocks_by_registers (void)
{
  static const struct {
    SegCase conv;
    guint32 of_16, of_32;
  } cases[] = {
    { { "Conv", NULL, "f32[1,64,9,9] f32[64,64,3,3]! f32[64]!" }, 8, 16 },
    { { "Conv", NULL, "f32[1,64,9,9] f32[104,64,3,3]! f32[104]!" }, 8, 16 },
    { { "Conv", NULL, "f32[1,60,9,9] f32[64,60,3,3]! f32[64]!" }, 16, 16 },
    { { "Conv", "group=2", "f32[1,128,9,9] f32[64,64,3,3]! f32[64]!" }, 16, 16 },
    { { "Conv", NULL, "f32[1,64,20,20] f32[64,64,5,5]! f32[64]!" }, 16, 16 },
    { { "Conv", "strides=[2,2]", "f32[1,64,21,21] f32[64,64,3,3]! f32[64]!" }, 16, 16 },
    { { "Conv", NULL, "f32[1,256,20,20] f32[64,256,1,1]! f32[64]!" }, 32, 32 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_auto (SegCaseModel) model = { NULL };
    g_assert_true (seg_case_model_make (&cases[i].conv, 1, FALSE, &model, &error));
    g_autoptr (SegGraph) graph = seg_graph_new (model.model, seg_op_lookup, NULL, 0,
        SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT, &error);
    g_assert_no_error (error);
    for (guint32 registers = 16; registers <= 32; registers += 16) {
      g_autoptr (SegProgram) p = emit_of (graph, NULL, registers);
      const SegDispatch *d = &g_array_index (p->steps, SegStep, 0).dispatch;
      g_test_message ("%s of %u registers", cases[i].conv.inputs, registers);
      g_assert_cmpuint (
          d->spec[1], ==, registers == 16 ? cases[i].of_16 : cases[i].of_32);
    }
  }
}

/* Masks of a whole picture each are hundreds of megabytes. test-fused has the same of a device. */
static void
renames_copy_nothing (void)
{
  static const SegCase cases[] = { { "Reshape", NULL, "f32[2,3,4] i64{4,6}" },
    { "Flatten", "axis=1", "f32[2,3,4]" }, { "Unsqueeze", NULL, "f32[2,3,4] i64{0}" },
    { "Squeeze", NULL, "f32[2,1,4] i64{1}" }, { "Identity", NULL, "f32[2,3,4]" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_auto (SegCaseModel) model = { NULL };
    g_autoptr (SegTensor) out = NULL;
    g_test_message ("%s", cases[i].op);
    g_assert_true (seg_case_model_make (&cases[i], 1, FALSE, &model, &error));
    SegTensor *const *in = (SegTensor *const *) model.inputs->pdata;
    g_autoptr (SegGraph) graph =
        seg_graph_new (model.model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, &error);
    g_assert_true (graph != NULL && seg_graph_eval (graph, in, &out, &error));
    g_assert_true (seg_tensor_data (out) == seg_tensor_data (in[0]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/emit/gate-of-few-lanes", gate_of_few_lanes);
  g_test_add_func ("/emit/planes-backwards", planes_backwards);
  g_test_add_func ("/emit/offers-of-points", offers_of_points);
  g_test_add_func ("/emit/blocks-by-registers", blocks_by_registers);
  g_test_add_func ("/emit/renames-copy-nothing", renames_copy_nothing);
  return g_test_run ();
}
