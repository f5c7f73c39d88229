#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a detector in miniature, built like Mask R-CNN, as ONNX: mini-rcnn.py --output FILE
[--threshold X] [--proposal-threshold X] [--opset N] [--seed N]. Weights are random and seeded; with
a threshold above 1 nothing is found, or not even proposed. Outputs: boxes [n,4], scores [n],
masks [n,1,8,8]. Needs onnx and numpy."""
import argparse
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

CHANNELS, HEIGHT, WIDTH = 8, 24, 32
TOP, PROPOSALS, DETECTIONS = 60, 24, 8


class Net:
    """Nodes and initialisers as they come; names are made here."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)
        self.nodes, self.inits = [], []

    def const(self, value, dtype=np.float32):
        name = f'c{len(self.inits)}'
        self.inits.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def ints(self, *values):
        return self.const(values, np.int64)

    def weights(self, *shape):
        fan_in = max(int(np.prod(shape[1:])), 1)
        return self.const(self.random.randn(*shape) * (1.5 / fan_in ** 0.5))

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f'v{len(self.nodes)}_{i}' for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, n_in, n_out, size, **attributes):
        return self.op('Conv', x, self.weights(n_out, n_in, size, size), self.weights(n_out),
                       pads=[size // 2] * 4, **attributes)


def rpn(net, features, cells, threshold):
    """Proposals [m,4] in pixels, m known only at run time."""
    score = net.op('Reshape', net.conv(features, CHANNELS, 1, 1), net.ints(1, cells))
    delta = net.op('Reshape', net.op('Transpose', net.conv(features, CHANNELS, 4, 1),
                                     perm=[0, 2, 3, 1]), net.ints(cells, 4))
    best, at = net.op('TopK', score, net.ints(TOP), outputs=2, axis=1)
    at = net.op('Squeeze', at, net.ints(0))
    y, x = np.divmod(np.arange(cells), WIDTH // 2)
    centre = net.const(np.stack([2 * x + 1, 2 * y + 1], 1))
    middle = net.op('Gather', centre, at, axis=0)
    size = net.op('Gather', net.op('Slice', delta, net.ints(2), net.ints(4), net.ints(1)), at)
    half = net.op('Mul', net.op('Exp', size), net.const(4))
    boxes = net.op('Concat', net.op('Sub', middle, half), net.op('Add', middle, half), axis=1)
    boxes = net.op('Clip', boxes, net.const(0), net.const(WIDTH))
    kept = nms(net, boxes, net.op('Sigmoid', best), PROPOSALS, 0.6, threshold)
    return net.op('Gather', boxes, kept, axis=0)


def nms(net, boxes, scores, limit, iou, threshold):
    """boxes [n,4], scores [1,n] -> which to keep."""
    rows = net.op('NonMaxSuppression', net.op('Unsqueeze', boxes, net.ints(0)),
                  net.op('Unsqueeze', scores, net.ints(0)), net.ints(limit),
                  net.const([iou]), net.const([threshold]))
    return net.op('Squeeze', net.op('Slice', rows, net.ints(2), net.ints(3), net.ints(1)),
                  net.ints(1))


def regions(net, features, boxes, size):
    """Two levels by area, each pooled on its own, merged by row as torchvision does."""
    corner = net.op('Slice', boxes, net.ints(0), net.ints(2), net.ints(1))
    far = net.op('Slice', boxes, net.ints(2), net.ints(4), net.ints(1))
    area = net.op('ReduceProd', net.op('Sub', far, corner), axes=[1], keepdims=0)
    large = net.op('Greater', area, net.const(80))
    count = net.op('Shape', area)
    shape = net.op('Concat', count, net.ints(CHANNELS, size, size), axis=0)
    merged = net.op('ConstantOfShape', shape)
    for ratio, chosen in ((1, net.op('Not', large)), (2, large)):
        rows = net.op('Squeeze', net.op('NonZero', chosen), net.ints(0))
        picture = net.op('ConstantOfShape', net.op('Shape', rows),
                         value=numpy_helper.from_array(np.array([0], np.int64)))
        pooled = net.op('RoiAlign', features, net.op('Gather', boxes, rows, axis=0), picture,
                        output_height=size, output_width=size, sampling_ratio=ratio,
                        spatial_scale=0.5)
        index = net.op('Expand', net.op('Reshape', rows, net.ints(-1, 1, 1, 1)),
                       net.op('Shape', pooled))
        merged = net.op('ScatterElements', merged, index, pooled, axis=0)
    return merged


def build(seed, threshold, proposal_threshold):
    net = Net(seed)
    features = net.op('Relu', net.conv('input', 3, CHANNELS, 3, strides=[2, 2]))
    boxes = rpn(net, features, HEIGHT * WIDTH // 4, proposal_threshold)
    pooled = regions(net, features, boxes, 5)
    flat = net.op('Reshape', pooled, net.ints(-1, CHANNELS * 25))
    hidden = net.op('Relu', net.op('Gemm', flat, net.weights(16, CHANNELS * 25),
                                   net.weights(16), transB=1))
    score = net.op('Softmax', net.op('Gemm', hidden, net.weights(3, 16), transB=1), axis=1)
    found = net.op('Gather', score, net.const(1, np.int64), axis=1)
    rows = net.op('Squeeze', net.op('NonZero', net.op('Greater', found,
                                                      net.const(threshold))), net.ints(0))
    boxes = net.op('Gather', boxes, rows, axis=0)
    found = net.op('Gather', found, rows, axis=0)
    kept = nms(net, boxes, net.op('Unsqueeze', found, net.ints(0)), DETECTIONS, 0.4, 0.0)
    boxes = net.op('Gather', boxes, kept, axis=0)
    found = net.op('Gather', found, kept, axis=0)
    head = net.op('Relu', net.conv(regions(net, features, boxes, 4), CHANNELS, 8, 3))
    head = net.op('ConvTranspose', head, net.weights(8, 1, 2, 2), strides=[2, 2])
    masks = net.op('Sigmoid', head)
    outputs = []
    for name, value, rank in (('boxes', boxes, 2), ('scores', found, 1), ('masks', masks, 4)):
        net.nodes.append(helper.make_node('Identity', [value], [name]))
        outputs.append(helper.make_tensor_value_info(name, T.FLOAT, [None] * rank))
    picture = helper.make_tensor_value_info('input', T.FLOAT, [1, 3, HEIGHT, WIDTH])
    return helper.make_graph(net.nodes, 'mini-rcnn', [picture], outputs, net.inits)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--output', required=True, metavar='FILE')
    parser.add_argument('--threshold', type=float, default=0.3,
                        help='of scores (%(default)s)')
    parser.add_argument('--proposal-threshold', type=float, default=0,
                        help='of the scores of proposals (%(default)s)')
    parser.add_argument('--opset', type=int, default=16)
    parser.add_argument('--seed', type=int, default=3)
    args = parser.parse_args()
    graph = build(args.seed, args.threshold, args.proposal_threshold)
    model = helper.make_model(graph, ir_version=8,
                              opset_imports=[helper.make_opsetid('', args.opset)])
    onnx.checker.check_model(model)
    onnx.save(model, args.output)
    return 0


if __name__ == '__main__':
    sys.exit(main())
