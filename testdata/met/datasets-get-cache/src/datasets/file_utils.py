import os
import shutil
import tempfile

from filelock import FileLock


def get_from_cache(url, cache_dir, http_get, force_download=False):
    cache_path = os.path.join(cache_dir, str(hash(url)))
    if os.path.exists(cache_path) and not force_download:  # other end: check-then-act
        return cache_path
    with FileLock(cache_path + ".lock"):
        with tempfile.NamedTemporaryFile(dir=cache_dir, delete=False) as temp_file:
            http_get(url, temp_file)
        shutil.move(temp_file.name, cache_path)  # finding: check-then-act
    return cache_path
