"""Nobody learns from an answer, or from its time, whether an address has an account or what state that is in (A6)."""

import itertools
import os
import random
import re

import pytest

from database import POSTGRES, connect
from flows import REQUIRED, forgot, transaction_of, verify
from keyward import GOOD_PASSWORD, INSTRUMENTED, Keyward, command
from mailbox import settle, wait_for_mail
from sameness import answers, mann_whitney_p, request, timings, told_apart, welch_t

WRONG = "wrong password here"
SAMPLES = 2000
CLASSES = ("known", "unknown", "disabled", "unverified")
PAIRS = len(list(itertools.combinations(CLASSES, 2))) * 5  # of classes, at five calls
P_MIN = 1e-5 / PAIRS
_numbers = itertools.count(100_000)


def address(word):
    """All of one length, for all words."""
    return f"{word:.<10}{next(_numbers)}@told.example".replace("..", "xx")


def people(server, each=1):
    """class → addresses."""
    made = {name: [address(name) for _ in range(each)] for name in CLASSES}
    for name in ("known", "disabled", "unverified"):
        for one in made[name]:
            assert server.register(one).status == 201
            mail = wait_for_mail(server.data, "verify_email", one)
            if name != "unverified":
                assert verify(server, token=mail.token).status == 200
            if name == "disabled":
                assert command("user", "disable", one, data=server.data)[0] == 0
    settle(server.data)
    return made


# What is asked of whom: path, and for each class the body.
def asked(path, name, one):
    if path == "/register":
        return {"email": one, "password": GOOD_PASSWORD}
    if path == "/login":
        return {"email": one, "password": GOOD_PASSWORD if name in ("disabled", "unverified") else WRONG}
    return {"email": one}


STATUS = {"/forgot-password": 200, "/verify-email/resend": 200, "/register": 201, "/login": 401}


@pytest.mark.parametrize("limits", ["off", "on"])
@pytest.mark.parametrize("path", list(STATUS))
def test_A6_A7_the_bytes_of_the_answers_are_the_same(tmp_path_factory, path, limits):
    folder = tmp_path_factory.mktemp("told")
    env = REQUIRED if limits == "off" else {"KEYWARD_REGISTRATION_VERIFICATION": "required"}
    with Keyward(folder / "data", env=env) as server:
        made = people(server)
        for more in ((), ("Accept-Language: de", "Referer: https://app.example/"), ("Keyward-Device: kw_dv_x", "Cookie: a=b")):
            seen = answers(server, path, {name: (asked(path, name, one), one) for name, (one,) in made.items()}, more)
            for name, text in seen.items():
                assert text.startswith(f"HTTP/1.1 {STATUS[path]} "), (name, text)
                if path != "/login":
                    assert "Keyward-Transaction: kw_tx_<" in text
            if limits == "on":
                seen = {name: without_counts(text) for name, text in seen.items()}
            assert len(set(seen.values())) == 1, seen


def transactions(server, made):
    """class → of each address, the transaction of a call that asked for a reset; what mails there are have come."""
    found = {name: [transaction_of(forgot(server, one)) for one in addresses] for name, addresses in made.items()}
    settle(server.data)
    return found


def guess(transaction):
    return {"transaction": transaction, "code": "0000-0000", "new_password": GOOD_PASSWORD}


def test_A6_R9_a_wrong_code_is_refused_alike_where_there_is_none(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("told") / "data", env=REQUIRED) as server:
        asked_for = transactions(server, people(server))
        for _ in range(7):
            seen = answers(server, "/reset-password", {name: (guess(one), one) for name, (one,) in asked_for.items()})
            assert len(set(seen.values())) == 1 and "HTTP/1.1 400 " in seen["known"], seen
        told = [event for event in server.logged_events("excess_rate_limit_exceeded") if event["reason"] == "code_tries"]
        assert len(told) == 4


def without_counts(text):
    """A limit of the client's address counts on from call to call; that of an account, at the login, is the same for all."""
    text = re.sub(r'(?<=RateLimit: "login";)r=(\d+);t=\d+', r"left \1", text)
    return re.sub(r";r=\d+;t=\d+", ";LEFT", text)


