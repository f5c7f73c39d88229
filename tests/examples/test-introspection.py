#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libgstvkseg-1.0 from Python, and the Python programs of examples/: test-introspection.py SOURCE_ROOT HELPER
PLUGINS TYPELIBS. Prints TAP. Runs in a Python that has GObject introspection and GStreamer's typelibs."""
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from gipython import find_python
from tap import NO_DEVICE, done, lacks_device, result

STREET = ('videotestsrc num-buffers=3 ! video/x-raw,width=160,height=120,framerate=10/1 ! jpegenc '
          '! matroskamux ! filesink location=street.mkv')
WIDTH, HEIGHT = 160, 120


# --- in a Python with GObject introspection ----------------------------------------------------------


def look(buffer, found):
    """What an application sees of a frame; the small network finds a person and a car."""
    from gi.repository import GstVkSeg
    meta = GstVkSeg.buffer_get_vk_seg_meta(buffer)
    found['type'] = meta.type == GstVkSeg.ResultType.INSTANCE
    found['size'] = (meta.frame_width, meta.frame_height) == (WIDTH, HEIGHT)
    found['labels'] = [meta.get_instance(i).label for i in range(meta.get_n_instances())] == ['person', 'car']
    found['past the last'] = meta.get_instance(2) is None
    person, state = meta.iterate_instances(0)
    found['iterate'] = person.label == 'person' and state == 1
    found['box'] = (abs(person.box.x - 10) < 1 and abs(person.box.width - 80) < 1
                    and abs(person.score - 0.9) < 0.01)
    mask = person.get_mask_bytes(WIDTH, HEIGHT).get_data()
    outside = b''.join(mask[WIDTH * y + 91:WIDTH * (y + 1)] for y in range(HEIGHT))
    found['mask'] = len(mask) == WIDTH * HEIGHT and set(mask) == {0, 255} and set(outside) == {0}
    found['no such size'] = person.get_mask_bytes(0, 4) is None and person.get_mask_bytes(4, 99999) is None
    fine, extent = person.get_extent(WIDTH, HEIGHT)
    found['extent'] = fine and (extent.x, extent.w) == (10, 80)
    runs = person.get_rle(WIDTH, HEIGHT)
    found['rle'] = sum(runs) == WIDTH * HEIGHT and sum(runs[1::2]) == mask.count(b'\xff')
    foreground = meta.get_foreground_bytes(False, WIDTH, HEIGHT).get_data()
    found['foreground'] = all(f or not m for f, m in zip(foreground, mask))
    found['no map'] = meta.get_map_bytes(WIDTH, HEIGHT) is None
    text = json.loads(meta.to_json(buffer.pts, GstVkSeg.JsonFlags.RLE | GstVkSeg.JsonFlags.POLYGONS))
    found['json'] = [o['label'] for o in text['instances']] == ['person', 'car']
    found['polygons'] = all(o['polygons'] for o in text['instances'])
    return person.copy()


def look_from_inside(_argv):
    import gi
    gi.require_version('Gst', '1.0')
    gi.require_version('GstVkSeg', '1.0')
    from gi.repository import Gst
    Gst.init(None)
    pipeline = Gst.parse_launch(f'videotestsrc num-buffers=1 ! video/x-raw,format=RGBx,width={WIDTH},height={HEIGHT} '
                                '! vksegment model=yolov8n-seg output=meta ! fakesink name=sink signal-handoffs=true')
    found, kept = {}, []
    pipeline.get_by_name('sink').connect('handoff', lambda _s, buffer, _p: kept.append(look(buffer, found)))
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    if message is None or message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error().gerror.message if message else 'nothing in a minute')
    found['a copy outlives the buffer'] = (kept[0].label == 'person'
                                           and len(kept[0].get_mask_bytes(9, 7).get_data()) == 63)
    print(json.dumps(found))


# --- outside -------------------------------------------------------------------------------------------


