#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds what is in a picture with a session, without a vksegment in a pipeline; prints it, and writes the
mask of everything together as a PGM file:
    segment_file.py FILE|URI MODEL MASK.pgm [PROPERTY=VALUE...]

PROPERTY=VALUE are properties of the session, as "threshold=0.5". What is needed: see count_people.py.
"""
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstVideo', '1.0')
gi.require_version('GstVkSeg', '1.0')
from gi.repository import GLib, Gst, GstVideo, GstVkSeg  # noqa: E402


def decode(name):
    """The picture, or a video's first frame, as GStreamer decodes it: a buffer and what it looks like."""
    pipeline = Gst.parse_launch('uridecodebin name=source ! videoconvert ! video/x-raw,format=RGB '
                                '! appsink name=sink')
    uri = name if Gst.uri_is_valid(name) else Gst.filename_to_uri(name)
    pipeline.get_by_name('source').set_property('uri', uri)
    pipeline.set_state(Gst.State.PAUSED)
    sample = None
    if pipeline.get_state(Gst.CLOCK_TIME_NONE)[0] != Gst.StateChangeReturn.FAILURE:
        sample = pipeline.get_by_name('sink').emit('pull-preroll')
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if sample is None:
        sys.exit(f'segment_file.py: {message.parse_error().gerror.message if message else "no picture"}')
    return sample.get_buffer(), GstVideo.VideoInfo.new_from_caps(sample.get_caps())


def segment(session, name):
    """The result belongs to nobody: it may be kept. An error is a GLib.Error of the session's own domain."""
    try:
        result = session.run_buffer(*decode(name))
    except GLib.Error as error:
        if error.matches(GstVkSeg.error_quark(), GstVkSeg.Error.FILE):
            sys.exit(f'segment_file.py: {error.message} (is VKSEG_MODEL_PATH set?)')
        sys.exit(f'segment_file.py: {error.message}')
    return result


def main():
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    Gst.init(None)
    session = GstVkSeg.Session.new(sys.argv[2])
    for name, _, value in (text.partition('=') for text in sys.argv[4:]):
        if not value or session.find_property(name) is None:
            sys.exit(f'{name}: not PROPERTY=VALUE of a session')
        Gst.util_set_object_arg(session, name, value)
    result = segment(session, sys.argv[1])
    meta = GstVkSeg.buffer_get_vk_seg_meta(result)
    width, height = meta.frame_width, meta.frame_height
    print(f'{width} x {height}, {meta.type.value_nick}, {meta.get_n_instances()} objects')
    for thing in (meta.get_instance(i) for i in range(meta.get_n_instances())):
        box = thing.box
        print(f'  {thing.label or "?":12} {thing.score:.2f}  at {box.x:.0f},{box.y:.0f}  '
              f'{box.width:.0f} x {box.height:.0f}')
    mask = meta.get_foreground_bytes(False, width, height)
    if mask is None:
        sys.exit('segment_file.py: boxes have no mask')
    with open(sys.argv[3], 'wb') as file:
        file.write(b'P5\n%d %d\n255\n' % (width, height) + mask.get_data())


if __name__ == '__main__':
    main()
