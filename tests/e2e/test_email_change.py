"""Another address for an account: confirmed from the new one, undone from the old one."""

import concurrent.futures
import time

import pytest

from database import connect
from flows import (LIMITS_OFF, NEW_PASSWORD, ask_change, asked_change, asked_reset, confirm, events_about, expire, is_verified, me,
                   refused, reset, rows, transaction_of, undo, verify)
from keyward import GOOD_PASSWORD, Keyward, command
from mailbox import mails, no_mail, settle, settled_mails, wait_for_mail
from sameness import masked, request
from wire import Wire

OTHER_PASSWORD = "copper meadow 3 quilt"


class Owner:
    """Somebody with an account at `old` who wants `new`."""

    def __init__(self, server, email, verified=True):
        self.server, self.old, self.new = server, "old." + email, "new." + email
        self.id = server.register(self.old).json["id"]
        self.id_bytes = bytes.fromhex(self.id.replace("-", ""))
        if verified:
            assert verify(server, token=wait_for_mail(server.data, "verify_email", self.old).token).status == 200
        self.token = server.login(self.old).json["access_token"]

    def ask(self, new=None, password=GOOD_PASSWORD, old=None):
        return asked_change(self.server, self.token, old or self.old, new or self.new, password)

    def address(self):
        return me(self.server, self.token).json["email"]

    def has(self, address):
        """Now, or when every node has heard of it, which takes a second at most."""
        deadline = time.monotonic() + 2
        while self.address() != address and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.address() == address


@pytest.fixture
def owner(server, email):
    return Owner(server, email)


# ── The way ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_whole_way_by_link(server, owner):
    asked = ask_change(server, owner.token, owner.new)
    assert asked.status == 200 and set(asked.json) == {"message", "new_email"} and asked.json["new_email"] == owner.new
    mail = wait_for_mail(server.data, "email_change_confirm", owner.new)
    warning = wait_for_mail(server.data, "email_change_warn", owner.old)
    assert mail.link == f"{server.url}/account/confirm-email-change?token={mail.token}" and mail.token.startswith("kw_ce_")
    assert warning.link == f"{server.url}/account/undo-email-change?token={warning.token}" and warning.token.startswith("kw_uc_")
    assert owner.new in warning.text and owner.new in warning.html and warning.code is None and mail.code
    assert owner.address() == owner.old, "not before it is confirmed"
    others = server.login(owner.old).json
    assert me(server, others["access_token"]).status == 200 and server.login(owner.new).status == 401
    done = confirm(server, token=mail.token)
    assert done.status == 200 and done.json == {"message": "Email changed"}
    assert owner.has(owner.new)
    seen = me(server, owner.token).json
    assert (seen["email"], seen["email_verified"], seen["id"]) == (owner.new, True, owner.id)
    assert server.login(owner.new).status == 200 and server.login(owner.old).status == 401
    assert me(server, others["access_token"]).status == 401, "only the session that asked goes on"
    assert server.call("POST", "/refresh", {"refresh_token": others["refresh_token"]}).status == 401
    told, = settled_mails(server.data, "email_changed", owner.old)
    assert owner.new in told.text and told.token is None and not mails(server.data, "email_changed", owner.new)
    for reason in ("email_change_requested", "email_changed"):
        assert len(events_about(server, "user_updated", owner.id, reason=reason)) == 1
    assert refused(confirm(server, token=mail.token)), "once"


def test_the_whole_way_by_code(server, owner):
    mail, _, transaction = owner.ask()
    assert refused(confirm(server, transaction=transaction, code="AAAA-AAAA"))
    assert confirm(server, transaction=transaction, code=mail.code.lower().replace("-", " ")).json == {"message": "Email changed"}
    assert owner.has(owner.new)
    assert refused(confirm(server, token=mail.token))


