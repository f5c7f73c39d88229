/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "base/parallel.h"
#include "vk/private.h"

#include <string.h>

/* Those that recordings have, and some that none has any more: a network needs a few dozen, and a new size of its
 * input mostly the same ones. */
struct _SegPipelines {
  GMutex lock;
  GCond made;        /* one is ready, or could not be made */
  GHashTable *table; /* of SegPipeline, by key */
  GQueue idle;       /* those without users, the latest first */
  gboolean dirty;    /* pipelines were made since the cache was read */
  VkPipelineCache cache;
  char *dir, *path; /* NULL: not kept */
  gboolean warm;    /* there was a cache to read */
};

typedef SegPipelineKey Key;

static guint
key_hash (gconstpointer data)
{
  const guint32 *words = data;
  guint32 h = 2166136261u;
  for (gsize i = 0; i < sizeof (Key) / 4; i++)
    h = (h ^ words[i]) * 16777619u;
  return h;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Key)) == 0;
}

static void
key_set (Key *key, const SegVkDispatch *d)
{
  memset (key, 0, sizeof *key);
  key->shader = d->shader->hash;
  key->n_spec = d->n_spec;
  key->n_views = d->n_views;
  for (guint i = 0; i < d->n_spec; i++)
    key->spec[i] = d->spec[i];
  for (guint i = 0; i < d->n_views; i++)
    key->types[i] = seg_view_descriptor_type (d->views[i].kind);
}

static void
pipeline_free (SegVk *vk, SegPipeline *p)
{
  vkDestroyPipeline (vk->device, p->handle, NULL);
  vkDestroyPipelineLayout (vk->device, p->layout, NULL);
  vkDestroyDescriptorSetLayout (vk->device, p->set_layout, NULL);
  g_free (p);
}

static gboolean
create_layout (SegVk *vk, SegPipeline *p, const SegVkDispatch *d, GError **error)
{
  VkDescriptorSetLayoutBinding bindings[SEG_VK_MAX_VIEWS];
  for (guint i = 0; i < d->n_views; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){
      .binding = i,
      .descriptorType = seg_view_descriptor_type (d->views[i].kind),
      .descriptorCount = 1,
      .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    };
  const VkDescriptorSetLayoutCreateInfo set = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
    .bindingCount = d->n_views,
    .pBindings = bindings,
  };
  if (!seg_vk_check (vk,
          vkCreateDescriptorSetLayout (vk->device, &set, NULL, &p->set_layout),
          "vkCreateDescriptorSetLayout", error))
    return FALSE;
  /* Vulkan guarantees as many bytes; the same range for all keeps n_push out of the key. */
  const VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, SEG_VK_MAX_PUSH };
  const VkPipelineLayoutCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .setLayoutCount = 1,
    .pSetLayouts = &p->set_layout,
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &push,
  };
  return seg_vk_check (vk, vkCreatePipelineLayout (vk->device, &info, NULL, &p->layout),
      "vkCreatePipelineLayout", error);
}

static VkResult
create_pipeline (SegVk *vk, SegPipeline *p, const SegVkDispatch *d, VkShaderModule module)
{
  VkSpecializationMapEntry entries[SEG_VK_MAX_SPEC];
  for (guint i = 0; i < d->n_spec; i++)
    entries[i] = (VkSpecializationMapEntry){ i, 4 * i, 4 };
  const VkSpecializationInfo spec = { d->n_spec, entries, 4 * d->n_spec, d->spec };
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
    .requiredSubgroupSize = vk->physical.info.subgroup_size,
  };
  gboolean full = d->shader->full_subgroups;
  const VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .stage = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
      .pNext = full ? &size : NULL,
      .flags = full ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0,
      .stage = VK_SHADER_STAGE_COMPUTE_BIT,
      .module = module,
      .pName = "main",
      .pSpecializationInfo = &spec,
    },
    .layout = p->layout,
  };
  return vkCreateComputePipelines (
      vk->device, vk->pipelines->cache, 1, &info, NULL, &p->handle);
}

