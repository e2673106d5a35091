"""Other servers that answer as many bytes as ours, measured by turns with it: a bare Beast server, and nginx with a file."""

import contextlib
import getpass
import http.client
import statistics
import subprocess
import sys
import time

from load import CORES, build_program, free_port, wrk

NGINX = """user {user}; daemon off; worker_processes {cores}; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type application/json; sendfile on; open_file_cache max=100;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} reuseport; root {folder}/files; }}
}}
"""


class Other:
    """What wrk() needs of a server."""

    def __init__(self, command, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def wait(self, path):
        for _ in range(1000):
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return self
            time.sleep(0.01)
        self.kill()
        return sys.exit(f"{self.process.args[0]} does not answer")

    def kill(self):
        self.process.terminate()  # nginx's first process ends the others
        self.process.wait(10)


def bare_beast(build):
    build_program(build, "bare_beast", "src/runtime/asio_implementation.cpp", "src/runtime/beast_implementation.cpp",
                  options=["-Isrc", "-DBOOST_ASIO_SEPARATE_COMPILATION", "-DBOOST_BEAST_SEPARATE_COMPILATION"])
    port = free_port()
    return Other([build / "bare_beast", str(port)], port).wait("/1")


def nginx(folder, size):
    place, port = folder / "nginx", free_port()
    (place / "files").mkdir(parents=True)
    (place / "files/answer").write_bytes(b"x" * size)
    (place / "conf").write_text(NGINX.format(user=getpass.getuser(), folder=place, port=port, cores=CORES))
    return Other(["nginx", "-e", place / "nginx.log", "-c", place / "conf"], port).wait("/answer")


def size_of(server, path, headers):
    connection = server.connect(10)
    try:
        connection.request("GET", path, headers=dict(header.split(": ", 1) for header in headers))
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            sys.exit(f"{path} answered {answer.status}: {body[:200]}")
        return len(body)
    finally:
        connection.close()


def measure_beside_others(server, build, folder, seconds, bearer, table):
    """`/livez`, `/me`, the key set and the metrics, each by turns with Beast and the same number of bytes.

    Returns Beast's answers of the size of `/me` in a second, and how many of ours failed.
    """
    beast, bare_rates, failed = bare_beast(build), {}, 0
    try:
        for path, headers, least in (("/livez", [], None), ("/me", [bearer], 0.70), ("/.well-known/jwks.json", [], 0.85),
                                     ("/metrics", [], 0.85)):
            size, ours, theirs = size_of(server, path, headers), [], []
            for _ in range(3):
                theirs.append(wrk(beast, f"/{size}", seconds / 3, 64, headers=headers))
                ours.append(wrk(server, path, seconds / 3, 64, headers=headers))
            rate, bare = (statistics.mean(load.per_second for load in loads) for loads in (ours, theirs))
            bare_rates[path] = bare
            failed += sum(load.failed for load in ours)
            table.add(f"`{path}`, {size} bytes", f"{rate:,.0f}/s, p99 {max(load.p99_ms for load in ours):.2f} ms")
            table.add("a bare Beast server, as many bytes", f"{bare:,.0f}/s")
            table.add(f"`{path}` ÷ bare Beast", f"{rate / bare:.2f}", f"≥ {least:.2f}" if least else "", rate / bare >= least if least else None)
    finally:
        beast.kill()
    size = size_of(server, "/livez", [])
    other = nginx(folder, size)
    try:
        file = statistics.mean(wrk(other, "/answer", seconds / 3, 64).per_second for _ in range(3))
    finally:
        other.kill()
    table.add(f"nginx, a file of {size} bytes", f"{file:,.0f}/s")
    return bare_rates["/me"], failed
