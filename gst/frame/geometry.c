/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/geometry.h"

#include <math.h>

typedef struct {
  double scale, shift;
  guint net0, net1, frame0, frame1;
} Axis;

/* One side: the frame's `n` pixels become `scaled` ones, in the middle of the network's `net`. */
static Axis
fit_axis (guint n, guint net, guint scaled)
{
  Axis a = { .scale = (double) scaled / n, .net1 = net, .frame1 = n };
  if (scaled < net) {
    a.net0 = (net - scaled) / 2;
    a.net1 = a.net0 + scaled;
    a.shift = a.net0;
  } else if (scaled > net) {
    a.shift = -(double) ((scaled - net) / 2);
    /* The frame's pixels whose middle lies inside. */
    a.frame0 = (guint) ceil (-a.shift / a.scale - 0.5);
    a.frame1 = MIN (n, (guint) ceil ((net - a.shift) / a.scale - 0.5));
    a.frame1 = MAX (a.frame1, a.frame0 + 1);
  }
  return a;
}

void
seg_geometry_init (SegGeometry *geometry, SegFit fit, guint frame_width,
    guint frame_height, guint net_width, guint net_height)
{
  double sx = (double) net_width / frame_width, sy = (double) net_height / frame_height;
  guint w = net_width, h = net_height;
  if (fit != SEG_FIT_STRETCH) {
    double s = fit == SEG_FIT_LETTERBOX ? MIN (sx, sy) : MAX (sx, sy);
    w = MAX (1, (guint) round (frame_width * s));
    h = MAX (1, (guint) round (frame_height * s));
  }
  Axis x = fit_axis (frame_width, net_width, w),
       y = fit_axis (frame_height, net_height, h);
  *geometry = (SegGeometry){
    frame_width,
    frame_height,
    net_width,
    net_height,
    x.scale,
    y.scale,
    x.shift,
    y.shift,
    x.net0,
    x.net1,
    y.net0,
    y.net1,
    x.frame0,
    x.frame1,
    y.frame0,
    y.frame1,
  };
}
