"""People who log in by a provider: a browser without a head, an application that is sent back to, and the servers for it."""

import collections
import contextlib
import json
import secrets
import time
import urllib.parse
import uuid

from database import drop_below
from flows import LIMITS_OFF, rows
from keyward import Keyward
from peer_http import Peers
from signing import challenge_of

START_AGAIN = "The login is not valid or has expired. Start again"
BAD_CODE = "The code is not valid or has expired"
APP = "https://app.example"
ON = {**LIMITS_OFF, "KEYWARD_SOCIAL_RETURN_TO_ORIGINS": f"{APP}, http://localhost:5173"}


def path_with(path, query):
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


class Visitor:
    """A browser: keeps cookies, and goes where it is sent. Its cookies are those of the server alone."""

    def __init__(self, server):
        self.server, self.cookies, self.cookie_lines = server, {}, []

    def ask(self, method, path, **more):
        headers = dict(more.pop("headers", None) or {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.server.call(method, path, headers=headers, **more)
        self.cookie_lines = answer.headers.get_all("Set-Cookie") or []
        for line in self.cookie_lines:
            pair, *attributes = [part.strip() for part in line.split(";")]
            name, _, value = pair.partition("=")
            if "max-age=0" in [attribute.lower() for attribute in attributes]:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def begin(self, name, **query):
        """Where the login of this provider sends the browser."""
        answer = self.ask("GET", path_with(f"/auth/{name}/login", query))
        assert answer.status == 303, answer
        return answer.headers["Location"]

    def follow(self, url, **more):
        """A URL of the server's own."""
        origin = self.server.env.get("KEYWARD_SERVER_PUBLIC_URL", self.server.url)
        assert url.startswith(origin + "/"), f"{url} is not at {origin}"
        return self.ask("GET", url.removeprefix(origin), **more)

    def come_back(self, provider, way_back):
        redirect_uri, parameters = way_back
        if provider.kind != "apple":
            return self.follow(path_with(redirect_uri, parameters))
        origin = self.server.env.get("KEYWARD_SERVER_PUBLIC_URL", self.server.url)
        cross_site = {"Origin": "https://appleid.apple.com", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        return self.ask("POST", redirect_uri.removeprefix(origin), form=parameters, headers=cross_site)

    def log_in(self, provider, person, twist=None, url=None, **query):
        """All of it; the callback's answer. url: where it begins, instead of the provider's login."""
        if url is None:
            target = self.begin(provider.name, **query)
        else:
            begun = self.follow(url)
            assert begun.status == 303, begun
            target = begun.headers["Location"]
        return self.come_back(provider, provider.authorize(target, person, twist))


def log_in(server, provider, person, twist=None, **query):
    """As somebody with a fresh browser."""
    return Visitor(server).log_in(provider, person, twist, **query)


def logged_in(server, provider, person, twist=None):
    """The login's JSON."""
    answer = log_in(server, provider, person, twist)
    assert answer.status == 200 and answer.json["token_type"] == "bearer", answer
    return answer.json


class Application:
    """What sends people to log in and takes them back at `return_to`."""

    def __init__(self, return_to=APP + "/signed-in?tab=1"):
        self.return_to, self.verifier = return_to, secrets.token_urlsafe(32)

    @property
    def query(self):
        return {"return_to": self.return_to, "code_challenge": challenge_of(self.verifier), "code_challenge_method": "S256"}

    def given(self, answer):
        """What the browser brings back, as a dict."""
        assert answer.status == 303, answer
        target = answer.headers["Location"]
        assert target.startswith(self.return_to + ("&" if "?" in self.return_to else "?")), target
        return dict(urllib.parse.parse_qsl(target[len(self.return_to) + 1:], strict_parsing=True))

    def code_from(self, answer):
        given = self.given(answer)
        assert list(given) == ["code"] and given["code"].startswith("kw_xc_"), given
        return given["code"]

    def exchange(self, server, code, **more):
        return exchange(server, code, self.verifier, **more)


def exchange(server, code, verifier, **more):
    return server.call("POST", "/auth/exchange", {"code": code, "code_verifier": verifier}, **more)


def started_again(answer):
    return answer.status == 400 and answer.json["detail"] == START_AGAIN


def whoami(server, login):
    answer = server.call("GET", "/me", token=login["access_token"])
    assert answer.status == 200, answer
    return answer.json


def bytes_of(user_id):
    return uuid.UUID(user_id).bytes


def stored(server):
    """(accounts, sessions that there are)."""
    return (rows(server, "SELECT count(*) FROM accounts")[0][0],
            rows(server, "SELECT count(*) FROM sessions WHERE ended_at IS NULL")[0][0])


def live_sessions(server, user_id):
    return rows(server, "SELECT count(*) FROM sessions WHERE account_id = ? AND ended_at IS NULL", bytes_of(user_id))[0][0]


def failures_in(lines, provider):
    """Why logins by this provider failed: how often each reason stands in these lines of events."""
    events = [json.loads(line) for line in list(lines)]
    return collections.Counter(event["reason"] for event in events if event["event"] == "authn_login_fail"
                               and (event.get("detail") or "").split(":")[0] == provider.name)


@contextlib.contextmanager
def refused_for(server, provider, *reasons):
    """Whatever is done within: one more event says this check (or one of these), and there is no account and no session."""
    server.logged_events()  # with those that are late
    told, there = failures_in(server.events, provider), stored(server)
    yield
    deadline = time.monotonic() + 5
    while not (new := failures_in(server.events, provider) - told) and time.monotonic() < deadline:
        time.sleep(0.005)
    told = f"told {dict(new)}, not {' or '.join(reasons)}; last: {server.events[-1]}; the provider: {provider.complaints[-2:]}"
    assert sum(new.values()) == 1 and set(new) <= set(reasons), told
    assert stored(server) == there, f"{reasons}: {there} accounts and sessions became {stored(server)}"


@contextlib.contextmanager
def peers_for_tests(**more):
    with Peers(**more) as peers:
        yield peers
    assert not peers.failures, "\n".join(peers.failures)


@contextlib.contextmanager
def server_with(folder, *providers, env=None, **more):
    """A Keyward that knows these providers. A provider with its own settings: (provider, {key: value})."""
    settings = dict(ON)
    for provider in providers:
        one, own = provider if isinstance(provider, tuple) else (provider, {})
        settings |= one.settings(**own)
    with Keyward(folder / "data", env={**settings, **(env or {})}, **more) as server:
        yield server
    drop_below(folder)


def local_email(word="local"):
    return f"{word}.{secrets.token_hex(4)}@home.example"


def in_past(seconds):
    return int(time.time()) - seconds
