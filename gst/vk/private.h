/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/adopt.h"
#include "vk/barrier.h"
#include "vk/image.h"
#include "vk/tiled.h"

G_BEGIN_DECLS

/* What the files of this room share. Nothing here is thread-safe unless it says so. */

/* --- result.c ------------------------------------------------------------------------------ */

const char *seg_vk_result_name (VkResult result); /* "VK_ERROR_DEVICE_LOST" */
/* TRUE for VK_SUCCESS; otherwise the error "what: VK_ERROR_...", by kind of result. A lost
 * device is remembered. vk may be NULL. Thread-safe. */
gboolean seg_vk_check (SegVk *vk, VkResult result, const char *what, GError **error);
/* FALSE with "device lost" once it is. Thread-safe. */
gboolean seg_vk_alive (SegVk *vk, GError **error);

/* --- instance.c ---------------------------------------------------------------------------- */

typedef struct {
  VkInstance handle;
  VkDebugUtilsMessengerEXT messenger;
  guint32 api_version;  /* asked for: devices offer no more than that */
  gboolean debug_utils; /* VK_EXT_debug_utils is enabled */
  gboolean labels;      /* and commands may have labels */
} SegInstance;

gboolean seg_instance_init (SegInstance *instance, gboolean validate, GError **error);
void seg_instance_clear (SegInstance *instance);
/* "no Vulkan device: install a driver ..." */
void seg_instance_no_driver (GError **error);

/* --- physical.c ------------------------------------------------------------------------------ */

/* A device that fits, with what this room must know beyond SegDeviceInfo. */
typedef struct {
  VkPhysicalDevice handle;
  SegDeviceInfo info;
  guint32 queue_family;
  guint64 timestamp_mask;     /* valid bits of a timestamp */
  guint64 max_uniform_bytes;  /* one uniform buffer binding */
  gboolean float16_extension; /* shaderFloat16 comes from VK_KHR_shader_float16_int8 */
  gboolean dmabuf_alone; /* imported memory is for one buffer, and must be told which */
  gboolean foreign;      /* VK_EXT_queue_family_foreign is there and is enabled */
  gboolean portability;  /* VK_KHR_portability_subset is there and so must be enabled */
  VkPhysicalDeviceMemoryProperties memory;
} SegPhysical;

/* coopmat.c: what matrices there are to p->info, whose other fields are there; on a Vulkan 1.3
 * device with VK_KHR_cooperative_matrix, and the second on one with VK_NV_cooperative_matrix2. */
void seg_coopmat_read (SegPhysical *p, const SegInstance *instance);
void seg_coopmat_read_workgroup (SegPhysical *p, const SegInstance *instance);

/* Of any family that computes, the one that suits best. */
#define SEG_ANY_QUEUE G_MAXUINT32
/* All but info.index and matrices. FALSE: no Vulkan 1.1, or the queue family does not compute. */
gboolean seg_physical_read (SegPhysical *p, VkPhysicalDevice handle, guint32 queue_family,
    const SegInstance *instance);
/* Array of SegPhysical, best first, never empty. */
GArray *seg_physical_list (const SegInstance *instance, GError **error);
/* The one that SegVkOptions.device means, or NULL. */
const SegPhysical *seg_physical_choose (
    const GArray *list, const char *device, GError **error);

/* --- device.c ---------------------------------------------------------------------------------- */

typedef struct _SegPipelines SegPipelines;

typedef enum {
  SEG_VK_OK,
  SEG_VK_LOST,
  SEG_VK_HUNG, /* lost, and what was submitted may still run, since nobody could wait for it: its objects
                * cannot be freed */
} SegVkState;

struct _SegVk {
  gint ref_count;
  gint state; /* SegVkState, atomic */
  SegInstance instance;
  SegPhysical physical;
  VkDevice device;
  VkQueue queue;
  GMutex queue_lock; /* unless the queue is adopted */
  gboolean adopted;  /* instance and device are somebody else's: */
  SegVkAdoption adoption;
  gsize once; /* g_once: 0, then what was found out plus 1 */
  SegPipelines *pipelines;
  PFN_vkGetMemoryFdPropertiesKHR fd_properties; /* where info.dmabuf or info.modifiers */
  PFN_vkCmdBeginDebugUtilsLabelEXT begin_label; /* NULL without labels */
  PFN_vkCmdEndDebugUtilsLabelEXT end_label;
};

/* seg_vk_new in two steps: which device it is, with an instance of its own, but nothing made on it; and
 * the rest. After a failure it is good for nothing but seg_vk_unref. */
SegVk *seg_vk_choose (const SegVkOptions *options, GError **error);
gboolean seg_vk_finish (SegVk *vk, const SegVkOptions *options, GError **error);
/* Around each use of the queue. Thread-safe. */
void seg_vk_lock_queue (SegVk *vk);
void seg_vk_unlock_queue (SegVk *vk);
/* device.c, for those that are made and those that are adopted: the last step. */
gboolean seg_vk_complete (SegVk *vk, const char *cache_dir, GError **error);

