/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/geometry.h"

#include <math.h>

typedef struct {
  double scale, shift;
  guint net0, net1, frame0, frame1;
} Axis;

SegCover
seg_cover_whole (guint net, guint grid)
{
  return (SegCover){ net, grid, 0.0, (double) net / grid };
}

static double
covered (const SegCover *c)
{
  return c->grid * c->jump;
}

/* One side: the frame's `n` pixels become `scaled` ones, in the middle of what is covered. */
static Axis
fit_axis (guint n, const SegCover *c, double scaled)
{
  double length = covered (c);
  Axis a = { .scale = scaled / n, .shift = c->margin, .net1 = c->net, .frame1 = n };
  if (scaled < length) {
    a.net0 = (guint) MAX (floor (c->margin + (length - scaled) / 2), 0);
    a.net1 = MIN (c->net, a.net0 + (guint) scaled);
    a.shift = a.net0;
  } else if (scaled > length) {
    a.shift = c->margin - floor ((scaled - length) / 2);
    /* The frame's pixels whose middle lies inside. */
    a.frame0 = (guint) MAX (ceil ((c->margin - a.shift) / a.scale - 0.5), 0);
    a.frame1 = MIN (n, (guint) ceil ((c->margin + length - a.shift) / a.scale - 0.5));
    a.frame1 = MAX (a.frame1, a.frame0 + 1);
  }
  return a;
}

/* Whole pixels stay whole: the output takes up what is left of a margin. */
static Axis
native_axis (guint n, const SegCover *c, guint start)
{
  return (Axis){ 1.0, floor (c->margin) - start, 0, c->net, 0, n };
}

static gboolean
reaches_past (const Axis *a, guint n)
{
  return (a->net0 - a->shift) / a->scale < -1e-6
         || (a->net1 - a->shift) / a->scale > n + 1e-6;
}

static void
set_axes (SegGeometry *g, guint frame_width, guint frame_height, const Axis *x,
    const Axis *y, const SegCover *cover_x, const SegCover *cover_y)
{
  *g = (SegGeometry){
    .frame_width = frame_width,
    .frame_height = frame_height,
    .net_width = cover_x->net,
    .net_height = cover_y->net,
    .scale_x = x->scale,
    .scale_y = y->scale,
    .shift_x = x->shift,
    .shift_y = y->shift,
    .net_x0 = x->net0,
    .net_x1 = x->net1,
    .net_y0 = y->net0,
    .net_y1 = y->net1,
    .mirror = reaches_past (x, frame_width) || reaches_past (y, frame_height),
    .frame_x0 = x->frame0,
    .frame_x1 = x->frame1,
    .frame_y0 = y->frame0,
    .frame_y1 = y->frame1,
    .cover_x = *cover_x,
    .cover_y = *cover_y,
  };
}

void
seg_geometry_init (SegGeometry *geometry, SegFit fit, guint frame_width,
    guint frame_height, guint net_width, guint net_height)
{
  SegCover x = seg_cover_whole (net_width, net_width),
           y = seg_cover_whole (net_height, net_height);
  seg_geometry_init_cover (geometry, fit, frame_width, frame_height, &x, &y);
}

void
seg_geometry_init_cover (SegGeometry *geometry, SegFit fit, guint frame_width,
    guint frame_height, const SegCover *cover_x, const SegCover *cover_y)
{
  double w = covered (cover_x), h = covered (cover_y);
  double sx = w / frame_width, sy = h / frame_height;
  if (fit == SEG_FIT_NATIVE) {
    seg_geometry_init_tile (geometry, frame_width, frame_height, cover_x, cover_y, 0, 0);
    return;
  }
  if (fit != SEG_FIT_STRETCH) {
    double s = fit == SEG_FIT_LETTERBOX ? MIN (sx, sy) : MAX (sx, sy);
    w = sx == s ? w : MAX (1, round (frame_width * s));
    h = sy == s ? h : MAX (1, round (frame_height * s));
  }
  Axis x = fit_axis (frame_width, cover_x, w), y = fit_axis (frame_height, cover_y, h);
  set_axes (geometry, frame_width, frame_height, &x, &y, cover_x, cover_y);
}

void
seg_geometry_init_tile (SegGeometry *geometry, guint frame_width, guint frame_height,
    const SegCover *cover_x, const SegCover *cover_y, guint at_x, guint at_y)
{
  Axis x = native_axis (frame_width, cover_x, at_x),
       y = native_axis (frame_height, cover_y, at_y);
  set_axes (geometry, frame_width, frame_height, &x, &y, cover_x, cover_y);
}
