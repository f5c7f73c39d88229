/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/act.h"

G_BEGIN_DECLS

/* Inputs of a Gate (ops/gate.c), which graph/gates.c makes: weights have their biases behind them. */
enum { SEG_GATE_MAP, SEG_GATE_HIDDEN, SEG_GATE_OUT = 3, SEG_GATE_OTHER = 5 };

#define SEG_GATE_MAX        1024 /* channels */
#define SEG_GATE_MAX_HIDDEN 512

typedef struct {
  SegAct act; /* of the hidden numbers; that of the result is the epilogue's */
} SegGateParams;

G_END_DECLS
