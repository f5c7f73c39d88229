/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

/* How much a pool holds. Counted here, so that running out of a pool is never an error that
 * has to be told from others. */
enum {
  POOL_SETS = 64,
  POOL_STORAGE = 256,
  POOL_TEXEL = 256,
  POOL_IMAGE = 128,
  POOL_UNIFORM = 64
};

typedef struct {
  VkDescriptorPool handle;
  guint sets, storage, texel, image, uniform; /* left */
} Pool;

typedef struct {
  guint storage, texel, image, uniform;
} Need;

void
seg_descriptors_init (SegDescriptors *d)
{
  d->pools = g_array_new (FALSE, FALSE, sizeof (Pool));
  d->views = g_array_new (FALSE, FALSE, sizeof (VkBufferView));
  d->current = 0;
}

static void
free_views (SegDescriptors *d, SegVk *vk)
{
  for (guint i = 0; i < d->views->len; i++)
    vkDestroyBufferView (vk->device, g_array_index (d->views, VkBufferView, i), NULL);
  g_array_set_size (d->views, 0);
}

void
seg_descriptors_clear (SegDescriptors *d, SegVk *vk)
{
  if (d->pools == NULL)
    return;
  for (guint i = 0; i < d->pools->len; i++)
    vkDestroyDescriptorPool (vk->device, g_array_index (d->pools, Pool, i).handle, NULL);
  free_views (d, vk);
  g_clear_pointer (&d->pools, g_array_unref);
  g_clear_pointer (&d->views, g_array_unref);
}

static void
fill (Pool *pool)
{
  pool->sets = POOL_SETS;
  pool->storage = POOL_STORAGE;
  pool->texel = POOL_TEXEL;
  pool->image = POOL_IMAGE;
  pool->uniform = POOL_UNIFORM;
}

void
seg_descriptors_reset (SegDescriptors *d, SegVk *vk)
{
  for (guint i = 0; i < d->pools->len; i++) {
    Pool *pool = &g_array_index (d->pools, Pool, i);
    vkResetDescriptorPool (vk->device, pool->handle, 0);
    fill (pool);
  }
  d->current = 0;
  free_views (d, vk);
}

static gboolean
add_pool (SegDescriptors *d, SegVk *vk, GError **error)
{
  static const VkDescriptorPoolSize sizes[] = {
    { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, POOL_STORAGE },
    { VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, POOL_TEXEL },
    { VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, POOL_IMAGE },
    { VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, POOL_UNIFORM },
  };
  const VkDescriptorPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
    .maxSets = POOL_SETS,
    .poolSizeCount = G_N_ELEMENTS (sizes),
    .pPoolSizes = sizes,
  };
  Pool pool;
  fill (&pool);
  if (!seg_vk_check (vk, vkCreateDescriptorPool (vk->device, &info, NULL, &pool.handle),
          "vkCreateDescriptorPool", error))
    return FALSE;
  g_array_append_val (d->pools, pool);
  return TRUE;
}

static gboolean
take (Pool *pool, const Need *need)
{
  if (pool->sets == 0 || pool->storage < need->storage || pool->texel < need->texel
      || pool->image < need->image || pool->uniform < need->uniform)
    return FALSE;
  pool->sets--;
  pool->storage -= need->storage;
  pool->texel -= need->texel;
  pool->image -= need->image;
  pool->uniform -= need->uniform;
  return TRUE;
}

/* A pool with room; a view list always fits a fresh one. */
static Pool *
find_pool (SegDescriptors *d, SegVk *vk, const Need *need, GError **error)
{
  for (;; d->current++) {
    if (d->current == d->pools->len && !add_pool (d, vk, error))
      return NULL;
    Pool *pool = &g_array_index (d->pools, Pool, d->current);
    if (take (pool, need))
      return pool;
  }
}

static gboolean
add_view (SegDescriptors *d, SegVk *vk, const SegBufferView *view, VkBufferView *handle,
    GError **error)
{
  const VkBufferViewCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
    .buffer = view->buffer->handle,
    .format = seg_view_format (view->kind),
    .offset = view->offset,
    .range = view->n_bytes,
  };
  if (!seg_vk_check (vk, vkCreateBufferView (vk->device, &info, NULL, handle),
          "vkCreateBufferView", error))
    return FALSE;
  g_array_append_val (d->views, *handle);
  return TRUE;
}

static gboolean
allocate_set (SegDescriptors *d, SegVk *vk, VkDescriptorSetLayout layout,
    const SegBufferView *views, guint n_views, VkDescriptorSet *set, GError **error)
{
  Need need = { 0 };
  for (guint i = 0; i < n_views; i++)
    switch (seg_view_descriptor_type (views[i].kind)) {
    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER: need.texel++; break;
    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER: need.image++; break;
    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER: need.uniform++; break;
    default: need.storage++;
    }
  const Pool *pool = find_pool (d, vk, &need, error);
  if (pool == NULL)
    return FALSE;
  const VkDescriptorSetAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
    .descriptorPool = pool->handle,
    .descriptorSetCount = 1,
    .pSetLayouts = &layout,
  };
  return seg_vk_check (vk, vkAllocateDescriptorSets (vk->device, &info, set),
      "vkAllocateDescriptorSets", error);
}

gboolean
seg_descriptors_write (SegDescriptors *d, SegVk *vk, VkDescriptorSetLayout layout,
    const SegBufferView *views, guint n_views, VkDescriptorSet *set, GError **error)
{
  VkWriteDescriptorSet writes[SEG_VK_MAX_VIEWS];
  VkDescriptorBufferInfo buffers[SEG_VK_MAX_VIEWS];
  VkBufferView texels[SEG_VK_MAX_VIEWS];
  if (!allocate_set (d, vk, layout, views, n_views, set, error))
    return FALSE;
  for (guint i = 0; i < n_views; i++) {
    const SegBufferView *view = &views[i];
    buffers[i] =
        (VkDescriptorBufferInfo){ view->buffer->handle, view->offset, view->n_bytes };
    if (seg_view_texel_bytes (view->kind) != 0
        && !add_view (d, vk, view, &texels[i], error))
      return FALSE;
    writes[i] = (VkWriteDescriptorSet){
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
      .dstSet = *set,
      .dstBinding = i,
      .descriptorCount = 1,
      .descriptorType = seg_view_descriptor_type (view->kind),
      .pBufferInfo = &buffers[i],
      .pTexelBufferView = &texels[i],
    };
  }
  vkUpdateDescriptorSets (vk->device, n_views, writes, 0, NULL);
  return TRUE;
}
