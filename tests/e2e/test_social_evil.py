"""Providers that lie, break, stall or are somebody else: refused, told with the check's word, and nothing is made of it."""

import json
import urllib.parse

import pytest

from database import NODES
from flows import rows, wait_until
from oauth_peers import Discord, GitHub
from openid_provider import ABSENT, CLIENT_SECRET, Microsoft, OpenIdProvider, Twist, new_person, says_no
from peer_http import JSON, Reply
from providers import Visitor, failures_in, in_past, log_in, logged_in, peers_for_tests, refused_for, server_with, stored, whoami
from signing import HmacKey, Key, NoKey, encode, token_of

OTHER_KEY, SWAPPED = Key("RS256", "good-1"), Key("ES256", "good-1")
MIB = 1 << 20


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(server, providers by name): each honest until a test says otherwise."""
    with peers_for_tests() as peers:
        known = [OpenIdProvider(peers, "good"), OpenIdProvider(peers, "mixed"), OpenIdProvider(peers, "rotating"),
                 OpenIdProvider(peers, "userinfo", in_id_token=()), OpenIdProvider(peers, "silent", tells_issuer=False),
                 Microsoft(peers, "microsoft"), GitHub(peers, "github"), Discord(peers, "discord")]
        with server_with(tmp_path_factory.mktemp("evil"), *known) as server:
            yield server, {provider.name: provider for provider in known}


def good_key(world):
    return world[1]["good"].keys[0]


# ── ID tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────
FOREIGN = "keyward at mixed"
EVIL_CLAIMS = {
    "iss of another": ({"iss": "https://accounts.upstream.example"}, "issuer_mismatch"),
    "iss with a slash": ({"iss": "{iss}/"}, "issuer_mismatch"),
    "iss in another case": ({"iss": "{ISS}"}, "issuer_mismatch"),
    "no iss": ({"iss": ABSENT}, "missing_claim"),
    "aud of another": ({"aud": FOREIGN}, "audience_mismatch"),
    "aud with another": ({"aud": ["{aud}", FOREIGN], "azp": "{aud}"}, "audience_mismatch"),
    "aud empty": ({"aud": []}, "invalid_claim"),
    "no aud": ({"aud": ABSENT}, "missing_claim"),
    "azp of another": ({"azp": FOREIGN}, "azp_mismatch"),
    "nonce of another": ({"nonce": "n" * 43}, "nonce_mismatch"),
    "nonce empty": ({"nonce": ""}, "invalid_claim"),
    "no nonce": ({"nonce": ABSENT}, ("missing_claim", "nonce_mismatch")),
    "no sub": ({"sub": ABSENT}, "missing_claim"),
    "sub empty": ({"sub": ""}, "invalid_claim"),
    "sub a number": ({"sub": 7}, "invalid_claim"),
    "sub too long": ({"sub": "s" * 256}, "invalid_claim"),
    "sub not ASCII": ({"sub": "ädä"}, "invalid_claim"),
    "expired": ({"exp": in_past(120), "iat": in_past(300)}, "expired"),
    "no exp": ({"exp": ABSENT}, "missing_claim"),
    "exp a text": ({"exp": "4102444800"}, "invalid_claim"),
    "issued tomorrow": ({"iat": in_past(-86400), "exp": in_past(-90000)}, "not_yet_valid"),
    "no iat": ({"iat": ABSENT}, "missing_claim"),
    "issued yesterday": ({"iat": in_past(86400)}, "issued_too_long_ago"),
    "not before tomorrow": ({"nbf": in_past(-86400)}, "not_yet_valid"),
    "at_hash of another": ({"at_hash": "A" * 22}, "at_hash_mismatch"),
    "email_verified a text": ({"email_verified": "false"}, "invalid_claim"),
    "email_verified another text": ({"email_verified": "true"}, "invalid_claim"),
    "email_verified a number": ({"email_verified": 1}, "invalid_claim"),
    "email a list": ({"email": ["a@upstream.example"]}, "invalid_claim"),
    "email null": ({"email": None}, ("email_missing", "invalid_claim")),
    "email no address": ({"email": "nobody"}, ("email_missing", "invalid_claim")),
    "unverified": ({"email_verified": False}, "email_unverified"),
    "verified null": ({"email_verified": None}, "email_unverified"),
}


def filled(claims, provider):
    words = {"{iss}": provider.issuer, "{ISS}": provider.issuer.upper(), "{iss}/": provider.issuer + "/", "{aud}": provider.client_id}
    return {name: [words.get(one, one) for one in value] if isinstance(value, list) else
            words.get(value, value) if isinstance(value, str) else value for name, value in claims.items()}


def refuse(world, provider, reasons, twist, person=None, statuses=(403,)):
    """One login with this twist, refused for this reason, or one of these; its answer."""
    with refused_for(world[0], provider, *([reasons] if isinstance(reasons, str) else reasons)):
        answer = log_in(world[0], provider, person or new_person("eve"), twist)
        assert answer.status in statuses and answer.headers["Content-Type"] == "application/problem+json", (answer, provider.complaints)
    return answer


@pytest.mark.parametrize("kind", EVIL_CLAIMS)
def test_F6_an_id_token_with_a_claim_that_is_not_right(world, kind):
    provider = world[1]["good"]
    claims, reason = EVIL_CLAIMS[kind]
    about_address = {name: value for name, value in claims.items() if name.startswith("email")}
    refuse(world, provider, reason, Twist(claims=filled(claims, provider), userinfo=about_address))


def hs256_with(secret):
    return lambda header, claims: token_of({**header, "alg": "HS256"}, claims, HmacKey(secret))


EVIL_SIGNATURES = {
    "alg none": (lambda key: Twist(header={"alg": "none"}, key=NoKey()), "algorithm_mismatch"),
    "alg None": (lambda key: Twist(header={"alg": "None"}, key=NoKey()), "algorithm_mismatch"),
    "HS256 with the public key": (lambda key: Twist(id_token=hs256_with(key.public_pem.encode())), "algorithm_mismatch"),
    "HS256 with the client secret": (lambda key: Twist(id_token=hs256_with(CLIENT_SECRET.encode())), "algorithm_mismatch"),
    "another family": (lambda key: Twist(key=SWAPPED), ("algorithm_mismatch", "bad_signature")),
    "PS256 by an RS256 key": (lambda key: Twist(header={"alg": "PS256"}), ("algorithm_mismatch", "bad_signature")),
    "another key": (lambda key: Twist(key=OTHER_KEY), "bad_signature"),
    "no signature": (lambda key: Twist(id_token=lambda header, claims: token_of(header, claims, NoKey())), "bad_signature"),
    "its own key in the header": (lambda key: Twist(key=OTHER_KEY, header={"jwk": OTHER_KEY.jwk, "kid": "good-1"}), "bad_signature"),
    "an unknown crit": (lambda key: Twist(header={"crit": ["b64"], "b64": False}), "critical_header"),
    "an access token": (lambda key: Twist(header={"typ": "at+jwt"}), "wrong_type"),
    "a logout token": (lambda key: Twist(header={"typ": "logout+jwt"}), "wrong_type"),
    "no token": (lambda key: Twist(id_token=lambda header, claims: "no.token"), "malformed"),
    "a claim twice": (lambda key: Twist(id_token=with_two_subjects(key)), "malformed"),
}


def with_two_subjects(key):
    def sign(header, claims):
        twice = json.dumps(claims)[:-1] + ', "sub": "root"}'
        content = f"{encode(header)}.{encode(twice.encode())}"
        return f"{content}.{encode(key.sign(content.encode()))}"

    return sign


@pytest.mark.parametrize("kind", EVIL_SIGNATURES)
def test_F6_J8_an_id_token_that_is_not_signed_as_it_must_be(world, kind):
    make, reason = EVIL_SIGNATURES[kind]
    refuse(world, world[1]["good"], reason, make(good_key(world)))


def test_F6_an_id_token_for_somebody_elses_login(world):
    """A token that was right, for another browser's nonce."""
    provider, kept = world[1]["good"], []

    def keep(header, claims):
        kept.append(token_of(header, claims, provider.keys[0]))
        return kept[0]

    assert log_in(world[0], provider, new_person(), Twist(id_token=keep)).status == 200
    refuse(world, provider, "nonce_mismatch", Twist(id_token=lambda header, claims: kept[0]))


