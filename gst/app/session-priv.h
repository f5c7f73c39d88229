/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/settings.h"
#include "meta/gstvksegsession.h"

G_BEGIN_DECLS

/* session.c (the object), -run.c (pictures), -info.c (what is told of a network), properties.c. */

struct _GstVkSegSession {
  GObject parent;

  GMutex lock; /* of all that follows: one thread at a time */
  SegSettings settings;
  gboolean restyle; /* settings have changed that the pipe has not taken up */
  SegNet *net;      /* NULL until it is loaded */
  SegPipe *pipe;    /* for frames as `config` says; NULL until there was one */
  SegPipeConfig config;
  GPtrArray *labels; /* see seg_result_labels; of the pipe */
};

/* With the lock. Loads the network, if there is none. */
gboolean seg_app_load (GstVkSegSession *self, GError **error);
/* Those of vksegment that a session has, by the ids of elements/settings.h. */
void seg_app_install_properties (GObjectClass *klass);
/* With the lock. Drops the pipe, and what is made for it. */
void seg_app_drop_pipe (GstVkSegSession *self);
/* An error of vkseg's own domain as one of the public domain; takes it. */
void seg_app_propagate (GError **to, GError *error);

G_END_DECLS
