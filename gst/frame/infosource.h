/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* Where the keys of model information come from, first one wins: settings, .modelinfo file,
 * ONNX metadata. Internal to modelinfo*.c. */
typedef struct _SegInfoSource {
  GHashTable *settings; /* may be NULL */
  GKeyFile *file;       /* may be NULL */
  char *path;           /* of file */
  GHashTable *metadata; /* may be NULL; keys "vkseg.KEY" */
} SegInfoSource;

typedef enum {
  SEG_INFO_SETTINGS,
  SEG_INFO_FILE,
  SEG_INFO_METADATA,
  SEG_INFO_N_PLACES
} SegInfoPlace;

SegInfoSource *seg_info_source_new (
    GHashTable *settings, const char *path, GHashTable *metadata, GError **error);
void seg_info_source_free (SegInfoSource *source); /* NULL is allowed */

/* Value of a key of [vkseg] as it is written, newly allocated; NULL if nobody says. `place`
 * (may be NULL) receives who. */
char *seg_info_get (const SegInfoSource *source, const char *key, SegInfoPlace *place);
char *seg_info_get_at (const SegInfoSource *source, const char *key, SegInfoPlace place);

/* An error about a key: "FILE: [vkseg] KEY=VALUE: PROBLEM". */
void seg_info_refuse (
    const SegInfoSource *source, const char *key, const char *problem, GError **error);

/* The following return FALSE only for a value that is not allowed; `found` (may be NULL) tells
 * whether anybody says. */
gboolean seg_info_choice (const SegInfoSource *source, const char *key,
    const char *const *names, guint *value, gboolean *found, GError **error);
gboolean seg_info_number (const SegInfoSource *source, const char *key, double min,
    double max, double *value, gboolean *found, GError **error);
/* Items of a list; `\,` is a comma within one. NULL if nobody says. */
char **seg_info_list (const SegInfoSource *source, const char *key);
char **seg_info_split (const char *text);
/* One number for all or one each: n of them. */
gboolean seg_info_numbers (const SegInfoSource *source, const char *key, guint n,
    double min, double max, double *values, gboolean *found, GError **error);
/* Folder that file names said at a place are relative to; NULL: the working folder. */
char *seg_info_folder (const SegInfoSource *source, SegInfoPlace place);

G_END_DECLS
