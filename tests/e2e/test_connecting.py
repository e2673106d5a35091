"""Connecting a provider to an account and taking it off: bound to person, account and session (F3); calls of other sites (S7)."""

import re

import pytest

from connecting import ask, code_at, code_for, confirm, connected
from database import connect
from flows import LIMITS_OFF, asked_reset, events_about, reset, rows, wait_until
from keyward import GOOD_PASSWORD, Keyward
from mailbox import settled_mails
from openid_provider import Apple, OpenIdProvider, new_person
from providers import (APP, BAD_CODE, Application, Visitor, bytes_of, local_email, log_in, logged_in, peers_for_tests,
                       server_with, stored, whoami)
from test_identities import at_once, identities, verified_user


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with peers_for_tests() as peers:
        known = [OpenIdProvider(peers, "one"), OpenIdProvider(peers, "two"), Apple(peers, "apple")]
        with server_with(tmp_path_factory.mktemp("connecting"), *known, env={"KEYWARD_SERVER_CORS_ORIGINS": APP}) as server:
            yield server, *known


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("proxied") / "data", "--public-url", "https://id.example.com", env=LIMITS_OFF) as server:
        yield server


@pytest.fixture
def user(world):
    return verified_user(world[0], local_email())


def refused(answer):
    return answer.status == 400 and answer.json["detail"] == BAD_CODE


# ── The way ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_whole_way_to_connect_and_to_take_off(world, user):
    server, one, two, _ = world
    person = new_person()  # with an address of its own: the account's stays
    made = connected(server, user, one, person)
    assert set(made) == {"provider", "display_name", "email", "connected_at", "last_login_at"} and made["email"] == person["email"]
    assert identities(server, user) == [made]
    login = logged_in(server, one, person)
    assert login["user_id"] == user["user_id"] and whoami(server, login)["email"] == whoami(server, user)["email"]
    events_about(server, "user_updated", user["user_id"], reason="identity_connected")
    mail, = [mail for mail in settled_mails(server.data, to=whoami(server, user)["email"]) if made["display_name"] in mail.text]
    assert mail.token is None
    assert ask(server, user, one).status == 409, "it is connected"
    assert server.call("DELETE", "/me/identities/two", token=user["access_token"]).status == 404
    assert server.call("DELETE", "/me/identities/nobody", token=user["access_token"]).status == 404
    assert server.call("DELETE", "/me/identities/one", token=user["access_token"]).status == 204
    assert identities(server, user) == []
    wait_until(lambda: server.call("GET", "/me", token=login["access_token"]).status == 401, "who came by it is out", 3)
    told = settled_mails(server.data, "identity_disconnected", whoami(server, user)["email"])
    assert len(told) == 1 and made["display_name"] in told[0].text
    events_about(server, "user_updated", user["user_id"], reason="identity_disconnected")
    assert logged_in(server, one, person)["user_id"] != user["user_id"], "who comes again is somebody new"
    assert connected(server, user, two, new_person())["provider"] == "two"


def test_the_whole_way_from_an_application(world, user):
    server, one, _, _ = world
    application, person = Application(), new_person()
    asked = ask(server, user, one, **application.query)
    assert asked.status == 200, asked
    code = application.code_from(Visitor(server).log_in(one, person, url=asked.json["login_url"]))
    assert refused(confirm(server, user, one, code)), "without the verifier"
    asked = ask(server, user, one, **application.query)
    code = application.code_from(Visitor(server).log_in(one, person, url=asked.json["login_url"]))
    assert confirm(server, user, one, code, code_verifier=application.verifier).status == 201
    login = application.exchange(server, code)
    assert login.status == 400, "it is no login"


def test_P7_it_needs_the_password(world, user):
    server, one, _, _ = world
    wrong = ask(server, user, one, "wrong password here")
    assert wrong.status == 403 and "login_url" not in wrong.json
    assert ask(server, user, one, None).fields == ["current_password"]
    assert ask(server, {"access_token": "x"}, one).status == 401
    unknown = OpenIdProvider.__new__(OpenIdProvider)
    unknown.name = "nobody"
    assert ask(server, user, unknown).status == 404
    assert ask(server, user, one, **Application("https://evil.example/").query).fields == ["return_to"]


