"""Whether answers can be told apart: by their bytes, or by the time that they take."""

import gc
import json
import random
import re
import socket
import statistics
import threading
import time

WELCH_T_MAX = 4.5  # dudect's
NEIGHBOURS = 25  # on each side


def request(path, body, more=()):
    content = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: x", "User-Agent: sameness/1", "Content-Type: application/json",
             f"Content-Length: {len(content)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def masked(raw, *addresses):
    """An answer's bytes, without what differs between any two; the shape of what is random stays."""
    text = raw.decode()
    for address in addresses:
        text = text.replace(address, "ADDRESS")
    text = text.replace(re.search(r"^X-Request-Id: (\S+)", text, re.MULTILINE).group(1), "REQUEST")
    text = re.sub(r"^Date: .*$", "Date: DATE", text, flags=re.MULTILINE)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "UUID7", text)
    return re.sub(r"(?<=kw_tx_|kw_dv_)[A-Za-z0-9_-]+", lambda found: f"<{len(found.group(0))} characters>", text)


def answers(server, path, bodies, more=()):
    """For each name in bodies (name → (body, address to mask)): the masked bytes of the answer."""
    return {name: masked(server.raw(request(path, body, [*more, "Connection: close"])), address)
            for name, (body, address) in bodies.items()}


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
class _Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def time(self, raw):
        """(nanoseconds until the whole answer is there, its status)."""
        begin = time.perf_counter_ns()
        self.socket.sendall(raw)
        received = self.socket.recv(65536)
        while not self._is_whole(received):
            received += self.socket.recv(65536)
        return time.perf_counter_ns() - begin, int(received[9:12])

    @staticmethod
    def _is_whole(received):
        head, _, content = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        return length is not None and len(content) >= int(length.group(1))


def timings(server, makers, samples, statuses, connections=1):
    """name → for each answer, how many nanoseconds it took longer than its neighbours in time, of whatever class.

    makers: name → function of a number that gives the request.

    All samples of all classes come in one random order: what a call leaves to be done after its answer then burdens each
    class alike. (A random order in each round would not do: nobody would follow somebody of the own class as often.) What else the
    machine does comes and goes; the neighbours bear the same, whichever class they are.
    """
    names = [name for name in makers for _ in range(samples)]
    random.SystemRandom().shuffle(names)
    numbers = {name: iter(range(samples)) for name in makers}
    todo = [(name, makers[name](next(numbers[name]))) for name in names]
    series, failures = [[] for _ in range(connections)], []

    def run(part, taken):
        try:
            connection = _Connection(server.port)
            for _ in range(20):
                connection.time(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            for name, raw in part:
                nanoseconds, status = connection.time(raw)
                assert status in statuses, (name, status)
                taken.append(nanoseconds)
        except Exception as error:  # pylint: disable=broad-exception-caught  # raised again below
            failures.append(error)

    gc.collect()
    gc.disable()
    try:
        threads = [threading.Thread(target=run, args=(todo[start::connections], taken)) for start, taken in enumerate(series)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.enable()
    if failures:
        raise failures[0]
    longer = {name: [] for name in makers}
    for start, taken in enumerate(series):
        for index, ((name, _), nanoseconds) in enumerate(zip(todo[start::connections], taken)):
            around = taken[max(0, index - NEIGHBOURS):index + NEIGHBOURS + 1]
            longer[name].append(nanoseconds - statistics.median(around))
    return longer


def mann_whitney_p(one, other):
    """The two-sided p of the U test: normal approximation with the correction for ties."""
    values = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    m, n, total = len(one), len(other), len(values)
    rank_sum = ties = start = 0
    while start < total:
        end = start
        while end < total and values[end][0] == values[start][0]:
            end += 1
        size = end - start
        rank_sum += (start + 1 + end) / 2 * sum(1 for _, group in values[start:end] if group == 0)
        ties += size**3 - size
        start = end
    u = rank_sum - m * (m + 1) / 2
    variance = m * n / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance == 0:
        return 1.0
    return 2 * statistics.NormalDist().cdf(-abs(u - m * n / 2) / variance**0.5)


def welch_t(one, other, kept=0.9):
    """Welch's t of what lies below the common quantile: the slowest tell of the machine, not of the code."""
    bound = sorted([*one, *other])[int(kept * (len(one) + len(other))) - 1]
    one, other = ([value for value in values if value <= bound] for values in (one, other))
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return 0.0 if spread == 0 else (statistics.fmean(one) - statistics.fmean(other)) / spread**0.5


def told_apart(taken, p_min, least_us=0):
    """The pairs of classes whose times differ (by least_us between their medians), with what shows it."""
    names, found = list(taken), []
    for index, one in enumerate(names):
        for other in names[index + 1:]:
            p, t = mann_whitney_p(taken[one], taken[other]), welch_t(taken[one], taken[other])
            if p < p_min or abs(t) > WELCH_T_MAX:
                medians = [statistics.median(taken[name]) / 1000 for name in (one, other)]
                if abs(medians[0] - medians[1]) < least_us:
                    continue
                found.append(f"{one} ({medians[0]:+.1f} µs) and {other} ({medians[1]:+.1f} µs): p = {p:.1e}, t = {t:.1f}")
    return found
