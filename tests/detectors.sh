#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The detectors of models/export.py against ONNX Runtime, as opset 11 to 17, two of them at two sizes, in fp32
# and fp16, and with proposals of which none is left: detectors.sh DIR PICTURE... Prints TAP, and makes in DIR
# what is not there yet: four gigabytes. An hour on two cores. VKSEG is the tool (build/gst/tool/vkseg),
# PYTHON one that has torchvision and onnx.
set -eu
tests=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -ge 2 ] || {
    echo "usage: detectors.sh DIR PICTURE..." >&2
    exit 2
}
python=${PYTHON:-python3}
vkseg=${VKSEG:-$tests/../build/gst/tool/vkseg}
mkdir -p "$1/ref"
dir=$(CDPATH='' cd -- "$1" && pwd)
shift

for network in maskrcnn_resnet50_fpn fasterrcnn_resnet50_fpn; do
    for size in 192x256 224x320; do
        case $size in
        192x256) opsets="11 12 13 14 15 16 17" ;;
        *) opsets="11 16" ;;
        esac
        for opset in $opsets; do
            name=$network-$size-$opset
            model=$dir/$name/model.onnx
            mkdir -p "$dir/$name"
            [ -f "$model" ] || "$python" "$tests/../models/export.py" $network --size $size --opset $opset \
                --output "$model" >&2
            [ -f "$dir/ref/$name/expected_boxes.npy" ] || "$python" "$tests/reference.py" --output "$dir/ref" \
                --name "$name" --picture "$1" "$model" >&2
            folders=${folders-}" $dir/ref/$name"
            # The next picture for the next network.
            first=$1
            shift
            set -- "$@" "$first"
        done
    done
    nothing=$dir/ref/$network-nothing
    [ -f "$nothing/expected_boxes.npy" ] || "$python" "$tests/networks/propose-nothing.py" \
        "$dir/ref/$network-192x256-16" "$nothing" >&2
    folders="$folders $nothing"
done
# shellcheck disable=SC2086 # folders are words
exec "$python" "$tests/networks/test-detector.py" "$vkseg" $folders
