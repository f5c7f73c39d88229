#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""models/tflite2onnx.py: each operator, and the networks that are fetched, as converted and run by
ONNX Runtime against an evaluation of the TFLite file in numpy; what it refuses. Prints TAP.
Usage: test-tflite.py [FOLDER OF NETWORKS ...]; VKSEG_MODEL_PATH adds to them."""
import glob
import os
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'models'))
try:
    import numpy as np
    import onnx
    import onnx.compose

    import tflite
    import tflite2onnx
    import tflite_eval
    import tflite_file
except ImportError as error:
    DEBIAN = '/usr/bin/python3'  # has the packages where python3 on the PATH has not
    if os.path.exists(DEBIAN) and 'VKSEG_TEST_PYTHON' not in os.environ:
        os.environ['VKSEG_TEST_PYTHON'] = DEBIAN
        os.execv(DEBIAN, [DEBIAN] + sys.argv)
    print(f'1..0 # SKIP {error} (Debian: python3-onnx)')
    sys.exit(0)

SAME, VALID = 0, 1
random = np.random.default_rng(7)
count = failed = 0


class NoRuntime(Exception):
    """There is no ONNX Runtime on this machine."""


def report(name, problem, skip=''):
    global count, failed
    count += 1
    failed += bool(problem)
    print(f'{"not ok" if problem else "ok"} {count} - {name}' + (f' # SKIP {skip}' if skip else ''))
    if problem:
        print(f'# {problem}')
    sys.stdout.flush()


def merged(cases):
    """One network of all the cases' converted ones, so that ONNX Runtime starts once."""
    parts = [onnx.compose.add_prefix(case.model, f'{i}_').graph for i, case in enumerate(cases)]
    every = {name: [item for part in parts for item in getattr(part, name)]
             for name in ('node', 'input', 'output', 'initializer')}
    graph = onnx.helper.make_graph(every['node'], 'cases', every['input'], every['output'],
                                   every['initializer'])
    first = cases[0].model
    return onnx.helper.make_model(graph, ir_version=first.ir_version,
                                  opset_imports=first.opset_import)


def run_onnx(cases):
    """The outputs of the cases, in NHWC."""
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(merged(cases), os.path.join(folder, 'm.onnx'))
        arguments = [f'{folder}/m.onnx', '--output-dir', folder]
        for i, case in enumerate(cases):
            path = os.path.join(folder, f'x{i}.npy')
            np.save(path, np.ascontiguousarray(case.x.transpose(0, 3, 1, 2)))
            arguments += ['--input', f'{i}_{case.model.graph.input[0].name}={path}']
        done = subprocess.run([os.path.join(ROOT, 'tests/ort/run.sh')] + arguments,
                              capture_output=True, text=True)
        if done.returncode == 77:
            raise NoRuntime(done.stderr.strip())
        if done.returncode != 0:
            raise ValueError(done.stderr.strip())
        paths = [os.path.join(folder, f'{i}_{case.model.graph.output[0].name}.npy')
                 for i, case in enumerate(cases)]
        return [np.load(path).transpose(0, 2, 3, 1) for path in paths]


@dataclass
class Case:
    """A converted network, its input and what the TFLite file means by it, both NHWC."""
    name: str
    model: object
    x: object
    want: object


cases = []


def compare(name, data, x):
    """Notes a comparison for compare_all()."""
    try:
        want, = tflite_eval.run(tflite.read(data), [x])
        cases.append(Case(name, tflite2onnx.convert(data), x, want))
    except (ValueError, AssertionError) as error:
        report(name, str(error))


def compare_all(limit=1e-4):
    try:
        results = run_onnx(cases)
    except NoRuntime as error:
        report('conversions', None, skip=str(error))
        return
    except ValueError as error:
        report('conversions', str(error))
        return
    for case, got in zip(cases, results):
        if got.shape != case.want.shape:
            report(case.name, f'shape {got.shape}, not {case.want.shape}')
            continue
        error = np.abs(got - case.want).max()
        report(case.name, None if error <= limit else f'differs by {error}, over {limit}')


