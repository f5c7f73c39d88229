#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes reference data with ONNX Runtime: reference.py --output DIR --picture FILE MODEL.onnx ...

For each model, DIR/NAME/ gets model.onnx (a link), input_INPUT.npy (the picture, made into a tensor
as the .modelinfo file beside the model says) and expected_OUTPUT.npy for each output that file
names: what the test `networks` wants in VKSEG_REF_DIR. Several pictures are taken in turn.
Needs numpy and PIL, and an ONNX Runtime that ort/run.sh finds.
"""
import argparse
import os
import subprocess
import sys

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'models'))
import modelinfo  # noqa: E402 (found by the path above)


def fit(picture, width, height, vkseg):
    """The picture at the network's size: stretched, or letterboxed in the middle."""
    if vkseg.get('resize') != 'letterbox':
        return np.asarray(picture.resize((width, height), Image.BILINEAR), np.float32)
    scale = min(width / picture.width, height / picture.height)
    inner = picture.resize((round(picture.width * scale), round(picture.height * scale)),
                           Image.BILINEAR)
    canvas = np.full((height, width, 3), float(vkseg.get('pad-value', 114)), np.float32)
    top, left = (height - inner.height) // 2, (width - inner.width) // 2
    canvas[top:top + inner.height, left:left + inner.width] = np.asarray(inner, np.float32)
    return canvas


def picture_tensor(path, shape, vkseg):
    nhwc = shape[3] == 3
    height, width = shape[1:3] if nhwc else shape[2:4]
    with Image.open(path) as picture:
        pixels = fit(picture.convert('RGB'), width, height, vkseg)
    mean, std = (np.array(modelinfo.items(vkseg[key]), np.float32) for key in ('mean', 'std'))
    values = ((pixels - mean) / std)[None]
    return np.ascontiguousarray(values if nhwc else values.transpose(0, 3, 1, 2), np.float32)


def file_name(kind, tensor):
    return f'{kind}_{tensor.replace("/", "_").replace(":", "_")}.npy'


def make(model, picture, output):
    name = os.path.splitext(os.path.basename(model))[0]
    info = modelinfo.read(os.path.splitext(model)[0] + '.modelinfo')
    folder = os.path.join(output, name)
    os.makedirs(folder, exist_ok=True)
    (graph_input, shape), = modelinfo.tensors(info, 'input').items()
    source = os.path.join(folder, file_name('input', graph_input))
    np.save(source, picture_tensor(picture, shape, info['vkseg']))
    wanted = modelinfo.items(info['vkseg']['output'])
    arguments = [a for tensor in wanted for a in ('--output', tensor)]
    run = subprocess.run([os.path.join(HERE, 'ort', 'run.sh'), model, '--input',
                          f'{graph_input}={source}', '--output-dir', folder] + arguments)
    if run.returncode != 0:
        return run.returncode
    for tensor in wanted:
        os.replace(os.path.join(folder, file_name('expected', tensor)[len('expected_'):]),
                   os.path.join(folder, file_name('expected', tensor)))
    link = os.path.join(folder, 'model.onnx')
    if os.path.lexists(link):
        os.remove(link)
    os.symlink(os.path.abspath(model), link)
    print(f'{folder}: {os.path.basename(picture)}, outputs {", ".join(wanted)}')
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('models', nargs='+', metavar='MODEL.onnx')
    parser.add_argument('--picture', action='append', required=True, metavar='FILE')
    parser.add_argument('--output', required=True, metavar='DIR')
    args = parser.parse_args()
    for i, model in enumerate(args.models):
        status = make(model, args.picture[i % len(args.picture)], args.output)
        if status != 0:
            return status
    return 0


if __name__ == '__main__':
    sys.exit(main())
