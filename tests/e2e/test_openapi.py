"""OpenAPI 3.1 and the viewer: what they say is what the server does, and nothing leaves the machine."""

import re
import urllib.parse




def test_the_document_tells_every_route_and_who_may_call(server):
    document = server.call("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    paths = document["paths"]
    for path, method in (("/register", "post"), ("/login", "post"), ("/me", "get"), ("/me", "patch"), ("/me", "delete"),
                         ("/me/password", "post"), ("/refresh", "post"), ("/logout", "post"), ("/me/sessions", "get"),
                         ("/me/sessions", "delete"), ("/me/sessions/{id}", "delete"), ("/livez", "get"), ("/readyz", "get"), ("/.well-known/jwks.json", "get")):
        assert method in paths[path]
    assert paths["/me"]["get"]["security"] and not paths["/login"]["post"].get("security")
    assert "bearer" in str(document["components"]["securitySchemes"]).lower()
    register = paths["/register"]["post"]["requestBody"]["content"]
    assert {"application/json", "application/x-www-form-urlencoded"} <= set(register)


def test_Z5_every_documented_route_answers(server, email):
    document = server.call("GET", "/openapi.json").json
    token = server.new_user(email)["access_token"]
    ended_by = ("/me", "delete"), ("/logout", "post")  # the session of the test
    for path, methods in document["paths"].items():
        for method in methods:
            if method in ("get", "post", "put", "patch", "delete") and (path, method) not in ended_by:
                answer = server.call(method.upper(), path.replace("{file}", "x"), token=token)
                assert answer.status not in (405, 500, 501), (method, path, answer)


def test_the_viewer_asks_nobody_else(server):
    page = server.call("GET", "/docs")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    text = page.body.decode()
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", text)
    for link in re.findall(r"(?:src|href)=[\"']([^\"'#]+)", text):
        if not link.startswith("data:"):
            path = urllib.parse.urljoin("/docs", link)
            assert server.call("GET", path, headers={"Accept-Encoding": "gzip"}).status == 200, path


def test_readyz_and_livez(server):
    assert server.call("GET", "/livez").status == 200
    assert server.call("GET", "/readyz").status == 200
