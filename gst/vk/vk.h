/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"
#include "vk/device-info.h"
#include "vk/shader.h"

G_BEGIN_DECLS

/* Vulkan, as far as compute on buffers needs it. Knows no network and no video.
 * Errors: SEG_ERROR_DEVICE (none, not fit, lost), SEG_ERROR_MEMORY (out of memory or past a
 * limit). After a lost device every call fails with "device lost"; make a new SegVk.
 * Vulkan 1.1 is the floor. */

/* --- device (thread-safe) ---------------------------------------------------------------- */

typedef struct _SegVk SegVk;

typedef struct {
  const char *device;    /* NULL: the best (discrete, integrated, virtual, CPU); a number: the
                          * index; otherwise a part of the name, ignoring case */
  const char *cache_dir; /* where the pipeline cache is kept; NULL: nowhere */
  gboolean validate;     /* validation layer with synchronisation validation; each message is
                          * counted and logged with g_critical. Also by VKSEG_VALIDATE=1 */
} SegVkOptions;

/* All devices, best first; newly allocated array of n. None is an error that says which
 * package brings a driver. */
SegDeviceInfo *seg_vk_list (guint *n, GError **error);

SegVk *seg_vk_new (const SegVkOptions *options, GError **error);
SegVk *seg_vk_ref (SegVk *vk);
/* Waits for the device to be idle and writes the pipeline cache with the last reference. */
void seg_vk_unref (SegVk *vk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegVk, seg_vk_unref)
const SegDeviceInfo *seg_vk_info (const SegVk *vk);
/* Messages from the validation layer so far, of all devices of this process. */
guint seg_vk_validation_messages (void);

/* --- buffers (a buffer may be used from any thread, one at a time) ----------------------- */

typedef enum {
  SEG_BUFFER_DEVICE,   /* device-local; map is NULL */
  SEG_BUFFER_UPLOAD,   /* host-visible and coherent, for writing */
  SEG_BUFFER_READBACK, /* host-visible and coherent, cached where there is such memory */
} SegBufferUse;

typedef struct _SegBuffer SegBuffer;

/* Contents are undefined. 0 bytes is an error. */
SegBuffer *seg_buffer_new (SegVk *vk, gsize n_bytes, SegBufferUse use, GError **error);
void seg_buffer_free (SegBuffer **buffer); /* and clears it; the device must be done with it */
gpointer seg_buffer_map (const SegBuffer *buffer); /* mapped for life; NULL for DEVICE */
gsize seg_buffer_bytes (const SegBuffer *buffer);

/* --- pipelines ------------------------------------------------------------------------------ */

typedef enum {
  SEG_VIEW_STORAGE_READ, /* storage buffer */
  SEG_VIEW_STORAGE_WRITE,
  SEG_VIEW_STORAGE_READ_WRITE,
  SEG_VIEW_UNIFORM,      /* uniform buffer */
  SEG_VIEW_TEXEL_F32X4,  /* uniform texel buffers: RGBA32_SFLOAT, ... */
  SEG_VIEW_TEXEL_F16X4,
  SEG_VIEW_TEXEL_I32X4,
  SEG_VIEW_TEXEL_U32X4,
  SEG_VIEW_TEXEL_U16X4,
  SEG_VIEW_TEXEL_U8X1,   /* R8_UINT */
  SEG_VIEW_TEXEL_U8X4,   /* RGBA8_UINT */
  SEG_VIEW_TEXEL_U16X1,  /* R16_UINT */
} SegViewKind;

/* Bytes [offset, offset + n_bytes) of a buffer as a shader sees them. offset is a multiple of
 * the device's buffer_align. */
typedef struct {
  SegBuffer *buffer;
  gsize offset, n_bytes;
  SegViewKind kind;
} SegBufferView;

#define SEG_VK_MAX_SPEC  16
#define SEG_VK_MAX_VIEWS 12
#define SEG_VK_MAX_PUSH  128

typedef struct {
  const SegShader *shader;
  const guint32 *spec; /* specialisation constants 0 .. n_spec-1 */
  guint n_spec;
  const SegBufferView *views; /* bindings 0 .. n_views-1 of set 0 */
  guint n_views;
  const guint32 *push;
  guint n_push; /* words */
  guint32 groups[3];
  const char *label; /* for timing and debug utils; static or outliving the recording */
} SegVkDispatch;

/* --- recording (one thread at a time) ---------------------------------------------------------
 * A command buffer that is recorded once and submitted many times. Barriers go in where a
 * dispatch or copy touches bytes that one since the last barrier wrote (or reads them before
 * they are written over), and nowhere else. Pipelines are made on recording, from the cache
 * when they have been made before. Buffers must outlive the recording. */

typedef struct _SegCmd SegCmd;

/* timed: a timestamp around each dispatch and copy (slower: needs a barrier each). */
SegCmd *seg_cmd_new (SegVk *vk, gboolean timed, GError **error);
void seg_cmd_free (SegCmd **cmd); /* waits if it is still running */
gboolean seg_cmd_begin (SegCmd *cmd, GError **error); /* drops what was recorded */
gboolean seg_cmd_dispatch (SegCmd *cmd, const SegVkDispatch *d, GError **error);
gboolean seg_cmd_copy (SegCmd *cmd, SegBuffer *src, gsize src_offset, SegBuffer *dst,
    gsize dst_offset, gsize n_bytes, GError **error);
/* Ends the recording, with what the host needs to read READBACK buffers after the wait and
 * what makes host writes to UPLOAD buffers visible. */
gboolean seg_cmd_end (SegCmd *cmd, GError **error);

gboolean seg_cmd_submit (SegCmd *cmd, GError **error); /* thread-safe across cmds */
/* Waits for the last submission. A wait of more than 60 s means a hung device. */
gboolean seg_cmd_wait (SegCmd *cmd, GError **error);

guint seg_cmd_n_dispatches (const SegCmd *cmd);
guint seg_cmd_n_barriers (const SegCmd *cmd);
/* After a wait, when timed: nanoseconds of each dispatch or copy, in the order recorded. */
gboolean seg_cmd_times (SegCmd *cmd, guint64 *ns, guint n, GError **error);

G_END_DECLS
