"""Style that neither the compiler nor clang-tidy can see."""

import os
import re
import subprocess

import pytest
from source import ROOT, code_of, lines_matching, name_of, own_files, sources, text_of

COLUMNS_MAX = 110
LINES_MAX = 400


def everything_written():
    suffixes = (".cpp", ".hpp", ".py", ".sh", ".sql", ".lua", ".cmake", ".md", ".json", ".toml", ".yml", ".html", ".mjs")
    files = own_files(*suffixes, under=ROOT / "src")
    for folder in ("tests", "bench", "cmake", "docs", "examples", "packaging", "ui"):
        files += own_files(*suffixes, under=ROOT / folder) if (ROOT / folder).is_dir() else []
    return files + [ROOT / "dev", ROOT / ".ci/run", ROOT / "CMakeLists.txt"] + sorted(ROOT.glob("*.md"))


def report(found):
    assert not found, "\n" + "\n".join(found)


def in_code(pattern, files):
    return [f"{name_of(path)}:{number}: {line}" for path in files for number, line in lines_matching(pattern, code_of(path))]


def test_lines_have_at_most_110_columns():
    report([f"{name_of(path)}:{number}: {len(line)} columns" for path in sources()
            for number, line in enumerate(text_of(path).splitlines(), 1) if len(line) > COLUMNS_MAX])


def test_files_have_at_most_400_lines():
    report([f"{name_of(path)}: {text_of(path).count(chr(10))} lines" for path in sources()
            if text_of(path).count("\n") > LINES_MAX])


def test_no_tabs_no_trailing_space_and_a_line_feed_at_the_end():
    found = []
    for path in everything_written():
        if path.is_relative_to(ROOT / "tests/vectors") or path.name == "package-lock.json":
            continue  # made by others, kept as they were
        text = text_of(path)
        found += [f"{name_of(path)}:{number}: trailing space" for number, _ in lines_matching(r"[ \t]+$", text)]
        found += [f"{name_of(path)}:{number}: tab" for number, _ in lines_matching(r"\t", text)]
        if text and not text.endswith("\n"):
            found.append(f"{name_of(path)}: no line feed at the end")
        if "\r" in text:
            found.append(f"{name_of(path)}: carriage return")
    report(found)


def test_nothing_is_left_for_later():
    words = r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK|X" + r"XX)\b"
    report([f"{name_of(path)}:{number}: {line}" for path in everything_written()
            if not path.is_relative_to(ROOT / "tests/vectors") and path.name != "package-lock.json"
            for number, line in lines_matching(words, text_of(path))])


def test_every_header_is_guarded():
    report([name_of(path) for path in own_files(".hpp") if "#pragma once\n" not in text_of(path)])


def test_every_header_begins_with_what_it_gives():
    report([name_of(path) for path in own_files(".hpp") if not text_of(path).startswith("//")])


def test_no_catch_all_and_no_detached_coroutine():
    report(in_code(r"\bcatch\s*\(\s*\.\.\.\s*\)|\bdetached\b", sources()))


def test_no_function_of_the_c_library_that_has_a_better_one():
    report(in_code(r"(?<![\w.>:])(?:std::)?(rand|srand|strcpy|strcat|sprintf|gets|strtok|atoi|atol|system|tmpnam)\s*\(", sources()))


def test_no_mersenne_twister_outside_tests():
    report(in_code(r"\b(mt19937(_64)?|default_random_engine|minstd_rand0?)\b",
                   [path for path in sources() if not path.name.endswith("_test.cpp")]))


def test_shared_data_has_a_mutex_that_the_compiler_knows():
    # Of the standard library's the thread-safety analysis sees nothing: base/mutex.hpp has those that it sees.
    report(in_code(r"\bstd::(\w*mutex|lock_guard|scoped_lock|unique_lock|shared_lock|condition_variable\w*)\b",
                   [path for path in sources() if name_of(path) != "src/base/mutex.hpp"]))


def test_includes_are_rooted_at_src():
    report([f"{name_of(path)}:{number}: {line}" for path in sources()
            for number, line in lines_matching(r'^\s*#\s*include\s+"(\.|[^"/]*")', text_of(path))])


# J16: OpenSSL's functions answer 1 for yes, 0 for no and a negative number for "it broke": only `== 1` is yes.
J16_TRUTHY_CALL = r"(?:\bif\s*\(|\bwhile\s*\(|!|&&|\|\||\breturn)\s*!?\s*((?:EVP|RSA|EC|HMAC|PKCS5|BN|OSSL|RAND|X509|ECDSA|DSA|PEM|d2i|i2d)_\w+)\s*\("
# These do not answer yes or no: they give a pointer, a size, or nothing.
J16_NOT_A_VERDICT = re.compile(r"_(new|dup|fetch|free|clear_free|get0\w*|get_size|get_bits|get_id|size|num_bits|num_bytes|new_from_\w+|bin2bn|get_base_id|get_security_bits|to_param)$|_new_\w+$|^EVP_(sha|aes|chacha)\w*$")


def j16_violations(code):
    """Calls whose answer is taken for a truth: `if (EVP_x(…))`, `!EVP_x(…)`, `a && EVP_x(…)`, `return EVP_x(…)` without a comparison."""
    found = []
    for match in re.finditer(J16_TRUTHY_CALL, code):
        if J16_NOT_A_VERDICT.search(match.group(1)):
            continue
        depth, end = 0, match.end() - 1
        while end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
            if depth == 0:
                break
        if not re.match(r"\s*(==|!=|<|>|<=|>=)\s*[\w(]", code[end:end + 40]):
            found.append((code.count("\n", 0, match.start(1)) + 1, match.group(1)))
    return found


