import os
import shutil

from filelock import FileLock


def get_from_cache(url, cache_dir, http_get, force_download=False):
    cache_path = os.path.join(cache_dir, str(hash(url)))
    if os.path.exists(cache_path) and not force_download:
        return cache_path
    with FileLock(cache_path + ".lock"):
        if os.path.exists(cache_path) and not force_download:
            return cache_path
        incomplete_path = cache_path + ".incomplete"
        with open(incomplete_path, "w+b") as temp_file:
            http_get(url, temp_file)
        shutil.move(incomplete_path, cache_path)
    return cache_path
