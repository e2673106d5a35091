"""/livez and /readyz: what a load balancer and an orchestrator go by, also while the server ends and while its database is away."""

import http.client
import os
import pathlib
import signal
import socket
import time

import pytest

from database import POSTGRES, PostgresServer, connect
from keyward import OneNode as Keyward

MANAGED = {"KEYWARD_SERVER_MANAGEMENT_LISTEN": "127.0.0.1:0"}


def status_on(connection):
    return int(connection.recv(65536).split()[1])


def wait_until_ready(server):
    deadline = time.monotonic() + 30
    while server.call("GET", "/readyz").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def processes_of(postgres):
    """The postmaster and its children: those that serve, and those that make new ones."""
    pid = postgres.process.pid
    return [pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def test_a_server_that_is_ready_says_so(server):
    answer = server.call("GET", "/readyz")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "checks": {"database": "ok", "migrations": "ok", "drain": "ok"}}
    assert server.call("GET", "/livez").json == {"status": "ok"}


def test_the_refusal_names_what_is_wrong_and_nothing_else(data):
    with Keyward(data) as server:
        with connect(data) as database:
            database.execute("UPDATE schema_migrations SET number = -number WHERE number = 2")
        answer = server.call("GET", "/readyz")
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["detail"] == "Not ready: the database lacks migrations of this version"
        assert str(data) not in answer.body.decode()
        assert server.call("GET", "/livez").status == 200
        with connect(data) as database:
            database.execute("UPDATE schema_migrations SET number = -number WHERE number = -2")
        wait_until_ready(server)


def test_H2_those_who_ask_all_at_once_do_not_make_a_node_unready(data):
    with Keyward(data) as server:
        for _ in range(3):
            crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(200)]
            for connection in crowd:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert [status_on(connection) for connection in crowd] == [200] * len(crowd)
            for connection in crowd:
                connection.close()
            time.sleep(0.6)  # longer than an answer is kept
        assert not [line for line in server.errors if "not_ready" in line]


def test_a_drain_is_told_before_the_listener_closes(data):
    with Keyward(data, env={"KEYWARD_SERVER_DRAIN_DELAY_S": "2", **MANAGED}) as server:
        login = server.new_user("drain@example.com")
        port = server.management_port
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 1.5
        while (answer := server.call("GET", "/readyz")).status == 200 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert answer.status == 503 and answer.headers["Retry-After"]
        assert answer.json["detail"] == "Not ready: the server is about to stop"
        # Everything else is as before, on new connections too.
        assert server.call("GET", "/readyz", port=port).status == 503
        assert server.call("GET", "/livez").status == server.call("GET", "/livez", port=port).status == 200
        assert server.call("GET", "/me", token=login["access_token"]).status == 200
        assert server.login("drain@example.com").status == 200
        server.process.wait(20)
        assert time.monotonic() - began >= 2
        assert server.stop() == 0


def test_a_signal_right_after_the_start_ends_it_in_order(data):
    for _ in range(10):
        with Keyward(data) as server:  # which has seen the line "listening", and no more
            assert server.stop() == 0
            assert any('"event":"stopping"' in line for line in server.errors)


def test_a_second_signal_cuts_the_delay_short(data):
    with Keyward(data, env={"KEYWARD_SERVER_DRAIN_DELAY_S": "60"}) as server:
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while server.call("GET", "/readyz").status == 200 and time.monotonic() < deadline:
            time.sleep(0.01)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
        assert time.monotonic() - began < 10


def test_a_connection_that_is_still_open_is_told_of_the_drain(data):
    with Keyward(data) as server:
        slow = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        slow.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n")  # begun: the drain waits for the rest
        live = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        live.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
            except OSError:
                break  # the listener is closed: the drain has begun
        slow.sendall(b"\r\n")
        live.sendall(b"\r\n")
        assert status_on(slow) == 503 and status_on(live) == 200
        slow.close()
        live.close()
        server.process.wait(20)
        assert server.stop() == 0


@pytest.mark.skipif(not POSTGRES, reason="SQLite does not stop answering")
def test_a_database_that_is_silent_is_told_within_the_time_of_a_probe(data):
    postgres = PostgresServer()
    try:
        with Keyward(data, env={"KEYWARD_STORAGE_URL": postgres.url(), **MANAGED}) as server:
            assert server.call("GET", "/readyz").status == 200
            paused = processes_of(postgres)
            for pid in paused:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(0.6)  # longer than an answer is kept
            try:
                for _ in range(12):
                    began = time.monotonic()
                    answer = server.call("GET", "/readyz")
                    assert answer.status == 503 and time.monotonic() - began < 2
                    assert answer.json["detail"] == "Not ready: the database does not answer"
                assert server.call("GET", "/livez").status == 200
                began = time.monotonic()
                assert server.call("GET", "/metrics", port=server.management_port).status == 200
                assert time.monotonic() - began < 2
            finally:
                for pid in paused:
                    os.kill(pid, signal.SIGCONT)
            wait_until_ready(server)
            assert len([line for line in server.errors if '"not_ready"' in line]) == 1
    finally:
        postgres.remove()


def test_a_probe_that_comes_without_a_body_and_goes_is_no_error(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        connection.request("HEAD", "/readyz")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read() == b""
    connection.close()
