/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "onnx/model.h"

G_BEGIN_DECLS

/* Reads everything in a model, each byte of its tensors too (once per tensor), and ends the
 * process if it is not as onnx/model.h promises. The number of nodes. */
guint seg_test_model_walk (const SegModel *model);

G_END_DECLS
