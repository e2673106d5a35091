"""docs/requirements.md says which test shows which security requirement: it must be true and complete."""

import pathlib
import re
import sys

from source import ROOT, own_files, text_of

DOCUMENT = ROOT / "docs/requirements.md"
ID = r"(?:P|A|R|S|O|J|F|W|Z|L|H)\d{1,2}"

# What the first release promises.
PROMISED = ("P1 P2 P3 P4 P5 P8 P9 P12 P13 Z1 Z2 Z3 Z4 Z5 J8 J9 J10 J11 J12 J13 J14 J15 J16 H1 H2 H3 L2 S8 S9 S10 A4 A8 J4").split()

HEAD = """# Security requirements and the tests that show them

Made by `python3 tests/house/requirements_test.py --write`; a house test refuses it when it is out of date. A test shows a
requirement when its name holds the requirement's id.

| id | requirement | tests |
| --- | --- | --- |
"""

IN_SHORT = {
    "A1": "an account's guesses are limited, the right password included, until a delay is over",
    "A2": "the limit holds under parallelism",
    "A3": "the caller cannot choose the limiter's key",
    "A4": "proxy headers count from listed proxies only",
    "L3": "the audit trail is append-only, chained, and transactional",
    "P1": "password length 8 by default (15 is one setting), no composition rules, no ageing",
    "P2": "long passwords, every Unicode character, counted in code points, normalised once (NFC)",
    "P3": "the whole password counts: no truncation, no case folding, NUL-safe",
    "P4": "length is capped before any hashing",
    "P5": "common and breached passwords are refused",
    "P6": "words of the user's own name and address are refused",
    "P7": "changing the password needs the current one",
    "P8": "Argon2id at OWASP's parameters or above, 16 random bytes of salt",
    "P9": "a stale hash is replaced at the next good login, atomically",
    "J8": "the key fixes the algorithm; none, case variants and empty are refused",
    "J9": "key-carrying headers ignored, unknown crit and duplicate members refused",
    "J10": "strict base64url, UTF-8 and JSON, with depth and size limits",
    "J11": "RSA from 2048 bits, EC points on their curve, HMAC keys at least as long as their hash",
    "J12": "a JWE is never taken for a JWS",
    "J13": "kinds of token are told apart by typ",
    "J14": "exp, nbf, iat are bounded numbers; aud and iss exact; skew at most 60 s",
    "J15": "kid is a look-up key with a length cap",
    "J16": "constant-time comparison; OpenSSL's answers compared with == 1",
    "H1": "message framing errors: 400 and close",
    "H2": "limits on bytes, counts and times; slow clients are cut",
    "H3": "methods and content types allow-listed, no version banner, nothing internal on the public listener",
    "H4": "the loss of Redis or of the database opens nothing: no limit is reset, no ended session revived",
    "L2": "no secrets in logs; control characters encoded",
    "S7": "no call of another site changes anything; GET and HEAD change nothing",
    "S8": "security headers on every answer",
    "S9": "other origins read nothing unless they are listed, and no page; credentials never",
    "S10": "after credentials were posted: 303, never 307 or 308",
    "S3": "cookies: __Host-, Secure, HttpOnly, SameSite",
    "S4": "idle and absolute ends of sessions",
    "S11": "what others write goes nowhere unescaped; the schemes of addresses are listed",
    "S5": "ended sessions and disabled users are refused at once",
    "A6": "the same answer and the same work for unknown and known users",
    "R3": "a newer token, a changed password or address kills older ones; a reset ends every session and logs nobody in",
    "R4": "links point at the configured public URL, whatever a request says",
    "R5": "the pages of links: no-referrer, no-store, nothing of others; GET consumes nothing; tokens are not logged",
    "R9": "codes count with the call that asked, ten minutes, five tries, once",
    "A7": "registering a taken address answers as for a new one, and mails the owner (verification required)",
    "A9": "forgot-password locks nobody, mails so many an hour, and works after the answer",
    "A10": "people are told of new devices, changes and ended sessions",
    "A8": "bounded password hashing: queue, then 503",
    "P12": "no default accounts",
    "P13": "no admin chooses or sees a password",
    "Z1": "every route says who may call it",
    "Z2": "unknown and privileged members have no effect",
    "Z3": "nobody grants what they lack; the last admin stays",
    "Z4": "what is off is off in the API",
    "Z5": "the route table, the document and the README agree",
    "Z6": "prepared statements only",
    "O17": "no token in the query",
    "O18": "access tokens are RFC 9068's",
    "J4": "keys are published before use and kept until their last token has expired",
    "H4": "loss of the database fails closed",
    "L1": "security events in OWASP's words",
    "A5": "a disabled account gets nothing, whatever it tries",
    "S1": "session ids and refresh tokens of our own making, and nothing usable of them stored",
    "S6": "one's own sessions are listed and ended, nobody else's",
    "O14": "a refresh token is replaced by its use; reuse ends the session; limits hold; scope never widens",
    "O15": "parallel refreshes, lost answers: a stated window, never two live branches",
    "O16": "clients that prove their key do not rotate",
    "F1": "somebody is known by issuer and subject, never by an address",
    "F2": "an address counts as verified only when the provider says so in the type of its definition",
    "F3": "what connects a provider is one person's, one account's and one session's, and counts once",
    "F4": "state, nonce and PKCE belong to one login and one browser",
    "F5": "mix-up: the expected issuer is held against the callback, the metadata and the ID token",
    "F6": "every ID token check of OpenID Connect Core 3.1.3.7; UserInfo of the same subject; tenants are pinned",
    "F7": "requests to others: https, addresses checked at connect, no redirects, limits",
    "F8": "the browser is sent to a path of ours or a listed origin, in a spelling that every parser reads alike",
    "R1": "single-use tokens are stored as hashes, or not at all",
    "R2": "exactly one of N parallel uses wins",
}


