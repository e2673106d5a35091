"""The source tree as the house tests see it."""

import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


def own_files(*suffixes, under=SRC):
    skipped = {"node_modules", "__pycache__", "build", "keyward-data"}
    return [path for path in sorted(under.rglob("*"))
            if path.suffix in suffixes and path.is_file() and not skipped & set(path.relative_to(ROOT).parts)]


SIMULATION = ROOT / "tests/simulation"


def sources():
    return own_files(".cpp", ".hpp") + own_files(".cpp", ".hpp", under=SIMULATION)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@functools.lru_cache(maxsize=None)
def text_of(path):
    return path.read_text(encoding="utf-8")


# A comment, or a literal that may look like one. Raw strings first: theirs is another grammar.
_TOKEN = re.compile(r"""R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|//[^\n]*|/\*.*?\*/""", re.DOTALL)


@functools.lru_cache(maxsize=None)
def code_of(path):
    """The file with its comments and the insides of its literals blanked; every line stays where it is."""
    def blank(match):
        token = match.group(0)
        lines = "\n" * token.count("\n")
        return ('""' if token[0] in "\"R" else "0" if token[0] == "'" else " ") + lines

    # A digit separator is not a character literal.
    return _TOKEN.sub(blank, re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text_of(path)))


def places_of(path):
    """The same as bytes that stay in their columns too, as a compiler counts them."""
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "0", text_of(path).encode().decode("latin-1"))
    return _TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def lines_matching(pattern, text):
    """(line number, line) of each match."""
    lines = text.splitlines()
    found = []
    for match in re.finditer(pattern, text, re.MULTILINE):
        number = text.count("\n", 0, match.start()) + 1
        found.append((number, lines[number - 1].strip()))
    return found
