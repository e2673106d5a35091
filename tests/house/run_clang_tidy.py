"""clang-tidy over our own sources, several at a time; a file that passed is not looked at again until something that it
includes, the rules or the compiler's flags change.

usage: run_clang_tidy.py BUILD_FOLDER [PATH_PART…]      (paths that contain one of the parts only)
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src"
TOOL = "clang-tidy-19"
OWN_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


@functools.lru_cache(maxsize=None)
def content_of(path):
    return path.read_bytes()


def closure_of(path, generated):
    """The file and all own and generated headers that it reaches."""
    seen, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for name in OWN_INCLUDE.findall(content_of(current).decode("utf-8", "replace")):
            for folder in (SOURCES, generated, current.parent):
                candidate = folder / name
                if candidate.is_file():
                    waiting.append(candidate)
                    break
    return sorted(seen)


def fingerprint(path, command, generated, rules):
    digest = hashlib.sha256(rules + command.encode())
    for file in closure_of(path, generated):
        digest.update(str(file).encode() + b"\0" + content_of(file))
    return digest.hexdigest()


def tidy(path, build):
    done = subprocess.run([TOOL, "--quiet", "-p", str(build), str(path)], capture_output=True, text=True, check=False)
    noise = re.compile(r"^\d+ warnings? (generated|treated as error)|^Suppressed |^Use -header-filter", re.MULTILINE)
    errors = "\n".join(line for line in done.stderr.splitlines() if not noise.search(line))
    return done.returncode, (done.stdout + errors).strip()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    parts = sys.argv[2:]
    cache = build.parent / "clang-tidy" if build.is_relative_to(ROOT) else build / "clang-tidy"
    cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TOOL, "--version"], capture_output=True, check=True).stdout
    rules = (ROOT / ".clang-tidy").read_bytes() + version

    pending = {}
    total = 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(SOURCES) or not path.exists() or (parts and not any(p in str(path) for p in parts)):
            continue
        # Asio and Beast as a whole: thousands of lines that are not ours.
        if path.name.endswith("_implementation.cpp"):
            continue
        total += 1
        key = fingerprint(path, entry["command"], build / "generated", rules)
        if not (cache / key).exists():
            pending[path] = key

    started = time.monotonic()
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # The large ones first, so that none is left alone at the end.
        order = sorted(pending, key=lambda path: -path.stat().st_size)
        running = {pool.submit(tidy, path, build): path for path in order}
        for done in concurrent.futures.as_completed(running):
            code, output = done.result()
            if code == 0:
                (cache / pending[running[done]]).touch()
            else:
                failures += 1
                print(output, flush=True)
    took_s = time.monotonic() - started
    print(f"clang-tidy: {total} files, {len(pending)} looked at in {took_s:.0f} s, {failures} with findings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
