/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <vulkan/vulkan.h>

/* fake-modifier.c stands in front of the Vulkan loader in a test: where a device imports dma-bufs (memory files
 * will do) it has VK_EXT_image_drm_format_modifier as well, with this one modifier, of no vendor, for formats of
 * one plane. Images with it are the driver's linear ones, whose pitch must be what that has. */
#define FAKE_MODIFIER UINT64_C (0x7f00000000000001)

/* What imports of memory are answered with, of whatever type; VK_SUCCESS: what the driver answers. */
extern VkResult fake_modifier_answer;

/* Of such an image; returns how many bytes it needs. On the first device that was made, which must still be
 * there. */
uint64_t fake_modifier_layout (
    VkFormat format, uint32_t width, uint32_t height, VkSubresourceLayout *layout);
