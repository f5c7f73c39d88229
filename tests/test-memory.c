/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arena beside the tensors that have to be alive: temporaries fit in where there is room, and
 * an algorithm that would make the arena grow is not chosen. */
#include "engine/session-priv.h"
#include "lib/device.h"
#include "lib/net.h"
#include "lib/tap.h"
#include "vk/private.h"

#include <string.h>

#define MOST_OVER 1.15

static const char *
conv3 (Net *net, const char *in, guint in_c, guint out_c)
{
  return net_op (net, "Relu", net_conv (net, in, (NetConv){ in_c, out_c, 3, 1, 1 }));
}

/* 64 channels of 96 x 96 are the most; Winograd's tiles have a twelfth of that at a time. */
static GBytes *
wide_then_narrow (void)
{
  Net *net = net_new (1, 8, 96, 96);
  const char *x = conv3 (net, conv3 (net, "picture", 8, 64), 64, 64);
  x = net_pool (net, "MaxPool", x, 4, 4, 0);
  return net_finish (net, conv3 (net, conv3 (net, x, 64, 128), 128, 128));
}

/* The last convolution is where most is alive: tiles would be twice as much. */
static GBytes *
narrow (void)
{
  Net *net = net_new (1, 8, 20, 20);
  const char *x = conv3 (net, conv3 (net, "picture", 8, 32), 32, 256);
  return net_finish (net, conv3 (net, x, 256, 256));
}

/* Large at first, then deep: what was alive before leaves room for tiles now. */
static GBytes *
deep_after_large (void)
{
  Net *net = net_new (1, 8, 64, 64);
  const char *x = conv3 (net, "picture", 8, 128);
  x = net_pool (net, "MaxPool", x, 4, 4, 0);
  return net_finish (net, conv3 (net, x, 128, 128));
}

static guint
count_kernels (const SegSession *session, const char *prefix)
{
  const SegLayerTime *layers;
  guint n = seg_session_layers (session, &layers), count = 0;
  for (guint i = 0; i < n; i++)
    count += g_str_has_prefix (layers[i].kernel, prefix);
  return count;
}

/* The most that sums of a K that is shared out take at a time: a GPU's cores have a tile of floats each, however
 * small the network is. */
static gsize
bytes_for_sums (const SegSession *session)
{
  const GArray *steps = session->program->steps;
  gsize most = 0;
  for (guint i = 0; i < steps->len; i++) {
    const SegStep *step = &g_array_index (steps, SegStep, i);
    const SegDispatch *d = &step->dispatch;
    if (!step->host && g_str_has_prefix (d->shader->name, "conv_sums"))
      most = MAX (most, seg_program_ref_room (session->program, d->bindings[0].ref));
  }
  return most;
}

/* winograd_in dispatches: from least to most. */
static void
check (SegTap *tap, SegVk *vk, const char *name, GBytes *bytes, SegPrecision precision,
    guint least, guint most)
{
  g_autoptr (GBytes) owned = bytes;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = seg_model_parse (owned, NULL, &error);
  SegSessionOptions options = { .precision = precision };
  SegSession *session =
      model != NULL ? seg_session_new (model, vk, &options, &error) : NULL;
  g_autofree char *title =
      g_strdup_printf ("%s, fp%u", name, precision == SEG_PRECISION_FP16 ? 16 : 32);
  if (session == NULL) {
    seg_tap_result (tap, FALSE, title, error->message);
    return;
  }
  SegSessionStats stats;
  seg_session_stats (session, &stats);
  guint strips = count_kernels (session, "winograd_in");
  double over = (double) stats.arena_bytes / stats.tensor_bytes;
  gsize sums = bytes_for_sums (session);
  gboolean fits = stats.arena_bytes <= MOST_OVER * (double) stats.tensor_bytes + sums;
  g_autofree char *detail = g_strdup_printf (
      "arena %" G_GSIZE_FORMAT " bytes, %.3f times the tensors; %u strips, "
      "expected %u to %u; %" G_GSIZE_FORMAT " bytes for sums",
      stats.arena_bytes, over, strips, least, most, sums);
  seg_tap_result (tap, fits && strips >= least && strips <= most, title, detail);
  seg_session_free (&session);
}

/* A tensor of just what a shader can see at once, whose views cannot cover more; and not one of more. */
static void
check_most (SegTap *tap, SegVk *vk)
{
  SegDeviceInfo *info = &vk->physical.info, kept = *info;
  static const struct {
    gsize bytes, max_texels; /* of a storage buffer, of fp32 */
  } limits[] = { { 1 << 16, 1 << 16 }, { 1 << 17, 1 << 12 }, { (1 << 16) - 16, 1 << 16 },
    { 1 << 17, (1 << 12) - 1 } };
  Net *net = net_new (1, 64, 16, 16);
  g_autoptr (GBytes) bytes = net_finish (net, net_op (net, "Relu", "picture"));
  const SegDesc desc = { SEG_DTYPE_F32, 4, { 1, 64, 16, 16 } };
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, &error);
    SegTensor *in = seg_tensor_new (&desc, &error), *out = NULL;
    memset (in->data, 0, (gsize) 1 << 16);
    info->max_storage_bytes = limits[i].bytes;
    info->max_texels = limits[i].max_texels;
    SegSession *session = seg_session_new (model, vk, &(SegSessionOptions){ 0 }, &error);
    gboolean ran = session != NULL && seg_session_run (session, &in, &out, &error);
    gboolean refused = g_error_matches (error, SEG_ERROR, SEG_ERROR_MEMORY);
    g_autofree char *title =
        g_strdup_printf ("64 KiB where %u KiB and %u texels are the most",
            (guint) (limits[i].bytes >> 10), (guint) limits[i].max_texels);
    seg_tap_result (
        tap, i < 2 ? ran : refused, title, error != NULL ? error->message : "ran");
    seg_tensor_unref (in);
    seg_tensor_unref (out);
    seg_session_free (&session);
  }
  *info = kept;
}

int
main (void)
{
  SegTap tap = { 0 };
  int status;
  SegVk *vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  gboolean cpu = seg_vk_info (vk)->type == SEG_DEVICE_CPU; /* else no Winograd */
  for (SegPrecision p = SEG_PRECISION_FP32; p <= SEG_PRECISION_FP16; p++) {
    check (&tap, vk, "wide, then narrow", wide_then_narrow (), p, cpu ? 4 : 0, G_MAXUINT);
    check (&tap, vk, "narrow", narrow (), p, 0, G_MAXUINT);
    check (&tap, vk, "deep after large", deep_after_large (), p, cpu, 2 * cpu);
  }
  check_most (&tap, vk);
  seg_vk_unref (vk);
  return seg_tap_finish (&tap);
}
