"""A real Keyward for the tests: starts the binary on a free port with a data folder of its own, and speaks HTTP to it."""

import http.client
import itertools
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

from database import NODES, environment_of, node_folders

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("KEYWARD_BINARY", ROOT / "build/release/keyward")).resolve()
SANITIZED = BINARY.parent.name in ("asan", "tsan")  # the shadow memory takes terabytes of addresses
INSTRUMENTED = SANITIZED or BINARY.parent.name == "coverage"  # neither its time nor its memory is ours
EVENTS_LATE_S = 0.2
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
    given = {name: value for name, value in {**clean_environment(data), **(env or {})}.items() if value is not None}
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, env=given, timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr


def clean_environment(data=None):
    """Our environment without settings, but for the database of the data folder."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("KEYWARD_")}
    return {**others, **environment_of(data)}


class _Node:
    """One server process, and what it wrote."""

    def __init__(self):
        self.process = self.port = None
        self.errors, self.events = [], []

    def start(self, words, env, timeout_s):
        """Whether it listens in time."""
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        errors="surrogateescape", env=env)
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
                    return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        return False

    @staticmethod
    def _collect(stream, lines):
        for line in stream:
            lines.append(line)

    def wait(self, timeout_s):
        code = self.process.wait(timeout_s)
        for reader in self.readers:
            reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        self.process = None
        return code


class Keyward:
    """A server: one process or, where NODES says so, several on one database, each with a data folder of its own. What is
    asked of it goes to one node after the other. Use as a context manager, or start() and stop()."""

    def __init__(self, data, *arguments, env=None, nodes=NODES, binary=BINARY):
        self.binary = binary
        self.data, self.arguments, self.env = pathlib.Path(data), arguments, env or {}
        self.nodes = [_Node() for _ in range(nodes)]
        self._turn = itertools.cycle(self.nodes)

    def start(self, timeout_s=20):
        env = {name: value for name, value in {**clean_environment(self.data), **self.env}.items() if value is not None}
        for node, folder in zip(self.nodes, node_folders(self.data, len(self.nodes))):
            words = [str(self.binary), "serve", "--data", str(folder), *self.arguments]
            if "--listen" not in self.arguments:
                words += ["--listen", "127.0.0.1:0"]
            if node is not self.nodes[0]:  # as the first one, which made what all of them share
                env.setdefault("KEYWARD_SERVER_PUBLIC_URL", self.url)
                if (self.data / "master.key").exists():
                    env.setdefault("KEYWARD_MASTER_KEY_FILE", str(self.data / "master.key"))
            if not node.start(words, env, timeout_s):
                self.stop()  # which reads to the end
                raise AssertionError("keyward did not start:\n" + "".join(node.errors))
        return self

    def stop(self, how=signal.SIGTERM, timeout_s=30):
        """Ends the processes and returns their exit code; of several, the first that is not 0."""
        running = [node for node in self.nodes if node.process is not None]
        for node in running:
            if node.process.poll() is None:
                node.process.send_signal(how)
        codes = [node.wait(timeout_s) for node in running]
        return next((code for code in codes if code != 0), 0) if codes else None

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    @property
    def process(self):
        return self.nodes[0].process

    @property
    def port(self):
        """Of the node whose turn it is."""
        return next(self._turn).port

    @property
    def errors(self):
        return [line for node in self.nodes for line in node.errors]

    @property
    def events(self):
        return [line for node in self.nodes for line in node.events]

    @property
    def management_port(self):
        """Of a server with server.management_listen."""
        return int(re.search(r'"management_at":"127\.0\.0\.1:(\d+)"', "".join(self.errors)).group(1))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.nodes[0].port}"

    def call(self, method, path, body=None, token=None, headers=None, form=None, raw=None, timeout_s=30, port=None):
        """One request on a connection of its own. body: JSON; form: a form; raw: bytes as they are; port: another one."""
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
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout_s)
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

    def metrics_text(self, port=None):
        """What /metrics says, made after this call began (limits::metrics_kept is 10 ms)."""
        time.sleep(0.011)
        answer = self.call("GET", "/metrics", port=port)
        assert answer.status == 200, answer
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return answer.body.decode()

    def metric(self, name):
        """The value of one metric line without labels; of several nodes, the sum."""
        found = [float(line.split(" ")[1]) for _ in self.nodes
                 for line in self.metrics_text().splitlines() if line.split(" ")[0] == name]
        assert len(found) == len(self.nodes), f"no metric {name}"
        return sum(found)

    def logged_events(self, name=None):
        """The security events so far, as dicts; those of the last answer too, which are written a moment after it."""
        time.sleep(EVENTS_LATE_S)
        return self._events(name)

    def _events(self, name=None):
        events = [json.loads(line) for line in self.events]
        if len(self.nodes) > 1:
            events.sort(key=lambda event: event["time"])
        return [event for event in events if name is None or event["event"] == name]

    def wait_for_event(self, name, timeout_s=5, count=1):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if len(found := self._events(name)) >= count:
                # Other nodes may have something to tell that came before it.
                return found if len(self.nodes) == 1 else self.logged_events(name)
            time.sleep(0.01)
        raise AssertionError(f"no event {name}; there were {[e['event'] for e in self._events()]}")


class OneNode(Keyward):
    """For tests of what one process does."""

    def __init__(self, data, *arguments, **more):
        super().__init__(data, *arguments, nodes=1, **more)
