"""Refresh over real HTTP: rotation, races, lost answers, thieves, and what ends a session."""

import contextlib
import time

import jwt
import pytest

from database import connect
from keyward import GOOD_PASSWORD, Keyward, command
from wire import Wire, generation_of, session_of

LIMITS_OFF = {"KEYWARD_LIMITS_ENABLED": "false"}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def refresh(server, token, user_agent=None):
    headers = {"User-Agent": user_agent} if user_agent else None
    return server.call("POST", "/refresh", {"refresh_token": token}, headers=headers)


def me(server, answer):
    return server.call("GET", "/me", token=answer["access_token"]).status


def rows(server, sql, *parameters):
    with connect(server.data) as database:
        return database.execute(sql, parameters).fetchall()


def events_of(server, name, session, timeout_s=5):
    """The events of that name about one session, waited for."""
    deadline = time.monotonic() + timeout_s
    identifier = session.hex()
    while time.monotonic() < deadline:
        found = [e for e in server.logged_events(name) if e.get("session_id", "").replace("-", "") == identifier]
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"no {name} about {identifier}; there were {[e['event'] for e in server.logged_events()]}")


def test_O14_each_refresh_replaces_the_token(server, email):
    login = server.new_user(email)
    first = refresh(server, login["refresh_token"])
    assert first.status == 200, first
    assert set(first.json) == {"access_token", "refresh_token", "token_type", "expires_in", "user_id"}
    assert first.json["user_id"] == login["user_id"] and first.json["token_type"] == "bearer"
    assert first.json["expires_in"] == 900 and first.headers["Cache-Control"] == "no-store"
    assert first.json["refresh_token"] != login["refresh_token"] and first.json["access_token"] != login["access_token"]
    assert me(server, first.json) == 200
    second = refresh(server, first.json["refresh_token"])
    assert [generation_of(a["refresh_token"]) for a in (login, first.json, second.json)] == [0, 1, 2]
    claims = [jwt.decode(a["access_token"], options={"verify_signature": False}) for a in (login, first.json, second.json)]
    assert len({c["sid"] for c in claims}) == 1 and len({c["jti"] for c in claims}) == 3
    events = events_of(server, "authn_token_created", session_of(login["refresh_token"]))
    assert "refresh" in [event.get("reason") for event in events]


def test_a_form_does_as_well_and_what_oauth_clients_send_along_has_no_effect(server, email):
    login = server.new_user(email)
    answer = server.call("POST", "/refresh", form={"grant_type": "refresh_token", "client_id": "x", "scope": "admin everything",
                                                   "refresh_token": login["refresh_token"]})
    assert answer.status == 200
    claims = jwt.decode(answer.json["access_token"], options={"verify_signature": False})
    before = jwt.decode(login["access_token"], options={"verify_signature": False})
    assert (claims["scope"], claims["roles"]) == (before["scope"], before["roles"])  # O14: it never widens


def test_S1_a_token_that_is_not_genuine_is_refused_and_nothing_is_asked_or_kept(server, email):
    token = server.new_user(email)["refresh_token"]
    before = rows(server, "SELECT count(*) FROM sessions")
    other = ("A" if token[-2] != "A" else "B")
    forged = [token[:-2] + other + token[-1], token[:20] + ("A" if token[20] != "A" else "B") + token[21:], token[:-1],
              token + "A", token.upper(), token.removeprefix("kw_rt_"), "kw_rt_", "", "x" * 60_000, "kw_rt_" + "A" * 75]
    answers = [refresh(server, text) for text in forged]
    assert {answer.status for answer in answers} <= {401, 422}, answers
    details = {answer.json["detail"] for answer in answers if answer.status == 401}
    assert details == {"The refresh token is not valid"}
    assert rows(server, "SELECT count(*) FROM sessions") == before
    assert refresh(server, token).status == 200  # nobody's guess ended the session
    assert server.call("POST", "/refresh", {}).status == 422


def test_O15_R2_64_parallel_refreshes_of_one_token_200_times_over(server, email):
    token = server.new_user(email)["refresh_token"]
    wires = [Wire(server.port) for _ in range(64)]
    assert wires[0].refresh(token)[0] == 200  # from now on the session is this client's
    token = wires[0].refresh(token)[1]["refresh_token"]
    begun_at = generation_of(token)
    for round_number in range(200):
        for wire in wires:
            wire.send("POST", "/refresh", {"refresh_token": token})
        answers = [wire.read() for wire in wires]
        assert {status for status, _ in answers} == {200}, answers
        tokens = {answer["refresh_token"] for _, answer in answers}
        assert len(tokens) == 1  # one successor for all
        token = tokens.pop()  # and the next round uses it, 64 times
        assert generation_of(token) == begun_at + round_number + 1
        for wire, (_, answer) in zip(wires, answers):
            wire.send("GET", "/me", token=answer["access_token"])
        assert {wire.read()[0] for wire in wires} == {200}
    (generation, ended), = rows(server, "SELECT generation, ended_at FROM sessions WHERE id = ?", session_of(token))
    assert (generation, ended) == (begun_at + 200, None)


