"""Looking after other people's accounts: who may, what happens, and what must never."""

import concurrent.futures
import threading
import time
import uuid

import pytest

from database import connect
from keyward import GOOD_PASSWORD, Keyward, command
from people import PERMISSIONS, Person, add_user, deputy, fresh_email, new_person, new_role

VIEW = {"id", "email", "email_verified", "full_name", "roles", "disabled", "created_at", "last_login_at"}


@pytest.fixture(scope="module")
def admin(server):
    return new_person(server, "admin", word="admin")


@pytest.fixture
def person(server):
    return new_person(server)


def events_about(server, name, account_id, count=1):
    """At least `count` of them: lines are printed soon after the answer, not before it."""
    deadline = time.monotonic() + 5
    while True:
        found = [event for event in server.logged_events(name) if event.get("user_id") == account_id]
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


def test_an_admin_reads_changes_and_deletes_an_account(server, admin, person):
    shown = admin.call("GET", f"/users/{person.id}")
    assert shown.status == 200 and set(shown.json) == VIEW
    assert (shown.json["email"], shown.json["roles"], shown.json["disabled"]) == (person.email, ["user"], False)
    changed = admin.call("PATCH", f"/users/{person.id}", {"full_name": "Grace Hopper"})
    assert changed.status == 200 and changed.json["full_name"] == "Grace Hopper"
    assert person.call("GET", "/me").json["full_name"] == "Grace Hopper"
    assert admin.call("PATCH", f"/users/{person.id}", {"full_name": None}).json["full_name"] is None
    deleted = admin.call("DELETE", f"/users/{person.id}")
    assert deleted.status == 200 and deleted.json == {"message": "User deleted"}
    assert person.call("GET", "/me").status == 401
    assert server.login(person.email).status == 401
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert admin.call(method, f"/users/{person.id}", body).status == 404


def test_what_is_no_id_is_not_found(admin):
    for name in ("x", "1", "me", str(uuid.uuid4()), "00000000-0000-0000-0000-000000000000", "%27%20OR%201=1"):
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
            assert admin.call(method, f"/users/{name}", body).status == 404, (method, name)


def test_disabling_ends_every_session_at_once_and_enabling_brings_none_back(server, admin, person):
    other = Person(server, person.email)
    assert person.call("GET", "/me").status == other.call("GET", "/me").status == 200
    disabled = admin.call("PATCH", f"/users/{person.id}", {"disabled": True})
    assert disabled.status == 200 and disabled.json["disabled"] is True
    assert person.call("GET", "/me").status == other.call("GET", "/me").status == 401
    assert server.login(person.email).json["detail"] == "Invalid credentials"
    assert admin.call("PATCH", f"/users/{person.id}", {"disabled": False}).json["disabled"] is False
    assert person.call("GET", "/me").status == 401
    assert server.login(person.email).status == 200
    details = [event["detail"] for event in events_about(server, "user_updated", person.id, 2)]
    assert details == ["disabled", "enabled"]
    revoked, = events_about(server, "authn_token_revoked", person.id)
    assert (revoked["reason"], revoked["detail"], revoked["actor_id"]) == ("account_disabled", "sessions 2", admin.id)


def test_roles_are_given_and_taken_and_count_at_the_next_request(server, admin, person):
    role = new_role(admin, "users:read")
    assert person.call("GET", "/users").status == 403
    given = admin.call("PATCH", f"/users/{person.id}", {"roles": ["user", role, role]})
    assert given.status == 200 and given.json["roles"] == sorted([role, "user"])
    assert person.call("GET", "/users").status == 200  # the token is the old one
    assert person.call("GET", "/me").json["roles"] == sorted([role, "user"])
    assert admin.call("PATCH", f"/users/{person.id}", {"roles": [role]}).status == 200
    assert admin.call("PATCH", f"/users/{person.id}", {"roles": []}).status == 200
    assert person.call("GET", "/users").status == 403
    changes = events_about(server, "authz_change", person.id, 3)
    assert [event["detail"] for event in changes] == [f"roles +{role}", "roles -user", f"roles -{role}"]
    assert {event["actor_id"] for event in changes} == {admin.id}
    refused = admin.call("PATCH", f"/users/{person.id}", {"roles": ["emperor"]})
    assert refused.status == 422 and refused.fields == ["roles"]


