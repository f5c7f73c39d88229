// SPDX-License-Identifier: LGPL-2.1-or-later
// What one lane holds, to all of its subgroup: a texel of weights a lane is read once and used by each. Number by
// number, as llvmpipe shuffles them anyway. The shader asks for GL_KHR_shader_subgroup_shuffle.
vec4 spread (vec4 v, uint lane)
{
  return vec4 (subgroupShuffle (v.x, lane), subgroupShuffle (v.y, lane),
      subgroupShuffle (v.z, lane), subgroupShuffle (v.w, lane));
}
