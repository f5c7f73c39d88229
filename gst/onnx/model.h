/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* The contents of an .onnx file in plain structures: what the file says, checked for being
 * well formed but not yet for meaning (graph/ does that). Immutable once loaded and safe to
 * read from any thread. Source: the ONNX IR specification and onnx.proto.
 * Names are never NULL; an absent optional input or output is the empty string. */

typedef struct _SegModelGraph SegModelGraph;

typedef enum {
  SEG_ATTR_FLOAT = 1, /* the values of AttributeProto.AttributeType */
  SEG_ATTR_INT = 2,
  SEG_ATTR_STRING = 3,
  SEG_ATTR_TENSOR = 4,
  SEG_ATTR_GRAPH = 5,
  SEG_ATTR_FLOATS = 6,
  SEG_ATTR_INTS = 7,
  SEG_ATTR_STRINGS = 8,
  SEG_ATTR_OTHER = 0, /* sparse tensors, types, lists of tensors or graphs: name only */
} SegAttrType;

typedef struct {
  char *name;
  SegAttrType type;
  float f;
  gint64 i;
  char *s; /* NUL-terminated copy */
  SegTensor *t;
  SegModelGraph *g;
  guint n; /* entries in floats, ints or strings */
  float *floats;
  gint64 *ints;
  char **strings; /* NULL-terminated */
} SegAttr;

typedef struct {
  char *name; /* the file's, or "Conv_12" made from type and position where it has none */
  char *op_type;
  char *domain; /* "" for ai.onnx */
  guint n_inputs, n_outputs, n_attrs;
  char **inputs;  /* NULL-terminated */
  char **outputs; /* NULL-terminated */
  SegAttr *attrs;
} SegModelNode;

/* A graph input or output, or a value_info entry. */
typedef struct {
  char *name;
  SegDType dtype;     /* UNDEFINED when the file does not say */
  gboolean has_shape; /* FALSE: rank unknown too */
  guint rank;
  gint64 dims[SEG_MAX_RANK];     /* -1: free */
  char *dim_names[SEG_MAX_RANK]; /* dim_param of a free dimension, or NULL */
} SegModelValue;

typedef struct {
  char *name;
  SegTensor *tensor;
} SegModelInit;

struct _SegModelGraph {
  char *name;
  guint n_nodes, n_inputs, n_outputs, n_inits, n_values;
  SegModelNode *nodes;   /* in file order, which need not be topological */
  SegModelValue *inputs; /* without those that are also initialisers */
  SegModelValue *outputs;
  SegModelInit *inits;
  SegModelValue *values; /* value_info */
};

typedef struct {
  guint opset; /* of ai.onnx */
  gint64 ir_version;
  char *producer;       /* name and version, or "" */
  GHashTable *metadata; /* metadata_props: char * -> char * */
  SegModelGraph graph;
  /*< private >*/
  gint ref_count;
} SegModel;

/* Finds a model by path, or by name in the folders of VKSEG_MODEL_PATH, the user's data folder
 * (vkseg/models in it) and the system's: NAME/NAME.onnx, then NAME.onnx. The error says where it
 * looked. */
char *seg_model_find (const char *model, GError **error);

/* Reads a model. External tensor data is looked for in the file's own folder and its
 * sub-folders; a path that leaves it (absolute, "..", or a symbolic link out) is refused.
 * Files are mapped, and larger tensors stay in there for as long as the model lives: replace a file by renaming
 * another over it. Who writes into it changes weights, and who makes it shorter ends the process.
 * Errors: SEG_ERROR_FILE, SEG_ERROR_MODEL, SEG_ERROR_UNSUPPORTED (opset outside 7..21, element
 * types that vkseg does not know, model functions), SEG_ERROR_MEMORY. */
SegModel *seg_model_load (const char *path, GError **error);
/* The same from memory; `dir` is where external data lives, or NULL to refuse any. */
SegModel *seg_model_parse (GBytes *bytes, const char *dir, GError **error);
/* The same as load, shared by all in this process who have the file as it is now (of external data only
 * the names count). To be given back, which drops the reference; NULL is allowed. */
SegModel *seg_model_get (const char *path, GError **error);
void seg_model_put (SegModel **model);
SegModel *seg_model_ref (SegModel *model);
void seg_model_unref (SegModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegModel, seg_model_unref)

/* One serialised TensorProto, as in the test data of ONNX. */
SegTensor *seg_model_parse_tensor (GBytes *bytes, GError **error);

/* Attribute of a node by name, NULL if absent. */
const SegAttr *seg_model_node_attr (const SegModelNode *node, const char *name);

G_END_DECLS