def test_it_needs_the_password_and_a_session(server, owner):
    wrong = ask_change(server, owner.token, owner.new, "wrong password here")
    assert wrong.status == 403 and wrong.json["detail"] == "Current password is wrong"
    assert server.call("POST", "/me/email", {"new_email": owner.new, "password": GOOD_PASSWORD}).status == 401
    for bad in ("nobody", "", owner.new + "\r\nBcc: x@example.com", owner.new + "," + owner.old, None, 7):
        assert ask_change(server, owner.token, bad).fields == ["new_email"], bad
    assert ask_change(server, owner.token, owner.new, None).fields == ["password"]
    more = server.call("POST", "/me/email", {"new_email": owner.new, "password": GOOD_PASSWORD, "email_verified": True}, owner.token)
    assert more.status == 422 and more.fields == ["email_verified"]
    no_mail(server.data, to=owner.new)
    assert not mails(server.data, "email_change_warn", owner.old)


def test_guesses_at_the_password_are_counted_like_logins(data):
    with Keyward(data) as server:
        owner = Owner(server, "guess@example.com")
        statuses = [ask_change(server, owner.token, owner.new, f"wrong password {number}").status for number in range(7)]
        assert statuses == [403] * 5 + [429] * 2
        refusal = ask_change(server, owner.token, owner.new)
        assert refusal.status == 429 and int(refusal.headers["Retry-After"]) > 0
        no_mail(data, to=owner.new)


def test_A10_the_old_address_is_told_in_the_language_of_who_asks(server, owner):
    assert ask_change(server, owner.token, owner.new, headers={"Accept-Language": "de"}).status == 200
    warning = wait_for_mail(server.data, "email_change_warn", owner.old)
    assert warning.subject == "Ihre E-Mail-Adresse für Keyward wird geändert"
    assert wait_for_mail(server.data, "email_change_confirm", owner.new).locale.startswith("de")
    assert len(settled_mails(server.data, "email_change_warn", owner.old)) == 1
    assert not mails(server.data, "email_change_warn", owner.new)


# ── Undone ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("confirmed", [False, True])
def test_it_is_undone_before_and_after_its_confirmation(server, owner, confirmed):
    mail, warning, transaction = owner.ask()
    if confirmed:
        assert confirm(server, token=mail.token).status == 200
    other = server.login(owner.new if confirmed else owner.old).json
    done = undo(server, warning.token)
    assert done.status == 200 and done.json == {"message": "Email change undone"}
    assert refused(confirm(server, token=mail.token)), "what waited is off"
    assert refused(confirm(server, transaction=transaction, code=mail.code))
    assert me(server, owner.token).status == me(server, other["access_token"]).status == 401
    assert server.call("POST", "/refresh", {"refresh_token": other["refresh_token"]}).status == 401
    assert [server.login(address).status for address in (owner.old, owner.new)] == [401, 401], "the password is nobody's any more"
    assert refused(undo(server, warning.token)), "once"
    told = [mail.to for mail in settled_mails(server.data, "email_changed") if owner.old in mail.text and owner.new in mail.text]
    assert told == ([owner.old, owner.new] if confirmed else []), "the change and the undoing, each to the address that loses it"
    reset_mail = wait_for_mail(server.data, "reset_password", owner.old)
    assert reset(server, token=reset_mail.token).status == 204
    assert is_verified(server, owner.old, NEW_PASSWORD)
    assert not mails(server.data, "reset_password", owner.new)
    assert len(events_about(server, "user_updated", owner.id, reason="email_change_undone")) == 1


def test_the_first_owner_gets_it_back_from_who_changed_all_twice(server, owner, email):
    """A thief with the session and the password moves the account, changes the password, and moves it again."""
    first, second = "evil1." + email, "evil2." + email
    mail, owners_undo, _ = owner.ask(first)
    assert confirm(server, token=mail.token).status == 200
    changed = server.call("POST", "/me/password", {"current_password": GOOD_PASSWORD, "new_password": OTHER_PASSWORD}, owner.token)
    assert changed.status == 204
    mail, thiefs_undo, _ = owner.ask(second, OTHER_PASSWORD, old=first)
    assert confirm(server, token=mail.token).status == 200
    thiefs_reset, _ = asked_reset(server, second)
    thief = server.login(second, OTHER_PASSWORD).json
    assert undo(server, owners_undo.token).status == 200
    assert refused(undo(server, thiefs_undo.token)), "the thief cannot undo the undoing"
    assert refused(reset(server, OTHER_PASSWORD, token=thiefs_reset.token))
    assert me(server, thief["access_token"]).status == me(server, owner.token).status == 401
    for address in (owner.old, first, second):
        assert [server.login(address, password).status for password in (GOOD_PASSWORD, OTHER_PASSWORD)] == [401, 401], address
    reset_mail = wait_for_mail(server.data, "reset_password", owner.old)
    assert reset(server, token=reset_mail.token).status == 204
    login = server.login(owner.old, NEW_PASSWORD)
    assert login.json["user_id"] == owner.id
    assert me(server, login.json["access_token"]).json["email"] == owner.old


