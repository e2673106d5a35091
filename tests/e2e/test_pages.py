"""The pages behind the links in mails: in a real browser, with and without script, by mouse and by keyboard; and as bytes."""

import re
import urllib.parse

import pytest

from browser import Browser
from database import POSTGRES
from flows import LIMITS_OFF, NEW_PASSWORD, ask_change, asked_reset, forgot, is_verified, me, transaction_of
from keyward import GOOD_PASSWORD, Keyward
from mailbox import wait_for_mail

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
WEAK = "monday2019"


@pytest.fixture(scope="module")
def driver():
    with Browser() as running:
        yield running


@pytest.fixture
def browser(server, driver):
    """A browser that was nowhere yet. At the end no page has asked another origin for anything, or broken its policy."""
    driver.visit(server)
    yield driver
    assert driver.do("media", scheme="light", width=1280)["offences"] == []


def heading(shown):
    assert len(shown["headings"]) == 1
    return shown["headings"][0]


def page_words(answer):
    """What stands in the HTML, without tags."""
    return re.sub(r"<[^>]+>", " ", answer.body.decode())


class Person:
    """Somebody with an account and a link of each kind in the mailbox."""

    def __init__(self, server, email):
        self.server, self.email, self.new_email = server, email, "new." + email
        self.login = server.new_user(email)
        self.verify_link = wait_for_mail(server.data, "verify_email", email).link
        self.reset_link = asked_reset(server, email)[0].link
        asked = ask_change(server, self.login["access_token"], self.new_email)
        assert asked.status == 200, asked
        self.confirm_link = wait_for_mail(server.data, "email_change_confirm", self.new_email).link
        self.undo_link = wait_for_mail(server.data, "email_change_warn", email).link

    @property
    def links(self):
        return [self.verify_link, self.reset_link, self.confirm_link, self.undo_link]


def path_of(link):
    parts = urllib.parse.urlsplit(link)
    return f"{parts.path}?{parts.query}"


# ── What people do ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("script", [True, False])
def test_a_forgotten_password_is_reset_by_the_link_of_the_mail(server, browser, email, script):
    server.new_user(email)
    browser.visit(server, script=script)
    shown = browser.open(server.url + "/account/forgot-password")
    assert heading(shown) == "Forgot your password?" and shown["language"] == "en"
    browser.fill("Email address", email)
    shown = browser.click("Send me a link")
    assert "Look into your mailbox" in shown["text"]

    mail = wait_for_mail(server.data, "reset_password", email)
    assert heading(browser.open(mail.link)) == "Set a new password"
    browser.fill("New password", NEW_PASSWORD)
    shown = browser.click("Set the password")
    assert heading(shown) == "Your password is changed" and shown["url"].endswith("/account/done?what=reset-password")
    assert server.login(email, NEW_PASSWORD).status == 200
    assert server.login(email).status == 401

    browser.open(mail.link)  # once more
    browser.fill("New password", GOOD_PASSWORD)
    shown = browser.click("Set the password")
    assert heading(shown) == "This link does not work" and shown["title"].startswith("Error: ")
    assert heading(browser.click("Ask for a new mail", role="link")) == "Forgot your password?"


def test_R9_a_password_is_reset_by_the_code_in_the_language_of_the_browser(server, browser, email):
    server.new_user(email)
    browser.visit(server, language="de-AT")
    assert browser.open(server.url + "/account/forgot-password")["language"] == "de"
    browser.fill("E-Mail-Adresse", email)
    browser.click("Link senden")
    mail = wait_for_mail(server.data, "reset_password", email)
    assert mail.locale == "de"

    browser.fill("Code aus der Mail", "0000-0000")
    browser.fill("Neues Passwort", NEW_PASSWORD)
    shown = browser.click("Passwort festlegen")
    assert "Der Code ist ungültig" in shown["alerts"][0] and shown["title"].startswith("Fehler: ")
    assert shown["focus"] == "code"

    browser.fill("Code aus der Mail", "kurz")
    shown = browser.click("Passwort festlegen")
    assert len(shown["alerts"]) == 2  # both fields are told at once

    browser.fill("Code aus der Mail", mail.code.lower().replace("-", " "))
    browser.fill("Neues Passwort", WEAK)
    shown = browser.click("Passwort festlegen")
    assert "zu leicht zu erraten" in shown["alerts"][0] and shown["focus"] == "new_password"

    browser.fill("Neues Passwort", NEW_PASSWORD)  # the code is still there: a weak password uses nothing up
    assert heading(browser.click("Passwort festlegen")) == "Ihr Passwort ist geändert"
    assert server.login(email, NEW_PASSWORD).status == 200


