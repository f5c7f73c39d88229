#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vkseg as applications find it: what `meson install` puts where, and the C programs of examples/ built
with pkg-config against that, on a picture. Usage: test-install.py SOURCE_ROOT BUILD_ROOT PREFIX LIBDIR
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
LINE = re.compile(r'  (.+?) +(\d\.\d\d)  at (-?\d+),(-?\d+)  (\d+) x (\d+)(?:  (\d+) px)?')
EXAMPLES = ('instances', 'segment_file', 'camera')
# What somebody sees in dog.jpg: x, y, width, height within 15 pixels; and how much of its box the
# network's mask fills, within 0.04.
SEEN = {'bicycle': ((130, 145, 440, 275), 0.41), 'truck': ((469, 78, 225, 100), 0.68),
        'dog': ((132, 210, 220, 335), 0.47)}

SHARE = 0.206  # of the picture is one of the three, whose masks overlap a little


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
        return failed(run('meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', self.stage))

    def uninstall(self):
        """What `ninja uninstall` does; then nothing of ours is left."""
        away = run('meson', '--internal', 'uninstall', cwd=BUILD)
        return failed(away) or '\n'.join(f'{p.relative_to(self.root)} is left' for p in self.root.rglob('*')
                                         if not p.is_dir())

    def missing(self):
        headers = self.root / 'include' / 'gstreamer-1.0' / 'gst' / 'vkseg'
        wanted = [headers / h.name for h in (SOURCE / 'gst' / 'meta').glob('gstvkseg*.h')]
        wanted += [headers / 'vkseg.h', self.libdir / 'libgstvkseg-1.0.so',
                   self.libdir / 'pkgconfig' / 'gstvkseg-1.0.pc', self.root / 'bin' / 'vkseg',
                   self.libdir / 'gstreamer-1.0' / 'libgstvkseg.so']
        if (BUILD / 'gst' / 'app' / 'GstVkSeg-1.0.gir').exists():
            wanted += [self.libdir / 'girepository-1.0' / 'GstVkSeg-1.0.typelib',
                       self.root / 'share' / 'gir-1.0' / 'GstVkSeg-1.0.gir']
        if (BUILD / 'gst' / 'app' / 'docs.toml').exists():
            wanted += [self.root / 'share' / 'doc' / 'gstvkseg-1.0' / 'class.Session.html']
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

    def build_examples(self, where):
        return next((p for p in (self.build_example(where, name) for name in EXAMPLES) if p), None)

    def build_example(self, where, name):
        flags = run('pkg-config', '--cflags', '--libs', 'gstvkseg-1.0', env=self.env)
        if flags.returncode:
            return failed(flags)
        shutil.copy(SOURCE / 'examples' / f'{name}.c', where)
        return failed(run(*CC, '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', f'{name}.c', '-o',
                          name, *shlex.split(flags.stdout), cwd=where, env=self.env))


def seen(output):
    """What is wrong with the lines that the example prints for dog.jpg."""
    objects = {}
    for line in output.splitlines():
        match = LINE.fullmatch(line)
        if match:
            objects[match[1]] = [float(v or 0) for v in match.groups()[1:]]
    if '768 x 576, instances, 3 objects' not in output or sorted(objects) != sorted(SEEN):
        return f'not {", ".join(SEEN)}, but\n{output}'
    for label, (box, filled) in SEEN.items():
        score, *found, area = objects[label]
        off = max(abs(a - b) for a, b in zip(found, box))
        share = area / (found[2] * found[3]) if area else filled
        if off > 15 or score < 0.5 or abs(share - filled) > 0.04:
            return f'{label}: the box is off by {off} px, the mask fills {share:.2f} of it\n{output}'
    return None


def masked(file):
    """What is wrong with the mask of dog.jpg: the share of the picture that is white."""
    data = file.read_bytes()
    head = b'P5\n768 576\n255\n'
    if not data.startswith(head) or len(data) != len(head) + 768 * 576:
        return f'{len(data)} bytes, {data[:20]}'
    share = data[len(head):].count(b'\xff') / (768 * 576)
    return abs(share - SHARE) > 0.02 and f'{share:.3f} of the picture'


