/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

enum { POOL_STAMPS = 256 };

void
seg_timer_init (SegTimer *t)
{
  t->pools = g_array_new (FALSE, FALSE, sizeof (VkQueryPool));
  t->n = 0;
}

void
seg_timer_clear (SegTimer *t, SegVk *vk)
{
  if (t->pools == NULL)
    return;
  for (guint i = 0; i < t->pools->len; i++)
    vkDestroyQueryPool (vk->device, g_array_index (t->pools, VkQueryPool, i), NULL);
  g_clear_pointer (&t->pools, g_array_unref);
}

static gboolean
add_pool (SegTimer *t, SegVk *vk, GError **error)
{
  const VkQueryPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
    .queryType = VK_QUERY_TYPE_TIMESTAMP,
    .queryCount = POOL_STAMPS,
  };
  VkQueryPool pool;
  if (!seg_vk_check (vk, vkCreateQueryPool (vk->device, &info, NULL, &pool),
          "vkCreateQueryPool", error))
    return FALSE;
  g_array_append_val (t->pools, pool);
  return TRUE;
}

gboolean
seg_timer_stamp (SegTimer *t, SegVk *vk, VkCommandBuffer buffer, GError **error)
{
  guint at = t->n / POOL_STAMPS;
  if (at == t->pools->len && !add_pool (t, vk, error))
    return FALSE;
  VkQueryPool pool = g_array_index (t->pools, VkQueryPool, at);
  if (t->n % POOL_STAMPS == 0)
    vkCmdResetQueryPool (buffer, pool, 0, POOL_STAMPS);
  vkCmdWriteTimestamp (
      buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, t->n % POOL_STAMPS);
  t->n++;
  return TRUE;
}

gboolean
seg_timer_read (const SegTimer *t, SegVk *vk, guint64 *ns, guint n, GError **error)
{
  if (n + 1 != t->n) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "times of %u commands, but there are %u", n, MAX (t->n, 1) - 1);
    return FALSE;
  }
  guint64 stamps[POOL_STAMPS], last = 0;
  for (guint i = 0; i < t->n; i++) {
    if (i % POOL_STAMPS == 0
        && !seg_vk_check (vk,
            vkGetQueryPoolResults (vk->device,
                g_array_index (t->pools, VkQueryPool, i / POOL_STAMPS), 0,
                MIN (POOL_STAMPS, t->n - i), sizeof stamps, stamps, sizeof *stamps,
                VK_QUERY_RESULT_64_BIT),
            "vkGetQueryPoolResults", error))
      return FALSE;
    guint64 stamp = stamps[i % POOL_STAMPS];
    /* The counter may have wrapped between two stamps. */
    if (i > 0)
      ns[i - 1] = (guint64) ((double) ((stamp - last) & vk->physical.timestamp_mask)
                             * vk->physical.info.timestamp_ns);
    last = stamp;
  }
  return TRUE;
}

/* A run in between may have begun to stamp again. */
#define MAX_SPAN_NS G_GUINT64_CONSTANT (600000000000)

gboolean
seg_timer_span (const SegTimer *t, SegVk *vk, guint64 *ns)
{
  guint64 stamps[2];
  if (t->n != 2
      || vkGetQueryPoolResults (vk->device, g_array_index (t->pools, VkQueryPool, 0), 0,
             2, sizeof stamps, stamps, sizeof *stamps, VK_QUERY_RESULT_64_BIT)
             != VK_SUCCESS)
    return FALSE;
  guint64 ticks = (stamps[1] - stamps[0]) & vk->physical.timestamp_mask;
  *ns = (guint64) ((double) ticks * vk->physical.info.timestamp_ns);
  return *ns < MAX_SPAN_NS;
}
