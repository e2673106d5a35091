"""The short code of a mail (R9): for the call that asked, ten minutes, five tries, once."""

import secrets

import pytest

from flows import NEW_PASSWORD, asked_reset, expire, refused, reset, transaction_of, verify, wait_until
from keyward import Keyward
from mailbox import wait_for_mail
from wire import Wire

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's


def wrong_codes(right, count):
    """Such as the server makes them, all different and none of them the right one."""
    made = {right}
    while len(made) <= count:
        made.add("".join(secrets.choice(LETTERS) for _ in range(4)) + "-" + "".join(secrets.choice(LETTERS) for _ in range(4)))
    return sorted(made - {right})


def test_R9_a_code_is_of_32_characters_and_no_two_are_alike(server, email):
    server.register(email)
    codes = [asked_reset(server, email, count)[0].code.replace("-", "") for count in range(1, 9)]
    assert len(set(codes)) == 8 and {len(code) for code in codes} == {8}
    assert len(set("".join(codes))) >= 16 and set("".join(codes)) <= set(LETTERS), "eight times eight of 32"


@pytest.mark.parametrize("typed", [str.lower, str.upper, lambda code: code.replace("-", ""), lambda code: code.replace("-", " "),
                                   lambda code: f"  {code.lower()} ", lambda code: " ".join(code.replace("-", "")),
                                   lambda code: code.replace("-", "--")],
                         ids=["lower", "upper", "bare", "space", "around", "spelled", "dashes"])
def test_R9_case_dashes_and_spaces_do_not_matter(server, email, typed):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    assert reset(server, transaction=transaction, code=typed(mail.code)).status == 204
    assert server.login(email, NEW_PASSWORD).status == 200


def test_R9_four_wrong_codes_leave_the_right_one_alive(server, email):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    for wrong in wrong_codes(mail.code, 4):
        assert refused(reset(server, transaction=transaction, code=wrong))
    assert reset(server, transaction=transaction, code=mail.code).status == 204


def test_R9_after_five_wrong_codes_the_right_one_is_refused_and_the_link_works(server, email):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    for wrong in wrong_codes(mail.code, 5):
        assert refused(reset(server, transaction=transaction, code=wrong))
    assert refused(reset(server, transaction=transaction, code=mail.code))
    wait_until(lambda: [event for event in server.logged_events("excess_rate_limit_exceeded")
                        if event.get("reason") == "code_tries"], "an event about the fifth wrong code")
    assert reset(server, token=mail.token).status == 204


def test_R9_the_right_code_beside_a_weak_password_is_no_try_and_a_wrong_one_is(server, email):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    for _ in range(7):
        assert reset(server, "password1", transaction=transaction, code=mail.code).fields == ["new_password"]
    assert reset(server, transaction=transaction, code=mail.code).status == 204
    mail, transaction = asked_reset(server, email, 2)
    for wrong in wrong_codes(mail.code, 5):  # otherwise guessing would be free
        assert refused(reset(server, "password1", transaction=transaction, code=wrong))
    assert refused(reset(server, transaction=transaction, code=mail.code))


def test_R9_letters_that_look_like_digits_are_read_as_such(server, email):
    server.register(email)
    for count in range(1, 100):
        mail, transaction = asked_reset(server, email, count)
        if "0" in mail.code or "1" in mail.code:
            break
    typed = mail.code.replace("0", "o").replace("1", "l")
    assert typed != mail.code and not set(mail.code) & set("OILU")
    assert reset(server, transaction=transaction, code=typed).status == 204


def test_R9_the_code_of_one_call_is_not_good_for_another(server, email):
    """Neither somebody else's, nor the same person's: whoever only knows an address cannot use the code that its owner reads."""
    other = "other." + email
    server.register(email)
    server.register(other)
    mine, my_transaction = asked_reset(server, email)
    theirs, their_transaction = asked_reset(server, other)
    assert refused(reset(server, transaction=my_transaction, code=theirs.code))
    assert refused(reset(server, transaction=their_transaction, code=mine.code))
    newer, newer_transaction = asked_reset(server, email, 2)
    assert refused(reset(server, transaction=my_transaction, code=newer.code))
    assert refused(reset(server, transaction=newer_transaction, code=mine.code))
    assert reset(server, transaction=their_transaction, code=theirs.code).status == 204
    assert reset(server, transaction=newer_transaction, code=newer.code).status == 204


def test_R9_a_transaction_of_nothing_is_refused_like_a_wrong_code(server, email):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    unknown = transaction_of(server.call("POST", "/forgot-password", {"email": "unknown." + email}))
    for wrong in (unknown, transaction[:-1], transaction.upper(), "kw_tx_", "kw_tx_" + "A" * 43, "x"):
        assert reset(server, transaction=wrong, code=mail.code).status in (400, 422), wrong
    assert refused(reset(server, transaction=unknown, code=mail.code))
    assert reset(server, transaction=transaction, code=mail.code).status == 204


def test_R9_after_ten_minutes_the_code_is_over_and_the_link_is_not(server, email):
    server.register(email)
    mail, transaction = asked_reset(server, email)
    expire(server, "code_transactions")
    assert refused(reset(server, transaction=transaction, code=mail.code))
    assert reset(server, token=mail.token).status == 204


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email"])
def test_R9_64_parallel_wrong_codes_and_then_the_right_one_is_refused(server, email, path):
    transaction = transaction_of(server.register(email))
    more = {}
    if path == "/reset-password":
        mail, transaction = asked_reset(server, email)
        more = {"new_password": NEW_PASSWORD}
    else:
        mail = wait_for_mail(server.data, "verify_email", email)
    wires = [Wire(server.port) for _ in range(64)]
    for wire, wrong in zip(wires, wrong_codes(mail.code, 64)):
        wire.send("POST", path, {**more, "transaction": transaction, "code": wrong})
    assert {wire.read()[0] for wire in wires} == {400}
    assert refused(server.call("POST", path, {**more, "transaction": transaction, "code": mail.code}))
    assert server.call("POST", path, {**more, "token": mail.token}).status in (200, 204)


def test_R9_of_64_parallel_guesses_with_the_right_one_last_five_are_compared(data):
    """The right code sits behind 63 wrong ones: it gets in only while fewer than five of them were looked at before it."""
    with Keyward(data, env={"KEYWARD_LIMITS_ENABLED": "false"}) as server:
        for round_number in range(6):
            email = f"race{round_number}@example.com"
            server.register(email)
            mail, transaction = asked_reset(server, email)
            wires = [Wire(server.port) for _ in range(64)]
            for wire, code in zip(wires, [*wrong_codes(mail.code, 63), mail.code]):
                wire.send("POST", "/reset-password", {"transaction": transaction, "code": code, "new_password": NEW_PASSWORD})
            statuses = [wire.read()[0] for wire in wires]
            assert statuses[:63] == [400] * 63
            assert server.login(email, NEW_PASSWORD).status == (200 if statuses[63] == 204 else 401)
        with_tries = [event for event in server.logged_events("excess_rate_limit_exceeded") if event.get("reason") == "code_tries"]
        assert len(with_tries) <= 6, "at most once for each account"


def test_R9_a_verification_code_is_for_the_registration_that_asked(server, email):
    mine, theirs = (transaction_of(server.register(address)) for address in (email, "other." + email))
    code = wait_for_mail(server.data, "verify_email", email).code
    assert refused(verify(server, transaction=theirs, code=code))
    assert verify(server, transaction=mine, code=code.lower()).json == {"message": "Email verified"}
    assert refused(verify(server, transaction=mine, code=code)), "once"
