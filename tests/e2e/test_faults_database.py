"""Faults of the database, of a node and of the clock, under load: nothing answered is lost, nothing revoked lives (H4).

Each: no 5xx but 503 with Retry-After, and it goes on without a restart.
"""

import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import time

import pytest

import database as databases
from flows import wait_until
from keyward import GOOD_PASSWORD, SANITIZED, OneNode, command
from load import CHEAP, Load

FAKETIME = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
needs_postgres = pytest.mark.skipif(not databases.POSTGRES, reason="runs with KEYWARD_TEST_ENGINE=postgres")


@contextlib.contextmanager
def own_postgres(monkeypatch, *settings):
    """A server for one test, which the test's own look at the database uses too."""
    server = databases.PostgresServer(*settings)
    monkeypatch.setattr(databases, "url_of", lambda data: server.url())
    try:
        yield server
    finally:
        server.remove()


def processes_of(postgres):
    """The server and its children, as pids."""
    found = subprocess.run(["pgrep", "-P", str(postgres.process.pid)], capture_output=True, text=True, check=False)
    return [postgres.process.pid, *map(int, found.stdout.split())]


def send_to_all(postgres, signal_number):
    for pid in processes_of(postgres):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)


@needs_postgres
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "as a crash"])
def test_H4_postgres_restarted_under_load(data, monkeypatch, how):
    with own_postgres(monkeypatch) as postgres, OneNode(data, env=CHEAP) as server:
        with Load([server]) as load:
            load.wait_for(60, "at first")
            for _ in range(2):
                postgres.end(how)
                load.wait_for_status(503)
                postgres.start()
                load.wait_for(60, "after the restart")
        load.verify(server)


@needs_postgres
def test_H4_postgres_paused_for_five_seconds(data, monkeypatch):
    with own_postgres(monkeypatch) as postgres, OneNode(data, env=CHEAP) as server:
        with Load([server]) as load:
            load.wait_for(60, "at first")
            send_to_all(postgres, signal.SIGSTOP)
            began = time.monotonic()
            while time.monotonic() < began + 5:
                assert server.call("GET", "/livez", timeout_s=2).status == 200, "a loop waits for the database"
                time.sleep(0.2)
            send_to_all(postgres, signal.SIGCONT)
            load.wait_for(60, "after the pause")
        load.verify(server)


@needs_postgres
def test_H4_postgres_out_of_connections(data, monkeypatch):
    # 3 are kept for the superuser, who looks at the database here.
    settings = ("-c", "max_connections=13")
    with own_postgres(monkeypatch, *settings) as postgres:
        with contextlib.closing(databases.session_of(postgres.url())) as session, session, session.cursor() as cursor:
            cursor.execute("CREATE ROLE keyward LOGIN")
            cursor.execute("GRANT ALL ON SCHEMA public TO keyward")
        url = postgres.url().replace("postgres@", "keyward@")
        with OneNode(data, env={**CHEAP, "KEYWARD_STORAGE_URL": url}) as server:
            with Load([server]) as load:
                load.wait_for(40, "at first")
                greedy = []
                with contextlib.closing(databases.session_of(postgres.url())) as admin:
                    admin.autocommit = True
                    deadline = time.monotonic() + 30
                    while load.statuses.get(503, 0) < 20 and time.monotonic() < deadline:
                        admin.cursor().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'keyward%'")
                        with contextlib.suppress(Exception):
                            while True:
                                greedy.append(databases.session_of(url))
                assert load.statuses.get(503, 0) >= 20 and len(greedy) >= 3, load.statuses
                for session in greedy:
                    session.close()
                load.wait_for(60, "with room again")
            load.verify(server)


@pytest.mark.skipif(databases.POSTGRES, reason="the file is SQLite's")
def test_H4_the_disk_is_full_and_has_room_again(data):
    with OneNode(data, env=CHEAP) as server:
        with Load([server]) as load:
            load.wait_for(60, "at first")
            for _ in range(2):
                # Below what the files have already: the log may begin anew, and then has room for long.
                resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
                load.wait_for_status(503)
                time.sleep(0.5)
                assert server.call("GET", "/livez").status == 200
                resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                load.wait_for(60, "with room again")
        load.verify(server)
    assert databases.is_whole(data)
    assert command("audit", "verify", data=data)[0] == 0


