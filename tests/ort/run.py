#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a network in ONNX Runtime: run.py MODEL --input NAME=FILE.npy ... --output-dir DIR
[--output NAME ...], or [--time RUNS] [--threads N]. The same as run.mjs, with Python's onnxruntime
(Debian 13)."""
import argparse
import json
import os
import sys
import time

import numpy as np
import onnxruntime


def time_runs(session, feeds, args):
    ms = []
    for _ in range(args.time + 1):
        start = time.perf_counter()
        session.run(None, feeds)
        ms.append(1000 * (time.perf_counter() - start))
    print(json.dumps({'runtime': f'ONNX Runtime {onnxruntime.__version__}, CPU',
                      'threads': args.threads, 'ms': ms[1:]}))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model')
    parser.add_argument('--input', action='append', default=[], metavar='NAME=FILE.npy')
    parser.add_argument('--output', action='append', metavar='NAME')
    parser.add_argument('--output-dir', default='.')
    parser.add_argument('--time', type=int, metavar='RUNS')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(args.model, options,
                                           providers=['CPUExecutionProvider'])
    feeds = {name: np.load(path) for name, path in (i.split('=', 1) for i in args.input)}
    if args.time is not None:
        return time_runs(session, feeds, args)
    wanted = args.output or [o.name for o in session.get_outputs()]
    os.makedirs(args.output_dir, exist_ok=True)
    for name, value in zip(wanted, session.run(wanted, feeds)):
        safe = name.replace('/', '_').replace(':', '_')
        np.save(os.path.join(args.output_dir, safe + '.npy'), value)
    return 0


if __name__ == '__main__':
    sys.exit(main())
