"""Glewlwyd (a Debian package) as a peer: another OpenID provider that nobody of us wrote. Where it is not installed, AVAILABLE
is false."""

import http.client
import json
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time

from signing import Key

TABLES = pathlib.Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
AVAILABLE = shutil.which("glewlwyd") is not None and TABLES.exists()
CLIENT_SECRET = "a-secret-that-needs-no-encoding-4711"  # Glewlwyd takes Basic as it comes, without RFC 6749's encoding
PASSWORD = "violet orbit candle 94"
CONFIGURATION = """
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}"
login_url="login.html"
api_prefix="api"
log_mode="file"
log_level="ERROR"
log_file="{folder}/log"
cookie_secure=0
cookie_same_site="empty"
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
allow_multiple_user_per_session=true
login_api_enabled=true
max_post_size=1048576
admin_scope="g_admin"
profile_scope="g_profile"
static_files_path="/usr/share/glewlwyd/webapp/"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3"; path = "{folder}/glewlwyd.db"; }};
"""
SCOPES = ("openid", "email", "profile")


class Glewlwyd:
    """Start it, give settings() to Keyward, and then introduce() that Keyward."""

    name, kind = "glewlwyd", "oidc"

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyward-glewlwyd-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.issuer = f"http://127.0.0.1:{self.port}/api/oidc"
        database = sqlite3.connect(self.folder / "glewlwyd.db")
        database.executescript(TABLES.read_text())
        database.close()
        configuration = self.folder / "glewlwyd.conf"
        configuration.write_text(CONFIGURATION.format(port=self.port, folder=self.folder))
        self.process = subprocess.Popen(["glewlwyd", "--config-file", str(configuration)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        try:
            self._wait()
            self.admin = _Session(self.port)
            self.admin.log_in("admin", "password")
            self._make_provider()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                _Session(self.port).ask("GET", "/config")
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_provider(self):
        key = Key("RS256", "glewlwyd-1")
        claims = [{"name": "email_verified", "user-property": "proven", "type": "boolean", "boolean-value-true": "yes",
                   "boolean-value-false": "no", "mandatory": True, "scope": []}]
        parameters = {
            "iss": self.issuer, "jwt-type": "rsa", "jwt-key-size": "256", "key": key.pem, "cert": key.public_pem, "jwks-show": True,
            "access-token-duration": 3600, "refresh-token-duration": 3600, "code-duration": 60, "allow-non-oidc": False,
            "auth-type-code-enabled": True, "auth-type-token-enabled": False, "auth-type-implicit-enabled": False,
            "auth-type-none-enabled": False, "pkce-allowed": True, "pkce-required": True, "subject-type": "public",
            "name-claim": "mandatory", "email-claim": "mandatory", "scope-claim": "no", "claims": claims, "scope": [],
            "additional-parameters": [], "client-jwks-parameter": "jwks"}
        plugin = {"module": "oidc", "name": "oidc", "display_name": "OpenID", "order_rank": 0, "readonly": False}
        self.admin.must("POST", "/mod/plugin/", {**plugin, "parameters": parameters})
        for scope in SCOPES[1:]:
            self.admin.must("POST", "/scope/", {"name": scope, "display_name": scope, "description": scope, "password_required": True,
                                                "password_max_age": 0, "scheme": {}})
        users = self.admin.must("GET", "/mod/user/database")
        users["parameters"]["data-format"]["proven"] = {"multiple": False, "read": True, "write": True, "profile-read": True,
                                                        "profile-write": False}
        self.admin.must("PUT", "/mod/user/database", users)
        self.admin.must("PUT", "/mod/user/database/reset/")

    def settings(self):
        values = {"type": "oidc", "issuer": self.issuer, "client_id": self.name, "client_secret": CLIENT_SECRET,
                  "private_network": "true"}
        return {f"KEYWARD_PROVIDERS_GLEWLWYD_{key.upper()}": value for key, value in values.items()}

    def introduce(self, server):
        self.admin.must("POST", "/client/", {
            "client_id": self.name, "name": "Keyward", "confidential": True, "password": CLIENT_SECRET, "enabled": True,
            "client_secret": CLIENT_SECRET, "scope": [], "authorization_type": ["code"],
            "token_endpoint_auth_method": ["client_secret_basic"], "redirect_uri": [f"{server.url}/auth/{self.name}/callback"]})
        return self

    def new_user(self, name, email, proven=True):
        self.admin.must("POST", "/user/", {
            "username": name, "name": f"Glewlwyd's {name}", "email": email, "password": PASSWORD, "enabled": True,
            "scope": ["g_profile", *SCOPES], "proven": "yes" if proven else "no"})

    def way_back(self, url, name):
        """What its pages do by script: log in, agree, go on; the URL that the browser is sent back to."""
        session = _Session(self.port)
        session.log_in(name, PASSWORD)
        session.must("PUT", f"/auth/grant/{self.name}", {"scope": " ".join(SCOPES)})
        status, headers, body = session.ask("GET", url.partition("/api")[2] + "&g_continue")
        assert status == 302, (status, body)
        return headers["Location"]


class _Session:
    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, "/api" + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = line.split(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def must(self, method, path, body=None):
        status, _, answer = self.ask(method, path, body)
        assert status == 200, (method, path, status, answer)
        return json.loads(answer) if answer else None

    def log_in(self, name, password):
        self.must("POST", "/auth/", {"username": name, "password": password})
