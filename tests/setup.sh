#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what groups of tests/packages.txt name and this machine lacks (Debian, Ubuntu):
#   tests/setup.sh build test
# Needs root or sudo only when something is missing.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -gt 0 ] || {
    echo "usage: setup.sh GROUP...; groups: $(sed -n 's/^\[\(.*\)\]$/\1/p' "$here/packages.txt" | xargs)" >&2
    exit 2
}

packages() {
    awk -v group="[$1]" '/^\[/ { on = $0 == group; next } on && NF && !/^#/ { print $1 ":" $2 }' \
        "$here/packages.txt"
}

if ! command -v dpkg-query >/dev/null; then
    echo "setup.sh: not a Debian system; see tests/packages.txt for what is needed" >&2
    exit 0
fi

missing=
for group in "$@"; do
    for line in $(packages "$group"); do
        package=${line%%:*} command=${line#*:}
        [ -z "$command" ] || ! command -v "$command" >/dev/null || continue
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
        *'ok installed') ;;
        *) missing="$missing $package" ;;
        esac
    done
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup.sh: as root: apt-get install --no-install-recommends$missing" >&2
        exit 1
    }
    root=sudo
fi
echo "setup.sh: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -q
# shellcheck disable=SC2086
$root apt-get install -q -y --no-install-recommends $missing
