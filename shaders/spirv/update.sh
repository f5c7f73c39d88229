#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the SPIR-V files of this folder anew, with the glslang of Debian sid in a chroot (as root;
# see tests/matrix.sh), or with another one: update.sh GLSLANG
set -eu

cd "$(dirname -- "$0")/../.."
if [ $# -gt 0 ]; then
    exec python3 shaders/spirv/keep.py --glslang "$1"
fi
exec sh tests/matrix.sh --run 'python3 shaders/spirv/keep.py --glslang glslangValidator' sid
