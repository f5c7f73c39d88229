/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

#include <string.h>

#define STAGES (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)
#define ACCESSES                                                                         \
  (WRITES | VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_UNIFORM_READ_BIT                       \
      | VK_ACCESS_TRANSFER_READ_BIT)

/* The reading of groups by an indirect dispatch; only in barriers that are about it, for on some GPUs
 * it costs. */
#define GROUPS_STAGE  VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT
#define GROUPS_ACCESS VK_ACCESS_INDIRECT_COMMAND_READ_BIT
#define GROUPS_BYTES  12

static void
memory_barrier (SegCmd *cmd, VkPipelineStageFlags from, VkAccessFlags writes,
    VkPipelineStageFlags to, VkAccessFlags accesses)
{
  const VkMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = writes,
    .dstAccessMask = writes == 0 ? 0 : accesses,
  };
  vkCmdPipelineBarrier (cmd->buffer, from, to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

static void
forget (SegCmd *cmd)
{
  seg_hazards_clear (cmd->hazards);
  cmd->stages = 0;
  cmd->writes = 0;
  cmd->made_groups = FALSE;
}

/* Everything recorded so far before everything that comes: since what is tracked is forgotten,
 * the barrier has to cover all stages and writes since the last one. */
static void
full_barrier (SegCmd *cmd)
{
  if (cmd->made_groups)
    memory_barrier (
        cmd, cmd->stages, cmd->writes, STAGES | GROUPS_STAGE, ACCESSES | GROUPS_ACCESS);
  else
    memory_barrier (cmd, cmd->stages, cmd->writes, STAGES, ACCESSES);
  forget (cmd);
  cmd->n_barriers++;
}

/* Orders this submission after all earlier ones, whether they were waited for or not. Host
 * writes need nothing: a submission makes them visible. */
void
seg_record_start (SegCmd *cmd)
{
  memory_barrier (cmd, STAGES | GROUPS_STAGE, WRITES, STAGES | GROUPS_STAGE,
      ACCESSES | GROUPS_ACCESS);
  forget (cmd);
  cmd->host_reads = FALSE;
  cmd->bound = VK_NULL_HANDLE;
  cmd->n_dispatches = 0;
  cmd->n_barriers = 0;
  cmd->timer.n = 0;
}

void
seg_record_finish (SegCmd *cmd)
{
  if (cmd->host_reads)
    memory_barrier (
        cmd, STAGES, WRITES, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

/* Goes before a command: the barrier, if any, and the label. */
void
seg_record_begin (SegCmd *cmd, const SegAccess *accesses, guint n,
    VkPipelineStageFlags stage, const char *label)
{
  gboolean needed = seg_hazards_add (cmd->hazards, accesses, n);
  if (needed || (cmd->timed && cmd->stages != 0)) {
    full_barrier (cmd);
    seg_hazards_add (cmd->hazards, accesses, n);
  }
  cmd->stages |= stage;
  for (guint i = 0; i < n; i++)
    if (accesses[i].write) {
      const SegBuffer *buffer = accesses[i].memory;
      cmd->writes |= stage == VK_PIPELINE_STAGE_TRANSFER_BIT
                         ? VK_ACCESS_TRANSFER_WRITE_BIT
                         : VK_ACCESS_SHADER_WRITE_BIT;
      cmd->host_reads |= buffer->map != NULL;
    }
  if (cmd->vk->begin_label != NULL) {
    const VkDebugUtilsLabelEXT info = { VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT,
      .pLabelName = label };
    cmd->vk->begin_label (cmd->buffer, &info);
  }
}

gboolean
seg_record_end (SegCmd *cmd, GError **error)
{
  if (cmd->vk->end_label != NULL)
    cmd->vk->end_label (cmd->buffer);
  cmd->n_dispatches++;
  return !cmd->timed || seg_timer_stamp (&cmd->timer, cmd->vk, cmd->buffer, error);
}

/* A command that has nothing to do still has its place among the times. */
static gboolean
record_nothing (SegCmd *cmd, GError **error)
{
  cmd->n_dispatches++;
  return !cmd->timed || seg_timer_stamp (&cmd->timer, cmd->vk, cmd->buffer, error);
}

gboolean
seg_record_check (SegCmd *cmd, GError **error)
{
  if (!seg_vk_alive (cmd->vk, error))
    return FALSE;
  if (cmd->state == SEG_CMD_RECORDING)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "no recording has begun");
  return FALSE;
}

static gboolean
check_range (
    const SegVk *vk, const SegBuffer *buffer, gsize offset, gsize n_bytes, GError **error)
{
  if (buffer != NULL && buffer->vk == vk && offset <= buffer->n_bytes
      && n_bytes <= buffer->n_bytes - offset)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
      "bytes %" G_GSIZE_FORMAT " + %" G_GSIZE_FORMAT
      " are outside the buffer (%" G_GSIZE_FORMAT " bytes), or it is another device's",
      offset, n_bytes, buffer == NULL ? 0 : buffer->n_bytes);
  return FALSE;
}

gboolean
seg_dispatch_check (const SegVk *vk, const SegVkDispatch *d, GError **error)
{
  const SegDeviceInfo *info = &vk->physical.info;
  if (d->n_spec > SEG_VK_MAX_SPEC || d->n_views > SEG_VK_MAX_VIEWS
      || d->n_push > SEG_VK_MAX_PUSH / 4) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "%u specialisation constants, %u views, %u push constants: at most %d, %d, %d",
        d->n_spec, d->n_views, d->n_push, SEG_VK_MAX_SPEC, SEG_VK_MAX_VIEWS,
        SEG_VK_MAX_PUSH / 4);
    return FALSE;
  }
  for (guint i = 0; i < 3; i++)
    if (d->groups[i] > info->max_groups[i]) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
          "%u x %u x %u workgroups are more than the %u x %u x %u of %s", d->groups[0],
          d->groups[1], d->groups[2], info->max_groups[0], info->max_groups[1],
          info->max_groups[2], info->name);
      return FALSE;
    }
  for (guint i = 0; i < d->n_views; i++)
    if (!seg_view_check (vk, &d->views[i], error)) {
      g_prefix_error (error, "binding %u: ", i);
      return FALSE;
    }
  return d->live.buffer == NULL
         || check_range (vk, d->live.buffer, d->live.offset, GROUPS_BYTES, error);
}

