# Makes stored_hashes.json beside it: run by hand, once, with software that is not ours.
#   python3 -m venv v && v/bin/pip install passlib==1.7.4 bcrypt==4.0.1 argon2-cffi==25.1.0 Django==5.2.19 && v/bin/python make_stored_hashes.py
import json, os, warnings
warnings.simplefilter("ignore")
import django
from django.conf import settings
settings.configure(); django.setup()
from django.contrib.auth.hashers import get_hasher, BasePasswordHasher
from django.contrib.auth import hashers as dj
from passlib import hash as pl
import argon2, bcrypt as bc
P = "correct horse"; U = "pässwörd-\U0001F600"
L72 = "a" * 72; L73 = "b" * 73; L128="c"*128; L1024="d"*1024
import ctypes
lib = ctypes.CDLL("libcrypt.so.1"); lib.crypt_gensalt.restype = ctypes.c_char_p; lib.crypt.restype = ctypes.c_char_p
def gensalt(prefix): return lib.crypt_gensalt(prefix, 0, None, 0)
def crypt3(pw, s): return lib.crypt(pw.encode(), s.encode()).decode()
out = []
def add(fmt, made_by, pw, stored): out.append({"format": fmt, "made_by": made_by, "password": pw, "stored": stored})
for pw in (P, U, L1024, ""):
    for m, t, p in ((19456, 2, 1), (65536, 3, 4), (8192, 1, 1)):
        add("argon2id", "argon2-cffi", pw, argon2.PasswordHasher(t, m, p).hash(pw))
add("argon2id", "argon2-cffi", P, argon2.PasswordHasher(2, 19456, 2, 24, 12).hash(P))
add("argon2i", "argon2-cffi", P, argon2.PasswordHasher(3, 19456, 1, type=argon2.Type.I).hash(P))
h = dj.Argon2PasswordHasher(); add("django-argon2", "django", P, h.encode(P, "saltsaltsaltsalt"))
for pw in (P, U, L72, ""):
    for ident in ("2a", "2b"):
        add("bcrypt", "bcrypt", pw, bc.hashpw(pw.encode(), bc.gensalt(4, ident.encode())).decode())
    add("bcrypt", "passlib", pw, pl.bcrypt.using(rounds=5, ident="2y").hash(pw))
for pw in (P, U, L73, L1024):
    add("passlib-bcrypt-sha256-v2", "passlib", pw, pl.bcrypt_sha256.using(rounds=4, version=2).hash(pw))
    add("passlib-bcrypt-sha256-v1", "passlib", pw, pl.bcrypt_sha256.using(rounds=4, version=1).hash(pw))
    h = dj.BCryptSHA256PasswordHasher(); h.rounds = 4; add("django-bcrypt-sha256", "django", pw, h.encode(pw, h.salt()))
h = dj.BCryptPasswordHasher(); h.rounds = 4
for pw in (P, U, L72): add("django-bcrypt", "django", pw, h.encode(pw, h.salt()))
for pw in (P, U, L1024, ""):
    add("passlib-scrypt", "passlib", pw, pl.scrypt.using(rounds=10, block_size=8).hash(pw))
    if pw: h = dj.ScryptPasswordHasher(); add("django-scrypt", "django", pw, h.encode(pw, "Na0Cl2salt"))
add("passlib-scrypt", "passlib", P, pl.scrypt.using(rounds=9, block_size=4, parallelism=2).hash(P))
add("scrypt-7", "passlib", P, pl.scrypt.using(rounds=10, ident="$7$").hash(P))
add("scrypt-7", "crypt(3)", U, crypt3(U, "$7$86..../....NaClNaClNaCl"))
for pw in (P, U, L1024, ""):
    for a in ("pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"):
        add("passlib-" + a, "passlib", pw, getattr(pl, a).using(rounds=1234).hash(pw))
    if pw:
        add("django-pbkdf2-sha256", "django", pw, dj.PBKDF2PasswordHasher().encode(pw, "NaClsalt", 1234))
        add("django-pbkdf2-sha1", "django", pw, dj.PBKDF2SHA1PasswordHasher().encode(pw, "NaClsalt", 1234))
for pw in (P, U):
    for s in (gensalt(b"$y$").decode(), "$y$j75$" + gensalt(b"$y$").decode()[7:], "$6$saltsalt", "$6$rounds=1500$saltsalt", "$5$saltsalt"):
        add("crypt", "crypt(3)", pw, crypt3(pw, s))
assert all(v["stored"] and v["stored"][0] != "*" for v in out)
json.dump({"comment": "Made once with software that is not ours: passlib 1.7.4, bcrypt 4.0.1, argon2-cffi 25.1.0, Django 5.2.19 and crypt(3) of "
 "libxcrypt 4.4.33. Costs are low on purpose where the format allows it: the test runs them all.",
 "vectors": out}, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stored_hashes.json"), "w"), indent=1, ensure_ascii=True)
