# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random weights under which a network behaves like a trained one.

Freshly initialised networks with batch norm are chaotic: a difference between two inputs grows by a
constant factor with each layer (Yang et al., "A Mean Field Theory of Batch Normalization", 2019),
so that rounding the picture alone to fp16 moves the scores by a hundredth of their range, which no
trained network does. Here batch norms shift by one deviation, so that most of their outputs pass
the ReLU, branches beside a residual connection are weak, as training leaves them, and statistics
are those of the network's own activations. The last layer is trained for a moment: the classes are
clusters of the network's features along their main directions (k-means), and it is a linear
classifier of them, which has margins between classes as a trained one has. Detectors' heads are
scaled so that they find something.
"""
import torch
from torch import nn
from torchvision.models.resnet import Bottleneck

SHIFT = 1.0            # of batch norms, in deviations
BRANCH = 0.3           # weight of what is added to a residual connection
POINTS = 4096          # pixels that a head is trained on
DIRECTIONS = 12        # of the features that it looks along
STEPS, RATE = 200, 0.05


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


def residual_norm(module):
    """The batch norm whose result is added to a residual connection, if this is such a block."""
    if isinstance(module, Bottleneck):
        return module.bn3
    if getattr(module, 'use_res_connect', False):  # of MobileNets
        return [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)][-1]
    return None


def quieten(network):
    """Batch norms that let most through, and weak residual branches."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.bias.fill_(SHIFT)
    for module in network.modules():
        norm = residual_norm(module)
        if norm is not None:
            norm.weight.mul_(BRANCH)


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


# --- classes -----------------------------------------------------------------------------------

def features_of(heads, run):
    """What each head sees in one run: [N,C,H,W]."""
    seen = {}
    hooks = [head.register_forward_hook(lambda module, inputs, output: seen.update(
        {module: inputs[0].clone()})) for head in heads]
    run()
    for hook in hooks:
        hook.remove()
    return [seen[head] for head in heads]


def k_means(points, count, generator, rounds=8):
    """The cluster of each point."""
    centres = points[torch.randperm(len(points), generator=generator)[:count]].clone()
    for _ in range(rounds):
        nearest = torch.cdist(points, centres).argmin(1)
        for c in nearest.unique():
            centres[c] = points[nearest == c].mean(0)
    return nearest


def as_points(features):
    """[pixels, channels]"""
    return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def directions(points):
    """The mean, and the matrix [channels, DIRECTIONS] to the points' main directions (PCA), each
    scaled to deviation 1: what a trained last layer would see as features."""
    mean = points.mean(0)
    _, spread_of, axes = torch.linalg.svd(points - mean, full_matrices=False)
    deviation = spread_of[:DIRECTIONS] / len(points) ** 0.5
    kept = deviation > 1e-3 * deviation[0]
    return mean, axes[:DIRECTIONS][kept].t() / deviation[kept]


def train(head, features, labels, generator):
    """Makes a 1x1 convolution a linear classifier (softmax regression)."""
    points = as_points(features)
    chosen = torch.randperm(len(points), generator=generator)[:POINTS]
    points, labels = points[chosen], labels.flatten()[chosen]
    mean, project = directions(points)
    points = (points - mean) @ project
    weight = torch.zeros(head.out_channels, points.shape[1], requires_grad=True)
    bias = torch.zeros(head.out_channels, requires_grad=True)
    optimiser = torch.optim.Adam([weight, bias], RATE)
    with torch.enable_grad():
        for _ in range(STEPS):
            optimiser.zero_grad()
            nn.functional.cross_entropy(points @ weight.t() + bias, labels).backward()
            optimiser.step()
    weight = weight.detach() @ project.t()
    head.weight.copy_(weight[:, :, None, None])
    if head.bias is not None:
        head.bias.copy_(bias.detach() - weight @ mean)


def train_heads(network, pictures, generator):
    """The first head's features are clustered; the others learn the same classes."""
    features = features_of(network.heads, lambda: network.module(pictures))
    points = as_points(features[0])
    mean, project = directions(points)
    labels = k_means((points - mean) @ project, network.heads[0].out_channels, generator)
    labels = labels.reshape(len(pictures), 1, *features[0].shape[2:])
    for head, seen in zip(network.heads, features):
        own = nn.functional.interpolate(labels.float(), size=seen.shape[2:]).long()
        train(head, seen, own, generator)


def tame_semantic(network, size, generator):
    module = network.module
    # as far apart as a picture's pixels are after the normalisation
    scale = 58 / network.info['std'][0]

    def pictures():
        return scale * picture_like(2, network.channels, size, generator)

    quieten(module)
    calibrate(module, lambda: module(pictures()), generator)
    train_heads(network, pictures(), generator)


# --- detectors ---------------------------------------------------------------------------------

def tame_detector(network, size, generator):
    """Scores around the threshold and boxes that move a little, so that some are found."""
    detector = network.module.network
    quieten(detector.backbone)
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
