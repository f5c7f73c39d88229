/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which maps have their pixels apart: large ones with whole KiB of channels that convolutions read or
 * write, and none that something else takes for rows without gaps. */
#include "graph/graph.h"
#include "lib/net.h"
#include "lib/tap.h"
#include "ops/table.h"

static const char *
conv (Net *net, const char *in, guint in_c, guint out_c)
{
  return net_conv (net, in, (NetConv){ in_c, out_c, 1 });
}

static GBytes *
between (guint channels, gint64 size)
{
  Net *net = net_new (1, 8, size, size);
  return net_finish (net, conv (net, conv (net, "picture", 8, channels), channels, 8));
}

static GBytes *
as_rows (void)
{
  static const gint64 to_last[] = { 0, 2, 3, 1 };
  Net *net = net_new (1, 8, 16, 16);
  const char *x = net_transpose (net, conv (net, "picture", 8, 256), to_last);
  return net_finish (net, net_op (net, "Sqrt", x));
}

static GBytes *
concatenated (void)
{
  Net *net = net_new (1, 8, 16, 16);
  const char *a = conv (net, "picture", 8, 256), *b = conv (net, "picture", 8, 256);
  return net_finish (net, conv (net, net_concat (net, a, b), 512, 8));
}

static GBytes *
uploaded (void)
{
  Net *net = net_new (1, 256, 16, 16);
  return net_finish (net, conv (net, "picture", 256, 8));
}

/* Reads and writes 256 channels, but what reads them is no convolution. */
static GBytes *
elementwise (void)
{
  Net *net = net_new (1, 256, 16, 16);
  return net_finish (net, net_op (net, "Sqrt", net_op (net, "Erf", "picture")));
}

/* How many values have gaps. */
static void
check (SegTap *tap, const char *name, GBytes *bytes, guint expected)
{
  g_autoptr (GBytes) owned = bytes;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = seg_model_parse (owned, NULL, &error);
  g_autoptr (SegGraph) graph = model == NULL
                                   ? NULL
                                   : seg_graph_new (model, seg_op_lookup, NULL, 0,
                                       SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT, &error);
  if (graph == NULL) {
    seg_tap_result (tap, FALSE, name, error->message);
    return;
  }
  guint n = 0;
  gboolean ok = TRUE;
  for (guint i = 0; i < graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->values, i);
    n += v->gap != 0;
    ok &= v->gap == 0
          || (v->layout == SEG_LAYOUT_CHANNELS_LAST && v->base == NULL && !v->is_output);
    ok &= v->layout != SEG_LAYOUT_ROWS || v->base == NULL || v->base->gap == 0;
  }
  g_autofree char *detail = g_strdup_printf ("%u values with gaps, expected %u%s", n,
      expected, ok ? "" : "; one where there may be none");
  seg_tap_result (tap, ok && n == expected, name, detail);
}

int
main (void)
{
  SegTap tap = { 0 };
  check (&tap, "256 channels", between (256, 16), 1);
  check (&tap, "512 channels", between (512, 16), 1);
  check (&tap, "248 channels", between (248, 16), 0);
  check (&tap, "256 channels of few pixels", between (256, 7), 0);
  check (&tap, "read as rows", as_rows (), 0);
  check (&tap, "parts of a concatenation", concatenated (), 1);
  check (&tap, "an input", uploaded (), 1);
  check (&tap, "no convolution", elementwise (), 0);
  return seg_tap_finish (&tap);
}
