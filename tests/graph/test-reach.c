/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How outputs lie over the picture: strides, margins, padding. */
#include "graph/reach.h"

#include "lib/net.h"
#include "ops/table.h"

/* What is expected, for both spatial axes. */
typedef struct {
  gint64 out, num, den, period;
  double margin, margin_end;
  gboolean padded, global;
} Want;

static SegGraph *
build (GBytes *bytes, gint64 height, gint64 width, SegGraphFlags flags)
{
  g_autoptr (GError) error = NULL;
  const SegInputShape shape = { "picture", 4, { 1, 3, height, width } };
  SegModel *model = seg_model_parse (bytes, NULL, &error);
  g_assert_no_error (error);
  SegGraph *graph = seg_graph_new (model, seg_op_lookup, &shape, 1, flags, &error);
  g_assert_no_error (error);
  seg_model_unref (model);
  return graph;
}

static void
check_axis (const SegGraph *graph, const char *name, guint axis, guint out_axis, Want w)
{
  SegReach r;
  seg_graph_reach (graph, 0, axis, 0, &r);
  if (!r.known || r.axis != out_axis || r.out != w.out || r.num != w.num || r.den != w.den
      || r.period != w.period || r.margin != w.margin || r.margin_end != w.margin_end
      || r.padded != w.padded || r.global != w.global)
    g_error ("%s, axis %u: known %d, axis %u, out %d, jump %d/%d, period %d, margins %g "
             "and %g, padded %d, global %d",
        name, axis, r.known, r.axis, (int) r.out, (int) r.num, (int) r.den,
        (int) r.period, r.margin, r.margin_end, r.padded, r.global);
}

/* Passes change nodes, not where their results lie. */
static void
check (Net *net, const char *output, const char *name, gint64 side, Want w)
{
  static const SegGraphFlags flags[] = { SEG_GRAPH_PLAIN,
    SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT };
  g_autoptr (GBytes) bytes = net_finish (net, output);
  for (guint f = 0; f < G_N_ELEMENTS (flags); f++) {
    g_autoptr (SegGraph) graph = build (bytes, side, side, flags[f]);
    check_axis (graph, name, 2, 2, w);
    check_axis (graph, name, 3, 3, w);
  }
}

static Net *
new_net (void)
{
  return net_new (1, 3, 0, 0);
}

static void
test_unet (void)
{
  Net *net = new_net ();
  check (net, net_unet (net, "picture", 3, 4, 2, 3, FALSE), "U-Net as published", 572,
      (Want){ 388, 1, 1, 16, 92, 92 });
  net = new_net ();
  check (net, net_unet (net, "picture", 3, 2, 2, 3, FALSE), "U-Net of two levels", 100,
      (Want){ 60, 1, 1, 4, 20, 20 });
  net = new_net ();
  check (net, net_unet (net, "picture", 3, 3, 2, 3, TRUE), "padded U-Net", 96,
      (Want){ 96, 1, 1, 8, 0, 0, TRUE });
}

/* A size at which a pooling leaves a pixel out says how many pixels it wants. */
static void
test_missing (void)
{
  Net *net = new_net ();
  const char *v = "picture";
  for (guint i = 0; i < 3; i++)
    v = net_pool (net, "MaxPool", net_conv (net, v, (NetConv){ 3, 3, 3 }), 2, 2, 0);
  g_autoptr (GBytes) bytes = net_finish (net, v);
  for (gint64 start = 64, side = start; start < 72; side = ++start) {
    SegReach r;
    for (guint i = 0;; i++) {
      g_autoptr (SegGraph) graph = build (bytes, side, side, SEG_GRAPH_OPTIMISE);
      seg_graph_reach (graph, 0, 3, 0, &r);
      if (r.missing == 0)
        break;
      side += r.missing;
      g_assert_cmpuint (i, <, 4);
    }
    if (side % 8 != 6 || side < start || side >= start + 8 || r.margin != r.margin_end)
      g_error ("%d becomes %d, which leaves %g and %g", (int) start, (int) side, r.margin,
          r.margin_end);
  }
}

static void
test_windows (void)
{
  Net *net = new_net ();
  const char *v = net_conv (net, "picture", (NetConv){ 3, 4, 5, 1, 0, 2 });
  check (net, v, "dilation", 40, (Want){ 32, 1, 1, 1, 4, 4 });
  net = new_net ();
  v = net_conv (net, "picture", (NetConv){ 3, 4, 3, 2, 0 });
  check (net, net_conv (net, v, (NetConv){ 4, 4, 3, 2, 0 }), "strides", 31,
      (Want){ 7, 4, 1, 4, 1.5, 1.5 });
  net = new_net ();
  v = net_pool (net, "AveragePool", "picture", 3, 3, 0);
  check (net, net_op (net, "Sigmoid", v), "pool", 30, (Want){ 10, 3, 1, 3, 0, 0 });
  net = new_net ();
  v = net_conv (net, "picture", (NetConv){ 3, 4, 7, 1, 3 });
  check (net, net_crop (net, v, 3), "padding that is cut off again", 30,
      (Want){ 24, 1, 1, 1, 3, 3, TRUE });
}

