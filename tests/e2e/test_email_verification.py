"""Whether an address belongs to whoever registered it: told later (optional), asked first (required), or not at all (off)."""

import concurrent.futures
import re

import pytest

from flows import (LIMITS_OFF, NEW_PASSWORD, REQUIRED, RESEND_ASKED, asked_reset, events_about, is_verified, me, refused, resend,
                   reset, rows, transaction_of, verify, wait_until)
from keyward import GOOD_PASSWORD, Keyward, OneNode, command
from mailbox import mails, no_mail, settle, settled_mails, wait_for_mail
from people import add_user
from sameness import answers

OFF = {**LIMITS_OFF, "KEYWARD_REGISTRATION_VERIFICATION": "off"}
ATTACKERS_PASSWORD = "copper meadow 3 quilt"


@pytest.fixture(scope="module")
def required(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("required") / "data", env=REQUIRED) as running:
        yield running


def joined(server, email, password=GOOD_PASSWORD):
    """Registered where verification is required: (the answer, the mail)."""
    answer = server.register(email, password)
    assert answer.status == 201 and set(answer.json) == {"message", "email", "id"}, answer
    return answer, wait_for_mail(server.data, "verify_email", email)


# ── Optional, which is the default ───────────────────────────────────────────────────────────────────────────────────
def test_optional_asks_by_mail_and_keeps_nobody_waiting(server, email):
    registered = server.register(email)
    assert registered.status == 201 and transaction_of(registered)
    assert not is_verified(server, email)
    mail = wait_for_mail(server.data, "verify_email", email)
    assert mail.link == f"{server.url}/account/verify-email?token={mail.token}" and mail.token.startswith("kw_ve_")
    assert mail.code and mail.code in mail.html
    done = verify(server, token=mail.token)
    assert done.status == 200 and done.json == {"message": "Email verified"} and done.headers["Cache-Control"] == "no-store"
    assert is_verified(server, email)
    events_about(server, "user_updated", registered.json["id"], reason="email_verified")
    assert refused(verify(server, token=mail.token)), "once"
    assert is_verified(server, email)


def test_a_taken_address_is_told_and_nobody_is_mailed(server, email):
    server.register(email)
    again = server.register(email)
    assert again.status == 400 and again.json["detail"] == "Email already registered"
    assert len(settled_mails(server.data, to=email)) == 1


def test_who_is_signed_in_sees_it_at_once(server, email):
    login = server.new_user(email)
    assert me(server, login["access_token"]).json["email_verified"] is False
    assert verify(server, token=wait_for_mail(server.data, "verify_email", email).token).status == 200
    assert me(server, login["access_token"]).json["email_verified"] is True


def test_R2_of_50_parallel_uses_one_verifies(server, email):
    server.register(email)
    token = wait_for_mail(server.data, "verify_email", email).token
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        statuses = [answer.status for answer in pool.map(lambda _: verify(server, token=token), range(50))]
    assert statuses.count(200) == 1 and statuses.count(400) == 49
    assert is_verified(server, email)


def test_resend_sends_a_newer_one_which_kills_the_older(server, email):
    first_transaction = transaction_of(server.register(email))
    first = wait_for_mail(server.data, "verify_email", email)
    again = resend(server, email, {"Accept-Language": "de"})
    assert again.status == 200 and again.json == {"message": RESEND_ASKED}
    second = wait_for_mail(server.data, "verify_email", email, 2)
    assert second.locale.startswith("de") and second.token != first.token
    assert refused(verify(server, token=first.token))
    assert refused(verify(server, transaction=first_transaction, code=first.code))
    assert verify(server, transaction=transaction_of(again), code=second.code).status == 200


def test_resend_mails_nobody_who_does_not_wait(server, email):
    unknown, verified, disabled = "unknown." + email, "verified." + email, "disabled." + email
    for address in (verified, disabled):
        server.register(address)
    assert verify(server, token=wait_for_mail(server.data, "verify_email", verified).token).status == 200
    assert command("user", "disable", disabled, data=server.data)[0] == 0
    for address in (unknown, verified, disabled):
        answer = resend(server, address)
        assert answer.status == 200 and answer.json == {"message": RESEND_ASKED} and transaction_of(answer)
    settle(server.data)
    assert [len(mails(server.data, to=address)) for address in (unknown, verified, disabled)] == [0, 1, 1]


def test_A9_a_flood_of_resends_sends_five_mails_and_the_last_one_works(data):
    with Keyward(data, env={"KEYWARD_LIMITS_FORGOT_PER_HOUR": "1000"}) as server:
        server.register("waits@example.com")
        assert {resend(server, "waits@example.com").status for _ in range(60)} == {200}
        found = settled_mails(data, "verify_email", "waits@example.com")
        assert len(found) == 5
        assert verify(server, token=found[-1].token).status == 200


