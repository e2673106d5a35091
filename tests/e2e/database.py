"""The database behind a data folder: its keyward.db or, with KEYWARD_TEST_ENGINE=postgres, one of a throw-away PostgreSQL.

The server is that of KEYWARD_TEST_POSTGRES (a URL), else one that tests/services/postgres.sh starts at the first use.
"""

import atexit
import contextlib
import itertools
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.parse

POSTGRES = os.environ.get("KEYWARD_TEST_ENGINE", "sqlite") == "postgres"
# How many processes a Keyward of the tests is, on one database; more than one share a Redis too.
NODES = int(os.environ.get("KEYWARD_TEST_NODES", "1"))
SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "services/postgres.sh"

_databases = {}  # data folder → the name of its database
_numbers = itertools.count(1)
_redis_numbers = {}  # data folder → the number of its database in Redis
_server = _redis = None


class PostgresServer:
    """A PostgreSQL of one's own, on a socket in a folder. It ends with this process."""

    def __init__(self, *settings):
        self.settings = settings
        self.port = next((setting[5:] for setting in settings if setting.startswith("port=")), "5432")
        self.folder = tempfile.mkdtemp(prefix="keyward-postgres-", dir="/tmp")  # short, for the socket's sake
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(["bash", str(SCRIPT), "serve", self.folder, *self.settings])
        deadline = time.monotonic() + 60
        while subprocess.run(["pg_isready", "-q", "-h", self.folder, "-p", self.port], check=False).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < deadline, "PostgreSQL did not start (./dev setup)"
            time.sleep(0.02)

    def end(self, how=signal.SIGINT):
        """SIGQUIT is PostgreSQL's immediate shutdown: as a crash is, with every connection cut."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def remove(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database="postgres"):
        return f"postgres://postgres@/{database}?host={self.folder}"


def server_url():
    global _server
    given = os.environ.get("KEYWARD_TEST_POSTGRES")
    if given:
        return given
    if _server is None:
        _server = PostgresServer()
        atexit.register(_server.remove)
    return _server.url()


def session_of(url):
    import psycopg2  # pylint: disable=import-outside-toplevel  # only where there is a PostgreSQL

    return psycopg2.connect(url)


def _administer(sql):
    session = session_of(server_url())
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute(sql)
    session.close()


def url_of(data):
    """The URL of the folder's own database, which is made at the first call."""
    folder = str(data)
    if folder not in _databases:
        name = f"kw_{os.getpid()}_{next(_numbers)}"
        _administer(f"CREATE DATABASE {name}")
        _databases[folder] = name
    parts = urllib.parse.urlsplit(server_url())
    return urllib.parse.urlunsplit(parts._replace(path="/" + _databases[folder]))


def redis_url_of(data):
    """The URL of the folder's own numbered database in a Redis that starts at the first use."""
    from redis_server import RedisServer  # pylint: disable=import-outside-toplevel,cyclic-import

    global _redis
    if _redis is None:
        _redis = RedisServer("--databases", "30000")
        atexit.register(_redis.remove)
    number = _redis_numbers.setdefault(str(data), len(_redis_numbers))
    return f"{_redis.url}?db={number}"


def environment_of(data):
    """What makes a keyward on this folder use the engine under test; where there are several nodes, with a Redis."""
    if not POSTGRES or data is None:
        return {}
    redis = {"KEYWARD_REDIS_URL": redis_url_of(data)} if NODES > 1 else {}
    return {"KEYWARD_STORAGE_URL": url_of(data), **redis}


def node_folders(data, count=NODES):
    """A data folder for each node; the first is `data`."""
    return [pathlib.Path(data), *(pathlib.Path(f"{data}.node{number}") for number in range(2, count + 1))]


def drop_below(folder):
    """Drops the databases of the data folders below this one."""
    for data in [data for data in _databases if data.startswith(str(folder))]:
        _administer(f"DROP DATABASE IF EXISTS {_databases.pop(data)} WITH (FORCE)")


class _PostgresDatabase:
    def __init__(self, session):
        self.cursor = session.cursor()

    def execute(self, sql, parameters=()):
        if parameters:
            self.cursor.execute(sql.replace("%", "%%").replace("?", "%s"), tuple(parameters))
        else:
            self.cursor.execute(sql)
        return self

    executescript = execute

    @staticmethod
    def _row(row):
        return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)

    def fetchall(self):
        return [self._row(row) for row in self.cursor.fetchall()]

    def fetchone(self):
        row = self.cursor.fetchone()
        return None if row is None else self._row(row)

    def __iter__(self):
        return iter(self.fetchall())


@contextlib.contextmanager
def connect(data):
    """The folder's database, with sqlite3's execute(): `?` for a parameter. What is changed is kept at the end."""
    if not POSTGRES:
        session = sqlite3.connect(pathlib.Path(data) / "keyward.db", timeout=10)
        with contextlib.closing(session), session:
            yield session
        return
    session = session_of(url_of(data))
    with contextlib.closing(session), session:
        yield _PostgresDatabase(session)


def is_whole(data):
    """What the engine's own check of its files says; a PostgreSQL that runs has not been harmed by a client."""
    if POSTGRES:
        return True
    with connect(data) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
