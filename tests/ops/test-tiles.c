/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each tile of a family of convolutions by matrix units, whatever would be chosen, against the host:
 *   test-tiles FAMILY TILES      cm1 or cm2, and how many it has
 * On a CPU only the two that are on offer there: it emulates these units, and slowly. */
#include "case-model.h"
#include "engine/session-priv.h"
#include "lib/compare.h"
#include "lib/device.h"
#include "lib/tap.h"
#include "ops/table.h"

#include <string.h>

#define MOST_TILES  32
#define ON_CPU      2
#define SPEC_PIXELS 1 /* of conv_cm1.comp and conv_cm2.comp */
#define SPEC_OUT_C  2

typedef struct {
  const char *name;
  SegCase chain[3];
} Case;

/* 210 pixels and 129 channels: no tile's multiples, and more than one of the largest. */
#define CASE(name, in_c)                                                                 \
  {                                                                                      \
    name,                                                                                \
    {                                                                                    \
      { "Conv", "pads=[1,1,1,1]",                                                        \
        "f32[1," in_c ",15,14] f32[129," in_c ",3,3]! f32[129]!" },                      \
          { "Add", NULL, "^ f32[1,129,15,14]" }, { "Relu", NULL, "^" },                  \
    }                                                                                    \
  }

static const Case cases[] = {
  CASE ("steps that span taps", "24"),
  CASE ("short steps within taps", "96"),
  CASE ("long steps within taps", "64"),
  CASE ("long sums, which GPUs split", "256"),
};

typedef struct {
  SegTap tap;
  SegVk *vk;
  const char *family;
  char *kernel; /* "conv_cm1" */
  guint n_tiles;
} Tiles;

/* Pixels << 16 | channels of the tile that does it; 0: another kernel does. */
static guint
tile_of (const Tiles *t, const SegSession *session)
{
  for (guint i = 0; i < session->program->steps->len; i++) {
    const SegStep *step = &g_array_index (session->program->steps, SegStep, i);
    const guint32 *spec = step->dispatch.spec;
    if (!step->host && strcmp (step->dispatch.shader->name, t->kernel) == 0)
      return spec[SPEC_PIXELS] << 16 | spec[SPEC_OUT_C];
  }
  return 0;
}

static char *
run (const Tiles *t, const SegCaseModel *m, const SegTensor *want, guint *tile)
{
  static const SegTolerance tolerance = {
    .relative = 4e-3, .to_largest = TRUE, .half = TRUE
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (SegTensor) got = NULL;
  SegTensor *const *in = (SegTensor *const *) m->inputs->pdata;
  SegSessionOptions options = { .precision = SEG_PRECISION_FP16, .poison = TRUE };
  SegSession *session = seg_session_new (m->model, t->vk, &options, &error);
  gboolean ok = session != NULL && seg_session_run (session, in, &got, &error);
  *tile = ok ? tile_of (t, session) : 0;
  seg_session_free (&session);
  if (!ok)
    return g_strdup (error->message);
  return *tile == 0 ? g_strdup_printf ("%s did not run", t->kernel)
                    : seg_compare (got, want, &tolerance);
}

/* All tiles that the device has room for are different ones. */
static void
check_tiles (Tiles *t, const Case *c, const SegCaseModel *m, const SegTensor *want)
{
  guint seen[MOST_TILES], n_seen = 0;
  for (guint variant = 1; variant <= t->n_tiles; variant++) {
    guint tile, i = 0;
    g_autofree char *choice = g_strdup_printf ("%s/%u", t->family, variant);
    g_setenv ("VKSEG_CONV", choice, TRUE);
    g_autofree char *bad = run (t, m, want, &tile);
    g_autofree char *name =
        g_strdup_printf ("%s, %s: %ux%u", c->name, choice, tile >> 16, tile & 0xffff);
    seg_tap_result (&t->tap, bad == NULL, name, bad);
    while (i < n_seen && seen[i] != tile)
      i++;
    seen[i] = tile;
    n_seen += i == n_seen;
  }
  g_autofree char *name =
      g_strdup_printf ("%s: %u of %u tiles", c->name, n_seen, t->n_tiles);
  gboolean cpu = seg_vk_info (t->vk)->type == SEG_DEVICE_CPU;
  seg_tap_result (&t->tap, cpu ? n_seen == t->n_tiles : n_seen >= 2, name, NULL);
}

static void
check (Tiles *t, const Case *c)
{
  g_auto (SegCaseModel) m = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) graph = NULL;
  g_autoptr (SegTensor) want = NULL;
  if (seg_case_chain_make (c->chain, G_N_ELEMENTS (c->chain), 7, TRUE, &m, &error))
    graph = seg_graph_new (m.model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, &error);
  if (graph == NULL
      || !seg_graph_eval (graph, (SegTensor *const *) m.inputs->pdata, &want, &error))
    seg_tap_result (&t->tap, FALSE, c->name, error->message);
  else
    check_tiles (t, c, &m, want);
}

int
main (int argc, char **argv)
{
  int status = 2;
  Tiles t = { .vk = argc == 3 ? seg_test_device (&status) : NULL };
  if (t.vk == NULL)
    return status;
  gboolean cpu = seg_vk_info (t.vk)->type == SEG_DEVICE_CPU;
  guint n = (guint) g_ascii_strtoull (argv[2], NULL, 10);
  t.family = argv[1];
  t.kernel = g_strconcat ("conv_", t.family, NULL);
  t.n_tiles = MIN (n, cpu ? ON_CPU : MOST_TILES);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check (&t, &cases[i]);
  seg_tap_result (&t.tap, seg_vk_validation_messages () == 0,
      "no messages from the validation layer", NULL);
  seg_vk_unref (t.vk);
  g_free (t.kernel);
  return seg_tap_finish (&t.tap);
}
