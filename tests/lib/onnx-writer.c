/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/onnx-writer.h"

#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

static void
varint (GByteArray *m, guint64 v)
{
  do {
    guint8 byte = (v & 0x7f) | (v > 0x7f ? 0x80 : 0);
    g_byte_array_append (m, &byte, 1);
    v >>= 7;
  } while (v != 0);
}

void
seg_pb_bytes (GByteArray *m, guint field, gconstpointer data, gsize n)
{
  varint (m, field << 3 | LENGTH);
  varint (m, n);
  g_byte_array_append (m, data, (guint) n);
}

void
seg_pb_int (GByteArray *m, guint field, gint64 value)
{
  varint (m, field << 3 | VARINT);
  varint (m, (guint64) value);
}

void
seg_pb_float (GByteArray *m, guint field, float value)
{
  guint32 bits;

  memcpy (&bits, &value, 4);
  bits = GUINT32_TO_LE (bits);
  varint (m, field << 3 | FIXED32);
  g_byte_array_append (m, (const guint8 *) &bits, 4);
}

void
seg_pb_string (GByteArray *m, guint field, const char *value)
{
  seg_pb_bytes (m, field, value, strlen (value));
}

void
seg_pb_message (GByteArray *m, guint field, GByteArray *sub)
{
  seg_pb_bytes (m, field, sub->data, sub->len);
  g_byte_array_unref (sub);
}

GByteArray *
seg_pb_tensor (const char *name, const SegTensor *tensor)
{
  GByteArray *m = g_byte_array_new ();

  for (guint i = 0; i < tensor->desc.rank; i++)
    seg_pb_int (m, 1, tensor->desc.dims[i]);
  seg_pb_int (m, 2, tensor->desc.dtype);
  if (name != NULL)
    seg_pb_string (m, 8, name);
  seg_pb_bytes (m, 9, seg_tensor_data (tensor), tensor->n_bytes);
  return m;
}

GByteArray *
seg_pb_value_info (const char *name, const SegDesc *desc)
{
  GByteArray *m = g_byte_array_new ();

  seg_pb_string (m, 1, name);
  if (desc != NULL) {
    GByteArray *shape = g_byte_array_new (), *tensor = g_byte_array_new ();
    GByteArray *type = g_byte_array_new ();
    for (guint i = 0; i < desc->rank; i++) {
      GByteArray *dim = g_byte_array_new ();
      seg_pb_int (dim, 1, desc->dims[i]);
      seg_pb_message (shape, 1, dim);
    }
    seg_pb_int (tensor, 1, desc->dtype);
    seg_pb_message (tensor, 2, shape);
    seg_pb_message (type, 1, tensor);
    seg_pb_message (m, 2, type);
  }
  return m;
}

static void
import (GByteArray *model, const char *domain, guint version)
{
  GByteArray *m = g_byte_array_new ();

  seg_pb_string (m, 1, domain);
  seg_pb_int (m, 2, version);
  seg_pb_message (model, 8, m);
}

GBytes *
seg_pb_model (GByteArray *graph, guint opset, const char *other_domain)
{
  GByteArray *m = g_byte_array_new ();

  seg_pb_int (m, 1, 8);
  seg_pb_string (m, 2, "vkseg tests");
  import (m, "", opset);
  if (other_domain != NULL && other_domain[0] != '\0')
    import (m, other_domain, 1);
  seg_pb_message (m, 7, graph);
  return g_byte_array_free_to_bytes (m);
}

static guint64
read_varint (const guint8 **p)
{
  guint64 v = 0;

  for (guint shift = 0;; shift += 7) {
    guint8 byte = *(*p)++;
    v |= (guint64) (byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return v;
  }
}

static void
skip_field (const guint8 **p, guint wire_type)
{
  if (wire_type == VARINT) {
    read_varint (p);
  } else if (wire_type == LENGTH) {
    guint64 length = read_varint (p);
    *p += length;
  } else {
    *p += wire_type == FIXED32 ? 4 : 8;
  }
}

/* Copies a message; fields `field` are handed to `change` with the rest of the data. */
typedef void (*Change) (
    GByteArray *out, guint field, const guint8 *contents, gsize n, GByteArray *data);

static GBytes *
copy_message (GBytes *message, guint field, GByteArray *data, Change change)
{
  gsize n;
  const guint8 *p = g_bytes_get_data (message, &n), *end = p + n;
  GByteArray *out = g_byte_array_new ();

  while (p < end) {
    const guint8 *start = p, *contents;
    guint64 key = read_varint (&p), length;
    contents = p;
    skip_field (&p, key & 7);
    if (key == (field << 3 | LENGTH)) {
      length = read_varint (&contents);
      change (out, field, contents, length, data);
    } else {
      g_byte_array_append (out, start, (guint) (p - start));
    }
  }
  return g_byte_array_free_to_bytes (out);
}

static void
extend (GByteArray *out, guint field, const guint8 *contents, gsize n, GByteArray *more)
{
  GByteArray *sub = g_byte_array_new ();

  g_byte_array_append (sub, contents, (guint) n);
  g_byte_array_append (sub, more->data, more->len);
  seg_pb_message (out, field, sub);
}

GBytes *
seg_pb_extend (GBytes *message, guint field, GByteArray *more)
{
  GBytes *out = copy_message (message, field, more, extend);

  g_byte_array_unref (more);
  return out;
}

static void
drop (GByteArray *out, guint field, const guint8 *contents, gsize n, GByteArray *data)
{
}

GBytes *
seg_pb_with_opset (GBytes *model, guint opset)
{
  g_autoptr (GByteArray) m = g_byte_array_new ();
  g_autoptr (GBytes) rest = copy_message (model, 8, NULL, drop);
  gsize n;
  const guint8 *data = g_bytes_get_data (rest, &n);

  g_byte_array_append (m, data, (guint) n);
  import (m, "", opset);
  return g_byte_array_free_to_bytes (g_steal_pointer (&m));
}
