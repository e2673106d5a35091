"""Threads that work until somebody has seen enough."""

import threading


class Workers:
    """A context manager: `work(number)` on so many threads at once, each of which ends when `stopping` is set."""

    def __init__(self, work, count):
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