def test_F6_a_person_of_another_tenant(world):
    provider = world[1]["microsoft"]
    for tenant in ("00000000-0000-0000-0000-000000000000", provider.tenant.upper(), "", ABSENT):
        refuse(world, provider, ("tenant_mismatch", "missing_claim", "invalid_claim"), Twist(claims={"tid": tenant}))
    refuse(world, provider, "email_unverified", Twist(claims={"xms_edov": False, "email_verified": True}))


@pytest.mark.parametrize("sub", ["somebody else", "", None, ABSENT])
def test_F6_userinfo_about_somebody_else(world, sub):
    reasons = "subject_mismatch" if sub == "somebody else" else ("subject_mismatch", "missing_claim", "invalid_claim")
    refuse(world, world[1]["userinfo"], reasons, Twist(userinfo={"sub": sub, "email": "victim@home.example"}))


@pytest.mark.parametrize("verified, reason", [
    ("false", "invalid_claim"), ("true", "invalid_claim"), (1, "invalid_claim"), (False, "email_unverified"),
    (None, "email_unverified"), (ABSENT, "email_unverified"),
])
def test_F2_an_address_that_userinfo_does_not_call_verified(world, verified, reason):
    refuse(world, world[1]["userinfo"], reason, Twist(userinfo={"email_verified": verified}))


