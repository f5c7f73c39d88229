#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exports a network as ONNX, with a .modelinfo file beside it. The networks are in nets/.

Without --pretrained the weights are random but tame: see nets/tame.py. Such a file is exact in
structure, wants no download, and is good for tests and timing. With --pretrained torchvision
downloads its weights (BSD-3-Clause) into its own cache, for those networks that it has some of.
Needs torch and torchvision (Debian: python3-torch, python3-torchvision).
"""
import argparse
import inspect
import os
import sys
import warnings

import torch

import modelinfo
from nets import NETWORKS
from nets.tame import picture_like, randomise

SMALLEST = 32  # pixels


def output_shape(network, size, batch):
    """Of the first output, for a picture of that size."""
    with torch.no_grad():
        result = network.module(torch.zeros(batch, network.channels, *size))
    return tuple(result.shape)


def information(name, network, size, args):
    """The groups and keys of the .modelinfo file; see README.md."""
    info = modelinfo.skeleton(f'vkseg-{name.replace("_", "-")}')
    mean, std = (network.info[key] for key in ('mean', 'std'))
    shape = (args.batch, network.channels, *size)
    tensors = {}
    vkseg = {'name': name, 'license': network.license, 'input': 'input'} | network.info
    if network.info['task'] == 'semantic':
        out = output_shape(network, size, args.batch)
        if args.dynamic:
            shape, out = (-1, network.channels, -1, -1), (-1, out[1], -1, -1)
            vkseg['input-size'] = f'{size[1]}x{size[0]}'
        tensors['out'] = ('output', out)
    if network.channels == 1:
        vkseg['color-order'] = 'gray'
    modelinfo.add_tensors(info, {'input': ('input', shape)} | tensors, mean, std)
    info['vkseg'] = vkseg | {'output': network.outputs, 'background': 0,
                             'labels': network.labels}
    return info


def example(network, size, args):
    """Pictures to trace the network with."""
    generator = torch.Generator().manual_seed(args.seed + 1)
    pictures = picture_like(args.batch, network.channels, size, generator)
    return pictures if network.info['task'] == 'semantic' else (pictures / 6 + 0.5).clamp(0, 1)


def export(args):
    torch.manual_seed(args.seed)
    network = NETWORKS[args.name](args)
    semantic = network.info['task'] == 'semantic'
    if not semantic and (args.dynamic or args.batch != 1):
        raise ValueError('a detector takes one picture of a fixed size')
    size = args.size or network.size
    network.module.eval()
    if not args.pretrained:
        randomise(network, size, args.seed)
    info = information(args.name, network, size, args)  # fails before anything is written
    free = {0: 'batch', 2: 'height', 3: 'width'}
    part = args.output + '.part'
    # PyTorch 2.9 made another exporter the default, which needs more packages and writes other graphs.
    traced = {'dynamo': False} if 'dynamo' in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(network.module, (example(network, size, args),), part,
                      opset_version=args.opset, input_names=['input'],
                      output_names=list(network.outputs), do_constant_folding=True,
                      dynamic_axes={'input': free, 'out': free} if args.dynamic else None, **traced)
    os.replace(part, args.output)
    modelinfo.write(os.path.splitext(args.output)[0] + '.modelinfo', info)


def size_argument(text):
    try:
        height, width = (int(part) for part in text.lower().split('x'))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not HEIGHTxWIDTH") from error
    if min(height, width) < SMALLEST:
        raise argparse.ArgumentTypeError(f'the networks want at least {SMALLEST} x {SMALLEST}')
    return height, width


def rates_argument(text):
    try:
        rates = tuple(int(part) for part in text.split(','))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not like 6,12,18") from error
    if min(rates) < 1:
        raise argparse.ArgumentTypeError('rates are positive')
    return rates


def positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return int(text)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('name', choices=NETWORKS, metavar='NAME',
                        help='one of: ' + ', '.join(NETWORKS))
    parser.add_argument('--size', type=size_argument, metavar='HxW',
                        help='of the input (each network has its own default)')
    parser.add_argument('--batch', type=positive, default=1, help='pictures at a time')
    parser.add_argument('--dynamic', action='store_true',
                        help='leave batch, height and width free')
    parser.add_argument('--classes', type=positive, help='how many, with random weights')
    parser.add_argument('--base-channels', type=positive, metavar='N',
                        help='of the first level of U-Net, of the first stage of FCN (64)')
    parser.add_argument('--output-stride', type=int, choices=(8, 16), help='DeepLab: 8 or 16')
    parser.add_argument('--rates', type=rates_argument, metavar='R,R,R',
                        help='DeepLab: of ASPP (6,12,18 for output stride 16, twice that for 8)')
    parser.add_argument('--opset', type=int, default=14, help='ONNX opset (%(default)s)')
    parser.add_argument('--output', metavar='FILE', help='NAME.onnx in the current folder')
    parser.add_argument('--seed', type=int, default=0, help='of the random weights')
    parser.add_argument('--pretrained', action='store_true', help="download torchvision's weights")
    args = parser.parse_args()
    args.output = args.output or args.name + '.onnx'
    return args


def main():
    args = parse()
    warnings.filterwarnings('ignore', module='torch')  # about tracing
    warnings.filterwarnings('ignore', category=torch.jit.TracerWarning)
    try:
        export(args)
    except (OSError, ValueError, RuntimeError) as error:
        # ValueError: an opset that torch does not know; RuntimeError: a picture too small
        print(f'export: {args.name}: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
