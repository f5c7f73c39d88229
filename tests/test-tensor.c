/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tensor.h"

#include <math.h>
#include <string.h>

static const SegDType dtypes[] = { SEG_DTYPE_F32, SEG_DTYPE_U8, SEG_DTYPE_I8,
  SEG_DTYPE_U16, SEG_DTYPE_I16, SEG_DTYPE_I32, SEG_DTYPE_I64, SEG_DTYPE_BOOL,
  SEG_DTYPE_F16, SEG_DTYPE_F64, SEG_DTYPE_U32, SEG_DTYPE_U64, SEG_DTYPE_BF16 };

static gboolean
same (double a, double b)
{
  return isnan (a) ? isnan (b) : a == b;
}

static SegTensor *
tensor_of (SegDType dtype, gsize n)
{
  SegDesc desc = { dtype, 1, { n } };
  g_autoptr (GError) error = NULL;
  SegTensor *tensor = seg_tensor_new (&desc, &error);

  g_assert_no_error (error);
  return tensor;
}

static void
expect_n_elems (gint64 want, guint rank, const gint64 *dims)
{
  SegDesc desc = { SEG_DTYPE_F32, rank };
  g_autofree char *text = NULL;

  if (rank > 0)
    memcpy (desc.dims, dims, MIN (rank, SEG_MAX_RANK) * sizeof *dims);
  text = seg_desc_to_string (&desc);
  if (seg_desc_n_elems (&desc) != want)
    g_test_fail_printf ("%s: %" G_GINT64_FORMAT " elements, want %" G_GINT64_FORMAT, text,
        seg_desc_n_elems (&desc), want);
}

static void
test_desc (void)
{
  const SegDesc desc = { SEG_DTYPE_F16, 4, { 1, 3, 224, 225 } };
  const SegDesc scalar = { SEG_DTYPE_I64, 0 };
  g_autofree char *text = seg_desc_to_string (&desc);
  g_autofree char *scalar_text = seg_desc_to_string (&scalar);
  const gint64 big = (gint64) 1 << 40;

  g_assert_cmpstr (text, ==, "float16[1,3,224,225]");
  g_assert_cmpstr (scalar_text, ==, "int64[]");
  expect_n_elems (1, 0, NULL);
  expect_n_elems (6, 2, (gint64[]){ 2, 3 });
  expect_n_elems (0, 3, (gint64[]){ G_MAXINT64, 0, G_MAXINT64 });
  expect_n_elems (-1, 2, (gint64[]){ 0, -1 });
  expect_n_elems (big, 1, (gint64[]){ big });
  expect_n_elems (-1, 1, (gint64[]){ big + 1 });
  expect_n_elems (-1, 2, (gint64[]){ big, 2 });
  /* products that come out small, or as 0, in 64 bits */
  expect_n_elems (-1, 2, (gint64[]){ (gint64) 1 << 32, (gint64) 1 << 32 });
  expect_n_elems (-1, 3, (gint64[]){ G_MAXINT64, G_MAXINT64, 1 });
  expect_n_elems (-1, SEG_MAX_RANK + 1, (gint64[SEG_MAX_RANK]){ 0 });
}

static void
test_dtypes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    const char *name = seg_dtype_name (dtypes[i]);
    gsize bits = strcmp (name, "bool") == 0
                     ? 8
                     : g_ascii_strtoull (strpbrk (name, "0123456789"), NULL, 10);

    if (seg_dtype_bytes (dtypes[i]) * 8 != bits)
      g_test_fail_printf (
          "%s has %" G_GSIZE_FORMAT " bytes", name, seg_dtype_bytes (dtypes[i]));
    if (seg_dtype_is_float (dtypes[i]) != (strstr (name, "float") != NULL))
      g_test_fail_printf ("%s is, or is not, floating point", name);
  }
  for (int i = -2; i < 40; i++) /* none of these may read past a table */
    if (!seg_dtype_name ((SegDType) i) || seg_dtype_bytes ((SegDType) i) > 8)
      g_test_fail_printf ("type %d", i);
  g_assert_cmpuint (seg_dtype_bytes (SEG_DTYPE_STRING), ==, 0);
}

