/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/infosource.h"

G_BEGIN_DECLS

/* Labels of the classes (char *), from `labels`, `labels-file` or Ultralytics' `names`; none is
 * fine. */
gboolean seg_labels_find (const SegInfoSource *source, GPtrArray *labels, GError **error);

/* Names or numbers of classes to numbers (guint). Error SEG_ERROR_INPUT for a name that is no
 * label. */
gboolean seg_labels_to_classes (
    const GPtrArray *labels, char *const *items, GArray *classes, GError **error);

G_END_DECLS