def check_session(installed, where):
    """segment_file.c: a picture through GStreamer, and the same raw."""
    example = where / 'segment_file'
    usage = run(example, env=installed.env)
    result('segment_file, no arguments: usage', usage.returncode != 2 and f'exit status {usage.returncode}')
    lost = run(example, 'nothing.jpg', 'no-such-network', 'mask.pgm', env=installed.env, cwd=where)
    result('segment_file, no such picture', (lost.returncode != 1 or 'nothing.jpg' not in lost.stderr)
           and f'{lost.returncode}: {lost.stderr}')
    (where / 'frame.bin').write_bytes(bytes(3 * 64 * 48))
    lost = run(example, '64x48:RGB:frame.bin', 'no-such-network', 'mask.pgm', env=installed.env, cwd=where)
    result('segment_file, no such model', (lost.returncode != 1 or 'VKSEG_MODEL_PATH' not in lost.stderr)
           and f'{lost.returncode}: {lost.stderr}')
    name = 'segment_file: bicycle, dog, truck of dog.jpg and their mask'
    if not (PICTURE.exists() and MODEL.exists()):
        return result(name, None, skip='no ../shared')
    found = run(example, PICTURE, MODEL, 'mask.pgm', f'model-info={INFO}', 'threshold=0.5', env=installed.env,
                cwd=where)
    if lacks_device(found.stderr):
        return result(name, None, skip=NO_DEVICE)
    if not result(name, failed(found) or seen(found.stdout) or masked(where / 'mask.pgm')):
        return None
    # To the last digit: it is the picture that the program itself decodes to.
    raw = run('gst-launch-1.0', '-q', 'filesrc', f'location={PICTURE}', '!', 'decodebin', '!', 'videoconvert',
              '!', 'video/x-raw,format=RGB', '!', 'filesink', f'location={where}/dog.bin', env=installed.env)
    same = run(example, '768x576:RGB:dog.bin', MODEL, 'raw.pgm', f'model-info={INFO}', 'threshold=0.5',
               env=installed.env, cwd=where)
    result('segment_file: the same of a raw picture', failed(raw) or failed(same)
           or same.stdout != found.stdout and f'{found.stdout}, and raw\n{same.stdout}')
    return result('and the same mask', (where / 'raw.pgm').read_bytes() != (where / 'mask.pgm').read_bytes()
                  and 'another')


def check_camera(installed, where):
    """camera.c, with a source that ends in the place of a camera."""
    example = where / 'camera'
    usage = run(example, env=installed.env)
    result('camera, no arguments: usage', usage.returncode != 2 and f'exit status {usage.returncode}')
    name = 'camera: a line a frame'
    if not MODEL.exists():
        return result(name, None, skip='no ../shared')
    shutil.copy(MODEL, where / 'eyes.onnx')
    shutil.copy(INFO, where / 'eyes.modelinfo')
    source = 'videotestsrc is-live=true num-buffers=8 ! video/x-raw,width=160,height=120,framerate=10/1'
    found = run(example, 'eyes.onnx', source, env=installed.env, cwd=where)
    if lacks_device(found.stderr):
        return result(name, None, skip=NO_DEVICE)
    lines = found.stdout.splitlines()
    result(name, failed(found) or not lines and 'no line' or next(
        (line for line in lines if not re.fullmatch(r'\d\.\d\d s:.* \(\d+ frames old\)', line)), None))
    lost = run(example, 'no-such-network', 'videotestsrc', env=installed.env, cwd=where)
    return result('camera, no such model', (lost.returncode != 1 or 'VKSEG_MODEL_PATH' not in lost.stderr)
                  and f'{lost.returncode}: {lost.stderr}')


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
    log = BUILD / 'meson-logs' / 'install-log.txt'  # of the user's own installation, if there is one
    kept = log.read_bytes() if log.exists() else None
    with tempfile.TemporaryDirectory() as folder:
        installed, where = Installed(Path(folder) / 'stage'), Path(folder) / 'outside'
        where.mkdir()
        if shutil.which('meson') is None or shutil.which('pkg-config') is None:
            result('install', None, skip='no meson or pkg-config in PATH')
        elif (result('meson install', installed.install()) and result('all is there', installed.missing())
              and result('and nothing else of the headers', installed.stray())
              and result('one prefix in the .pc file', installed.move_pc())
              and result('the programs of examples/ build', installed.build_examples(where))):
            check_runs(installed, where)
            check_session(installed, where)
            check_camera(installed, where)
            result('ninja uninstall', installed.uninstall())
    if kept is not None:
        log.write_bytes(kept)
    done()


main()
