/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/registry.h"
#include "vk/private.h"

typedef struct {
  const SegVkOptions *options;
  SegVk *chosen; /* not finished; NULL once it is, or when it was known which is meant */
} Request;

static gpointer
make (gpointer data, GError **error)
{
  Request *request = data;
  g_autoptr (SegVk) vk = g_steal_pointer (&request->chosen);
  if (vk == NULL)
    return seg_vk_new (request->options, error);
  return seg_vk_finish (vk, request->options, error) ? g_steal_pointer (&vk) : NULL;
}

static void
destroy (gpointer vk)
{
  seg_vk_unref (vk);
}

static gboolean
is_good (gpointer vk)
{
  return g_atomic_int_get (&((SegVk *) vk)->state) == SEG_VK_OK;
}

static SegRegistry devices = SEG_REGISTRY (make, destroy, is_good);

/* What requests have turned out to mean: asking Vulkan takes some milliseconds. For the life of the
 * process: there are as many as there are ways to name a device. */
static GMutex lock;
static GHashTable *meanings; /* char * -> char *, a name in `devices` */

static char *
describe (const SegVkOptions *o)
{
  return g_strdup_printf ("%s\n%s\n%d", o->device != NULL ? o->device : "",
      o->cache_dir != NULL ? o->cache_dir : "", o->validate);
}

static char *
name_of (const SegVk *vk, const SegVkOptions *o)
{
  const SegDeviceInfo *i = &vk->physical.info;
  GString *name = g_string_new (NULL);
  g_string_printf (
      name, "%u %x:%x %d ", i->index, i->vendor_id, i->device_id, o->validate);
  for (guint k = 0; k < sizeof i->uuid; k++)
    g_string_append_printf (name, "%02x", i->uuid[k]);
  g_string_append_printf (name, " %s", o->cache_dir != NULL ? o->cache_dir : "");
  return g_string_free (name, FALSE);
}

/* The name of what is meant, newly allocated. */
static char *
resolve (Request *request, GError **error)
{
  g_autofree char *words = describe (request->options);
  g_mutex_lock (&lock);
  char *name = meanings != NULL ? g_strdup (g_hash_table_lookup (meanings, words)) : NULL;
  g_mutex_unlock (&lock);
  if (name != NULL)
    return name;
  request->chosen = seg_vk_choose (request->options, error);
  if (request->chosen == NULL)
    return NULL;
  name = name_of (request->chosen, request->options);
  g_mutex_lock (&lock);
  if (meanings == NULL)
    meanings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert (meanings, g_steal_pointer (&words), g_strdup (name));
  g_mutex_unlock (&lock);
  return name;
}

SegVk *
seg_vk_get (const SegVkOptions *options, GError **error)
{
  static const SegVkOptions none = { 0 };
  Request request = { options != NULL ? options : &none, NULL };
  g_autofree char *name = resolve (&request, error);
  SegVk *vk = name != NULL ? seg_registry_get (&devices, name, &request, error) : NULL;
  seg_vk_unref (request.chosen);
  return vk;
}

void
seg_vk_put (SegVk **vk)
{
  seg_registry_put (&devices, *vk);
  *vk = NULL;
}
