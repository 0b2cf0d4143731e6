from weather import cache, report


def test_warmest():
    cache.save({"Oslo": 4, "Rome": 17})
    assert report.warmest() == "Rome"
