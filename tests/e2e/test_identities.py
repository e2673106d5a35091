"""Which account somebody is who comes from a provider, and how the owner of an account connects one: F1, F2, F3."""

import concurrent.futures

import pytest

from flows import asked_reset, events_about, me, reset, rows, verify, wait_until
from keyward import GOOD_PASSWORD, Keyward, command
from mailbox import settled_mails, wait_for_mail
from openid_provider import ABSENT, Google, OpenIdProvider, Twist, new_person
from people import Person, add_user, new_person as new_admin
from providers import (ON, Application, bytes_of, live_sessions, log_in, logged_in, peers_for_tests, refused_for, server_with, stored,
                       whoami)
from smtp_server import Authority

TRUSTED = "trusted.example"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(server, providers by name); `trusted` speaks for its domain."""
    with peers_for_tests() as peers:
        known = [OpenIdProvider(peers, "one"), OpenIdProvider(peers, "two"), Google(peers, "google"),
                 OpenIdProvider(peers, "userinfo", in_id_token=())]
        trusted = OpenIdProvider(peers, "trusted")
        trusting = (trusted, {"trusted_domains": f"{TRUSTED}, Other.Trusted.Example"})
        with server_with(tmp_path_factory.mktemp("identities"), *known, trusting) as server:
            yield server, {provider.name: provider for provider in (*known, trusted)}


def identities(server, login):
    answer = server.call("GET", "/me/identities", token=login["access_token"])
    assert answer.status == 200 and answer.json["next"] is None, answer
    return answer.json["items"]


def verified_user(server, email):
    """Somebody with a password whose address is verified: the login's JSON."""
    assert server.register(email).status == 201
    assert verify(server, token=wait_for_mail(server.data, "verify_email", email).token).status == 200
    return server.login(email).json


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


# ── F1: an identity is a provider, its issuer and a subject ──────────────────────────────────────────────────────────
def test_F1_the_same_subject_at_two_providers_is_two_people(world):
    server, known = world
    first, second = new_person(), new_person()
    second["sub"] = first["sub"]
    logins = [logged_in(server, known["one"], first), logged_in(server, known["two"], second)]
    assert logins[0]["user_id"] != logins[1]["user_id"]
    third = new_person()
    third["sub"] = first["sub"].upper()
    other = logged_in(server, known["one"], third)["user_id"]
    assert other not in [login["user_id"] for login in logins], "subjects are compared exactly"


def test_F1_another_address_upstream_changes_nothing_here(world):
    server, known = world
    person, other = new_person(), new_person()
    victim = verified_user(server, other["email"])
    first = logged_in(server, known["one"], person)
    for email, verified in (("new." + person["email"], True), (other["email"], True), (other["email"], False), ("", None)):
        again = logged_in(server, known["one"], {**person, "email": email, "email_verified": verified})
        assert again["user_id"] == first["user_id"] != victim["user_id"]
        assert whoami(server, again)["email"] == person["email"]
    assert whoami(server, victim)["email"] == other["email"] and not identities(server, victim)


def test_F1_another_issuer_under_the_same_name_knows_nobody(tmp_path):
    with peers_for_tests() as peers:
        before, after = OpenIdProvider(peers, "before"), OpenIdProvider(peers, "after")
        person, env = new_person(), {**ON, "KEYWARD_SERVER_PUBLIC_URL": "http://localhost:8080"}
        seen = []
        for provider in (before, after, before):
            provider.name = "idp"
            with Keyward(tmp_path / "data", env={**env, **provider.settings()}) as server:
                seen.append(log_in(server, provider, person).status)
                accounts = rows(server, "SELECT count(*) FROM accounts")[0][0]
        assert seen == [200, 409, 200] and accounts == 1


# ── F2: an address is no key ─────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["one", "trusted"])
def test_F2_an_account_that_waits_for_the_victim_is_replaced(world, name):
    """Somebody registers with the victim's address, keeps a session, and waits for the victim to come by a provider."""
    server, known = world
    person = new_person("victim", TRUSTED)
    thief = server.new_user(person["email"], "marble kettle 58 drums")
    link = wait_for_mail(server.data, "verify_email", person["email"])
    reset_link, _ = asked_reset(server, person["email"])
    login = logged_in(server, known[name], person)
    assert login["user_id"] != thief["user_id"] and whoami(server, login)["email_verified"] is True
    wait_until(lambda: me(server, thief["access_token"]).status == 401, "the thief's session is over", 3)
    assert server.call("POST", "/refresh", {"refresh_token": thief["refresh_token"]}).status == 401
    assert server.login(person["email"], "marble kettle 58 drums").status == 401
    assert verify(server, token=link.token).status == reset(server, token=reset_link.token).status == 400
    assert not rows(server, "SELECT 1 FROM accounts WHERE id = ?", bytes_of(thief["user_id"]))
    assert not rows(server, "SELECT 1 FROM sessions WHERE account_id = ?", bytes_of(thief["user_id"]))
    assert logged_in(server, known[name], person)["user_id"] == login["user_id"]
    gone, = events_about(server, "user_deleted", thief["user_id"])
    assert (gone["reason"], gone["detail"]) == ("claim_replaced", name)


