"""What mails carry: bound to one purpose, stored as hashes only, in no log, over in time; and bad input at their doors."""

import hashlib
import json

import pytest

from database import connect
from flows import (LIMITS_OFF, NEW_PASSWORD, asked_change, asked_reset, expire, forgot, refused, reset, rows,
                   transaction_of, undo, verify)
from keyward import GOOD_PASSWORD, Keyward
from mailbox import settle, wait_for_mail

PREFIXES = {"verify_email": "kw_ve_", "reset_password": "kw_rp_", "change_email": "kw_ce_", "undo_email_change": "kw_uc_"}
LIVES_H = {"verify_email": 24, "reset_password": 1, "change_email": 24, "undo_email_change": 72}
PAGES = {"verify_email": "verify-email", "reset_password": "reset-password", "change_email": "confirm-email-change",
         "undo_email_change": "undo-email-change"}
DOORS = {"verify_email": ("/verify-email", {}, 200), "reset_password": ("/reset-password", {"new_password": NEW_PASSWORD}, 204),
         "change_email": ("/email-change/confirm", {}, 200), "undo_email_change": ("/email-change/undo", {}, 200)}


def knock(server, purpose, **proof):
    path, more, _ = DOORS[purpose]
    return server.call("POST", path, {**proof, **more})


class Everything:
    """Somebody for whom a token of each purpose is alive: `mails` and `transactions` by purpose."""

    def __init__(self, server, email):
        registered = server.register(email)
        self.id, self.new = registered.json["id"], "new." + email
        self.login = server.login(email).json
        reset_mail, reset_transaction = asked_reset(server, email)
        confirmation, warning, change_transaction = asked_change(server, self.login["access_token"], email, self.new)
        self.mails = {"verify_email": wait_for_mail(server.data, "verify_email", email), "reset_password": reset_mail,
                      "change_email": confirmation, "undo_email_change": warning}
        self.transactions = {"verify_email": transaction_of(registered), "reset_password": reset_transaction,
                             "change_email": change_transaction}
        self.tokens = {purpose: mail.token for purpose, mail in self.mails.items()}
        self.codes = {purpose: mail.code for purpose, mail in self.mails.items() if mail.code}


def test_R1_each_purpose_has_its_prefix_its_page_and_its_time(server, email):
    somebody = Everything(server, email)
    for purpose, prefix in PREFIXES.items():
        mail = somebody.mails[purpose]
        assert mail.token.startswith(prefix) and len(mail.token) == len(prefix) + 43, purpose
        assert mail.links == [f"{server.url}/account/{PAGES[purpose]}?token={mail.token}"]
        assert somebody.transactions.get(purpose, "kw_tx_") not in mail.link
    assert len({token[6:] for token in somebody.tokens.values()}) == 4
    assert set(somebody.codes) == {"verify_email", "reset_password", "change_email"}
    stored = rows(server, "SELECT purpose, expires_at - created_at, length(token_hash) FROM one_time_tokens WHERE account_id = ?",
                  bytes.fromhex(somebody.id.replace("-", "")))
    assert {purpose: (lives, size) for purpose, lives, size in stored} == {
        purpose: (hours * 3600 * 10**6, 32) for purpose, hours in LIVES_H.items()}


@pytest.mark.parametrize("purpose", list(PREFIXES))
def test_R1_a_token_of_one_purpose_opens_no_other_door(server, email, purpose):
    somebody = Everything(server, email)
    token, access_token = somebody.tokens[purpose], somebody.login["access_token"]
    for door in DOORS:
        for wrong in (token, PREFIXES[door] + token[6:], token[6:]):
            if door != purpose:
                assert knock(server, door, token=wrong).status in (400, 422), (door, wrong[:6])
                assert refused(knock(server, door, token=PREFIXES[door] + token[6:]))
        if door != purpose and purpose in somebody.codes and door != "undo_email_change":
            assert refused(knock(server, door, transaction=somebody.transactions[purpose], code=somebody.codes[purpose]))
    setup = server.call("POST", "/setup", {"token": token, "email": "admin." + email, "password": GOOD_PASSWORD})
    assert setup.status == 403
    assert server.call("POST", "/refresh", {"refresh_token": token}).status == 401
    assert server.call("GET", "/me", token=token).status == 401
    assert server.login(email, token).status == 401
    assert server.call("GET", "/me", token=access_token).json["email"] == email, "and nothing of it had an effect"
    assert server.login(email).status == 200
    assert knock(server, purpose, token=token).status == DOORS[purpose][2], "nor used it up"


