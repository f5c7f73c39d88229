/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model file from anywhere: parsed, built with and without passes, turned into dispatches
 * for a made-up device, and, when it is small, run on the host with zeros. */
#include "fuzz.h"
#include "ops/program.h"
#include "ops/table.h"

#define MAX_WORK  (1 << 20) /* of the bodies of a run */
#define MAX_ELEMS 8192      /* of all values together, for the run */

static const SegDeviceInfo device = {
  .name = "made up",
  .type = SEG_DEVICE_OTHER,
  .api_version = 1 << 22 | 1 << 12,
  .subgroup_size = 32,
  .max_storage_bytes = 1 << 27,
  .max_texels = 1 << 16,
  .max_allocation_bytes = 1 << 30,
  .max_groups = { 65535, 65535, 65535 },
  .max_shared_bytes = 16384,
  .buffer_align = 256,
  .heap_bytes = 1 << 30,
};

static gboolean
is_small (const SegGraph *graph)
{
  gint64 n = 0;

  for (guint i = 0; i < graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->values, i);
    gint64 elems = seg_desc_n_elems (&v->desc);
    if (elems < 0 || (n += elems) > MAX_ELEMS)
      return FALSE;
  }
  return TRUE;
}

static void
evaluate (SegGraph *graph)
{
  g_autoptr (GPtrArray) inputs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) seg_tensor_unref);
  g_autofree SegTensor **outputs = g_new0 (SegTensor *, graph->outputs->len + 1);

  for (guint i = 0; i < graph->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->inputs, i);
    SegTensor *t = seg_tensor_new (&v->desc, NULL);
    if (t == NULL)
      return;
    g_ptr_array_add (inputs, t);
  }
  seg_graph_limit_work (graph, MAX_WORK);
  if (!seg_graph_eval (graph, (SegTensor **) inputs->pdata, outputs, NULL))
    return;
  for (guint i = 0; i < graph->outputs->len; i++)
    seg_tensor_unref (outputs[i]);
}

static void
build (SegModel *model, SegGraphFlags flags)
{
  g_autoptr (SegGraph) graph = seg_graph_new (model, seg_op_lookup, NULL, 0, flags, NULL);
  g_autoptr (SegProgram) program = NULL;

  if (graph == NULL)
    return;
  if (flags & SEG_GRAPH_LAYOUT)
    program = seg_program_new (graph, &device, SEG_STORAGE_F16, NULL, NULL);
  else if (is_small (graph))
    evaluate (graph);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, NULL);

  if (model == NULL)
    return 0;
  build (model, SEG_GRAPH_PLAIN);
  build (model, SEG_GRAPH_OPTIMISE);
  build (model, SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT | SEG_GRAPH_INPUTS_CHANNELS_LAST);
  return 0;
}