def wait_until_quiet(server):
    """Until nothing is in flight: a call that is two generations old when its turn comes ends the session, and should."""
    seen = -1
    while seen != (seen := len(server.events)):
        time.sleep(0.1)


def test_O15_parallel_refreshes_whose_answers_are_dropped_log_nobody_out(server, email):
    token = server.new_user(email)["refresh_token"]
    keeper = Wire(server.port)
    for round_number in range(60):
        droppers = [Wire(server.port) for _ in range(16)]
        for wire in droppers:
            wire.send("POST", "/refresh", {"refresh_token": token})
            if round_number % 2:
                wire.close()
        for wire in droppers:
            wire.close()
        before = generation_of(token)
        status, answer = keeper.refresh(token)
        assert status == 200 and generation_of(answer["refresh_token"]) == before + 1
        assert keeper.call("GET", "/me", token=answer["access_token"])[0] == 200
        token = answer["refresh_token"]
        wait_until_quiet(server)


def test_O14_S5_a_replay_after_the_window_ends_the_session(data):
    with Keyward(data, env={**LIMITS_OFF, "KEYWARD_TOKENS_REFRESH_GRACE_S": "2"}) as server:
        login = server.new_user("late@example.com")
        fresh = refresh(server, login["refresh_token"]).json
        assert refresh(server, login["refresh_token"]).json["refresh_token"] == fresh["refresh_token"]  # inside
        assert me(server, fresh) == 200
        time.sleep(2.1)
        replay = refresh(server, login["refresh_token"])
        assert replay.status == 401 and replay.json["detail"] == "The refresh token is not valid"
        assert me(server, fresh) == 401 and me(server, login) == 401  # access tokens too, at once
        assert refresh(server, fresh["refresh_token"]).status == 401
        session = session_of(login["refresh_token"])
        reuse, = events_of(server, "authn_token_reuse", session)
        assert reuse["reason"] == "late" and reuse["user_id"] == login["user_id"]
        assert events_of(server, "authn_token_revoked", session)[0]["reason"] == "token_reuse"
        assert events_of(server, "session_use_after_expire", session)[0]["reason"] == "session_ended"
        assert rows(server, "SELECT end_reason FROM sessions WHERE id = ?", session) == [("token_reuse",)]
        assert server.login("late@example.com").status == 200  # the account is not harmed


def test_O14_a_replay_of_an_older_generation_ends_the_session_inside_the_window_too(server, email):
    login = server.new_user(email)
    one = refresh(server, login["refresh_token"]).json
    two = refresh(server, one["refresh_token"]).json
    assert refresh(server, login["refresh_token"]).status == 401
    assert me(server, two) == 401 and refresh(server, two["refresh_token"]).status == 401
    assert events_of(server, "authn_token_reuse", session_of(login["refresh_token"]))[0]["reason"] == "replayed"


def test_O14_a_replay_from_another_client_ends_the_session_inside_the_window_too(server, email):
    login = server.new_user(email)
    fresh = refresh(server, login["refresh_token"], BROWSER).json
    assert refresh(server, login["refresh_token"], BROWSER).status == 200
    assert refresh(server, login["refresh_token"], "curl/8.0").status == 401
    assert me(server, fresh) == 401
    assert events_of(server, "authn_token_reuse", session_of(login["refresh_token"]))[0]["reason"] == "another_client"


def test_O14_R2_a_replay_in_50_parallel_calls_is_told_once(server, email):
    login = server.new_user(email)
    one = refresh(server, login["refresh_token"]).json
    refresh(server, one["refresh_token"])
    wires = [Wire(server.port) for _ in range(50)]
    for wire in wires:
        wire.send("POST", "/refresh", {"refresh_token": login["refresh_token"]})
    assert {wire.read()[0] for wire in wires} == {401}
    time.sleep(0.2)
    assert len(events_of(server, "authn_token_reuse", session_of(login["refresh_token"]))) == 1


def test_O14_a_generation_that_the_database_has_not_reached_ends_the_session(data):
    """A restored backup: the token is genuine, and whoever holds it may have been a thief since."""
    with Keyward(data, env=LIMITS_OFF) as server:
        token = server.new_user("restored@example.com")["refresh_token"]
        for _ in range(3):
            token = refresh(server, token).json["refresh_token"]
        with connect(server.data) as database:
            database.execute("UPDATE sessions SET generation = 1 WHERE id = ?", (session_of(token),))
        assert refresh(server, token).status == 401
        assert events_of(server, "authn_token_reuse", session_of(token))[0]["reason"] == "ahead"


