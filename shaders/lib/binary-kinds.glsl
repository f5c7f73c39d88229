// SPDX-License-Identifier: LGPL-2.1-or-later
// SegBinaryKind of gst/ops/binary.h.
const int BINARY_ADD = 0, BINARY_SUB = 1, BINARY_MUL = 2, BINARY_DIV = 3, BINARY_POW = 4;
const int BINARY_MIN = 5, BINARY_MAX = 6, BINARY_MOD = 7, BINARY_FMOD = 8, BINARY_PRELU = 9;
const int BINARY_AND = 10, BINARY_OR = 11, BINARY_XOR = 12;
const int BINARY_EQUAL = 15, BINARY_GREATER = 16, BINARY_GREATER_EQUAL = 17;
const int BINARY_LESS = 18, BINARY_LESS_EQUAL = 19;
