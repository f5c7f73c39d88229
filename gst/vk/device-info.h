/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  SEG_DEVICE_DISCRETE,
  SEG_DEVICE_INTEGRATED,
  SEG_DEVICE_VIRTUAL,
  SEG_DEVICE_CPU,
  SEG_DEVICE_OTHER,
} SegDeviceType;

/* A[m][k] B[k][n] of fp16, summed up in fp32, is what the lanes of a subgroup multiply together. */
typedef struct {
  guint32 m, n, k;
} SegMatrixShape;

#define SEG_MAX_MATRIX_SHAPES 8

/* The same by all lanes of a workgroup. */
typedef struct {
  guint32 invocations;    /* that a workgroup must have; 0: there is none of this */
  SegMatrixShape unit;    /* of which a matrix's sides are multiples */
  guint32 reserved_bytes; /* of shared memory, that the driver takes */
} SegWorkgroupMatrices;

/* What kernels are chosen by. Plain data: a made-up one serves in tests without a device. */
typedef struct {
  char name[256];   /* "llvmpipe (LLVM 15.0.6, 256 bits)" */
  char driver[256]; /* "llvmpipe, Mesa 22.3.6 (LLVM 15.0.6)" */
  SegDeviceType type;
  guint index; /* in Vulkan's enumeration */
  guint32 api_version, driver_version, vendor_id, device_id;
  guint8 uuid[16]; /* pipelineCacheUUID: another driver version has another */

  /* Compute units (SMs, CUs, cores) that run workgroups side by side; an estimate by type where
   * the driver does not tell. For a CPU device what a middling GPU has, so that a GPU's kernels,
   * when they are forced on it, take the ways they take there. */
  guint32 cores;
  /* Of the host's processor, where that is the device: 16 on x86-64 without AVX-512VL, 8 on x86; elsewhere 32 are
   * taken for granted. 0 for other devices. LLVM uses all of them, however short its vectors are. */
  guint32 vector_registers;
  guint32 subgroup_size;
  gboolean subgroup_shuffle; /* and votes, in compute shaders */
  gboolean float16;          /* shaderFloat16, enabled */
  gboolean storage16;        /* storageBuffer16BitAccess, enabled */
  gboolean int64;            /* shaderInt64, enabled */
  gboolean subgroup_int64;   /* and in shuffles: shaderSubgroupExtendedTypes */
  gboolean integer_dot;      /* shaderIntegerDotProduct, enabled */
  gboolean integer_dot_fast; /* of four signed bytes in a word: an instruction */
  /* VK_KHR_cooperative_matrix, enabled: most multiplications first; none where the device has
   * none or cannot be told to run full subgroups of subgroup_size. */
  SegMatrixShape matrix_shapes[SEG_MAX_MATRIX_SHAPES];
  guint n_matrix_shapes;
  SegWorkgroupMatrices workgroup_matrices; /* VK_NV_cooperative_matrix2, enabled */
  gboolean dmabuf;    /* VK_EXT_external_memory_dma_buf, enabled: see vk/import.h */
  gboolean modifiers; /* VK_EXT_image_drm_format_modifier, enabled: see vk/tiled.h */
  gboolean timestamps;
  double timestamp_ns; /* a tick */

  guint64 max_storage_bytes;    /* one storage buffer binding */
  guint64 max_texels;           /* one texel buffer view */
  guint64 max_allocation_bytes; /* one memory allocation */
  guint32 max_groups[3];
  guint32 max_shared_bytes;
  guint32 max_invocations; /* of a workgroup */
  /* Of any view's offset: the largest of what Vulkan asks for, a power of two, at least 16. */
  guint32 buffer_align;
  guint64 heap_bytes; /* of the largest device-local heap */
} SegDeviceInfo;

G_END_DECLS
