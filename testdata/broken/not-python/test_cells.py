%matplotlib inline
!pip install something
import os
files = !ls
?os.path
def test_cell():
    assert os.path.exists("a")