def test_L1_a_refusal_for_want_of_a_permission_is_an_event(server, person):
    refused = person.call("GET", "/users")
    assert refused.status == 403 and refused.json["type"] == "urn:keyward:problem:forbidden"
    events = events_about(server, "authz_fail", person.id)
    assert [(event["reason"], "session_id" in event) for event in events] == [("users:read", True)]


def test_search_by_prefix_filters_and_pages(admin, server):
    for name in ("zeta.one", "zeta.two", "Zeta.Three", "zetx", "zeta_%"):
        assert server.register(f"{name}@Search.example").status == 201
    assert admin.call("PATCH", "/users/" + admin.call("GET", "/users?q=zeta.two").json["items"][0]["id"],
                      {"disabled": True}).status == 200

    def found(query):
        answer = admin.call("GET", "/users?" + query)
        assert answer.status == 200, answer
        return [user["email"].split("@")[0] for user in answer.json["items"]]

    assert found("q=zeta.") == ["zeta.one", "zeta.two", "Zeta.Three"]
    assert found("q=ZETA.T") == ["zeta.two", "Zeta.Three"]
    assert found("q=zeta_") == ["zeta_%"]  # no wildcards
    assert found("q=zeta%25") == found("q=%25") == found("q=nobody") == []
    assert found("q=zeta&disabled=true") == ["zeta.two"]
    assert found("q=zeta.&disabled=false") == ["zeta.one", "Zeta.Three"]
    assert found("q=zeta&role=admin") == [] and found("role=emperor") == []
    assert admin.email in [user["email"] for user in admin.call("GET", "/users?role=admin").json["items"]]

    pages, after = [], ""
    while True:
        page = admin.call("GET", "/users?q=zet&limit=2" + after).json
        pages.append([user["id"] for user in page["items"]])
        if page["next"] is None:
            break
        after = "&after=" + page["next"]
    assert [len(page) for page in pages] == [2, 2, 1] and len(set(sum(pages, []))) == 5


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=-1", "limit=x", "after=x", "disabled=maybe", "sort=email", "q=" + "x" * 300])
def test_a_bad_query_is_refused(admin, query):
    assert admin.call("GET", "/users?" + query).status == 422


@pytest.mark.parametrize("body, field", [
    ({"disabled": None}, "disabled"), ({"roles": None}, "roles"), ({"roles": "admin"}, "roles"), ({"roles": [1]}, "roles[0]"),
    ({"full_name": "x" * 201}, "full_name"), ({"disabled": "yes"}, "disabled"), ({"roles": ["x"] * 65}, "roles"),
    *[({name: "x"}, name) for name in ("email", "email_verified", "id", "password", "password_hash", "created_at", "permissions", "role")],
])
def test_Z2_nothing_else_can_be_changed(admin, person, body, field):
    refused = admin.call("PATCH", f"/users/{person.id}", body)
    assert refused.status == 422 and refused.fields == [field]


def test_P13_no_admin_can_write_or_read_a_password(server, admin, person):
    document = server.call("GET", "/openapi.json").json
    text = str({path: methods for path, methods in document["paths"].items() if path.startswith(("/users", "/roles"))})
    schemas, reached = document["components"]["schemas"], set()
    while named := {name for name in schemas if f"'#/components/schemas/{name}'" in text} - reached:
        reached |= named
        text += str([schemas[name] for name in named])
    assert len(reached) >= 5
    assert "password" not in text.replace("a password you were given", "").lower()
    assert "password" not in admin.call("GET", f"/users/{person.id}").body.decode().lower()


def test_each_permission_opens_its_own_doors_only(server, admin, person):
    doors = {  # the call -> the permission it needs
        ("GET", "/users"): "users:read",
        ("GET", f"/users/{person.id}"): "users:read",
        ("PATCH", f"/users/{person.id}"): "users:write",
        ("DELETE", f"/users/{uuid.uuid4()}"): "users:delete",
        ("GET", "/roles"): "roles:read",
        ("PUT", "/roles/door"): "roles:write",
        ("DELETE", "/roles/nothing-of-that-name"): "roles:write",
    }
    bodies = {"PATCH": {}, "PUT": {"permissions": []}}
    for permission in PERMISSIONS:
        somebody = deputy(admin, permission)
        for (method, path), needed in doors.items():
            status = somebody.call(method, path, bodies.get(method)).status
            assert (status != 403) == (permission == needed), (permission, method, path, status)


