# SPDX-License-Identifier: LGPL-2.1-or-later
"""torchvision's detectors, one picture at a time and at the size that is asked for."""
import torchvision
from torch import nn
from torchvision.models import detection

from nets.common import Network


class Detections(nn.Module):
    """One picture [1,3,H,W] in, flat tensors out; torchvision takes lists and gives dicts."""

    def __init__(self, network, outputs):
        super().__init__()
        self.network, self.outputs = network, outputs

    def forward(self, picture):
        found = self.network([picture[0]])[0]
        return tuple(found[name] for name in self.outputs)


def detector(name):
    def build(options):
        size = options.size or (480, 640)
        weights = torchvision.models.get_model_weights(name).DEFAULT
        network = getattr(detection, name)(
            weights=weights if options.pretrained else None, weights_backbone=None,
            min_size=min(size), max_size=max(size))  # one scale only
        masks = ('masks',) if 'mask' in name else ()
        outputs = ('boxes', 'labels', 'scores') + masks
        # normalised inside the network, to which a picture is 0..1
        info = {'task': 'instance' if masks else 'detection', 'decoder': 'rcnn', 'mean': (0,),
                'std': (255,), 'resize': 'letterbox', 'threshold': 0.5, 'palette': 'coco'}
        return Network(Detections(network, outputs), list(weights.meta['categories']), info,
                       outputs=outputs, size=(480, 640),
                       license='BSD-3-Clause' if options.pretrained else 'random weights')
    return build


NETWORKS = {name: detector(name)
            for name in ('maskrcnn_resnet50_fpn', 'fasterrcnn_resnet50_fpn')}
