/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/pipe.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Caps on the other side of an element that makes `output`: sink caps to source caps, or, for
 * GST_PAD_SRC, source caps to the sink caps that can become them. any_size: the result's size is
 * its own, whatever the frame's. A new reference. */
GstCaps *seg_caps_other_side (
    GstCaps *caps, GstPadDirection direction, SegOutputKind output, gboolean any_size);

/* Takes caps and adds, after them, the same in the other of system memory and the device's images. */
GstCaps *seg_caps_add_memories (GstCaps *caps);

G_END_DECLS
