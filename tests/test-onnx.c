/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the loader makes of well-formed files, and which contradictions it refuses. */
#include "lib/model-walk.h"
#include "lib/onnx-writer.h"

#include <string.h>

static SegModel *
parse (GByteArray *graph, GError **error)
{
  g_autoptr (GBytes) bytes = seg_pb_model (graph, 13, NULL);

  return seg_model_parse (bytes, NULL, error);
}

/* Ends with a message unless `error` is of this code and mentions `text`. */
static void
expect_error (const char *what, gconstpointer result, const GError *error, int code,
    const char *text)
{
  if (result)
    g_test_fail_printf ("%s: was not refused", what);
  else if (error->domain != SEG_ERROR || error->code != code
           || !strstr (error->message, text))
    g_test_fail_printf ("%s: error %d '%s', want %d '...%s...'", what, error->code,
        error->message, code, text);
}

/* A message of fields written as "1=5 2:text 3{...}": = integer, ~ float, : string, { message;
 * the field numbers are those of onnx.proto. */
static const char *
write_fields (GByteArray *m, const char *text)
{
  while (*text && *text != '}') {
    char *end;
    guint field = g_ascii_strtoull (text, &end, 10);
    char kind = *end++;

    if (kind == '=') {
      seg_pb_int (m, field, g_ascii_strtoll (end, &end, 10));
    } else if (kind == '~') {
      seg_pb_float (m, field, g_ascii_strtod (end, &end));
    } else if (kind == ':') {
      gsize n = strcspn (end, " }");
      seg_pb_bytes (m, field, end, n);
      end += n;
    } else {
      GByteArray *sub = g_byte_array_new ();

      g_assert_cmpint (kind, ==, '{');
      end = (char *) write_fields (sub, end) + 1;
      seg_pb_message (m, field, sub);
    }
    text = end + strspn (end, " ");
  }
  return text;
}

static GByteArray *
fields (const char *text)
{
  GByteArray *m = g_byte_array_new ();

  g_assert_cmpint (*write_fields (m, text), ==, 0);
  return m;
}

/* A whole ModelProto in that notation. */
static SegModel *
parse_text (const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (fields (text));
  SegModel *model = seg_model_parse (bytes, NULL, error);

  if (model)
    seg_test_model_walk (model);
  return model;
}

typedef struct {
  const char *text;
  int code; /* -1: accepted */
  const char *message;
} Case;

static void
run_cases (const Case *cases, guint n, const char *format)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *text = g_strdup_printf (format, cases[i].text);
    g_autoptr (GError) error = NULL;
    g_autoptr (SegModel) model = parse_text (text, &error);

    if (cases[i].code >= 0)
      expect_error (text, model, error, cases[i].code, cases[i].message);
    else if (!model)
      g_test_fail_printf ("%s: refused: %s", text, error->message);
  }
}

/* --- tensors --------------------------------------------------------------------------- */

static const SegDType dtypes[] = { SEG_DTYPE_F32, SEG_DTYPE_U8, SEG_DTYPE_I8,
  SEG_DTYPE_U16, SEG_DTYPE_I16, SEG_DTYPE_I32, SEG_DTYPE_I64, SEG_DTYPE_BOOL,
  SEG_DTYPE_F16, SEG_DTYPE_F64, SEG_DTYPE_U32, SEG_DTYPE_U64, SEG_DTYPE_BF16 };

static SegTensor *
random_tensor (SegDType dtype)
{
  const SegDesc desc = { dtype, 3, { 2, 3, 5 } };
  SegTensor *tensor = seg_tensor_new (&desc, NULL);

  for (gsize i = 0; i < tensor->n_bytes; i++)
    ((guint8 *) tensor->data)[i] =
        g_test_rand_int () & (dtype == SEG_DTYPE_BOOL ? 1 : 0xff);
  return tensor;
}

