"""What people are told by mail of their own accounts (A10), and that nothing of it is lost or said twice."""

import time

import pytest

from database import connect
from flows import (LIMITS_OFF, NEW_PASSWORD, REQUIRED, asked_change, asked_reset, confirm, forgot, resend, reset, rows, verify,
                   wait_until)
from keyward import GOOD_PASSWORD, Keyward, OneNode
from mailbox import Mail, mails, no_mail, settle, settled_mails, wait_for_mail
from smtp_server import SmtpServer
from wire import Wire

WRONG = "wrong password here"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
          "Mobile/15E148 Safari/604.1")
NOTICES = ("new_device", "login_after_failures", "session_ended_reuse", "password_changed")


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """With its limits on, but for those of the address that all tests come from; believes what a proxy says."""
    env = {"KEYWARD_LIMITS_REGISTER_PER_HOUR": "1000", "KEYWARD_LIMITS_LOGIN_ADDRESS_ATTEMPTS": "1000",
           "KEYWARD_SERVER_TRUSTED_PROXIES": "127.0.0.1/32"}
    with Keyward(tmp_path_factory.mktemp("limited") / "data", env=env) as running:
        yield running


def log_in(server, email, agent=FIREFOX, password=GOOD_PASSWORD, address=None, **headers):
    sent = {"User-Agent": agent, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if address is not None:
        sent["X-Forwarded-For"] = address
    return server.call("POST", "/login", {"email": email, "password": password}, headers=sent)


def notices(server, email):
    return [mail.kind for mail in settled_mails(server.data, to=email) if mail.kind in NOTICES]


# ── New devices ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_A10_a_login_from_a_new_device_is_told_once(server, email):
    server.register(email)
    assert log_in(server, email).status == 200
    assert notices(server, email) == [], "not of the account's first login"
    assert log_in(server, email, SAFARI).status == 200
    mail = wait_for_mail(server.data, "new_device", email)
    assert "Safari on iPhone" in mail.text and "127.0.0.1" in mail.text and mail.token is None
    assert "Safari on iPhone" in mail.html and "UTC" in mail.text
    for agent in (SAFARI, FIREFOX, SAFARI):
        assert log_in(server, email, agent).status == 200
    assert notices(server, email) == ["new_device"]


def test_A10_a_known_device_is_known_by_its_token_wherever_it_is(limited, email):
    limited.register(email)
    device = log_in(limited, email, address="198.51.100.7").headers["Keyward-Device"]
    assert log_in(limited, email, SAFARI, address="203.0.113.9", Keyward_Device=device).status == 200
    assert notices(limited, email) == []
    limited.register("other." + email)
    assert log_in(limited, "other." + email, address="198.51.100.7").status == 200
    for agent, token in (("one/1", device), ("two/1", device[:-1]), ("three/1", "kw_dv_x")):
        assert log_in(limited, "other." + email, agent, address="203.0.113.9", Keyward_Device=token).status == 200
    assert notices(limited, "other." + email) == ["new_device"] * 3, "a token of another account, and such that are none"


def test_A10_another_network_is_another_device(limited, email):
    limited.register(email)
    for address in ("198.51.100.7", "198.51.100.7", "203.0.113.9", "203.0.113.9", "198.51.100.7"):
        assert log_in(limited, email, address=address).status == 200
    assert notices(limited, email) == ["new_device"]
    assert "203.0.113.9" in mails(limited.data, "new_device", email)[0].text


def test_A10_what_a_device_calls_itself_cannot_write_the_mail(server, email):
    server.register(email)
    log_in(server, email)
    agent = "<b>you won</b> https://evil.example/prize \"' {{link}} =?utf-8?q?x?="
    assert log_in(server, email, agent).status == 200
    mail = wait_for_mail(server.data, "new_device", email)
    assert "evil.example" not in mail.text + mail.html and "<b>you" not in mail.html


def test_A10_the_language_is_that_of_the_login_else_the_configured_one(server, data, email):
    server.register(email)
    log_in(server, email)
    assert log_in(server, email, SAFARI, Accept_Language="de-CH, en;q=0.3").status == 200
    mail = wait_for_mail(server.data, "new_device", email)
    assert mail.subject == "Neue Anmeldung bei Keyward" and "Safari" in mail.text
    with Keyward(data, env={**LIMITS_OFF, "KEYWARD_MAIL_LOCALE": "de"}) as german:
        german.register(email)
        log_in(german, email)
        log_in(german, email, SAFARI, Accept_Language="tlh")
        assert wait_for_mail(data, "new_device", email).subject == "Neue Anmeldung bei Keyward"
        log_in(german, email, "another/1", Accept_Language="en")
        assert wait_for_mail(data, "new_device", email, 2).subject == "New login to Keyward"


def test_a_failed_login_is_no_device(server, email):
    server.register(email)
    log_in(server, email)
    for _ in range(3):
        assert log_in(server, email, SAFARI, WRONG).status == 401
    assert "new_device" not in notices(server, email)


# ── Passwords, sessions, failures ────────────────────────────────────────────────────────────────────────────────────
def test_A10_a_changed_password_is_told_once(server, email):
    login = server.new_user(email)
    body = {"current_password": GOOD_PASSWORD, "new_password": NEW_PASSWORD}
    assert server.call("POST", "/me/password", {**body, "current_password": WRONG}, login["access_token"]).status == 403
    changed = server.call("POST", "/me/password", body, login["access_token"], {"User-Agent": FIREFOX, "Accept-Language": "de"})
    assert changed.status == 204
    mail = wait_for_mail(server.data, "password_changed", email)
    assert mail.subject == "Ihr Passwort für Keyward wurde geändert" and "Firefox on Linux" in mail.text and "127.0.0.1" in mail.text
    assert NEW_PASSWORD not in mail.text and GOOD_PASSWORD not in mail.text
    assert notices(server, email) == ["password_changed"]


def test_A10_a_reset_is_told_once(server, email):
    server.register(email)
    mail, _ = asked_reset(server, email)
    assert reset(server, token=mail.token).status == 204
    assert notices(server, email) == ["password_changed"]


def test_A10_a_change_of_the_address_is_told_to_the_old_one_and_later_notices_go_to_the_new_one(server, email):
    old, new = "old." + email, "new." + email
    login = server.new_user(old)
    mail, warning, _ = asked_change(server, login["access_token"], old, new)
    assert confirm(server, token=mail.token).status == 200
    assert (warning.to, mail.to) == (old, new)
    assert len(settled_mails(server.data, "email_change_warn", old)) == 1
    assert log_in(server, new, SAFARI).status == 200
    assert wait_for_mail(server.data, "new_device", new)
    assert notices(server, old) == []


def test_A10_a_session_that_ends_by_reuse_is_told_once(server, email):
    first = server.new_user(email)["refresh_token"]
    second = server.call("POST", "/refresh", {"refresh_token": first}).json["refresh_token"]
    assert server.call("POST", "/refresh", {"refresh_token": second}).status == 200
    wires = [Wire(server.port, FIREFOX) for _ in range(20)]
    for wire in wires:
        wire.send("POST", "/refresh", {"refresh_token": first})
    assert {wire.read()[0] for wire in wires} == {401}
    mail = wait_for_mail(server.data, "session_ended_reuse", email)
    assert "127.0.0.1" in mail.text and first not in mail.text
    assert notices(server, email) == ["session_ended_reuse"]


@pytest.mark.parametrize("failures, told", [(2, []), (3, ["login_after_failures"]), (4, ["login_after_failures"])])
def test_A10_a_login_after_wrong_passwords_is_told_once(limited, email, failures, told):
    limited.register(email)
    assert log_in(limited, email).status == 200
    assert [log_in(limited, email, password=WRONG).status for _ in range(failures)] == [401] * failures
    assert log_in(limited, email).status == 200
    assert notices(limited, email) == told
    assert log_in(limited, email).status == 200
    assert notices(limited, email) == told, "the failures are over"


def test_A10_one_mail_for_one_login(limited, email):
    """From a new device and after failures: the failures are told, and where it was."""
    limited.register(email)
    log_in(limited, email)
    assert [log_in(limited, email, SAFARI, WRONG).status for _ in range(4)] == [401] * 4
    assert log_in(limited, email, SAFARI, Accept_Language="de").status == 200
    assert notices(limited, email) == ["login_after_failures"]
    mail = mails(limited.data, "login_after_failures", email)[0]
    assert mail.locale.startswith("de") and "Safari on iPhone" in mail.text


# ── Nothing is lost, nothing is said twice ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("call", ["forgot", "resend", "register_new", "register_taken"])
def test_A10_killed_between_the_answer_and_the_work_the_mail_comes_after_the_restart_once(data, call):
    env = {**REQUIRED, "KEYWARD_MAIL_POLL_INTERVAL_S": "1"}
    for round_number in range(4):
        email = f"{call}{round_number}@example.com"
        with OneNode(data, env=env) as server:
            if call != "register_new":
                server.register(email)
                token = wait_for_mail(data, "verify_email", email).token
                if call != "resend":
                    assert verify(server, token=token).status == 200
            settle(data)
            path = {"forgot": "/forgot-password", "resend": "/verify-email/resend"}.get(call, "/register")
            wire = Wire(server.port)
            wire.send("POST", path, {"email": email, **({} if path != "/register" else {"password": GOOD_PASSWORD})})
            assert wire.read()[0] in (200, 201)
            server.process.kill()
            server.process.wait(20)
        kind, count = {"forgot": ("reset_password", 1), "resend": ("verify_email", 2), "register_new": ("verify_email", 1),
                       "register_taken": ("already_registered", 1)}[call]
        with OneNode(data, env=env) as server:
            mail = wait_for_mail(data, kind, email, count, timeout_s=60)
            settle(data, 60)
            assert len(mails(data, kind, email)) == count
            if kind == "reset_password":
                assert reset(server, token=mail.token).status == 204
            elif kind == "verify_email":
                assert verify(server, token=mail.token).status == 200
                assert server.login(email).status == 200
            assert rows(server, "SELECT count(*) FROM accounts WHERE email = ?", email) == [(1,)]


@pytest.mark.parametrize("call, kind", [("register", "verify_email"), ("forgot", "reset_password")])
def test_A10_a_stop_in_between_is_no_different(data, call, kind):
    addresses = [f"stop{number}@example.com" for number in range(12)]
    with Keyward(data, env=REQUIRED) as server:
        for address in addresses:
            server.register(address)
        if call == "forgot":
            settle(data)
            for address in addresses:
                forgot(server, address)
    with Keyward(data, env=REQUIRED):
        settle(data)
        assert [len(mails(data, kind, address)) for address in addresses] == [1] * 12


def test_A10_two_servers_on_one_database_do_each_thing_once(data):
    with OneNode(data, env=REQUIRED) as one, OneNode(data, env=REQUIRED) as two:
        for number in range(20):
            assert (one, two)[number % 2].register(f"pair{number}@example.com").status == 201
        settle(data)
        for number in range(20):
            mail, = mails(data, "verify_email", f"pair{number}@example.com")
            assert verify((two, one)[number % 2], token=mail.token).status == 200
        for number in range(20):
            forgot((one, two)[number % 2], f"pair{number}@example.com")
        settle(data)
        assert [len(mails(data, "reset_password", f"pair{number}@example.com")) for number in range(20)] == [1] * 20


def test_A10_while_the_mail_server_is_down_nobody_waits_and_later_each_mail_comes_once(data):
    smtp = SmtpServer()
    smtp.start()
    smtp.stop()
    env = {**LIMITS_OFF, "KEYWARD_MAIL_SMTP_URL": smtp.url(), "KEYWARD_MAIL_FROM": "no-reply@example.com",
           "KEYWARD_MAIL_SEND_TIMEOUT_S": "3", "KEYWARD_MAIL_POLL_INTERVAL_S": "1"}
    with Keyward(data, env=env) as server:
        begin = time.monotonic()
        server.register("down@example.com")
        log_in(server, "down@example.com")
        log_in(server, "down@example.com", SAFARI)
        assert forgot(server, "down@example.com").status == 200
        assert resend(server, "down@example.com").status == 200
        assert time.monotonic() - begin < 5
        wait_until(lambda: len(attempted(data)) == 4 and min(attempted(data)) >= 2, "two attempts at each of four mails", 30)
        with smtp:
            settle(data, 60)
            kinds = sorted(subject_kind(mail.message["Subject"]) for mail in smtp.deliveries)
            assert kinds == ["new", "reset", "verify", "verify"], kinds
            assert len({mail.message_id for mail in smtp.deliveries}) == 4
            token, = [Mail(mail.message).token for mail in smtp.deliveries if "Reset" in mail.message["Subject"]]
            assert reset(server, token=token).status == 204
            wait_until(lambda: len(smtp.deliveries) == 5, "that the password was changed")
        assert not (data / "outbox").exists()


def attempted(data):
    with connect(data) as database:
        return [row[0] for row in database.execute("SELECT attempts FROM outgoing_mails").fetchall()]


def subject_kind(subject):
    words = {"Confirm": "verify", "Reset": "reset", "New": "new"}
    return words[subject.split()[0]]


def test_nobody_is_told_of_anything_that_did_not_happen(server, email):
    login = server.new_user(email)
    settle(server.data)
    server.call("GET", "/me", token=login["access_token"])
    server.call("POST", "/refresh", {"refresh_token": login["refresh_token"]})
    server.call("PATCH", "/me", {"full_name": "Ada"}, token=login["access_token"])
    server.login(email)
    assert reset(server, token="kw_rp_" + "A" * 43).status == 400
    assert notices(server, email) == []
    no_mail(server.data, "reset_password", email)