def test_off_sends_nothing(data):
    with Keyward(data, env=OFF) as server:
        assert server.register("quiet@example.com").status == 201
        assert server.login("quiet@example.com").status == 200
        assert server.register("quiet@example.com").status == 400
        assert resend(server, "quiet@example.com").status == 200
        no_mail(data)


# ── Required ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_required_login_waits_for_verification(required, email):
    registered, mail = joined(required, email)
    wrong, waiting = required.login(email, "wrong password here"), required.login(email)
    assert wrong.status == waiting.status == 401
    assert {**wrong.json, "request_id": 0} == {**waiting.json, "request_id": 0}
    assert verify(required, token=mail.token).status == 200
    login = required.login(email)
    assert login.status == 200 and login.json["user_id"] == registered.json["id"]
    assert me(required, login.json["access_token"]).json["email_verified"] is True
    assert refused(verify(required, token=mail.token))


def test_required_a_code_does_as_well(required, email):
    registered, mail = joined(required, email)
    assert verify(required, transaction=transaction_of(registered), code=mail.code).status == 200
    assert required.login(email).status == 200


def test_required_a_reset_verifies_too(required, email):
    joined(required, email)
    mail, _ = asked_reset(required, email)
    assert reset(required, token=mail.token).status == 204
    assert required.login(email, NEW_PASSWORD).status == 200


def test_required_bad_input_is_told_as_ever(required, email):
    assert required.register("nobody").fields == ["email"]
    assert required.register(email, "password1").fields == ["password"]
    assert required.register(email, "short").fields == ["password"]
    no_mail(required.data, to=email)


def test_required_what_a_person_gave_is_kept(required, email):
    assert required.register(email, full_name="Zoë O'Neill", roles=["admin"], email_verified=True).status == 201
    mail = wait_for_mail(required.data, "verify_email", email)
    assert "Zoë O'Neill" in mail.text and required.login(email).status == 401
    assert verify(required, token=mail.token).status == 200
    seen = me(required, required.login(email).json["access_token"]).json
    assert (seen["full_name"], seen["roles"], seen["email"]) == ("Zoë O'Neill", ["user"], email)


def test_the_command_line_and_the_setup_make_verified_accounts(data):
    with OneNode(data, env=REQUIRED) as server:
        token, = re.findall(r"kw_setup_[A-Za-z0-9_-]{43}", "".join(server.errors))
        made = server.call("POST", "/setup", {"token": token, "email": "first@example.com", "password": GOOD_PASSWORD})
        assert made.status == 201
        add_user(data, "added@example.com")
        for address in ("first@example.com", "added@example.com"):
            assert is_verified(server, address)
            resend(server, address)
        no_mail(data, "verify_email")


def test_an_account_of_before_waits_when_it_is_required_later(data):
    with Keyward(data, env=LIMITS_OFF) as server:
        server.register("early@example.com")
        login = server.login("early@example.com").json
        assert me(server, login["access_token"]).status == 200
        wait_for_mail(data, "verify_email", "early@example.com")
    with Keyward(data, env=REQUIRED) as server:
        assert server.login("early@example.com").status == me(server, login["access_token"]).status == 401
        assert server.call("POST", "/refresh", {"refresh_token": login["refresh_token"]}).status == 401
        resend(server, "early@example.com")
        assert verify(server, token=wait_for_mail(data, "verify_email", "early@example.com", 2).token).status == 200
        assert server.login("early@example.com").status == 200


def test_A7_a_taken_address_answers_like_a_new_one_and_its_owner_is_told(required, email):
    new, taken, waiting, disabled = (f"{word}.{email}" for word in ("newer", "taken", "waits", "leave"))
    for address in (taken, waiting, disabled):
        joined(required, address)
    assert verify(required, token=mails(required.data, "verify_email", taken)[0].token).status == 200
    assert command("user", "disable", disabled, data=required.data)[0] == 0
    everybody = (new, taken, waiting, disabled)
    seen = answers(required, "/register", {
        one: ({"email": one, "password": ATTACKERS_PASSWORD, "full_name": "Eve"}, one) for one in everybody})
    assert seen[new].startswith("HTTP/1.1 201 ") and "Keyward-Transaction: kw_tx_<" in seen[new]
    assert len(set(seen.values())) == 1, seen
    settle(required.data)
    for address in (taken, waiting):
        told, = mails(required.data, "already_registered", address)
        assert told.links == [f"{required.url}/account/forgot-password"] and told.token is None and told.code is None
    assert not mails(required.data, "already_registered", new)
    assert len(mails(required.data, "verify_email", taken)) == 1
    # Nothing of it was changed: neither the password nor the name.
    assert required.login(taken, ATTACKERS_PASSWORD).status == 401
    seen = me(required, required.login(taken).json["access_token"]).json
    assert seen["full_name"] is None


