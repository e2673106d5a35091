"""What the tests of this folder share."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/e2e"))  # keyward.py: how the tests start a server


def run(*words, **more):
    """A command that must succeed; its standard output."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, timeout=300, **more).stdout
