# SPDX-License-Identifier: LGPL-2.1-or-later
"""DeepLab with atrous convolution, and LR-ASPP.

DeepLabV3: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017;
torchvision's, with either output stride. DeepLabV3+: Chen et al., "Encoder-Decoder with Atrous
Separable Convolution for Semantic Image Segmentation", 2018: separable atrous convolutions, image
pooling, and a decoder that joins features of stride 4.
"""
import torch
from torch import nn
from torchvision.models import mobilenet_v2, mobilenet_v3_large, resnet50, resnet101, segmentation
from torchvision.models._utils import IntermediateLayerGetter

from nets.common import VOC, Network, class_labels, conv_norm, no_weights, semantic_info, upsample
from nets.zoo import describe, torchvision_semantic

RATES = {16: (6, 12, 18), 8: (12, 24, 36)}  # of both papers, by output stride


def dilate(features, output_stride):
    """Strides past output_stride become dilations, in a network whose layers are in order."""
    stride, dilation = 1, 1
    for layer in features.modules():
        if not isinstance(layer, nn.Conv2d):
            continue
        if layer.stride[0] == 2 and stride == output_stride:
            layer.stride = (1, 1)
            own, dilation = dilation, dilation * 2  # this one still sees the finer grid
        else:
            stride *= layer.stride[0]
            own = dilation
        if layer.kernel_size[0] > 1:
            layer.dilation = (own, own)
            layer.padding = tuple(k // 2 * own for k in layer.kernel_size)
    return features


def resnet(build, output_stride):
    return build(weights=None,
                 replace_stride_with_dilation=(False, output_stride == 8, True))


# --- DeepLabV3 ---------------------------------------------------------------------------------

def deeplab_head(inputs, classes, rates):
    head = segmentation.deeplabv3.DeepLabHead(inputs, classes)
    head[0] = segmentation.deeplabv3.ASPP(inputs, rates)
    return head


def deeplabv3(name, published_stride, backbone, inputs):
    """torchvision's, or with another output stride or other rates the paper's."""
    published = torchvision_semantic(segmentation, name)

    def build(options):
        stride = options.output_stride or published_stride
        if stride == published_stride and options.rates is None:
            return published(options)
        no_weights(options)
        labels = class_labels(options, VOC)
        features, layer = backbone(stride)
        network = segmentation.DeepLabV3(
            IntermediateLayerGetter(features, {layer: 'out'}),
            deeplab_head(inputs, len(labels), options.rates or RATES[stride]))
        return describe(network, labels, options)
    return build


def mobilenet_v3_features(stride):
    features = dilate(mobilenet_v3_large(weights=None).features, stride)
    return features, str(len(features) - 1)


# --- DeepLabV3+ --------------------------------------------------------------------------------

def separable(inputs, outputs, rate=1):
    """Atrous separable convolution: each channel by itself, then a mixture of all."""
    return nn.Sequential(conv_norm(inputs, inputs, 3, groups=inputs, dilation=rate),
                         conv_norm(inputs, outputs))


class SeparableAspp(nn.Module):
    def __init__(self, inputs, rates, outputs=256):
        super().__init__()
        self.branches = nn.ModuleList([conv_norm(inputs, outputs)])
        self.branches.extend(separable(inputs, outputs, rate) for rate in rates)
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_norm(inputs, outputs))
        self.project = nn.Sequential(conv_norm(outputs * (len(rates) + 2), outputs),
                                     nn.Dropout(0.5))

    def forward(self, x):
        found = [branch(x) for branch in self.branches]
        found.append(upsample(self.pooled(x), x.shape[2:], align_corners=True))
        return self.project(torch.cat(found, 1))


class DeepLabV3Plus(nn.Module):
    def __init__(self, encoder, low_channels, high_channels, rates, classes):
        super().__init__()
        self.encoder = encoder  # gives a dict of 'low', of stride 4, and 'high'
        self.aspp = SeparableAspp(high_channels, rates)
        self.reduce = conv_norm(low_channels, 48)
        self.decoder = nn.Sequential(separable(256 + 48, 256), separable(256, 256))
        self.score = nn.Conv2d(256, classes, 1)

    def forward(self, picture):
        features = self.encoder(picture)
        low = self.reduce(features['low'])
        high = upsample(self.aspp(features['high']), low.shape[2:], align_corners=True)
        logits = self.score(self.decoder(torch.cat([high, low], 1)))
        return upsample(logits, picture.shape[2:], align_corners=True)


def mobilenet_v2_encoder(stride):
    features = dilate(mobilenet_v2(weights=None).features[:-1], stride)
    last = str(len(features) - 1)
    return IntermediateLayerGetter(features, {'3': 'low', last: 'high'}), 24, 320


def resnet50_encoder(stride):
    network = resnet(resnet50, stride)
    return IntermediateLayerGetter(network, {'layer1': 'low', 'layer4': 'high'}), 256, 2048


def deeplabv3plus(encoder):
    def build(options):
        no_weights(options)
        stride = options.output_stride or 16
        labels = class_labels(options, VOC)
        module = DeepLabV3Plus(*encoder(stride), options.rates or RATES[stride], len(labels))
        return Network(module, labels, semantic_info(), heads=[module.score], size=(513, 513))
    return build


NETWORKS = {
    'deeplabv3_resnet50': deeplabv3('deeplabv3_resnet50', 8,
                                    lambda stride: (resnet(resnet50, stride), 'layer4'), 2048),
    'deeplabv3_resnet101': deeplabv3('deeplabv3_resnet101', 8,
                                     lambda stride: (resnet(resnet101, stride), 'layer4'), 2048),
    'deeplabv3_mobilenet_v3_large': deeplabv3('deeplabv3_mobilenet_v3_large', 16,
                                              mobilenet_v3_features, 960),
    'deeplabv3plus_mobilenet_v2': deeplabv3plus(mobilenet_v2_encoder),
    'deeplabv3plus_resnet50': deeplabv3plus(resnet50_encoder),
    'lraspp_mobilenet_v3_large': torchvision_semantic(segmentation, 'lraspp_mobilenet_v3_large',
                                                      has_side_output=False),
}