def test_who_has_no_password_needs_a_login_of_now(world):
    server, one, two, _ = world
    login = logged_in(server, one, new_person())
    assert connected(server, login, two, new_person(), None)["provider"] == "two"
    old = logged_in(server, one, new_person())
    with connect(server.data) as database:
        database.execute("UPDATE sessions SET created_at = created_at - 601000000 WHERE account_id = ?", (bytes_of(old["user_id"]),))
    answer = ask(server, old, two, None)
    assert answer.status == 403, answer


# ── F3: the proof is one person's, one account's, one session's, and good once ───────────────────────────────────────
def test_F3_a_code_counts_once(world, user):
    server, one, _, _ = world
    code = code_for(server, user, one, new_person())
    answers = at_once([lambda: confirm(server, user, one, code)] * 32)
    assert [answer.status for answer in answers].count(201) == 1 and {answer.status for answer in answers} <= {201, 400, 409}, answers
    assert len(identities(server, user)) == 1


def test_F3_a_code_is_another_users_nor_another_sessions(world, user):
    server, one, _, _ = world
    other, person = verified_user(server, local_email("other")), new_person()
    second = server.login(whoami(server, user)["email"]).json  # the same account
    for somebody in (other, second):
        code = code_for(server, user, one, person)
        assert refused(confirm(server, somebody, one, code))
        assert identities(server, other) == identities(server, user) == []
    assert server.call("POST", "/auth/exchange", {"code": code_for(server, user, one, person), "code_verifier": "A" * 43}).status == 400
    code = code_for(server, user, one, person)
    assert server.call("POST", "/logout", token=user["access_token"]).status == 204
    assert confirm(server, user, one, code).status == 401
    assert refused(confirm(server, second, one, code)) and identities(server, second) == []


def test_F3_a_second_person_upstream_cannot_use_the_proof_of_the_first(world, user):
    """A code says who it was that came back, whoever else follows the same link."""
    server, one, _, _ = world
    owner, eve = new_person("owner"), new_person("eve")
    url = ask(server, user, one).json["login_url"]
    codes = [code_at(server, url, one, person) for person in (owner, eve)]
    made = confirm(server, user, one, codes[0])
    assert made.status == 201 and made.json["email"] == owner["email"]
    assert confirm(server, user, one, codes[1]).status == 409
    assert [identity["email"] for identity in identities(server, user)] == [owner["email"]]
    assert logged_in(server, one, eve)["user_id"] != user["user_id"] == logged_in(server, one, owner)["user_id"]


def test_F3_a_stranger_who_is_lured_to_the_link_connects_nothing(world, user):
    """Eve gets Ada to follow a link to Eve's account: only Ada's browser has the code, only Eve's session could confirm."""
    server, one, _, _ = world
    ada = new_person("ada")
    url = ask(server, user, one).json["login_url"]
    code_at(server, url, one, ada)  # in Ada's browser, which is not signed in as Eve
    assert identities(server, user) == []
    assert logged_in(server, one, ada)["user_id"] != user["user_id"]


def test_F3_a_ticket_is_good_for_its_provider_alone(world, user):
    server, one, two, _ = world
    url = ask(server, user, one).json["login_url"]
    assert "/auth/one/login?ticket=" in url
    answer = Visitor(server).follow(url.replace("/auth/one/", "/auth/two/"))
    assert answer.status in (400, 422) and "Location" not in answer.headers
    for bad in (url[:-3] + "AAA", url + "A", url[:-1]):
        assert Visitor(server).follow(bad).status in (400, 422), bad
    code = code_for(server, user, one, new_person())
    assert refused(confirm(server, user, two, code)) and identities(server, user) == []


def test_F3_codes_die_when_the_provider_is_taken_off(world, user):
    server, one, _, _ = world
    person = new_person()
    waiting = code_for(server, user, one, person)
    connected(server, user, one, new_person())
    assert server.call("DELETE", "/me/identities/one", token=user["access_token"]).status == 204
    assert refused(confirm(server, user, one, waiting)) and identities(server, user) == []


