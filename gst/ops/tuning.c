/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/tuning.h"

struct _SegTuning {
  GTree *entries; /* char * -> SegTuningEntry * */
};

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  (void) data;
  return g_strcmp0 (a, b);
}

SegTuning *
seg_tuning_new (void)
{
  SegTuning *t = g_new0 (SegTuning, 1);
  t->entries = g_tree_new_full (compare_keys, NULL, g_free, g_free);
  return t;
}

void
seg_tuning_free (SegTuning *t)
{
  if (t == NULL)
    return;
  g_tree_unref (t->entries);
  g_free (t);
}

SegTuningEntry *
seg_tuning_entry (SegTuning *t, const char *key)
{
  SegTuningEntry *entry = g_tree_lookup (t->entries, key);
  if (entry == NULL) {
    entry = g_new0 (SegTuningEntry, 1);
    g_tree_insert (t->entries, g_strdup (key), entry);
  }
  return entry;
}

typedef struct {
  void (*f) (const char *key, SegTuningEntry *entry, gpointer data);
  gpointer data;
} Visit;

static gboolean
visit (gpointer key, gpointer entry, gpointer data)
{
  const Visit *v = data;
  v->f (key, entry, v->data);
  return FALSE;
}

void
seg_tuning_foreach (SegTuning *t,
    void (*f) (const char *key, SegTuningEntry *entry, gpointer data), gpointer data)
{
  Visit v = { f, data };
  g_tree_foreach (t->entries, visit, &v);
}
