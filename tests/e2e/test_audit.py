"""The audit trail: a row for every event, a chain that shows every change, and nothing done unlogged."""

import json
import re
import resource
import signal
import subprocess
import time

import pytest

from database import POSTGRES, connect
from keyward import BINARY, GOOD_PASSWORD, clean_environment, command
from keyward import OneNode as Keyward


def tail(data, env=None):
    code, output, errors = command("audit", "tail", "--json", "--limit", "10000", data=data, env=env)
    assert code == 0, errors
    return [json.loads(line) for line in output.splitlines()]


def verify(data, *arguments, env=None):
    code, output, errors = command("audit", "verify", "--json", *arguments, data=data, env=env)
    assert output, errors
    report = json.loads(output)
    assert (code == 0) == report["valid"]
    return report


def names(rows):
    return [row["event"] for row in rows]


def test_L1_L3_every_event_is_a_line_and_a_row(data):
    with Keyward(data) as server:
        user = server.new_user("ada@example.com")
        server.login("ada@example.com", "wrong password 12345")
        server.call("PATCH", "/me", {"full_name": "Ada"}, token=user["access_token"])
        server.call("POST", "/me/password", {"current_password": GOOD_PASSWORD, "new_password": "another orbit candle 95"},
                    token=user["access_token"])
        server.call("GET", "/me", token="no.such.token")
        server.call("DELETE", "/me", token=user["access_token"])
    lines = [event for event in server.logged_events() if event["event"] != "audit_checkpoint"]
    rows = tail(data)
    for expected in ("sys_startup", "user_created", "authn_login_success", "authn_token_created", "authn_login_fail", "user_updated",
                     "authn_password_change", "authz_fail", "user_deleted", "sys_shutdown"):
        assert names(lines).count(expected) == 1, expected
        assert names(rows).count(expected) == 1, expected
    # The same facts in both, whatever the order of a refusal among changes.
    assert sorted(map(json.dumps, rows)) == sorted(map(json.dumps, lines))
    assert verify(data)["valid"]


def test_L2_an_address_of_mail_is_a_keyed_hash_unless_configured(data):
    with Keyward(data) as server:
        server.new_user("ada@example.com")
        server.login("Nobody@Example.com", "wrong password 12345")
    text = json.dumps(tail(data)) + "".join(server.events)
    assert "example.com" not in text.lower() and "hmac:" in text
    with Keyward(data, env={"KEYWARD_AUDIT_EMAIL": "plain"}) as server:
        server.login("Nobody@Example.com", "wrong password 12345")
    assert tail(data)[-2]["email"] == "Nobody@Example.com"
    with Keyward(data, env={"KEYWARD_AUDIT_EMAIL": "off"}) as server:
        server.login("Nobody@Example.com", "wrong password 12345")
    assert "email" not in tail(data)[-2]


@pytest.mark.parametrize("text", ["a\r\nb", "a\x1b[31mred", "x\u2028y\u2029z", "\u202eevil", "tab\there", '"},{"event":"forged'])
def test_L2_one_line_out_whatever_comes_in(data, text):
    agent = "".join(character for character in text if character >= " ")  # HTTP itself refuses control characters
    with Keyward(data, env={"KEYWARD_AUDIT_EMAIL": "plain"}) as server:
        server.call("POST", "/login", {"email": text, "password": GOOD_PASSWORD}, headers={"User-Agent": agent.encode()})
        server.wait_for_event("authn_login_fail")
    assert len(server.logged_events("authn_login_fail")) == 1
    code, output, _ = command("audit", "tail", data=data)
    assert code == 0 and output.count("\n") == len(tail(data))
    for banned in ("\r", "\x1b", "\u2028", "\u2029", "\u202e", "\t"):
        assert banned not in output and banned not in "".join(server.events)


def test_L3_kill_9_loses_the_log_and_not_the_row(data):
    server = Keyward(data).start()
    created = [server.register(f"kill{number}@example.com").json["id"] for number in range(5)]
    server.stop(signal.SIGKILL)
    assert {row["user_id"] for row in tail(data) if row["event"] == "user_created"} == set(created)
    assert verify(data)["valid"]


