#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// The next entry of a table becomes the current one; after the last comes the first. One workgroup.
layout (local_size_x = 64) in;
layout (binding = 0) readonly buffer Table { uvec4 data[]; } table;
layout (binding = 1) buffer State { uint next; } state;
layout (binding = 2) writeonly buffer Current { uvec4 data[]; } current;
layout (push_constant) uniform Push {
  uint n_words4, n_entries; // groups of four words in an entry
} push;

void main ()
{
  uint entry = state.next;
  for (uint i = gl_LocalInvocationID.x; i < push.n_words4; i += 64u)
    current.data[i] = table.data[entry * push.n_words4 + i];
  barrier ();
  if (gl_LocalInvocationID.x == 0u)
    state.next = entry + 1u < push.n_entries ? entry + 1u : 0u;
}
