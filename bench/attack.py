"""Attacks a Keyward on this machine over loopback and prints how much memory it took, beside the bound that docs/operations.md
states, and how honest clients fared meanwhile. About three minutes.

usage: attack.py [--build FOLDER] [--connections N] [--seconds S] [--tls]
"""

import argparse
import collections
import contextlib
import multiprocessing
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from load import CORES, HERE, PASSWORD, Server, percentile, report

sys.path.append(str(HERE.parent / "tests/e2e"))  # behind our own: both have a load.py
import attackers  # noqa: E402
from memory_bound import bound_mib  # noqa: E402
from wire import Wire  # noqa: E402

EMAIL = "honest@example.com"
HONEST_PER_SECOND = 25  # of each call


def say(text):
    print(f"attack: {text}", file=sys.stderr, flush=True)


def honest_client(target, login, stopping, answer):
    """A process of its own: /livez, /me and /refresh by turns, paced, on one connection. Times in milliseconds by call."""
    wire, times, refused = Wire(target.port, tls=target.tls), collections.defaultdict(list), 0
    refresh_token, access_token = login["refresh_token"], login["access_token"]
    pause = 1 / (3 * HONEST_PER_SECOND)
    while not stopping.is_set():
        for call in ("/livez", "/me", "/refresh"):
            begun = time.perf_counter()
            try:
                if call == "/refresh":
                    status, body = wire.refresh(refresh_token)
                    refresh_token = (body or {}).get("refresh_token", refresh_token)
                else:
                    status, _ = wire.call("GET", call, token=access_token if call == "/me" else None)
            except OSError:
                status = 0
                with contextlib.suppress(OSError):  # then the next turn tries again
                    wire = Wire(target.port, tls=target.tls)
            times[call].append((time.perf_counter() - begun) * 1000)
            refused += status != 200
            time.sleep(pause)
    answer.put((dict(times), refused))


class Watch:
    """A context manager: the peak of resident memory, looked at ten times a second, and an honest client beside it."""

    def __init__(self, server, target):
        self.server, self.peak_mib = server, 0
        status, login = server.post("/login", {"email": EMAIL, "password": PASSWORD})
        if status != 200:
            sys.exit(f"/login answered {status}: {login}")
        self.stopping, self.answer = multiprocessing.Event(), multiprocessing.Queue()
        self.client = multiprocessing.Process(target=honest_client, args=(target, login, self.stopping, self.answer))
        self.sampler = threading.Thread(target=self._sample)

    def _sample(self):
        while not self.stopping.is_set():
            self.peak_mib = max(self.peak_mib, self.server.rss_mib())
            time.sleep(0.1)

    def __enter__(self):
        self.client.start()
        self.sampler.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.times, self.honest_refused = self.answer.get(timeout=60)
        self.client.join()
        self.sampler.join()


class Table:
    def __init__(self):
        self.rows, self.missed = [], []

    def add(self, what, watch, bound, refused):
        calls = [f"`{call}` {percentile(times, 0.5):.1f} / {percentile(times, 0.99):.1f}" for call, times in watch.times.items()]
        told = "bound" if watch.peak_mib <= bound else "**above**"
        self.rows.append((what, f"{watch.peak_mib:.1f}", f"{bound:.0f}" if told == "bound" else f"{bound:.0f} {told}",
                          ", ".join(calls), f"{watch.honest_refused} of {sum(map(len, watch.times.values()))}", refused))
        if watch.peak_mib > bound:
            self.missed.append(f"{what}: memory")
        say(" | ".join(self.rows[-1]))

    def print(self):
        print("| attack | peak RSS, MiB | bound, MiB | honest p50 / p99, ms | honest refused | refused of the attack |")
        print("| --- | --- | --- | --- | --- | --- |")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def answers_of(crowd):
    return ", ".join(f"{count:,} × {status or 'cut'}" for status, count in sorted(crowd.answers.items()))


def told(crowd):
    return f"{crowd.gone():,} of {len(crowd.sockets):,}"


