"""A server that nobody asks does nothing: no writes, no wake-ups more than once a second."""

import pathlib
import time

import pytest

from keyward import BINARY
from keyward import OneNode as Keyward


def wake_ups(pid):
    """Of all threads so far: each time that one went to sleep by itself."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                total += int(line.split()[1])
    return total


def bytes_written(pid):
    return int(next(line.split()[1] for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines() if line.startswith("wchar:")))


@pytest.mark.skipif(BINARY.parent.name == "tsan", reason="the thread sanitizer has a thread of its own, which wakes up")
def test_an_idle_server_writes_nothing_and_sleeps(data):
    with Keyward(data, env={"KEYWARD_REDIS_URL": None}) as server:  # an idle Redis is asked twice a second whether it is there
        server.new_user("idle@example.com")
        time.sleep(1.5)
        pid, seconds = server.process.pid, 6
        woken, written = wake_ups(pid), bytes_written(pid)
        time.sleep(seconds)
        assert wake_ups(pid) - woken <= seconds
        assert bytes_written(pid) == written
