"""Memory (H2, A8): an idle server is small, an attacked one stays below the bound that docs/operations.md states and serves
others meanwhile, and afterwards it is small again."""

import pathlib
import time

import pytest

import attackers
from database import POSTGRES
from keyward import GOOD_PASSWORD, INSTRUMENTED, ROOT
from keyward import OneNode as Keyward
from memory_bound import ARGON2_MEMORY_KIB, CONNECTION_KIB, HELD_MIB, PROGRAM_MIB, TLS_KIB, bound_mib, memory_of
from smtp_server import Authority
from test_tls import Https, client_context, files_of
from wire import Wire

IDLE_MIB = 12  # with PostgreSQL its library and those behind it come to it
CONNECTIONS = 4000
HASH_THREADS = 2
UNSENT_MAX_BYTES = 128 * 1024
ENV = {"KEYWARD_LIMITS_ENABLED": "false", "KEYWARD_PASSWORDS_HASH_THREADS": str(HASH_THREADS), "KEYWARD_REDIS_URL": None}

pytestmark = pytest.mark.skipif(INSTRUMENTED, reason="shadow memory and counters are no measure")


def wait_until_small(server, most_mib, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while memory_of(server.process) > most_mib:
        assert time.monotonic() < deadline, f"{memory_of(server.process):.1f} MiB"
        time.sleep(0.2)


def unsent_bytes(port):
    """What the kernel holds for each connection of this port that its peer has not taken."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[4].split(":")[0], 16) for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]


@pytest.fixture(scope="module")
def count():
    return min(CONNECTIONS, attackers.raise_descriptors() - 500)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory, count):
    with Keyward(tmp_path_factory.mktemp("attacked") / "data", env=ENV) as server:
        server.person = server.new_user("honest@example.com")
        server.target = attackers.Target(server.port)
        yield server


def assert_others_are_served(server):
    assert server.call("GET", "/livez").status == 200
    assert server.call("GET", "/me", token=server.person["access_token"]).status == 200
    assert server.login("honest@example.com").status == 200


def wait_for_refusals(crowd, least):
    deadline = time.monotonic() + 20
    while crowd.gone() < least:
        assert time.monotonic() < deadline, crowd.gone()
        time.sleep(0.1)


def assert_bounded(server, count):
    assert_others_are_served(server)
    peak = memory_of(server.process, "VmHWM")
    assert peak <= bound_mib(count, HASH_THREADS), peak


def test_an_idle_server_is_small(data):
    with Keyward(data, env=ENV) as server:
        wait_until_small(server, IDLE_MIB + 8 * POSTGRES)


@pytest.mark.skipif(POSTGRES, reason="asks PostgreSQL")
def test_what_is_not_needed_is_not_loaded(data):
    with Keyward(data, env=ENV) as server:
        assert server.call("GET", "/me").status == 401
        maps = pathlib.Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libsqlite3" in maps
    for library in ("libpq", "libidn2", "libunistring", "libcurl", "libgmime", "libgnutls"):
        assert library not in maps, library


def test_H2_idle_connections(attacked, count):
    before = memory_of(attacked.process)
    with attackers.idle(attacked.target, count) as crowd:
        assert crowd.answers[200] == count
        assert (memory_of(attacked.process) - before) * 1024 / count <= 8  # KiB each
        assert_bounded(attacked, count)


def test_H2_heads_without_an_end(attacked, count):
    with attackers.slow_heads(attacked.target, count):
        assert_bounded(attacked, count)
    with attackers.slow_heads(attacked.target, 1000, per_address=1000) as crowd:
        wait_for_refusals(crowd, 1)  # one address has its share and no more


def test_H2_bodies_without_their_last_byte(attacked, count):
    with attackers.slow_bodies(attacked.target, count, 64 * 1024) as crowd:
        assert_bounded(attacked, count)
        wait_for_refusals(crowd, count / 4)  # the others hold what there is


def test_H2_answers_that_nobody_takes(attacked, count):
    with attackers.slow_readers(attacked.target, count):
        assert_bounded(attacked, count)
        waiting = unsent_bytes(attacked.port)
        assert len(waiting) >= count / 2  # the slowest of them have not been seen yet
        assert max(waiting) <= UNSENT_MAX_BYTES, max(waiting)


@pytest.mark.parametrize("chunked", [False, True])
def test_H2_bodies_of_a_megabyte_at_full_speed(attacked, count, chunked):
    with attackers.BigBodies(attacked.target, chunked=chunked) as attack:
        while sum(attack.answers.values()) < 200:
            assert_others_are_served(attacked)
        assert_bounded(attacked, count)
    assert set(attack.answers) <= {0, 413} and attack.answers[413] > 0, attack.answers


def test_A8_logins_at_once(attacked, count):
    with attackers.logins(attacked.target, 500, "honest@example.com", GOOD_PASSWORD) as crowd:
        assert crowd.answers[200] > 0 and crowd.answers[200] + crowd.answers[503] == 500, crowd.answers
        assert_bounded(attacked, count)


@pytest.fixture
def attacked_over_tls(tmp_path, count):
    authority = Authority(tmp_path)
    more = {"KEYWARD_PASSWORDS_HASH_THREADS": str(HASH_THREADS), "KEYWARD_REDIS_URL": None}
    with Https(tmp_path / "data", *files_of(authority, "server"), **more) as server:
        context = client_context(authority)
        context.check_hostname = False  # the attackers name an address
        server.target = attackers.Target(server.port, context)
        yield server


@pytest.mark.parametrize("name", ["half_hellos", "long_hellos", "idle", "slow_heads", "slow_readers", "slow_bodies"])
def test_H2_over_tls(attacked_over_tls, count, name):
    """On a server of its own: so much for each connection, beside what requests may hold."""
    server, peers = attacked_over_tls, min(count, 1500)
    before = memory_of(server.process)
    more = (64 * 1024,) if name == "slow_bodies" else ()
    with getattr(attackers, name)(server.target, peers, *more) as crowd:
        wire = Wire(server.port, tls=server.target.tls)
        assert wire.call("GET", "/livez")[0] == 200
        assert wire.call("POST", "/login", {"email": "nobody@example.com", "password": GOOD_PASSWORD})[0] == 401
        wire.close()
        grown_kib = (memory_of(server.process, "VmHWM") - before) * 1024
        hashes_kib = HASH_THREADS * ARGON2_MEMORY_KIB
        held_kib = HELD_MIB * 1024 if name.startswith("slow") else 0
        assert (grown_kib - hashes_kib - held_kib) / peers <= CONNECTION_KIB + TLS_KIB, grown_kib
        if name == "idle":
            assert crowd.answers[200] == peers
        elif name == "long_hellos":
            wait_for_refusals(crowd, peers)
        elif name != "slow_bodies":  # of which most do not fit
            assert crowd.gone() <= peers / 10


def test_memory_is_given_back_afterwards(attacked, count):
    with attackers.slow_bodies(attacked.target, count, 64 * 1024):
        assert_others_are_served(attacked)
        assert memory_of(attacked.process) > 64
    wait_until_small(attacked, 64)


def test_the_bound_is_the_documented_one():
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert f"{PROGRAM_MIB} MiB + {HELD_MIB} MiB + server.connections_max × {CONNECTION_KIB} KiB" in text
    assert f"+ server.connections_max × {TLS_KIB} KiB, if server.listen speaks TLS" in text
