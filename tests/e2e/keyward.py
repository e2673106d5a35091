"""A real Keyward for the tests: starts the binary on a free port with a data folder of its own, and speaks HTTP to it."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

from database import environment_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("KEYWARD_BINARY", ROOT / "build/release/keyward")).resolve()
SANITIZED = BINARY.parent.name in ("asan", "tsan")  # the shadow memory takes terabytes of addresses
GOOD_PASSWORD = "violet orbit candle 94"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def fields(self):
        """The names of the bad fields of a 422."""
        return sorted(error["field"] for error in self.json.get("errors", []))

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def command(*arguments, data=None, stdin=None, env=None, timeout=60):
    """Runs one keyward command; returns (exit code, standard output, standard error)."""
    words = [str(BINARY), *map(str, arguments)]
    if data is not None:
        words += ["--data", str(data)]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, env={**clean_environment(data), **(env or {})},
                          timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr


def clean_environment(data=None):
    """Our environment without settings, but for the database of the data folder."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("KEYWARD_")}
    return {**others, **environment_of(data)}


class Keyward:
    """A server process. Use as a context manager, or start() and stop()."""

    def __init__(self, data, *arguments, env=None, binary=BINARY):
        self.binary = binary
        self.data, self.arguments, self.env = pathlib.Path(data), arguments, env or {}
        self.process = self.port = None
        self.errors, self.events = [], []

    def start(self, timeout_s=20):
        words = [str(self.binary), "serve", "--data", str(self.data), *self.arguments]
        if "--listen" not in self.arguments:
            words += ["--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        errors="surrogateescape", env={**clean_environment(self.data), **self.env})
        self.readers = [threading.Thread(target=self._collect, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.events), (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for line in list(self.errors):
                found = re.search(r'"event":"listening".*"address":"(?:127\.0\.0\.1|\[::1\]):(\d+)"', line)
                if found:
                    self.port = int(found.group(1))
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        self.stop()
        raise AssertionError("keyward did not start:\n" + "".join(self.errors))

    @staticmethod
    def _collect(stream, lines):
        for line in stream:
            lines.append(line)

    def stop(self, how=signal.SIGTERM, timeout_s=30):
        """Ends the process and returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout_s)
        for reader in self.readers:
            reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        self.process = None
        return code

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def call(self, method, path, body=None, token=None, headers=None, form=None, raw=None, timeout_s=30):
        """One request on a connection of its own. body: JSON; form: a form; raw: bytes as they are."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = "Bearer " + token
        content = raw
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        elif form is not None:
            content = urllib.parse.urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body=content, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def register(self, email, password=GOOD_PASSWORD, **more):
        return self.call("POST", "/register", {"email": email, "password": password, **more})

    def login(self, email, password=GOOD_PASSWORD):
        return self.call("POST", "/login", {"email": email, "password": password})

    def new_user(self, email, password=GOOD_PASSWORD):
        """Registers and logs in; returns the login's answer as a dict."""
        assert self.register(email, password).status == 201
        answer = self.login(email, password)
        assert answer.status == 200, answer
        return answer.json

    def raw(self, data, timeout_s=10, half_close=False):
        """Sends bytes as they are; returns all that comes until the server closes (or the time is up)."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            received = b""
            try:
                connection.sendall(data)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    received += chunk
            except (TimeoutError, ConnectionResetError, BrokenPipeError):
                pass
            return received

    def metric(self, name):
        """The value of one metric line without labels."""
        for line in self.call("GET", "/metrics").body.decode().splitlines():
            if line.split(" ")[0] == name:
                return float(line.split(" ")[1])
        raise AssertionError(f"no metric {name}")

    def logged_events(self, name=None):
        """The security events so far, as dicts."""
        events = [json.loads(line) for line in list(self.events)]
        return [event for event in events if name is None or event["event"] == name]

    def wait_for_event(self, name, timeout_s=5, count=1):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if len(found := self.logged_events(name)) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"no event {name}; there were {[e['event'] for e in self.logged_events()]}")