static guint
list_accesses (const SegVkDispatch *d, SegAccess accesses[SEG_VK_MAX_VIEWS + 1])
{
  guint n = d->n_views;
  for (guint i = 0; i < n; i++) {
    const SegBufferView *view = &d->views[i];
    accesses[i] = (SegAccess){ view->buffer, view->offset, view->offset + view->n_bytes,
      seg_view_writes (view->kind) };
  }
  if (d->live.buffer != NULL)
    accesses[n++] = (SegAccess){ d->live.buffer, d->live.offset,
      d->live.offset + GROUPS_BYTES, FALSE };
  return n;
}

static gboolean
record_dispatch (SegCmd *cmd, const SegVkDispatch *d, GError **error)
{
  VkDescriptorSet set;
  SegAccess accesses[SEG_VK_MAX_VIEWS + 1];
  SegPipeline *pipeline = seg_pipelines_get (cmd->vk, d, error);
  if (pipeline == NULL)
    return FALSE;
  g_ptr_array_add (cmd->pipelines, pipeline);
  if (!seg_descriptors_write (&cmd->descriptors, cmd->vk, pipeline->set_layout, d->views,
          d->n_views, &set, error))
    return FALSE;
  seg_record_begin (cmd, accesses, list_accesses (d, accesses),
      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
      d->label != NULL ? d->label : d->shader->name);
  cmd->stages |= d->live.buffer != NULL ? GROUPS_STAGE : 0;
  cmd->made_groups |= d->makes_groups;
  if (cmd->bound != pipeline->handle)
    vkCmdBindPipeline (cmd->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
  cmd->bound = pipeline->handle;
  vkCmdBindDescriptorSets (
      cmd->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->layout, 0, 1, &set, 0, NULL);
  if (d->n_push > 0)
    vkCmdPushConstants (cmd->buffer, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
        4 * d->n_push, d->push);
  if (d->idle)
    vkCmdDispatch (cmd->buffer, 0, 0, 0);
  else if (d->live.buffer != NULL)
    vkCmdDispatchIndirect (cmd->buffer, d->live.buffer->handle, d->live.offset);
  else
    vkCmdDispatch (cmd->buffer, d->groups[0], d->groups[1], d->groups[2]);
  return seg_record_end (cmd, error);
}

gboolean
seg_cmd_dispatch (SegCmd *cmd, const SegVkDispatch *d, GError **error)
{
  if (!seg_record_check (cmd, error))
    return FALSE;
  if (seg_dispatch_is_empty (d))
    return record_nothing (cmd, error);
  if (seg_dispatch_check (cmd->vk, d, error) && record_dispatch (cmd, d, error))
    return TRUE;
  g_prefix_error (error, "shader %s: ", d->shader->name);
  if (d->label != NULL)
    g_prefix_error (error, "%s: ", d->label);
  return FALSE;
}

gboolean
seg_cmd_copy (SegCmd *cmd, SegBuffer *src, gsize src_offset, SegBuffer *dst,
    gsize dst_offset, gsize n_bytes, GError **error)
{
  if (!seg_record_check (cmd, error)
      || !check_range (cmd->vk, src, src_offset, n_bytes, error)
      || !check_range (cmd->vk, dst, dst_offset, n_bytes, error))
    return FALSE;
  if (n_bytes == 0)
    return record_nothing (cmd, error);
  if (src == dst && src_offset < dst_offset + n_bytes
      && dst_offset < src_offset + n_bytes) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a copy onto itself");
    return FALSE;
  }
  const SegAccess accesses[] = { { src, src_offset, src_offset + n_bytes, FALSE },
    { dst, dst_offset, dst_offset + n_bytes, TRUE } };
  const VkBufferCopy region = { src_offset, dst_offset, n_bytes };
  seg_record_begin (
      cmd, accesses, G_N_ELEMENTS (accesses), VK_PIPELINE_STAGE_TRANSFER_BIT, "copy");
  vkCmdCopyBuffer (cmd->buffer, src->handle, dst->handle, 1, &region);
  return seg_record_end (cmd, error);
}

gboolean
seg_cmd_fill (SegCmd *cmd, SegBuffer *dst, gsize offset, gsize n_bytes, guint32 word,
    GError **error)
{
  if (!seg_record_check (cmd, error)
      || !check_range (cmd->vk, dst, offset, n_bytes, error))
    return FALSE;
  if (offset % 4 != 0 || n_bytes % 4 != 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "bytes %" G_GSIZE_FORMAT " + %" G_GSIZE_FORMAT " to fill are not whole words",
        offset, n_bytes);
    return FALSE;
  }
  if (n_bytes == 0)
    return record_nothing (cmd, error);
  const SegAccess access = { dst, offset, offset + n_bytes, TRUE };
  seg_record_begin (cmd, &access, 1, VK_PIPELINE_STAGE_TRANSFER_BIT, "fill");
  vkCmdFillBuffer (cmd->buffer, dst->handle, offset, n_bytes, word);
  return seg_record_end (cmd, error);
}
