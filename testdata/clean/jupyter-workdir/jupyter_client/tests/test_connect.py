import os

from jupyter_client.testing import TemporaryWorkingDirectory


def test_find_connection_file_local():
    with TemporaryWorkingDirectory():
        cf = "test.json"
        with open(cf, "w") as f:
            f.write("{}")
        assert os.path.abspath(cf).endswith("test.json")


def test_find_connection_file_relative():
    with TemporaryWorkingDirectory():
        os.mkdir("subdir")
        cf = os.path.join("subdir", "test.json")
        with open(cf, "w") as f:
            f.write("{}")