def values(*shape):
    return random.standard_normal(shape).astype(np.float32)


def window_shape(shape, channels, kernel, stride, dilation, padding):
    sizes = [tflite_eval.out_size(shape[1 + a], kernel[a], stride[a], dilation[a], padding == SAME)
             for a in (0, 1)]
    return (1, *sizes, channels)


def convolutions():
    for kernel, stride, dilation, padding, act in [
            ((1, 1), (1, 1), (1, 1), SAME, 0), ((3, 3), (2, 2), (1, 1), SAME, 1),
            ((3, 5), (1, 2), (2, 1), SAME, 3), ((3, 3), (2, 1), (1, 1), VALID, 0),
            ((4, 2), (3, 2), (1, 2), SAME, 0)]:
        shape = (1, 12, 11, 6)
        name = f'kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}'
        out = window_shape(shape, 5, kernel, stride, dilation, padding)
        weights = values(5, *kernel, 6), values(5)
        options = {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0]), 3: ('b', act),
                   4: ('i', dilation[1]), 5: ('i', dilation[0])}
        compare(f'CONV_2D {name}', tflite_file.one_operator(3, shape, out, weights, options),
                values(*shape))
        for multiplier in (1, 2):
            out = window_shape(shape, 6 * multiplier, kernel, stride, dilation, padding)
            weights = values(1, *kernel, 6 * multiplier), values(6 * multiplier)
            options = {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0]),
                       3: ('i', multiplier), 4: ('b', act), 5: ('i', dilation[1]),
                       6: ('i', dilation[0])}
            data = tflite_file.one_operator(4, shape, out, weights, options)
            compare(f'DEPTHWISE_CONV_2D x {multiplier} {name}', data, values(*shape))


def pools():
    shape = (1, 9, 12, 5)
    for kernel, stride, padding in [((9, 12), (9, 12), VALID), ((3, 2), (2, 2), SAME),
                                    ((2, 3), (1, 2), VALID)]:
        out = window_shape(shape, 5, kernel, stride, (1, 1), padding)
        options = {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0]),
                   3: ('i', kernel[1]), 4: ('i', kernel[0])}
        compare(f'AVERAGE_POOL_2D kernel {kernel}, stride {stride}, padding {padding}',
                tflite_file.one_operator(1, shape, out, (), options), values(*shape))
    axes = np.array([1, 2], np.int32)
    compare('MEAN', tflite_file.one_operator(40, shape, (1, 1, 1, 5), [axes], {0: ('B', 1)}),
            values(*shape))


def resizes():
    shape = (1, 5, 7, 3)
    for name, options in [('half_pixel', {3: ('B', 1)}), ('align_corners', {2: ('B', 1)}),
                          ('asymmetric', {})]:
        for size in ((10, 14), (8, 5)):
            data = tflite_file.one_operator(23, shape, (1, *size, 3), [np.array(size, np.int32)],
                                            options)
            compare(f'RESIZE_BILINEAR {name} to {size}', data, values(*shape))


def transposed():
    shape = (1, 4, 5, 6)
    for kernel, stride, padding in [((2, 2), (2, 2), 1), ((3, 4), (2, 2), 1),
                                    ((3, 2), (2, 1), 2)]:
        size = [n * s if padding == 1 else (n - 1) * s + k
                for n, k, s in zip(shape[1:3], kernel, stride)]
        weights = values(2, *kernel, 6), values(2)
        data = tflite_file.one_operator(32, shape, (1, *size, 2), weights,
                                        custom='Convolution2DTransposeBias',
                                        blob=struct.pack('<iii', padding, stride[1], stride[0]))
        compare(f'Convolution2DTransposeBias kernel {kernel}, stride {stride}, padding {padding}',
                data, values(*shape))


