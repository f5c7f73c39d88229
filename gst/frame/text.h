/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A line of text as coverage, a byte a pixel: 0 nothing, 255 all. */
typedef struct {
  guint width, height, stride;
  guint8 *pixels;
} SegText;

/* Draws a line into a box of `height` pixels; what is wider than max_width is cut. Without Pango
 * or without fonts a built-in font of ASCII is used. Never NULL. */
SegText *seg_text_new (const char *text, guint height, guint max_width);
void seg_text_free (SegText *text); /* NULL is allowed */

/* The same with the built-in font. */
SegText *seg_text_new_builtin (const char *text, guint height, guint max_width);

G_END_DECLS