def main(source, helper, plugins, typelibs):
    python = find_python(Gst='1.0', GstVideo='1.0')
    if python is None:
        print('1..0 # SKIP no Python with GObject introspection of GStreamer (python3-gi, '
              'gir1.2-gst-plugins-base-1.0)')
        return
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, GST_PLUGIN_PATH=plugins, GI_TYPELIB_PATH=typelibs, VKSEG_MODEL_PATH=folder,
                   LD_LIBRARY_PATH=typelibs, GST_REGISTRY=f'{folder}/registry', XDG_CACHE_HOME=folder)

        def run(*words):
            return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=300)

        run(helper, 'nets', folder).check_returncode()
        run('gst-launch-1.0', '-q', *shlex.split(STREET)).check_returncode()
        looked = run(python, __file__, '--inside')
        if lacks_device(looked.stderr):
            print(f'1..0 # SKIP {NO_DEVICE}')
            return
        result('a result is read', looked.returncode and f'exit status {looked.returncode}: {looked.stderr}')
        for name, fine in (json.loads(looked.stdout) if not looked.returncode else {}).items():
            result(name, not fine and 'is something else')
        check_count(run, python, str(source / 'examples' / 'count_people.py'))
        check_session(run, python, str(source / 'examples' / 'segment_file.py'))
    done()


def check_session(run, python, example):
    """segment_file.py: what the session finds, and an error of its own domain."""
    run('gst-launch-1.0', '-q', *shlex.split(STREET.replace('street.mkv', 'street.webm'))).check_returncode()
    found = run(python, example, 'street.webm', 'yolov8n-seg', 'mask.pgm', 'threshold=0.5')
    lines = found.stdout.splitlines()
    fine = (found.returncode == 0 and lines[:1] == [f'{WIDTH} x {HEIGHT}, instance, 2 objects']
            and [line.split()[0] for line in lines[1:]] == ['person', 'car'])
    result('segment_file.py: a person and a car', not fine and found.stdout + found.stderr)
    mask = run('sh', '-c', 'tail -c +16 mask.pgm | tr -d "\\0" | wc -c').stdout
    result('and their mask', not (mask.strip().isdigit() and 0 < int(mask) < WIDTH * HEIGHT) and mask)
    lost = run(python, example, 'street.webm', 'no-such-network', 'mask.pgm')
    result('an error of the session', (lost.returncode != 1 or 'is VKSEG_MODEL_PATH set' not in lost.stderr)
           and f'{lost.returncode}: {lost.stderr}')


def check_count(run, python, example):
    counted = run(python, example, 'street.mkv', 'yolov8n-seg', 'threshold=0.5', '--output', 'people.csv')
    again = run(python, example, 'street.mkv', 'yolov8n-seg', 'classes=car')
    rows = run('cat', 'people.csv').stdout.split()
    wanted = [f'{t},1,' for t in ('0.000', '0.100', '0.200')]
    fine = (counted.returncode == 0 and rows[:1] == ['seconds,count,pixels'] and len(rows) == 4
            and all(r.startswith(w) and not r.endswith(',0') for r, w in zip(rows[1:], wanted)))
    result('count_people.py: a person a frame', not fine and f'{rows}\n{counted.stderr}')
    result('and nobody where only cars are kept',
           again.stdout.split()[1:] != [f'{w[:-2]}0,0' for w in wanted] and again.stdout + again.stderr)
    lost = run(python, example, 'nothing.mkv', 'no-such-network')
    result('an error of the bus', (lost.returncode != 1 or 'VKSEG_MODEL_PATH' not in lost.stderr)
           and f'{lost.returncode}: {lost.stderr}')


if sys.argv[1] == '--inside':
    look_from_inside(sys.argv[2:])
else:
    main(*(Path(sys.argv[1]).resolve(), *(str(Path(a).resolve()) for a in sys.argv[2:5])))
