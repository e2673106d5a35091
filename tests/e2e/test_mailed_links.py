"""Where mailed links point (R4): at the public URL, whatever a request says about itself."""

import json
import urllib.parse

import pytest

from flows import LIMITS_OFF, REQUIRED, asked_reset, events_about
from keyward import GOOD_PASSWORD, Keyward
from mailbox import settle, settled_mails, wait_for_mail

PUBLIC = "https://id.example.com"
EVIL = "evil.example"

# Heads of a request, {host} being what it should say; None: no Host line at all.
HEADS = {
    "plain": ["Host: {host}"],
    "another_host": [f"Host: {EVIL}"],
    "another_port": ["Host: 127.0.0.1:444"],
    "host_with_at": [f"Host: {{host}}@{EVIL}"],
    "host_with_path": [f"Host: {EVIL}/x?"],
    "host_with_space": [f"Host: {{host}} {EVIL}"],
    "host_after_port": [f"Host: {{host}}:80{EVIL}"],
    "host_empty": ["Host:"],
    "host_absent": [],
    "two_hosts": ["Host: {host}", f"Host: {EVIL}"],
    "two_hosts_turned": [f"Host: {EVIL}", "Host: {host}"],
    "folded_host": ["Host: {host}", f" {EVIL}"],
    "forwarded_host": ["Host: {host}", f"X-Forwarded-Host: {EVIL}"],
    "forwarded_host_list": ["Host: {host}", f"X-Forwarded-Host: {{host}}, {EVIL}"],
    "two_forwarded_hosts": ["Host: {host}", "X-Forwarded-Host: {host}", f"X-Forwarded-Host: {EVIL}"],
    "forwarded": ["Host: {host}", f"Forwarded: for=192.0.2.1;host={EVIL};proto=http"],
    "forwarded_proto": ["Host: {host}", "X-Forwarded-Proto: http", "X-Forwarded-Scheme: http", "X-Forwarded-Ssl: off"],
    "forwarded_port": ["Host: {host}", "X-Forwarded-Port: 4444"],
    "forwarded_prefix": ["Host: {host}", "X-Forwarded-Prefix: /evil", "X-Script-Name: /evil"],
    "forwarded_server": ["Host: {host}", f"X-Forwarded-Server: {EVIL}"],
    "other_names": ["Host: {host}", f"X-Host: {EVIL}", f"X-HTTP-Host-Override: {EVIL}", f"X-Original-Host: {EVIL}",
                    f"X-Original-URL: https://{EVIL}/", f"X-Rewrite-URL: https://{EVIL}/", f"X-Real-Host: {EVIL}"],
    "referer": ["Host: {host}", f"Referer: https://{EVIL}/reset"],
}
MALFORMED = {"host_with_at", "host_with_path", "host_with_space", "host_after_port", "host_empty", "host_absent", "two_hosts",
             "two_hosts_turned", "folded_host"}
TARGETS = {"relative": "{path}", "absolute": "http://{host}{path}", "absolute_elsewhere": f"http://{EVIL}{{path}}",
           "absolute_with_user": f"http://{{host}}@{EVIL}{{path}}", "absolute_https": f"https://{EVIL}:443{{path}}"}


def exchange(server, target, head, path, content, kind, token=None):
    """The answer to one request as these bytes."""
    host = f"127.0.0.1:{server.port}"
    lines = [f"POST {target.format(host=host, path=path)} HTTP/1.1", *(line.format(host=host) for line in head),
             f"Content-Type: {kind}", f"Content-Length: {len(content)}", "Connection: close"]
    if token:
        lines.append("Authorization: Bearer " + token)
    return server.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + content.encode()).decode()


def send(server, target, head, path, body, token=None):
    """The status of it."""
    return int(exchange(server, target, head, path, json.dumps(body), "application/json", token).split(" ")[1])


@pytest.fixture(scope="module", params=["direct", "behind_a_trusted_proxy"])
def public(request, tmp_path_factory):
    env = {**LIMITS_OFF, "KEYWARD_SERVER_PUBLIC_URL": PUBLIC}
    if request.param == "behind_a_trusted_proxy":
        env["KEYWARD_SERVER_TRUSTED_PROXIES"] = "127.0.0.1/32"
    with Keyward(tmp_path_factory.mktemp("links") / "data", env=env) as running:
        yield running


def check(mail, page):
    assert mail.links == [f"{PUBLIC}/account/{page}?token={mail.token}"], mail.links
    everything = mail.message.as_string() + mail.text + mail.html
    assert EVIL not in everything and "127.0.0.1:" not in everything and "4444" not in mail.link
    assert f'href="{mail.link}"' in mail.html.replace("&amp;", "&")


