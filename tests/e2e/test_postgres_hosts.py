"""Several hosts in storage.url: a standby that takes over, a standby that stands first; and TLS to the server."""

import contextlib
import datetime
import glob
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import database as databases
from keyward import OneNode, command
from load import CHEAP, Load

pytestmark = pytest.mark.skipif(not databases.POSTGRES, reason="runs with KEYWARD_TEST_ENGINE=postgres")


class Standby(databases.PostgresServer):
    """A hot standby of another server."""

    def __init__(self, primary, *settings):
        self.primary = primary
        super().__init__(*settings)

    def start(self):
        if not os.path.exists(self.folder + "/cluster"):
            program = shutil.which("pg_basebackup") or sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_basebackup"))[-1]
            subprocess.run([program, "-h", self.primary.folder, "-U", "postgres", "-D", self.folder + "/cluster", "-R", "-X", "stream",
                            "--checkpoint=fast", "--no-sync"], check=True)
            if os.geteuid() == 0:
                subprocess.run(["chown", "-R", "postgres", self.folder], check=True)
        super().start()

    def promote(self):
        with contextlib.closing(databases.session_of(self.url())) as session:
            session.autocommit = True
            cursor = session.cursor()
            cursor.execute("SELECT pg_promote()")
            assert cursor.fetchone()[0]


def url_of_both(first, second):
    return f"postgres://postgres@/postgres?host={first.folder},{second.folder}"


@contextlib.contextmanager
def primary_and_standby():
    """What the first has acknowledged the second has."""
    primary = databases.PostgresServer("-c", "synchronous_standby_names=*")
    try:
        standby = Standby(primary)
        try:
            yield primary, standby
        finally:
            standby.remove()
    finally:
        primary.remove()


def test_H4_a_standby_takes_over_and_nothing_answered_is_lost(data, monkeypatch):
    with primary_and_standby() as (primary, standby):
        env = {**CHEAP, "KEYWARD_STORAGE_URL": url_of_both(primary, standby)}
        with OneNode(data, env=env) as server:
            with Load([server]) as load:
                load.wait_for(60, "at first")
                primary.end(signal.SIGQUIT)
                load.wait_for_status(503)
                standby.promote()
                load.wait_for(60, "at the other host")
            monkeypatch.setattr(databases, "url_of", lambda data: standby.url())
            load.verify(server)
        assert command("audit", "verify", data=data, env=env)[0] == 0


def test_a_standby_that_stands_first_is_passed_over_and_reads_see_what_was_written(data):
    with primary_and_standby() as (primary, standby):
        with contextlib.closing(databases.session_of(standby.url())) as session:
            session.autocommit = True
            session.cursor().execute("SELECT pg_wal_replay_pause()")  # it shows nothing of what comes
        env = {**CHEAP, "KEYWARD_STORAGE_URL": url_of_both(standby, primary)}
        with OneNode(data, env=env) as server:
            session = server.new_user("ada@example.com")
            assert server.call("GET", "/me", token=session["access_token"]).status == 200
            assert server.call("POST", "/logout", token=session["access_token"]).status == 204
            assert server.call("GET", "/me", token=session["access_token"]).status == 401
        # Alone it is refused, in a sentence.
        code, _, err = command("user", "list", data=data, env={"KEYWARD_STORAGE_URL": standby.url()})
        assert code == 1 and "read-only" in err


def certificate(folder, name, addresses, issuer=None):
    """Writes NAME.crt and NAME.key; returns (certificate, key). Without an issuer it is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
               .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True))
    if addresses:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]), False)
    made = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / f"{name}.key"
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    secret.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(secret, "postgres")
    return made, key


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_server_must_prove_itself_when_the_url_says_so(data, tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o755)  # the server runs as somebody else
    authority = certificate(folder, "authority", [])
    certificate(folder, "stranger", [])
    certificate(folder, "right", ["127.0.0.1"], authority)
    certificate(folder, "wrong", ["192.0.2.1"], authority)
    for name, root, works, word in (("right", "authority", True, ""), ("right", "stranger", False, "certificate verify failed"),
                                    ("wrong", "authority", False, "does not match host name")):
        port = free_port()
        postgres = databases.PostgresServer("-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "ssl=on",
                                            "-c", f"ssl_cert_file={folder}/{name}.crt", "-c", f"ssl_key_file={folder}/{name}.key")
        try:
            url = f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=verify-full&sslrootcert={folder}/{root}.crt"
            began = time.monotonic()
            code, _, err = command("user", "list", data=data, env={"KEYWARD_STORAGE_URL": url})
            assert (code == 0) == works and word in err, err
            assert time.monotonic() - began < 15
            if works:
                # Whether that was TLS: a server that takes nothing else was asked.
                plain = url.replace("verify-full", "disable")
                code, _, err = command("user", "list", data=data, env={"KEYWARD_STORAGE_URL": plain})
                assert code == 1 and "no encryption" in err
        finally:
            postgres.remove()
