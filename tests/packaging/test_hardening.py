"""What the compiler and the linker were asked for is in the binary of the package."""

import re
import shutil

import pytest

from tools import run

pytestmark = pytest.mark.skipif(not shutil.which("readelf"), reason="no binutils here")


@pytest.fixture(scope="module")
def binary(root):
    return root / "usr/bin/keyward"


def segments_of(binary):
    """{name: [flags]}"""
    found = {}
    for name, flags in re.findall(r"^\s+([A-Z_]+)\s+0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([RWE ]{3})", run("readelf", "-lW", binary), re.MULTILINE):
        found.setdefault(name, []).append(flags)
    return found


def imports_of(binary):
    return set(re.findall(r"UND (\w+)", run("readelf", "--dyn-syms", "-W", binary)))


def test_it_lies_at_another_address_each_time(binary):
    assert re.search(r"Type:\s+DYN", run("readelf", "-hW", binary))
    assert re.search(r"FLAGS_1.*\bPIE\b", run("readelf", "-dW", binary))


def test_what_the_loader_writes_is_read_only_afterwards(binary):
    assert "GNU_RELRO" in segments_of(binary)
    assert re.search(r"\(FLAGS\).*BIND_NOW|FLAGS_1.*\bNOW\b", run("readelf", "-dW", binary))  # full RELRO: no lazy binding
    assert ".got.plt" not in run("readelf", "-SW", binary) or "BIND_NOW" in run("readelf", "-dW", binary)


def test_no_memory_is_both_written_and_run(binary):
    segments = segments_of(binary)
    assert len(segments["LOAD"]) >= 3 and segments["GNU_STACK"] == ["RW "]
    for flags in sum(segments.values(), []):
        assert not ("W" in flags and "E" in flags), segments
    assert "TEXTREL" not in run("readelf", "-dW", binary)


def test_the_stack_has_canaries_and_the_c_library_its_checks(binary):
    imported = imports_of(binary)
    assert "__stack_chk_fail" in imported
    assert len([name for name in imported if name.endswith("_chk")]) >= 3, imported
    # (sprintf and strcat are Boost.Asio's, where it writes out an IPv6 address's zone.)
    assert not {"gets", "strcpy", "vsprintf", "system", "popen", "mktemp", "tmpnam"} & imported


def test_libraries_come_from_the_system_alone(binary):
    dynamic = run("readelf", "-dW", binary)
    assert "(NEEDED)" in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic


def test_indirect_calls_land_where_they_may(binary):
    """-fcf-protection: the code is marked. (The note that switches it on needs the C library's start files to be marked as well.)"""
    if "X86-64" not in run("readelf", "-hW", binary):
        pytest.skip("another processor")
    code = run("objdump", "-d", "--no-show-raw-insn", "-j", ".text", binary)
    assert code.count("endbr64") > 1000


def test_nothing_is_left_for_a_debugger(binary):
    assert ".debug_info" not in run("readelf", "-SW", binary) and ".symtab" not in run("readelf", "-SW", binary)


def test_the_libraries_find_the_own_mmap(binary):
    """Without it a password hash is slower by half, and nothing else would tell (ADR 20)."""
    symbols = run("readelf", "--dyn-syms", "-W", binary)
    for name in ("mmap", "munmap"):
        assert re.search(rf"FUNC\s+GLOBAL\s+DEFAULT\s+\d+ {name}$", symbols, re.MULTILINE), name