static void
append_varint (GByteArray *m, guint64 v)
{
  do {
    guint8 byte = (v & 0x7f) | (v > 0x7f ? 0x80 : 0);

    g_byte_array_append (m, &byte, 1);
    v >>= 7;
  } while (v != 0);
}

/* The bits of element i as the typed list has them; *n_bytes 0: as a varint. */
static guint64
list_element (const SegTensor *tensor, gsize i, guint *field, gsize *n_bytes)
{
  gsize size = seg_dtype_bytes (tensor->desc.dtype);
  guint64 v = 0;

  memcpy (&v, (const guint8 *) seg_tensor_data (tensor) + i * size, size);
  *n_bytes = 0;
  switch ((int) tensor->desc.dtype) {
  case SEG_DTYPE_F32: *field = 4, *n_bytes = 4; return v;
  case SEG_DTYPE_F64: *field = 10, *n_bytes = 8; return v;
  case SEG_DTYPE_U32:
  case SEG_DTYPE_U64: *field = 11; return v;
  case SEG_DTYPE_I64: *field = 7; return v;
  case SEG_DTYPE_F16:
  case SEG_DTYPE_BF16: *field = 5; return v; /* bits, not a number */
  default: *field = 5; return (guint64) seg_tensor_get_int (tensor, i);
  }
}

static void
write_list (GByteArray *m, const SegTensor *tensor, gboolean packed)
{
  GByteArray *list = g_byte_array_new ();
  guint field = 0;

  for (gsize i = 0; i < (gsize) seg_desc_n_elems (&tensor->desc); i++) {
    gsize n_bytes;
    guint64 v = list_element (tensor, i, &field, &n_bytes);

    if (!packed)
      append_varint (list, field << 3 | (n_bytes == 8 ? 1 : n_bytes == 4 ? 5 : 0));
    if (n_bytes > 0)
      g_byte_array_append (list, (const guint8 *) &v, n_bytes);
    else
      append_varint (list, v);
  }
  if (packed)
    seg_pb_bytes (m, field, list->data, list->len);
  else
    g_byte_array_append (m, list->data, list->len);
  g_byte_array_unref (list);
}

static void
check_tensor (const char *form, const SegTensor *want, GByteArray *proto)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (proto);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegTensor) got = seg_model_parse_tensor (bytes, &error);
  g_autofree char *text = seg_desc_to_string (&want->desc);

  if (!got)
    g_test_fail_printf ("%s as %s: %s", text, form, error->message);
  else if (got->desc.dtype != want->desc.dtype
           || !seg_desc_same_dims (&got->desc, &want->desc)
           || memcmp (seg_tensor_data (got), seg_tensor_data (want), want->n_bytes) != 0)
    g_test_fail_printf ("%s as %s comes back different", text, form);
}

static void
test_storage (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    g_autoptr (SegTensor) tensor = random_tensor (dtypes[i]);
    GByteArray *packed = fields ("1=2 1=3 1=5"), *single = fields ("1=2 1=3 1=5");

    seg_pb_int (packed, 2, dtypes[i]);
    write_list (packed, tensor, TRUE);
    seg_pb_int (single, 2, dtypes[i]);
    write_list (single, tensor, FALSE);
    check_tensor ("packed list", tensor, packed);
    check_tensor ("list", tensor, single);
    check_tensor ("raw data", tensor, seg_pb_tensor (NULL, tensor));
  }
}

/* Small raw data survive a file that is written over; large ones are the file's. */
static void
test_written_over (void)
{
  static const gint64 sizes[] = { 1, 64 << 10, (64 << 10) + 1 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const SegDesc desc = { SEG_DTYPE_U8, 1, { sizes[i] } };
    g_autoptr (SegTensor) zeros = seg_tensor_new (&desc, NULL), read = NULL;
    g_autoptr (GByteArray) file = seg_pb_tensor (NULL, zeros);
    g_autoptr (GBytes) bytes = g_bytes_new_static (file->data, file->len);
    g_autoptr (GError) error = NULL;

    read = seg_model_parse_tensor (bytes, &error);
    g_assert_no_error (error);
    memset (file->data, 1, file->len);
    g_assert_cmpint (seg_tensor_get_int (read, sizes[i] - 1), ==, i == 2);
  }
}

