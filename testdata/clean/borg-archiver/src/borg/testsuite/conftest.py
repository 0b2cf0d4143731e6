import os

import pytest


class Archiver:
    input_path = None


@pytest.fixture
def archiver(tmp_path, monkeypatch):
    archiver = Archiver()
    archiver.input_path = os.fspath(tmp_path / "input")
    os.mkdir(archiver.input_path)
    os.chdir(tmp_path)
    yield archiver
    os.chdir("/")