CHANGES = {
    "changed": ("UPDATE audit_events SET reason = 'other' WHERE sequence = 3", "row 3 of chain \\d+"),
    "removed": ("DELETE FROM audit_events WHERE sequence = 3", "row 3 of chain \\d+ is missing"),
    "swapped": ("UPDATE audit_events SET sequence = CASE sequence WHEN 3 THEN -4 ELSE -3 END WHERE sequence IN (3, 4);"
                "UPDATE audit_events SET sequence = -sequence WHERE sequence < 0", "row 3 of chain \\d+"),
    "cut": ("DELETE FROM audit_events WHERE sequence > 3;"
            "UPDATE audit_chains SET sequence = 3, hash = (SELECT hash FROM audit_events WHERE sequence = 3)", "tail was cut off"),
    "emptied": ("DELETE FROM audit_events; DELETE FROM audit_chains", "tail was cut off"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_L3_the_first_broken_link_is_named(data, change):
    with Keyward(data, env={"KEYWARD_STORAGE_WRITERS": "1"}) as server:  # one connection, so one chain
        server.new_user("ada@example.com")
    assert verify(data)["valid"] and verify(data)["checkpoints"] >= 1
    script, named = CHANGES[change]
    with connect(data) as database:
        database.executescript(script)
    report = verify(data)
    assert not report["valid"] and re.search(named, report["broken"]), report
    code, _, errors = command("audit", "verify", data=data)
    assert code == 1 and re.search(named, errors)


def test_L3_a_checkpoint_kept_from_the_log_outlives_the_database(data, tmp_path):
    with Keyward(data) as server:
        server.new_user("ada@example.com")
    kept = tmp_path / "kept.log"
    kept.write_text("".join(server.events))
    assert verify(data, "--checkpoint", kept)["valid"]
    with connect(data) as database:
        database.executescript("DELETE FROM audit_events; DELETE FROM audit_chains; DELETE FROM audit_checkpoints")
    assert verify(data)["valid"]
    assert "tail was cut off" in verify(data, "--checkpoint", kept)["broken"]
    kept.write_text('{"event":"audit_checkpoint","id":"x"}\n')
    code, _, errors = command("audit", "verify", "--checkpoint", kept, data=data)
    assert code == 1 and "no audit_checkpoint line" in errors


@pytest.mark.skipif(POSTGRES, reason="the limit is on the files of our process, and PostgreSQL's are its server's")
def test_L3_on_a_full_disk_nothing_is_done_unlogged(data):
    """The files of the server may not grow beyond what they have: what the kernel says then is what a full disk says."""
    with Keyward(data) as server:
        server.new_user("ada@example.com")
    largest = max(file.stat().st_size for file in data.rglob("*"))
    server = Keyward(data)
    server.start()
    try:
        token = server.login("ada@example.com").json["access_token"]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (largest + 64 * 1024, resource.RLIM_INFINITY))
        names_set, refused = [], 0
        for number in range(2000):
            answer = server.call("PATCH", "/me", {"full_name": f"Ada {number}"}, token=token)
            if answer.status == 200:
                names_set.append(f"Ada {number}")
            else:
                assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
                refused += 1  # the log may find room again when it is folded back
                if refused == 5:
                    break
        assert refused > 0 and names_set
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        time.sleep(1.1)  # what a loop knows of an account it knows for a second
        assert server.call("GET", "/me", token=token).json["full_name"] == names_set[-1]
        assert server.call("PATCH", "/me", {"full_name": "Room again"}, token=token).status == 200
    finally:
        server.stop()
    assert names(tail(data)).count("user_updated") == len(names_set) + 1
    assert verify(data)["valid"]


def test_audit_follow_prints_what_comes(data):
    with Keyward(data) as server:
        follower = subprocess.Popen([str(BINARY), "audit", "tail", "--follow", "--json", "--data", str(data)], stdout=subprocess.PIPE,
                                    text=True, env=clean_environment(data))
        try:
            while json.loads(follower.stdout.readline())["event"] != "sys_startup":
                pass  # what the first start made: its key and the setup token
            server.register("follow@example.com")
            assert json.loads(follower.stdout.readline())["event"] == "user_created"
        finally:
            follower.terminate()
            follower.wait(10)


def admin_token(server, data):
    code, _, errors = command("user", "add", "admin@example.com", "--role", "admin", "--password-stdin", data=data, stdin=GOOD_PASSWORD)
    assert code == 0, errors
    return server.login("admin@example.com").json["access_token"]


def test_Z1_the_trail_is_read_by_those_who_may(data):
    with Keyward(data) as server:
        user = server.new_user("ada@example.com")
        admin = admin_token(server, data)
        assert server.call("GET", "/audit").status == 401
        assert server.call("GET", "/audit", token=user["access_token"]).status == 403
        page = server.call("GET", "/audit", token=admin)
        assert page.status == 200 and page.json["next"] is None
        assert page.json["items"][0]["event"] in ("authn_token_created", "authz_fail")  # newest first
        assert {"time", "event", "user_id", "actor_id", "reason", "address"} <= set(page.json["items"][0])


def test_the_trail_is_paged_and_filtered(data):
    with Keyward(data) as server:
        users = [server.new_user(f"person{number}@example.com") for number in range(4)]
        admin = admin_token(server, data)

        def read(**query):
            answer = server.call("GET", "/audit?" + "&".join(f"{name}={value}" for name, value in query.items()), token=admin)
            assert answer.status == 200, answer
            return answer.json

        whole = read(limit=200)["items"]
        paged, after = [], None
        while True:
            page = read(limit=3, **({"after": after} if after else {}))
            assert len(page["items"]) <= 3
            paged += page["items"]
            after = page["next"]
            if after is None:
                break
        assert paged == whole and len(whole) > 10
        mine = read(user_id=users[1]["user_id"])["items"]
        assert [event["event"] for event in mine] == ["authn_token_created", "authn_login_success", "user_created"]
        assert {event["event"] for event in read(event="user_created")["items"]} == {"user_created"}
        created = read(event="user_created")["items"]
        assert read(event="user_created", since=created[1]["time"])["items"] == created[:2]
        assert read(event="user_created", until=created[1]["time"])["items"] == created[2:]
        assert read(address="192.0.2.9")["items"] == []


@pytest.mark.parametrize("query, field", [("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("after=1.2", "after"),
                                          ("after=1.2.3.4", "after"), ("user_id=1", "user_id"), ("since=yesterday", "since"),
                                          ("sort=event", "sort"), ("event=" + "x" * 65, "event")])
def test_Z6_a_bad_query_is_told_by_its_field(server, query, field):
    admin = getattr(test_Z6_a_bad_query_is_told_by_its_field, "admin", None)
    if admin is None:
        admin = test_Z6_a_bad_query_is_told_by_its_field.admin = admin_token(server, server.data)
    answer = server.call("GET", "/audit?" + query, token=admin)
    assert answer.status == 422 and answer.fields == [field], answer


def test_L1_each_role_that_comes_or_goes_has_a_row_of_its_own(data):
    """However many go with it: none can push another out of the text."""
    with Keyward(data) as server:
        user = server.new_user("ada@example.com")
        admin = admin_token(server, data)
        names_made = [f"{number:03}" + "x" * 61 for number in range(40)]
        for name in names_made:
            assert server.call("PUT", f"/roles/{name}", {"permissions": []}, token=admin).status == 200
        changed = server.call("PATCH", f"/users/{user['user_id']}", {"roles": [*names_made, "admin"]}, token=admin)
        assert changed.status == 200, changed
    details = [row["detail"] for row in tail(data) if row["event"] == "authz_change" and row.get("user_id") == user["user_id"]]
    assert {"roles +admin", "roles -user"} <= set(details)
    assert {f"roles +{name}" for name in names_made} <= set(details)


def test_L1_keys_and_the_setup_token_leave_rows(data):
    with Keyward(data):
        pass
    for how in ("--now", "--compromised"):
        assert command("key", "rotate", how, data=data)[0] == 0
    made = [row for row in tail(data) if row["event"] == "sensitive_create"]
    assert [row.get("detail", "").split(" ")[0] for row in made if row["reason"] == "signing_key"] == ["first", "now", "compromised"]
    assert [row["reason"] for row in made].count("setup_token") == 1


def test_L1_the_command_line_tells_what_it_did(data):
    with Keyward(data) as server:
        server.new_user("ada@example.com")
        assert command("user", "disable", "ada@example.com", data=data)[0] == 0
        assert command("user", "delete", "ada@example.com", data=data)[0] == 0
        admin_token(server, data)
    rows = [row for row in tail(data) if row.get("reason") == "command_line"]
    assert names(rows) == ["user_updated", "authn_token_revoked", "user_deleted", "user_created", "authz_admin"]
    assert rows[1]["detail"] == "sessions 1" and rows[2]["email"].startswith("hmac:")