/* A tensor as an attribute of a node; fields as in onnx.proto: 1 dims, 2 type, 4 floats,
 * 5 int32s, 7 int64s, 9 raw data, 13 external data, 14 location */
static void
test_tensors (void)
{
  const Case cases[] = {
    { "2=1 9:abcd", -1 },
    { "1=2 2=6 5=1 5=-1", -1 },
    { "1=0 2=1", -1 },
    { "1=0 1=4611686018427387904 2=1", -1 },
    { "1=3 2=9 9:abc", -1 },
    { "1=1 1=1 1=1 1=1 1=1 1=1 1=1 1=1 2=2 9:x", -1 },
    { "1=2 2=10 5=65535 5=-32768", -1 },
    { "1=4 9:abcd", SEG_ERROR_UNSUPPORTED, "undefined (0)" },
    { "1=4 2=8 6:a", SEG_ERROR_UNSUPPORTED, "string" },
    { "1=1 2=14 4~1 4~1", SEG_ERROR_UNSUPPORTED, "complex64" },
    { "1=4 2=17 9:abcd", SEG_ERROR_UNSUPPORTED, "(17)" },
    { "1=4 2=-3 9:abcd", SEG_ERROR_UNSUPPORTED, "(-3)" },
    { "1=4 2=2000000000 9:abcd", SEG_ERROR_UNSUPPORTED, "(2000000000)" },
    { "1=1 1=1 1=1 1=1 1=1 1=1 1=1 1=1 1=1 2=2 9:x", SEG_ERROR_UNSUPPORTED,
        "9 dimensions" },
    { "1=-4 2=1 9:abcd", SEG_ERROR_MODEL, "negative" },
    { "1=4294967296 1=4294967296 2=1 9:abcd", SEG_ERROR_MODEL, "absurdly large" },
    { "1=9223372036854775807 2=2 9:abcd", SEG_ERROR_MODEL, "absurdly large" },
    { "1=1099511627776 2=1", SEG_ERROR_MODEL, "comes with 0 elements" },
    { "1=1099511627776 2=12 11=1", SEG_ERROR_MODEL, "comes with 1 elements" },
    { "1=1099511627776 2=1 9:abcd", SEG_ERROR_MODEL, "but there are 4" },
    { "1=2 2=1", SEG_ERROR_MODEL, "comes with 0 elements" },
    { "1=2 2=1 9:abcde", SEG_ERROR_MODEL, "needs 8 bytes of data, but there are 5" },
    { "1=2 2=6 5=1 5=2 5=3", SEG_ERROR_MODEL, "comes with 3 elements" },
    { "1=1 2=6 4~1", SEG_ERROR_MODEL, "another type than int32" },
    { "1=1 2=7 5=1", SEG_ERROR_MODEL, "another type than int64" },
    { "1=1 2=1 4~1 5=1", SEG_ERROR_MODEL, "more than one place" },
    { "1=1 2=1 4~1 9:abcd", SEG_ERROR_MODEL, "more than one place" },
    { "1=1 2=1 9:abcd 14=1", SEG_ERROR_MODEL, "more than one place" },
    { "1=1 2=1 9:abcd 3{1=0 2=1}", SEG_ERROR_UNSUPPORTED, "segments" },
    { "1=1 2=2 5=256", SEG_ERROR_MODEL, "element 0 is 256, not possible for uint8" },
    { "1=1 2=3 5=-129", SEG_ERROR_MODEL, "not possible for int8" },
    { "1=1 2=4 5=-1", SEG_ERROR_MODEL, "not possible for uint16" },
    { "1=1 2=9 5=2", SEG_ERROR_MODEL, "not possible for bool" },
    { "1=1 2=10 5=65536", SEG_ERROR_MODEL, "not possible for float16" },
    { "1=2 2=12 11=1 11=4294967296", SEG_ERROR_MODEL, "element 1 is 4294967296" },
    { "1=1 2=12 11=-1", SEG_ERROR_MODEL, "not possible for uint32" },
    { "1=1 2=1 14=1 13{1:location 2:w}", SEG_ERROR_FILE, "folder is not known" },
    { "1=1 2=1 14=1", SEG_ERROR_FILE, "without a location" },
  };

  run_cases (cases, G_N_ELEMENTS (cases),
      "1=8 8{2=13} 7{1{3:n 4:Constant 5{1:value 20=4 5{%s}}}}");
}

