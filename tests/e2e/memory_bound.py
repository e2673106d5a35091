"""The most that a server is to have resident, as docs/operations.md states it under "Memory"."""

PROGRAM_MIB = 32  # the program, its caches and its queues
HELD_MIB = 64  # what unfinished requests and unread answers hold beyond the small ones
CONNECTION_KIB = 16  # one that holds no more than every connection may


def bound_mib(connections, hash_threads, argon2_memory_kib=19456):
    return PROGRAM_MIB + HELD_MIB + (connections * CONNECTION_KIB + hash_threads * argon2_memory_kib) / 1024
