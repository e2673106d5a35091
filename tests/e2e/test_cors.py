"""Which other origins' pages may read the answers: the listed ones, spelled exactly so (RFC 9700 §2.6)."""

import http.server
import json
import threading

import pytest

from browser import Browser
from keyward import GOOD_PASSWORD, Keyward, command

APP = "https://app.example"
LOCAL = "http://localhost:5173"
ALLOW, EXPOSE = "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"
STRANGERS = ["null", "", "*", "https://sub.app.example", "https://app.example.evil.example", "https://evilapp.example",
             "https://app.exampl", "https://app.example.com", "https://APP.example", "HTTPS://app.example", "http://app.example",
             "https://app.example:443", "https://app.example:8443", "https://app.example.", "https://app.example/",
             "https://user@app.example", "https://app.example@evil.example", "https://app.example, https://app.example",
             "https://app.example https://app.example", "http://localhost", "http://127.0.0.1:5173", "app.example",
             "https://app.example\t", "https://" + "a" * 8192 + ".app.example"]


@pytest.fixture(scope="module")
def cors(tmp_path_factory):
    env = {"KEYWARD_SERVER_CORS_ORIGINS": f"{APP}, {LOCAL}", "KEYWARD_LIMITS_REGISTER_PER_HOUR": "3"}
    with Keyward(tmp_path_factory.mktemp("cors") / "data", env=env) as running:
        yield running


def from_app(server, method, path, origin=APP, **more):
    more["headers"] = {"Origin": origin, **more.get("headers", {})}
    return server.call(method, path, **more)


def preflight(server, path, origin=APP, method="POST"):
    return server.call("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method,
                                                 "Access-Control-Request-Headers": "authorization,content-type"})


def test_S9_a_listed_origin_reads_every_kind_of_answer(cors, email):
    body = {"email": email, "password": GOOD_PASSWORD}
    registered = from_app(cors, "POST", "/register", body=body)
    assert registered.status == 201
    login = from_app(cors, "POST", "/login", origin=LOCAL, body=body)
    assert login.status == 200 and login.headers[ALLOW] == LOCAL
    token = login.json["access_token"]
    answers = [registered, from_app(cors, "GET", "/me", token=token), from_app(cors, "GET", "/me"),
               from_app(cors, "GET", "/nowhere"), from_app(cors, "DELETE", "/login"),
               from_app(cors, "POST", "/login", body={"email": email}), from_app(cors, "GET", "/users", token=token),
               from_app(cors, "POST", "/login", raw=b"x" * 70_000, headers={"Content-Type": "application/json"}),
               from_app(cors, "POST", "/login", raw=b"x", headers={"Content-Type": "text/plain"}),
               *[from_app(cors, "POST", "/register", body=body) for _ in range(3)]]
    assert [answer.status for answer in answers] == [201, 200, 401, 404, 405, 422, 403, 413, 415, 400, 400, 429]
    for answer in answers:
        assert answer.headers.get_all(ALLOW) == [APP], answer
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        for name in ("RateLimit", "Retry-After", "X-Request-Id", "Keyward-Device", "Keyward-Transaction", "Location", "ETag"):
            assert name in answer.headers[EXPOSE]


@pytest.mark.parametrize("origin", STRANGERS, ids=lambda origin: origin[:40])
def test_S9_nobody_else_reads_anything(cors, origin):
    for answer in (from_app(cors, "GET", "/livez", origin=origin), from_app(cors, "GET", "/me", origin=origin),
                   preflight(cors, "/login", origin=origin)):
        if origin.endswith("\t"):  # white space around a value is no part of it
            assert answer.headers[ALLOW] == APP
            continue
        assert ALLOW not in answer.headers and "Access-Control-Allow-Methods" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_S9_two_origins_are_none(cors):
    answer = cors.raw(f"GET /livez HTTP/1.1\r\nHost: a\r\nOrigin: {APP}\r\nOrigin: {APP}\r\nConnection: close\r\n\r\n".encode())
    assert b" 200 " in answer and ALLOW.encode() not in answer


