#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the reference data of whole networks: reference.sh DIR [NAME...]. Fetches or exports each
# network and pictures, installs ONNX Runtime if none is found, and computes DIR/ref/NAME/; then
#   VKSEG_REF_DIR=DIR/ref meson test -C build networks
# compares with it. NAME: one of models/fetch.sh, or a network of models/export.py as
# NETWORK[-osN][-cN]_HxW[_bN]: with an output stride, with so many base channels, at a size, with
# a batch: fcn8s-c8_64x96_b2. Its size and batch are left free in the file, one for all of them
# (a detector's are fixed). What is in DIR already is not made again.
set -eu
tests=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
models=$tests/../models
[ $# -ge 1 ] || {
    echo "usage: reference.sh DIR [NAME...]" >&2
    exit 2
}
mkdir -p "$1"
dir=$(CDPATH='' cd -- "$1" && pwd)
shift
[ $# -gt 0 ] || set -- selfie selfie-landscape u2netp lraspp_mobilenet_v3_large_320x320 \
    deeplabv3_mobilenet_v3_large_257x257 fcn_resnet50_128x128

fail() {
    echo "reference.sh: $*" >&2
    exit 1
}

# A Python that has the modules named.
find_python() {
    for python in "${PYTHON:-python3}" /usr/bin/python3; do
        "$python" -c "import $1" 2>/dev/null && return
    done
    fail "Python lacks one of $1 (Debian: python3-numpy, python3-pil, python3-torchvision)"
}

VKSEG_ORT_DIR=${VKSEG_ORT_DIR:-$dir/ort}
export VKSEG_ORT_DIR
status=0
"$tests/ort/run.sh" --find || status=$?
[ $status -ne 77 ] || "$tests/ort/install.sh" "$VKSEG_ORT_DIR"
"$tests/../examples/media.sh" --dir "$dir/media" astronaut darknet

# The networks of fetch.sh.
fetched() {
    "$models/fetch.sh" --dir "$dir/models" "$1"
    model=$dir/models/$1/$1.onnx
}

# NETWORK[-osN][-cN] and a size, into one file for all sizes if it can be.
exported() {
    network=${1%%-*} options=
    case $1 in *-os*) rest=${1#*-os} options="$options --output-stride ${rest%%-*}" ;; esac
    case $1 in *-c*) rest=${1#*-c} options="$options --base-channels ${rest%%-*}" ;; esac
    stem=$1
    case $network in
    *rcnn*) stem=$1_$2 options="$options --size $2" ;;
    *) options="$options --size $2 --dynamic" ;;
    esac
    model=$dir/models/$stem/$stem.onnx
    [ ! -f "$model" ] || return 0
    mkdir -p "$dir/models/$stem"
    find_python torchvision
    # shellcheck disable=SC2086 # options are words
    "$python" "$models/export.py" "$network" $options --output "$model"
}

for name in "$@"; do
    [ ! -d "$dir/ref/$name" ] || continue
    stem=${name%_b[0-9]*} batch=1 size=
    [ "$stem" = "$name" ] || batch=${name##*_b}
    case ${stem##*_} in
    [0-9]*x[0-9]*)
        size=${stem##*_}
        exported "${stem%_*}" "$size" ;;
    *) fetched "$name" ;;
    esac
    case $name in
    selfie*) pictures="astronaut.png dog.jpg" ;;
    *) pictures="dog.jpg person.jpg" ;;
    esac
    find_python 'numpy, PIL'
    set -- --batch "$batch"
    [ -z "$size" ] || set -- "$@" --size "$size"
    for picture in $pictures; do
        set -- "$@" --picture "$dir/media/$picture"
    done
    rm -rf "$dir/making"
    mkdir -p "$dir/making" "$dir/ref"
    "$python" "$tests/reference.py" --output "$dir/making" --name "$name" "$@" "$model"
    mv "$dir/making/$name" "$dir/ref/$name"
done
