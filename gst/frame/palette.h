/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

#define SEG_PALETTE_SIZE 256

/* A colour for each class, R'G'B' and opacity (255: as strong as `alpha` says). */
typedef struct {
  guint8 rgba[SEG_PALETTE_SIZE][4];
} SegPalette;

/* `name` is voc, cityscapes, ade20k, coco or person; or a file: a colour a line, as `#rrggbb`,
 * `#rrggbbaa` or `r g b [a]` (0..255), or a GIMP palette (.gpl); or a list `#rrggbb,#rrggbb`.
 * Classes past its end get colours of voc. The colours of coco and person begin with the first
 * object and those of voc with the background: `background` says whether the classes do (0) or
 * not (-1). A relative file name is looked for in `dir` (NULL:
 * the working folder). Errors: SEG_ERROR_FILE, and SEG_ERROR_INPUT with file and line. */
gboolean seg_palette_load (SegPalette *palette, const char *name, const char *dir,
    int background, GError **error);

G_END_DECLS
