"""Counts the instructions of the hot paths with callgrind, which no neighbour on the machine disturbs, and what they allocate.

usage: instructions.py [--build FOLDER] [--write]

A server runs under valgrind; each path is asked so many times on one connection, and the instructions between the first and the
last of these are counted. Prints them beside what bench/instructions.json has, and fails when one has grown by more than a
twentieth; --write renews that file.
"""

import argparse
import http.client
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

from load import HERE, PASSWORD, Server

RECORD = HERE / "instructions.json"
MACHINE = "x86_64"  # that the record is of
ALLOWED = 1.05  # of the recorded figure
LIBRARIES = ("libssl3", "libsqlite3-0", "libc6", "libboost1.81-dev", "clang-19")  # whose updates may change a figure
# What is read off the refresh and the first use of a token, by the function's name in callgrind's report.
FUNCTIONS = {"sign a JWS": ("refresh", "keyward::protocol::jose::sign_compact"),
             "verify a JWS": ("me, a new token", "keyward::protocol::jose::verify_compact"),
             "route a request": ("livez", "keyward::web::Router::Table::find")}


class Valgrind:
    """A server whose instructions are counted between two calls."""

    def __init__(self, binary, folder):
        self.out = folder / "callgrind.out"
        # It counts from the start only when told to; threads take turns fairly, or a loop that polls would starve the others.
        prefix = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--fair-sched=yes", f"--callgrind-out-file={self.out}"]
        # Time stands nearly still, so that what happens once a second does not happen in the middle of a count.
        slow = {"KEYWARD_LIMITS_ENABLED": "false", "FAKETIME": "+0 x0.001",
                "LD_PRELOAD": next(str(found) for found in pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))}
        self.server = Server(binary, folder, env=slow, prefix=prefix)
        self.reports = 0

    def control(self, *words):
        subprocess.run(["callgrind_control", *words, str(self.server.process.pid)], check=True, capture_output=True)

    def count(self, ask, times):
        """(instructions per call, function → instructions per call with all that it calls)."""
        for _ in range(20):
            ask()  # what is done once is done
        self.control("-i", "on")
        self.control("-z")
        for _ in range(times):
            ask()
        self.control("-d")
        self.control("-i", "off")
        self.reports += 1
        return self.read(pathlib.Path(f"{self.out}.{self.reports}"), times)

    @staticmethod
    def read(report, times):
        for _ in range(200):
            if report.exists() and "totals:" in report.read_text(errors="replace")[-400:]:
                break
            time.sleep(0.05)
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--tree=caller", "--threshold=100", report],
                              capture_output=True, text=True, check=True).stdout
        total = int(re.search(r"([\d,]+) \(100\.0%\)\s+PROGRAM TOTALS", text).group(1).replace(",", ""))
        functions, allocated, calls = {}, 0, 0
        # Each function's line, marked with a star, comes after those of its callers: `COUNT (SHARE)  < CALLER (TIMESx) [BINARY]`.
        for number, mark, name, called in re.findall(r"^\s*([\d,]+) \([^)]*\)\s+([<*])\s+\S+?:(.+?)(?: \(([\d,]+)x\))?(?: \[[^\]]*\])?$",
                                                     text, re.MULTILINE):
            if mark == "<":
                calls += int((called or "0").replace(",", "")) if "malloc" not in name and "memalign" not in name else 0
                continue
            if name in ("malloc", "calloc", "memalign", "realloc", "aligned_alloc", "posix_memalign"):
                allocated += calls
            calls = 0
            functions.setdefault(name.split("(")[0].split("[")[0], int(number.replace(",", "")) / times)
        return total / times, {**functions, "allocations": allocated / times}


class Client:
    """One kept connection."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json", **(headers or {})})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            sys.exit(f"{method} {path} answered {answer.status}: {text[:300]}")
        return json.loads(text)


def measure(binary, folder):
    under = Valgrind(binary, folder)
    try:
        under.server.start()
        client = Client(under.server)
        account = {"email": "counted@example.com", "password": PASSWORD}
        client.ask("POST", "/register", account)
        tokens = client.ask("POST", "/login", account)
        bearers = []

        def refresh():
            answer = client.ask("POST", "/refresh", {"refresh_token": tokens["refresh_token"]})
            tokens.update(answer)
            bearers.append({"Authorization": "Bearer " + answer["access_token"]})

        found, functions = {}, {}
        found["livez"], functions["livez"] = under.count(lambda: client.ask("GET", "/livez"), 300)
        found["refresh"], functions["refresh"] = under.count(refresh, 150)
        found["me, a new token"], functions["me, a new token"] = under.count(lambda: client.ask("GET", "/me", headers=bearers.pop()), 100)
        found["me"], functions["me"] = under.count(lambda: client.ask("GET", "/me", headers=bearers[0]), 300)
        for call in ("livez", "me"):
            found[f"allocations of {call}"] = functions[call]["allocations"]
        for name, (call, function) in FUNCTIONS.items():
            found[name] = next((count for known, count in functions[call].items() if known.startswith(function)), 0)
            if not found[name]:
                sys.exit(f"{function} is not in callgrind's report")
    finally:
        under.server.kill()
    return {name: round(count) for name, count in found.items()}


def compare(found, recorded):
    """The rows of the table, and the names of what grew too much."""
    rows, grown = [], []
    for name, count in found.items():
        before = recorded.get(name)
        ratio = f"{count / before:.3f}" if before else ""
        rows.append(f"| {name} | {count:,} | {'none' if before is None else f'{before:,}'} | {ratio} |")
        if before is None or count > before * ALLOWED:
            grown.append(name)
    return rows, grown


def versions():
    query = subprocess.run(["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *LIBRARIES], capture_output=True, text=True, check=False)
    return dict(line.split() for line in query.stdout.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release")
    parser.add_argument("--write", action="store_true", help="renew bench/instructions.json")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing: ./dev setup")
    if platform.machine() != MACHINE:
        print(f"The recorded counts are of {MACHINE}: nothing to compare on {platform.machine()}")
        return 0
    with tempfile.TemporaryDirectory(prefix="instructions-") as folder:
        found = measure(options.build.resolve() / "keyward", pathlib.Path(folder))
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"counts": {}, "with": {}}
    rows, grown = compare(found, record["counts"])
    print("| path | instructions | recorded | ratio |\n| --- | --- | --- | --- |", *rows, sep="\n")
    if options.write:
        RECORD.write_text(json.dumps({"counts": found, "with": versions()}, indent=2) + "\n")
        return 0
    for name in grown:
        print(f"{name}: more than {ALLOWED - 1:.0%} above what is recorded", file=sys.stderr)
    if grown:
        others = [f"{name} {version}, recorded with {record['with'].get(name)}" for name, version in versions().items()
                  if version != record["with"].get(name)]
        print("If that is meant, or the doing of a library: ./dev bench --instructions --write", *others, sep="\n", file=sys.stderr)
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