def test_J16_openssl_answers_are_compared_with_one():
    report([f"{name_of(path)}:{number}: {call}" for path in sources() for number, call in j16_violations(code_of(path))])


def test_J16_no_verdict_is_compared_with_zero():
    report(in_code(r"\b(?:EVP_DigestVerify\w*|EVP_PKEY_\w+check|HMAC_\w+)\s*\([^;{]*\)\s*(?:!=|>|>=)\s*0\b", sources()))


def test_J16_secrets_are_compared_in_constant_time():
    # memcmp has no place in this code at all: std::ranges::equal for what is public, crypto's comparison for the rest.
    report(in_code(r"\b(?:std::)?(memcmp|strcmp|strncmp|bcmp)\s*\(", sources()))
    secret = r"\b\w*(mac|signature|tag|digest|password_hash|token_hash)(\(\))?\s*[!=]=\s*(?!nullptr|0\b|std::nullopt|\"\")\w"
    report(in_code(secret, [path for path in sources() if re.match(r"src/(crypto|domain)/", name_of(path))
                            and not path.name.endswith("_test.cpp")]))


def test_J16_the_rule_can_refuse():
    assert j16_violations("if (EVP_DigestVerify(a, b(c)) ) x();") == [(1, "EVP_DigestVerify")]
    assert j16_violations("if (!EVP_PKEY_sign(a)) x();") == [(1, "EVP_PKEY_sign")]
    assert j16_violations("return EVP_DigestVerify(a);") == [(1, "EVP_DigestVerify")]
    assert j16_violations("ok = a && RSA_verify(b);") == [(1, "RSA_verify")]
    assert not j16_violations("if (EVP_DigestVerify(a, b(c)) == 1) x(); return EVP_PKEY_sign(a) != 1;")
    assert not j16_violations("return EVP_PKEY_new();")


def test_sql_is_never_built_from_strings():
    # Sql is a literal type whose constructor is consteval; what remains is a driver's own back door.
    report(in_code(r"\bsqlite3_(exec|get_table|mprintf|vmprintf)\b|\bPQ(exec|execParams|sendQuery|sendQueryParams)\b",
                   [path for path in sources() if not path.name.endswith("_test.cpp")
                    # BEGIN, COMMIT, SET with numbers of ours, and migrations: nothing there comes from outside.
                    and name_of(path) != "src/storage/postgres/connection.cpp"]))
    # What of libpq waits for the server without a limit.
    report(in_code(r"\bPQ(exec\w*|prepare|describe\w+|getResult|reset)\b",
                   [path for path in sources() if name_of(path) != "src/storage/postgres/exchange.cpp"]))
    # But for `keyward db move`, from the names of tables and columns that the catalog has.
    moving = "src/storage/move/"
    report([f"{name_of(path)} includes built_sql.hpp" for path in sources()
            if "built_sql.hpp" in text_of(path) and not name_of(path).startswith(moving) and name_of(path) != "src/storage/sql.hpp"])
    report([f"{name_of(path)}:{number}: {line}" for path in sources()
            if not path.name.endswith("_test.cpp") and name_of(path) != moving + "table_rows.cpp"
            for number, line in lines_matching(
                r'"(?i:SELECT\s.*\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b[^"]*"\s*\+|fmt::format\(\s*"(?i:SELECT|INSERT|UPDATE|DELETE)\s',
                text_of(path))])


def test_sql_stands_in_domain_and_storage_only():
    report([f"{name_of(path)}:{number}: {line}" for path in sources()
            if re.match(r"src/(access|features|mail|web|app|protocol)/", name_of(path)) and not path.name.endswith("_test.cpp")
            for number, line in lines_matching(
                r'"(SELECT\s|INSERT INTO\s|UPDATE \w+ SET|DELETE FROM\s|PRAGMA\s)', text_of(path))])


def test_no_secret_stands_in_the_tree():
    report([f"{name_of(path)}:{number}" for path in everything_written() if not path.is_relative_to(ROOT / "tests")
            and not path.name.endswith("_test.cpp")
            for number, _ in lines_matching(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b", text_of(path))])


def test_scripts_can_be_run():
    report([name_of(path) for path in (ROOT / "dev", ROOT / ".ci/run") if not os.access(path, os.X_OK)])


def test_architecture_is_at_most_150_lines():
    assert text_of(ROOT / "ARCHITECTURE.md").count("\n") <= 150


def test_links_between_documents_lead_somewhere():
    found = []
    for path in own_files(".md", under=ROOT / "docs") + sorted(ROOT.glob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(path)):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                found.append(f"{name_of(path)}: {target}")
    report(found)


# ── The binary ───────────────────────────────────────────────────────────────────────────────────────────────────────
BINARY = ROOT / "build/release/keyward"


def readelf(*flags):
    if not BINARY.exists():
        pytest.skip("build/release/keyward is not built")
    return subprocess.run(["readelf", "-W", *flags, str(BINARY)], capture_output=True, text=True, check=True).stdout


def test_the_binary_is_position_independent_with_full_relro_and_no_executable_stack():
    assert re.search(r"Type:\s+DYN", readelf("-h"))
    segments, dynamic = readelf("-l"), readelf("-d")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.*\sRW\s", segments)
    assert "BIND_NOW" in dynamic and re.search(r"FLAGS_1.*NOW.*PIE", dynamic)


def test_the_binary_has_stack_protector_and_fortified_calls():
    symbols = readelf("--dyn-syms")
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", ""))
