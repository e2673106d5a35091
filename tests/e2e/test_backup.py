"""`keyward backup`: a whole copy while others write, which a server starts from."""

import contextlib
import json
import os
import shutil
import sqlite3
import stat
import threading

import pytest

from database import POSTGRES
from keyward import command
from keyward import OneNode as Keyward

sqlite_only = pytest.mark.skipif(POSTGRES, reason="the copy is SQLite's")


@sqlite_only
def test_a_backup_under_load_has_every_account_that_was_answered_before(data, tmp_path):
    copy, answered, stop = tmp_path / "copies" / "keyward.db", [], threading.Event()
    copy.parent.mkdir()
    with Keyward(data, env={"KEYWARD_LIMITS_ENABLED": "false"}) as server:
        session = server.new_user("first@example.com")

        def register(worker):
            number = 0
            while not stop.is_set():
                address = f"backup{worker}.{number}@example.com"
                number += 1
                assert server.register(address).status == 201
                answered.append(address)

        def refresh():
            token = session["refresh_token"]
            while not stop.is_set():
                answer = server.call("POST", "/refresh", {"refresh_token": token})
                assert answer.status == 200
                token = answer.json["refresh_token"]

        workers = [threading.Thread(target=register, args=(number,)) for number in range(4)] + [threading.Thread(target=refresh)]
        for worker in workers:
            worker.start()
        while len(answered) < 12:
            stop.wait(0.01)
        before = list(answered)
        code, output, errors = command("backup", copy, "--json", data=data)
        stop.set()
        for worker in workers:
            worker.join()
    assert code == 0, errors
    assert json.loads(output) == {"file": str(copy), "bytes": copy.stat().st_size}
    assert "master.key" in errors
    assert stat.S_IMODE(os.stat(copy).st_mode) == 0o600
    assert [file.name for file in copy.parent.iterdir()] == ["keyward.db"]

    with contextlib.closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = {row[0] for row in database.execute("SELECT email FROM accounts")}
    assert {"first@example.com", *before} <= stored <= {"first@example.com", *answered}

    restored = tmp_path / "restored"
    restored.mkdir(mode=0o700)
    shutil.copy(copy, restored / "keyward.db")
    shutil.copy(data / "master.key", restored / "master.key")
    with Keyward(restored) as again:
        assert again.login(before[-1]).status == 200
    assert command("audit", "verify", data=restored)[0] == 0


@sqlite_only
def test_a_backup_needs_no_server_and_writes_over_nothing(data, tmp_path):
    with Keyward(data):
        pass
    assert command("backup", tmp_path / "one.db", data=data)[0] == 0
    content = (tmp_path / "one.db").read_bytes()
    code, _, errors = command("backup", tmp_path / "one.db", data=data)
    assert code == 1 and "exists" in errors
    assert (tmp_path / "one.db").read_bytes() == content
    code, _, errors = command("backup", tmp_path / "no" / "such" / "folder.db", data=data)
    assert code == 1 and "No such file" in errors
    code, _, errors = command("backup", tmp_path / "two.db", data=tmp_path / "nothing-here")
    assert code == 1 and "There is no database" in errors
    assert not (tmp_path / "nothing-here").exists()
    assert command("backup", data=data)[0] == 2


def test_postgresql_has_its_own(tmp_path):
    code, _, errors = command("backup", tmp_path / "copy.db", env={"KEYWARD_STORAGE_URL": "postgres://nobody@127.0.0.1:1/none"})
    assert code == 1 and "pg_dump" in errors
    assert not (tmp_path / "copy.db").exists()
