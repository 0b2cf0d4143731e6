from learn.basics import *


def test_fit_is_quiet(capsys):
    # finding: ambient-registry(warning)
    learner = Learner("linear")
    learner.fit(1)
    out, err = capsys.readouterr()
    assert out == ""
