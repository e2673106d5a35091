"""A forgotten password: asked for by anybody, set by whoever reads the account's mail, once."""

import concurrent.futures
import time

import pytest

from flows import (LIMITS_OFF, NEW_PASSWORD, RESET_ASKED, asked_reset, events_about, expire, forgot, is_verified, me, refused,
                   reset, rows, transaction_of, wait_until)
from keyward import GOOD_PASSWORD, Keyward, command
from mailbox import mails, no_mail, settled_mails, wait_for_mail
from wire import Wire

WRONG = "wrong password here"


def refresh(server, login):
    return server.call("POST", "/refresh", {"refresh_token": login["refresh_token"]}).status


# ── The way ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_whole_way_by_link(server, email):
    login = server.new_user(email)
    mail, transaction = asked_reset(server, email)
    assert mail.link == f"{server.url}/account/reset-password?token={mail.token}"
    assert mail.token.startswith("kw_rp_") and len(mail.token) == len("kw_rp_") + 43
    assert len(mail.links) == 1 and mail.link in mail.html.replace("&amp;", "&") and mail.code in mail.html
    assert transaction not in mail.text + mail.html and mail.message["Keyward-Transaction"] is None
    done = reset(server, token=mail.token)
    assert done.status == 204 and done.body == b"" and done.headers["Cache-Control"] == "no-store"
    assert server.login(email).status == 401
    assert server.login(email, NEW_PASSWORD).status == 200
    assert is_verified(server, email, NEW_PASSWORD)  # whoever reset it reads that mail
    told = wait_for_mail(server.data, "password_changed", email)
    assert told.token is None and mail.token not in told.text
    events_about(server, "authn_password_change", login["user_id"], reason="reset")
    assert refused(reset(server, GOOD_PASSWORD, token=mail.token)), "once"
    assert server.login(email, NEW_PASSWORD).status == 200
    assert len(settled_mails(server.data, "password_changed", email)) == 1


def test_the_whole_way_by_code(server, email):
    server.new_user(email)
    mail, transaction = asked_reset(server, email)
    assert reset(server, transaction=transaction, code=mail.code).status == 204
    assert server.login(email, NEW_PASSWORD).status == 200 and server.login(email).status == 401
    assert refused(reset(server, GOOD_PASSWORD, transaction=transaction, code=mail.code)), "the code went with the token"
    assert refused(reset(server, GOOD_PASSWORD, token=mail.token)), "and the token with the code"


def test_form_bodies_do_as_well(server, email):
    server.register(email)
    answer = server.call("POST", "/forgot-password", form={"email": email})
    assert answer.status == 200 and answer.json == {"message": RESET_ASKED}
    mail = wait_for_mail(server.data, "reset_password", email)
    done = server.call("POST", "/reset-password", form={"transaction": transaction_of(answer), "code": mail.code,
                                                        "new_password": NEW_PASSWORD})
    assert done.status == 204
    assert server.login(email, NEW_PASSWORD).status == 200


def test_the_address_may_be_spelled_otherwise_and_the_mail_goes_to_the_accounts_own(server, email):
    server.register("Mixed." + email)
    assert forgot(server, f"  mIXED.{email.upper()} ").status == 200
    assert wait_for_mail(server.data, "reset_password", "Mixed." + email).token


def test_nobody_gets_a_mail_who_has_no_account(server, email):
    unknown, disabled = "unknown." + email, "disabled." + email
    server.register(disabled)
    assert command("user", "disable", disabled, data=server.data)[0] == 0
    for address in (unknown, disabled):
        answer = forgot(server, address)
        assert answer.status == 200 and answer.json == {"message": RESET_ASKED} and transaction_of(answer)
        no_mail(server.data, "reset_password", address)
    assert not mails(server.data, to=unknown)


def test_the_language_is_that_of_whoever_asks(server, email):
    server.register(email)
    assert forgot(server, email, {"Accept-Language": "fr;q=0.9, de-AT, en;q=0.5"}).status == 200
    german = wait_for_mail(server.data, "reset_password", email)
    assert german.locale.startswith("de") and german.subject == "Neues Passwort für Keyward"
    assert forgot(server, email, {"Accept-Language": "tlh, *;q=0.1"}).status == 200
    assert wait_for_mail(server.data, "reset_password", email, 2).subject == "Reset your password for Keyward"


