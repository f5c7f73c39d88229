/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Things that take long to make, and are shared by all who name them alike for as long as somebody has
 * them. A registry is a static variable, made with SEG_REGISTRY. Thread-safe: the functions are called
 * without its lock, so that things of different names are made side by side. */
typedef struct {
  /* NULL with an error: it is not there, and whoever asks next tries again. */
  gpointer (*make) (gpointer data, GError **error);
  void (*destroy) (gpointer thing);
  /* FALSE: it has gone bad, whoever asks gets a new one. NULL: none does. */
  gboolean (*is_good) (gpointer thing);
  /*< private >*/
  GMutex lock;
  GCond made;
  GHashTable *by_name;  /* char * -> SegRegistryEntry; NULL without any */
  GHashTable *by_thing; /* those that are made, also those gone bad */
} SegRegistry;

#define SEG_REGISTRY(make, destroy, is_good)                                             \
  {                                                                                      \
    make, destroy, is_good, { 0 }, { 0 }, NULL, NULL                                     \
  }

/* The thing of this name, made with `data` unless somebody has it. Whoever asks while it is being made
 * waits, and gets the same. To be given back. */
gpointer seg_registry_get (
    SegRegistry *registry, const char *name, gpointer data, GError **error);
/* The last one who gives it back destroys it. NULL is allowed. */
void seg_registry_put (SegRegistry *registry, gpointer thing);

G_END_DECLS
