/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/labeltext.h"

/* Ids grow, so the cache starts again when it is full: half of it at a time, so that what was
 * got just before stays. */
#define HALF_PIECES 512
#define MAX_WIDTH   1024

struct _SegTextCache {
  guint height;
  GHashTable *now, *before;
};

static GHashTable *
new_table (void)
{
  return g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) seg_text_free);
}

SegTextCache *
seg_text_cache_new (guint height)
{
  SegTextCache *c = g_new0 (SegTextCache, 1);
  c->height = height;
  c->now = new_table ();
  c->before = new_table ();
  return c;
}

void
seg_text_cache_free (SegTextCache **cache)
{
  SegTextCache *c = *cache;
  if (c == NULL)
    return;
  g_hash_table_unref (c->now);
  g_hash_table_unref (c->before);
  g_free (c);
  *cache = NULL;
}

const SegText *
seg_text_cache_get (SegTextCache *c, const char *text)
{
  gpointer key, value = g_hash_table_lookup (c->now, text);
  if (value != NULL)
    return value;
  if (g_hash_table_size (c->now) >= HALF_PIECES) {
    g_hash_table_unref (c->before);
    c->before = c->now;
    c->now = new_table ();
  }
  if (g_hash_table_steal_extended (c->before, text, &key, &value)) {
    g_hash_table_insert (c->now, key, value);
    return value;
  }
  SegText *made = seg_text_new (text, c->height, MAX_WIDTH);
  g_hash_table_insert (c->now, g_strdup (text), made);
  return made;
}

guint
seg_text_cache_height (const SegTextCache *c)
{
  return c->height;
}
