"""What the server's processor time goes into: perf's samples of one call under load, drawn as a flame graph (SVG)."""

import collections
import html
import pathlib
import re
import subprocess
import sys
import tempfile

from load import ACCOUNTS, CORES, PASSWORD, Server, register_accounts, wrk

WIDTH, ROW = 1600, 17
CALLS = ("/livez", "/me", "/refresh", "/login", "/metrics")


def folded(samples):
    """Stacks of `perf script`, outermost frame first, with how often each was seen."""
    stacks = collections.Counter()
    for sample in samples.split("\n\n"):
        lines = [line for line in sample.splitlines() if line.strip()]
        if not lines:
            continue
        thread = lines[0].rsplit(None, 1)[0].strip()
        frames = []
        for line in lines[1:]:
            found = re.match(r"\s*[0-9a-f]+ (.*) \(([^()]*)\)$", line)
            name, binary = found.groups() if found else (line.strip(), "")
            name = re.sub(r"\+0x[0-9a-f]+$", "", name)
            frames.append(pathlib.Path(binary).name if name == "[unknown]" else name)
        stacks[(thread, *reversed(frames))] += 1
    return stacks


def tree_of(stacks):
    root = {"name": "all", "count": 0, "under": {}}
    for stack, count in stacks.items():
        node = root
        node["count"] += count
        for frame in stack:
            node = node["under"].setdefault(frame, {"name": frame, "count": 0, "under": {}})
            node["count"] += count
    return root


def depth_of(node):
    return 1 + max((depth_of(child) for child in node["under"].values()), default=0)


def draw(root, title):
    """Width is time, the callers are below; each box says its share when the mouse is over it."""
    rows, boxes = depth_of(root), []

    def place(node, left, level):
        width = WIDTH * node["count"] / root["count"]
        if width < 0.5:
            return
        share = 100 * node["count"] / root["count"]
        top = (rows - level) * ROW + 20
        name = html.escape(node["name"])
        hue = 15 + sum(node["name"].encode()) % 40
        shown = html.escape(node["name"][: max(0, int(width / 6.6) - 1)]) if width > 25 else ""
        boxes.append(f'<g><title>{name}: {share:.1f} %</title><rect x="{left:.1f}" y="{top}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" '
                     f'fill="hsl({hue},75%,65%)"/><text x="{left + 3:.1f}" y="{top + 12}">{shown}</text></g>')
        for child in sorted(node["under"].values(), key=lambda each: each["name"]):
            place(child, left, level + 1)
            left += WIDTH * child["count"] / root["count"]

    place(root, 0, 1)
    height = (rows + 1) * ROW + 25
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">'
            f'<style>text{{font:11px monospace}}</style><text x="4" y="14">{html.escape(title)}</text>{"".join(boxes)}</svg>\n')


def load_of(server, call, seconds):
    """A function that puts the call under load for so long."""
    register_accounts(server)
    if call == "/login":
        return lambda: wrk(server, call, seconds, 16, threads=1, script="login.lua", arguments=[ACCOUNTS])
    answers = [server.post("/login", {"email": f"login-{number}@example.com", "password": PASSWORD})[1] for number in range(ACCOUNTS)]
    if call == "/refresh":
        file, threads = server.folder / "tokens", min(2, CORES)
        file.write_text("".join(answer["refresh_token"] + "\n" for answer in answers))
        return lambda: wrk(server, call, seconds, ACCOUNTS, threads=threads, script="refresh.lua", arguments=[file, threads])
    return lambda: wrk(server, call, seconds, 64, headers=["Authorization: Bearer " + answers[0]["access_token"]])


def profile(build, call, seconds):
    """Writes build/profile/CALL.svg and .folded (a line per stack) and prints the functions that took most themselves."""
    target = build.parent / "profile"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="profile-", dir=build) as folder:
        server = Server(build / "keyward", pathlib.Path(folder))
        try:
            server.start()
            run = load_of(server, call, seconds + 1)
            data = pathlib.Path(folder) / "perf.data"
            perf = subprocess.Popen(["perf", "record", "-q", "-F", "999", "-g", "-p", str(server.process.pid), "-o", data, "--",
                                     "sleep", str(seconds)])
            try:
                load = run()
            except subprocess.CalledProcessError:
                perf.terminate()
                perf.wait()
                raise
            if perf.wait() != 0:
                sys.exit("perf cannot record here: it needs root, or /proc/sys/kernel/perf_event_paranoid ≤ 1")
            samples = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym,dso"], capture_output=True, text=True, check=True).stdout
        finally:
            server.kill()
    stacks = folded(samples)
    total, own = sum(stacks.values()), collections.Counter()
    if not total:
        sys.exit("perf saw no sample")
    for stack, count in stacks.items():
        own[stack[-1]] += count
    name = call.strip("/")
    (target / f"{name}.folded").write_text("".join(f"{';'.join(frame.replace(';', ',') for frame in stack)} {count}\n" for stack, count in stacks.items()))
    (target / f"{name}.svg").write_text(draw(tree_of(stacks), f"{call}: {load.per_second:,.0f}/s, {total} samples"))
    print(f"{call}: {load.per_second:,.0f}/s while profiled; {target / name}.svg, {name}.folded\n")
    for function, count in own.most_common(25):
        print(f"{100 * count / total:5.1f} %  {function}")
