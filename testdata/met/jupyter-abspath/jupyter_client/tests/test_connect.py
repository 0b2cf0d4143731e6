import os
from tempfile import TemporaryDirectory

from jupyter_client import connect


def test_find_connection_file_abspath():
    with TemporaryDirectory() as d:
        cf = "absolute.json"
        abs_cf = os.path.abspath(cf)
        with open(cf, "w") as f:  # finding: cwd-relative-write
            f.write("{}")
        assert connect.find_connection_file(abs_cf, path=d) == abs_cf
