#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The .modelinfo files of models/info: what they say twice has to agree. Prints TAP.
Usage: test-info.py"""
import glob
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'models'))
import modelinfo  # noqa: E402 (found by the path above)


def numbers(text, separator=','):
    return [float(n) for n in text.split(separator)]


def problems(info):
    if list(info)[0] != 'modelinfo' or info['modelinfo'].get('version') != '1.0':
        yield 'it does not begin with [modelinfo] and version=1.0'
    if not info['modelinfo'].get('group-id'):
        yield 'no group-id'
    inputs, outputs = modelinfo.tensors(info, 'input'), modelinfo.tensors(info, 'output')
    if len(inputs) != 1 or not outputs:
        yield f'{len(inputs)} inputs and {len(outputs)} outputs'
        return
    (name, shape), = inputs.items()
    vkseg = info['vkseg']
    if vkseg.get('input', name) != name:
        yield f"input={vkseg['input']}, but the group is [{name}]"
    for output in modelinfo.items(vkseg.get('output', '')):
        if output not in outputs:
            yield f'output={output} has no group'
    nhwc = shape[3] == 3
    if nhwc != (vkseg.get('input-layout') == 'nhwc'):
        yield f"the shape {shape} is not input-layout={vkseg.get('input-layout', 'nchw')}"
    yield from normalisation(info[name]['ranges'], vkseg)
    if vkseg['task'] == 'semantic':
        classes = outputs[vkseg['output']][3 if nhwc else 1]
        if len(modelinfo.items(vkseg['labels'])) != classes:
            yield f"{len(modelinfo.items(vkseg['labels']))} labels for {classes} classes"


def normalisation(ranges, vkseg):
    mean, std = (numbers(vkseg[key]) * (3 if ',' not in vkseg[key] else 1)
                 for key in ('mean', 'std'))
    pairs = [numbers(pair) for pair in ranges.split(';')]
    if len(pairs) != 3:
        yield f'{len(pairs)} ranges'
    for (low, high), m, s in zip(pairs, mean, std):
        if abs(low + m / s) > 1e-5 or abs(high - (255 - m) / s) > 1e-5:
            yield f'the range {low},{high} is not mean {m}, std {s}'


def main():
    files = sorted(glob.glob(os.path.join(ROOT, 'models', 'info', '*.modelinfo')))
    print(f'1..{len(files)}')
    failed = False
    for i, path in enumerate(files, 1):
        found = list(problems(modelinfo.read(path)))
        print(f'{"not ok" if found else "ok"} {i} - {os.path.basename(path)}')
        for problem in found:
            print(f'# {problem}')
        failed |= bool(found)
    return 1 if failed or not files else 0


if __name__ == '__main__':
    sys.exit(main())
