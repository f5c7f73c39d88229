#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exports a torchvision network as ONNX, with a .modelinfo file beside it.

Without --pretrained the weights are random but tame: batch norms get the statistics of their own
activations, and the last layers are scaled so that classes vary over the picture and detectors
find something. Such a file is exact in structure, wants no download, and is good for tests and
timing. With --pretrained torchvision downloads its weights (BSD-3-Clause) into its own cache.
Needs torch and torchvision (Debian: python3-torch, python3-torchvision).
"""
import argparse
import os
import sys
import warnings

import torch
import torchvision
from torchvision.models import detection, segmentation

import modelinfo

SEMANTIC = ('fcn_resnet50', 'deeplabv3_resnet50', 'deeplabv3_mobilenet_v3_large',
            'lraspp_mobilenet_v3_large')
INSTANCE = ('maskrcnn_resnet50_fpn', 'fasterrcnn_resnet50_fpn')
DEFAULT_SIZE = {'maskrcnn_resnet50_fpn': (480, 640), 'fasterrcnn_resnet50_fpn': (480, 640)}

IMAGENET_MEAN = (123.675, 116.28, 103.53)  # of 8-bit pixels
IMAGENET_STD = (58.395, 57.12, 57.375)


class Logits(torch.nn.Module):
    """Just the main logits of a segmentation network, not its training-time side output."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, picture):
        return self.network(picture)['out']


class Detections(torch.nn.Module):
    """One picture [1,3,H,W] in, flat tensors out; torchvision takes lists and gives dicts."""

    def __init__(self, network, outputs):
        super().__init__()
        self.network, self.outputs = network, outputs

    def forward(self, picture):
        found = self.network([picture[0]])[0]
        return tuple(found[name] for name in self.outputs)


def build(name, size, pretrained):
    """The torchvision network and the categories of its weights."""
    module = segmentation if name in SEMANTIC else detection
    weights = torchvision.models.get_model_weights(name).DEFAULT
    options = {}
    if name in INSTANCE:  # one scale only: the network sees the size that was asked for
        options = {'min_size': min(size), 'max_size': max(size)}
    elif not pretrained and name != 'lraspp_mobilenet_v3_large':
        options = {'aux_loss': False}
    network = getattr(module, name)(weights=weights if pretrained else None,
                                    weights_backbone=None, **options)
    return network, list(weights.meta['categories'])