def test_S9_none_on_pages_and_everybody_where_there_is_no_secret(cors):
    described = cors.call("GET", "/openapi.json").json["paths"]
    pages = [path for path in described if path.startswith(("/account/", "/docs", "/metrics"))]
    assert len(pages) > 10
    for path in pages:
        assert ALLOW not in from_app(cors, "GET", path).headers
        assert ALLOW not in preflight(cors, path).headers
    for path in ("/.well-known/jwks.json", "/openapi.json"):
        answer = from_app(cors, "GET", path, origin="https://anybody.example")
        assert answer.status == 200 and answer.headers[ALLOW] == "*" and "Access-Control-Allow-Credentials" not in answer.headers
        assert preflight(cors, path, origin="https://anybody.example").headers[ALLOW] == "*"


def test_S9_a_preflight_is_answered_from_the_route_table(cors):
    requests = cors.metric("keyward_rate_limit_keys{limit=\"register\"}")
    for _ in range(20):
        answer = preflight(cors, "/register")
        assert answer.status == 204 and not answer.body
    assert cors.metric("keyward_rate_limit_keys{limit=\"register\"}") == requests
    assert answer.headers[ALLOW] == APP and answer.headers["Access-Control-Allow-Methods"] == answer.headers["Allow"] == "POST, OPTIONS"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    taken = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in taken and "content-type" in taken and "*" not in taken
    assert "PATCH" in preflight(cors, "/me", method="PATCH").headers["Access-Control-Allow-Methods"]
    assert ALLOW not in preflight(cors, "/nowhere").headers or preflight(cors, "/nowhere").status == 404
    plain = cors.call("OPTIONS", "/me")
    assert plain.status == 204 and ALLOW not in plain.headers and plain.headers["Allow"] == "GET, HEAD, PATCH, DELETE, OPTIONS"


def test_S9_without_the_setting_no_answer_speaks_of_origins(server):
    for answer in (from_app(server, "GET", "/livez"), from_app(server, "GET", "/me"), preflight(server, "/login")):
        assert ALLOW not in answer.headers and "Vary" not in answer.headers
    assert from_app(server, "GET", "/.well-known/jwks.json").headers[ALLOW] == "*"


@pytest.mark.parametrize("bad", ["*", "null", "https://App.example", "https://app.example/", "http://app.example", "https://u@app.example",
                                 "https://app.example:443", "https://bücher.example", "https://*.app.example", "https://app.example."])
def test_S9_an_origin_that_no_browser_sends_does_not_start(data, tmp_path, bad):
    file = tmp_path / "keyward.toml"
    file.write_text(f'[server]\ncors_origins = ["https://good.example", {json.dumps(bad, ensure_ascii=False)}]\n')
    code, out, errors = command("config", "check", "--config", file, data=data)
    assert code != 0 and "server.cors_origins" in out + errors and f"`{bad}`" in out + errors
    assert "https://good.example" in (out + errors).replace(bad, "") or bad in errors


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>an application</title>")

    def log_message(self, *_):
        pass


@pytest.fixture
def application():
    """Pages of another origin."""
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{pages.server_port}"
    pages.shutdown()


def test_S9_a_browser_lets_the_listed_application_read_and_no_other(data, email, application):
    stranger = application.replace("127.0.0.1", "localhost")  # the same pages, another origin
    with Keyward(data, env={"KEYWARD_SERVER_CORS_ORIGINS": application}) as server, Browser() as browser:
        token = server.new_user(email)["access_token"]
        me = {"method": "GET", "headers": {"Authorization": "Bearer " + token}}
        login = {"method": "POST", "headers": {"Content-Type": "application/json"},
                 "body": json.dumps({"email": email, "password": GOOD_PASSWORD})}
        browser.do("visit", origin=application)
        browser.open(application)
        shown = browser.fetch(server.url + "/me", **me)
        assert shown["status"] == 200 and json.loads(shown["body"])["email"] == email and shown["request_id"]
        assert json.loads(browser.fetch(server.url + "/login", **login)["body"])["access_token"]
        assert browser.fetch(server.url + "/me")["status"] == 401
        assert "error" in browser.fetch(server.url + "/me", credentials="include")  # nothing is sent along
        assert "error" in browser.fetch(server.url + "/account/forgot-password")
        browser.do("visit", origin=stranger)
        browser.open(stranger)
        assert "error" in browser.fetch(server.url + "/me", **me)
        assert "error" in browser.fetch(server.url + "/login", **login)
        assert "error" in browser.fetch(server.url + "/livez")
        assert browser.fetch(server.url + "/.well-known/jwks.json")["status"] == 200
