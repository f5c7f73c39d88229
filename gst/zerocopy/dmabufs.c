/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/plane.h"
#include "vk/import.h"
#include "zerocopy/dmabuf.h"
#include "zerocopy/tiling.h"

#include <gst/allocators/gstdmabuf.h>

#include <errno.h>
#include <poll.h>

GST_DEBUG_CATEGORY_STATIC (dmabuf_debug);
#define GST_CAT_DEFAULT dmabuf_debug

/* --- what was imported ------------------------------------------------------------------------------ */

/* Held by the list of imports, and by the memory for its end, which may come in any thread. */
typedef struct {
  gint ref_count;
  gpointer memory;  /* atomic; NULL once it is gone */
  SegTiling tiling; /* 0: it is not tiled */
  GMutex lock;
  SegBuffer *buffer; /* lock; NULL: the device cannot, or either holder is gone */
  SegTiled *tiled;   /* lock; instead */
  GError *why;       /* the device cannot */
} Import;

static void
drop_import (Import *import)
{
  g_mutex_lock (&import->lock);
  seg_buffer_free (&import->buffer);
  seg_tiled_free (&import->tiled);
  g_mutex_unlock (&import->lock);
  if (!g_atomic_int_dec_and_test (&import->ref_count))
    return;
  g_mutex_clear (&import->lock);
  g_clear_error (&import->why);
  g_free (import);
}

/* No slot uses it, since slots hold the memory. */
static void
memory_is_gone (gpointer data, GstMiniObject *memory)
{
  Import *import = data;
  g_atomic_pointer_set (&import->memory, NULL);
  drop_import (import);
}

typedef struct {
  SegCmd *cmd;
  SegPlane planes[SEG_MAX_PLANES];
  const SegTiled *tiled;               /* instead of planes, or NULL */
  GstMemory *memories[SEG_MAX_PLANES]; /* that it may still use */
  guint n_memories;                    /* of each plane, or of all */
} Slot;

struct _SegDmabufs {
  SegVk *vk;
  GMutex lock;        /* for what follows */
  GPtrArray *imports; /* a handful: as many as upstream has buffers, times planes */
  enum { NO_WAY, IMPORTED, MAPPED } way; /* that the last frame went, as it was logged */
  guint n_slots;
  Slot slots[];
};

SegDmabufs *
seg_dmabufs_new (SegVk *vk, guint n_slots)
{
  static gsize once = 0;
  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        dmabuf_debug, "vkseg-zerocopy", 0, "vkseg: frames in the memory of devices");
    g_once_init_leave (&once, 1);
  }
  SegDmabufs *self = g_malloc0 (sizeof (SegDmabufs) + n_slots * sizeof (Slot));
  self->vk = seg_vk_ref (vk);
  self->imports = g_ptr_array_new ();
  self->n_slots = n_slots;
  g_mutex_init (&self->lock);
  return self;
}

void
seg_dmabufs_free (SegDmabufs **dmabufs)
{
  SegDmabufs *self = *dmabufs;
  *dmabufs = NULL;
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_slots; i++) {
    seg_dmabufs_release (self, i);
    seg_cmd_free (&self->slots[i].cmd);
  }
  for (guint i = 0; i < self->imports->len; i++)
    drop_import (self->imports->pdata[i]);
  g_ptr_array_unref (self->imports);
  seg_vk_unref (self->vk);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* What the device does not say of the memory itself may be otherwise the next time: that matters where frames
 * cannot be mapped instead. */
static gboolean
is_final (const GError *why, const SegTiling *tiling)
{
  return tiling->n_planes == 0 || g_error_matches (why, SEG_ERROR, SEG_ERROR_UNSUPPORTED)
         || g_error_matches (why, SEG_ERROR, SEG_ERROR_INPUT);
}

/* Adds it to the list, with why the device cannot have it. NULL: it failed at something else. */
static Import *
import_memory (
    SegDmabufs *self, GstMemory *memory, const SegTiling *tiling, GError **error)
{
  int fd = gst_dmabuf_memory_get_fd (memory);
  g_autoptr (GError) why = NULL;
  SegTiled *tiled = NULL;
  SegBuffer *buffer = NULL;
  if (tiling->n_planes > 0)
    tiled = seg_tiled_import (self->vk, fd, tiling, &why);
  else
    buffer = seg_buffer_import (self->vk, fd, &why);
  GST_DEBUG ("memory %p: %s", (gpointer) memory, why == NULL ? "imported" : why->message);
  if (why != NULL && !is_final (why, tiling)) {
    g_propagate_error (error, g_steal_pointer (&why));
    return NULL;
  }
  Import *import = g_new0 (Import, 1);
  *import = (Import){ .ref_count = 2,
    .memory = memory,
    .tiling = *tiling,
    .buffer = buffer,
    .tiled = tiled,
    .why = g_steal_pointer (&why) };
  g_mutex_init (&import->lock);
  gst_mini_object_weak_ref (GST_MINI_OBJECT (memory), memory_is_gone, import);
  g_ptr_array_add (self->imports, import);
  return import;
}

