#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Collects small models and tensors of ONNX's test data (Debian: libonnx-testdata) as seeds for
the fuzzers: of each size class of each operator one. Usage: seeds.py OUTPUT_DIR [DATA_DIR]"""
import hashlib
import sys
from pathlib import Path

MAX_BYTES = 4096


def seeds(data):
    """One model per test family: test_conv_with_strides_padding is a 'conv'."""
    families = {}
    for path in sorted(data.glob('*/*/model.onnx')) + sorted(data.glob('*/*/*/input_0.pb')):
        if path.stat().st_size > MAX_BYTES:
            continue
        test = path.relative_to(data).parts[1]
        family = test.split('_')[1] if '_' in test else test
        families.setdefault((path.suffix, family, path.stat().st_size // 128), path)
    return families.values()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    data = Path(sys.argv[2] if len(sys.argv) > 2 else '/usr/share/libonnx-testdata/data')
    if not data.is_dir():
        sys.exit(f'{data} is not there: install libonnx-testdata')
    out.mkdir(parents=True, exist_ok=True)
    n = 0
    for path in seeds(data):
        content = path.read_bytes()
        (out / hashlib.sha1(content).hexdigest()).write_bytes(content)
        n += 1
    print(f'{n} seeds in {out}')


if __name__ == '__main__':
    main()
