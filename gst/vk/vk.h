/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"
#include "vk/device-info.h"
#include "vk/shader.h"

G_BEGIN_DECLS

/* Vulkan, as far as compute on buffers needs it. Knows no network and no video.
 * Errors: SEG_ERROR_DEVICE (none, not fit, lost), SEG_ERROR_MEMORY (out of memory or past a
 * limit), SEG_ERROR_INPUT (the caller's mistake, such as a view outside its buffer).
 * After a lost device every call fails with "device lost"; make a new SegVk.
 * Vulkan 1.1 is the floor. */

/* --- device (thread-safe) ---------------------------------------------------------------- */

typedef struct _SegVk SegVk;

typedef struct {
  /* NULL: the best (discrete, integrated, virtual, CPU); a number: the index; otherwise (or
   * when no device has that index) a part of the name, ignoring case. */
  const char *device;
  /* Folder where the pipeline cache is kept, made when needed; NULL: nowhere. A file that is
   * corrupt or another device's is ignored. */
  const char *cache_dir;
  /* The validation layer with synchronisation validation; each message is counted and logged
   * with g_critical. Also by VKSEG_VALIDATE=1. */
  gboolean validate;
} SegVkOptions;

/* All devices, best first; newly allocated array of n. None is an error that says which
 * package brings a driver. */
SegDeviceInfo *seg_vk_list (guint *n, GError **error);

/* options NULL: the defaults. Each SegVk has a Vulkan instance, device and queue of its own. */
SegVk *seg_vk_new (const SegVkOptions *options, GError **error);
SegVk *seg_vk_ref (SegVk *vk);
/* Waits for the device to be idle and writes the pipeline cache with the last reference. */
void seg_vk_unref (SegVk *vk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegVk, seg_vk_unref)
/* The one that others in this process have, of the same device and with the same cache folder and
 * validation; else a new one. What is recorded on it by several is submitted to one queue. A lost one
 * is not given out again. To be given back, which drops the reference; NULL is allowed. */
SegVk *seg_vk_get (const SegVkOptions *options, GError **error);
void seg_vk_put (SegVk **vk);
const SegDeviceInfo *seg_vk_info (const SegVk *vk);
/* What f finds out about a device, once in vk's life: a second call, or one that comes while the
 * first runs, gets the same. Always with the same f. */
guint seg_vk_once (SegVk *vk, guint (*f) (SegVk *vk));
/* "DIR/WHAT-VENDOR-DEVICE-UUID.SUFFIX" in the cache folder, for what holds for this device and
 * driver alone; newly allocated, NULL without such a folder. */
char *seg_vk_cache_file (const SegVk *vk, const char *what, const char *suffix);
/* Whether pipelines that were made earlier have been found in the cache folder. */
gboolean seg_vk_cache_is_warm (const SegVk *vk);
/* Messages from the validation layer so far, of all devices of this process. */
guint seg_vk_validation_messages (void);

/* --- buffers (a buffer may be used from any thread, one at a time) ----------------------- */

typedef enum {
  SEG_BUFFER_DEVICE,   /* device-local; map is NULL */
  SEG_BUFFER_UPLOAD,   /* host-visible and coherent, for writing */
  SEG_BUFFER_READBACK, /* host-visible and coherent, cached where there is such memory */
} SegBufferUse;

typedef struct _SegBuffer SegBuffer;

/* Contents are undefined. 0 bytes is an error. Each buffer is one memory allocation, of which a
 * device may allow just 4096: make few and large ones. Keeps the device alive. */
SegBuffer *seg_buffer_new (SegVk *vk, gsize n_bytes, SegBufferUse use, GError **error);
/* The same, for SEG_VIEW_IMAGE_... too, which views of others cannot be; but not for SEG_VIEW_TEXEL_U8X1
 * and _U16X1, as a device need not have images of those. */
SegBuffer *seg_buffer_new_for_images (
    SegVk *vk, gsize n_bytes, SegBufferUse use, GError **error);
/* And clears it; NULL is allowed. The device must be done with it. */
void seg_buffer_free (SegBuffer **buffer);
gpointer seg_buffer_map (const SegBuffer *buffer); /* mapped for life; NULL for DEVICE */
gsize seg_buffer_bytes (const SegBuffer *buffer);
const SegVk *seg_buffer_vk (const SegBuffer *buffer);

