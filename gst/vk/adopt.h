/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

#include <vulkan/vulkan.h>

G_BEGIN_DECLS

/* A SegVk on an instance, a device and a queue that somebody else has made and goes on using. Kernels
 * are chosen by what is said here to be enabled. */
typedef struct {
  VkInstance instance;
  guint32 api_version; /* that the instance was made for: devices offer no more */
  VkPhysicalDevice physical_device;
  VkDevice device;
  VkQueue queue;
  guint32 queue_family; /* must compute */
  /* All features of core Vulkan that the device has are enabled; otherwise none is. */
  gboolean core_features;
  const char *cache_dir; /* as in SegVkOptions */
  /* Called with `owner` around each submission, and at the end. */
  void (*lock) (gpointer owner);
  void (*unlock) (gpointer owner);
  GDestroyNotify release; /* may be NULL */
  gpointer owner;         /* the SegVk's when this succeeds */
} SegVkAdoption;

/* Fails with SEG_ERROR_DEVICE for a device or queue that is not fit. */
SegVk *seg_vk_adopt (const SegVkAdoption *adoption, GError **error);
gboolean seg_vk_is_on (const SegVk *vk, VkDevice device);

G_END_DECLS
