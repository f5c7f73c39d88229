#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small networks of the families FCN, U-Net and DeepLabV3+, and what ONNX Runtime makes of them:
families.py DIR. Written straight in ONNX, as the papers have them but with few channels, so that the
test `networks` covers them where there is no torch. Each is run at two sizes, with a batch of one
and of two, into DIR/NAME_HxW[_b2]/. Needs numpy, onnx, and an ONNX Runtime that ort/run.sh finds.
"""
import os
import subprocess
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 5


class Writer:
    """Appends nodes; a tensor is (name, channels)."""

    def __init__(self, seed):
        self.nodes, self.weights = [], []
        self.random = np.random.default_rng(seed)

    def weight(self, array):
        name = f'w{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op, inputs, channels, **attributes):
        name = f't{len(self.nodes)}'
        self.nodes.append(helper.make_node(op, [i[0] if isinstance(i, tuple) else i
                                                for i in inputs], [name], **attributes))
        return name, channels

    def conv(self, x, channels, kernel=3, pad=None, dilation=1, relu=True, **more):
        """pad None: the same size."""
        pad = kernel // 2 * dilation if pad is None else pad
        fan_in = x[1] // more.get('group', 1) * kernel * kernel
        w = self.random.normal(0, (2 / fan_in) ** 0.5,
                               (channels, fan_in // kernel ** 2, kernel, kernel))
        b = self.random.uniform(-0.1, 0.1, channels)
        y = self.add('Conv', [x, self.weight(w.astype(np.float32)),
                              self.weight(b.astype(np.float32))], channels, pads=[pad] * 4,
                     dilations=[dilation] * 2, **more)
        return self.relu(y) if relu else y

    def relu(self, x):
        return self.add('Relu', [x], x[1])

    def pool(self, x, ceil=0):
        return self.add('MaxPool', [x], x[1], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=ceil)

    def up(self, x, channels, kernel, stride, weights=None):
        if weights is None:
            weights = self.random.normal(0, x[1] ** -0.5, (x[1], channels, kernel, kernel))
        return self.add('ConvTranspose', [x, self.weight(weights.astype(np.float32))], channels,
                        strides=[stride, stride])

    def bilinear_up(self, x, kernel, stride):
        line = 1 - np.abs(np.arange(kernel) - (kernel - 1) / 2) / ((kernel + 1) // 2)
        return self.up(x, x[1], kernel, stride,
                       np.eye(x[1])[:, :, None, None] * (line[:, None] * line))

    def size_of(self, x):
        """Height and width, int64[2]."""
        shape = self.add('Shape', [x], 0)
        return self.add('Slice', [shape, self.weight([2]), self.weight([4])], 0)

    def crop(self, x, like, offset=None):
        """At a fixed offset, or from the middle."""
        size = self.size_of(like)
        if offset is None:
            rest = self.add('Sub', [self.size_of(x), size], 0)
            start = self.add('Div', [rest, self.weight([2, 2])], 0)
        else:
            start = self.weight([offset, offset])
        end = self.add('Add', [size, start], 0)
        return self.add('Slice', [x, start, end, self.weight([2, 3])], x[1])

    def resize(self, x, like, mode):
        """Bilinear."""
        whole = self.add('Shape', [x], 0)
        front = self.add('Slice', [whole, self.weight([0]), self.weight([2])], 0)
        sizes = self.add('Concat', [front, self.size_of(like)], 0, axis=0)
        return self.add('Resize', [x, '', '', sizes], x[1], mode='linear',
                        coordinate_transformation_mode=mode)

    def concat(self, tensors):
        return self.add('Concat', tensors, sum(t[1] for t in tensors), axis=1)

    def model(self, x, channels):
        self.nodes.append(helper.make_node('Identity', [x[0]], ['out']))
        free = ['batch', channels, 'height', 'width']
        graph = helper.make_graph(
            self.nodes, 'families',
            [helper.make_tensor_value_info('input', TensorProto.FLOAT, free)],
            [helper.make_tensor_value_info('out', TensorProto.FLOAT, [None, x[1], None, None])],
            self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
        model.ir_version = 8
        checker.check_model(model)
        return model


def fcn8s(base=4):
    """Long et al. 2015: padding 100, fully connected layers as convolutions, crops 5, 9, 31."""
    w, picture, stages = Writer(1), ('input', 3), []
    x = picture
    for width, count in zip((1, 2, 4, 8, 8), (2, 2, 3, 3, 3)):
        for i in range(count):
            x = w.conv(x, base * width, pad=100 if x is picture else 1)
        x = w.pool(x, ceil=1)
        stages.append(x)
    x = w.conv(w.conv(x, base * 8, 7, pad=0), base * 8, 1)
    x = w.conv(x, CLASSES, 1, relu=False)
    for stage, offset in ((stages[3], 5), (stages[2], 9)):
        x = w.bilinear_up(x, 4, 2)
        skip = w.conv(stage, CLASSES, 1, relu=False)
        x = w.add('Add', [x, w.crop(skip, x, offset)], CLASSES)
    return w.model(w.crop(w.bilinear_up(x, 16, 8), picture, 31), 3)


def fcn32s(base=4):
    """The one step of 32 with a kernel of 64."""
    w, picture = Writer(2), ('input', 3)
    x = picture
    for width in (1, 2, 4, 8, 8):
        x = w.pool(w.conv(x, base * width, pad=100 if x is picture else 1), ceil=1)
    x = w.conv(x, base * 8, 7, pad=0)
    x = w.conv(x, CLASSES, 1, relu=False)
    return w.model(w.crop(w.bilinear_up(x, 64, 32), picture, 19), 3)


def unet(base=4, levels=4, pad=0):
    """Ronneberger et al. 2015: unpadded, skips cropped from the middle."""
    w, x, skips = Writer(3), ('input', 1), []
    for level in range(levels + 1):
        for _ in range(2):
            x = w.conv(x, base << level, pad=pad)
        if level < levels:
            skips.append(x)
            x = w.pool(x)
    for level in reversed(range(levels)):
        x = w.up(x, base << level, 2, 2)
        x = w.concat([w.crop(skips[level], x), x])
        for _ in range(2):
            x = w.conv(x, base << level, pad=pad)
    return w.model(w.conv(x, 2, 1, relu=False), 1)


def deeplabv3plus(base=8, rates=(6, 12, 18)):
    """Chen et al. 2018: separable atrous convolutions, image pooling, a decoder. At stride 16 the
    larger rates exceed the feature map of these small pictures."""
    w, picture = Writer(4), ('input', 3)
    x = w.conv(picture, base, strides=[2, 2])
    low = x = w.conv(x, 2 * base, strides=[2, 2])
    x = w.conv(x, 3 * base, strides=[2, 2])
    x = w.conv(x, 4 * base, strides=[2, 2])

    def separable(x, channels, rate=1):
        return w.conv(w.conv(x, x[1], dilation=rate, group=x[1]), channels, 1)

    branches = [w.conv(x, 2 * base, 1)] + [separable(x, 2 * base, r) for r in rates]
    pooled = w.conv(w.add('GlobalAveragePool', [x], x[1]), 2 * base, 1)
    branches.append(w.resize(pooled, x, 'align_corners'))
    y = w.conv(w.concat(branches), 2 * base, 1)
    y = w.concat([w.resize(y, low, 'align_corners'), w.conv(low, base, 1)])
    y = w.conv(separable(y, 2 * base), CLASSES, 1, relu=False)
    return w.model(w.resize(y, picture, 'half_pixel'), 3)


NETWORKS = {'fcn8s': (fcn8s, ((24, 40, 1), (33, 24, 2))), 'fcn32s': (fcn32s, ((40, 57, 2),)),
            'unet': (unet, ((188, 204, 1), (204, 188, 2))),
            'unet-padded': (lambda: unet(pad=1), ((64, 96, 1), (80, 48, 2))),
            'deeplabv3plus': (deeplabv3plus, ((97, 129, 1), (65, 145, 2)))}


def pictures(batch, channels, height, width):
    """Smooth waves, as [N,C,H,W] from -1 to 1."""
    y, x = np.mgrid[:height, :width] / 16
    waves = [np.sin((1 + n) * x + c) * np.cos((1 + c) * y - n)
             for n in range(batch) for c in range(channels)]
    return np.array(waves, np.float32).reshape(batch, channels, height, width)


def make(folder, model, batch, height, width):
    os.makedirs(folder, exist_ok=True)
    path, source = (os.path.join(folder, f) for f in ('model.onnx', 'input_input.npy'))
    save(model, path)
    channels = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    np.save(source, pictures(batch, channels, height, width))
    subprocess.run([os.path.join(HERE, '..', 'ort', 'run.sh'), path, '--input', f'input={source}',
                    '--output-dir', folder], check=True)
    os.replace(os.path.join(folder, 'out.npy'), os.path.join(folder, 'expected_out.npy'))


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: families.py DIR')
    for name, (build, cases) in NETWORKS.items():
        for height, width, batch in cases:
            folder = f'{name}_{height}x{width}' + (f'_b{batch}' if batch > 1 else '')
            make(os.path.join(sys.argv[1], folder), build(), batch, height, width)
            print(folder)


if __name__ == '__main__':
    main()
