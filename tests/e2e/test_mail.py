"""Mails: the outbox against real SMTP servers with good and bad certificates, dead ones, and none at all."""

import email
import email.policy
import json
import re
import signal
import socket
import stat
import threading
import time

import pytest

from database import POSTGRES
from keyward import Keyward, OneNode, command
from smtp_server import Authority, SmtpServer


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def settings(url, ca=None, **more):
    env = {"KEYWARD_MAIL_SMTP_URL": url, "KEYWARD_MAIL_FROM": "Beispiel Größe <no-reply@example.com>",
           "KEYWARD_MAIL_SEND_TIMEOUT_S": "3", "KEYWARD_MAIL_POLL_INTERVAL_S": "1"}
    if ca is not None:
        env["KEYWARD_MAIL_CA_FILE"] = str(ca.ca_file)
    return {**env, **more}


def send_test(data, env=None, address="ada@example.com", *more):
    """(exit code, the mail's row) of `keyward mail test`."""
    code, out, err = command("mail", "test", address, "--json", *more, data=data, env=env)
    assert out, err
    return code, json.loads(out)


def rows(data, *more, env=None):
    code, out, err = command("mail", "list", "--json", *more, data=data, env=env)
    assert code == 0, err
    return json.loads(out)["items"]


def wait_for(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_without_a_server_mails_are_files_for_their_owner_alone(data):
    code, row = send_test(data)
    assert code == 0 and row["state"] == "sent"
    file, = (data / "outbox").glob("*.eml")
    assert row["id"] in file.name and "test" in file.name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "outbox").stat().st_mode) == 0o700
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["To"] == "ada@example.com" and message["Message-ID"].startswith(f"<{row['id']}@")
    assert sorted(path.name for path in (data / "outbox").iterdir()) == [file.name]


def test_the_running_server_writes_what_another_process_left(data):
    with OneNode(data, env={"KEYWARD_MAIL_POLL_INTERVAL_S": "1"}):  # which has the folder to itself
        code, row = send_test(data, None, "ada@example.com", "--later")
        assert code == 0 and row["state"] == "waiting"
        wait_for(lambda: rows(data)[0]["state"] == "sent")
    assert len(list((data / "outbox").glob("*.eml"))) == 1


# ── What a mail looks like ───────────────────────────────────────────────────────────────────────────────────────────
def test_a_mail_is_proper_mime_with_a_plain_and_an_html_twin(data):
    with SmtpServer() as smtp:
        code, row = send_test(data, settings(smtp.url(), KEYWARD_MAIL_SERVICE_NAME="Größe & Söhne <AG>"), "Ada@Bücher.example",
                              "--locale", "de-AT")
    assert code == 0, row
    mail, = smtp.deliveries
    assert mail.sender == "no-reply@example.com" and mail.recipients == ["Ada@xn--bcher-kva.example"]
    raw = mail.raw
    assert raw.isascii() and b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    message = mail.message
    assert not message.defects
    assert message["From"].addresses[0].display_name == "Beispiel Größe"
    assert message["Subject"] == "Testmail von Größe & Söhne <AG>"
    assert message["Auto-Submitted"] == "auto-generated" and message["Content-Language"] == "de"
    assert message["MIME-Version"] == "1.0" and message["Date"].datetime is not None
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.com>", message["Message-ID"])
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"):
        assert len(message.get_all(name)) == 1, name
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "Größe & Söhne <AG>" in plain.get_content()
    assert "Größe &amp; Söhne &lt;AG&gt;" in html.get_content() and '<html lang="de">' in html.get_content()


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_with_tls_and_a_login(data, authority, tmp_path, scheme):
    secret = tmp_path / "password"
    secret.write_text("grey heron 17\n")
    context = authority.context("good")
    tls = {"tls": context} if scheme == "smtps" else {"starttls": context}
    with SmtpServer(**tls, login=("keyward", "grey heron 17")) as smtp:
        env = settings(smtp.url(scheme), authority, KEYWARD_MAIL_USERNAME="keyward", KEYWARD_MAIL_PASSWORD_FILE=str(secret))
        code, row = send_test(data, env)
        assert code == 0, row
        mail, = smtp.deliveries
        assert mail.encrypted and mail.login == "keyward"
        secret.write_text("wrong heron 18\n")
        code, row = send_test(data, env)
    assert code == 1 and row["state"] == "waiting" and len(smtp.deliveries) == 1
    assert "AUTH" in row["last_error"] and "heron" not in json.dumps(row)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("wrong", ["host", "authority", "expired", "system_authorities_only"])
