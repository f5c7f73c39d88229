/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

/* clang-format off */
G_DEFINE_QUARK (seg-error-quark, seg_error)
