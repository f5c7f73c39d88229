#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Non-maximum suppression: from the best candidate on, each that no better one has taken out stays
// and takes out those that overlap it. Those that stay become the frame's instances. One workgroup.
#define SEG_INSTANCES 0
#define SEG_LIMITS 1
#include "lib/instances.glsl"
#include "lib/records.glsl"

layout (local_size_x = 64) in;
layout (binding = 2) uniform usamplerBuffer candidates;
layout (binding = 3) uniform samplerBuffer boxes;
layout (binding = 4) uniform usamplerBuffer sorted;
layout (binding = 5) readonly buffer Overlaps { uint data[]; } overlaps;
layout (binding = 6) writeonly buffer Records { uvec4 data[]; } records;

shared uint gone[WORDS];
shared int kept[CANDIDATES];

void write_record (int slot, int i)
{
  uvec4 c = texelFetch (sorted, i);
  vec4 box = box_in_frame (texelFetch (boxes, i));
  // Of the mask all pixels that interpolation within the box looks at.
  ivec4 area = ivec4 (0);
  if (inst.mask.x > 0) {
    vec4 b = (box - inst.from_mask.zwzw) / inst.from_mask.xyxy - 0.5;
    area.xy = clamp (ivec2 (floor (b.xy)), ivec2 (0), inst.mask.xy - 1);
    area.zw = clamp (ivec2 (floor (b.zw)) + 2, area.xy + 1, inst.mask.xy);
  }
  ivec2 size = area.zw - area.xy;
  int offset = slot * inst.mask.w + area.y * inst.mask.z + area.x;
  float score = min (uintBitsToFloat (c.y), 1.0);
  int at = record_at (slot);
  records.data[at] = uvec4 (c.x, floatBitsToUint (score), offset, inst.mask.z);
  records.data[at + 1] = floatBitsToUint (box);
  records.data[at + 2] = uvec4 (size, c.z, area.x | area.y << 16);
  records.data[at + 3] = floatBitsToUint (vec4 (vec2 (area.xy), vec2 (size))
                                          * inst.from_mask.xyxy
                                          + vec4 (inst.from_mask.zw, 0.0, 0.0));
}

void main ()
{
  int me = int (gl_LocalInvocationID.x);
  int n = int (texelFetch (candidates, 0).x), n_kept = 0;
  if (me < WORDS)
    gone[me] = 0u;
  barrier ();
  for (int i = 0; i < n && n_kept < limits.count.x; i++) {
    bool stays = (gone[i >> 5] >> (i & 31) & 1u) == 0u;
    barrier ();
    if (stays && me < WORDS)
      gone[me] |= overlaps.data[i * WORDS + me];
    if (stays && me == 0)
      kept[n_kept] = i;
    n_kept += stays ? 1 : 0;
    barrier ();
  }
  if (me == 0)
    records.data[0] = uvec4 (n_kept, n, 0u, 0u);
  for (int slot = me; slot < n_kept; slot += 64)
    write_record (slot, kept[slot]);
}
