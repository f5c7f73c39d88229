/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* Writes serialised ONNX messages, just as much of them as tests need. Each function appends a
 * field to a message under construction (a GByteArray). */
void seg_pb_int (GByteArray *message, guint field, gint64 value);
void seg_pb_float (GByteArray *message, guint field, float value);
void seg_pb_string (GByteArray *message, guint field, const char *value);
void seg_pb_bytes (GByteArray *message, guint field, gconstpointer data, gsize n_bytes);
/* Takes `sub` and frees it. */
void seg_pb_message (GByteArray *message, guint field, GByteArray *sub);

/* A TensorProto (raw_data), without or with a name. */
GByteArray *seg_pb_tensor (const char *name, const SegTensor *tensor);
/* A ValueInfoProto; desc NULL: without a type. */
GByteArray *seg_pb_value_info (const char *name, const SegDesc *desc);
/* A ModelProto around a GraphProto, which it takes. */
GBytes *seg_pb_model (GByteArray *graph, guint opset, const char *other_domain);

/* A well-formed message with `more` (which it takes) at the end of its field `field`, which is
 * a message too; everything else as it was. */
GBytes *seg_pb_extend (GBytes *message, guint field, GByteArray *more);
/* A well-formed ModelProto, importing only this version of ai.onnx. */
GBytes *seg_pb_with_opset (GBytes *model, guint opset);

G_END_DECLS
