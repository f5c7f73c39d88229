/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/text.h"

G_BEGIN_DECLS

/* Pieces of text that have been drawn once: names, ids, scores in percent. They are few, and laying
 * out a text takes longer than drawing an object. One thread. */
typedef struct _SegTextCache SegTextCache;

SegTextCache *seg_text_cache_new (guint height);
void seg_text_cache_free (SegTextCache **cache); /* also of NULL */

/* Owned by the cache, valid until the next call but SEG_TEXT_CACHE_KEEPS. */
const SegText *seg_text_cache_get (SegTextCache *cache, const char *text);

#define SEG_TEXT_CACHE_KEEPS 8
guint seg_text_cache_height (const SegTextCache *cache);

G_END_DECLS
