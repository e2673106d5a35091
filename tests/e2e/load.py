"""People at work while something breaks: what was answered is remembered, and must be true afterwards."""

import http.client
import random
import threading
import time

from database import connect
from flows import ONE_ISSUER
from keyward import GOOD_PASSWORD
from workers import Workers

CHEAP = {**ONE_ISSUER, "KEYWARD_TOKENS_REFRESH_GRACE_S": "60"}


class Load(Workers):
    """A context manager: threads that register, log in, refresh and log out at `servers`, which may be killed."""

    def __init__(self, servers, threads=6, may_die=False):
        super().__init__(self._work, threads)
        self.servers, self.may_die = servers, may_die
        self.registered, self.live, self.revoked = [], {}, []
        self.statuses, self.wrong = {}, []
        self.lock = threading.Lock()

    def done(self):
        return sum(count for status, count in self.statuses.items() if status < 300)

    def wait_for(self, more, what, timeout_s=60):
        """Until so many more calls have succeeded."""
        enough, deadline = self.done() + more, time.monotonic() + timeout_s
        while self.done() < enough:
            assert self.may_die or all(server.process.poll() is None for server in self.servers), f"{what}: a server ended"
            assert time.monotonic() < deadline, f"{what}: it does not go on; {self.statuses}"
            time.sleep(0.01)

    def wait_for_status(self, status, timeout_s=60):
        before, deadline = self.statuses.get(status, 0), time.monotonic() + timeout_s
        while self.statuses.get(status, 0) == before:
            assert time.monotonic() < deadline, f"no {status}; {self.statuses}"
            time.sleep(0.005)

    def _call(self, chance, method, path, body=None, token=None):
        """The answer, or None when nobody knows: a node died, or it said 503."""
        server = chance.choice(self.servers)
        try:
            answer = server.call(method, path, body, token=token, timeout_s=40)
        except (OSError, http.client.HTTPException, AttributeError) as error:
            if not self.may_die:
                self.wrong.append(f"{method} {path}: {error!r}")
            time.sleep(0.02)
            return None
        with self.lock:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status == 503:
            if not answer.headers.get("Retry-After"):
                self.wrong.append(f"{method} {path}: 503 without Retry-After")
            time.sleep(0.02)
            return None
        return answer

    def _expect(self, answer, status, what):
        if answer is not None and answer.status != status:
            self.wrong.append(f"{what}: {answer}")
        return answer is not None and answer.status == status

    def _work(self, number):
        chance, count = random.Random(number), 0
        while not self.stopping.is_set():
            count += 1
            email = f"load{number}.{count}@example.com"
            if not self._expect(self._call(chance, "POST", "/register", {"email": email, "password": GOOD_PASSWORD}), 201, "register"):
                continue
            with self.lock:
                self.registered.append(email)
            login = self._call(chance, "POST", "/login", {"email": email, "password": GOOD_PASSWORD})
            if self._expect(login, 200, "login"):
                self._use(chance, email, login.json)

    def _use(self, chance, email, session):
        for _ in range(3):
            again = self._call(chance, "POST", "/refresh", {"refresh_token": session["refresh_token"]})
            if again is None:
                return  # whether it was replaced nobody knows
            if not self._expect(again, 200, "refresh"):
                return
            session = again.json
        if chance.random() < 0.5:
            self.live[email] = session
        elif self._expect(self._call(chance, "POST", "/logout", token=session["access_token"]), 204, "logout"):
            self.revoked.append(session)

    def verify(self, server, at_least=10):
        """What was answered is so: after it, when all is well again."""
        assert not self.wrong, self.wrong[:5]
        assert set(self.statuses) <= {200, 201, 204, 503}, self.statuses
        assert len(self.registered) >= at_least and self.revoked, self.statuses
        with connect(server.data) as database:
            stored = {row[0] for row in database.execute("SELECT email FROM accounts")}
        assert set(self.registered) <= stored
        for email in self.registered[:2] + self.registered[-2:]:
            assert server.login(email).status == 200, email
        for session in list(self.live.values()):
            again = server.call("POST", "/refresh", {"refresh_token": session["refresh_token"]})
            assert again.status == 200 and again.json["user_id"] == session["user_id"], again
        for session in self.revoked:
            assert server.call("GET", "/me", token=session["access_token"]).status == 401
            assert server.call("POST", "/refresh", {"refresh_token": session["refresh_token"]}).status == 401
        assert server.call("GET", "/readyz").status == 200