/* --- attributes ------------------------------------------------------------------------ */

static void
test_attributes (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = parse_text (
      "1=8 8{2=13} 7{1{4:Op 5{1:f 20=1 2~-2.5} 5{1:i 20=2 3=-7} 5{1:s 20=3 4:same_upper} "
      "5{1:t 20=4 5{1=1 2=6 5=9}} 5{1:g 20=5 6{2:inner 1{4:If 2:y}}} 5{1:fs 20=6 7~1 "
      "7~2} 5{1:is 20=7 8=1 8=2 8=-3} 5{1:ss 20=8 9:a 9: 9:bc} 5{1:gs 20=10 11{2:x}} "
      "5{1:old 3=4} 5{1:zero 20=2} 5{1:none 20=7}}}",
      &error);
  const SegModelNode *node;

  g_assert_no_error (error);
  node = &model->graph.nodes[0];
  g_assert_cmpuint (node->n_attrs, ==, 12);
  g_assert_cmpfloat (seg_model_node_attr (node, "f")->f, ==, -2.5);
  g_assert_cmpint (seg_model_node_attr (node, "i")->i, ==, -7);
  g_assert_cmpstr (seg_model_node_attr (node, "s")->s, ==, "same_upper");
  g_assert_cmpint (seg_tensor_get_int (seg_model_node_attr (node, "t")->t, 0), ==, 9);
  g_assert_cmpstr (seg_model_node_attr (node, "g")->g->name, ==, "inner");
  g_assert_cmpstr (seg_model_node_attr (node, "g")->g->nodes[0].outputs[0], ==, "y");
  g_assert_cmpuint (seg_model_node_attr (node, "fs")->n, ==, 2);
  g_assert_cmpfloat (seg_model_node_attr (node, "fs")->floats[1], ==, 2);
  g_assert_cmpuint (seg_model_node_attr (node, "is")->n, ==, 3);
  g_assert_cmpint (seg_model_node_attr (node, "is")->ints[2], ==, -3);
  g_assert_cmpuint (seg_model_node_attr (node, "ss")->n, ==, 3);
  g_assert_cmpstr (seg_model_node_attr (node, "ss")->strings[2], ==, "bc");
  g_assert_cmpint (seg_model_node_attr (node, "gs")->type, ==, SEG_ATTR_OTHER);
  g_assert_cmpint (seg_model_node_attr (node, "old")->type, ==, SEG_ATTR_INT);
  g_assert_cmpint (seg_model_node_attr (node, "old")->i, ==, 4);
  g_assert_cmpint (seg_model_node_attr (node, "zero")->i, ==, 0);
  g_assert_cmpuint (seg_model_node_attr (node, "none")->n, ==, 0);
  g_assert_null (seg_model_node_attr (node, "absent"));
}

