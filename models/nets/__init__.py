# SPDX-License-Identifier: LGPL-2.1-or-later
"""The networks that export.py makes, by family.

Each family is a module with NETWORKS, a dict from name to the function that builds it:
build(options) gives a common.Network. `options` are export.py's arguments.
"""
from nets import deeplab, detectors, fcn, unet

FAMILIES = (fcn, unet, deeplab, detectors)
NETWORKS = {name: build for family in FAMILIES for name, build in family.NETWORKS.items()}