def test_F3_a_login_code_dies_with_its_identity(world, user):
    server, one, _, _ = world
    application, person = Application(), new_person()
    connected(server, user, one, person)
    code = application.code_from(log_in(server, one, person, **application.query))
    assert server.call("DELETE", "/me/identities/one", token=user["access_token"]).status == 204
    assert application.exchange(server, code).status == 400


def test_S5_R3_a_login_code_dies_when_all_sessions_end(world):
    server, one, _, _ = world
    for how in ("reset", "all"):
        application, person = Application(), new_person()
        login = logged_in(server, one, person)
        code = application.code_from(log_in(server, one, person, **application.query))
        if how == "reset":
            mail, _ = asked_reset(server, person["email"])
            assert reset(server, GOOD_PASSWORD, token=mail.token).status == 204
        else:
            assert server.call("DELETE", "/me/sessions", token=login["access_token"]).status == 204
        assert application.exchange(server, code).status in (400, 403), how


def test_F3_codes_are_over_after_a_minute_and_kept_as_hashes(world, user):
    server, one, _, _ = world
    code = code_for(server, user, one, new_person())
    assert code.startswith("kw_xc_") and code not in str(rows(server, "SELECT * FROM handover_codes"))
    with connect(server.data) as database:
        database.execute("UPDATE handover_codes SET expires_at = created_at WHERE account_id = ?", (bytes_of(user["user_id"]),))
    assert refused(confirm(server, user, one, code))


def test_F3_an_identity_is_one_accounts(world, user):
    server, one, _, _ = world
    person = new_person()
    owner = logged_in(server, one, person)
    code = code_for(server, user, one, person)
    assert confirm(server, user, one, code).status == 409
    assert identities(server, user) == [] and logged_in(server, one, person)["user_id"] == owner["user_id"]
    events_about(server, "user_updated", user["user_id"], reason="identity_refused")


def test_F3_of_many_accounts_that_confirm_the_same_person_one_gets_it(world):
    server, one, _, _ = world
    person, users = new_person(), [verified_user(server, local_email()) for _ in range(8)]
    codes = [code_for(server, user, one, person) for user in users]
    answers = at_once([lambda user=user, code=code: confirm(server, user, one, code)
                       for user, code in zip(users, codes) for _ in range(4)])
    assert [answer.status for answer in answers].count(201) == 1 and {answer.status for answer in answers} <= {201, 400, 409}
    assert sum(len(identities(server, user)) for user in users) == 1


# ── A way in is left ─────────────────────────────────────────────────────────────────────────────────────────────────
def off(server, login, name):
    return server.call("DELETE", f"/me/identities/{name}", token=login["access_token"]).status


def test_the_last_way_in_is_not_taken_off(world):
    server, one, two, _ = world
    person = new_person()
    login = logged_in(server, one, person)
    assert off(server, login, "one") == 409
    connected(server, login, two, new_person(), None)
    assert (off(server, login, "two"), off(server, login, "one")) == (204, 409)
    mail, _ = asked_reset(server, person["email"])
    assert reset(server, GOOD_PASSWORD, token=mail.token).status == 204
    again = server.login(person["email"]).json
    assert off(server, again, "one") == 204 and identities(server, again) == []


def test_R3_a_reset_takes_off_what_somebody_else_may_have_connected(world):
    server, one, two, _ = world
    person, thief = new_person(), new_person("thief")
    login = logged_in(server, one, person)
    connected(server, login, two, thief, None)
    mail, _ = asked_reset(server, person["email"])
    assert reset(server, GOOD_PASSWORD, token=mail.token).status == 204
    again = logged_in(server, one, person)
    assert again["user_id"] == login["user_id"] and [one["provider"] for one in identities(server, again)] == ["one"]
    assert logged_in(server, two, thief)["user_id"] != login["user_id"]


def test_of_two_ways_in_that_are_taken_off_at_once_one_stays(world):
    server, one, two, _ = world
    for _ in range(3):
        login = logged_in(server, one, new_person())
        connected(server, login, two, new_person(), None)
        answers = at_once([lambda name=name: server.call("DELETE", f"/me/identities/{name}", token=login["access_token"])
                           for name in ("one", "two") * 32])
        assert {answer.status for answer in answers} <= {204, 404, 409} and [answer.status for answer in answers].count(204) == 1
        assert len(identities(server, login)) == 1


