"""What comes back from a provider counts once, for the browser that went, and for the application that asked."""

import concurrent.futures
import contextlib
import json
import resource
import subprocess
import urllib.parse

import pytest

from database import POSTGRES, connect
from flows import rows, wait_until
from keyward import ROOT, SANITIZED, command
from openid_provider import OpenIdProvider, new_person
from peer_http import Peers, Reply
from providers import (BAD_CODE, Application, Visitor, exchange, live_sessions, log_in, logged_in, peers_for_tests,
                       refused_for, server_with, started_again, stored, whoami)
from test_faults_database import FAKETIME, FakedClock, own_postgres

VECTORS = ROOT / "tests/vectors/return_to.json"
PARALLEL = 50


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with peers_for_tests() as peers:
        good, other = OpenIdProvider(peers, "good"), OpenIdProvider(peers, "other")
        with server_with(tmp_path_factory.mktemp("callback"), good, other) as server:
            yield server, good, other


def sent_back(visitor, provider, person=None, **query):
    """The way back of a login that has begun."""
    return provider.authorize(visitor.begin(provider.name, **query), person or new_person())


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


# ── State ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def changed(way_back, **parameters):
    target, given = way_back
    return target, {name: value for name, value in {**given, **parameters}.items() if value is not None}


@pytest.mark.parametrize("state", [None, "", "x", "A" * 22, "A" * 43, "A" * 3000], ids=lambda state: str(state)[:8])
def test_F4_a_callback_without_the_state_of_its_login_fails_closed(world, state):
    server, good, _ = world
    visitor, asked = Visitor(server), good.token_requests
    with refused_for(server, good, "state"):
        answer = visitor.come_back(good, changed(sent_back(visitor, good), state=state))
    assert started_again(answer) and good.token_requests == asked, "no code is redeemed"


def test_F4_a_callback_counts_only_in_the_browser_that_went(world):
    """Login CSRF: an attacker's code and state in the victim's browser, which has none or its own login under way."""
    server, good, _ = world
    attacker, victim, asked = Visitor(server), Visitor(server), good.token_requests
    stolen = sent_back(attacker, good)
    with refused_for(server, good, "state"):
        assert started_again(victim.come_back(good, stolen))
    sent_back(victim, good)
    with refused_for(server, good, "state"):
        assert started_again(victim.come_back(good, stolen))
    assert good.token_requests == asked


def test_F4_two_browsers_that_cross_get_each_its_own(world):
    server, good, _ = world
    visitors, people = [Visitor(server), Visitor(server)], [new_person("ada"), new_person("bob")]
    ways = [sent_back(visitor, good, person) for visitor, person in zip(visitors, people)]
    with refused_for(server, good, "state"):
        assert started_again(visitors[0].come_back(good, ways[1]))
    answers = [visitor.come_back(good, way) for visitor, way in zip(visitors, ways)]
    assert [whoami(server, answer.json)["email"] for answer in answers] == [person["email"] for person in people]


def test_F4_two_logins_in_one_browser_do_not_disturb_each_other(world):
    server, good, other = world
    visitor, people = Visitor(server), [new_person(), new_person(), new_person()]
    ways = [sent_back(visitor, provider, person) for provider, person in zip((good, good, other), people)]
    assert len(visitor.cookies) == 3
    for provider, way, person in reversed(list(zip((good, good, other), ways, people))):
        answer = visitor.come_back(provider, way)
        assert answer.status == 200 and whoami(server, answer.json)["email"] == person["email"]
    assert not visitor.cookies


def test_F4_a_cookie_counts_with_its_own_state_and_provider(world):
    """Whoever can set a cookie cannot pair one login's with the answer of another."""
    server, good, other = world
    for second in (good, other):
        visitor, asked = Visitor(server), good.token_requests + other.token_requests
        ways = [sent_back(visitor, provider) for provider in (good, second)]
        (first, value), (last, another) = visitor.cookies.items()
        visitor.cookies = {first: another, last: value}
        for provider, way in zip((good, second), ways):
            with refused_for(server, provider, "state"):
                assert started_again(visitor.come_back(provider, way))
        assert good.token_requests + other.token_requests == asked


