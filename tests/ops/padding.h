/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"

G_BEGIN_DECLS

/* After a run that gave `outputs`: NULL when the channel padding of all outputs that lie CHANNELS_LAST on
 * the device is zero, as readers of a value may rely on; else what is not, newly allocated. Past the rows
 * that there are nothing needs to be written. */
char *seg_check_padding (SegVk *vk, SegSession *session, SegTensor *const *outputs);

G_END_DECLS