def picture_like(batch, size, generator):
    """Random pictures with structure at several scales, normalised as the networks want them."""
    total = torch.zeros(batch, 3, *size)
    for divide in (1, 3, 8, 20, 50, 120):
        cells = [-(-n // divide) for n in size]
        noise = torch.randn(batch, 3, *cells, generator=generator)
        total += torch.nn.functional.interpolate(noise, size=size, mode='bilinear',
                                                 align_corners=False)
    return total / total.std()


def shake_batch_norms(network, generator):
    """Makes every batch norm's four vectors non-trivial, near the statistics it has."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            n = module.num_features
            deviation = module.running_var.sqrt()
            module.running_mean += 0.2 * deviation * torch.randn(n, generator=generator)
            module.running_var *= 0.7 + 0.6 * torch.rand(n, generator=generator)
            module.weight *= 0.7 + 0.6 * torch.rand(n, generator=generator)
            module.bias += 0.2 * torch.randn(n, generator=generator)


def calibrate(network, forward, generator):
    """Runs in training mode, so that batch norms learn the statistics of random weights."""
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # the plain average of the runs
    network.eval()
    for module in norms:
        module.train()
    for _ in range(2):
        forward()
    network.eval()
    shake_batch_norms(network, generator)


def spread(layer, run, deviation):
    """Gives each channel that `layer` puts out mean 0 and the deviation, over what run() shows."""
    seen = []
    hook = layer.register_forward_hook(
        lambda module, inputs, output: seen.append(output.transpose(0, 1).flatten(1)))
    run()
    hook.remove()
    values = torch.cat(seen, 1)
    scale = deviation / values.std(dim=1).clamp(min=1e-6)
    bias = layer.bias if layer.bias is not None else 0
    layer.weight *= scale.reshape([-1] + [1] * (layer.weight.dim() - 1))
    if layer.bias is not None:
        layer.bias.copy_((bias - values.mean(dim=1)) * scale)


def tame_semantic(network, size, generator):
    calibrate(network, lambda: network(picture_like(2, size, generator)), generator)
    sample = picture_like(1, size, generator)
    classes = network(sample)['out'].shape[1]
    for layer in network.classifier.modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.out_channels == classes:
            spread(layer, lambda: network(sample), 3)


def tame_detector(network, size, generator):
    """Scores around the threshold and boxes that move a little, so that some are found."""
    calibrate(network.backbone, lambda: network.backbone(picture_like(2, size, generator)),
              generator)
    sample = [(picture_like(1, size, generator)[0] / 6 + 0.5).clamp(0, 1)]

    def run():
        return network(sample)

    spread(network.rpn.head.cls_logits, run, 2)
    spread(network.rpn.head.bbox_pred, run, 0.3)
    heads = network.roi_heads
    spread(heads.box_predictor.cls_score, run, 2)
    spread(heads.box_predictor.bbox_pred, run, 1)
    if heads.mask_predictor is not None:
        spread(heads.mask_predictor.mask_fcn_logits, run, 2)


@torch.no_grad()
def randomise(network, name, size, seed):
    generator = torch.Generator().manual_seed(seed)
    if name in SEMANTIC:
        tame_semantic(network, size, generator)
    else:
        tame_detector(network, size, generator)


def information(name, size, categories, outputs):
    """The groups and keys of the .modelinfo file; see README.md."""
    height, width = size
    info = modelinfo.skeleton(f'vkseg-torchvision-{name}')
    tensors = {'input': ('input', (1, 3, height, width))}
    vkseg = {'name': name, 'license': 'BSD-3-Clause', 'input': 'input'}
    if name in SEMANTIC:
        tensors['out'] = ('output', (1, len(categories), height, width))
        vkseg |= {'task': 'semantic', 'decoder': 'argmax', 'mean': IMAGENET_MEAN,
                  'std': IMAGENET_STD, 'output': 'out', 'resize': 'stretch', 'palette': 'voc'}
    else:
        # normalised inside the network, to which a picture is 0..1
        vkseg |= {'task': 'instance' if 'masks' in outputs else 'detection', 'decoder': 'rcnn',
                  'mean': (0,), 'std': (255,), 'output': outputs, 'resize': 'letterbox',
                  'threshold': 0.5, 'palette': 'coco'}
    vkseg |= {'background': 0, 'labels': categories}
    modelinfo.add_tensors(info, tensors, vkseg['mean'], vkseg['std'])
    info['vkseg'] = vkseg
    return info


def export(args):
    torch.manual_seed(args.seed)
    network, categories = build(args.name, args.size, args.pretrained)
    network.eval()
    if not args.pretrained:
        randomise(network, args.name, args.size, args.seed)
    if args.name in SEMANTIC:
        outputs, wrapped = ['out'], Logits(network)
    else:
        outputs = ['boxes', 'labels', 'scores'] + (['masks'] if 'mask' in args.name else [])
        wrapped = Detections(network, outputs)
    generator = torch.Generator().manual_seed(args.seed + 1)
    sample = picture_like(1, args.size, generator)
    if args.name in INSTANCE:
        sample = (sample / 6 + 0.5).clamp(0, 1)
    part = args.output + '.part'
    torch.onnx.export(wrapped.eval(), (sample,), part, opset_version=args.opset,
                      input_names=['input'], output_names=outputs, do_constant_folding=True)
    os.replace(part, args.output)
    modelinfo.write(os.path.splitext(args.output)[0] + '.modelinfo',
                    information(args.name, args.size, categories, outputs))


def size_argument(text):
    try:
        height, width = (int(part) for part in text.lower().split('x'))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not HEIGHTxWIDTH") from error
    if min(height, width) < 32:
        raise argparse.ArgumentTypeError('the networks want at least 32 x 32')
    return height, width


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('name', choices=SEMANTIC + INSTANCE)
    parser.add_argument('--size', type=size_argument, metavar='HxW',
                        help='of the input (520x520; detectors 480x640)')
    parser.add_argument('--opset', type=int, default=14, help='ONNX opset (%(default)s)')
    parser.add_argument('--output', metavar='FILE', help='NAME.onnx in the current folder')
    parser.add_argument('--seed', type=int, default=0, help='of the random weights')
    parser.add_argument('--pretrained', action='store_true', help="download torchvision's weights")
    args = parser.parse_args()
    args.size = args.size or DEFAULT_SIZE.get(args.name, (520, 520))
    args.output = args.output or args.name + '.onnx'
    warnings.filterwarnings('ignore', module='torch')  # about tracing: shapes are meant to be fixed
    try:
        export(args)
    except (OSError, ValueError) as error:  # ValueError: an opset that torch does not know
        print(f'export: {args.name}: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
