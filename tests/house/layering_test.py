"""Who may include whom: the table of ARCHITECTURE.md, checked on every #include line of src/."""

import re

from source import name_of, sources, text_of

# folder → the other folders of src/ that it may include
MAY_INCLUDE = {
    "base": set(),
    "text": {"base"},
    "runtime": {"base"},
    "crypto": {"base", "text"},
    "protocol": {"base", "text", "crypto"},
    "storage": {"base", "runtime"},
    "redis": {"base", "text", "runtime"},
    "outbound": {"base", "text", "runtime"},
    "domain": {"base", "text", "runtime", "crypto", "protocol", "storage", "redis"},
    "web": {"base", "text", "runtime"},
    "access": {"base", "text", "runtime", "crypto", "protocol", "storage", "domain", "web"},  # Database, no SQL
    "mail": {"base", "text", "runtime", "crypto", "storage", "domain"},
    "features": {"base", "text", "runtime", "crypto", "protocol", "storage", "domain", "web", "access", "mail", "outbound"},
}
MAY_INCLUDE["app"] = set(MAY_INCLUDE) | {"features"}
MAY_INCLUDE["simulation"] = MAY_INCLUDE["mail"] | {"protocol", "mail"}  # tests/simulation

# header (as a pattern) → where alone it may be included (a pattern of paths)
ONLY_IN = {
    r"openssl/.*|sodium(\.h|/.*)|crypt\.h": r"src/(crypto|web/tls|outbound)/|src/redis/tls_wire\.cpp$",
    r"argon2\.h": r"(?!)",
    r"sqlite3\.h": r"src/storage/sqlite/[^/]*\.cpp$|tests/simulation/disk_sqlite\.cpp$",
    r"libpq-fe\.h": r"src/storage/postgres/libpq\.hpp$",
    r"boost/beast.*": r"src/(web|outbound)/|src/runtime/beast_implementation\.cpp$",
    r"boost/asio.*": r"src/(runtime|web|outbound|app)/|src/.*_test\.cpp$|tests/simulation/node\.hpp$",
    r"boost/asio/(ip/.*|local/.*|ssl.*|.*socket.*|.*acceptor.*|.*stream.*)": r"src/(web|outbound)/|src/mail/smtp_test\.cpp$",
    r"hiredis\.h": r"src/redis/[^/]*\.cpp$",
    r"sys/(un|epoll)\.h|netdb\.h|netinet/tcp\.h": r"src/(web|outbound)/|src/redis/(wire\.cpp|testing/fake_redis\.hpp)$",
    r"sys/socket\.h": r"src/(web|outbound)/|src/redis/(wire\.cpp|testing/fake_redis\.hpp)$|src/mail/smtp\.cpp$",  # the latter shuts a connection of libcurl's
    r"arpa/inet\.h|netinet/in\.h": r"src/(web|outbound|text|app/config)/",  # the latter two read addresses, they open no socket
    r"boost/url.*": r"src/(text|web)/",
    r"zxcvbn\.h": r"src/domain/passwords/",
    r"utf8proc\.h|idn2\.h": r"src/text/",
    r"toml\+\+/.*": r"src/app/config/[^/]*\.cpp$",
    r"CLI/.*": r"src/app/",
    r"curl/.*": r"src/mail/smtp\.cpp$",
    r"gmime/.*": r"src/mail/message\.cpp$",
    r"kainjow/.*": r"src/text/template_text\.cpp$",
    r"dlfcn\.h": r"src/base/shared_library\.cpp$",
    r"g(test|mock)/.*": r"src/.*_test(_[a-z]+)?\.[ch]pp$|src/.*/(conformance|testing)/|src/.*/testing\.hpp$|tests/simulation/simulation_test\.cpp$",
}

# A clock that is asked, not passed in.
CLOCK_CALL = r"\b(system_clock|steady_clock|utc_clock)::now\b|\bSystemClock\b|\bstd::time\s*\(|\bclock_gettime\b|\bgettimeofday\b"

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def includes_of(path):
    return [(quote == '"', header) for quote, header in INCLUDE.findall(text_of(path))]


def folder_of(name):
    return name.split("/")[1]


def may_include(name, header):
    """Whether the file (src/…) may include the header of ours (rooted at src)."""
    own, other = folder_of(name), header.split("/")[0]
    if "/" not in header:
        return False
    if other == "embedded":
        return True  # made by the build from files of the same folder
    if own == "features" and other == "features":
        feature = name.split("/")[2]
        shared = header.count("/") == 1  # features/x.hpp: what all features share
        return shared or header.split("/")[1] == feature
    if own in ("access", "features") and header.startswith("web/engine/"):
        return False
    return other == own or other in MAY_INCLUDE.get(own, set())


def violations():
    found = []
    for path in sources():
        name = name_of(path)
        for is_own, header in includes_of(path):
            if is_own and not may_include(name, header):
                found.append(f'{name} includes "{header}"')
            for pattern, places in ONLY_IN.items():
                if re.fullmatch(pattern, header) and not re.match(places, name):
                    found.append(f"{name} includes <{header}>")
    return found


def test_there_is_something_to_check():
    assert len(sources()) > 50
    assert {folder_of(name_of(path)) for path in sources()} <= set(MAY_INCLUDE)


def test_includes_keep_to_the_table():
    found = violations()
    assert not found, "\n" + "\n".join(found)


def test_protocol_and_domain_never_ask_a_clock():
    found = [name_of(path) for path in sources()
             if folder_of(name_of(path)) in ("protocol", "domain") and not path.name.endswith("_test.cpp")
             and re.search(CLOCK_CALL, text_of(path))]
    assert not found, "time is a parameter there: " + ", ".join(found)


def test_the_table_can_refuse():
    assert not may_include("src/base/error.hpp", "text/json.hpp")
    assert not may_include("src/features/login/login.cpp", "features/profile/profile.hpp")
    assert not may_include("src/features/login/login.cpp", "web/engine/loop.hpp")
    assert not may_include("src/domain/accounts/accounts.cpp", "web/message.hpp")
    assert not may_include("src/web/message.hpp", "app/wiring.hpp")
    assert may_include("src/features/login/login.cpp", "features/login/login.hpp")
    assert may_include("src/app/wiring.cpp", "features/login/login.hpp")
