/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gstvksegmask.h"
#include "gstvksegmeta.h"
#include "gstvksegmirror.h"
#include "gstvksegsession.h"
#include "gstvksegshape.h"
#include "gstvksegversion.h"
