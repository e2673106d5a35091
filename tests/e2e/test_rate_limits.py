"""Limits on guessing and on floods, over real HTTP: who is counted, by what, and who is not touched."""

import concurrent.futures
import itertools
import json
import pathlib
import re
import resource
import time

import pytest

from database import connect
from keyward import SANITIZED, GOOD_PASSWORD, Keyward, OneNode, command

WRONG = "wrong password here"
# Room for tests that are about accounts, not about the address that they all come from.
WIDE = {"KEYWARD_LIMITS_LOGIN_ADDRESS_ATTEMPTS": "1000000", "KEYWARD_LIMITS_REGISTER_PER_HOUR": "1000000",
        "KEYWARD_AUDIT_EMAIL": "plain"}


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("limited") / "data", env=WIDE) as running:
        yield running


def masked(answer):
    """What a client sees, without what differs between any two answers."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("X-Request-Id", "Date")}
    body = {name: value for name, value in answer.json.items() if name != "request_id"}
    return answer.status, headers, body


def without_times(seen):
    """The same, whichever second of the window it is."""
    return re.sub(r'(t=|"Retry-After": ")\d+', r"\1N", json.dumps(seen).replace("'", '"'))


def lock(server, email, login=None):
    login = login or server.login
    statuses = [login(email, WRONG).status for _ in range(5)]
    assert statuses == [401] * 5
    return server.login(email, WRONG)


def test_five_wrong_passwords_then_429_for_the_right_one_too(limited, email):
    limited.register(email)
    for left in range(4, -1, -1):
        answer = limited.login(email, WRONG)
        assert answer.status == 401
        assert re.fullmatch(rf'"login";r={left};t=(900|899|89\d)', answer.headers["RateLimit"])
        assert answer.headers["RateLimit-Policy"] == '"login";q=5;w=900'
        assert "Retry-After" not in answer.headers
    refused = limited.login(email)
    assert refused.status == 429 and refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json["type"] == "urn:keyward:problem:too-many-requests"
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert refused.headers["RateLimit"] == f'"login";r=0;t={refused.headers["Retry-After"]}'
    form = limited.call("POST", "/login", form={"username": email, "password": GOOD_PASSWORD})
    assert form.status == 429


def test_L1_events_of_a_lock_are_written_once(limited, email):
    limited.register(email)
    lock(limited, email)
    for _ in range(20):
        assert limited.login(email, WRONG).status == 429
    limited.wait_for_event("authn_login_lock")
    time.sleep(0.1)
    mine = [event["event"] for event in limited.logged_events() if event.get("email") == email]
    assert mine.count("authn_login_fail") == 5
    assert mine.count("authn_login_fail_max") == 1
    assert mine.count("authn_login_lock") == 1


def test_A1_others_are_not_touched_and_200_tries_change_nothing(limited, email):
    limited.register(email)
    limited.register("other" + email)
    before = limited.metric("keyward_password_hashes_total")
    answers = [limited.login(email, WRONG).status for _ in range(200)]
    assert answers == [401] * 5 + [429] * 195
    assert limited.metric("keyward_password_hashes_total") - before == 5
    assert limited.login(email).status == 429
    assert limited.login("other" + email).status == 200


@pytest.mark.parametrize("known", [True, False])
def test_A2_64_parallel_threads_get_five_hashes(limited, email, known):
    if known:
        limited.register(email)
    before = limited.metric("keyward_password_hashes_total")
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        statuses = [answer.status for answer in pool.map(lambda n: limited.login(email, f"{WRONG} {n}"), range(2000))]
    assert limited.metric("keyward_password_hashes_total") - before <= 5
    assert statuses.count(401) == 5 and statuses.count(429) == 1995


def test_A6_known_unknown_and_disabled_accounts_are_refused_alike(limited, email):
    unknown, disabled = "nobody-" + email, "disabled-" + email
    limited.register(email)
    limited.register(disabled)
    assert command("user", "disable", disabled, data=limited.data)[0] == 0
    for attempt in range(7):
        seen = [without_times(masked(limited.login(address, WRONG))) for address in (email, unknown, disabled)]
        assert seen[0] == seen[1] == seen[2], attempt
    # The password is not looked at any more, so the right one is no different.
    seen = [without_times(masked(limited.login(address))) for address in (email, unknown, disabled)]
    assert seen[0] == seen[1] == seen[2]


def test_A3_the_budget_does_not_refill_by_spelling_headers_or_fields(limited, email):
    email = "dotted.name" + email
    limited.register(email)
    lock(limited, email)
    local, domain = email.split("@")
    spellings = [email.upper(), email.title(), f" {email} ", f"\t{email}\n", f"{local}@{domain.upper()}",
                 f"{local}@{domain.replace('e', 'ｅ')}"]
    for spelled in spellings:
        for password in (WRONG, GOOD_PASSWORD):
            assert limited.login(spelled, password).status == 429, spelled
        assert limited.call("POST", "/login", {"username": spelled, "password": GOOD_PASSWORD}).status == 429
    # What is not equal to the account's address opens no way to the account: never the account's 200.
    for other in (email + ".", f"{local}+tag@{domain}", f"{local.replace('.', '')}@{domain}", f'"{local}"@{domain}'):
        assert limited.login(other).status == 401, other
    for number, name in itertools.product(range(3), ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP",
                                                     "CF-Connecting-IP", "True-Client-IP", "Via", "Keyward-Device",
                                                     "Cookie", "User-Agent", "X-Request-Id", "Referer", "Host")):
        values = {"Forwarded": f"for=198.51.100.{number}", "Cookie": f"__Host-kw_device=kw_dv_{number}"}
        headers = {name: values.get(name, f"198.51.100.{number}")}
        answer = limited.call("POST", "/login", {"email": email, "password": GOOD_PASSWORD}, headers=headers)
        assert answer.status == 429, headers
    for extra in ({"address": "198.51.100.1"}, {"account": "x"}, {"device": "x"}, {"limit": 0}, {"id": "x"}):
        assert limited.call("POST", "/login", {"email": email, "password": GOOD_PASSWORD, **extra}).status == 429
    assert limited.call("POST", f"/login?email=x{email}", {"email": email, "password": GOOD_PASSWORD}).status == 429


def test_a_right_password_before_the_limit_forgets_the_wrong_ones(limited, email):
    limited.register(email)
    for _ in range(3):
        assert [limited.login(email, WRONG).status for _ in range(4)] == [401] * 4
        good = limited.login(email)
        assert good.status == 200 and good.headers["RateLimit"].startswith('"login";r=5;')


def test_parallel_logins_with_the_right_password_all_get_in(limited, email):
    limited.register(email)
    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: limited.login(email), range(16)))
        assert [answer.status for answer in answers] == [200] * 16


def test_A2_an_owner_who_logs_in_meanwhile_opens_no_gap(limited, email):
    """Each right password clears what was settled: at most five more guesses for each, never all of them."""
    limited.register(email)
    before = limited.metric("keyward_password_hashes_total")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        guesses = [pool.submit(limited.login, email, f"{WRONG} {n}") for n in range(300)]
        owner = [pool.submit(limited.login, email) for _ in range(3)]
        granted = sum(login.result().status == 200 for login in owner)
        statuses = [guess.result().status for guess in guesses]
    assert statuses.count(401) <= 5 * (granted + 1)
    assert limited.metric("keyward_password_hashes_total") - before <= 5 * (granted + 1) + granted


def test_a_full_hash_queue_uses_up_no_attempt(data, email):
    env = {**WIDE, "KEYWARD_PASSWORDS_QUEUE_MAX": "1", "KEYWARD_PASSWORDS_HASH_THREADS": "1"}
    with Keyward(data, env=env) as server:
        server.register(email)
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            others = [pool.submit(server.login, f"{n}{email}", WRONG) for n in range(200)]
            mine = [server.login(email) for _ in range(30)]
            assert 503 in {other.result().status for other in others}
        assert {answer.status for answer in mine} <= {200, 503}
        assert server.login(email).status == 200


def test_what_is_no_guess_is_not_counted(limited, email):
    limited.register(email)
    for _ in range(10):
        assert limited.call("POST", "/login", {"email": email}).status == 422
        assert limited.call("POST", "/login", {"email": email, "password": "x" * 2000}).status == 422
        assert limited.call("POST", "/login", {"email": email, "username": email, "password": WRONG}).status == 422
    assert limited.login(email).status == 200


def test_the_lock_ends_with_its_window(data, email):
    with Keyward(data, env={"KEYWARD_LIMITS_LOGIN_WINDOW_S": "2", "KEYWARD_LIMITS_LOGIN_ATTEMPTS": "2"}) as server:
        server.register(email)
        assert [server.login(email, WRONG).status for _ in range(3)] == [401, 401, 429]
        refused = server.login(email)
        assert refused.status == 429 and refused.headers["Retry-After"] in ("1", "2")
        time.sleep(int(refused.headers["Retry-After"]))  # what the server itself says is enough
        assert server.login(email).status == 200


def test_a_device_that_logged_in_before_is_not_locked_out_by_strangers(limited, email):
    limited.register(email)
    first = limited.login(email)
    device = first.headers["Keyward-Device"]
    assert device.startswith("kw_dv_") and "kw_dv_" not in first.body.decode()
    assert "Set-Cookie" not in first.headers  # not under plain http
    lock(limited, email)

    def login(address, password=GOOD_PASSWORD, token=device):
        return limited.call("POST", "/login", {"email": address, "password": password},
                            headers={"Keyward-Device": token})

    assert limited.login(email).status == 429
    assert login(email).status == 200
    assert limited.login(email).status == 429, "the strangers' lock stays"
    # A bucket of its own, of the same size; then it is a stranger, and locked as well.
    assert [login(email, WRONG).status for _ in range(5)] == [401] * 5
    assert login(email).status == 429
    # Good for its own account only, and only whole.
    limited.register("other" + email)
    lock(limited, "other" + email)
    assert login("other" + email).status == 429
    assert login("other" + email, token=device[:-1]).status == 429
    assert not any("kw_dv_" in line for line in limited.events + limited.errors)


def test_A1_many_devices_of_one_account_are_counted_together(limited, email):
    limited.register(email)
    devices = [limited.login(email).headers["Keyward-Device"] for _ in range(8)]
    statuses = [limited.call("POST", "/login", {"email": email, "password": WRONG},
                             headers={"Keyward-Device": device}).status for device in devices for _ in range(5)]
    assert statuses == [401] * 25 + [429] * 15, "20 as devices, five more as strangers"
    assert limited.login(email).status == 429, "these five are everybody's"


def test_A1_a_device_whose_attempts_others_used_up_is_counted_as_a_stranger(limited, email):
    limited.register(email)
    mine, *kept = [limited.login(email).headers["Keyward-Device"] for _ in range(5)]

    def login(device, password):
        return limited.call("POST", "/login", {"email": email, "password": password}, headers={"Keyward-Device": device})

    # Somebody who knew an older password has tokens, and guesses with them until no device has an attempt left.
    assert [login(device, WRONG).status for device in kept for _ in range(5)] == [401] * 20
    answer = login(mine, GOOD_PASSWORD)
    assert answer.status == 200
    # Whatever is tried now is in the account's own bucket: five, however many tokens there are.
    tokens = [answer.headers["Keyward-Device"], mine, *kept]
    assert [login(device, WRONG).status for device in tokens * 2] == [401] * 5 + [429] * 7
    limited.wait_for_event("authn_login_lock")
    time.sleep(0.1)
    locks = [event["reason"] for event in limited.logged_events("authn_login_lock") if event["email"] == email]
    assert locks == ["login_devices", "login"]


def test_a_renewed_device_token_is_the_same_device(limited, email):
    limited.register(email)
    device = limited.login(email).headers["Keyward-Device"]

    def login(password):
        return limited.call("POST", "/login", {"email": email, "password": password}, headers={"Keyward-Device": device})

    assert [login(WRONG).status for _ in range(3)] == [401] * 3
    renewed = login(GOOD_PASSWORD).headers["Keyward-Device"]
    assert [login(WRONG).status for _ in range(5)] == [401] * 5
    device = renewed
    # Nothing is left of the device's own attempts: these are the account's.
    assert [login(WRONG).status for _ in range(6)] == [401] * 5 + [429]


def test_the_device_cookie_under_https(data, email):
    with Keyward(data, "--public-url", "https://id.example.com", env=WIDE) as server:
        server.register(email)
        answer = server.login(email)
        cookie = answer.headers["Set-Cookie"]
        value = re.fullmatch(r"__Host-kw_device=(kw_dv_[\w-]+); Path=/; Max-Age=15552000; Secure; HttpOnly; "
                             r"SameSite=Lax", cookie).group(1)
        assert value == answer.headers["Keyward-Device"]
        lock(server, email)
        login = {"email": email, "password": GOOD_PASSWORD}
        assert server.call("POST", "/login", login).status == 429
        assert server.call("POST", "/login", login, headers={"Cookie": f"a=b; __Host-kw_device={value}; c=d"}).status == 200
        assert server.call("POST", "/login", login, headers={"Cookie": f"x__Host-kw_device={value}"}).status == 429


def test_P7_the_current_password_cannot_be_guessed_at_the_password_change(limited, email):
    token = limited.new_user(email)["access_token"]

    def change(current):
        return limited.call("POST", "/me/password", {"current_password": current, "new_password": "granite lantern 7"},
                            token=token)

    before = limited.metric("keyward_password_hashes_total")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        statuses = [answer.status for answer in pool.map(lambda _: change(WRONG), range(200))]
    assert statuses.count(403) == 5 and statuses.count(429) == 195
    assert limited.metric("keyward_password_hashes_total") - before <= 5
    refused = change(GOOD_PASSWORD)
    assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0


def test_A5_a_lock_holds_wherever_a_password_is_taken(limited, email):
    token = limited.new_user(email)["access_token"]
    lock(limited, email)
    changed = limited.call("POST", "/me/password",
                           {"current_password": GOOD_PASSWORD, "new_password": "granite lantern 7"}, token=token)
    assert changed.status == 429
    assert limited.call("GET", "/me", token=token).status == 200  # a session that is there is no guess


@pytest.mark.skipif(SANITIZED, reason="limits the address space, which the sanitizers' shadow memory needs")
def test_a_hash_that_fails_uses_up_no_attempt(data, email):
    """Hashes for which there is no memory are told as 500 and are no guesses: at login and at the password change."""
    with OneNode(data, env=WIDE) as server:
        token = server.new_user(email)["access_token"]
        with connect(data) as database:
            good = database.execute("SELECT password_hash FROM accounts").fetchone()[0]
            huge = "$scrypt$ln=20,r=8,p=1$8H6PUWrtnRNCyLkX4nzvnQ$8Oc/0i23sSNTTQ/mvahfKY51AhKsbzSu27lmuMJbwfw"  # 1 GiB
            database.execute(f"UPDATE accounts SET password_hash = '{huge}'")
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        used = int(re.search(r"VmSize:\s+(\d+) kB", status).group(1)) * 1024
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (used + 512 * 1024 * 1024, resource.RLIM_INFINITY))
        form = {"current_password": WRONG, "new_password": "granite lantern 7"}

        def broken(ask, deadline=time.monotonic() + 60):
            """503 while the memory of the one before is not given back yet."""
            while (answer := ask()).status == 503 and time.monotonic() < deadline:
                time.sleep(0.01)
            return answer.status == 500

        assert all(broken(lambda: server.login(email, WRONG)) for _ in range(7))
        assert all(broken(lambda: server.call("POST", "/me/password", form, token=token)) for _ in range(7))
        with connect(data) as database:
            database.execute(f"UPDATE accounts SET password_hash = '{good}'")
        assert server.login(email, WRONG).headers["RateLimit"].startswith('"login";r=4;')
        assert server.call("POST", "/me/password", {**form, "current_password": GOOD_PASSWORD}, token=token).status == 204


def test_one_address_cannot_try_many_accounts(data, email):
    with Keyward(data, env={"KEYWARD_LIMITS_LOGIN_ADDRESS_ATTEMPTS": "7"}) as server:
        server.register(email)
        for _ in range(10):
            assert server.login(email).status == 200  # only wrong ones count
        assert [server.login(f"{n}{email}", WRONG).status for n in range(7)] == [401] * 7
        refused = server.login(email)
        assert refused.status == 429 and refused.headers["RateLimit"].startswith('"login_address";r=0;')
        for number in range(20):
            assert server.login(f"more{number}{email}", WRONG).status == 429
        events = server.wait_for_event("excess_rate_limit_exceeded")
        time.sleep(0.1)
        assert len(server.logged_events("excess_rate_limit_exceeded")) == 1
        assert events[0]["reason"] == "login_address" and events[0]["address"] == "127.0.0.1"
        assert server.metric('keyward_rate_limit_refusals_total{limit="login_address"}') == 21


def test_A1_neighbours_at_the_same_address_do_not_lock_out_a_known_device(data, email):
    with Keyward(data, env={"KEYWARD_LIMITS_LOGIN_ADDRESS_ATTEMPTS": "3"}) as server:
        server.register(email)
        device = {"Keyward-Device": server.login(email).headers["Keyward-Device"]}
        login = {"email": email, "password": GOOD_PASSWORD}
        assert [server.login(f"{n}{email}", WRONG).status for n in range(3)] == [401] * 3
        assert server.call("POST", "/login", login).status == 429
        assert server.call("POST", "/login", login, headers=device).status == 200
        # The token is of one account: for guesses at others the address counts as before.
        other = {"email": f"9{email}", "password": WRONG}
        assert server.call("POST", "/login", other, headers=device).status == 429
        # What the device guesses is bounded by its own bucket, and is not counted at the address.
        wrong = {"email": email, "password": WRONG}
        assert [server.call("POST", "/login", wrong, headers=device).status for _ in range(6)] == [401] * 5 + [429]


def test_registration_is_limited_by_address(data, email):
    with Keyward(data, env={"KEYWARD_LIMITS_REGISTER_PER_HOUR": "3"}) as server:
        answers = [server.register(f"{n}{email}") for n in range(5)]
        assert [answer.status for answer in answers] == [201, 201, 201, 429, 429]
        assert answers[0].headers["RateLimit"] == '"register";r=2;t=3600'
        assert 3500 < int(answers[4].headers["Retry-After"]) <= 3600
        assert server.register(f"0{email}").status == 429, "also what would be refused anyway"
        assert server.login(f"0{email}").status == 200
        assert server.wait_for_event("excess_rate_limit_exceeded")[0]["reason"] == "register"


def address_of_last_failure(server, headers):
    before = len(server.logged_events("authn_login_fail"))
    server.call("POST", "/login", {"email": "nobody@example.com", "password": WRONG}, headers=headers)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if len(events := server.logged_events("authn_login_fail")) > before:
            return events[-1]["address"]
        time.sleep(0.01)
    raise AssertionError("no event")


A4_ROWS = [
    # X-Forwarded-For, what counts from an untrusted peer, what counts behind a trusted proxy
    ("198.51.100.7", "127.0.0.1", "198.51.100.7"),
    ("1.2.3.4, 198.51.100.7", "127.0.0.1", "198.51.100.7"),
    ("198.51.100.7, 10.0.0.1", "127.0.0.1", "198.51.100.7"),
    ("a", "127.0.0.1", "127.0.0.1"),
    ("", "127.0.0.1", "127.0.0.1"),
    ("198.51.100.7, a", "127.0.0.1", "127.0.0.1"),
    ("198.51.100.7:99999999", "127.0.0.1", "127.0.0.1"),
    ("2001:db8::7", "127.0.0.1", "2001:db8::7"),
    (", ".join(["198.51.100.7"] + [f"10.0.1.{n}" for n in range(200)]), "127.0.0.1", "10.0.1.168"),
    (", ".join(f"198.51.100.{n}" for n in range(200)), "127.0.0.1", "198.51.100.199"),
]
UNLOCKED = {**WIDE, "KEYWARD_LIMITS_LOGIN_ATTEMPTS": "20"}


def test_A4_forwarded_addresses_count_from_listed_proxies_only(tmp_path):
    with Keyward(tmp_path / "a", env=UNLOCKED) as bare, \
         Keyward(tmp_path / "b", env={**UNLOCKED, "KEYWARD_SERVER_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}) as proxied, \
         Keyward(tmp_path / "c", env={**UNLOCKED, "KEYWARD_SERVER_TRUSTED_PROXIES": "192.0.2.1"}) as elsewhere:
        for value, untrusted, trusted in A4_ROWS:
            headers = {"X-Forwarded-For": value}
            assert address_of_last_failure(bare, headers) == untrusted, value
            assert address_of_last_failure(elsewhere, headers) == untrusted, value
            assert address_of_last_failure(proxied, headers) == trusted, value
        for headers in ({"Forwarded": "for=198.51.100.7"}, {"X-Real-IP": "198.51.100.7"}, {}):
            assert address_of_last_failure(proxied, headers) == "127.0.0.1"
        # Metrics are for this machine, and a proxy is not it.
        assert proxied.call("GET", "/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status == 404
        assert proxied.call("GET", "/metrics", headers={"X-Forwarded-For": "a"}).status == 404
        assert proxied.call("GET", "/metrics").status == elsewhere.call("GET", "/metrics").status == 404
        assert bare.call("GET", "/metrics").status == 200


FORWARDED_ROWS = [
    # Forwarded, what counts behind a trusted proxy that sets it
    ("for=198.51.100.7", "198.51.100.7"),
    ('For="198.51.100.7:4711";proto=https', "198.51.100.7"),
    ('for="[2001:db8::7]:4711"', "2001:db8::7"),
    ("for=1.2.3.4, for=198.51.100.7", "198.51.100.7"),
    ("for=198.51.100.7, for=10.0.0.1", "198.51.100.7"),
    ("for=unknown", "127.0.0.1"),
    ("for=_hidden, for=10.0.0.1", "10.0.0.1"),
    ('for="198.51.100.7', "127.0.0.1"),
    ("198.51.100.7", "127.0.0.1"),
    ("", "127.0.0.1"),
    (", ".join(["for=198.51.100.7"] + [f"for=10.0.1.{n}" for n in range(200)]), "10.0.1.168"),
]


def test_A4_forwarded_counts_where_the_proxies_set_it_and_only_there(tmp_path):
    trusting = {**UNLOCKED, "KEYWARD_SERVER_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
    with Keyward(tmp_path / "a", env={**trusting, "KEYWARD_SERVER_PROXY_HEADER": "forwarded"}) as forwarded, \
         Keyward(tmp_path / "b", env={**UNLOCKED, "KEYWARD_SERVER_PROXY_HEADER": "forwarded"}) as bare:
        for value, trusted in FORWARDED_ROWS:
            # The other header is what the client sent, and the proxy passed through.
            headers = {"Forwarded": value, "X-Forwarded-For": "192.0.2.66"}
            assert address_of_last_failure(forwarded, headers) == trusted, value
            assert address_of_last_failure(bare, headers) == "127.0.0.1", value
        assert address_of_last_failure(forwarded, {"X-Forwarded-For": "192.0.2.66"}) == "127.0.0.1"
        assert not [line for line in forwarded.errors if "proxy_not_listed" in line]
        hints = [line for line in bare.errors if "proxy_not_listed" in line]
        assert len(hints) == len(bare.nodes) and "server.trusted_proxies" in hints[0]  # once, however many requests


def test_A3_A4_the_address_limit_follows_what_the_proxy_wrote(data):
    env = {"KEYWARD_SERVER_TRUSTED_PROXIES": "127.0.0.0/8", "KEYWARD_LIMITS_REGISTER_PER_HOUR": "2"}
    with Keyward(data, env=env) as server:
        def register(number, forwarded_for):
            return server.call("POST", "/register", {"email": f"{number}@example.com", "password": GOOD_PASSWORD},
                               headers={"X-Forwarded-For": forwarded_for}).status

        assert [register(n, f"1.1.1.{n}, 198.51.100.7") for n in range(3)] == [201, 201, 429]
        assert register(3, "198.51.100.8") == 201
        # One customer's IPv6 network is one client.
        assert [register(10 + n, f"2001:db8:0:1::{n}") for n in range(3)] == [201, 201, 429]
        assert register(20, "2001:db8:0:2::1") == 201
        # What cannot be read is counted all the same, as the proxy.
        assert [register(30 + n, value) for n, value in enumerate(["a", "b", "c"])] == [201, 201, 429]


@pytest.mark.parametrize("value", ["0.0.0.0/0", "::/0", "10.0.0.1/8", "proxy.example.com", "10.0.0.0/8;"])
def test_A4_a_list_of_proxies_that_trusts_everybody_or_has_a_slip_does_not_start(data, value):
    code, out, errors = command("config", "check", data=data, env={"KEYWARD_SERVER_TRUSTED_PROXIES": value})
    assert code != 0 and "server.trusted_proxies" in out + errors


def test_limits_can_be_off_and_the_log_says_so(data, email):
    with Keyward(data, env={"KEYWARD_LIMITS_ENABLED": "false"}) as server:
        server.register(email)
        answers = [server.login(email, WRONG) for _ in range(8)]
        assert {answer.status for answer in answers} == {401}
        assert "RateLimit" not in answers[0].headers
        assert server.login(email).status == 200
        assert any("rate_limits_are_off" in line for line in server.errors)
