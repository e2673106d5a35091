"""What is told of logins by providers, and what is not: metrics, events, the log; how many there may be."""

import json
import re

import pytest

from flows import rows
from keyward import Keyward
from metrics import metrics_of
from openid_provider import CLIENT_SECRET, Apple, OpenIdProvider, Twist, new_person, says_no
from peer_http import Peers, Reply
from providers import ON, Application, Visitor, exchange, log_in, logged_in, peers_for_tests, server_with


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Peers() as gone:
        away = OpenIdProvider(gone, "away")
    with peers_for_tests() as peers:
        good, apple = OpenIdProvider(peers, "good"), Apple(peers, "apple")
        with server_with(tmp_path_factory.mktemp("told"), good, apple, away, nodes=1) as server:
            yield server, good, apple


def test_logins_and_requests_are_counted(world):
    server, good, _ = world
    before = metrics_of(server)
    logged_in(server, good, new_person())
    log_in(server, good, new_person(), Twist(claims={"nonce": "another"}))
    server.call("GET", "/auth/away/login")
    Visitor(server).ask("GET", "/auth/good/callback?code=x&state=y")
    after = metrics_of(server)

    def more(name, **labels):
        return after.value(name, **labels) - before.value(name, **labels)

    results = {key[1] for key in after.samples if key[0] == "keyward_social_logins_total"}
    told = {tuple(sorted(labels)): more("keyward_social_logins_total", **dict(labels)) for labels in results}
    assert sum(value for labels, value in told.items() if ("provider", "good") in labels) == 3, told
    assert more("keyward_social_logins_total", provider="good", result="success") == 1
    assert after.labels("keyward_social_logins_total", "provider") == {"good", "apple", "away"}, "no more than are configured"
    requests = {dict(labels)["result"]: more("keyward_outbound_requests_total", **dict(labels))
                for name, labels in after.samples if name == "keyward_outbound_requests_total"}
    assert sum(requests.values()) >= 4 and requests.get("not_connected", 0) >= 1, requests
    assert more("keyward_outbound_request_seconds_count") == sum(requests.values())


def test_L2_no_secret_of_a_login_is_told_anywhere(world):
    """Codes, tokens, verifiers, states, nonces, cookies, secrets of clients: neither in the log nor in events nor in metrics."""
    server, good, apple = world
    secret = {CLIENT_SECRET, apple.client_key.pem.split("\n")[1]}
    denied = says_no("server_error", error_description="words")
    twists = (Twist(), Twist(claims={"nonce": "another"}), denied)
    for provider in (good, apple):
        for twist in twists:
            visitor, application, person = Visitor(server), Application(), new_person("canary")
            target = visitor.begin(provider.name, **application.query)
            secret |= set(re.findall(r"(?:state|nonce|code_challenge)=([^&]+)", target))
            secret |= {*visitor.cookies.values(), application.verifier}
            way_back = provider.authorize(target, person, twist)
            answer = visitor.come_back(provider, way_back)
            secret |= {way_back[1].get("code", person["email"]), person["email"]}
            given = application.given(answer)
            if "code" in given:
                secret.add(given["code"])
                login = application.exchange(server, given["code"])
                secret |= {login.json["access_token"], login.json["refresh_token"]}
                exchange(server, given["code"], application.verifier)
    secret |= set(good.tokens) | set(apple.tokens)
    assert len(secret) > 40 and all(secret)
    server.logged_events()
    everything = "".join(server.errors) + "".join(server.events) + server.call("GET", "/metrics").body.decode()
    assert "good" in everything
    assert not [one for one in secret if one in everything]
    assert server.call("GET", "/auth/providers").body.decode().count(good.client_id) == 0
    kept = "".join(str(rows(server, f"SELECT * FROM {table}")) for table in ("identities", "handover_codes", "used_logins", "sessions"))
    people = {one for one in secret if "@" in one}  # which an identity shows
    assert not [one for one in secret - people if one in kept]


def test_L2_what_a_provider_says_is_one_line_in_the_log(world):
    server, good, _ = world
    naughty = "no\r\n{\"time\":\"2026\",\"event\":\"user_deleted\"}\u2028\x1b[31m"
    twists = [says_no(naughty), Twist(claims={"iss": naughty}), Twist(claims={"aud": naughty}),
              Twist(header={"kid": naughty}),
              Twist(token=lambda _members: Reply.json({"error": naughty, "error_description": naughty}, 400))]
    for twist in twists:
        assert log_in(server, good, new_person(), twist).status == 403
    server.logged_events()
    for line in [*server.errors, *server.events]:
        if line.startswith("{"):
            assert json.loads(line).get("event") != "user_deleted"
            assert not [letter for letter in line.rstrip("\n") if ord(letter) < 32 or letter == "\u2028"], line
    assert "user_deleted" not in [event["event"] for event in server.logged_events()]


def test_A3_logins_are_limited_for_each_address(tmp_path):
    with peers_for_tests() as peers:
        good = OpenIdProvider(peers, "good")
        limits = {"KEYWARD_LIMITS_ENABLED": "true", "KEYWARD_LIMITS_PROVIDER_LOGINS_PER_MINUTE": "6"}
        with server_with(tmp_path, good, env=limits) as server:
            answers = [
    server.call(
        "GET",
        "/auth/good/login",
        headers={
            "X-Forwarded-For": f"203.0.113.{number}"}) for number in range(20)]
            statuses = [answer.status for answer in answers]
            assert statuses == [303] * 6 + [429] * 14, statuses
            refused = next(answer for answer in answers if answer.status == 429)
            assert int(refused.headers["Retry-After"]) > 0 and "Set-Cookie" not in refused.headers
            assert server.call("GET", "/auth/good/callback?code=a&state=b").status == 429
            tries = [exchange(server, "kw_xc_" + "A" * 43, "A" * 43).status for _ in range(62)]
            assert tries == [400] * 60 + [429] * 2, "an application's server is one address for all its people"
            assert good.token_requests == 0 and server.call("GET", "/auth/providers").status == 200


def test_Z4_without_providers_there_are_none(tmp_path):
    with Keyward(tmp_path / "data", env=ON) as server:
        assert server.call("GET", "/auth/providers").json == {"items": [], "next": None}
        for method, path, form in (("GET", "/auth/google/login", None), ("GET", "/auth/google/callback", None),
                                   ("POST", "/auth/apple/callback", {"state": "a"})):
            assert server.call(method, path, form=form).status == 404, path
        assert exchange(server, "kw_xc_" + "A" * 43, "A" * 43).status in (400, 404)
        metrics = metrics_of(server)
        assert metrics.labels("keyward_social_logins_total", "provider") == set()
        assert metrics.value("keyward_outbound_request_seconds_count") == 0