static void
expect_no_tensor (SegDType dtype, gint64 dim, int code)
{
  SegDesc desc = { dtype, 2, { dim, 2 } };
  g_autoptr (GError) error = NULL;
  g_autoptr (SegTensor) tensor = seg_tensor_new (&desc, &error);
  g_autofree char *text = seg_desc_to_string (&desc);

  if (tensor || !g_error_matches (error, SEG_ERROR, code))
    g_test_fail_printf ("%s: %s", text, error ? error->message : "no error");
}

static void
test_new (void)
{
  g_autoptr (SegTensor) tensor = tensor_of (SEG_DTYPE_F32, 5);
  g_autoptr (SegTensor) empty = tensor_of (SEG_DTYPE_I64, 0);

  g_assert_cmpuint (tensor->n_bytes, ==, 20);
  for (gsize i = 0; i < 20; i++)
    g_assert_cmpuint (((guint8 *) tensor->data)[i], ==, 0);
  g_assert_cmpuint (empty->n_bytes, ==, 0);
  g_assert_nonnull (empty->data);
  expect_no_tensor (SEG_DTYPE_STRING, 1, SEG_ERROR_MODEL);
  expect_no_tensor (SEG_DTYPE_UNDEFINED, 1, SEG_ERROR_MODEL);
  expect_no_tensor ((SegDType) -7, 1, SEG_ERROR_MODEL);
  expect_no_tensor (SEG_DTYPE_F32, -1, SEG_ERROR_MODEL);
  expect_no_tensor (SEG_DTYPE_F32, (gint64) 1 << 62, SEG_ERROR_MODEL);
  expect_no_tensor (SEG_DTYPE_U8, ((gint64) 1 << 30) + 1, SEG_ERROR_MEMORY);
  expect_no_tensor (SEG_DTYPE_F64, (gint64) 1 << 27 | 1, SEG_ERROR_MEMORY);
}

/* `skip` bytes into memory that is aligned for everything */
static SegTensor *
from_bytes (SegDType dtype, gint64 n, gsize skip, gsize n_bytes, gconstpointer *data,
    GError **error)
{
  static const guint64 memory[] = { 0x0807060504030201, 0x100f0e0d0c0b0a09, 7 };
  g_autoptr (GBytes) bytes = g_bytes_new_static ((const guint8 *) memory + skip, n_bytes);
  SegDesc desc = { dtype, 1, { n } };

  *data = g_bytes_get_data (bytes, NULL);
  return seg_tensor_new_from_bytes (&desc, bytes, error);
}

static void
test_from_bytes (void)
{
  g_autoptr (GError) error = NULL;
  gconstpointer data;

  for (gsize skip = 0; skip < 8; skip++) {
    g_autoptr (SegTensor) tensor = from_bytes (SEG_DTYPE_F32, 2, skip, 8, &data, &error);

    g_assert_no_error (error);
    if (seg_tensor_bytes (tensor) != data || (tensor->data == data) != (skip % 4 == 0)
        || (tensor->data == NULL) != (skip % 4 != 0))
      g_test_fail_printf (
          "float32 at offset %" G_GSIZE_FORMAT " is not shared, or copied at once", skip);
    g_assert_cmpmem (seg_tensor_data (tensor), 8, data, 8);
    g_assert_cmpuint ((guintptr) seg_tensor_data (tensor) % 4, ==, 0);
    g_assert_true (seg_tensor_data (tensor) == tensor->data);
  }
  for (gsize skip = 0; skip < 8; skip++) {
    g_autoptr (SegTensor) tensor = from_bytes (SEG_DTYPE_I32, 2, skip, 8, &data, &error);

    g_assert_no_error (error);
    if ((tensor->data == data) != (skip % 4 == 0) || tensor->data == NULL)
      g_test_fail_printf ("int32 at offset %" G_GSIZE_FORMAT
                          " is not shared, or not copied at once",
          skip);
    g_assert_cmpmem (tensor->data, 8, data, 8);
  }
  for (gsize n_bytes = 0; n_bytes <= 9; n_bytes++) {
    g_autoptr (GError) wrong = NULL;
    g_autoptr (SegTensor) tensor =
        from_bytes (SEG_DTYPE_I32, 2, 0, n_bytes, &data, &wrong);

    if ((tensor != NULL) != (n_bytes == 8)
        || (!tensor && !g_error_matches (wrong, SEG_ERROR, SEG_ERROR_MODEL)))
      g_test_fail_printf ("int32[2] from %" G_GSIZE_FORMAT " bytes", n_bytes);
  }
}

