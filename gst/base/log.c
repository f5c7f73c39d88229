/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <string.h>

static gpointer the_sink; /* atomic */

void
seg_log_set_sink (SegLogSink sink)
{
  (void) g_atomic_pointer_compare_and_exchange (&the_sink, NULL, (gpointer) sink);
}

/* "vk" of "../gst/vk/device.c". */
static void
name_room (const char *file, char room[32])
{
  const char *end = strrchr (file, '/');
  const char *start = end;
  while (start != NULL && start > file && start[-1] != '/')
    start--;
  gsize n = end != NULL ? (gsize) (end - start) + 1 : 1;
  g_strlcpy (room, end != NULL ? start : "", MIN (n, 32));
}

static void
log_by_glib (const char *room, SegLogLevel level, const char *file, const char *function,
    int line, const char *message)
{
  char domain[48], at[16];
  g_snprintf (domain, sizeof domain, "vkseg-%s", room);
  g_snprintf (at, sizeof at, "%d", line);
  g_log_structured (domain, level == SEG_LOG_INFO ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_DEBUG,
      "CODE_FILE", file, "CODE_LINE", at, "CODE_FUNC", function, "MESSAGE", "%s",
      message);
}

void
seg_log (SegLogLevel level, const char *file, const char *function, int line,
    const char *format, ...)
{
  char room[32];
  va_list args;
  SegLogSink sink = (SegLogSink) g_atomic_pointer_get (&the_sink);
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  name_room (file, room);
  (sink != NULL ? sink : log_by_glib) (room, level, file, function, line, message);
}
