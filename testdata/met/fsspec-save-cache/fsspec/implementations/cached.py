import os
import pickle
import tempfile
from shutil import move


class CachingFileSystem:
    def __init__(self, storage):
        self.storage = storage
        self.cached_files = {}

    def save_cache(self):
        fn = os.path.join(self.storage, "cache")
        cache = {k: dict(v) for k, v in self.cached_files.items()}
        fn2 = tempfile.mktemp()  # finding: mktemp
        with open(fn2, "wb") as f:
            pickle.dump(cache, f)
        os.makedirs(self.storage, exist_ok=True)
        move(fn2, fn)