def test_a_later_undo_leaves_the_earlier_ones_alive(server, owner, email):
    middle, last = "middle." + email, "last." + email
    mail, first_undo, _ = owner.ask(middle)
    assert confirm(server, token=mail.token).status == 200
    mail, second_undo, _ = owner.ask(last, old=middle)
    assert confirm(server, token=mail.token).status == 200
    assert undo(server, second_undo.token).status == 200
    assert wait_for_mail(server.data, "reset_password", middle)
    assert undo(server, first_undo.token).status == 200
    reset_mail = wait_for_mail(server.data, "reset_password", owner.old)
    assert reset(server, token=reset_mail.token).status == 204
    assert server.login(owner.old, NEW_PASSWORD).status == 200


def test_R3_the_undo_lives_through_a_reset_and_a_password_change(server, owner):
    mail, warning, _ = owner.ask()
    assert confirm(server, token=mail.token).status == 200
    reset_mail, _ = asked_reset(server, owner.new)
    assert reset(server, token=reset_mail.token).status == 204
    login = server.login(owner.new, NEW_PASSWORD).json
    changed = server.call("POST", "/me/password", {"current_password": NEW_PASSWORD, "new_password": OTHER_PASSWORD},
                          login["access_token"])
    assert changed.status == 204
    assert undo(server, warning.token).status == 200
    assert wait_for_mail(server.data, "reset_password", owner.old)
    assert server.login(owner.new, OTHER_PASSWORD).status == server.login(owner.old, OTHER_PASSWORD).status == 401


def test_R2_of_an_undo_and_a_confirmation_at_once_the_undo_counts(server, email):
    for round_number in range(8):
        owner = Owner(server, f"race{round_number}.{email}")
        mail, warning, _ = owner.ask()
        wires = [Wire(server.port) for _ in range(9)]
        for number, wire in enumerate(wires):
            path, token = ("/email-change/undo", warning.token) if number % 2 else ("/email-change/confirm", mail.token)
            wire.send("POST", path, {"token": token})
        statuses = [wire.read()[0] for wire in wires]
        assert statuses[1::2].count(200) == 1 and statuses[0::2].count(200) <= 1 and set(statuses) <= {200, 400}
        (address,), = rows(server, "SELECT email FROM accounts WHERE id = ?", owner.id_bytes)
        assert address == owner.old, statuses


# ── Whose address ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_address_is_kept_for_its_owner_while_the_undo_lives(data):
    with Keyward(data, env=LIMITS_OFF) as server:
        owner, stranger = Owner(server, "kept@example.com"), Owner(server, "stranger@example.com")
        mail, _, _ = owner.ask()
        assert confirm(server, token=mail.token).status == 200
        taken = server.register(owner.old)
        assert taken.status == 400 and taken.json["detail"] == "Email already registered"
        assert server.register(owner.old.upper()).status == 400
        assert ask_change(server, stranger.token, owner.old).status == 200
        assert not settled_mails(data, "email_change_confirm", owner.old)
        mail, _, _ = owner.ask(owner.old, old=owner.new)  # but the owner may go back
        assert confirm(server, token=mail.token).status == 200
        assert owner.address() == owner.old
        mail, _, _ = owner.ask("third.kept@example.com")
        assert confirm(server, token=mail.token).status == 200
        expire(server)
        assert server.register(owner.old).status == 201