static void
test_upsampling (void)
{
  static const char *const modes[] = { "nearest", "linear" };
  Net *net = new_net ();
  const char *v = net_pool (net, "MaxPool", "picture", 4, 4, 0);
  check (net, net_up_conv (net, v, (NetConv){ 3, 4, 4, 4 }), "transposed", 32,
      (Want){ 32, 1, 1, 4, 0, 0 });
  net = new_net ();
  v = net_up_conv (net, "picture", (NetConv){ 3, 4, 4, 2, 1 });
  check (net, v, "transposed, overlapping", 16, (Want){ 32, 1, 2, 1, 0, 0, TRUE });
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    net = new_net ();
    v = net_pool (net, "MaxPool", "picture", 8, 8, 0);
    check (net, net_resize (net, v, modes[m], 4), modes[m], 64,
        (Want){ 32, 2, 1, 8, 0, 0, m == 1 });
  }
}

/* Squeeze and excitation sees everything, and so does the node that graph/gates.c makes of it, also where the
 * picture is as wide as it has channels. */
static void
test_gate (void)
{
  Net *net = new_net ();
  const char *v = net_conv (net, "picture", (NetConv){ 3, 8, 1 });
  const char *gate = net_op (net, "GlobalAveragePool", v);
  gate = net_op (net, "Relu", net_conv (net, gate, (NetConv){ 8, 2, 1 }));
  gate = net_op (net, "Sigmoid", net_conv (net, gate, (NetConv){ 2, 8, 1 }));
  v = net_op2 (net, "Mul", v, gate);
  check (net, v, "gate", 8, (Want){ 8, 1, 1, 1, 0, 0, FALSE, TRUE });
}

/* Moved axes, a part that sees everything, and one that loses all places. */
static void
test_ways (void)
{
  static const gint64 to_nhwc[4] = { 0, 2, 3, 1 }, perm[4] = { 0, 1, 3, 2 };
  Net *net = new_net ();
  const char *v = net_conv (net, "picture", (NetConv){ 3, 4, 3, 2 });
  const char *all = net_op (net, "GlobalAveragePool", v);
  v = net_concat (net, v, net_resize (net, all, "linear", 7));
  check (net, v, "global", 15, (Want){ 7, 2, 1, 2, 0.5, 0.5, FALSE, TRUE });

  net = new_net ();
  v = net_instance_norm (net, net_conv (net, "picture", (NetConv){ 3, 4, 3 }), 4);
  check (net, v, "instance normalisation", 15, (Want){ 13, 1, 1, 1, 1, 1, FALSE, TRUE });

  net = new_net (); /* along the last axis */
  g_autoptr (GBytes) rows = net_finish (net, net_op (net, "Softmax", "picture"));
  g_autoptr (SegGraph) each = build (rows, 20, 30, SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT);
  check_axis (each, "softmax", 2, 2, (Want){ 20, 1, 1, 1, 0, 0 });
  check_axis (each, "softmax", 3, 3, (Want){ 30, 1, 1, 1, 0, 0, FALSE, TRUE });

  net = new_net ();
  v = net_conv (net, "picture", (NetConv){ 3, 4, 3 });
  g_autoptr (GBytes) nhwc = net_finish (net, net_transpose (net, v, to_nhwc));
  g_autoptr (SegGraph) a = build (nhwc, 20, 30, SEG_GRAPH_OPTIMISE | SEG_GRAPH_LAYOUT);
  check_axis (a, "to NHWC", 2, 1, (Want){ 18, 1, 1, 1, 1, 1 });
  check_axis (a, "to NHWC", 3, 2, (Want){ 28, 1, 1, 1, 1, 1 });

  net = new_net ();
  g_autoptr (GBytes) turned = net_finish (net, net_transpose (net, "picture", perm));
  g_autoptr (SegGraph) b = build (turned, 20, 30, SEG_GRAPH_PLAIN);
  check_axis (b, "turned", 2, 3, (Want){ 20, 1, 1, 1, 0, 0 });

  net = new_net ();
  v = net_op (net, "Flatten", net_conv (net, "picture", (NetConv){ 3, 4, 3 }));
  g_autoptr (GBytes) flat = net_finish (net, v);
  g_autoptr (SegGraph) c = build (flat, 20, 30, SEG_GRAPH_OPTIMISE);
  SegReach r;
  seg_graph_reach (c, 0, 2, 0, &r);
  g_assert_false (r.known);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reach/unet", test_unet);
  g_test_add_func ("/reach/missing", test_missing);
  g_test_add_func ("/reach/windows", test_windows);
  g_test_add_func ("/reach/upsampling", test_upsampling);
  g_test_add_func ("/reach/gate", test_gate);
  g_test_add_func ("/reach/ways", test_ways);
  return g_test_run ();
}