static gboolean
pipeline_make (SegVk *vk, SegPipeline *p, const SegVkDispatch *d, GError **error)
{
  const VkShaderModuleCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
    .codeSize = d->shader->code_bytes,
    .pCode = d->shader->code,
  };
  VkShaderModule module = VK_NULL_HANDLE;
  gint64 start = g_get_monotonic_time ();
  gboolean ok =
      create_layout (vk, p, d, error)
      && seg_vk_check (vk, vkCreateShaderModule (vk->device, &info, NULL, &module),
          "vkCreateShaderModule", error)
      && seg_vk_check (
          vk, create_pipeline (vk, p, d, module), "vkCreateComputePipelines", error);
  vkDestroyShaderModule (vk->device, module, NULL);
  if (ok)
    seg_debug ("pipeline of %s made in %.1f ms", d->shader->name,
        (g_get_monotonic_time () - start) / 1e3);
  return ok;
}

/* These three with the lock. */

static void
take (SegPipelines *all, SegPipeline *p)
{
  if (p->users++ == 0)
    g_queue_unlink (&all->idle, &p->link);
}

/* What has been idle for longest goes: on llvmpipe a pipeline is half a megabyte of code and of what LLVM keeps
 * for it, and of more than 1024 it compiles some again and again. */
static void
give_back (SegVk *vk, SegPipeline *p)
{
  SegPipelines *all = vk->pipelines;
  if (--p->users > 0)
    return;
  g_queue_push_head_link (&all->idle, &p->link);
  if (all->idle.length <= SEG_PIPELINES_MOST_IDLE)
    return;
  SegPipeline *oldest = g_queue_pop_tail_link (&all->idle)->data;
  g_hash_table_remove (all->table, &oldest->key);
  pipeline_free (vk, oldest);
}

/* The one of this key, when it is ready; NULL: it is not there, and is the caller's to make. */
static SegPipeline *
find_or_wait (SegPipelines *all, const Key *key)
{
  SegPipeline *p;
  while ((p = g_hash_table_lookup (all->table, key)) != NULL && !p->ready)
    g_cond_wait (&all->made, &all->lock);
  return p;
}

SegPipeline *
seg_pipelines_get (SegVk *vk, const SegVkDispatch *d, GError **error)
{
  SegPipelines *all = vk->pipelines;
  Key key;
  key_set (&key, d);
  g_mutex_lock (&all->lock);
  SegPipeline *p = find_or_wait (all, &key);
  gboolean ok = p != NULL;
  if (ok) {
    take (all, p);
  } else {
    /* Compiling takes long, so it is done outside the lock; who wants the same waits, so that it is
     * done once. */
    p = g_new0 (SegPipeline, 1);
    *p = (SegPipeline){ .key = key, .users = 1, .link.data = p };
    g_hash_table_insert (all->table, &p->key, p);
    g_mutex_unlock (&all->lock);
    ok = pipeline_make (vk, p, d, error);
    g_mutex_lock (&all->lock);
    p->ready = ok;
    all->dirty = all->dirty || ok;
    if (!ok) {
      g_hash_table_remove (all->table, &p->key);
      pipeline_free (vk, p);
    }
    g_cond_broadcast (&all->made);
  }
  g_mutex_unlock (&all->lock);
  return ok ? p : NULL;
}

void
seg_pipelines_give_back (SegVk *vk, SegPipeline *const *pipelines, guint n)
{
  g_mutex_lock (&vk->pipelines->lock);
  for (guint i = 0; i < n; i++)
    give_back (vk, pipelines[i]);
  g_mutex_unlock (&vk->pipelines->lock);
}

guint
seg_pipelines_count (SegVk *vk)
{
  g_mutex_lock (&vk->pipelines->lock);
  guint n = g_hash_table_size (vk->pipelines->table);
  g_mutex_unlock (&vk->pipelines->lock);
  return n;
}

/* It is there, or somebody is making it; as one of the last to go. */
static gboolean
touch (SegVk *vk, const Key *key)
{
  SegPipelines *all = vk->pipelines;
  g_mutex_lock (&all->lock);
  SegPipeline *p = g_hash_table_lookup (all->table, key);
  if (p != NULL) {
    take (all, p);
    give_back (vk, p);
  }
  g_mutex_unlock (&all->lock);
  return p != NULL;
}

typedef struct {
  SegVk *vk;
  GHashTable *keys;   /* Key, of those that are missing */
  GPtrArray *missing; /* const SegVkDispatch *, of one each */
} Missing;

