"""Logging in with an account that one has elsewhere: the whole way, with every kind of provider, real and played."""

import json
import re
import urllib.parse

import pytest

import glewlwyd_provider
from flows import events_about, rows, verify
from keyward import Keyward
from mailbox import mails, settle, wait_for_mail
from oauth_peers import Discord, GitHub
from openid_provider import Apple, GitLab, Google, Microsoft, OpenIdProvider, Twist, new_person, says_no
from providers import (APP, ON, Application, Visitor, bytes_of, exchange, log_in, logged_in, peers_for_tests, server_with, stored,
                       whoami)
from real_provider import RealProvider
from signing import challenge_of

KINDS = ("good", "post", "jwt", "userinfo", "es256", "ps256", "eddsa", "google", "gitlab", "microsoft", "apple", "github", "discord")


def all_kinds(peers):
    return [OpenIdProvider(peers, "good"), OpenIdProvider(peers, "post", authentication="client_secret_post"),
            OpenIdProvider(peers, "jwt", authentication="private_key_jwt"), OpenIdProvider(peers, "userinfo", in_id_token=()),
            OpenIdProvider(peers, "es256", "ES256"), OpenIdProvider(peers, "ps256", "PS256"), OpenIdProvider(peers, "eddsa", "EdDSA"),
            Google(peers, "google"), GitLab(peers, "gitlab"), Microsoft(peers, "microsoft"), Apple(peers, "apple"),
            GitHub(peers, "github"), Discord(peers, "discord"), OpenIdProvider(peers, "closed")]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(server, its providers by name)."""
    with peers_for_tests() as peers:
        known = {provider.name: provider for provider in all_kinds(peers)}
        known["elsewhere"] = OpenIdProvider(peers, "elsewhere", tells_issuer=False)
        known["elsewhere"].metadata_twist = {"authorization_endpoint": known["elsewhere"].base + "/authorize?tenant=a%20b"}
        chosen = [provider for name, provider in known.items() if name != "closed"] + [(known["closed"], {"sign_up": "false"})]
        with server_with(tmp_path_factory.mktemp("social"), *chosen) as server:
            yield server, known


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """(server, panva's oidc-provider)."""
    with RealProvider() as provider, Keyward(tmp_path_factory.mktemp("real") / "data", env={**ON, **provider.settings()}) as server:
        yield server, provider.introduce(server)


def person_at(provider, word="ada", **more):
    person = new_person(word, **more)
    number = 9_000_000_000 + int(person["sub"].rpartition("-")[2])
    if provider.kind in ("github", "discord"):
        person["sub"] = number if provider.kind == "github" else str(number)
    return person


# ── The way out ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_providers_are_listed_with_where_to_begin(world):
    server, known = world
    answer = server.call("GET", "/auth/providers")
    assert answer.status == 200 and answer.json["next"] is None
    items = {item["name"]: item for item in answer.json["items"]}
    assert set(items) == set(known)
    for name, item in items.items():
        assert set(item) == {"name", "display_name", "login_url"} and item["display_name"]
        assert item["login_url"] == f"{server.url}/auth/{name}/login"
    assert items["github"]["display_name"] == "GitHub" and items["google"]["display_name"] == "Google"


def test_F4_a_login_goes_out_with_state_nonce_and_pkce_bound_to_the_browser(world):
    server, known = world
    seen = set()
    for provider in known.values():
        visitor = Visitor(server)
        target = urllib.parse.urlsplit(visitor.begin(provider.name))
        query = dict(urllib.parse.parse_qsl(target.query, strict_parsing=True))
        assert target._replace(query="").geturl().startswith(provider.base + "/"), target
        expected = {"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}
        expected |= {"tenant"} if provider.name == "elsewhere" else set()  # which its own endpoint has
        expected |= ({"nonce"} if provider.needs_nonce else set()) | ({"response_mode"} if provider.kind == "apple" else set())
        assert set(query) == expected, query
        assert query["redirect_uri"] == f"{server.url}/auth/{provider.name}/callback", "one for each provider (F5)"
        assert query["code_challenge_method"] == "S256" and query["response_type"] == "code"
        secrets_of_it = {query["state"], query["code_challenge"], query.get("nonce", query["state"] + "n")}
        assert len(secrets_of_it) == 3 and not secrets_of_it & seen and all(len(secret) >= 22 for secret in secrets_of_it)
        seen |= secrets_of_it
        line, = visitor.cookie_lines
        name, attributes = line.split("=")[0], [part.strip() for part in line.split(";")[1:]]
        assert re.fullmatch(r"kw_login_[0-9a-f]{8}", name), "no prefix without https"
        assert sorted(attributes) == ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax"], line  # None takes https
        value = visitor.cookies[name]
        assert not any(secret in value for secret in secrets_of_it), "what is in the cookie is sealed"
        assert len(line) < 4096


def test_S3_F4_the_cookie_of_an_https_server_is_for_this_host_alone(tmp_path):
    with peers_for_tests(host="localhost") as peers:
        good, apple = OpenIdProvider(peers, "good"), Apple(peers, "apple")
        public = {"KEYWARD_SERVER_PUBLIC_URL": "https://localhost"}
        with server_with(tmp_path, good, apple, env=public) as server:
            for provider in (good, apple):
                visitor = Visitor(server)
                answer = visitor.log_in(provider, new_person())
                assert answer.status == 200, answer
                assert not visitor.cookies, "the cookie goes with the login"
                gone, = visitor.cookie_lines
                begun = Visitor(server)
                begun.begin(provider.name)
                line, = begun.cookie_lines
                assert re.match(r"__Host-kw_login_[0-9a-f]{8}=", line) and re.match(r"__Host-kw_login_[0-9a-f]{8}=;", gone)
                for one in (line, gone):
                    attributes = [part.strip() for part in one.split(";")[1:]]
                    assert {"Path=/", "Secure", "HttpOnly"} <= set(attributes) and not [a for a in attributes if a.startswith("Domain")]
                    assert ("SameSite=None" if provider is apple else "SameSite=Lax") in attributes


def test_S7_head_and_get_of_a_login_change_nothing(world):
    server, known = world
    tables = ("accounts", "sessions", "identities", "used_logins", "handover_codes", "audit_events")
    server.call("GET", "/livez")
    settle(server.data)
    before = [rows(server, f"SELECT count(*) FROM {table}") for table in tables]
    for name in known:
        for method in ("HEAD", "GET"):
            answer = server.call(method, f"/auth/{name}/login")
            assert answer.status == 303 and (method == "GET" or not answer.body)
    assert [rows(server, f"SELECT count(*) FROM {table}") for table in tables] == before


def test_what_a_login_may_ask_for(world):
    server, _ = world
    challenge = challenge_of("v" * 43)
    assert server.call("GET", "/auth/nobody/login").status == server.call("GET", "/auth/GOOD/login").status == 404
    good = {"return_to": APP + "/x", "code_challenge": challenge, "code_challenge_method": "S256"}

    def fields(**query):
        answer = server.call("GET", "/auth/good/login?" + urllib.parse.urlencode(query))
        assert answer.status == 422 and "Location" not in answer.headers and "Set-Cookie" not in answer.headers, answer
        return answer.fields

    assert server.call("GET", "/auth/good/login?" + urllib.parse.urlencode(good)).status == 303
    assert fields(return_to=APP + "/x") == ["code_challenge"]
    assert "code_challenge_method" in fields(**{**good, "code_challenge_method": "plain"})
    for bad in ("", "short", challenge + "A", challenge[:-1] + "=", challenge[:-1] + "+"):
        assert "code_challenge" in fields(**{**good, "code_challenge": bad}), bad
    assert "return_to" in fields(**{**good, "return_to": "https://evil.example/"})
    assert fields(ticket="kw_nonsense") == ["ticket"]


# ── The way back ─────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("kind", KINDS)
def test_a_first_login_makes_an_account_and_the_next_one_finds_it(world, kind):
    server, known = world
    provider = known[kind]
    person, visitor = person_at(provider), Visitor(server)
    answer = visitor.log_in(provider, person)
    assert answer.status == 200 and set(answer.json) == {"access_token", "refresh_token", "token_type", "expires_in", "user_id"}, (
        answer, provider.complaints)
    assert not visitor.cookies and answer.headers["Cache-Control"] == "no-store"
    first, me = answer.json, whoami(server, answer.json)
    assert (me["id"], me["email"], me["email_verified"]) == (first["user_id"], person["email"], True)
    if kind != "apple":
        assert me["full_name"] == person["name"]
    assert server.call("POST", "/refresh", {"refresh_token": first["refresh_token"]}).status == 200
    again = logged_in(server, provider, person)
    assert again["user_id"] == first["user_id"]
    identity, = server.call("GET", "/me/identities", token=again["access_token"]).json["items"]
    assert (identity["provider"], identity["email"]) == (provider.name, person["email"])
    created, = events_about(server, "user_created", first["user_id"])
    assert created["reason"] == "provider"
    told = events_about(server, "authn_login_success", first["user_id"])
    assert [(event["reason"], event["detail"]) for event in told] == [("provider", provider.name)] * 2
    assert not mails(server.data, "verify_email", person["email"]), "nothing is left to verify"
    assert not provider.complaints


def test_apples_name_comes_once_and_is_kept(world):
    server, known = world
    person = new_person("grace")
    first = logged_in(server, known["apple"], person)
    assert whoami(server, first)["full_name"] == person["name"]
    assert whoami(server, logged_in(server, known["apple"], person))["full_name"] == person["name"]


def test_F2_apples_form_tells_a_name_and_nothing_else(world):
    """Nobody has signed it: anybody can send one."""
    server, known = world
    apple, person, victim = known["apple"], new_person(), new_person("victim")
    users = [json.dumps({"name": {"firstName": "Grace", "lastName": "\r\n\x1b[31m<b>H"}, "email": victim["email"], "sub": victim["sub"]}),
             "{", "[]", '{"name": 7}', "[" * 2000, '{"name": {"firstName": "' + "x" * 3000 + '"}}']
    for user in users:
        visitor = Visitor(server)
        target, parameters = apple.authorize(visitor.begin("apple"), person)
        answer = visitor.come_back(apple, (target, {**parameters, "user": user}))
        assert answer.status == 200 and whoami(server, answer.json)["email"] == person["email"], answer
    name = whoami(server, answer.json)["full_name"]
    assert name is None or not [letter for letter in name if ord(letter) < 32], name


def test_nobody_logs_in_with_the_address_of_a_github_profile(world):
    """It is what the person typed; only the list of addresses says what was verified."""
    server, known = world
    person = person_at(known["github"])
    person["emails"] = [{"email": person["email"], "primary": True, "verified": False, "visibility": "public"}]
    answer = log_in(server, known["github"], person)
    assert answer.status == 403 and not rows(server, "SELECT 1 FROM accounts WHERE email LIKE ?", "profile@%")
    person["emails"] = [{"email": "second." + person["email"], "primary": False, "verified": True, "visibility": None}]
    assert log_in(server, known["github"], person).status == 403, "the primary one counts"


@pytest.mark.parametrize("client", RealProvider.METHODS)
def test_the_whole_way_with_a_real_provider(real, client):
    server, provider = real
    answers = []
    for _ in range(2):
        visitor = Visitor(server)
        answers.append(visitor.follow(provider.way_back(visitor.begin(client), f"ada-{client}")))
    assert [answer.status for answer in answers] == [200, 200], answers
    me = whoami(server, answers[1].json)
    assert (me["email"], me["email_verified"]) == (f"ada-{client}@real.example", True) and me["id"] == answers[0].json["user_id"]


@pytest.mark.skipif(not glewlwyd_provider.AVAILABLE, reason="needs glewlwyd (./dev setup)")
def test_the_whole_way_with_another_real_provider(tmp_path):
    with glewlwyd_provider.Glewlwyd() as provider, Keyward(tmp_path / "data", env={**ON, **provider.settings()}) as server:
        provider.introduce(server)
        provider.new_user("ada", "ada@glewlwyd.example")
        provider.new_user("eve", "eve@glewlwyd.example", proven=False)
        for _ in range(2):
            visitor = Visitor(server)
            answer = visitor.follow(provider.way_back(visitor.begin("glewlwyd"), "ada"))
            assert answer.status == 200, answer
            me = whoami(server, answer.json)
            assert (me["email"], me["email_verified"], me["full_name"]) == ("ada@glewlwyd.example", True, "Glewlwyd's ada")
        visitor = Visitor(server)
        assert visitor.follow(provider.way_back(visitor.begin("glewlwyd"), "eve")).status == 403


def test_a_real_provider_says_no_and_says_unverified(real):
    server, provider = real
    there = stored(server)
    visitor = Visitor(server)
    answer = visitor.follow(provider.way_back(visitor.begin("real"), "ada", refuse=True))
    assert answer.status == 403 and not visitor.cookies
    visitor = Visitor(server)
    answer = visitor.follow(provider.way_back(visitor.begin("real"), "unproven-eve"))
    assert answer.status == 403 and stored(server) == there
    application, visitor = Application(), Visitor(server)
    answer = visitor.follow(provider.way_back(visitor.begin("real", **application.query), "ada", refuse=True))
    assert application.given(answer) == {"error": "access_denied"}


def test_who_is_new_is_kept_out_where_only_the_connected_may_log_in(world):
    server, known = world
    there = stored(server)
    assert log_in(server, known["closed"], new_person()).status == 403
    application = Application()
    assert application.given(log_in(server, known["closed"], new_person(), **application.query)) == {"error": "sign_up_off"}
    assert stored(server) == there


# ── Back to an application ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("return_to", [APP + "/signed-in?tab=1", APP, APP + "/", "http://localhost:5173/x%20y", "/docs",
                                       "/account/done?a=b"])
