/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/onnx-writer.h"

G_BEGIN_DECLS

/* Graphs by hand, node by node, on top of onnx-writer.h. */

/* Field numbers of a GraphProto. */
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

/* The inputs up to NULL; the node, named as its output, belongs to the caller until it is added. */
GByteArray *seg_pb_node (const char *op, const char *output, ...) G_GNUC_NULL_TERMINATED;
void seg_pb_attr_int (GByteArray *node, const char *name, gint64 value);
void seg_pb_attr_ints (GByteArray *node, const char *name, const gint64 *values, guint n);
void seg_pb_add_node (GByteArray *graph, GByteArray *node); /* takes it */
void seg_pb_add_constant (GByteArray *graph, const char *name, SegDType dtype, guint rank,
    const gint64 *dims, gconstpointer data);
/* A ValueInfoProto; a dimension of 0 is free. */
GByteArray *seg_pb_free_value_info (
    const char *name, SegDType dtype, guint rank, const gint64 *dims);

G_END_DECLS
