"""panva's oidc-provider as a peer: certified, with its own login page; a browser without a head that fills it in."""

import html
import http.client
import json
import re
import subprocess
import urllib.parse

from keyward import ROOT
from openid_provider import CLIENT_SECRET
from signing import Key

FOLDER = ROOT / "tests/peers/oidc-provider"


class RealProvider:
    """Start it, give settings() to Keyward, and then introduce() that Keyward. Logging in by another name of a client
    (`real`, `real-post`, `real-jwt`) is another way to say who the client is."""

    kind = "oidc"
    METHODS = {"real": "client_secret_basic", "real-post": "client_secret_post", "real-jwt": "private_key_jwt"}

    def __init__(self):
        self.key = Key("ES256", "client-key")

    def __enter__(self):
        assert (FOLDER / "node_modules").is_dir(), "the provider is missing: run ./dev test, which installs it"
        self.process = subprocess.Popen(["node", str(FOLDER / "server.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.issuer = self._say("port")["issuer"]
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def _say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def settings(self):
        chosen = {}
        for name, method in self.METHODS.items():
            values = {"type": "oidc", "issuer": self.issuer, "client_id": name, "private_network": "true",
                      "client_authentication": method.removeprefix("client_secret_"), "display_name": f"Real ({name})"}
            values |= {"private_key": self.key.pem, "key_id": self.key.kid} if name == "real-jwt" else {"client_secret": CLIENT_SECRET}
            prefix = f"KEYWARD_PROVIDERS_{name.upper().replace('-', '_')}_"
            chosen |= {prefix + key.upper(): value for key, value in values.items()}
        return chosen

    def introduce(self, server):
        """Its clients are this server's."""
        clients = []
        for name, method in self.METHODS.items():
            client = {"client_id": name, "redirect_uris": [f"{server.url}/auth/{name}/callback"], "token_endpoint_auth_method": method,
                      "grant_types": ["authorization_code"], "response_types": ["code"]}
            client |= {"jwks": {"keys": [self.key.jwk]}} if name == "real-jwt" else {"client_secret": CLIENT_SECRET}
            clients.append(client)
        clients[1]["id_token_signed_response_alg"], clients[2]["id_token_signed_response_alg"] = "ES256", "EdDSA"
        assert self._say(json.dumps({"clients": clients})) == {"ready": True}
        return self

    def way_back(self, url, login, refuse=False):
        """Logs in there; the URL that the browser is sent back to."""
        return _Guest(self.issuer).way_back(url, login, refuse)


class _Guest:
    def __init__(self, issuer):
        self.issuer, self.cookies = issuer, {}

    def _ask(self, method, url, form=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        content = None
        if form is not None:
            content, headers["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.issuer).netloc, timeout=20)
        try:
            connection.request(method, url.removeprefix(self.issuer), content, headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = line.split(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def way_back(self, url, login, refuse):
        method, form = "GET", None
        for _ in range(12):
            assert url.startswith(self.issuer), url
            status, headers, page = self._ask(method, url, form)
            method, form = "GET", None
            if status in (302, 303):
                url = urllib.parse.urljoin(url, headers["Location"])
                if not url.startswith(self.issuer):
                    return url
                continue
            assert status == 200, (status, url, page)
            if refuse:
                url = urllib.parse.urljoin(url, html.unescape(re.search(r'href="([^"]*/abort)"', page).group(1)))
                continue
            method, url = "POST", urllib.parse.urljoin(url, html.unescape(re.search(r'action="([^"]+)"', page).group(1)))
            form = {"prompt": re.search(r'name="prompt" value="(\w+)"', page).group(1)}
            if form["prompt"] == "login":
                form |= {"login": login, "password": "anything"}
        raise AssertionError("the provider does not come to an end")
