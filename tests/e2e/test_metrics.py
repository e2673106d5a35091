"""GET /metrics: the format, what is counted, and where it is shown."""

import http.client
import pathlib
import re
import socket
import time

import pytest

from database import drop_below
from keyward import OneNode as Keyward
from keyward import command
from mailbox import wait_for_mail
from metrics import Metrics, metrics_of
from smtp_server import Authority
from test_tls import Https, ask, client_context, files_of

# What dashboards and alerts may already use.
PROMISED = """
keyward_password_hashes_total keyward_password_hashes_refused_total keyward_password_hashes_waiting keyward_http_connections_open
keyward_http_connections_refused_total keyward_http_requests_total keyward_http_requests_refused_total keyward_database_waiting_reads
keyward_database_waiting_writes keyward_mails_sent_total keyward_mails_failed_total keyward_mail_attempts_failed_total
keyward_rate_limit_refusals_total keyward_rate_limit_crowded_total keyward_rate_limit_keys
""".split()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One node: each counts for itself."""
    folder = tmp_path_factory.mktemp("keyward")
    with Keyward(folder / "data", env={"KEYWARD_LIMITS_ENABLED": "false"}) as running:
        yield running
    drop_below(folder)


def test_every_metric_is_well_formed_for_prometheus_itself(server, email):
    server.new_user(email)
    metrics = metrics_of(server)
    assert set(PROMISED) <= metrics.names()
    for family in metrics.families.values():
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
        assert family.samples or family.name.startswith("keyward_http"), family.name
        is_total = all(sample.name.endswith("_total") for sample in family.samples)
        assert (family.type == "counter") == is_total or not family.samples, family.name
    assert metrics.text.endswith("\n") and "\n\n" not in metrics.text


def test_histograms_add_up(server, email):
    server.new_user(email)
    metrics, seen = metrics_of(server), 0
    for family in metrics.families.values():
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            series.setdefault(frozenset(labels.items()), []).append(sample)
        for samples in series.values():
            seen += 1
            buckets = [(float(sample.labels["le"]), sample.value) for sample in samples if sample.name.endswith("_bucket")]
            count, = [sample.value for sample in samples if sample.name.endswith("_count")]
            total, = [sample.value for sample in samples if sample.name.endswith("_sum")]
            assert buckets == sorted(buckets) and buckets[-1] == (float("inf"), count), family.name
            assert [value for _, value in buckets] == sorted(value for _, value in buckets)
            assert (total > 0) == (count > 0)
    assert seen >= 6
    hashes = metrics.value("keyward_password_hashes_total")
    assert metrics.value("keyward_password_hash_seconds_count") == hashes > 0
    assert 0.001 < metrics.value("keyward_password_hash_seconds_sum") / hashes < 10


def test_A6_logins_are_counted_by_what_came_of_them_and_not_by_who_has_an_account(server, email):
    server.register(email)
    before = metrics_of(server)
    server.login(email)
    server.login(email, "wrong password here")
    server.login("nobody-" + email, "wrong password here")
    server.call("POST", "/login", {"email": email, "username": email, "password": "x"})
    after = metrics_of(server)
    for result, count in {"success": 1, "invalid_credentials": 2, "invalid_input": 1}.items():
        assert after.value("keyward_logins_total", result=result) - before.value("keyward_logins_total", result=result) == count, result
    assert after.value("keyward_logins_total", result="other") == 0
    assert after.labels("keyward_logins_total", "result") == {
        "success", "invalid_credentials", "rate_limited", "invalid_input", "unavailable", "other"}


def test_H2_connections_of_one_address_are_limited_and_counted(data):
    def connect(server, address):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10, source_address=(address, 0))
        connection.request("GET", "/livez")
        return connection, connection.getresponse()

    with Keyward(data, env={"KEYWARD_SERVER_CONNECTIONS_PER_ADDRESS_MAX": "3"}) as server:
        came = [connect(server, "127.0.0.2") for _ in range(5)]
        assert [answer.status for _, answer in came] == [200] * 3 + [503] * 2
        assert came[-1][1].headers["Connection"] == "close" and b"your address" in came[-1][1].read()
        assert connect(server, "127.0.0.3")[1].status == 200
        metrics = metrics_of(server)
        assert metrics.value("keyward_http_connections_refused_total", reason="connections_per_address_max") == 2
        assert metrics.value("keyward_http_connections_refused_total", reason="connections_max") == 0


def test_logins_that_a_limit_or_a_setting_refuses_are_counted(data):
    with Keyward(data, env={"KEYWARD_REGISTRATION_VERIFICATION": "required"}) as server:
        server.register("limited@example.com")
        wait_for_mail(data, "verify_email", "limited@example.com")  # the account is made after the answer
        server.login("limited@example.com")
        assert metrics_of(server).value("keyward_logins_total", result="invalid_credentials") == 1
        for _ in range(6):
            server.login("limited@example.com", "wrong password here")
        metrics = metrics_of(server)
        assert metrics.value("keyward_logins_total", result="rate_limited") >= 1
        assert metrics.value("keyward_rate_limit_refusals_total", limit="login") >= 1
        assert metrics.value("keyward_registrations_total", result="success") == 1


def test_registrations_refreshes_and_tokens_are_counted(server, email):
    before = metrics_of(server)
    tokens = server.new_user(email)
    server.register(email)
    server.register(email + "x", "password1")  # well-formed, and guessed at once
    first = tokens["refresh_token"]
    second = server.call("POST", "/refresh", {"refresh_token": first}).json["refresh_token"]
    assert server.call("POST", "/refresh", {"refresh_token": first}).status == 200  # within the time of grace
    assert server.call("POST", "/refresh", {"refresh_token": second}).status == 200
    assert server.call("POST", "/refresh", {"refresh_token": first}).status == 401
    assert server.call("POST", "/refresh", {"refresh_token": second}).status == 401
    assert server.call("POST", "/refresh", {"refresh_token": "kw_rt_forged"}).status == 401
    after = metrics_of(server)

    def more(name, **labels):
        return after.value(name, **labels) - before.value(name, **labels)

    assert more("keyward_registrations_total", result="success") == 1
    assert more("keyward_registrations_total", result="refused") == 2, "which of the two it was is not told"
    assert after.labels("keyward_registrations_total", "result") == {"success", "refused", "rate_limited", "unavailable", "other"}
    for result, count in {"rotated": 2, "repeated": 1, "reuse": 1, "session_ended": 1, "not_genuine": 1, "other": 0}.items():
        assert more("keyward_refreshes_total", result=result) == count, result
    assert more("keyward_tokens_issued_total", kind="access") == 4
    assert more("keyward_tokens_issued_total", kind="refresh") == 4
    for event, count in {"authn_token_reuse": 1, "authn_login_success": 1, "user_created": 1}.items():
        assert more("keyward_security_events_total", event=event) == count, event
    assert after.value("keyward_security_events_total", event="other") == 0


def test_requests_are_counted_by_route_and_never_by_path(server, email):
    token = server.new_user(email)["access_token"]
    before = metrics_of(server)
    for number in range(30):
        server.call("GET", f"/users/{number}", token=token)
        server.call("GET", f"/no/such/{number}")
    server.call("GET", "/me", token=token)
    server.call("HEAD", "/me", token=token)
    server.raw(b"GET / HTTP/1.1\r\n\r\n")
    after = metrics_of(server)

    def more(name, **labels):
        return after.value(name, **labels) - before.value(name, **labels)

    name = "keyward_http_responses_total"
    assert more(name, method="GET", route="/users/{user_id}", status="403") == 30
    assert more(name, method="other", route="other", status="404") == 30
    assert more(name, method="other", route="other", status="400") == 1
    assert more(name, method="GET", route="/me", status="200") == 2
    assert more("keyward_http_request_duration_seconds_count", method="GET", route="/me") == 2
    for status in ("500", "503"):  # from 0 on: the first one is an increase
        assert (name, frozenset({"method": "GET", "route": "/me", "status": status}.items())) in after.samples
    assert not any(digit in route for route in after.labels(name, "route") for digit in "0123456789")
    assert len(after.samples) - len(before.samples) < 80


def test_the_database_and_the_process_are_shown(server, email):
    server.new_user(email)
    metrics = metrics_of(server)
    for lane in ("read", "write"):
        assert metrics.value("keyward_database_connections", lane=lane) >= 1
        assert metrics.value("keyward_database_closure_seconds_count", lane=lane) >= 1
        assert metrics.value("keyward_database_conflicts_total", lane=lane) >= 0
    assert metrics.value("keyward_database_group_size_count") >= 1
    assert 0 <= metrics.value("keyward_signing_key_age_seconds") < 3600
    process = pathlib.Path(f"/proc/{server.process.pid}")
    resident = int(re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text()).group(1)) * 1024
    assert 0.5 < metrics.value("process_resident_memory_bytes") / resident < 2
    assert abs(metrics.value("process_open_fds") - len(list((process / "fd").iterdir()))) <= 4
    assert metrics.value("process_threads") == len(list((process / "task").iterdir()))
    assert abs(metrics.value("process_start_time_seconds") - time.time()) < 600
    assert metrics.value("process_cpu_seconds_total") > 0 and metrics.value("process_max_fds") > 100
    version = command("version", "--json")[1]
    shown, = metrics.labels("keyward_build_info", "version")
    assert shown in version


def test_mails_that_wait_are_shown_with_the_age_of_the_oldest(data):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # nothing listens: mails stay in the outbox
        port = nobody.getsockname()[1]
        settings = {"KEYWARD_MAIL_SMTP_URL": f"smtp://127.0.0.1:{port}", "KEYWARD_MAIL_ALLOW_CLEAR_TEXT": "true",
                    "KEYWARD_MAIL_FROM": "keyward@example.com"}
        with Keyward(data, env=settings) as server:
            assert metrics_of(server).value("keyward_mails_waiting") == 0
            server.register("waits@example.com")
            deadline = time.monotonic() + 20
            while (metrics := metrics_of(server)).value("keyward_mails_waiting") != 1:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert 0 < metrics.value("keyward_mail_oldest_waiting_seconds") < 60


def test_handshakes_are_counted_full_and_resumed(data, tmp_path):
    authority = Authority(tmp_path)
    with Https(data, *files_of(authority, "server")) as server:
        context = client_context(authority)

        def handshakes():
            time.sleep(0.011)  # limits::metrics_kept
            metrics = Metrics(ask(server, context, "/metrics")[2].decode())
            return [metrics.value("keyward_tls_handshakes_total", kind=kind) for kind in ("full", "resumed")]

        before = handshakes()
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as first:
                first.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while first.recv(4096):
                    pass
                session = first.session
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as second:
                assert second.session_reused
                second.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while second.recv(4096):
                    pass
        after = handshakes()
        assert after[0] - before[0] == 2 and after[1] - before[1] == 1  # its own question is a full one


@pytest.fixture(scope="module")
def managed(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("managed") / "data", env={"KEYWARD_SERVER_MANAGEMENT_LISTEN": "127.0.0.1:0"}) as running:
        yield running


def test_H3_with_a_management_listener_the_public_one_has_no_metrics(managed):
    assert managed.call("GET", "/metrics").status == 404
    assert managed.call("GET", "/livez").status == managed.call("GET", "/readyz").status == 200
    port = managed.management_port
    assert port != managed.port
    assert metrics_of(managed, port).value("keyward_build_info", version="0.1.0") == 1
    # Whoever reaches it is meant to: a scraper's address is no matter there.
    assert managed.call("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.1"}, port=port).status == 200


def test_H3_the_management_listener_has_three_routes_and_no_more(managed):
    port = managed.management_port
    assert managed.call("GET", "/livez", port=port).status == 200
    ready = managed.call("GET", "/readyz", port=port)
    assert ready.status == 200 and ready.json["status"] == "ok"
    for path in ("/", "/me", "/docs", "/openapi.json", "/.well-known/jwks.json", "/metrics/", "/Metrics", "/audit"):
        assert managed.call("GET", path, port=port).status == 404, path
    assert managed.call("POST", "/login", {"email": "a@example.com", "password": "x"}, port=port).status == 404
    assert managed.call("POST", "/metrics", {}, port=port).status == 405
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/livez")
    assert connection.getresponse().getheader("X-Content-Type-Options") == "nosniff"
    connection.close()


@pytest.mark.parametrize("host, status", [
    ("localhost", 200), ("localhost:80", 200), ("127.0.0.1", 200), ("127.1.2.3:8080", 200), ("[::1]:8080", 200), ("[::1]", 200),
    ("id.example.com", 404), ("127.0.0.1.example.com", 404), ("localhost.example.com:80", 404), ("192.0.2.1", 404), ("[2001:db8::1]", 404)])
def test_H3_metrics_are_for_those_who_mean_this_machine(server, host, status):
    assert server.call("GET", "/metrics", headers={"Host": host}).status == status


def test_H3_behind_a_proxy_that_says_nothing_the_public_listener_has_no_metrics(tmp_path):
    for name, setting, value in (("a", "KEYWARD_SERVER_TRUSTED_PROXIES", "192.0.2.1"),
                                 ("b", "KEYWARD_SERVER_PUBLIC_URL", "https://id.example.com")):
        with Keyward(tmp_path / name, env={setting: value}) as proxied:
            assert proxied.call("GET", "/metrics").status == 404
    with Keyward(tmp_path / "b", env={setting: value, "KEYWARD_SERVER_MANAGEMENT_LISTEN": "127.0.0.1:0"}) as proxied:
        assert proxied.call("GET", "/metrics", port=proxied.management_port).status == 200


@pytest.mark.parametrize("value", ["nonsense", "127.0.0.1", "127.0.0.1:99999"])
def test_a_wrong_management_address_is_refused_with_its_name(data, value):
    code, _, errors = command("config", "check", data=data, env={"KEYWARD_SERVER_MANAGEMENT_LISTEN": value})
    assert code == 1 and "server.management_listen" in errors


def test_a_management_port_that_is_taken_is_told_at_the_start(data):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, errors = command("serve", "--listen", "127.0.0.1:0", data=data,
                                  env={"KEYWARD_SERVER_MANAGEMENT_LISTEN": f"127.0.0.1:{taken.getsockname()[1]}"})
    assert code == 1 and "already in use" in errors


def test_a_flood_of_questions_is_answered_with_one_text_and_the_next_with_a_new_one(server):
    def both():
        """Two questions in one piece, which come within limits::metrics_kept unless the machine is very busy."""
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            ask = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
            connection.sendall(ask + b"\r\n" + ask + b"Connection: close\r\n\r\n")
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        return [float(count) for count in re.findall(rb"^keyward_http_requests_total (\S+)", received, re.MULTILINE)]

    # Made anew, it would tell of the first of the two: the count would be another.
    assert any(one == other for one, other in (both() for _ in range(20)))
    before = metrics_of(server).value("keyward_http_requests_total")
    assert metrics_of(server).value("keyward_http_requests_total") > before


def test_questions_at_once_do_not_disturb_each_other_and_no_counter_falls(server):
    for _ in range(20):
        time.sleep(0.011)  # limits::metrics_kept, so that several make the text at once
        before = metrics_of(server).value("keyward_http_requests_total")
        time.sleep(0.011)
        connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
        for connection in connections:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        for connection in connections:
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            connection.close()
            assert Metrics(received.split(b"\r\n\r\n", 1)[1].decode()).value("keyward_http_requests_total") > before
