"""Requests to providers: where they may go, how long they may take, how large an answer may be (F7)."""

import concurrent.futures
import ipaddress
import socket
import time

import pytest

from flows import rows
from keyward import command
from openid_provider import ABSENT, GitLab, OpenIdProvider, Twist, new_person
from peer_http import JSON, Peers, Reply
from providers import Visitor, log_in, logged_in, peers_for_tests, refused_for, server_with, stored
from smtp_server import Authority

PATIENCE_S = 10  # limits::outbound_timeout
CLIENT = {"KEYWARD_PROVIDERS_IDP_CLIENT_ID": "me", "KEYWARD_PROVIDERS_IDP_CLIENT_SECRET": "x"}
WELL_KNOWN = "/.well-known/openid-configuration"


def document(provider, **changes):
    """Its metadata, changed."""
    provider.metadata_twist = changes
    return provider


def answering(provider, path, reply):
    provider.overrides[path] = reply
    return provider


def drip(_asked):
    return Reply(200, headers={"Content-Type": JSON}, chunks=[b" "] * 60, pause_s=1)


def stall(_asked):
    return Reply.json({}, delay_s=PATIENCE_S + 15)


def evil_documents(peers):
    """Providers that are wrong before anybody has logged in there: metadata, and what it points at."""
    def one(name, **changes):
        return document(OpenIdProvider(peers, name), **changes)

    inner = f"http://127.0.0.1:{peers.server_port}/redirected/elsewhere"
    return [
        one("other-issuer", issuer="https://accounts.upstream.example"), one("slash", issuer=f"{peers.url}/slash/"),
        one("no-issuer", issuer=ABSENT), one("script", authorization_endpoint="javascript:alert(1)"),
        one("no-endpoint", authorization_endpoint=ABSENT),
        one("no-keys", jwks_uri=ABSENT),
        one("symmetric", id_token_signing_alg_values_supported=["HS256", "none"]),
        answering(OpenIdProvider(peers, "redirected"), WELL_KNOWN, lambda _asked: Reply(302, headers={"Location": inner})),
        answering(OpenIdProvider(peers, "huge"), WELL_KNOWN, lambda _asked: Reply.json(b'{"a":"' + b"a" * (1 << 21) + b'"}')),
        answering(OpenIdProvider(peers, "page"), WELL_KNOWN, lambda _asked: Reply(200, b"<html>", {"Content-Type": "text/html"})),
        answering(OpenIdProvider(peers, "missing"), WELL_KNOWN, lambda _asked: Reply.json({}, 404)),
        answering(OpenIdProvider(peers, "garbage"), WELL_KNOWN, lambda _asked: Reply.json(b"\x00\xff")),
    ]


EVIL_NAMES = ("other-issuer", "slash", "no-issuer", "script", "no-endpoint", "no-keys", "symmetric", "redirected",
              "huge", "page", "missing", "garbage")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with peers_for_tests() as peers:
        known = evil_documents(peers)
        known += [answering(OpenIdProvider(peers, "stalled"), WELL_KNOWN, stall),
                  answering(OpenIdProvider(peers, "dripping"), WELL_KNOWN, drip),
                  document(OpenIdProvider(peers, "clear-text"), token_endpoint="http://10.1.2.3/token"),
                  OpenIdProvider(peers, "slow-token"), OpenIdProvider(peers, "dripping-token"), OpenIdProvider(peers, "good"),
                  answering(OpenIdProvider(peers, "redirected-keys"), "/jwks",
                            lambda _asked: Reply(302, headers={"Location": peers.url + "/good/jwks"}))]
        with server_with(tmp_path_factory.mktemp("network"), *known) as server:
            yield server, {provider.name: provider for provider in known}


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_F5_F7_nobody_is_sent_where_an_untrue_document_points(world, name):
    server, known = world
    assert tuple(provider.name for provider in known.values())[:len(EVIL_NAMES)] == EVIL_NAMES
    for _ in range(5):
        answer = server.call("GET", f"/auth/{name}/login")
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
        assert "Location" not in answer.headers and "Set-Cookie" not in answer.headers
    assert 1 <= known[name].counts[WELL_KNOWN] <= len(server.nodes), "it is not asked again at once"
    assert known[name].counts["/elsewhere"] == 0, "redirects are not followed"


def test_F7_a_slow_provider_is_given_up_and_keeps_nobody_else_waiting(world):
    server, known = world
    there = stored(server)

    def begin(name):
        began = time.monotonic()
        answer = server.call("GET", f"/auth/{name}/login", timeout_s=40)
        return answer, time.monotonic() - began

    def come_back(name, reply):
        began = time.monotonic()
        answer = log_in(server, known[name], new_person(), Twist(token=lambda _members: reply(None)))
        return answer, time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(begin, "stalled"), pool.submit(begin, "dripping"), pool.submit(come_back, "slow-token", stall),
                pool.submit(come_back, "dripping-token", drip)]
        began = time.monotonic()
        while time.monotonic() < began + 3:
            asked = time.monotonic()
            login = logged_in(server, known["good"], new_person())
            assert time.monotonic() < asked + 2 and login["access_token"]
        for answer, took_s in [future.result() for future in slow]:
            assert answer.status == 503 and answer.headers["Retry-After"] and took_s < PATIENCE_S + 8, (answer, took_s)
    made = stored(server)[0] - there[0]
    assert made == rows(server, "SELECT count(*) FROM identities WHERE provider = ?", "good")[0][0]


