"""A Redis of one's own, by tests/services/redis.sh, on a socket in a folder; and nodes of Keyward that share it."""

import contextlib
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from database import POSTGRES, drop_below, url_of
from keyward import OneNode

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "services/redis.sh"


class RedisServer:
    """It keeps nothing: after end() and start() it is empty."""

    def __init__(self, *options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="keyward-redis-", dir="/tmp")  # short, for the socket's sake
        self.process = None
        self.start()

    @property
    def socket(self):
        return os.path.join(self.folder, "redis.sock")

    @property
    def url(self):
        return "unix://" + self.socket

    def start(self):
        self.process = subprocess.Popen(["bash", str(SCRIPT), "serve", self.folder, *self.options])
        deadline = time.monotonic() + 20
        while True:
            try:
                self.ask("PING")
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, "Redis did not start (./dev setup)"
                time.sleep(0.01)

    def ask(self, *words):
        """One command; the raw bytes of its answer (short ones only)."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.socket)
            parts = [str(word).encode() for word in words]
            connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return connection.recv(1 << 20)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.socket)

    def remove(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def cluster(folder, count=3, redis=None, env=None):
    """Nodes with a data folder each, on one database and one master key."""
    shared = folder / "shared"
    shared.mkdir()
    settings = {
        "KEYWARD_MASTER_KEY": secrets.token_hex(32),
        "KEYWARD_SERVER_PUBLIC_URL": "http://localhost:8080",  # who issued a token, and for whom
        "KEYWARD_STORAGE_URL": url_of(shared) if POSTGRES else str(shared / "keyward.db"),
        **({"KEYWARD_REDIS_URL": redis.url} if redis else {}),
        **(env or {}),
    }
    nodes = []
    try:
        for number in range(count):
            nodes.append(OneNode(folder / f"node{number}", env=settings).start())
        yield nodes
    finally:
        for node in nodes:
            node.stop()
        drop_below(folder)


def hashes(nodes):
    """Passwords hashed so far, by all of them."""
    return sum(node.metric("keyward_password_hashes_total") for node in nodes)


def wait_for_redis(nodes, up):
    """Until every node has noticed that Redis is there, or that it is not."""
    deadline = time.monotonic() + 20
    while any(node.metric("keyward_redis_up") != up for node in nodes):
        assert time.monotonic() < deadline, f"keyward_redis_up is not {up}"
        time.sleep(0.02)
