"""Every security event's name is on the list that /metrics counts by (domain/audit/security_event.cpp)."""

import re

from source import SRC, name_of, sources, text_of

LIST = SRC / "domain/audit/security_event.cpp"
# Where a name stands: about("…"), about_attempt("…"), .name = "…", event.name = "…"; also behind a question.
NAME = re.compile(r'(?:\babout(?:_attempt)?\(\s*|(?:\.|\bevent\.)name = )(?:[^";,]*\?\s*)?"([a-z_]+)"(?:\s*:\s*"([a-z_]+)")?')


def listed():
    return re.findall(r'"([a-z_]+)"', re.search(r"names = std::to_array.*?;", text_of(LIST), re.DOTALL).group(0))


def used():
    places = {}
    for path in sources():
        name = name_of(path)
        if not name.startswith(("src/features/", "src/access/", "src/domain/", "src/app/")) or name.endswith("_test.cpp"):
            continue
        if "event" not in text_of(path):
            continue
        for match in NAME.finditer(text_of(path)):
            for event in filter(None, match.groups()):
                places.setdefault(event, name)
    return places


def test_the_list_has_every_name_once():
    names = listed()
    assert len(names) == len(set(names)) > 15
    missing = {event: where for event, where in used().items() if "_" in event and event not in names}
    assert not missing, missing


def test_the_list_has_no_name_that_nobody_uses():
    text = "".join(text_of(path) for path in sources() if path != LIST and not path.name.endswith("_test.cpp"))
    assert not [name for name in listed() if f'"{name}"' not in text]
