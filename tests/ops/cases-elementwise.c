/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cases.h"

const SegCase seg_cases_elementwise[] = {
  { NULL },
};
