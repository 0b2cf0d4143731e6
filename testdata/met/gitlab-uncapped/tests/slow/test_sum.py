def test_sum():
    assert sum(range(10**6)) > 0
