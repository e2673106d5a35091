"""What systemd and Keyward tell each other: ready, stopping, alive; and a socket that listens before the server does."""

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from keyward import BINARY, clean_environment, command
from keyward import OneNode as Keyward


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path, self.heard = str(path), []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while message := self.socket.recv(4096):
                self.heard.append(message.decode())

    def wait_for(self, message, count=1, timeout_s=10):
        deadline = time.monotonic() + timeout_s
        while self.heard.count(message) < count:
            assert time.monotonic() < deadline, (message, self.heard)
            time.sleep(0.01)


@pytest.fixture
def manager(tmp_path_factory):
    return Manager(tmp_path_factory.mktemp("m") / "notify")


def test_it_tells_when_it_is_ready_and_when_it_stops(data, manager):
    with Keyward(data, env={"NOTIFY_SOCKET": manager.path}) as server:
        manager.wait_for("READY=1")
        assert server.call("GET", "/readyz").status == 200
        assert manager.heard == ["READY=1"]  # nobody asked for a watchdog
        assert server.stop() == 0
    assert manager.heard == ["READY=1", "STOPPING=1"]


def test_stopping_is_told_before_what_is_under_way_is_done(data, manager):
    with Keyward(data, env={"NOTIFY_SOCKET": manager.path, "KEYWARD_SERVER_DRAIN_DEADLINE_S": "20"}) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{")
            time.sleep(0.2)  # until the head has been read
            server.process.send_signal(signal.SIGTERM)
            manager.wait_for("STOPPING=1")
            assert server.process.poll() is None
            slow.sendall(b"}")
            assert slow.recv(100).startswith(b"HTTP/1.1 4")
        assert server.process.wait(20) == 0


def test_it_is_alive_as_long_as_its_loops_are(data, manager):
    with Keyward(data, env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"}) as server:
        manager.wait_for("WATCHDOG=1", count=5)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        before = manager.heard.count("WATCHDOG=1")
        time.sleep(0.6)
        assert manager.heard.count("WATCHDOG=1") == before
        server.process.send_signal(signal.SIGCONT)
        manager.wait_for("WATCHDOG=1", count=before + 2)


def test_a_failed_start_is_never_called_ready(data, manager):
    with Keyward(data) as server:
        code, _, errors = command("serve", "--listen", f"127.0.0.1:{server.port}", data=str(data) + "-other",
                                  env={"NOTIFY_SOCKET": manager.path})
    assert code == 1 and "in use" in errors
    assert manager.heard == []


class Passed:
    """Sockets that listen already, and servers that are given them as descriptors 3, 4, …"""

    def __init__(self, data, count=1, family=socket.AF_INET):
        self.data, self.sockets = data, []
        for _ in range(count):
            listening = socket.socket(family, socket.SOCK_STREAM)
            listening.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
            listening.listen(64)
            self.sockets.append(listening)
        self.ports = [listening.getsockname()[1] for listening in self.sockets]

    def serve(self, names="http", env=None, pid="$$"):
        # The shell becomes the server, so its number is the server's; 100 and up stand for whatever was open before.
        numbers = [listening.fileno() for listening in self.sockets]
        moves = "".join(f" {3 + index}<&{number}" for index, number in enumerate(numbers))
        assert all(number > 9 for number in numbers) or not moves, numbers
        script = f'LISTEN_PID={pid} LISTEN_FDS={len(numbers)} LISTEN_FDNAMES={names} exec "$0" serve --data "$1"{moves}'
        return subprocess.Popen(["bash", "-c", script, str(BINARY), str(self.data)], pass_fds=numbers, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, env={**clean_environment(self.data), **(env or {})})

    def close(self):
        for listening in self.sockets:
            listening.close()


@pytest.fixture
def high_descriptors():
    """Takes the small numbers, so that sockets made now never lie where they are moved to."""
    taken = [socket.socket() for _ in range(16)]
    yield
    for one in taken:
        one.close()


@pytest.fixture
def passed(data, high_descriptors):  # pylint: disable=unused-argument
    made = []

    def make(**choices):
        made.append(Passed(data, **choices))
        return made[-1]

    yield make
    for one in made:
        one.close()


def get(port, path="/readyz", host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers
    finally:
        connection.close()


def test_it_serves_the_socket_that_it_is_given(passed):
    sockets = passed()
    early = socket.create_connection(("127.0.0.1", sockets.ports[0]))  # there is no server yet
    early.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    process = sockets.serve()
    try:
        assert early.recv(100).startswith(b"HTTP/1.1 200")
        for _ in range(20):
            assert get(sockets.ports[0])[0] == 200
    finally:
        early.close()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    line = json.loads(next(line for line in errors.splitlines() if '"listening"' in line))
    assert line["address"] == f"127.0.0.1:{sockets.ports[0]}"
    assert line["public_url"] == f"http://127.0.0.1:{sockets.ports[0]}"


def test_a_restart_refuses_no_connection(passed):
    sockets = passed()
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                answers.append(get(sockets.ports[0], "/livez")[0])
            except (http.client.RemoteDisconnected, ConnectionResetError):
                pass  # taken by the old server, which drained before the request came: clients ask again
            except OSError as error:
                answers.append(error)  # nobody listened

    process = sockets.serve()
    asking = [threading.Thread(target=ask) for _ in range(4)]
    try:
        assert get(sockets.ports[0])[0] == 200
        for thread in asking:
            thread.start()
        for _ in range(3):
            before = len(answers)
            assert all(thread.is_alive() for thread in asking)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            assert process.returncode == 0
            process = sockets.serve()
            while len(answers) < before + 50:
                assert process.poll() is None and all(thread.is_alive() for thread in asking)
                time.sleep(0.01)
    finally:
        stop.set()
        for thread in asking:
            thread.join(30)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert set(answers) == {200}


def test_an_address_of_ipv6_is_served_as_well(passed):
    sockets = passed(family=socket.AF_INET6)
    process = sockets.serve()
    try:
        assert get(sockets.ports[0], host="::1")[0] == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_the_socket_called_redirect_is_the_one_in_clear(passed):
    sockets = passed(count=2)
    process = sockets.serve("http:redirect", env={"KEYWARD_TLS_DEVELOPMENT": "true", "KEYWARD_TLS_REDIRECT_LISTEN": "127.0.0.1:0",
                                                  "KEYWARD_SERVER_PUBLIC_URL": "https://id.example.com"})
    try:
        status, headers = get(sockets.ports[1], "/docs")
        assert (status, headers["Location"]) == (308, "https://id.example.com/docs")
        assert command("healthcheck", "--url", f"https://127.0.0.1:{sockets.ports[0]}")[0] == 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.parametrize(("names", "count", "sentence"), [
    ("redirect", 1, "tls.redirect_listen is not set"),
    ("http:https", 2, "two sockets for server.listen"),
])
def test_sockets_without_a_place_are_refused(passed, names, count, sentence):
    process = passed(count=count).serve(names)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1 and sentence in errors


def test_sockets_of_another_process_are_left_alone(passed, tmp_path):
    sockets = passed()
    process = sockets.serve(pid="1", env={"KEYWARD_SERVER_LISTEN": "127.0.0.1:0"})
    try:
        line = ""
        while '"listening"' not in line:
            line = process.stderr.readline()
            assert line
        assert re.search(r'"address":"127\.0\.0\.1:(\d+)"', line).group(1) != str(sockets.ports[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
