/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Anything as a model, and as a tensor: refused with a message, or sound. */
#include "fuzz.h"
#include "lib/model-walk.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) model_error = NULL, tensor_error = NULL;
  g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, &model_error);
  g_autoptr (SegTensor) tensor = seg_model_parse_tensor (bytes, &tensor_error);

  if (!model == !model_error || !tensor == !tensor_error)
    g_error ("neither a result nor an error, or both");
  if (model)
    seg_test_model_walk (model);
  return 0;
}
