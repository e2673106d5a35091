"""keyward db move: a database in use goes from SQLite to PostgreSQL and back; interrupted, resumed, compared."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import database as databases
from flows import ONE_ISSUER, wait_until
from keyward import BINARY, GOOD_PASSWORD, Keyward, clean_environment, command

pytestmark = pytest.mark.skipif(databases.POSTGRES, reason="names both engines itself: runs once")


@pytest.fixture(scope="module")
def postgres():
    server = databases.PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def url(postgres):
    """Of an empty database."""
    name = f"move_{random.randrange(10**9)}"
    session = databases.session_of(postgres.url())
    session.autocommit = True
    session.cursor().execute(f"CREATE DATABASE {name}")
    session.close()
    return postgres.url(name)


def at(where):
    return {**ONE_ISSUER, "KEYWARD_STORAGE_URL": str(where)}


def move(data, to, *flags, where=None):
    env = at(where) if where else ONE_ISSUER
    code, out, err = command("db", "move", "--to", to, "--json", *flags, data=data, env=env, timeout=120)
    return code, json.loads(out) if out else None, err


def hashes(report):
    return {item["table"]: (item["target"]["rows"], item["target"]["hash"]) for item in report["items"]}


def fill(data, accounts):
    """Many rows, without a hash for each: copies of one account."""
    with sqlite3.connect(data / "keyward.db") as database:
        for number in range(accounts):
            key = b"\xff" + number.to_bytes(15, "big")
            database.execute("INSERT INTO accounts (id, email, email_normalized, created_at, updated_at) VALUES (?, ?, ?, 1, 1)",
                             (key, f"n{number}@x.example", f"n{number}@x.example"))
            database.execute("INSERT INTO account_roles (account_id, role, granted_at) VALUES (?, 'user', 1)", (key,))


def test_sessions_keys_and_the_trail_go_along_to_postgres_and_back_with_equal_hashes(data, url, tmp_path):
    with Keyward(data, env=ONE_ISSUER) as server:
        ada = server.new_user("ada@example.com")
        gone = server.new_user("gone@example.com")
        assert server.call("POST", "/logout", token=gone["access_token"]).status == 204
        assert server.call("POST", "/forgot-password", {"email": "ada@example.com"}).status == 200
    code, there, err = move(data, url)
    assert code == 0 and there["equal"] and "postgres" not in json.dumps(there), err
    assert hashes(there)["accounts"][0] == 2
    with Keyward(data, env=at(url)) as server:
        assert server.call("GET", "/me", token=ada["access_token"]).status == 200
        assert server.call("GET", "/me", token=gone["access_token"]).status == 401
        again = server.call("POST", "/refresh", {"refresh_token": ada["refresh_token"]})
        assert again.status == 200 and again.json["user_id"] == ada["user_id"]
        assert server.call("POST", "/refresh", {"refresh_token": gone["refresh_token"]}).status == 401
        assert server.login("ada@example.com").status == 200
    assert command("audit", "verify", data=data, env=at(url))[0] == 0
    back = tmp_path / "back.db"
    code, here, err = move(data, f"sqlite://{back}", where=url)
    assert code == 0 and here["equal"], err
    assert command("audit", "verify", data=data, env=at(back))[0] == 0
    with Keyward(data, env=at(back)) as server:
        answer = server.call("POST", "/refresh", {"refresh_token": again.json["refresh_token"]})
        assert answer.status == 200
    # And what nobody touched in between is the same in both.
    for table in ("signing_keys", "roles", "setup_tokens"):
        assert hashes(there)[table] == hashes(here)[table]


def test_hashes_are_equal_after_both_ways(data, url, tmp_path):
    with Keyward(data, env=ONE_ISSUER) as server:
        for number in range(5):
            server.new_user(f"p{number}@example.com")
    fill(data, 1500)
    there = move(data, url)[1]
    here = move(data, tmp_path / "back.db", where=url)[1]
    assert hashes(there) == hashes(here) and there["equal"] and here["equal"]


def test_H4_servers_stop_when_their_database_moves_and_nobody_starts_on_it(data, url):
    with Keyward(data, env=ONE_ISSUER) as server:
        answered, statuses, stop = [], [], threading.Event()

        def register():
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    answer = server.register(f"live{number}@example.com")
                except OSError:
                    return  # it has stopped
                statuses.append(answer.status)
                if answer.status == 201:
                    answered.append(f"live{number}@example.com")
                else:
                    assert answer.headers["Retry-After"]

        ada = server.new_user("ada@example.com")
        worker = threading.Thread(target=register)
        worker.start()
        wait_until(lambda: len(answered) > 5, "load")
        code, report, err = move(data, url)
        assert code == 0 and report["equal"], err
        # Before the move is over: nobody is answered from two databases.
        assert server.process.poll() is not None or not can_connect(server)
        stop.set()
        worker.join()
        assert server.process.wait(30) == 1
        assert any('"event":"database_not_in_use"' in line for line in server.errors)
    assert set(statuses) <= {201, 503}
    for words in (("serve",), ("migrate",), ("user", "list"), ("key", "rotate")):
        code, _, err = command(*words, data=data)
        assert code == 1 and "has moved to postgres://" in err
    with Keyward(data, env=at(url)) as server:
        assert server.call("GET", "/me", token=ada["access_token"]).status == 200
        for email in answered:
            assert server.login(email).status == 200, email
    assert command("db", "reopen", data=data)[0] == 0
    with Keyward(data, env=ONE_ISSUER) as server:
        assert server.login("ada@example.com").status == 200


def can_connect(server):
    try:
        server.call("GET", "/livez", timeout_s=2)
        return True
    except OSError:
        return False


def test_killed_at_any_moment_it_resumes(data, url):
    with Keyward(data, env=ONE_ISSUER) as server:
        ada = server.new_user("ada@example.com")
    fill(data, 8000)
    words = [str(BINARY), "db", "move", "--to", url, "--json", "--data", str(data)]
    started = time.monotonic()
    untouched = data.with_name("copy")
    shutil.copytree(data, untouched)
    kills = 0
    for wait_s in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6):
        flags = ["--resume"] if has_begun(url) else []
        process = subprocess.Popen([*words, *flags], env={**clean_environment(), **ONE_ISSUER}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(wait_s)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
        if has_begun(url) and process.returncode != 0:
            code, _, err = command("serve", "--listen", "127.0.0.1:0", data=data, env=at(url))
            assert code == 1 and "not whole yet" in err
    assert kills >= 3, time.monotonic() - started
    code, report, err = move(data, url, *(["--resume"] if has_begun(url) else []))
    assert code == 0 and report["equal"], err
    assert hashes(report)["accounts"][0] == 8001
    with Keyward(data, env=at(url)) as server:
        assert server.call("POST", "/refresh", {"refresh_token": ada["refresh_token"]}).status == 200
        assert server.login("ada@example.com", GOOD_PASSWORD).status == 200


def has_begun(url):
    session = databases.session_of(url)
    try:
        cursor = session.cursor()
        cursor.execute("SELECT to_regclass('database_moves') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT count(*) FROM database_moves WHERE direction = 'in' AND state = 'copying'")
        return cursor.fetchone()[0] == 1
    finally:
        session.close()


def test_a_changed_row_is_found_by_compare(data, url):
    with Keyward(data, env=ONE_ISSUER) as server:
        server.new_user("ada@example.com")
    assert move(data, url)[0] == 0
    assert command("db", "compare", "--to", url, data=data)[0] == 0
    session = databases.session_of(url)
    with session, session.cursor() as cursor:
        cursor.execute("UPDATE accounts SET full_name = 'Eve'")
    session.close()
    code, out, err = command("db", "compare", "--to", url, data=data)
    assert code == 1 and "accounts" in err and "DIFFERS" in out


def test_a_target_in_use_or_wrong_words_are_refused(data, url, tmp_path):
    with Keyward(data, env=ONE_ISSUER):
        pass
    with Keyward(tmp_path / "other", env=at(url)):
        pass
    code, _, err = move(data, url)
    assert code == 1 and "not empty" in err
    code, _, err = move(data, data / "keyward.db")
    assert code == 1 and ("itself" in err or "not empty" in err)
    assert command("db", "move", data=data)[0] == 2
    assert command("db", "move", "--to", "mysql://x", data=data)[0] == 2
    assert move(tmp_path / "nothing", url)[0] == 1
    with Keyward(data, env=ONE_ISSUER) as server:  # as if nothing had been
        assert server.register("ada@example.com").status == 201


def test_the_target_may_stand_in_a_file_or_the_environment(data, tmp_path):
    with Keyward(data, env=ONE_ISSUER):
        pass
    words = tmp_path / "target"
    words.write_text(f"{tmp_path / 'a.db'}\n")
    assert command("db", "move", "--to-file", words, data=data, env=ONE_ISSUER)[0] == 0
    assert command("db", "compare", data=data, env={"KEYWARD_MOVE_TO": str(tmp_path / "a.db")})[0] == 0
    assert command("db", "compare", data=data, env={"KEYWARD_MOVE_TO_FILE": str(words)})[0] == 0
    both = {"KEYWARD_MOVE_TO_FILE": str(words), "KEYWARD_MOVE_TO": "x"}
    for given, env, why in (((), {}, "where to?"), ((), both, "both given"), (("--to-file", tmp_path / "no"), {}, "cannot be read"),
                            (("--to", "x", "--to-file", words), {}, "--to")):
        code, _, err = command("db", "compare", *given, data=data, env=env)
        assert code == 2 or (why == "--to" and code != 0), err
        assert why in err
    # Nor does a server that is started with the same environment mind.
    assert command("config", "check", data=tmp_path / "new", env=both)[0] == 0


def test_L2_a_password_among_the_words_of_the_command_is_warned_of(data):
    with Keyward(data, env=ONE_ISSUER):
        pass
    url = "postgres://ada:c4nary-pa55word@127.0.0.1:1/x"
    warning = "can read the password"
    assert warning in command("db", "compare", "--to", url, data=data)[2]
    assert warning not in command("db", "compare", "--to", "postgres://ada@127.0.0.1:1/x", data=data)[2]
    code, out, err = command("db", "compare", data=data, env={"KEYWARD_MOVE_TO": url})
    assert code == 1 and warning not in err and "c4nary" not in out + err


def test_L2_no_password_of_either_url_is_shown(data):
    with Keyward(data, env=ONE_ISSUER):
        pass
    secret = "c4nary-pa55word"
    code, out, err = command("db", "move", "--to", f"postgres://ada:{secret}@127.0.0.1:1/x", data=data)
    assert code == 1 and secret not in out + err and "127.0.0.1" in err