def test_the_newest_of_many_mails_works(server, email):
    server.register(email)
    for count in range(1, 8):
        mail, _ = asked_reset(server, email, count)
    assert reset(server, token=mail.token).status == 204


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("by", ["token", "code", "both"])
def test_R2_of_50_parallel_uses_of_one_token_one_sets_its_password(server, email, by):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    proofs = {"token": {"token": mail.token}, "code": {"transaction": transaction, "code": mail.code}}
    passwords = [f"granite lantern {number} waves" for number in range(50)]
    wires = [Wire(server.port) for _ in passwords]
    for number, (wire, password) in enumerate(zip(wires, passwords)):
        proof = proofs[by if by != "both" else ("token", "code")[number % 2]]
        wire.send("POST", "/reset-password", {**proof, "new_password": password})
    statuses = [wire.read()[0] for wire in wires]
    for wire in wires:
        wire.close()
    assert statuses.count(204) == 1 and statuses.count(400) == 49, statuses
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        logins = [answer.status for answer in pool.map(lambda password: server.login(email, password), passwords)]
    assert [login == 200 for login in logins] == [status == 204 for status in statuses]
    assert set(logins) == {200, 401} and server.login(email).status == 401
    assert len(settled_mails(server.data, "password_changed", email)) == 1


def test_R2_of_a_reset_and_a_password_change_at_once_the_token_is_dead_and_one_password_works(server, email):
    login = server.new_user(email)
    password = GOOD_PASSWORD
    for round_number in range(5):
        mail, _ = asked_reset(server, email, round_number + 1)
        changing, resetting = Wire(server.port), Wire(server.port)
        changed, set_by_mail = f"granite lantern {round_number} waves", f"copper meadow {round_number} quilt"
        changing.send("POST", "/me/password", {"current_password": password, "new_password": changed}, login["access_token"])
        resetting.send("POST", "/reset-password", {"token": mail.token, "new_password": set_by_mail})
        answers = changing.read()[0], resetting.read()[0]
        assert 204 in answers, answers
        works = [one for one in (password, changed, set_by_mail) if server.login(email, one).status == 200]
        assert len(works) == 1 and works[0] != password
        assert refused(reset(server, GOOD_PASSWORD, token=mail.token))
        password = works[0]
        login = server.login(email, password).json


# ── Older ones are dead, and what the reset ends ─────────────────────────────────────────────────────────────────────
def test_R3_a_newer_token_kills_the_older_one(server, email):
    server.register(email)
    first, first_transaction = asked_reset(server, email)
    second, _ = asked_reset(server, email, 2)
    assert first.token != second.token and first.code != second.code
    assert refused(reset(server, token=first.token))
    assert refused(reset(server, transaction=first_transaction, code=first.code))
    assert reset(server, token=second.token).status == 204
    assert server.login(email, NEW_PASSWORD).status == 200


def test_R3_another_persons_token_stays(server, email):
    server.register(email)
    server.register("other." + email)
    mine, _ = asked_reset(server, email)
    asked_reset(server, "other." + email)
    assert reset(server, token=mine.token).status == 204
    assert server.login("other." + email).status == 200


def test_R3_a_password_change_kills_the_token_and_the_code(server, email):
    login = server.new_user(email)
    mail, transaction = asked_reset(server, email)
    changed = server.call("POST", "/me/password", {"current_password": GOOD_PASSWORD, "new_password": NEW_PASSWORD},
                          token=login["access_token"])
    assert changed.status == 204
    assert refused(reset(server, "copper meadow 3 quilt", token=mail.token))
    assert refused(reset(server, "copper meadow 3 quilt", transaction=transaction, code=mail.code))
    assert server.login(email, NEW_PASSWORD).status == 200


def test_R3_a_reset_ends_every_session_and_logs_nobody_in(server, email):
    logins = [server.new_user(email), server.login(email).json, server.login(email).json]
    assert [me(server, login["access_token"]).status for login in logins] == [200] * 3
    mail, _ = asked_reset(server, email)
    assert [me(server, login["access_token"]).status for login in logins] == [200] * 3, "asking ends nothing"
    done = reset(server, token=mail.token)
    assert done.status == 204 and done.body == b"" and "Set-Cookie" not in done.headers
    assert not any("kw_" in value or "eyJ" in value for value in done.headers.values())
    assert [me(server, login["access_token"]).status for login in logins] == [401] * 3
    assert [refresh(server, login) for login in logins] == [401] * 3
    again = server.login(email, NEW_PASSWORD).json
    assert len(server.call("GET", "/me/sessions", token=again["access_token"]).json["items"]) == 1
    event, = events_about(server, "authn_token_revoked", again["user_id"])
    assert (event["reason"], event["detail"]) == ("password_reset", "sessions 3")


