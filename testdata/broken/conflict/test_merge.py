import os


def test_one():
<<<<<<< HEAD
    os.environ["MODE"] = "one"
=======
    os.environ["MODE"] = "two"
>>>>>>> topic
    assert os.environ["MODE"]
