"""Clients that want a server's memory, not its answers: shared by test_memory_under_attack.py and bench/attack.py.

Each call is given a Target and returns a Crowd of open sockets; to close it ends the attack. Source addresses are spread over 127.0.0.0/8, since a
server counts connections by address (but for 127.0.0.1)."""

import collections
import contextlib
import json
import re
import resource
import socket
import ssl
import typing

from workers import Workers

PER_ADDRESS = 500
BIG_BODY_BYTES = 1024 * 1024


def raise_descriptors():
    """As many as the system lets us have; how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def address_of(number, per_address=PER_ADDRESS):
    """127.1.0.1 and on, for the connection of this number."""
    group = number // per_address
    return f"127.{1 + group // 250}.{group % 250}.1"


class Target(typing.NamedTuple):
    port: int
    tls: ssl.SSLContext | None = None

    def connect(self, connection, address, handshake=True):
        """Of a new socket a connection from that address, of TLS where that is spoken."""
        try:
            connection.bind((address, 0))
            connection.settimeout(10)
            connection.connect(("127.0.0.1", self.port))
            return self.tls.wrap_socket(connection) if self.tls and handshake else connection
        except OSError:
            connection.close()
            raise


class Crowd:
    def __init__(self):
        self.sockets, self.answers, self.over = [], collections.Counter(), set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.sockets:
            connection.close()

    def join(self, target, count, payload, receive_bytes=None, answered=False, per_address=PER_ADDRESS, handshake=True):
        """So many more connections, each with `payload` sent as far as the server takes it at once."""
        for number in range(len(self.sockets), len(self.sockets) + count):
            connection = socket.socket()
            self.sockets.append(connection)
            with contextlib.suppress(OSError):  # refused
                if receive_bytes is not None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
                connection = self.sockets[-1] = target.connect(connection, address_of(number, per_address), handshake)
                connection.setblocking(False)
                send_what_is_taken(connection, payload)
                if answered:
                    connection.settimeout(10)
                    self.answers[status_of(connection.recv(65536))] += 1
        return self

    def gone(self):
        """How many the server has closed, or answered with a refusal."""
        self.over.update(connection for connection in self.sockets if connection not in self.over and is_over(connection))
        return len(self.over)


def send_what_is_taken(connection, payload):
    left = memoryview(payload)
    with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
        while left:  # TLS sends a record at a time
            left = left[connection.send(left):]


def is_over(connection):
    """Looks at what has come; over TLS it takes it."""
    try:
        connection.setblocking(False)
        seen = connection.recv(16) if isinstance(connection, ssl.SSLSocket) else connection.recv(16, socket.MSG_PEEK)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    return not seen or status_of(seen) >= 400


def status_of(answer):
    found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(found.group(1)) if found else 0


def request(method, path, *fields, body=b""):
    head = [f"{method} {path} HTTP/1.1", "Host: a", *fields]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def idle(target, count):
    """Kept alive after a request each."""
    return Crowd().join(target, count, request("GET", "/livez"), answered=True)


def slow_heads(target, count, head_bytes=15 * 1024, per_address=PER_ADDRESS):
    """Nearly as long a head as is taken, without its end."""
    line = "X-A: " + "a" * 500
    head = request("GET", "/livez", *[line] * ((head_bytes - 60) // (len(line) + 2)))[:-2]
    return Crowd().join(target, count, head + b"X-B: ", per_address=per_address)


def slow_bodies(target, count, body_bytes):
    """Nearly all of the largest body that is taken, without its last byte."""
    return Crowd().join(target, count, request("POST", "/login", "Content-Type: application/json", body=b" " * body_bytes)[:-1])


def slow_readers(target, count, path="/openapi.json", requests=64):
    """Many requests in a row, whose answers nobody takes."""
    return Crowd().join(target, count, request("GET", path) * requests, receive_bytes=4096)


def half_hellos(target, count, record_bytes=15 * 1024):
    """The head of a ClientHello and most of it, but for its end; the server speaks TLS."""
    record = b"\x16\x03\x01" + record_bytes.to_bytes(2, "big") + b"\x01\x00" + (record_bytes - 4).to_bytes(2, "big") + b"\x03\x03"
    return Crowd().join(target, count, record + bytes(record_bytes - 7), handshake=False)


def long_hellos(target, count):
    """The head of one as long as OpenSSL takes (SSL3_RT_MAX_PLAIN_LENGTH × 8 and a little), in fifteen bytes."""
    return Crowd().join(target, count, b"\x16\x03\x01\x00\x0a\x01" + (131396).to_bytes(3, "big") + b"\x03\x03" + bytes(4), handshake=False)


def logins(target, count, email, password):
    """All at once; the answers are counted when they have come."""
    body = json.dumps({"email": email, "password": password}).encode()
    crowd = Crowd().join(target, count, request("POST", "/login", "Content-Type: application/json", body=body))
    for connection in crowd.sockets:
        with contextlib.suppress(OSError):
            connection.settimeout(60)
            crowd.answers[status_of(connection.recv(65536))] += 1
    return crowd


class BigBodies(Workers):
    """A context manager: threads that send bodies of a megabyte one after the other, on a new connection each."""

    def __init__(self, target, threads=4, chunked=False):
        super().__init__(self._run, threads)
        self.target, self.answers = target, collections.Counter()
        content = b" " * BIG_BODY_BYTES
        if chunked:
            self.payload = request("POST", "/login", "Content-Type: application/json", "Transfer-Encoding: chunked")
            self.payload += f"{BIG_BODY_BYTES:x}\r\n".encode() + content + b"\r\n0\r\n\r\n"
        else:
            self.payload = request("POST", "/login", "Content-Type: application/json", body=content)

    def _run(self, number):
        while not self.stopping.is_set():
            status = 0
            with contextlib.suppress(OSError), self.target.connect(socket.socket(), address_of(number * PER_ADDRESS)) as connection:
                with contextlib.suppress(OSError):  # a refusal comes before the body has gone
                    connection.sendall(self.payload)
                status = status_of(connection.recv(65536))
            self.answers[status] += 1
