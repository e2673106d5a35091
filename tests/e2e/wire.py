"""A connection that sends now and reads later, so that one thread has many calls in flight; and what a refresh token says."""

import base64
import json
import socket


class Wire:
    def __init__(self, port, user_agent="wire/1", timeout_s=30, tls=None):
        self.port, self.user_agent, self.timeout_s, self.tls = port, user_agent, timeout_s, tls
        self.socket, self.buffer = None, b""
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            self.socket = self.tls.wrap_socket(self.socket)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, method, path, body=None, token=None):
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {self.user_agent}\r\n"
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + content)

    def read(self):
        """(status, body) of the next answer; ConnectionError when there is none."""
        while b"\r\n\r\n" not in self.buffer:
            self._receive()
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        self.buffer = rest
        while len(self.buffer) < length:
            self._receive()
        content, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(lines[0].split()[1]), json.loads(content) if content else None

    def _receive(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("closed")
        self.buffer += chunk

    def call(self, method, path, body=None, token=None):
        self.send(method, path, body, token)
        return self.read()

    def refresh(self, token):
        return self.call("POST", "/refresh", {"refresh_token": token})


def generation_of(refresh_token):
    raw = base64.urlsafe_b64decode(refresh_token.removeprefix("kw_rt_") + "==")
    return int.from_bytes(raw[16:24], "big")


def session_of(refresh_token):
    return base64.urlsafe_b64decode(refresh_token.removeprefix("kw_rt_") + "==")[:16]
