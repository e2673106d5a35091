"""Roles: named sets of permissions that people make."""

import concurrent.futures

import pytest

from keyward import command
from people import PERMISSIONS, deputy, new_person, new_role


@pytest.fixture(scope="module")
def admin(server):
    return new_person(server, "admin", word="admin")


def roles_of(admin):
    return {role["name"]: role for role in admin.call("GET", "/roles").json["items"]}


def test_the_built_in_roles_are_there_and_stay_as_they_are(admin):
    roles = roles_of(admin)
    assert roles["admin"]["permissions"] == list(PERMISSIONS) and roles["user"]["permissions"] == []
    for name in ("admin", "user"):
        assert roles[name]["built_in"] is True
        assert admin.call("PUT", f"/roles/{name}", {"permissions": []}).status == 409
        assert admin.call("DELETE", f"/roles/{name}").status == 409
    assert roles_of(admin) == roles


def test_a_role_is_made_replaced_and_deleted(server, admin):
    made = admin.call("PUT", "/roles/support-1_x", {"permissions": ["users:write", "users:read"], "description": "Help desk"})
    assert made.status == 200
    assert (made.json["name"], made.json["permissions"], made.json["description"], made.json["built_in"]) == (
        "support-1_x", ["users:read", "users:write"], "Help desk", False)
    again = admin.call("PUT", "/roles/support-1_x", {"permissions": ["users:read"]})
    assert again.json["created_at"] == made.json["created_at"] and again.json["updated_at"] > made.json["updated_at"]
    assert again.json["description"] is None and roles_of(admin)["support-1_x"]["permissions"] == ["users:read"]
    assert admin.call("DELETE", "/roles/support-1_x").status == 204
    assert admin.call("DELETE", "/roles/support-1_x").status == 404
    assert "support-1_x" not in roles_of(admin)
    told = [(event["reason"], event["detail"]) for event in server.logged_events("privilege_permissions_changed")
            if "support-1_x" in event["detail"]]
    assert told == [("role_made", "role support-1_x: users:read users:write"), ("role_changed", "role support-1_x: users:read"),
                    ("role_deleted", "role support-1_x: ")]


def test_a_role_that_somebody_has_is_not_deleted(server, admin):
    role = new_role(admin, "users:read")
    person = new_person(server, role)
    assert admin.call("DELETE", f"/roles/{role}").status == 409
    assert command("user", "role", person.email, "--remove", role, data=server.data)[0] == 0
    assert admin.call("DELETE", f"/roles/{role}").status == 204


@pytest.mark.parametrize("name", ["Upper", "with%20space", "-first", "%C3%BCmlaut", "x" * 65, "a.b", "a%00b", "%2e%2e", "a'b", "a%2fb"])
def test_what_is_no_name_is_refused(admin, name):
    path = "/roles/" + name
    assert admin.call("PUT", path, {"permissions": []}).status in (400, 404, 422)
    assert admin.call("DELETE", path).status in (400, 404)


@pytest.mark.parametrize("body, field", [
    ({"permissions": ["users:fly"]}, "permissions[0]"), ({"permissions": ["users:read", "*"]}, "permissions[1]"), ({}, "permissions"),
    ({"permissions": None}, "permissions"), ({"permissions": [], "name": "x"}, "name"), ({"permissions": [], "built_in": True}, "built_in"),
    ({"permissions": [], "description": "x" * 201}, "description"), ({"permissions": [], "description": "a\nb"}, "description"),
])
def test_a_bad_form_is_refused(admin, body, field):
    refused = admin.call("PUT", "/roles/wrong", body)
    assert refused.status == 422 and refused.fields == [field]


def test_pages(admin):
    names = [new_role(admin) for _ in range(3)]
    seen, after = [], ""
    while after is not None:
        page = admin.call("GET", "/roles?limit=2" + (f"&after={after}" if after else "")).json
        assert 1 <= len(page["items"]) <= 2
        seen += [role["name"] for role in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) and set(names) <= set(seen)


def test_Z3_nobody_puts_in_a_role_what_they_lack(server, admin):
    writer = deputy(admin, "roles:write", "roles:read", "users:read")
    own, = set(writer.call("GET", "/me").json["roles"]) - {"user"}
    assert writer.call("PUT", "/roles/made-by-writer", {"permissions": ["users:read"]}).status == 200
    for name in ("made-by-writer", own, "another-new-one"):
        assert writer.call("PUT", f"/roles/{name}", {"permissions": ["users:read", "users:delete"]}).status == 403
    high = new_role(admin, "audit:read")
    assert writer.call("PUT", f"/roles/{high}", {"permissions": []}).status == 403
    assert writer.call("DELETE", f"/roles/{high}").status == 403
    assert roles_of(admin)[own]["permissions"] == ["roles:read", "roles:write", "users:read"]
    assert "another-new-one" not in roles_of(admin) and roles_of(admin)[high]["permissions"] == ["audit:read"]
    # What one has, one may take away, from oneself too.
    assert writer.call("PUT", f"/roles/{own}", {"permissions": ["roles:read"]}).status == 200
    assert writer.call("PUT", f"/roles/{own}", {"permissions": ["roles:read", "roles:write"]}).status == 403


def test_a_changed_role_counts_at_the_next_request_of_all_who_have_it(server, admin):
    role = new_role(admin, "users:read")
    people = [new_person(server, role) for _ in range(3)]
    for allowed in (True, False, True):
        assert admin.call("PUT", f"/roles/{role}", {"permissions": ["users:read"] if allowed else []}).status == 200
        assert [person.call("GET", "/users").status for person in people] == [200 if allowed else 403] * 3


def test_R2_a_role_is_never_deleted_from_under_somebody(server, admin):
    for _ in range(4):
        role, person = new_role(admin, "users:read"), new_person(server)
        calls = [lambda role=role: admin.call("DELETE", f"/roles/{role}").status,
                 lambda role=role, person=person: admin.call("PATCH", f"/users/{person.id}", {"roles": ["user", role]}).status]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda n: calls[n % 2](), range(16)))
        assert set(statuses) <= {200, 204, 404, 409, 422}
        assert (role in roles_of(admin)) == (role in admin.call("GET", f"/users/{person.id}").json["roles"])