def test_Z3_nobody_grants_what_they_lack(server, admin, person):
    grantor = deputy(admin, "users:write", "roles:grant", "users:read")
    small, large = new_role(admin, "users:read"), new_role(admin, "users:read", "audit:read")
    everything = new_role(admin, *PERMISSIONS)
    assert grantor.call("PATCH", f"/users/{person.id}", {"roles": ["user", small]}).status == 200
    for roles in (["admin"], [large], [small, large], ["user", everything]):
        assert grantor.call("PATCH", f"/users/{person.id}", {"roles": roles}).status == 403
        assert grantor.call("PATCH", f"/users/{grantor.id}", {"roles": roles}).status == 403
    assert admin.call("GET", f"/users/{person.id}").json["roles"] == sorted([small, "user"])
    refusals = events_about(server, "authz_fail", person.id)
    assert {(event["reason"], event["actor_id"]) for event in refusals} == {("rules", grantor.id)}
    # All permissions together do not make an admin's equal.
    chief = deputy(admin, *PERMISSIONS)
    assert chief.call("PATCH", f"/users/{person.id}", {"roles": ["admin"]}).status == 403
    assert chief.call("PATCH", f"/users/{admin.id}", {"full_name": "Nobody"}).status == 403
    # Without roles:grant no role at all, not even one without permissions.
    writer = deputy(admin, "users:write")
    assert writer.call("PATCH", f"/users/{person.id}", {"roles": []}).status == 403


def test_Z3_an_account_that_may_more_cannot_be_touched(server, admin):
    keeper = deputy(admin, "users:read", "users:write", "users:delete", "roles:grant")
    auditor = deputy(admin, "audit:read")
    for person in (admin, auditor):
        for method, body in (("PATCH", {"disabled": True}), ("PATCH", {"full_name": "x"}), ("PATCH", {"roles": []}), ("DELETE", None)):
            assert keeper.call(method, f"/users/{person.id}", body).status == 403
        assert person.call("GET", "/me").status == 200
    equal = new_person(server, *keeper.call("GET", "/me").json["roles"][:1])
    assert keeper.call("DELETE", f"/users/{equal.id}").status == 200


def test_Z3_a_right_taken_away_is_gone_at_the_next_request(server, admin, person):
    helper = deputy(admin, "users:write", "users:read")
    assert helper.call("PATCH", f"/users/{person.id}", {"full_name": "Once"}).status == 200
    role, = set(helper.call("GET", "/me").json["roles"]) - {"user"}
    assert admin.call("PUT", f"/roles/{role}", {"permissions": ["users:read"]}).status == 200
    assert helper.call("PATCH", f"/users/{person.id}", {"full_name": "Twice"}).status == 403
    assert command("user", "role", helper.email, "--remove", role, data=server.data)[0] == 0
    assert helper.call("GET", f"/users/{person.id}").status == 403


def test_Z3_the_last_admin_stays(data):
    add_user(data, "only@example.com", "admin")
    with Keyward(data) as server:
        only = Person(server, "only@example.com")
        for method, path, body in (("PATCH", f"/users/{only.id}", {"disabled": True}), ("PATCH", f"/users/{only.id}", {"roles": ["user"]}),
                                   ("PATCH", f"/users/{only.id}", {"full_name": "x", "roles": []}),
                                   ("DELETE", f"/users/{only.id}", None), ("DELETE", "/me", None)):
            refused = only.call(method, path, body)
            assert refused.status == 409 and "last admin" in refused.json["detail"], (method, path, body)
        for words in (("disable", "only@example.com"), ("delete", "only@example.com"), ("role", "only@example.com", "--remove", "admin")):
            code, _, err = command("user", *words, data=data)
            assert code == 1 and "last admin" in err
        me = only.call("GET", f"/users/{only.id}")
        assert me.status == 200 and me.json["full_name"] is None and me.json["roles"] == ["admin", "user"]
        # A disabled admin is none.
        second = new_person(server, "admin")
        assert only.call("PATCH", f"/users/{second.id}", {"disabled": True}).status == 200
        assert only.call("DELETE", "/me").status == 409
        assert only.call("DELETE", f"/users/{second.id}").status == 200
        third = new_person(server, "admin")
        assert only.call("DELETE", "/me").status == 204
        assert third.call("DELETE", "/me").status == 409