/* --- buffer.c ------------------------------------------------------------------------------------ */

struct _SegBuffer {
  SegVk *vk;
  VkBuffer handle;
  VkDeviceMemory memory;
  gsize n_bytes;
  gpointer map;
  /* it has the usage of storage texel buffers, and its views' formats the feature */
  gboolean for_images;
};

/* A bit for each type of memory that buffers of ours can be in. */
guint32 seg_memory_types (const VkPhysicalDeviceMemoryProperties *memory);

/* --- import.c ------------------------------------------------------------------------------------ */

/* Usage of an imported buffer: read, by shaders and copies. */
#define SEG_IMPORT_USAGE                                                                 \
  (VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT)
#define SEG_IMPORT_HANDLE VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT

/* These fail with SEG_ERROR_UNSUPPORTED where the device refuses what is to be imported, and as
 * seg_vk_check does where it is at its end itself. */

/* Of a call that has to do with an import. */
gboolean seg_import_check (SegVk *vk, VkResult result, const char *what, GError **error);
/* Bytes of what fd stands for; 0 with an error: it cannot be imported. */
guint64 seg_import_size (const SegVk *vk, int fd, GError **error);
/* Its memory, of a type of `types`; alone: what alone will be bound to it, or NULL. */
gboolean seg_import_memory (SegVk *vk, int fd, guint32 types, guint64 n_bytes,
    const VkMemoryDedicatedAllocateInfo *alone, VkDeviceMemory *memory, GError **error);
/* The queue family of whoever has it outside of our submissions. */
guint32 seg_import_owner (const SegVk *vk);

/* --- tiled.c ------------------------------------------------------------------------------------- */

/* Usage of an imported image: it is copied from. */
#define SEG_TILED_USAGE VK_IMAGE_USAGE_TRANSFER_SRC_BIT

/* modifier.c. Of images with this format and m->modifier in dma-bufs, for this usage: m's sizes, whether they are
 * alone in their memory, and what that can (be exported, imported). FALSE: there are none. */
gboolean seg_modifier_query (const SegVk *vk, VkFormat format, VkImageUsageFlags usage,
    SegModifier *m, VkExternalMemoryFeatureFlags *can);
/* An image of t's format and size in a dma-buf, without its memory. `modifier`: which it has, a structure of
 * VK_EXT_image_drm_format_modifier. */
VkResult seg_tiled_create_image (const SegVk *vk, const SegTiling *t,
    VkImageUsageFlags usage, const void *modifier, VkImage *image);

/* --- view.c: what a view kind means ------------------------------------------------------------ */

VkDescriptorType seg_view_descriptor_type (SegViewKind kind);
VkFormat seg_view_format (SegViewKind kind);   /* UNDEFINED unless a texel kind */
guint seg_view_texel_bytes (SegViewKind kind); /* 0 unless a texel kind */
gboolean seg_view_writes (SegViewKind kind);
/* FALSE with an error when the view is misaligned, outside its buffer or past a limit. */
gboolean seg_view_check (const SegVk *vk, const SegBufferView *view, GError **error);

/* --- pipeline.c (thread-safe) --------------------------------------------------------------------- */

/* Compared and hashed by bytes: zeroed before it is filled in. */
typedef struct {
  guint64 shader;
  guint32 n_spec, n_views;
  guint32 spec[SEG_VK_MAX_SPEC];
  guint32 types[SEG_VK_MAX_VIEWS];
} SegPipelineKey;

typedef struct {
  SegPipelineKey key;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline handle;
  gboolean ready; /* FALSE: a thread is about to make it */
  guint users;    /* times that it was got and not given back */
  GList link;     /* among the idle ones, where there are none */
} SegPipeline;

/* So many are kept that nobody uses. */
#define SEG_PIPELINES_MOST_IDLE 256

SegPipelines *seg_pipelines_new (SegVk *vk, const char *cache_dir, GError **error);
/* Writes the cache file when there is one and pipelines have been added. */
void seg_pipelines_free (SegVk *vk);
/* The pipeline for a dispatch, made when it is new, to be given back. Blocks while another thread makes it. */
SegPipeline *seg_pipelines_get (SegVk *vk, const SegVkDispatch *d, GError **error);
/* When the device is done with what was recorded with them. */
void seg_pipelines_give_back (SegVk *vk, SegPipeline *const *pipelines, guint n);
guint seg_pipelines_count (SegVk *vk); /* used and idle */
/* record.c: whether the dispatch is within the limits of the device, its buffers and this room. */
gboolean seg_dispatch_check (const SegVk *vk, const SegVkDispatch *d, GError **error);
/* Nothing is done for it. */
static inline gboolean
seg_dispatch_is_empty (const SegVkDispatch *d)
{
  return d->groups[0] == 0 || d->groups[1] == 0 || d->groups[2] == 0;
}

