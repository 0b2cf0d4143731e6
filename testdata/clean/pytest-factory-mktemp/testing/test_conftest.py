import pytest


@pytest.fixture(scope="module", params=["global", "inpackage"])
def basedir(request, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("basedir", numbered=True)
    tmp_path.joinpath("adir/b").mkdir(parents=True)
    tmp_path.joinpath("adir/conftest.py").write_text("a=1 ; Directory = 3", encoding="utf-8")
    if request.param == "inpackage":
        tmp_path.joinpath("adir/__init__.py").touch()
    return tmp_path


def test_basic_init(basedir):
    assert (basedir / "adir").is_dir()