def ids_in(name):
    """J8_J9_x names two requirements; p50_x, utf8 and sha256 name none."""
    return {part for part in re.split(r"_", name) if re.fullmatch(ID, part)}


def named_tests_by_id():
    shown = {}

    def note(test, path):
        for identifier in ids_in(re.sub(r"^.*\.", "", test)):
            shown.setdefault(identifier, set()).add((test, path.relative_to(ROOT).as_posix()))

    for path in own_files(".cpp", ".hpp"):
        if "_test" in path.name or "conformance" in path.parts or "testing" in path.name:
            for suite, test in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", text_of(path)):
                note(f"{suite}.{test}", path)
            for suite, test in re.findall(r"\bTYPED_TEST(?:_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", text_of(path)):
                note(f"{suite}.{test}", path)
    for path in own_files(".py", under=ROOT / "tests"):
        for test in re.findall(r"^\s*def (test_\w+)\(", text_of(path), re.MULTILINE):
            note(test, path)
    return shown


def in_order(identifier):
    return re.sub(r"\d", "", identifier), int(re.sub(r"\D", "", identifier))


def document():
    text = HEAD
    for identifier, tests in sorted(named_tests_by_id().items(), key=lambda item: in_order(item[0])):
        names = "<br>".join(f"`{test}` ({pathlib.PurePosixPath(path).parent})" for test, path in sorted(tests))
        text += f"| {identifier} | {IN_SHORT.get(identifier, '')} | {names} |\n"
    return text


def test_every_promised_requirement_is_named_in_a_test():
    shown = named_tests_by_id()
    missing = [identifier for identifier in PROMISED if identifier not in shown]
    assert not missing, "no test's name holds " + ", ".join(missing)


def test_the_document_is_up_to_date():
    assert DOCUMENT.exists() and text_of(DOCUMENT) == document(), "run: python3 tests/house/requirements_test.py --write"


def test_ids_are_found_in_names():
    assert ids_in("J9_crit_unknown_is_refused") == {"J9"}
    assert ids_in("test_H1_H2_limits") == {"H1", "H2"}
    assert ids_in("sha256_of_p50_is_utf8") == set()


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        DOCUMENT.write_text(document(), encoding="utf-8")
    else:
        print(document(), end="")