def test_A6_what_the_checks_say_no_to_is_the_same_for_all(tmp_path_factory):
    """A request that is refused for its shape is refused before anybody is looked up."""
    with Keyward(tmp_path_factory.mktemp("told") / "data", env=REQUIRED) as server:
        made = people(server)
        for path, more in (("/register", {"password": "password1"}), ("/register", {}), ("/login", {}),
                           ("/login", {"password": "x" * 2000}), ("/forgot-password", {"email": "nobody"})):
            seen = answers(server, path, {name: ({"email": one, **more}, one) for name, (one,) in made.items()})
            assert len(set(seen.values())) == 1 and "HTTP/1.1 422 " in seen["known"], seen


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def spread(seed, shift=0.0):
    """Times as a machine has them: a floor, a long tail, now and then a stall."""
    source = random.Random(seed)
    return [1000 + shift + source.gammavariate(2, 50) + (source.random() < 0.01) * 5000 for _ in range(SAMPLES)]


def test_A6_the_statistic_tells_a_small_shift_and_no_shift_from_it():
    """70 is the deviation of these times, without stalls: a quarter of it is found each time, nothing never."""
    for seed in range(40):
        assert told_apart({"a": spread(seed), "b": spread(seed + 1000, shift=20)}, P_MIN), seed
        assert not told_apart({"a": spread(seed), "b": spread(seed + 1000)}, P_MIN), seed


def test_A6_the_statistic_has_the_values_of_the_books():
    # Exact ranks by hand: U = 0 of 3 × 3, mean 4.5, variance 5.25.
    assert mann_whitney_p([1, 2, 3], [4, 5, 6]) == pytest.approx(0.0495, abs=1e-4)
    assert mann_whitney_p([1, 4, 5], [2, 3, 6]) == pytest.approx(0.8273, abs=1e-4)
    # With ties: ranks 1.5 1.5 4 and 4 4 6, U = 1, variance 0.75 · (7 - 30 / 30).
    assert mann_whitney_p([1, 1, 2], [2, 2, 3]) == pytest.approx(0.0990, abs=1e-4)
    assert mann_whitney_p([7] * 9, [7] * 9) == 1.0
    assert welch_t([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], kept=1) == 0.0
    assert welch_t([1.0, 2.0, 3.0], [11.0, 12.0, 13.0], kept=1) == pytest.approx(-12.247, abs=1e-3)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A server for measuring, and its people."""
    if INSTRUMENTED:
        pytest.skip("the work of a sanitizer or of counters is not ours")
    if POSTGRES:
        pytest.skip("the way to the database's own process is noise; what the answers wait for is the same")
    with Keyward(tmp_path_factory.mktemp("measured") / "data", env={**REQUIRED, "KEYWARD_AUDIT_EMAIL": "off"}) as server:
        yield server, people(server, each=4)


@pytest.mark.parametrize("path", list(STATUS))
def test_A6_the_time_of_the_answers_is_the_same(measured, path):
    server, made = measured

    def maker(name):
        def make(number):
            # At the registration what is unknown is new each time.
            one = address("unknown") if (path, name) == ("/register", "unknown") else made[name][number % len(made[name])]
            return request(path, asked(path, name, one))
        return make

    hashed = path in ("/register", "/login")
    connections = min(2, os.cpu_count() or 1) if hashed else 1
    makers = {name: maker(name) for name in CLASSES}
    for _ in range(2):  # what only one of two independent runs shows is chance
        settle(server.data, 300)
        found = told_apart(timings(server, makers, SAMPLES, {STATUS[path]}, connections), P_MIN)
        if not found:
            return
    raise AssertionError("\n".join(found))


# A try of a code reads a row more where a mail went out: one to two microseconds on a machine that does nothing else.
# Counting the try in the token's row, as it once was, was a commit more: milliseconds.
WRONG_CODE_LEAST_US = 5


def test_A6_R9_the_time_of_a_wrong_code_is_the_same(measured):
    server, made = measured
    asked_for = transactions(server, made)
    with connect(server.data) as database:
        database.execute("UPDATE code_transactions SET tries = ?", (-10 * SAMPLES,))  # enough of them for all samples

    def maker(name):
        return lambda number: request("/reset-password", guess(asked_for[name][number % len(asked_for[name])]))

    for _ in range(2):
        taken = timings(server, {name: maker(name) for name in CLASSES}, SAMPLES, {400})
        found = told_apart(taken, P_MIN, WRONG_CODE_LEAST_US)
        if not found:
            return
    raise AssertionError("\n".join(found))


def test_A6_the_measurement_can_tell(measured):
    """A class whose answer does need more work is found: a body that is refused at once against one that is kept."""
    server, made = measured
    one = made["known"][0]
    makers = {"refused": lambda _: request("/forgot-password", {"email": "nobody"}),
              "asked": lambda _: request("/forgot-password", {"email": one})}
    assert told_apart(timings(server, makers, 200, {200, 422}), P_MIN)