def test_the_whole_way_back_to_an_application(world, return_to):
    server, known = world
    application, person, visitor = Application(return_to), new_person(), Visitor(server)
    answer = visitor.log_in(known["good"], person, **application.query)
    code = application.code_from(answer)
    assert not visitor.cookies and answer.headers["Cache-Control"] == "no-store"
    account, = rows(server, "SELECT id FROM accounts WHERE email = ?", person["email"])
    assert not rows(server, "SELECT 1 FROM sessions WHERE account_id = ?", *account), "no session before it is taken"
    done = application.exchange(server, code)
    assert done.status == 200 and bytes_of(done.json["user_id"]) == account[0]
    assert whoami(server, done.json)["email"] == person["email"]


@pytest.mark.parametrize("word, twist, person", [
    ("access_denied", says_no("access_denied"), {}),
    ("provider_error", says_no("server_error"), {}),
    ("provider_error", Twist(claims={"nonce": "another"}), {}),
    ("email_unverified", Twist(), {"email_verified": False}),
    ("email_missing", Twist(), {"email": ""}),
], ids=["denied", "provider", "nonce", "unverified", "missing"])
def test_an_application_hears_in_a_word_why_not(world, word, twist, person):
    server, known = world
    there, application = stored(server), Application()
    assert application.given(log_in(server, known["good"], new_person(**person), twist, **application.query)) == {"error": word}
    assert stored(server) == there


def test_an_application_hears_of_an_account_that_is_there_or_disabled(world):
    server, known = world
    person, application = new_person(), Application()
    assert server.register(person["email"]).status == 201
    assert verify(server, token=wait_for_mail(server.data, "verify_email", person["email"]).token).status == 200
    answer = log_in(server, known["good"], person, **application.query)
    assert application.given(answer) == {"error": "account_exists"}


def test_an_app_sends_somebody_with_a_hint_of_who_it_is(world):
    server, _ = world
    target = Visitor(server).begin("good", login_hint="ada@upstream.example")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
    assert query["login_hint"] == ["ada@upstream.example"]


def test_a_code_is_no_token_and_a_token_no_code(world):
    server, known = world
    application = Application()
    code = application.code_from(log_in(server, known["good"], new_person(), **application.query))
    assert server.call("GET", "/me", token=code).status == 401
    assert server.call("POST", "/refresh", {"refresh_token": code}).status == 401
    login = logged_in(server, known["good"], new_person())
    for wrong in (login["access_token"], login["refresh_token"], "", "kw_xc_", "kw_xc_" + "A" * 43):
        assert exchange(server, wrong, application.verifier).status in (400, 422), wrong
    assert application.exchange(server, code).status == 200
