/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* For hash tables of names that come from files, in place of g_str_hash, for which anyone can
 * write names that all collide: a table of 65536 such names takes minutes. SipHash-1-3 with
 * a key that is drawn anew for each process (so the order of a table's entries varies). */
guint seg_name_hash (gconstpointer name);

G_END_DECLS