def test_F7_keys_behind_a_redirect_are_no_keys(world):
    server, known = world
    there, asked = stored(server), known["good"].counts["/jwks"]
    answer = log_in(server, known["redirected-keys"], new_person())
    assert answer.status in (403, 503) and stored(server) == there and known["good"].counts["/jwks"] == asked


def test_F7_a_code_is_sent_to_nobody_in_clear(world):
    server, known = world
    for _ in range(2):
        with refused_for(server, known["clear-text"], "clear_text"):
            assert log_in(server, known["clear-text"], new_person()).status in (403, 503)


def test_F7_documents_are_kept(world):
    server, known = world
    for _ in range(10):
        logged_in(server, known["good"], new_person())
    nodes = len(server.nodes)
    assert known["good"].counts[WELL_KNOWN] <= nodes and known["good"].counts["/jwks"] <= nodes


# ── Addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────
def private_name():
    """A name of this machine that is no spelling of localhost, and the private address that it has."""
    for name in (socket.gethostname(), "ip6-localhost", "ip6-loopback"):
        try:
            address = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0]
        except OSError:
            continue
        if name != "localhost" and not ipaddress.ip_address(address).is_global:
            return name, address
    return None


def test_F7_a_name_with_a_private_address_is_asked_only_where_that_is_allowed(tmp_path):
    found = private_name()
    if found is None:
        pytest.skip("this machine has no name with a private address")
    name, address = found
    authority = Authority(tmp_path)
    with peers_for_tests(address=address, host=name, tls=authority.context("peer", name)) as peers:
        inside, refused, untrusted = (OpenIdProvider(peers, word) for word in ("inside", "refused", "untrusted"))
        trusting = {"ca_file": str(authority.ca_file)}
        with server_with(tmp_path, (inside, trusting), (refused, {**trusting, "private_network": "false"}), untrusted) as server:
            answer = server.call("GET", "/auth/refused/login")
            assert answer.status == 503 and refused.counts == {}, answer
            assert peers.connections == 0, "not even a connection"
            assert server.wait_for_event("authn_login_fail")[0]["reason"] == "address_not_allowed"
            assert logged_in(server, inside, new_person())["access_token"]
            answer = server.call("GET", "/auth/untrusted/login")
            assert answer.status == 503 and untrusted.counts == {}, "an authority that nobody knows"


def test_F7_endpoints_on_private_addresses_are_asked_only_where_that_is_allowed(tmp_path):
    """A document that is true but for where it points: the addresses of endpoints are looked at like any other."""
    with peers_for_tests() as peers:
        with server_with(tmp_path, OpenIdProvider(peers, "good")) as server:
            assert server.call("GET", "/auth/good/login").status == 303
    for issuer in ("https://127.0.0.1:1", "https://[::1]:1", "https://0x7f.1:1", "https://2130706433:1", "https://localhost:1",
                   "https://[::ffff:127.0.0.1]:1", "https://10.0.0.1:1", "https://169.254.169.254",
                   "https://[64:ff9b::7f00:1]:1", "https://[2002:7f00:1::]:1"):
        env = {**CLIENT, "KEYWARD_PROVIDERS_IDP_ISSUER": issuer}
        if command("config", "check", data=tmp_path / "check", env=env)[0] != 0:
            continue  # refused before anything starts
        with server_with(tmp_path / issuer.encode().hex(), env=env) as server:
            began = time.monotonic()
            assert server.call("GET", "/auth/idp/login").status == 503, issuer
            assert time.monotonic() - began < 8, "it does not wait for what it may not ask"
            told, = server.wait_for_event("authn_login_fail")
            assert told["reason"] == "address_not_allowed", (issuer, told)


def test_F7_no_proxy_of_the_environment_is_used(tmp_path):
    with Peers() as proxy, peers_for_tests() as peers:
        good = GitLab(peers, "gitlab")
        proxies = {name: proxy.url for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")}
        with server_with(tmp_path, good, env={**proxies, "no_proxy": ""}) as server:
            assert logged_in(server, good, new_person())["access_token"] and proxy.connections == 0


def test_F7_clear_text_is_spoken_with_this_machine_alone_and_only_for_development(data):
    base = {**CLIENT, "KEYWARD_PROVIDERS_IDP_PRIVATE_NETWORK": "true"}
    local = {"KEYWARD_SERVER_PUBLIC_URL": "http://localhost:8080"}

    def is_taken(issuer, **more):
        return command("config", "check", data=data, env={**base, **local, "KEYWARD_PROVIDERS_IDP_ISSUER": issuer, **more})[0] == 0

    assert is_taken("http://127.0.0.1:9000") and is_taken("http://localhost:9000")
    for issuer in ("http://idp.upstream.example", "http://10.0.0.1", "http://localhost.evil.example", "http://127.0.0.1.evil.example"):
        assert not is_taken(issuer), issuer
    assert not is_taken("http://127.0.0.1:9000", KEYWARD_SERVER_PUBLIC_URL="https://id.example.com")


def test_F7_connections_to_a_provider_are_used_again(tmp_path):
    with peers_for_tests() as peers:
        good = OpenIdProvider(peers, "good", in_id_token=())
        with server_with(tmp_path, good, nodes=1) as server:
            for _ in range(10):
                assert Visitor(server).log_in(good, new_person()).status == 200
            assert sum(good.counts.values()) > 20 and peers.connections <= 3, (good.counts, peers.connections)
