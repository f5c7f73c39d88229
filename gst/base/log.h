/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What rooms tell of what they choose, and why: for whoever wonders, never per frame. The room is the folder
 * of the source file. Without a sink it is GLib's, by G_MESSAGES_DEBUG=vkseg-ROOM (or all). Warnings are
 * g_warning's. Thread-safe. */
typedef enum {
  SEG_LOG_INFO,  /* a choice, a few a network */
  SEG_LOG_DEBUG, /* each of many: a kernel, a pipeline */
} SegLogLevel;

typedef void (*SegLogSink) (const char *room, SegLogLevel level, const char *file,
    const char *function, int line, const char *message);

/* For the life of the process; a second one is not taken. */
void seg_log_set_sink (SegLogSink sink);

#define seg_info(...)  seg_log (SEG_LOG_INFO, __FILE__, G_STRFUNC, __LINE__, __VA_ARGS__)
#define seg_debug(...) seg_log (SEG_LOG_DEBUG, __FILE__, G_STRFUNC, __LINE__, __VA_ARGS__)
void seg_log (SegLogLevel level, const char *file, const char *function, int line,
    const char *format, ...) G_GNUC_PRINTF (5, 6);

G_END_DECLS
