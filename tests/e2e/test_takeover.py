"""Chains of calls by which somebody could take an account, or a mailbox's peace, that is not theirs."""

import itertools
import threading

import pytest

from flows import (INVALID, NEW_PASSWORD, REQUIRED, ask_change, asked_change, asked_reset, confirm, forgot, me, refused, resend, reset,
                   rows, transaction_of, undo, verify)
from keyward import GOOD_PASSWORD, Keyward, command
from mailbox import no_mail, settle, settled_mails, wait_for_mail

THIEF = "marble kettle 58 drums"
_numbers = itertools.count(1)


def address(word="person"):
    return f"{word}{next(_numbers)}@takeover.example"


@pytest.fixture(scope="module")
def required(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("required") / "data", env=REQUIRED) as server:
        yield server


# ── Addresses that are registered by somebody else first ─────────────────────────────────────────────────────────────
def test_A7_a_new_mail_to_verify_makes_no_strangers_password_good(required):
    victim = address("victim")
    assert required.register(victim, THIEF).status == 201
    first = wait_for_mail(required.data, "verify_email", victim)
    assert required.register(victim).status == 201
    wait_for_mail(required.data, "already_registered", victim)
    assert refused(verify(required, token=first.token))
    assert resend(required, victim).status == 200  # by the thief, or by the victim, who waits for one
    mail = wait_for_mail(required.data, "reset_password", victim)  # not one that only confirms
    assert len(settled_mails(required.data, "verify_email", victim)) == 1
    assert required.login(victim, THIEF).status == 401
    assert reset(required, token=mail.token).status == 204
    assert required.login(victim, THIEF).status == 401 and required.login(victim, NEW_PASSWORD).status == 200


def test_an_address_that_was_never_verified_is_kept_from_nobody(server):
    victim, elsewhere = address("victim"), address("thief")
    thief = server.new_user(victim, THIEF)
    confirmation, _, _ = asked_change(server, thief["access_token"], victim, elsewhere, THIEF)
    assert confirm(server, token=confirmation.token).status == 200
    assert server.register(victim).status == 201
    assert undo(server, wait_for_mail(server.data, "email_change_warn", victim).token).status == 409
    assert server.login(victim).status == 200 and server.login(elsewhere, THIEF).status == 200


# ── Changes of the address ───────────────────────────────────────────────────────────────────────────────────────────
def verified(server, email, password=GOOD_PASSWORD):
    assert server.register(email, password).status == 201
    assert verify(server, token=wait_for_mail(server.data, "verify_email", email).token).status == 200
    return server.login(email, password).json


def test_who_is_to_confirm_an_address_is_told_whose_account_it_is(server):
    thief, victim = address("thief"), address("victim")
    session = verified(server, thief)
    assert server.call("PATCH", "/me", {"full_name": "Vic Tim"}, token=session["access_token"]).status == 200
    confirmation, _, _ = asked_change(server, session["access_token"], thief, victim)
    for text in (confirmation.text, confirmation.html):
        assert thief in text and "Vic Tim" not in text and "only if that account is yours" in text


def test_R3_a_confirmed_change_ends_every_session_but_the_one_that_asked(server):
    old, new = address(), address()
    asking, other = verified(server, old), server.login(old).json
    confirmation, _, _ = asked_change(server, asking["access_token"], old, new)
    assert me(server, other["access_token"]).status == 200
    assert confirm(server, token=confirmation.token).status == 200
    assert me(server, asking["access_token"]).json["email"] == new
    assert me(server, other["access_token"]).status == 401
    assert server.call("POST", "/refresh", {"refresh_token": other["refresh_token"]}).status == 401


def test_A10_the_address_that_is_left_is_told_also_by_an_undo(server):
    old, new = address(), address()
    session = verified(server, old)
    confirmation, warning, _ = asked_change(server, session["access_token"], old, new)
    assert confirm(server, token=confirmation.token).status == 200
    assert new in wait_for_mail(server.data, "email_changed", old).text
    assert undo(server, warning.token).status == 200
    assert old in wait_for_mail(server.data, "email_changed", new).text


