"""A real browser for the tests: Chromium, by way of tests/browser/browser.mjs."""

import json
import os
import subprocess
import threading

from keyward import ROOT

DRIVER = ROOT / "tests/browser"


class Browser:
    """Each call does something and returns what the page shows then, as a dict. Use as a context manager."""

    def __enter__(self):
        assert (DRIVER / "node_modules").is_dir(), "the driver is missing: run ./dev test, which installs it"
        self.process = subprocess.Popen(["node", str(DRIVER / "browser.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        stuck = threading.Timer(20, self.process.kill)
        stuck.start()
        self.process.wait()
        stuck.cancel()
        self.process.stdout.close()

    def do(self, action, **arguments):
        self.process.stdin.write(json.dumps({"do": action, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the browser is gone"
        shown = json.loads(line)
        assert "failed" not in shown, shown["failed"]
        return shown

    def visit(self, server, **more):
        return self.do("visit", origin=server.url, **more)

    def open(self, url):
        return self.do("open", url=url)

    def fill(self, label, text):
        return self.do("fill", label=label, text=text)

    def click(self, name, role="button"):
        return self.do("click", name=name, role=role)

    def press(self, key):
        return self.do("press", key=key)

    def fetch(self, url, **options):
        """By the script of the page that is open; {error} when the browser does not let it read the answer."""
        return self.do("fetch", url=url, options=options)

    def axe(self):
        return self.do("axe")
