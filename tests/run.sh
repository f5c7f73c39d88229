#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds vkseg and runs every test on whatever Vulkan device there is; the CPU driver will do.
#   sh tests/run.sh [-- MESON_TEST_OPTION...]
# Installs missing packages first (see setup.sh). BUILD names the build folder (build-test),
# MESON_ARGS adds options to meson setup. The last line is "N passed, N failed, N skipped",
# the exit status 0 when nothing failed.
set -u

cd "$(dirname -- "$0")/.." || exit 1
build=${BUILD:-build-test}
[ "${1-}" != -- ] || shift

broken() {
    echo "run.sh: $1" >&2
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}

sh tests/setup.sh build test || broken "packages are missing"
if [ -f "$build/build.ninja" ]; then
    # shellcheck disable=SC2086
    meson configure "$build" ${MESON_ARGS-} >/dev/null || broken "meson configure failed"
else
    # shellcheck disable=SC2086
    meson setup "$build" ${MESON_ARGS-} || broken "meson setup failed"
fi
meson compile -C "$build" || broken "the build failed"

# A machine whose driver does not work should not look as if all were well.
export VKSEG_TEST_NEED_DEVICE=1
rm -f "$build/meson-logs/testlog.junit.xml" "$build/meson-logs/testlog.json"
meson test -C "$build" --no-rebuild --print-errorlogs "$@"
status=$?
exec python3 tests/summary.py "$build/meson-logs" "$status"
