/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/private.h"
#include "onnx/wire.h"

#include <string.h>

/* One of TensorProto's typed lists. `size` is that of an element of the list. */
typedef struct {
  gpointer *data;
  gsize *n, size;
} List;

static List
typed_list (Onnx__TensorProto *p, SegDType dtype)
{
  switch ((int) dtype) {
  case SEG_DTYPE_F32: return (List){ (gpointer *) &p->float_data, &p->n_float_data, 4 };
  case SEG_DTYPE_F64: return (List){ (gpointer *) &p->double_data, &p->n_double_data, 8 };
  case SEG_DTYPE_I64: return (List){ (gpointer *) &p->int64_data, &p->n_int64_data, 8 };
  case SEG_DTYPE_U32:
  case SEG_DTYPE_U64: return (List){ (gpointer *) &p->uint64_data, &p->n_uint64_data, 8 };
  default: return (List){ (gpointer *) &p->int32_data, &p->n_int32_data, 4 };
  }
}

static gboolean
read_desc (SegDesc *desc, const Onnx__TensorProto *proto, GError **error)
{
  *desc = (SegDesc){ .dtype = proto->data_type, .rank = proto->n_dims };
  if (seg_dtype_bytes (desc->dtype) == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "elements of type %s (%d) are not supported", seg_dtype_name (desc->dtype),
        proto->data_type);
    return FALSE;
  }
  if (proto->n_dims > SEG_MAX_RANK) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "%" G_GSIZE_FORMAT " dimensions, at most %d are supported", proto->n_dims,
        SEG_MAX_RANK);
    return FALSE;
  }
  if (desc->rank > 0)
    memcpy (desc->dims, proto->dims, desc->rank * sizeof *desc->dims);
  if (seg_desc_n_elems (desc) < 0) {
    g_autofree char *text = seg_desc_to_string (desc);

    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s has a negative dimension or is absurdly large", text);
    return FALSE;
  }
  return TRUE;
}

/* Bytes that a list had for itself change hands. */
static SegTensor *
take (const SegDesc *desc, gpointer *data, gsize n_bytes, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (data), n_bytes);

  return seg_tensor_new_from_bytes (desc, bytes, error);
}

static void
int_range (SegDType dtype, gint64 *low, gint64 *high)
{
  switch ((int) dtype) {
  case SEG_DTYPE_I8: *low = G_MININT8, *high = G_MAXINT8; break;
  case SEG_DTYPE_U8: *low = 0, *high = G_MAXUINT8; break;
  case SEG_DTYPE_I16: *low = G_MININT16, *high = G_MAXINT16; break;
  case SEG_DTYPE_U16: *low = 0, *high = G_MAXUINT16; break;
  case SEG_DTYPE_U32: *low = 0, *high = G_MAXUINT32; break;
  case SEG_DTYPE_F16: /* bits, which some writers sign-extend */
  case SEG_DTYPE_BF16: *low = G_MININT16, *high = G_MAXUINT16; break;
  default: *low = 0, *high = 1; break; /* bool */
  }
}

/* Elements that are narrower than those of the list they come in. */
static SegTensor *
narrow (const SegDesc *desc, const List *list, GError **error)
{
  g_autoptr (SegTensor) tensor = seg_tensor_new (desc, error);
  gboolean bits = desc->dtype == SEG_DTYPE_F16 || desc->dtype == SEG_DTYPE_BF16;
  gint64 low, high;

  if (!tensor)
    return NULL;
  int_range (desc->dtype, &low, &high);
  for (gsize i = 0; i < *list->n; i++) {
    gint64 v =
        list->size == 4 ? ((gint32 *) *list->data)[i] : ((gint64 *) *list->data)[i];

    if (v < low || v > high) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "element %" G_GSIZE_FORMAT " is %" G_GINT64_FORMAT ", not possible for %s", i,
          v, seg_dtype_name (desc->dtype));
      return NULL;
    }
    if (bits)
      ((guint16 *) tensor->data)[i] = (guint16) v;
    else
      seg_tensor_set_int (tensor, i, v);
  }
  return g_steal_pointer (&tensor);
}

static SegTensor *
from_list (const SegDesc *desc, const List *list, GError **error)
{
  gsize n = *list->n;

  if ((guint64) seg_desc_n_elems (desc) != n) {
    g_autofree char *text = seg_desc_to_string (desc);

    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s comes with %" G_GSIZE_FORMAT " elements", text, n);
    return NULL;
  }
  if (n == 0)
    return seg_tensor_new (desc, error);
  if (list->size != seg_dtype_bytes (desc->dtype))
    return narrow (desc, list, error);
  *list->n = 0;
  return take (desc, list->data, n * list->size, error);
}

/* Data in a place that does not belong to the type would otherwise be overlooked. */
static gboolean
check_storage (const Onnx__TensorProto *p, gsize n_typed, GError **error)
{
  gsize n_all = p->n_float_data + p->n_int32_data + p->n_int64_data + p->n_double_data
                + p->n_uint64_data + p->n_string_data;
  gboolean external = p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  gboolean raw = p->raw_data.len > 0;

  if (p->segment) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "segments are not supported");
    return FALSE;
  }
  if (n_all == n_typed && (n_typed > 0) + external + raw <= 1)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "data of another type than %s, or in more than one place",
      seg_dtype_name (p->data_type));
  return FALSE;
}

SegTensor *
seg_tensor_from_proto (Onnx__TensorProto *proto, SegExternal *external, GError **error)
{
  SegDesc desc;
  List list;

  if (!read_desc (&desc, proto, error))
    return NULL;
  list = typed_list (proto, desc.dtype);
  if (!check_storage (proto, *list.n, error))
    return NULL;

  if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
    g_autoptr (GBytes) bytes = seg_external_get (
        external, proto, seg_desc_n_elems (&desc) * seg_dtype_bytes (desc.dtype), error);

    return bytes ? seg_tensor_new_from_bytes (&desc, bytes, error) : NULL;
  }
  if (proto->raw_data.len > 0) {
    g_autoptr (GBytes) bytes = seg_external_raw (external, proto);

    return seg_tensor_new_from_bytes (&desc, bytes, error);
  }
  return from_list (&desc, &list, error);
}

SegTensor *
seg_model_parse_tensor (GBytes *bytes, GError **error)
{
  const ProtobufCMessageDescriptor *message = &onnx__tensor_proto__descriptor;
  g_autoptr (SegExternal) external = seg_external_new (NULL, bytes);
  g_autoptr (GBytes) outline = NULL;
  Onnx__TensorProto *proto;
  SegTensor *tensor;

  if (!seg_wire_check (message, bytes, error)
      || !(outline = seg_wire_outline (message, bytes, error)))
    return NULL;
  proto = onnx__tensor_proto__unpack (
      NULL, g_bytes_get_size (outline), g_bytes_get_data (outline, NULL));
  if (!proto) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "not an ONNX tensor, or a damaged one");
    return NULL;
  }
  tensor = seg_tensor_from_proto (proto, external, error);
  onnx__tensor_proto__free_unpacked (proto, NULL);
  return tensor;
}
