import os

from modin.pandas.test.utils import get_unique_filename


def test_one():
    path = get_unique_filename("data")
    with open(path, "w") as f:
        f.write("a,b\n")
    os.remove(path)


def test_two():
    path = get_unique_filename("data")
    with open(path, "w") as f:
        f.write("a,b\n")
    os.remove(path)