/* --- cache.c: the pipeline cache as a file -------------------------------------------------------- */

/* "DIR/WHAT-VENDOR-DEVICE-UUID.SUFFIX", newly allocated. */
char *seg_cache_file (
    const char *dir, const char *what, const char *suffix, const SegDeviceInfo *info);
/* The pipelines' own, "pipelines" and "bin". */
char *seg_cache_path (const char *dir, const SegDeviceInfo *info);
/* The blob, or NULL when there is no file or it is corrupt or another device's. */
GBytes *seg_cache_read (const char *path, const SegDeviceInfo *info);
/* Replaces the file in one step; makes the folder. */
gboolean seg_cache_write (
    const char *path, gconstpointer blob, gsize n_bytes, GError **error);

/* --- descriptors.c ----------------------------------------------------------------------------- */

/* Descriptor sets and buffer views of a recording. */
typedef struct {
  GArray *pools; /* struct pool */
  guint current; /* pool in use */
  GArray *views; /* VkBufferView */
} SegDescriptors;

void seg_descriptors_init (SegDescriptors *d);
void seg_descriptors_clear (SegDescriptors *d, SegVk *vk);
void seg_descriptors_reset (SegDescriptors *d, SegVk *vk); /* keeps the pools */
/* A set with the views written into it. */
gboolean seg_descriptors_write (SegDescriptors *d, SegVk *vk,
    VkDescriptorSetLayout layout, const SegBufferView *views, guint n_views,
    VkDescriptorSet *set, GError **error);

/* --- timer.c -------------------------------------------------------------------------------------- */

/* Timestamps of a recording: one at its start and one after each command. */
typedef struct {
  GArray *pools; /* VkQueryPool */
  guint n;       /* timestamps recorded */
} SegTimer;

void seg_timer_init (SegTimer *t);
void seg_timer_clear (SegTimer *t, SegVk *vk);
gboolean seg_timer_stamp (SegTimer *t, SegVk *vk, VkCommandBuffer buffer, GError **error);
/* Between the first stamp and the last. FALSE: they are not there, or not of the same run. */
gboolean seg_timer_span (const SegTimer *t, SegVk *vk, guint64 *ns);
gboolean seg_timer_read (
    const SegTimer *t, SegVk *vk, guint64 *ns, guint n, GError **error);

/* --- cmd.c, record.c ------------------------------------------------------------------------------- */

typedef enum {
  SEG_CMD_EMPTY,
  SEG_CMD_RECORDING,
  SEG_CMD_READY,
  SEG_CMD_PENDING, /* submitted, not waited for */
  SEG_CMD_DONE,    /* submitted and waited for */
} SegCmdState;

struct _SegCmd {
  SegVk *vk;
  SegCmdState state;
  guint n_pending; /* times that the last submission runs it */
  VkCommandPool pool;
  VkCommandBuffer buffer;
  VkFence fence;
  SegDescriptors descriptors;
  GPtrArray *pipelines; /* SegPipeline, one for each dispatch: to be given back */
  gboolean timed;
  gboolean ends; /* a stamp at the begin and one at the end */
  SegTimer timer;

  SegHazards *hazards;         /* bytes touched since the last barrier */
  VkPipelineStageFlags stages; /* of commands since then */
  VkAccessFlags writes;        /* by them */
  gboolean host_reads;         /* something wrote memory that the host can read */
  gboolean made_groups; /* something since then made groups for indirect dispatches */
  SegTimelinePoint points[SEG_MAX_TIMELINES]; /* for the next submission */
  guint n_points;
  VkPipeline bound;
  guint n_dispatches, n_barriers;
};

/* Waits for a fence behind `runs` recordings; anything but VK_SUCCESS sets the error. A timeout is a
 * device that hangs. What a lost device was given counts as in use until a wait for it has returned, whichever
 * call has found it lost (the specification's "Lost Device"); a success is then one no more. */
VkResult seg_fence_wait (SegVk *vk, VkFence fence, guint runs, GError **error);
/* The same for what has no fence behind it: the submission with the fence failed, or lost the device, which
 * alone does not promise that nothing was handed over. Waits for all that is on the queue, without a limit but
 * what the specification says of lost devices, and nobody can submit meanwhile. FALSE: it cannot, and the device
 * counts as one that hangs. */
gboolean seg_vk_settle (SegVk *vk);
/* The barriers at the start and the end of a recording. */
void seg_record_start (SegCmd *cmd);
void seg_record_finish (SegCmd *cmd);
/* record.c: before and after a command that touches n pieces of memory. */
gboolean seg_record_check (SegCmd *cmd, GError **error);
void seg_record_begin (SegCmd *cmd, const SegAccess *accesses, guint n,
    VkPipelineStageFlags stage, const char *label);
gboolean seg_record_end (SegCmd *cmd, GError **error);

G_END_DECLS
