# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random weights under which a network behaves like a trained one: batch norms have the
statistics of their own activations, class scores tell parts of a picture apart, detectors find
something."""
import torch
from torch import nn


def picture_like(batch, channels, size, generator):
    """Random pictures with structure at several scales, of deviation 1."""
    total = torch.zeros(batch, channels, *size)
    for divide in (1, 3, 8, 20, 50, 120):
        cells = [-(-n // divide) for n in size]
        noise = torch.randn(batch, channels, *cells, generator=generator)
        total += nn.functional.interpolate(noise, size=size, mode='bilinear',
                                           align_corners=False)
    return total / total.std()


def shake_batch_norms(network, generator):
    """Makes every batch norm's four vectors non-trivial, near the statistics it has."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            n = module.num_features
            deviation = module.running_var.sqrt()
            module.running_mean += 0.2 * deviation * torch.randn(n, generator=generator)
            module.running_var *= 0.7 + 0.6 * torch.rand(n, generator=generator)
            module.weight *= 0.7 + 0.6 * torch.rand(n, generator=generator)
            module.bias += 0.2 * torch.randn(n, generator=generator)


def calibrate(network, forward, generator):
    """Runs in training mode, so that batch norms learn the statistics of random weights."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
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
    module = network.module
    # as far apart as a picture's pixels are after the normalisation
    scale = 58 / network.info['std'][0]

    def pictures(batch):
        return scale * picture_like(batch, network.channels, size, generator)

    calibrate(module, lambda: module(pictures(2)), generator)
    sample = pictures(1)
    for head in network.heads:
        spread(head, lambda: module(sample), 3)


def tame_detector(network, size, generator):
    """Scores around the threshold and boxes that move a little, so that some are found."""
    detector = network.module.network
    calibrate(detector.backbone, lambda: detector.backbone(picture_like(2, 3, size, generator)),
              generator)
    sample = [(picture_like(1, 3, size, generator)[0] / 6 + 0.5).clamp(0, 1)]

    def run():
        return detector(sample)

    spread(detector.rpn.head.cls_logits, run, 2)
    spread(detector.rpn.head.bbox_pred, run, 0.3)
    heads = detector.roi_heads
    spread(heads.box_predictor.cls_score, run, 2)
    spread(heads.box_predictor.bbox_pred, run, 1)
    if heads.mask_predictor is not None:
        spread(heads.mask_predictor.mask_fcn_logits, run, 2)


@torch.no_grad()
def randomise(network, size, seed):
    generator = torch.Generator().manual_seed(seed)
    if network.info['task'] == 'semantic':
        tame_semantic(network, size, generator)
    else:
        tame_detector(network, size, generator)