def test_a_bad_certificate_is_refused_and_the_mail_waits(data, authority, tmp_path, scheme, wrong):
    stranger = Authority(tmp_path, "stranger")
    context = {"host": lambda: authority.context("host", host="mail.example.org"),
               "authority": lambda: stranger.context("stranger"),
               "expired": lambda: authority.context("expired", days=(-30, -1)),
               "system_authorities_only": lambda: authority.context("good")}[wrong]()
    with SmtpServer(**{"tls" if scheme == "smtps" else "starttls": context}) as smtp:
        env = settings(smtp.url(scheme), None if wrong == "system_authorities_only" else authority)
        code, row = send_test(data, env)
    assert code == 1 and row["state"] == "waiting" and row["attempts"] == 1
    assert re.search("SSL|certificate", row["last_error"])
    assert not smtp.deliveries


def test_stripping_starttls_is_refused(data, authority):
    """A man in the middle takes the STARTTLS line out of the answer to EHLO: nothing of the mail is said to him."""
    with SmtpServer() as smtp:  # offers none
        code, row = send_test(data, settings(smtp.url("smtp+starttls"), authority, KEYWARD_MAIL_USERNAME="keyward",
                                             KEYWARD_MAIL_PASSWORD="grey heron 17"))
    assert code == 1 and row["state"] == "waiting" and not smtp.deliveries and not smtp.logins


def test_clear_text_goes_to_this_machine_only(data):
    env = settings("smtp://mail.example.com")
    code, out, err = command("config", "check", env=env)
    assert code == 1 and "mail.smtp_url" in out + err and "clear" in out + err
    assert command("config", "check", env={**env, "KEYWARD_MAIL_ALLOW_CLEAR_TEXT": "true"})[0] == 0


# ── Servers that are away, refuse, or die ────────────────────────────────────────────────────────────────────────────
def test_a_server_that_was_down_gets_the_mail_later_and_once(data):
    smtp = SmtpServer()
    smtp.start()
    smtp.stop()
    with OneNode(data, env=settings(smtp.url(), KEYWARD_REGISTRATION_VERIFICATION="off")) as server:
        _, row = send_test(data, settings(smtp.url()), "carol@example.com", "--later")
        wait_for(lambda: rows(data)[0]["attempts"] >= 2)
        assert server.register("busy@example.com").status == 201  # nobody waits for mail
        with smtp:
            wait_for(lambda: smtp.deliveries)
            time.sleep(3)
            assert [mail.message_id for mail in smtp.deliveries] == [smtp.deliveries[0].message_id]
            assert rows(data)[0]["state"] == "sent"
        assert server.metric("keyward_mails_sent_total") == 1
        assert server.metric("keyward_mail_attempts_failed_total") >= 2
    assert row["id"] in smtp.deliveries[0].message_id
    assert "carol" not in "".join(server.errors)


def test_a_killed_server_loses_nothing(data):
    """Killed between the mail server's taking the mail and the note of it: sent again, and known for the same."""
    smtp = SmtpServer()
    with smtp:
        env = settings(smtp.url(), KEYWARD_MAIL_SEND_TIMEOUT_S="1", KEYWARD_SERVER_PUBLIC_URL="https://id.example.com")
        server = OneNode(data, env=env).start()
        smtp.before_answer = lambda: server.process.kill()
        send_test(data, env, "ada@example.com", "--later")
        server.process.wait(20)
        server.stop(signal.SIGKILL)
        assert len(smtp.deliveries) == 1 and rows(data)[0]["state"] == "waiting"
        smtp.before_answer = None
        with Keyward(data, env=env):
            wait_for(lambda: rows(data)[0]["state"] == "sent", 30)
        assert len({mail.message_id for mail in smtp.deliveries}) == 1
        assert len(smtp.deliveries) == 2 and smtp.deliveries[0].raw == smtp.deliveries[1].raw


