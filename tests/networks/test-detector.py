#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Detectors on the device against ONNX Runtime: test-detector.py VKSEG [FOLDER...]. The miniature
of mini-rcnn.py with many, one and no detections, and FOLDERs as reference.py makes them. Detections
are paired: the same label, boxes within 0.5 px, scores within 1e-3, in the same order but for
scores closer than that; masks that agree in 99 % of what either covers. Under fp16 the same holds
for the miniature. A whole network finds as many objects, most of which are those of fp32: of
the same class, boxes that overlap by nine tenths (or, narrow ones, lie within a pixel), scores within
some hundredths. torchvision rounds a box down to whole pixels before it pastes the mask, so that a box
that moved by a hundredth of a pixel may bring a mask that lies or scales by one: masks are compared where
the boxes round to the same pixels.
Needs python3-onnx and ort/run.sh."""
import importlib.util
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    np = None

HERE = os.path.dirname(os.path.abspath(__file__))
RUN_ORT = os.path.join(HERE, '..', 'ort', 'run.sh')
BOX, SCORE, IOU = 0.5, 1e-3, 0.99
FP16_BOX_IOU, FP16_BOX, FP16_SCORE, FP16_PART = 0.9, 1, 0.025, 0.9
FP16_MASK_LEAST, FP16_MASK_MEDIAN = 0.85, 0.99
MASK_SIDE = 28  # of torchvision's masks, before they are pasted

# name, arguments of mini-rcnn.py, detections that are to be found; None: some
MINIATURES = [('many', ['--threshold', '0.3'], 8), ('opset 13', ['--opset', '13'], None),
              ('more than the limit', ['--threshold', '0'], 8),
              ('none', ['--threshold', '1.5'], 0), ('one', ['--threshold', '0.865'], 1),
              ('no proposals', ['--proposal-threshold', '1.5'], 0)]


def overlap(a, b):
    either = np.logical_or(a > 0.5, b > 0.5).sum()
    return np.logical_and(a > 0.5, b > 0.5).sum() / either if either else 1.0


def pair(want, got, box, score, iou):
    """For each wanted detection the number of the one that is it, or -1."""
    n, pairs = len(got['boxes']), []
    for i in range(len(want['boxes'])):
        fits = [j for j in range(n) if j not in pairs
                and np.abs(want['boxes'][i] - got['boxes'][j]).max() <= box
                and abs(want['scores'][i] - got['scores'][j]) <= score
                and ('labels' not in want or want['labels'][i] == got['labels'][j])
                and ('masks' not in want or overlap(want['masks'][i], got['masks'][j]) >= iou)]
        pairs.append(min(fits, key=lambda j: np.abs(want['boxes'][i] - got['boxes'][j]).max(),
                         default=-1))
    return pairs


def box_overlap(box, boxes):
    """IoU of one box with each of some."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    both = np.clip(high - low, 0, None).prod(1)
    areas = [np.clip(b[..., 2:] - b[..., :2], 0, None).prod(-1) for b in (box, boxes)]
    return both / np.maximum(areas[0] + areas[1] - both, 1e-9)


def pair_loosely(want, got):
    """As pair, by overlap: the best of those that are left."""
    left, pairs = np.ones(len(got['boxes']), bool), []
    for box, label, score in zip(want['boxes'], want['labels'], want['scores']):
        iou = box_overlap(box, got['boxes'])
        near = (iou >= FP16_BOX_IOU) | (np.abs(got['boxes'] - box).max(1) <= FP16_BOX)
        fits = left & near & (got['labels'] == label) & (np.abs(got['scores'] - score) <= FP16_SCORE)
        pairs.append(int(np.where(fits, iou, -1).argmax()) if fits.any() else -1)
        if fits.any():
            left[pairs[-1]] = False
    return pairs


def pasted_box(box):
    """The whole pixels that torchvision pastes a mask to: of the box with a cell more on each side."""
    middle, half = (box[2:] + box[:2]) / 2, (box[2:] - box[:2]) / 2 * (MASK_SIDE + 2) / MASK_SIDE
    return [int(v) for v in (*(middle - half), *(middle + half))]


