"""Work in the background with several processes on one database: one does it, and another one when that is gone."""

import contextlib
import json
import re
import signal
import time

from database import connect
from flows import ONE_ISSUER, wait_until
from keyward import OneNode
from mailbox import mails

OFTEN = {**ONE_ISSUER, "KEYWARD_STORAGE_SWEEP_INTERVAL_S": "1"}
LEASE_US = 90_000_000


@contextlib.contextmanager
def nodes(data, count, env):
    """Processes on one data folder, as the nodes of a machine or of a shared database are."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(OneNode(data, env=env)) for _ in range(count)]


def add_stale_session(data, number):
    """Of an account that is made for it."""
    key = bytes([number]) * 16
    with connect(data) as database:
        database.execute("INSERT INTO accounts (id, email, email_normalized, created_at, updated_at) VALUES (?, ?, ?, 1, 1)",
                         (key, f"stale{number}@x.example", f"stale{number}@x.example"))
        database.execute("INSERT INTO sessions (id, account_id, generation, user_agent, address, created_at, last_used_at,"
                         " idle_expires_at, expires_at) VALUES (?, ?, 1, '', '', 1, 1, 1, 1)", (key, key))
    return key


def is_swept(data, key):
    with connect(data) as database:
        return database.execute("SELECT count(*) FROM sessions WHERE id = ?", (key,)).fetchone()[0] == 0


def holder_of(servers, work):
    """The node whose log says that it has the lease, as the table does."""
    with connect(servers[0].data) as database:
        row = database.execute("SELECT holder FROM leases WHERE name = ?", (work,)).fetchone()
    holder = row[0].hex()

    def says_so(server):
        lines = [json.loads(line) for line in server.errors if '"lease_taken"' in line]
        return any(line["work"] == work and line["holder"].replace("-", "") == holder for line in lines)

    return wait_until(lambda: next(filter(says_so, servers), None), f"somebody says that they hold {work}")


def takers(servers, work):
    return [server for server in servers if any(re.search(rf'"lease_taken".*"{work}"', line) for line in server.errors)]


def test_one_of_three_sweeps_and_another_when_it_was_killed(data):
    with nodes(data, 3, OFTEN) as servers:
        first = add_stale_session(data, 1)
        wait_until(lambda: is_swept(data, first), "the first is swept")
        holder = holder_of(servers, "session_sweep")
        for number in range(2, 6):
            key = add_stale_session(data, number)
            wait_until(lambda key=key: is_swept(data, key), "the next is swept")
        assert takers(servers, "session_sweep") == [holder]

        holder.stop(signal.SIGKILL)
        others = [server for server in servers if server is not holder]
        waiting = add_stale_session(data, 7)
        time.sleep(2.5)  # some intervals
        assert not is_swept(data, waiting), "the lease of the dead is respected"
        with connect(data) as database:  # as if its time had passed
            database.execute("UPDATE leases SET expires_at = expires_at - ?", (LEASE_US,))
        wait_until(lambda: is_swept(data, waiting), "another one sweeps")
        assert holder_of(others, "session_sweep") in others


def test_who_ends_in_order_gives_its_leases_back(data):
    with nodes(data, 2, OFTEN) as servers:
        key = add_stale_session(data, 1)
        wait_until(lambda: is_swept(data, key), "swept")
        holder = holder_of(servers, "session_sweep")
        assert holder.stop() == 0
        key = add_stale_session(data, 2)
        wait_until(lambda: is_swept(data, key), "swept by the other, without a wait", timeout_s=10)


def test_what_is_deferred_is_done_by_one_of_three_once(data):
    with nodes(data, 3, ONE_ISSUER) as servers:
        people = [f"reset{number}@example.com" for number in range(12)]
        for email in people:
            assert servers[0].register(email).status == 201
        for number, email in enumerate(people):
            assert servers[number % 3].call("POST", "/forgot-password", {"email": email}).status == 200
        for email in people:
            wait_until(lambda email=email: mails(data, "reset_password", email), f"the mail to {email}")
        with connect(data) as database:
            assert database.execute("SELECT count(*) FROM deferred_requests").fetchone()[0] == 0
            counts = database.execute("SELECT recipient, count(*) FROM outgoing_mails WHERE kind = 'reset_password' GROUP BY recipient").fetchall()
        assert sorted(counts) == sorted((email, 1) for email in people)
        for email in people:
            assert len(mails(data, "reset_password", email)) == 1
