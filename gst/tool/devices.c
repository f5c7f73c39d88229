/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/tool.h"

#include "tool/json.h"

#include <stdio.h>

static const char *const type_names[] = {
  [SEG_DEVICE_DISCRETE] = "discrete",
  [SEG_DEVICE_INTEGRATED] = "integrated",
  [SEG_DEVICE_VIRTUAL] = "virtual",
  [SEG_DEVICE_CPU] = "cpu",
  [SEG_DEVICE_OTHER] = "other",
};

static char *
version_to_string (guint32 v)
{
  return g_strdup_printf ("%u.%u.%u", v >> 22 & 0x7f, v >> 12 & 0x3ff, v & 0xfff);
}

/* "cooperative_matrices": [[16, 16, 16]], each m, n, k. */
static void
add_matrices (JsonBuilder *b, const SegDeviceInfo *d)
{
  json_builder_set_member_name (b, "cooperative_matrices");
  json_builder_begin_array (b);
  for (guint i = 0; i < d->n_matrix_shapes; i++) {
    json_builder_begin_array (b);
    json_builder_add_int_value (b, d->matrix_shapes[i].m);
    json_builder_add_int_value (b, d->matrix_shapes[i].n);
    json_builder_add_int_value (b, d->matrix_shapes[i].k);
    json_builder_end_array (b);
  }
  json_builder_end_array (b);
}

static void
print_json (const SegDeviceInfo *devices, guint n)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_array (b);
  for (guint i = 0; i < n; i++) {
    const SegDeviceInfo *d = &devices[i];
    g_autofree char *version = version_to_string (d->api_version);
    json_builder_begin_object (b);
    tool_json_int (b, "index", d->index);
    tool_json_string (b, "name", d->name);
    tool_json_string (b, "type", type_names[d->type]);
    tool_json_string (b, "driver", d->driver);
    tool_json_string (b, "vulkan", version);
    tool_json_int (b, "vendor_id", d->vendor_id);
    tool_json_int (b, "device_id", d->device_id);
    tool_json_int (b, "memory_bytes", (gint64) d->heap_bytes);
    tool_json_int (b, "subgroup_size", d->subgroup_size);
    add_matrices (b, d);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
  tool_json_print (b);
}

static void
print_matrices (const SegDeviceInfo *d)
{
  if (d->n_matrix_shapes == 0)
    return;
  printf ("   cooperative matrices:");
  for (guint i = 0; i < d->n_matrix_shapes; i++)
    printf (
        " %ux%ux%u", d->matrix_shapes[i].m, d->matrix_shapes[i].n, d->matrix_shapes[i].k);
  printf ("\n");
}

static void
print_text (const SegDeviceInfo *devices, guint n)
{
  for (guint i = 0; i < n; i++) {
    const SegDeviceInfo *d = &devices[i];
    g_autofree char *version = version_to_string (d->api_version);
    printf ("%u: %s (%s, Vulkan %s, %.1f GiB)\n   driver: %s\n", d->index, d->name,
        type_names[d->type], version, d->heap_bytes / 1073741824.0, d->driver);
    print_matrices (d);
  }
}

static int
run (int argc, char **argv)
{
  g_auto (ToolOptions) options = { NULL };
  g_autofree SegDeviceInfo *devices = NULL;
  g_autoptr (GError) error = NULL;
  guint n = 0;
  int status;

  if (!tool_parse (&tool_devices, &options, TOOL_OPTION_JSON, NULL, argc, argv, &status))
    return status;
  devices = seg_vk_list (&n, &error);
  if (devices == NULL)
    return tool_refuse (error->message);
  if (options.json)
    print_json (devices, n);
  else
    print_text (devices, n);
  return TOOL_OK;
}

const ToolCommand tool_devices = {
  .name = "devices",
  .arguments = "",
  .summary = "Lists the Vulkan devices, the one that is taken by default first.",
  .details = "The number or a part of the name is what --device takes.",
  .run = run,
};