/* --- pipelines ------------------------------------------------------------------------------ */

typedef enum {
  SEG_VIEW_STORAGE_READ, /* storage buffer */
  SEG_VIEW_STORAGE_WRITE,
  SEG_VIEW_STORAGE_READ_WRITE,
  SEG_VIEW_UNIFORM,     /* uniform buffer; a device may allow just 16 KiB */
  SEG_VIEW_TEXEL_F32X4, /* uniform texel buffers: RGBA32_SFLOAT, ... */
  SEG_VIEW_TEXEL_F32X1, /* R32_SFLOAT */
  SEG_VIEW_TEXEL_F16X4,
  SEG_VIEW_TEXEL_I32X4,
  SEG_VIEW_TEXEL_U32X4,
  SEG_VIEW_TEXEL_U16X4,
  SEG_VIEW_TEXEL_U8X1,  /* R8_UINT */
  SEG_VIEW_TEXEL_U8X4,  /* RGBA8_UINT */
  SEG_VIEW_TEXEL_U16X1, /* R16_UINT */
  SEG_VIEW_IMAGE_F32X4, /* storage texel buffers, read only: seg_buffer_new_for_images */
  SEG_VIEW_IMAGE_F16X4,
} SegViewKind;

/* Bytes [offset, offset + n_bytes) of a buffer as a shader sees them. offset is a multiple of
 * the device's buffer_align, n_bytes of the texel's size. A shader must not reach outside: there
 * is no robustBufferAccess. */
typedef struct {
  SegBuffer *buffer;
  gsize offset, n_bytes;
  SegViewKind kind;
} SegBufferView;

/* The n_bytes of a view of so many bytes, behind which seg_texel_room is set apart: the room too, unless
 * that is more than the device lets a view of this kind reach. */
gsize seg_view_room (const SegVk *vk, SegViewKind kind, gsize n_bytes);

#define SEG_VK_MAX_SPEC  18
#define SEG_VK_MAX_VIEWS 12
#define SEG_VK_MAX_PUSH  128

typedef struct {
  const SegShader *shader;
  const guint32 *spec; /* specialisation constants 0 .. n_spec-1 */
  guint n_spec;
  const SegBufferView *views; /* bindings 0 .. n_views-1 of set 0 */
  guint n_views;
  const guint32 *push;
  guint n_push;      /* words; all that the shader declares */
  guint32 groups[3]; /* a 0: nothing is done */
  const char *label; /* for error messages and debug utils; NULL: the shader's name */
  /* Where the device finds how many groups there are, three words, no more of each than in `groups`;
   * buffer NULL: those. They have to come from a dispatch with makes_groups. */
  struct {
    SegBuffer *buffer;
    gsize offset; /* a multiple of 4 */
  } live;
  gboolean makes_groups;
  gboolean idle; /* of no workgroups after all: a CPU driver compiles even so */
} SegVkDispatch;

/* Makes those pipelines of n dispatches that there are not yet, on all processors, so that recording them
 * soon finds them. Where one cannot be made recording tries again, and says why. Thread-safe. */
void seg_vk_make_pipelines (SegVk *vk, const SegVkDispatch *dispatches, guint n);

/* --- recording (one thread at a time) ---------------------------------------------------------
 * A command buffer that is recorded once and submitted many times. Barriers go in where a
 * command touches bytes that one since the last barrier wrote (or writes bytes that one read),
 * and nowhere else. Pipelines are made on recording, from the cache when they have been made
 * before. All arguments are copied; buffers must outlive the recording. After a call
 * that fails, begin again. */

typedef struct _SegCmd SegCmd;

/* timed: a timestamp around each command (slower: needs a barrier each). Keeps the device
 * alive. */
SegCmd *seg_cmd_new (SegVk *vk, gboolean timed, GError **error);
void seg_cmd_free (SegCmd **cmd); /* and clears it; waits if it is still running */
/* Drops what was recorded; waits if it is still running. */
gboolean seg_cmd_begin (SegCmd *cmd, GError **error);
gboolean seg_cmd_dispatch (SegCmd *cmd, const SegVkDispatch *d, GError **error);
gboolean seg_cmd_copy (SegCmd *cmd, SegBuffer *src, gsize src_offset, SegBuffer *dst,
    gsize dst_offset, gsize n_bytes, GError **error);
