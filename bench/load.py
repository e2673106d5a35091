"""A server to be measured, and wrk, which measures it."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "violet orbit candle 94"
ACCOUNTS = 64
CORES = len(os.sched_getaffinity(0))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One data folder, on which the server can be started again and again. prefix: a program to run it under."""

    def __init__(self, binary, folder, env=None, scheme="http", prefix=()):
        self.binary, self.folder, self.scheme, self.port, self.process = binary, folder, scheme, free_port(), None
        self.prefix = prefix
        self.env = env or {"KEYWARD_LIMITS_ENABLED": "false"}

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def connect(self, timeout_s):
        if self.scheme == "http":
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout_s, context=ssl._create_unverified_context())

    def start(self):
        """Milliseconds from exec to the first answer of /livez."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KEYWARD_")}
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [*self.prefix, self.binary, "serve", "--data", self.folder / "data", "--listen", f"127.0.0.1:{self.port}"],
            env={**clean, **self.env},
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "ab"))
        while time.perf_counter() - started < 60:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get("/livez") == 200:
                    return (time.perf_counter() - started) * 1000
            if self.process.poll() is not None:
                break
            time.sleep(0.0005)
        self.kill()
        sys.exit("the server did not start:\n" + (self.folder / "log").read_text()[-2000:])

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def get(self, path):
        connection = self.connect(5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def post(self, path, body):
        connection = self.connect(30)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def rss_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


class Load:
    """What one run of wrk saw."""

    def __init__(self, report):
        self.requests = int(re.search(r"(\d+) requests in", report).group(1))
        self.per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", report).group(1))
        self.p99_ms = milliseconds(re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", report))
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
        broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", report)
        self.failed = (int(refused.group(1)) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)


def milliseconds(match):
    return float(match.group(1)) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[match.group(2)]


def wrk(server, path, seconds, connections, *, threads=None, script=None, arguments=(), headers=()):
    words = ["wrk", "--latency", "-t", str(threads or min(2, CORES)), "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "--timeout", "20s"]
    if script:
        words += ["-s", str(HERE / script)]
    for header in headers:
        words += ["-H", header]
    words += [server.url + path]
    if arguments:
        words += ["--", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return Load(done.stdout)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def register_accounts(server):
    for number in range(ACCOUNTS):
        status, answer = server.post("/register", {"email": f"login-{number}@example.com", "password": PASSWORD})
        if status != 201:
            sys.exit(f"/register answered {status}: {answer}")


def report(table):
    """Prints the table, and what it missed; the exit code."""
    table.print()
    for what in table.missed:
        print(f"missed: {what}", file=sys.stderr)
    return 1 if table.missed else 0


def build_program(build, name, *more, options=()):
    """A program of its own, so that nothing of the server's stands around what it measures."""
    sources, program = [HERE / f"{name}.cpp", *(HERE.parent / source for source in more)], build / name
    if not program.exists() or any(program.stat().st_mtime < source.stat().st_mtime for source in sources):
        subprocess.run(["clang++-19", "-std=c++23", "-O2", "-pthread", *sources, "-o", program, *options], check=True, cwd=HERE.parent)


def build_raw(build, name, *libraries):
    build_program(build, name, options=libraries)
