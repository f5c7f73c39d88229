/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cases.h"
#include "onnx/model.h"

G_BEGIN_DECLS

/* A case as a model and its run-time inputs. */
typedef struct {
  SegModel *model;
  GPtrArray *inputs; /* SegTensor *, in the order of the model's inputs */
} SegCaseModel;

/* Random contents depend on seed alone. half: random floats are rounded to fp16. Fails when
 * the case is not in the notation or the loader refuses the bytes. */
gboolean seg_case_model_make (const SegCase *test_case, guint32 seed, gboolean half,
    SegCaseModel *out, GError **error);
/* n nodes, one after the other: "^" among a node's inputs is the output of the one before, "^^" of
 * the one before that. */
gboolean seg_case_chain_make (const SegCase *chain, guint n, guint32 seed, gboolean half,
    SegCaseModel *out, GError **error);
void seg_case_model_clear (SegCaseModel *model);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegCaseModel, seg_case_model_clear)

/* "com.microsoft.Gelu": the operator's domain (newly allocated, "" without one) and name. */
char *seg_case_domain (const SegCase *test_case, const char **name);

G_END_DECLS
