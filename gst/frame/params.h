/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/image.h"
#include "vk/vk.h"

G_BEGIN_DECLS

/* Parameters of the frame shaders: uniform blocks in one host-visible buffer, so that changing
 * one needs no new recording. Not while the recording runs. */
typedef struct {
  SegBuffer *buffer;
  gsize used_bytes, align;
} SegParams;

gboolean seg_params_init (SegParams *params, SegVk *vk, GError **error);
void seg_params_clear (SegParams *params);
/* A piece of n_bytes, zeroed; NULL with SEG_ERROR_MEMORY when there is no room. */
gpointer seg_params_add (SegParams *params, gsize n_bytes, SegViewKind kind,
    SegBufferView *view, GError **error);

/* `FrameBlock` of shaders/lib/frame.glsl. */
typedef struct {
  gint32 component[3][4];
  gint32 size[4];
  float chroma[4];
  float matrix[3][4];
} SegFrameBlock;

enum { SEG_KIND_GRAY, SEG_KIND_RGB, SEG_KIND_YUV, SEG_KIND_PACKED4 };

/* A frame on the device, as shaders read it: bindings 0..2 of lib/frame.glsl. */
typedef struct {
  SegFrame frame;
  guint32 kind; /* SEG_KIND_* */
  SegBufferView views[3];
} SegFrameSource;

/* frame lies at `offset` of buffer; any strides, any offset that the device can view. */
gboolean seg_frame_source_init (SegFrameSource *source, SegParams *params,
    const SegFrame *frame, SegBuffer *buffer, gsize offset, GError **error);

/* A buffer on the device with these contents; waits for the upload. */
SegBuffer *seg_buffer_new_filled (
    SegVk *vk, gconstpointer data, gsize n_bytes, GError **error);

/* A dispatch of n invocations with local_size_x = 64, spread over x and y. */
void seg_groups_linear (guint64 n, guint32 groups[3]);

G_END_DECLS