static void
test_attribute_errors (void)
{
  const Case cases[] = {
    { "5{1:a 20=1 2~1 3=0}", -1 }, /* a zero is nothing */
    { "5{1:a 20=99}", -1 },
    { "5{1:a}", -1 },
    { "5{1:a 20=1 3=1}", SEG_ERROR_MODEL,
        "node 'n' (Op): attribute 'a': contents do not" },
    { "5{1:a 20=2 2~1}", SEG_ERROR_MODEL, "contents do not belong" },
    { "5{1:a 20=7 8=1 3=1}", SEG_ERROR_MODEL, "contents do not belong" },
    { "5{1:a 20=6 8=1}", SEG_ERROR_MODEL, "contents do not belong" },
    { "5{1:a 20=3 9:x}", SEG_ERROR_MODEL, "contents do not belong" },
    { "5{1:a 20=5 5{2=1}}", SEG_ERROR_MODEL, "contents do not belong" },
    { "5{1:a 20=99 3=1}", SEG_ERROR_MODEL, "contents do not belong" },
    { "5{1:a 3=1 2~1}", SEG_ERROR_MODEL, "contents do not belong" },
    { "5{1:a 20=4}", SEG_ERROR_MODEL, "has no tensor" },
    { "5{1:a 20=5}", SEG_ERROR_MODEL, "has no graph" },
    { "5{1:a 20=2 21:other}", SEG_ERROR_MODEL, "of a function" },
    { "5{20=2 3=1}", SEG_ERROR_MODEL, "has no name" },
    { "5{1:a 20=2} 5{1:a 20=2}", SEG_ERROR_MODEL, "'a' occurs twice" },
    { "5{1:a 20=4 5{1=1 2=8 6:x}}", SEG_ERROR_UNSUPPORTED, "string" },
    { "5{1:a 20=5 6{1{3:m}}}", SEG_ERROR_MODEL,
        "attribute 'a': node 'm' has no operator" },
  };

  run_cases (cases, G_N_ELEMENTS (cases), "1=8 8{2=13} 7{1{3:n 4:Op %s}}");
}

/* --- models ---------------------------------------------------------------------------- */

static void
test_model (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = parse_text (
      "1=7 2:maker 3:1.2 8{1:com.other 2=77} 8{1:ai.onnx 2=13} 14{1:k 2:v} 14{1:e} "
      "7{2:main 5{8:w 1=2 2=1 9:abcdefgh} 11{1:w 2{1{1=1}}} 11{1:x 2{1{1=10 2{1{1=1} "
      "1{2:height} 1{} 1{1=-1} 1{1=0}}}}} 11{1:unknown 2{1{1=1}}} 12{1:y} 13{1:a 2{4{}}} "
      "13{1:b 2{1{1=8}}} 13{1:c 2{1{1=1 2{1{1=3}}}}} 1{4:Conv 1:x 1:w 1: 2:a 2: 2:b "
      "7:ai.onnx} 1{4:Relu 3:act 1:a 2:y 7:com.other} 1{4:Add}}",
      &error);
  const SegModelGraph *graph;

  g_assert_no_error (error);
  graph = &model->graph;
  g_assert_cmpuint (model->opset, ==, 13);
  g_assert_cmpint (model->ir_version, ==, 7);
  g_assert_cmpstr (model->producer, ==, "maker 1.2");
  g_assert_cmpstr (g_hash_table_lookup (model->metadata, "k"), ==, "v");
  g_assert_cmpstr (g_hash_table_lookup (model->metadata, "e"), ==, "");
  g_assert_cmpstr (graph->name, ==, "main");
  g_assert_cmpuint (graph->n_inits, ==, 1);
  g_assert_cmpmem (seg_tensor_data (graph->inits[0].tensor), 8, "abcdefgh", 8);

  g_assert_cmpuint (graph->n_inputs, ==, 2); /* w is an initialiser */
  g_assert_cmpstr (graph->inputs[0].name, ==, "x");
  g_assert_cmpint (graph->inputs[0].dtype, ==, SEG_DTYPE_F16);
  g_assert_cmpuint (graph->inputs[0].rank, ==, 5);
  g_assert_cmpmem (graph->inputs[0].dims, 40, ((gint64[]){ 1, -1, -1, -1, 0 }), 40);
  g_assert_cmpstr (graph->inputs[0].dim_names[1], ==, "height");
  g_assert_null (graph->inputs[0].dim_names[2]);
  g_assert_false (graph->inputs[1].has_shape);
  g_assert_cmpint (graph->outputs[0].dtype, ==, SEG_DTYPE_UNDEFINED);
  g_assert_cmpuint (graph->n_values, ==, 3);
  g_assert_cmpint (graph->values[1].dtype, ==, SEG_DTYPE_UNDEFINED);
  g_assert_cmpint (graph->values[2].dims[0], ==, 3);

  g_assert_cmpuint (graph->n_nodes, ==, 3);
  g_assert_cmpstr (graph->nodes[0].name, ==, "Conv_0");
  g_assert_cmpstr (graph->nodes[0].domain, ==, "");
  g_assert_cmpuint (graph->nodes[0].n_inputs, ==, 3);
  g_assert_cmpstr (graph->nodes[0].inputs[2], ==, "");
  g_assert_cmpuint (graph->nodes[0].n_outputs, ==, 3);
  g_assert_cmpstr (graph->nodes[1].name, ==, "act");
  g_assert_cmpstr (graph->nodes[1].domain, ==, "com.other");
  g_assert_cmpstr (graph->nodes[2].name, ==, "Add_2");
}

