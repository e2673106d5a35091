"""What every answer has, whoever asks for what: all routes, all refusals of the engine, redirects, pages, what was not changed."""

import re

import pytest

from flows import LIMITS_OFF, forgot
from keyward import GOOD_PASSWORD, Keyward
from mailbox import wait_for_mail

EVERYWHERE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
              "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
              "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
CACHED = ("/docs", "/openapi.json", "/.well-known/jwks.json", "/account/style.css")
HEAD = b"Host: localhost\r\n"
REFUSALS = {
    400: b"GET /livez HTTP/1.1\r\n\r\n",
    405: b"TRACE /livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    408: b"GET /livez HTTP/1.1\r\nHost: lo",
    413: b"POST /login HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n",
    414: b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    417: b"POST /login HTTP/1.1\r\n" + HEAD + b"Expect: miracles\r\nContent-Length: 1\r\n\r\na",
    431: b"GET /livez HTTP/1.1\r\n" + HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(70)) + b"\r\n",
    501: b"BREW /login HTTP/1.1\r\n" + HEAD + b"\r\n",
    505: b"GET /livez HTTP/2.0\r\n" + HEAD + b"\r\n",
}


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    env = {**LIMITS_OFF, "KEYWARD_SERVER_HEADER_TIMEOUT_S": "1"}
    with Keyward(tmp_path_factory.mktemp("every") / "data", "--public-url", "https://id.example.com", env=env) as running:
        yield running


def check(headers, what):
    for name, value in EVERYWHERE.items():
        assert headers.get_all(name) == [value], (what, name, headers.items())
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy, (what, policy)
    assert len(headers.get_all("X-Request-Id")) == 1 and "Server" not in headers and "X-Powered-By" not in headers, what


def test_S8_H3_every_route_and_every_method(secure, email):
    token = secure.new_user(email)["access_token"]
    paths = secure.call("GET", "/openapi.json").json["paths"]
    assert len(paths) > 30
    seen = set()
    for path in [*paths, "/", "/nowhere", "/docs/nothing"]:
        concrete = re.sub(r"\{[^}]*\}", "nothing", path)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            if (method, concrete) in (("DELETE", "/me"), ("POST", "/logout"), ("DELETE", "/me/sessions")):
                continue
            for more in ({}, {"token": token}, {"body": {}, "token": token}, {"form": {"a": "b"}}, {"raw": b"x"}):
                answer = secure.call(method, concrete, **more)
                seen.add(answer.status)
                check(answer.headers, (method, concrete, answer.status))
                if not concrete.startswith(CACHED) or answer.status >= 400:
                    assert answer.headers["Cache-Control"] == "no-store", (method, concrete)
                if answer.body and answer.status >= 400 and method != "HEAD":
                    assert answer.headers["Content-Type"].split(";")[0] in ("application/problem+json", "text/html"), (method, concrete)
                assert answer.status < 500, (method, concrete, answer)
    assert {200, 204, 400, 401, 403, 404, 405, 415, 422} <= seen, seen


@pytest.mark.parametrize("status", REFUSALS)
def test_S8_what_the_engine_refuses(secure, status):
    received = secure.raw(REFUSALS[status], timeout_s=10)
    head, _, _ = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), received[:200]
    lines = head.decode().lower().split("\r\n")
    for name, value in {**EVERYWHERE, "Cache-Control": "no-store"}.items():
        assert lines.count(f"{name}: {value}".lower()) == 1, (name, lines)
    assert not [line for line in lines if line.startswith("server:")]


def test_S8_what_was_not_changed_and_what_is_cached(secure):
    for path in ("/.well-known/jwks.json", "/openapi.json", "/docs"):
        first = secure.call("GET", path)
        again = secure.call("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status, again.status) == (200, 304)
        check(again.headers, path)
        assert "no-store" not in again.headers["Cache-Control"]


def test_S10_what_takes_credentials_answers_303_or_not_with_a_redirect_at_all(secure, email):
    """A browser would post the form again to where a 307 or 308 points."""
    secure.register(email)
    walker = "walker." + email  # who asks for mails too: a newer link kills an older one
    login = secure.new_user(walker)
    credentials = {"email": walker, "username": walker, "password": GOOD_PASSWORD, "current_password": GOOD_PASSWORD,
                   "new_password": "another good phrase 7", "token": "kw", "refresh_token": login["refresh_token"],
                   "new_email": "other@example.com", "code": "12345678", "transaction": "a"}
    forgot(secure, email)
    mail = wait_for_mail(secure.data, "reset_password", email)
    link = mail.link.replace("https://id.example.com", "")
    posted = 0
    for path, operations in secure.call("GET", "/openapi.json").json["paths"].items():
        if "post" not in operations or path in ("/logout", "/refresh", "/account/reset-password"):
            continue
        for more in ({"form": credentials}, {"body": credentials}):
            answer = secure.call("POST", path, **more)
            posted += 1
            assert answer.status not in (301, 302, 307, 308), (path, answer)
            assert answer.status != 303 or answer.headers["Location"].startswith("/account/"), (path, answer.headers["Location"])
    assert posted > 20
    token = link.split("token=")[1]
    done = secure.call("POST", "/account/reset-password", form={"token": token, "new_password": "another good phrase 7"})
    assert done.status == 303 and done.headers["Location"].startswith("/account/") and token not in done.headers["Location"]
    check(done.headers, "303")
    assert done.headers["Cache-Control"] == "no-store"


def test_S10_tokens_are_stored_by_nobody_on_the_way(secure, email):
    login = secure.call("POST", "/register", {"email": email, "password": GOOD_PASSWORD}) and secure.login(email)
    refreshed = secure.call("POST", "/refresh", {"refresh_token": login.json["refresh_token"]})
    for answer in (login, refreshed):
        assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