@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize("head", list(HEADS))
def test_R4_the_link_of_a_reset_never_moves(public, email, head, target):
    public.register(email)
    status = send(public, TARGETS[target], HEADS[head], "/forgot-password", {"email": email})
    assert status == (400 if head in MALFORMED or target == "absolute_with_user" else 200)
    if status == 200:
        check(wait_for_mail(public.data, "reset_password", email), "reset-password")
    else:
        assert not settled_mails(public.data, "reset_password", email)


@pytest.mark.parametrize("head", ["another_host", "forwarded_host", "forwarded", "forwarded_proto", "referer"])
def test_R4_nor_do_the_links_of_the_other_mails(public, email, head):
    lines, new = HEADS[head], "new." + email
    assert send(public, "{path}", lines, "/register", {"email": email, "password": GOOD_PASSWORD}) == 201
    check(wait_for_mail(public.data, "verify_email", email), "verify-email")
    assert send(public, "{path}", lines, "/verify-email/resend", {"email": email}) == 200
    check(wait_for_mail(public.data, "verify_email", email, 2), "verify-email")
    token = public.login(email).json["access_token"]
    assert send(public, "{path}", lines, "/me/email", {"new_email": new, "password": GOOD_PASSWORD}, token) == 200
    check(wait_for_mail(public.data, "email_change_confirm", new), "confirm-email-change")
    warning = wait_for_mail(public.data, "email_change_warn", email)
    check(warning, "undo-email-change")
    assert send(public, "{path}", lines, "/email-change/undo", {"token": warning.token}) == 200
    check(wait_for_mail(public.data, "reset_password", email), "reset-password")


@pytest.mark.parametrize("head", list(HEADS))
def test_R4_nor_do_the_forms_of_the_pages_lead_elsewhere(public, email, head):
    public.register(email)
    for path, kind, page in (("/account/forgot-password", "reset_password", "reset-password"),
                             ("/account/resend-verification", "verify_email", "verify-email")):
        form = urllib.parse.urlencode({"email": email})
        answer = exchange(public, "{path}", HEADS[head], path, form, "application/x-www-form-urlencoded")
        assert answer[9:12] == ("400" if head in MALFORMED else "303") and EVIL not in answer, answer
        if head not in MALFORMED:
            assert f"\r\nLocation: /account/{page}?transaction=kw_tx_" in answer
            check(wait_for_mail(public.data, kind, email, 2 if kind == "verify_email" else 1), page)


@pytest.mark.parametrize("path, kind", [("/forgot-password", "application/json"),
                                        ("/account/forgot-password", "application/x-www-form-urlencoded")])
def test_R4_S7_a_page_of_another_site_gets_no_link_sent(public, email, path, kind):
    public.register(email)
    content = json.dumps({"email": email}) if kind.endswith("json") else urllib.parse.urlencode({"email": email})
    for target in ("{path}", f"http://{EVIL}{{path}}"):
        answer = exchange(public, target, ["Host: {host}", f"Origin: https://{EVIL}"], path, content, kind)
        assert answer[9:12] == "403" and EVIL not in answer, answer
    assert not settled_mails(public.data, "reset_password", email)


def test_R4_nor_does_that_of_an_address_that_is_taken(data, email):
    with Keyward(data, env={**REQUIRED, "KEYWARD_SERVER_PUBLIC_URL": PUBLIC}) as server:
        for _ in range(2):
            assert send(server, "{path}", HEADS["another_host"], "/register", {"email": email, "password": GOOD_PASSWORD}) == 201
            settle(data)
        mail = wait_for_mail(data, "already_registered", email)
        assert mail.links == [f"{PUBLIC}/account/forgot-password"] and EVIL not in mail.message.as_string()


def test_R4_without_a_public_url_it_is_where_the_server_listens(server, email):
    registered = server.register(email)
    assert send(server, "{path}", HEADS["another_host"], "/forgot-password", {"email": email}) == 200
    mail = wait_for_mail(server.data, "reset_password", email)
    assert mail.link == f"{server.url}/account/reset-password?token={mail.token}"
    assert events_about(server, "user_created", registered.json["id"])


def test_R4_a_new_public_url_counts_from_the_next_mail(data, email):
    """The link is made of the setting in force when the mail is made, not of the one at the first start."""
    for public_url in (PUBLIC, "https://login.example.org:8443"):
        with Keyward(data, env={**LIMITS_OFF, "KEYWARD_SERVER_PUBLIC_URL": public_url}) as server:
            server.register(email)
            mail, _ = asked_reset(server, email, 1 if public_url == PUBLIC else 2)
            assert mail.link.startswith(public_url + "/account/reset-password?token=")
