"""The systemd units: well-formed, shut in, and the server lives within what they allow."""

import re
import shutil
import subprocess
import time

import pytest

from tools import run  # first: it says where the next one is

import keyward

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
EXPOSURE_MAX = 1.5


@pytest.fixture
def units(root, tmp_path):
    """Copies that start the binary where it was unpacked, for verify looks whether it is there."""
    for name in ("keyward.service", "keyward.socket"):
        text = (root / "usr/lib/systemd/system" / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/bin/keyward", f"{root}/usr/bin/keyward"))
    return tmp_path


def settings_of(unit):
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
def test_they_are_well_formed(units):
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", units / "keyward.service", units / "keyward.socket"],
                          capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_service_is_shut_in(units):
    table = run("systemd-analyze", "security", "--offline=true", "--no-pager", units / "keyward.service")
    exposure = float(re.search(r"Overall exposure level for keyward\.service: ([\d.]+)", table).group(1))
    assert exposure <= EXPOSURE_MAX, table


def test_the_service_has_a_user_and_a_folder_of_its_own(units):
    service = settings_of(units / "keyward.service")
    assert service["Type"] == ["notify"] and service["User"] == ["keyward"]
    assert service["StateDirectory"] == ["keyward"] and service["StateDirectoryMode"] == ["0700"]
    assert service["Restart"] == ["on-failure"]


@needs_systemd
def test_the_commented_credentials_are_good_when_they_are_used(units):
    unit = units / "keyward.service"
    text = unit.read_text()
    lines = re.findall(r"^#   ((?:LoadCredential|Environment)=.*)$", text, re.MULTILINE)
    assert len(lines) == 4
    unit.write_text(text.replace("[Service]\n", "[Service]\n" + "\n".join(lines) + "\n"))
    test_they_are_well_formed(units)
    test_the_service_is_shut_in(units)


def calls_in(group):
    """The system calls of a group of systemd's, those of the groups in it too."""
    names = set()
    for line in run("systemd-analyze", "syscall-filter", group).splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            names |= calls_in(name)
        elif name and not name.startswith("#"):
            names.add(name)
    return names


def allowed_calls(unit):
    allowed = set()
    for value in settings_of(unit)["SystemCallFilter"]:
        words = value.removeprefix("~").split()
        calls = set().union(*(calls_in(word) if word.startswith("@") else {word} for word in words))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed | calls_in("@default")


@needs_systemd
@pytest.mark.skipif(not shutil.which("strace"), reason="no strace here")
def test_the_server_makes_no_system_call_that_is_refused(units, tmp_path):
    trace, traced = tmp_path / "trace", tmp_path / "traced"
    # -D: the server is the process that is started, and its tracer stands beside it.
    traced.write_text(f'#!/bin/sh\nexec strace -D -f -qq -o {trace} {keyward.BINARY} "$@"\n')
    traced.chmod(0o755)
    try:
        with keyward.Keyward(tmp_path / "data", binary=traced) as server:
            server.new_user("traced@example.com")
            assert server.call("POST", "/forgot-password", {"email": "traced@example.com"}).status == 200
            assert list_soon(tmp_path / "data/outbox")
            assert server.stop() == 0
    except AssertionError:
        if not trace.exists() or not trace.read_text():
            pytest.skip("processes cannot be traced here")
        raise
    made = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", trace.read_text(), re.MULTILINE))
    assert {"execve", "epoll_wait", "fdatasync", "setpriority"} <= made
    allowed = allowed_calls(units / "keyward.service") | {"fchown"}  # SQLite's, as root alone, and it may fail
    assert made <= allowed, sorted(made - allowed)


def list_soon(folder, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if folder.exists() and (found := list(folder.iterdir())):
            return found
        time.sleep(0.05)
    return []
