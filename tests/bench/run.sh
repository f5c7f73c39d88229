#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How fast whole networks are beside others' engines: run.sh [OPTION...] DIR [NETWORK...]
# Fetches or exports each network and a picture for it (../reference.sh says what may be named), or
# takes a folder that has them (model.onnx, input_*.npy, expected_*.npy), and times vkseg and every
# peer that is there, one after the other and again, on the same input: ONNX Runtime on the CPU, and
# PyTorch with CUDA. Prints a table of medians and ratios; options are compare.py's. What was made
# in DIR stays there. VKSEG is the tool (build/gst/tool/vkseg).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
usage() {
    echo "usage: run.sh [--rounds N] [--runs N] [--threads N] [--precision fp32|fp16] [--device D] DIR [NETWORK...]" >&2
    exit 2
}

options=
while [ $# -gt 0 ]; do
    case $1 in
    --*=*) options="$options $1" && shift ;;
    --*)
        [ $# -gt 1 ] || usage
        options="$options $1 $2" && shift 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || usage
mkdir -p "$1"
dir=$(CDPATH='' cd -- "$1" && pwd)
shift
[ $# -gt 0 ] || set -- fcn_resnet50_320x320 deeplabv3_resnet50_320x320 \
    deeplabv3_mobilenet_v3_large_320x320 unet_572x572 u2netp selfie

folders=
for network in "$@"; do
    if [ -d "$network" ]; then
        folders="$folders $network"
    else
        "$here/../reference.sh" "$dir" "$network" >&2
        folders="$folders $dir/ref/$network"
    fi
done
VKSEG_ORT_DIR=${VKSEG_ORT_DIR:-$dir/ort}
export VKSEG_ORT_DIR
# shellcheck disable=SC2086 # options and folders are words
exec "${PYTHON:-python3}" "$here/compare.py" $options $folders
