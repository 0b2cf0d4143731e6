import tempfile


def test_before():
    path = tempfile.mktemp()
    assert path


def test_open_bracket():
    value = compute(1, [2, 3
    assert value


class TestOpen:
    def test_open_string(self):
        name = "no end

    def

    @pytest.mark.
    def test_after(self, tmp_path):
        (tmp_path / "a").write_text("""never closed
