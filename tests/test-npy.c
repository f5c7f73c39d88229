/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/compare.h"
#include "lib/tap.h"
#include "tool/npy.h"

#include <glib/gstdio.h>
#include <string.h>

static SegTensor *
parse (const char *header, guint major, gsize n_data, GError **error)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autofree guint8 *data = g_malloc0 (n_data + 1);
  gsize n = strlen (header);
  const guint8 start[12] = { 0x93, 'N', 'U', 'M', 'P', 'Y', major, 0, n & 0xff,
    n >> 8 & 0xff, 0, 0 };

  for (gsize i = 0; i < n_data; i++)
    data[i] = (guint8) i;
  g_byte_array_append (file, start, major == 1 ? 10 : 12);
  g_byte_array_append (file, (const guint8 *) header, (guint) n);
  g_byte_array_append (file, data, (guint) n_data);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&file));
  return seg_npy_parse (bytes, error);
}

#define HEADER(descr, order, shape)                                                      \
  "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

static void
test_good (SegTap *tap)
{
  static const struct {
    const char *header;
    guint major;
    gsize n_data;
    const char *desc;
    gint64 element1; /* bytes are 0, 1, 2, ... */
  } cases[] = {
    { HEADER ("'|u1'", "False", "(2, 3)"), 1, 6, "uint8[2,3]", 1 },
    { HEADER ("'|u1'", "False", "(2, 3)"), 2, 6, "uint8[2,3]", 1 },
    { HEADER ("'|u1'", "False", "(2, 3)"), 3, 6, "uint8[2,3]", 1 },
    { HEADER ("'|u1'", "True", "(2, 3)"), 1, 6, "uint8[2,3]", 2 },
    { HEADER ("'|u1'", "True", "(6,)"), 1, 6, "uint8[6]", 1 },
    { HEADER ("'|u1'", "False", "(0, 3)"), 1, 0, "uint8[0,3]", -1 },
    { HEADER ("'<i2'", "False", "(3,)"), 1, 6, "int16[3]", 0x0302 },
    { HEADER ("'=u2'", "False", "(3L, )"), 1, 6, "uint16[3]", 0x0302 },
    { HEADER ("'<i8'", "False", "(2,)"), 1, 16, "int64[2]", 0x0f0e0d0c0b0a0908 },
    { HEADER ("'|b1'", "False", "(3,)"), 1, 3, "bool[3]", 1 },
    { HEADER ("'<f2'", "False", "(3,)"), 1, 6, "float16[3]", -1 },
    { "{\"shape\": (1,), \"descr\": '|i1', 'fortran_order':False}", 1, 1, "int8[1]", -1 },
    { "  { 'shape':(2,2),'fortran_order':True,'descr':'|i1' }  \n", 1, 4, "int8[2,2]",
        2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegTensor) t =
        parse (cases[i].header, cases[i].major, cases[i].n_data, &error);
    g_autofree char *desc = t != NULL ? seg_desc_to_string (&t->desc) : NULL;
    gboolean ok =
        desc != NULL && strcmp (desc, cases[i].desc) == 0
        && (cases[i].element1 < 0 || seg_tensor_get_int (t, 1) == cases[i].element1);
    seg_tap_result (tap, ok, cases[i].desc, error != NULL ? error->message : desc);
  }
}

