# SPDX-License-Identifier: LGPL-2.1-or-later
"""U-Net: Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image
Segmentation", 2015.

`unet` is the published network: unpadded 3x3 convolutions, 572 x 572 pixels of one channel in,
388 x 388 of two classes out, skips cropped in the middle. `unet_padded` and `unet_bilinear` are
what people train: padded convolutions with batch norm, colour, and in the latter bilinear
upsampling where the former has a 2x2 up-convolution. They take any size: a level that halving
left a pixel short is padded.
"""
import torch
from torch import nn

from nets.common import Network, class_labels, he_initialise, no_weights, semantic_info

LEVELS = 4


def double_conv(inputs, between, outputs, padded):
    """Two 3x3 convolutions, unpadded and plain, or padded and with batch norm."""
    layers = []
    for i, o in ((inputs, between), (between, outputs)):
        layers += [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o)] if padded \
            else [nn.Conv2d(i, o, 3)]
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def crop_to(skip, x):
    top, left = ((skip.shape[a] - x.shape[a]) // 2 for a in (2, 3))
    return skip[:, :, top:top + x.shape[2], left:left + x.shape[3]]


def pad_to(x, skip):
    down, right = (skip.shape[a] - x.shape[a] for a in (2, 3))
    return nn.functional.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))


class UNet(nn.Module):
    def __init__(self, channels, classes, base, padded, bilinear=False):
        super().__init__()
        self.padded = padded
        widths = [base << level for level in range(LEVELS + 1)]
        if bilinear:  # nothing halves the channels on the way up
            widths[-1] //= 2
        self.down = nn.ModuleList()
        for i, o in zip([channels] + widths, widths):
            self.down.append(double_conv(i, o, o, padded))
        self.pool = nn.MaxPool2d(2)
        self.up, self.merge = nn.ModuleList(), nn.ModuleList()
        for level in reversed(range(LEVELS)):
            skip, below = widths[level], base << (level + 1)
            if bilinear:
                self.up.append(nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True))
                self.merge.append(double_conv(below, below // 2, max(skip // 2, base), padded))
            else:
                self.up.append(nn.ConvTranspose2d(below, skip, 2, 2))
                self.merge.append(double_conv(2 * skip, skip, skip, padded))
        self.score = nn.Conv2d(base, classes, 1)
        he_initialise(self)

    def forward(self, x):
        skips = []
        for i, stage in enumerate(self.down):
            x = stage(x if i == 0 else self.pool(x))
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips[:-1])):
            x = up(x)
            if self.padded:
                x = merge(torch.cat([skip, pad_to(x, skip)], 1))
            else:
                x = merge(torch.cat([crop_to(skip, x), x], 1))
        return self.score(x)


def variant(channels, labels, size, padded, bilinear=False, **info):
    def build(options):
        no_weights(options)
        names = class_labels(options, labels)
        module = UNet(channels, len(names), options.base_channels or 64, padded, bilinear)
        return Network(module, names, semantic_info(background=0, **info),
                       heads=[module.score], channels=channels, size=size)
    return build


NETWORKS = {
    'unet': variant(1, ['background', 'cell'], (572, 572), padded=False, mean=(127.5,),
                    std=(127.5,), resize='tile'),
    'unet_padded': variant(3, ['background', 'object'], (512, 512), padded=True),
    'unet_bilinear': variant(3, ['background', 'object'], (512, 512), padded=True,
                             bilinear=True),
}
