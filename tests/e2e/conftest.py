"""Fixtures: `server` is shared by the tests of one file, `data` is a fresh data folder for a test that starts its own."""

import itertools

import pytest

from database import drop_below
from keyward import Keyward

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keyward")
    with Keyward(folder / "data", env={"KEYWARD_LIMITS_ENABLED": "false"}) as running:
        yield running
    drop_below(folder)


@pytest.fixture
def data(tmp_path):
    yield tmp_path / "data"
    drop_below(tmp_path)


@pytest.fixture
def email():
    """An address that nobody has used yet."""
    return f"person{next(_numbers)}@example.com"