def test_many_mails_and_two_servers_send_each_once(data):
    with SmtpServer() as smtp:
        env = settings(smtp.url())
        sent = [send_test(data, env, f"person{i}@example.com", "--later")[1]["id"] for i in range(12)]
        with OneNode(data, env=env), OneNode(data, env=env):
            wait_for(lambda: len(smtp.deliveries) >= len(sent))
            time.sleep(1)
    assert sorted(mail.message_id.strip("<>").split("@")[0] for mail in smtp.deliveries) == sorted(sent)
    assert {row["state"] for row in rows(data)} == {"sent"}


def test_what_is_refused_for_good_fails_and_can_be_retried(data):
    with SmtpServer() as smtp:
        env = settings(smtp.url())
        smtp.refuse_recipient = "550 5.1.1 <ADA@example.com>: nobody of this name"
        code, row = send_test(data, env)
        assert code == 1 and row["state"] == "failed" and "RCPT: 550 5.1.1" in row["last_error"]
        assert "@" not in row["last_error"] and "nobody of this name" in row["last_error"]
        smtp.refuse_recipient = "451 4.7.1 come back later"
        code, row = send_test(data, env, "bob@example.com")
        assert code == 1 and row["state"] == "waiting" and "451" in row["last_error"]
        smtp.refuse_recipient = None
        smtp.data_answer = "554 5.7.1 we do not like it"
        assert send_test(data, env, "eve@example.com")[1]["state"] == "failed"
        smtp.data_answer, smtp.deliveries = "250 OK", []
        assert [one["recipient"] for one in rows(data, "--state", "failed")] == ["eve@example.com", "ada@example.com"]
        code, out, _ = command("mail", "retry", "--json", data=data, env=env)
        assert code == 0 and json.loads(out) == {"due": 3}
        with Keyward(data, env=env):
            wait_for(lambda: len(smtp.deliveries) == 3)
            wait_for(lambda: {one["state"] for one in rows(data)} == {"sent"})
    assert command("mail", "retry", row["id"], data=data, env=env)[0] == 1  # it is sent


def test_a_server_that_says_nothing_holds_nobody_up(data):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        env = settings(f"smtp://localhost:{silent.getsockname()[1]}", KEYWARD_MAIL_SEND_TIMEOUT_S="60")
        with Keyward(data, env=env) as server:
            send_test(data, env, "ada@example.com", "--later")
            wait_for(lambda: rows(data)[0]["attempts"] == 1)
            begin = time.monotonic()
            assert server.register("quick@example.com").status == 201
            assert server.stop() == 0
            assert time.monotonic() - begin < 15
    assert rows(data)[0]["state"] == "waiting"


# ── Secrets, settings, templates ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.skipif(POSTGRES, reason="it looks into the file")
def test_R1_what_a_mail_says_is_sealed_in_the_database(data):
    env = settings("smtp://localhost:1")
    send_test(data, env)
    stored = b"".join(path.read_bytes() for path in data.glob("keyward.db*"))
    assert b"ada@example.com" in stored  # it is the right file
    assert b" UTC" not in stored and b'"time"' not in stored


