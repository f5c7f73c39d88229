/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/wire.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

typedef struct {
  const guint8 *start; /* of the file, for offsets in messages */
  guint n_fields, depth;
} Walk;

typedef struct {
  const guint8 *at, *end;
} Span;

static gboolean
fail (const Walk *walk, const Span *span, const ProtobufCMessageDescriptor *message,
    const char *what, GError **error)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "not an ONNX file, or a damaged one: %s at byte %" G_GSIZE_FORMAT " (in a %s)",
      what, (gsize) (span->at - walk->start), message->short_name);
  return FALSE;
}

static gboolean
read_varint (Span *span, guint64 *value)
{
  *value = 0;
  for (guint shift = 0; shift < 64 && span->at < span->end; shift += 7) {
    guint8 byte = *span->at++;

    *value |= (guint64) (byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return TRUE;
  }
  return FALSE;
}

/* The contents of a field: `span` moves past it, `content` is what a length came before. */
static gboolean
read_content (Span *span, guint wire_type, Span *content)
{
  gsize left;
  guint64 n;

  if (wire_type == WIRE_VARINT)
    return read_varint (span, &n);
  if (wire_type == WIRE_64BIT)
    n = 8;
  else if (wire_type == WIRE_32BIT)
    n = 4;
  else if (wire_type != WIRE_BYTES || !read_varint (span, &n))
    return FALSE;
  left = span->end - span->at;
  if (n > left)
    return FALSE;
  *content = (Span){ span->at, span->at + n };
  span->at += n;
  return TRUE;
}

/* What is wrong with a string, or NULL. Metadata may have many lines; a doc_string is never
 * read. */
static const char *
find_fault (const ProtobufCMessageDescriptor *message,
    const ProtobufCFieldDescriptor *field, const Span *content)
{
  gsize n = content->end - content->at;

  if (strcmp (field->name, "doc_string") == 0)
    return NULL;
  if (!g_utf8_validate_len ((const char *) content->at, n, NULL))
    return "a string that is not UTF-8";
  if (strcmp (message->short_name, "StringStringEntryProto") == 0)
    return NULL;
  for (gsize i = 0; i < n; i++)
    if (g_ascii_iscntrl (content->at[i]))
      return "a name with control characters";
  return NULL;
}

static gboolean check_message (
    Walk *walk, const ProtobufCMessageDescriptor *message, Span span, GError **error);

static gboolean
check_field (Walk *walk, const ProtobufCMessageDescriptor *message, Span *span,
    guint64 *seen, GError **error)
{
  const ProtobufCFieldDescriptor *field;
  Span start = *span, content;
  const char *fault = NULL;
  guint64 tag, bit;

  if (!read_varint (span, &tag) || tag >> 3 == 0 || tag > G_MAXUINT32)
    return fail (walk, &start, message, "no valid field", error);
  if (!read_content (span, tag & 7, &content))
    return fail (
        walk, &start, message, "a field that is cut off or of unknown kind", error);
  if (++walk->n_fields > SEG_WIRE_MAX_FIELDS)
    return fail (walk, &start, message, "an absurd number of fields", error);

  field = protobuf_c_message_descriptor_get_field (message, tag >> 3);
  if (!field || (tag & 7) != WIRE_BYTES)
    return TRUE;
  if (field->type == PROTOBUF_C_TYPE_STRING)
    fault = find_fault (message, field, &content);
  if (fault)
    return fail (walk, &start, message, fault, error);
  if (field->type != PROTOBUF_C_TYPE_MESSAGE)
    return TRUE;
  bit = 1ull << ((field - message->fields) & 63);
  if (field->label != PROTOBUF_C_LABEL_REPEATED && (*seen & bit))
    return fail (walk, &start, message, "a second value for a single field", error);
  *seen |= bit;
  return check_message (walk, field->descriptor, content, error);
}

static gboolean
check_message (
    Walk *walk, const ProtobufCMessageDescriptor *message, Span span, GError **error)
{
  guint64 seen = 0;

  if (walk->depth == SEG_WIRE_MAX_DEPTH)
    return fail (walk, &span, message, "graphs or types nested too deeply", error);
  walk->depth++;
  while (span.at < span.end)
    if (!check_field (walk, message, &span, &seen, error))
      return FALSE;
  walk->depth--;
  return TRUE;
}

gboolean
seg_wire_check (const ProtobufCMessageDescriptor *message, GBytes *bytes, GError **error)
{
  gsize n;
  const guint8 *data = g_bytes_get_data (bytes, &n);
  Walk walk = { .start = data };

  if (n > G_MAXINT32) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%" G_GSIZE_FORMAT " bytes are more than an ONNX file can have (2 GiB): "
        "save the model with its weights as external data",
        n);
    return FALSE;
  }
  return n == 0 || check_message (&walk, message, (Span){ data, data + n }, error);
}

