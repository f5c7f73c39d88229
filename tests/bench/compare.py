#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times `vkseg bench` beside other engines on the same networks and inputs: compare.py FOLDER ...

Each folder is as reference.py makes it: model.onnx, input_INPUT.npy. In each of --rounds rounds
every engine gets a process of its own that runs the network --runs times after a warm-up; the
engines take turns, so that what else the machine does falls on all of them. A figure is the median
of the rounds' medians, from host memory to host memory; beside PyTorch, whose input is on the device and
whose output stays there, by the device's clock. Peers: ONNX Runtime's CPU kernels (where ../ort/run.sh finds it), PyTorch with
CUDA (peer-torch.py; for networks of models/export.py). VKSEG: the tool.
"""
import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VKSEG = os.environ.get('VKSEG', os.path.join(HERE, '..', '..', 'build', 'gst', 'tool', 'vkseg'))
NOT_THERE = 77


def inputs(folder):
    """--input options for what the folder has."""
    return [word for name in sorted(os.listdir(folder)) if re.fullmatch(r'input_.*\.npy', name)
            for word in ('--input', f'{name[6:-4]}={os.path.join(folder, name)}')]


def output_of(command):
    """A process's last line of JSON, or None if it says that its engine is not there."""
    run = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if run.returncode == NOT_THERE:
        return None
    if run.returncode != 0:
        sys.exit(f'compare.py: failed with {run.returncode}: {" ".join(command)}')
    return json.loads(run.stdout[run.stdout.index('{'):])


def vkseg(folder, args):
    device = ['--device', args.device] if args.device else []
    got = output_of([VKSEG, 'bench', os.path.join(folder, 'model.onnx'), *inputs(folder), *device,
                     '--json', '--runs', str(args.runs), '--precision', args.precision])
    return {'engine': f'vkseg on {got["device"]}, {got["precision"]}', 'ms': got['median_ms'],
            'device_ms': got['device_ms'], 'first_ms': got['load_ms'] + got['first_ms'],
            'gflop': got['gflop']}


def onnx_runtime(folder, args):
    got = output_of([os.path.join(HERE, '..', 'ort', 'run.sh'), os.path.join(folder, 'model.onnx'),
                     *inputs(folder), '--time', str(args.runs), '--threads', str(args.threads)])
    return got and {'engine': f'{got["runtime"]}, fp32, {got["threads"]} threads',
                    'ms': statistics.median(got['ms'])}


def pytorch(folder, args):
    name = os.path.basename(folder)
    shape = re.fullmatch(r'(\w+?)_(\d+x\d+)(?:_b(\d+))?', name)
    if shape is None:
        return None
    python = os.environ.get('PYTHON', sys.executable)
    got = output_of([python, os.path.join(HERE, 'peer-torch.py'), shape[1], '--size', shape[2],
                     '--batch', shape[3] or '1', '--runs', str(args.runs)])
    return got and {'engine': got['runtime'], 'ms': statistics.median(got['ms'])}


PEERS = (onnx_runtime, pytorch)


def comparable(rounds, peer):
    """vkseg's time for what the peer does: PyTorch's picture and result stay on the device."""
    on_device = peer is pytorch and median(rounds[vkseg], 'device_ms') > 0
    return median(rounds[vkseg], 'device_ms' if on_device else 'ms')


def measure(folder, args):
    """{engine's function: its rounds}, of those that are there."""
    rounds = {engine: [] for engine in (vkseg, *PEERS)}
    for _ in range(args.rounds):
        for engine in list(rounds):
            got = engine(folder, args)
            if got is None:
                del rounds[engine]
            else:
                rounds[engine].append(got)
    return rounds


def median(rounds, key='ms'):
    return statistics.median(r[key] for r in rounds)


def machine():
    model = platform.processor()
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as f:
            model = re.search(r'model name\s*: (.*)', f.read())[1]
    except (OSError, TypeError):
        pass
    return f'{model}, {len(os.sched_getaffinity(0))} threads, {platform.system()}'


def ms(time):
    return f'{time:.1f}' if time >= 10 else f'{time:.2f}'


def print_head(rounds, args):
    print(f'On {machine()}; {args.rounds} rounds of {args.runs} runs.')
    print('; '.join(r[0]['engine'] for r in rounds.values()) + '.\n')
    columns = ['network', 'vkseg, ms', 'GFLOPS', 'on the device alone, ms',
               'to the first result, ms']
    for peer in PEERS:
        columns += [f'{peer.__name__}, ms', 'ratio']
    print('| ' + ' | '.join(columns) + ' |\n' + '|---' * len(columns) + '|')


def print_row(name, rounds):
    ours = median(rounds[vkseg])
    gflop = rounds[vkseg][0]['gflop']
    cells = [name, ms(ours), f'{gflop / ours * 1000:.0f}', ms(median(rounds[vkseg], 'device_ms')),
             f'{median(rounds[vkseg], "first_ms"):.0f}']
    for peer in PEERS:
        theirs = median(rounds[peer]) if peer in rounds else None
        cells += [ms(theirs), f'{comparable(rounds, peer) / theirs:.2f}'] if theirs else ['', '']
    print('| ' + ' | '.join(cells) + ' |', flush=True)


def print_means(results):
    for peer in PEERS:
        ratios = [comparable(r, peer) / median(r[peer]) for r in results if peer in r]
        if not ratios:
            continue
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        print(f'Geometric mean of vkseg / {peer.__name__} over {len(ratios)}: {mean:.2f}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('folders', nargs='+', metavar='FOLDER')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--runs', type=int, default=10, help='in each round, after a warm-up')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)),
                        help="of the CPU engines, Mesa's lavapipe among them")
    parser.add_argument('--precision', choices=('fp32', 'fp16', 'auto'), default='fp32')
    parser.add_argument('--device', help="vkseg's: see vkseg devices")
    args = parser.parse_args()

    os.environ.setdefault('LP_NUM_THREADS', str(args.threads))  # of Mesa's CPU driver
    results = []
    for folder in (f.rstrip('/') for f in args.folders):
        rounds = measure(folder, args)
        if not results:
            print_head(rounds, args)
        results.append(rounds)
        print_row(os.path.basename(folder), rounds)
    print()
    print_means(results)
    return 0


if __name__ == '__main__':
    sys.exit(main())
