/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A network that takes its time: between two ends that do what color-net.h's does, layers of 3x3
 * convolutions over 64 channels that change nothing. Input [1,3,48,64]; COLOR_NET_INFO fits it.
 * Writes NAME.onnx and its .modelinfo into dir; the model's path. */
char *slow_net_write (const char *dir, const char *name, guint n_layers);

G_END_DECLS