/* --- without the weights ------------------------------------------------------------------------- */

typedef struct {
  guint8 *data;
  gsize n_bytes, room;
  gboolean no_memory; /* then nothing more is appended */
} Outline;

static void
append (Outline *to, const guint8 *bytes, gsize n)
{
  if (n > to->room - to->n_bytes) {
    gsize room = MAX (to->n_bytes + n, 2 * to->room);
    guint8 *data = to->no_memory ? NULL : g_try_realloc (to->data, room);

    to->no_memory = data == NULL;
    if (to->no_memory)
      return;
    to->data = data;
    to->room = room;
  }
  if (n > 0 && !to->no_memory)
    memcpy (to->data + to->n_bytes, bytes, n);
  to->n_bytes += to->no_memory ? 0 : n;
}

static void
append_varint (Outline *to, guint64 value)
{
  guint8 bytes[10];
  guint n = 0;

  for (; value >= 0x80; value >>= 7)
    bytes[n++] = (value & 0x7f) | 0x80;
  bytes[n++] = value;
  append (to, bytes, n);
}

#define LENGTH_BYTES 5 /* as many as protobuf-c takes */

/* A varint in all of them, of what has come behind it. */
static void
fill_in_length (Outline *to, gsize at)
{
  gsize n = to->n_bytes - at - LENGTH_BYTES;

  for (guint i = 0; i < LENGTH_BYTES; i++, n >>= 7)
    to->data[at + i] = (n & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0);
}

static void outline_message (const guint8 *start,
    const ProtobufCMessageDescriptor *message, Span span, Outline *to);

static void
outline_content (const guint8 *start, const ProtobufCFieldDescriptor *field,
    const Span *content, Outline *to)
{
  static const guint8 length[LENGTH_BYTES];
  SegWirePlace place = { content->at - start, content->end - content->at };
  gsize at;

  append_varint (to, field->id << 3 | WIRE_BYTES);
  at = to->n_bytes;
  if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
    append_varint (to, sizeof place);
    append (to, (const guint8 *) &place, sizeof place);
    return;
  }
  append (to, length, LENGTH_BYTES);
  outline_message (start, field->descriptor, *content, to);
  if (!to->no_memory)
    fill_in_length (to, at);
}

static void
outline_message (const guint8 *start, const ProtobufCMessageDescriptor *message,
    Span span, Outline *to)
{
  const guint8 *rest = span.at; /* not written yet */

  while (span.at < span.end) {
    const guint8 *field_start = span.at;
    const ProtobufCFieldDescriptor *field;
    Span content = { NULL, NULL };
    guint64 tag;

    if (!read_varint (&span, &tag) || !read_content (&span, tag & 7, &content))
      break;
    field = protobuf_c_message_descriptor_get_field (message, tag >> 3);
    if (field
        && ((tag & 7) != WIRE_BYTES /* protobuf-c says what is wrong */
            || content.at == content.end
            || (field->type != PROTOBUF_C_TYPE_MESSAGE
                && strcmp (field->name, "raw_data") != 0)))
      continue;
    append (to, rest, field_start - rest);
    rest = span.at;
    if (field) /* nobody reads others */
      outline_content (start, field, &content, to);
  }
  append (to, rest, span.end - rest);
}

GBytes *
seg_wire_outline (
    const ProtobufCMessageDescriptor *message, GBytes *bytes, GError **error)
{
  Outline to = { 0 };
  gsize n;
  const guint8 *data = g_bytes_get_data (bytes, &n);

  if (n > 0)
    outline_message (data, message, (Span){ data, data + n }, &to);
  if (!to.no_memory)
    return g_bytes_new_take (to.data, to.n_bytes);
  g_free (to.data);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
      "no memory for what an ONNX file of %" G_GSIZE_FORMAT " bytes has beside weights",
      n);
  return NULL;
}
