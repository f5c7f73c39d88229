/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/op.h"

/* The descriptors that table.c lists; each is defined at the end of its family's file. */

/* convolution, pooling, matrices */

/* elementwise: one variable, two variables, comparison and logic */

/* reductions, normalisation */

/* moving data */

/* resizing */

/* shapes and constants */
