#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes reference data with ONNX Runtime: reference.py --output DIR --picture FILE MODEL.onnx ...

For each model, DIR/NAME/ gets model.onnx (a link), input_INPUT.npy (pictures, made into a tensor
as the .modelinfo file beside the model says) and expected_OUTPUT.npy for each output that file
names: what the test `networks` wants in VKSEG_REF_DIR. A batch takes the pictures in turn. Where
the model leaves its size and its batch free, --size and --batch say them.
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
        pixels = np.asarray(picture.resize((width, height), Image.BILINEAR), np.float32)
        return pixels.reshape(height, width, -1)
    scale = min(width / picture.width, height / picture.height)
    inner = picture.resize((round(picture.width * scale), round(picture.height * scale)),
                           Image.BILINEAR)
    canvas = np.full((height, width, 3), float(vkseg.get('pad-value', 114)), np.float32)
    top, left = (height - inner.height) // 2, (width - inner.width) // 2
    canvas[top:top + inner.height, left:left + inner.width] = np.asarray(inner, np.float32)
    return canvas


def picture_tensor(path, shape, vkseg):
    """One picture, [1,C,H,W] or [1,H,W,C] as the shape says."""
    nhwc = shape[3] in (1, 3)
    height, width = shape[1:3] if nhwc else shape[2:4]
    order = vkseg.get('color-order', 'rgb')
    with Image.open(path) as picture:
        pixels = fit(picture.convert('L' if order == 'gray' else 'RGB'), width, height, vkseg)
    if order == 'bgr':
        pixels = pixels[:, :, ::-1]
    mean, std = (np.array(modelinfo.items(vkseg[key]), np.float32) for key in ('mean', 'std'))
    values = ((pixels - mean) / std)[None]
    return np.ascontiguousarray(values if nhwc else values.transpose(0, 3, 1, 2), np.float32)


def batch_tensor(pictures, shape, vkseg):
    return np.concatenate([picture_tensor(pictures[i % len(pictures)], shape, vkseg)
                           for i in range(shape[0])])


def file_name(kind, tensor):
    return f'{kind}_{tensor.replace("/", "_").replace(":", "_")}.npy'


def fill_in(shape, args):
    """The shape with what the model leaves free; such a model is NCHW."""
    asked = (args.batch, None, *(args.size or (None, None)))
    if any(have == -1 and want is None for have, want in zip(shape, asked)):
        sys.exit('reference.py: the model leaves its size free: --size HxW')
    return tuple(want if have == -1 else have for have, want in zip(shape, asked))


def make(model, name, pictures, args):
    info = modelinfo.read(os.path.splitext(model)[0] + '.modelinfo')
    folder = os.path.join(args.output, name)
    os.makedirs(folder, exist_ok=True)
    (graph_input, shape), = modelinfo.tensors(info, 'input').items()
    source = os.path.join(folder, file_name('input', graph_input))
    np.save(source, batch_tensor(pictures, fill_in(shape, args), info['vkseg']))
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
    print(f'{folder}: outputs {", ".join(wanted)}')
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('models', nargs='+', metavar='MODEL.onnx')
    parser.add_argument('--picture', action='append', required=True, metavar='FILE')
    parser.add_argument('--output', required=True, metavar='DIR')
    parser.add_argument('--name', help='the folder in DIR (the name of the model)')
    parser.add_argument('--size', metavar='HxW', help='of the input, where the model leaves it free',
                        type=lambda text: tuple(int(n) for n in text.split('x')))
    parser.add_argument('--batch', type=int, default=1, help='where the model leaves it free')
    args = parser.parse_args()
    for i, model in enumerate(args.models):
        name = args.name or os.path.splitext(os.path.basename(model))[0]
        # each model begins with another picture
        status = make(model, name, args.picture[i % len(args.picture):] + args.picture, args)
        if status != 0:
            return status
    return 0


if __name__ == '__main__':
    sys.exit(main())
