#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds Debian packages, source and binary, of what git has of this tree, and has lintian look at them:
#   sh tests/debian/build.sh [--source] [FOLDER]
# FOLDER (a temporary one) gets the packages. Exit status 0 when they are built and lintian has neither
# errors nor warnings. Some minutes; with --source the source package alone, in seconds, as .ci/run does.
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
groups='build test opencv debian' kind=
if [ "${1-}" = --source ]; then
    groups=debian kind='-S -d' # its build dependencies are not asked for
    shift
fi
# shellcheck disable=SC2086
sh "$source/tests/setup.sh" $groups
folder=${1:-}
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
mkdir -p "$folder"
folder=$(CDPATH='' cd -- "$folder" && pwd)

version=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' "$source/tests/debian/changelog")
wanted=$(sed -n "s/^ *version: '\(.*\)',.*/\1/p" "$source/meson.build" | head -n 1)
[ "$version" = "$wanted" ] || {
    echo "build.sh: the changelog is of $version, the source of $wanted" >&2
    exit 1
}

tree=$folder/vkseg-$version
rm -rf "$tree"
mkdir "$tree"
git -C "$source" ls-files -z | (cd "$source" && tar --null -cf - -T -) | tar -C "$tree" -xf -
tar -C "$folder" -cJf "$folder/vkseg_$version.orig.tar.xz" "vkseg-$version"
cp -R "$tree/tests/debian" "$tree/debian"
rm "$tree/debian/build.sh" "$tree/debian/README.md"

cd "$tree"
# shellcheck disable=SC2086
dpkg-buildpackage -us -uc $kind
cd "$folder"
# Who takes this into a distribution has an address, and closes a bug with it.
lintian --allow-root --fail-on error,warning --info \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs \
    "$(find . -maxdepth 1 -name 'vkseg_*.changes' -newer "vkseg_$version.orig.tar.xz")"
echo "lintian has neither errors nor warnings"
echo "built in $folder:"
ls ./*.dsc
[ -n "$kind" ] || ls ./*.deb
