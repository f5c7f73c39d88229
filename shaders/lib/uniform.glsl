// SPDX-License-Identifier: LGPL-2.1-or-later
// Addresses that are the same for all lanes, and that llvmpipe takes for such. A store goes through the lanes in a
// loop, for some 150 cycles; but where the address is made of constants and push constants alone, and nothing is under
// a condition or in a loop, it stores what the first lane has, and no more: 8 such stores, of what each of the lanes
// has (subgroupShuffle), take 60. Vulkan says that all invocations index push constants alike, so a workgroup's
// number becomes such an address by looking up each of its digits in a table of push constants. Elsewhere
// every lane stores the same bytes to the same place, for nothing and to the letter of the memory model in a race: so
// only on devices that are known to do this (gst/ops/conv-flat.c).
// Declare `int push_digits[16]`, 0 to 15, in the push constants before.

// v, which all lanes have alike, of so many digits of four bits.
int uniform_int (int v, int n)
{
  int r = 0;
  [[unroll]] for (int k = 0; k < n; k++)
    r += push_digits[(v >> 4 * k) & 15] << 4 * k;
  return r;
}
