"""Mail servers and name servers that do wrong: nobody waits for them for long, and no mail is lost for it."""

import shutil
import subprocess
import time

import pytest

from database import POSTGRES
from faulty_smtp import FaultySmtp
from keyward import SANITIZED
from keyward import OneNode as Keyward
from smtp_server import Authority
from test_mail import rows, send_test, settings, wait_for

LOGIN = {"KEYWARD_MAIL_USERNAME": "keyward", "KEYWARD_MAIL_PASSWORD": "grey heron 17"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


# ── A server that does not answer QUIT ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_is_silent_at_QUIT_holds_nobody_up(data, authority, scheme):
    tls = authority.context("quit") if scheme == "smtps" else None
    with FaultySmtp(tls=tls, QUIT=b"") as smtp:
        env = settings(smtp.url(scheme), authority)
        begin = time.monotonic()
        assert send_test(data, env)[0] == 0
        assert time.monotonic() - begin < 10
        with Keyward(data, env=env) as server:
            send_test(data, env, "bob@example.com", "--later")
            wait_for(lambda: len(smtp.mails) == 2)
            wait_for(lambda: rows(data)[0]["state"] == "sent")
            begin = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begin < 8
        wait_for(lambda: smtp.said.count("QUIT") == 2)  # it is said all the same


def test_a_refused_mail_and_silence_at_QUIT_take_seconds(data):
    with FaultySmtp(RCPT=b"550 5.1.1 nobody\r\n", QUIT=b"") as smtp:
        begin = time.monotonic()
        code, row = send_test(data, settings(smtp.url()))
        assert code == 1 and row["state"] == "failed" and "550" in row["last_error"]
        assert time.monotonic() - begin < 10


# ── A server that thinks before it answers ───────────────────────────────────────────────────────────────────────────
def test_a_slow_answer_to_the_whole_mail_is_waited_for(data):
    """Longer than the send timeout (1 s) and the lease of it (7 s): it is sent once, by one of the two."""
    with FaultySmtp(dot=lambda smtp, _: smtp.after(10, b"250 taken\r\n")) as smtp:
        env = settings(smtp.url(), KEYWARD_MAIL_SEND_TIMEOUT_S="1")
        with Keyward(data, env=env), Keyward(data, env=env):
            send_test(data, env, "ada@example.com", "--later")
            wait_for(lambda: rows(data)[0]["state"] == "sent", 30)
        assert len(smtp.mails) == 1 and rows(data)[0]["attempts"] == 1


def test_stopping_does_not_wait_for_a_server_that_thinks(data):
    with FaultySmtp(dot=b"") as smtp:
        env = settings(smtp.url())
        with Keyward(data, env=env) as server:
            send_test(data, env, "ada@example.com", "--later")
            wait_for(lambda: smtp.mails)
            begin = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begin < 12
        assert rows(data)[0]["state"] == "waiting"


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_every_other_answer_has_the_send_timeout(data, verb):
    with FaultySmtp(**{verb: b""}) as smtp:
        begin = time.monotonic()
        code, row = send_test(data, settings(smtp.url(), KEYWARD_MAIL_SEND_TIMEOUT_S="2"))
        assert time.monotonic() - begin < 12
        assert code == 1 and row["state"] == "waiting" and row["last_error"]


# ── A login that is not to be had ────────────────────────────────────────────────────────────────────────────────────
def test_without_AUTH_nothing_is_sent_and_the_mail_waits(data):
    with FaultySmtp(RCPT=b"550 5.7.1 relaying denied\r\n") as smtp:
        code, row = send_test(data, settings(smtp.url(), **LOGIN))
        assert code == 1 and row["state"] == "waiting" and "no login" in row["last_error"]
        assert "DATA" not in smtp.said
    with FaultySmtp() as smtp:  # would even take it
        code, row = send_test(data, settings(smtp.url(), **LOGIN))
        assert code == 1 and row["state"] == "waiting" and not smtp.mails


@pytest.mark.parametrize("answer", [b"530 5.7.0 Authentication required\r\n", b"550 5.7.1 relaying denied\r\n",
                                    b"535 5.7.8 no\r\n"])
def test_what_a_server_holds_against_us_is_not_held_against_the_mail(data, answer):
    with FaultySmtp(RCPT=answer) as smtp:
        assert send_test(data, settings(smtp.url()))[1]["state"] == "waiting"


def test_a_password_is_used_where_kerberos_is_offered_too(data):
    with FaultySmtp(EHLO=b"250-faulty\r\n250 AUTH GSSAPI NTLM EXTERNAL XOAUTH2 PLAIN LOGIN\r\n", AUTH=b"235 2.7.0 welcome\r\n") as smtp:
        code, row = send_test(data, settings(smtp.url(), **LOGIN))
        assert code == 0, row
        assert smtp.said[:3] == ["EHLO", "AUTH", "MAIL"] and len(smtp.mails) == 1


def test_a_kept_connection_is_logged_in_once(data):
    with FaultySmtp(EHLO=b"250-faulty\r\n250 AUTH PLAIN\r\n", AUTH=b"235 2.7.0 welcome\r\n",
                    dot=lambda smtp, _: smtp.after(0.3, b"250 taken\r\n")) as smtp:
        env = settings(smtp.url(), KEYWARD_MAIL_THREADS="1", **LOGIN)
        for i in range(4):
            send_test(data, env, f"person{i}@example.com", "--later")
        with Keyward(data, env=env):
            wait_for(lambda: {row["state"] for row in rows(data)} == {"sent"})
        assert len(smtp.mails) == 4 and smtp.connections == 1 and smtp.said.count("AUTH") == 1


# ── What a server says ───────────────────────────────────────────────────────────────────────────────────────────────
def test_an_answer_is_shown_without_controls_and_without_whom_it_is_about(data):
    answer = "550 5.1.1 \x1b[2J\u009b31m\u202eAda.Lovelace of MAIL.Example.COM is nobody\r\n".encode()
    with FaultySmtp(RCPT=answer) as smtp:
        _, row = send_test(data, settings(smtp.url()), "ada.lovelace@mail.example.com")
        assert row["state"] == "failed"
        assert "… of … is nobody" in row["last_error"]
        assert not set(row["last_error"]) & set("\x1b\u009b\u202e")


# ── A name server that does not answer ───────────────────────────────────────────────────────────────────────────────
SLOW_RESOLVER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  (void)node; (void)service; (void)hints; (void)found;
  int file = open(getenv("LOOKUPS"), O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (write(file, "x", 1) == 1) close(file);
  sleep(300);
  return EAI_AGAIN;
}
"""


@pytest.mark.skipif(SANITIZED, reason="a sanitizer wants to be loaded first")
@pytest.mark.skipif(POSTGRES, reason="the database's name is looked up too")
@pytest.mark.skipif(shutil.which("clang-19") is None, reason="needs the compiler")
def test_a_name_server_that_does_not_answer_holds_nobody_up(data, tmp_path):
    (tmp_path / "slow.c").write_text(SLOW_RESOLVER)
    subprocess.run(["clang-19", "-shared", "-fPIC", "-o", tmp_path / "slow.so", tmp_path / "slow.c"], check=True)
    env = settings("smtps://mail.example.com", KEYWARD_MAIL_SEND_TIMEOUT_S="1", LD_PRELOAD=str(tmp_path / "slow.so"),
                   LOOKUPS=str(tmp_path / "lookups"))
    with Keyward(data, env=env) as server:
        for i in range(6):
            send_test(data, {**env, "LD_PRELOAD": ""}, f"person{i}@example.com", "--later")
        wait_for(lambda: all(row["attempts"] >= 2 for row in rows(data)), 40)
        assert "name server" in rows(data)[0]["last_error"]
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 8
    assert len((tmp_path / "lookups").read_text()) <= 2  # one for each thread


# ── What is left of mails ────────────────────────────────────────────────────────────────────────────────────────────
def test_files_of_mails_that_nobody_knows_any_more_go_and_others_stay(data):
    _, row = send_test(data)
    old = data / "outbox" / "0190a3b2-0000-7000-8000-000000000000-reset_password.eml"
    old.write_text("x")
    (data / "outbox/notes.txt").write_text("x")
    with Keyward(data):
        wait_for(lambda: not old.exists())
    assert sorted(path.name for path in (data / "outbox").iterdir()) == sorted([f"{row['id']}-test.eml", "notes.txt"])


def test_an_outbox_that_others_can_read_gets_no_mail(data):
    data.mkdir(mode=0o700)
    (data / "outbox").mkdir()
    (data / "outbox").chmod(0o755)
    code, row = send_test(data)
    assert code == 1 and row["state"] == "waiting" and "0700" in row["last_error"]
    (data / "outbox").chmod(0o700)
    assert send_test(data)[0] == 0


def test_a_deleted_account_leaves_no_address_among_the_mails(data):
    with FaultySmtp() as smtp:
        env = settings(smtp.url(), KEYWARD_REGISTRATION_VERIFICATION="optional")
        with Keyward(data, env=env) as server:
            tokens = server.new_user("gone@example.com")
            wait_for(lambda: smtp.mails and {row["state"] for row in rows(data, env=env)} == {"sent"})
            assert server.call("DELETE", "/me", token=tokens["access_token"]).status == 204
            wait_for(lambda: "gone@example.com" not in [row["recipient"] for row in rows(data, env=env)])
