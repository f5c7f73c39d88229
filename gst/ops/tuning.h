/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which kernels have been measured to be the fastest: choices of families of convolutions by a
 * key, which says all that matters for their speed. A program that is emitted with such a table
 * follows it, and notes in it what it has to choose from where the table does not know. Not
 * thread-safe. */
typedef struct _SegTuning SegTuning;

typedef struct {
  guint8 family;  /* SegConvFamily */
  guint8 variant; /* the family's own affair (a tile); 0: what it finds best */
} SegChoice;

#define SEG_TUNING_MAX_CHOICES 16
#define SEG_TUNING_MAX_KEY     160 /* bytes */

/* A choice that a program has been emitted with. */
typedef struct {
  gboolean wanted;   /* a program came to it */
  gboolean known;    /* `choice` is what to take */
  gboolean measured; /* since the table was made: not from a file */
  SegChoice choice;
  guint n_node; /* of the graph: the first that came to it */
  double work;  /* of it, in multiply-adds: by what is to be measured first */
  guint n;
  SegChoice choices[SEG_TUNING_MAX_CHOICES]; /* the first is what is taken unmeasured */
} SegTuningEntry;

SegTuning *seg_tuning_new (void);
void seg_tuning_free (SegTuning *tuning); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegTuning, seg_tuning_free)

/* The entry of a key, made when it is new. */
SegTuningEntry *seg_tuning_entry (SegTuning *tuning, const char *key);
/* Calls f for all, in the order of their keys. */
void seg_tuning_foreach (SegTuning *tuning,
    void (*f) (const char *key, SegTuningEntry *entry, gpointer data), gpointer data);

/* conv-choose.c: "sc/2", newly allocated; and back: FALSE for what is no choice. */
char *seg_choice_to_string (SegChoice choice);
gboolean seg_choice_parse (const char *string, SegChoice *choice);
/* The same as long as the shaders of all families are: what was measured holds no longer than
 * they do. */
guint64 seg_conv_shaders_hash (void);

G_END_DECLS