static void
test_bad (SegTap *tap)
{
  static const struct {
    const char *header;
    guint major;
    gsize n_data;
  } cases[] = {
    { HEADER ("'|u1'", "False", "(2, 3)"), 1, 5 },
    { HEADER ("'|u1'", "False", "(2, 3)"), 1, 7 },
    { HEADER ("'|u1'", "False", "(2, 3)"), 4, 6 },
    { HEADER ("'|u1'", "False", "(2, 3)"), 0, 6 },
    { HEADER ("'>i2'", "False", "(3,)"), 1, 6 },
    { HEADER ("'<c8'", "False", "(1,)"), 1, 8 },
    { HEADER ("'|O'", "False", "(1,)"), 1, 8 },
    { HEADER ("'|S6'", "False", "(1,)"), 1, 6 },
    { HEADER ("''", "False", "(1,)"), 1, 1 },
    { HEADER ("[('a', '|u1')]", "False", "(1,)"), 1, 1 },
    { HEADER ("'|u1'", "Maybe", "(1,)"), 1, 1 },
    { HEADER ("'|u1'", "False", "(-1,)"), 1, 1 },
    { HEADER ("'|u1'", "False", "(1"), 1, 1 },
    { HEADER ("'|u1'", "False", "1"), 1, 1 },
    { HEADER ("'|u1'", "False", "(1 1)"), 1, 1 },
    { HEADER ("'|u1'", "False", "(99999999999999999999,)"), 1, 1 },
    { HEADER ("'<f8'", "False", "(4294967296, 4294967296)"), 1, 0 },
    { HEADER ("'|u1'", "True", "(0, 99999999999)"), 1, 1 },
    { HEADER ("'|u1'", "False", "(1,1,1,1,1,1,1,1,1)"), 1, 1 },
    { "{'descr': '|u1', 'shape': (1,)}", 1, 1 },
    { "{'descr': '|u1', 'shape': (1,), 'fortran_order': False, 'more': 1}", 1, 1 },
    { "{'descr': '|u1'", 1, 1 },
    { "{'descr", 1, 1 },
    { "{", 1, 1 },
    { "", 1, 1 },
    { "{}", 1, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegTensor) t =
        parse (cases[i].header, cases[i].major, cases[i].n_data, &error);
    g_autofree char *name = g_strdup_printf ("refused %u", i);
    seg_tap_result (tap,
        t == NULL && error != NULL && strchr (error->message, '\n') == NULL, name,
        error != NULL ? error->message : cases[i].header);
  }
}

/* What is written is read again, and nothing else is left in the folder. */
static void
test_round_trip (SegTap *tap)
{
  static const SegDType dtypes[] = { SEG_DTYPE_F32, SEG_DTYPE_F16, SEG_DTYPE_F64,
    SEG_DTYPE_BOOL, SEG_DTYPE_I8, SEG_DTYPE_U8, SEG_DTYPE_I16, SEG_DTYPE_U16,
    SEG_DTYPE_I32, SEG_DTYPE_U32, SEG_DTYPE_I64, SEG_DTYPE_U64, SEG_DTYPE_BF16 };
  g_autofree char *folder = g_dir_make_tmp ("vkseg-npy-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  const SegTolerance exact = { 0 };
  guint n_files = 0;

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    for (guint rank = 0; rank <= 4; rank++) {
      SegDesc desc = { .dtype = dtypes[i], .rank = rank, .dims = { 2, 3, 1, 5 } };
      g_autoptr (SegTensor) t = seg_tensor_new (&desc, NULL);
      g_autoptr (SegTensor) want = NULL;
      g_autoptr (SegTensor) got = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *name = seg_desc_to_string (&desc);
      g_autofree char *bad = NULL;
      for (gint64 k = 0; k < seg_desc_n_elems (&desc); k++)
        seg_tensor_set_double (t, (gsize) k, dtypes[i] == SEG_DTYPE_BOOL ? k % 2 : k);
      want = dtypes[i] == SEG_DTYPE_BF16 ? seg_tensor_convert (t, SEG_DTYPE_F32, NULL)
                                         : seg_tensor_ref (t);
      if (seg_npy_write (path, t, &error) && (got = seg_npy_read (path, &error)) != NULL)
        bad = seg_compare (got, want, &exact);
      seg_tap_result (
          tap, error == NULL && bad == NULL, name, error != NULL ? error->message : bad);
    }
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  while (g_dir_read_name (dir) != NULL)
    n_files++;
  seg_tap_result (tap, n_files == 1, "no temporary file is left", NULL);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (void)
{
  SegTap tap = { 0 };

  test_good (&tap);
  test_bad (&tap);
  test_round_trip (&tap);
  return seg_tap_finish (&tap);
}
