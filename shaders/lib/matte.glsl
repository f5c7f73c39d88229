// SPDX-License-Identifier: LGPL-2.1-or-later
// Alpha of four pixels of a row as it is stored. After lib/decode.glsl.
uint matte_pack (vec4 v)
{
  uvec4 b = uvec4 (v);
  return b.x | b.y << 8 | b.z << 16 | b.w << 24;
}

// x of the matte, y of the labels; cut: below the threshold the matte is 0.
uvec2 matte_words (int word, int row, vec4 v, bool cut)
{
  v = clamp (v, 0.0, 1.0);
  if (cut)
    v *= step (vec4 (style.amount.x), v);
  ivec4 column = min (ivec4 (4 * word) + ivec4 (0, 1, 2, 3), dec.frame.x - 1);
  bvec4 in_x = bvec4 (ivec4 (greaterThanEqual (column, ivec4 (dec.inside.x)))
                      * ivec4 (lessThan (column, ivec4 (dec.inside.y))));
  if (row < dec.inside.z || row >= dec.inside.w)
    in_x = bvec4 (false);
  v = mix (vec4 (0.0), v, in_x);
  return uvec2 (matte_pack (floor (v * 255.0 + 0.5)),
                matte_pack (mix (vec4 (0.0), step (vec4 (style.amount.y), v), in_x)));
}
