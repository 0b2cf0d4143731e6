from learn.all import *


def test_progress_is_there():
    assert ProgressCallback in [type(cb) for cb in Learner("resnet").cbs]
