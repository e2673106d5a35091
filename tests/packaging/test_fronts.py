"""The example fronts before a real Keyward: who the client is, and what is not shown."""

import contextlib
import http.client
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from tools import ROOT, run  # first: it says where the next two are

from keyward import Keyward
from smtp_server import Authority


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    """Installed, or unpacked from its package; it is never started as a service."""
    installed = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if installed:
        return installed
    folder = tmp_path_factory.mktemp("nginx")
    try:
        run("apt-get", "download", "nginx", cwd=folder)
        run("dpkg-deb", "-x", next(folder.glob("*.deb")), folder)
        run(folder / "usr/sbin/nginx", "-v")
    except (OSError, subprocess.CalledProcessError, StopIteration):
        pytest.skip("nginx cannot be had here")
    return str(folder / "usr/sbin/nginx")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Front:
    """nginx with examples/nginx.conf, its names and ports replaced by ones that are free here."""

    def __init__(self, nginx, folder, backend_port):
        self.port, self.clear_port = free_port(), free_port()
        authority = Authority(folder)
        authority.context("front", "localhost", (-1, 30))
        pem = next(folder.glob("*-front.pem"))
        self.context = ssl.create_default_context(cafile=str(authority.ca_file))
        site = (ROOT / "examples/nginx.conf").read_text()
        for pattern, text in ((r"listen \[::\]:.*\n", ""), (r"listen 80;", f"listen 127.0.0.1:{self.clear_port};"),
                              (r"listen 443 ", f"listen 127.0.0.1:{self.port} "), (r"127\.0\.0\.1:8080;", f"127.0.0.1:{backend_port};"),
                              (r"/etc/letsencrypt/\S+;", f"{pem};")):
            site, count = re.subn(pattern, text, site)
            assert count, pattern
        (folder / "site.conf").write_text(site)
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid; error_log stderr; daemon off; worker_processes 1; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
            f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; include {folder}/site.conf; }}\n")
        self.words = [nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        self.process = None

    def __enter__(self):
        checked = subprocess.run([*self.words, "-t"], capture_output=True, text=True, check=False, timeout=30)
        assert checked.returncode == 0 and "[warn]" not in checked.stderr, checked.stderr
        self.process = subprocess.Popen(self.words, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            assert self.process.poll() is None
            time.sleep(0.02)
        raise AssertionError("nginx does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=self.context)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


@pytest.fixture
def front(nginx, tmp_path):
    folder = pathlib.Path(tmp_path) / "front"
    folder.mkdir()
    with Keyward(tmp_path / "data", env={"KEYWARD_SERVER_PUBLIC_URL": "https://id.example.com",
                                         "KEYWARD_SERVER_TRUSTED_PROXIES": "127.0.0.1"}) as server:
        with Front(nginx, folder, server.port) as running:
            running.server = server
            yield running


def test_nginx_hands_on_who_the_client_is_and_believes_no_client(front):
    status, headers, _ = front.ask("POST", "/login", "email=a@example.com&password=wrong",
                                   {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "198.51.100.66"})
    assert status == 401 and headers["Strict-Transport-Security"]
    (event,) = front.server.wait_for_event("authn_login_fail")
    assert "198.51.100.66" not in str(event) and "127.0.0.1" in str(event)


def test_nginx_shows_no_metrics_and_takes_no_large_body(front):
    assert front.server.call("GET", "/metrics").status == 404  # not at the public address, behind a proxy
    assert front.ask("GET", "/metrics")[0] == 404
    assert front.ask("POST", "/login", "x" * 70_000)[0] == 413
    assert front.ask("GET", "/readyz")[0] == 200


def test_nginx_sends_what_comes_in_clear_to_https(front):
    connection = http.client.HTTPConnection("127.0.0.1", front.clear_port, timeout=20)
    connection.request("GET", "/docs?a=b", headers={"Host": "other.example.com"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, "https://id.example.com/docs?a=b")
    connection.close()


@pytest.mark.skipif(not shutil.which("caddy"), reason="no caddy here")
def test_caddy_takes_its_example():
    run("caddy", "validate", "--adapter", "caddyfile", "--config", ROOT / "examples/Caddyfile")