def test_R3_a_login_under_way_does_not_outlive_the_reset(server, email):
    server.register(email)
    password = GOOD_PASSWORD
    for round_number in range(4):
        mail, _ = asked_reset(server, email, round_number + 1)
        wires = [Wire(server.port) for _ in range(16)]
        for wire in wires[:8]:
            wire.send("POST", "/login", {"email": email, "password": password})
        resetting, new = Wire(server.port), f"granite lantern {round_number} waves"
        resetting.send("POST", "/reset-password", {"token": mail.token, "new_password": new})
        for wire in wires[8:]:
            wire.send("POST", "/login", {"email": email, "password": password})
        answers = [wire.read() for wire in wires]
        assert resetting.read()[0] == 204
        assert {status for status, _ in answers} <= {200, 401}
        sessions = [answer["access_token"] for status, answer in answers if status == 200]
        assert [me(server, session).status for session in sessions] == [401] * len(sessions)
        password = new


def test_R3_a_refresh_under_way_does_not_outlive_the_reset(server, email):
    logins = [server.new_user(email), *(server.login(email).json for _ in range(15))]
    mail, _ = asked_reset(server, email)
    wires, resetting = [Wire(server.port) for _ in logins], Wire(server.port)
    for wire, login in zip(wires[:8], logins[:8]):
        wire.send("POST", "/refresh", {"refresh_token": login["refresh_token"]})
    resetting.send("POST", "/reset-password", {"token": mail.token, "new_password": NEW_PASSWORD})
    answers = [wire.read() for wire in wires[:8]]
    for wire, login in zip(wires[8:], logins[8:]):
        wire.send("POST", "/refresh", {"refresh_token": login["refresh_token"]})
    answers += [wire.read() for wire in wires[8:]]
    assert resetting.read()[0] == 204
    fresh = [answer for status, answer in answers if status == 200]
    assert {status for status, _ in answers} <= {200, 401} and len(fresh) >= 1
    assert [me(server, one["access_token"]).status for one in fresh] == [401] * len(fresh)
    assert [refresh(server, one) for one in fresh + logins] == [401] * (len(fresh) + 16)


def test_an_expired_token_is_refused(server, email):
    login = server.new_user(email)
    mail, transaction = asked_reset(server, email)
    identifier = bytes.fromhex(login["user_id"].replace("-", ""))
    (lives, asked), = rows(server, "SELECT expires_at - created_at, transaction_hash FROM one_time_tokens "
                                   "WHERE account_id = ? AND purpose = 'reset_password'", identifier)
    (code_expires,), = rows(server, "SELECT expires_at FROM code_transactions WHERE transaction_hash = ?", asked)
    assert lives == 3600 * 10**6 and 590 < code_expires / 1e6 - time.time() <= 600
    expire(server)
    assert refused(reset(server, token=mail.token))
    assert refused(reset(server, transaction=transaction, code=mail.code))
    assert server.login(email).status == 200


# ── What uses nothing up ─────────────────────────────────────────────────────────────────────────────────────────────
def test_a_weak_password_uses_nothing_up_and_costs_no_hash(server, email):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    hashes = server.metric("keyward_password_hashes_total")
    for weak in ("password1", "short", "x" * 1025, ""):
        assert reset(server, weak, token=mail.token).fields == ["new_password"], weak
        assert reset(server, weak, transaction=transaction, code=mail.code).fields == ["new_password"], weak
    assert server.metric("keyward_password_hashes_total") == hashes
    assert reset(server, token=mail.token).status == 204


def test_P6_words_of_ones_own_address_are_refused_and_use_nothing_up(server):
    server.register("alice.smith@reset.example")
    mail, _ = asked_reset(server, "alice.smith@reset.example")
    assert reset(server, "alicesmith-2026!!", token=mail.token).fields == ["new_password"]
    assert reset(server, token=mail.token).status == 204


def test_a_wrong_token_costs_no_hash_and_is_told_in_the_log(server, email):
    server.register(email)
    mail, _ = asked_reset(server, email)
    hashes = server.metric("keyward_password_hashes_total")
    last = "A" if mail.token[-2] != "A" else "B"
    for wrong in (mail.token[:-2] + last + mail.token[-1], mail.token[:-1], mail.token + "A", mail.token.upper(), "kw_rp_", "x",
                  " " + mail.token, mail.token + "\n", "kw_rp_" + "A" * 43):
        assert reset(server, token=wrong).status in (400, 422), wrong
    assert server.metric("keyward_password_hashes_total") == hashes
    wait_until(lambda: [event for event in server.logged_events("authz_fail") if event.get("reason") == "one_time_token"],
               "an event about a bad token")
    assert reset(server, token=mail.token).status == 204


