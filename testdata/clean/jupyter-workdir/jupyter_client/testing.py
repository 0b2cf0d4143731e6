import os
from tempfile import TemporaryDirectory


class TemporaryWorkingDirectory(TemporaryDirectory):
    def __enter__(self):
        self.old_wd = os.getcwd()
        os.chdir(self.name)
        return super().__enter__()

    def __exit__(self, exc, value, tb):
        os.chdir(self.old_wd)
        return super().__exit__(exc, value, tb)