def test_an_address_is_confirmed_by_the_link_and_by_the_code_of_a_second_mail(server, browser, email):
    server.new_user(email)
    first = wait_for_mail(server.data, "verify_email", email)
    shown = browser.open(server.url + "/account/verify-email")
    browser.fill("Email address", "no address")
    shown = browser.click("Send me a link")
    assert "whole email address" in shown["alerts"][0] and shown["focus"] == "email"
    browser.fill("Email address", email)
    browser.click("Send me a link")
    second = wait_for_mail(server.data, "verify_email", email, 2)

    browser.fill("Code from the mail", second.code)
    shown = browser.click("Confirm the address")
    assert heading(shown) == "Your email address is confirmed"
    assert is_verified(server, email)
    browser.open(first.link)  # dead since the second one
    assert heading(browser.click("Confirm the address")) == "This link does not work"


def test_a_new_account_is_verified_by_one_click(server, browser, email):
    server.new_user(email)
    mail = wait_for_mail(server.data, "verify_email", email)
    browser.open(mail.link)
    assert not is_verified(server, email)
    assert heading(browser.click("Confirm the address")) == "Your email address is confirmed"
    assert is_verified(server, email)


def test_a_change_of_the_address_is_confirmed_and_undone(server, browser, email):
    person = Person(server, email)
    assert heading(browser.open(person.confirm_link)) == "Confirm your new email address"
    assert heading(browser.click("Use the new address")) == "Your email address is changed"
    assert me(server, person.login["access_token"]).json["email"] == person.new_email

    assert heading(browser.open(person.undo_link)) == "Undo the change of your email address"
    assert heading(browser.click("Undo the change")) == "The change is undone"
    assert me(server, person.login["access_token"]).status == 401
    assert server.login(email).status == server.login(person.new_email).status == 401
    mail = wait_for_mail(server.data, "reset_password", email, 2)
    browser.open(mail.link)
    browser.fill("New password", NEW_PASSWORD)
    browser.click("Set the password")
    assert server.login(email, NEW_PASSWORD).status == 200
    browser.open(person.undo_link)
    assert heading(browser.click("Undo the change")) == "This link does not work"


def test_an_address_that_was_taken_meanwhile_is_told(server, browser, email):
    person = Person(server, email)
    browser.open(person.confirm_link)
    assert server.register(person.new_email).status == 201
    shown = browser.click("Use the new address")
    assert heading(shown) == "The address was not changed" and "Another account" in shown["alerts"][0]


def test_the_keyboard_is_enough_and_shows_where_it_is(server, browser, email):
    server.new_user(email)
    browser.open(server.url + "/account/forgot-password")

    def tab_to(name):
        shown = browser.press("Tab")
        assert shown["focus"] == name and shown["focus_ring"] == "solid 3px", shown
        return shown

    tab_to("email")
    browser.do("type", text=email)
    tab_to("Send me a link")
    browser.do("enter")
    mail = wait_for_mail(server.data, "reset_password", email)
    tab_to("code")
    browser.do("type", text=mail.code)
    tab_to("new_password")
    browser.do("type", text=NEW_PASSWORD)
    shown = browser.do("enter")
    assert heading(shown) == "Your password is changed"
    assert server.login(email, NEW_PASSWORD).status == 200


# ── What programs do ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_R5_a_mail_scanner_that_opens_every_link_uses_nothing_up(server, browser, email):
    person = Person(server, email)
    for link in person.links:
        for method in ("GET", "HEAD", "GET", "HEAD"):
            assert server.call(method, path_of(link) + "&utm_source=scanner").status == 200
    for link, button, done in ((person.verify_link, "Confirm the address", "Your email address is confirmed"),
                               (person.confirm_link, "Use the new address", "Your email address is changed"),
                               (person.undo_link, "Undo the change", "The change is undone")):
        browser.open(link)
        assert heading(browser.click(button)) == done


def test_S8_a_page_loads_runs_and_tells_nothing_and_stands_in_no_frame(server, browser, email):
    person = Person(server, email)
    pages = [server.call("GET", path_of(link)) for link in person.links]
    pages += [server.call("GET", path) for path in ("/account/forgot-password", "/account/verify-email", "/account/done?what=verify-email")]
    refused = server.call("POST", "/account/verify-email", form={"token": "kw_ve_" + "A" * 43})
    assert refused.status == 400
    for page in [*pages, refused]:
        assert page.headers["Content-Security-Policy"] == POLICY
        assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Frame-Options"] == "DENY" and page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert not re.search(rb"<script|\son\w+=|style=|https?://", page.body)
    style = server.call("GET", "/account/style.css")
    assert style.headers["Content-Type"].startswith("text/css") and b"url(" not in style.body and b"@import" not in style.body

    browser.visit(server)
    shown = browser.do("frame", url=person.undo_link)
    assert shown["own"] == 1 and shown["ours"] == 0
    assert "frame-ancestors 'none'" in " ".join(shown["offences"]), shown["offences"]
    browser.visit(server)  # forgets what Chromium said on its console