static void
test_model_errors (void)
{
  const Case cases[] = {
    { "1=3 8{2=13} 7{}", -1 }, { "1=3 8{2=7} 7{}", -1 }, { "1=10 8{2=21} 7{}", -1 },
    { "1=8 8{2=13} 8{1:ai.onnx 2=13} 7{}", -1 },
    { "1=8 8{1:ai.onnx.ml 2=99} 8{1: 2=13} 7{}", -1 },
    { "1=8 8{2=13} 7{} 20{} 99:unknown 77=1", -1 },
    { "", SEG_ERROR_MODEL, "not an ONNX model" },
    { "8{2=13} 7{}", SEG_ERROR_MODEL, "no version or no graph" },
    { "1=8 8{2=13}", SEG_ERROR_MODEL, "no version or no graph" },
    { "1=8 7{}", SEG_ERROR_MODEL, "which operator set" },
    { "1=8 8{1:ai.onnx.ml 2=3} 7{}", SEG_ERROR_MODEL, "which operator set" },
    { "1=8 8{} 7{}", SEG_ERROR_MODEL, "which operator set" },
    { "1=8 8{2=6} 7{}", SEG_ERROR_UNSUPPORTED, "version 6, but 7 to 21" },
    { "1=8 8{2=22} 7{}", SEG_ERROR_UNSUPPORTED, "version 22, but 7 to 21" },
    { "1=8 8{2=-13} 7{}", SEG_ERROR_UNSUPPORTED, "version -13" },
    { "1=8 8{2=4294967309} 7{}", SEG_ERROR_UNSUPPORTED, "version 4294967309" },
    { "1=8 8{2=13} 8{1:ai.onnx 2=14} 7{}", SEG_ERROR_MODEL, "two operator set" },
    { "1=8 8{2=13} 7{} 25{}", SEG_ERROR_UNSUPPORTED, "functions" },
    { "1=8 8{2=13} 7{} 14{1:k 2:a} 14{1:k 2:b}", SEG_ERROR_MODEL, "'k' occurs twice" },
    { "1=8 8{2=13} 7{} 7{}", SEG_ERROR_MODEL, "second value for a single field" },
    { "1=8 8{2=13} 7=5", SEG_ERROR_MODEL, "wrong type" },
    { "1:x 8{2=13} 7{}", SEG_ERROR_MODEL, "wrong type" },
    { "1=8 8{2=13} 2:\xff\xfe 7{}", SEG_ERROR_MODEL, "not UTF-8" },
    { "1=8 8{2=13} 7{2:a\nb}", SEG_ERROR_MODEL, "a name with control characters" },
    { "1=8 8{2=13} 7{1{4:A 2:\x1b[2J}}", SEG_ERROR_MODEL,
        "a name with control characters" },
    { "1=8 8{2=13} 7{} 14{1:k 2:a\nb}", -1 },
    { "1=8 8{2=13} 6:\xff\xfe 7{}", -1 }, /* a doc_string */
  };

  run_cases (cases, G_N_ELEMENTS (cases), "%s");
}

