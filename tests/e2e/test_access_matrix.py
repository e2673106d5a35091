"""Who may call what: every route of the server, as everybody, held against access_matrix.toml.

A new route needs a row there; the failure tells which, with what the server answers now. Look at each number before
you paste it.
"""

import re
import tomllib

import jwt
import pytest

from keyward import ROOT
from people import Person, fresh_email, new_person, new_role

CALLERS = ("nobody", "user", "other", "admin", "disabled", "ended")
METHODS = ("get", "put", "post", "patch", "delete")
MATRIX = tomllib.loads((ROOT / "tests/e2e/access_matrix.toml").read_text())

# What stands in a path for each parameter: something of the `user`, so that `other` asks for what is not theirs.
PARAMETERS = {
    "user_id": lambda world: world.owner.id,
    "id": lambda world: session_of(world.owner),
    "session_id": lambda world: session_of(world.owner),
    "name": lambda world: new_role(world.admin),
    "provider": lambda world: "nowhere",
    "file": lambda world: "docs.js",
}
# What stands in a body for a text {so}.
WORDS = {
    "fresh_email": lambda world: fresh_email("matrix"),
    "owner_email": lambda world: world.owner.email,
    "owner_password": lambda world: world.owner.password,
    "owner_refresh_token": lambda world: world.owner.refresh_token,
}


def session_of(person):
    return jwt.decode(person.token, options={"verify_signature": False})["sid"]


class World:
    """An owner of things, somebody who calls, and the admin who made them what they are."""

    def __init__(self, server, admin, caller):
        self.admin, self.caller = admin, caller
        self.owner = self.somebody(server)
        self.token = {"nobody": lambda: None, "user": lambda: self.owner.token, "other": lambda: self.somebody(server).token,
                      "admin": lambda: new_person(server, "admin", word="admin").token,
                      "disabled": lambda: self.refused(self.owner, True), "ended": lambda: self.refused(self.owner, True, False)}[caller]()

    @staticmethod
    def somebody(server):
        email = fresh_email("matrix")
        assert server.register(email).status == 201
        return Person(server, email)

    def refused(self, person, *states):
        """The token of somebody who was disabled; when enabled again, the session is ended all the same."""
        for state in states:
            assert self.admin.call("PATCH", f"/users/{person.id}", {"disabled": state}).status == 200
        return person.token


@pytest.fixture(scope="module")
def admin(server):
    return new_person(server, "admin", word="admin")


@pytest.fixture(scope="module")
def worlds(server, admin):
    """For calls that change nothing."""
    return {caller: World(server, admin, caller) for caller in CALLERS}


def document_of(server):
    return server.call("GET", "/openapi.json").json["paths"]


def routes_of(server):
    return {f"{method.upper()} {path}": words for path, methods in document_of(server).items()
            for method, words in methods.items() if method in METHODS}


def fill(value, world):
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: WORDS[found[1]](world), value)
    return {name: fill(inner, world) for name, inner in value.items()} if isinstance(value, dict) else value


def ask(server, route, row, world):
    method, path = route.split(" ")
    for name in re.findall(r"\{(\w+)\}", path):
        assert name in PARAMETERS, f"{route}: say in PARAMETERS of {__file__} what stands for {{{name}}}"
        path = path.replace("{" + name + "}", PARAMETERS[name](world))
    return server.call(method, path, fill(row["body"], world) if "body" in row else None, token=world.token,
                       headers={"Accept-Encoding": "gzip"}).status


def measure(server, admin, worlds, route, row):
    return [ask(server, route, row, worlds[caller] if route.startswith("GET ") else World(server, admin, caller)) for caller in CALLERS]


def as_row(route, answers, row):
    body = f'body = {{ {", ".join(f"{name} = {value!r}" for name, value in row.get("body", {}).items())} }}\n' if "body" in row else ""
    return f'["{route}"]\n{body}answers = {{ {", ".join(f"{caller} = {status}" for caller, status in zip(CALLERS, answers))} }}\n'