def test_F2_an_account_with_a_role_is_no_claim(tmp_path):
    """Whoever gave the role knew whose account it is: it is not removed, and nobody gets its rights by a provider."""
    with peers_for_tests() as peers:
        one = OpenIdProvider(peers, "one")
        with server_with(tmp_path, one) as server:
            root, deputy = new_person("root"), new_person("deputy")
            add_user(server.data, root["email"], "admin")
            admin, claim = Person(server, root["email"]), server.new_user(deputy["email"])
            assert admin.call("PATCH", f"/users/{claim['user_id']}", {"roles": ["admin"]}).status == 200
            for person in (root, deputy):
                assert log_in(server, one, person).status == 409
                assert Person(server, person["email"]).call("GET", "/users").status == 200
            assert admin.call("PATCH", f"/users/{claim['user_id']}", {"roles": []}).status == 200
            login = logged_in(server, one, deputy)
            assert login["user_id"] != claim["user_id"]
            assert server.call("GET", "/users", token=login["access_token"]).status == 403


def test_F2_a_verified_account_is_not_connected_by_a_provider_that_is_not_trusted(world):
    server, known = world
    for name, domain in (("one", TRUSTED), ("trusted", "sub." + TRUSTED), ("trusted", "not" + TRUSTED), ("google", "home.example"),
                         ("google", "gmail.com.evil.example")):
        person = new_person("victim", domain)
        owner = verified_user(server, person["email"])
        with refused_for(server, known[name], "account_exists"):
            answer = log_in(server, known[name], person)
        assert answer.status == 409 and "Log in and connect" in answer.json["detail"], answer
        assert not identities(server, owner) and whoami(server, owner)
        assert server.login(person["email"]).json["user_id"] == owner["user_id"]
        no_mail_of_a_connection(server, person["email"])


def no_mail_of_a_connection(server, email):
    assert [mail.kind for mail in settled_mails(server.data, to=email) if "connect" in mail.kind or "identit" in mail.kind] == []


def test_F2_an_address_in_another_spelling_is_the_same(world):
    server, known = world
    person = new_person("Victim", "home.example")
    owner = verified_user(server, person["email"].lower())
    for email in (person["email"].upper(), person["email"].title()):
        assert log_in(server, known["one"], {**new_person("thief"), "email": email}).status == 409, email
    for email in (" " + person["email"], person["email"] + "\n", person["email"] + "," + "x@home.example", f"<{person['email']}>",
                  person["email"].replace("@", "@\u200b")):
        assert log_in(server, known["one"], {**new_person("thief"), "email": email}).status in (403, 409), email
    assert not identities(server, owner)


@pytest.mark.parametrize("name, domain, more", [
    ("trusted", TRUSTED, {}), ("trusted", "Trusted.Example", {}), ("trusted", "other.trusted.example", {}), ("google", "gmail.com", {}),
    ("google", "work.example", {"hd": "work.example"}),
], ids=str)
def test_F2_a_verified_account_is_connected_by_who_speaks_for_its_domain(world, name, domain, more):
    server, known = world
    person = new_person("owner", domain, **more)
    owner = verified_user(server, person["email"].lower())
    login = logged_in(server, known[name], person)
    assert login["user_id"] == owner["user_id"]
    wait_until(lambda: me(server, owner["access_token"]).status == 401, "who was in before is out", 3)
    identity, = identities(server, login)
    assert identity["provider"] == name and identity["connected_at"]
    assert server.login(person["email"]).status == 200, "its password too"
    told, = settled_mails(server.data, "identity_connected", person["email"].lower())
    assert identity["display_name"] in told.text and identity["display_name"] in told.html
    connected, = events_about(server, "user_updated", owner["user_id"], reason="identity_connected")
    assert connected["detail"] == name


@pytest.mark.parametrize("more", [{}, {"hd": "other.example"}, {"hd": "WORK.example.evil"}, {"hd": ""}], ids=str)
def test_F2_google_speaks_for_the_domain_that_it_hosts_alone(world, more):
    server, known = world
    person = new_person("owner", "work.example", **more)
    verified_user(server, person["email"])
    assert log_in(server, known["google"], person).status in (403, 409)


