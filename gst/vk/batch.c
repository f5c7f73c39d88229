/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

struct _SegBatch {
  SegVk *vk;
  VkFence fence;
  gboolean used;    /* the fence has been handed over, and is to be reset */
  gboolean pending; /* the fence is on its way */
  guint n_runs;     /* recordings handed over since the last wait */
};

SegBatch *
seg_batch_new (SegVk *vk, GError **error)
{
  const VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
  if (!seg_vk_alive (vk, error))
    return NULL;
  SegBatch *batch = g_new0 (SegBatch, 1);
  batch->vk = seg_vk_ref (vk);
  if (!seg_vk_check (vk, vkCreateFence (vk->device, &info, NULL, &batch->fence),
          "vkCreateFence", error))
    seg_batch_free (&batch);
  return batch;
}

static gboolean
hand_over (SegBatch *batch, const VkSubmitInfo *info, gboolean last, GError **error)
{
  SegVk *vk = batch->vk;
  if (last && batch->used
      && !seg_vk_check (
          vk, vkResetFences (vk->device, 1, &batch->fence), "vkResetFences", error))
    return FALSE;
  seg_vk_lock_queue (vk);
  VkResult result = vkQueueSubmit (
      vk->queue, info != NULL ? 1 : 0, info, last ? batch->fence : VK_NULL_HANDLE);
  seg_vk_unlock_queue (vk);
  if (!seg_vk_check (vk, result, "vkQueueSubmit", error)) {
    if (result == VK_ERROR_DEVICE_LOST) /* it may have been handed over */
      seg_vk_settle (vk);
    return FALSE;
  }
  batch->pending = last;
  batch->used = batch->used || last;
  return TRUE;
}

gboolean
seg_batch_submit (
    SegBatch *batch, SegCmd *const *cmds, guint n, gboolean last, GError **error)
{
  VkCommandBuffer buffers[SEG_BATCH_MAX];
  const char *wrong = batch->pending      ? "wait for the batch first"
                      : n == 0            ? "a batch of nothing"
                      : n > SEG_BATCH_MAX ? "too many recordings for a submission"
                                          : NULL;
  if (!seg_vk_alive (batch->vk, error))
    return FALSE;
  for (guint i = 0; i < n && wrong == NULL; i++) {
    if (cmds[i]->state != SEG_CMD_READY && cmds[i]->state != SEG_CMD_DONE)
      wrong = "nothing recorded to submit";
    buffers[i] = cmds[i]->buffer;
  }
  if (wrong != NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s", wrong);
    return FALSE;
  }
  const VkSubmitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .commandBufferCount = n,
    .pCommandBuffers = buffers,
  };
  if (!hand_over (batch, &info, last, error))
    return FALSE;
  batch->n_runs += n;
  for (guint i = 0; i < n; i++)
    cmds[i]->state = SEG_CMD_DONE;
  return TRUE;
}

gboolean
seg_batch_wait (SegBatch *batch, GError **error)
{
  if (!batch->pending)
    return seg_vk_alive (batch->vk, error);
  VkResult result = seg_fence_wait (batch->vk, batch->fence, batch->n_runs, error);
  if (result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST)
    batch->pending = FALSE;
  if (!batch->pending)
    batch->n_runs = 0;
  return result == VK_SUCCESS;
}

void
seg_batch_close (SegBatch *batch, guint n_runs)
{
  if (batch->pending || g_atomic_int_get (&batch->vk->state) == SEG_VK_HUNG)
    return;
  if (hand_over (batch, NULL, TRUE, NULL)) {
    batch->n_runs = MAX (batch->n_runs, n_runs);
  } else {
    seg_vk_settle (batch->vk);
    batch->n_runs = 0;
  }
}

void
seg_batch_settle (SegBatch *batch)
{
  /* After a submission that failed there is no fence behind those before it. */
  if (batch->n_runs > 0)
    seg_batch_close (batch, batch->n_runs);
  if (batch->pending)
    seg_batch_wait (batch, NULL);
  if (batch->pending && seg_vk_settle (batch->vk)) {
    batch->pending = FALSE;
    batch->n_runs = 0;
  }
}

void
seg_batch_free (SegBatch **pbatch)
{
  SegBatch *batch = *pbatch;
  *pbatch = NULL;
  if (batch == NULL)
    return;
  seg_batch_settle (batch);
  if (g_atomic_int_get (&batch->vk->state) != SEG_VK_HUNG)
    vkDestroyFence (batch->vk->device, batch->fence, NULL);
  seg_vk_unref (batch->vk);
  g_free (batch);
}
