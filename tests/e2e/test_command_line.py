"""The command line: exit codes 0 done, 1 failed, 2 wrong usage; --json where it prints data."""

import json
import os
import re
import time

import pytest

from keyward import GOOD_PASSWORD, command
from keyward import OneNode as Keyward


def run_json(*arguments, **more):
    code, out, err = command(*arguments, "--json", **more)
    assert code == 0, (out, err)
    return json.loads(out)


def test_version_and_help():
    assert re.fullmatch(r"keyward \d+\.\d+\.\d+\n", command("version")[1])
    code, out, _ = command("--help")
    assert code == 0
    for word in ("serve", "user", "key", "token", "migrate", "backup", "config", "doctor", "healthcheck", "version"):
        assert word in out


@pytest.mark.parametrize("arguments", [(), ("fly",), ("user",), ("user", "add"), ("serve", "--listen", "nonsense"), ("key", "--x")])
def test_wrong_usage_is_exit_code_2(arguments, tmp_path):
    assert command(*arguments)[0] == 2


def test_users_from_the_command_line(data):
    code, out, err = command("user", "add", "Root@Example.com", "--role", "admin", "--name", "Root", "--password-stdin",
                             data=data, stdin=GOOD_PASSWORD + "\n")
    assert code == 0, err
    users = run_json("user", "list", data=data)
    assert [(u["email"], u["roles"], u["full_name"], u["disabled"]) for u in users["items"]] == [
        ("Root@Example.com", ["admin", "user"], "Root", False)]
    assert run_json("user", "show", "root@example.com", data=data)["id"] == users["items"][0]["id"]
    assert command("user", "add", "root@EXAMPLE.com", "--password-stdin", data=data, stdin=GOOD_PASSWORD)[0] == 1
    assert command("user", "add", "weak@example.com", "--password-stdin", data=data, stdin="password")[0] == 1
    assert command("user", "add", "bad role@example.com", "--password-stdin", data=data, stdin=GOOD_PASSWORD)[0] == 1
    code, _, err = command("user", "add", "x@example.com", "--role", "emperor", "--password-stdin", data=data, stdin=GOOD_PASSWORD)
    assert code == 1 and "emperor" in err
    with Keyward(data) as server:
        login = server.login("root@example.com")
        assert login.status == 200
        assert server.call("GET", "/me", token=login.json["access_token"]).json["roles"] == ["admin", "user"]
    assert command("user", "add", "second@example.com", "--role", "admin", "--password-stdin", data=data, stdin=GOOD_PASSWORD)[0] == 0
    assert command("user", "disable", "root@example.com", data=data)[0] == 0
    assert run_json("user", "show", "root@example.com", data=data)["disabled"] is True
    assert command("user", "delete", "root@example.com", data=data)[0] == 0
    assert command("user", "show", "root@example.com", data=data)[0] == 1


def test_keys_are_listed_and_rotated_while_the_server_runs(data):
    with Keyward(data) as server:
        first, = run_json("key", "list", data=data)["items"]
        assert first["status"] == "active" and first["algorithm"] == "ES256"
        old = server.new_user("keys@example.com")["access_token"]
        assert command("key", "rotate", data=data)[0] == 0
        states = {key["status"]: key["id"] for key in run_json("key", "list", data=data)["items"]}
        assert set(states) == {"active", "next"} and states["active"] == first["id"]
        deadline = time.monotonic() + 5
        while len(server.call("GET", "/.well-known/jwks.json").json["keys"]) != 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert {key["kid"] for key in server.call("GET", "/.well-known/jwks.json").json["keys"]} == set(states.values())
        # The next key is published, the old one still signs.
        assert json.loads(command("token", "inspect", stdin=server.login("keys@example.com").json["access_token"])[1])[
            "header"]["kid"] == first["id"]
        assert command("key", "rotate", "--now", data=data)[0] == 0
        fresh = server.login("keys@example.com").json["access_token"]
        kid = json.loads(command("token", "inspect", stdin=fresh)[1])["header"]["kid"]
        assert kid != first["id"]
        # Tokens of both keys are good until they expire.
        assert server.call("GET", "/me", token=old).status == server.call("GET", "/me", token=fresh).status == 200


def test_token_verify(data, tmp_path):
    with Keyward(data) as server:
        token = server.new_user("t@example.com")["access_token"]
        jwks = tmp_path / "jwks.json"
        jwks.write_bytes(server.call("GET", "/.well-known/jwks.json").body)
    lines = "\n".join([token, token[:-5], "garbage", token.rsplit(".", 1)[0] + ".AAAA"]) + "\n"
    code, out, _ = command("token", "verify", "--jwks", jwks, "--signature-only", stdin=lines)
    results = [json.loads(line) for line in out.splitlines()]
    assert [result["valid"] for result in results] == [True, False, False, False]
    assert results[0]["header"]["typ"] == "at+jwt" and results[0]["payload"]["roles"] == ["user"]
    assert all(result["reason"] for result in results[1:])
    assert code == 1
    assert command("token", "verify", data=data, stdin=token)[0] == 0
    assert command("token", "verify", "--jwks", tmp_path / "none.json", stdin=token)[0] == 1


def test_migrate_plan_and_healthcheck(data):
    plan = run_json("migrate", "--plan", data=data)
    assert plan["items"] and not (data / "keyward.db").exists()
    assert command("migrate", data=data)[0] == 0
    assert run_json("migrate", "--plan", data=data)["items"] == []
    with Keyward(data) as server:
        assert command("healthcheck", "--url", server.url)[0] == 0
        for host in ("127.0.0.1", "0.0.0.0"):  # the latter is asked at an address of this machine
            assert command("healthcheck", env={"KEYWARD_SERVER_LISTEN": f"{host}:{server.port}"})[0] == 0
        url = server.url
    assert command("healthcheck", "--url", url)[0] == 1


def test_config(data, tmp_path):
    code, template, _ = command("config", "template")
    assert code == 0 and "[server]" in template
    file = tmp_path / "keyward.toml"
    file.write_text(template)
    assert command("config", "check", "--config", file)[0] == 0
    file.write_text("[server]\nlissten = '127.0.0.1:1'\n")
    code, out, err = command("config", "check", "--config", file)
    assert code == 1 and "server.listen" in out + err and "lissten" in out + err
    code, out, err = command("config", "check", env={"KEYWARD_SERVER_LISSTEN": "x"})
    assert code == 1 and "KEYWARD_SERVER_LISTEN" in out + err
    file.write_text("[tokens]\naccess_token_lifetime_s = 'soon'\n[passwords]\nargon2_memory_kib = 1\n")
    code, out, err = command("config", "check", "--config", file)
    assert code == 1 and "access_token_lifetime_s" in out + err and "argon2_memory_kib" in out + err
    file.write_text("[tokens]\naccess_token_lifetime_s = 300\n")
    shown = command("config", "show", "--config", file, env={"KEYWARD_MASTER_KEY": "ef" * 32})[1]
    assert "300" in shown and "ef" * 32 not in shown


def test_first_start_says_where_and_how(data):
    with Keyward(data) as server:
        greeting = "".join(server.errors)
        curls = [line.strip() for line in greeting.splitlines() if line.strip().startswith(("curl", "TOKEN="))]
        assert server.url in greeting and str(data) in greeting
        assert len(curls) == 3
        script = "\n".join(curls)
        assert os.system(f"bash -ec '{script.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}' > {data}/out 2>&1") == 0
        assert '"email"' in (data / "out").read_text()
    with Keyward(data) as again:
        assert "curl" not in "".join(again.errors)
