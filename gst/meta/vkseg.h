/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gstvksegmask.h"
#include "gstvksegmeta.h"
#include "gstvksegmirror.h"
#include "gstvksegshape.h"
