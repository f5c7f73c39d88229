/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void
tool_json_string (JsonBuilder *b, const char *name, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  json_builder_set_member_name (b, name);
  json_builder_add_string_value (b, valid);
}

void
tool_json_int (JsonBuilder *b, const char *name, gint64 value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_int_value (b, value);
}

/* json-glib up to 1.6 writes 2e-08 as "2e-08.0". A neighbour, 2.0000000000000004e-08, has the
 * point that it looks for. */
static double
printable (double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_dtostr (text, sizeof text, value);
  return strchr (text, 'e') != NULL && strchr (text, '.') == NULL
             ? nextafter (value, INFINITY)
             : value;
}

void
tool_json_double (JsonBuilder *b, const char *name, double value)
{
  json_builder_set_member_name (b, name);
  if (isfinite (value))
    json_builder_add_double_value (b, printable (value));
  else
    json_builder_add_null_value (b);
}

void
tool_json_desc (JsonBuilder *b, const SegDesc *desc)
{
  tool_json_string (b, "dtype", seg_dtype_name (desc->dtype));
  json_builder_set_member_name (b, "shape");
  json_builder_begin_array (b);
  for (guint i = 0; i < desc->rank; i++)
    json_builder_add_int_value (b, desc->dims[i]);
  json_builder_end_array (b);
}

void
tool_json_print (JsonBuilder *b)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_builder_get_root (b);
  g_autofree char *text = NULL;

  json_generator_set_pretty (generator, TRUE);
  json_generator_set_root (generator, root);
  text = json_generator_to_data (generator, NULL);
  puts (text);
}