VICTIM = "victim@home.example"


@pytest.mark.parametrize("claims, userinfo", [
    ({"email_verified": False}, {}), ({"email": VICTIM, "email_verified": False}, {}),
    ({"email": VICTIM, "email_verified": ABSENT}, {}), ({"email": VICTIM, "email_verified": ABSENT}, {"email": ABSENT}),
    ({"email_verified": ABSENT}, {"email": VICTIM, "email_verified": False}),
], ids=range(5))
def test_F2_a_provider_that_contradicts_itself(world, claims, userinfo):
    """What is verified of one address says nothing of another, and a no is a no."""
    server, known = world
    with refused_for(server, known["good"], "email_unverified", "invalid_claim"):
        answer = log_in(server, known["good"], new_person("eve"), Twist(claims=claims, userinfo=userinfo))
        assert answer.status == 403, answer
    assert not rows(server, "SELECT 1 FROM accounts WHERE email = ?", VICTIM)


@pytest.mark.parametrize("name, twist", [
    ("github", {"id": "7"}), ("github", {"id": None}), ("github", {"id": 1.5}), ("github", {"id": -1}),
    ("discord", {"id": 7}), ("discord", {"id": ""}), ("discord", {"verified": "false"}), ("discord", {"verified": 1}),
], ids=str)
def test_F6_a_person_without_openid_whose_members_are_not_what_they_must_be(world, name, twist):
    refuse(world, world[1][name], ("invalid_claim", "missing_claim", "malformed"), Twist(userinfo=twist), new_person(sub=7))


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_J15_F7_a_key_that_is_new_is_fetched_and_an_unknown_one_at_most_once_in_an_interval(world):
    server, provider = world[0], world[1]["rotating"]
    logged_in(server, provider, new_person())
    old = provider.counts["/jwks"]
    provider.keys.insert(0, Key("ES256", "rotating-2"))
    after, there = [], stored(server)
    for _ in range(NODES):  # any of the nodes may be the one that asks
        after.append(log_in(server, provider, new_person()).status)
    assert 200 in after, "what the provider signs with now is learned"
    fetched = provider.counts["/jwks"]
    unknown = Key("RS256", "nobody-knows-it")
    server.logged_events()
    told = failures_in(server.events, provider)["unknown_key"]
    for number in range(50):
        answer = log_in(server, provider, new_person("eve"), Twist(key=unknown, header={"kid": f"unknown-{number}"}))
        assert answer.status == 403, answer
    assert provider.counts["/jwks"] - fetched <= NODES and fetched - old <= NODES + NODES, provider.counts
    wait_until(lambda: failures_in(server.events, provider)["unknown_key"] == told + 50, "each of them is told")
    assert stored(server)[0] == there[0] + after.count(200)


# ── Mix-up ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_F5_an_answer_in_the_name_of_another_provider(world):
    server, known = world
    for iss in (known["mixed"].issuer, known["good"].issuer + "/", "", "https://evil.example"):
        asked = known["good"].token_requests
        refuse(world, known["good"], "callback_issuer_mismatch", Twist(callback={"iss": iss}))
        assert known["good"].token_requests == asked, "the code is told to nobody"
    refuse(world, known["good"], "callback_issuer_missing", Twist(callback={"iss": ABSENT}))
    refuse(world, known["silent"], "callback_issuer_mismatch", Twist(callback={"iss": known["good"].issuer}))
    assert log_in(server, known["silent"], new_person()).status == 200, "who never says it need not say it"


