"""Five hundred logins at once: memory stays bounded, and what needs no hash goes on (A8)."""

import concurrent.futures
import os
import threading
import time

import pytest

from keyward import SANITIZED, Keyward
from wire import Wire

LOGINS = 500
QUEUE = 64
MIB = 1024 * 1024


def memory_of(process, name="VmRSS"):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name + ":"))


class Sampler:
    """How long one kind of call takes, one after the other on a connection of its own."""

    def __init__(self, port, call):
        self.wire, self.call, self.times = Wire(port), call, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.stop.is_set():
            begun = time.monotonic()
            assert self.call(self.wire) == 200
            self.times.append(time.monotonic() - begun)
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.wire.close()

    @property
    def p99_s(self):
        return sorted(self.times)[int(len(self.times) * 0.99)]


def refresher(token):
    def call(wire):
        nonlocal token
        status, body = wire.refresh(token)
        token = body["refresh_token"]
        return status

    return call


def samplers(server, token):
    return (Sampler(server.port, lambda wire: wire.call("GET", "/.well-known/jwks.json")[0]), Sampler(server.port, refresher(token)))


@pytest.mark.skipif(SANITIZED, reason="the shadow memory is no measure")
def test_A8_five_hundred_logins_at_once(data, email):
    env = {"KEYWARD_LIMITS_ENABLED": "false", "KEYWARD_PASSWORDS_QUEUE_MAX": str(QUEUE)}
    with Keyward(data, env=env) as server:
        first, second = server.new_user(email), server.login(email).json
        keys, refreshes = samplers(server, first["refresh_token"])
        with keys, refreshes:
            time.sleep(1)
        quiet = keys.p99_s, refreshes.p99_s

        wires = [Wire(server.port, timeout_s=60) for _ in range(LOGINS)]
        before = memory_of(server.process)
        keys, refreshes = samplers(server, second["refresh_token"])
        with keys, refreshes, concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda pair: pair[1].send("POST", "/login", {"email": f"{pair[0]}@example.com", "password": "wrong password"}),
                          enumerate(wires)))
            answers = [wire.read() for wire in wires]
        for wire in wires:
            wire.close()

        statuses = [status for status, _ in answers]
        assert set(statuses) == {401, 503}, set(statuses)
        hashed = server.metric("keyward_password_hashes_total")
        assert statuses.count(401) <= hashed and QUEUE <= statuses.count(401)
        # One hash at work for each core, whatever is asked; and what 500 connections and their requests take.
        hashing = (os.cpu_count() or 1) * 19456 * 1024
        assert memory_of(server.process, "VmHWM") <= before + hashing + 64 * MIB
        for busy, alone in zip((keys.p99_s, refreshes.p99_s), quiet, strict=True):
            assert busy <= max(50 * alone, 1.0), (busy, alone)
        assert len(keys.times) > 5 and len(refreshes.times) > 5  # the flood is over in a quarter of a second
        refused = server.call("GET", "/readyz")
        assert refused.status == 200
