/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

G_BEGIN_DECLS

/* Levels of messages inside messages. A subgraph is three: attribute, graph, node. */
#define SEG_WIRE_MAX_DEPTH 100
/* Fields in a whole file; each takes up to some 250 bytes of memory. */
#define SEG_WIRE_MAX_FIELDS (2 * 1000 * 1000)

/* Walks serialised bytes along the message's description without allocating anything, and
 * refuses what protobuf-c should not see: it recurses without a limit, and merges a message
 * field that is repeated against its declaration in quadratic time. Also refuses truncated
 * input (saying where), strings that are not UTF-8, and names with control characters, which
 * would reach logs and terminals. Fails with SEG_ERROR_MODEL. */
gboolean seg_wire_check (
    const ProtobufCMessageDescriptor *message, GBytes *bytes, GError **error);

/* Where something is in the bytes. */
typedef struct {
  guint64 offset, n_bytes;
} SegWirePlace;

/* What seg_wire_check has passed, without fields that are not in the description, and without the weights: each
 * raw_data that is not empty has become the SegWirePlace of what it was. protobuf-c copies what it reads, and
 * weights are most of a file. Fails with SEG_ERROR_MEMORY. */
GBytes *seg_wire_outline (
    const ProtobufCMessageDescriptor *message, GBytes *bytes, GError **error);

G_END_DECLS
