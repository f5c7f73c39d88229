#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Converts a TFLite network of floating point into ONNX: tflite2onnx.py IN.tflite OUT.onnx

Feature maps become NCHW: a TFLite input [1,H,W,C] is the ONNX input [1,C,H,W], and weights are
stored as fp32. Operators that are not in HANDLERS are refused, all of them named at once.
Needs numpy and onnx (Debian: python3-onnx).
"""
import argparse
import os
import struct
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

import tflite

OPSET = 14  # HardSwish
IR_VERSION = 7

SAME, VALID = 0, 1  # enum Padding
ACTIVATIONS = {0: None, 1: 'RELU', 3: 'RELU6'}  # enum ActivationFunctionType


class Converter:
    """The ONNX graph being made. Tensors keep their names; activations are NCHW."""

    def __init__(self, graph):
        self.graph = graph
        self.nodes = []
        self.initializers = {}
        self.constants = {t.index: t.data for t in graph.tensors if t.data is not None}
        self.problems = []

    def shape(self, index):
        return self.graph.tensors[index].shape

    def name(self, index):
        return self.graph.tensors[index].name

    def add(self, kind, inputs, output, **attributes):
        name = f'{output}/{kind}' if any(n.name == output for n in self.nodes) else output
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))

    def initializer(self, name, array):
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def constant(self, index, order=None):
        """A constant as an initializer, fp32, its axes permuted to `order`."""
        data = self.constants.get(index)
        if data is None:
            raise ValueError(f"'{self.name(index)}' has to be a constant")
        if data.dtype == np.float16:
            data = data.astype(np.float32)
        return self.initializer(self.name(index), data if order is None else data.transpose(order))

    def operand(self, index):
        """An elementwise operand: an activation by name, a constant turned to NCHW."""
        data = self.constants.get(index)
        if data is None:
            return self.name(index)
        if data.ndim == 4:
            return self.constant(index, (0, 3, 1, 2))
        if data.ndim == 1 and data.size > 1:  # along the channels, the last axis of NHWC
            return self.initializer(self.name(index), data.astype(np.float32).reshape(1, -1, 1, 1))
        return self.constant(index)

    def activated(self, output, code):
        """The name to write to, so that finish() adds the fused activation `code` behind it."""
        if code not in ACTIVATIONS:
            raise ValueError(f'fused activation {code}')
        return self.name(output) if ACTIVATIONS[code] is None else self.name(output) + '/linear'

    def finish(self, output, code):
        if ACTIVATIONS[code]:
            clip(self, ACTIVATIONS[code], self.name(output) + '/linear', self.name(output))


def clip(conv, kind, source, output):
    if kind == 'RELU':
        conv.add('Relu', [source], output)
        return
    low = conv.initializer('zero', np.float32(0))
    conv.add('Clip', [source, low, conv.initializer('six', np.float32(6))], output)


def pads(padding, size, kernel, stride, dilation):
    """[top, left, bottom, right] of TensorFlow's SAME or VALID; SAME puts the odd one behind."""
    if min(*size, *kernel, *stride, *dilation) < 1:
        raise ValueError(f'size {size}, kernel {kernel}, stride {stride}, dilation {dilation}')
    if padding == VALID:
        return [0, 0, 0, 0]
    begin, end = [], []
    for n, k, s, d in zip(size, kernel, stride, dilation):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        begin.append(total // 2)
        end.append(total - total // 2)
    return begin + end


def convolution(conv, op, weights, group, stride, dilation, code):
    kernel = conv.initializers[weights].dims[2:]
    size = conv.shape(op.inputs[0])[1:3]
    inputs = [conv.name(op.inputs[0]), weights]
    if len(op.inputs) > 2 and op.inputs[2] >= 0:
        inputs.append(conv.constant(op.inputs[2]))
    output = conv.activated(op.outputs[0], code)
    conv.add('Conv', inputs, output, kernel_shape=list(kernel), strides=stride, dilations=dilation,
             group=group, pads=pads(op.options.scalar(0, 'b'), size, kernel, stride, dilation))
    conv.finish(op.outputs[0], code)


def conv_2d(conv, op):
    """Conv2DOptions: padding, stride_w, stride_h, activation, dilation_w, dilation_h."""
    o = op.options
    weights = conv.constant(op.inputs[1], (0, 3, 1, 2))  # OHWI
    if conv.initializers[weights].dims[1] != conv.shape(op.inputs[0])[3]:
        raise ValueError('grouped CONV_2D')
    convolution(conv, op, weights, 1, [o.scalar(2), o.scalar(1)],
                [o.scalar(5, default=1), o.scalar(4, default=1)], o.scalar(3, 'b'))


def depthwise_conv_2d(conv, op):
    """DepthwiseConv2DOptions: padding, stride_w, stride_h, multiplier, activation, dilations."""
    o = op.options
    weights = conv.constant(op.inputs[1], (3, 0, 1, 2))  # 1HWC
    convolution(conv, op, weights, conv.shape(op.inputs[0])[3], [o.scalar(2), o.scalar(1)],
                [o.scalar(6, default=1), o.scalar(5, default=1)], o.scalar(4, 'b'))


def transpose_conv_bias(conv, op):
    """MediaPipe's custom operator. Its bytes: padding (1 SAME, 2 VALID), stride_w, stride_h."""
    padding, stride_w, stride_h = struct.unpack_from('<iii', op.custom)
    weights = conv.constant(op.inputs[1], (3, 0, 1, 2))  # OHWI to IOHW
    kernel = conv.initializers[weights].dims[2:]
    size, out = conv.shape(op.inputs[0])[1:3], conv.shape(op.outputs[0])[1:3]
    begin, end = [], []
    for n, o, k, s in zip(size, out, kernel, (stride_h, stride_w)):
        total = (n - 1) * s + k - o
        if s < 1 or total < 0 or (padding != 1 and total > 0):
            raise ValueError(f'{o} outputs for {n} inputs, kernel {k}, stride {s}')
        begin.append(total // 2)
        end.append(total - total // 2)
    conv.add('ConvTranspose', [conv.name(op.inputs[0]), weights, conv.constant(op.inputs[2])],
             conv.name(op.outputs[0]), kernel_shape=list(kernel), strides=[stride_h, stride_w],
             pads=begin + end)


def average_pool_2d(conv, op):
    """Pool2DOptions: padding, stride_w, stride_h, filter_width, filter_height, activation."""
    o = op.options
    stride, kernel = [o.scalar(2), o.scalar(1)], [o.scalar(4), o.scalar(3)]
    size = list(conv.shape(op.inputs[0])[1:3])
    source, output = conv.name(op.inputs[0]), conv.activated(op.outputs[0], o.scalar(5, 'b'))
    if kernel == size and conv.shape(op.outputs[0])[1:3] == (1, 1):
        conv.add('GlobalAveragePool', [source], output)
    else:
        conv.add('AveragePool', [source], output, kernel_shape=kernel, strides=stride,
                 pads=pads(o.scalar(0, 'b'), size, kernel, stride, [1, 1]))
    conv.finish(op.outputs[0], o.scalar(5, 'b'))


def mean(conv, op):
    """ReducerOptions: keep_dims. Just the mean over height and width."""
    axes = conv.constants.get(op.inputs[1])
    rank = len(conv.shape(op.inputs[0]))
    if rank != 4 or axes is None or sorted(int(a) % rank for a in axes.ravel()) != [1, 2]:
        raise ValueError('just axes 1, 2 of a feature map are supported')
    if not op.options.scalar(0, 'B'):
        raise ValueError('keep_dims=false is not supported')
    conv.add('GlobalAveragePool', [conv.name(op.inputs[0])], conv.name(op.outputs[0]))


def resize_bilinear(conv, op):
    """ResizeBilinearOptions: (old, old), align_corners, half_pixel_centers."""
    mode = 'asymmetric'
    if op.options.scalar(2, 'B'):
        mode = 'align_corners'
    elif op.options.scalar(3, 'B'):
        mode = 'half_pixel'
    n, h, w, c = conv.shape(op.outputs[0])
    sizes = conv.initializer(conv.name(op.outputs[0]) + '/sizes', np.array([n, c, h, w], np.int64))
    conv.add('Resize', [conv.name(op.inputs[0]), '', '', sizes], conv.name(op.outputs[0]),
             mode='linear', coordinate_transformation_mode=mode)


def dequantize(conv, op):
    """fp16 weights: they are unpacked here, so that the ONNX file has no such step."""
    data = conv.constants.get(op.inputs[0])
    if data is None or conv.graph.tensors[op.inputs[0]].quantized:
        raise ValueError('just constants of fp16 can be dequantised')
    conv.constants[op.outputs[0]] = data.astype(np.float32)


def binary(kind):
    """ADD and MUL: their options begin with the fused activation."""
    def handler(conv, op):
        code = op.options.scalar(0, 'b')
        output = conv.activated(op.outputs[0], code)
        conv.add(kind, [conv.operand(i) for i in op.inputs], output)
        conv.finish(op.outputs[0], code)
    return handler


def unary(kind):
    def handler(conv, op):
        conv.add(kind, [conv.name(op.inputs[0])], conv.name(op.outputs[0]))
    return handler


HANDLERS = {
    'ADD': binary('Add'),
    'AVERAGE_POOL_2D': average_pool_2d,
    'CONV_2D': conv_2d,
    'Convolution2DTransposeBias': transpose_conv_bias,
    'DEPTHWISE_CONV_2D': depthwise_conv_2d,
    'DEQUANTIZE': dequantize,
    'HARD_SWISH': unary('HardSwish'),
    'LOGISTIC': unary('Sigmoid'),
    'MEAN': mean,
    'MUL': binary('Mul'),
    'RELU': unary('Relu'),
    'RELU6': lambda conv, op: clip(conv, 'RELU6', conv.name(op.inputs[0]),
                                   conv.name(op.outputs[0])),
    'RESIZE_BILINEAR': resize_bilinear,
}


def value_info(graph, index):
    tensor = graph.tensors[index]
    if tensor.dtype is not np.float32 or len(tensor.shape) != 4:
        raise ValueError(f"'{tensor.name}' is not a feature map of 32-bit floats")
    n, h, w, c = tensor.shape
    return helper.make_tensor_value_info(tensor.name, onnx.TensorProto.FLOAT, [n, c, h, w])


def check(graph):
    """Refuses with every problem at once, not just the first."""
    unknown = sorted({op.kind for op in graph.operators if op.kind not in HANDLERS})
    if unknown:
        raise ValueError('operators that are not supported: ' + ', '.join(unknown))
    quantized = sum(t.quantized for t in graph.tensors)
    if quantized:
        raise ValueError(f'{quantized} quantised tensors; just floating-point networks can be '
                         'converted')


def convert(data):
    """The bytes of a TFLite file as an onnx.ModelProto. Raises ValueError if it cannot be."""
    graph = tflite.read(data)
    check(graph)
    conv = Converter(graph)
    for op in graph.operators:
        try:
            HANDLERS[op.kind](conv, op)
        except (ValueError, IndexError, struct.error) as error:
            raise ValueError(f"{op.kind} '{conv.name(op.outputs[0])}': {error}") from error
    made = helper.make_graph(conv.nodes, 'tflite', [value_info(graph, i) for i in graph.inputs],
                             [value_info(graph, i) for i in graph.outputs],
                             list(conv.initializers.values()))
    model = helper.make_model(made, producer_name='vkseg tflite2onnx', ir_version=IR_VERSION,
                              opset_imports=[helper.make_opsetid('', OPSET)])
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ValueError(f'shapes or values that do not fit together: {error}') from error
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('tflite')
    parser.add_argument('onnx')
    args = parser.parse_args()
    try:
        with open(args.tflite, 'rb') as source:
            model = convert(source.read())
        part = args.onnx + '.part'
        onnx.save(model, part)
        os.replace(part, args.onnx)
    except (OSError, ValueError) as error:
        print(f'tflite2onnx: {args.tflite}: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
