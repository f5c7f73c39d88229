#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows a segmented camera to browsers, by WebRTC:
    webrtc.py [--host 127.0.0.1] [--port 8080] [--source v4l2src] [--model selfie] [--viewers 8]
              [PROPERTY=VALUE...]

Serves a page that plays the video; other players offer by HTTP as WHEP has it, at /whep: that half is whep.py,
beside this file. The camera is segmented and encoded (VP8) once for all viewers; with as many as --viewers says, others
are told to come again later. PROPERTY=VALUE are properties of vksegment, as "output=cutout". Without --host only this
machine sees it; --host 0.0.0.0 shows it to whoever reaches this machine, and is for networks that one trusts: nobody is
asked who they are. Pages of other origins may not offer. Needs python3-gi, gir1.2-gst-plugins-bad-1.0,
gir1.2-nice-0.1, gstreamer1.0-plugins-good, gstreamer1.0-plugins-bad and gstreamer1.0-nice; from the build tree:
    export GST_PLUGIN_PATH=build/gst
"""
import argparse
import re
import secrets
import sys
import threading
import time

import gi

import whep
from whep import Refused

try:
    for namespace in ('Gst', 'GstSdp', 'GstVideo', 'GstWebRTC'):
        gi.require_version(namespace, '1.0')
    gi.require_version('Nice', '0.1')
except ValueError as e:
    sys.exit(f'{e}: are gir1.2-gst-plugins-bad-1.0 and gir1.2-nice-0.1 installed?')
from gi.repository import GLib, Gst, GstSdp, GstVideo, GstWebRTC, Nice  # noqa: E402

PACKAGES = {'videoconvert': 'gstreamer1.0-plugins-base', 'vp8enc': 'gstreamer1.0-plugins-good',
            'rtpvp8pay': 'gstreamer1.0-plugins-good', 'webrtcbin': 'gstreamer1.0-plugins-bad',
            'dtlssrtpenc': 'gstreamer1.0-plugins-bad', 'srtpenc': 'gstreamer1.0-plugins-bad',
            'errorignore': 'gstreamer1.0-plugins-bad', 'nicesink': 'gstreamer1.0-nice',
            'vksegment': 'vkseg; from the build tree: GST_PLUGIN_PATH=build/gst'}
CAMERA = ('{source} ! videoconvert ! vksegment name=segment mode=drop {properties} ! videoconvert '
          '! queue leaky=downstream max-size-buffers=2 ! vp8enc name=encoder deadline=1 cpu-used=4 '
          'target-bitrate=2000000 keyframe-max-dist=9999 min-force-key-unit-interval=250000000 '
          '! tee name=viewers allow-not-linked=true')
# Key frames are made where a viewer needs one. errorignore: what fails for one viewer is not the camera's end.
BRANCH = ('errorignore ! queue name=queue leaky=downstream ! rtpvp8pay pt={payload} picture-id-mode=15-bit '
          '! application/x-rtp,media=video,encoding-name=VP8,payload={payload} '
          '! webrtcbin name=peer bundle-policy=max-bundle')
GATHERING_S = 5
PATIENCE_S = 15  # with a viewer who says nothing; players report each 5 s or so


def ask(peer, request, argument):
    """What webrtcbin replies. What is read of it lives no longer than it."""
    replied = threading.Event()
    promise = Gst.Promise.new_with_change_func(lambda *_: replied.set())
    peer.emit(request, argument, promise)
    if not replied.wait(GATHERING_S) or promise.wait() != Gst.PromiseResult.REPLIED:  # of one that ends, none comes
        raise Refused(500, f'{request}: no reply')
    reply = promise.get_reply()
    if reply and reply.has_field('error'):
        raise Refused(400, reply.get_value('error').message)
    return reply


def describe(peer, kind):
    """This side's SDP, an offer or an answer, with all candidates."""
    gathered = threading.Event()
    handler = peer.connect('notify::ice-gathering-state', lambda *_: peer.get_property('ice-gathering-state')
                 == GstWebRTC.WebRTCICEGatheringState.COMPLETE and gathered.set())
    created = ask(peer, f'create-{kind}', None)
    ask(peer, 'set-local-description', created.get_value(kind))
    complete = gathered.wait(GATHERING_S)
    peer.disconnect(handler)
    if not complete:
        raise Refused(500, f'no ICE candidates in {GATHERING_S} s')
    return peer.get_property('local-description').sdp.as_text()