def test_an_account_is_not_deleted_while_its_owner_may_still_get_it_back(server):
    old, new = address("owner"), address("thief")
    session = verified(server, old)
    confirmation, warning, _ = asked_change(server, session["access_token"], old, new)
    assert confirm(server, token=confirmation.token).status == 200
    answer = server.call("DELETE", "/me", token=session["access_token"])
    assert answer.status == 409 and "undone" in answer.json["detail"]
    assert undo(server, warning.token).status == 200
    token = wait_for_mail(server.data, "reset_password", old).token
    assert reset(server, token=token).status == 204
    session = server.login(old, NEW_PASSWORD).json
    assert server.call("DELETE", "/me", token=session["access_token"]).status == 204
    wait_for_mail(server.data, "account_deleted", old)


@pytest.mark.parametrize("local", ["urgent/evil.example/login?id=1", "www.evil.example", "a`b"])
def test_a_mail_shows_no_strangers_text_as_an_address(server, local):
    email = address()
    session = server.new_user(email)
    answer = ask_change(server, session["access_token"], f"{local}@elsewhere.example")
    assert answer.status == 200, answer
    text = wait_for_mail(server.data, "email_change_warn", email).text
    assert local not in text and "…@elsewhere.example" in text


# ── Passwords that are guessed by a stolen session ───────────────────────────────────────────────────────────────────
def test_A10_a_weak_new_password_tells_nothing_of_the_current_one(data):
    with Keyward(data) as server:
        session = server.new_user("ada@example.com")
        for current in ("wrong password here", GOOD_PASSWORD):
            answer = server.call("POST", "/me/password", {"current_password": current, "new_password": "password"},
                                 token=session["access_token"])
            assert answer.status == 422 and answer.fields == ["new_password"]
            assert answer.headers["Keyward-Device"] is None
        answer = server.call("POST", "/me/password", {"current_password": GOOD_PASSWORD, "new_password": NEW_PASSWORD},
                             token=session["access_token"])
        assert answer.status == 204 and answer.headers["Keyward-Device"] is None  # of a login alone


def login_as(server, email, password, agent, device=None):
    headers = {"User-Agent": agent, **({"Keyward-Device": device} if device else {})}
    return server.call("POST", "/login", {"email": email, "password": password}, headers=headers)


def test_A10_who_was_thrown_out_is_a_stranger_again(server):
    email = address("owner")
    assert server.register(email).status == 201
    assert login_as(server, email, GOOD_PASSWORD, "owner/1").status == 200
    thief = login_as(server, email, GOOD_PASSWORD, "thief/1")
    wait_for_mail(server.data, "new_device", email)
    mail, _ = asked_reset(server, email)
    assert reset(server, token=mail.token).status == 204
    # With the new password somehow, from the device of before, with its token of before.
    assert login_as(server, email, NEW_PASSWORD, "thief/1", thief.headers["Keyward-Device"]).status == 200
    wait_for_mail(server.data, "new_device", email, 2)


def test_A10_a_refresh_makes_no_device_a_known_one(server):
    email = address("owner")
    assert server.register(email).status == 201
    stolen = login_as(server, email, GOOD_PASSWORD, "owner/1").json["refresh_token"]
    assert server.call("POST", "/refresh", {"refresh_token": stolen}, headers={"User-Agent": "thief/1"}).status == 200
    assert login_as(server, email, GOOD_PASSWORD, "thief/1").status == 200
    wait_for_mail(server.data, "new_device", email)


