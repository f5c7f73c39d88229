/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

#define SEG_MAX_RANK 8

/* Element types, with the values of ONNX's TensorProto.DataType. */
typedef enum {
  SEG_DTYPE_UNDEFINED = 0,
  SEG_DTYPE_F32 = 1,
  SEG_DTYPE_U8 = 2,
  SEG_DTYPE_I8 = 3,
  SEG_DTYPE_U16 = 4,
  SEG_DTYPE_I16 = 5,
  SEG_DTYPE_I32 = 6,
  SEG_DTYPE_I64 = 7,
  SEG_DTYPE_STRING = 8, /* recognised so that it can be refused by name */
  SEG_DTYPE_BOOL = 9,   /* one byte, 0 or 1 */
  SEG_DTYPE_F16 = 10,
  SEG_DTYPE_F64 = 11,
  SEG_DTYPE_U32 = 12,
  SEG_DTYPE_U64 = 13,
  SEG_DTYPE_BF16 = 16,
} SegDType;

const char *seg_dtype_name (SegDType dtype);  /* "float16", "int64", ... */
gsize seg_dtype_bytes (SegDType dtype);       /* 0 for types without a size */
gboolean seg_dtype_is_float (SegDType dtype); /* F16, BF16, F32, F64 */

/* What a tensor is, without its contents. dims has `rank` entries; rank 0 is a scalar.
 * A dimension of 0 is an empty tensor and legal. */
typedef struct {
  SegDType dtype;
  guint rank;
  gint64 dims[SEG_MAX_RANK];
} SegDesc;

/* Number of elements, or -1 if a dimension is negative or the product passes 2^40. */
gint64 seg_desc_n_elems (const SegDesc *desc);
gboolean seg_desc_same_dims (const SegDesc *a, const SegDesc *b);
/* "float32[1,3,224,224]", newly allocated. */
char *seg_desc_to_string (const SegDesc *desc);

/* A tensor in host memory: row-major, contiguous, native byte order. Reference counted
 * (thread-safe); the contents are written by whoever made it and constant once shared. */
typedef struct {
  SegDesc desc;
  gsize n_bytes;
  gpointer data; /* of a tensor that one has made; else seg_tensor_data */
  /*< private >*/
  GBytes
      *owner; /* set when the contents belong to these bytes: then they are read-only */
  gconstpointer unaligned; /* in owner: data is NULL until somebody reads them */
  gint ref_count;
} SegTensor;

/* New tensor, zeroed. Fails with SEG_ERROR_MEMORY past 2 GiB or when memory is short, with
 * SEG_ERROR_MODEL when a dimension is negative or the type has no size. */
SegTensor *seg_tensor_new (const SegDesc *desc, GError **error);
/* Shares `bytes` (a new reference is taken), which must be exactly as long as desc says. Where they are not
 * aligned for its type they are copied, which can fail as seg_tensor_new; floats not before seg_tensor_data is
 * called, since packing weights does without. */
SegTensor *seg_tensor_new_from_bytes (const SegDesc *desc, GBytes *bytes, GError **error);
SegTensor *seg_tensor_ref (SegTensor *tensor);
void seg_tensor_unref (SegTensor *tensor); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegTensor, seg_tensor_unref)

/*< private >*/
gconstpointer seg_tensor_align (const SegTensor *tensor);
/* The contents, for reading. Thread-safe. Ends the process when there is no memory for the copy of floats that
 * are not aligned; seg_tensor_bytes needs none. */
static inline gconstpointer
seg_tensor_data (const SegTensor *tensor)
{
  gconstpointer data = g_atomic_pointer_get ((gpointer *) &tensor->data);
  return data != NULL ? data : seg_tensor_align (tensor);
}
/* The same without a copy, aligned for nothing. */
gconstpointer seg_tensor_bytes (const SegTensor *tensor);
/* For reading floats from there. */
typedef float SegUnalignedFloat __attribute__ ((aligned (1)));

/* Same data under other dimensions (same number of elements); shares memory. */
SegTensor *seg_tensor_reshape (
    SegTensor *tensor, guint rank, const gint64 *dims, GError **error);
/* New tensor of the other type, with ONNX Cast semantics: float to integer truncates
 * (saturating instead of undefined), to bool is != 0. A new reference if already so. */
SegTensor *seg_tensor_convert (SegTensor *tensor, SegDType dtype, GError **error);

/* Element i in row-major order. Any type that has a size; 64-bit integers pass through
 * double exactly only up to 2^53, through int exactly always. */
double seg_tensor_get_double (const SegTensor *tensor, gsize i);
gint64 seg_tensor_get_int (const SegTensor *tensor, gsize i);
void seg_tensor_set_double (
    SegTensor *tensor, gsize i, double v); /* saturates integers */
void seg_tensor_set_int (
    SegTensor *tensor, gsize i, gint64 v); /* wraps narrow integers */

/* IEEE half precision, round to nearest even; values past 65504 become infinite. */
guint16 seg_half_from_float (float f);
float seg_half_to_float (guint16 h);

G_END_DECLS
