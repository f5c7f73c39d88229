/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

/* A GPU's driver gives up after some seconds itself; on the CPU a large network may well take
 * a minute. */
#define TIMEOUT_S     60
#define TIMEOUT_CPU_S 600

static gboolean
create_objects (SegCmd *cmd, GError **error)
{
  SegVk *vk = cmd->vk;
  const VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .queueFamilyIndex = vk->physical.queue_family,
  };
  if (!seg_vk_check (vk, vkCreateCommandPool (vk->device, &pool, NULL, &cmd->pool),
          "vkCreateCommandPool", error))
    return FALSE;
  const VkCommandBufferAllocateInfo buffer = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandPool = cmd->pool,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1,
  };
  const VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
  return seg_vk_check (vk, vkAllocateCommandBuffers (vk->device, &buffer, &cmd->buffer),
             "vkAllocateCommandBuffers", error)
         && seg_vk_check (vk, vkCreateFence (vk->device, &fence, NULL, &cmd->fence),
             "vkCreateFence", error);
}

SegCmd *
seg_cmd_new (SegVk *vk, gboolean timed, GError **error)
{
  if (!seg_vk_alive (vk, error))
    return NULL;
  if (timed && !vk->physical.info.timestamps) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE, "%s cannot measure times",
        vk->physical.info.name);
    return NULL;
  }
  SegCmd *cmd = g_new0 (SegCmd, 1);
  cmd->vk = seg_vk_ref (vk);
  cmd->timed = timed;
  cmd->hazards = seg_hazards_new ();
  seg_descriptors_init (&cmd->descriptors);
  cmd->pipelines = g_ptr_array_new ();
  seg_timer_init (&cmd->timer);
  if (!create_objects (cmd, error))
    seg_cmd_free (&cmd);
  return cmd;
}

/* Nothing that was recorded is to run again. */
static void
give_back_pipelines (SegCmd *cmd)
{
  GPtrArray *p = cmd->pipelines;
  seg_pipelines_give_back (cmd->vk, (SegPipeline **) p->pdata, p->len);
  g_ptr_array_set_size (p, 0);
}

static void
destroy_objects (SegCmd *cmd)
{
  SegVk *vk = cmd->vk;
  seg_descriptors_clear (&cmd->descriptors, vk);
  seg_timer_clear (&cmd->timer, vk);
  vkDestroyFence (vk->device, cmd->fence, NULL);
  vkDestroyCommandPool (vk->device, cmd->pool, NULL);
  give_back_pipelines (cmd);
}

VkResult
seg_fence_wait (SegVk *vk, VkFence fence, guint runs, GError **error)
{
  guint each = vk->physical.info.type == SEG_DEVICE_CPU ? TIMEOUT_CPU_S : TIMEOUT_S;
  guint64 seconds = (guint64) each * runs;
  if (g_atomic_int_get (&vk->state) == SEG_VK_HUNG) {
    seg_vk_alive (vk, error);
    return VK_TIMEOUT;
  }
  VkResult result =
      vkWaitForFences (vk->device, 1, &fence, VK_TRUE, seconds * 1000000000);
  if (result == VK_TIMEOUT) {
    g_atomic_int_set (&vk->state, SEG_VK_HUNG);
    g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
        "device lost: %s has not answered for %" G_GUINT64_FORMAT " s",
        vk->physical.info.name, seconds);
  } else if (seg_vk_check (vk, result, "vkWaitForFences", error)
             && !seg_vk_alive (vk, error)) {
    /* Lost in another call: the work is over, which is all that is known of it. */
    result = VK_ERROR_DEVICE_LOST;
  }
  return result;
}

gboolean
seg_vk_settle (SegVk *vk)
{
  if (g_atomic_int_get (&vk->state) == SEG_VK_HUNG)
    return FALSE;
  seg_vk_lock_queue (vk);
  VkResult result = vkQueueWaitIdle (vk->queue);
  seg_vk_unlock_queue (vk);
  gboolean over = seg_vk_check (vk, result, "vkQueueWaitIdle", NULL)
                  || result == VK_ERROR_DEVICE_LOST;
  if (!over)
    g_atomic_int_set (&vk->state, SEG_VK_HUNG);
  return over;
}

