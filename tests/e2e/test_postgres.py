"""What there is only with PostgreSQL: a server that goes away and comes back, a URL with a password."""

import signal
import threading

import pytest

from database import POSTGRES, PostgresServer
from keyward import GOOD_PASSWORD, command
from keyward import OneNode as Keyward

pytestmark = pytest.mark.skipif(not POSTGRES, reason="runs with KEYWARD_TEST_ENGINE=postgres")

CANARY = "c4nary-pa55word"


def test_a_database_that_crashes_under_load_is_503_and_loses_no_201(data):
    postgres = PostgresServer()
    try:
        with Keyward(data, env={"KEYWARD_STORAGE_URL": postgres.url(), "KEYWARD_LIMITS_ENABLED": "false"}) as server:
            answered, statuses, stop = [], set(), threading.Event()

            def register(worker):
                number = 0
                while not stop.is_set():
                    address = f"crash{worker}.{number}@example.com"
                    number += 1
                    status = server.register(address).status
                    statuses.add(status)
                    if status == 201:
                        answered.append(address)

            workers = [threading.Thread(target=register, args=(n,)) for n in range(8)]
            for worker in workers:
                worker.start()
            for _ in range(2):
                enough = len(answered) + 20
                while len(answered) < enough:
                    assert server.process.poll() is None
                postgres.end(signal.SIGQUIT)
                statuses.clear()
                while 503 not in statuses:
                    assert server.process.poll() is None
                postgres.start()
            enough = len(answered) + 20
            while len(answered) < enough:
                assert server.process.poll() is None
            stop.set()
            for worker in workers:
                worker.join()
            assert statuses <= {201, 503}
            for address in answered[::7] + answered[-3:]:
                assert server.login(address).status == 200, address
            assert server.call("GET", "/readyz").status == 200
    finally:
        postgres.remove()


def test_L2_no_password_of_the_database_in_any_output(data):
    env = {"KEYWARD_STORAGE_URL": f"postgres://ada:{CANARY}@127.0.0.1:1/keyward"}
    for arguments in (("serve",), ("migrate",), ("migrate", "--plan"), ("user", "list"), ("config", "show")):
        code, out, err = command(*arguments, data=data, env=env)
        assert CANARY not in out + err
        if arguments[0] == "config":
            assert code == 0 and "postgres://ada:********@127.0.0.1:1/keyward" in out
        else:
            assert code == 1 and "127.0.0.1" in err and "refused" in err
    code, out, err = command("config", "check", env={"KEYWARD_STORAGE_URL": f"postgres://ada:{CANARY}%zz@db/x"})
    assert code == 1 and "storage.url" in err and CANARY not in out + err


def test_the_url_can_come_from_a_file(data, tmp_path):
    postgres = PostgresServer()
    file = tmp_path / "url"
    file.write_text(postgres.url() + "\n")
    try:
        # The tests' own KEYWARD_STORAGE_URL would be a second value.
        env = {"KEYWARD_STORAGE_URL_FILE": str(file)}
        flags = ("--data", data)
        code, _, err = command("user", "add", "ada@example.com", "--password-stdin", *flags, stdin=GOOD_PASSWORD, env=env)
        assert code == 0, err
        assert "ada@example.com" in command("user", "list", *flags, env=env)[1]
        assert not (data / "keyward.db").exists()
    finally:
        postgres.remove()
