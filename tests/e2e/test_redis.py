"""Several nodes with Redis: one limit for all of them, word of what has changed, and what happens when Redis is away."""

import concurrent.futures
import itertools
import json
import socket
import threading
import time

import pytest

from keyward import GOOD_PASSWORD, SANITIZED, command
from keyward import OneNode as Keyward
from redis_server import RedisServer, cluster, hashes, wait_for_redis
from smtp_server import Authority
from test_tls import files_of

WRONG = "wrong password here"
WIDE = {"KEYWARD_LIMITS_LOGIN_ADDRESS_ATTEMPTS": "1000000", "KEYWARD_LIMITS_REGISTER_PER_HOUR": "1000000",
        "KEYWARD_AUDIT_EMAIL": "plain"}
CANARY = "c4nary-pa55word"


@pytest.fixture(name="redis")
def redis_fixture():
    server = RedisServer()
    yield server
    server.remove()


def guess(nodes, email, count, threads=64):
    """Wrong passwords at all nodes in turn; the statuses, and how many hashes they cost."""
    before = hashes(nodes)
    turns = itertools.cycle(nodes)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(lambda pair: pair[0].login(email, f"{WRONG} {pair[1]}"),
                                [(next(turns), n) for n in range(count)]))
    for answer in answers:
        assert answer.status in (401, 429, 503), answer
        assert answer.status == 401 or int(answer.headers["Retry-After"]) > 0
    return [answer.status for answer in answers], hashes(nodes) - before


def status_of(node, token):
    return node.call("GET", "/me", token=token).status


def is_refused(node, token):
    """By all of its loops, which have a cache each: a connection goes to any of them."""
    return all(status_of(node, token) == 401 for _ in range(8))


def test_limits_are_shared_and_lie_in_redis(tmp_path, redis, email):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        nodes[0].register(email)
        for left, node in zip((4, 3, 2, 1, 0), itertools.cycle(nodes)):
            answer = node.login(email, WRONG)
            assert answer.status == 401 and answer.headers["RateLimit"].startswith(f'"login";r={left};t=')
        for node in nodes:
            refused = node.login(email)
            assert refused.status == 429 and 0 < int(refused.headers["Retry-After"]) <= 900
        assert redis.ask("KEYS", "keyward:*:login:*").startswith(b"*1\r\n")
        assert email.encode() not in redis.ask("KEYS", "*")


def test_the_refresh_limit_of_an_address_is_one_for_all_nodes(tmp_path, redis):
    with cluster(tmp_path, redis=redis, env={"KEYWARD_LIMITS_REFRESH_PER_MINUTE": "9"}) as nodes:
        turns = itertools.cycle(nodes)
        statuses = [next(turns).call("POST", "/refresh", {"refresh_token": "kw_rt_none"}).status for _ in range(12)]
        assert statuses == [401] * 9 + [429] * 3


@pytest.mark.parametrize("known", [True, False])
def test_A2_64_threads_at_three_nodes_get_five_hashes(tmp_path, redis, email, known):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        if known:
            nodes[0].register(email)
        statuses, cost = guess(nodes, email, 600)
        assert cost <= 5 and statuses.count(401) <= 5
        assert 503 not in statuses


def test_A3_the_budget_is_one_however_the_address_is_spelled(tmp_path, redis, email):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        spellings = [email, email.upper(), f" {email} ", email.title(), email]
        turns = itertools.cycle(nodes)
        assert [next(turns).login(spelled, WRONG).status for spelled in spellings] == [401] * 5
        assert next(turns).login(email.upper(), WRONG).status == 429


@pytest.mark.parametrize("with_redis", [True, False])
def test_S5_a_session_that_ended_here_is_refused_there(tmp_path, redis, email, with_redis):
    """Within a second; with Redis it takes milliseconds."""
    with cluster(tmp_path, redis=redis if with_redis else None, env=WIDE) as nodes:
        took = []
        for round_number in range(5):
            tokens = nodes[0].new_user(f"{round_number}{email}")
            for node in nodes:
                assert status_of(node, tokens["access_token"]) == 200
            assert nodes[0].call("POST", "/logout", token=tokens["access_token"]).status == 204
            ended = time.monotonic()
            for node in nodes[1:]:
                while not is_refused(node, tokens["access_token"]):
                    assert time.monotonic() - ended < (3 if SANITIZED else 1.2)
            took.append(time.monotonic() - ended)
        if with_redis:
            assert sorted(took)[2] < 0.3, took  # with eight requests at two nodes