static gboolean
wait_fence (SegCmd *cmd, GError **error)
{
  VkResult result = seg_fence_wait (cmd->vk, cmd->fence, cmd->n_pending, error);
  if (result == VK_SUCCESS)
    cmd->state = SEG_CMD_DONE;
  else if (result == VK_ERROR_DEVICE_LOST) /* it executes nothing any more */
    cmd->state = SEG_CMD_READY;
  return result == VK_SUCCESS;
}

gboolean
seg_cmd_settle (SegCmd *cmd)
{
  if (cmd->state != SEG_CMD_PENDING)
    return g_atomic_int_get (&cmd->vk->state) != SEG_VK_HUNG;
  wait_fence (cmd, NULL);
  if (cmd->state == SEG_CMD_PENDING && seg_vk_settle (cmd->vk))
    cmd->state = SEG_CMD_READY;
  return cmd->state != SEG_CMD_PENDING;
}

void
seg_cmd_free (SegCmd **cmd)
{
  SegCmd *c = *cmd;
  *cmd = NULL;
  if (c == NULL)
    return;
  seg_cmd_settle (c);
  if (g_atomic_int_get (&c->vk->state) != SEG_VK_HUNG)
    destroy_objects (c);
  g_ptr_array_unref (c->pipelines);
  seg_hazards_free (c->hazards);
  seg_vk_unref (c->vk);
  g_free (c);
}

gboolean
seg_cmd_begin (SegCmd *cmd, GError **error)
{
  SegVk *vk = cmd->vk;
  if (!seg_vk_alive (vk, error)
      || (cmd->state == SEG_CMD_PENDING && !seg_cmd_wait (cmd, error)))
    return FALSE;
  cmd->state = SEG_CMD_EMPTY;
  const VkCommandBufferBeginInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT, /* seg_cmd_submit_times */
  };
  if (!seg_vk_check (
          vk, vkResetCommandPool (vk->device, cmd->pool, 0), "vkResetCommandPool", error))
    return FALSE;
  give_back_pipelines (cmd);
  seg_descriptors_reset (&cmd->descriptors, vk);
  if (!seg_vk_check (
          vk, vkBeginCommandBuffer (cmd->buffer, &info), "vkBeginCommandBuffer", error))
    return FALSE;
  cmd->state = SEG_CMD_RECORDING;
  seg_record_start (cmd);
  return !(cmd->timed || cmd->ends)
         || seg_timer_stamp (&cmd->timer, vk, cmd->buffer, error);
}

static gboolean
check_state (SegCmd *cmd, SegCmdState state, const char *wrong, GError **error)
{
  if (!seg_vk_alive (cmd->vk, error))
    return FALSE;
  if (cmd->state == state)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s", wrong);
  return FALSE;
}

gboolean
seg_cmd_end (SegCmd *cmd, GError **error)
{
  if (!check_state (cmd, SEG_CMD_RECORDING, "no recording has begun", error))
    return FALSE;
  seg_record_finish (cmd);
  cmd->state = SEG_CMD_EMPTY;
  if (cmd->ends && !seg_timer_stamp (&cmd->timer, cmd->vk, cmd->buffer, error))
    return FALSE;
  if (!seg_vk_check (
          cmd->vk, vkEndCommandBuffer (cmd->buffer), "vkEndCommandBuffer", error))
    return FALSE;
  cmd->state = SEG_CMD_READY;
  return TRUE;
}

/* A submission for each time, so that drivers need not take all of them for one long job; what
 * is many goes in several calls. */
#define MAX_BATCH 64

/* With the timelines of images that it copies from or to. */
static VkResult
submit_between (SegCmd *cmd)
{
  VkSemaphore semaphores[SEG_MAX_TIMELINES];
  VkPipelineStageFlags stages[SEG_MAX_TIMELINES];
  guint64 waits[SEG_MAX_TIMELINES], signals[SEG_MAX_TIMELINES];
  for (guint i = 0; i < cmd->n_points; i++) {
    semaphores[i] = cmd->points[i].semaphore;
    stages[i] = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    waits[i] = cmd->points[i].wait;
    signals[i] = cmd->points[i].signal;
  }
  const VkTimelineSemaphoreSubmitInfo timelines = {
    .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
    .waitSemaphoreValueCount = cmd->n_points,
    .pWaitSemaphoreValues = waits,
    .signalSemaphoreValueCount = cmd->n_points,
    .pSignalSemaphoreValues = signals,
  };
  const VkSubmitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .pNext = &timelines,
    .waitSemaphoreCount = cmd->n_points,
    .pWaitSemaphores = semaphores,
    .pWaitDstStageMask = stages,
    .commandBufferCount = 1,
    .pCommandBuffers = &cmd->buffer,
    .signalSemaphoreCount = cmd->n_points,
    .pSignalSemaphores = semaphores,
  };
  cmd->n_points = 0;
  return vkQueueSubmit (cmd->vk->queue, 1, &info, cmd->fence);
}

