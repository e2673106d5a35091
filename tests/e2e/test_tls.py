"""HTTPS: what the listener speaks and refuses, resumption, renewal of the certificate while it runs, the port in clear."""

import http.client
import json
import re
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import pytest

from keyward import GOOD_PASSWORD, command
from keyward import OneNode as Keyward
from smtp_server import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def files_of(authority, name, host="localhost", days=(-1, 30)):
    """(certificate and key) of this authority in one file each."""
    authority.context(name, host, days)
    both = (authority.folder / f"{authority.name}-{name}.pem").read_text()
    end = both.index("-----BEGIN CERTIFICATE")
    key, certificate = authority.folder / f"{name}.key", authority.folder / f"{name}.pem"
    key.write_text(both[:end])
    key.chmod(0o600)
    certificate.write_text(both[end:])
    return certificate, key


class Https(Keyward):
    """`port` speaks TLS; `redirect_port` does not."""

    def __init__(self, data, certificate, key, **more):
        super().__init__(data, env={"KEYWARD_TLS_CERTIFICATE": str(certificate), "KEYWARD_TLS_KEY": str(key),
                                    "KEYWARD_LIMITS_ENABLED": "false", **more})

    @property
    def redirect_port(self):
        return int(re.search(r'"redirects_at":"127\.0\.0\.1:(\d+)"', "".join(self.errors)).group(1))


def client_context(authority, least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3):
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.minimum_version, context.maximum_version = least, most
    return context


def ask(server, context, path="/livez", method="GET", body=None, headers=None):
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=context)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def connect(server, context, session=None):
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    return context.wrap_socket(raw, server_hostname="localhost", session=session)


