"""Servers of others for the tests: several peers behind one port of this machine, each below a path of its own."""

import collections
import http.server
import json
import re
import threading
import time
import traceback
import urllib.parse

JSON = "application/json"


class Reply:
    """What a peer answers. chunks: the body in pieces, with a pause before each, and no Content-Length."""

    def __init__(self, status=200, body=b"", headers=None, delay_s=0, chunks=None, pause_s=0):
        self.status, self.headers = status, dict(headers or {})
        self.body, self.delay_s, self.chunks, self.pause_s = body, delay_s, chunks, pause_s

    @classmethod
    def json(cls, value, status=200, **more):
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        return cls(status, content, {"Content-Type": JSON, "Cache-Control": "no-store"}, **more)


class Asked:
    """One request as it came."""

    def __init__(self, method, path, query, form, headers):
        self.method, self.path, self.query, self.form, self.headers = method, path, query, form, headers


def single_values(text):
    """A query or form, each name once."""
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    assert len({name for name, _ in pairs}) == len(pairs), f"twice in {text}"
    return dict(pairs)


class Peer:
    """Somebody below /NAME. `asked`: what came, in order; `counts`: how often each path."""

    def __init__(self, peers, name):
        self.name, self.base = name, f"{peers.url}/{name}"
        self.asked, self.counts = [], collections.Counter()
        self.complaints = []  # what a real one would not have taken
        self.overrides = {}  # path → a function of Asked that gives the Reply
        self.lock = threading.Lock()
        peers.by_name[name] = self

    def answer(self, asked):
        with self.lock:
            self.asked.append(asked)
            self.counts[asked.path] += 1
        if asked.path in self.overrides:
            return self.overrides[asked.path](asked)
        method = getattr(self, "do" + re.sub("[^a-z0-9]+", "_", asked.path), None)
        return method(asked) if method else Reply.json({"message": "Not Found"}, 404)

    def complain(self, what, error="invalid_request", status=400):
        self.complaints.append(what)
        return Reply.json({"error": error, "error_description": what}, status)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self):
        target = urllib.parse.urlsplit(self.path)
        _, name, *rest = target.path.split("/")
        content = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        peer = self.server.by_name.get(name)
        form = None
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            form = single_values(content)
        asked = Asked(self.command, "/" + "/".join(rest), single_values(target.query), form, self.headers)
        try:
            reply = peer.answer(asked) if peer else Reply.json({"message": "nobody here"}, 404)
        except Exception:  # told by the fixture at the end
            self.server.failures.append(traceback.format_exc())
            reply = Reply.json({"error": "server_error"}, 500)
        self._send(reply)

    do_GET = do_POST = do_HEAD = _serve

    def _send(self, reply):
        if reply.delay_s:
            time.sleep(reply.delay_s)  # slowness is what is tested
        head = [f"HTTP/1.1 {reply.status} x"] + [f"{name}: {value}" for name, value in reply.headers.items()]
        if reply.chunks is None:
            head.append(f"Content-Length: {len(reply.body)}")
            self.wfile.write("\r\n".join(head).encode() + b"\r\n\r\n" + reply.body)
            return
        head.append("Transfer-Encoding: chunked")
        self.wfile.write("\r\n".join(head).encode() + b"\r\n\r\n")
        for chunk in reply.chunks:
            time.sleep(reply.pause_s)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            pass  # who asked has gone

    def log_message(self, *_):
        pass


class Peers(http.server.ThreadingHTTPServer):
    """host: what stands in URLs for `address`. tls: an ssl.SSLContext."""

    request_queue_size = 512
    daemon_threads = True

    def __init__(self, address="127.0.0.1", host=None, tls=None, port=0):
        super().__init__((address, port), _Handler)
        self.by_name, self.connections, self.failures = {}, 0, []
        self.url = f"{'https' if tls else 'http'}://{host or address}:{self.server_port}"
        self.tls = tls
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def process_request_thread(self, request, client_address):
        self.connections += 1
        if self.tls is not None:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                request.close()
                return
        super().process_request_thread(request, client_address)

    def handle_error(self, request, client_address):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