def parse_offer(text):
    """The offer, of a video and perhaps sound, which is declined, and the number that it gives VP8. Where else the
    viewer may be is not heeded: it comes to us, and cannot have us send elsewhere."""
    text = re.sub(r'^a=candidate.*\n?', '', text, flags=re.M)
    result, sdp = GstSdp.SDPMessage.new_from_text(text if text.startswith('v=0') else 'v=0')
    media = re.split(r'^m=(?=\w)', sdp.as_text(), flags=re.M)[1:]
    videos = [m for m in media if not m.startswith('audio ')]
    vp8 = re.search(r'^video .*^a=rtpmap:(\d{1,3}) VP8/90000\s*$', ''.join(videos), flags=re.M | re.I | re.S)
    if result != GstSdp.SDPResult.OK or len(videos) != 1 or vp8 is None or int(vp8[1]) > 127:
        raise Refused(400, 'not an SDP offer for one video that can be VP8')
    return GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, sdp), int(vp8[1])


def set_up_ice(_peer, _parent, element, address):
    """The agent talks from the address that the viewer has reached us by: one that works, and libnice
    takes no loopback by itself. It asks no router to let others in."""
    local = Nice.Address.new()
    if element.__gtype__.name == 'GstNiceSrc' and local.set_from_string(address):
        agent = element.get_property('agent')
        agent.set_property('upnp', False)
        agent.add_local_address(local)


class Viewer:
    """A branch of the pipeline. It is linked once its peer is connected: frames from before are of no use."""

    def __init__(self, camera, payload, address):
        self.camera, self.pad, self.heard = camera, None, time.monotonic()
        self.branch = Gst.parse_bin_from_description(BRANCH.format(payload=payload), True)
        self.peer = self.branch.get_by_name('peer')
        self.peer.connect('deep-element-added', set_up_ice, address)
        self.peer.connect('deep-element-added', self.on_element)
        self.branch.get_by_name('queue').connect('overrun', lambda _queue: camera.force_keyframe())
        camera.pipeline.add(self.branch)
        self.branch.sync_state_with_parent()

    def on_element(self, _peer, _parent, element):
        if element.__gtype__.name == 'GstNiceSrc':
            element.get_static_pad('src').add_probe(Gst.PadProbeType.BUFFER, self.on_packet)

    def on_packet(self, _pad, _info):
        """Whatever comes, and be it a report of what was received, says that the viewer is still there."""
        self.heard = time.monotonic()
        return Gst.PadProbeReturn.OK

    def answer(self, offer):
        peer = self.peer  # close() may come between
        ask(peer, 'set-remote-description', offer)
        text, self.heard = describe(peer, 'answer'), time.monotonic()
        return text

    def link(self):
        self.pad = self.camera.tee.request_pad_simple('src_%u')
        self.pad.link(self.branch.get_static_pad('sink'))
        self.camera.force_keyframe()

    def close(self):
        if self.pad:
            self.camera.tee.release_request_pad(self.pad)
        self.branch.set_state(Gst.State.NULL)
        self.camera.pipeline.remove(self.branch)
        self.branch = self.peer = None  # their handlers refer to this viewer, which no collector sees


