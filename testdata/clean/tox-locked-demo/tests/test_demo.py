def test_one(demo_pkg_inline):
    assert (demo_pkg_inline / "pyproject.toml").name


def test_two(demo_pkg_inline):
    assert demo_pkg_inline.name == "demo_pkg_inline"
