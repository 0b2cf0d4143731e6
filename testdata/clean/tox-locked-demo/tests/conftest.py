import shutil
from pathlib import Path

import pytest
from filelock import FileLock

HERE = Path(__file__).absolute().parent


@pytest.fixture(scope="session")
def demo_pkg_inline():
    demo_path = HERE / "demo_pkg_inline"
    with FileLock(f"{demo_path}.lock"):
        tox_dir = demo_path / ".tox"
        if tox_dir.exists():
            shutil.rmtree(tox_dir)
        yield demo_path
        if tox_dir.exists():
            shutil.rmtree(tox_dir)
