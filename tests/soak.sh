#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tests/soak.sh [MINUTES] [BUILD]: elements of a build folder (build) at work for MINUTES (30) while
# threads change states, caps, properties, models and pads, then as long behind a live source with a
# network of 200 ms in each mode. Frames, times and memory are printed; memory that grows is a failure,
# and so are a hang, an error, a frame rate that falls, and a leak. Wants the machine for itself.
set -eu
cd "$(dirname "$0")/.."
export VKSEG_SOAK_MINUTES="${1:-30}" GST_TRACERS=leaks G_DEBUG=fatal-warnings
exec "${2:-build}/tests/elements/test-torture" -v
