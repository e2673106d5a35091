"""The whole way in a real browser: an application of another site, a real provider with its own forms, and back."""

import http.server
import threading
import urllib.parse

import pytest

from browser import Browser
from database import POSTGRES
from flows import LIMITS_OFF, rows, wait_until
from keyward import GOOD_PASSWORD, Keyward
from real_provider import RealProvider
from test_identities import verified_user

pytestmark = pytest.mark.skipif(POSTGRES, reason="a browser sees no database")

# An application of one page: it makes a verifier, sends people to log in, and exchanges what they come back with.
PAGE = """<!doctype html><html lang="en"><title>An application</title><h1>An application</h1><p id="out">idle</p><script type="module">
const server = new URLSearchParams(location.hash.slice(1)).get("server") ?? sessionStorage.server;
sessionStorage.server = server;
const say = (text) => { document.getElementById("out").textContent = text; };
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const base64url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const ask = async (path, body, token, method = body ? "POST" : "GET") => {
  const headers = { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(server + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, ...(await answer.json()) };
};
const verifier = sessionStorage.verifier ??= base64url(crypto.getRandomValues(new Uint8Array(32)));
const code_challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
const query = { return_to: `${location.origin}/after`, code_challenge, code_challenge_method: "S256" };
globalThis.log_in = () => { location.href = `${server}/auth/real/login?${new URLSearchParams(query)}`; };
globalThis.connect = async (email, current_password) => {
  const { access_token } = await ask("/login", { email, password: current_password });
  sessionStorage.token = access_token;
  const { login_url } = await ask("/me/identities/real", { current_password, ...query }, access_token);
  location.href = login_url;
};
const { code, error } = Object.fromEntries(new URLSearchParams(location.search));
if (error) say(`refused: ${error}`);
if (code && sessionStorage.token) {
  const made = await ask("/me/identities/real/confirm", { code, code_verifier: verifier }, sessionStorage.token);
  say(`connected ${made.status}: ${made.email}`);
} else if (code) {
  const login = await ask("/auth/exchange", { code, code_verifier: verifier });
  const me = await ask("/me", undefined, login.access_token);
  const again = await ask("/auth/exchange", { code, code_verifier: verifier });
  say(`signed in ${login.status} as ${me.email}, then ${again.status}`);
}
</script></html>"""


class _Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urllib.parse.urlsplit(self.path)
        known = asked.path in ("/", "/after")
        act = urllib.parse.parse_qs(asked.query).get("act", [""])[0]
        body = PAGE.replace("</script>", f"{act}</script>") if known else ""
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(server, the application's origin)."""
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    origin = f"http://localhost:{pages.server_port}"  # another site than the server's 127.0.0.1
    env = {**LIMITS_OFF, "KEYWARD_SERVER_CORS_ORIGINS": origin, "KEYWARD_SOCIAL_RETURN_TO_ORIGINS": origin}
    with RealProvider() as provider, Keyward(tmp_path_factory.mktemp("browser") / "data", env={**env, **provider.settings()}) as server:
        provider.introduce(server)
        yield server, origin
    pages.shutdown()


@pytest.fixture
def browser(world):
    with Browser() as one:
        one.do("visit", origin=world[1])
        yield one


def look(browser):
    return browser.do("media", scheme="light", width=1280)


def begin(browser, world, act):
    """Opens the application, which does this and so goes to the provider."""
    server, origin = world
    browser.open(f"{origin}/?act={urllib.parse.quote(act)}#server={server.url}")
    return wait_until(lambda: (shown := look(browser))["url"].startswith("http://127.0.0.1") and shown, "the provider's page")


def log_in_there(browser, name):
    """Its two forms: who one is, and that one agrees."""
    browser.do("type", text=name)
    browser.press("Tab")
    browser.do("type", text="anything")
    browser.do("enter")
    browser.click("Continue")


def told(browser, world, words):
    def is_told():
        shown = look(browser)
        return shown["url"].startswith(world[1] + "/after") and words in shown["text"] and shown

    return wait_until(is_told, words)


def test_F4_S3_somebody_logs_in_from_an_application_of_another_site(world, browser):
    server, _ = world
    shown = begin(browser, world, "log_in()")
    assert "/interaction/" in shown["url"]
    log_in_there(browser, "ada")
    shown = told(browser, world, "signed in 200 as ada@real.example, then 400")
    assert "kw_at" not in shown["url"] and "token" not in shown["url"]
    assert rows(server, "SELECT count(*) FROM identities WHERE provider = ? AND subject = ?", "real", "ada") == [(1,)]


def test_somebody_who_changes_their_mind_comes_back_without_a_session(world, browser):
    server, _ = world
    begin(browser, world, "log_in()")
    browser.click("[ Cancel ]", role="link")
    told(browser, world, "refused: access_denied")
    assert not rows(server, "SELECT 1 FROM identities WHERE subject = ?", "nobody")


def test_F3_somebody_connects_the_provider_to_an_account_with_a_password(world, browser):
    server, _ = world
    user = verified_user(server, "grace@home.example")
    begin(browser, world, f'connect("grace@home.example", "{GOOD_PASSWORD}")')
    log_in_there(browser, "grace-upstream")
    told(browser, world, "connected 201: grace-upstream@real.example")
    items = server.call("GET", "/me/identities", token=user["access_token"]).json["items"]
    assert [(item["provider"], item["email"]) for item in items] == [("real", "grace-upstream@real.example")]


def test_F8_the_back_button_and_a_reload_do_no_harm(world, browser):
    begin(browser, world, "log_in()")
    log_in_there(browser, "ada")
    shown = told(browser, world, "signed in 200")
    browser.open(shown["url"])
    told(browser, world, "signed in 400")


@pytest.mark.parametrize("path", [
    "/auth/real/callback?state=x&error=<script>document.title='evil'</script>",
    "/auth/real/callback?state=<img src=x onerror=document.title='evil'>&code=x",
    "/auth/real/login?return_to=JaVaScRiPt:document.title='evil'&code_challenge=" + "A" * 43 + "&code_challenge_method=S256",
    "/auth/<script>document.title='evil'</script>/login",
], ids=["error", "state", "return_to", "provider"])
def test_S11_nothing_that_an_address_says_runs_in_the_browser(world, browser, path):
    server, _ = world
    shown = browser.open(server.url + urllib.parse.quote(path, safe="/?&=:;'<>()"))
    assert shown["title"] != "evil" and '"status":4' in shown["text"].replace(" ", ""), shown
