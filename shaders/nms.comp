#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Greedy non-maximum suppression of the ranked candidates of a batch and class, by one workgroup. A
// block of candidates at a time: each is held against all that were kept so far, then against the
// better ones of its block, by PARTS invocations that share these out, and one invocation goes through
// the block in order. The arithmetic is that of gst/ops/nms.c, NaNs included.
layout (local_size_x_id = 1) in; // BLOCK * PARTS
layout (constant_id = 0) const bool CENTER = false;
layout (push_constant) uniform Push { int n, rows, classes, limit; float iou; } push;
layout (binding = 0) uniform samplerBuffer boxes;
layout (binding = 1) uniform usamplerBuffer totals;
layout (binding = 2) readonly buffer Pairs { uvec2 data[]; } pairs;
layout (binding = 3) coherent buffer Corners { vec4 data[]; } corners; // of those that are kept
layout (binding = 4) writeonly buffer Kept { uint data[]; } kept;
layout (binding = 5) writeonly buffer Counts { uint data[]; } counts;

const int BLOCK = 64, PARTS = int (gl_WorkGroupSize.x) / BLOCK;
shared vec4 block[BLOCK];
// Bits of the block's candidates, in two halves: those that one that was kept overlaps; after that
// those that stay; and for each one the later ones that it overlaps.
shared uint dead[2], alive[2], weaker[2 * BLOCK];

float lower (float a, float b)
{
  return a < b ? a : b;
}

float upper (float a, float b)
{
  return a > b ? a : b;
}

vec4 read_box (int at)
{
  vec4 v = texelFetch (boxes, at);
  precise vec4 b;
  if (CENTER)
    b = vec4 (v.xy - v.zw / 2.0, v.xy + v.zw / 2.0);
  else
    b = vec4 (lower (v.y, v.w), lower (v.x, v.z), upper (v.y, v.w), upper (v.x, v.z));
  return b;
}

bool overlaps (vec4 a, vec4 b, float threshold)
{
  precise float width = lower (a.z, b.z) - upper (a.x, b.x);
  precise float height = lower (a.w, b.w) - upper (a.y, b.y);
  precise float area_a = (a.z - a.x) * (a.w - a.y), area_b = (b.z - b.x) * (b.w - b.y);
  precise float both = width * height, either = area_a + area_b - both;
  return width > 0.0 && height > 0.0 && area_a > 0.0 && area_b > 0.0 && either > 0.0
         && both / either > threshold;
}

bool is_kept (uvec2 keep, int t)
{
  return ((t < 32 ? keep.x >> t : keep.y >> (t - 32)) & 1u) != 0u;
}

// Those of the block that stay, at most `room`.
uvec2 go_through (int room)
{
  uvec2 left = ~uvec2 (dead[0], dead[1]), keep = uvec2 (0u);
  for (int i = 0; i < BLOCK && room > 0; i++)
    if (is_kept (left, i)) {
      keep |= i < 32 ? uvec2 (1u << i, 0u) : uvec2 (0u, 1u << (i - 32));
      left &= ~uvec2 (weaker[2 * i], weaker[2 * i + 1]);
      room--;
    }
  return keep;
}

void main ()
{
  int n = push.n, limit = push.limit, classes = push.classes, rows = push.rows;
  float iou = push.iou;
  int row = int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int t = int (gl_LocalInvocationIndex) % BLOCK, part = int (gl_LocalInvocationIndex) / BLOCK;
  if (row >= rows)
    return;
  int total = int (texelFetch (totals, row >> 2)[row & 3]), n_kept = 0;
  for (int first = 0; first < total && n_kept < limit; first += BLOCK) {
    bool stays = first + t < total;
    uint number = stays ? pairs.data[row * n + first + t].y : 0u;
    vec4 b = read_box (row / classes * n + int (number));
    if (part == 0) {
      block[t] = b;
      weaker[t] = weaker[BLOCK + t] = 0u;
      if (t < 2)
        dead[t] = 0u;
    }
    for (int k = part; k < n_kept && stays; k += PARTS)
      stays = !overlaps (b, corners.data[row * n + k], iou);
    barrier ();
    if (!stays)
      atomicOr (dead[t >> 5], 1u << (t & 31));
    for (int k = t + 1 + part; k < min (BLOCK, total - first) && stays; k += PARTS)
      if (overlaps (block[k], b, iou))
        atomicOr (weaker[2 * t + (k >> 5)], 1u << (k & 31));
    barrier ();
    if (t == 0 && part == 0) {
      uvec2 keep = go_through (limit - n_kept);
      alive[0] = keep.x;
      alive[1] = keep.y;
    }
    barrier ();
    uvec2 keep = uvec2 (alive[0], alive[1]);
    int before = bitCount (t < 32 ? keep.x & ((1u << t) - 1u) : keep.x)
               + bitCount (t < 32 ? 0u : keep.y & ((1u << (t - 32)) - 1u));
    if (part == 0 && is_kept (keep, t)) {
      corners.data[row * n + n_kept + before] = b;
      kept.data[row * limit + n_kept + before] = number;
    }
    n_kept += bitCount (keep.x) + bitCount (keep.y);
    memoryBarrierBuffer ();
    barrier ();
  }
  if (t == 0 && part == 0)
    counts.data[row] = uint (n_kept);
}
