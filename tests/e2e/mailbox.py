"""What the server mailed: the files that it writes when no mail server is set."""

import email
import email.policy
import re
import time
import urllib.parse

from database import connect, node_folders

_parsed = {}  # path → Mail; a file is written whole and never changed


class Mail:
    """A mail: `kind`, `to`, `subject`, `locale`, `text`, `html`; and what it carries, or None: `link`, `token`, `code`."""

    def __init__(self, message, identifier=None, kind=None):
        self.message, self.id, self.kind = message, identifier, kind
        self.to, self.subject = message["To"].addresses[0].addr_spec, message["Subject"]
        self.locale = message["Content-Language"]
        plain, html = message.iter_parts()
        self.text, self.html = (part.get_content().replace("\r\n", "\n") for part in (plain, html))
        self.links = re.findall(r"https?://\S+/account/\S+", self.text)
        self.link = self.links[0] if self.links else None
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.link).query) if self.link else {}
        self.token = query.get("token", [None])[0]
        code = re.search(r"^ +([0-9A-Z]{4}-[0-9A-Z]{4})$", self.text, re.MULTILINE)
        self.code = code and code.group(1)

    def __repr__(self):
        return f"<{self.kind} to {self.to}: {self.subject}>"


def mails(data, kind=None, to=None):
    """Those that are there, in the order of their making."""
    found = []
    for path in (path for folder in node_folders(data) for path in (folder / "outbox").glob("*.eml")):
        if path.name.startswith(".") or (kind is not None and not path.stem.endswith("-" + kind)):
            continue
        if path not in _parsed:
            identifier, kind_of_it = re.fullmatch(r"([0-9a-f-]{36})-(\w+)", path.stem).groups()
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            _parsed[path] = Mail(message, identifier, kind_of_it)
        if to is None or _parsed[path].to == to:
            found.append(_parsed[path])
    return sorted(found, key=lambda mail: mail.id)


def wait_for_mail(data, kind, to, count=1, timeout_s=15):
    """The count-th mail of that kind to that address."""
    deadline = time.monotonic() + timeout_s
    while len(found := mails(data, kind, to)) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} {kind} to {to}; there were {mails(data, to=to)}"
        time.sleep(0.01)
    return found[count - 1]


def settle(data, timeout_s=30):
    """Until all that was left for after the answer is done, and no mail waits."""
    deadline = time.monotonic() + timeout_s
    while True:
        with connect(data) as database:
            left = [database.execute(sql).fetchone()[0] for sql in (
                "SELECT count(*) FROM deferred_requests",
                "SELECT count(*) FROM outgoing_mails WHERE state = 'waiting'")]
        if left == [0, 0]:
            return
        assert time.monotonic() < deadline, f"{left[0]} requests and {left[1]} mails are left"
        time.sleep(0.02)


def settled_mails(data, kind=None, to=None):
    """Those that there are when nothing is under way any more."""
    settle(data)
    return mails(data, kind, to)


def no_mail(data, kind=None, to=None):
    found = settled_mails(data, kind, to)
    assert not found, found
