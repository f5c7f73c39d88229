/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The one error domain of vkseg. Whoever detects an error sets a message that says what
 * is wrong and, where one can know, what to do; whoever only calls adds where, with
 * g_prefix_error (error, "node '%s' (%s): ", ...). Messages are one line, no full stop. */
#define SEG_ERROR (seg_error_quark ())
GQuark seg_error_quark (void);

typedef enum {
  SEG_ERROR_FILE,        /* cannot be opened, read or written */
  SEG_ERROR_MODEL,       /* not ONNX, or an ONNX file that contradicts itself */
  SEG_ERROR_UNSUPPORTED, /* valid, but vkseg does not implement it */
  SEG_ERROR_INPUT,       /* a tensor, size or option given by the user does not fit */
  SEG_ERROR_DEVICE,      /* no Vulkan device, or the device failed or was lost */
  SEG_ERROR_MEMORY,      /* not enough memory, or past a device's limit */
  SEG_ERROR_RUN_TIME, /* what a size depends on is computed at run time; whoever builds a
                       * graph then waits for it */
} SegError;

G_END_DECLS
