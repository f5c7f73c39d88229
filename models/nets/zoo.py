# SPDX-License-Identifier: LGPL-2.1-or-later
"""torchvision's own networks, with its weights where they are asked for."""
import torchvision
from torch import nn

from nets.common import Network, class_labels, semantic_info


class Logits(nn.Module):
    """Just the main logits of a segmentation network, not its training-time side output."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, picture):
        return self.network(picture)['out']


def heads_of(classifier, classes):
    """The convolutions that put out scores: those with as many channels as classes."""
    return [layer for layer in classifier.modules()
            if isinstance(layer, nn.Conv2d) and layer.out_channels == classes]


def describe(network, labels, options):
    return Network(Logits(network), labels, semantic_info(),
                   heads=heads_of(network.classifier, len(labels)),
                   license='BSD-3-Clause' if options.pretrained else 'random weights')


def torchvision_semantic(module, name, has_side_output=True):
    """A builder of module.NAME as torchvision makes it."""
    def build(options):
        weights = torchvision.models.get_model_weights(name).DEFAULT
        labels = list(weights.meta['categories'])
        more = {}
        if not options.pretrained:
            labels = class_labels(options, labels)
            more['num_classes'] = len(labels)
            if has_side_output:
                more['aux_loss'] = False
        network = getattr(module, name)(weights=weights if options.pretrained else None,
                                        weights_backbone=None, **more)
        return describe(network, labels, options)
    return build
