/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* memfd_create */
#include "dmabuf-frames.h"

#include "elements/videoframe.h"
#include "vk/fake-modifier.h"
#include "zerocopy/tiling.h"

#include <gst/allocators/gstdmabuf.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE DMABUF_PAGE

void
dmabuf_write_fd (int fd, gsize size, const guint8 *data, gsize n_bytes, gsize offset)
{
  g_assert_cmpint (ftruncate (fd, (off_t) size), ==, 0);
  g_assert_cmpint (pwrite (fd, data, n_bytes, (off_t) offset), ==, (gssize) n_bytes);
}

GstMemory *
dmabuf_memory_of_fd (int fd, gsize size)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  return gst_dmabuf_allocator_alloc (allocator, fd, size);
}

GstMemory *
dmabuf_memory (const guint8 *data, gsize n_bytes, gsize before)
{
  int fd = memfd_create ("vkseg-test", MFD_CLOEXEC);
  gsize size = (before + n_bytes + PAGE - 1) & ~(gsize) (PAGE - 1);
  g_assert_cmpint (fd, >=, 0);
  dmabuf_write_fd (fd, size, data, n_bytes, before);
  GstMemory *whole = dmabuf_memory_of_fd (fd, size);
  if (before == 0)
    return whole;
  GstMemory *part = gst_memory_share (whole, (gssize) before, (gssize) n_bytes);
  gst_memory_unref (whole);
  return part;
}

static guint8
pixel (guint frame, guint plane, guint x, guint y)
{
  return (guint8) ((x + frame * 5) / 24 * 90 + y / 20 * 50 + plane * 31 + (x ^ y) % 7);
}

gsize
dmabuf_row_bytes (const GstVideoInfo *info, guint p, guint *n_rows)
{
  SegFrame frame = { .width = (guint) info->width, .height = (guint) info->height };
  g_assert_true (seg_video_format (GST_VIDEO_INFO_FORMAT (info), &frame.format));
  *n_rows = seg_frame_n_rows (&frame, p);
  return seg_frame_row_bytes (&frame, p);
}

static gsize
place_tiled (const GstVideoInfo *info, gsize *offset, gint *stride)
{
  SegFormat format;
  VkSubresourceLayout layout;
  g_assert_true (seg_video_format (GST_VIDEO_INFO_FORMAT (info), &format));
  gsize n_bytes = fake_modifier_layout (
      seg_tiling_format (format), (guint) info->width, (guint) info->height, &layout);
  *offset = PAGE + layout.offset;
  *stride = (gint) layout.rowPitch;
  return PAGE + n_bytes;
}

static gsize
place_plane (const GstVideoInfo *info, guint p, gsize used, DmabufLayout layout,
    gsize *offset, gint *stride)
{
  guint n_rows;
  gsize row = dmabuf_row_bytes (info, p, &n_rows);
  if (layout == TILED)
    return place_tiled (info, offset, stride);
  gsize gap = layout == PADDED ? 256 : layout == UNEVEN ? 3 : 0;
  if (layout == PLAIN || layout == PART_OF) {
    *offset = GST_VIDEO_INFO_PLANE_OFFSET (info, p);
    *stride = GST_VIDEO_INFO_PLANE_STRIDE (info, p);
  } else {
    *offset = used + gap;
    *stride = layout == UNEVEN ? (gint) row + 1 : (gint) ((row + 63) & ~(gsize) 63) + 64;
  }
  return *offset + (gsize) *stride * n_rows;
}

GByteArray *
dmabuf_draw (const GstVideoInfo *info, guint number, DmabufLayout layout, gsize *offset,
    gint *stride)
{
  GByteArray *bytes = g_byte_array_new ();
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    guint n_rows;
    gsize row = dmabuf_row_bytes (info, p, &n_rows), old = bytes->len;
    gsize end = place_plane (info, p, bytes->len, layout, &offset[p], &stride[p]);
    g_byte_array_set_size (bytes, (guint) MAX (end, old));
    memset (bytes->data + old, 0xee, bytes->len - old);
    for (guint y = 0; y < n_rows; y++)
      for (guint x = 0; x < row; x++)
        bytes->data[offset[p] + y * (gsize) stride[p] + x] = pixel (number, p, x, y);
  }
  if (bytes->len < info->size)
    g_byte_array_set_size (bytes, (guint) info->size);
  return bytes;
}

GstBuffer *
dmabuf_frame (
    const GstVideoInfo *info, guint number, DmabufLayout layout, gboolean dmabuf)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 0 };
  g_autoptr (GByteArray) bytes = dmabuf_draw (info, number, layout, offset, stride);
  GstBuffer *buffer = gst_buffer_new ();
  guint n_planes = GST_VIDEO_INFO_N_PLANES (info);
  if (!dmabuf) {
    gst_buffer_append_memory (buffer, gst_allocator_alloc (NULL, bytes->len, NULL));
    gst_buffer_fill (buffer, 0, bytes->data, bytes->len);
  } else if (layout != APART) {
    gst_buffer_append_memory (buffer,
        dmabuf_memory (bytes->data, bytes->len, layout == PART_OF ? PAGE + 64 : 0));
  } else {
    for (guint p = 0, at = 0; p < n_planes; p++) {
      gsize end = p + 1 < n_planes ? offset[p + 1] : bytes->len;
      GstMemory *memory = dmabuf_memory (bytes->data + offset[p], end - offset[p], 0);
      gst_buffer_append_memory (buffer, memory);
      offset[p] = at;
      at += (guint) memory->size;
    }
  }
  if (layout != PLAIN && layout != PART_OF)
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (info), (guint) info->width, (guint) info->height, n_planes,
        offset, stride);
  GST_BUFFER_PTS (buffer) = number * GST_SECOND / 30;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}
