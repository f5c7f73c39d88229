# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the operators of TFLite mean, in numpy and NHWC: the reference for tflite2onnx.py.

Written from TFLite's definitions, not from the converter: padding, coordinates and axes are
worked out here anew."""
import struct

import numpy as np


def out_size(n, kernel, stride, dilation, same):
    span = (kernel - 1) * dilation + 1
    return -(-n // stride) if same else -(-(n - span + 1) // stride)


def windows(x, kernel, stride, dilation, same, fill=0.0):
    """Yields (ky, kx, the input seen by each output through that tap of the kernel)."""
    out = [out_size(x.shape[1 + a], kernel[a], stride[a], dilation[a], same) for a in (0, 1)]
    before = [max((out[a] - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1
                  - x.shape[1 + a], 0) // 2 if same else 0 for a in (0, 1)]
    reach = [(out[a] - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1 for a in (0, 1)]
    big = np.full((x.shape[0], max(reach[0], before[0] + x.shape[1]),
                   max(reach[1], before[1] + x.shape[2]), x.shape[3]), fill, x.dtype)
    big[:, before[0]:before[0] + x.shape[1], before[1]:before[1] + x.shape[2]] = x
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            y0, x0 = ky * dilation[0], kx * dilation[1]
            yield ky, kx, big[:, y0:y0 + (out[0] - 1) * stride[0] + 1:stride[0],
                              x0:x0 + (out[1] - 1) * stride[1] + 1:stride[1]]


def activation(y, code):
    return {0: lambda: y, 1: lambda: np.maximum(y, 0), 3: lambda: np.clip(y, 0, 6)}[code]()


def conv_2d(op, x, w, b):
    o = op.options
    taps = windows(x, w.shape[1:3], (o.scalar(2), o.scalar(1)),
                   (o.scalar(5, default=1), o.scalar(4, default=1)), o.scalar(0, 'b') == 0)
    y = sum(part @ w[:, ky, kx, :].T for ky, kx, part in taps)
    return activation(y + b, o.scalar(3, 'b'))


def depthwise_conv_2d(op, x, w, b):
    o = op.options
    x = np.repeat(x, w.shape[3] // x.shape[3], axis=3)
    taps = windows(x, w.shape[1:3], (o.scalar(2), o.scalar(1)),
                   (o.scalar(6, default=1), o.scalar(5, default=1)), o.scalar(0, 'b') == 0)
    y = sum(part * w[0, ky, kx] for ky, kx, part in taps)
    return activation(y + b, o.scalar(4, 'b'))


def average_pool_2d(op, x):
    o = op.options
    kernel, stride = (o.scalar(4), o.scalar(3)), (o.scalar(2), o.scalar(1))
    same = o.scalar(0, 'b') == 0
    total = sum(part for _, _, part in windows(x, kernel, stride, (1, 1), same))
    count = sum(part for _, _, part in windows(np.ones_like(x), kernel, stride, (1, 1), same))
    return activation(total / count, o.scalar(5, 'b'))


def transpose_conv_bias(op, x, w, b):
    padding, stride_w, stride_h = struct.unpack('<iii', op.custom[:12])
    (n, h, width, _), (channels, kh, kw, _) = x.shape, w.shape
    full = np.zeros((n, (h - 1) * stride_h + max(kh, stride_h),
                     (width - 1) * stride_w + max(kw, stride_w), channels), x.dtype)
    for ky in range(kh):
        for kx in range(kw):
            full[:, ky:ky + (h - 1) * stride_h + 1:stride_h,
                 kx:kx + (width - 1) * stride_w + 1:stride_w] += x @ w[:, ky, kx, :].T
    if padding == 1:  # SAME: the size is stride times the input's, cut from both ends
        top = max(kh - stride_h, 0) // 2
        left = max(kw - stride_w, 0) // 2
        full = full[:, top:top + h * stride_h, left:left + width * stride_w]
    return full + b


def source_lines(n_in, n_out, align_corners, half_pixel):
    """For each output line: the two input lines and the weight of the second."""
    scale = (n_in - 1) / (n_out - 1) if align_corners and n_out > 1 else n_in / n_out
    i = np.arange(n_out)
    place = (i + 0.5) * scale - 0.5 if half_pixel else i * scale
    low = np.floor(place)
    weight = place - low
    return (np.clip(low, 0, n_in - 1).astype(int), np.clip(low + 1, 0, n_in - 1).astype(int),
            weight.astype(np.float32))


def resize_bilinear(op, x, size):
    align, half = op.options.scalar(2, 'B'), op.options.scalar(3, 'B')
    y0, y1, wy = source_lines(x.shape[1], int(size[0]), align, half)
    x0, x1, wx = source_lines(x.shape[2], int(size[1]), align, half)
    rows = x[:, y0] * (1 - wy)[:, None, None] + x[:, y1] * wy[:, None, None]
    return rows[:, :, x0] * (1 - wx)[:, None] + rows[:, :, x1] * wx[:, None]


FUNCTIONS = {
    'ADD': lambda op, a, b: activation(a + b, op.options.scalar(0, 'b')),
    'AVERAGE_POOL_2D': average_pool_2d,
    'CONV_2D': conv_2d,
    'Convolution2DTransposeBias': transpose_conv_bias,
    'DEPTHWISE_CONV_2D': depthwise_conv_2d,
    'DEQUANTIZE': lambda op, x: x.astype(np.float32),
    'HARD_SWISH': lambda op, x: x * np.clip(x + 3, 0, 6) / 6,
    'LOGISTIC': lambda op, x: 0.5 * np.tanh(0.5 * x) + 0.5,
    'MEAN': lambda op, x, axes: x.mean(axis=tuple(int(a) for a in axes), keepdims=True),
    'MUL': lambda op, a, b: activation(a * b, op.options.scalar(0, 'b')),
    'RELU': lambda op, x: np.maximum(x, 0),
    'RELU6': lambda op, x: np.clip(x, 0, 6),
    'RESIZE_BILINEAR': resize_bilinear,
}


def run(graph, inputs):
    """The outputs of a tflite.Graph for its inputs, both NHWC."""
    values = {t.index: t.data for t in graph.tensors if t.data is not None}
    values.update(zip(graph.inputs, inputs))
    for op in graph.operators:
        arguments = [values[i] for i in op.inputs]
        values[op.outputs[0]] = FUNCTIONS[op.kind](op, *arguments)
        want = graph.tensors[op.outputs[0]].shape
        if values[op.outputs[0]].shape != want:
            raise AssertionError(f'{op.kind}: {values[op.outputs[0]].shape}, not {want}')
    return [values[i] for i in graph.outputs]
