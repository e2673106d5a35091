"""Fixtures: `server` is shared by the tests of one file, `data` is a fresh data folder for a test that starts its own."""

import itertools

import pytest

from keyward import Keyward

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Keyward(tmp_path_factory.mktemp("keyward") / "data", env={"KEYWARD_LIMITS_ENABLED": "false"}) as running:
        yield running


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def email():
    """An address that nobody has used yet."""
    return f"person{next(_numbers)}@example.com"
