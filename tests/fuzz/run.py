"""./dev fuzz: runs the fuzz targets, two at a time, and says in a table what they did.

What they find lives in build/fuzz: corpus/TARGET (inputs that reached something new), crashes/TARGET, logs/TARGET.log.
`--minimise` takes from there into tests/fuzz/corpus what reaches something that the files there do not.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "fuzz"
BUILD = ROOT / "build" / "fuzz"
JOBS = 2
DEFAULT_S = 30  # of each target; ./dev help says so
INPUT_TIMEOUT_S = 20
# A server keeps things from one input to the next: leaks are looked for at its end, and not after each input.
LEAKS_AT_THE_END = {"api_sequences"}
INPUT_MAX_BYTES = 2048  # of a file that is taken into the repository
CORPUS_MAX_FILES = 48
CORPUS_MAX_BYTES = 64 * 1024

ENVIRONMENT = os.environ | {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "ASAN_SYMBOLIZER_PATH": "/usr/lib/llvm-19/bin/llvm-symbolizer",
}


@dataclasses.dataclass
class Outcome:
    target: str
    failed: bool
    executions: int = 0
    per_s: int = 0
    edges: int = 0
    files: int = 0
    crash: str = ""


def targets():
    named = re.compile(r"^KEYWARD_FUZZ_TARGET\((\w+)\)", re.MULTILINE)
    return [name for path in sorted(HERE.glob("*.cpp")) for name in named.findall(path.read_text(encoding="utf-8"))]


def shown(path):
    return os.path.relpath(path, ROOT)


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def folders_of(target):
    found = BUILD / "corpus" / target
    found.mkdir(parents=True, exist_ok=True)
    known = [HERE / kind / target for kind in ("corpus", "regressions")]
    return [found] + [folder for folder in known if folder.is_dir()]


def fuzz(target, seconds):
    crashes, log = BUILD / "crashes" / target, BUILD / "logs" / f"{target}.log"
    crashes.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(exist_ok=True)
    folders = folders_of(target)
    command = [BUILD / f"fuzz_{target}", f"-max_total_time={seconds}", "-print_final_stats=1", "-rss_limit_mb=4096",
               f"-timeout={INPUT_TIMEOUT_S}", f"-detect_leaks={int(target not in LEAKS_AT_THE_END)}",
               f"-artifact_prefix={crashes}/", *folders]
    with log.open("wb") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=ENVIRONMENT, check=False)
    text = log.read_text(encoding="utf-8", errors="replace")
    crash = re.findall(r"Test unit written to (\S+)", text)
    return Outcome(target, done.returncode != 0,
                   executions=last_number(r"stat::number_of_executed_units:\s*(\d+)", text),
                   per_s=last_number(r"stat::average_exec_per_sec:\s*(\d+)", text),
                   edges=last_number(r"cov: (\d+)", text),
                   files=sum(1 for _ in folders[0].iterdir()),
                   crash=crash[-1] if crash else "")


def print_table(outcomes):
    print(f"{'target':<20}{'executions':>12}{'exec/s':>9}{'edges':>8}{'corpus files':>14}")
    for each in outcomes:
        print(f"{each.target:<20}{each.executions:>12}{each.per_s:>9}{each.edges:>8}{each.files:>14}"
              + ("  FAILED" if each.failed else ""))
    print(f"{'in all':<20}{sum(each.executions for each in outcomes):>12}")


def print_failure(outcome):
    program = shown(BUILD / f"fuzz_{outcome.target}")
    print(f"\n{outcome.target} failed: {shown(BUILD / 'logs' / outcome.target)}.log")
    if outcome.crash:
        print(f"  input:     {shown(outcome.crash)}")
        print(f"  reproduce: {program} {shown(outcome.crash)}")
        print(f"  smaller:   {program} -minimize_crash=1 -runs=100000 {shown(outcome.crash)}")
        print(f"  keep it:   install -D {shown(outcome.crash)} tests/fuzz/regressions/{outcome.target}/WHAT_WAS_WRONG")


def minimise(target):
    """Adds to the repository's corpus what reaches further: small files and large ones, within the limits."""
    corpus = HERE / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    before = {path.name for path in corpus.iterdir()}
    with tempfile.TemporaryDirectory() as merged:
        shutil.copytree(corpus, merged, dirs_exist_ok=True)
        # Which edges are reached counts, not how often: otherwise hundreds of files differ.
        command = [BUILD / f"fuzz_{target}", "-merge=1", "-use_counters=0", f"-max_len={INPUT_MAX_BYTES}", merged,
                   BUILD / "corpus" / target]
        if (BUILD / "corpus" / target).is_dir():
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT, check=True)
        new = [path for path in pathlib.Path(merged).iterdir() if path.name not in before]
        files, size = len(before), sum(path.stat().st_size for path in corpus.iterdir())
        new.sort(key=lambda path: path.stat().st_size)
        for path in new[::max(1, -(-len(new) // max(1, CORPUS_MAX_FILES - files)))]:
            if files == CORPUS_MAX_FILES or size + path.stat().st_size > CORPUS_MAX_BYTES:
                break
            shutil.copy(path, corpus)
            files, size = files + 1, size + path.stat().st_size
    print(f"{target:<20}{files:>5} files{size:>8} bytes, {files - len(before)} of them new")


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz")
    parser.add_argument("target", nargs="?", default="all", choices=[*targets(), "all"], metavar="TARGET",
                        help="one of: " + ", ".join(targets()) + "; without it all of them")
    parser.add_argument("seconds", nargs="?", type=int, default=DEFAULT_S,
                        help=f"of each target ({DEFAULT_S}), two at a time")
    parser.add_argument("--minimise", action="store_true", help="take what was found into tests/fuzz/corpus")
    parser.add_argument("--list", action="store_true", help="name the targets")
    words = sys.argv[1:]
    if words and words[0].isdigit():  # so many seconds for each
        words[:0] = ["all"]
    wanted = parser.parse_args(words)
    chosen = targets() if wanted.target == "all" else [wanted.target]
    if wanted.list:
        print("\n".join(chosen))
        return 0
    if wanted.minimise:
        for target in chosen:
            minimise(target)
        return 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        outcomes = list(pool.map(lambda target: fuzz(target, wanted.seconds), chosen))
    print_table(outcomes)
    failures = [each for each in outcomes if each.failed]
    for each in failures:
        print_failure(each)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
