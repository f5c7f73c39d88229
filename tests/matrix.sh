#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds vkseg on another release of Debian, in a chroot, and runs the tests there:
#   sh tests/matrix.sh SUITE [MESON_TEST_OPTION...]     bookworm, trixie or sid
#   sh tests/matrix.sh --run COMMAND SUITE              a command instead, in the source folder
# As root, with debootstrap. The first time makes the chroot (about 2 GiB) and takes what the
# network takes; later ones build only what has changed. Sid's packages have no GstVulkan: it is built of
# their source, once for a version (gstvulkan.sh). The last lines say why tests were skipped and "N passed,
# N failed, N skipped", the exit status 0 when nothing failed.
#   CHROOTS       folder of the chroots (/var/tmp/vkseg-chroots)
#   MIRROR        where packages come from (http://deb.debian.org/debian)
#   APT_CONF      lines for apt.conf there; for a mirror that is a snapshot
#                 'Acquire::Check-Valid-Until "false";'
#   GSTVULKAN_SOURCE  sid: a folder in the chroot with the source of gst-plugins-bad, for a mirror without sources
#   MESON_ARGS    options of meson setup
#   VKSEG_CONV, VKSEG_DEVICE and others go through; so do PKG_CONFIG_PATH, LD_LIBRARY_PATH and
#   GST_PLUGIN_PATH, paths in the chroot, for what its packages lack.
set -eu

usage() {
    sed -n '3,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

command=
if [ "${1-}" = --run ]; then
    [ $# -ge 3 ] || usage
    command=$2
    shift 2
fi
suite=${1-}
case $suite in
bookworm | trixie | sid) shift ;;
*) usage ;;
esac

fail() {
    echo "matrix.sh: $1" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || fail "must be root: it makes a chroot"

source=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
chroot=${CHROOTS:-/var/tmp/vkseg-chroots}/$suite
mirror=${MIRROR:-http://deb.debian.org/debian}

make_chroot() {
    command -v debootstrap >/dev/null || fail "install debootstrap"
    rm -rf "$chroot.new"
    mkdir -p "$(dirname "$chroot")"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$chroot.new" "$mirror"
    # Packages must not start services.
    printf '#!/bin/sh\nexit 101\n' >"$chroot.new/usr/sbin/policy-rc.d"
    chmod +x "$chroot.new/usr/sbin/policy-rc.d"
    mv "$chroot.new" "$chroot"
}
[ -d "$chroot" ] || make_chroot
mkdir -p "$chroot/vkseg/source" "$chroot/vkseg/shared"
printf '%s\n' "${APT_CONF-}" >"$chroot/etc/apt/apt.conf.d/90vkseg"
cp /etc/resolv.conf "$chroot/etc/resolv.conf"

if [ -n "$command" ]; then
    set -- sh -euc "sh tests/setup.sh build test && $command"
else
    set -- sh tests/run.sh "$@"
fi
[ "$suite" != sid ] || set -- sh tests/gstvulkan.sh /vkseg/gstvulkan "$@"
shared=
[ ! -d "$source/../shared" ] || shared=$(CDPATH='' cd -- "$source/../shared" && pwd)

# The source is seen where it is; the build folder is the chroot's. The mounts end with the command.
export source chroot shared
# shellcheck disable=SC2016
exec unshare --mount --propagation private sh -euc '
    mount --bind "$source" "$chroot/vkseg/source"
    [ -z "$shared" ] || mount --bind "$shared" "$chroot/vkseg/shared"
    mount -t proc proc "$chroot/proc"
    mount -t tmpfs tmpfs "$chroot/dev/shm" 2>/dev/null || true
    export BUILD=/vkseg/build LC_ALL=C.UTF-8 HOME=/root
    exec chroot "$chroot" env -C /vkseg/source "$@"' matrix "$@"
