import inspect
import os
import shutil
import tempfile
from pathlib import Path
from unittest import TestCase

from openml import Split


class SplitTest(TestCase):
    def setUp(self):
        source = Path(os.path.dirname(inspect.getfile(SplitTest))).parent / "files" / "tasks" / "1882" / "datasplits.arff"
        self._root = tempfile.TemporaryDirectory()
        self.source = Path(self._root.name) / "datasplits.arff"
        shutil.copy(source, self.source)

    def tearDown(self):
        self._root.cleanup()

    def test_eq(self):
        one = Split._from_arff_file(self.source)
        two = Split._from_arff_file(self.source)
        two.name = "a"
        assert one.name != two.name

    def test_folds(self):
        assert len(Split._from_arff_file(self.source).folds) == 10
