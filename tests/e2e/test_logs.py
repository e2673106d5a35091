"""Security events and the log (L2): one line out per event, and no secret in any of them."""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

from database import connect
from keyward import BINARY, GOOD_PASSWORD, clean_environment
from keyward import OneNode as Keyward
from metrics import Metrics
from wire import Wire

SECRET_PASSWORD = "marble canoe 31 thunder"

NAUGHTY = ["a\rb", "a\\r\\nInjected: x", "\u001b[31mred", "x\u2028y", "\u202egnp.exe", "'\"<script>", "%0d%0a{\"event\":\"forged\"}"]


def test_events_of_the_spine(data):
    with Keyward(data) as server:
        login = server.new_user("events@example.com")
        server.login("events@example.com", "wrong password here")
        server.login("unknown@example.com", "wrong password here")
        server.call("GET", "/me", token="a.b.c")
        created, = server.wait_for_event("user_created")
        success, = server.wait_for_event("authn_login_success")
        server.wait_for_event("authn_token_created")
        failures = server.wait_for_event("authn_login_fail", count=2)
        assert created["user_id"] == success["user_id"] == login["user_id"]
        assert success["address"] == "127.0.0.1" and success["request_id"]
        assert [failure["reason"] for failure in failures] == ["wrong_password", "unknown_account"]
    assert server.logged_events("sys_startup") and server.logged_events("sys_shutdown")


def test_L2_no_secret_is_in_any_output(data):
    with Keyward(data, env={"KEYWARD_SERVER_ACCESS_LOG": "true", "KEYWARD_LOG_LEVEL": "debug"}) as server:
        login = server.new_user("canary@example.com", SECRET_PASSWORD)
        server.call("GET", "/me?token=canary-in-the-query", token=login["access_token"])
        server.login("canary@example.com", "canary wrong password")
        server.call("POST", "/me/password", {"current_password": SECRET_PASSWORD, "new_password": "granite lantern 7 waves"},
                    token=login["access_token"])
        master_key = (data / "master.key").read_text().strip()
    output = "".join(server.events) + "".join(server.errors)
    assert "authn_password_change" in output
    for secret in (SECRET_PASSWORD, "granite lantern 7 waves", "canary wrong password", login["access_token"],
                   login["access_token"].split(".")[2], login["refresh_token"], master_key, "canary-in-the-query",
                   "canary@example.com"):
        assert secret not in output, secret


def test_L2_one_line_out_per_event_whatever_the_input(data):
    with Keyward(data) as server:
        for text in NAUGHTY:
            server.call("POST", "/login", {"email": text, "password": text},
                        headers={"User-Agent": text.encode("utf-8").decode("latin-1").replace("\r", "").replace("\u001b", "")})
        server.raw(b"GET /livez HTTP/1.1\r\nHost: x\r\nUser-Agent: \xff\xfe\x9b31m\r\nX-Request-Id: forged\x7f\r\nConnection: close\r\n\r\n")
        server.wait_for_event("authn_login_fail")
    failures = server.logged_events("authn_login_fail")  # parses every line as JSON
    assert len(failures) == len(NAUGHTY)
    for line in server.events + server.errors[3:]:
        if line.startswith("{"):
            json.loads(line)
        assert not any(character in line for character in "\r\u001b\u2028\u202e\x9b")
    assert not server.logged_events("forged")


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
LOGGED = {"KEYWARD_SERVER_ACCESS_LOG": "true", "KEYWARD_LIMITS_ENABLED": "false"}


def lines_of(server, event):
    return [line for line in (json.loads(text) for text in list(server.errors) if text.startswith("{")) if line["event"] == event]


def wait_for_lines(server, event, count):
    deadline = time.monotonic() + 10
    while len(found := lines_of(server, event)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def free_port():
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


def wait_until_it_listens(port):
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def dropped_lines(port):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    return Metrics(text).value("keyward_log_lines_dropped_total")


def test_the_access_log_tells_route_status_and_time(data):
    with Keyward(data, env=LOGGED) as server:
        token = server.new_user("access@example.com")["access_token"]
        server.call("GET", "/users/0193?q=secret", token=token, headers={"X-Request-Id": "request-1234"})
        server.call("GET", "/nowhere")
        lines = wait_for_lines(server, "request", 4)
    shown, nowhere = lines[-2:]
    assert (shown["method"], shown["route"], shown["path"], shown["status"]) == ("GET", "/users/{user_id}", "/users/0193", "403")
    assert shown["request_id"] == "request-1234" and shown["address"] == "127.0.0.1" and int(shown["duration_us"]) >= 0
    assert nowhere["route"] == "" and nowhere["status"] == "404" and "trace_id" not in nowhere


def test_a_trace_goes_into_every_line_of_its_request_and_not_to_the_client(data):
    with Keyward(data, env=LOGGED) as server:
        server.register("trace@example.com")
        sent = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "request-traced"}
        answer = server.call("POST", "/login", {"email": "trace@example.com", "password": "violet orbit candle 94"}, headers=sent)
        server.call("POST", "/login", {"email": "trace@example.com", "password": "wrong password here"}, headers=sent)
        server.login("trace@example.com")
        server.wait_for_event("authn_login_success", count=2)
        failed, = server.wait_for_event("authn_login_fail")
        lines = wait_for_lines(server, "request", 4)
    assert TRACE not in str(answer.headers) + answer.body.decode() and PARENT not in str(answer.headers)
    traced, untraced = server.logged_events("authn_login_success")
    assert traced["trace_id"] == TRACE and traced["request_id"] == "request-traced"  # written by the database's thread
    assert failed["trace_id"] == TRACE  # by the loop
    assert "trace_id" not in untraced
    assert [line.get("trace_id") for line in lines] == [None, TRACE, TRACE, None]
    assert [line.get("parent_id") for line in lines] == [None, PARENT, PARENT, None]


