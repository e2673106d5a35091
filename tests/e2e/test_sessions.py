"""Sessions over real HTTP: logout both ways, one's own list, ending one and ending the others; nobody else's (S6)."""

import time
import uuid

import pytest

from keyward import GOOD_PASSWORD
from test_refresh import events_of, me, refresh
from wire import session_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
         "Mobile/15E148 Safari/604.1")


def login_from(server, email, user_agent):
    answer = server.call("POST", "/login", {"email": email, "password": GOOD_PASSWORD}, headers={"User-Agent": user_agent})
    assert answer.status == 200
    return answer.json


def sessions(server, login, query=""):
    answer = server.call("GET", "/me/sessions" + query, token=login["access_token"])
    assert answer.status == 200, answer
    return answer.json


def id_of(login):
    return str(uuid.UUID(bytes=session_of(login["refresh_token"])))


def test_S5_logout_with_the_access_token_ends_everything_of_the_session(server, email):
    login = server.new_user(email)
    other = server.login(email).json
    out = server.call("POST", "/logout", token=login["access_token"])
    assert out.status == 204 and out.body == b""
    assert me(server, login) == 401 and refresh(server, login["refresh_token"]).status == 401
    assert me(server, other) == 200 and refresh(server, other["refresh_token"]).status == 200
    session = session_of(login["refresh_token"])
    assert len(events_of(server, "session_logout", session)) == len(events_of(server, "authn_token_revoked", session)) == 1


@pytest.mark.parametrize("how", ["json", "form"])
def test_S5_logout_with_the_refresh_token_is_enough_and_may_be_repeated(server, email, how):
    login = server.new_user(email)
    body = {"refresh_token": login["refresh_token"]}
    for _ in range(3):
        out = server.call("POST", "/logout", **({"body": body} if how == "json" else {"form": body}))
        assert out.status == 204
    assert me(server, login) == 401 and refresh(server, login["refresh_token"]).status == 401
    assert len(events_of(server, "session_logout", session_of(login["refresh_token"]))) == 1


def test_logout_by_an_earlier_refresh_token_of_the_session(server, email):
    login = server.new_user(email)
    fresh = refresh(server, login["refresh_token"]).json
    assert server.call("POST", "/logout", {"refresh_token": login["refresh_token"]}).status == 204
    assert me(server, fresh) == 401


def test_logout_with_an_access_token_that_is_over_and_a_refresh_token(server, email):
    login = server.new_user(email)
    out = server.call("POST", "/logout", {"refresh_token": login["refresh_token"]}, token="an.old.token")
    assert out.status == 204
    assert refresh(server, login["refresh_token"]).status == 401


def test_logout_by_nobody_or_by_a_forged_token_is_401(server, email):
    login = server.new_user(email)
    assert server.call("POST", "/logout").status == 401
    assert server.call("POST", "/logout", {}).status == 401
    assert server.call("POST", "/logout", token="a.b.c").status == 401
    forged = {"refresh_token": "kw_rt_" + "A" * 75}
    assert server.call("POST", "/logout", forged).status == 401
    assert server.call("POST", "/logout", {"refresh_token": login["refresh_token"], "all": True}).status == 422
    assert server.call("GET", "/logout", token=login["access_token"]).status == 405
    assert me(server, login) == 200 and refresh(server, login["refresh_token"]).status == 200


def test_S5_whoever_is_signed_in_gets_out_whatever_the_other_token_is(server, email):
    login = server.new_user(email)
    forged = {"refresh_token": "kw_rt_" + "A" * 75}
    assert server.call("POST", "/logout", forged, token=login["access_token"]).status == 204
    assert me(server, login) == 401 and refresh(server, login["refresh_token"]).status == 401


def test_S6_the_list_tells_device_address_times_and_which_one_is_this(server, email):
    assert server.register(email).status == 201
    desk, phone = login_from(server, email, FIREFOX), login_from(server, email, PHONE)
    listed = sessions(server, desk)
    assert set(listed) == {"items", "next"} and listed["next"] is None
    assert [item["id"] for item in listed["items"]] == [id_of(phone), id_of(desk)]  # the newest first
    for item in listed["items"]:
        assert set(item) == {"id", "device", "user_agent", "address", "created_at", "last_used_at", "expires_at", "current"}
        assert item["address"] == "127.0.0.1" and item["created_at"] <= item["last_used_at"] < item["expires_at"]
    assert [item["device"] for item in listed["items"]] == ["Safari on iPhone", "Firefox on Linux"]
    assert [item["current"] for item in listed["items"]] == [False, True]
    assert [item["current"] for item in sessions(server, phone)["items"]] == [True, False]

    before = listed["items"][0]
    time.sleep(0.01)
    assert me(server, phone) == 200  # does not count as a use: GET /me writes nothing
    assert sessions(server, desk)["items"][0]["last_used_at"] == before["last_used_at"]
    refresh(server, phone["refresh_token"], PHONE)
    after = sessions(server, desk)["items"][0]
    assert after["last_used_at"] > before["last_used_at"] and after["created_at"] == before["created_at"]
    assert after["expires_at"] > before["expires_at"]


