"""The Debian package and `cmake --install`: what is in them, where it goes, and that it runs from there."""

import re
import stat
import subprocess
import tomllib

import pytest

from tools import ROOT, run  # first: it says where the next one is

from keyward import clean_environment


@pytest.fixture(scope="module")
def control(package):
    fields = {}
    for line in run("dpkg-deb", "-f", package).splitlines():
        if ": " in line and not line.startswith(" "):
            name, value = line.split(": ", 1)
            fields[name] = value
    return fields


def test_it_says_what_it_is_and_needs(control):
    version = re.search(r"project\(keyward VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    assert control["Package"] == "keyward" and control["Version"] == version
    needs = [need.split(" ")[0] for need in re.split(r", | \| ", control["Depends"])]
    assert "libsqlite3-0 (>= 3.35)" in control["Depends"]  # RETURNING
    for library in ("libc6", "libssl3", "libsqlite3-0", "libpq5", "libsodium23"):
        assert any(need.startswith(library) for need in needs), (library, needs)
    assert not {"libcurl4", "libgmime-3.0-0", "postgresql"} & set(needs)
    assert {"libcurl4", "libgmime-3.0-0"} <= set(control["Recommends"].split(", "))
    assert control["Suggests"] == "postgresql"


def test_its_files_have_their_places_owners_and_modes(package):
    found = {}
    for line in run("dpkg-deb", "-c", package).splitlines():
        mode, owner, _, _, _, name = line.split(maxsplit=5)
        found[name.removeprefix(".").rstrip("/") or "/"] = mode, owner
    for name in ("/usr/bin/keyward", "/usr/lib/systemd/system/keyward.service", "/usr/lib/systemd/system/keyward.socket",
                 "/usr/lib/sysusers.d/keyward.conf", "/etc/keyward/keyward.toml", "/usr/share/doc/keyward/copyright",
                 "/usr/share/doc/keyward/LICENSE", "/usr/share/doc/keyward/operations.md",
                 "/usr/share/doc/keyward/examples/nginx.conf", "/usr/share/doc/keyward/examples/Caddyfile"):
        assert name in found, sorted(found)
    assert {owner for _, owner in found.values()} == {"root/root"}
    executable = {name for name, (mode, _) in found.items() if mode.startswith("-") and "x" in mode}
    assert executable == {"/usr/bin/keyward"}
    assert not [name for name, (mode, _) in found.items() if mode[5] == "w" or mode[8] == "w"]
    assert found["/etc/keyward/keyward.toml"][0] == "-rw-r-----"  # secrets may stand in it; postinst has the group
    assert not [name for name in found if name.startswith(("/var", "/home", "/usr/local"))]


def test_its_scripts_are_there_and_the_settings_are_kept_over_upgrades(package, tmp_path):
    run("dpkg-deb", "-e", package, tmp_path)
    assert (tmp_path / "conffiles").read_text() == "/etc/keyward/keyward.toml\n"
    for script in ("postinst", "prerm", "postrm"):
        assert stat.S_IMODE((tmp_path / script).stat().st_mode) == 0o755
        run("sh", "-n", tmp_path / script)
    assert 'chgrp keyward "$settings"' in (tmp_path / "postinst").read_text()


def keyward(root, *words):
    return subprocess.run([root / "usr/bin/keyward", *words], capture_output=True, text=True, check=False, timeout=60,
                          env=clean_environment())


def test_it_runs_from_where_it_was_unpacked(root, control):
    assert keyward(root, "version").stdout == f"keyward {control['Version']}\n"
    settings = root / "etc/keyward/keyward.toml"
    checked = keyward(root, "config", "check", "--config", settings)
    assert (checked.returncode, checked.stdout) == (0, "The configuration is good.\n"), checked.stderr
    with settings.open("rb") as file:
        assert tomllib.load(file)["storage"] == {"data": "/var/lib/keyward"}
    assert settings.read_text().replace('data = "/var/lib/keyward"', '# data = "./keyward-data"') == keyward(
        root, "config", "template").stdout


def test_the_user_is_made_from_the_file_that_is_installed(root):
    try:
        run("systemd-sysusers", "--root", root)
    except FileNotFoundError:
        pytest.skip("no systemd-sysusers here")
    line = next(line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith("keyward:"))
    assert line.split(":")[5:] == ["/var/lib/keyward", "/usr/sbin/nologin"]


def test_another_prefix_gets_everything_below_it(build, tmp_path):
    run("cmake", "--install", build, "--prefix", tmp_path / "opt")
    assert (tmp_path / "opt/bin/keyward").exists() and (tmp_path / "opt/etc/keyward/keyward.toml").exists()
    unit = (tmp_path / "opt/lib/systemd/system/keyward.service").read_text()
    assert f"ExecStart={tmp_path}/opt/bin/keyward serve --config {tmp_path}/opt/etc/keyward/keyward.toml\n" in unit
