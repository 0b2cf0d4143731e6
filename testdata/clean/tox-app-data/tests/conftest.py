import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _do_not_share_app_data(tmp_path_factory, worker_id):
    if worker_id != "master":
        folder = tmp_path_factory.mktemp(f"virtualenv-app-{worker_id}")
        (folder / "seed.txt").write_text("x")
