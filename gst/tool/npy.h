/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* NumPy's .npy files, format 1 to 3. Little-endian; Fortran order is transposed on reading.
 * Errors: SEG_ERROR_FILE (cannot be read or written), SEG_ERROR_INPUT (not .npy, cut short, or
 * of a type that vkseg does not know). Messages do not name the file. */
SegTensor *seg_npy_read (const char *path, GError **error);
SegTensor *seg_npy_parse (GBytes *bytes, GError **error);

/* Written under another name in the same folder and renamed when complete. bfloat16, which
 * NumPy does not have, becomes float32. */
gboolean seg_npy_write (const char *path, SegTensor *tensor, GError **error);

G_END_DECLS
