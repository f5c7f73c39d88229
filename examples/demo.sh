#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Segments a video and shows where the result is:
#   sh examples/demo.sh [FILE | URI | /dev/videoN]
# Without an argument it takes a clip of a man at a webcam out of a Debian package. What is missing
# is installed (Debian, Ubuntu; as root or with sudo), built and fetched; a second run finds all
# of it there. With a display the video is shown as well. Environment:
#   MODEL    name or path of a model (selfie), OUT folder for the results (demo-out),
#   BUILD    build folder (build), SECONDS_LIVE how long a camera is recorded (10),
#   ELEMENT  vksegment, or vkbackground to have the background blurred (vksegment)
#   VKSEG    further properties of it ("draw=masks+contours alpha=0.3")
set -eu

cd "$(dirname -- "$0")/.."
build=${BUILD:-build} out=${OUT:-demo-out} model=${MODEL:-selfie} element=${ELEMENT:-vksegment}

fail() {
    echo "demo.sh: $*" >&2
    exit 1
}

step() {
    echo "== $*"
}

prepare() {
    step "packages"
    sh tests/setup.sh build demo || fail "packages are missing, see above"
    step "build"
    [ -f "$build/build.ninja" ] || meson setup "$build" -Dtests=false >"$out/build.log" 2>&1 ||
        { tail -n 20 "$out/build.log" >&2; fail "meson setup failed"; }
    meson compile -C "$build" >>"$out/build.log" 2>&1 ||
        { tail -n 20 "$out/build.log" >&2; fail "the build failed"; }
    GST_PLUGIN_PATH=$PWD/$build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
    VKSEG_MODEL_PATH=$PWD/models${VKSEG_MODEL_PATH:+:$VKSEG_MODEL_PATH}
    export GST_PLUGIN_PATH VKSEG_MODEL_PATH
    gst-inspect-1.0 vksegment >/dev/null ||
        fail "GStreamer does not load $build/gst/libgstvkseg.so"
    case $element in
    vksegment | vkbackground) ;;
    *) fail "ELEMENT is vksegment or vkbackground, not '$element'" ;;
    esac
    step "model"
    case $model in
    selfie | selfie-landscape | u2netp | isnet) sh models/fetch.sh "$model" ;;
    *) echo "$model" ;;
    esac
}

# Sets the words of the pipeline's beginning as "$@" of the caller's caller: prints them, a line each.
source_words() {
    case $1 in
    /dev/video*)
        printf '%s\n' v4l2src device="$1" num-buffers="$((${SECONDS_LIVE:-10} * 30))" ! decodebin ;;
    *://*)
        printf '%s\n' uridecodebin uri="$1" ;;
    *)
        printf '%s\n' filesrc location="$1" ! decodebin ;;
    esac
}

# One pass: the video to a file, a still every second over the one before, a window if there is a
# display.
run() {
    name=$1
    shift
    rm -f "$out/$name.webm" "$out/$name.png" "$out/gst.log"
    window=
    [ -z "${DISPLAY-}${WAYLAND_DISPLAY-}" ] ||
        window='t. ! queue leaky=downstream ! videoconvert ! autovideosink'
    # shellcheck disable=SC2086
    GST_DEBUG=vksegment:4 GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE=$out/gst.log \
        gst-launch-1.0 -q -e "$@" ! videoconvert ! "$element" model="$model" ${VKSEG-} \
        ! progressreport update-freq=2 ! tee name=t \
        t. ! queue ! videoconvert ! vp8enc deadline=1 cpu-used=8 threads=2 target-bitrate=2000000 \
        ! webmmux ! filesink location="$out/$name.webm" \
        t. ! queue ! videorate drop-only=true ! video/x-raw,framerate='[0/1,1/1]' ! videoconvert \
        ! pngenc ! multifilesink location="$out/$name.png" $window
}

report() {
    [ -s "$out/$1.webm" ] || fail "nothing was written; see $out/gst.log"
    # "12 frames, on average 8.31 ms each"
    awk -v seconds="$2" '/ on average / {
             sub (/.*> */, ""); n = $1; ms = $5
             if (n > 0) printf "speed:  %d frames in %d s with start, decoding and encoding; " \
                 "%.1f ms of device time each, enough for %.1f a second\n", n, seconds, ms, 1000 / ms
         }' "$out/gst.log"
    "$build/gst/tool/vkseg" devices 2>/dev/null | sed -n '1s/^/device: /p'
    echo "video:  $PWD/$out/$1.webm"
    echo "still:  $PWD/$out/$1.png"
}

mkdir -p "$out"
# A path is meant from where the script was called.
input=${1-}
case $input in
'' | /* | *://*) ;;
*) input=${OLDPWD:-$PWD}/$input ;;
esac
prepare
if [ -z "$input" ]; then
    step "clip"
    sh examples/media.sh --dir "$out/media" webcam
    input=$out/media/webcam.mkv
fi
case $input in
*://* | /dev/*) ;;
*) [ -f "$input" ] || fail "there is no file '$input'" ;;
esac
step "segmenting $input with $model"
old_ifs=$IFS
IFS='
'
# shellcheck disable=SC2046
set -- $(source_words "$input")
IFS=$old_ifs
start=$(date +%s)
run segmented "$@"
report segmented $(($(date +%s) - start))
