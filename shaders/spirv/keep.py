#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SPIR-V that is kept in the tree because the build's glslang cannot make it (README.md).

Without arguments: checks that each file belongs to its source. With --glslang: makes them anew."""
import argparse
import hashlib
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
SHADERS = FOLDER.parent
RECORD = FOLDER / 'digests.txt'
KEPT = {'conv_cm1': 'vulkan1.2', 'conv_cm2': 'vulkan1.3'}  # what each is compiled for


def code(path):
    """A shader's lines with what it includes, without comments: what the compiler makes of them
    does not depend on those."""
    text = re.sub(r'/\*.*?\*/|//[^\n]*', '', path.read_text(), flags=re.DOTALL)
    lines = []
    for line in text.split('\n'):
        include = re.match(r'\s*#include\s+"(.*)"', line)
        if include:
            near = path.parent / include[1]
            lines += code(near if near.exists() else SHADERS / include[1])
        elif line.strip():
            lines.append(' '.join(line.split()))
    return lines


def digests(name):
    source = '\n'.join(code(SHADERS / f'{name}.comp'))
    spirv = FOLDER / f'{name}.spv'
    return [hashlib.sha256(data).hexdigest()
            for data in (source.encode(), spirv.read_bytes() if spirv.exists() else b'')]


def check():
    recorded = {}
    for line in RECORD.read_text().splitlines():
        name, *both = line.split()
        recorded[name] = both
    bad = 0
    for name in sorted(set(KEPT) | set(recorded) | {f.stem for f in FOLDER.glob('*.spv')}):
        if name not in KEPT or recorded.get(name) != digests(name):
            print(f'{name}: source and SPIR-V do not belong together; run shaders/spirv/update.sh')
            bad += 1
    return 1 if bad or not KEPT else 0


def update(glslang):
    lines = []
    for name, target in KEPT.items():
        subprocess.run([glslang, '-V', '-g0', '--target-env', target, f'-I{SHADERS}', '-o',
                        str(FOLDER / f'{name}.spv'), str(SHADERS / f'{name}.comp')], check=True)
        lines.append(' '.join([name, *digests(name)]))
    RECORD.write_text('\n'.join(lines) + '\n')
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--glslang', metavar='PROGRAM', help='glslangValidator, 15 or newer')
    args = parser.parse_args()
    return update(args.glslang) if args.glslang else check()


if __name__ == '__main__':
    sys.exit(main())
