#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a network in the ONNX Runtime that is found, with the arguments of `vkseg run`:
#   run.sh MODEL --input NAME=FILE.npy ... --output-dir DIR [--output NAME ...]
#   run.sh MODEL --input NAME=FILE.npy ... --time RUNS [--threads N]
# That is the npm package of install.sh (in VKSEG_ORT_DIR, or node_modules in this folder or above),
# else Python's onnxruntime. Exit status 77 if there is none. run.sh --find: just says which.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

if command -v node >/dev/null && node -e '
    const { VKSEG_ORT_DIR: dir } = process.env;
    const from = dir ? require("path").resolve(dir) + "/any.js" : process.argv[1];
    require("module").createRequire(from).resolve("onnxruntime-node");
    ' "$here/run.mjs" 2>/dev/null; then
    [ "${1-}" != --find ] || exec echo "onnxruntime-node"
    exec node "$here/run.mjs" "$@"
fi
for python in "${PYTHON:-python3}" /usr/bin/python3; do
    if "$python" -c 'import importlib.util as u, sys
sys.exit(not all(map(u.find_spec, ("numpy", "onnxruntime"))))' 2>/dev/null; then
        [ "${1-}" != --find ] || exec echo "onnxruntime of $python"
        exec "$python" "$here/run.py" "$@"
    fi
done
echo "run.sh: no ONNX Runtime: tests/ort/install.sh, or Debian 13's python3-onnxruntime" >&2
exit 77
