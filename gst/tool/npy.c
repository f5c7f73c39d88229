/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/npy.h"

#include <string.h>

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "npy.c moves elements as they are: little-endian hosts only"
#endif

#define MAGIC      "\x93NUMPY"
#define MAGIC_LEN  6
#define MAX_HEADER 65536

static const struct {
  const char *descr;
  SegDType dtype;
} dtypes[] = {
  { "<f4", SEG_DTYPE_F32 },
  { "<f2", SEG_DTYPE_F16 },
  { "<f8", SEG_DTYPE_F64 },
  { "|b1", SEG_DTYPE_BOOL },
  { "|i1", SEG_DTYPE_I8 },
  { "|u1", SEG_DTYPE_U8 },
  { "<i2", SEG_DTYPE_I16 },
  { "<u2", SEG_DTYPE_U16 },
  { "<i4", SEG_DTYPE_I32 },
  { "<u4", SEG_DTYPE_U32 },
  { "<i8", SEG_DTYPE_I64 },
  { "<u8", SEG_DTYPE_U64 },
};

/* --- reading ----------------------------------------------------------------------------- */

typedef struct {
  SegDesc desc;
  gboolean fortran;
  gboolean has_descr, has_order, has_shape;
} Header;

static gboolean
refuse (GError **error, const char *what)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s", what);
  return FALSE;
}

static void
skip (const char **p, const char *set)
{
  *p += strspn (*p, set);
}

/* 'text' or "text". */
static char *
scan_string (const char **p)
{
  char quote = **p;
  const char *end = quote == '\'' || quote == '"' ? strchr (*p + 1, quote) : NULL;
  char *s;

  if (end == NULL)
    return NULL;
  s = g_strndup (*p + 1, end - *p - 1);
  *p = end + 1;
  return s;
}

static gboolean
scan_descr (const char **p, Header *h, GError **error)
{
  g_autofree char *descr = scan_string (p);

  if (descr == NULL)
    return refuse (error, "not a plain array: the header's descr is not one type");
  if (descr[0] == '>' && descr[1] != '\0' && descr[2] != '1')
    return refuse (
        error, "big-endian numbers; convert them, as with NumPy's astype ('<f4')");
  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    if (descr[0] != '\0' && strcmp (descr + 1, dtypes[i].descr + 1) == 0) {
      h->desc.dtype = dtypes[i].dtype;
      return h->has_descr = TRUE;
    }
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
      "elements of type '%s'; vkseg reads bool, (u)int8 to 64 and float16 to 64", descr);
  return FALSE;
}

static gboolean
scan_order (const char **p, Header *h, GError **error)
{
  h->has_order = TRUE;
  if (g_str_has_prefix (*p, "True"))
    h->fortran = TRUE;
  else if (!g_str_has_prefix (*p, "False"))
    return refuse (error, "broken .npy header (fortran_order)");
  *p += h->fortran ? 4 : 5;
  return TRUE;
}

static gboolean
scan_shape (const char **p, Header *h, GError **error)
{
  h->has_shape = TRUE;
  h->desc.rank = 0;
  if (**p != '(')
    return refuse (error, "broken .npy header (shape)");
  for ((*p)++, skip (p, " "); **p != ')'; skip (p, " ")) {
    char *end;
    guint64 dim = g_ascii_strtoull (*p, &end, 10);
    if (!g_ascii_isdigit (**p) || dim > G_MAXINT64)
      return refuse (error, "broken .npy header (shape)");
    if (h->desc.rank == SEG_MAX_RANK)
      return refuse (error, "more than 8 dimensions");
    h->desc.dims[h->desc.rank++] = (gint64) dim;
    *p = end + (*end == 'L');
    skip (p, " ");
    if (**p == ',')
      (*p)++;
    else if (**p != ')')
      return refuse (error, "broken .npy header (shape)");
  }
  (*p)++;
  return TRUE;
}

static gboolean
scan_entry (const char **p, Header *h, GError **error)
{
  g_autofree char *key = scan_string (p);

  skip (p, " ");
  if (key == NULL || *(*p)++ != ':')
    return refuse (error, "broken .npy header");
  skip (p, " ");
  if (strcmp (key, "descr") == 0)
    return scan_descr (p, h, error);
  if (strcmp (key, "fortran_order") == 0)
    return scan_order (p, h, error);
  if (strcmp (key, "shape") == 0)
    return scan_shape (p, h, error);
  return refuse (error, "broken .npy header: an unknown key");
}

/* A Python dictionary with exactly the keys descr, fortran_order and shape. */
static gboolean
scan_header (const char *text, Header *h, GError **error)
{
  const char *p = text;

  skip (&p, " ");
  if (*p++ != '{')
    return refuse (error, "broken .npy header");
  for (skip (&p, " "); *p != '}'; skip (&p, " ")) {
    if (!scan_entry (&p, h, error))
      return FALSE;
    skip (&p, " ");
    if (*p == ',')
      p++;
    else if (*p != '}')
      return refuse (error, "broken .npy header");
  }
  if (!h->has_descr || !h->has_order || !h->has_shape)
    return refuse (error, "broken .npy header: descr, fortran_order or shape is missing");
  return TRUE;
}

