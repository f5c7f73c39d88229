/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tests' own tools must be able to say no. */
#include "lib/compare.h"
#include "lib/onnx-writer.h"
#include "lib/tap.h"
#include "ops/case-model.h"

#include <math.h>
#include <string.h>

static SegTensor *
vector (SegDType dtype, guint n, const double *values)
{
  SegDesc desc = { .dtype = dtype, .rank = 1, .dims = { n } };
  SegTensor *t = seg_tensor_new (&desc, NULL);

  for (guint i = 0; i < n; i++)
    seg_tensor_set_double (t, i, values[i]);
  return t;
}

static void
test_compare (SegTap *tap)
{
  const double n = NAN, inf = INFINITY;
  const SegTolerance relative = { .relative = 1e-3 };
  const SegTolerance absolute = { .absolute = 1e-3 };
  const SegTolerance to_largest = { .relative = 1e-3, .to_largest = TRUE };
  const SegTolerance half = { .relative = 1e-3, .half = TRUE };
  const struct {
    SegDType dtype;
    double got[3], want[3];
    const SegTolerance *tolerance;
    gboolean match;
  } cases[] = {
    { SEG_DTYPE_F32, { 1, 2, 3 }, { 1, 2, 3 }, &relative, TRUE },
    { SEG_DTYPE_F32, { 1, 2, 3.0029 }, { 1, 2, 3 }, &relative, TRUE },
    { SEG_DTYPE_F32, { 1, 2, 3.0031 }, { 1, 2, 3 }, &relative, FALSE },
    { SEG_DTYPE_F32, { 0, 0, 1e-9 }, { 0, 0, 0 }, &relative, FALSE },
    { SEG_DTYPE_F32, { 0, 0, 9e-4 }, { 0, 0, 0 }, &absolute, TRUE },
    { SEG_DTYPE_F32, { 0.05, 0, 100 }, { 0, 0, 100 }, &to_largest, TRUE },
    { SEG_DTYPE_F32, { 0.15, 0, 100 }, { 0, 0, 100 }, &to_largest, FALSE },
    { SEG_DTYPE_F32, { 0.15, 0, inf }, { 0, 0, inf }, &to_largest, FALSE },
    { SEG_DTYPE_F32, { n, inf, -inf }, { n, inf, -inf }, &relative, TRUE },
    { SEG_DTYPE_F32, { n, 0, 0 }, { 0, 0, 0 }, &relative, FALSE },
    { SEG_DTYPE_F32, { 0, 0, 0 }, { n, 0, 0 }, &relative, FALSE },
    { SEG_DTYPE_F32, { inf, 0, 0 }, { -inf, 0, 0 }, &relative, FALSE },
    { SEG_DTYPE_F32, { inf, 0, 0 }, { 1e30, 0, 0 }, &relative, FALSE },
    { SEG_DTYPE_F32, { inf, 65504, 0 }, { 7e4, 7e4, 0 }, &half, TRUE },
    { SEG_DTYPE_F32, { -inf, 0, 0 }, { 7e4, 0, 0 }, &half, FALSE },
    { SEG_DTYPE_I64, { 1, 2, 3 }, { 1, 2, 3 }, &relative, TRUE },
    { SEG_DTYPE_I64, { 1, 2, 10001 }, { 1, 2, 10000 }, &relative, FALSE },
    { SEG_DTYPE_BOOL, { 1, 0, 1 }, { 1, 0, 0 }, &relative, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (SegTensor) got = vector (cases[i].dtype, 3, cases[i].got);
    g_autoptr (SegTensor) want = vector (cases[i].dtype, 3, cases[i].want);
    g_autofree char *bad = seg_compare (got, want, cases[i].tolerance);
    g_autofree char *name = g_strdup_printf ("compare %u", i);
    seg_tap_result (tap, (bad == NULL) == cases[i].match, name, bad);
  }
}

static void
test_compare_desc (SegTap *tap)
{
  const double values[4] = { 0 };
  const SegTolerance tolerance = { .absolute = 1 };
  g_autoptr (SegTensor) a = vector (SEG_DTYPE_F32, 3, values);
  g_autoptr (SegTensor) b = vector (SEG_DTYPE_F32, 4, values);
  g_autoptr (SegTensor) c = vector (SEG_DTYPE_F16, 3, values);
  g_autofree char *size = seg_compare (a, b, &tolerance);
  g_autofree char *type = seg_compare (a, c, &tolerance);

  seg_tap_result (tap, size != NULL, "compare: another size", size);
  seg_tap_result (tap, type != NULL, "compare: another type", type);
}

static void
test_bad_notation (SegTap *tap)
{
  static const SegCase cases[] = {
    { "Relu", NULL, "f32[2,3" },
    { "Relu", NULL, "f31[2,3]" },
    { "Relu", NULL, "f32[2.5]" },
    { "Relu", NULL, "f32[1,1,1,1,1,1,1,1,1]" },
    { "Relu", NULL, "f32[2](1)" },
    { "Relu", NULL, "f32[2]f32[2]" },
    { "Relu", NULL, "f32" },
    { "Relu", NULL, "f32{1;2}" },
    { "Relu", "axis", "f32[2]" },
    { "Relu", "axis=", "f32[2]" },
    { "Relu", "mode='x", "f32[2]" },
    { "Relu", "axes=[1,x]", "f32[2]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (SegCaseModel) model = { NULL };
    g_autoptr (GError) error = NULL;
    g_autofree char *name = g_strdup_printf ("notation: '%s' '%s' is refused",
        cases[i].attrs ? cases[i].attrs : "", cases[i].inputs);
    gboolean ok = seg_case_model_make (&cases[i], 1, FALSE, &model, &error);
    seg_tap_result (tap, !ok, name, ok ? NULL : error->message);
  }
}

static void
test_notation (SegTap *tap)
{
  const SegCase c = { "com.example.Any",
    "a=3 b=-0.5 c=[1,-2] d=[1.5,2] e='two words' f=f32{1,2} g=i64=7",
    "f32[2,3](0.5,2) - i64{4,-5} f32[2]! f32=inf u8[64]", 2, 13 };
  g_auto (SegCaseModel) m = { NULL };
  g_autoptr (GError) error = NULL;
  gboolean ok = seg_case_model_make (&c, 1, TRUE, &m, &error);
  const SegModelNode *node = ok ? &m.model->graph.nodes[0] : NULL;

  seg_tap_result (tap, ok, "notation: taken", ok ? NULL : error->message);
  if (!ok)
    return;
  seg_tap_result (tap,
      strcmp (node->domain, "com.example") == 0 && strcmp (node->op_type, "Any") == 0
          && node->n_inputs == 6 && node->n_outputs == 2 && node->inputs[1][0] == '\0'
          && m.model->opset == 13 && m.inputs->len == 2 && m.model->graph.n_inits == 3,
      "notation: node, inputs and outputs", NULL);
  seg_tap_result (tap,
      seg_model_node_attr (node, "a")->i == 3
          && seg_model_node_attr (node, "b")->f == -0.5f
          && seg_model_node_attr (node, "c")->ints[1] == -2
          && seg_model_node_attr (node, "d")->floats[0] == 1.5f
          && strcmp (seg_model_node_attr (node, "e")->s, "two words") == 0
          && seg_tensor_get_double (seg_model_node_attr (node, "f")->t, 1) == 2
          && seg_model_node_attr (node, "g")->t->desc.rank == 0,
      "notation: attributes", NULL);
  const SegTensor *x = g_ptr_array_index (m.inputs, 0);
  ok = TRUE;
  for (guint i = 0; i < 6; i++) {
    float v = (float) seg_tensor_get_double (x, i);
    ok &= v >= 0.5f && v <= 2 && seg_half_to_float (seg_half_from_float (v)) == v;
  }
  seg_tap_result (tap, ok, "notation: range, and rounded to fp16", NULL);
  seg_tap_result (tap,
      isinf (seg_tensor_get_double (m.model->graph.inits[2].tensor, 0))
          && seg_tensor_get_int (m.model->graph.inits[0].tensor, 1) == -5,
      "notation: values", NULL);
}

int
main (void)
{
  SegTap tap = { 0 };

  test_compare (&tap);
  test_compare_desc (&tap);
  test_bad_notation (&tap);
  test_notation (&tap);
  return seg_tap_finish (&tap);
}
