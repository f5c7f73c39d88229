/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/tensor.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* One member of the object that the builder is in. A string that is not UTF-8 (names come from
 * model files) is made valid. */
void tool_json_string (JsonBuilder *builder, const char *name, const char *value);
void tool_json_int (JsonBuilder *builder, const char *name, gint64 value);
/* Not a number and infinity, which JSON lacks, become null. */
void tool_json_double (JsonBuilder *builder, const char *name, double value);
/* {"dtype": "float32", "shape": [1, 3]}, both as members of the present object. */
void tool_json_desc (JsonBuilder *builder, const SegDesc *desc);

/* Prints what was built to stdout, indented. */
void tool_json_print (JsonBuilder *builder);

G_END_DECLS