def test_a_change_that_waited_longer_does_not_take_a_kept_address(server, email):
    """Eve asked for it while it was free, Ada had it since and left it: Ada can still go back."""
    ada, eve, wanted = Owner(server, "ada." + email), Owner(server, "eve." + email), "wanted." + email
    waiting, _, _ = eve.ask(wanted)
    assert ask_change(server, ada.token, wanted).status == 200
    ada_mail = wait_for_mail(server.data, "email_change_confirm", wanted, 2)
    assert confirm(server, token=ada_mail.token).status == 200
    mail, warning, _ = ada.ask("later." + email, old=wanted)
    assert confirm(server, token=mail.token).status == 200
    late = confirm(server, token=waiting.token)
    assert late.status == 409 and eve.address() == eve.old
    assert undo(server, warning.token).status == 200
    assert server.login(eve.old).status == 200 and server.register(wanted).status == 400


def test_the_time_to_undo_counts_from_the_change(server, owner):
    mail, warning, _ = owner.ask()
    soon = int(time.time() * 1e6) + 60 * 10**6
    with connect(server.data) as database:
        database.execute("UPDATE one_time_tokens SET expires_at = ? WHERE account_id = ?", (soon, owner.id_bytes))
    assert confirm(server, token=mail.token).status == 200
    (expires,), = rows(server, "SELECT expires_at FROM one_time_tokens WHERE account_id = ?", owner.id_bytes)
    assert 71.9 < (expires - time.time() * 1e6) / 3600e6 <= 72
    assert undo(server, warning.token).status == 200


def test_A9_nobody_asks_for_changes_without_end(data):
    """It takes the password, and yet: the new address may be a stranger's."""
    with Keyward(data) as server:
        owner = Owner(server, "eager@example.com")
        answers = [ask_change(server, owner.token, f"stranger{number}@example.com") for number in range(7)]
        assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert len(settled_mails(data, "email_change_confirm")) == len(mails(data, "email_change_warn")) == 5
        assert confirm(server, token=mails(data, "email_change_confirm")[-1].token).status == 200


def test_an_address_that_only_waits_is_not_kept(server, owner):
    """Asking for a change to somebody's address must not keep its owner from registering."""
    mail, _, _ = owner.ask()
    assert server.register(owner.new).status == 201
    late = confirm(server, token=mail.token)
    assert late.status == 409 and late.headers["Content-Type"] == "application/problem+json"
    assert owner.address() == owner.old and server.login(owner.new).json["user_id"] != owner.id


def test_A6_A7_a_taken_address_answers_like_a_free_one_and_its_owner_is_told(server, owner, email):
    free, taken, kept = f"free.{email}", f"some.{email}", f"kept.{email}"
    server.register(taken)
    leaver = Owner(server, "x." + email)
    mail, _, _ = leaver.ask(kept)
    assert confirm(server, token=mail.token).status == 200
    mail, _, _ = leaver.ask("gone." + email, old=kept)
    assert confirm(server, token=mail.token).status == 200
    seen = {}
    for address in (free, taken, kept):
        raw = request("/me/email", {"new_email": address, "password": GOOD_PASSWORD},
                      ["Authorization: Bearer " + owner.token, "Connection: close"])
        seen[address] = masked(server.raw(raw), address)
    assert seen[free].startswith("HTTP/1.1 200 ") and "Keyward-Transaction: kw_tx_<" in seen[free]
    assert len(set(seen.values())) == 1, seen
    settle(server.data)
    assert [len(mails(server.data, "email_change_confirm", address)) for address in (free, taken)] == [1, 0]
    told, = mails(server.data, "already_registered", taken)
    assert told.links == [f"{server.url}/account/forgot-password"]
    assert [len(mails(server.data, "email_change_warn", one)) for one in (owner.old, taken)] == [3, 0]
    assert server.login(taken).status == 200 and owner.address() == owner.old


@pytest.mark.parametrize("rounds", [6])
def test_R2_of_two_who_change_to_one_address_at_once_one_gets_it(server, email, rounds):
    for round_number in range(rounds):
        wanted = f"wanted{round_number}.{email}"
        owners = [Owner(server, f"{name}{round_number}.{email}") for name in ("ada", "eve")]
        for owner in owners:
            assert ask_change(server, owner.token, wanted).status == 200
        found = [wait_for_mail(server.data, "email_change_confirm", wanted, count) for count in (1, 2)]
        wires = [Wire(server.port) for _ in found]
        for wire, mail in zip(wires, found):
            wire.send("POST", "/email-change/confirm", {"token": mail.token})
        statuses = [wire.read()[0] for wire in wires]
        assert sorted(statuses) == [200, 409], statuses
        assert sorted([owner.has(wanted) for owner in owners]) == [False, True]
        assert len(rows(server, "SELECT id FROM accounts WHERE email = ?", wanted)) == 1
        assert server.login(wanted).status == 200


