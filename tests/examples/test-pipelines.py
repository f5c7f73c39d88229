#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the pipelines of README.md, examples/README.md and the elements' pages, on small pictures with
small networks: test-pipelines.py SOURCE_ROOT HELPER PLUGINS DEVICES [RTSP_SERVER]. Prints TAP.

A line runs as it is written, but for what this machine has not: a display, the reader's files, and
servers in the network, whose addresses become those of servers of this test; cameras are those of
video-devices.c, and see few frames. The messages of the table "When something is wrong" are looked for in
the sources."""
import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import played
from servers import Servers
from tap import NO_DEVICE, done, lacks_device, result

SOURCE, HELPER, PLUGINS, DEVICES, *RTSP_SERVER = (Path(a).resolve() for a in sys.argv[1:])
RECIPES = SOURCE / 'examples' / 'README.md'

# What may be missing: not every system has it.
OPTIONAL = {'vksegproposals', 'rtspclientsink', 'openh264enc', 'vulkanupload', 'vulkandownload', 'v4l2src',
            'v4l2sink'}
# Instead of what this machine has not.
INSTEAD = [
    (r'\bv4l2src\b(?=.*\bv4l2sink\b)', 'v4l2src num-buffers=15'),  # the sink leaves out late frames
    (r'\bv4l2src\b(?! num-buffers)', 'v4l2src num-buffers=4'),
    (r'\bautovideosink\b', 'filesink location=shown.raw'),
    (r'\bimagefreeze\b', 'imagefreeze num-buffers=4'),
    (r'\blocation=F\b', 'location=photo.jpg'),
    (r'/tmp/(\w[\w-]*)\.onnx', r'\1'),
    (r'\blocation=/tmp/', 'location='),
    (r'file:///tmp/', 'file://$PWD/'),
]
MEDIA = {  # by content, whatever the name says
    'photo.jpg': 'videotestsrc num-buffers=1 ! video/x-raw,width=160,height=120 ! jpegenc',
    'street.jpg': 'videotestsrc num-buffers=1 ! video/x-raw,width=160,height=120 ! jpegenc',
    'beach.jpg': 'videotestsrc num-buffers=1 ! video/x-raw,width=160,height=120 ! jpegenc',
    'street.mp4': 'videotestsrc num-buffers=4 ! video/x-raw,width=160,height=120 ! jpegenc ! m.video_0 '
                  'audiotestsrc num-buffers=4 ! vorbisenc ! m.audio_0 matroskamux name=m',
}


def commands(path):
    """The gst-launch-1.0 commands of a page, each as one line of shell."""
    text = path.read_text()
    if path.suffix == '.c':
        text = '\n'.join(line[3:] for line in text.splitlines() if line.startswith(' * '))
    text = re.sub(r'\\\n\s*', '', text)
    return [line.strip() for line in text.splitlines()
            if re.match(r'\s*(\w+=\S* )*gst-launch-1\.0 ', line)]


def missing(problem):
    match = re.search(r'no element "(\S+)"|No such element.*"(\S+)"', problem)
    name = match and (match[1] or match[2])
    return name if name in OPTIONAL else None


class Room:
    """A folder with the files that recipes read, in which they run."""

    def __init__(self, folder):
        self.folder = folder
        plugins = os.pathsep.join(filter(None, [str(PLUGINS), os.environ.get('GST_PLUGIN_PATH')]))
        devices = folder / DEVICES.name  # a path without what LD_PRELOAD splits at
        devices.symlink_to(DEVICES)
        preloaded = ' '.join(filter(None, [str(devices), os.environ.get('LD_PRELOAD')]))
        # souphttpsrc asks a proxy for servers of this machine too, whatever no_proxy says.
        ours = {k: v for k, v in os.environ.items() if k.lower() not in ('http_proxy', 'all_proxy')}
        self.env = dict(ours, GST_PLUGIN_PATH=plugins, VKSEG_MODEL_PATH=str(folder),
                        GST_REGISTRY=str(folder / 'registry'), XDG_CACHE_HOME=str(folder / 'cache'),
                        LD_PRELOAD=preloaded, VKSEG_TEST_VIDEO_OUT=str(folder / 'played'))
        self.call(HELPER, 'nets', folder)
        for name, words in MEDIA.items():
            self.call('gst-launch-1.0', '-q', *shlex.split(words), '!', 'filesink', f'location={name}')

    def call(self, *words):
        subprocess.run([str(w) for w in words], cwd=self.folder, env=self.env, check=True,
                       stdout=subprocess.DEVNULL, timeout=120)

    def has(self, element):
        return subprocess.run(['gst-inspect-1.0', '--exists', element], env=self.env).returncode == 0

    def parse(self, command):
        words = shlex.split(command)
        words = [w for w in words[words.index('gst-launch-1.0') + 1:] if w not in ('-e', '-m', '-v', '-q')]
        done = subprocess.run([HELPER, 'parse', *words], cwd=self.folder, env=self.env,
                              capture_output=True, text=True, timeout=120)
        return done.returncode and done.stderr

    def run(self, command):
        for pattern, instead in INSTEAD:
            command = re.sub(pattern, instead, command)
        written = re.findall(r'filesink location=(\S+)', command)
        if 'v4l2sink' in command:
            written.append('played')
        for name in written:
            (self.folder / name).unlink(missing_ok=True)
        before = set(self.folder.iterdir())
        try:
            done = subprocess.run(['sh', '-c', command], cwd=self.folder, env=self.env, text=True,
                                  errors='replace', stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=120)
        except subprocess.TimeoutExpired:
            return f'{command}\ndoes not end'
        lost = [w for w in written
                if '%' not in w and not ((self.folder / w).exists() and (self.folder / w).stat().st_size)]
        if any('%' in w for w in written) and set(self.folder.iterdir()) == before:
            lost.append('numbered files')
        if done.returncode or lost or 'WARN' in done.stdout or 'ERROR' in done.stdout:
            return f'{command}\nexit status {done.returncode}, not written: {lost}\n{done.stdout}'
        return 'v4l2sink' in command and played.problem(self.folder / 'played')


def check(room, servers, page, command):
    name = f'{page}: {command}'
    problem = room.parse(command)
    if problem and missing(problem):
        return result(name, None, skip=f'no {missing(problem)}')
    if servers.lack(command):
        return result(name, problem, skip=None if problem else servers.lack(command))
    run = servers.run if servers.wanted(command) else room.run
    problem = problem or run(command)
    if problem and lacks_device(problem):
        return result(name, None, skip=NO_DEVICE)
    return result(name, problem)


def messages():
    """Every message of the table of messages is one of the sources; … and <…> stand for anything."""
    sources = ''.join(p.read_text() for p in sorted((SOURCE / 'gst').rglob('*.c')))
    sources = re.sub(r'"\s*\n?\s*"', '', sources)
    table = RECIPES.read_text().split('## When something is wrong')[1]
    rows = re.findall(r'^\| `([^`]+)` \|', table, flags=re.M)
    for row in rows:
        parts = [p.strip() for p in re.split(r'…|\.\.\.', row) if len(p.strip()) > 3]
        lost = [p for p in parts if p not in sources]
        result(f'message: {row}', lost and f'not in gst/: {lost}')
    return rows


def main():
    pages = [SOURCE / 'README.md', RECIPES]
    pages += sorted(p for p in (SOURCE / 'gst').rglob('*.c') if 'SECTION:element-' in p.read_text())
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as closing:
        room = Room(Path(folder))
        servers = Servers(room, next(iter(RTSP_SERVER), None), closing)
        for page in pages:
            found = commands(page)
            for command in found:
                check(room, servers, page.name if page.suffix == '.c' else page.relative_to(SOURCE), command)
            if not found:
                result(f'{page.name} has a pipeline', 'none was found')
    if not messages():
        result('messages', 'none was found')
    done()


main()
