/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"
#include "vk/vk.h"

G_BEGIN_DECLS

/* What kernels may be chosen by for a network of this precision: vk's information, without the
 * units that compute wrong on it. What a driver advertises may be broken, so convolutions whose
 * results are known run on the matrix units (SegDeviceInfo.matrix_shapes, .workgroup_matrices)
 * before a network does, once for each vk, and only if one would. Thread-safe. */
SegDeviceInfo seg_trusted_info (SegVk *vk, SegStorage precision);

G_END_DECLS