static gboolean
is_same (const SegTiling *a, const SegTiling *b)
{
  gboolean same = a->format == b->format && a->width == b->width && a->height == b->height
                  && a->modifier == b->modifier && a->n_planes == b->n_planes;
  for (guint p = 0; p < a->n_planes && same; p++)
    same = a->planes[p].offset == b->planes[p].offset
           && a->planes[p].pitch == b->planes[p].pitch;
  return same;
}

/* Of one memory: some decoders have all their frames in one. */
#define MAX_TILINGS 64

/* That of the memory, if there is one; those of memories that are gone go. */
static Import *
find_import (
    SegDmabufs *self, GstMemory *memory, const SegTiling *tiling, guint *n_others)
{
  *n_others = 0;
  for (guint i = 0; i < self->imports->len;) {
    Import *import = self->imports->pdata[i];
    gpointer of = g_atomic_pointer_get (&import->memory);
    if (of == memory && is_same (&import->tiling, tiling))
      return import;
    *n_others += of == memory;
    if (of == NULL)
      drop_import (g_ptr_array_remove_index_fast (self->imports, i));
    else
      i++;
  }
  return NULL;
}

/* Makes it when it comes for the first time. NULL: the device cannot. */
static const Import *
get_import (SegDmabufs *self, GstMemory *memory, const SegTiling *tiling, GError **error)
{
  guint n_others;
  const Import *import = find_import (self, memory, tiling, &n_others);
  if (import == NULL && n_others >= MAX_TILINGS) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "tiled frames at more than %d places of one dma-buf", MAX_TILINGS);
    return NULL;
  }
  if (import == NULL)
    import = import_memory (self, memory, tiling, error);
  if (import == NULL || import->why == NULL)
    return import;
  g_propagate_error (error, g_error_copy (import->why));
  return NULL;
}

/* Of which this is a part: a part's offset counts from there. */
static GstMemory *
whole (GstMemory *memory)
{
  while (memory->parent != NULL)
    memory = memory->parent;
  return memory;
}

static gboolean
import_plane (SegDmabufs *self, Slot *slot, const SegDmaPlane *plane,
    const SegFrame *frame, guint p, GError **error)
{
  static const SegTiling none = { 0 };
  gsize offset = plane->skip + plane->memory->offset;
  const Import *import = get_import (self, whole (plane->memory), &none, error);
  if (import == NULL)
    return FALSE;
  slot->planes[p] = (SegPlane){ import->buffer, offset, (gsize) plane->stride };
  slot->memories[p] = plane->memory;
  return seg_plane_check (self->vk, &slot->planes[p], frame, p, error);
}

/* --- frames ------------------------------------------------------------------------------------------ */

/* The driver tells, once: it is not asked again for each frame. */
static gboolean
can_import (SegDmabufs *self)
{
  const SegDeviceInfo *info = seg_vk_info (self->vk);
  if (!info->dmabuf && self->way == NO_WAY) {
    self->way = MAPPED;
    GST_INFO ("frames in dma-bufs are mapped and copied by the CPU: %s does not import "
              "them (no VK_EXT_external_memory_dma_buf is enabled)",
        info->name);
  }
  return info->dmabuf;
}

static void
log_way (SegDmabufs *self, const GError *why)
{
  if (self->way == (why == NULL ? IMPORTED : MAPPED))
    return;
  self->way = why == NULL ? IMPORTED : MAPPED;
  if (why == NULL)
    GST_INFO (
        "frames in dma-bufs are imported: %s reads them", seg_vk_info (self->vk)->name);
  else
    GST_INFO ("frames in dma-bufs are mapped and copied by the CPU: %s", why->message);
}

gboolean
seg_dmabufs_import (SegDmabufs *self, guint n, const SegDmaPlane planes[SEG_MAX_PLANES],
    const SegFrame *frame)
{
  g_autoptr (GError) error = NULL;
  Slot *slot = &self->slots[n];
  gboolean ok = TRUE;
  seg_dmabufs_release (self, n);
  guint n_planes = seg_format_info (frame->format)->n_planes;
  g_mutex_lock (&self->lock);
  if (!can_import (self)) {
    g_mutex_unlock (&self->lock);
    return FALSE;
  }
  for (guint p = 0; p < n_planes && ok; p++)
    ok = import_plane (self, slot, &planes[p], frame, p, &error);
  log_way (self, error);
  g_mutex_unlock (&self->lock);
  for (guint p = 0; p < n_planes && ok; p++)
    gst_memory_ref (slot->memories[p]);
  slot->n_memories = ok ? n_planes : 0;
  return ok;
}