def slow_tool(seconds, count, *arguments):
    """slowhttptest, for so long; what it says of its connections at the end."""
    words = ["slowhttptest", *arguments, "-c", str(count), "-r", "2000", "-l", str(seconds), "-i", "5", "-v", "1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds + 60)
    plain = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    closed = re.findall(r"^closed:\s+(\d+)", plain, re.MULTILINE)
    return f"{int(closed[-1]):,} of {count:,}" if closed else "not told"


def attack(server, options, table):
    target = attackers.Target(server.port, ssl._create_unverified_context() if options.tls else None)
    bound = bound_mib(options.connections + 100, hash_threads=CORES, tls=options.tls)
    seconds, count = options.seconds, options.connections

    def run(what, make, stay_s=seconds, has_answers=False):
        say(what)
        with Watch(server, target) as watch:
            with make() as crowd:
                time.sleep(stay_s)
                refused = answers_of(crowd) if has_answers else told(crowd)
        table.add(what, watch, bound, refused)

    run("none", attackers.Crowd)
    run(f"{count:,} idle connections, each after a request", lambda: attackers.idle(target, count))
    run(f"{count:,} heads of 15 KiB without an end", lambda: attackers.slow_heads(target, count))
    run(f"{count:,} bodies of 64 KiB without their last byte", lambda: attackers.slow_bodies(target, count, 64 * 1024))
    run(f"{count:,} readers of nothing, 64 requests each", lambda: attackers.slow_readers(target, count))
    if options.tls:
        run(f"{count:,} hellos of 15 KiB without their end", lambda: attackers.half_hellos(target, count))
        run(f"{count:,} heads of hellos of 128 KiB", lambda: attackers.long_hellos(target, count))
    run("Bodies of 1 MiB at full speed, 4 clients", lambda: attackers.BigBodies(target), has_answers=True)
    run("The same, chunked", lambda: attackers.BigBodies(target, chunked=True), has_answers=True)
    run("500 logins at once", lambda: attackers.logins(target, 500, EMAIL, PASSWORD), stay_s=1, has_answers=True)
    for what, words in (("slow headers", ("-H", "-u", server.url + "/livez")),
                        ("slow bodies", ("-B", "-s", "65536", "-u", server.url + "/login")),
                        ("slow readers", ("-X", "-k", "10", "-w", "16", "-y", "64", "-n", "5", "-z", "32", "-u", server.url + "/openapi.json"))):
        say(f"slowhttptest, {what}")
        with Watch(server, target) as watch:
            refused = slow_tool(seconds, count, *words)
        table.add(f"`slowhttptest`, {count:,} {what}", watch, bound, refused)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release")
    parser.add_argument("--connections", type=int, default=9_900)
    parser.add_argument("--seconds", type=int, default=12, help="of each attack, after its connections stand")
    parser.add_argument("--tls", action="store_true", help="everything over TLS")
    options = parser.parse_args()
    build = options.build.resolve()
    options.connections = min(options.connections, attackers.raise_descriptors() - 200)

    table = Table()
    with tempfile.TemporaryDirectory(prefix="attack-", dir=build) as folder:
        env = {"KEYWARD_LIMITS_ENABLED": "false", **({"KEYWARD_TLS_DEVELOPMENT": "true"} if options.tls else {})}
        server = Server(build / "keyward", pathlib.Path(folder), env, scheme="https" if options.tls else "http")
        try:
            server.start()
            status, answer = server.post("/register", {"email": EMAIL, "password": PASSWORD})
            if status != 201:
                sys.exit(f"/register answered {status}: {answer}")
            time.sleep(2)
            idle = server.rss_mib()
            attack(server, options, table)
            say("afterwards")
            time.sleep(25)
            after = server.rss_mib()
        finally:
            server.kill()
    print(f"{CORES} cores; the attackers, the honest client and the server share them. Idle before: {idle:.1f} MiB; "
          f"25 seconds after the last attack: {after:.1f} MiB.\n")
    return report(table)


if __name__ == "__main__":
    sys.exit(main())