static VkResult
submit_locked (SegCmd *cmd, guint n)
{
  if (cmd->n_points > 0)
    return submit_between (cmd);
  VkSubmitInfo infos[MAX_BATCH];
  for (guint i = 0; i < MIN (n, MAX_BATCH); i++)
    infos[i] = (VkSubmitInfo){
      .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
      .commandBufferCount = 1,
      .pCommandBuffers = &cmd->buffer,
    };
  VkResult result = VK_SUCCESS;
  for (; n > MAX_BATCH && result == VK_SUCCESS; n -= MAX_BATCH)
    result = vkQueueSubmit (cmd->vk->queue, MAX_BATCH, infos, VK_NULL_HANDLE);
  return result != VK_SUCCESS ? result
                              : vkQueueSubmit (cmd->vk->queue, n, infos, cmd->fence);
}

gboolean
seg_cmd_submit_times (SegCmd *cmd, guint n, GError **error)
{
  SegVk *vk = cmd->vk;
  SegCmdState ready = cmd->state == SEG_CMD_DONE ? SEG_CMD_DONE : SEG_CMD_READY;
  if (!check_state (cmd, ready,
          "nothing recorded to submit, or still running: wait for it first", error))
    return FALSE;
  if (n == 0 || (n > 1 && cmd->timed)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "a recording runs at least once, one that is timed just once");
    return FALSE;
  }
  if (!seg_vk_check (
          vk, vkResetFences (vk->device, 1, &cmd->fence), "vkResetFences", error))
    return FALSE;
  seg_vk_lock_queue (vk);
  VkResult result = submit_locked (cmd, n);
  seg_vk_unlock_queue (vk);
  if (!seg_vk_check (vk, result, "vkQueueSubmit", error)) {
    /* Any other failure promises that the call itself has handed nothing over. */
    if (n > MAX_BATCH || result == VK_ERROR_DEVICE_LOST)
      seg_vk_settle (vk);
    return FALSE;
  }
  cmd->n_pending = n;
  cmd->state = SEG_CMD_PENDING;
  return TRUE;
}

gboolean
seg_cmd_submit (SegCmd *cmd, GError **error)
{
  return seg_cmd_submit_times (cmd, 1, error);
}

gboolean
seg_cmd_wait (SegCmd *cmd, GError **error)
{
  /* Of a lost device too: until then it uses what the recording does. */
  if (cmd->state == SEG_CMD_PENDING)
    return wait_fence (cmd, error);
  return check_state (cmd, SEG_CMD_PENDING, "nothing was submitted to wait for", error);
}

gboolean
seg_cmd_run (SegCmd *cmd, GError **error)
{
  if (seg_cmd_submit (cmd, error) && seg_cmd_wait (cmd, error))
    return TRUE;
  seg_cmd_settle (cmd);
  return FALSE;
}

guint
seg_cmd_n_dispatches (const SegCmd *cmd)
{
  return cmd->n_dispatches;
}

guint
seg_cmd_n_barriers (const SegCmd *cmd)
{
  return cmd->n_barriers;
}

gboolean
seg_cmd_times (SegCmd *cmd, guint64 *ns, guint n, GError **error)
{
  if (!check_state (cmd, SEG_CMD_DONE, "times are there after a wait", error))
    return FALSE;
  if (!cmd->timed) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_INPUT, "times of a recording that is not timed");
    return FALSE;
  }
  return seg_timer_read (&cmd->timer, cmd->vk, ns, n, error);
}

void
seg_cmd_stamp_ends (SegCmd *cmd)
{
  cmd->ends = cmd->vk->physical.info.timestamps && !cmd->timed;
}

gboolean
seg_cmd_span (const SegCmd *cmd, guint64 *ns)
{
  return cmd->ends && seg_timer_span (&cmd->timer, cmd->vk, ns);
}