static void
test_bools (void)
{
  g_autoptr (GError) error = NULL;
  gconstpointer data;
  g_autoptr (SegTensor) clean = from_bytes (SEG_DTYPE_BOOL, 1, 0, 1, &data, &error);
  g_autoptr (SegTensor) dirty = from_bytes (SEG_DTYPE_BOOL, 3, 0, 3, &data, &error);

  g_assert_no_error (error);
  g_assert_true (clean->data == data);
  g_assert_cmpmem (dirty->data, 3, "\1\1\1", 3);
}

static void
test_reshape (void)
{
  g_autoptr (GError) error = NULL;
  SegTensor *tensor = tensor_of (SEG_DTYPE_I16, 12);
  g_autoptr (SegTensor) shaped =
      seg_tensor_reshape (tensor, 2, (gint64[]){ 3, 4 }, &error);
  g_autoptr (SegTensor) again =
      seg_tensor_reshape (shaped, 3, (gint64[]){ 2, 6, 1 }, &error);
  g_autoptr (SegTensor) equal =
      seg_tensor_reshape (again, 3, (gint64[]){ 2, 6, 1 }, &error);

  g_assert_no_error (error);
  g_assert_true (shaped->data == tensor->data && again->data == tensor->data);
  g_assert_true (equal == again);
  seg_tensor_set_int (tensor, 11, -5);
  seg_tensor_unref (tensor); /* the memory lives on */
  g_assert_cmpint (seg_tensor_get_int (again, 11), ==, -5);
  g_assert_cmpuint (again->n_bytes, ==, 24);
  g_assert_null (seg_tensor_reshape (again, 2, (gint64[]){ 3, 5 }, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_MODEL);
}

/* --- numbers --------------------------------------------------------------------------- */

/* Nearest multiple of the format's step around v, ties to even: rounding spelled with doubles
 * instead of bits. `digits` counts the leading one; steps do not go below 2^min_exp. */
static double
rounded (double v, int digits, int min_exp, double largest)
{
  int exponent;
  double step, r;

  if (v == 0 || !isfinite (v))
    return v;
  frexp (v, &exponent);
  step = ldexp (1, MAX (exponent - digits, min_exp));
  r = rint (v / step) * step;
  return fabs (r) > largest ? copysign (INFINITY, v) : r;
}

static void
test_half (void)
{
  for (guint h = 0; h < 0x10000; h++) {
    float f = seg_half_to_float (h);
    guint exponent = h >> 10 & 0x1f, mantissa = h & 0x3ff;
    double want = exponent == 0x1f ? (mantissa ? NAN : INFINITY)
                  : exponent == 0  ? ldexp (mantissa, -24)
                                   : ldexp (1024 + mantissa, (int) exponent - 25);

    if (!same (f, h & 0x8000 ? -want : want))
      g_test_fail_printf ("half %04x is %g, want %g", h, f, want);
    if (isnan (f) ? (seg_half_from_float (f) & 0x7fff) <= 0x7c00
                  : seg_half_from_float (f) != h)
      g_test_fail_printf ("half %04x comes back as %04x", h, seg_half_from_float (f));
  }
}

static void
expect_half (float f)
{
  double want = rounded (f, 11, -24, 65504);
  float got = seg_half_to_float (seg_half_from_float (f));

  if (!same (got, want) || signbit (got) != signbit (f))
    g_test_fail_printf ("%.9g (%a) as half is %.9g, want %.9g", f, f, got, want);
}

static void
test_half_rounding (void)
{
  for (guint h = 0; h < 0x7c00;
       h++) { /* each half, the ties between, and their neighbours */
    float low = seg_half_to_float (h),
          high = h == 0x7bff ? 65536 : seg_half_to_float (h + 1);
    float tie = (low + high) / 2;

    expect_half (tie);
    expect_half (-tie);
    expect_half (nextafterf (tie, INFINITY));
    expect_half (nextafterf (tie, 0));
    expect_half (nextafterf (-low, INFINITY));
  }
  for (guint i = 0; i < 200000; i++) {
    guint32 bits = g_test_rand_int ();
    float f;

    memcpy (&f, &bits, sizeof f);
    if (!isnan (f))
      expect_half (f);
  }
  expect_half (INFINITY);
}

/* What each type makes of a double. */
static double
want_double (SegDType dtype, double v)
{
  gsize bits = 8 * seg_dtype_bytes (dtype);
  gboolean is_unsigned = seg_dtype_name (dtype)[0] == 'u';
  double low = is_unsigned ? 0 : -ldexp (1, bits - 1);
  double end = ldexp (1, is_unsigned ? bits : bits - 1); /* first that does not fit */

  switch ((int) dtype) {
  case SEG_DTYPE_F64: return v;
  case SEG_DTYPE_F32: return rounded (v, 24, -149, 0x1.fffffep127);
  case SEG_DTYPE_F16: return rounded (v, 11, -24, 65504);
  case SEG_DTYPE_BF16: return rounded (v, 8, -133, 0x1.fep127);
  case SEG_DTYPE_BOOL: return v != 0;
  }
  if (isnan (v))
    return 0;
  if (v <= low)
    return low;
  if (v >= end) /* as a double, the largest 64-bit number is `end` */
    return bits == 64 ? end : end - 1;
  return trunc (v);
}

static const double doubles[] = { 0, -0.0, 0.5, -0.5, 0.99999, -0.99999, 1, -1, 1.5, 2.5,
  100.7, -100.7, 127, 127.9, 128, -128, -128.9, -129, 255, 255.9, 256, 32767, 32768,
  -32768, -32769, 65504, 65519.99, 65520, 65535, 65536, 1e6, 16777217, 2147483647,
  2147483648, -2147483648.0, -2147483649.0, 4294967295, 4294967296, 9007199254740994,
  9.2233720368547748e18, 9.2233720368547758e18, -9.2233720368547758e18,
  1.8446744073709550e19, 1.8446744073709552e19, 1e30, -1e30, 3.4e38, 3.5e38, -1e300, 1e-5,
  5.9e-8, 2.98e-8, 1e-40, 1e-300,
  0x1.0020000000001p0, /* above a tie of half that float cannot tell from it */
  0x1.0100000000001p0, /* the same for bfloat16 */
  INFINITY, -INFINITY, NAN };

static void
test_doubles (void)
{
  for (guint t = 0; t < G_N_ELEMENTS (dtypes); t++) {
    g_autoptr (SegTensor) tensor = tensor_of (dtypes[t], 3);

    for (guint i = 0; i < G_N_ELEMENTS (doubles); i++) {
      double want = want_double (dtypes[t], doubles[i]), got;

      seg_tensor_set_double (tensor, 1, doubles[i]);
      got = seg_tensor_get_double (tensor, 1);
      if (!same (got, want))
        g_test_fail_printf ("%.17g as %s is %.17g, want %.17g", doubles[i],
            seg_dtype_name (dtypes[t]), got, want);
      if (seg_tensor_get_int (tensor, 0) != 0 || seg_tensor_get_int (tensor, 2) != 0)
        g_test_fail_printf ("setting %s writes beside", seg_dtype_name (dtypes[t]));
    }
  }
}

static const gint64 integers[] = { 0, 1, -1, 2, 127, 128, 129, -127, -128, -129, 255, 256,
  257, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483648LL,
  -2147483649LL, 4294967295, 4294967296, G_GINT64_CONSTANT (9007199254740993), G_MAXINT64,
  G_MAXINT64 - 1, G_MININT64, G_MININT64 + 1 };

/* What an integer type keeps: the low bits. */
static gint64
want_int (SegDType dtype, gint64 v)
{
  guint shift = 64 - 8 * seg_dtype_bytes (dtype);
  guint64 up = (guint64) v << shift;

  if (dtype == SEG_DTYPE_BOOL)
    return v != 0;
  return seg_dtype_name (dtype)[0] == 'u' ? (gint64) (up >> shift) : (gint64) up >> shift;
}

static void
test_ints (void)
{
  for (guint t = 0; t < G_N_ELEMENTS (dtypes); t++) {
    g_autoptr (SegTensor) tensor = tensor_of (dtypes[t], 3);

    for (guint i = 0; i < G_N_ELEMENTS (integers); i++) {
      gint64 v = integers[i];

      seg_tensor_set_int (tensor, 1, v);
      if (seg_dtype_is_float (dtypes[t])) {
        double got = seg_tensor_get_double (tensor, 1);

        if (!same (got, want_double (dtypes[t], (double) v)))
          g_test_fail_printf (
              "%" G_GINT64_FORMAT " as %s is %.17g", v, seg_dtype_name (dtypes[t]), got);
      } else if (seg_tensor_get_int (tensor, 1) != want_int (dtypes[t], v)) {
        g_test_fail_printf ("%" G_GINT64_FORMAT " as %s is %" G_GINT64_FORMAT
                            ", want %" G_GINT64_FORMAT,
            v, seg_dtype_name (dtypes[t]), seg_tensor_get_int (tensor, 1),
            want_int (dtypes[t], v));
      }
    }
  }
}

/* Enough elements that a conversion has more than one block. */
static void
check_convert (SegDType from, SegDType to)
{
  const gsize n = 1111;
  g_autoptr (SegTensor) tensor = tensor_of (from, n), converted = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ints = !seg_dtype_is_float (from) && !seg_dtype_is_float (to);

  for (gsize i = 0; i < n; i++)
    if (seg_dtype_is_float (from))
      seg_tensor_set_double (tensor, i, doubles[i % G_N_ELEMENTS (doubles)]);
    else
      seg_tensor_set_int (tensor, i, integers[i % G_N_ELEMENTS (integers)]);
  converted = seg_tensor_convert (tensor, to, &error);
  g_assert_no_error (error);
  if (from == to)
    g_assert_true (converted == tensor);
  for (gsize i = 0; i < n; i++) {
    double v = seg_tensor_get_double (tensor, i),
           got = seg_tensor_get_double (converted, i);
    double want = want_double (to, v);

    if (ints ? seg_tensor_get_int (converted, i)
                   != want_int (to, seg_tensor_get_int (tensor, i))
             : !same (got, want))
      g_test_fail_printf ("%s to %s, element %" G_GSIZE_FORMAT
                          ": %.17g is %.17g, want %.17g",
          seg_dtype_name (from), seg_dtype_name (to), i, v, got, want);
  }
}

static void
test_convert (void)
{
  g_autoptr (SegTensor) tensor = tensor_of (SEG_DTYPE_F32, 1);
  g_autoptr (GError) error = NULL;

  for (guint a = 0; a < G_N_ELEMENTS (dtypes); a++)
    for (guint b = 0; b < G_N_ELEMENTS (dtypes); b++)
      check_convert (dtypes[a], dtypes[b]);
  g_assert_null (seg_tensor_convert (tensor, SEG_DTYPE_STRING, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_MODEL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/desc", test_desc);
  g_test_add_func ("/base/dtypes", test_dtypes);
  g_test_add_func ("/base/new", test_new);
  g_test_add_func ("/base/from-bytes", test_from_bytes);
  g_test_add_func ("/base/bools", test_bools);
  g_test_add_func ("/base/reshape", test_reshape);
  g_test_add_func ("/base/half", test_half);
  g_test_add_func ("/base/half-rounding", test_half_rounding);
  g_test_add_func ("/base/doubles", test_doubles);
  g_test_add_func ("/base/ints", test_ints);
  g_test_add_func ("/base/convert", test_convert);
  return g_test_run ();
}