@pytest.mark.parametrize("purpose", list(PREFIXES))
def test_R1_nor_another_page(server, email, purpose):
    somebody = Everything(server, email)
    for door, page in PAGES.items():
        if door == purpose:
            continue
        for wrong in (somebody.tokens[purpose], PREFIXES[door] + somebody.tokens[purpose][6:]):
            assert server.call("GET", f"/account/{page}?token={wrong}").status in (200, 400)
            assert server.call("POST", f"/account/{page}", form={"token": wrong, **DOORS[door][1]}).status == 400, door
    assert server.login(email).status == 200
    done = server.call("POST", f"/account/{PAGES[purpose]}", form={"token": somebody.tokens[purpose], **DOORS[purpose][1]})
    assert done.status == 303 and done.headers["Location"] == f"/account/done?what={PAGES[purpose]}"
    assert refused(knock(server, purpose, token=somebody.tokens[purpose])), "once, on both ways together"


@pytest.mark.parametrize("purpose", ["verify_email", "reset_password"])
def test_R9_the_tries_of_a_code_are_counted_on_both_ways_together(server, email, purpose):
    somebody = Everything(server, email)
    proof = {"transaction": somebody.transactions[purpose], "code": somebody.codes[purpose]}
    wrong = {**proof, "code": "0000-0000" if proof["code"] != "0000-0000" else "1111-1111"}
    page, more = f"/account/{PAGES[purpose]}", DOORS[purpose][1]
    assert [server.call("POST", page, form={**wrong, **more}).status for _ in range(3)] == [400] * 3
    assert refused(knock(server, purpose, **wrong)) and refused(knock(server, purpose, **wrong))
    assert server.call("POST", page, form={**proof, **more}).status == 400
    assert refused(knock(server, purpose, **proof))


@pytest.mark.parametrize("door", list(PREFIXES))
def test_R1_no_other_secret_of_ours_opens_a_mails_door(server, email, door):
    somebody = Everything(server, email)
    secrets = [somebody.login["access_token"], somebody.login["refresh_token"], *somebody.transactions.values(),
               *somebody.codes.values(), somebody.id]
    for secret in secrets:
        assert knock(server, door, token=secret).status in (400, 422), secret
    for purpose, transaction in somebody.transactions.items():
        if door != "undo_email_change":
            assert knock(server, door, transaction=transaction, code=somebody.tokens[purpose]).status in (400, 422)
            assert knock(server, door, transaction=somebody.tokens[purpose], code=somebody.codes[purpose]).status in (400, 422)
    assert server.login(email).status == 200


def stored_of(server):
    """All that the server keeps, but for the mails themselves."""
    stored = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file() and path.suffix != ".eml")
    with connect(server.data) as database:
        for table in ("one_time_tokens", "code_transactions", "outgoing_mails", "deferred_requests", "accounts", "sessions", "audit_events"):
            for row in database.execute(f"SELECT * FROM {table}").fetchall():
                for value in row:
                    stored += value if isinstance(value, bytes) else str(value).encode()
                    stored += b"\n"
    return stored


def test_R1_nothing_stored_is_usable(data):
    with Keyward(data, env=LIMITS_OFF) as server:
        somebody = Everything(server, "stored@example.com")
        settle(data)
        stored = stored_of(server)
        assert b"stored@example.com" in stored and b"new.stored@example.com" in stored  # it is the right place
        for token in [*somebody.tokens.values(), *somebody.transactions.values()]:
            assert token.encode() not in stored and token[6:].encode() not in stored
        for code in somebody.codes.values():
            for spelled in (code, code.replace("-", "")):
                assert spelled.encode() not in stored and spelled.lower().encode() not in stored
                # Eight characters are found by trying when what is stored is no more than their hash.
                assert hashlib.sha256(spelled.encode()).digest() not in stored
        # The hash does not open the door either, nor does any other column.
        with connect(data) as database:
            for row in database.execute("SELECT * FROM one_time_tokens").fetchall():
                for value in row:
                    text = value.hex() if isinstance(value, bytes) else str(value)
                    for prefix in PREFIXES.values():
                        assert verify(server, token=prefix + text).status in (400, 422)
                        assert reset(server, token=prefix + text).status in (400, 422)


