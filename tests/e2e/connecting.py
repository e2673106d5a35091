"""How somebody who is signed in connects a provider: asks, goes there, comes back with a code, confirms."""

from keyward import GOOD_PASSWORD
from providers import Visitor


def ask(server, login, provider, password=GOOD_PASSWORD, **body):
    if password is not None:
        body["current_password"] = password
    return server.call("POST", f"/me/identities/{provider.name}", body, token=login["access_token"])


def code_for(server, login, provider, person, password=GOOD_PASSWORD, visitor=None):
    """What the browser of this person comes back with."""
    asked = ask(server, login, provider, password)
    assert asked.status == 200 and 0 < asked.json["expires_in"] <= 600, asked
    return code_at(server, asked.json["login_url"], provider, person, visitor)


def code_at(server, login_url, provider, person, visitor=None):
    answer = (visitor or Visitor(server)).log_in(provider, person, url=login_url)
    assert answer.status == 200 and set(answer.json) == {"code", "expires_in"} and answer.json["expires_in"] == 60, answer
    return answer.json["code"]


def confirm(server, login, provider, code, **more):
    return server.call("POST", f"/me/identities/{provider.name}/confirm", {"code": code, **more}, token=login["access_token"])


def connected(server, login, provider, person, password=GOOD_PASSWORD):
    answer = confirm(server, login, provider, code_for(server, login, provider, person, password))
    assert answer.status == 201, answer
    return answer.json