class Camera:
    """The pipeline and its viewers. Viewers are linked and closed by the main loop."""

    def __init__(self, args):
        self.loop, self.problem = GLib.MainLoop(), None
        self.viewers, self.n_max, self.lock = {}, args.viewers, threading.Lock()
        self.pipeline = Gst.parse_launch(CAMERA.format(source=args.source, properties=' '.join(args.properties)))
        self.tee = self.pipeline.get_by_name('viewers')
        self.pipeline.get_by_name('segment').set_property('model', args.model)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect('message::error', self.on_error)
        self.tee.get_static_pad('sink').add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self.on_event)

    def run(self, address):
        """Until the source ends or Ctrl-C; an error's text, or None. Prints the address when the camera plays."""
        if self.pipeline.set_state(Gst.State.PLAYING) != Gst.StateChangeReturn.FAILURE:
            print(address, flush=True)
        GLib.timeout_add_seconds(1, self.look_after)
        try:
            self.loop.run()
        except KeyboardInterrupt:
            pass
        self.pipeline.set_state(Gst.State.NULL)
        return self.problem

    def on_event(self, _pad, info):
        if info.get_event().type == Gst.EventType.EOS:
            GLib.idle_add(self.loop.quit)  # which does nothing to a loop that has not begun
        return Gst.PadProbeReturn.OK

    def on_error(self, _bus, message):
        if not message.src.has_as_ancestor(self.pipeline):
            return None  # a viewer's who is removed already
        error, debug = message.parse_error()
        for name, viewer in list(self.viewers.items()):
            if message.src.has_as_ancestor(viewer.branch):
                return self.remove(name)
        self.problem = f'{message.src.get_name()}: {error.message}\n{debug}'
        return self.loop.quit()

    def force_keyframe(self):
        event = GstVideo.video_event_new_upstream_force_key_unit(Gst.CLOCK_TIME_NONE, True, 0)
        self.pipeline.get_by_name('encoder').get_static_pad('src').send_event(event)

    def add(self, text, address):
        """Takes a viewer's offer; its name and the answer."""
        offer, payload = parse_offer(text)
        name = secrets.token_urlsafe(16)
        with self.lock:
            if len(self.viewers) >= self.n_max:
                raise Refused(503, f'there are {self.n_max} viewers already (--viewers)', Retry_After=PATIENCE_S)
            viewer = self.viewers[name] = Viewer(self, payload, address)
        viewer.peer.connect('notify::connection-state', lambda *_: GLib.idle_add(self.on_state, name))
        try:
            answer = viewer.answer(offer)
            if name not in self.viewers:
                raise Refused(500, 'the viewer failed while it was answered')
            return name, answer
        except BaseException:
            GLib.idle_add(self.remove, name)
            raise

    def on_state(self, name):
        viewer = self.viewers.get(name)
        state = viewer and viewer.peer.get_property('connection-state')
        if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED and viewer.pad is None:
            viewer.link()
        elif state in (GstWebRTC.WebRTCPeerConnectionState.FAILED, GstWebRTC.WebRTCPeerConnectionState.CLOSED):
            self.remove(name)

    def look_after(self):
        for name, viewer in list(self.viewers.items()):
            if time.monotonic() > viewer.heard + PATIENCE_S:
                self.remove(name)
        return True

    def dismiss(self, name):
        """A viewer leaves; whether it was there."""
        known = name in self.viewers
        if known:
            GLib.idle_add(self.remove, name)
        return known

    def remove(self, name):
        viewer = self.viewers.pop(name, None)
        if viewer:
            viewer.close()


def count(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError('at least 1')
    return int(text)


def main():
    parser = argparse.ArgumentParser(description='Shows a segmented camera to browsers.')
    parser.add_argument('properties', metavar='PROPERTY=VALUE', nargs='*', help='of vksegment')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on')
    parser.add_argument('--port', type=int, default=8080)
    parser.add_argument('--source', default='v4l2src', help='a live source, as gst-launch-1.0 takes it')
    parser.add_argument('--model', default='selfie', help='path or name of a network')
    parser.add_argument('--viewers', type=count, default=8,
                        help='most viewers at once, others get 503 (%(default)s)')
    args = parser.parse_intermixed_args()
    Gst.init(None)
    for element, package in PACKAGES.items():
        if Gst.ElementFactory.make(element) is None:
            sys.exit(f'no {element}: it is of {package}')
    try:
        camera = Camera(args)
        server = whep.Server((args.host, args.port), camera)
    except GLib.Error as error:
        sys.exit(error.message)
    except (OSError, OverflowError) as error:
        sys.exit(f'{args.host}:{args.port}: {getattr(error, "strerror", error)}')
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.exit(camera.run('http://%s:%d/' % server.server_address[:2]))


if __name__ == '__main__':
    main()