/* Bytes [offset, offset + n_bytes), both multiples of 4, become copies of `word`. */
gboolean seg_cmd_fill (SegCmd *cmd, SegBuffer *dst, gsize offset, gsize n_bytes,
    guint32 word, GError **error);
/* Ends the recording, with what the host needs to read mapped buffers after the wait. */
gboolean seg_cmd_end (SegCmd *cmd, GError **error);

/* Thread-safe across cmds. Submissions to one SegVk run in their order: a later one sees what an
 * earlier one wrote, and needs no wait in between. What the host wrote to mapped buffers before
 * is seen. Again only after a wait. */
gboolean seg_cmd_submit (SegCmd *cmd, GError **error);
/* The same n times over, one after the other, to be waited for once. n is at least 1. */
gboolean seg_cmd_submit_times (SegCmd *cmd, guint n, GError **error);
/* Waits for the last submission. More than 60 s (on a CPU device 10 minutes) for each time that the
 * recording runs means a hung device, which is a lost one. A lost device too may use what was recorded until
 * this returns (or seg_cmd_free). */
gboolean seg_cmd_wait (SegCmd *cmd, GError **error);
/* For good: before what it uses is freed, and after a failure before that is written or recorded anew. Does
 * nothing where there is nothing to wait for. FALSE: the device hangs, or cannot be waited for, which counts as
 * that; what it uses stays to the end of the process. */
gboolean seg_cmd_settle (SegCmd *cmd);
/* Submits, waits, and after a failure settles. */
gboolean seg_cmd_run (SegCmd *cmd, GError **error);

/* Commands recorded: dispatches, copies and fills, also those with nothing to do. */
guint seg_cmd_n_dispatches (const SegCmd *cmd);
/* Barriers between them; not those at the ends. */
guint seg_cmd_n_barriers (const SegCmd *cmd);
/* After a wait, when timed: nanoseconds of each of the n commands, in the order recorded. */
gboolean seg_cmd_times (SegCmd *cmd, guint64 *ns, guint n, GError **error);
/* For a recording that is not timed, before it begins: the device notes when it comes to it and when it
 * is through, which costs no barrier (but on lavapipe half a
 * millisecond each). Does nothing where the device cannot. */
void seg_cmd_stamp_ends (SegCmd *cmd);
/* Nanoseconds from what came before to its own end, when it ran last. Does not wait: FALSE, *ns as it
 * was, when it has not run, is running again, or has no stamps. */
gboolean seg_cmd_span (const SegCmd *cmd, guint64 *ns);

/* --- batches (each one thread at a time) -----------------------------------------------------
 * Several recordings one after the other, and one wait for all. A recording may be in many batches
 * at once; while it is in one that nobody has waited for, it must not be begun or freed, which is
 * the caller's to see to. */

#define SEG_BATCH_MAX 80

typedef struct _SegBatch SegBatch;

SegBatch *seg_batch_new (SegVk *vk, GError **error);
void seg_batch_free (SegBatch **batch); /* and clears it; waits; NULL is allowed */
/* Hands n recordings, 1 to SEG_BATCH_MAX, to the device as one submission. The one that is `last` is
 * what seg_batch_wait waits for, and for all before it. */
gboolean seg_batch_submit (
    SegBatch *batch, SegCmd *const *cmds, guint n, gboolean last, GError **error);
/* After a submission that failed: what the device has been handed so far, n_runs recordings at most, is
 * what seg_batch_wait waits for, whoever handed it over; where there is no way to tell, it is over when this
 * returns. Does nothing where the batch has its last. */
void seg_batch_close (SegBatch *batch, guint n_runs);
/* TRUE when there is nothing to wait for. Times out as seg_cmd_wait does. */
gboolean seg_batch_wait (SegBatch *batch, GError **error);
/* As seg_cmd_settle, of all that has been handed over, with or without the last. */
void seg_batch_settle (SegBatch *batch);

G_END_DECLS