def test_F2_who_only_says_to_be_google_speaks_for_nobody(tmp_path):
    """The type is Google's, the issuer is another: not so where it is in earnest (in clear, for development, it counts)."""
    authority = Authority(tmp_path)
    with peers_for_tests(host="localhost", tls=authority.context("peer")) as peers:
        google = Google(peers, "google")
        with server_with(tmp_path, (google, {"ca_file": str(authority.ca_file)})) as server:
            for domain, more in (("gmail.com", {}), ("work.example", {"hd": "work.example"})):
                person = new_person("owner", domain, **more)
                verified_user(server, person["email"])
                assert log_in(server, google, person).status == 409


@pytest.mark.parametrize("verified", ["false", "true", "", 0, 1, None, ABSENT, False, [], {}], ids=str)
@pytest.mark.parametrize("name", ["trusted", "userinfo"])
def test_F2_only_true_is_verified(world, name, verified):
    server, known = world
    person = new_person("victim", TRUSTED)
    owner, there = verified_user(server, person["email"]), stored(server)
    changed = Twist(claims={"email_verified": verified}) if name == "trusted" else Twist(userinfo={"email_verified": verified})
    if name == "trusted":
        changed.userinfo = {"email_verified": verified}
    for somebody in (person, new_person("stranger", TRUSTED)):
        with refused_for(server, known[name], "email_unverified", "invalid_claim"):
            answer = log_in(server, known[name], somebody, changed)
        assert answer.status == 403, answer
    assert not identities(server, owner) and stored(server) == there


@pytest.mark.parametrize("email", ["", None, ABSENT], ids=str)
def test_F2_without_an_address_there_is_no_account(world, email):
    server, known = world
    with refused_for(server, known["one"], "email_missing", "invalid_claim"):
        answer = log_in(server, known["one"], new_person(), Twist(claims={"email": email}, userinfo={"email": email}))
    assert answer.status == 403, answer


def test_A5_a_disabled_account_is_not_logged_in_to(world):
    server, known = world
    person = new_person()
    login = logged_in(server, known["one"], person)
    assert command("user", "disable", person["email"], data=server.data)[0] == 0
    for application in (None, Application()):
        there = stored(server)
        answer = log_in(server, known["one"], person, **(application.query if application else {}))
        if application:
            assert application.given(answer) == {"error": "account_disabled"}
        else:
            assert answer.status == 403, answer
        assert stored(server) == there and live_sessions(server, login["user_id"]) == 0
    assert command("user", "enable", person["email"], data=server.data)[0] == 0
    assert logged_in(server, known["one"], person)["user_id"] == login["user_id"]


def test_A5_a_disabled_account_is_neither_connected_nor_replaced(world):
    server, known = world
    for word, make in (("verified", verified_user), ("claim", lambda server, email: server.new_user(email))):
        person = new_person(word, TRUSTED)
        owner = make(server, person["email"])
        assert command("user", "disable", person["email"], data=server.data)[0] == 0
        answer = log_in(server, known["trusted"], person)
        assert answer.status in (403, 409), answer
        assert rows(server, "SELECT disabled FROM accounts WHERE id = ?", bytes_of(owner["user_id"]))[0][0] in (1, True)
        assert not rows(server, "SELECT 1 FROM identities WHERE account_id = ?", bytes_of(owner["user_id"]))


def test_an_account_that_came_by_a_provider_gets_a_password_by_mail_and_goes_with_its_identities(world):
    server, known = world
    person = new_person()
    login = logged_in(server, known["one"], person)
    assert server.login(person["email"]).status == 401, "it has none"
    mail, _ = asked_reset(server, person["email"])
    assert reset(server, GOOD_PASSWORD, token=mail.token).status == 204
    by_password = server.login(person["email"])
    assert by_password.status == 200 and by_password.json["user_id"] == login["user_id"]
    assert server.call("DELETE", "/me", token=by_password.json["access_token"]).status == 204
    assert not rows(server, "SELECT 1 FROM identities WHERE subject = ?", person["sub"])
    assert logged_in(server, known["one"], person)["user_id"] != login["user_id"], "who comes again is new"


def test_an_admin_sees_no_way_to_log_in_as_somebody_by_a_provider(world):
    """Identities are their owner's: no admin connects one to an account of somebody else."""
    server, known = world
    admin, victim = new_admin(server, "admin"), logged_in(server, known["one"], new_person())
    for path in (f"/users/{victim['user_id']}/identities", f"/users/{victim['user_id']}/identities/two"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert admin.call(method, path).status == 404
    answer = admin.call("PATCH", f"/users/{victim['user_id']}", {"identities": []})
    assert answer.status == 422 and len(identities(server, victim)) == 1
