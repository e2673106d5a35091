"""The calls of the mail flows, one function each, and what people do with them."""

import re
import time

from database import connect
from keyward import GOOD_PASSWORD
from mailbox import mails, wait_for_mail

NEW_PASSWORD = "granite lantern 7 waves"
INVALID = "The link or code is not valid, was used, or has expired"
RESET_ASKED = "If email exists, reset link sent"
RESEND_ASKED = "If the address waits for verification, a mail was sent"
LIMITS_OFF = {"KEYWARD_LIMITS_ENABLED": "false"}
# Several nodes, or one that is started again, are one issuer of tokens only under one public URL.
ONE_ISSUER = {**LIMITS_OFF, "KEYWARD_SERVER_PUBLIC_URL": "http://localhost:8080"}
REQUIRED = {**LIMITS_OFF, "KEYWARD_REGISTRATION_VERIFICATION": "required"}


def forgot(server, email, headers=None):
    return server.call("POST", "/forgot-password", {"email": email}, headers=headers)


def resend(server, email, headers=None):
    return server.call("POST", "/verify-email/resend", {"email": email}, headers=headers)


def reset(server, password=NEW_PASSWORD, **proof):
    """proof: token, or transaction and code; as in verify() and confirm()."""
    return server.call("POST", "/reset-password", {**proof, "new_password": password})


def verify(server, **proof):
    return server.call("POST", "/verify-email", proof)


def ask_change(server, access_token, new_email, password=GOOD_PASSWORD, headers=None):
    body = {"new_email": new_email, "password": password}
    return server.call("POST", "/me/email", body, token=access_token, headers=headers)


def confirm(server, **proof):
    return server.call("POST", "/email-change/confirm", proof)


def undo(server, token):
    return server.call("POST", "/email-change/undo", {"token": token})


def transaction_of(answer):
    transaction = answer.headers["Keyward-Transaction"]
    assert re.fullmatch(r"kw_tx_[A-Za-z0-9_-]{16,}", transaction), answer.headers.items()
    return transaction


def asked_reset(server, email, count=1):
    """(the count-th mail that a reset was asked with, the transaction of the call)."""
    answer = forgot(server, email)
    assert answer.status == 200 and answer.json == {"message": RESET_ASKED}, answer
    return wait_for_mail(server.data, "reset_password", email, count), transaction_of(answer)


def asked_change(server, access_token, old, new, password=GOOD_PASSWORD):
    """(the mail to confirm with, the one to undo with, the transaction)."""
    answer = ask_change(server, access_token, new, password)
    assert answer.status == 200 and answer.json["new_email"] == new, answer
    confirmation = wait_for_mail(server.data, "email_change_confirm", new)
    warning = wait_until(lambda: [mail for mail in mails(server.data, "email_change_warn", old) if new in mail.text],
                         f"a warning about {new}")[-1]
    return confirmation, warning, transaction_of(answer)


def me(server, access_token):
    return server.call("GET", "/me", token=access_token)


def is_verified(server, email, password=GOOD_PASSWORD):
    login = server.login(email, password)
    assert login.status == 200, login
    return me(server, login.json["access_token"]).json["email_verified"]


def refused(answer):
    """Whether it is the one answer to a link or code that does not count."""
    return answer.status == 400 and answer.json["detail"] == INVALID


def rows(server, sql, *parameters):
    with connect(server.data) as database:
        return database.execute(sql, parameters).fetchall()


def expire(server, what="one_time_tokens"):
    """All tokens of the server (or only the codes: code_transactions) are over, as if the time had passed."""
    with connect(server.data) as database:
        database.execute(f"UPDATE {what} SET expires_at = ?", (int(time.time() * 1e6) - 1,))


def wait_until(condition, what, timeout_s=15):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it did not happen: {what}"
        time.sleep(0.01)
    return found


def events_about(server, name, user_id, timeout_s=5, **members):
    """The events of that name about somebody (and with these members), waited for."""
    def found():
        return [event for event in server.logged_events(name) if event.get("user_id") == user_id
                and all(event.get(key) == value for key, value in members.items())]

    return wait_until(found, f"{name} {members}", timeout_s)
