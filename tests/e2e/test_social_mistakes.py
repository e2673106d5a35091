"""The mistakes that applications, operators and developers make with logins by providers: each is told where it is looked for."""

import json
import time
import urllib.parse

import pytest

from openid_provider import OpenIdProvider, new_person
from peer_http import Peers
from providers import ON, Application, Visitor, exchange, log_in, peers_for_tests, server_with


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Peers() as gone:
        away = OpenIdProvider(gone, "away")
    with peers_for_tests() as peers:
        good, other = OpenIdProvider(peers, "good"), OpenIdProvider(peers, "other")
        other.metadata_twist = {"issuer": "http://127.0.0.1:1"}
        secretive = OpenIdProvider(peers, "secretive")
        with server_with(tmp_path_factory.mktemp("mistakes"), good, other, away, (secretive, {"client_secret": "of another client altogether"}),
                         nodes=1) as server:
            yield server, good, secretive


def test_F4_a_developer_who_opens_another_name_of_this_machine_is_sent_to_the_right_one(world):
    server, _, _ = world
    port = server.url.rpartition(":")[2]
    answer = server.call("GET", "/auth/good/login?login_hint=ada", headers={"Host": f"localhost:{port}"})
    assert answer.status == 303 and answer.headers["Location"] == f"{server.url}/auth/good/login?login_hint=ada", answer
    assert "Set-Cookie" not in answer.headers, "the callback would not see it"
    for host in (f"localhost.evil.example:{port}", "localhost:1", "evil.example"):
        direct = server.call("GET", "/auth/good/login", headers={"Host": host})
        assert direct.status == 303 and "/authorize?" in direct.headers["Location"], host


@pytest.mark.parametrize("name, word", [("away", "temporarily_unavailable"), ("other", "provider_error")])
def test_H4_a_provider_that_cannot_be_asked_is_told_to_the_application(world, name, word):
    server, _, _ = world
    application = Application()
    begun = Visitor(server).ask("GET", f"/auth/{name}/login?" + urllib.parse.urlencode(application.query))
    assert application.given(begun) == {"error": word} and "Set-Cookie" not in begun.headers
    bare = server.call("GET", f"/auth/{name}/login")
    assert bare.status == 503 and bare.headers["Retry-After"], bare
    assert ("cannot be reached" in bare.json["detail"]) == (name == "away"), bare


def test_a_misspelt_or_forgotten_return_to_is_told(world):
    server, _, _ = world
    query = Application().query
    del query["return_to"]
    assert server.call("GET", "/auth/good/login?" + urllib.parse.urlencode(query)).fields == ["return_to"]
    misspelt = server.call("GET", "/auth/good/login?" + urllib.parse.urlencode({**query, "returnTo": "/x"}))
    assert misspelt.status == 422 and "returnTo" in misspelt.fields, misspelt


@pytest.mark.parametrize("verifier", ["", "y", "y" * 42, "y" * 129, "y" * 42 + "="])
def test_what_can_be_no_verifier_leaves_the_code_alone(world, verifier):
    server, good, _ = world
    application, visitor = Application(), Visitor(server)
    code = application.code_from(visitor.log_in(good, new_person(), **application.query))
    assert exchange(server, code, verifier).fields == ["code_verifier"]
    assert exchange(server, code, application.verifier).status == 200


def test_a_wrong_secret_is_told_to_the_operator(world):
    server, _, secretive = world
    answer = log_in(server, secretive, new_person())
    assert answer.status == 403 and "did not succeed" in answer.json["detail"], answer

    def told():
        return [json.loads(line) for line in server.errors if '"provider_refused_us"' in line]

    for _ in range(200):
        if told():
            break
        time.sleep(0.05)
    assert told() and told()[-1]["level"] == "error" and told()[-1]["provider"] == "secretive" and "invalid_client" in told()[-1]["reason"]


def test_F8_an_origin_with_a_last_slash_is_the_origin(tmp_path):
    with peers_for_tests() as peers:
        good = OpenIdProvider(peers, "good")
        env = {**ON, "KEYWARD_SOCIAL_RETURN_TO_ORIGINS": "https://app.example/, https://other.example/page"}
        with server_with(tmp_path, good, env=env, nodes=1) as server:
            def begun(return_to):
                return server.call("GET", "/auth/good/login?" + urllib.parse.urlencode(Application(return_to).query)).status

            assert begun("https://app.example/anywhere") == 303
            assert begun("https://other.example/page?x=1") == 303
            assert begun("https://other.example/pages") == 422 and begun("https://other.example/") == 422
