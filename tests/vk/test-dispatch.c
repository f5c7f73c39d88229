/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tensor.h"
#include "vk/common.h"

#include <string.h>

enum { N = 19, VECTORS = 10 };

/* What the twelve bindings of views.comp lie on: offset and content of each in one buffer. */
typedef struct {
  gsize offset[12], n_bytes[12], total;
} Layout;

static const SegViewKind kinds[12] = { SEG_VIEW_STORAGE_READ, SEG_VIEW_STORAGE_READ_WRITE,
  SEG_VIEW_UNIFORM, SEG_VIEW_TEXEL_F32X4, SEG_VIEW_TEXEL_F16X4, SEG_VIEW_TEXEL_I32X4,
  SEG_VIEW_TEXEL_U32X4, SEG_VIEW_TEXEL_U16X4, SEG_VIEW_TEXEL_U8X1, SEG_VIEW_TEXEL_U8X4,
  SEG_VIEW_TEXEL_U16X1, SEG_VIEW_STORAGE_WRITE };
static const gsize element_bytes[12] = { 4, 4, 16, 16, 8, 16, 16, 8, 1, 4, 2,
  16 * VECTORS };

static Layout
lay_out (const SegVk *vk)
{
  gsize align = seg_vk_info (vk)->buffer_align;
  Layout l = { .total = align }; /* so that no view starts at 0 */
  for (guint i = 0; i < 12; i++) {
    l.offset[i] = l.total;
    l.n_bytes[i] = kinds[i] == SEG_VIEW_UNIFORM ? 16 : N * element_bytes[i];
    l.total += (l.n_bytes[i] + align - 1) / align * align + align;
  }
  return l;
}

/* A value per binding, element and component, exact in every type. */
static int
content (guint binding, guint i, guint component)
{
  return (int) (1 + (binding * 31 + i * 7 + component * 3) % 120);
}

static void
put (guint8 *data, guint binding, guint i, guint c)
{
  int v = content (binding, i, c);
  switch (kinds[binding]) {
  case SEG_VIEW_TEXEL_F32X4: ((float *) data)[4 * i + c] = v + 0.25f; break;
  case SEG_VIEW_TEXEL_F16X4:
    ((guint16 *) data)[4 * i + c] = seg_half_from_float (v + 0.5f);
    break;
  case SEG_VIEW_TEXEL_I32X4: ((gint32 *) data)[4 * i + c] = -v; break;
  case SEG_VIEW_TEXEL_U32X4: ((guint32 *) data)[4 * i + c] = (guint32) v; break;
  case SEG_VIEW_TEXEL_U16X4: ((guint16 *) data)[4 * i + c] = (guint16) (v + 60000); break;
  case SEG_VIEW_TEXEL_U8X4: data[4 * i + c] = (guint8) (v + 100); break;
  case SEG_VIEW_TEXEL_U8X1: data[i] = (guint8) v; break;
  case SEG_VIEW_TEXEL_U16X1: ((guint16 *) data)[i] = (guint16) v; break;
  case SEG_VIEW_UNIFORM: ((gint32 *) data)[c] = v; break;
  default: ((gint32 *) data)[i] = v; break;
  }
}

static void
fill (guint8 *map, const Layout *l)
{
  memset (map, 0xee, l->total);
  for (guint b = 0; b < 11; b++)
    for (guint i = 0; i < (kinds[b] == SEG_VIEW_UNIFORM ? 1 : N); i++)
      for (guint c = 0; c < 4; c++)
        put (map + l->offset[b], b, i, element_bytes[b] < 4 || b < 2 ? 0 : c);
}

/* put() of component 0 for one-component kinds writes content (b, i, 0). */
static float
expected (guint vector, guint i, guint c)
{
  switch (vector) {
  case 0: return content (2, 0, c);
  case 1: return content (3, i, c) + 0.25f + 1.5f;
  case 2: return content (4, i, c) + 0.5f;
  case 3: return -content (5, i, c);
  case 4: return content (6, i, c);
  case 5: return content (7, i, c) + 60000;
  case 6: return c == 0 ? content (8, i, 0) : c == 3 ? 1 : 0;
  case 7: return content (9, i, c) + 100;
  case 8: return c == 0 ? content (10, i, 0) : c == 3 ? 1 : 0;
  default: return -3;
  }
}

static void
check (const guint8 *map, const Layout *l, guint n_runs)
{
  const float *out = (const float *) (map + l->offset[11]);
  const gint32 *sum = (const gint32 *) (map + l->offset[1]);
  for (guint i = 0; i < N; i++) {
    g_assert_cmpint (
        sum[i], ==, content (1, i, 0) + (int) n_runs * (-3 * content (0, i, 0) + 1000));
    for (guint v = 0; v < VECTORS; v++)
      for (guint c = 0; c < 4; c++)
        if (out[(VECTORS * i + v) * 4 + c] != expected (v, i, c))
          g_error ("element %u, vector %u, component %u: %g, expected %g", i, v, c,
              out[(VECTORS * i + v) * 4 + c], expected (v, i, c));
  }
  /* Nothing outside the views was written. */
  for (guint b = 0; b < 12; b++)
    for (gsize at = l->offset[b] + l->n_bytes[b];
         at < (b < 11 ? l->offset[b + 1] : l->total); at++)
      g_assert_cmpuint (map[at], ==, 0xee);
}

static void
every_view_kind (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  Layout l = lay_out (vk);
  SegBuffer *up = test_buffer (vk, l.total, SEG_BUFFER_UPLOAD);
  SegBuffer *device = test_buffer (vk, l.total, SEG_BUFFER_DEVICE);
  SegBuffer *down = test_buffer (vk, l.total, SEG_BUFFER_READBACK);
  fill (seg_buffer_map (up), &l);

  const float addend = 1.5f;
  guint32 spec[2] = { (guint32) -3 };
  memcpy (&spec[1], &addend, 4);
  const guint32 push[] = { N, 1000 };
  SegBufferView views[12];
  for (guint i = 0; i < 12; i++)
    views[i] = (SegBufferView){ device, l.offset[i], l.n_bytes[i], kinds[i] };
  const SegVkDispatch d = { &seg_shader_test_views, spec, 2, views, 12, push, 2,
    { (N + 7) / 8, 1, 1 }, "every view kind" };

  SegCmd *cmd = test_cmd (vk, FALSE);
  seg_cmd_copy (cmd, up, 0, device, 0, l.total, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++) {
    seg_cmd_dispatch (cmd, &d, &error);
    g_assert_no_error (error);
  }
  seg_cmd_copy (cmd, device, 0, down, 0, l.total, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (seg_cmd_n_dispatches (cmd), ==, 4);
  g_assert_cmpuint (seg_cmd_n_barriers (cmd), ==, 3);
  test_run (cmd);
  check (seg_buffer_map (down), &l, 2);

  seg_cmd_free (&cmd);
  seg_buffer_free (&up);
  seg_buffer_free (&device);
  seg_buffer_free (&down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/dispatch/every-view-kind", every_view_kind);
  return g_test_run ();
}
