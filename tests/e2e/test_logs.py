"""Security events and the log (L2): one line out per event, and no secret in any of them."""

import json

from keyward import OneNode as Keyward

SECRET_PASSWORD = "marble canoe 31 thunder"

NAUGHTY = ["a\rb", "a\\r\\nInjected: x", "\u001b[31mred", "x\u2028y", "\u202egnp.exe", "'\"<script>", "%0d%0a{\"event\":\"forged\"}"]


def test_events_of_the_spine(data):
    with Keyward(data) as server:
        login = server.new_user("events@example.com")
        server.login("events@example.com", "wrong password here")
        server.login("unknown@example.com", "wrong password here")
        server.call("GET", "/me", token="a.b.c")
        created, = server.wait_for_event("user_created")
        success, = server.wait_for_event("authn_login_success")
        server.wait_for_event("authn_token_created")
        failures = server.wait_for_event("authn_login_fail", count=2)
        assert created["user_id"] == success["user_id"] == login["user_id"]
        assert success["address"] == "127.0.0.1" and success["request_id"]
        assert [failure["reason"] for failure in failures] == ["wrong_password", "unknown_account"]
    assert server.logged_events("sys_startup") and server.logged_events("sys_shutdown")


def test_L2_no_secret_is_in_any_output(data):
    with Keyward(data, env={"KEYWARD_SERVER_ACCESS_LOG": "true", "KEYWARD_LOG_LEVEL": "debug"}) as server:
        login = server.new_user("canary@example.com", SECRET_PASSWORD)
        server.call("GET", "/me?token=canary-in-the-query", token=login["access_token"])
        server.login("canary@example.com", "canary wrong password")
        server.call("POST", "/me/password", {"current_password": SECRET_PASSWORD, "new_password": "granite lantern 7 waves"},
                    token=login["access_token"])
        master_key = (data / "master.key").read_text().strip()
    output = "".join(server.events) + "".join(server.errors)
    assert "authn_password_change" in output
    for secret in (SECRET_PASSWORD, "granite lantern 7 waves", "canary wrong password", login["access_token"],
                   login["access_token"].split(".")[2], login["refresh_token"], master_key, "canary-in-the-query",
                   "canary@example.com"):
        assert secret not in output, secret


def test_L2_one_line_out_per_event_whatever_the_input(data):
    with Keyward(data) as server:
        for text in NAUGHTY:
            server.call("POST", "/login", {"email": text, "password": text},
                        headers={"User-Agent": text.encode("utf-8").decode("latin-1").replace("\r", "").replace("\u001b", "")})
        server.raw(b"GET /livez HTTP/1.1\r\nHost: x\r\nUser-Agent: \xff\xfe\x9b31m\r\nX-Request-Id: forged\x7f\r\nConnection: close\r\n\r\n")
        server.wait_for_event("authn_login_fail")
    failures = server.logged_events("authn_login_fail")  # parses every line as JSON
    assert len(failures) == len(NAUGHTY)
    for line in server.events + server.errors[3:]:
        if line.startswith("{"):
            json.loads(line)
        assert not any(character in line for character in "\r\u001b\u2028\u202e\x9b")
    assert not server.logged_events("forged")
