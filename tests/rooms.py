#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the order of the rooms of gst/: which includes which, that each header compiles by
itself with no more than its room may use, that every source file says its licence and that no
merge was left unfinished. Usage: rooms.py SOURCE_ROOT [BUILD_ROOT] | rooms.py --self-test"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GST = ['gstreamer-1.0', 'gstreamer-base-1.0', 'gstreamer-video-1.0']
# Room: the rooms (or single headers) it may include, and the packages it may use besides GLib.
ROOMS = {
    'base': ([], []),
    'onnx': (['base'], ['libprotobuf-c']),
    'graph': (['base', 'onnx'], []),
    'vk': (['base'], ['vulkan']),
    'ops': (['base', 'graph', 'onnx', 'vk/device-info.h', 'vk/shader.h', 'shaders.h'], []),
    'engine': (['base', 'onnx', 'graph', 'ops', 'vk', 'shaders.h'], []),
    'frame': (['base', 'onnx', 'graph', 'ops', 'vk', 'engine', 'shaders.h'], []),
    'meta': (['base'], GST + ['json-glib-1.0']),
    'tool': (['base', 'onnx', 'graph', 'ops', 'vk', 'engine', 'frame'], ['gio-2.0', 'json-glib-1.0']),
    'zerocopy': (['base', 'onnx', 'graph', 'ops', 'vk', 'engine', 'frame'],
                 GST + ['gstreamer-allocators-1.0', 'gstreamer-vulkan-1.0', 'vulkan']),
    'elements': (['base', 'onnx', 'graph', 'ops', 'vk', 'engine', 'frame', 'meta', 'zerocopy'], GST),
    'app': (['base', 'onnx', 'graph', 'ops', 'vk', 'engine', 'frame', 'meta', 'elements'], GST),
    'proposals': (['base', 'meta/videomap.h', 'elements/videoframe.h'], GST),
}
# Who may include <...> beginning so. What is not named is the C library's or GLib's.
SYSTEM = {
    'gst/': {'meta', 'zerocopy', 'elements', 'app', 'proposals', ''},
    'opencv2/': {'proposals'},
    'vulkan/': {'vk', 'zerocopy'},
    'protobuf-c/': {'onnx'},
    'pango/': {'frame'},
    'json-glib/': {'tool', 'meta', 'elements'},
    'gio/': {'tool', 'meta', 'elements'},
}
SOURCES = {'.c', '.cc', '.h', '.comp', '.glsl', '.py', '.sh'}
LICENCE = 'SPDX-License-Identifier: LGPL-2.1-or-later'
MERGE = re.compile(r'^(<<<<<<<|>>>>>>>) ', re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def wrong_include(room, kind, name):
    """Why a file of this room may not include this, or None. Room '' is gst/ itself."""
    if kind == '<':
        for start, rooms in SYSTEM.items():
            if name.startswith(start) and room not in rooms:
                return f'<{name}> is not for gst/{room}'
        return None
    to = name.split('/')[0]
    if name == 'config.h' or not room:
        return None
    if room == 'meta' and re.fullmatch(r'gstvkseg\w+\.h', name):
        return None  # public headers lie side by side where they are installed
    if name != 'shaders.h' and (name.count('/') != 1 or to not in ROOMS):
        return f'"{name}" is not named as "room/file.h"'
    if to == room:
        return None
    if to not in ROOMS[room][0] and name not in ROOMS[room][0]:
        return f'gst/{room} may not include "{name}"'
    if re.search(r'\bpriv(ate)?\.h$', name):
        return f'"{name}" is private to gst/{to}'
    return None


def check_includes(root):
    for path in sorted(p for p in (root / 'gst').rglob('*') if p.suffix in {'.c', '.cc', '.h'}):
        parts = path.relative_to(root / 'gst').parts
        room = parts[0] if len(parts) > 1 else ''
        if room and room not in ROOMS:
            yield f'{path}: gst/{room} is not a room that tests/rooms.py knows'
            continue
        for kind, name in INCLUDE.findall(path.read_text()):
            reason = wrong_include(room, kind, name)
            if reason:
                yield f'{path}: {reason}'


def check_text(root):
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(s for s in subfolders if not s.startswith(('.', '_', 'build')))
        for path in (Path(folder) / n for n in sorted(names)):
            if path.suffix not in SOURCES and path.name != 'meson.build':
                continue
            text = path.read_text()
            if MERGE.search(text):
                yield f'{path}: an unfinished merge'
            if path.suffix in SOURCES and LICENCE not in '\n'.join(text.splitlines()[:5]):
                yield f'{path}: no "{LICENCE}" in the first five lines'


def flags(packages):
    run = subprocess.run(['pkg-config', '--cflags', *packages], capture_output=True, text=True)
    return run.stdout.split() if run.returncode == 0 else None


def check_headers(root, build):
    includes = [f'-I{root}/gst']
    if build:
        includes += [f'-I{build}/gst', f'-I{build}/shaders']
    cc = os.environ.get('CC', 'cc').split()
    for room, (_, packages) in ROOMS.items():
        headers = sorted((root / 'gst' / room).glob('*.h'))
        args = flags(['glib-2.0', *packages])
        if headers and args is None:
            print(f'headers of gst/{room} not compiled: no {", ".join(packages)} here')
            continue
        for path in headers:
            run = subprocess.run([*cc, '-std=gnu11', '-Wall', '-Wextra', '-Werror',
                '-Wno-unused-parameter', '-fsyntax-only', *includes, *args, '-x', 'c', '-'],
                input=f'#include "{room}/{path.name}"\n', capture_output=True, text=True)
            if run.returncode != 0:
                yield f'{path} does not compile alone:\n{run.stderr}'


def check(root, build):
    problems = [*check_includes(root), *check_text(root), *check_headers(root, build)]
    for problem in problems:
        print(problem)
    return problems


def self_test():
    """Each kind of mistake in a small tree, and that it is found."""
    good = '/* ' + LICENCE + ' */\n'
    trees = {
        '': {'gst/base/a.h': good + '#pragma once\n#include <glib.h>\n',
             'gst/ops/a.c': good + '#include "vk/shader.h"\n#include "shaders.h"\n#include "ops/private.h"\n',
             'gst/plugin.c': good + '#include <gst/gst.h>\n'},
        'may not include "graph/graph.h"': {'gst/vk/a.c': good + '#include "graph/graph.h"\n'},
        'may not include "vk/vk.h"': {'gst/ops/a.c': good + '  # include "vk/vk.h"\n'},
        'may not include "shaders.h"': {'gst/graph/a.c': good + '#include "shaders.h"\n'},
        'is not for gst/tool': {'gst/tool/a.c': good + '#include <gst/gst.h>\n'},
        'is private to gst/onnx': {'gst/graph/a.c': good + '#include "onnx/private.h"\n'},
        'is private to gst/engine': {'gst/frame/a.c': good + '#include "engine/session-priv.h"\n'},
        'is not named as': {'gst/base/a.c': good + '#include "tensor.h"\n'},
        'is not a room': {'gst/attic/a.c': good},
        'does not compile alone': {'gst/base/a.h': good + 'gsize f (void);\n'},
        'no "SPDX': {'shaders/a.comp': '#version 450\n'},
        'unfinished merge': {'gst/meson.build': 'a\n' + '<' * 7 + ' HEAD\nb\n'},
    }
    failed = 0
    for want, files in trees.items():
        root = Path(tempfile.mkdtemp(prefix='vkseg-rooms-'))
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = check(root, None)
        shutil.rmtree(root)
        if bool(found) != bool(want) or (want and not any(want in p for p in found)):
            failed += 1
            print(f'SELF TEST FAILED: wanted "{want}", found {found}')
    return failed


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == '--self-test':
        sys.exit(1 if self_test() else 0)
    builds = [Path(b).resolve() for b in sys.argv[2:3]]
    sys.exit(1 if check(Path(sys.argv[1]).resolve(), *builds or [None]) else 0)
