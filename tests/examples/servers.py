# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers on this machine for lines of the network, for test-pipelines.py."""
import functools
import http.server
import re
import shlex
import signal
import subprocess
import sys
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
                                  stdout=subprocess.PIPE)
        closing.callback(server.wait)
        closing.callback(server.kill)
        port = server.stdout.readline()
        if not port:
            sys.exit('the RTSP server did not start')
        return int(port)

    def lack(self, command):
        """Why the servers that this line wants are not there."""
        return next((why for scheme, why in self.lacks.items() if f'{scheme}://' in command), None)

    @staticmethod
    def wanted(command):
        return ADDRESS.search(command)

    def run(self, command):
        """Runs a line against the servers here."""
        command = ADDRESS.sub(lambda m: f'{SCHEMES[m[1]]}://127.0.0.1:{self.ports[m[1]]}/', command)
        return self.publish(command) if 'rtspclientsink' in command else self.room.run(command)

    def publish(self, command):
        """Sends what a camera sees until the server has been sent something, and then is interrupted, as a
        reader does it: rtspclientsink does not end where the stream is over before its session begins."""
        sent = self.room.folder / SENT
        sent.unlink(missing_ok=True)
        with subprocess.Popen(shlex.split(command), cwd=self.room.folder, env=self.room.env, text=True,
                              errors='replace', stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            came = arrives(sent)
            process.send_signal(signal.SIGINT)
            try:
                output, _ = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                return f'{command}\ndoes not end'
        if process.returncode or not came or 'WARN' in output or 'ERROR' in output:
            return f'{command}\nexit status {process.returncode}, the server got something: {came}\n{output}'
        return None


def arrives(path):
    for _ in range(600):
        if path.exists() and path.stat().st_size:
            return True
        time.sleep(0.1)
    return False
