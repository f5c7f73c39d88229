/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/private.h"
#include "base/log.h"
#include "base/names.h"
#include "onnx/wire.h"

#include <string.h>

#define MIN_OPSET 7
#define MAX_OPSET 21

static gboolean
fail (SegError code, const char *message, GError **error)
{
  g_set_error_literal (error, SEG_ERROR, code, message);
  return FALSE;
}

static gboolean
read_opset (SegModel *model, const Onnx__ModelProto *proto, GError **error)
{
  gint64 found = 0;

  for (gsize i = 0; i < proto->n_opset_import; i++) {
    const char *domain = proto->opset_import[i]->domain;
    gint64 version = proto->opset_import[i]->version;

    if (domain && *domain && strcmp (domain, "ai.onnx") != 0)
      continue;
    if (found != 0 && found != version)
      return fail (SEG_ERROR_MODEL, "two operator set versions of ai.onnx", error);
    found = version;
  }
  if (found == 0)
    return fail (
        SEG_ERROR_MODEL, "does not say which operator set version it uses", error);
  if (found < MIN_OPSET || found > MAX_OPSET) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "uses operator set version %" G_GINT64_FORMAT ", but %d to %d are supported: "
        "convert the model or export it again",
        found, MIN_OPSET, MAX_OPSET);
    return FALSE;
  }
  model->opset = found;
  return TRUE;
}

static gboolean
read_metadata (SegModel *model, const Onnx__ModelProto *proto, GError **error)
{
  for (gsize i = 0; i < proto->n_metadata_props; i++) {
    const Onnx__StringStringEntryProto *entry = proto->metadata_props[i];

    if (g_hash_table_insert (
            model->metadata, seg_dup_string (entry->key), seg_dup_string (entry->value)))
      continue;
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "metadata key '%s' occurs twice",
        entry->key ? entry->key : "");
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_model (
    SegModel *model, Onnx__ModelProto *proto, SegExternal *external, GError **error)
{
  const char *version = proto->producer_version ? proto->producer_version : "";

  if (!proto->has_ir_version || proto->ir_version < 1 || !proto->graph)
    return fail (
        SEG_ERROR_MODEL, "not an ONNX model: it has no version or no graph", error);
  if (proto->n_functions > 0)
    return fail (SEG_ERROR_UNSUPPORTED,
        "model functions are not supported: export the model without them", error);
  model->ir_version = proto->ir_version;
  model->producer = g_strconcat (proto->producer_name ? proto->producer_name : "",
      *version ? " " : "", version, NULL);
  g_strstrip (model->producer);
  return read_opset (model, proto, error) && read_metadata (model, proto, error)
         && seg_model_graph_from_proto (&model->graph, proto->graph, external, error);
}

static Onnx__ModelProto *
unpack (GBytes *bytes, GError **error)
{
  const ProtobufCMessageDescriptor *message = &onnx__model_proto__descriptor;
  g_autoptr (GBytes) outline = NULL;
  Onnx__ModelProto *proto;

  if (!seg_wire_check (message, bytes, error)
      || !(outline = seg_wire_outline (message, bytes, error)))
    return NULL;
  proto = onnx__model_proto__unpack (
      NULL, g_bytes_get_size (outline), g_bytes_get_data (outline, NULL));
  if (!proto)
    fail (SEG_ERROR_MODEL,
        "not an ONNX file, or a damaged one: a field is of the wrong type", error);
  return proto;
}

SegModel *
seg_model_parse (GBytes *bytes, const char *dir, GError **error)
{
  g_autoptr (SegExternal) external = seg_external_new (dir, bytes);
  g_autoptr (SegModel) model = NULL;
  Onnx__ModelProto *proto = unpack (bytes, error);
  gboolean ok;

  if (!proto)
    return NULL;
  model = g_new0 (SegModel, 1);
  model->ref_count = 1;
  model->metadata = g_hash_table_new_full (seg_name_hash, g_str_equal, g_free, g_free);
  ok = read_model (model, proto, external, error);
  onnx__model_proto__free_unpacked (proto, NULL);
  return ok ? g_steal_pointer (&model) : NULL;
}

SegModel *
seg_model_load (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = seg_external_map_file (path, error);
  g_autofree char *dir = NULL;
  SegModel *model;

  if (!bytes)
    return NULL;
  dir = g_path_get_dirname (path);
  model = seg_model_parse (bytes, dir, error);
  if (!model)
    g_prefix_error (error, "%s: ", path);
  else
    seg_info ("%s: %u nodes of opset %u, by %s", path, model->graph.n_nodes, model->opset,
        model->producer != NULL && *model->producer != '\0' ? model->producer : "nobody");
  return model;
}

SegModel *
seg_model_ref (SegModel *model)
{
  g_atomic_int_inc (&model->ref_count);
  return model;
}

void
seg_model_unref (SegModel *model)
{
  if (!model || !g_atomic_int_dec_and_test (&model->ref_count))
    return;
  g_free (model->producer);
  g_hash_table_unref (model->metadata);
  seg_model_graph_clear (&model->graph);
  g_free (model);
}