def test_R5_no_token_code_or_transaction_is_in_a_log(data):
    with Keyward(data, env={**LIMITS_OFF, "KEYWARD_SERVER_ACCESS_LOG": "true", "KEYWARD_LOG_LEVEL": "debug"}) as server:
        somebody = Everything(server, "logs@example.com")
        secrets = [*somebody.tokens.values(), *somebody.transactions.values(), *somebody.codes.values()]
        for purpose, token in somebody.tokens.items():
            for path in (f"/account/{PAGES[purpose]}?token={token}", f"{DOORS[purpose][0]}?token={token}", f"/livez?token={token}"):
                for method in ("GET", "HEAD", "POST"):
                    server.call(method, path, headers={"Referer": server.url + path})
            knock(server, purpose, token=token[:-2] + "AA")
            for door in DOORS:
                if door != purpose:
                    knock(server, door, token=token)
        for purpose, code in somebody.codes.items():
            knock(server, purpose, transaction=somebody.transactions[purpose], code=code[:-1] + ("0" if code[-1] != "0" else "1"))
            server.call("GET", f"/account/{PAGES[purpose]}?transaction={somebody.transactions[purpose]}")
        assert verify(server, token=somebody.tokens["verify_email"]).status == 200
        assert reset(server, token=somebody.tokens["reset_password"]).status == 204
        assert undo(server, somebody.tokens["undo_email_change"]).status == 200
        settle(data)
        secrets.append(wait_for_mail(data, "reset_password", "logs@example.com", 2).token)
    output = "".join(server.events) + "".join(server.errors)
    assert "authn_password_change" in output and "/account/reset-password" in output
    for secret in secrets:
        for part in (secret, secret[6:] if secret.startswith("kw_") else secret.replace("-", "")):
            assert part not in output


def test_R5_reading_the_link_twice_uses_nothing_up(server, email):
    somebody = Everything(server, email)
    for mail in somebody.mails.values():
        for method in ("HEAD", "GET", "GET", "OPTIONS"):
            server.call(method, mail.link.removeprefix(server.url))
    for purpose in ("verify_email", "change_email", "undo_email_change"):
        assert knock(server, purpose, token=somebody.tokens[purpose]).status == 200, purpose
    again = Everything(server, "again." + email)
    server.call("GET", again.mails["reset_password"].link.removeprefix(server.url))
    assert reset(server, token=again.tokens["reset_password"]).status == 204


def test_every_token_and_code_is_over_in_time(data):
    with Keyward(data, env=LIMITS_OFF) as server:
        somebody = Everything(server, "late@example.com")
        expire(server)
        for purpose, token in somebody.tokens.items():
            assert refused(knock(server, purpose, token=token)), purpose
        for purpose, code in somebody.codes.items():
            assert refused(knock(server, purpose, transaction=somebody.transactions[purpose], code=code)), purpose
        assert server.login("late@example.com").status == 200
        assert forgot(server, "late@example.com").status == 200  # and a new one works
        assert reset(server, token=wait_for_mail(data, "reset_password", "late@example.com", 2).token).status == 204


def test_whoever_presents_too_many_is_told_to_wait(data):
    with Keyward(data, env={"KEYWARD_LIMITS_PROOFS_PER_MINUTE": "7"}) as server:
        server.register("patient@example.com")
        token = wait_for_mail(data, "verify_email", "patient@example.com").token
        made_up = {purpose: prefix + "A" * 43 for purpose, prefix in PREFIXES.items()}
        answers = [knock(server, purpose, token=made_up[purpose]) for purpose in [*DOORS, *DOORS]]
        assert [answer.status for answer in answers] == [400] * 7 + [429]
        refusal = verify(server, token=token)
        assert refusal.status == 429 and 0 < int(refusal.headers["Retry-After"]) <= 60
        assert server.call("POST", "/account/verify-email", form={"token": token}).status == 429
    with Keyward(data, env=LIMITS_OFF) as server:
        assert verify(server, token=token).status == 200


# ── Bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────
BAD_PROOFS = [
    {}, {"token": None}, {"token": 17}, {"token": ["x"]}, {"token": {"x": 1}}, {"token": True}, {"transaction": "kw_tx_A"},
    {"code": "ABCD-EFGH"}, {"transaction": None, "code": None}, {"transaction": 1, "code": 2},
    {"transaction": ["x"], "code": "ABCD-EFGH"},
]