# ── S7: other sites ──────────────────────────────────────────────────────────────────────────────────────────────────
CROSS_SITE = [{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"},
              {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://app.example.evil.example"}]
TABLES = ("accounts", "sessions", "identities", "roles", "account_roles", "one_time_tokens", "handover_codes", "used_logins",
          "outgoing_mails", "deferred_requests", "setup_tokens")


def everything(server):
    return {table: sorted(map(str, rows(server, f"SELECT * FROM {table}"))) for table in TABLES}


def test_S7_nothing_changes_by_a_call_from_another_site(world):
    server, one, _, _ = world
    email = local_email()
    user = verified_user(server, email)
    connected(server, user, one, new_person())
    settled_mails(server.data)
    before, asked = everything(server), 0
    body = {"email": email, "username": email, "password": GOOD_PASSWORD, "current_password": GOOD_PASSWORD,
            "new_password": "granite lantern 7 waves", "token": "kw", "refresh_token": user["refresh_token"],
            "new_email": local_email(), "code": "kw_xc_" + "A" * 43, "code_verifier": "A" * 43}
    for path, operations in server.call("GET", "/openapi.json").json["paths"].items():
        for method in {"post", "put", "patch", "delete"} & set(operations):
            concrete = re.sub(r"\{[^}]*\}", "one", path)
            for headers in CROSS_SITE:
                if headers == {"Origin": "null"} and path.startswith("/account/"):
                    continue  # so says a browser without Fetch Metadata of forms of these very pages, which send no referrer
                for more in ({"body": body}, {"form": body}):
                    answer = server.call(method.upper(), concrete, token=user["access_token"], headers=headers, **more)
                    asked += 1
                    if path == "/auth/{provider}/callback":
                        assert answer.status in (405, 415), "open to Apple's form alone, which proves itself"
                        continue
                    assert answer.status == 403, (method, concrete, headers, answer)
    assert asked > 100 and everything(server) == before
    assert whoami(server, user)["email"] == email


def test_S7_calls_from_this_site_from_listed_applications_and_from_no_browser_are_taken(world):
    server, one, _, _ = world
    for headers in ({}, {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}, {"Origin": APP, "Sec-Fetch-Site": "cross-site"},
                    {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}):
        answer = server.call("POST", "/register", {"email": local_email(), "password": GOOD_PASSWORD}, headers=headers)
        assert answer.status == 201, (headers, answer)
        application = Application()
        code = application.code_from(log_in(server, one, new_person(), **application.query))
        assert application.exchange(server, code, headers=headers).status == 200, headers


def test_S7_the_form_of_apple_comes_from_another_site_and_of_no_other_provider(world):
    server, one, _, apple = world
    visitor, there = Visitor(server), stored(server)
    target, parameters = one.authorize(visitor.begin("one"), new_person())
    answer = visitor.ask("POST", target.removeprefix(server.url), form=parameters,
                         headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert answer.status == 405 and stored(server) == there, answer
    assert logged_in(server, apple, new_person())["access_token"]
    victim = Visitor(server)
    stolen = apple.authorize(Visitor(server).begin("apple"), new_person("eve"))
    assert victim.come_back(apple, stolen).status == 400, "it counts in the browser that went"
    wait_until(lambda: stored(server)[0] == there[0] + 1, "one account was made")


@pytest.mark.parametrize("headers, is_own", [
    ({"Origin": "https://id.example.com"}, True), ({"Origin": "https://id.example.com", "Host": "backend:8080"}, True),
    ({"Origin": "http://id.example.com"}, False), ({"Origin": "https://id.example.com.evil.example", "Host": "backend:8080"}, False),
    ({"Origin": "https://backend.evil.example", "Host": "backend:8080"}, False),
], ids=str)
def test_S7_this_site_is_known_behind_a_proxy_that_writes_another_host(proxied, headers, is_own):
    answer = proxied.call("POST", "/account/forgot-password", form={"email": local_email()}, headers=headers)
    assert answer.status == (303 if is_own else 403), answer