def test_L2_what_a_client_calls_itself_is_encoded_in_the_list(server, email):
    assert server.register(email).status == 201
    login = login_from(server, email, "<b>x</b>\"\\ \u2028".encode().decode("latin-1"))
    answer = server.call("GET", "/me/sessions", token=login["access_token"])
    assert answer.json["items"][0]["device"] == "Unknown device"
    assert answer.json["items"][0]["user_agent"].startswith("<b>x</b>\"\\ ")
    assert b"\xe2\x80\xa8" not in answer.body and b"\n" not in answer.body


def test_the_list_comes_in_pages(server, email):
    login = server.new_user(email)
    for _ in range(4):
        server.login(email)
    seen, after = [], ""
    while True:
        page = sessions(server, login, f"?limit=2{after}")
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 5 and seen[-1] == id_of(login)
    for bad in ("?limit=0", "?limit=101", "?limit=x", "?after=x", "?other=1"):
        assert server.call("GET", "/me/sessions" + bad, token=login["access_token"]).status == 422, bad


def test_S5_S6_one_session_is_ended_by_its_owner_at_once(server, email):
    here, there = server.new_user(email), server.login(email).json
    assert me(server, there) == 200
    assert server.call("DELETE", f"/me/sessions/{id_of(there)}", token=here["access_token"]).status == 204
    assert me(server, there) == 401 and refresh(server, there["refresh_token"]).status == 401
    assert [item["id"] for item in sessions(server, here)["items"]] == [id_of(here)]
    assert server.call("DELETE", f"/me/sessions/{id_of(there)}", token=here["access_token"]).status == 404
    assert events_of(server, "authn_token_revoked", session_of(there["refresh_token"]))[0]["reason"] == "ended_by_owner"
    # This one too, if it is named.
    assert server.call("DELETE", f"/me/sessions/{id_of(here)}", token=here["access_token"]).status == 204
    assert me(server, here) == 401


def test_S5_S6_all_others_are_ended_and_this_one_stays(server, email):
    here = server.new_user(email)
    others = [server.login(email).json for _ in range(3)]
    assert all(me(server, other) == 200 for other in others)
    for _ in range(2):
        assert server.call("DELETE", "/me/sessions", token=here["access_token"]).status == 204
    assert all(me(server, other) == 401 for other in others)
    assert all(refresh(server, other["refresh_token"]).status == 401 for other in others)
    assert me(server, here) == 200 and refresh(server, here["refresh_token"]).status == 200
    assert len(sessions(server, here)["items"]) == 1


def test_S6_nobody_sees_or_ends_another_persons_sessions(server, email):
    ada, eve = server.new_user(email), server.new_user("eve." + email)
    assert id_of(ada) not in [item["id"] for item in sessions(server, eve)["items"]]
    unknown = "01890000-0000-7000-8000-000000000000"
    answers = [server.call("DELETE", f"/me/sessions/{which}", token=eve["access_token"])
               for which in (id_of(ada), unknown, "not-an-id", "..%2f" + id_of(ada))]
    assert {answer.status for answer in answers} == {404}
    assert answers[0].json["detail"] == answers[1].json["detail"]  # a stranger's and an unknown one are one answer
    assert server.call("DELETE", "/me/sessions", token=eve["access_token"]).status == 204
    assert sessions(server, eve, f"?after={id_of(ada)}")["items"] == []
    assert me(server, ada) == 200 and refresh(server, ada["refresh_token"]).status == 200
    for method, path in (("GET", "/me/sessions"), ("DELETE", "/me/sessions"), ("DELETE", f"/me/sessions/{id_of(ada)}")):
        assert server.call(method, path).status == 401
    assert me(server, ada) == 200


def test_S5_an_ended_session_can_end_no_other(server, email):
    here, there = server.new_user(email), server.login(email).json
    assert server.call("POST", "/logout", token=here["access_token"]).status == 204
    assert server.call("DELETE", "/me/sessions", token=here["access_token"]).status == 401
    assert server.call("DELETE", f"/me/sessions/{id_of(there)}", token=here["access_token"]).status == 401
    assert me(server, there) == 200