def test_a_trace_that_is_malformed_is_ignored(data):
    good = f"00-{TRACE}-{PARENT}-01"
    with Keyward(data, env=LOGGED) as server:
        for value in ("", "x", good.upper(), good + "-00", "00-" + "0" * 32 + good[35:], good[:-1], good.replace("00-4", "ff-4")):
            assert server.call("GET", "/livez", headers={"traceparent": value}).status == 200
        server.raw(f"GET /livez HTTP/1.1\r\nHost: x\r\ntraceparent: {good}\r\ntraceparent: {good}\r\nConnection: close\r\n\r\n".encode())
        server.call("GET", "/livez", headers={"TraceParent": good})
        lines = wait_for_lines(server, "request", 9)
    assert [line.get("trace_id") for line in lines] == [None] * 8 + [TRACE]


def test_parallel_requests_keep_their_names_apart(data):
    """Their coroutines take turns on the loops, and their work is done on other threads."""
    with Keyward(data, env={**LOGGED, "KEYWARD_SERVER_LOOPS": "1"}) as server:
        for number in range(8):
            server.register(f"apart{number}@example.com")

        def log_in(number):
            name = f"{number:032x}"
            for password in ("wrong password here", GOOD_PASSWORD, GOOD_PASSWORD):
                server.call("POST", "/login", {"email": f"apart{number % 8}@example.com", "password": password},
                            headers={"X-Request-Id": f"apart-{number:04}", "traceparent": f"00-{name}-{PARENT}-01"})

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(log_in, range(1, 17)))
        events = server.wait_for_event("authn_login_fail", count=16) + server.wait_for_event("authn_login_success", count=32)
        lines = wait_for_lines(server, "request", 8 + 48)[8:]
    for line in events + lines:
        assert int(line["trace_id"], 16) == int(line["request_id"].removeprefix("apart-"))


@contextlib.contextmanager
def read_by_nobody(data, stream, env):
    """A server one of whose outputs ends in a pipe that only the test reads: (process, port, our end of the pipe)."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096 if stream == "stdout" else 65536)
    port = free_port()
    outputs = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: theirs}
    process = subprocess.Popen([str(BINARY), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"],
                               env={**clean_environment(data), **env}, **outputs)
    os.close(theirs)
    try:
        wait_until_it_listens(port)
        yield process, port, ours
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def test_a_reader_of_standard_error_that_stops_stops_nobody(data):
    """The pipe is full after 64 KiB; the queue after a megabyte more. The server goes on, counts, and ends when it is told to."""
    with read_by_nobody(data, "stderr", LOGGED) as (process, port, ours):
        wire = Wire(port, user_agent="stalled/1")
        path = "/nowhere/" + "x" * 1500
        for _ in range(1500):  # two megabytes of lines
            assert wire.call("GET", path)[0] == 404
        assert wire.call("GET", "/readyz")[0] == 200
        wire.close()
        assert dropped_lines(port) > 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        kept = b""
        while chunk := os.read(ours, 65536):
            kept += chunk
    for line in kept.split(b"\n")[:-1]:
        if line.startswith(b"{"):
            json.loads(line)


def test_a_reader_of_events_that_stops_holds_up_neither_the_trail_nor_the_end(data):
    with read_by_nobody(data, "stdout", {"KEYWARD_LIMITS_ENABLED": "false"}) as (process, port, _):
        wire = Wire(port, user_agent="stalled/1" + "x" * 400)
        for _ in range(60):
            assert wire.call("POST", "/login", {"email": "a@example.com", "password": "wrong password here"})[0] == 401
        deadline, rows = time.monotonic() + 10, 0
        while rows != 60:
            assert time.monotonic() < deadline, rows
            time.sleep(0.05)
            with connect(data) as database:
                rows, = database.execute("SELECT count(*) FROM audit_events WHERE event = 'authn_login_fail'").fetchone()
        wire.close()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0 and time.monotonic() - began < 8


def test_lines_that_were_dropped_are_told_when_the_reader_is_back(data):
    with read_by_nobody(data, "stderr", LOGGED) as (process, port, ours):
        wire = Wire(port, user_agent="stalled/1")
        for _ in range(1500):
            assert wire.call("GET", "/nowhere/" + "x" * 1500)[0] == 404
        kept, deadline = b"", time.monotonic() + 20
        while b"log_lines_dropped" not in kept and time.monotonic() < deadline:
            kept += os.read(ours, 65536)
        told, = [json.loads(line) for line in kept.split(b"\n") if b"log_lines_dropped" in line and line.endswith(b"}")]
        assert float(told["count"]) == dropped_lines(port)
        wire.close()
        process.send_signal(signal.SIGTERM)
        while chunk := os.read(ours, 65536):
            kept += chunk
        assert process.wait(15) == 0 and b'"event":"stopping"' in kept