def test_H2_a_browser_that_begins_again_and_again_still_comes_back(world):
    """Somebody who goes back and forth, or whom a page sends here over and over: the cookies of it end no login."""
    server, good, _ = world
    visitor = Visitor(server)
    for application in [Application("/" + "a" * 511)] * 12 + [Application()] * 50:
        visitor.begin("good", **application.query)
        assert all(len(line) < 4096 for line in visitor.cookie_lines)
    answer = visitor.log_in(good, new_person())
    assert answer.status == 200, (answer, len(visitor.cookies))


def test_F4_a_login_comes_back_once(world):
    server, good, _ = world
    visitor = Visitor(server)
    way_back = sent_back(visitor, good)
    cookies = dict(visitor.cookies)
    assert visitor.come_back(good, way_back).status == 200
    asked = good.token_requests
    visitor.cookies = cookies  # somebody who kept the cookie as well
    for again in (way_back, changed(way_back, code="another-code"), changed(way_back, code=None, error="access_denied")):
        with refused_for(server, good, "state"):
            assert started_again(visitor.come_back(good, again))
    assert good.token_requests == asked


def test_F4_a_refused_login_is_used_up_too(world):
    server, good, _ = world
    visitor = Visitor(server)
    way_back = sent_back(visitor, good)
    cookies = dict(visitor.cookies)
    with refused_for(server, good, "token_refused"):
        assert visitor.come_back(good, changed(way_back, code="another-code")).status == 403
    visitor.cookies = cookies
    with refused_for(server, good, "state"):
        assert started_again(visitor.come_back(good, way_back))


@pytest.mark.skipif(FAKETIME is None or SANITIZED, reason="needs libfaketime (./dev setup), which no sanitizer tolerates")
def test_F4_a_login_that_took_too_long_is_over(tmp_path):
    clock = FakedClock(tmp_path)
    with peers_for_tests() as peers:
        good = OpenIdProvider(peers, "good")
        with server_with(tmp_path, good, env=clock.environment) as server:
            in_time, late = Visitor(server), Visitor(server)
            ways = [sent_back(visitor, good) for visitor in (in_time, late)]
            clock.set("+590")
            assert not started_again(in_time.come_back(good, ways[0]))
            clock.set("+601")
            asked = good.token_requests
            with refused_for(server, good, "state"):
                assert started_again(late.come_back(good, ways[1]))
            assert good.token_requests == asked


def test_H4_while_nothing_can_be_written_nobody_logs_in_and_no_code_is_redeemed(tmp_path, monkeypatch):
    """What a login is used up with is the database's: without it no callback counts."""
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(own_postgres(monkeypatch)) if POSTGRES else None
        good = OpenIdProvider(stack.enter_context(peers_for_tests()), "good")
        server = stack.enter_context(server_with(tmp_path, good))
        visitor = Visitor(server)
        way_back = sent_back(visitor, good)
        cookies = dict(visitor.cookies)
        if POSTGRES:
            postgres.end()
        else:
            limit_files(server, 0)
        answer = visitor.come_back(good, way_back)
        assert answer.status == 503 and answer.headers["Retry-After"] and good.token_requests == 0, answer
        if POSTGRES:
            postgres.start()
        else:
            limit_files(server, resource.RLIM_INFINITY)
        visitor.cookies = cookies
        answer = wait_until(lambda: (found := visitor.come_back(good, way_back)).status != 503 and found, "the database is there again")
        assert answer.status == 200 or started_again(answer)


def limit_files(server, size):
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_F4_what_stands_twice_or_is_no_form_is_refused(world):
    server, good, _ = world
    visitor = Visitor(server)
    target, parameters = sent_back(visitor, good)
    path, query, asked = target.removeprefix(server.url), urllib.parse.urlencode(parameters), good.token_requests
    for more in ("&state=other", "&code=other", f"&state={parameters['state']}", "&%zz"):
        answer = visitor.ask("GET", f"{path}?{query}{more}")
        assert answer.status in (400, 422) and b"access_token" not in answer.body, answer
    assert good.token_requests == asked


def test_S7_a_look_at_a_callback_uses_nothing_up(world):
    """Programs that check links ask with HEAD."""
    server, good, _ = world
    visitor, asked = Visitor(server), good.token_requests
    target, parameters = sent_back(visitor, good)
    cookies = dict(visitor.cookies)
    path = target.removeprefix(server.url) + "?" + urllib.parse.urlencode(parameters)
    assert visitor.ask("HEAD", path).status == 405 and good.token_requests == asked
    visitor.cookies = cookies
    assert visitor.come_back(good, (target, parameters)).status == 200


