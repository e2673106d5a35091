"""keyward doctor: a line for each thing that is wrong, and how to mend it. It changes nothing."""

import hashlib
import http.server
import json
import signal
import os
import socket
import sqlite3
import stat
import threading
import time

import pytest

from database import POSTGRES, connect
from faulty_smtp import FaultySmtp
from keyward import GOOD_PASSWORD, Keyward, command
from people import add_user
from signing import Key
from smtp_server import Authority, SmtpServer
from test_tls import Https, files_of

FREE = "http://127.0.0.1:9"  # nobody is there


def examine(data, **env):
    """(exit code, {check: [(severity, what, mend)]}) of the settings given as section_key="…"."""
    settings = {"KEYWARD_SERVER_PUBLIC_URL": FREE, **{"KEYWARD_" + name.upper(): str(value) for name, value in env.items()}}
    code, out, err = command("doctor", "--json", data=data, env=settings)
    document = json.loads(out)
    assert not err, err
    found = {}
    for item in document["items"]:
        assert set(item) == {"severity", "check", "what", "mend"} and item["severity"] in ("ok", "note", "warning", "error")
        assert (item["severity"] == "ok") == (not item["mend"]) or item["severity"] == "note"
        found.setdefault(item["check"], []).append((item["severity"], item["what"], item["mend"]))
    errors = [item for item in document["items"] if item["severity"] == "error"]
    if POSTGRES and all(item["check"] == "database" for item in errors):
        errors = []  # the tests' own server runs without fsync
    elif not POSTGRES:
        assert document["healthy"] == (code == 0) == (not errors)
    return (1 if errors else 0), found


def worst(found, check):
    return max(found[check], key=lambda finding: ("ok", "note", "warning", "error").index(finding[0]))


@pytest.fixture
def used(data):
    """A data folder that a server has used, with an admin; the server is not running."""
    with Keyward(data) as server:
        add_user(data, "root@example.com", "admin")
        server.login("root@example.com")
    return data


def digest_of(folder):
    """Names, modes, times and bytes of all that is there, the folder's own time among them."""
    return {str(path): (path.stat().st_mode, path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest())
            for path in sorted([folder, *folder.rglob("*")])}


def test_without_data_there_is_nothing_to_mend_and_nothing_is_made(data):
    code, found = examine(data)
    assert code == 0 and not data.exists()
    assert found["data"][0][0] == "note" and found["configuration"][0][0] == "ok" and found["settings"][0][0] == "ok"


def test_each_finding_is_a_line(used):
    code, out, _ = command("doctor", data=used, env={"KEYWARD_SERVER_PUBLIC_URL": FREE, "KEYWARD_LIMITS_ENABLED": "false"})
    lines = out.splitlines()
    assert all(line.split()[0] in ("ok", "note", "warning", "error") for line in lines) and len(lines) > 10
    assert [line for line in lines if line.startswith("warning  settings       limits.enabled is false")]
    assert POSTGRES or code == 0


def test_it_changes_nothing(used):
    before = digest_of(used)
    code, found = examine(used)
    assert digest_of(used) == before and code == 0
    for check in ("migrations", "keys", "admins", "master-key"):
        assert worst(found, check)[0] in ("ok", "note"), found[check]
    assert any("opens the stored signing keys" in what for _, what, _ in found["master-key"])


@pytest.mark.skipif(POSTGRES, reason="SQLite's files")
def test_it_does_not_touch_a_file_that_is_empty_another_programs_or_was_left_by_a_crash(data, tmp_path):
    data.mkdir(mode=0o700)
    file = data / "keyward.db"
    file.touch(mode=0o600)
    before = digest_of(data)
    _, found = examine(data)
    assert digest_of(data) == before and file.stat().st_size == 0 and found["migrations"][0][0] == "warning"

    other = tmp_path / "of # another? 100%.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE theirs (a)")
    before = digest_of(tmp_path)
    code, found = examine(data, storage_url=other)
    assert code == 1 and "of another program" in worst(found, "database")[1] and digest_of(tmp_path) == before
    other.write_bytes(b"no database at all" * 1000)
    code, found = examine(data, storage_url=other)
    assert code == 1 and "is not a SQLite database" in worst(found, "database")[1]

    file.unlink()
    with Keyward(data) as server:
        server.register("ada@example.com")
        server.process.kill()
        server.process.wait()
        assert (data / "keyward.db-wal").stat().st_size > 0
        before = digest_of(data)
        code, found = examine(data)
        assert digest_of(data) == before and code == 0 and worst(found, "migrations")[0] == "ok"  # as the log has it
        (data / "keyward.db-shm").unlink()
        before = digest_of(data)
        code, found = examine(data)
        assert digest_of(data) == before
        assert code == 1 and "left by a crash, cannot be read" in worst(found, "database")[1]


