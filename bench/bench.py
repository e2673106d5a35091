"""Measures a Keyward on this machine over loopback, and prints a table with the ratios that matter. About six minutes.

usage: bench.py [--build FOLDER] [--short] [--profile CALL]
"""

import argparse
import http.client
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from baselines import measure_beside_others
from deployments import measure_deployments, measure_tls
from flame_graph import CALLS, profile
from load import ACCOUNTS, CORES, HERE, PASSWORD, Server, build_raw, percentile, register_accounts, report, wrk

ME_REQUESTS = 100_000


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def raw_rate(build, seconds):
    return float(subprocess.run([build / "raw_argon2", str(seconds)], capture_output=True, text=True, check=True).stdout)


def raw_refresh_rate(build, folder, seconds):
    """The two statements of a refresh on a file of their own beside the server's, on the schema of the migrations."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="raw-", dir=folder))
    migrations = sorted((HERE.parent / "src/storage/migrations").glob("*.sql"))
    done = subprocess.run([build / "raw_refresh", scratch, str(seconds), *migrations], capture_output=True, text=True, check=True)
    shutil.rmtree(scratch)
    return float(done.stdout)


def livez_latencies_ms(server, seconds, stop_early):
    """A small steady stream of /livez on a kept connection, 200 a second: what a load balancer's probe would see."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    taken, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end and not stop_early.is_set():
        before = time.perf_counter()
        connection.request("GET", "/livez")
        connection.getresponse().read()
        taken.append((time.perf_counter() - before) * 1000)
        time.sleep(0.005)
    connection.close()
    return taken


def log_in(server):
    status, answer = server.post("/login", {"email": "login-0@example.com", "password": PASSWORD})
    if status != 200:
        sys.exit(f"/login answered {status}: {answer}")
    return f"Authorization: Bearer {answer['access_token']}"


def measure_login(server, build, seconds):
    """Raw and login by turns, so that a machine that slows down or speeds up meets both alike."""
    raw, logins, failed = [raw_rate(build, seconds / 2)], [], 0
    for _ in range(3):
        load = wrk(server, "/login", seconds, 16, threads=1, script="login.lua", arguments=[ACCOUNTS])
        logins.append(load.per_second)
        failed += load.failed
        raw.append(raw_rate(build, seconds / 2))
    return statistics.mean(raw), statistics.mean(logins), failed


def measure_refresh(server, build, seconds):
    """64 sessions, each with one client that refreshes as soon as it has its answer; raw and server by turns."""
    raw, loads = [raw_refresh_rate(build, server.folder, seconds / 4)], []
    for _ in range(3):
        tokens = []  # new sessions each time: the last tokens of the turn before were in wrk's memory
        for number in range(ACCOUNTS):
            status, answer = server.post("/login", {"email": f"login-{number}@example.com", "password": PASSWORD})
            if status != 200:
                sys.exit(f"/login answered {status}: {answer}")
            tokens.append(answer["refresh_token"])
        file = server.folder / "tokens"
        file.write_text("".join(token + "\n" for token in tokens))
        threads = min(2, CORES)
        loads.append(wrk(server, "/refresh", seconds, ACCOUNTS, threads=threads, script="refresh.lua", arguments=[file, threads]))
        raw.append(raw_refresh_rate(build, server.folder, seconds / 4))
    return statistics.mean(raw), loads


def ecdsa_rates():
    """Signatures and verifications with P-256 that one core makes in a second, by OpenSSL alone."""
    speed = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "ecdsap256"], capture_output=True, text=True, check=True)
    return map(float, re.search(r"\+F\d+:\d+:256:([\d.]+):([\d.]+)", speed.stdout).groups())


def measure_flood(server, seconds):
    stop, flood = threading.Event(), []
    thread = threading.Thread(target=lambda: flood.append(
        wrk(server, "/login", seconds + 1, 64, threads=1, script="login.lua", arguments=[ACCOUNTS])))
    thread.start()
    time.sleep(1)
    taken = livez_latencies_ms(server, seconds - 1, stop)
    thread.join()
    return taken, flood[0]


def measure_memory(server, bearer):
    """Idle, and after 100,000 requests of /me."""
    idle, done, failed, started = server.rss_mib(), 0, 0, time.monotonic()
    while done < ME_REQUESTS and time.monotonic() - started < 60:
        load = wrk(server, "/me", 3, 32, headers=[bearer])
        if load.requests == 0:
            sys.exit("/me does not answer")
        done, failed = done + load.requests, failed + load.failed
    return idle, server.rss_mib(), done, failed


class Table:
    def __init__(self):
        self.rows, self.missed, self.deployments = [], [], []

    def columns(self, calls, columns):
        """columns: deployment → call → (answers per second, p99 in milliseconds)."""
        self.deployments = [["call", *columns], ["---"] * (len(columns) + 1)]
        for call in calls:
            measured = [found[call] for found in columns.values()]
            self.deployments.append([f"`{call}`", *(f"{rate:,.0f}/s, p99 {p99_ms:.1f} ms ({rate / measured[0][0]:.2f})" for rate, p99_ms in measured)])

    def add(self, what, value, wanted="", good=None):
        mark = "" if good is None else "yes" if good else "**no**"
        self.rows.append((what, value, wanted, mark))
        if good is False:
            self.missed.append(what)

    def print(self):
        print("| what | measured | wanted | met |\n| --- | --- | --- | --- |")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")
        print("\nLimits on; in brackets the ratio to the first column.\n")
        for row in self.deployments:
            print("| " + " | ".join(row) + " |")


