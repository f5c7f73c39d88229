/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/registry.h"

typedef struct {
  char *name;
  gpointer thing; /* NULL while it is being made */
  guint n_users;
} Entry;

static void
free_entry (Entry *entry)
{
  g_free (entry->name);
  g_free (entry);
}

/* --- with the lock -------------------------------------------------------------------------------- */

static void
open_tables (SegRegistry *r)
{
  if (r->by_name != NULL)
    return;
  r->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  r->by_thing = g_hash_table_new (NULL, NULL);
}

/* Nothing is left behind at the end of a program. */
static void
close_tables (SegRegistry *r)
{
  if (g_hash_table_size (r->by_name) > 0 || g_hash_table_size (r->by_thing) > 0)
    return;
  g_clear_pointer (&r->by_name, g_hash_table_unref);
  g_clear_pointer (&r->by_thing, g_hash_table_unref);
}

/* Whoever has it keeps it, but nobody else gets it. */
static void
forget (SegRegistry *r, Entry *entry)
{
  if (g_hash_table_lookup (r->by_name, entry->name) == entry)
    g_hash_table_remove (r->by_name, entry->name);
}

/* The entry of this name, once it is made; NULL: there is none. */
static Entry *
find (SegRegistry *r, const char *name)
{
  for (;;) {
    open_tables (r);
    Entry *entry = g_hash_table_lookup (r->by_name, name);
    if (entry == NULL)
      return NULL;
    if (entry->thing == NULL) {
      g_cond_wait (&r->made, &r->lock);
    } else if (r->is_good != NULL && !r->is_good (entry->thing)) {
      forget (r, entry);
    } else {
      return entry;
    }
  }
}

/* thing NULL: it could not be made. */
static void
complete (SegRegistry *r, Entry *entry, gpointer thing)
{
  entry->thing = thing;
  if (thing != NULL) {
    g_hash_table_insert (r->by_thing, thing, entry);
  } else {
    forget (r, entry);
    free_entry (entry);
    close_tables (r);
  }
  g_cond_broadcast (&r->made);
}

/* --- for all ---------------------------------------------------------------------------------------- */

gpointer
seg_registry_get (SegRegistry *r, const char *name, gpointer data, GError **error)
{
  g_mutex_lock (&r->lock);
  Entry *entry = find (r, name);
  if (entry != NULL) {
    gpointer thing = entry->thing;
    entry->n_users++;
    g_mutex_unlock (&r->lock);
    return thing;
  }
  entry = g_new0 (Entry, 1);
  entry->name = g_strdup (name);
  entry->n_users = 1;
  g_hash_table_insert (r->by_name, entry->name, entry);
  g_mutex_unlock (&r->lock);

  gpointer thing = r->make (data, error);
  g_mutex_lock (&r->lock);
  complete (r, entry, thing);
  g_mutex_unlock (&r->lock);
  return thing;
}

void
seg_registry_put (SegRegistry *r, gpointer thing)
{
  if (thing == NULL)
    return;
  g_mutex_lock (&r->lock);
  Entry *entry = g_hash_table_lookup (r->by_thing, thing);
  gboolean last = --entry->n_users == 0;
  if (last) {
    forget (r, entry);
    g_hash_table_remove (r->by_thing, thing);
    close_tables (r);
  }
  g_mutex_unlock (&r->lock);
  if (!last)
    return;
  r->destroy (thing);
  free_entry (entry);
}
