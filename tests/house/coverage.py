"""What the tests ran: a table by folder, the files with the most left out, and every refusal that no test met.

usage: coverage.py BUILD_FOLDER [--write]

Reads the profiles that instrumented programs left in BUILD_FOLDER/profiles and leaves pages in BUILD_FOLDER/report. With
--write it writes the table in docs/coverage.md, and the exit code is 1 when one of the folders in HELD has less than
LINES_MIN_PERCENT of its lines run, or a refusal there was not met and docs/coverage.md does not say why.
"""

import bisect
import collections
import json
import pathlib
import re
import subprocess
import sys

from source import ROOT, places_of, sources

HELD = ("protocol", "crypto", "access", "domain")
LINES_MIN_PERCENT = 90
WORST = 12
DOCUMENT = ROOT / "docs/coverage.md"
BEGIN, END = "<!-- written by ./dev coverage -->", "<!-- to here -->"
# What is there for tests, or not ours.
NOT_COUNTED = re.compile(r"_test(_kit)?\.[ch]pp$|/(testing|conformance)/|_for_tests\.hpp$|/test_call\.hpp$|_implementation\.cpp$")
# A call that makes an error, wherever it stands, and a return of any function that gives one.
REFUSAL = r"\b(?:std::unexpected|(?:fail|bad|refuse)(?:_\w+)?)\s*\(|\bAction::refuse\b|\breturn\s+(?:\w+(?:::|->|\.))*(?:{names})\s*\("
GIVES_ONE = re.compile(r"\b(?:std::unexpected<[^;{}()]*>|Error|Refusal)\s+(?:\w+::)*(\w+)\(")
EXPLAINED = re.compile(r"^- `(src/[^`]+)`: `([^`]+)`", re.MULTILINE)

Place = collections.namedtuple("Place", "file line text")


def run(*words, **more):
    return subprocess.run([str(word) for word in words], check=True, **more)


def programs(build):
    """With a profile or not: a program that did not run has lines that did not."""
    return [build / "keyward", *sorted(build.glob("*_tests"))]


def merge(build):
    profiles = sorted((build / "profiles").glob("*.profraw"))
    if not profiles:
        sys.exit(f"coverage: no profile in {build}/profiles: no instrumented program has run")
    profile = build / "coverage.profdata"
    run("llvm-profdata-19", "merge", "--sparse", "--failure-mode=all", "-o", profile, *profiles)
    return profile


def of_cov(command, build, profile, *more, **options):
    first, *others = [path for path in programs(build) if path.exists()]
    objects = [word for path in others for word in ("--object", path)]
    return run("llvm-cov-19", command, f"--instr-profile={profile}", "--ignore-filename-regex=" + NOT_COUNTED.pattern,
               *more, first, *objects, f"{ROOT}/src", **options)


def read_files(build, profile):
    """src/… → what llvm-cov has of it."""
    told = of_cov("export", build, profile, "--format=text", "--skip-functions", "--skip-expansions", capture_output=True, text=True)
    files = json.loads(told.stdout)["data"][0]["files"]
    return {str(pathlib.Path(file["filename"]).relative_to(ROOT)): file for file in files}


def count_at(segments, line, column):
    """How often the code there ran; None where nothing is counted."""
    at = bisect.bisect_right(segments, (line, column), key=lambda segment: (segment[0], segment[1])) - 1
    if at < 0 or not segments[at][3]:
        return None
    return segments[at][2]


def refusals(name, file, pattern):
    """(place, count) of each refusal in the file."""
    lines = (ROOT / name).read_text().splitlines()
    for number, code in enumerate(places_of(ROOT / name).splitlines(), 1):
        for match in pattern.finditer(code):
            count = count_at(file["segments"], number, match.start() + 1)
            if count is not None:
                yield Place(name, number, lines[number - 1].strip()), count


def share(covered, count):
    return f"{100 * covered / count:.1f} %" if count else "–"


def folder_of(name):
    return name.split("/")[1]


def table_of(files, met, missed):
    folders = collections.defaultdict(lambda: collections.Counter())
    for name, file in files.items():
        for place in (folder_of(name), "all"):
            folders[place]["files"] += 1
            for kind in ("lines", "branches"):
                folders[place][kind] += file["summary"][kind]["count"]
                folders[place][kind + "_covered"] += file["summary"][kind]["covered"]
    refused = collections.Counter(folder_of(place.file) for place in met + missed)
    unmet = collections.Counter(folder_of(place.file) for place in missed)
    rows = ["| folder | files | lines | of them run | branches | of them taken | refusals | never met |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for folder in [*sorted(set(folders) - {"all"}), "all"]:
        sums = folders[folder]
        all_refused, all_unmet = (refused.total(), unmet.total()) if folder == "all" else (refused[folder], unmet[folder])
        rows.append(f"| {folder} | {sums['files']} | {sums['lines']} | {share(sums['lines_covered'], sums['lines'])} | {sums['branches']} "
                    f"| {share(sums['branches_covered'], sums['branches'])} | {all_refused} | {all_unmet} |")
    return folders, "\n".join(rows)


def worst_of(files):
    left = sorted(files, key=lambda name: files[name]["summary"]["lines"]["covered"] - files[name]["summary"]["lines"]["count"])
    rows = ["| file | lines not run | of all |", "|---|--:|--:|"]
    for name in left[:WORST]:
        lines = files[name]["summary"]["lines"]
        rows.append(f"| `{name}` | {lines['count'] - lines['covered']} | {lines['count']} |")
    return "\n".join(rows)


def main():
    build, write = pathlib.Path(sys.argv[1]).resolve(), "--write" in sys.argv[2:]
    profile = merge(build)
    files = read_files(build, profile)
    names = sorted({name for path in sources() for name in GIVES_ONE.findall(places_of(path))})
    pattern = re.compile(REFUSAL.format(names="|".join(names)))
    found = [entry for name, file in files.items() for entry in refusals(name, file, pattern)]
    met, missed = [place for place, count in found if count], [place for place, count in found if not count]
    folders, table = table_of(files, met, missed)
    text = f"{table}\n\nThe files with the most lines that no test runs:\n\n{worst_of(files)}"
    print(text)
    if write:
        document = DOCUMENT.read_text()
        head, rest = document.split(BEGIN)
        DOCUMENT.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")
    of_cov("show", build, profile, "--format=html", f"--output-dir={build}/report", "--show-branches=count", stdout=subprocess.DEVNULL)

    explained = EXPLAINED.findall(DOCUMENT.read_text()) if DOCUMENT.exists() else []
    unexplained = [place for place in missed if folder_of(place.file) in HELD
                   and not any(place.file == file and code == place.text for file, code in explained)]
    for file, code in explained:
        if not any(place.file == file and code == place.text for place in missed):
            print(f"explained, but met or gone: {file}: {code}")
    for place in unexplained:
        print(f"not met: {place.file}:{place.line}: {place.text}")
    low = [folder for folder in HELD if 100 * folders[folder]["lines_covered"] < LINES_MIN_PERCENT * folders[folder]["lines"]]
    for folder in low:
        print(f"less than {LINES_MIN_PERCENT} % of lines: {folder}")
    print(f"coverage: pages in {build}/report/index.html")
    return 1 if write and (low or unexplained) else 0


if __name__ == "__main__":
    sys.exit(main())
