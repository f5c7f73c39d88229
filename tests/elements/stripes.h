/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

/* vksegment with a network that tells colours apart (color-net.h), and pictures of three upright stripes:
 * red, gray, green. The network's classes of them are 1, 0 and 2. */

/* A folder for the test, which is also cache-dir; and the network's file in it. */
extern char *stripes_dir, *stripes_model;

/* FALSE: without a device, and the test ends with *status. */
gboolean stripes_begin (int *argc, char ***argv, int *status);
/* Runs the tests, looks for messages of the validation layers, removes the folder. */
int stripes_run (void);

/* With the network and the folder; properties as g_object_new takes them. */
GstElement *stripes_element (const char *first_property, ...);
/* Takes the element. */
GstHarness *stripes_harness (GstElement *element);
/* Takes the element down and checks that nobody holds it. */
void stripes_finish (GstHarness *h);
/* `rest`: of the caps, with a comma before it. */
void stripes_caps (
    GstHarness *h, const char *format, guint width, guint height, const char *rest);
void stripes_info (GstPad *pad, GstVideoInfo *info);
GstBuffer *stripes_picture (const GstVideoInfo *info);

/* A picture as the harness's caps say goes in; what comes out. */
GstBuffer *stripes_process (GstHarness *h);
/* The same, of labels, which must be right. */
void stripes_process_labels (GstHarness *h);
void stripes_check_labels (GstBuffer *buffer, const GstVideoInfo *info);

/* A column is away from the borders of the stripes by what a pixel of the network covers. */
gboolean stripes_is_clear (guint x, guint width);

/* Part of the picture that `stats` says is of this class. */
double stripes_area (GstElement *element, const char *label);

G_END_DECLS
