#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a command with GStreamer's Vulkan library and plugin, on a Debian whose packages have none (sid):
#   sh tests/gstvulkan.sh PREFIX COMMAND...
# Builds them into PREFIX, of the source package of the gst-plugins-bad that is installed, or of the source
# in the folder GSTVULKAN_SOURCE, unless they are there already. As root, for matrix.sh in a chroot. Where they
# cannot be built the command runs without them, and where packages have them with those.
set -eu

[ $# -ge 2 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
prefix=$1
shift
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# fetch FOLDER: the source package of what is installed, unpacked there.
fetch() {
    [ -f /etc/apt/sources.list.d/source.list ] \
        || sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list
    apt-get update -q && cd "$1" && apt-get source -q "gst-plugins-bad1.0=$version"
}

# build SOURCE_FOLDER BUILD_FOLDER: the Vulkan library and plugin alone.
build() {
    rm -rf "$prefix"
    meson setup "$2" "$1" --prefix="$prefix" --libdir=lib -Dauto_features=disabled -Dvulkan=enabled \
        -Dvulkan-windowing=x11 -Dx11=enabled -Dvulkan-video=disabled -Dtests=disabled -Dexamples=disabled \
        -Dnls=disabled && meson install -C "$2" --quiet
}

make_it() {
    sh "$here/setup.sh" gstvulkan
    if [ -n "${GSTVULKAN_SOURCE-}" ]; then
        build "$GSTVULKAN_SOURCE" "$work/build"
    else
        (fetch "$work") && build "$work"/gst-plugins-bad1.0-*/ "$work/build"
    fi && echo "$stamp" >"$prefix/stamp"
}

# Without packages run.sh says what there is to say.
sh "$here/setup.sh" build test || exec "$@"
! pkg-config --exists gstreamer-vulkan-1.0 || exec "$@"
# shellcheck disable=SC2016
version=$(dpkg-query -W -f '${source:Version}' gstreamer1.0-plugins-bad)
stamp="$version ${GSTVULKAN_SOURCE-}"
if [ "$(cat "$prefix/stamp" 2>/dev/null)" != "$stamp" ]; then
    work=$(mktemp -d)
    made=0
    make_it || made=$?
    rm -rf "$work"
    if [ $made != 0 ]; then
        echo "gstvulkan.sh: GstVulkan $version cannot be built, so what wants it is skipped" >&2
        exec "$@"
    fi
fi
# meson keeps PKG_CONFIG_PATH of its first run, so it is told by an option too.
export LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export GST_PLUGIN_PATH="$prefix/lib/gstreamer-1.0${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export MESON_ARGS="-Dpkg_config_path=$PKG_CONFIG_PATH ${MESON_ARGS-}"
exec "$@"
