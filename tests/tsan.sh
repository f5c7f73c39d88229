#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tests/tsan.sh [ROUNDS]: ThreadSanitizer on what several threads do at once. Builds in build-tsan (BUILD)
# and runs the tests of threads on one Vulkan device, of sharing, of live sources and of networks that
# change places, and the torture with ROUNDS (60) of each thread. Exit status 0: no report.
# Only our own code is watched (ignore_noninstrumented_modules): GLib's slices hand memory from thread to
# thread, and the drivers' locks are futexes, which the sanitizer does not see. GLib's locks it is told of
# (tests/lib/tsan-glib.c). The validation layer is left out: it is slow, and runs in all other builds.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build-tsan}
[ -f "$build/build.ninja" ] \
    || meson setup "$build" -Db_sanitize=thread -Db_lundef=false -Dopencv=disabled -Ddocs=disabled \
        -Dintrospection=disabled
tests='tests/vk/test-vk-threads tests/test-team tests/elements/test-vksegment-batch
    tests/elements/test-vksegment-sharing tests/elements/test-vksegment-live
    tests/elements/test-vksegment-live-pipeline
    tests/elements/test-vksegment-swap tests/elements/test-torture'
# shellcheck disable=SC2086
ninja -C "$build" $tests
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 history_size=4 exitcode=66 ${TSAN_OPTIONS-}"
export VKSEG_TORTURE_ROUNDS="${1:-60}" VKSEG_TEST_NEED_DEVICE=1 VKSEG_VALIDATE=
status=0
for test in $tests; do
    echo "=== $test"
    # That one is fair by the clock, which is slow here.
    "$build/$test" -s /sharing/four-pipelines || status=1
done
exit $status