def test_right_passwords_at_once_are_no_failures(data):
    with Keyward(data) as server:
        server.new_user("ada@example.com")
        threads = [threading.Thread(target=server.login, args=("ada@example.com",)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.wait_for_event("authn_login_success", count=6)  # all is told that there will be
        no_mail(data, "login_after_failures")
        assert not server.logged_events("authn_login_successafterfail")


# ── Mailboxes ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_A9_accounts_that_come_and_go_do_not_flood_a_mailbox(data):
    with Keyward(data, env={"KEYWARD_LIMITS_REGISTER_PER_HOUR": "100"}) as server:
        for _ in range(12):
            session = server.new_user("victim@example.com")
            assert server.call("DELETE", "/me", token=session["access_token"]).status == 204
        assert len(settled_mails(data, "verify_email", "victim@example.com")) == 5


def test_A9_many_accounts_that_change_to_one_address_do_not_flood_it(data):
    with Keyward(data) as server:
        for number in range(8):
            session = server.new_user(f"thief{number}@example.com")
            assert ask_change(server, session["access_token"], "victim@example.com").status == 200
        assert len(settled_mails(data, "email_change_confirm", "victim@example.com")) == 5


def test_no_verification_means_no_mail_to_verify(data):
    with Keyward(data, env={"KEYWARD_REGISTRATION_VERIFICATION": "off"}) as server:
        assert server.register("ada@example.com").status == 201
        assert resend(server, "ada@example.com").status == 200
        no_mail(data)


# ── Verification that becomes required, proofs that are tried ────────────────────────────────────────────────────────
def test_A5_unverified_sessions_end_when_verification_becomes_required(data):
    with Keyward(data) as server:
        unverified, good = server.new_user("ada@example.com"), server.new_user("eve@example.com")
        assert verify(server, token=wait_for_mail(data, "verify_email", "eve@example.com").token).status == 200
    with Keyward(data, env=REQUIRED) as server:
        assert server.call("POST", "/refresh", {"refresh_token": unverified["refresh_token"]}).status == 401
        assert server.call("POST", "/refresh", {"refresh_token": good["refresh_token"]}).status == 200


def test_proofs_are_limited_by_address(data):
    with Keyward(data, env={"KEYWARD_LIMITS_PROOFS_PER_MINUTE": "3"}) as server:
        statuses = [verify(server, token="kw_ve_x").status, reset(server, token="kw_rp_x").status, undo(server, "kw_uc_x").status,
                    confirm(server, token="kw_ce_x").status]
        assert statuses == [400, 400, 400, 429]
        assert int(verify(server, token="x").headers["Retry-After"]) <= 60


def test_what_cannot_be_a_proof_is_one_answer(server):
    for proof in ({"token": "x"}, {"token": "kw_rp_" + "A" * 42}, {"transaction": "x", "code": "y"},
                  {"transaction": "kw_tx_" + "A" * 43, "code": ""}, {"transaction": "kw_tx_" + "A" * 43, "code": "AAAA-AAAA"}):
        assert verify(server, **proof).json["detail"] == INVALID
    assert verify(server, token="").fields == ["token"]


def test_A6_A9_trying_a_code_tells_by_no_time_whether_there_is_one(tmp_path_factory):
    """A try is counted for everybody: also where no mail went out. One commit each, or its time would tell."""
    with Keyward(tmp_path_factory.mktemp("codes") / "data", env={"KEYWARD_LIMITS_ENABLED": "false"}) as server:
        known = address("known")
        server.new_user(known)
        before = rows(server, "SELECT count(*) FROM code_transactions")[0][0]
        transactions = {name: transaction_of(forgot(server, email)) for name, email in (("known", known), ("unknown", address("nobody")))}
        settle(server.data)
        assert rows(server, "SELECT count(*) FROM code_transactions")[0][0] == before + 2
        for tries in (1, 2):
            for transaction in transactions.values():
                assert refused(reset(server, transaction=transaction, code="AAAA-AAAA"))
            assert rows(server, "SELECT tries FROM code_transactions ORDER BY expires_at DESC, tries DESC LIMIT 2") == [(tries,)] * 2
