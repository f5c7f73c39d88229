#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small quantised network in both forms, QDQ and QOperator, as ONNX Runtime's tools write them:
vkseg against ONNX Runtime, tensor by tensor. quantised.py VKSEG [--keep DIR]

The network has what segmentation networks are made of: strided, dilated, grouped, depthwise and
1x1 convolutions with scales for each channel, ReLU and ReLU6, pooling, a residual, a
concatenation, and a squeeze-and-excitation gate. All tensors between are bytes and outputs: each
must agree in 99.9 % of its elements, and differ by no more than one in the others, which are
quotients that lie between two integers. Weights that unsigned bytes are multiplied with have seven
bits: of two products at once, ONNX Runtime's sums saturate on an x86 processor without VNNI
(its documentation of quantization, "U8S8 on x86-64"), and its answer would be wrong. Needs numpy
and onnx, and an ONNX Runtime that ../ort/run.sh finds; skipped without them.

VKSEG_CONV=dot or direct forces that family of convolutions; a kernel of the first must then have run.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
except ImportError as missing:
    print(f'1..0 # SKIP {missing}')
    sys.exit(0)

ORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'ort', 'run.sh')
RANDOM = np.random.default_rng(5)

# (output, operator, inputs, attributes); a convolution's second input is the shape of its weights.
LAYERS = [
    ('stem', 'Conv', ['image', (16, 3, 3, 3)], {'strides': [2, 2], 'pads': [1, 1, 1, 1]}),
    ('stem_relu', 'Relu', ['stem'], {}),
    ('depth', 'Conv', ['stem_relu', (16, 1, 3, 3)], {'group': 16, 'pads': [1, 1, 1, 1]}),
    ('depth_relu', 'Relu6', ['depth'], {}),
    ('point', 'Conv', ['depth_relu', (16, 16, 1, 1)], {}),
    ('sum', 'Add', ['point', 'stem_relu'], {}),
    ('pool', 'MaxPool', ['sum'], {'kernel_shape': [3, 3], 'strides': [2, 2], 'pads': [1, 1, 1, 1]}),
    ('wide', 'Conv', ['pool', (27, 16, 3, 3)], {'dilations': [2, 2], 'pads': [2, 2, 2, 2]}),
    ('wide_relu', 'Relu', ['wide'], {}),
    ('groups', 'Conv', ['pool', (24, 8, 3, 3)], {'group': 2, 'pads': [1, 1, 1, 1]}),
    ('both', 'Concat', ['wide_relu', 'groups', 'pool'], {'axis': 1}),
    ('mean', 'GlobalAveragePool', ['both'], {}),
    ('squeeze', 'Conv', ['mean', (67, 67, 1, 1)], {}),
    ('gate', 'Sigmoid', ['squeeze'], {}),
    ('gated', 'Mul', ['both', 'gate'], {}),
    ('deep', 'Conv', ['gated', (150, 67, 3, 3)], {'pads': [1, 1, 1, 1]}),
    ('deep_relu', 'Relu', ['deep'], {}),
    ('logits', 'Conv', ['deep_relu', (5, 150, 1, 1)], {}),
]
IMAGE = [1, 3, 37, 50]
SHARED = {'stem': 'stem_relu', 'depth': 'depth_relu', 'wide': 'wide_relu', 'deep': 'deep_relu'}


def run(command, model, image, outputs, folder):
    os.makedirs(folder, exist_ok=True)
    np.save(os.path.join(folder, 'image.npy'), image)
    done = subprocess.run([*command, model, '--input', f'image={folder}/image.npy',
                           '--output-dir', folder], capture_output=True, text=True)
    if done.returncode == 77:
        print('1..0 # SKIP no ONNX Runtime')
        sys.exit(0)
    if done.returncode != 0:
        raise RuntimeError(f'{command[0]}: {done.stderr}')
    return {name: np.load(os.path.join(folder, name + '.npy')) for name in outputs}


