/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/demuxpad.h"

G_BEGIN_DECLS

/* Gives the instance pads among `pads` (SegDemuxPad, lowest number first; others are left alone)
 * their objects of this frame (meta may be NULL: none). An object that has a pad keeps it by its
 * track id, also while it is absent, for up to `hold` frames; free pads get the other objects in
 * the result's order. Objects without track ids are given out anew each frame. */
void seg_demux_assign (GPtrArray *pads, const GstVkSegMeta *meta, guint hold);

G_END_DECLS
