"""People for the tests: admins are made on the command line, roles by an admin over HTTP."""

import itertools
import json

from keyward import GOOD_PASSWORD, command

_numbers = itertools.count(1)
PERMISSIONS = ("audit:read", "roles:grant", "roles:read", "roles:write", "users:delete", "users:read", "users:write")


class Person:
    """Somebody who is signed in; `id`, `email`, `token`."""

    def __init__(self, server, email, password=GOOD_PASSWORD):
        self.server, self.email, self.password = server, email, password
        login = server.login(email, password)
        assert login.status == 200, login
        self.id, self.token, self.refresh_token = (login.json[name] for name in ("user_id", "access_token", "refresh_token"))

    def call(self, method, path, body=None, **more):
        return self.server.call(method, path, body, token=self.token, **more)


def fresh_email(word="person"):
    return f"{word}.{next(_numbers)}@people.example"


def add_user(data, email, *roles):
    """On the command line; returns the id."""
    words = [word for role in roles for word in ("--role", role)]
    code, out, err = command("user", "add", email, *words, "--json", "--password-stdin", data=data, stdin=GOOD_PASSWORD + "\n")
    assert code == 0, err
    return json.loads(out)["id"]


def new_person(server, *roles, word="person"):
    email = fresh_email(word)
    add_user(server.data, email, *roles)
    return Person(server, email)


def new_role(admin, *permissions):
    """Its name."""
    name = f"role-{next(_numbers)}"
    made = admin.call("PUT", f"/roles/{name}", {"permissions": list(permissions)})
    assert made.status == 200, made
    return name


def deputy(admin, *permissions):
    """Somebody whose one role beside `user` has just these permissions."""
    return new_person(admin.server, new_role(admin, *permissions), word="deputy")
