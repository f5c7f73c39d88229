// SPDX-License-Identifier: LGPL-2.1-or-later
// How a result is stored, four elements at a time: SEG_OUTPUT (binding) declares the buffer,
// store4 (i, v) writes elements 4i .. 4i+3. fp16 goes through packHalf2x16, so that no 16-bit
// storage feature is needed. SEG_VEC4 is what store4 takes, of integers.
// WIDE: two texels of four elements at a time, elements 4i .. 4i+7 with i even. llvmpipe goes through
// the lanes for each store, and takes as long for 16 bytes a lane as for four numbers of 64 bits.
// Kernels for both have STORE_TEXELS and store_texels (i, v), v an array of as many.
#if defined(WIDE) && defined(STORE_F16)
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { uvec4 data[]; } seg_out
#define STORE_PAIR uvec4
#define store_pair(v)                                                                          \
  uvec4 (packHalf2x16 ((v)[0].xy), packHalf2x16 ((v)[0].zw), packHalf2x16 ((v)[1].xy),         \
      packHalf2x16 ((v)[1].zw))
#elif defined(WIDE)
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { u64vec4 data[]; } seg_out
#define STORE_PAIR u64vec4
#ifdef STORE_B32
#define store_pack(v) packUint2x32 (v)
#else
#define store_pack(v) packUint2x32 (floatBitsToUint (v))
#endif
#define store_pair(v)                                                                          \
  u64vec4 (store_pack ((v)[0].xy), store_pack ((v)[0].zw), store_pack ((v)[1].xy),             \
      store_pack ((v)[1].zw))
#elif defined(STORE_F16)
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { uvec2 data[]; } seg_out
#define store4(i, v) seg_out.data[i] = uvec2 (packHalf2x16 ((v).xy), packHalf2x16 ((v).zw))
#elif defined(STORE_F32)
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { vec4 data[]; } seg_out
#define store4(i, v) seg_out.data[i] = (v)
#elif defined(STORE_I32)
#define SEG_VEC4 ivec4
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { ivec4 data[]; } seg_out
#define store4(i, v) seg_out.data[i] = (v)
#elif defined(STORE_B32)
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { uvec4 data[]; } seg_out
#define store4(i, v) seg_out.data[i] = (v)
#elif defined(STORE_B16)
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { uvec2 data[]; } seg_out
#define store4(i, v) seg_out.data[i] = uvec2 ((v).x | (v).y << 16, (v).z | (v).w << 16)
#elif defined(STORE_B8)
#define SEG_VEC4 uvec4
#define SEG_OUTPUT(b) layout (binding = b) writeonly buffer Output { uint data[]; } seg_out
#define store4(i, v) seg_out.data[i] = pack_bytes (v)
uint pack_bytes (uvec4 v)
{
  v &= 255u;
  return v.x | v.y << 8 | v.z << 16 | v.w << 24;
}
#endif
#ifdef STORE_PAIR
#define STORE_TEXELS 2
#define store_texels(i, v) seg_out.data[(i) >> 1] = store_pair (v)
#else
#define STORE_TEXELS 1
#define store_texels(i, v) store4 (i, (v)[0])
#endif
