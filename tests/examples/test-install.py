#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vkseg as applications find it: what `meson install` puts where, and examples/instances.c built with
pkg-config against that, on a picture. Usage: test-install.py SOURCE_ROOT BUILD_ROOT PREFIX LIBDIR
Prints TAP. Installs into a temporary folder. The picture and the network are those of ../shared."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import NO_DEVICE, done, lacks_device, result

SOURCE, BUILD = (Path(a).resolve() for a in sys.argv[1:3])
PREFIX, LIBDIR = sys.argv[3:5]
SHARED = SOURCE.parent / 'shared'
PICTURE = SHARED / 'media' / 'dog.jpg'
MODEL = SHARED / 'models' / 'yolov8n_seg_320' / 'model.onnx'
INFO = SOURCE / 'models' / 'info' / 'yolov8-seg.modelinfo'
CC = shlex.split(os.environ.get('CC', 'cc'))
LINE = re.compile(r'  (.+?) +(\d\.\d\d)  at (-?\d+),(-?\d+)  (\d+) x (\d+)  (\d+) px')
# What somebody sees in dog.jpg: x, y, width, height within 15 pixels; and how much of its box the
# network's mask fills, within 0.04.
SEEN = {'bicycle': ((130, 145, 440, 275), 0.41), 'truck': ((469, 78, 225, 100), 0.68),
        'dog': ((132, 210, 220, 335), 0.47)}


def run(*command, **kw):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, errors='replace',
                          timeout=300, **kw)


def failed(process):
    return process.returncode and (f'{shlex.join(process.args)}: exit status {process.returncode}\n'
                                   + process.stdout + process.stderr)


class Installed:
    """A folder in which an installation lies as if it were the root."""

    def __init__(self, stage):
        self.stage = stage
        self.root = stage / PREFIX.lstrip('/')
        self.libdir = self.root / LIBDIR
        self.env = dict(os.environ, PKG_CONFIG_PATH=str(stage / 'pc'),
                        LD_LIBRARY_PATH=str(self.libdir),
                        GST_PLUGIN_PATH=str(self.libdir / 'gstreamer-1.0'),
                        GST_REGISTRY=str(stage / 'registry'), XDG_CACHE_HOME=str(stage / 'cache'))
        self.env.pop('GST_PLUGIN_PATH_1_0', None)

    def install(self):
        log = BUILD / 'meson-logs' / 'install-log.txt'  # the user's, if there is one
        kept = log.read_bytes() if log.exists() else None
        done = run('meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', self.stage)
        if kept is not None:
            log.write_bytes(kept)
        return failed(done)

    def missing(self):
        headers = self.root / 'include' / 'gstreamer-1.0' / 'gst' / 'vkseg'
        wanted = [headers / h.name for h in (SOURCE / 'gst' / 'meta').glob('gstvkseg*.h')]
        wanted += [headers / 'vkseg.h', self.libdir / 'libgstvkseg-1.0.so',
                   self.libdir / 'pkgconfig' / 'gstvkseg-1.0.pc', self.root / 'bin' / 'vkseg',
                   self.libdir / 'gstreamer-1.0' / 'libgstvkseg.so']
        if (BUILD / 'gst' / 'meta' / 'GstVkSeg-1.0.gir').exists():
            wanted += [self.libdir / 'girepository-1.0' / 'GstVkSeg-1.0.typelib',
                       self.root / 'share' / 'gir-1.0' / 'GstVkSeg-1.0.gir']
        return '\n'.join(f'{w.relative_to(self.root)} is not installed' for w in wanted
                         if not w.exists())

    def stray(self):
        """Headers that are not public."""
        known = {h.name for h in (SOURCE / 'gst' / 'meta').glob('*vkseg*.h')}
        return '\n'.join(f'{h.name} is installed' for h in (self.root / 'include').rglob('*.h')
                         if h.name not in known)

    def move_pc(self):
        """Only the prefix of the .pc file has to know of the temporary folder."""
        text = (self.libdir / 'pkgconfig' / 'gstvkseg-1.0.pc').read_text()
        text, n = re.subn(r'^prefix=.*$', f'prefix={self.root}', text, flags=re.M)
        (self.stage / 'pc').mkdir()
        (self.stage / 'pc' / 'gstvkseg-1.0.pc').write_text(text)
        return n != 1 and f'{n} lines "prefix=" in\n{text}'

    def build_example(self, where):
        flags = run('pkg-config', '--cflags', '--libs', 'gstvkseg-1.0', env=self.env)
        if flags.returncode:
            return failed(flags)
        shutil.copy(SOURCE / 'examples' / 'instances.c', where)
        return failed(run(*CC, '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', 'instances.c', '-o',
                          'instances', *shlex.split(flags.stdout), cwd=where, env=self.env))


def seen(output):
    """What is wrong with the lines that the example prints for dog.jpg."""
    objects = {}
    for line in output.splitlines():
        match = LINE.fullmatch(line)
        if match:
            objects[match[1]] = [float(v) for v in match.groups()[1:]]
    if ' 768 x 576, instances, 3 objects' not in output or sorted(objects) != sorted(SEEN):
        return f'not {", ".join(SEEN)}, but\n{output}'
    for label, (box, filled) in SEEN.items():
        score, *found, area = objects[label]
        off = max(abs(a - b) for a, b in zip(found, box))
        share = area / (found[2] * found[3])
        if off > 15 or score < 0.5 or abs(share - filled) > 0.04:
            return f'{label}: the box is off by {off} px, the mask fills {share:.2f} of it\n{output}'
    return None


def check_runs(installed, where):
    example = where / 'instances'
    usage = run(example, env=installed.env)
    result('no arguments: usage', usage.returncode != 2 and failed(usage) or usage.returncode != 2)
    lost = run(example, 'nothing.jpg', 'no-such-network', env=installed.env, cwd=where)
    result('no such model: the error of the bus, with what to do',
           (lost.returncode != 1 or 'no-such-network' not in lost.stderr
            or 'VKSEG_MODEL_PATH' not in lost.stderr) and f'{lost.returncode}: {lost.stderr}')
    wrong = run(example, 'nothing.jpg', 'x.onnx', 'colour=red', env=installed.env, cwd=where)
    result('no such property', (wrong.returncode != 1 or 'colour=red' not in wrong.stderr)
           and f'{wrong.returncode}: {wrong.stderr}')
    name = 'bicycle, dog, truck of dog.jpg'
    if not (PICTURE.exists() and MODEL.exists()):
        return result(name, None, skip='no ../shared')
    found = run(example, PICTURE, MODEL, f'model-info={INFO}', 'threshold=0.5', env=installed.env)
    if lacks_device(found.stderr):
        return result(name, None, skip=NO_DEVICE)
    return result(name, failed(found) or seen(found.stdout))


def main():
    with tempfile.TemporaryDirectory() as folder:
        installed, where = Installed(Path(folder) / 'stage'), Path(folder) / 'outside'
        where.mkdir()
        if shutil.which('meson') is None or shutil.which('pkg-config') is None:
            result('install', None, skip='no meson or pkg-config in PATH')
        elif (result('meson install', installed.install()) and result('all is there', installed.missing())
              and result('and nothing else of the headers', installed.stray())
              and result('one prefix in the .pc file', installed.move_pc())
              and result('examples/instances.c builds', installed.build_example(where))):
            check_runs(installed, where)
    done()


main()
