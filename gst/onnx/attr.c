/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/private.h"

#include <string.h>

/* Which kinds of content an attribute has, as bits of SegAttrType. A zero counts as nothing:
 * some writers leave it out, others write it always. */
static guint
contents (const Onnx__AttributeProto *p)
{
  gboolean other = p->sparse_tensor || p->tp || p->n_tensors || p->n_graphs
                   || p->n_sparse_tensors || p->n_type_protos;

  return (p->f != 0) << SEG_ATTR_FLOAT | (p->i != 0) << SEG_ATTR_INT
         | (p->s.len > 0) << SEG_ATTR_STRING | (p->t != NULL) << SEG_ATTR_TENSOR
         | (p->g != NULL) << SEG_ATTR_GRAPH | (p->n_floats > 0) << SEG_ATTR_FLOATS
         | (p->n_ints > 0) << SEG_ATTR_INTS | (p->n_strings > 0) << SEG_ATTR_STRINGS
         | other << SEG_ATTR_OTHER;
}

/* Files from before IR version 2 do not name the type. */
static SegAttrType
guess_type (const Onnx__AttributeProto *p, guint found)
{
  if (found != 0)
    return g_bit_nth_lsf (found, -1);
  if (p->has_f)
    return SEG_ATTR_FLOAT;
  if (p->has_i)
    return SEG_ATTR_INT;
  return p->has_s ? SEG_ATTR_STRING : SEG_ATTR_OTHER;
}

static gboolean
find_type (SegAttr *attr, const Onnx__AttributeProto *p, GError **error)
{
  guint found = contents (p);

  if (!p->has_type || p->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
    attr->type = guess_type (p, found);
  else if (p->type >= ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
           && p->type <= ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS)
    attr->type = (SegAttrType) p->type;
  else
    attr->type = SEG_ATTR_OTHER;

  if (found & ~(1u << attr->type)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "contents do not belong to the attribute's type (%d)", (int) p->type);
    return FALSE;
  }
  if (p->ref_attr_name && *p->ref_attr_name) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "refers to an attribute of a function, but is in none");
    return FALSE;
  }
  if ((attr->type == SEG_ATTR_TENSOR && !p->t)
      || (attr->type == SEG_ATTR_GRAPH && !p->g)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "has no %s",
        attr->type == SEG_ATTR_TENSOR ? "tensor" : "graph");
    return FALSE;
  }
  return TRUE;
}

static char *
dup_bytes (const ProtobufCBinaryData *bytes)
{
  return bytes->len > 0 ? g_strndup ((const char *) bytes->data, bytes->len)
                        : g_strdup ("");
}

static void
read_strings (SegAttr *attr, const Onnx__AttributeProto *p)
{
  attr->n = p->n_strings;
  attr->strings = g_new0 (char *, p->n_strings + 1);
  for (gsize i = 0; i < p->n_strings; i++)
    attr->strings[i] = dup_bytes (&p->strings[i]);
}

gboolean
seg_attr_from_proto (
    SegAttr *attr, Onnx__AttributeProto *p, SegExternal *external, GError **error)
{
  attr->name = seg_dup_string (p->name);
  if (!find_type (attr, p, error))
    return FALSE;
  switch (attr->type) {
  case SEG_ATTR_FLOAT: attr->f = p->f; break;
  case SEG_ATTR_INT: attr->i = p->i; break;
  case SEG_ATTR_STRING: attr->s = dup_bytes (&p->s); break;
  case SEG_ATTR_TENSOR:
    attr->t = seg_tensor_from_proto (p->t, external, error);
    return attr->t != NULL;
  case SEG_ATTR_GRAPH:
    attr->g = g_new0 (SegModelGraph, 1);
    return seg_model_graph_from_proto (attr->g, p->g, external, error);
  case SEG_ATTR_FLOATS:
    attr->n = p->n_floats;
    attr->floats = g_memdup2 (p->floats, p->n_floats * sizeof (float));
    break;
  case SEG_ATTR_INTS:
    attr->n = p->n_ints;
    attr->ints = g_memdup2 (p->ints, p->n_ints * sizeof (gint64));
    break;
  case SEG_ATTR_STRINGS: read_strings (attr, p); break;
  case SEG_ATTR_OTHER: break;
  }
  return TRUE;
}

void
seg_attr_clear (SegAttr *attr)
{
  g_free (attr->name);
  g_free (attr->s);
  seg_tensor_unref (attr->t);
  if (attr->g)
    seg_model_graph_clear (attr->g);
  g_free (attr->g);
  g_free (attr->floats);
  g_free (attr->ints);
  g_strfreev (attr->strings);
}
