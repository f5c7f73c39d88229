/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/motion.h"

/* Standard deviations, as parts of the size. */
#define POSITION_NOISE (1.0 / 20.0)
#define SPEED_NOISE    (1.0 / 160.0)

static double
square (double v)
{
  return v * v;
}

static void
filter_init (SegFilter *f, double at, double size)
{
  *f = (SegFilter){ .at = at,
    .p00 = square (2.0 * POSITION_NOISE * size),
    .p11 = square (10.0 * SPEED_NOISE * size) };
}

static void
filter_predict (SegFilter *f, double size, double n)
{
  f->at += f->speed * n;
  f->p00 += 2.0 * n * f->p01 + n * n * f->p11 + n * square (POSITION_NOISE * size);
  f->p01 += n * f->p11;
  f->p11 += n * square (SPEED_NOISE * size);
}

static void
filter_update (SegFilter *f, double size, double measured)
{
  double s = f->p00 + square (POSITION_NOISE * size);
  double k0 = f->p00 / s, k1 = f->p01 / s, error = measured - f->at;
  f->at += k0 * error;
  f->speed += k1 * error;
  f->p11 -= k1 * f->p01;
  f->p01 -= k0 * f->p01;
  f->p00 -= k0 * f->p00;
}

void
seg_motion_init (SegMotion *m, const GstVkSegRect *box)
{
  filter_init (&m->x, box->x + box->width / 2.0, box->width);
  filter_init (&m->y, box->y + box->height / 2.0, box->height);
  filter_init (&m->width, box->width, box->width);
  filter_init (&m->height, box->height, box->height);
}

void
seg_motion_predict (SegMotion *m, guint n_frames, gboolean grows)
{
  double w = MAX (m->width.at, 1.0), h = MAX (m->height.at, 1.0);
  if (!grows)
    m->width.speed = m->height.speed = 0.0;
  filter_predict (&m->x, w, n_frames);
  filter_predict (&m->y, h, n_frames);
  filter_predict (&m->width, w, n_frames);
  filter_predict (&m->height, h, n_frames);
}

void
seg_motion_update (SegMotion *m, const GstVkSegRect *box)
{
  filter_update (&m->x, box->width, box->x + box->width / 2.0);
  filter_update (&m->y, box->height, box->y + box->height / 2.0);
  filter_update (&m->width, box->width, box->width);
  filter_update (&m->height, box->height, box->height);
}

GstVkSegRect
seg_motion_box (const SegMotion *m)
{
  double w = MAX (m->width.at, 1e-3), h = MAX (m->height.at, 1e-3);
  return (GstVkSegRect){ m->x.at - w / 2.0, m->y.at - h / 2.0, w, h };
}