def test_H4_one_of_three_nodes_killed_under_load(data):
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(OneNode(data, env=CHEAP)) for _ in range(3)]
        with Load(list(nodes), may_die=True) as load:
            load.wait_for(60, "at first")
            nodes[0].process.send_signal(signal.SIGKILL)
            load.wait_for(60, "after the first")
            load.servers.remove(nodes[0])
            nodes[1].process.send_signal(signal.SIGKILL)
            load.servers.remove(nodes[1])
            load.wait_for(60, "with one left")
        load.verify(nodes[2])
    assert databases.is_whole(data)
    assert command("audit", "verify", data=data)[0] == 0


class FakedClock:
    """The time of day of the processes that are started with its environment; waits are not concerned."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set("+0")
        self.environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

    def set(self, offset):
        new = self.file.with_suffix(".new")
        new.write_text(offset + "\n")
        new.rename(self.file)


@pytest.mark.skipif(FAKETIME is None or SANITIZED, reason="needs libfaketime (./dev setup), which no sanitizer tolerates")
@pytest.mark.parametrize("steps", [("+3600", "+0"), ("-3600", "+0")], ids=["forward", "back"])
def test_H4_a_clock_stepped_by_an_hour(data, tmp_path, steps):
    clock = FakedClock(tmp_path)
    env = {**CHEAP, **clock.environment}
    with OneNode(data, env=env) as stepping, OneNode(data, env=CHEAP) as steady:
        ended = steady.new_user("ended@example.com")
        assert stepping.call("POST", "/logout", token=ended["access_token"]).status == 204
        kept = stepping.new_user("kept@example.com")
        for step in steps:
            clock.set(step)
            for server in (stepping, steady):
                assert server.call("GET", "/me", token=ended["access_token"]).status == 401
                assert server.call("POST", "/refresh", {"refresh_token": ended["refresh_token"]}).status == 401
                again = server.call("POST", "/refresh", {"refresh_token": kept["refresh_token"]})
                assert again.status == 200, (step, again)
                kept = again.json
                assert server.call("GET", "/me", token=kept["access_token"]).status == 200
                assert server.login("kept@example.com").status == 200
            # What one node has ended no other knows as alive, whoever's clock is right.
            for one, other in ((stepping, steady), (steady, stepping)):
                session = one.login("kept@example.com").json
                assert one.call("POST", "/logout", token=session["access_token"]).status == 204
                for server in (one, other):
                    assert server.call("GET", "/me", token=session["access_token"]).status == 401
                    assert server.call("POST", "/refresh", {"refresh_token": session["refresh_token"]}).status == 401
            email = f"new{step}@example.com"
            assert stepping.register(email).status == 201
            assert steady.login(email, GOOD_PASSWORD).status == 200
        with Load([stepping, steady]) as load:
            load.wait_for(40, "before")
            for step in steps:
                clock.set(step)
                time.sleep(0.3)
            load.wait_for(40, "after")
        assert not [status for status in load.statuses if status >= 500], load.statuses
    assert command("audit", "verify", data=data)[0] == 0


def test_H4_a_clock_that_is_wrong_does_not_keep_deferred_work_from_others(data, tmp_path):
    if FAKETIME is None or SANITIZED:
        pytest.skip("needs libfaketime")
    clock = FakedClock(tmp_path)
    clock.set("+3600")
    with OneNode(data, env={**CHEAP, **clock.environment}) as fast, OneNode(data, env=CHEAP):
        assert fast.register("ada@example.com").status == 201
        assert fast.call("POST", "/forgot-password", {"email": "ada@example.com"}).status == 200

        def is_done():
            with databases.connect(data) as database:
                return database.execute("SELECT count(*) FROM deferred_requests").fetchone()[0] == 0

        wait_until(is_done, "the node that took the call carries it out")
