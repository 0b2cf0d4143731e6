import functools
import os
import pickle

from joblib.storage import concurrency_safe_write


def dump(value, filename, compress=0):
    with open(filename, "wb") as f:
        pickle.dump(value, f, protocol=compress)


class MemorizedFunc:
    def __init__(self, folder, compress=0):
        self.folder = folder
        self.compress = compress

    def load(self):
        filename = os.path.join(self.folder, "output.pkl")
        with open(filename, "rb") as f:
            return pickle.load(f)

    def persist(self, output):
        filename = os.path.join(self.folder, "output.pkl")
        os.makedirs(self.folder, exist_ok=True)
        write_func = functools.partial(dump, compress=self.compress)
        concurrency_safe_write(output, filename, write_func)
