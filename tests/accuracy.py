#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares `vkseg run` with reference data and prints a table: accuracy.py FOLDER ...

Each folder has what reference.py makes: model.onnx, input_INPUT.npy, expected_OUTPUT.npy. A row
says how large the largest error is beside the output's range (fp32), on how many pixels the
largest class is the same (fp32, fp16), and for those where it is not in fp16 how near each other
the two best classes are there, as the median over the picture and the largest of those pixels.
Memory: of the arena, beside the largest sum of tensors alive at one step (fp32), without and with
the temporaries of that step. Exit status 1 if a bound is not kept. VKSEG: the tool.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
VKSEG = os.environ.get('VKSEG', os.path.join(ROOT, 'build', 'gst', 'tool', 'vkseg'))
MAX_ERROR, SAME, MEMORY = 1e-3, {'fp32': 0.999, 'fp16': 0.995}, 1.15


def files(folder, kind):
    """{tensor: path}; names are as in file names."""
    return {name[len(kind) + 1:-len('.npy')]: os.path.join(folder, name)
            for name in sorted(os.listdir(folder)) if name.startswith(kind + '_')}


def tool(command, folder, precision, *more):
    arguments = [a for name, path in files(folder, 'input').items()
                 for a in ('--input', f'{name}={path}')]
    return subprocess.run([VKSEG, command, os.path.join(folder, 'model.onnx'), '--precision',
                           precision, *arguments, *more], check=True, stdout=subprocess.PIPE).stdout


def margins(scores):
    """How far the best class is ahead of the second."""
    best = np.partition(scores, -2, axis=1)
    return best[:, -1] - best[:, -2]


def compare(folder, precision):
    """Error beside the range, part of the pixels with the same class, median margin, and the
    largest margin where classes differ."""
    (name, path), = files(folder, 'expected').items()
    want = np.load(path)
    with tempfile.TemporaryDirectory() as out:
        tool('run', folder, precision, '--output-dir', out)
        got = np.load(os.path.join(out, name + '.npy'))
    if got.shape != want.shape or not np.isfinite(got).all():
        sys.exit(f'accuracy.py: {folder}: {name} is {got.shape}, expected {want.shape}')
    error = np.abs(got - want).max() / (want.max() - want.min())
    differ = got.argmax(1) != want.argmax(1)
    margin = margins(want)
    return error, 1 - differ.mean(), np.median(margin), margin[differ].max(initial=0)


def row(folder):
    """The cells of a row, and whether it is within the bounds."""
    memory = json.loads(tool('inspect', folder, 'fp32', '--json'))['memory']
    of_tensors = memory['arena_bytes'] / memory['tensor_bytes']
    of_peak = memory['arena_bytes'] / memory['peak_bytes']
    error, same, _, _ = compare(folder, 'fp32')
    error_half, same_half, median, largest = compare(folder, 'fp16')
    good = (error <= MAX_ERROR and same >= SAME['fp32'] and same_half >= SAME['fp16']
            and of_tensors <= MEMORY)
    cells = (os.path.basename(folder), f'{error:.1e}', f'{100 * same:.3f}', f'{error_half:.1e}',
             f'{100 * same_half:.2f}', f'{median:.2f}', f'{largest:.3f}',
             f'{memory["arena_bytes"] / 2**20:.1f}', f'{of_tensors:.2f}', f'{of_peak:.2f}')
    return cells, good


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: accuracy.py FOLDER ...')
    print('| network, size, batch | fp32: error | same class, % | fp16: error | same class, % '
          '| margin | where it differs | arena, MiB | / tensors | / with temporaries |')
    print('|---' * 10 + '|')
    failed = []
    for folder in sys.argv[1:]:
        cells, good = row(folder.rstrip('/'))
        print('| ' + ' | '.join(cells) + ' |', flush=True)
        if not good:
            failed.append(cells[0])
    for name in failed:
        print(f'not within bounds: {name}', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
