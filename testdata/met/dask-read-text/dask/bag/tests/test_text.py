from dask.bag.text import read_text


def test_read_text_unicode_no_collection():
    data = b"abcd\xc3\xa9"
    fn = "./data.txt"
    with open(fn, "wb") as f:  # finding: cwd-relative-write
        f.write(b"\n".join([data, data]))

    f = read_text(fn, collection=False)
    result = f[0].compute()
    assert len(result) == 2
