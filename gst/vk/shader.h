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

/* What to set apart for n_bytes that texel views look at, and let the views cover: some more, where llvmpipe
 * would otherwise compile the shader once more. It does so for a texture with a single level, and for an image's first
 * level, and takes bits 8 to 15 of a view's size in bytes for the number of levels, and bits 0 to 7 for the level
 * (lp_sampler_static_texture_state and ..._image in Mesa 22.3); and what it compiles second for a shader goes into its
 * cache under another name than it is looked for at the next start. So none of both is ever 0. 0 for 0. */
static inline gsize
seg_texel_room (gsize n_bytes)
{
  if (n_bytes != 0 && (n_bytes & 0xff00) == 0)
    n_bytes += 0x100;
  return (n_bytes & 0xff) == 0 && n_bytes != 0 ? n_bytes + 16 : n_bytes;
}

G_END_DECLS
