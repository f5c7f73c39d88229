#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/webrtc.py, seen by viewers of GStreamer's on the loopback: test-webrtc.py SOURCE_ROOT HELPER PLUGINS.
Prints TAP. Runs in a Python that has GObject introspection, GStreamer's typelibs and libnice's."""
import argparse
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from gipython import find_python
from tap import NO_DEVICE, done, lacks_device, result

ELEMENTS = {'webrtcbin': 'gstreamer1.0-plugins-bad', 'nicesink': 'gstreamer1.0-nice',
            'vp8enc': 'gstreamer1.0-plugins-good'}
FRAMES_A_S = 15
PICTURE = f'videotestsrc {{}} pattern=smpte75 ! video/x-raw,width=160,height=120,framerate={FRAMES_A_S}/1'
CAMERA = PICTURE.format('is-live=true')
N_FRAMES = 10
N_JOINS = 10
PATIENCE_S = 30
# Of 256 levels, on average: what VP8 may change of the segmented picture. The one that is not is 40 away.
CODED = 6
# of whep.py
MAX_OFFER_BYTES = 65536
MAX_REQUEST_BYTES = 1 << 20
MAX_REQUESTS = 32
REQUEST_S = 15
AT_ONCE_S = 5  # there is a key frame each 11 minutes, unless it is asked for; of two who come, one may find no time


def request(url, method, body=None, **headers):
    """The status, the answer's text and its headers."""
    headers = {name.replace('_', '-'): value for name, value in headers.items()}
    wanted = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(wanted, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(), e.headers
    except OSError as e:  # URLError, or the connection is reset
        return 0, str(e), {}


def connect(address):
    return socket.create_connection(re.search(r'//(.*):(.*)/', address).groups(), PATIENCE_S)


def read_status(client):
    return int((client.recv(99).split() + [0, 0])[1])


def offer(address, text):
    return request(f'{address}whep', 'POST', text, Content_Type='application/sdp')


# --- in a Python with GObject introspection ----------------------------------------------------------


class Watcher:
    """A viewer: counts frames, and keeps the first and the last of them."""

    def __init__(self, webrtc, payload, audio=False):
        Gst = webrtc.Gst
        self.webrtc, self.frames, self.first, self.last = webrtc, 0, None, None
        self.pipeline = Gst.parse_launch(
            'webrtcbin name=peer bundle-policy=max-bundle rtpvp8depay name=depay ! vp8dec ! videoconvert '
            '! video/x-raw,format=RGB ! fakesink name=sink signal-handoffs=true sync=false')
        self.peer = self.pipeline.get_by_name('peer')
        self.peer.connect('deep-element-added', webrtc.set_up_ice, '127.0.0.1')
        depay = self.pipeline.get_by_name('depay')
        self.peer.connect('pad-added', lambda _peer, pad: pad.link(depay.get_static_pad('sink')))
        self.pipeline.get_by_name('sink').connect('handoff', self.on_frame)
        self.pipeline.set_state(Gst.State.PLAYING)
        sound = ['audio,encoding-name=OPUS,encoding-params=(string)2,clock-rate=48000,payload=98'] if audio else []
        for media in (*sound, f'video,encoding-name=VP8,clock-rate=90000,payload={payload}'):
            self.peer.emit('add-transceiver', webrtc.GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                           Gst.Caps.from_string(f'application/x-rtp,media={media}'))

    def on_frame(self, _sink, buffer, _pad):
        picture = buffer.extract_dup(0, buffer.get_size())
        self.first, self.last, self.frames = self.first or picture, picture, self.frames + 1

    def offer(self):
        return self.webrtc.describe(self.peer, 'offer')

    def join(self, address):
        """Where its session lies."""
        webrtc = self.webrtc
        status, answer, headers = offer(address, self.offer().encode())
        if status != 201:
            sys.exit(f'status {status}: {answer}')
        sdp = webrtc.GstSdp.SDPMessage.new_from_text(answer)[1]
        webrtc.ask(self.peer, 'set-remote-description',
                   webrtc.GstWebRTC.WebRTCSessionDescription.new(webrtc.GstWebRTC.WebRTCSDPType.ANSWER, sdp))
        return headers['Location']

    def stops(self, beside):
        """Whether none come any more, of which another who watches sees a second's worth."""
        end, frames = time.monotonic() + PATIENCE_S, -1
        while frames != self.frames and time.monotonic() < end:
            frames = self.frames
            if not beside.sees(FRAMES_A_S):
                return False
        return frames == self.frames

    def sees(self, n, limit_s=PATIENCE_S / 2):
        """Whether n more frames come; in how many seconds."""
        start, enough = time.monotonic(), self.frames + n
        while self.frames < enough and time.monotonic() < start + limit_s:
            time.sleep(0.05)
        return self.frames >= enough and time.monotonic() - start


def still(webrtc, pipeline):
    """The first frame of a pipeline."""
    Gst, frames = webrtc.Gst, []
    pipeline = Gst.parse_launch(f'{pipeline} ! videoconvert ! video/x-raw,format=RGB ! fakesink name=sink '
                                'signal-handoffs=true')
    pipeline.get_by_name('sink').connect(
        'handoff', lambda _s, buffer, _p: frames.append(buffer.extract_dup(0, buffer.get_size())))
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(PATIENCE_S * Gst.SECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    return frames[0]


def difference(a, b):
    return sum(abs(x - y) for x, y in zip(a, b)) / len(a) if len(a) == len(b) else 256


def load(examples):
    sys.path.insert(0, examples)
    import webrtc
    webrtc.Gst.init(None)
    webrtc.GATHERING_S = PATIENCE_S  # of what this process asks
    return webrtc


def fail(examples):
    """Two viewers, of whom one's branch fails, with two errors. Prints who is left and what ends the camera."""
    webrtc = load(examples)
    camera = webrtc.Camera(argparse.Namespace(source=CAMERA, model='selfie', properties=[], viewers=2))
    threading.Thread(target=camera.run, args=['plays'], daemon=True).start()
    text = Watcher(webrtc, 96).offer()
    names = [camera.add(text, '127.0.0.1')[0] for _ in range(2)]
    error = webrtc.GLib.Error.new_literal(webrtc.Gst.StreamError.quark(), 'made up', 1)
    peer = camera.viewers[names[0]].peer
    bus, handled = camera.pipeline.get_bus(), threading.Event()
    bus.connect('message::application', lambda *_: handled.set())
    for _ in range(2):
        bus.post(webrtc.Gst.Message.new_error(peer, error, ''))
    bus.post(webrtc.Gst.Message.new_application(peer, webrtc.Gst.Structure.new_empty('behind-them')))
    handled.wait(PATIENCE_S)
    print(json.dumps([[name in camera.viewers for name in names], camera.problem]), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def watch(examples, address):
    """Two viewers, of whom one leaves as one should and another, who would have sound first, comes; both vanish with
    this process. Prints JSON."""
    webrtc = load(examples)
    source = PICTURE.format('num-buffers=1')
    plain, segmented = still(webrtc, source), still(webrtc, f'{source} ! videoconvert ! vksegment model=selfie')
    one, other, third = Watcher(webrtc, 96), Watcher(webrtc, 111), Watcher(webrtc, 97, audio=True)
    text, seen = Watcher(webrtc, 96).offer().encode(), {}
    one.join(address)
    seen['first'] = one.sees(N_FRAMES)
    location = other.join(address)
    seen['second'] = other.sees(1)
    seen['first beside the second'] = one.sees(N_FRAMES)
    status, _, headers = offer(address, text)
    seen['full'] = status, headers.get('Retry-After')
    seen['left'] = request(address.rstrip('/') + location, 'DELETE')[0]
    seen['first after the second'] = one.sees(N_FRAMES)
    seen['second stops'] = other.stops(beside=one)  # it was to leave soon, says the 200; now it has
    seen['left again'] = request(address.rstrip('/') + location, 'DELETE')[0]
    third.join(address)
    seen['third in its place'] = third.sees(1)
    seen['plain'] = difference(segmented, plain)
    seen['coded'] = [difference(segmented, p) for p in (one.last, other.first)]
    print(json.dumps(seen), flush=True)
    Path('offer.sdp').write_bytes(text)
    os.kill(os.getpid(), signal.SIGKILL)


# --- outside -------------------------------------------------------------------------------------------


def check_watched(run, python, examples, address):
    try:
        process = run(python, __file__, '--watch', examples, address)
        problem = not process.stdout and (process.stderr or 'no word')
    except subprocess.TimeoutExpired as e:
        problem = f'{e}: {e.stdout} {e.stderr}'
    if not result('two viewers', problem):
        return
    seen = json.loads(process.stdout)
    for who in ('first', 'second', 'first beside the second', 'first after the second', 'third in its place'):
        result(f'frames: the {who}', not seen[who] and 'not enough of them')
        print(f'# in {float(seen[who]):.2f} s')
    sooner = min(seen['second'], seen['third in its place'])
    result('viewers who come see at once', not 0 < sooner < AT_ONCE_S and f'the sooner of two after {sooner} s')
    print(f'# from the segmented picture {seen["coded"]}, the plain one {seen["plain"]}')
    result('the picture of both is the segmented one', not max(seen['coded']) < CODED < seen['plain'] / 4
           and f'{seen["coded"]} from it; the plain one is {seen["plain"]}')
    result('a third of two: 503, and when to come again', seen['full'] != [503, '15'] and seen['full'])
    result('one leaves: 200, then 404', (seen['left'], seen['left again']) != (200, 404) and seen)
    result('and sees nothing more', not seen['second stops'] and 'frames that come still, or none of the first')


def check_vanished(address, text):
    """Who is gone without a word makes room for others, and so does who never comes."""
    for who in ('one viewer vanished', 'the other vanished', 'an offer without a viewer'):
        start = time.monotonic()
        while (status := offer(address, text)[0]) == 503 and time.monotonic() < start + PATIENCE_S:
            time.sleep(0.2)
        result(f'{who}: noticed', status != 201 and f'status {status} for {PATIENCE_S} s')
        print(f'# after {time.monotonic() - start:.1f} s')


def check_failed(run, python, examples):
    """The second message comes when its viewer is gone."""
    process = run(python, __file__, '--fail', examples)
    left = process.stdout.splitlines()[-1:]
    result("a viewer's failure is not the others'", left != ['[[false, true], null]'] and f'{left} {process.stderr}')


def check_released(server, address, text):
    """Who leaves leaves nothing behind, be it after a while."""
    n_open = []

    def lasts():
        n_open.append(len(os.listdir(f'/proc/{server.pid}/fd')))
        return n_open[-1] >= n_open[0] + N_JOINS

    for _ in range(N_JOINS):
        start = time.monotonic()
        while (taken := offer(address, text))[0] == 503 and time.monotonic() < start + PATIENCE_S:
            time.sleep(0.1)
        if taken[0] != 201 or request(address.rstrip('/') + taken[2]['Location'], 'DELETE')[0] != 200:
            result('one who joins and leaves', taken)
            return
        time.sleep(0.2)
        lasts()
    start = time.monotonic()
    while (left := lasts()) and time.monotonic() < start + PATIENCE_S:
        time.sleep(1)
    result('descriptors after many have left', left and n_open)
    print(f'# {n_open}')


def check_refused(address):
    rtpmap = (b'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF %d\r\n'
              b'a=rtpmap:%d VP8/90000\r\n')
    short = rtpmap % (96, 96)
    bad = {'no SDP': b'nonsense', 'nothing': b'', 'bytes': bytes(range(256)), 'no ICE': short, 'two videos': 2 * short,
           'a zero first': b'\0' + short, 'no such payload': rtpmap % (999, 999)}
    for name, text in bad.items():
        status, why, _ = offer(address, text)
        result(f'a bad offer: {name}', (status != 400 or not why) and f'status {status}: {why}')
    for name, wanted, url, body, headers in (
            ('no type of SDP', 415, 'whep', b'v=0', {'Content_Type': 'text/plain'}),
            ('another path', 404, 'whip', b'v=0', {}),
            ('too long', 413, 'whep', bytes(MAX_OFFER_BYTES + 1), {}),
            ('by a name of its own', 403, 'whep', b'v=0', {'Host': 'example.org'})):
        status, why, _ = request(address + url, 'POST', body, **{'Content_Type': 'application/sdp', **headers})
        result(f'an offer refused: {name}', status != wanted and f'status {status}: {why}')
    head = b'POST /whep HTTP/1.0\r\nContent-Type: application/sdp\r\nHost: localhost\r\n'
    long = head + 20 * (b'X: ' + bytes(60000) + b'\r\n')
    for name, wanted, text in (('-1 bytes', 411, head + b'Content-Length: -1\r\n\r\n'),
                               ('x bytes', 411, head + b'Content-Length: x\r\n\r\n'),
                               ('more than is read', 413, head + b'Content-Length: 99999999999999999999\r\n\r\n'),
                               ('headers without end', 413, long[:MAX_REQUEST_BYTES])):
        with connect(address) as client:
            client.sendall(text)
            status = read_status(client)
        result(f'an offer refused: {name}', status != wanted and status)
    for method, path in (('GET', 'whep'), ('PATCH', 'whep/x'), ('PATCH', '')):
        status = request(address + path, method, None if method == 'GET' else b'x')[0]
        result(f'not allowed: {method} /{path}', status != 405 and status)
    result('leaving by a path of no session', request(address + 'x', 'DELETE')[0] != 404 and 'is there')
    status, page, _ = request(address, 'GET')
    result('the page', (status != 200 or '<video' not in page) and f'status {status}: {page}')
    result('no other page', request(address + 'x', 'GET')[0] != 404 and 'is there')


def check_endless(address):
    """Requests that do not come, or bit by bit, are told so in time; so many of them hold up others no longer."""
    start, statuses, page = time.monotonic(), [], []
    with contextlib.ExitStack() as open_ones:
        clients = [open_ones.enter_context(connect(address)) for _ in range(MAX_REQUESTS)]
        clients[1].sendall(b'POST /whep HTTP/1.0\r\nX: ')
        clients[2].sendall(b'POST /whep HTTP/1.0\r\nContent-Length: 999\r\n\r\n')
        slow, waiting = clients[1:3], set(clients)
        other = threading.Thread(target=lambda: page.extend((request(address, 'GET')[0], time.monotonic() - start)))
        other.start()
        while waiting and time.monotonic() < start + PATIENCE_S:
            for client in select.select(waiting, [], [], 0.5)[0]:
                statuses.append(read_status(client))
                waiting.remove(client)
            for client in waiting.intersection(slow):
                with contextlib.suppress(ConnectionError):  # it may have been told since
                    client.sendall(b'x')
        told_s = time.monotonic() - start
    other.join()
    result('requests without end', (statuses != MAX_REQUESTS * [408] or told_s < REQUEST_S)
           and f'{statuses} after {told_s:.1f} s')
    result('as many as are looked at: another waits for them', (page[0] != 200 or page[1] < REQUEST_S)
           and f'status {page[0]} after {page[1]:.1f} s')
    print(f'# told after {told_s:.1f} s, the other after {page[1]:.1f} s')


def check_errors(run, python, example, address, folder):
    port = address.rstrip('/').rpartition(':')[2]
    for name, wanted, words, env in (
            ('port in use', f'127.0.0.1:{port}: Address already in use', ('--port', port, '--source', CAMERA), {}),
            ('no such address', '203.0.113.1:', ('--host', '203.0.113.1', '--source', CAMERA), {}),
            ('no camera', '/dev/video99', ('--port', '0', '--source', 'v4l2src device=/dev/video99'), {}),
            ('no such element', 'no element "nosuchsrc"', ('--port', '0', '--source', 'nosuchsrc'), {}),
            ('no such property', 'no property "colour"', ('--port', '0', 'colour=red'), {}),
            ('no such network', 'VKSEG_MODEL_PATH', ('--port', '0', '--source', CAMERA, '--model', 'nothing'), {}),
            ('no vksegment', 'no vksegment: it is of vkseg', (),
             {'GST_PLUGIN_PATH': '', 'GST_REGISTRY': f'{folder}/other'})):
        lost = run(python, example, *words, **env)
        result(name, (lost.returncode != 1 or wanted not in lost.stderr or 'Traceback' in lost.stderr)
               and f'exit status {lost.returncode}: {lost.stderr}')
    for viewers, wanted in (('0', 'argument --viewers: at least 1'), ('many', "invalid count value: 'many'")):
        lost = run(python, example, '--viewers', viewers)
        result(f'{viewers} viewers', (lost.returncode != 2 or wanted not in lost.stderr)
               and f'exit status {lost.returncode}: {lost.stderr}')
    ended = run(python, example, '--port', '0', '--source', CAMERA.replace(' pattern', ' num-buffers=5 pattern'))
    result('the end of the source', (ended.returncode or ended.stderr) and f'{ended.returncode}: {ended.stderr}')


def check_all(run, server, address, python, source, folder):
    example = source / 'examples' / 'webrtc.py'
    check_refused(address)
    check_endless(address)
    check_watched(run, python, str(example.parent), address)
    if (folder / 'offer.sdp').exists():
        check_vanished(address, (folder / 'offer.sdp').read_bytes())
        check_released(server, address, (folder / 'offer.sdp').read_bytes())
    check_failed(run, python, str(example.parent))
    check_errors(run, python, str(example), address, folder)
    server.send_signal(signal.SIGINT)
    server.wait(timeout=PATIENCE_S)
    output = (folder / 'stderr').read_text()
    result('Ctrl-C, and no word of complaint', (server.returncode or output) and f'{server.returncode}: {output}')


def main(source, helper, plugins):
    python = find_python(Gst='1.0', GstSdp='1.0', GstVideo='1.0', GstWebRTC='1.0', Nice='0.1')
    # Not by --exists, which wants GStreamer's version of libnice's plugin.
    lacks = [f'{e} ({p})' for e, p in ELEMENTS.items()
             if subprocess.run(['gst-inspect-1.0', e], capture_output=True).returncode]
    if python is None or lacks:
        print('1..0 # SKIP no', ', '.join(lacks) or 'typelibs (gir1.2-gst-plugins-bad-1.0, gir1.2-nice-0.1)')
        return
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, GST_PLUGIN_PATH=str(plugins), VKSEG_MODEL_PATH=folder, PYTHONDONTWRITEBYTECODE='1',
                   GST_REGISTRY=f'{folder}/registry', XDG_CACHE_HOME=folder)

        def run(*words, **more):
            return subprocess.run([str(w) for w in words], cwd=folder, env=dict(env, **more), capture_output=True,
                                  text=True, timeout=4 * PATIENCE_S)

        run(helper, 'nets', folder).check_returncode()
        command = [python, source / 'examples' / 'webrtc.py', '--port', '0', '--viewers', '2', '--source', CAMERA]
        with open(f'{folder}/stderr', 'w') as errors:
            server = subprocess.Popen(command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=errors)
        try:
            address = server.stdout.readline().strip()
            no_device = not address and server.wait(PATIENCE_S) and lacks_device(Path(folder, 'stderr').read_text())
            if no_device:
                result('a device', None, skip=NO_DEVICE)
            elif result('the address is printed', not re.fullmatch(r'http://127\.0\.0\.1:\d+/', address) and address):
                check_all(run, server, address, python, source, Path(folder))
        finally:
            server.kill()
            server.communicate()
            sys.stderr.write(Path(folder, 'stderr').read_text())
    done()


if sys.argv[1] == '--watch':
    watch(*sys.argv[2:])
elif sys.argv[1] == '--fail':
    fail(*sys.argv[2:])
else:
    main(*(Path(a).resolve() for a in sys.argv[1:4]))
