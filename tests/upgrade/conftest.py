"""The helpers are those of the end-to-end tests; `previous` is the binary of the last release."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from database import drop_below  # noqa: E402


@pytest.fixture
def data(tmp_path):
    yield tmp_path / "data"
    drop_below(tmp_path)


def newest_release():
    """The tag, or nothing."""
    listed = subprocess.run(["git", "-C", str(ROOT), "tag", "--list", "v*", "--sort=-version:refname"],
                            capture_output=True, text=True, check=False)
    return next(iter(listed.stdout.split()), None) if listed.returncode == 0 else None


def built_from(tag):
    """The binary of that tag, built once below build/previous."""
    folder = ROOT / "build/previous" / tag
    binary = folder / "build/release/keyward"
    if not binary.exists():
        if not folder.exists():
            subprocess.run(["git", "-C", str(ROOT), "worktree", "prune"], check=True)
            subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "--detach", str(folder), tag], check=True)
        subprocess.run(["./dev", "build"], cwd=folder, check=True)
    return binary


@pytest.fixture(scope="session")
def previous():
    given = os.environ.get("KEYWARD_PREVIOUS_BINARY")
    if given:
        return pathlib.Path(given).resolve()
    tag = newest_release()
    if tag is None:
        pytest.skip("there is no release yet: no tag v*, and KEYWARD_PREVIOUS_BINARY names no binary")
    return built_from(tag)
