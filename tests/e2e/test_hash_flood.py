"""Five hundred logins at once: memory stays bounded, and what needs no hash goes on (A8)."""

import concurrent.futures
import os
import time

import pytest

from keyward import SANITIZED, Keyward
from memory_bound import ARGON2_MEMORY_KIB, memory_of
from wire import Wire
from workers import Workers

LOGINS = 500
QUEUE = 64


class Sampler(Workers):
    """How long one kind of call takes, one after the other on a connection of its own."""

    def __init__(self, port, call):
        super().__init__(self._run, 1)
        self.wire, self.call, self.times, self.statuses = Wire(port), call, [], set()

    def _run(self, _number):
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                self.statuses.add(self.call(self.wire))
            except OSError as error:
                self.statuses.add(repr(error))
                return
            self.times.append(time.monotonic() - begun)
            time.sleep(0.005)

    def __exit__(self, *given):
        super().__exit__(*given)
        self.wire.close()

    @property
    def p99_s(self):
        return sorted(self.times)[int(len(self.times) * 0.99)]


def refresher(token):
    def call(wire):
        nonlocal token
        status, body = wire.refresh(token)
        token = (body or {}).get("refresh_token", token)
        return status

    return call


def samplers(server, token):
    return (Sampler(server.port, lambda wire: wire.call("GET", "/.well-known/jwks.json")[0]), Sampler(server.port, refresher(token)))


@pytest.mark.skipif(SANITIZED, reason="the shadow memory is no measure")
def test_A8_five_hundred_logins_at_once(data, email):
    env = {"KEYWARD_LIMITS_ENABLED": "false", "KEYWARD_PASSWORDS_QUEUE_MAX": str(QUEUE),
           "KEYWARD_PASSWORDS_ARGON2_ITERATIONS": "6"}  # so that the flood lasts for long enough to be looked at
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
        hashing = (os.cpu_count() or 1) * ARGON2_MEMORY_KIB / 1024
        assert memory_of(server.process, "VmHWM") <= before + hashing + 64
        for busy, alone in zip((keys.p99_s, refreshes.p99_s), quiet, strict=True):
            assert busy <= max(50 * alone, 1.0), (busy, alone)
        assert keys.statuses == refreshes.statuses == {200}
        assert len(keys.times) > 20 and len(refreshes.times) > 20
        refused = server.call("GET", "/readyz")
        assert refused.status == 200
