// SPDX-License-Identifier: LGPL-2.1-or-later
// The other direction of store.glsl, for kernels that read storage buffers: SEG_INPUT (binding,
// name) declares one, load4 (name, i) gives elements 4i .. 4i+3. STORE_F16 reads fp16 too, unless
// the result alone is fp32: READ_F16 with STORE_F32.
#if defined(STORE_F16) || defined(READ_F16)
#define SEG_INPUT(b, name) layout (binding = b) readonly buffer Input##name { uvec2 data[]; } name
#define load4(name, i) vec4 (unpackHalf2x16 (name.data[i].x), unpackHalf2x16 (name.data[i].y))
#else
#define SEG_INPUT(b, name) layout (binding = b) readonly buffer Input##name { vec4 data[]; } name
#define load4(name, i) name.data[i]
#endif