def test_beside_a_server_it_finds_it_at_the_public_url(data):
    with Keyward(data) as server:
        code, found = examine(data, server_public_url=server.url)
        assert code == 0 and found["public-url"][0][0] == "ok" and found["clock"][-1][0] == "ok", found
        assert server.call("GET", "/readyz").status == 200


def test_bad_settings_are_all_named(data):
    code, found = examine(data, server_listen="nonsense", limits_enabled="maybe", server_trusted_proxies="0.0.0.0/0")
    whats = " ".join(what for _, what, _ in found["configuration"])
    assert code == 1 and all(name in whats for name in ("server.listen", "limits.enabled", "server.trusted_proxies"))


def test_permissions(used):
    (used / "master.key").chmod(0o640)
    used.chmod(0o755)
    code, found = examine(used)
    assert code == 1 and found["master-key"][0][0] == "error"
    assert worst(found, "data")[0] == "warning" and "chmod 700" in worst(found, "data")[2]
    (used / "master.key").chmod(0o600)
    used.chmod(0o707)
    assert worst(examine(used)[1], "data")[0] == "error"
    used.chmod(0o700)
    (used / "revisions").chmod(0o604)
    assert "revisions" in worst(examine(used)[1], "data")[1]
    (used / "revisions").chmod(0o600)
    assert worst(examine(used)[1], "data")[0] == "ok"
    if not POSTGRES:
        (used / "keyward.db").chmod(0o644)
        assert "chmod 600" in worst(examine(used)[1], "data")[2]