static void
test_graph_errors (void)
{
  const Case cases[] = {
    { "1{4:A 1:x 2:y} 1{4:B 1:y 2:z} 11{1:x} 12{1:z}", -1 },
    { "1{3:same 4:A 2:y} 1{3:same 4:B 2:z}", -1 },
    { "1{4:A 2: 2:} 1{4:B 2:}", -1 },
    { "13{1:v} 13{1:v}", -1 },
    { "13{1:v 2{1{1=1 2{1{} 1{} 1{} 1{} 1{} 1{} 1{} 1{} 1{}}}}}", -1 },
    { "11{1:x 2{1{1=1 2{1{1=9223372036854775807} 1{1=9223372036854775807}}}}}", -1 },
    { "1{3:n}", SEG_ERROR_MODEL, "no operator type" },
    { "1{4:A 2:y} 1{4:B 2:y}", SEG_ERROR_MODEL,
        "node 'B_1' (B): value 'y' is defined twice" },
    { "1{4:A 2:y 2:y}", SEG_ERROR_MODEL, "defined twice" },
    { "11{1:x} 1{4:A 2:x}", SEG_ERROR_MODEL, "defined twice" },
    { "11{1:x} 11{1:x}", SEG_ERROR_MODEL, "input 'x' is defined twice" },
    { "5{8:w 1=0 2=1} 5{8:w 1=0 2=1}", SEG_ERROR_MODEL,
        "initialiser 'w' is defined twice" },
    { "5{8:w 1=0 2=1} 1{4:A 2:w}", SEG_ERROR_MODEL, "defined twice" },
    { "5{1=0 2=1}", SEG_ERROR_MODEL, "initialiser '' has no name" },
    { "5{8:w 1=1 2=1}", SEG_ERROR_MODEL, "initialiser 'w': float32[1] comes with 0" },
    { "11{}", SEG_ERROR_MODEL, "input '': has no name" },
    { "12{2{1{1=1}}}", SEG_ERROR_MODEL, "output '': has no name" },
    { "11{1:x 2{4{1{1{1=1}}}}}", SEG_ERROR_UNSUPPORTED, "input 'x': is a sequence" },
    { "12{1:y 2{5{1=7}}}", SEG_ERROR_UNSUPPORTED, "output 'y': is a sequence, map" },
    { "11{1:x 2{1{1=8}}}", SEG_ERROR_UNSUPPORTED, "string" },
    { "11{1:x 2{1{1=1 2{1{} 1{} 1{} 1{} 1{} 1{} 1{} 1{} 1{}}}}}", SEG_ERROR_UNSUPPORTED,
        "9 dimensions" },
    { "15{1{8:w}}", SEG_ERROR_UNSUPPORTED, "sparse" },
  };

  run_cases (cases, G_N_ELEMENTS (cases), "1=8 8{2=13} 7{%s}");
}

static void
test_ref (void)
{
  g_autoptr (SegModel) model = parse (g_byte_array_new (), NULL);
  SegModel *other = seg_model_ref (model);

  g_assert_true (other == model);
  seg_model_unref (other);
  g_assert_cmpuint (seg_test_model_walk (model), ==, 0);
  seg_model_unref (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/storage", test_storage);
  g_test_add_func ("/onnx/written-over", test_written_over);
  g_test_add_func ("/onnx/tensors", test_tensors);
  g_test_add_func ("/onnx/attributes", test_attributes);
  g_test_add_func ("/onnx/attribute-errors", test_attribute_errors);
  g_test_add_func ("/onnx/model", test_model);
  g_test_add_func ("/onnx/model-errors", test_model_errors);
  g_test_add_func ("/onnx/graph-errors", test_graph_errors);
  g_test_add_func ("/onnx/ref", test_ref);
  return g_test_run ();
}
