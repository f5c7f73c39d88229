/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "tool/npy.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  seg_tensor_unref (seg_npy_parse (bytes, NULL));
  return 0;
}
