// SPDX-License-Identifier: LGPL-2.1-or-later
// A place that a tuple of indices says, as gst/ops/indexed.h fills it in. After strided.glsl.
// An index outside its extent is clamped.
layout (constant_id = 3) const int TUPLE = 1;
layout (constant_id = 4) const int TUPLE_STEP = 0; // from one index of a tuple to the next
layout (constant_id = 5) const int EXTENT0 = 1;
layout (constant_id = 6) const int STEP0 = 0;
layout (constant_id = 7) const int EXTENT1 = 1;
layout (constant_id = 8) const int STEP1 = 0;
layout (constant_id = 9) const int EXTENT2 = 1;
layout (constant_id = 10) const int STEP2 = 0;
layout (constant_id = 11) const int EXTENT3 = 1;
layout (constant_id = 12) const int STEP3 = 0;
layout (constant_id = 13) const int EXTENT4 = 1;
layout (constant_id = 14) const int STEP4 = 0;

layout (binding = 1) uniform isamplerBuffer indices;

int indexed (int at, int extent, int step)
{
  int index = texelFetch (indices, at >> 2)[at & 3];
  index = index < 0 ? index + extent : index;
  return clamp (index, 0, extent - 1) * step;
}

// What the tuple that begins at `tuple` adds to a place.
int indexed_offset (int tuple)
{
  int at = indexed (tuple, EXTENT0, STEP0);
  if (TUPLE > 1)
    at += indexed (tuple + TUPLE_STEP, EXTENT1, STEP1);
  if (TUPLE > 2)
    at += indexed (tuple + 2 * TUPLE_STEP, EXTENT2, STEP2);
  if (TUPLE > 3)
    at += indexed (tuple + 3 * TUPLE_STEP, EXTENT3, STEP3);
  if (TUPLE > 4)
    at += indexed (tuple + 4 * TUPLE_STEP, EXTENT4, STEP4);
  return at;
}

bool inside (int at, int extent)
{
  int index = texelFetch (indices, at >> 2)[at & 3];
  return index >= -extent && index < extent;
}

// Whether all of a tuple's indices are in their extents.
bool indexed_inside (int tuple)
{
  return inside (tuple, EXTENT0)
      && (TUPLE <= 1 || inside (tuple + TUPLE_STEP, EXTENT1))
      && (TUPLE <= 2 || inside (tuple + 2 * TUPLE_STEP, EXTENT2))
      && (TUPLE <= 3 || inside (tuple + 3 * TUPLE_STEP, EXTENT3))
      && (TUPLE <= 4 || inside (tuple + 4 * TUPLE_STEP, EXTENT4));
}