static void
copy_transposed (const SegTensor *from, SegTensor *to)
{
  gsize size = seg_dtype_bytes (to->desc.dtype), n = (gsize) seg_desc_n_elems (&to->desc);

  for (gsize i = 0; i < n; i++) {
    gsize rest = i, stride = n, at = 0;
    /* i counts in C order of `to`; in Fortran order the last axis has the largest stride. */
    for (guint axis = to->desc.rank; axis-- > 0;) {
      stride /= (gsize) to->desc.dims[axis];
      at += rest % (gsize) to->desc.dims[axis] * stride;
      rest /= (gsize) to->desc.dims[axis];
    }
    memcpy ((guint8 *) to->data + i * size,
        (const guint8 *) seg_tensor_data (from) + at * size, size);
  }
}

static SegTensor *
make_tensor (const Header *h, GBytes *data, GError **error)
{
  gint64 n = seg_desc_n_elems (&h->desc);
  gsize n_bytes = g_bytes_get_size (data);
  g_autoptr (SegTensor) t = NULL;
  g_autoptr (SegTensor) out = NULL;

  if (n < 0 || (guint64) n * seg_dtype_bytes (h->desc.dtype) != n_bytes) {
    g_autofree char *desc = seg_desc_to_string (&h->desc);
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "the header says %s, but %" G_GSIZE_FORMAT " bytes follow", desc, n_bytes);
    return NULL;
  }
  if ((t = seg_tensor_new_from_bytes (&h->desc, data, error)) == NULL)
    return NULL;
  if (h->desc.dtype != SEG_DTYPE_BOOL && (!h->fortran || h->desc.rank < 2))
    return g_steal_pointer (&t);
  if ((out = seg_tensor_new (&h->desc, error)) == NULL)
    return NULL;
  if (h->fortran)
    copy_transposed (t, out);
  else
    memcpy (out->data, seg_tensor_data (t), t->n_bytes);
  if (h->desc.dtype == SEG_DTYPE_BOOL)
    for (gint64 i = 0; i < n; i++)
      ((guint8 *) out->data)[i] = ((guint8 *) out->data)[i] != 0;
  return g_steal_pointer (&out);
}

SegTensor *
seg_npy_parse (GBytes *bytes, GError **error)
{
  gsize n, start, length;
  const guint8 *data = g_bytes_get_data (bytes, &n);
  Header header = { 0 };

  if (n < MAGIC_LEN + 4 || memcmp (data, MAGIC, MAGIC_LEN) != 0)
    return refuse (error, "not a .npy file"), NULL;
  if (data[6] < 1 || data[6] > 3)
    return refuse (error, "unknown version of the .npy format"), NULL;
  start = data[6] == 1 ? 10 : 12;
  length = data[8] | data[9] << 8;
  if (data[6] > 1 && n >= start)
    length |= (gsize) data[10] << 16 | (gsize) data[11] << 24;
  if (n < start || length > MAX_HEADER || length > n - start)
    return refuse (error, "broken .npy file: cut short in its header"), NULL;
  g_autofree char *text = g_strndup ((const char *) data + start, length);
  g_autoptr (GBytes) rest =
      g_bytes_new_from_bytes (bytes, start + length, n - start - length);
  return scan_header (text, &header, error) ? make_tensor (&header, rest, error) : NULL;
}

SegTensor *
seg_npy_read (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = NULL;
  char *contents;
  gsize n;

  if (g_file_test (path, G_FILE_TEST_EXISTS)
      && !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "not a regular file");
    return NULL;
  }
  if (!g_file_get_contents (path, &contents, &n, &local)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "%s", local->message);
    return NULL;
  }
  bytes = g_bytes_new_take (contents, n);
  return seg_npy_parse (bytes, error);
}

/* --- writing ----------------------------------------------------------------------------- */

static GString *
make_header (const SegDesc *desc)
{
  const char *descr = "";
  GString *s = g_string_new (NULL);
  gsize n_bytes;

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    if (dtypes[i].dtype == desc->dtype)
      descr = dtypes[i].descr;
  g_string_append_printf (s, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (guint i = 0; i < desc->rank; i++)
    g_string_append_printf (s, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", desc->dims[i]);
  g_string_append (s, desc->rank == 1 ? ",), }" : "), }");
  while ((MAGIC_LEN + 4 + s->len + 1) % 64 != 0)
    g_string_append_c (s, ' ');
  g_string_append_c (s, '\n');
  n_bytes = s->len;
  g_string_prepend_c (s, (char) (n_bytes >> 8));
  g_string_prepend_c (s, (char) (n_bytes & 0xff));
  g_string_prepend_len (s, MAGIC "\x01\x00", MAGIC_LEN + 2);
  return s;
}

gboolean
seg_npy_write (const char *path, SegTensor *tensor, GError **error)
{
  g_autoptr (SegTensor) t = tensor->desc.dtype == SEG_DTYPE_BF16
                                ? seg_tensor_convert (tensor, SEG_DTYPE_F32, error)
                                : seg_tensor_ref (tensor);
  g_autoptr (GError) local = NULL;
  GString *s;
  gboolean ok;

  if (t == NULL)
    return FALSE;
  s = make_header (&t->desc);
  g_string_append_len (s, seg_tensor_data (t), (gssize) t->n_bytes);
  ok = g_file_set_contents (path, s->str, (gssize) s->len, &local);
  g_string_free (s, TRUE);
  if (!ok)
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "%s", local->message);
  return ok;
}
