"""What a server has resident, and the most that it is to have, as docs/operations.md states it under "Memory"."""

import pathlib

PROGRAM_MIB = 32  # the program, its caches and its queues
HELD_MIB = 64  # what unfinished requests and unread answers hold beyond the small ones
CONNECTION_KIB = 16  # one that holds no more than every connection may
TLS_KIB = 64  # more, of one that speaks TLS
ARGON2_MEMORY_KIB = 19456


def memory_of(process, name="VmRSS"):
    """In MiB; VmHWM: the most so far."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1024


def bound_mib(connections, hash_threads, tls=False):
    return PROGRAM_MIB + HELD_MIB + (connections * (CONNECTION_KIB + TLS_KIB * tls) + hash_threads * ARGON2_MEMORY_KIB) / 1024