def test_what_an_admin_changes_is_seen_by_all(tmp_path, redis, email):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        tokens = nodes[0].new_user(email)
        assert status_of(nodes[1], tokens["access_token"]) == 200
        code, _, err = command("user", "disable", email, data=nodes[2].data, env=nodes[2].env)
        assert code == 0, err
        ended = time.monotonic()
        while status_of(nodes[1], tokens["access_token"]) == 200:
            assert time.monotonic() - ended < (3 if SANITIZED else 1.2)


def test_a_compromised_key_is_refused_by_all_within_a_second(tmp_path, redis, email):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        token = nodes[0].new_user(email)["access_token"]
        assert all(status_of(node, token) == 200 for node in nodes)
        code, _, err = command("key", "rotate", "--compromised", data=nodes[0].data, env=nodes[0].env)
        assert code == 0, err
        ended = time.monotonic()
        for node in nodes:
            while not is_refused(node, token):
                assert time.monotonic() - ended < (3 if SANITIZED else 1.3)


OUTAGES = {"killed": (RedisServer.end, RedisServer.start), "stopped": (RedisServer.pause, RedisServer.go_on)}


@pytest.mark.parametrize("how", OUTAGES)
def test_H4_no_attempt_is_won_by_an_outage(tmp_path, redis, email, how):
    take_away, give_back = OUTAGES[how]
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        nodes[0].register(email)
        before = hashes(nodes)
        assert nodes[0].login(email, WRONG).status == 401
        assert nodes[1].login(email, WRONG).status == 401
        take_away(redis)
        assert nodes[2].login(email, WRONG).status == 401
        wait_for_redis(nodes, 0)
        assert nodes[0].login(email, WRONG).status == 401
        give_back(redis)
        wait_for_redis(nodes, 1)
        assert nodes[1].login(email, WRONG).status == 401
        for node in nodes:
            assert node.login(email).status == 429
        take_away(redis)
        wait_for_redis(nodes, 0)
        for node in nodes:
            assert node.login(email).status == 429
        assert hashes(nodes) - before == 5
        for node in nodes:
            node.wait_for_event("sys_monitor_degraded", count=2)
            assert len(node.wait_for_event("sys_monitor_restored")) == 1
            assert node.logged_events("sys_monitor_degraded")[0]["reason"] == "redis"
        assert sum(node.metric("keyward_rate_limit_fallback_total") for node in nodes) > 0
        assert "redis_is_away" in "".join(nodes[0].errors)
        give_back(redis)


def test_H4_A2_no_attempt_is_won_while_redis_comes_and_goes_under_load(tmp_path, redis, email):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        nodes[0].register(email)
        stop = threading.Event()

        def disturb():
            while not stop.is_set():
                redis.pause()
                stop.wait(0.7)
                redis.go_on()
                stop.wait(0.5)
                redis.end()
                stop.wait(0.3)
                redis.start()
                stop.wait(0.5)

        disturber = threading.Thread(target=disturb)
        disturber.start()
        try:
            begun, cost, tried = time.monotonic(), 0, 0
            while time.monotonic() - begun < 5:  # two rounds of trouble
                statuses, more = guess(nodes, email, 300)
                cost, tried = cost + more, tried + statuses.count(401)
        finally:
            stop.set()
            disturber.join()
        assert cost <= 5 and tried <= 5


def test_a_success_during_an_outage_clears_for_good(tmp_path, redis, email):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        nodes[0].register(email)
        for _ in range(4):
            assert nodes[0].login(email, WRONG).status == 401
        redis.pause()
        wait_for_redis(nodes, 0)
        assert nodes[1].login(email).status == 200
        redis.go_on()
        wait_for_redis(nodes, 1)
        answer = nodes[2].login(email, WRONG)
        assert answer.status == 401 and answer.headers["RateLimit"].startswith('"login";r=4;')


def test_H4_a_session_that_ended_during_an_outage_stays_ended(tmp_path, redis, email):
    with cluster(tmp_path, redis=redis, env=WIDE) as nodes:
        token = nodes[0].new_user(email)["access_token"]
        assert status_of(nodes[1], token) == 200
        redis.end()
        wait_for_redis(nodes, 0)
        assert nodes[0].call("POST", "/logout", token=token).status == 204
        ended = time.monotonic()
        while not is_refused(nodes[1], token):
            assert time.monotonic() - ended < (3 if SANITIZED else 1.2)
        redis.start()
        wait_for_redis(nodes, 1)
        time.sleep(max(0, ended + 1 - time.monotonic()))  # what a loop may have cached, if it was asked no more
        assert all(is_refused(node, token) for node in nodes)


