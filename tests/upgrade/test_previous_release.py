"""The program of the last release on the schema of this one: what a rolling upgrade needs.

KEYWARD_PREVIOUS_BINARY names the last release's program; without it that of the newest tag v* is built.
"""

from keyward import Keyward, command

OFF = {"KEYWARD_LIMITS_ENABLED": "false", "KEYWARD_SERVER_PUBLIC_URL": "http://localhost:8080"}


def refreshed(server, session):
    answer = server.call("POST", "/refresh", {"refresh_token": session["refresh_token"]})
    assert answer.status == 200, answer
    return answer.json


def status_of_me(server, session):
    return server.call("GET", "/me", token=session["access_token"]).status


def test_both_serve_one_database_and_the_old_one_starts_again_on_the_new_schema(data, previous):
    with Keyward(data, env=OFF, binary=previous) as old:
        ada = old.new_user("ada@example.com")
        assert command("migrate", data=data)[0] == 0  # by the new program, while the old one serves
        assert status_of_me(old, ada) == 200
        with Keyward(data, env=OFF) as new:
            for one, other in ((old, new), (new, old)):
                session = one.new_user(f"{one.port}@example.com")
                assert status_of_me(other, session) == 200
                session = refreshed(other, session)
                session = refreshed(one, session)
                assert other.call("POST", "/logout", token=session["access_token"]).status == 204
                assert status_of_me(one, session) == 401
    with Keyward(data, env=OFF, binary=previous) as old:  # on the new schema from its start
        assert refreshed(old, ada)["user_id"] == ada["user_id"]
        bert = old.new_user("bert@example.com")
        assert old.call("DELETE", "/me", token=bert["access_token"]).status == 204
    assert command("audit", "verify", data=data)[0] == 0
