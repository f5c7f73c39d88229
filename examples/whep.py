# SPDX-License-Identifier: LGPL-2.1-or-later
"""Offers and answers of WebRTC by HTTP, as WHEP has it, and a page that plays the video: the half of webrtc.py that
knows nothing of pipelines.

POST of an SDP offer to /whep is answered with all candidates; DELETE of the Location leaves. What clients can have
the server hold is bounded: an offer's size and a request's (413), the time for a request to come (408), and how many
are looked at at once; more of them wait until others are through, whoever these are of."""
import contextlib
import http.server
import io
import re
import threading
import time

MAX_OFFER_BYTES = 65536
MAX_REQUEST_BYTES = 1 << 20  # with an offer that is too long: it is read, so that the client reads why it is refused
MAX_REQUESTS = 32
REQUEST_S = 15
PAGE = b"""<!DOCTYPE html>
<meta charset="utf-8"><title>vkseg</title>
<body style="margin: 0; background: black">
<video autoplay muted playsinline style="display: block; width: 100%; height: 100vh"></video>
<script>
async function play() {
  const peer = new RTCPeerConnection()
  peer.addTransceiver('video', {direction: 'recvonly'})
  peer.ontrack = event => document.querySelector('video').srcObject = new MediaStream([event.track])
  await peer.setLocalDescription()
  const answer = await fetch('/whep', {method: 'POST', headers: {'Content-Type': 'application/sdp'},
                                       body: peer.localDescription.sdp})
  if (!answer.ok) throw new Error(await answer.text())
  addEventListener('pagehide', () => fetch(answer.headers.get('Location'), {method: 'DELETE', keepalive: true}))
  await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()})
}
addEventListener('pageshow', event => event.persisted && location.reload())
play().catch(error => document.body.textContent = error.message)
</script>
"""


class Refused(Exception):
    """An HTTP status, what to tell the client, and headers."""

    def __init__(self, status, text, **headers):
        super().__init__(status, text)
        self.status, self.text, self.headers = status, text, headers


class Request(io.RawIOBase):
    """What a client sends, within bounds however slowly it comes; a timeout of the socket's would be for each part."""

    def __init__(self, connection):
        super().__init__()
        self.connection, self.n_left_bytes, self.end = connection, MAX_REQUEST_BYTES, time.monotonic() + REQUEST_S

    def readable(self):
        return True

    def receive(self, buffer, limit_s):
        if limit_s <= 0:
            raise TimeoutError
        self.connection.settimeout(limit_s)
        return self.connection.recv_into(buffer)

    def readinto(self, buffer):
        if self.n_left_bytes == 0:
            raise Refused(413, f'a request has at most {MAX_REQUEST_BYTES} bytes')
        try:
            n_bytes = self.receive(buffer[:self.n_left_bytes], self.end - time.monotonic())
        except TimeoutError:
            raise Refused(408, f'a request comes in at most {REQUEST_S} s') from None
        self.n_left_bytes -= n_bytes
        return n_bytes


class Handler(http.server.BaseHTTPRequestHandler):
    command = requestline = request_version = ''  # until they are read

    def setup(self):
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(Request(self.connection))

    def handle(self):
        with contextlib.suppress(ConnectionError, TimeoutError):
            try:
                super().handle()
            except Refused as refused:
                self.reply(refused.status, refused.text.encode(), Content_Type='text/plain', **refused.headers)

    def reply(self, status, body=b'', **headers):
        self.connection.settimeout(REQUEST_S)
        self.send_response(status)
        for name, value in dict(headers, Content_Length=len(body)).items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def read_body(self):
        """What is announced, if it is not too much: with anything unread, the connection would be reset."""
        length = self.headers.get('Content-Length', '')
        if not re.fullmatch(r'\d+', length, flags=re.A):
            raise Refused(411, 'no Content-Length')
        n_bytes = int(length[:10])
        body = self.rfile.read(n_bytes) if n_bytes <= MAX_REQUEST_BYTES else b''
        if n_bytes > MAX_OFFER_BYTES:
            raise Refused(413, f'an offer has at most {MAX_OFFER_BYTES} bytes')
        return body.decode('ascii', 'replace')

    def do_GET(self):
        if self.path == '/':
            return self.reply(200, PAGE, Content_Type='text/html')
        return self.refuse_method()

    do_HEAD = do_GET

    def do_PATCH(self):
        with contextlib.suppress(Refused):
            self.read_body()
        self.refuse_method()

    def refuse_method(self):
        for path, methods in (('/', 'GET, HEAD'), ('/whep', 'POST'), ('/whep/.+', 'DELETE')):
            if re.fullmatch(path, self.path):
                return self.reply(405, Allow=methods)
        return self.reply(404)

    def do_POST(self):
        name, answer = self.server.camera.add(self.read_offer(), self.connection.getsockname()[0])
        self.reply(201, answer.encode(), Content_Type='application/sdp', Location=f'/whep/{name}')

    def read_offer(self):
        text = self.read_body()
        if self.path != '/whep':
            raise Refused(404, 'offers go to /whep')
        if self.headers.get_content_type() != 'application/sdp':  # which pages of others may not send
            raise Refused(415, 'not application/sdp')
        host = self.headers.get('Host', '').partition(':')[0]
        if self.server.server_address[0] == '127.0.0.1' and host not in ('127.0.0.1', 'localhost'):
            raise Refused(403, f'{host} is not this machine (--host)')  # a page whose name leads here
        return text

    def do_DELETE(self):
        folder, _, name = self.path.rpartition('/')
        self.reply(200 if folder == '/whep' and self.server.camera.dismiss(name) else 404)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Serves a camera: its add(offer, address) gives a viewer's name and the answer, or is Refused, its dismiss(name)
    says whether there was such a viewer. Both are called by threads of the server's."""

    request_queue_size = MAX_REQUESTS  # those that wait

    def __init__(self, address, camera):
        self.camera, self.free = camera, threading.Semaphore(MAX_REQUESTS)
        super().__init__(address, Handler)

    def process_request(self, request, client_address):
        self.free.acquire()
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.free.release()