gboolean
seg_dmabufs_find_tiled (SegDmabufs *self, GstBuffer *buffer, const GstVideoInfo *info,
    guint64 modifier, const SegFrame *frame, SegTiledFrame *found, GError **error)
{
  SegTiling tiling;
  GstMemory *memory;
  if (!seg_buffer_is_dmabuf (buffer)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "a frame in host memory, where caps say that it is in tiled dma-bufs");
    return FALSE;
  }
  if (!seg_tiling_find (buffer, info, frame, modifier, &tiling, &memory, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  const Import *import = get_import (self, whole (memory), &tiling, error);
  if (import != NULL) {
    *found = (SegTiledFrame){ import->tiled, memory };
    log_way (self, NULL);
  }
  g_mutex_unlock (&self->lock);
  return import != NULL;
}

void
seg_dmabufs_use_tiled (SegDmabufs *self, guint n, const SegTiledFrame *tiled)
{
  Slot *slot = &self->slots[n];
  seg_dmabufs_release (self, n);
  slot->tiled = tiled->image;
  slot->memories[0] = gst_memory_ref (tiled->memory);
  slot->n_memories = 1;
}

/* Buffers of several planes may be one. */
static gboolean
hand_over (Slot *slot, gboolean to_us, GError **error)
{
  for (guint p = 0; p < slot->n_memories; p++) {
    guint q = 0;
    while (slot->planes[q].buffer != slot->planes[p].buffer)
      q++;
    if (q == p
        && !(to_us ? seg_cmd_acquire : seg_cmd_release) (
            slot->cmd, slot->planes[p].buffer, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
record_planes (Slot *slot, const SegFrame *frame, const SegPiece *at, GError **error)
{
  if (!hand_over (slot, TRUE, error))
    return FALSE;
  for (guint p = 0; p < slot->n_memories; p++)
    if (!seg_plane_record (slot->cmd, &slot->planes[p], frame, p, at, error))
      return FALSE;
  return hand_over (slot, FALSE, error);
}

static gboolean
record_tiled (Slot *slot, const SegFrame *frame, const SegPiece *at, GError **error)
{
  const SegImage *image = seg_tiled_image (slot->tiled);
  if (!seg_cmd_acquire_tiled (slot->cmd, slot->tiled, error))
    return FALSE;
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++) {
    const SegImagePlane plane = seg_image_plane (frame, at, p, TRUE);
    if (!seg_cmd_from_image (slot->cmd, image, &plane, at->buffer, error))
      return FALSE;
  }
  return seg_cmd_release_tiled (slot->cmd, slot->tiled, error);
}

static gboolean
record (Slot *slot, const SegFrame *frame, const SegPiece *at, GError **error)
{
  return seg_cmd_begin (slot->cmd, error)
         && (slot->tiled != NULL ? record_tiled (slot, frame, at, error)
                                 : record_planes (slot, frame, at, error))
         && seg_cmd_end (slot->cmd, error);
}

/* Of a driver that has put a frame's buffer on its way before it is written: readable means done. */
#define WRITTEN_WITHIN_MS 2000

/* As poll does, but a signal does not end it. */
static int
poll_until (struct pollfd *fd, gint64 end)
{
  int n;
  do {
    gint64 us = MAX (0, end - g_get_monotonic_time ());
    n = poll (fd, 1, (int) ((us + 999) / 1000));
  } while (n < 0 && errno == EINTR);
  return n;
}

gboolean
seg_dmabufs_wait_written (const int *fds, guint n_fds, guint ms, GError **error)
{
  gint64 end = g_get_monotonic_time () + (gint64) ms * 1000;
  for (guint i = 0; i < n_fds; i++) {
    struct pollfd fd = { fds[i], POLLIN, 0 };
    int n = poll_until (&fd, end);
    if (n > 0 && (fd.revents & POLLNVAL) == 0)
      continue;
    if (n == 0)
      g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
          "a frame in dma-bufs that is still being written after %u ms", ms);
    else
      g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
          "a frame in dma-bufs that cannot be waited for: %s",
          g_strerror (n < 0 ? errno : EBADF));
    return FALSE;
  }
  return TRUE;
}

static gboolean
wait_for_writers (const Slot *slot, GError **error)
{
  int fds[SEG_MAX_PLANES];
  for (guint p = 0; p < slot->n_memories; p++)
    fds[p] = gst_dmabuf_memory_get_fd (slot->memories[p]);
  return seg_dmabufs_wait_written (fds, slot->n_memories, WRITTEN_WITHIN_MS, error);
}

gboolean
seg_dmabufs_load (
    SegDmabufs *self, guint n, const SegFrame *frame, const SegPiece *at, GError **error)
{
  Slot *slot = &self->slots[n];
  if (slot->cmd == NULL)
    slot->cmd = seg_cmd_new (self->vk, FALSE, error);
  return slot->cmd != NULL && record (slot, frame, at, error)
         && wait_for_writers (slot, error) && seg_cmd_submit (slot->cmd, error);
}

/* Waits for the slot's fence, which is there by then. By a hung device the memories are kept. */
void
seg_dmabufs_release (SegDmabufs *self, guint n)
{
  Slot *slot = &self->slots[n];
  if (slot->cmd != NULL && !seg_cmd_settle (slot->cmd))
    return;
  for (guint p = 0; p < slot->n_memories; p++)
    gst_memory_unref (slot->memories[p]);
  slot->n_memories = 0;
  slot->tiled = NULL;
}
