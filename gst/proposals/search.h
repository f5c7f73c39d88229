/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* Selective search: places where there may be an object, from a hierarchy of alike segments.
 * J. Uijlings, K. van de Sande, T. Gevers, A. Smeulders: Selective Search for Object
 * Recognition, IJCV 104 (2013). Done by OpenCV's ximgproc, with its parameters. */

typedef struct {
  guint x, y, width, height; /* pixels of the picture */
} SegProposal;

/* Appends SegProposals to `proposals`, most promising first, no two alike. The order is the paper's:
 * high in the hierarchy first, shaken by random numbers (rand()). bgr: rows of 3 bytes a pixel,
 * stride_bytes apart; read only. `quality`: more colour spaces, more proposals, many times the
 * time. Fails with SEG_ERROR_MEMORY or SEG_ERROR_INPUT, with OpenCV's message. */
gboolean seg_selective_search (const guint8 *bgr, guint width, guint height,
    gsize stride_bytes, gboolean quality, GArray *proposals, GError **error);

G_END_DECLS