# ── All at once ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_F4_of_many_callbacks_at_once_one_is_a_session(world):
    server, good, _ = world
    visitor, person, asked = Visitor(server), new_person(), good.token_requests
    target, parameters = sent_back(visitor, good, person)
    path = target.removeprefix(server.url) + "?" + urllib.parse.urlencode(parameters)
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}
    answers = at_once([lambda: server.call("GET", path, headers=cookie)] * PARALLEL)
    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1 and all(started_again(answer) for answer in answers if answer is not won[0]), answers
    assert live_sessions(server, won[0].json["user_id"]) == 1 and good.token_requests == asked + 1
    assert whoami(server, won[0].json)["email"] == person["email"]


def test_F1_of_many_first_logins_of_one_person_one_makes_the_account(world):
    server, good, _ = world
    person, ways = new_person(), []
    for visitor in [Visitor(server) for _ in range(20)]:
        ways.append((visitor, sent_back(visitor, good, person)))
    answers = at_once([lambda visitor=visitor, way=way: visitor.come_back(good, way) for visitor, way in ways])
    assert [answer.status for answer in answers] == [200] * len(ways), answers
    assert len({answer.json["user_id"] for answer in answers}) == 1
    assert rows(server, "SELECT count(*) FROM accounts WHERE email = ?", person["email"]) == [(1,)]


def test_of_many_exchanges_at_once_one_gets_tokens_and_the_reuse_ends_them(world):
    server, good, _ = world
    application, person = Application(), new_person()
    code = application.code_from(log_in(server, good, person, **application.query))
    answers = at_once([lambda: application.exchange(server, code)] * 64)
    won = [answer for answer in answers if answer.status == 200]
    lost = [answer for answer in answers if answer.status == 400 and answer.json["detail"] == BAD_CODE]
    assert (len(won), len(lost)) == (1, 63), answers
    user_id = won[0].json["user_id"]
    wait_until(lambda: live_sessions(server, user_id) == 0, "the session that a reused code made is ended")
    wait_until(lambda: server.call("GET", "/me", token=won[0].json["access_token"]).status == 401, "its token is dead", 3)
    assert server.call("POST", "/refresh", {"refresh_token": won[0].json["refresh_token"]}).status == 401
    assert [event for event in server.logged_events("authn_token_reuse") if event.get("user_id") == user_id]


# ── The exchange ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_second_use_of_a_code_ends_what_the_first_one_made_and_nothing_else(world):
    server, good, _ = world
    application, person = Application(), new_person()
    bystander = logged_in(server, good, person)
    code = application.code_from(log_in(server, good, person, **application.query))
    login = application.exchange(server, code).json
    assert whoami(server, login)
    again = application.exchange(server, code)
    assert again.status == 400 and again.json["detail"] == BAD_CODE
    wait_until(lambda: server.call("GET", "/me", token=login["access_token"]).status == 401, "its token is dead", 3)
    assert whoami(server, bystander)


@pytest.mark.parametrize("verifier", [None, "", "A" * 43, "A" * 42, "A" * 129, "!" * 43], ids=lambda verifier: str(verifier)[:4])
def test_a_code_without_its_verifier_is_worth_nothing_and_dies(world, verifier):
    server, good, _ = world
    application, person = Application(), new_person()
    code = application.code_from(log_in(server, good, person, **application.query))
    answer = exchange(server, code, verifier)
    assert answer.status in (400, 422), answer
    (account,), = rows(server, "SELECT id FROM accounts WHERE email = ?", person["email"])
    if answer.status == 400:
        assert answer.json["detail"] == BAD_CODE and application.exchange(server, code).status == 400, "one try"
    assert not rows(server, "SELECT 1 FROM sessions WHERE account_id = ?", account) or answer.status == 422


def test_a_code_is_over_after_a_minute(world):
    server, good, _ = world
    application, person = Application(), new_person()
    code = application.code_from(log_in(server, good, person, **application.query))
    created, expires = rows(server, "SELECT created_at, expires_at FROM handover_codes ORDER BY created_at DESC LIMIT 1")[0]
    assert 59e6 <= expires - created <= 61e6
    with connect(server.data) as database:
        database.execute("UPDATE handover_codes SET expires_at = ?", (created,))
    assert application.exchange(server, code).status == 400
    for table in ("handover_codes", "used_logins"):
        assert code not in str(rows(server, f"SELECT * FROM {table}")), "only its hash is kept"


