/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/tune.h"

#include "base/log.h"
#include "engine/trial.h"

#define RUNS      5   /* of which the shortest counts: others were disturbed */
#define ENOUGH_NS 1e8 /* no more runs after that much */
#define HOPELESS  1.4 /* times the best so far: no second run */
#define WARM_NS                                                                          \
  1e8 /* of work before, on a GPU, whose clocks fall while a pipeline is compiled */
#define WORTH 0.94 /* times the usual choice's: above, no other pipeline is worth it */

typedef struct {
  const SegGraph *graph;
  const SegDeviceInfo *device;
  SegStorage precision;
  SegVk *vk;
  SegTuning *tuning;
  gint64 end;      /* monotonic time */
  GPtrArray *open; /* SegTuningEntry *, most work first */
} Tuner;

/* --- one choice ---------------------------------------------------------------------------------- */

/* The first run fills caches. */
static gboolean
warm_up (SegTrial *trial, const SegDeviceInfo *device, GError **error)
{
  double wanted = device->type == SEG_DEVICE_CPU ? 0 : WARM_NS;
  gint64 start = g_get_monotonic_time ();
  guint64 run;
  do {
    if (!seg_trial_run (trial, &run, error))
      return FALSE;
  } while ((g_get_monotonic_time () - start) * 1e3 < wanted);
  return TRUE;
}

static gboolean
shortest_run (SegTrial *trial, double best, double *ns, GError **error)
{
  guint64 run, total = 0;
  *ns = G_MAXDOUBLE;
  for (guint i = 0; i < RUNS && total<ENOUGH_NS && * ns> 0; i++) {
    if (!seg_trial_run (trial, &run, error))
      return FALSE;
    *ns = MIN (*ns, (double) run);
    total += run;
    if (*ns > best * HOPELESS)
      break;
  }
  return TRUE;
}

static void
log_time (const Tuner *t, const SegTuningEntry *entry, SegChoice choice, double ns)
{
  const SegNode *node = g_ptr_array_index (t->graph->nodes, entry->n_node);
  g_autofree char *name = seg_choice_to_string (choice);
  seg_debug ("%s: %s takes %.3f ms", node->name, name, ns / 1e6);
}

static gboolean
measure_choice (const Tuner *t, SegTuningEntry *entry, guint i, double best, double *ns,
    GError **error)
{
  entry->known = TRUE;
  entry->choice = entry->choices[i];
  g_autoptr (SegProgram) p = seg_program_new_node (
      t->graph, t->device, t->precision, t->tuning, entry->n_node, error);
  entry->known = FALSE;
  SegTrial *trial = p != NULL ? seg_trial_new (p, t->vk, TRUE, error) : NULL;
  gboolean ok = trial != NULL && warm_up (trial, t->device, error)
                && shortest_run (trial, best, ns, error);
  seg_trial_free (&trial);
  if (ok)
    log_time (t, entry, entry->choices[i], *ns);
  return ok;
}

/* Once more, so that a disturbance of the one is not taken for an advantage of the other. */
static gboolean
is_faster (const Tuner *t, SegTuningEntry *entry, guint i)
{
  double usual, ns;
  return measure_choice (t, entry, 0, G_MAXDOUBLE, &usual, NULL)
         && measure_choice (t, entry, i, G_MAXDOUBLE, &ns, NULL) && ns < usual * WORTH;
}

/* FALSE: time is up, or the usual choice cannot be measured. */
static gboolean
measure_entry (const Tuner *t, SegTuningEntry *entry)
{
  double usual = 0, best = G_MAXDOUBLE, ns;
  guint fastest = 0;
  for (guint i = 0; i < entry->n; i++) {
    g_autoptr (GError) error = NULL;
    if (g_get_monotonic_time () >= t->end)
      return FALSE;
    if (!measure_choice (t, entry, i, best, &ns, &error)) {
      seg_info ("a kernel cannot be measured: %s", error->message);
      if (i == 0)
        return FALSE;
      continue;
    }
    usual = i == 0 ? ns : usual;
    if (ns < best && (i == 0 || ns < usual * WORTH)) {
      best = ns;
      fastest = i;
    }
  }
  if (fastest > 0 && !is_faster (t, entry, fastest))
    fastest = 0;
  entry->choice = entry->choices[fastest];
  entry->known = entry->measured = TRUE;
  return TRUE;
}

/* --- all ------------------------------------------------------------------------------------------- */

static int
by_work (gconstpointer a, gconstpointer b)
{
  double x = (*(SegTuningEntry *const *) a)->work;
  double y = (*(SegTuningEntry *const *) b)->work;
  return x < y ? 1 : x > y ? -1 : 0;
}

static void
count (const char *key, SegTuningEntry *entry, gpointer data)
{
  SegTuneStats *stats = data;
  (void) key;
  stats->n_choices += entry->wanted;
  stats->n_known += entry->wanted && entry->known;
}

static void
list_open (const char *key, SegTuningEntry *entry, gpointer data)
{
  (void) key;
  if (entry->wanted && !entry->known)
    g_ptr_array_add (data, entry);
}

/* How many were measured. */
static guint
measure_open (Tuner *t)
{
  guint n = 0;
  t->open = g_ptr_array_new ();
  seg_tuning_foreach (t->tuning, list_open, t->open);
  g_ptr_array_sort (t->open, by_work);
  for (guint i = 0; i < t->open->len && g_get_monotonic_time () < t->end; i++)
    n += measure_entry (t, g_ptr_array_index (t->open, i));
  g_ptr_array_unref (t->open);
  return n;
}

SegProgram *
seg_tuned_program (const SegGraph *graph, const SegDeviceInfo *device,
    SegStorage precision, SegVk *vk, guint budget_ms, SegTuneStats *stats, GError **error)
{
  g_autoptr (SegTuning) tuning = seg_tuning_new ();
  *stats = (SegTuneStats){ 0 };
  seg_tune_read (tuning, vk);
  SegProgram *p = seg_program_new (graph, device, precision, tuning, NULL);
  /* What does not fit may, done the usual way. */
  if (p == NULL)
    return seg_program_new (graph, device, precision, NULL, error);
  seg_tuning_foreach (tuning, count, stats);
  if (budget_ms == 0 || !device->timestamps || stats->n_known == stats->n_choices)
    return p;
  Tuner t = { .graph = graph,
    .device = device,
    .precision = precision,
    .vk = vk,
    .tuning = tuning,
    .end = g_get_monotonic_time () + budget_ms * G_GINT64_CONSTANT (1000) };
  gint64 start = g_get_monotonic_time ();
  stats->n_measured = measure_open (&t);
  if (stats->n_measured > 0) {
    seg_tune_write (tuning, vk);
    SegProgram *faster = seg_program_new (graph, device, precision, tuning, NULL);
    if (faster != NULL) {
      seg_program_free (p);
      p = faster;
    }
  }
  stats->ms = (g_get_monotonic_time () - start) / 1e3;
  return p;
}