def wait_for(condition, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.fixture(scope="module")
def https(authority, tmp_path_factory):
    with Https(tmp_path_factory.mktemp("https") / "data", *files_of(authority, "own"),
               KEYWARD_TLS_REDIRECT_LISTEN="127.0.0.1:0", KEYWARD_SERVER_HEADER_TIMEOUT_S="2") as server:
        yield server


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_serve_the_whole_api(https, authority, version):
    context = client_context(authority, version, version)
    json_type = {"Content-Type": "application/json"}
    email = f"ada{version.value}@example.com"
    body = json.dumps({"email": email, "password": GOOD_PASSWORD})
    assert ask(https, context, "/register", "POST", body, json_type)[0] == 201
    status, headers, content = ask(https, context, "/login", "POST", body, json_type)
    assert status == 200 and "max-age=31536000" in headers["Strict-Transport-Security"]
    token = json.loads(content)["access_token"]
    status, _, me = ask(https, context, "/me", headers={"Authorization": "Bearer " + token})
    assert status == 200 and json.loads(me)["email"] == email
    assert json.loads(ask(https, context, "/openapi.json")[2])["openapi"] == "3.1.0"  # longer than one record


def test_only_ephemeral_keys_and_aead(https):
    for arguments in (["-tls1_1"], ["-tls1"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256:AES128-SHA"],
                      ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384"]):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{https.port}", *arguments, "-quiet"],
                              input=b"", capture_output=True, timeout=20, check=False)
        assert done.returncode != 0, (arguments, done.stderr)
        assert b"alert" in done.stderr, (arguments, done.stderr)


def test_another_protocol_is_not_spoken_to(https, authority):
    context = client_context(authority)
    context.set_alpn_protocols(["smtp", "ftp"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        connect(https, context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with connect(https, context) as wrapped:
        assert wrapped.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(https, authority, version):
    context = client_context(authority, version, version)
    with connect(https, context) as first:
        first.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert first.recv(4096).startswith(b"HTTP/1.1 200")
        assert not first.session_reused
        session = first.session
    with connect(https, context, session) as second:
        second.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert second.recv(4096).startswith(b"HTTP/1.1 200") and second.session_reused


def test_requests_in_small_and_large_pieces(https, authority):
    body = json.dumps({"email": "pieces@example.com", "password": GOOD_PASSWORD, "more": "x" * 40000}).encode()
    head = b"POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connect(https, client_context(authority)) as wrapped:
        for at in range(0, len(head), 7):
            wrapped.sendall(head[at:at + 7])
        for at in range(0, len(body), 9000):
            wrapped.sendall(body[at:at + 9000])
        assert wrapped.recv(4096).startswith(b"HTTP/1.1 201")
        wrapped.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)  # pipelined in one record
        received = b""
        while received.count(b'{"status":"ok"}') < 20:
            received += wrapped.recv(65536)


def test_the_end_is_told_properly(https, authority):
    context = client_context(authority)
    with connect(https, context) as wrapped:
        wrapped.suppress_ragged_eofs = False  # an end without close_notify is an error then
        wrapped.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        while piece := wrapped.recv(4096):
            received += piece
        assert received.startswith(b"HTTP/1.1 200") and received.endswith(b'{"status":"ok"}')


def test_H2_slow_and_wrong_handshakes_are_cut(https, authority):
    refused = https_metric(https, authority, "keyward_tls_handshakes_refused_total")
    silent = socket.create_connection(("127.0.0.1", https.port), timeout=20)
    begun = time.monotonic()
    assert silent.recv(1) == b""
    assert 1 < time.monotonic() - begun < 10
    clear = socket.create_connection(("127.0.0.1", https.port), timeout=20)
    clear.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        assert b"HTTP/1.1" not in clear.recv(4096)  # an alert
    except ConnectionResetError:
        pass  # or the end
    assert https_metric(https, authority, "keyward_tls_handshakes_refused_total") >= refused + 2
    assert ask(https, client_context(authority))[0] == 200


def https_metric(server, authority, name):
    text = ask(server, client_context(authority), "/metrics")[2].decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1))


def test_64_clients_at_once(https, authority):
    context = client_context(authority)
    answers = []
    def many():
        for _ in range(5):
            answers.append(ask(https, context, "/.well-known/jwks.json")[0])
    threads = [threading.Thread(target=many) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 320


def test_R4_the_port_in_clear_sends_readers_on_and_refuses_writers(https):
    def clear(method, path, host="evil.example"):
        connection = http.client.HTTPConnection("127.0.0.1", https.redirect_port, timeout=20)
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Location"]
    assert clear("GET", "/account/reset-password?token=x") == (308, f"https://127.0.0.1:{https.port}/account/reset-password?token=x")
    assert clear("HEAD", "/") == (308, f"https://127.0.0.1:{https.port}/")
    assert clear("POST", "/login") == (403, None)
    with socket.create_connection(("127.0.0.1", https.redirect_port), timeout=20) as raw:
        raw.sendall(b"GET //evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n")
        location = re.search(rb"Location: (\S+)", raw.recv(4096)).group(1)
    assert location.startswith(b"https://127.0.0.1:%d/" % https.port)


def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(data, authority):
    certificate, key = files_of(authority, "renewed", days=(-1, 5))
    with Https(data, certificate, key) as server:
        def serial():
            with connect(server, client_context(authority)) as wrapped:
                return wrapped.getpeercert()["serialNumber"]
        first = serial()
        assert any("certificate_expires_soon" in line for line in server.errors)
        certificate.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
        wait_for(lambda: any("certificate_not_renewed" in line for line in server.errors))
        assert serial() == first
        staying = connect(server, client_context(authority))
        files_of(authority, "renewed")
        wait_for(lambda: serial() != first)
        staying.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")  # what is open stays open
        assert staying.recv(4096).startswith(b"HTTP/1.1 200")
        staying.close()


def test_a_drain_finishes_what_is_under_way(data, authority):
    with Https(data, *files_of(authority, "drained")) as server:
        wrapped = connect(server, client_context(authority))
        body = json.dumps({"email": "drain@example.com", "password": GOOD_PASSWORD}).encode()
        wrapped.sendall(b"POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body)
        idle = connect(server, client_context(authority))
        time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        assert wrapped.recv(4096).startswith(b"HTTP/1.1 201")
        assert idle.recv(1) == b""
        wrapped.close()
        assert server.process.wait(20) == 0


@pytest.mark.parametrize("spoil, word", [
    (lambda certificate, key: key.chmod(0o644), "everybody on this machine can read the key"),
    (lambda certificate, key: key.write_text("no key"), "private key"),
    (lambda certificate, key: certificate.write_text("nothing"), "no PEM file of certificates"),
    (lambda certificate, key: key.unlink(), "cannot be read")])
def test_what_cannot_be_served_is_told_at_start(data, authority, spoil, word):
    certificate, key = files_of(authority, "spoilt")
    spoil(certificate, key)
    check_refused(data, certificate, key, word)


def test_a_key_of_another_certificate_and_an_old_certificate_are_told_at_start(data, authority):
    certificate, _ = files_of(authority, "one")
    _, key = files_of(authority, "other")
    check_refused(data, certificate, key, "private key")
    check_refused(data, *files_of(authority, "old", days=(-9, -1)), "expired")


def check_refused(data, certificate, key, word):
    code, _, err = command("serve", "--listen", "127.0.0.1:0", data=data,
                           env={"KEYWARD_TLS_CERTIFICATE": str(certificate), "KEYWARD_TLS_KEY": str(key)})
    assert code == 1 and word in err and str(certificate.parent) in err, err


@pytest.mark.parametrize("env, setting", [
    ({"KEYWARD_TLS_CERTIFICATE": "/x.pem"}, "tls.certificate"), ({"KEYWARD_TLS_KEY": "/x.key"}, "tls.key"),
    ({"KEYWARD_TLS_DEVELOPMENT": "true", "KEYWARD_SERVER_PUBLIC_URL": "http://localhost:1"}, "server.public_url"),
    ({"KEYWARD_TLS_REDIRECT_LISTEN": "127.0.0.1:8081"}, "tls.redirect_listen"),
    ({"KEYWARD_TLS_REDIRECT_LISTEN": "nonsense"}, "tls.redirect_listen")])
def test_settings_that_do_not_go_together_are_named(data, env, setting):
    code, _, err = command("config", "check", data=data, env=env)
    assert code == 1 and setting in err


def test_development_tls_needs_nothing(data):
    with Keyward(data, "--dev-tls") as server:
        context = ssl.create_default_context(cafile=str(data / "development-certificate.pem"))
        status, headers, _ = ask(server, context)
        assert status == 200 and headers["Strict-Transport-Security"] is None  # or http://localhost is lost for a year
        code, out, err = command("healthcheck", "--url", f"https://127.0.0.1:{server.port}")
        assert (code, out.strip()) == (0, "healthy"), err
        assert f"https://127.0.0.1:{server.port}" in "".join(server.errors)
        assert stat.S_IMODE((data / "development-key.pem").stat().st_mode) == 0o600
        with connect(server, context) as wrapped:
            first = wrapped.getpeercert()["serialNumber"]
    with Keyward(data, "--dev-tls") as server, connect(server, context) as wrapped:
        assert wrapped.getpeercert()["serialNumber"] == first
