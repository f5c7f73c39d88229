// SPDX-License-Identifier: LGPL-2.1-or-later
// A network's boxes with scores, and how they lie over the frame. Host side: gst/frame/instances.c.
// The including shader defines SEG_INSTANCES and SEG_LIMITS, the bindings.
layout (std140, binding = SEG_INSTANCES) uniform Instances {
  ivec4 shape;    // boxes, classes, coefficients of a mask, 1 if there is a score of "any object"
  ivec4 view;     // of the detections, in elements: offset, step to the next box, to the next
                  // value; 1: boxes are x0 y0 x1 y1, 0: middle and size
  ivec4 mask;     // width, height, bytes of a row, of a slot
  ivec4 proto;    // of the prototypes, in elements: offset, steps along x, y, coefficient
  vec4 to_net;    // what the box's numbers are times; width and height of the network's input
  vec4 to_frame;  // frame = net * xy + zw
  vec4 from_mask; // frame = mask * xy + zw
  vec4 frame;     // width, height
} inst;

layout (std140, binding = SEG_LIMITS) uniform Limits {
  uvec4 keep[32]; // a bit per class
  vec4 amount;    // score from which on, IoU up to which, probability from which on
  ivec4 count;    // at most so many instances
} limits;

const int CANDIDATES = 1024; // SEG_MAX_CANDIDATES
const int WORDS = CANDIDATES / 32;

bool keeps_class (int c)
{
  return (limits.keep[c >> 7][(c >> 5) & 3] >> (c & 31) & 1u) != 0u;
}

bool is_finite (float v)
{
  return (floatBitsToUint (v) & 0x7f800000u) != 0x7f800000u;
}

// A box as the network writes it to x0 y0 x1 y1 in pixels of its input.
vec4 box_in_net (vec4 v)
{
  v *= inst.to_net.xyxy;
  return inst.view.w != 0 ? v : vec4 (v.xy - 0.5 * v.zw, v.xy + 0.5 * v.zw);
}

// And to what of it is in the frame.
vec4 box_in_frame (vec4 net)
{
  return clamp (net * inst.to_frame.xyxy + inst.to_frame.zwzw, vec4 (0.0), inst.frame.xyxy);
}

bool box_is_seen (vec4 net)
{
  vec4 b = box_in_frame (net);
  return is_finite (net.x) && is_finite (net.y) && is_finite (net.z) && is_finite (net.w)
      && b.z > b.x && b.w > b.y;
}