@pytest.mark.parametrize("purpose", list(DOORS))
def test_a_proof_that_is_none_is_told_so(server, purpose):
    for proof in BAD_PROOFS:
        answer = knock(server, purpose, **proof)
        assert answer.status == 422 and answer.headers["Content-Type"] == "application/problem+json", (proof, answer)
    for raw in (b"", b"[]", b"null", b'"x"', b"{", b'{"token": "x"', b"\xff\xfe", b'{"token": "\xed\xa0\x80"}',
                b'{"token":"a","token":"b"}'):
        answer = server.call("POST", DOORS[purpose][0], raw=raw, headers={"Content-Type": "application/json"})
        assert answer.status in (400, 422), (raw, answer)
    assert server.call("POST", DOORS[purpose][0], raw=b"x", headers={"Content-Type": "text/plain"}).status == 415
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert server.call(method, DOORS[purpose][0]).status == 405


@pytest.mark.parametrize("purpose", ["verify_email", "reset_password", "change_email"])
def test_both_proofs_at_once_are_refused_and_nothing_is_used_up(server, email, purpose):
    somebody = Everything(server, email)
    proof = {"transaction": somebody.transactions[purpose], "code": somebody.codes[purpose]}
    for _ in range(6):
        assert knock(server, purpose, token=somebody.tokens[purpose], **proof).status == 422
        assert knock(server, purpose, token=somebody.tokens[purpose], code=proof["code"]).status == 422
        assert knock(server, purpose, transaction=proof["transaction"]).status == 422
    assert knock(server, purpose, **proof).status == DOORS[purpose][2]


@pytest.mark.parametrize("purpose", list(DOORS))
def test_long_strange_and_unknown_members_break_nothing(server, email, purpose):
    somebody = Everything(server, email)
    token, other = somebody.tokens[purpose], PREFIXES[purpose]
    for size in (100, 1000, 60_000):
        assert knock(server, purpose, token=other + "A" * size).status in (400, 422)
        assert knock(server, purpose, token="x" * size).status in (400, 422)
    assert knock(server, purpose, token="x" * (1 << 20)).status == 413
    for strange in (token + "\0", "\0" + token, token[:20] + "\0" + token[20:], token + "\u2028", token + " ", token + "=",
                    "ｋｗ" + token[2:], token + "%00", token.swapcase(), "\U0001F600" * 43, other + "é" * 43, other + "/" * 43):
        assert knock(server, purpose, token=strange).status in (400, 422), strange
    for strange in ("\0" * 8, "\u2028" * 8, "ＡＢＣＤ-ＥＦＧＨ", "x" * 10_000, "'; DROP TABLE one_time_tokens; --", "%", "____-____"):
        for transaction in ("kw_tx_" + "A" * 43, "\0", "x" * 10_000, somebody.transactions.get(purpose, "x")):
            assert knock(server, purpose, transaction=transaction, code=strange).status in (400, 422), (transaction, strange)
    # Members that nobody knows have no effect; only the token says whose it is and what for.
    more = {"email": "other." + email, "account_id": "x", "user_id": "x", "purpose": "reset_password", "new_email": "x@example.com",
            "roles": ["admin"], "email_verified": False}
    path, mine, status = DOORS[purpose]
    assert server.call("POST", path, {"token": token, **mine, **more}).status == status
    with connect(server.data) as database:
        addresses = [row[0] for row in database.execute("SELECT email FROM accounts").fetchall()]
    assert "x@example.com" not in addresses and "other." + email not in addresses


@pytest.mark.parametrize("path", ["/forgot-password", "/verify-email/resend"])
def test_only_an_address_is_asked_for(server, path):
    for body in ({}, {"email": None}, {"email": 1}, {"email": ["a@example.com"]}, {"email": ""}, {"email": "nobody"},
                 {"email": "a@b"}, {"email": "a@example.com\r\nBcc: b@example.com"}, {"email": "a@example.com,b@example.com"},
                 {"email": "a@example.com\0"}, {"email": "x" * 300 + "@example.com"}, {"email": "<a@example.com>"},
                 {"username": "a@example.com"}):
        answer = server.call("POST", path, body)
        assert answer.status == 422 and answer.fields == ["email"], (body, answer)
        assert "Keyward-Transaction" not in answer.headers or transaction_of(answer)
    assert server.call("POST", path, {"email": "x" * (1 << 20)}).status == 413
    known = server.call("POST", path, {"email": "a@example.com", "roles": ["admin"], "token": "x"})
    assert known.status == 200


def test_the_document_knows_every_call(server):
    paths = json.loads(server.call("GET", "/openapi.json").body)["paths"]
    for path in ("/verify-email", "/verify-email/resend", "/forgot-password", "/reset-password", "/me/email",
                 "/email-change/confirm", "/email-change/undo"):
        assert "post" in paths[path], path
