# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads and writes .modelinfo files: README.md has the format."""
import configparser
import os
import re


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


def read(path):
    """The groups of a file as dicts of text: {group: {key: value}}."""
    parser = configparser.ConfigParser(delimiters='=', comment_prefixes='#', interpolation=None,
                                       default_section='')
    parser.optionxform = str
    with open(path, encoding='utf-8') as source:
        parser.read_file(source)
    return {group: dict(parser[group]) for group in parser.sections()}


def items(text):
    """A list's items; a comma within one is written with a backslash."""
    return [item.replace('\\,', ',') for item in re.split(r'(?<!\\),', text)] if text else []


def tensors(info, direction):
    """{name: shape} of the tensor groups that are inputs or outputs."""
    return {group: tuple(int(n) for n in items(keys['dims']))
            for group, keys in info.items() if keys.get('dir') == direction}