def test_a_code_of_an_account_that_was_disabled_since_is_worth_nothing(world):
    server, good, _ = world
    application, person = Application(), new_person()
    user_id = logged_in(server, good, person)["user_id"]
    code = application.code_from(log_in(server, good, person, **application.query))
    assert command("user", "disable", person["email"], data=server.data)[0] == 0
    answer = application.exchange(server, code)
    assert answer.status in (400, 403) and live_sessions(server, user_id) == 0


# ── Where to ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def sending(tmp_path_factory):
    """(server, its provider, the vectors): with the origins that the vectors are about."""
    vectors = json.loads(VECTORS.read_text())
    with peers_for_tests() as peers:
        good = OpenIdProvider(peers, "good")
        env = {"KEYWARD_SOCIAL_RETURN_TO_ORIGINS": ", ".join(vectors["origins"])}
        with server_with(tmp_path_factory.mktemp("sending"), good, env=env) as server:
            yield server, good, vectors


def test_F8_S11_nobody_is_sent_where_the_settings_do_not_say(sending):
    server, _, vectors = sending
    for given in (refused["given"] for refused in vectors["refused"]):
        query = urllib.parse.urlencode(Application(given).query, errors="surrogatepass")
        answer = server.call("GET", "/auth/good/login?" + query)
        assert answer.status == 414 or answer.status == 422 and answer.fields == ["return_to"], (given[:99], answer)
        assert "Location" not in answer.headers and "Set-Cookie" not in answer.headers


def test_F8_where_a_page_is_listed_no_other_page_of_its_origin_is(tmp_path):
    page = "https://app.example/signed-in"
    with peers_for_tests() as peers:
        good = OpenIdProvider(peers, "good")
        with server_with(tmp_path, good, env={"KEYWARD_SOCIAL_RETURN_TO_ORIGINS": f"{page}, https://whole.example"}) as server:
            for given in (page, "https://whole.example/any/page", "/docs"):
                application = Application(given)
                assert application.code_from(log_in(server, good, new_person(), **application.query))
            for given in ("https://app.example", "https://app.example/", page + "/", page + "/more", page + "2", page.upper(),
                          page + "/../other", page + "%2f", "https://app.example/other"):
                answer = server.call("GET", "/auth/good/login?" + urllib.parse.urlencode(Application(given).query))
                assert answer.status == 422 and answer.fields == ["return_to"], (given, answer)


NODE = """
const [urls, base] = JSON.parse(require("fs").readFileSync(0));
const read = urls.map((text) => new URL(text, base)).map((url) => [url.origin, url.searchParams.get("code")]);
console.log(JSON.stringify(read));
"""


def read_by_node(urls, base):
    """What WHATWG's parser makes of each: its origin, and the code in its query."""
    given = json.dumps([urls, base])
    done = subprocess.run(["node", "-e", NODE], input=given, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_F8_a_browser_goes_where_the_server_thinks_that_it_goes(sending):
    """Each spelling that is taken, by the parser that browsers have."""
    server, good, vectors = sending
    person, targets = new_person(), []
    for taken in vectors["taken"]:
        answer = log_in(server, good, person, **Application(taken["given"]).query)
        assert answer.status == 303, (taken, answer)
        targets.append(answer.headers["Location"])
    read = read_by_node(targets, server.url + "/auth/good/callback")
    for taken, target, (origin, code) in zip(vectors["taken"], targets, read):
        assert origin == taken["leads_to"].replace(vectors["own_origin"], server.url), (taken, target)
        assert code.startswith("kw_xc_"), (taken, target)


# ── Providers that are away ──────────────────────────────────────────────────────────────────────────────────────────
def test_a_provider_that_is_away_is_said_to_be(tmp_path):
    with Peers() as gone:
        away = OpenIdProvider(gone, "away")
    with peers_for_tests() as peers:
        broken = OpenIdProvider(peers, "broken")
        broken.overrides["/token"] = lambda _asked: Reply.json({"error": "server_error"}, 503)
        with server_with(tmp_path, away, broken) as server:
            answer = server.call("GET", "/auth/away/login")
            assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0 and "Set-Cookie" not in answer.headers, answer
            there = stored(server)
            answer = log_in(server, broken, new_person())
            assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
            application = Application()
            assert application.given(log_in(server, broken, new_person(), **application.query)) == {"error": "temporarily_unavailable"}
            assert stored(server) == there
