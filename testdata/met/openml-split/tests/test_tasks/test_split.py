import inspect
import os
from pathlib import Path
from unittest import TestCase

from openml import Split


class SplitTest(TestCase):
    def setUp(self):
        __file__ = inspect.getfile(SplitTest)
        self.directory = os.path.dirname(__file__)
        self.source = (
            Path(self.directory).parent
            / "files"
            / "tasks"
            / "1882"
            / "datasplits.arff"
        )
        self.side_car = self.source.with_suffix(".pkl.py3")

    def tearDown(self):
        try:
            os.remove(self.side_car)  # finding: shared-path(error)
        except (OSError, FileNotFoundError):
            pass

    def test_eq(self):
        one = Split._from_arff_file(self.source)
        two = Split._from_arff_file(self.source)
        two.name = "a"
        assert one.name != two.name

    def test_folds(self):
        split = Split._from_arff_file(self.source)
        assert len(split.folds) == 10

    def test_name(self):
        split = Split._from_arff_file(self.source)
        assert split.name
