"""Stopping, well and badly: what was answered is kept, what is in flight is finished."""

import concurrent.futures
import http.client
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from database import connect, is_whole
from keyward import BINARY, GOOD_PASSWORD, clean_environment
from keyward import OneNode as Keyward


@pytest.mark.parametrize("round_number", range(3))
def test_kill_9_in_the_middle_of_registrations_loses_no_201(data, round_number):
    answered, stop = [], threading.Event()
    server = Keyward(data).start()

    def register(worker):
        number = 0
        while not stop.is_set():
            address = f"crash{round_number}.{worker}.{number}@example.com"
            number += 1
            try:
                if server.register(address).status == 201:
                    answered.append(address)
            except OSError:
                return
            except Exception:  # the connection broke in the middle of an answer: nothing was promised
                return

    workers = [threading.Thread(target=register, args=(n,)) for n in range(16)]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + 60
    while len(answered) < 6 + 10 * round_number and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05 * round_number)
    server.process.send_signal(signal.SIGKILL)
    stop.set()
    for worker in workers:
        worker.join()
    server.stop()
    assert len(answered) > 5
    with Keyward(data) as again:
        assert again.login(answered[-1]).status == 200
    assert is_whole(data)
    with connect(data) as database:
        stored = {row[0] for row in database.execute("SELECT email FROM accounts")}
    assert set(answered) <= stored


def test_sigterm_finishes_what_is_in_flight_and_exits_0(data):
    server = Keyward(data, env={"KEYWARD_LIMITS_ENABLED": "false"}).start()  # one account, many logins at once
    server.register("drain@example.com")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        flights = [pool.submit(server.login, "drain@example.com") for _ in range(16)]
        time.sleep(0.03)
        server.process.send_signal(signal.SIGTERM)
        answers = []
        for flight in flights:
            try:
                answers.append(flight.result().status)
            except OSError:
                answers.append("refused")  # it came after the listener had closed
    server.process.wait(30)  # before stop(), which would send a second signal
    assert server.stop() == 0
    assert 200 in answers and set(answers) <= {200, "refused"}


def test_an_idle_connection_does_not_hold_the_drain_up(data):
    server = Keyward(data).start()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5


def test_files_are_the_owners_alone(data):
    with Keyward(data) as server:
        server.register("files@example.com")
        assert stat.S_IMODE(os.stat(data).st_mode) == 0o700
        for file in data.rglob("*"):
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_two_servers_on_one_port_are_refused(data, tmp_path):
    with Keyward(data) as server:
        with pytest.raises(AssertionError, match="in use"):
            Keyward(tmp_path / "other", "--listen", f"127.0.0.1:{server.port}").start()


def test_a_newer_schema_is_refused(data):
    with Keyward(data):
        pass
    with connect(data) as database:
        database.execute("INSERT INTO schema_migrations (number, name, checksum, applied_at_us) VALUES (9999, 'future', 'x', 1)")
    with pytest.raises(AssertionError, match="newer"):
        Keyward(data).start()


def test_the_wrong_master_key_is_told(data):
    with Keyward(data):
        pass
    with pytest.raises(AssertionError, match="master key"):
        Keyward(data, env={"KEYWARD_MASTER_KEY": "ab" * 32}).start()


def test_the_master_key_can_come_from_outside(data, tmp_path):
    file = tmp_path / "key"
    file.write_text("cd" * 32 + "\n")
    for env in ({"KEYWARD_MASTER_KEY": "cd" * 32}, {"KEYWARD_MASTER_KEY_FILE": str(file)}):
        with Keyward(data, env=env) as server:
            assert server.login("nobody@example.com", GOOD_PASSWORD).status == 401
    assert not (data / "master.key").exists()


def test_a_lost_master_key_is_told_and_not_replaced(data):
    with Keyward(data):
        pass
    (data / "master.key").unlink()
    with pytest.raises(AssertionError, match="master key is missing"):
        Keyward(data).start()
    assert not (data / "master.key").exists()


def test_a_reader_of_the_log_that_goes_away_does_not_take_the_server_with_it(data):
    reading, writing = os.pipe()
    log_reading, log_writing = os.pipe()
    process = subprocess.Popen([str(BINARY), "serve", "--data", str(data), "--listen", "127.0.0.1:0"], stdout=writing, stderr=log_writing,
                               env=clean_environment(data))
    os.close(writing)
    os.close(log_writing)
    try:
        text = ""
        while '"listening"' not in text:
            piece = os.read(log_reading, 4096).decode()
            assert piece, text
            text += piece
        url = re.search(r'"public_url":"http://127.0.0.1:(\d+)"', text).group(1)
        os.close(reading)
        os.close(log_reading)
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", int(url), timeout=10)
            connection.request("GET", "/me", headers={"Authorization": "Bearer a.b.c"})
            assert connection.getresponse().status == 401
            connection.close()
            time.sleep(0.05)
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(20) == 0
