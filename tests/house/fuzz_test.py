"""Every fuzz target is built, replayed and described."""

import re

from source import ROOT, text_of

HERE = ROOT / "tests" / "fuzz"


def targets():
    named = re.compile(r"^KEYWARD_FUZZ_TARGET\((\w+)\)", re.MULTILINE)
    return {name: path for path in sorted(HERE.glob("*.cpp")) for name in named.findall(text_of(path))}


def test_every_target_has_its_file_its_build_line_and_its_row():
    found = targets()
    assert len(found) > 20
    assert {name for name, path in found.items() if path.stem != name} == set()
    assert set(re.findall(r"^keyward_fuzz\((\w+) ", text_of(ROOT / "cmake/fuzz.cmake"), re.MULTILINE)) == set(found)
    assert set(re.findall(r"^\| `(\w+)` \|", text_of(ROOT / "docs/fuzzing.md"), re.MULTILINE)) == set(found)


def test_corpora_are_small_and_of_targets():
    for kind in ("corpus", "regressions"):
        folders = list((HERE / kind).iterdir()) if (HERE / kind).is_dir() else []
        assert {folder.name for folder in folders} <= set(targets())
    sizes = {folder.name: sum(path.stat().st_size for path in folder.iterdir())
             for folder in (HERE / "corpus").iterdir()}
    assert set(sizes) == set(targets()), "every target has a corpus"
    assert max(sizes.values()) <= 100 * 1024 and sum(sizes.values()) <= 1024 * 1024
    assert max(len(list(folder.iterdir())) for folder in (HERE / "corpus").iterdir()) <= 64