def test_S8_what_a_link_or_form_brings_is_shown_only_when_it_is_ours(server):
    hostile = urllib.parse.quote('"><b>x</b>kw_rp_' + "A" * 43)
    for path in ("reset-password", "verify-email", "confirm-email-change", "undo-email-change"):
        for parameter in ("token", "transaction"):
            page = server.call("GET", f"/account/{path}?{parameter}={hostile}")
            assert page.status == 400 and b"not complete" in page.body and b"<b>" not in page.body, page
            page = server.call("POST", f"/account/{path}", form={parameter: "kw_xx_" + "A" * 43, "new_password": NEW_PASSWORD})
            assert page.status == 400 and b"not complete" in page.body and b"kw_xx_" not in page.body, page
    page = server.call("POST", "/account/forgot-password", form={"email": '"><b>x</b>'})
    assert page.status == 422 and b'value="&quot;&gt;&lt;b&gt;x' in page.body
    page = server.call("POST", "/account/reset-password", form={"token": "kw_rp_" + "A" * 43, "new_password": WEAK})
    assert WEAK.encode() not in page.body
    assert server.call("GET", "/account/done?what=everything").status == 404


def test_A6_the_page_after_the_form_is_the_same_for_everybody(server, email):
    server.new_user(email)
    answers = [server.call("POST", "/account/forgot-password", form={"email": address}) for address in (email, "nobody." + email)]
    assert [answer.status for answer in answers] == [303, 303]
    for answer in answers:
        location = answer.headers["Location"]
        assert location == "/account/reset-password?transaction=" + transaction_of(answer)
        answer.words = page_words(server.call("GET", location))
    assert answers[0].words == answers[1].words


def test_A9_too_many_forms_are_a_page_that_says_when(data, email):
    with Keyward(data, env={"KEYWARD_LIMITS_FORGOT_PER_HOUR": "1"}) as server:
        assert forgot(server, email).status == 200
        for path in ("forgot-password", "resend-verification"):
            page = server.call("POST", f"/account/{path}", form={"email": email}, headers={"Accept-Language": "de"})
            assert page.status == 429 and int(page.headers["Retry-After"]) > 0
            assert "Das war zu oft" in page.body.decode() and f'value="{email}"' in page.body.decode()


def test_a_page_names_its_language_and_the_service(data):
    env = {**LIMITS_OFF, "KEYWARD_MAIL_LOCALE": "de", "KEYWARD_MAIL_SERVICE_NAME": "Bäcker & <Co>", "KEYWARD_PASSWORDS_MIN_LENGTH": "12"}
    with Keyward(data, env=env) as server:
        for asked, language in (("en-US,en;q=0.9", "en"), ("fr", "de"), ("de-CH, en;q=0.5", "de"), ("de;q=0.1, en;q=0.2", "en")):
            page = server.call("GET", "/account/reset-password?token=kw_rp_" + "A" * 43, headers={"Accept-Language": asked})
            assert page.headers["Content-Language"] == language and page.headers["Vary"] == "Accept-Language"
            text = page.body.decode()
            assert f'<html lang="{language}">' in text and "Bäcker &amp; &lt;Co&gt;</title>" in text
            assert "12 characters" in text or "12 Zeichen" in text


# ── Everybody can use them ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.skipif(POSTGRES, reason="a page looks the same whatever the database")
def test_axe_finds_nothing_on_any_page_light_dark_or_small(server, browser, email):
    person = Person(server, email)
    other = asked_reset(server, email, 2)[1]
    dead = person.reset_link

    def refused(path, label, button):
        def go():
            browser.open(server.url + path)
            browser.fill(label, "")
            return browser.click(button)
        return go

    def used_up():
        browser.open(dead)
        browser.fill("New password", NEW_PASSWORD)
        return browser.click("Set the password")

    ways = [lambda link=link: browser.open(link) for link in person.links]
    ways += [lambda path=path: browser.open(server.url + path) for path in (
        "/account/forgot-password", "/account/verify-email", f"/account/reset-password?transaction={other}",
        f"/account/verify-email?transaction={other}", "/account/undo-email-change", "/account/confirm-email-change",
        *(f"/account/done?what={what}" for what in ("reset-password", "verify-email", "confirm-email-change", "undo-email-change")))]
    ways += [refused("/account/forgot-password", "Email address", "Send me a link"),
             refused(f"/account/reset-password?transaction={other}", "Code from the mail", "Set the password"), used_up]
    for way in ways:
        shown = way()
        for scheme, width in (("light", 1280), ("dark", 1280), ("light", 320), ("dark", 320)):
            assert not browser.do("media", scheme=scheme, width=width)["overflows"], shown["url"]
            checked = browser.axe()
            assert checked["violations"] == [] and checked["passes"] > 10, (shown["url"], scheme, width, checked["violations"])
