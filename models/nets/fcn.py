# SPDX-License-Identifier: LGPL-2.1-or-later
"""FCN: Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", 2015.

FCN-32s, 16s and 8s as the authors' networks are: VGG16 whose first convolution is padded by 100
and whose fully connected layers are convolutions, class scores of the 5th, 4th and 3rd pooling,
transposed convolutions that begin as bilinear interpolation, and crops at the offsets that the
paddings make. And torchvision's form on ResNet.
"""
import torch
from torch import nn
from torchvision.models import segmentation

from nets.common import (VOC, Network, class_labels, he_initialise, no_weights, semantic_info)
from nets.zoo import torchvision_semantic

VGG16 = (2, 2, 3, 3, 3)  # convolutions before each pooling


def vgg_stage(inputs, outputs, count, padding):
    layers = []
    for i in range(count):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=padding if i == 0 else 1),
                   nn.ReLU(inplace=True)]
        inputs = outputs
    return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))  # as Caffe pools


@torch.no_grad()
def bilinear_deconvolution(classes, kernel, stride):
    """Upsampling by `stride`, each class for itself, that training may change."""
    layer = nn.ConvTranspose2d(classes, classes, kernel, stride, bias=False)
    centre = (kernel - 1) / 2
    line = 1 - (torch.arange(kernel) - centre).abs() / ((kernel + 1) // 2)
    layer.weight.zero_()
    for c in range(classes):
        layer.weight[c, c] = line[:, None] * line[None]
    return layer


def crop(x, offset, like):
    height, width = like.shape[2:]
    return x[:, :, offset:offset + height, offset:offset + width]


class Fcn(nn.Module):
    """stride: 32, 16 or 8, of the finest scores that are added."""

    # Where the scores of pooling 4 and 3 begin, and the picture after the last upsampling.
    FIRST_CROP, SECOND_CROP = 5, 9
    LAST = {32: (64, 19), 16: (32, 27), 8: (16, 31)}  # kernel, crop

    def __init__(self, stride, classes, base):
        super().__init__()
        widths = [base * w for w in (1, 2, 4, 8, 8)]
        before = [3] + widths[:-1]
        self.stages = nn.ModuleList(
            vgg_stage(i, o, n, 100 if k == 0 else 1)
            for k, (i, o, n) in enumerate(zip(before, widths, VGG16)))
        fc = base * 64
        self.fully = nn.Sequential(
            nn.Conv2d(widths[4], fc, 7), nn.ReLU(inplace=True), nn.Dropout2d(),
            nn.Conv2d(fc, fc, 1), nn.ReLU(inplace=True), nn.Dropout2d())
        he_initialise(self)
        self.score = nn.Conv2d(fc, classes, 1)
        self.skips = nn.ModuleList()  # of pooling 4, then 3
        self.doublings = nn.ModuleList()
        for width in {32: [], 16: [widths[3]], 8: [widths[3], widths[2]]}[stride]:
            self.skips.append(nn.Conv2d(width, classes, 1))
            self.doublings.append(bilinear_deconvolution(classes, 4, 2))
        kernel, self.last_crop = self.LAST[stride]
        self.last = bilinear_deconvolution(classes, kernel, stride)

    def forward(self, picture):
        pooled, x = [], picture
        for stage in self.stages:
            x = stage(x)
            pooled.append(x)
        x = self.score(self.fully(x))
        pooled = (pooled[3], pooled[2])
        offsets = (self.FIRST_CROP, self.SECOND_CROP)
        for source, skip, double, offset in zip(pooled, self.skips, self.doublings, offsets):
            x = double(x)
            x = x + crop(skip(source), offset, x)
        return crop(self.last(x), self.last_crop, picture)


def original(stride):
    def build(options):
        no_weights(options)
        labels = class_labels(options, VOC)
        module = Fcn(stride, len(labels), options.base_channels or 64)
        # The authors' networks take Caffe's pixels: BGR less the mean.
        info = semantic_info(mean=(104.00699, 116.66877, 122.67892), std=(1.0, 1.0, 1.0))
        info['color-order'] = 'bgr'
        return Network(module, labels, info, heads=[module.score, *module.skips],
                       size=(500, 500))
    return build


NETWORKS = {f'fcn{stride}s': original(stride) for stride in (32, 16, 8)}
for _name in ('fcn_resnet50', 'fcn_resnet101'):
    NETWORKS[_name] = torchvision_semantic(segmentation, _name)
