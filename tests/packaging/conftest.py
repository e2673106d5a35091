"""The package, built once, and unpacked into a root of its own. Nothing is installed on this machine."""

import shutil

import pytest

from tools import run


@pytest.fixture(scope="session")
def build():
    from keyward import BINARY  # pylint: disable=import-outside-toplevel

    if not (BINARY.parent / "CPackConfig.cmake").exists():
        pytest.skip("the binary lies in no build folder")
    return BINARY.parent


@pytest.fixture(scope="session")
def package(build, tmp_path_factory):
    if not shutil.which("dpkg-deb") or not shutil.which("dpkg-shlibdeps"):
        pytest.skip("no dpkg-dev here")
    folder = tmp_path_factory.mktemp("package")
    run("cpack", "-G", "DEB", "--config", build / "CPackConfig.cmake", "-B", folder, umask=0o022)
    (made,) = folder.glob("*.deb")
    return made


@pytest.fixture(scope="session")
def root(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    run("dpkg-deb", "-x", package, folder)
    return folder