def measure(server, build, seconds, table):
    server.start()
    register_accounts(server)
    bearer = log_in(server)
    failed = 0

    say("/livez, /me, the key set and the metrics beside a bare Beast server")
    bare, others_failed = measure_beside_others(server, build, server.folder, seconds, bearer, table)

    say("/register")
    register = wrk(server, "/register", seconds, 16, threads=1, script="register.lua", arguments=[os.getpid()])
    table.add("`/register`", f"{register.per_second:,.1f}/s, p99 {register.p99_ms:.0f} ms")

    say("/login and raw Argon2id by turns")
    raw, login, login_failed = measure_login(server, build, seconds)
    table.add("Argon2id alone, a thread per core", f"{raw:,.1f}/s")
    table.add("`/login`", f"{login:,.1f}/s")
    table.add("`/login` ÷ Argon2id alone", f"{login / raw:.3f}", "≥ 0.97", login / raw >= 0.97)
    table.add("`/register` ÷ Argon2id alone", f"{register.per_second / raw:.3f}")

    say("/refresh and the same two statements alone, by turns")
    raw_refresh, refreshes = measure_refresh(server, build, seconds)
    refresh = statistics.mean(load.per_second for load in refreshes)
    refresh_failed = sum(load.failed for load in refreshes)
    table.add("A refresh's two statements alone on SQLite, in groups of 64", f"{raw_refresh:,.0f}/s")
    table.add("`/refresh`, durable, 64 clients", f"{refresh:,.0f}/s, p99 {max(load.p99_ms for load in refreshes):.1f} ms", "≥ 10,000/s",
              refresh >= 10_000)
    sign, verify = ecdsa_rates()
    table.add("ECDSA P-256 of one core, OpenSSL alone", f"{sign:,.0f} signatures/s, {verify:,.0f} verifications/s")
    # An answer needs all three, and the cores are all that there is.
    bound = CORES / (1 / raw_refresh + 1 / sign + CORES / bare)
    table.add("A refresh's statements, its signature and a bare answer, and nothing else: at most", f"{bound:,.0f}/s")
    table.add("`/refresh` ÷ these three", f"{refresh / bound:.2f}")
    table.add("`/refresh` ÷ its statements alone", f"{refresh / raw_refresh:.3f}", "≥ 0.40", refresh / raw_refresh >= 0.4)

    say("/livez beside 64 clients at /login")
    taken, flood = measure_flood(server, seconds + 4)
    p99 = percentile(taken, 0.99)
    table.add("`/livez` beside 64 clients at `/login`",
              f"p50 {percentile(taken, 0.5):.2f} ms, p99 {p99:.2f} ms, of {len(taken)}", "p99 < 20 ms", p99 < 20)
    after_flood = server.rss_mib()

    say("starting on the existing database")
    starts = []
    for _ in range(7):
        server.stop()
        starts.append(server.start())
    table.add("Start on an existing database, to the first answer", f"{statistics.median(starts):.0f} ms", "≤ 60 ms",
              statistics.median(starts) <= 60)

    say("memory")
    time.sleep(5)  # what starting took is given back when nothing happens (app/give_back.hpp)
    idle, loaded, done, me_failed = measure_memory(server, bearer)
    table.add("Resident, idle", f"{idle:.1f} MiB", "≤ 12 MiB", idle <= 12)
    table.add(f"Resident after {done:,} requests of `/me`", f"{loaded:.1f} MiB, {loaded - idle:+.1f}", "≤ +10 MiB",
              loaded - idle <= 10)
    table.add("Resident after the flood of `/login`", f"{after_flood:.1f} MiB")
    failed += others_failed + register.failed + login_failed + refresh_failed + flood.failed + me_failed
    server.stop()
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release")
    parser.add_argument("--short", action="store_true", help="a quarter of the time, for a first look")
    parser.add_argument("--profile", metavar="CALL", choices=CALLS,
                        help=f"no table, but a flame graph of one call under load ({', '.join(CALLS)}): build/profile/CALL.svg")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: ./dev setup")
    build = options.build.resolve()
    if options.profile:
        profile(build, options.profile, 3 if options.short else 10)
        return 0
    build_raw(build, "raw_argon2", "-lsodium")
    build_raw(build, "raw_refresh", "-lsqlite3")

    seconds, table = 2 if options.short else 8, Table()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        server = Server(build / "keyward", pathlib.Path(folder))
        try:
            failed = measure(server, build, seconds, table)
        finally:
            server.kill()
        say("TLS handshakes")
        measure_tls(build, pathlib.Path(folder), seconds, table)
        say("SQLite, PostgreSQL, three nodes with Redis")
        failed += measure_deployments(build, pathlib.Path(folder), seconds, table)
        table.add("Requests that failed", f"{failed}", "0", failed == 0)
    print(f"{CORES} cores; wrk and the server share them.\n")
    return report(table)


if __name__ == "__main__":
    sys.exit(main())
