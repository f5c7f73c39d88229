/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/rewrite.h"

G_BEGIN_DECLS

/* Joins DequantizeLinear, an operator and QuantizeLinear to one operator on bytes. Before dead nodes
 * are removed for the first time. Nodes that have become superfluous are left to that. */
void seg_graph_quantise (SegGraph *graph, SegOpLookup lookup);

G_END_DECLS