@pytest.mark.parametrize("policy", ["reuse", "sender_bound"])
def test_O16_a_policy_without_rotation_keeps_the_token(server, email, policy):
    login = server.new_user(email)
    token = refresh(server, login["refresh_token"], BROWSER).json["refresh_token"]
    with connect(server.data) as database:
        database.execute("UPDATE sessions SET refresh_policy = ? WHERE id = ?", (policy, session_of(token)))
    answers = [refresh(server, token, BROWSER) for _ in range(5)]
    assert {answer.json["refresh_token"] for answer in answers} == {token}
    assert {me(server, answer.json) for answer in answers} == {200}
    assert refresh(server, token, "curl/8.0").status == (200 if policy == "reuse" else 401)
    assert refresh(server, token, BROWSER).status == (200 if policy == "reuse" else 401)


def test_A5_S5_a_disabled_account_refreshes_nothing_at_once(server, email):
    login = server.new_user(email)
    assert command("user", "disable", email, data=server.data)[0] == 0
    assert refresh(server, login["refresh_token"]).status == 401
    assert me(server, login) == 401
    assert command("user", "enable", email, data=server.data)[0] == 0
    assert refresh(server, login["refresh_token"]).status == 401  # enabling brings no old session back
    assert server.login(email).status == 200


def test_A5_S5_a_deleted_account_refreshes_nothing(server, email):
    login = server.new_user(email)
    assert server.call("DELETE", "/me", token=login["access_token"]).status == 204
    assert refresh(server, login["refresh_token"]).status == 401


def test_S5_a_password_change_ends_the_refresh_tokens_of_all_other_sessions(server, email):
    here, there = server.new_user(email), server.login(email).json
    changed = server.call("POST", "/me/password", {"current_password": GOOD_PASSWORD, "new_password": "granite lantern 7 waves"},
                          token=here["access_token"])
    assert changed.status == 204
    assert refresh(server, there["refresh_token"]).status == 401
    assert refresh(server, here["refresh_token"]).status == 200


def test_S4_a_session_that_is_over_is_refused_with_its_reason(server, email):
    for column, reason in (("idle_expires_at", "idle_expired"), ("expires_at", "absolute_expired")):
        login = server.login(email).json if column == "expires_at" else server.new_user(email)
        with connect(server.data) as database:
            database.execute(f"UPDATE sessions SET {column} = 1 WHERE id = ?", (session_of(login["refresh_token"]),))
        assert refresh(server, login["refresh_token"]).status == 401
        assert events_of(server, "session_use_after_expire", session_of(login["refresh_token"]))[0]["reason"] == reason


def test_a_grace_of_zero_is_strict(data):
    with Keyward(data, env={**LIMITS_OFF, "KEYWARD_TOKENS_REFRESH_GRACE_S": "0"}) as server:
        login = server.new_user("strict@example.com")
        assert refresh(server, login["refresh_token"]).status == 200
        assert refresh(server, login["refresh_token"]).status == 401
    for value in ("61", "-1"):
        with pytest.raises(AssertionError, match="refresh_grace_s"):
            Keyward(data, env={"KEYWARD_TOKENS_REFRESH_GRACE_S": value}).start()


def test_R1_S1_nothing_of_a_refresh_token_is_stored_or_logged(data):
    with Keyward(data, env={**LIMITS_OFF, "KEYWARD_LOG_LEVEL": "debug"}) as server:
        tokens = [server.new_user("canary2@example.com")["refresh_token"]]
        for _ in range(3):
            tokens.append(refresh(server, tokens[-1]).json["refresh_token"])
        refresh(server, tokens[0])
        refresh(server, "kw_rt_canary")
        content = b"".join(file.read_bytes() for file in server.data.rglob("*") if file.is_file())
    output = ("".join(server.events) + "".join(server.errors)).encode()
    for token in tokens:
        code = token.removeprefix("kw_rt_")
        for part in (token, code, code[35:]):
            assert part.encode() not in content and part.encode() not in output
    assert b"kw_rt_canary" not in output


def test_a_token_of_another_server_is_forged_here(server, email, data):
    login = server.new_user(email)
    with Keyward(data, env=LIMITS_OFF) as other:
        other.new_user(email)
        assert refresh(other, login["refresh_token"]).status == 401
    with contextlib.suppress(AssertionError):
        assert not events_of(server, "authn_token_reuse", session_of(login["refresh_token"]), timeout_s=0.1)