@pytest.mark.parametrize("how", ["demote", "disable", "delete", "leave", "mixed"])
def test_R2_Z3_of_two_admins_who_remove_each_other_one_stays(data, how):
    ways = {
        "demote": lambda me, other: me.call("PATCH", f"/users/{other.id}", {"roles": ["user"]}),
        "disable": lambda me, other: me.call("PATCH", f"/users/{other.id}", {"disabled": True}),
        "delete": lambda me, other: me.call("DELETE", f"/users/{other.id}"),
        "leave": lambda me, other: me.call("DELETE", "/me"),
    }
    kinds = list(ways.values())
    with Keyward(data, env={"KEYWARD_LIMITS_ENABLED": "false"}) as server:
        for _ in range(3):
            pair = [new_person(server, "admin", word="duel") for _ in range(2)]
            for rest in pair[0].call("GET", "/users?role=admin&limit=200").json["items"]:
                if rest["id"] not in (pair[0].id, pair[1].id):
                    assert pair[0].call("DELETE", f"/users/{rest['id']}").status == 200
            start = threading.Barrier(64)

            def attack(number, pair=pair, start=start):
                way = kinds[number // 2 % len(kinds)] if how == "mixed" else ways[how]
                start.wait()
                return way(pair[number % 2], pair[1 - number % 2]).status

            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                statuses = list(pool.map(attack, range(64)))
            assert set(statuses) <= {200, 204, 401, 403, 404, 409}, statuses
            with connect(data) as database:
                left, = database.execute("SELECT count(*) FROM accounts a JOIN account_roles r ON r.account_id = a.id "
                                         "WHERE r.role = 'admin' AND NOT a.disabled").fetchone()
            assert left == 1, statuses


PRIVILEGED = """role roles is_admin admin isAdmin superuser is_superuser is_staff permissions permission scope scopes groups group
    tenant tenant_id organisation email_verified emailVerified verified is_verified disabled is_active active enabled locked id user_id uuid sub
    created_at updated_at last_login_at password_hash password_changed_at hashed_password email_normalized session_id token
    access_level account_roles account_id mfa_enabled""".split()


def test_Z2_forty_privileged_names_have_no_effect_at_register_and_are_refused_at_me(server):
    assert len(set(PRIVILEGED)) >= 40
    values = [True, "admin", ["admin"], {"admin": True}, 1]

    columns = ("email_verified, full_name, disabled, last_login_at, id, email, email_normalized, password_hash, created_at, updated_at, "
               "password_changed_at")

    def row(email):
        with connect(server.data) as database:
            account = database.execute(f"SELECT {columns} FROM accounts WHERE email = ?", (email,)).fetchone()
            roles = database.execute("SELECT r.role, r.granted_at FROM account_roles r JOIN accounts a ON a.id = r.account_id "
                                     "WHERE a.email = ?", (email,)).fetchall()
        return tuple(account), [tuple(role) for role in roles]

    plain, loaded = fresh_email("plain"), fresh_email("loaded")
    assert server.register(plain).status == 201
    assert server.call("POST", "/register", {"email": loaded, "password": GOOD_PASSWORD,
                                             **{name: values[i % 5] for i, name in enumerate(PRIVILEGED)}}).status == 201
    (one, one_roles), (two, two_roles) = row(plain), row(loaded)
    assert one[:4] == two[:4] and not two[0] and not two[2]
    assert [role for role, _ in one_roles] == [role for role, _ in two_roles] == ["user"]

    person = Person(server, loaded)
    before = row(loaded)
    for index, name in enumerate(PRIVILEGED):
        refused = person.call("PATCH", "/me", {"full_name": "x", name: values[index % 5]})
        assert refused.status == 422 and refused.fields == [name]
    refused = person.call("PATCH", "/me", {name: True for name in PRIVILEGED})
    assert refused.status == 422
    assert row(loaded) == before


def test_roles_on_the_command_line(server, admin):
    person, role = new_person(server), new_role(admin, "users:read")
    assert command("user", "role", person.email, "--add", role, "--add", "admin", "--remove", "user", data=server.data)[0] == 0
    assert person.call("GET", "/me").json["roles"] == sorted(["admin", role])
    code, _, err = command("user", "role", person.email, "--add", "emperor", data=server.data)
    assert code == 1 and "emperor" in err
    assert command("user", "role", "nobody@example.com", "--add", "admin", data=server.data)[0] == 1
    assert command("user", "role", person.email, data=server.data)[0] == 2
    assert command("user", "role", "--remove", "admin", person.email, data=server.data)[0] == 0
    listed = command("user", "list", "--role", role, data=server.data)[1].splitlines()
    assert len(listed) == 1 and person.email in listed[0]
    assert command("user", "list", "--search", person.email[:-3].upper(), "--role", "admin", data=server.data)[1] == ""