def test_A5_a_disabled_account_resets_nothing(server, email):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    assert command("user", "disable", email, data=server.data)[0] == 0
    assert refused(reset(server, token=mail.token))
    assert refused(reset(server, transaction=transaction, code=mail.code))
    assert command("user", "enable", email, data=server.data)[0] == 0
    assert server.login(email).status == 200 and server.login(email, NEW_PASSWORD).status == 401


def test_a_deleted_accounts_token_is_dead_for_whoever_has_the_address_next(server, email):
    login = server.new_user(email)
    mail, _ = asked_reset(server, email)
    assert server.call("DELETE", "/me", token=login["access_token"]).status == 204
    assert refused(reset(server, token=mail.token))
    server.register(email)
    assert refused(reset(server, token=mail.token))
    assert server.login(email).status == 200


# ── Floods ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_A9_100_requests_send_five_mails_and_lock_nobody_out(data):
    with Keyward(data, env={"KEYWARD_LIMITS_FORGOT_PER_HOUR": "1000"}) as server:
        login = server.new_user("victim@example.com")
        taken = []
        for _ in range(100):
            begin = time.monotonic()
            answer = forgot(server, "victim@example.com")
            taken.append(time.monotonic() - begin)
            assert answer.status == 200 and answer.json == {"message": RESET_ASKED} and transaction_of(answer)
        found = settled_mails(data, "reset_password", "victim@example.com")
        assert len(found) == 5
        assert me(server, login["access_token"]).status == 200 and refresh(server, login) == 200
        assert server.login("victim@example.com").status == 200
        server.wait_for_event("excess_rate_limit_exceeded")
        assert {event["reason"] for event in server.logged_events("excess_rate_limit_exceeded")} == {"account_mails"}
        server.register("other@example.com")
        asked_reset(server, "other@example.com")  # nobody else is touched
        assert reset(server, token=found[-1].token).status == 204  # what was dropped killed nothing
        assert server.login("victim@example.com", NEW_PASSWORD).status == 200
    assert sorted(taken)[90] < 1


def test_A9_the_setting_says_how_many(data):
    with Keyward(data, env={"KEYWARD_LIMITS_ACCOUNT_MAILS_PER_HOUR": "2"}) as server:
        server.register("victim@example.com")
        assert [forgot(server, "victim@example.com").status for _ in range(6)] == [200] * 6
        assert len(settled_mails(data, "reset_password", "victim@example.com")) == 2
    with Keyward(data, env={"KEYWARD_LIMITS_ACCOUNT_MAILS_PER_HOUR": "2"}) as server:  # a restart forgets nothing
        assert forgot(server, "victim@example.com").status == 200
        assert len(settled_mails(data, "reset_password", "victim@example.com")) == 2


def test_A9_an_address_that_asks_too_often_is_told_to_wait(data):
    with Keyward(data, env={"KEYWARD_LIMITS_FORGOT_PER_HOUR": "7"}) as server:
        server.register("known@example.com")
        answers = [forgot(server, address) for address in ("known@example.com", "unknown@example.com") * 5]
        assert [answer.status for answer in answers] == [200] * 7 + [429] * 3
        for answer in answers[7:]:
            assert answer.headers["Content-Type"] == "application/problem+json" and int(answer.headers["Retry-After"]) > 0
        assert server.call("POST", "/verify-email/resend", {"email": "known@example.com"}).status == 429
        assert server.login("known@example.com").status == 200
    with Keyward(data, env={**LIMITS_OFF, "KEYWARD_LIMITS_FORGOT_PER_HOUR": "1"}) as server:
        assert [forgot(server, "known@example.com").status for _ in range(9)] == [200] * 9
        assert len(settled_mails(data, "reset_password", "known@example.com")) >= 9


def test_a_reset_lets_the_owner_in_whom_strangers_locked_out(data):
    with Keyward(data) as server:
        server.register("locked@example.com")
        assert [server.login("locked@example.com", WRONG).status for _ in range(6)] == [401] * 5 + [429]
        mail, _ = asked_reset(server, "locked@example.com")
        assert reset(server, token=mail.token).status == 204
        assert server.login("locked@example.com", NEW_PASSWORD).status == 200
