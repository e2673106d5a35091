"""A program on a schema newer than itself: as the nodes not yet upgraded are while the others are."""

import json

import pytest

from database import connect
from flows import ONE_ISSUER, wait_until
from keyward import GOOD_PASSWORD, OneNode, command
from people import new_person


def known_migrations(data):
    with connect(data) as database:
        return database.execute("SELECT max(number) FROM schema_migrations").fetchone()[0]


def apply_future(data, *kinds):
    """What the program of a coming release would do to this database."""
    first = known_migrations(data) + 1
    with connect(data) as database:
        database.execute("ALTER TABLE accounts ADD COLUMN nickname TEXT NOT NULL DEFAULT ''")
        database.execute("ALTER TABLE sessions ADD COLUMN passkey_id BYTEA")
        database.execute("CREATE TABLE passkeys (id BYTEA PRIMARY KEY, account_id BYTEA NOT NULL REFERENCES accounts(id) ON DELETE CASCADE)")
        database.execute("CREATE INDEX accounts_by_nickname ON accounts (nickname)")
        for number, kind in enumerate(kinds, start=first):
            database.execute("INSERT INTO schema_migrations (number, name, checksum, applied_at_us, kind) VALUES (?, ?, ?, ?, ?)",
                             (number, "future", "00", 1, kind))


def all_goes_on(server, who):
    """The calls of a day. Returns an access token that is good."""
    session = server.new_user(f"{who}@example.com")
    again = server.call("POST", "/refresh", {"refresh_token": session["refresh_token"]})
    assert again.status == 200
    token = again.json["access_token"]
    assert server.call("GET", "/me", token=token).json["email"] == f"{who}@example.com"
    assert server.call("PATCH", "/me", {"full_name": "Ada"}, token=token).status == 200
    changed = {"current_password": GOOD_PASSWORD, "new_password": "granite lantern 7 waves"}
    assert server.call("POST", "/me/password", changed, token=token).status == 204
    assert server.login(f"{who}@example.com").status == 401
    assert server.login(f"{who}@example.com", "granite lantern 7 waves").status == 200
    assert len(server.call("GET", "/me/sessions", token=token).json["items"]) == 2
    assert server.call("POST", "/forgot-password", {"email": f"{who}@example.com"}).status == 200
    admin = new_person(server, "admin")
    assert admin.call("GET", "/users").status == 200
    gone = server.new_user(f"{who}.gone@example.com")
    assert admin.call("DELETE", f"/users/{gone['user_id']}").status == 200
    assert admin.call("GET", "/audit").status == 200
    return token


def test_a_program_goes_on_while_a_newer_one_expands_the_schema_and_starts_again_on_it(data):
    with OneNode(data, env=ONE_ISSUER) as server:
        token = all_goes_on(server, "before")
        apply_future(data, "expand", "expand")
        assert server.call("GET", "/me", token=token).status == 200
        all_goes_on(server, "while")
    with OneNode(data, env=ONE_ISSUER) as server:
        lines = wait_until(lambda: [line for line in server.errors if '"event":"database_is_newer"' in line], "it is told")
        assert json.loads(lines[0])["migrations_unknown"] == "2"
        assert server.call("GET", "/me", token=token).status == 200
        all_goes_on(server, "after")
    before = known_migrations(data)
    code, out, _ = command("migrate", "--plan", "--json", data=data)
    assert code == 0 and json.loads(out)["items"] == []
    assert command("migrate", data=data)[0] == 0 and known_migrations(data) == before
    assert command("audit", "verify", data=data)[0] == 0


@pytest.mark.parametrize("kinds", [("contract",), ("expand", "contract"), ("contract", "expand")])
def test_one_that_contracts_refuses_the_older_program(data, kinds):
    with OneNode(data):
        pass
    apply_future(data, *kinds)
    with pytest.raises(AssertionError, match="newer than this program"):
        OneNode(data).start()
    for words in (("migrate",), ("migrate", "--plan"), ("user", "list")):
        code, _, err = command(*words, data=data)
        assert code == 1 and "newer than this program" in err


def test_a_plan_tells_what_each_migration_is(data):
    kinds = {item["name"]: item["kind"] for item in json.loads(command("migrate", "--plan", "--json", data=data)[1])["items"]}
    assert kinds["begin"] == "contract" and kinds["leases_and_moves"] == "expand"
    assert "0006_leases_and_moves  expand" in command("migrate", "--plan", data=data)[1]
