"""Adds up what GoogleTest (JSON) and pytest (JUnit XML) left in a folder, and closes with one line.

usage: count_results.py FOLDER; exit code 1 when a test failed or none ran.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree


def of_googletest(path):
    report = json.loads(path.read_text())
    failed = report["failures"] + report.get("errors", 0)
    skipped = sum(test.get("result") == "SKIPPED" for suite in report["testsuites"] for test in suite["testsuite"])
    return report["tests"] - failed - skipped - report.get("disabled", 0), failed, skipped + report.get("disabled", 0)


def of_pytest(path):
    totals = [0, 0, 0]
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        totals = [totals[0] + int(suite.get("tests", 0)) - failed - skipped, totals[1] + failed, totals[2] + skipped]
    return totals


def main():
    folder = pathlib.Path(sys.argv[1])
    counts = [of_googletest(path) for path in folder.rglob("*.json")] + [of_pytest(path) for path in folder.rglob("*.xml")]
    passed, failed, skipped = (sum(column) for column in zip(*counts)) if counts else (0, 0, 0)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