static void
note_missing (Missing *m, const SegVkDispatch *d)
{
  Key key;
  if (seg_dispatch_is_empty (d) || !seg_dispatch_check (m->vk, d, NULL))
    return;
  key_set (&key, d);
  if (!g_hash_table_contains (m->keys, &key) && !touch (m->vk, &key)) {
    g_hash_table_add (m->keys, g_memdup2 (&key, sizeof key));
    g_ptr_array_add (m->missing, (gpointer) d);
  }
}

static void
make_missing (guint i, gpointer data)
{
  const Missing *m = data;
  g_autoptr (GError) error = NULL;
  SegPipeline *p = seg_pipelines_get (m->vk, g_ptr_array_index (m->missing, i), &error);
  if (p == NULL)
    seg_info ("%s", error->message);
  else
    seg_pipelines_give_back (m->vk, &p, 1);
}

void
seg_vk_make_pipelines (SegVk *vk, const SegVkDispatch *dispatches, guint n)
{
  g_autoptr (GHashTable) keys = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  g_autoptr (GPtrArray) missing = g_ptr_array_new ();
  Missing m = { vk, keys, missing };
  for (guint i = 0; i < n; i++)
    note_missing (&m, &dispatches[i]);
  seg_parallel (missing->len, make_missing, &m);
}

static gboolean
create_cache (SegVk *vk, SegPipelines *all, GError **error)
{
  g_autoptr (GBytes) blob =
      all->path ? seg_cache_read (all->path, &vk->physical.info) : NULL;
  VkPipelineCacheCreateInfo info = { .sType =
                                         VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO };
  if (blob != NULL)
    info.pInitialData = g_bytes_get_data (blob, &info.initialDataSize);
  all->warm = blob != NULL;
  return seg_vk_check (vk, vkCreatePipelineCache (vk->device, &info, NULL, &all->cache),
      "vkCreatePipelineCache", error);
}

SegPipelines *
seg_pipelines_new (SegVk *vk, const char *cache_dir, GError **error)
{
  SegPipelines *all = g_new0 (SegPipelines, 1);
  g_mutex_init (&all->lock);
  g_cond_init (&all->made);
  g_queue_init (&all->idle);
  all->table = g_hash_table_new (key_hash, key_equal);
  all->dir = g_strdup (cache_dir);
  all->path = cache_dir ? seg_cache_path (cache_dir, &vk->physical.info) : NULL;
  vk->pipelines = all;
  if (!create_cache (vk, all, error))
    seg_pipelines_free (vk);
  return vk->pipelines;
}

char *
seg_vk_cache_file (const SegVk *vk, const char *what, const char *suffix)
{
  const char *dir = vk->pipelines->dir;
  return dir != NULL ? seg_cache_file (dir, what, suffix, &vk->physical.info) : NULL;
}

gboolean
seg_vk_cache_is_warm (const SegVk *vk)
{
  return vk->pipelines->warm;
}

/* A cache that cannot be kept costs the next start time, nothing else: no error. */
static void
save_cache (SegVk *vk)
{
  SegPipelines *all = vk->pipelines;
  if (all->path == NULL || !all->dirty || g_atomic_int_get (&vk->state) != SEG_VK_OK)
    return;
  gsize n = 0;
  if (vkGetPipelineCacheData (vk->device, all->cache, &n, NULL) != VK_SUCCESS || n == 0)
    return;
  g_autofree guint8 *blob = g_try_malloc (n);
  if (blob == NULL
      || vkGetPipelineCacheData (vk->device, all->cache, &n, blob) != VK_SUCCESS)
    return;
  g_autoptr (GError) error = NULL;
  if (!seg_cache_write (all->path, blob, n, &error))
    seg_info ("%s", error->message);
}

void
seg_pipelines_free (SegVk *vk)
{
  SegPipelines *all = vk->pipelines;
  if (all == NULL)
    return;
  GHashTableIter iter;
  gpointer p;
  save_cache (vk);
  g_hash_table_iter_init (&iter, all->table);
  while (g_hash_table_iter_next (&iter, NULL, &p))
    pipeline_free (vk, p);
  g_hash_table_unref (all->table);
  vkDestroyPipelineCache (vk->device, all->cache, NULL);
  g_cond_clear (&all->made);
  g_mutex_clear (&all->lock);
  g_free (all->dir);
  g_free (all->path);
  g_free (all);
  vk->pipelines = NULL;
}
