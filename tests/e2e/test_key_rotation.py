"""A planned rotation while tokens are issued: whoever caches the key set for as long as it says verifies every one of them (J4)."""

import glob
import threading
import time

import jwt
import pytest

from keyward import SANITIZED, Keyward, command

SPEED = 40  # the server's clock runs so much faster: ten minutes from publication to use are 15 seconds


def faketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return found[0] if found else None


class Verifier:
    """A relying party that asks for the keys when its copy is older than max-age, and never because a key is missing."""

    def __init__(self, server):
        self.server, self.keys, self.good_until = server, {}, 0
        self.fetched = 0

    def verify(self, token):
        if time.monotonic() >= self.good_until:
            answer = self.server.call("GET", "/.well-known/jwks.json")
            max_age = int(answer.headers["Cache-Control"].split("max-age=")[1].split(",")[0])
            self.good_until = time.monotonic() + max_age / SPEED
            self.keys = {key["kid"]: jwt.PyJWK(key).key for key in answer.json["keys"]}
            assert not [key for key in answer.json["keys"] if set(key) & {"d", "p", "q", "k"}]
            self.fetched += 1
        kid = jwt.get_unverified_header(token)["kid"]
        jwt.decode(token, self.keys[kid], algorithms=["ES256"],
                   options={"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False})
        return kid


@pytest.mark.skipif(faketime() is None or SANITIZED, reason="no libfaketime here")
def test_J4_no_token_fails_during_a_rotation_under_load(data, email):
    env = {"LD_PRELOAD": faketime(), "FAKETIME": f"+0 x{SPEED}", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
           "KEYWARD_LIMITS_ENABLED": "false", "KEYWARD_TOKENS_REFRESH_GRACE_S": "0"}
    started = time.monotonic()
    with Keyward(data, env=env) as server:
        session, failures, kids, count = server.new_user(email), [], [], 0
        verifiers = [Verifier(server) for _ in range(5)]
        for verifier in verifiers:
            verifier.verify(session["access_token"])  # their copies are of just before the rotation
        now = {**env, "FAKETIME": f"+{(time.monotonic() - started) * SPEED:.3f}s"}  # about what the server's clock says
        code, _, errors = command("key", "rotate", data=data, env=now)  # published now
        assert code == 0, errors
        stop = threading.Event()

        def follow(verifier, token):
            nonlocal count
            while not stop.is_set():
                answer = server.call("POST", "/refresh", {"refresh_token": token})
                if answer.status != 200:
                    failures.append(answer)
                    return
                token = answer.json["refresh_token"]
                try:
                    kids.append(verifier.verify(answer.json["access_token"]))
                    verifier.verify(session["access_token"])  # of the key before: good until it expires
                except (jwt.PyJWTError, KeyError) as error:
                    failures.append(error)
                count += 1

        threads = [threading.Thread(target=follow, args=(verifier, server.login(email).json["refresh_token"])) for verifier in verifiers]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60
        while len(set(kids)) < 2 and time.monotonic() < deadline and not failures:
            time.sleep(0.2)
        time.sleep(2)  # and on with the new one
        stop.set()
        for thread in threads:
            thread.join()
        assert not failures, failures[:3]
        assert len(set(kids)) == 2 and count > 200
        assert all(verifier.fetched >= 2 for verifier in verifiers)
        changed = kids.index(kids[-1])
        assert changed > 50  # the old key went on signing while the new one was made known