def test_R1_a_token_is_bound_to_the_address_that_it_was_made_for(server, owner, email):
    first, _, first_transaction = owner.ask("first." + email)
    second, _, second_transaction = owner.ask("second." + email)
    assert refused(confirm(server, token=first.token)), "a newer one kills it"
    assert refused(confirm(server, transaction=first_transaction, code=first.code))
    assert refused(confirm(server, transaction=second_transaction, code=first.code))
    more = server.call("POST", "/email-change/confirm", {"token": second.token, "new_email": "third." + email, "email": "x@x.example"})
    assert more.status in (200, 422)
    if more.status == 422:
        assert confirm(server, token=second.token).status == 200
    assert owner.has("second." + email)


# ── What it kills, and what kills it ─────────────────────────────────────────────────────────────────────────────────
def test_R3_tokens_of_before_are_dead_after_the_change(server, email):
    owner = Owner(server, email, verified=False)
    verification = wait_for_mail(server.data, "verify_email", owner.old)
    reset_mail, reset_transaction = asked_reset(server, owner.old)
    mail, warning, _ = owner.ask()
    assert confirm(server, token=mail.token).status == 200
    assert refused(verify(server, token=verification.token))
    assert refused(reset(server, token=reset_mail.token))
    assert refused(reset(server, transaction=reset_transaction, code=reset_mail.code))
    assert server.login(owner.new).status == 200
    assert transaction_of(server.call("POST", "/forgot-password", {"email": owner.old}))
    assert len(settled_mails(server.data, "reset_password", owner.old)) == 1, "the old address is nobody's login any more"
    later_mail, _ = asked_reset(server, owner.new)
    assert undo(server, warning.token).status == 200
    for token in (reset_mail.token, later_mail.token):  # nor do they come back with the address
        assert refused(reset(server, token=token))
    assert refused(verify(server, token=verification.token))


@pytest.mark.parametrize("by", ["change", "reset"])
def test_R3_a_new_password_kills_a_change_that_waits(server, owner, by):
    mail, _, transaction = owner.ask()
    if by == "change":
        body = {"current_password": GOOD_PASSWORD, "new_password": NEW_PASSWORD}
        assert server.call("POST", "/me/password", body, owner.token).status == 204
    else:
        reset_mail, _ = asked_reset(server, owner.old)
        assert reset(server, token=reset_mail.token).status == 204
    assert refused(confirm(server, token=mail.token))
    assert refused(confirm(server, transaction=transaction, code=mail.code))
    assert server.login(owner.old, NEW_PASSWORD).status == 200


def test_A5_a_disabled_or_deleted_account_changes_nothing(server, owner, email):
    mail, warning, _ = owner.ask()
    assert command("user", "disable", owner.old, data=server.data)[0] == 0
    assert refused(confirm(server, token=mail.token))
    assert command("user", "enable", owner.old, data=server.data)[0] == 0
    assert server.login(owner.old).status == 200 and server.login(owner.new).status == 401
    leaver = Owner(server, "leaver." + email)
    mail, warning, _ = leaver.ask()
    # Whoever asked may be a thief who covers their tracks: not while it can be undone.
    assert server.call("DELETE", "/me", token=leaver.token).status == 409
    with connect(server.data) as database:
        database.execute("UPDATE one_time_tokens SET expires_at = 1 WHERE account_id = ? AND purpose = 'undo_email_change'",
                         (leaver.id_bytes,))
    assert server.call("DELETE", "/me", token=leaver.token).status == 204
    assert refused(confirm(server, token=mail.token)) and refused(undo(server, warning.token))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # and both addresses are free again
        assert [answer.status for answer in pool.map(server.register, (leaver.old, leaver.new))] == [201, 201]
