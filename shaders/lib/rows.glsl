// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows that the data decides: their number is in memory, and is that of another tensor's rows times
// num over den; at most `most`. See seg_program_rows in gst/ops/program.h.
int live_rows (isamplerBuffer count, int num, int den, int most)
{
  return clamp (texelFetch (count, 0).x * num / den, 0, most);
}
