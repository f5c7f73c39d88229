#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times a network of models/export.py in PyTorch: peer-torch.py NAME --size HxW [--batch N]
[--runs N] [--device cuda|cpu]. On CUDA in fp16, channels last, cuDNN's own search for kernels, and a
CUDA graph where the network can be captured (detectors, whose sizes the data decides, cannot). Prints
a line of JSON: the milliseconds of each run after a warm-up. Exit status 77 without PyTorch or CUDA.
"""
import argparse
import json
import os
import sys
import time

NOT_THERE = 77
WARM_UP = 5
CLOCKS_S = 0.7  # of work, until a GPU that was idle has its clocks
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'models'))
try:
    import torch
    from nets import NETWORKS
except ImportError:
    sys.exit(NOT_THERE)


def build(args):
    """The network as export.py has it, with the random weights that it starts from."""
    options = argparse.Namespace(pretrained=False, classes=None, base_channels=None, rates=None,
                                 output_stride=None, size=args.size, batch=args.batch, seed=0)
    torch.manual_seed(0)
    network = NETWORKS[args.name](options)
    picture = torch.rand(args.batch, network.channels, *args.size)
    return network.module.eval(), picture


def captured(module, picture):
    """A function that replays the network as a CUDA graph."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            module(picture)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        module(picture)
    return graph.replay


def time_runs(run, runs, wait, warm_s=0.0):
    for _ in range(WARM_UP):
        run()
    wait()
    end = time.perf_counter() + warm_s
    while time.perf_counter() < end:
        run()
        wait()
    ms = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        wait()
        ms.append(1000 * (time.perf_counter() - start))
    return ms


def time_by_device(run, runs):
    """By the device's clock, which is what `vkseg bench` has for a network alone."""
    time_runs(run, 0, torch.cuda.synchronize, CLOCKS_S)
    ms = []
    for _ in range(runs):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        end.synchronize()
        ms.append(begin.elapsed_time(end))
    return ms


def on_cuda(module, picture, args):
    torch.backends.cudnn.benchmark = True
    detector = 'rcnn' in args.name
    module = module.cuda().to(memory_format=torch.channels_last)
    picture = picture.cuda()
    if not detector:
        module, picture = module.half(), picture.half().to(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast('cuda', torch.float16, enabled=detector):
        if detector:  # waits for the device itself
            ms = time_runs(lambda: module(picture), args.runs, torch.cuda.synchronize, CLOCKS_S)
        else:
            ms = time_by_device(captured(module, picture), args.runs)
    how = 'autocast' if detector else 'fp16, channels last, CUDA graph'
    return f'PyTorch {torch.__version__} on {torch.cuda.get_device_name()}, {how}', ms


def on_cpu(module, picture, args):
    with torch.inference_mode():
        ms = time_runs(lambda: module(picture), args.runs, lambda: None)
    return f'PyTorch {torch.__version__}, CPU, fp32, {torch.get_num_threads()} threads', ms


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('name', choices=NETWORKS, metavar='NAME')
    parser.add_argument('--size', required=True, metavar='HxW',
                        type=lambda text: tuple(int(n) for n in text.split('x')))
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--runs', type=int, default=10)
    parser.add_argument('--device', choices=('cuda', 'cpu'), default='cuda')
    args = parser.parse_args()
    if args.device == 'cuda' and not torch.cuda.is_available():
        return NOT_THERE
    module, picture = build(args)
    runtime, ms = (on_cuda if args.device == 'cuda' else on_cpu)(module, picture, args)
    print(json.dumps({'runtime': runtime, 'ms': ms}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
