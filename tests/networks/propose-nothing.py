#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Of a folder of reference.py's with a detector of torchvision, one with a network whose every proposal is
empty, and with empty results: propose-nothing.py FOLDER NEW_FOLDER. ONNX Runtime does not run such
a network: it refuses to reshape [0,364] to [0,-1]. Needs onnx and numpy."""
import glob
import os
import shutil
import sys

import numpy as np
import onnx
from onnx import numpy_helper


def shrink(model):
    """Boxes e^-100 times as wide and high as their anchors; how many biases there were to change."""
    n = 0
    for tensor in model.graph.initializer:
        if 'rpn.head.bbox_pred.bias' in tensor.name:
            deltas = numpy_helper.to_array(tensor).copy().reshape(-1, 4)
            deltas[:, 2:] = -100
            tensor.CopyFrom(numpy_helper.from_array(deltas.reshape(-1), tensor.name))
            n += 1
    return n


def main():
    source, target = sys.argv[1:3]
    model = onnx.load(os.path.join(source, 'model.onnx'))
    if shrink(model) != 1:
        sys.exit('propose-nothing.py: this is no detector of torchvision')
    os.makedirs(target, exist_ok=True)
    onnx.save(model, os.path.join(target, 'model.onnx'))
    shutil.copy(os.path.join(source, 'input_input.npy'), target)
    for path in glob.glob(os.path.join(source, 'expected_*.npy')):
        np.save(os.path.join(target, os.path.basename(path)), np.load(path)[:0])
    return 0


if __name__ == '__main__':
    sys.exit(main())
