// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether item i, of `of_row` for each counted row (0: not known), is past the live ones.
bool is_past_rows (isamplerBuffer count, int of_row, int i)
{
  return of_row != 0 && i >= texelFetch (count, 0).x * of_row;
}

// Rows that the data decides: their number is in memory, and is that of another tensor's rows times
// num over den; at most `most`. See seg_program_rows in gst/ops/program.h.
int live_rows (isamplerBuffer count, int num, int den, int most)
{
  return clamp (texelFetch (count, 0).x * num / den, 0, most);
}
