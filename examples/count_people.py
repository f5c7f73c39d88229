#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the people in each frame of a picture or a video and writes CSV:
    count_people.py FILE|URI MODEL [--class person] [--output FILE] [PROPERTY=VALUE...]

The columns are the time of the frame in seconds, how many there are, and the pixels of the frame that
they cover together. PROPERTY=VALUE are properties of vksegment, as "threshold=0.5". Needs python3-gi and
the typelib GstVkSeg-1.0, which `meson install` puts where it is found; from the build tree:
    export GI_TYPELIB_PATH=build/gst/app LD_LIBRARY_PATH=build/gst/app GST_PLUGIN_PATH=build/gst
"""
import argparse
import csv
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstVkSeg', '1.0')
from gi.repository import Gst, GstVkSeg  # noqa: E402


def area(instance, meta):
    """Pixels of the frame that belong to it; the mask comes as 0 and 255, a byte a pixel."""
    mask = instance.get_mask_bytes(meta.frame_width, meta.frame_height)
    return mask.get_data().count(b'\xff')


def on_frame(_sink, buffer, _pad, rows, label, seen):
    """On the streaming thread. The meta and its instances belong to the buffer: nothing of them is kept,
    or it is a copy()."""
    meta = GstVkSeg.buffer_get_vk_seg_meta(buffer)
    instances = [meta.get_instance(i) for i in range(meta.get_n_instances())] if meta else []
    seen.update(i.label for i in instances)
    areas = [area(i, meta) for i in instances if i.label == label]
    seconds = 0 if buffer.pts == Gst.CLOCK_TIME_NONE else buffer.pts / Gst.SECOND
    rows.writerow([f'{seconds:.3f}', len(areas), sum(areas)])


def make_pipeline(args, rows, seen):
    pipeline = Gst.parse_launch('uridecodebin name=source ! videoconvert ! vksegment name=segment output=meta '
                                '! fakesink name=sink signal-handoffs=true sync=false')
    uri = args.media if Gst.uri_is_valid(args.media) else Gst.filename_to_uri(args.media)
    pipeline.get_by_name('source').set_property('uri', uri)
    segment = pipeline.get_by_name('segment')
    segment.set_property('model', args.model)
    for name, _, value in (text.partition('=') for text in args.properties):
        if not value or segment.find_property(name) is None:
            sys.exit(f'{name}: not PROPERTY=VALUE of vksegment (gst-inspect-1.0 vksegment)')
        Gst.util_set_object_arg(segment, name, value)
    pipeline.get_by_name('sink').connect('handoff', on_frame, rows, args.label, seen)
    return pipeline


def run(pipeline):
    """Until the end; an error's text, or None."""
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE,
                                                    Gst.MessageType.ERROR | Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.EOS:
        return None
    error, debug = message.parse_error()
    return f'{message.src.get_name()}: {error.message}\n{debug}'


def main():
    parser = argparse.ArgumentParser(description='Counts people, frame by frame.')
    parser.add_argument('media', metavar='FILE|URI')
    parser.add_argument('model', help='path or name of a network that finds objects')
    parser.add_argument('properties', metavar='PROPERTY=VALUE', nargs='*')
    parser.add_argument('--class', dest='label', default='person')
    parser.add_argument('--output', type=argparse.FileType('w'), default=sys.stdout)
    args = parser.parse_intermixed_args()
    Gst.init(None)
    rows = csv.writer(args.output, lineterminator='\n')
    rows.writerow(['seconds', 'count', 'pixels'])
    seen = set()
    problem = run(make_pipeline(args, rows, seen))
    if not problem and args.label not in seen:
        labels = ', '.join(sorted(str(label) for label in seen)) or 'nothing'
        print(f'no {args.label} was found, but {labels}; labels=FILE or labels=A,B,... names the classes of the '
              'network', file=sys.stderr)
    sys.exit(problem)


if __name__ == '__main__':
    main()