def elementwise():
    shape = (1, 3, 4, 5)
    for code, name in [(117, 'HARD_SWISH'), (14, 'LOGISTIC'), (19, 'RELU'), (21, 'RELU6')]:
        compare(name, tflite_file.one_operator(code, shape, shape), 4 * values(*shape))
    for code, name in [(0, 'ADD'), (18, 'MUL')]:
        for constant, act in ((values(5), 0), (values(1, 1, 1, 5), 1), (values(*shape), 3),
                              (values(1), 0)):
            data = tflite_file.one_operator(code, shape, shape, [constant], {0: ('b', act)})
            compare(f'{name} constant {constant.shape}, activation {act}', data,
                    4 * values(*shape))


def half_weights():
    """fp16 weights that a DEQUANTIZE unpacks, as the selfie networks have them."""
    shape, out = (1, 4, 4, 3), (1, 4, 4, 2)
    w, b = values(2, 1, 1, 3).astype(np.float16), values(2).astype(np.float16)
    tensors = [('x', shape, None), ('w16', w.shape, w), ('b16', b.shape, b),
               ('w', w.shape, None), ('b', b.shape, None), ('y', out, None)]
    operators = [(6, '', [1], [3], None, b''), (6, '', [2], [4], None, b''),
                 (3, '', [0, 3, 4], [5], {1: ('i', 1), 2: ('i', 1)}, b'')]
    data = tflite_file.model(operators, tensors, [0], [5])
    compare('DEQUANTIZE of fp16 weights', data, values(*shape))


def refused(name, data, *words):
    try:
        tflite2onnx.convert(data)
        report(f'{name} is refused', 'it was converted')
    except ValueError as error:
        missing = [word for word in words if word not in str(error)]
        report(f'{name} is refused', f"'{error}' lacks {missing}" if missing else None)


def refusals():
    shape = (1, 2, 2, 3)
    tensors = [('x', shape, None), ('y', shape, None), ('z', shape, None), ('w', shape, None)]
    operators = [(114, '', [0], [1], None, b''), (32, 'Wondrous', [1], [2], None, b''),
                 (19, '', [2], [3], None, b'')]
    refused('a network of unknown operators', tflite_file.model(operators, tensors, [0], [3]),
            'QUANTIZE', 'Wondrous')
    refused('a fused activation', tflite_file.one_operator(
        0, shape, shape, [values(3)], {0: ('b', 4)}), 'ADD', 'activation 4')
    refused('MEAN over channels', tflite_file.one_operator(
        40, shape, shape, [np.array([3], np.int32)], {0: ('B', 1)}), 'MEAN', 'axes')
    refused('an empty file', b'', 'TFL3')


def damaged():
    """Files cut short and files with wrong bytes: converted or refused, nothing else."""
    whole = tflite_file.one_operator(3, (1, 4, 4, 3), (1, 4, 4, 2), [values(2, 1, 1, 3), values(2)],
                                     {1: ('i', 1), 2: ('i', 1)})
    files = [whole[:length] for length in range(0, len(whole), 3)]
    for _ in range(1000):
        broken = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            broken[random.integers(8, len(whole))] = random.choice([0, 1, 2, 127, 128, 255])
        files.append(bytes(broken))
    refusals = 0
    for data in files:
        try:
            tflite2onnx.convert(data)
        except ValueError:
            refusals += 1
        except Exception as error:  # what must not happen
            report('damaged files', f'{type(error).__name__} {error} for {data.hex()}')
            return
    report('damaged files', None if refusals > len(files) // 2 else f'{refusals} refused')


def networks(folders):
    found = sorted(f for folder in folders for f in glob.glob(os.path.join(folder, '*/*.tflite')))
    if not found:
        report('fetched networks', None, skip='none here: models/fetch.sh selfie selfie-landscape')
    for path in found:
        with open(path, 'rb') as source:
            data = source.read()
        graph = tflite.read(data)
        x = random.random(graph.tensors[graph.inputs[0]].shape, np.float32)
        compare(os.path.basename(path), data, x)


def main():
    convolutions()
    pools()
    resizes()
    transposed()
    elementwise()
    half_weights()
    path = os.environ.get('VKSEG_MODEL_PATH', '')
    networks(sys.argv[1:] + [folder for folder in path.split(':') if folder])
    compare_all()
    refusals()
    damaged()
    print(f'1..{count}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
