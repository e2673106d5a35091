"""The pictures of docs/pages.md: run it after a change of how the pages look.

usage: /usr/bin/python3 tests/e2e/take_pictures.py [FOLDER]     (default: docs/pages)
"""

import pathlib
import sys
import tempfile

from browser import Browser
from flows import LIMITS_OFF
from keyward import ROOT, Keyward


def take(folder):
    token, transaction = ("A" * 43, "kw_tx_" + "A" * 43)
    pictures = {  # file → (how to look, path, what to type and to press)
        "forgot.png": ({}, "/account/forgot-password", ()),
        "reset.png": ({}, f"/account/reset-password?transaction={transaction}",
                      (("Code from the mail", "K7PM-2QXD"), ("New password", ""), "Set the password")),
        "undo-dark.png": ({"scheme": "dark"}, f"/account/undo-email-change?token=kw_uc_{token}", ()),
        "verify-phone.png": ({"width": 320, "language": "de"}, f"/account/verify-email?token=kw_ve_{token}", ()),
    }
    with tempfile.TemporaryDirectory() as place, Keyward(pathlib.Path(place) / "data", env=LIMITS_OFF) as server, Browser() as browser:
        for name, (look, path, steps) in pictures.items():
            browser.visit(server, **{"width": 520, "height": 400, "scale": 1.5, **look})
            browser.open(server.url + path)
            for step in steps:
                browser.click(step) if isinstance(step, str) else browser.fill(*step)
            browser.do("picture", path=str(folder / name))


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pages"
    target.mkdir(parents=True, exist_ok=True)
    take(target.resolve())
