"""examples/grafana-dashboard.json and examples/prometheus-alerts.yml: whole, and every metric in them is one that the server shows."""

import contextlib
import json
import re

import pytest
import yaml

from keyward import ROOT
from metrics import Metrics
from redis_server import RedisServer
from smtp_server import Authority
from test_tls import Https, ask, client_context, files_of

DASHBOARD = ROOT / "examples/grafana-dashboard.json"
ALERTS = ROOT / "examples/prometheus-alerts.yml"
METRIC = re.compile(r"\b((?:keyward|process)_[a-z_]+)\b")
PROVIDER = {"KEYWARD_PROVIDERS_GOOGLE_CLIENT_ID": "a", "KEYWARD_PROVIDERS_GOOGLE_CLIENT_SECRET": "b"}
ROWS = ["Traffic", "Logins", "Logins at providers", "Passwords", "Tokens", "Limits", "Mail", "Database", "TLS and process"]


class Redis(RedisServer):
    close = RedisServer.remove


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """All that a server with TLS, Redis and a provider shows after some traffic."""
    folder = tmp_path_factory.mktemp("live")
    authority = Authority(folder)
    with contextlib.closing(Redis()) as redis, \
            Https(folder / "data", *files_of(authority, "server"), KEYWARD_REDIS_URL=redis.url, **PROVIDER) as server:
        context = client_context(authority)

        def post(path, **body):
            return json.loads(ask(server, context, path, "POST", json.dumps(body), {"Content-Type": "application/json"})[2])

        post("/register", email="live@example.com", password="violet orbit candle 94")
        tokens = post("/login", email="live@example.com", password="violet orbit candle 94")
        post("/refresh", refresh_token=tokens["refresh_token"])
        yield Metrics(ask(server, context, "/metrics")[2].decode())


def missing(expressions, live):
    used = {name for text in expressions for name in METRIC.findall(text)} - {"process", "keyward"}
    assert len(used) > 5
    return sorted(name for name in used if name not in live.names())


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_the_dashboard_shows_only_what_there_is(live):
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in panels_of(dashboard) for target in panel["targets"]]
    assert missing(expressions, live) == []


def test_the_dashboard_can_be_imported():
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["id"] is None and dashboard["uid"] and dashboard["title"] == "Keyward" and dashboard["schemaVersion"] >= 30
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert [name for name, variable in variables.items() if variable["type"] == "datasource"] == ["datasource"]
    assert [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"] == ROWS
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    for panel in panels_of(dashboard):
        assert panel["title"] and panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"] and len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            assert target["expr"].count("(") == target["expr"].count(")") and target["expr"].count("{") == target["expr"].count("}")
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert re.search(rf"\b{label}\b", target["expr"]) or f"by ({label}" in target["expr"] or label in ("instance", "lane"), target


def test_the_alerts_ask_only_for_what_there_is(live):
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert missing([rule["expr"] for rule in rules], live) == []
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 8
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical") and rule["annotations"]["summary"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_words_in_the_alerts_are_labels_that_there_are(live):
    """A result that is misspelt in an alert never fires."""
    text = ALERTS.read_text() + DASHBOARD.read_text()
    for name, label in (("keyward_logins_total", "result"), ("keyward_refreshes_total", "result")):
        for words in re.findall(name + r'\{[^}]*' + label + r'=~?\\?"([^"\\]+)', text):
            assert set(words.split("|")) <= live.labels(name, label)


def test_the_documents_name_only_what_there_is(live):
    text = (ROOT / "docs/operations.md").read_text()
    names = set(re.findall(r"`(keyward_[a-z_]+)", text))
    known = live.names() | {name.rsplit("_", 1)[0] for name in live.names()}
    assert len(names) > 10 and sorted(names - known) == []
