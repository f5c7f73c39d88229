#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Gets pictures and clips to try networks on, out of Debian packages that are downloaded but not
# installed: media.sh [--dir DIR] NAME... | --all | --list. Files go to DIR (./media), each checked
# by its SHA-256; what is there already is not fetched again. Works wherever apt-get does.
set -eu

all='webcam vtest darknet astronaut'
usage() {
    echo "usage: media.sh [--dir DIR] NAME... | --all | --list" >&2
    echo "names: $all" >&2
    exit 2
}

fail() {
    echo "media.sh: $*" >&2
    exit 1
}

# The package, its download size, a note with the licence, and lines of SHA-256 and path.
describe() {
    case $1 in
    webcam)
        package=forensics-samples-files size='30 MB'
        about='movie-hello.mp4, and webcam.mkv: the man at the webcam in it (CC-BY-SA-4.0)'
        files='68162af4e15b20fb61261e55de79e989f53d6295f6226b4bda1905b8c40e9676 usr/share/forensics-samples/original-files/movie2/movie-hello.mp4' ;;
    vtest)
        package=opencv-doc size='96 MB' about='vtest.avi: pedestrians (Apache-2.0)'
        files='45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf usr/share/doc/opencv-doc/examples/data/vtest.avi' ;;
    darknet)
        package=darknet size='3 MB'
        about='dog.jpg, person.jpg, giraffe.jpg (as darknet: MIT, GPL-3.0+ or WTFPL)'
        files='5a9522051c3cec2bbd2f6323fccba32e8fbf3ddcc2b3e2fd46b04c720bc6f866 usr/share/darknet/data/dog.jpg
cdcbab947e46110fc2b77784ac54ddbbab2640f1e44cb5e91fc8984a9793a7d1 usr/share/darknet/data/person.jpg
00dc48a9b2af8a1fe4c4b79319726591f1033c7e1150f21e7577a79f3b6659f1 usr/share/darknet/data/giraffe.jpg' ;;
    astronaut)
        package=python3-skimage size='21 MB' about='astronaut.png: a portrait (NASA, public domain)'
        files='88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5 usr/lib/python3/dist-packages/skimage/data/astronaut.png' ;;
    *)
        fail "nothing is called '$1'; there are: $all" ;;
    esac
}

list() {
    for name in $all; do
        describe "$name"
        printf '%-10s %s; %s to fetch, package %s\n' "$name" "$about" "$size" "$package"
    done
}

present() {
    echo "$files" | while read -r _ path; do
        [ -f "$dir/${path##*/}" ] || exit 1
    done
}

unpack() {
    echo "$name: fetching the package $package ($size)"
    command -v apt-get >/dev/null ||
        fail "apt-get is missing; by hand: the files of Debian's package $package, into $dir"
    (cd "$tmp" && apt-get download "$package" >apt.out 2>&1) || {
        tail -n 3 "$tmp/apt.out" >&2
        fail "$name: $package cannot be downloaded; does 'apt-get update' help?"
    }
    dpkg-deb -x "$tmp/$package"_*.deb "$tmp/root"
}

take_files() {
    echo "$files" | while read -r digest path; do
        [ -f "$tmp/root/$path" ] || fail "$name: this version of $package has no $path"
        got=$(sha256sum "$tmp/root/$path" | cut -d' ' -f1)
        [ "$got" = "$digest" ] ||
            fail "$name: ${path##*/} has the SHA-256 $got, not $digest; it was not installed"
        chmod 644 "$tmp/root/$path"
        mv "$tmp/root/$path" "$dir/"
    done
}

# The webcam picture within the screen recording: 252 x 188 at 115, 84 of 1280 x 720.
crop_webcam() {
    [ ! -f "$dir/webcam.mkv" ] || return 0
    part=$tmp/webcam.mkv
    if command -v gst-launch-1.0 >/dev/null && gst-launch-1.0 -q filesrc \
        location="$dir/movie-hello.mp4" ! decodebin ! videoconvert ! \
        videocrop left=115 top=84 right=913 bottom=448 ! jpegenc quality=95 ! matroskamux ! \
        filesink location="$part" >"$tmp/gst.out" 2>&1; then
        mv "$part" "$dir/"
    elif command -v ffmpeg >/dev/null && ffmpeg -loglevel error -y -i "$dir/movie-hello.mp4" -an \
        -vf crop=252:188:115:84 -c:v mjpeg -q:v 2 "$part" >"$tmp/ffmpeg.out" 2>&1; then
        mv "$part" "$dir/"
    else
        fail "webcam: no H.264 decoder to cut webcam.mkv out of movie-hello.mp4" \
            "(Debian: apt-get install gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-libav)"
    fi
}

get() {
    name=$1
    describe "$name"
    mkdir -p "$dir"
    tmp=$(mktemp -d "$dir/.media.XXXXXX")
    if ! present; then
        unpack
        take_files
    fi
    [ "$name" != webcam ] || crop_webcam
    rm -rf "$tmp"
    tmp=
    echo "$name: $about, in $dir"
}

dir=media names='' tmp=''
trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
while [ $# -gt 0 ]; do
    case $1 in
    --dir) [ $# -ge 2 ] || usage; dir=$2; shift ;;
    --list) list; exit 0 ;;
    --all) names=$all ;;
    -*) usage ;;
    *) names="$names $1" ;;
    esac
    shift
done
[ -n "$names" ] || usage
for name in $names; do
    describe "$name" # before anything is fetched: is every name known?
done
for name in $names; do
    get "$name"
done
