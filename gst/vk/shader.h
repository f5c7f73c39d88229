/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A compute shader, embedded at build time: shaders/foo.comp with the suffix of its variant
 * becomes `const SegShader seg_shader_foo_f16`. shaders.h, made by the build, declares all. */
typedef struct {
  const char *name; /* "conv_lp_f16" */
  const guint32 *code;
  gsize code_bytes;
  guint64 hash; /* of the code: key of caches */
  /* Runs in full subgroups of SegDeviceInfo.subgroup_size; only for devices that have
   * matrix_shapes, which include that they can. */
  gboolean full_subgroups;
} SegShader;

G_END_DECLS
