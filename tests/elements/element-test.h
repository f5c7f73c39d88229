/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The beginning and the end of a test of elements that use a device. */

/* Starts GStreamer with vkseg's elements. A new folder for the test's files, which is the library's;
 * NULL: there is no device, and the test ends with *status. */
char *element_test_begin (int *argc, char ***argv, int *status);
/* Runs the tests; a message of the validation layers fails. Removes the folder, and ends GStreamer, so
 * that the leaks tracer, where it is on, looks at what is left. */
int element_test_run (void);

/* Has a pipeline take its elements' latencies, as an application does that is told of a LATENCY message;
 * that at the pad of one of them, in us. */
gint element_test_take_latency (GstElement *pipeline, GstPad *pad);

/* In how many parts vksegment submits its network: 1 where two frames may be in flight at once. */
guint element_test_parts (GstElement *vksegment);

G_END_DECLS