@pytest.mark.parametrize("env, word", [
    ({"KEYWARD_MAIL_SMTP_URL": "https://mail.example.com", "KEYWARD_MAIL_FROM": "a@example.com"}, "smtps://"),
    ({"KEYWARD_MAIL_SMTP_URL": "smtps://me:secret@mail.example.com", "KEYWARD_MAIL_FROM": "a@example.com"}, "mail.username"),
    ({"KEYWARD_MAIL_SMTP_URL": "smtps://mail.example.com"}, "mail.from"),
    ({"KEYWARD_MAIL_FROM": "Somebody <nobody>"}, "NAME <ADDRESS>"),
    ({"KEYWARD_MAIL_USERNAME": "me"}, "mail.password"),
    ({"KEYWARD_MAIL_CA_FILE": "/nowhere/ca.pem"}, "mail.ca_file"),
    ({"KEYWARD_MAIL_CA_FILE": "/dev/null"}, "mail.ca_file"),
    ({"KEYWARD_MAIL_CA_FILE": __file__}, "has no certificate"),
    ({"KEYWARD_MAIL_SERVICE_NAME": "Key\nward"}, "mail.service_name"),
    ({"KEYWARD_MAIL_SERVICE_NAME": "Key\u202eward"}, "mail.service_name"),
    ({"KEYWARD_MAIL_SERVICE_NAME": "x" * 61}, "mail.service_name"),
    ({"KEYWARD_MAIL_LOCALE": "tlh"}, "mail.locale"),
    ({"KEYWARD_MAIL_TEMPLATES": "/nowhere"}, "mail.templates"),
])
def test_config_check_tells_bad_mail_settings(env, word):
    code, out, err = command("config", "check", env=env)
    assert code == 1 and word in out + err


def test_own_templates_are_laid_over_ours_and_checked_at_start(data, tmp_path):
    folder = tmp_path / "templates"
    (folder / "en").mkdir(parents=True)
    env = {"KEYWARD_MAIL_TEMPLATES": str(folder)}
    (folder / "en/test.txt").write_text("Subject: Ahoy from {{service}}\n\nSent {{time}}.\n")
    (folder / "en/test.html").write_text("<p>Ahoy</p>\n")
    assert send_test(data, env)[0] == 0
    file, = (data / "outbox").glob("*.eml")
    assert "Ahoy from Keyward" in file.read_text()
    (folder / "en/test.txt").write_text("Subject: Ahoy\n\nSent\n{{tiem}}.\n")
    for words in (("serve",), ("config", "check"), ("mail", "test", "a@example.com")):
        code, out, err = command(*words, data=data, env=env)
        assert code == 1 and "en/test.txt:4: " in out + err and "tiem" in out + err
    (folder / "en/test.txt").write_text("Subject: a\tb\n\nSent {{time}}.\n")
    for words in (("serve",), ("config", "check")):
        code, out, err = command(*words, data=data, env=env)
        assert code == 1 and "en/test" in out + err and "header" in out + err
    (folder / "en/test.txt").unlink()
    (folder / "en/test.html").unlink()
    (folder / "en/verify_mail.txt").write_text("Subject: x\n\n")
    assert command("config", "check", env=env)[0] == 1


def test_preview_writes_every_mail_in_every_language(data, tmp_path):
    code, out, err = command("mail", "preview", "--out", tmp_path / "out", "--json", data=data)
    assert code == 0, err
    kinds = {"verify_email", "reset_password", "password_changed", "email_change_confirm", "email_change_warn", "new_device",
             "email_changed", "account_deleted", "login_after_failures", "session_ended_reuse",
             "already_registered", "identity_connected", "identity_disconnected", "test"}
    for locale in ("en", "de"):
        assert {path.stem for path in (tmp_path / "out" / locale).glob("*.eml")} == kinds
        for path in (tmp_path / "out" / locale).iterdir():
            assert "{{" not in path.read_text()
    assert len(json.loads(out)["items"]) == 3 * 2 * len(kinds)
    assert not (data / "keyward.db").exists()


def test_wrong_usage(data):
    assert command("mail")[0] == 2
    assert command("mail", "test", data=data)[0] == 2
    assert command("mail", "test", "no address", data=data)[0] == 1
    assert command("mail", "test", "a@example.com\r\nBcc: b@example.com", data=data)[0] == 1
    assert command("mail", "retry", "x", data=data)[0] == 1
    assert command("mail", "list", "--state", "lost", data=data)[0] == 2
