/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A reader of COCO's compressed run lengths, as in pycocotools (rleFrString and rleDecode of
 * maskApi.c), written apart from the writer. pixels: height rows of width bytes, 0 or 255. FALSE
 * when the lengths are not those of such a mask. */
gboolean coco_rle_decode (const char *text, guint width, guint height, guint8 *pixels);

G_END_DECLS
