/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/fault-layer.h"

/* Before the first device: has Vulkan go through the fault layer, whose folder is VKSEG_TEST_LAYER_DIR. What
 * the layer calls by this name: see fault-layer.h. */
void *test_fault_open (const char *symbol);
/* Then the fault that it is to make. */
TestFault *test_fault_begin (void);
