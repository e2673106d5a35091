"""The same calls on SQLite, on PostgreSQL, and on three nodes with PostgreSQL and Redis; and TLS handshakes."""

import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from load import ACCOUNTS, PASSWORD, Server, build_raw, register_accounts, wrk

SERVICES = pathlib.Path(__file__).resolve().parents[1] / "tests/services"
# Limits are on, so that what counts them is measured, and so wide that they refuse nothing.
WIDE = {"KEYWARD_LIMITS_ENABLED": "true", "KEYWARD_LIMITS_LOGIN_ADDRESS_ATTEMPTS": "1000000", "KEYWARD_LIMITS_LOGIN_ATTEMPTS": "20",
        "KEYWARD_LIMITS_REGISTER_PER_HOUR": "1000000", "KEYWARD_LIMITS_REFRESH_PER_MINUTE": "1000000"}
CALLS = ("/livez", "/me", "/register", "/login", "/refresh")


@contextlib.contextmanager
def service(script, folder, is_up, *arguments):
    process = subprocess.Popen(["bash", str(SERVICES / script), "serve", str(folder), *arguments])
    try:
        deadline = time.monotonic() + 60
        while not is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{script} did not start: ./dev setup")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def postgres():
    with tempfile.TemporaryDirectory(prefix="kw-bench-", dir="/tmp") as folder:
        # As it runs for people: what is acknowledged is on the disk.
        durable = ("-c", "fsync=on", "-c", "full_page_writes=on")
        with service("postgres.sh", folder, lambda: subprocess.run(["pg_isready", "-q", "-h", folder], check=False).returncode == 0,
                     *durable):
            yield f"postgres://postgres@/postgres?host={folder}"


@contextlib.contextmanager
def redis():
    with tempfile.TemporaryDirectory(prefix="kw-bench-", dir="/tmp") as folder:
        socket = pathlib.Path(folder) / "redis.sock"
        with service("redis.sh", folder, socket.exists):
            yield f"unix://{socket}"


def ask_all(nodes, path, seconds, connections, **more):
    """wrk at each node, all at once: answers per second of all together, the worst p99 in milliseconds, failures."""
    loads = [None] * len(nodes)

    def ask(index):
        arguments = more.get("arguments_of", lambda _: ())(index)
        loads[index] = wrk(nodes[index], path, seconds, connections // len(nodes), threads=more.get("threads", 1),
                           script=more.get("script"), headers=more.get("headers", ()), arguments=arguments)

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(nodes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(load.per_second for load in loads), max(load.p99_ms for load in loads), sum(load.failed for load in loads)


def measure_calls(nodes, seconds):
    """call → (answers per second, p99 in milliseconds); and how many failed."""
    first = nodes[0]
    register_accounts(first)
    logins = [nodes[number % len(nodes)].post("/login", {"email": f"login-{number}@example.com", "password": PASSWORD})
              for number in range(ACCOUNTS // len(nodes) * len(nodes))]
    if any(status != 200 for status, _ in logins):
        sys.exit(f"/login answered {logins[0]}")
    bearer = "Authorization: Bearer " + logins[0][1]["access_token"]
    each = len(logins) // len(nodes)  # sessions, and so clients, of a node
    for index, node in enumerate(nodes):
        (node.folder / "tokens").write_text("".join(answer["refresh_token"] + "\n" for _, answer in logins[index::len(nodes)]))

    found = {
        "/livez": ask_all(nodes, "/livez", seconds, 63),
        "/me": ask_all(nodes, "/me", seconds, 63, headers=[bearer]),
        "/register": ask_all(nodes, "/register", seconds, 15, script="register.lua", arguments_of=lambda index: [f"{os.getpid()}-{index}"]),
        "/login": ask_all(nodes, "/login", seconds, 15, script="login.lua", arguments_of=lambda _: [ACCOUNTS]),
        "/refresh": ask_all(nodes, "/refresh", seconds, each * len(nodes), script="refresh.lua",
                            arguments_of=lambda index: [nodes[index].folder / "tokens", 1]),
    }
    return {call: (rate, p99) for call, (rate, p99, _) in found.items()}, sum(failed for _, _, failed in found.values())


@contextlib.contextmanager
def running(binary, folder, count, env):
    nodes = []
    try:
        for number in range(count):
            place = folder / f"node{number}"
            place.mkdir(parents=True)
            more = {}
            if nodes:
                more = {"KEYWARD_SERVER_PUBLIC_URL": nodes[0].url,
                        "KEYWARD_SECRETS_MASTER_KEY_FILE": str(nodes[0].folder / "data/master.key")}
            nodes.append(Server(binary, place, {**WIDE, **env, **more}))
            nodes[-1].start()
        yield nodes
    finally:
        for node in nodes:
            node.kill()


def measure_deployments(build, folder, seconds, table):
    binary, columns, failed = build / "keyward", {}, 0
    with running(binary, folder / "sqlite", 1, {}) as nodes:
        columns["SQLite"], refused = measure_calls(nodes, seconds)
        failed += refused
    with postgres() as url, running(binary, folder / "postgres", 1, {"KEYWARD_STORAGE_URL": url}) as nodes:
        columns["PostgreSQL"], refused = measure_calls(nodes, seconds)
        failed += refused
    with postgres() as url, redis() as cache:
        with running(binary, folder / "three", 3, {"KEYWARD_STORAGE_URL": url, "KEYWARD_REDIS_URL": cache}) as nodes:
            columns["PostgreSQL and Redis, three nodes"], refused = measure_calls(nodes, seconds)
            failed += refused
    table.columns(CALLS, columns)
    return failed


def measure_tls(build, folder, seconds, table):
    """Handshakes by as many clients as cores, which share them with the server; the signature alone beside it."""
    build_raw(build, "tls_handshakes", "-lssl", "-lcrypto")
    place = folder / "tls"
    place.mkdir()
    server = Server(build / "keyward", place, {"KEYWARD_TLS_DEVELOPMENT": "true"}, scheme="https")
    try:
        server.start()
        full, resumed = [], []
        for _ in range(3):
            for rates, more in ((full, []), (resumed, ["resumed"])):
                words = [build / "tls_handshakes", str(server.port), str(max(1, seconds // 3)), "4", *more]
                rates.append(float(subprocess.run(words, capture_output=True, text=True, check=True).stdout))
    finally:
        server.kill()
    table.add("TLS 1.3 handshakes, each with a connection and a request", f"{statistics.mean(full):,.0f}/s")
    table.add("The same, resumed", f"{statistics.mean(resumed):,.0f}/s")
    table.add("Resumed ÷ full", f"{statistics.mean(resumed) / statistics.mean(full):.2f}", "> 1", statistics.mean(resumed) > statistics.mean(full))
