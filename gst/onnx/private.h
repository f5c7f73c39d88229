/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joins the files of this room. Everything that reads protobuf structures may take large
 * arrays out of them (and leaves NULL there), so that weights are not copied. raw_data is not the file's, but
 * a SegWirePlace. */
#pragma once

#include "onnx/model.h"
#include "onnx/onnx.pb-c.h"

G_BEGIN_DECLS

/* external.c: the files beside a model, each mapped once per load. Not thread-safe. */
typedef struct _SegExternal SegExternal;
/* dir NULL: all is refused. `model`: the file itself, of which messages are an outline. */
SegExternal *seg_external_new (const char *dir, GBytes *model);
void seg_external_free (SegExternal *external); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegExternal, seg_external_free)
/* The n_bytes that a tensor's external_data point to, as part of a mapping. */
GBytes *seg_external_get (
    SegExternal *external, const Onnx__TensorProto *proto, gsize n_bytes, GError **error);
/* What a tensor's raw_data stands for, part of the model's bytes or, when small, a copy. */
GBytes *seg_external_raw (SegExternal *external, const Onnx__TensorProto *proto);
/* Maps a regular file; never blocks on a pipe. */
GBytes *seg_external_map_file (const char *path, GError **error);

/* tensor-proto.c */
SegTensor *seg_tensor_from_proto (
    Onnx__TensorProto *proto, SegExternal *external, GError **error);

/* attr.c: fills a zeroed attribute; also after a failure seg_attr_clear frees it. */
gboolean seg_attr_from_proto (
    SegAttr *attr, Onnx__AttributeProto *proto, SegExternal *external, GError **error);
void seg_attr_clear (SegAttr *attr);

/* graph.c: fills a zeroed graph; also after a failure seg_model_graph_clear frees it. */
gboolean seg_model_graph_from_proto (
    SegModelGraph *graph, Onnx__GraphProto *proto, SegExternal *external, GError **error);
void seg_model_graph_clear (SegModelGraph *graph);

/* A copy; "" for a string that is not there. */
static inline char *
seg_dup_string (const char *s)
{
  return g_strdup (s ? s : "");
}

G_END_DECLS
