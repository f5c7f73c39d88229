#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the reference data of whole networks: reference.sh DIR [NAME...]. Fetches or exports each
# network and pictures, installs ONNX Runtime if none is found, and computes DIR/ref/NAME/; then
#   VKSEG_REF_DIR=DIR/ref meson test -C build networks
# compares with it. NAME: one of models/fetch.sh, or a torchvision network of models/export.py with
# its size: lraspp_mobilenet_v3_large_320x320. What is in DIR already is not made again.
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

for name in "$@"; do
    [ ! -d "$dir/ref/$name" ] || continue
    size=${name##*_}
    case $size in
    [0-9]*x[0-9]*)
        mkdir -p "$dir/models/$name"
        find_python torchvision
        "$python" "$models/export.py" "${name%_*}" --size "$size" \
            --output "$dir/models/$name/$name.onnx" ;;
    *) "$models/fetch.sh" --dir "$dir/models" "$name" ;;
    esac
    case $name in
    selfie*) picture=astronaut.png ;;
    *) picture=dog.jpg ;;
    esac
    find_python 'numpy, PIL'
    mkdir -p "$dir/making"
    "$python" "$tests/reference.py" --output "$dir/making" --picture "$dir/media/$picture" \
        "$dir/models/$name/$name.onnx"
    mkdir -p "$dir/ref"
    mv "$dir/making/$name" "$dir/ref/$name"
done
