"""kill -9 under refresh load: no token that a client was answered is unknown afterwards, and none is usable twice."""

import random
import signal
import threading
import time

from database import connect, is_whole
from keyward import OneNode as Keyward
from wire import Wire, generation_of, session_of

CLIENTS = 8
KILLS = 50
ENV = {"KEYWARD_LIMITS_ENABLED": "false", "KEYWARD_TOKENS_REFRESH_GRACE_S": "60"}


class Client:
    """Goes on with one session as fast as it can, and remembers the last token that it was answered."""

    def __init__(self, token):
        self.token, self.answers, self.refused = token, 0, []

    def run(self, port):
        try:
            wire = Wire(port)
            while True:
                status, answer = wire.refresh(self.token)
                if status != 200:
                    self.refused.append((status, answer))
                    return
                self.token = answer["refresh_token"]
                self.answers += 1
        except OSError:
            return  # the server is dead


def test_O15_R2_kill_9_under_refresh_load_50_times(data):
    chance = random.Random(3)
    clients = []
    for number in range(KILLS + 1):
        server = Keyward(data, env=ENV).start()
        try:
            if number == 0:
                first = server.new_user("crash@example.com")
                clients = [Client(first["refresh_token"])]
                clients += [Client(server.login("crash@example.com").json["refresh_token"]) for _ in range(CLIENTS - 1)]
            else:
                wire = Wire(server.port)
                for client in clients:
                    answered = client.token
                    # Known still, as the current one or as the one just replaced; and it leads to one successor, however
                    # often it is used.
                    answers = [wire.refresh(answered) for _ in range(3)]
                    assert [status for status, _ in answers] == [200] * 3, (number, answers)
                    successors = {answer["refresh_token"] for _, answer in answers}
                    assert len(successors) == 1
                    client.token = successors.pop()
                    assert generation_of(client.token) == generation_of(answered) + 1
                    assert wire.call("GET", "/me", token=answers[0][1]["access_token"])[0] == 200
            if number == KILLS:
                break
            threads = [threading.Thread(target=client.run, args=(server.port,)) for client in clients]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.03, 0.4))
            server.process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
            assert not any(client.refused for client in clients), [client.refused for client in clients]
        finally:
            server.stop()
    assert sum(client.answers for client in clients) > 20 * KILLS
    assert is_whole(data)
    with connect(data) as database:
        for client in clients:
            (generation, ended), = database.execute("SELECT generation, ended_at FROM sessions WHERE id = ?",
                                                    (session_of(client.token),))
            assert (generation, ended) == (generation_of(client.token), None)