def compare_loosely(want, got):
    """What is wrong, or None."""
    if len(want['boxes']) != len(got['boxes']):
        return f'{len(got["boxes"])} detections, expected {len(want["boxes"])}'
    pairs = [(i, j) for i, j in enumerate(pair_loosely(want, got)) if j >= 0]
    if len(pairs) < FP16_PART * len(want['boxes']):
        return f'{len(pairs)} of {len(want["boxes"])} detections are there'
    if 'masks' not in want:
        return None
    masks = [overlap(want['masks'][i], got['masks'][j]) for i, j in pairs
             if pasted_box(want['boxes'][i]) == pasted_box(got['boxes'][j])]
    if masks and (min(masks) < FP16_MASK_LEAST or np.median(masks) < FP16_MASK_MEDIAN):
        return f'masks agree by {min(masks):.3f} at least, {np.median(masks):.3f} in the middle'
    return None


def compare(want, got, loose):
    """What is wrong, or None."""
    shapes = {name: (want[name].shape[1:], got[name].shape[1:]) for name in want}
    if any(a != b for a, b in shapes.values()) or any(want[k].dtype != got[k].dtype for k in want):
        return f'shapes or types differ: {shapes}'
    if loose:
        return compare_loosely(want, got)
    if len(want['boxes']) != len(got['boxes']):
        return f'{len(got["boxes"])} detections, expected {len(want["boxes"])}'
    pairs = pair(want, got, BOX, SCORE, IOU)
    for i, j in enumerate(pairs):
        if j < 0:
            return f'detection {i} is not there: {want["boxes"][i]} {want["scores"][i]}'
        if abs(want['scores'][i] - want['scores'][j]) > SCORE:
            return f'detection {i} is in place {j}'
    return None


def read(folder, prefix, names):
    return {n: np.load(os.path.join(folder, f'{prefix}{n}.npy')) for n in names}


def outputs_of(folder, prefix):
    names = ('boxes', 'labels', 'scores', 'masks')
    return [n for n in names if os.path.exists(os.path.join(folder, f'{prefix}{n}.npy'))]


def run_vkseg(vkseg, model, source, folder, precision):
    run = subprocess.run([vkseg, 'run', model, '--input', f'input={source}', '--output-dir', folder,
                          '--precision', precision], capture_output=True, text=True, timeout=600)
    return None if run.returncode == 0 else run.stderr.strip().replace('\n', '; ')


def check(vkseg, model, source, want, precision, folder, network=False):
    wrong = run_vkseg(vkseg, model, source, folder, precision)
    loose = precision == 'fp16' and network
    return wrong or compare(want, read(folder, '', want), loose)


def miniature(folder, arguments):
    model, source = os.path.join(folder, 'm.onnx'), os.path.join(folder, 'input.npy')
    np.save(source, np.random.RandomState(3).rand(1, 3, 24, 32).astype(np.float32))
    subprocess.run([sys.executable, os.path.join(HERE, 'mini-rcnn.py'), '--output', model]
                   + arguments, check=True)
    subprocess.run([RUN_ORT, model, '--input', f'input={source}', '--output-dir', folder],
                   check=True)
    return model, source, read(folder, '', outputs_of(folder, ''))


def main():
    vkseg, folders = sys.argv[1], sys.argv[2:]
    if subprocess.run([RUN_ORT, '--find'], capture_output=True).returncode != 0:
        print('1..0 # SKIP no ONNX Runtime: tests/ort/install.sh')
        return 0
    if np is None or importlib.util.find_spec('onnx') is None:
        print('1..0 # SKIP no python3-onnx, or no python3-numpy')
        return 0
    results = []

    def report(name, wrong):
        results.append(wrong)
        print(f'{"not ok" if wrong else "ok"} {len(results)} - {name}'
              + (f'\n# {wrong}' if wrong else ''), flush=True)

    with tempfile.TemporaryDirectory() as work:
        for name, arguments, count in MINIATURES:
            model, source, want = miniature(work, arguments)
            found = len(want['boxes'])
            report(f'{name}: ONNX Runtime finds {count if count is not None else "some"}',
                   None if found == count or (count is None and found > 0) else f'{found}')
            for precision in ('fp32', 'fp16'):
                report(f'{name}, {precision}',
                       check(vkseg, model, source, want, precision, work))
        for folder in folders:
            want = read(folder, 'expected_', outputs_of(folder, 'expected_'))
            for precision in ('fp32', 'fp16'):
                report(f'{os.path.basename(folder)}, {precision}',
                       check(vkseg, os.path.join(folder, 'model.onnx'),
                             os.path.join(folder, 'input_input.npy'), want, precision, work, True))
    print(f'1..{len(results)}')
    return 1 if any(results) else 0


if __name__ == '__main__':
    sys.exit(main())
