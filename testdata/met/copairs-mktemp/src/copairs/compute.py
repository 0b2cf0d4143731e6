import os
import tempfile
from pathlib import Path

import numpy as np


def save(cache_file: Path, null_dist):
    fresh = tempfile.mktemp(dir=cache_file.parent, suffix=".npy")  # finding: mktemp(note)
    np.save(fresh, null_dist)
    os.replace(fresh, cache_file)


def null_dist_cached(num_pos, total, seed, cache_dir: Path):
    cache_file = cache_dir / f"n{total}_k{num_pos}.npy"
    if cache_file.is_file():
        try:
            return np.load(cache_file)
        except (ValueError, EOFError, OSError):
            cache_file.unlink(missing_ok=True)
    null_dist = np.random.default_rng(seed).random((num_pos, total))
    save(cache_file, null_dist)
    return null_dist
