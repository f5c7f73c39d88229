// SPDX-License-Identifier: LGPL-2.1-or-later
// Single elements, by bits, into a buffer that other invocations write too: SEG_ELEMENTS
// (binding) declares it; store1 writes one, store2 two.
#define SEG_ELEMENTS(b) layout (binding = b) buffer Elements { uint words[]; } seg_elements

#ifdef STORE_B16
// Two elements share a word; the other half may be another invocation's.
#define store1(AT, V)                                                                          \
  {                                                                                            \
    uint shift = uint ((AT) & 1) * 16u;                                                        \
    atomicAnd (seg_elements.words[(AT) >> 1], 0xffff0000u >> shift);                           \
    atomicOr (seg_elements.words[(AT) >> 1], (V) << shift);                                    \
  }
#define store2(AT0, AT1, V)                                                                    \
  if (((AT0) & 1) == 0 && (AT1) == (AT0) + 1) {                                                \
    seg_elements.words[(AT0) >> 1] = (V).x | (V).y << 16;                                      \
  } else {                                                                                     \
    store1 (AT0, (V).x)                                                                        \
    store1 (AT1, (V).y)                                                                        \
  }
#elif defined(STORE_B8)
#define store1(AT, V)                                                                          \
  {                                                                                            \
    uint shift = uint ((AT) & 3) * 8u;                                                         \
    atomicAnd (seg_elements.words[(AT) >> 2], ~(255u << shift));                               \
    atomicOr (seg_elements.words[(AT) >> 2], (V) << shift);                                    \
  }
#define store2(AT0, AT1, V)                                                                    \
  {                                                                                            \
    store1 (AT0, (V).x)                                                                        \
    store1 (AT1, (V).y)                                                                        \
  }
#else
#define store1(AT, V) seg_elements.words[AT] = (V);
#define store2(AT0, AT1, V)                                                                    \
  {                                                                                            \
    store1 (AT0, (V).x)                                                                        \
    store1 (AT1, (V).y)                                                                        \
  }
#endif
