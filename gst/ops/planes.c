/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/planes.h"

#define TURN  8 /* as in planes.comp */
#define LOCAL 64

/* The loop's axes, outermost first, are images (which may be absent), channels and pixels, and the source has
 * whole texels of channels. Steps backwards, which look larger than G_MAXINT32 here, are not for it. */
gboolean
seg_planes_plan (SegPlanes *planes, const SegStrided *s, guint texels)
{
  const guint32 *dims = s->push, *operand = &s->push[10], *steps = operand + 1;
  guint32 images = dims[3], channels = dims[4], pixels = dims[5];
  gboolean dense = s->push[8] == 0;
  if (!dense || dims[0] * dims[1] * dims[2] != 1 || channels < 2 || steps[4] != 1
      || steps[5] == 0 || steps[5] > G_MAXINT32 || steps[5] % 4 != 0
      || operand[0] % 4 != 0
      || (images > 1 && (steps[3] > G_MAXINT32 || steps[3] % 4 != 0))
      || pixels % (4 * texels) != 0)
    return FALSE;
  guint32 c4 = (channels + 3) / 4;
  if (steps[5] < 4 * c4) /* the last texel would not be the pixel's own */
    return FALSE;
  guint32 blocks = (pixels / (4 * texels) + TURN - 1) / TURN;
  guint64 turns = (guint64) images * blocks * c4;
  guint32 n = (turns * TURN + LOCAL - 1) / LOCAL;
  *planes = (SegPlanes){
    .push = { channels, c4, pixels, operand[0] / 4, steps[5] / 4, steps[3] / 4, blocks,
        turns },
    .groups = { MIN (n, 32768), 0, 1 },
  };
  planes->groups[1] = (n + planes->groups[0] - 1) / planes->groups[0];
  return TRUE;
}
