/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/op.h"

G_BEGIN_DECLS

/* All operators, one row per ONNX name, ending with a NULL. */
extern const SegOp *const seg_op_table[];
const SegOp *seg_op_lookup (const char *domain, const char *op_type);

G_END_DECLS