def test_Z1_Z5_every_route_has_a_row_and_every_row_a_route(server, admin, worlds):
    routes = routes_of(server)
    missing = [route for route in routes if route not in MATRIX]
    rows = "\n".join(as_row(route, measure(server, admin, worlds, route, {}), {}) for route in missing)
    assert not missing, ("routes without a row in tests/e2e/access_matrix.toml. Without a body the server answers now (look at "
                         f"each number, and give a body that would be taken):\n\n{rows}")
    gone = [route for route in MATRIX if route not in routes]
    assert not gone, f"rows of tests/e2e/access_matrix.toml without a route: {gone}"


@pytest.mark.parametrize("route", MATRIX)
def test_Z1_who_may_call(server, admin, worlds, route):
    row = MATRIX[route]
    assert tuple(row["answers"]) == CALLERS, f"{route}: the answers are those to {CALLERS}, in this order"
    answers = measure(server, admin, worlds, route, row)
    assert answers == list(row["answers"].values()), f"the server answers now:\n\n{as_row(route, answers, row)}"


def test_Z1_the_table_says_what_the_document_says(server):
    """The rows are held against what each route says of itself, so that a wrong number cannot just be pasted."""
    wrong = []
    for route, words in routes_of(server).items():
        answers, security = MATRIX.get(route, {}).get("answers", {}), words["security"]
        if not answers or {} in security:  # the latter may be called without a token as well
            continue
        needs_token = bool(security)
        if needs_token != all(answers[caller] == 401 for caller in ("nobody", "disabled", "ended")):
            wrong.append(f"{route}: 401 is for callers without a good token, where one is needed")
        if needs_token and security[0]["bearerAuth"] and not answers["user"] == answers["other"] == 403 != answers["admin"]:
            wrong.append(f"{route}: it needs {security[0]['bearerAuth']}, so 403 for users and not for admins")
        if needs_token and answers["admin"] in (401, 403):
            wrong.append(f"{route}: refused to admins")
        if not needs_token and len({answers[caller] for caller in CALLERS[:4]}) != 1:
            wrong.append(f"{route}: open to all, so a token makes no difference")  # what a body names may be dead
    assert not wrong, "\n".join(wrong)


def test_Z5_the_list_of_routes_the_document_and_the_readme_agree(server):
    source = (ROOT / "src/app/routes.cpp").read_text()
    listed = {f"{'DELETE' if method == 'del' else method.upper()} {path}"
              for method, path in re.findall(r'router_\.(get|put|post|patch|del)\(\s*"([^"]+)"', source)}
    documented = set(routes_of(server))
    assert len(listed) > 15 and listed <= documented
    assert all(path.split(" ")[1].startswith(("/openapi.json", "/docs")) for path in documented - listed)
    readme = (ROOT / "README.md").read_text()
    untold = {route for route in listed if f"`{route}`" not in readme}
    assert not untold, f"README.md does not tell of {sorted(untold)}"


def test_Z1_no_other_method_and_no_other_path_answers(server, admin):
    for path, methods in document_of(server).items():
        plain = re.sub(r"\{\w+\}", "x", path)
        for method in set(METHODS) - set(methods):
            assert server.call(method.upper(), plain, token=admin.token).status == 405, (method, path)
    for path in ("/admin", "/users/", "/USERS", "/users//x", "/users/x/y", "/roles/", "/me/roles", "/api/users", "/register/", "/setup/x"):
        assert server.call("GET", path, token=admin.token).status == 404, path


def test_a_missing_row_is_told_with_its_numbers(tmp_path):
    """The failure message is what the next developer sees: it can be pasted."""
    text = as_row("GET /new", [401, 200, 200, 200, 401, 401], {"body": {"name": "x"}})
    assert tomllib.loads(text)["GET /new"]["answers"]["disabled"] == 401
    assert tomllib.loads(text)["GET /new"]["body"] == {"name": "x"}