def test_F5_the_code_of_one_provider_at_the_callback_of_another(world):
    """The classical mix-up: the login began at `mixed`, which sent the browser on to `good`."""
    server, known = world
    good, mixed = known["good"], known["mixed"]
    visitor, asked = Visitor(server), (good.token_requests, mixed.token_requests)
    begun = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(visitor.begin("mixed")).query))
    lured = {**begun, "client_id": good.client_id, "redirect_uri": begun["redirect_uri"].replace("/mixed/", "/good/")}
    _, back = good.authorize("?" + urllib.parse.urlencode(lured), new_person())
    with refused_for(server, good, "state"):
        answer = visitor.ask("GET", "/auth/good/callback?" + urllib.parse.urlencode(back))
    assert answer.status == 400, answer
    visitor.begin("mixed")
    with_mixed = dict(back, state=begun["state"])
    answer = visitor.ask("GET", "/auth/mixed/callback?" + urllib.parse.urlencode(with_mixed))
    assert answer.status in (400, 403) and (good.token_requests, mixed.token_requests) == asked


# ── Words of others ──────────────────────────────────────────────────────────────────────────────────────────────────
NAUGHTY = ["<script>alert(1)</script>", "a\r\nSet-Cookie: x=1", "\u2028\x1b[31mred", "x" * 20_000, "\u202eevil", "%0d%0aX: y",
           "{{name}}"]


@pytest.mark.parametrize("text", NAUGHTY, ids=range(len(NAUGHTY)))
def test_S11_what_a_provider_says_in_words_goes_nowhere(world, text):
    server, provider = world[0], world[1]["good"]
    lines = len(server.events)
    answer = refuse(world, provider, "provider_error", says_no("server_error", error_description=text[:2000],
                                                                error_uri="javascript:alert(1)"))
    assert text.encode() not in answer.body and b"<script" not in answer.body and b"javascript:" not in answer.body
    answer = refuse(world, provider, "provider_error", says_no(text[:2000]))
    assert b"<script" not in answer.body
    for line in server.events[lines:]:
        assert json.loads(line) and not [letter for letter in line.rstrip("\n") if ord(letter) < 32 or letter in "\u2028\u202e"], line
    login = log_in(server, provider, new_person(name=text[:2000]))
    assert login.status == 200, "a name is no reason to refuse anybody"
    name = whoami(server, login.json)["full_name"]
    assert name is None or (len(name) <= 256 and not any(ord(letter) < 32 for letter in name)), name


# ── Answers that are none ────────────────────────────────────────────────────────────────────────────────────────────
def redirect(url):
    return lambda _asked: Reply(302, headers={"Location": url})


def huge(_asked):
    return Reply.json(b'{"access_token": "' + b"a" * (2 * MIB) + b'"}')


def huge_in_chunks(_asked):
    return Reply(200, headers={"Content-Type": JSON}, chunks=[b" " * 65536] * 64)


def answered(**members):
    return lambda _asked: Reply.json(members)


NO_ANSWER = ("malformed", "missing_claim", "token_refused")
EVIL_ANSWERS = {
    "redirected": (redirect("http://127.0.0.1:1/"), "redirected"),
    "huge": (huge, "too_large"),
    "huge in chunks": (huge_in_chunks, "too_large"),
    "a page": (lambda _asked: Reply(200, b"<html>", {"Content-Type": "text/html"}), "wrong_content_type"),
    "compressed": (lambda _asked: Reply(200, b"\x1f\x8b", {"Content-Type": JSON, "Content-Encoding": "gzip"}),
                   ("malformed", "wrong_content_type")),
    "no JSON": (lambda _asked: Reply.json(b'{"access_token":'), "malformed"),
    "a list": (lambda _asked: Reply.json([1]), "malformed"),
    "deep": (lambda _asked: Reply.json(b"[" * 100_000 + b"]" * 100_000), "malformed"),
    "a member twice": (lambda _asked: Reply.json(b'{"access_token":"a","access_token":"b","token_type":"Bearer"}'), "malformed"),
    "no token": (answered(token_type="Bearer"), NO_ANSWER),
    "no Bearer": (answered(access_token="a", token_type="mac", id_token="a.b.c"), ("invalid_claim", *NO_ANSWER)),
    "no ID token": (answered(access_token="a", token_type="Bearer"), NO_ANSWER),
    "invalid_grant": (lambda _asked: Reply.json({"error": "invalid_grant"}, 400), "token_refused"),
    "invalid_client": (lambda _asked: Reply.json({"error": "invalid_client", "error_description": "<b>"}, 401), "token_refused"),
}


@pytest.mark.parametrize("kind", EVIL_ANSWERS)
def test_F7_a_token_endpoint_that_answers_something_else(world, kind):
    make, reason = EVIL_ANSWERS[kind]
    provider = world[1]["mixed"]
    # 503 where the provider is broken rather than untrue
    answer = refuse(world, provider, reason, Twist(token=lambda _members: make(None)), statuses=(403, 503))
    assert b"access_token" not in answer.body and b"<b>" not in answer.body
