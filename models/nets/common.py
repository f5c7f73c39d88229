# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the families share: how a network is described to export.py, label sets, small modules."""
from dataclasses import dataclass, field

import torch
from torch import nn

IMAGENET_MEAN = (123.675, 116.28, 103.53)  # of 8-bit pixels
IMAGENET_STD = (58.395, 57.12, 57.375)

VOC = ['__background__', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat',
       'chair', 'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant',
       'sheep', 'sofa', 'train', 'tvmonitor']


@dataclass
class Network:
    """A network to export.

    module takes one tensor, a batch of pictures [N,C,H,W], and gives one tensor per name in
    `outputs`. `heads` are its convolutions that put out class scores: they are what is made to
    tell pictures apart when weights are random.
    """
    module: nn.Module
    labels: list
    info: dict  # keys of [vkseg]; mean and std among them
    heads: list = field(default_factory=list)
    outputs: tuple = ('out',)
    channels: int = 3  # of a picture
    size: tuple = (520, 520)  # height and width if none are asked for
    license: str = 'random weights'


def semantic_info(**more):
    return {'task': 'semantic', 'decoder': 'argmax', 'mean': IMAGENET_MEAN,
            'std': IMAGENET_STD, 'resize': 'stretch', 'palette': 'voc'} | more


def no_weights(options):
    """For networks that torchvision has no weights of."""
    if options.pretrained:
        raise ValueError('torchvision has no weights of it: leave --pretrained out')


def class_labels(options, default):
    """`default`, or numbered ones if another number of classes is asked for."""
    if options.classes in (None, len(default)):
        return default
    return ['background'] + [f'class {i}' for i in range(1, options.classes)]


def conv_norm(inputs, outputs, kernel=1, activation=nn.ReLU, **more):
    """Convolution with `same` padding, batch norm, activation."""
    dilation = more.get('dilation', 1)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * dilation, bias=False, **more),
        nn.BatchNorm2d(outputs), activation(inplace=True))


def upsample(x, size, align_corners=False):
    return nn.functional.interpolate(x, size=size, mode='bilinear', align_corners=align_corners)


@torch.no_grad()
def he_initialise(module):
    """Weights under which activations keep their variance through convolutions and ReLU."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -0.1, 0.1)
