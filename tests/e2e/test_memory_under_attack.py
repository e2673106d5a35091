"""Memory (H2, A8): an idle server is small, an attacked one stays below the bound that docs/operations.md states and serves
others meanwhile, and afterwards it is small again."""

import pathlib
import time

import pytest

import attackers
from database import POSTGRES
from keyward import SANITIZED, GOOD_PASSWORD
from keyward import OneNode as Keyward
from memory_bound import bound_mib

IDLE_MIB = 12  # with PostgreSQL its library and those behind it come to it
CONNECTIONS = 4000
HASH_THREADS = 2
UNSENT_MAX_BYTES = 128 * 1024
ENV = {"KEYWARD_LIMITS_ENABLED": "false", "KEYWARD_PASSWORDS_HASH_THREADS": str(HASH_THREADS), "KEYWARD_REDIS_URL": None}

pytestmark = pytest.mark.skipif(SANITIZED, reason="the shadow memory is no measure")


def resident_mib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def peak_mib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def wait_until_small(server, most_mib, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while resident_mib(server) > most_mib:
        assert time.monotonic() < deadline, f"{resident_mib(server):.1f} MiB"
        time.sleep(0.2)


def unsent_bytes(port):
    """What the kernel holds for each connection of this port that its peer has not taken."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[4].split(":")[0], 16) for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]


@pytest.fixture(scope="module")
def count():
    return min(CONNECTIONS, attackers.raise_descriptors() - 500)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("attacked") / "data", env=ENV) as server:
        server.person = server.new_user("honest@example.com")
        yield server


def assert_others_are_served(server):
    assert server.call("GET", "/livez").status == 200
    assert server.call("GET", "/me", token=server.person["access_token"]).status == 200
    assert server.login("honest@example.com").status == 200


def assert_bounded(server, count):
    assert_others_are_served(server)
    assert peak_mib(server) <= bound_mib(count, HASH_THREADS), peak_mib(server)


def test_an_idle_server_is_small(data):
    with Keyward(data, env=ENV) as server:
        wait_until_small(server, IDLE_MIB + 8 * POSTGRES)


def test_H2_idle_connections(attacked, count):
    before = resident_mib(attacked)
    with attackers.idle(attacked.port, count) as crowd:
        assert crowd.answers[200] == count
        assert (resident_mib(attacked) - before) * 1024 / count <= 8  # KiB each
        assert_bounded(attacked, count)


def test_H2_heads_without_an_end(attacked, count):
    with attackers.slow_heads(attacked.port, count):
        assert_bounded(attacked, count)


def test_H2_bodies_without_their_last_byte(attacked, count):
    with attackers.slow_bodies(attacked.port, count, 64 * 1024) as crowd:
        assert_bounded(attacked, count)
        assert crowd.gone() > count / 4  # refused, since the others hold what there is


def test_H2_answers_that_nobody_takes(attacked, count):
    with attackers.slow_readers(attacked.port, count):
        assert_bounded(attacked, count)
        waiting = unsent_bytes(attacked.port)
        assert len(waiting) >= count
        assert max(waiting) <= UNSENT_MAX_BYTES, max(waiting)


@pytest.mark.parametrize("chunked", [False, True])
def test_H2_bodies_of_a_megabyte_at_full_speed(attacked, count, chunked):
    with attackers.BigBodies(attacked.port, chunked=chunked) as attack:
        while sum(attack.answers.values()) < 200:
            assert_others_are_served(attacked)
        assert_bounded(attacked, count)
    assert set(attack.answers) <= {0, 413}, attack.answers


def test_A8_logins_at_once(attacked, count):
    with attackers.logins(attacked.port, 500, "honest@example.com", GOOD_PASSWORD) as crowd:
        assert crowd.answers[200] > 0 and crowd.answers[200] + crowd.answers[503] == 500, crowd.answers
        assert_bounded(attacked, count)


def test_memory_is_given_back_afterwards(attacked):
    wait_until_small(attacked, 64)
