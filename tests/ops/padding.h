/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"

G_BEGIN_DECLS

/* After a run: NULL when the channel padding of all outputs that lie CHANNELS_LAST on the
 * device is zero, as readers of a value may rely on; else what is not, newly allocated. */
char *seg_check_padding (SegVk *vk, SegSession *session);

G_END_DECLS
