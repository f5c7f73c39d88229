# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers on this machine for lines of the network, for test-pipelines.py."""
import functools
import http.server
import re
import shlex
import subprocess
import threading
import time

SCHEMES = {'rtsp': 'rtsp', 'https': 'http'}  # as documented, as served
ADDRESS = re.compile(rf'\b({"|".join(SCHEMES)})://\w+/')
SENT = 'sent.h264'  # what the RTSP server was sent
# Not by hlssink2: of GStreamer 1.22 it hangs now and then where frames come as fast as they are taken.
CLIP = ('videotestsrc num-buffers=20 ! video/x-raw,width=160,height=120,framerate=10/1 ! openh264enc gop-size=10 '
        '! h264parse ! mpegtsmux ! filesink location=stream.ts')
PLAYLIST = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXTINF:2,
stream.ts
#EXT-X-ENDLIST
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Servers:
    """What lines of the network talk to: a camera and a recorder by RTSP, HLS over HTTP."""

    def __init__(self, room, rtsp_server, closing):
        self.room, self.ports, self.lacks = room, {}, {}
        if not room.has('openh264enc'):
            self.lacks = dict.fromkeys(SCHEMES, 'no openh264enc')
            return
        self.ports['https'] = self.serve_http(closing)
        if rtsp_server:
            self.ports['rtsp'] = self.serve_rtsp(rtsp_server, closing)
        else:
            self.lacks['rtsp'] = 'built without libgstrtspserver-1.0-dev'

    def serve_http(self, closing):
        room = self.room
        room.call('gst-launch-1.0', '-q', *shlex.split(CLIP))
        (room.folder / 'stream.m3u8').write_text(PLAYLIST)
        handler = functools.partial(Quiet, directory=str(room.folder))
        server = closing.enter_context(http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        closing.callback(server.shutdown)
        return server.server_address[1]

    def serve_rtsp(self, program, closing):
        server = subprocess.Popen([program, SENT], cwd=self.room.folder, env=self.room.env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        closing.callback(server.wait)
        closing.callback(server.kill)
        return int(server.stdout.readline())

    def lack(self, command):
        """Why the servers that this line wants are not there."""
        return next((why for scheme, why in self.lacks.items() if f'{scheme}://' in command), None)

    @staticmethod
    def wanted(command):
        return ADDRESS.search(command)

    def run(self, command):
        """Runs a line against the servers here."""
        command = ADDRESS.sub(lambda m: f'{SCHEMES[m[1]]}://127.0.0.1:{self.ports[m[1]]}/', command)
        # Time for a session to begin before the last frame.
        command = command.replace('v4l2src', 'videotestsrc is-live=true num-buffers=30 '
                                  '! video/x-raw,width=160,height=120,framerate=30/1')
        sent = self.room.folder / SENT
        sent.unlink(missing_ok=True)
        problem = self.room.run(command)
        return problem or ('rtspclientsink' in command and not arrives(sent) and 'the server got nothing')


def arrives(path):
    for _ in range(50):
        if path.exists() and path.stat().st_size:
            return True
        time.sleep(0.1)
    return False