class Writer:
    """Nodes and constants of one form of the network."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def node(self, op, inputs, output, domain='', **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f'{op}_{output}',
                                           domain=domain, **attributes))
        return output

    def save(self, path, outputs):
        graph = helper.make_graph(
            self.nodes, 'quantised', [helper.make_tensor_value_info('image', TensorProto.FLOAT, IMAGE)],
            [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
            list(self.constants.values()))
        opsets = [helper.make_opsetid('', 13), helper.make_opsetid('com.microsoft', 1)]
        save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def float_nodes(writer, weights):
    for output, op, inputs, attributes in LAYERS:
        if op == 'Conv':
            kernel, bias = weights[output]
            inputs = [inputs[0], writer.constant(output + '_w', kernel),
                      writer.constant(output + '_b', bias)]
        if op == 'Relu6':
            op, inputs = 'Clip', [inputs[0], writer.constant('zero', np.float32(0)),
                                  writer.constant('six', np.float32(6))]
        writer.node(op, inputs, output, **attributes)


def ranges(values, dtype):
    """Scale and zero point of each tensor; those that ReLU and pooling leave alone share them."""
    pairs = {}
    low_q, high_q = (0, 255) if dtype == np.uint8 else (-128, 127)
    for name, value in values.items():
        low, high = min(float(value.min()), 0), max(float(value.max()), 0)
        scale = np.float32((high - low) / 255)
        zero = dtype(np.clip(round(low_q - low / scale), low_q, high_q))
        pairs[name] = (scale, zero)
    for name, like in (*SHARED.items(), ('pool', 'sum')):
        pairs[name] = pairs[like]
    return pairs


def integers(kernel, bias, scale_x, zero_x):
    most = 63 if zero_x.dtype == np.uint8 else 127
    scale = (np.abs(kernel).reshape(len(kernel), -1).max(1) / most).astype(np.float32)
    q = np.clip(np.rint(kernel / scale.reshape(-1, 1, 1, 1)), -most, most).astype(np.int8)
    return q, scale, np.rint(bias / (scale_x * scale)).astype(np.int32)


def pair(writer, name, pairs):
    return [writer.constant(name + '_scale', pairs[name][0]), writer.constant(name + '_zero', pairs[name][1])]


def qoperator(writer, weights, pairs):
    writer.node('QuantizeLinear', ['image', *pair(writer, 'image', pairs)], 'image_q')
    known = {'image': 'image_q'}
    names = {'Add': 'QLinearAdd', 'Mul': 'QLinearMul', 'Sigmoid': 'QLinearSigmoid',
             'GlobalAveragePool': 'QLinearGlobalAveragePool'}
    for output, op, inputs, attributes in LAYERS:
        result = output + '_q'
        known[output] = result
        if op == 'Conv':
            kernel, scale, bias = integers(*weights[output], *pairs[inputs[0]])
            writer.node('QLinearConv', [
                known[inputs[0]], *pair(writer, inputs[0], pairs),
                writer.constant(output + '_w', kernel), writer.constant(output + '_ws', scale),
                writer.constant(output + '_wz', np.zeros(len(kernel), np.int8)),
                *pair(writer, output, pairs), writer.constant(output + '_b', bias)],
                result, **attributes)
        elif op in ('Relu', 'Relu6'):
            known[output] = known[inputs[0]]
        elif op == 'MaxPool':
            writer.node(op, [known[inputs[0]]], result, **attributes)
        elif op == 'Concat':
            tensors = [x for name in inputs for x in (known[name], *pair(writer, name, pairs))]
            writer.node('QLinearConcat', [*pair(writer, output, pairs), *tensors], result,
                        'com.microsoft', **attributes)
        else:
            tensors = [x for name in inputs for x in (known[name], *pair(writer, name, pairs))]
            writer.node(names[op], [*tensors, *pair(writer, output, pairs)], result, 'com.microsoft')
    writer.node('DequantizeLinear', ['logits_q', *pair(writer, 'logits', pairs)], 'logits')


def qdq(writer, weights, pairs):
    def through(value, name):
        writer.node('QuantizeLinear', [value, *pair(writer, name, pairs)], name + '_q')
        return writer.node('DequantizeLinear', [name + '_q', *pair(writer, name, pairs)], name + '_dq')

    known = {'image': through('image', 'image')}
    for output, op, inputs, attributes in LAYERS:
        tensors = [known[name] for name in inputs if isinstance(name, str)]
        if op == 'Conv':
            kernel, scale, bias = integers(*weights[output], *pairs[inputs[0]])
            zeros = writer.constant(output + '_wz', np.zeros(len(kernel), np.int8))
            tensors.append(writer.node('DequantizeLinear', [
                writer.constant(output + '_w', kernel), writer.constant(output + '_ws', scale), zeros],
                output + '_wdq', axis=0))
            bias_scale = (pairs[inputs[0]][0] * scale).astype(np.float32)
            zero32 = writer.constant(output + '_bz', np.zeros(len(kernel), np.int32))
            tensors.append(writer.node('DequantizeLinear', [
                writer.constant(output + '_b', bias), writer.constant(output + '_bs', bias_scale), zero32],
                output + '_bdq', axis=0))
        if op == 'Relu6':
            op = 'Clip'
            tensors += [writer.constant('zero', np.float32(0)), writer.constant('six', np.float32(6))]
        value = writer.node(op, tensors, output + '_f', **attributes)
        known[output] = value if output in SHARED else through(value, output)
    writer.node('Identity', [known['logits']], 'logits')


def check(number, form, got, want, name):
    """TAP line; the share of equal elements and the largest difference in steps."""
    difference = np.abs(got.astype(np.int64) - want.astype(np.int64))
    equal, most = float((difference == 0).mean()), int(difference.max())
    good = got.shape == want.shape and equal >= 0.999 and most <= 1
    print(f'{"ok" if good else "not ok"} {number} - {form}, {name}: {100 * equal:.3f} % equal, '
          f'largest difference {most}')
    return good


def check_steps(number, form, vkseg, model):
    """TAP line; a network that frames go through may have no step on the host."""
    done = subprocess.run([vkseg, 'inspect', '--json', model], capture_output=True, text=True, check=True)
    steps = json.loads(done.stdout)['host_steps']
    print(f'{"not ok" if steps else "ok"} {number} - {form}: {steps} steps on the host')
    return not steps


def check_family(number, form, vkseg, model):
    """TAP line, or None where no family is forced or the device has none for it."""
    if os.environ.get('VKSEG_CONV') != 'dot':
        return None
    done = subprocess.run([vkseg, 'bench', '--json', '--per-layer', '--runs', '1', model],
                          capture_output=True, text=True, check=True)
    kernels = [layer['kernel'] for layer in json.loads(done.stdout)['layers']]
    n = sum(kernel.startswith('conv_dot') for kernel in kernels)
    print(f'{"ok" if n else "not ok"} {number} - {form}: {n} steps with conv_dot')
    return n > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('vkseg')
    parser.add_argument('--keep', metavar='DIR', help='leave models and tensors there')
    args = parser.parse_args()
    folder = args.keep or tempfile.mkdtemp()
    image = RANDOM.normal(0, 1, IMAGE).astype(np.float32)
    weights = {}
    for output, op, inputs, _ in LAYERS:
        if op == 'Conv':
            shape = inputs[1]
            spread = 1.6 / np.sqrt(np.prod(shape[1:]))
            weights[output] = (RANDOM.normal(0, spread, shape).astype(np.float32),
                               RANDOM.normal(0, 0.3, shape[0]).astype(np.float32))
    plain = Writer()
    float_nodes(plain, weights)
    names = [layer[0] for layer in LAYERS]
    model = os.path.join(folder, 'float.onnx')
    os.makedirs(folder, exist_ok=True)
    plain.save(model, [(name, TensorProto.FLOAT) for name in names])
    values = run([ORT], model, image, names, os.path.join(folder, 'float'))
    values['image'] = image

    number, failed = 0, 0
    between = [name + '_q' for name in ('image', *names) if name not in SHARED and name != 'logits']
    for form, write, dtype in (('QDQ uint8', qdq, np.uint8), ('QDQ int8', qdq, np.int8),
                               ('QOperator uint8', qoperator, np.uint8),
                               ('QOperator int8', qoperator, np.int8)):
        writer, pairs = Writer(), ranges(values, dtype)
        write(writer, weights, pairs)
        made = [node.output[0] for node in writer.nodes]
        shown = [name for name in [*between, 'logits_q'] if name in made]
        kind = TensorProto.UINT8 if dtype == np.uint8 else TensorProto.INT8
        model = os.path.join(folder, form.replace(' ', '-') + '.onnx')
        writer.save(model, [(name, kind) for name in shown])
        here = model[:-5]
        number += 1
        failed += not check_steps(number, form, args.vkseg, model)
        used = check_family(number + 1, form, args.vkseg, model)
        if used is not None:
            number += 1
            failed += not used
        want = run([ORT], model, image, shown, here + '-ort')
        got = run([args.vkseg, 'run'], model, image, shown, here + '-vkseg')
        for name in shown:
            number += 1
            failed += not check(number, form, got[name], want[name], name)
    print(f'1..{number}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
