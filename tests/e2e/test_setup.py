"""The first admin: no default account, a token that works once."""

import concurrent.futures
import re
import stat

import pytest

from database import connect
from keyward import GOOD_PASSWORD, command
from keyward import OneNode as Keyward
from people import add_user

TOKEN = re.compile(r"kw_setup_[A-Za-z0-9_-]{43}")


def printed_token(server):
    return TOKEN.findall("".join(server.errors))


def set_up(server, token, email="first@example.com", password=GOOD_PASSWORD, **more):
    return server.call("POST", "/setup", {"token": token, "email": email, "password": password, **more})


def one(data, sql):
    with connect(data) as database:
        return database.execute(sql).fetchone()[0]


def test_P12_a_fresh_server_has_no_account_and_its_token_makes_the_first_admin_once(data):
    with Keyward(data) as server:
        assert one(data, "SELECT count(*) FROM accounts") == 0
        token, = printed_token(server)
        file = data / "setup-token"
        assert file.read_text() == token + "\n" and stat.S_IMODE(file.stat().st_mode) == 0o600
        for email in ("admin@example.com", "admin@localhost", "root@example.com"):
            for password in ("admin", "password", "keyward", "changeme"):
                assert server.login(email, password).status in (401, 422)
        made = set_up(server, token, full_name="Ada")
        assert made.status == 201 and set(made.json) == {"message", "email", "id"}
        login = server.login("first@example.com").json
        me = server.call("GET", "/me", token=login["access_token"]).json
        assert (me["id"], me["roles"], me["full_name"]) == (made.json["id"], ["admin", "user"], "Ada")
        assert server.call("GET", "/users", token=login["access_token"]).status == 200
        assert not file.exists()
        again, wrong = set_up(server, token, "second@example.com"), set_up(server, "kw_setup_" + "A" * 43, "second@example.com")
        assert again.status == wrong.status == 403 and again.json["detail"] == wrong.json["detail"]
        event, = server.wait_for_event("authz_admin")
        assert event["user_id"] == made.json["id"] and event["reason"] == "first_admin"
        assert not TOKEN.search("".join(server.events))
    with Keyward(data) as server:
        assert not printed_token(server) and not (data / "setup-token").exists()
        assert set_up(server, token, "second@example.com").status == 403


def test_R1_only_a_hash_of_the_token_is_in_the_database(data):
    with Keyward(data) as server:
        token, = printed_token(server)
        others = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file() and file.name != "setup-token")
        with connect(data) as database:
            others += repr(database.execute("SELECT * FROM setup_tokens").fetchall()).encode()
        assert token.encode() not in others and token.removeprefix("kw_setup_").encode() not in others
        assert one(data, "SELECT length(token_hash) FROM setup_tokens") == 32


def test_R2_64_uses_at_once_make_one_admin(data):
    with Keyward(data, env={"KEYWARD_LIMITS_ENABLED": "false"}) as server:
        token, = printed_token(server)
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda n: set_up(server, token, f"first{n}@example.com").status, range(64)))
        assert answers.count(201) == 1 and set(answers) <= {201, 403, 503}
        assert one(data, "SELECT count(*) FROM accounts") == one(data, "SELECT count(*) FROM account_roles WHERE role = 'admin'") == 1


def test_what_is_refused_leaves_the_token_alive_and_costs_no_hash_without_it(data):
    with Keyward(data, env={"KEYWARD_LIMITS_ENABLED": "false"}) as server:
        token, = printed_token(server)
        hashes = server.metric("keyward_password_hashes_total")
        for wrong in ("", "x", token[:-1], token + "x", token.lower(), "kw_setup_", token + "\n"):
            assert set_up(server, wrong).status == 403, wrong
        assert server.metric("keyward_password_hashes_total") == hashes
        assert set_up(server, token, password="password1").fields == ["password"]
        assert set_up(server, token, email="nobody").fields == ["email"]
        assert set_up(server, token, roles=["admin"]).fields == ["roles"]
        assert set_up(server, "x" * 129).status == 422
        server.register("taken@example.com")
        assert set_up(server, token, email="Taken@example.com").json["detail"] == "Email already registered"
        assert set_up(server, token).status == 201


def test_an_unused_token_outlives_a_restart_and_is_shown_once(data):
    with Keyward(data) as server:
        token, = printed_token(server)
        server.register("somebody@example.com")
    with Keyward(data) as server:
        assert not printed_token(server) and (data / "setup-token").read_text().strip() == token
    # Whoever lost the file gets another one, and the old one is dead.
    (data / "setup-token").unlink()
    with Keyward(data) as server:
        fresh, = printed_token(server)
        assert fresh != token and one(data, "SELECT count(*) FROM setup_tokens") == 1
        assert set_up(server, token).status == 403
        assert set_up(server, fresh).status == 201


@pytest.mark.parametrize("way", ["add", "role"])
def test_Z4_setup_is_off_in_the_api_as_soon_as_there_is_an_admin(data, way):
    with Keyward(data) as server:
        token, = printed_token(server)
        if way == "add":
            add_user(data, "cli@example.com", "admin")
        else:
            server.register("cli@example.com")
            assert command("user", "role", "cli@example.com", "--add", "admin", data=data)[0] == 0
        assert not (data / "setup-token").exists()
        assert set_up(server, token).status == 403


def test_no_token_is_made_where_there_are_accounts(data):
    add_user(data, "cli@example.com")
    with Keyward(data) as server:
        assert not printed_token(server) and not (data / "setup-token").exists()
