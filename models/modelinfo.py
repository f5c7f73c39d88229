# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes .modelinfo files: README.md has the format."""
import os


def _text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f'{value:.7g}'
    if isinstance(value, (list, tuple)):
        return ','.join(_text(v).replace(',', '\\,') for v in value)
    return str(value)


def skeleton(group_id):
    """The group that upstream GStreamer wants first. The dict's order is the file's."""
    return {'modelinfo': {'version': '1.0', 'group-id': group_id}}


def ranges(mean, std):
    """Upstream's form of the normalisation: what pixel 0 and pixel 255 become, per channel."""
    mean, std = (tuple(v) * (3 // len(v)) for v in (mean, std))
    return ';'.join(f'{-m / s:.7g},{(255 - m) / s:.7g}' for m, s in zip(mean, std))


def add_tensors(info, tensors, mean, std):
    """Upstream's groups, one a tensor: {name: ('input' | 'output', shape)}."""
    for name, (direction, shape) in tensors.items():
        info[name] = {'dir': direction, 'type': 'float32', 'dims': shape}
        if direction == 'input':
            info[name]['ranges'] = ranges(mean, std)


def write(path, info):
    part = path + '.part'
    with open(part, 'w', encoding='utf-8') as out:
        for group, keys in info.items():
            out.write(f'[{group}]\n')
            out.writelines(f'{key}={_text(value)}\n' for key, value in keys.items())
            out.write('\n' if group != list(info)[-1] else '')
    os.replace(part, path)
