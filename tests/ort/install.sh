#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs ONNX Runtime for node, which run.sh finds: install.sh [DIR], by default this folder.
# The package brings its CPU library; its install script, which would download GPU ones, is not run.
set -eu
dir=${1:-$(dirname -- "$0")}
command -v npm >/dev/null || {
    echo "install.sh: npm is missing (Debian: apt-get install npm)" >&2
    exit 1
}
npm install --prefix "$dir" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
    --loglevel=error onnxruntime-node@1.30.0
# The other systems' libraries are most of it.
for other in "$dir"/node_modules/onnxruntime-node/bin/napi-v*/*; do
    case $(uname -s)/$other in
    Linux/*/linux | Darwin/*/darwin) ;;
    *) rm -rf "$other" ;;
    esac
done