def test_a_start_without_redis_serves_and_says_so(data, redis, email):
    redis.end()
    with Keyward(data, env={**WIDE, "KEYWARD_REDIS_URL": redis.url}) as server:
        server.wait_for_event("sys_monitor_degraded")
        assert "redis_is_away" in "".join(server.errors)
        server.register(email)
        assert [server.login(email, WRONG).status for _ in range(6)] == [401] * 5 + [429]
        redis.start()
        wait_for_redis([server], 1)
        server.wait_for_event("sys_monitor_restored")
        assert server.login(email).status == 429


def test_L2_what_redis_refuses_is_an_error_at_start_without_the_password(data):
    redis = RedisServer("--requirepass", "open sesame")
    try:
        url = redis.url.replace("unix://", f"unix://:{CANARY}@")
        code, out, err = command("serve", data=data, env={"KEYWARD_REDIS_URL": url})
        assert code == 1 and "redis.sock refuses the user and the password" in err
        assert CANARY not in out + err
        code, out, _ = command("config", "show", data=data, env={"KEYWARD_REDIS_URL": url})
        assert code == 0 and CANARY not in out
    finally:
        redis.remove()


def test_L2_tls_is_checked_by_authority_and_name(data, tmp_path, email):
    authority = Authority(tmp_path)
    certificate, key = files_of(authority, "redis")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    redis = RedisServer("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key),
                        "--tls-auth-clients", "no", "--requirepass", CANARY)
    try:
        def env(host, ca_file=authority.ca_file):
            return {**WIDE, "KEYWARD_REDIS_URL": f"rediss://:{CANARY}@{host}:{port}", "KEYWARD_REDIS_CA_FILE": str(ca_file)}

        for host in ("localhost", "127.0.0.1"):
            with Keyward(data, env=env(host)) as server:
                assert server.metric("keyward_redis_up") == 1
                assert [server.login(host + email, WRONG).status for _ in range(6)] == [401] * 5 + [429]
        stranger = Authority(tmp_path, "stranger")
        for bad in (env("localhost", stranger.ca_file), env("localhost.localdomain") | {"KEYWARD_REDIS_URL": f"rediss://:{CANARY}@[::ffff:127.0.0.1]:{port}"}):
            code, out, err = command("serve", data=data, env=bad)
            assert code == 1 and "certificate that does not count" in err and CANARY not in out + err
    finally:
        redis.remove()


@pytest.mark.parametrize("url, says", [
    ("http://cache", "redis://USER:PASSWORD@HOST"), (f"redis://ada:{CANARY}%zz@cache", "cannot be read"),
    ("redis://cache:0", "port"), ("unix://relative", "path")])
def test_L2_a_bad_url_is_told_and_not_repeated(url, says):
    code, out, err = command("config", "check", env={"KEYWARD_REDIS_URL": url})
    assert code == 1 and "redis.url" in err and says in err
    assert CANARY not in out + err


def test_the_doctor_says_whether_redis_answers(data, redis):
    def finding():
        code, out, err = command("doctor", "--json", data=data, env={"KEYWARD_REDIS_URL": redis.url})
        return code, [row for row in json.loads(out)["items"] if row["check"] == "redis"], err

    command("key", "list", data=data)  # makes the data folder
    code, found, err = finding()
    assert found[0]["severity"] == "ok" and "version" in found[0]["what"], (code, found, err)
    redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    code, found, _ = finding()
    assert [row["severity"] for row in found] == ["warning"] and "allkeys-lru" in found[0]["what"]
    redis.end()
    code, found, _ = finding()
    assert code == 1 and found[0]["severity"] == "error" and "cannot connect" in found[0]["what"]


def test_counting_in_redis_needs_a_redis():
    code, _, err = command("config", "check", env={"KEYWARD_LIMITS_STORE": "redis"})
    assert code == 1 and "limits.store" in err and "redis.url" in err


def test_the_url_can_come_from_a_file(data, redis, tmp_path, email):
    file = tmp_path / "redis_url"
    file.write_text(redis.url + "\n")
    with Keyward(data, env={**WIDE, "KEYWARD_REDIS_URL": None, "KEYWARD_REDIS_URL_FILE": str(file)}) as server:
        assert server.metric("keyward_redis_up") == 1
        assert server.register(email).status == 201 and server.login(email, GOOD_PASSWORD).status == 200
