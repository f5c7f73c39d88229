/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

G_BEGIN_DECLS

/* The device that tests run on (VKSEG_DEVICE chooses one), with validation on when
 * VKSEG_VALIDATE says so. Where there is none, NULL with *status set to the exit status: a
 * skip, or, when VKSEG_TEST_NEED_DEVICE is set (as tests/run.sh does), a failure. With
 * VKSEG_TEST_MATRICES set, one without matrix units, or, where it says "workgroup", without such
 * of workgroups, is a skip too. */
SegVk *seg_test_device (int *status);

G_END_DECLS
