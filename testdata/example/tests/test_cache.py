from weather import cache


def test_clear_forgets():
    cache.save({"Oslo": 4})
    cache.clear()
    assert not cache.CACHE.exists()
