#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The networks of models/export.py against ONNX Runtime, each at two sizes and with batches of one
# and two, in fp32 and fp16, and the memory that each takes: accuracy.sh DIR [NAME...]. Prints the
# table that README.md has. Makes references in DIR (see reference.sh) unless they are there: three
# gigabytes. Hours on a CPU. VKSEG is the tool (build/gst/tool/vkseg).
set -eu
tests=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -ge 1 ] || {
    echo "usage: accuracy.sh DIR [NAME...]" >&2
    exit 2
}
dir=$1
shift
[ $# -gt 0 ] || set -- \
    fcn32s_224x224 fcn16s_224x224 fcn8s_224x224 fcn8s_224x320_b2 \
    fcn_resnet50_129x161 fcn_resnet50_224x224_b2 \
    unet_380x380_b2 unet_572x572 unet_padded_256x256 unet_padded_161x257_b2 \
    unet_bilinear_256x256 unet_bilinear_161x257_b2 \
    deeplabv3_resnet50_129x161 deeplabv3_resnet50_257x257_b2 deeplabv3_resnet50-os16_257x257 \
    deeplabv3_resnet101_129x161_b2 \
    deeplabv3_mobilenet_v3_large_257x257 deeplabv3_mobilenet_v3_large_320x480_b2 \
    deeplabv3_mobilenet_v3_large-os8_257x257 \
    deeplabv3plus_mobilenet_v2_257x257 deeplabv3plus_mobilenet_v2_193x321_b2 \
    deeplabv3plus_mobilenet_v2-os8_257x257 \
    deeplabv3plus_resnet50_129x161 deeplabv3plus_resnet50_257x257_b2 \
    lraspp_mobilenet_v3_large_320x320 lraspp_mobilenet_v3_large_225x401_b2
"$tests/reference.sh" "$dir" "$@" >&2
for name in "$@"; do
    folders=${folders-}" $dir/ref/$name"
done
# shellcheck disable=SC2086 # folders are words
exec "${PYTHON:-python3}" "$tests/accuracy.py" $folders
