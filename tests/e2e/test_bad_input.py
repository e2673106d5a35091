"""Bad input at every endpoint: a 4xx with a problem document, never a 5xx, and nothing stored."""

import json

import pytest

from database import connect
from keyward import GOOD_PASSWORD

WRITES = [("POST", "/register", False), ("POST", "/login", False), ("PATCH", "/me", True), ("POST", "/me/password", True)]

JSON = "application/json"
BAD_BODIES = {
    "broken": (JSON, b'{"email": '),
    "empty": (JSON, b""),
    "not_an_object": (JSON, b"[1,2,3]"),
    "a_string": (JSON, b'"hello"'),
    "null": (JSON, b"null"),
    "trailing_garbage": (JSON, b'{"email":"a@example.com","password":"violet orbit candle 94"} x'),
    "duplicate_member": (JSON, b'{"email":"a@example.com","password":"violet orbit candle 94","email":"b@example.com","full_name":"a","full_name":"b","current_password":"a","current_password":"b"}'),
    "deep": (JSON, b'{"full_name":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "invalid_utf8": (JSON, b'{"email":"a@example.com","password":"violet orbit \xff\xfe","full_name":"\xc3\x28","current_password":"\xff"}'),
    "overlong_utf8": (JSON, b'{"email":"a@example.com","password":"violet \xc0\xaf orbit","full_name":"\xc0\xaf","current_password":"\xc0\xaf"}'),
    "lone_surrogate": (JSON, b'{"email":"a@example.com","password":"\\ud800 violet orbit","full_name":"\\ud800","current_password":"\\ud800"}'),
    "nul": (JSON, b'{"email":"a\\u0000@example.com","password":"violet\\u0000orbit candle","full_name":"a\\u0000b","current_password":"a","new_password":"\\u0000"}'),
    "wrong_types": (JSON, b'{"email":5,"username":7,"password":{},"full_name":[],"current_password":true,"new_password":1}'),
    "utf16": (JSON, '{"email":"a@example.com"}'.encode("utf-16")),
    "plain_text": ("text/plain", b'{"email":"a@example.com","password":"violet orbit candle 94"}'),
    "xml": ("application/xml", b"<email/>"),
    "multipart": ("multipart/form-data; boundary=x", b"--x--"),
    "no_type": (None, b'{"email":"a@example.com","password":"violet orbit candle 94"}'),
    "latin1": ("application/json; charset=latin1", b'{"email":"a@example.com","password":"violet orbit candle 94"}'),
    "form_duplicate": ("application/x-www-form-urlencoded", b"email=a%40example.com&password=violet+orbit+94&email=b%40example.com&full_name=a&full_name=b&current_password=a&current_password=b"),
    "form_bad_percent": ("application/x-www-form-urlencoded", b"email=%zz&password=%4&full_name=%zz&current_password=%zz"),
    "form_invalid_utf8": ("application/x-www-form-urlencoded", b"email=%ff%fe&password=%ff&full_name=%c3%28&current_password=%ff"),
    "one_MiB": (JSON, json.dumps({"email": "a@example.com", "password": "x" * (1 << 20), "full_name": "x" * (1 << 20)}).encode()),
    "huge_password": (JSON, json.dumps({"email": "a@example.com", "password": "x" * 30_000, "full_name": "x" * 30_000, "current_password": "x" * 30_000, "new_password": "x"}).encode()),
    "many_members": (JSON, json.dumps({f"m{i}": i for i in range(3000)}).encode()),
}


def stored_rows(server):
    with connect(server.data) as database:
        return [database.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("accounts", "sessions")]


@pytest.fixture(scope="module")
def token(server):
    return server.new_user("bad-input@example.com")["access_token"]


@pytest.mark.parametrize("kind", BAD_BODIES)
@pytest.mark.parametrize("method, path, signed_in", WRITES)
def test_bad_bodies_are_refused(server, token, method, path, signed_in, kind):
    before = stored_rows(server)
    content_type, body = BAD_BODIES[kind]
    headers = {"Content-Type": content_type} if content_type else {}
    answer = server.call(method, path, raw=body, headers=headers, token=token if signed_in else None)
    assert 400 <= answer.status < 500, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == answer.status and problem["title"] and problem["type"]
    if answer.status == 422:
        assert problem["errors"] and all(error["field"] and error["message"] for error in problem["errors"])
    assert stored_rows(server) == before
    assert server.call("GET", "/me", token=token).json["full_name"] is None


@pytest.mark.parametrize("body, fields", [
    ({}, ["email", "password"]),
    ({"email": "not an address", "password": "short", "full_name": "x" * 201}, ["email", "full_name", "password"]),
    ({"email": 1, "password": [], "full_name": {}}, ["email", "full_name", "password"]),
    ({"email": "a@b", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "@example.com", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "a b@example.com", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "a@exa mple.com", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "a@-example.com", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "a..b@example.com", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "a@example.com\r\nBcc: x@example.com", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "x" * 250 + "@example.com", "password": GOOD_PASSWORD}, ["email"]),
    ({"email": "a@example.com", "password": GOOD_PASSWORD, "full_name": "line\nbreak"}, ["full_name"]),
    ({"email": "a@example.com", "password": GOOD_PASSWORD, "full_name": "\u001b[31mred"}, ["full_name"]),
])
def test_every_bad_field_is_named_at_once(server, body, fields):
    answer = server.call("POST", "/register", body)
    assert answer.status == 422 and answer.fields == fields, answer


def test_login_needs_one_name(server):
    assert server.call("POST", "/login", {"password": "x"}).status == 422
    both = server.call("POST", "/login", {"email": "a@example.com", "username": "b@example.com", "password": "x"})
    assert both.status == 422


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/register", 405), ("PUT", "/login", 405), ("DELETE", "/login", 405), ("POST", "/me", 405),
    ("GET", "/nothing", 404), ("GET", "/me/", 404), ("GET", "//me", 404), ("GET", "/%6de", 404), ("GET", "/ME", 404),
    ("GET", "/me/../me", 404), ("POST", "/livez", 405), ("GET", "/me?x=1", None),
])
def test_H3_methods_and_paths_are_allow_listed(server, token, method, path, status):
    answer = server.call(method, path, token=token)
    if status is not None:
        assert answer.status == status
    assert answer.status < 500
    if status == 405:
        assert answer.headers["Allow"]


@pytest.mark.parametrize("authorization", [
    "", "Bearer", "Bearer ", "bearer", "Basic Zm9vOmJhcg==", "Bearer a b", "Bearer a.b.c", "Bearer " + "a" * 12_000, "Bearer ..",
    "Token x", "Bearer\tx",
])
def test_credentials_of_another_shape_are_refused(server, authorization):
    answer = server.call("GET", "/me", headers={"Authorization": authorization})
    assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_O17_a_token_in_the_query_is_not_taken(server, token):
    assert server.call("GET", "/me?access_token=" + token).status == 401


def test_who_calls_is_asked_before_what_they_sent(server):
    assert server.call("PATCH", "/me", raw=b"{{{", headers={"Content-Type": JSON}).status == 401


def test_a_user_agent_that_is_no_utf8_is_survived(server):
    server.register("agent@example.com")
    body = b"email=agent%40example.com&password=" + GOOD_PASSWORD.replace(" ", "+").encode()
    for agent in (b"\xff\xfe\x9b", b"x" * 511 + b"\xc3\xab", b"\xc3\x28"):
        received = server.raw(b"POST /login HTTP/1.1\r\nHost: x\r\nUser-Agent: " + agent + b"\r\nConnection: close\r\n"
                              b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert received.startswith(b"HTTP/1.1 200 "), received