def test_A7_the_id_for_a_taken_address_is_nobodys_and_new_each_time(required, email):
    first, _ = joined(required, email)
    ids = {first.json["id"], *(required.register(email).json["id"] for _ in range(3))}
    assert len(ids) == 4
    settle(required.data)
    known = {row[0].hex() for row in rows(required, "SELECT id FROM accounts")}
    assert {identifier for identifier in ids if identifier.replace("-", "") in known} == {first.json["id"]}


def test_A7_A9_whoever_registers_a_taken_address_again_and_again_sends_five_mails(data):
    env = {"KEYWARD_REGISTRATION_VERIFICATION": "required", "KEYWARD_LIMITS_REGISTER_PER_HOUR": "1000"}
    with Keyward(data, env=env) as server:
        _, mail = joined(server, "taken@example.com")
        assert verify(server, token=mail.token).status == 200
        assert {server.register("taken@example.com").status for _ in range(20)} == {201}
        assert len(settled_mails(data, "already_registered", "taken@example.com")) == 5


# ── Somebody registers your address before you do ────────────────────────────────────────────────────────────────────
def test_A7_who_registers_somebody_elses_address_first_gains_nothing(required, email):
    """The owner must not finish what a stranger began: a link that the stranger caused is dead once the owner registers."""
    attackers_transaction = transaction_of(required.register(email, ATTACKERS_PASSWORD))
    of_the_attacker = wait_for_mail(required.data, "verify_email", email)
    assert required.register(email, GOOD_PASSWORD).status == 201
    wait_for_mail(required.data, "already_registered", email)
    assert refused(verify(required, token=of_the_attacker.token))
    assert refused(verify(required, transaction=attackers_transaction, code=of_the_attacker.code))
    assert required.login(email, ATTACKERS_PASSWORD).status == 401
    # A link that only confirms the address would make the stranger's password good: asked again, it is one to choose one.
    resend(required, email)
    mail = wait_for_mail(required.data, "reset_password", email)
    assert len(settled_mails(required.data, "verify_email", email)) == 1
    assert reset(required, token=mail.token).status == 204
    assert required.login(email, NEW_PASSWORD).status == 200
    assert required.login(email, ATTACKERS_PASSWORD).status == required.login(email, GOOD_PASSWORD).status == 401


def test_A7_where_it_is_optional_a_reset_takes_the_account_from_whoever_was_first(server, email):
    thief = server.new_user(email, ATTACKERS_PASSWORD)
    thiefs_transaction = transaction_of(resend(server, email))
    links = [wait_for_mail(server.data, "verify_email", email, count) for count in (1, 2)]
    mail, _ = asked_reset(server, email)
    assert reset(server, token=mail.token).status == 204
    assert me(server, thief["access_token"]).status == 401
    assert server.call("POST", "/refresh", {"refresh_token": thief["refresh_token"]}).status == 401
    assert server.login(email, ATTACKERS_PASSWORD).status == 401
    assert all(refused(verify(server, token=link.token)) for link in links)
    assert refused(verify(server, transaction=thiefs_transaction, code=links[1].code))
    assert server.login(email, NEW_PASSWORD).status == 200


def test_R2_64_parallel_registrations_of_one_address_make_one_account(required, email):
    passwords = [f"copper meadow {number} quilt" for number in range(64)]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        registered = list(pool.map(lambda password: required.register(email, password), passwords))
    assert {answer.status for answer in registered} <= {201, 503}
    assert [answer.status for answer in registered].count(201) >= 32
    settle(required.data)
    (account,), = rows(required, "SELECT id FROM accounts WHERE email = ?", email)
    assert account.hex() in {answer.json["id"].replace("-", "") for answer in registered if answer.status == 201}
    assert len(mails(required.data, "verify_email", email)) == 1, "the others are told that there is one"
    # Whose password it is nobody knows now, so it is none of them: the way on is a mail to the address.
    mail, _ = asked_reset(required, email)
    assert reset(required, token=mail.token).status == 204
    assert required.login(email, NEW_PASSWORD).status == 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = [answer.status for answer in pool.map(lambda password: required.login(email, password), passwords)]
    assert set(statuses) == {401}


def test_the_account_is_there_soon_after_the_answer(required, email):
    registered = required.register(email)
    identifier = bytes.fromhex(registered.json["id"].replace("-", ""))
    wait_until(lambda: rows(required, "SELECT 1 FROM accounts WHERE id = ?", identifier), "the account", timeout_s=5)
    assert events_about(required, "user_created", registered.json["id"])


def test_only_the_three_words_are_a_setting(data):
    for value in ("on", "true", "Required"):
        code, out, err = command("config", "check", env={"KEYWARD_REGISTRATION_VERIFICATION": value})
        assert code == 1 and "registration.verification" in out + err and "optional" in out + err, value
    assert not data.exists()