def test_a_secret_that_everybody_can_read_and_none_is_shown(used, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret of the mail server\n")
    secret.chmod(0o644)
    env = {"KEYWARD_MAIL_PASSWORD_FILE": str(secret), "KEYWARD_MAIL_USERNAME": "ada", "KEYWARD_MAIL_SMTP_URL": "smtps://127.0.0.1:9",
           "KEYWARD_MAIL_FROM": "a@example.com", "KEYWARD_SERVER_PUBLIC_URL": FREE,
           "KEYWARD_MASTER_KEY": "ab" * 32, "KEYWARD_STORAGE_URL": "postgres://ada:hidden@127.0.0.1:9/none"}
    code, out, err = command("doctor", data=used, env=env)
    assert code == 1 and "KEYWARD_MAIL_PASSWORD_FILE" in out
    for shown in (out + err, command("doctor", "--json", data=used, env=env)[1]):
        assert "s3cret" not in shown and "abab" not in shown and "hidden" not in shown
    secret.chmod(0o640)
    assert "KEYWARD_MAIL_PASSWORD_FILE" not in command("doctor", data=used, env=env)[1]  # the server's group
    if os.geteuid() == 0:
        os.chown(secret, -1, 12345)
        assert "a group that is not the server's can read" in command("doctor", data=used, env=env)[1]
    secret.chmod(0o600)
    assert "KEYWARD_MAIL_PASSWORD_FILE" not in command("doctor", data=used, env=env)[1]


def test_a_secret_among_the_settings_that_others_can_read(used, tmp_path):
    settings = tmp_path / "keyward.toml"
    settings.write_text('[server]\npublic_url = "' + FREE + '"\n[redis]\nurl = "redis://:hidden@127.0.0.1:9"\n')

    def judge():
        code, out, _ = command("doctor", "--json", "--config", settings, data=used, env={"KEYWARD_REDIS_URL": None})
        assert "hidden" not in out
        return [item for item in json.loads(out)["items"] if item["check"] == "secrets"][0]

    settings.chmod(0o644)
    assert judge()["severity"] == "error" and "redis.url" in judge()["what"] and str(settings) in judge()["what"]
    settings.chmod(0o640)
    assert judge()["severity"] == "ok"
    if os.geteuid() == 0:
        os.chown(settings, -1, 12345)
        assert judge()["severity"] == "error"
    settings.write_text('[server]\npublic_url = "' + FREE + '"\n[redis]\nurl = "redis://127.0.0.1:9"\n')
    settings.chmod(0o644)
    assert judge()["severity"] == "ok"  # no secret stands there


def test_a_master_key_that_is_gone_or_another(used):
    code, found = examine(used, master_key="cd" * 32)
    assert code == 1 and "does not open" in worst(found, "master-key")[1]
    (used / "master.key").rename(used / "elsewhere")
    code, found = examine(used)
    assert code == 1 and "missing" in worst(found, "master-key")[1]


def test_migrations_that_wait_and_a_database_that_is_newer(used):
    with connect(used) as database:
        (number,) = database.execute("SELECT MAX(number) FROM schema_migrations").fetchone()
        row = database.execute("SELECT * FROM schema_migrations WHERE number = ?", (number,)).fetchone()
        database.execute("DELETE FROM schema_migrations WHERE number = ?", (number,))
    code, found = examine(used)
    assert code == 0 and found["migrations"][0][0] == "warning" and found["migrations"][0][1].startswith("1 ")
    with connect(used) as database:
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO schema_migrations VALUES ({marks})", row)
        later = (number + 1, "later", "00", *row[3:])
        database.execute(f"INSERT INTO schema_migrations VALUES ({marks})", later)
    code, found = examine(used)
    assert found["migrations"][0][0] in ("error", "ok")  # ok: one that only adds


def test_admins_keys_and_clocks(used):
    with connect(used) as database:
        database.execute("UPDATE accounts SET last_login_at = last_login_at - 100 * 86400000000")
        database.execute("UPDATE signing_keys SET activates_at = activates_at - 100 * 86400000000")
    _, found = examine(used)
    severity, what, _ = found["admins"][0]
    assert severity == "warning" and what.startswith("1 of 1 admins") and "-" in what.split(":")[1]
    assert found["keys"][0][0] == "warning" and "100 days" in found["keys"][0][1]
    with connect(used) as database:
        database.execute("DELETE FROM account_roles")
    assert "no admin" in examine(used)[1]["admins"][0][1]
    if POSTGRES:
        assert found["clock"][0][0] == "ok"


def test_a_database_that_does_not_answer_is_told_in_time(data):
    begun = time.monotonic()
    code, found = examine(data, storage_url="postgres://ada@127.0.0.1:9/none")
    assert code == 1 or POSTGRES
    assert found["database"][0][0] == "error" and time.monotonic() - begun < 15


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def test_certificates(data, authority):
    def judge(name, host="localhost", days=(-1, 80), url="https://localhost:9"):
        certificate, key = files_of(authority, name, host, days)
        return examine(data, tls_certificate=certificate, tls_key=key, server_public_url=url)

    code, found = judge("good")
    assert code == 0 and [severity for severity, *_ in found["certificate"]] == ["warning"]  # of an authority that nobody knows
    code, found = judge("soon", days=(-1, 10))
    assert code == 0 and any("expires in 9 days" in what for _, what, _ in found["certificate"])
    code, found = judge("late", days=(-3, -1))
    assert code == 1 and "expired" in found["certificate"][0][1]
    code, found = judge("other", host="elsewhere.example")
    assert code == 1 and "does not name localhost" in found["certificate"][0][1]
    certificate, _ = files_of(authority, "one")
    _, key = files_of(authority, "two")
    code, found = examine(data, tls_certificate=certificate, tls_key=key, server_public_url="https://localhost:9")
    assert code == 1 and found["certificate"][0][0] == "error"


def test_the_certificate_at_the_public_url_is_looked_at(data, authority):
    with Https(data, *files_of(authority, "served")) as server:
        env = {"server_public_url": f"https://localhost:{server.port}"}
        code, found = examine(data, **env)
        assert code == 1 and "is not trusted" in worst(found, "public-url")[1]
        trusted = {"SSL_CERT_FILE": str(authority.ca_file), "KEYWARD_SERVER_PUBLIC_URL": env["server_public_url"]}
        out = command("doctor", data=data, env=trusted)[1]
        assert "is not trusted" not in out and f"{env['server_public_url']} answers" in out or "expires in" in out
        out = command("doctor", data=data, env={**trusted, "KEYWARD_SERVER_PUBLIC_URL": f"https://127.0.0.1:{server.port}"})[1]
        assert "is not trusted" not in out  # the address is in it as well


class Elsewhere(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response_only(200)
        self.send_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_another_server_at_the_public_url_and_a_clock_that_is_off(data):
    other = http.server.HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    code, found = examine(data, server_public_url=f"http://127.0.0.1:{other.server_port}")
    other.shutdown()
    assert code == 1 and "another server" in found["public-url"][0][1]
    assert found["clock"][-1][0] == "error" and "the public URL's" in found["clock"][-1][1]


def test_a_public_url_in_clear_or_that_does_not_resolve(data):
    begun = time.monotonic()
    code, found = examine(data, server_public_url="http://id.invalid", tokens_issuer="https://other.example")
    whats = " ".join(what for _, what, _ in found["public-url"])
    assert code == 1 and "is not https" in whats and "does not resolve" in whats and "https://other.example" in whats
    assert time.monotonic() - begun < 15


def test_silent_servers_take_five_seconds_each(data):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begun = time.monotonic()
        code, found = examine(data, server_public_url=f"https://localhost:{port}", mail_smtp_url=f"smtps://localhost:{port}",
                              mail_from="a@example.com")
        assert 4 < time.monotonic() - begun < 14
        assert code == 1 and found["mail"][0][0] == "error" and any("TLS fails" in what for _, what, _ in found["public-url"])


def test_mail_servers(data, authority):
    def judge(server, scheme, **more):
        code, found = examine(data, mail_smtp_url=server.url(scheme), mail_from="a@example.com", **more)
        return code, worst(found, "mail")

    own = {"mail_ca_file": str(authority.ca_file)}
    context = authority.context("mail")
    with SmtpServer(starttls=context) as server:
        assert judge(server, "smtp+starttls", **own)[0] == 0
        code, (_, what, _) = judge(server, "smtp+starttls")
        assert code == 1 and "not trusted" in what
        assert not server.deliveries and not server.logins
    with SmtpServer(starttls=context, login=("ada", "secret")) as server:
        assert judge(server, "smtp+starttls", mail_username="ada", mail_password="wrong", **own)[0] == 0
        assert not server.logins  # it does not try
    with SmtpServer(tls=context) as server:
        assert judge(server, "smtps", **own)[0] == 0
        port = server.port
    with SmtpServer() as server:
        assert judge(server, "smtp")[0] == 0
        code, (_, what, _) = judge(server, "smtp", mail_username="ada", mail_password="secret")  # it offers none in clear
        assert code == 1 and "takes no login" in what
        code, (_, what, _) = judge(server, "smtp+starttls", **own)
        assert code == 1 and "does not offer STARTTLS" in what
    code, found = examine(data, mail_smtp_url=f"smtps://localhost:{port}", mail_from="a@example.com")
    assert code == 1 and "nothing answers" in found["mail"][0][1]


def test_L2_a_mail_server_that_writes_on_the_terminal(data):
    greeting = b"554 \x1b[2J\x1b]0;owned\x07\xe2\x80\xae\x9b1m " + b"x" * 500 + b"\r\n"
    with FaultySmtp(greeting=greeting) as server:
        env = {"KEYWARD_SERVER_PUBLIC_URL": FREE, "KEYWARD_MAIL_SMTP_URL": server.url(), "KEYWARD_MAIL_FROM": "a@example.com"}
        for words in ("doctor",), ("doctor", "--json"):
            out = command(*words, data=data, env=env)[1]
            assert "554 " in out and "u001b[2J" in out and "x" * 81 not in out
            assert not [c for c in out if c != "\n" and not c.isprintable()]


def test_every_secret_setting_comes_from_a_file_as_systemd_passes_credentials(tmp_path):
    template = command("config", "template")[1]
    secrets = [line.split("environment ")[1].split(" ")[0] for line in template.splitlines() if line.endswith("or …_FILE")]
    assert {"KEYWARD_MASTER_KEY", "KEYWARD_MAIL_PASSWORD", "KEYWARD_STORAGE_URL"} <= set(secrets)
    credentials = tmp_path / "credentials"  # LoadCredential= makes such a folder, and %d names it
    credentials.mkdir(mode=0o500)
    credentials.chmod(0o700)
    env = {"CREDENTIALS_DIRECTORY": str(credentials)}
    values = {"KEYWARD_MASTER_KEY": "ef" * 32, "KEYWARD_STORAGE_URL": str(tmp_path / "elsewhere.db"), "KEYWARD_REDIS_URL": "redis://:pw@127.0.0.1:9",
              "KEYWARD_PROVIDERS_NAME_PRIVATE_KEY": Key("ES256").pem}
    for name in secrets:
        file = credentials / name.lower()
        file.write_text(values.get(name, "a secret") + "\n")
        file.chmod(0o400)
        env[name + "_FILE"] = f"{env['CREDENTIALS_DIRECTORY']}/{file.name}"
    mail = {"KEYWARD_MAIL_USERNAME": "ada", "KEYWARD_MAIL_SMTP_URL": "smtps://a", "KEYWARD_MAIL_FROM": "a@example.com"}
    provider = {"KEYWARD_PROVIDERS_NAME_CLIENT_ID": "a", "KEYWARD_PROVIDERS_NAME_ISSUER": "https://id.upstream.example"}
    code, out, errors = command("config", "show", "--json", env={**env, **mail, **provider})
    assert code == 0, errors
    origins = {row["origin"] for row in json.loads(out)["items"]}
    assert {f"environment {name}_FILE" for name in secrets} <= origins
    assert "a secret" not in out and "efef" not in out and ":pw@" not in out and "PRIVATE KEY-" not in out


def test_too_few_descriptors(data):
    code, found = examine(data, server_connections_max=1_000_000)
    assert code == 0 and found["descriptors"][0][0] == "warning" and "1000128" in found["descriptors"][0][2]
    assert examine(data, server_connections_max=1)[1]["descriptors"][0][0] == "ok"
    beside = examine(data, server_connections_max=1_000_000, server_management_listen="127.0.0.1:0")[1]["descriptors"]
    assert "1000384" in beside[0][2], "the listener beside it has 256 places of its own"


@pytest.mark.skipif(POSTGRES, reason="libpq is linked to some of them, and without it every command ends at once")
@pytest.mark.parametrize("library", ["libidn2.so.0", "libgmime-3.0.so.0", "libcurl.so.4"])
def test_a_library_that_is_missing(data, tmp_path, library):
    env = {"KEYWARD_SERVER_PUBLIC_URL": FREE, "KEYWARD_MAIL_SMTP_URL": "smtps://127.0.0.1:9", "KEYWARD_MAIL_FROM": "keyward@example.com"}

    def about_libraries(**more):
        items = json.loads(command("doctor", "--json", data=data, env={**env, **more})[1])["items"]
        return [item for item in items if item["check"] == "libraries"]

    assert [item["severity"] for item in about_libraries()] == ["ok"]
    (tmp_path / library).touch()  # no library, but the first of that name that the loader finds
    found = about_libraries(LD_LIBRARY_PATH=str(tmp_path))  # also those that are linked to it
    missing = next(item for item in found if item["what"].startswith(f"{library} is needed here"))
    assert missing["severity"] == "error" and missing["mend"].startswith(f"install {library}: ")


def test_it_works_beside_a_server_under_load(data):
    with Keyward(data) as server:
        server.register("ada@example.com")
        stop = threading.Event()

        def load():
            while not stop.is_set():
                server.login("ada@example.com", GOOD_PASSWORD)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                assert examine(data, server_public_url=server.url)[0] == 0
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert server.stop(signal.SIGTERM) == 0
    assert stat.S_IMODE((data / "master.key").stat().st_mode) == 0o600
